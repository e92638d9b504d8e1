"""Spots of the masks and of their twins of blank images: evaluation/reliability/."""

import numpy as np
from job import method_options, or_why_not, script
from mirimask.evaluation.reliability import blank_crops, reliability_rows
from mirimask.evaluation.scene import named_masks, seed_for, stamps_for
from mirimask.image.files import read_crop, read_frame
from mirimask.masks.segmentation import SegmentationSettings
from mirimask.table_files import write_csv, write_reason


@or_why_not(write_reason)
def main(job):
    crop, p, image = read_crop(job.input.frame, planes=False), job.params, job.wildcards.image
    settings = dict(p.segmentation)
    blank = blank_crops(
        read_frame(job.input.i2d),
        crop,
        stamps_for(job.input.psf, crop, bright=True),
        number=p.blank_images,
        settings=SegmentationSettings.for_jwst(settings.pop("jwst_version"), **settings),
        rng=np.random.default_rng(seed_for(p.seed, image, 14)),
    )
    table = reliability_rows(
        blank,
        named_masks(job.input.masks, p.masks),
        min_pixels=p.min_pixels,
        tolerance_fwhm=p.tolerance_fwhm,
        options=method_options(p),
    )
    table.insert(0, "image", image)
    write_csv(job.output.csv, table)


if "snakemake" in globals():
    script(main, snakemake)
