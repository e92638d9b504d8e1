"""The page to score masks by eye, and the key to what it shows."""

import pandas as pd
from astropy.io import fits
from astropy.table import Table
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.by_eye import ScoredImage, score_data
from mirimask.errors import MaskError
from mirimask.frame import pixels, read_crop
from mirimask.pictures import grey_levels
from mirimask.report import render_page


def main(job):
    methods, simulated = job.params.methods, []
    side = None

    def images():
        masks = iter(job.input.masks)
        for frame, sources in zip(job.input.frames, job.input.sources, strict=True):
            crop = read_crop(frame, planes=False)
            simulated.append(crop.simulated)
            radius, near = (
                pixels(s, crop.pixel_scale) for s in (job.params.radius, job.params.near)
            )
            if side < 2 * (radius + near):
                raise MaskError(
                    f"by_eye: cut-outs of {side} px cannot show the ring, which is "
                    f"{2 * (radius + near):.0f} px wide; make by_eye.cutout larger."
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
            )

    # one side for all images: that of the first, which share their pixel scale but for odd cases
    side = round(
        pixels(job.params.cutout, read_crop(job.input.frames[0], planes=False).pixel_scale)
    )
    data, key = score_data(images(), study=job.params.study, side=side)
    page = render_page(
        "score",
        title="Score by eye",
        study=job.params.study,
        simulated=any(simulated),
        number=len(data["items"]),
        radius=job.params.radius,
        near=job.params.near,
        data=data,
    )
    write_text(job.output.page, page)
    with replacing(job.output.key) as temporary:
        pd.DataFrame(key).to_csv(temporary, index=False)


if "snakemake" in globals():
    script(main, snakemake)
