"""Spots of the masks and of their twins of the inverted image: evaluation/reliability/."""

from job import method_options, or_why_not, script
from mirimask.evaluation.reliability import invert, reliability_rows
from mirimask.evaluation.scene import named_masks
from mirimask.image.files import read_crop, read_frame
from mirimask.masks.segmentation import SegmentationSettings
from mirimask.table_files import read_table, write_csv, write_reason


@or_why_not(write_reason)
def main(job):
    crop, p = read_crop(job.input.frame, planes=False), job.params
    settings = dict(p.segmentation)
    turned = invert(
        read_frame(job.input.i2d),
        crop,
        background_box_px=round(crop.length_px(p.background_box)),
        settings=SegmentationSettings.for_jwst(settings.pop("jwst_version"), **settings),
    )
    table = reliability_rows(
        turned,
        read_table(job.input.peaks),
        named_masks(job.input.masks, p.masks),
        min_pixels=p.min_pixels,
        tolerance_fwhm=p.tolerance_fwhm,
        options=method_options(p),
    )
    table.insert(0, "image", job.wildcards.image)
    write_csv(job.output.csv, table)


if "snakemake" in globals():
    script(main, snakemake)
