"""Figures 3, 4 and 5: the crop, two slices and the segmentation, with the sources' circles."""

import csv

import numpy as np
from astropy.io import fits
from job import script
from mirimask.figures import Panel, draw_panels, save_figure
from mirimask.frame import pixels, read_crop
from mirimask.masks import sliced_image
from mirimask.methods import method_label, parse_method
from mirimask.slicing import thresholds

SHOWN_PERCENTILES = (80, 99)  # of the paper's published script


def limits(image):
    low, high = thresholds(image, [100.0 - percentile for percentile in SHOWN_PERCENTILES])
    return float(low), float(high)


def mask_panel(crop, original, path, verdicts):
    """The panel of a mask: the pixels it keeps of the image that it cuts."""
    with fits.open(path) as hdus:
        header, kept = hdus[0].header, hdus["MASK"].data > 0
    is_derivative = parse_method(header["METHOD"]).kind == "derivative"
    image, shown, unit = original.image, original.limits, original.unit
    if is_derivative:
        image, _ = sliced_image(crop, "derivative", domain=header["DOMAIN"])
        shown, unit = limits(image), "MJy/sr/px"
    note = f"{header['NKEPT']:,} px kept ({100 * header['NKEPT'] / kept.size:.3g} % of the crop)"
    if "THRESH" in header:
        note += f"\nabove {header['THRESH']:.4g} {unit}"
    return Panel(method_label(header["METHOD"]), image, shown, unit, note, kept, verdicts)


def main(job):
    crop = read_crop(job.input.frame)
    unit = "MJy/sr"
    shown = limits(crop.masked)
    low, high = SHOWN_PERCENTILES
    note = f"grey from the {low}th\nto the {high}th percentile"
    original = Panel("Original", crop.masked, shown, unit, note)
    panels, column = [original], {"peaks": "verdict", "pixels": "verdict_pixels"}[job.params.scorer]
    for mask, verdicts in zip(job.input.masks, job.input.verdicts, strict=True):
        with open(verdicts, newline="") as file:
            sources = list(csv.DictReader(file))
        panels.append(mask_panel(crop, original, mask, [row[column] for row in sources]))
    radius, near = (pixels(size, crop.pixel_scale) for size in (job.params.radius, job.params.near))
    title = [f"{crop.primary['IMAGE']}", crop.primary.get("OBS_ID"), crop.primary.get("FILTER")]
    figure = draw_panels(
        panels,
        header=crop.header,
        empty=crop.empty,
        x=np.array([row["x"] for row in sources], dtype=float),
        y=np.array([row["y"] for row in sources], dtype=float),
        radius_px=radius,
        near_px=near,
        pixel_scale=crop.pixel_scale,
        title=" · ".join(filter(None, [*title, f"study {job.params.study}"])),
        simulated=crop.simulated,
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
