"""What a mask marks that is no source: evaluation/structure/<image>.csv."""

import numpy as np
import pandas as pd
from astropy.io import fits
from job import script
from mirimask.atomic import replacing
from mirimask.evaluation.structure import background_share, wing_excess
from mirimask.image.background import background
from mirimask.image.files import read_crop
from mirimask.image.frame import pixels
from mirimask.sources.spots import label_spots
from mirimask.table_files import read_table


def main(job):
    crop, p = read_crop(job.input.frame, planes=False), job.params
    peaks = read_table(job.input.peaks)
    box_px = round(pixels(p.background_box, crop.pixel_scale, fwhm_px=crop.fwhm_px))
    level = background(np.where(crop.empty, 0, crop.data), crop.empty, box_px=box_px)
    rows = []
    for (method, domain), path in zip(p.masks, job.input.masks, strict=True):
        mask = fits.getdata(path, "MASK") > 0
        spots = label_spots(
            mask, peaks, min_pixels=p.min_pixels, tolerance_px=p.tolerance_fwhm * crop.fwhm_px
        )
        bright = np.isin(spots.labels, spots.bright) if spots.bright.size else np.zeros_like(mask)
        excess, stars = wing_excess(mask, peaks, crop.empty, fwhm_px=crop.fwhm_px, snr=p.bright_snr)
        rows.append(
            {
                "image": job.wildcards.image,
                "method": method,
                "domain": domain,
                "mask_pixels": int(mask.sum()),
                "clutter": spots.clutter,
                "clutter_on_bright_background": background_share(mask, bright, level, crop.empty),
                "bright_stars": stars,
                "wing_excess_px": excess,
                "simulated": crop.simulated,
            }
        )
    with replacing(job.output.csv) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False, float_format="%.6g")


if "snakemake" in globals():
    script(main, snakemake)
