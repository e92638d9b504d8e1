"""Spots of the masks and of their twins of the inverted image: evaluation/reliability/."""

import pandas as pd
from evaluated import area_arcmin2, method_options, named_masks, or_why_not, write_csv
from job import script
from mirimask.evaluation.reliability import false_spots, flank_pixels, invert, reliability_row
from mirimask.image.files import read_crop, read_frame
from mirimask.image.frame import pixels
from mirimask.masks.names import is_antisymmetric
from mirimask.masks.segmentation import SegmentationSettings
from mirimask.table_files import read_table


@or_why_not
def main(job):
    crop = read_crop(job.input.frame, planes=False)
    peaks = read_table(job.input.peaks)
    settings = dict(job.params.segmentation)
    inverted = invert(
        read_frame(job.input.i2d),
        crop,
        background_box_px=round(
            pixels(job.params.background_box, crop.pixel_scale, fwhm_px=crop.fwhm_px)
        ),
        settings=SegmentationSettings.for_jwst(settings.pop("jwst_version"), **settings),
    )
    twins = inverted.masks([method for method, _ in job.params.masks], method_options(job.params))
    flanks = flank_pixels(peaks, crop.data.shape, job.params.tolerance_fwhm * crop.fwhm_px)
    rows = []
    for method, domain, mask in named_masks(job.input.masks, job.params.masks):
        excluded = flanks if is_antisymmetric(method) else None
        counts = [
            false_spots(mask, None, min_pixels=job.params.min_pixels),
            false_spots(twins[method], excluded, min_pixels=job.params.min_pixels),
        ]
        row = reliability_row(*counts, area_arcmin2(crop))
        rows.append({"image": job.wildcards.image, "method": method, "domain": domain, **row})
    write_csv(job.output.csv, pd.DataFrame(rows))


if "snakemake" in globals():
    script(main, snakemake)
