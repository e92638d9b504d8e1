"""The page to score masks by eye, and the key to what it shows."""

import logging

from astropy.table import Table
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.image.files import read_crop, read_mask
from mirimask.report.by_eye import ScoredImage, cut_out_side, score_data, score_page
from mirimask.report.pictures import grey_levels

log = logging.getLogger("mirimask.score_page")


def main(job):
    params, masks, images, simulated = job.params, iter(job.input.masks), [], False
    for frame, sources in zip(job.input.frames, job.input.sources, strict=True):
        crop, table = read_crop(frame, planes=False), Table.read(sources)
        simulated |= crop.simulated
        radius, near, asked = (
            size and crop.length_px(size) for size in (params.radius, params.near, params.cutout)
        )
        side = cut_out_side(asked, radius_px=radius, near_px=near, fwhm_px=crop.fwhm_px)
        name = crop.primary["IMAGE"]
        if asked and side > round(asked):
            log.warning(
                "%s: cut-outs of %s would cut off the ring; they are %d px wide",
                *(name, params.cutout, side),
            )
        ids, kept = (
            list(map(str, table["id"])),
            {m: read_mask(next(masks))[0] for m in params.methods},
        )
        at = table["x"], table["y"]
        images.append(
            ScoredImage(name, grey_levels(crop.masked), kept, ids, *at, radius, near, side)
        )
    data, key = score_data(images, study=params.study)
    page = score_page(
        data, study=params.study, simulated=simulated, radius=params.radius, near=params.near
    )
    write_text(job.output.page, page)
    with replacing(job.output.key) as temporary:
        key.to_csv(temporary, index=False)


if "snakemake" in globals():
    script(main, snakemake)
