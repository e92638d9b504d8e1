"""Make a mask that is one function of the image: masks/<image>/<method>.fits."""

from job import script
from mirimask.frame import read_crop, write_mask
from mirimask.mask_functions import function_mask


def main(job):
    name, crop = job.wildcards.method, read_crop(job.input.frame, planes=False)
    mask = function_mask(
        name, crop.data, crop.empty, fwhm_px=crop.fwhm_px, detectors=job.params.detectors
    )
    write_mask(job.output.mask, mask, crop, method=name)


if "snakemake" in globals():
    script(main, snakemake)
