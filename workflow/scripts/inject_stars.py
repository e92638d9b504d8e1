"""Add stars to one image and see which its masks mark: evaluation/injection/<image>.csv."""

from dataclasses import replace

import numpy as np
import pandas as pd
from evaluated import or_why_not, seed_of, write_csv
from job import script
from mirimask.frame import read_crop
from mirimask.injection import MaskMaker, StarStamps, free_pixels, recover, recovery_by_magnitude
from mirimask.memory import give_back
from mirimask.psf import make_psf, read_psf
from mirimask.segmentation import SegmentationSettings

EACH = 5  # stars of each magnitude in one realisation: few, so that they do not crowd the image
SEPARATION_FWHM = 10
FREE_FWHM = 3  # from detected sources, empty pixels and the rim


def pixel_area_sr(crop):
    """Solid angle of a pixel from the WCS (steradian)."""
    return (crop.pixel_scale / 3600 * np.pi / 180) ** 2


def stamps_for(psf_path, crop):
    """Stars as the image's filter shows them: a header knows it where the table does not."""
    psf = read_psf(psf_path)
    if crop.primary["FILTER"].strip().upper() != psf.filter:
        psf = make_psf(crop.primary["FILTER"])
    stamps = StarStamps(psf, pixel_scale_arcsec=crop.pixel_scale)
    give_back()  # the PSF, and what it was widened with
    return stamps


@or_why_not
def main(job):
    crop = read_crop(job.input.frame, planes=False)
    peaks = pd.read_csv(job.input.peaks)
    options = dict(job.params.segmentation)
    settings = SegmentationSettings.for_jwst(options.pop("jwst_version"), **options)
    maker = MaskMaker(
        job.params.methods,
        crop.empty,
        fwhm_px=crop.fwhm_px,
        segmentation=settings,
        detectors=job.params.detectors,
    )
    crop = replace(crop, data=crop.masked)
    recovered = recover(
        crop.data,
        maker,
        stamps_for(job.input.psf, crop),
        allowed=free_pixels(
            crop.empty,
            peaks["x"].to_numpy(),
            peaks["y"].to_numpy(),
            distance_px=FREE_FWHM * crop.fwhm_px,
        ),
        magnitudes=job.params.magnitudes,
        stars=job.params.stars,
        each=EACH,
        separation_px=SEPARATION_FWHM * crop.fwhm_px,
        tolerance_px=crop.fwhm_px,
        pixar_sr=pixel_area_sr(crop),
        rng=np.random.default_rng(seed_of(job, 10)),
    )
    table = recovery_by_magnitude(recovered)
    table.insert(0, "image", job.wildcards.image)
    table["simulated"] = crop.simulated
    write_csv(job.output.csv, table)


if "snakemake" in globals():
    script(main, snakemake)
