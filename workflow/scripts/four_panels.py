"""Figures 3, 4 and 5: the crop, two slices and the segmentation, with the sources' circles."""

import csv

import numpy as np
from job import script
from mirimask.figures.paper import Panel, draw_panels, save_figure
from mirimask.image.files import read_crop, read_mask
from mirimask.image.frame import pixels
from mirimask.masks.names import method_label, parse_method
from mirimask.masks.slices import image_to_slice
from mirimask.masks.thresholds import thresholds
from mirimask.report.tables import CROWDED
from mirimask.sources.verdicts import covered_share

SHOWN_PERCENTILES = (80, 99)  # of the paper's published script


def limits(image):
    low, high = thresholds(image, [100.0 - percentile for percentile in SHOWN_PERCENTILES])
    return float(low), float(high)


def mask_panel(crop, original, path, verdicts):
    """The panel of a mask: the pixels it keeps of the image that it cuts."""
    kept, header = read_mask(path)
    is_derivative = parse_method(header["METHOD"]).method == "derivative"
    image, shown, unit = original.image, original.limits, original.unit
    if is_derivative:
        image = image_to_slice(crop, "derivative", domain=header["DOMAIN"])
        shown, unit = limits(image), "MJy/sr/px"
    note = f"{header['NKEPT']:,} px kept ({100 * header['NKEPT'] / kept.size:.3g} % of the crop)"
    if "THRESH" in header:
        note += f"\nabove {header['THRESH']:.4g} {unit}"
    return Panel(method_label(header["METHOD"]), image, shown, unit, note, kept, verdicts)


def read_sources(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def made_panels(crop, job):
    """One panel after the other: only one image is at hand at a time."""
    unit = "MJy/sr"
    image = crop.masked if crop.empty.any() else crop.data
    low, high = SHOWN_PERCENTILES
    note = f"grey from the {low}th\nto the {high}th percentile"
    original = Panel("Original", image, limits(image), unit, note)
    yield original
    column = {"peaks": "verdict", "pixels": "verdict_pixels"}[job.params.scorer]
    for mask, verdicts in zip(job.input.masks, job.input.verdicts, strict=True):
        yield mask_panel(crop, original, mask, [row[column] for row in read_sources(verdicts)])


def drawn(job):
    """The figure; what it was drawn from is no longer at hand when it is saved."""
    crop = read_crop(job.input.frame, planes=False)
    sources = read_sources(job.input.verdicts[-1])
    x, y = (np.array([row[axis] for row in sources], dtype=float) for axis in "xy")
    radius, near = (
        pixels(size, crop.pixel_scale, fwhm_px=crop.fwhm_px)
        for size in (job.params.radius, job.params.near)
    )
    title = [f"{crop.primary['IMAGE']}", crop.primary.get("OBS_ID"), crop.primary.get("FILTER")]
    return draw_panels(
        made_panels(crop, job),
        number=1 + len(job.input.masks),
        wcs=crop.wcs,
        empty=crop.empty,
        x=x,
        y=y,
        radius_px=radius,
        near_px=near,
        crowded=covered_share(x, y, crop.empty, radius_px=radius) > CROWDED,
        pixel_scale=crop.pixel_scale,
        title=" · ".join(filter(None, [*title, f"study {job.params.study}"])),
        simulated=crop.simulated,
    )


def main(job):
    save_figure(drawn(job), png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
