"""Add stars to one image and see which its masks mark: evaluation/injection/<image>.csv."""

import numpy as np
from job import method_options, or_why_not, script
from mirimask.evaluation.recovery import recover, recovery_by_magnitude
from mirimask.evaluation.scene import free_of_sources, seed_for, stamps_for
from mirimask.image.files import read_crop
from mirimask.table_files import read_table, write_csv, write_reason


@or_why_not(write_reason)
def main(job):
    crop, p, image = read_crop(job.input.frame, planes=False), job.params, job.wildcards.image
    recovered = recover(
        crop,
        p.methods,
        stamps_for(job.input.psf, crop),
        options=method_options(p),
        allowed=free_of_sources(crop, read_table(job.input.peaks), p.free_fwhm),
        magnitudes=p.magnitudes,
        stars=p.stars,
        each=p.stars_at_once,
        separation_px=p.separation_fwhm * crop.fwhm_px,
        tolerance_px=crop.fwhm_px,
        pixar_sr=crop.pixel_area_sr,
        rng=np.random.default_rng(seed_for(p.seed, image, 10)),
    )
    table = recovery_by_magnitude(recovered)
    table.insert(0, "image", image)
    write_csv(job.output.csv, table.assign(simulated=crop.simulated))


if "snakemake" in globals():
    script(main, snakemake)
