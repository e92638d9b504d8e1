"""The page to score masks by eye, and the key to what it shows."""

import logging

import pandas as pd
from astropy.io import fits
from astropy.table import Table
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.image.files import read_crop
from mirimask.image.frame import pixels
from mirimask.report.by_eye import ScoredImage, cut_out_side, score_data
from mirimask.report.page import render_page, size_words
from mirimask.report.pictures import grey_levels

log = logging.getLogger("mirimask.score_page")


def main(job):
    methods, simulated = job.params.methods, []

    def images():
        masks = iter(job.input.masks)
        for frame, sources in zip(job.input.frames, job.input.sources, strict=True):
            crop = read_crop(frame, planes=False)
            simulated.append(crop.simulated)
            radius, near, asked = (
                size and pixels(size, crop.pixel_scale, fwhm_px=crop.fwhm_px)
                for size in (job.params.radius, job.params.near, job.params.cutout)
            )
            side = cut_out_side(asked, radius_px=radius, near_px=near, fwhm_px=crop.fwhm_px)
            if asked and side > round(asked):
                log.warning(
                    "%s: cut-outs of %s would cut off the ring; they are %d px wide",
                    *(crop.primary["IMAGE"], job.params.cutout, side),
                )
            table = Table.read(sources)
            yield ScoredImage(
                crop.primary["IMAGE"],
                grey_levels(crop.masked),
                {method: fits.getdata(next(masks), "MASK") > 0 for method in methods},
                [str(source) for source in table["id"]],
                table["x"],
                table["y"],
                radius,
                near,
                side,
            )

    data, key = score_data(images(), study=job.params.study)
    page = render_page(
        "score",
        title="Score by eye",
        study=job.params.study,
        simulated=any(simulated),
        number=len(data["items"]),
        radius=size_words(job.params.radius),
        near=size_words(job.params.near),
        data=data,
    )
    write_text(job.output.page, page)
    with replacing(job.output.key) as temporary:
        pd.DataFrame(key).to_csv(temporary, index=False)


if "snakemake" in globals():
    script(main, snakemake)
