"""The page to look at images and masks: results/<study>/browser.html."""

import math

from astropy.io import fits
from job import script
from mirimask.atomic import write_text
from mirimask.image.files import read_crop, read_gradient
from mirimask.image.frame import pixels
from mirimask.masks.names import method_label
from mirimask.report.page import render_page, size_words
from mirimask.report.pictures import data_uri, grey_levels, grey_png, mask_png, shrink, shrink_mask
from mirimask.table_files import read_table

LARGEST = 1600  # pixels along a side; larger images are drawn smaller
MASK = (255, 140, 0)


def rounded(value, digits):
    return round(float(value), digits) if math.isfinite(value) else None


def main(job):
    images, simulated, scaled = [], False, []
    masks, verdicts = iter(job.input.masks), iter(job.input.verdicts)
    for frame, gradient in zip(job.input.frames, job.input.gradients, strict=True):
        crop = read_crop(frame, planes=False)
        simulated |= crop.simulated
        radius, near = (
            pixels(size, crop.pixel_scale, fwhm_px=crop.fwhm_px)
            for size in (job.params.radius, job.params.near)
        )
        name, (ny, nx) = crop.primary["IMAGE"], crop.data.shape
        factor = math.ceil(max(ny, nx) / LARGEST)
        if factor > 1:
            scaled.append(f"{name} 1 of {factor}")
        shown, sources = [], None
        for method in job.params.methods:
            mask = fits.getdata(next(masks), "MASK") > 0
            given = read_table(next(verdicts))
            sources = given if sources is None else sources
            shown.append(
                {
                    "label": method_label(method),
                    "uri": data_uri(mask_png(shrink_mask(mask, factor), MASK)),
                    "kept": int(mask.sum()),
                    "verdicts": [
                        {
                            "verdict": row.verdict,
                            "literal": row.verdict_pixels,
                            "distance": rounded(float(row.distance_px), 3),
                            "snr": rounded(float(row.peak_snr), 2),
                        }
                        for row in given.itertuples()
                    ],
                }
            )
        levels = grey_levels(shrink(crop.masked, factor))
        slope = shrink(read_gradient(gradient, "crop"), factor)
        images.append(
            {
                "name": name,
                "nx": levels.shape[1],
                "ny": levels.shape[0],
                "pixels": ny * nx,
                "radius": radius / factor,
                "near": near / factor,
                "uri": data_uri(grey_png(levels)),
                "derivative": data_uri(grey_png(grey_levels(slope, percentiles=(50, 99.7)))),
                "masks": shown,
                "sources": [
                    {
                        "id": row.id,
                        "ra": float(row.ra),
                        "dec": float(row.dec),
                        # the centre of pixel 0 of the smaller image is not that of the larger one
                        "x": (float(row.x) + 0.5) / factor - 0.5,
                        "y": (float(row.y) + 0.5) / factor - 0.5,
                        "px": float(row.x),
                        "py": float(row.y),
                    }
                    for row in sources.itertuples()
                ],
            }
        )
    page = render_page(
        "browser",
        title=f"Images and masks: study {job.params.study}",
        study=job.params.study,
        simulated=simulated,
        question="What does each mask keep, and which sources does it mark?",
        radius=size_words(job.params.radius),
        near=size_words(job.params.near),
        scaled=", ".join(scaled),
        data={"images": images},
    )
    write_text(job.output.page, page)


if "snakemake" in globals():
    script(main, snakemake)
