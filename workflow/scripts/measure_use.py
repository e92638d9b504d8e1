"""What every mask of a simulated image leaves in the sky: evaluation/use/<image>.csv."""

import numpy as np
import pandas as pd
from job import script
from mirimask.atomic import replacing
from mirimask.evaluation.background import bright_star_parts, source_stamps, true_sky, use_row
from mirimask.evaluation.completeness import truth_in_crop
from mirimask.image.files import read_crop, read_mask
from mirimask.image.product import opened
from mirimask.image.psf import read_psf
from mirimask.table_files import read_ecsv


def main(job):
    crop = read_crop(job.input.frame, planes=False)
    with opened(job.input.light) as hdus:
        light, sky = (crop.cut(hdus[name].data) for name in ("LIGHT", "SKY"))
    true = true_sky(crop.data, light, sky, crop.empty)
    truth, (y0, x0) = read_ecsv(job.input.truth).to_pandas(), crop.origin
    sources = truth_in_crop(truth, crop.empty, x0=x0, y0=y0)
    # the brightest are saturated: empty in their middle
    stars = truth_in_crop(truth, np.zeros_like(crop.empty), x0=x0, y0=y0)
    psf = read_psf(job.input.psf)
    middle = job.params.middle_ab
    stamps = source_stamps(sources, psf, crop.data.shape, middle_ab=middle)
    stamps += bright_star_parts(stars, psf, crop.data.shape, middle_ab=middle, fwhm_px=crop.fwhm_px)
    rows = [
        {"image": job.wildcards.image, "method": method, "domain": domain}
        | use_row(true, read_mask(path)[0], stamps, middle_ab=middle)
        for path, (method, domain) in zip(job.input.masks, job.params.masks, strict=True)
    ]
    with replacing(job.output.csv) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False, float_format="%.6g")


if "snakemake" in globals():
    script(main, snakemake)
