"""Add stars to one image and see which its masks mark: evaluation/injection/<image>.csv."""

import numpy as np
from evaluated import method_options, or_why_not, seed_of, write_csv
from job import script
from mirimask.evaluation.recovery import StarStamps, free_pixels, recover, recovery_by_magnitude
from mirimask.image.files import read_crop
from mirimask.image.psf import make_psf, read_psf
from mirimask.table_files import read_table


def stamps_for(psf_path, crop):
    """Stars as the image's filter shows them: a header knows it where the table does not."""
    psf = read_psf(psf_path)
    if crop.primary["FILTER"].strip().upper() != psf.filter:
        psf = make_psf(crop.primary["FILTER"])
    stamps = StarStamps(psf, pixel_scale_arcsec=crop.pixel_scale)
    return stamps


@or_why_not
def main(job):
    crop = read_crop(job.input.frame, planes=False)
    peaks = read_table(job.input.peaks)
    recovered = recover(
        crop,
        job.params.methods,
        stamps_for(job.input.psf, crop),
        options=method_options(job.params),
        allowed=free_pixels(
            crop.empty,
            peaks["x"].to_numpy(),
            peaks["y"].to_numpy(),
            distance_px=job.params.free_fwhm * crop.fwhm_px,
        ),
        magnitudes=job.params.magnitudes,
        stars=job.params.stars,
        each=job.params.stars_at_once,
        separation_px=job.params.separation_fwhm * crop.fwhm_px,
        tolerance_px=crop.fwhm_px,
        pixar_sr=crop.pixel_area_sr,
        rng=np.random.default_rng(seed_of(job, 10)),
    )
    table = recovery_by_magnitude(recovered)
    table.insert(0, "image", job.wildcards.image)
    table["simulated"] = crop.simulated
    write_csv(job.output.csv, table)


if "snakemake" in globals():
    script(main, snakemake)
