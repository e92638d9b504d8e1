"""Judge one mask, source by source: verdicts/ and spots/<image>/<method>.csv."""

import pandas as pd
from job import script
from mirimask.image.files import read_crop, read_mask
from mirimask.sources.spots import label_spots
from mirimask.sources.verdicts import judged_sources, smallest_spot_px
from mirimask.table_files import read_ecsv, read_table, write_csv


def main(job):
    mask, _ = read_mask(job.input.mask)
    crop = read_crop(job.input.frame, planes=False)
    peaks = read_table(job.input.peaks)
    spots = label_spots(
        mask,
        peaks,
        min_pixels=job.params.min_pixels,
        tolerance_px=job.params.tolerance_fwhm * crop.fwhm_px,
    )
    smallest = smallest_spot_px(job.params.smallest_spot, crop)
    verdicts = judged_sources(
        read_ecsv(job.input.sources).to_pandas(),
        mask,
        spots,
        peaks,
        radius_px=crop.length_px(job.params.radius),
        near_px=crop.length_px(job.params.near),
        smallest_px=smallest,
    )
    write_csv(job.output.verdicts, verdicts, digits=8)
    of = {"image": job.wildcards.image, "method": job.wildcards.method}
    write_csv(job.output.spots, pd.DataFrame([of | spots.counts(smallest)]))


if "snakemake" in globals():
    script(main, snakemake)
