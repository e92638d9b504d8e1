"""The page to score masks by eye, and the key to what it shows."""

from job import script
from mirimask.atomic import replacing, write_text
from mirimask.image.files import read_crop, read_mask
from mirimask.report.by_eye import score_data, score_page, scored_image
from mirimask.table_files import read_ecsv


def main(job):
    params, masks, images, simulated = job.params, iter(job.input.masks), [], {}
    sizes = {"radius": params.radius, "near": params.near}
    for frame, sources in zip(job.input.frames, job.input.sources, strict=True):
        crop, table = read_crop(frame, planes=False), read_ecsv(sources)
        simulated[crop.primary["IMAGE"]] = crop.simulated
        kept = {method: read_mask(next(masks))[0] for method in params.methods}
        images.append(scored_image(crop, kept, table, cutout=params.cutout, **sizes))
    data, key = score_data(images, study=params.study)
    page = score_page(data, study=params.study, simulated=any(simulated.values()), **sizes)
    write_text(job.output.page, page)
    with replacing(job.output.key) as temporary:
        key.assign(simulated=key["image"].map(simulated)).to_csv(temporary, index=False)


if "snakemake" in globals():
    script(main, snakemake)
