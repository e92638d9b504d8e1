"""Add stars and galaxies to one image and measure what its masks leave of them.

evaluation/added/<image>.csv, and evaluation/near/<image>.csv: the sky near the sources that are
there against that far from them.
"""

import numpy as np
import pandas as pd
from job import method_options, or_why_not, script
from mirimask.evaluation.added import (
    NO_MASK,
    added_sources,
    measure_added,
    near_and_far,
    near_pixels,
)
from mirimask.evaluation.scene import free_of_sources, named_masks, psf_for, seed_for
from mirimask.image.files import read_crop
from mirimask.table_files import read_table, write_csv, write_reason


@or_why_not(write_reason)
def main(job):
    crop, p, image = read_crop(job.input.frame), job.params, job.wildcards.image
    peaks = read_table(job.input.peaks)
    write_near(job, crop, peaks)
    sources = added_sources(
        crop,
        free_of_sources(crop, peaks, p.free_fwhm),
        psf_for(job.input.psf, crop),
        middle_ab=p.middle_ab,
        rng=np.random.default_rng(seed_for(p.seed, image, 15)),
    )
    methods = [method for method, _ in p.masks]
    table = measure_added(crop, sources, methods, options=method_options(p))
    table.insert(0, "image", image)
    table.insert(2, "domain", table["method"].map(dict(p.masks)).fillna(""))
    write_csv(job.output.csv, table.assign(simulated=crop.simulated))


def write_near(job, crop, peaks):
    nothing = (NO_MASK, "", np.zeros(crop.data.shape, bool))
    near = near_pixels(crop, peaks[["x", "y"]].to_numpy())
    rows = [
        {"image": job.wildcards.image, "method": method, "domain": domain}
        | near_and_far(crop, mask, near)
        for method, domain, mask in [nothing, *named_masks(job.input.masks, job.params.masks)]
    ]
    write_csv(job.output.near, pd.DataFrame(rows).assign(simulated=crop.simulated))


if "snakemake" in globals():
    script(main, snakemake)
