"""Chance success of every mask of an image: evaluation/chance/<image>.csv."""

from job import or_why_not, script
from mirimask.evaluation.chance import chance_rows
from mirimask.evaluation.scene import named_masks
from mirimask.image.files import read_crop
from mirimask.table_files import read_ecsv, read_table, write_csv, write_reason


@or_why_not(write_reason)
def main(job):
    p, image = job.params, job.wildcards.image
    masks = named_masks(job.input.masks, p.masks)
    table = chance_rows(
        read_crop(job.input.frame, planes=False),
        image,
        read_table(job.input.peaks),
        read_ecsv(job.input.sources).to_pandas(),
        [(*mask, read_table(path)) for mask, path in zip(masks, job.input.verdicts, strict=True)],
        radius=p.radius,
        near=p.near,
        smallest_spot=p.smallest_spot,
        min_pixels=p.min_pixels,
        tolerance_fwhm=p.tolerance_fwhm,
        positions=p.positions,
        seed=p.seed,
    )
    table.insert(0, "image", image)
    write_csv(job.output.csv, table)


if "snakemake" in globals():
    script(main, snakemake)
