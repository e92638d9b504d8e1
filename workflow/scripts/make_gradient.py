"""The derivative image, the paper's second method, in each domain: gradient/<image>.fits."""

from job import script
from mirimask.image.files import read_crop, write_gradient
from mirimask.masks.gradient import gradient
from mirimask.masks.names import DOMAINS


def main(job):
    crop = read_crop(job.input.frame, planes=False)
    made = {domain: gradient(crop, domain) for domain in DOMAINS}
    write_gradient(job.output.gradient, made, crop)


if "snakemake" in globals():
    script(main, snakemake)
