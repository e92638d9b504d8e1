"""Spots of the masks and of their twins of the inverted image: evaluation/reliability/."""

import numpy as np
import pandas as pd
from astropy.io import fits
from evaluated import area_arcmin2, named_masks, or_why_not, write_csv
from job import script
from mirimask.frame import pixels, read_crop, read_frame
from mirimask.methods import parse_method
from mirimask.reliability import false_spots, flank_pixels, invert, reliability_row
from mirimask.segmentation import SegmentationSettings


@or_why_not
def main(job):
    crop = read_crop(job.input.frame, planes=False)
    peaks = pd.read_csv(job.input.peaks)
    ny, nx = crop.data.shape
    y0, x0 = crop.primary["CROPY0"], crop.primary["CROPX0"]
    settings = dict(job.params.segmentation)
    inverted = invert(
        read_frame(job.input.i2d),
        np.s_[y0 : y0 + ny, x0 : x0 + nx],
        background_box_px=round(
            pixels(job.params.background_box, crop.pixel_scale, fwhm_px=crop.fwhm_px)
        ),
        settings=SegmentationSettings.for_jwst(settings.pop("jwst_version"), **settings),
        fwhm_px=crop.fwhm_px,
    )
    thresholds = {}
    for path in job.input.slices:
        header = fits.getheader(path)
        thresholds[header["METHOD"].partition("@")[0]] = header["THRESH"]
    flanks = flank_pixels(peaks, crop.data.shape, job.params.tolerance_fwhm * crop.fwhm_px)
    rows = []
    for method, domain, mask in named_masks(job.input.masks, job.params.masks):
        twin = inverted.mask(parse_method(method), thresholds, job.params.detectors)
        excluded = flanks if "derivative" in method or "gradient" in method else None
        counts = [
            false_spots(mask, None, min_pixels=job.params.min_pixels),
            false_spots(twin, excluded, min_pixels=job.params.min_pixels),
        ]
        row = reliability_row(*counts, area_arcmin2(crop))
        rows.append({"image": job.wildcards.image, "method": method, "domain": domain, **row})
    write_csv(job.output.csv, pd.DataFrame(rows))


if "snakemake" in globals():
    script(main, snakemake)
