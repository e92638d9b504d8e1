"""Judge one mask, source by source: verdicts/ and spots/<image>/<method>.csv."""

import pandas as pd
from astropy.table import Table
from job import script
from mirimask.atomic import replacing
from mirimask.image.files import read_crop, read_mask
from mirimask.image.frame import pixels
from mirimask.sources.spots import label_spots
from mirimask.sources.verdicts import literal_verdicts, peak_verdicts, smallest_spot_px
from mirimask.table_files import read_table


def main(job):
    mask, _ = read_mask(job.input.mask)
    crop = read_crop(job.input.frame, planes=False)
    peaks = read_table(job.input.peaks)
    sources = Table.read(job.input.sources, format="ascii.ecsv").to_pandas()
    x, y = sources["x"].to_numpy(float), sources["y"].to_numpy(float)
    circle = {
        "radius_px": pixels(job.params.radius, crop.pixel_scale, fwhm_px=crop.fwhm_px),
        "near_px": pixels(job.params.near, crop.pixel_scale, fwhm_px=crop.fwhm_px),
    }
    spots = label_spots(
        mask,
        peaks,
        min_pixels=job.params.min_pixels,
        tolerance_px=job.params.tolerance_fwhm * crop.fwhm_px,
    )
    smallest = smallest_spot_px(job.params.smallest_spot, crop)
    judged = peak_verdicts(x, y, spots, peaks, **circle, smallest_px=smallest)
    verdicts = pd.concat([sources, judged], axis=1)
    verdicts.insert(
        verdicts.columns.get_loc("verdict") + 1,
        "verdict_pixels",
        literal_verdicts(x, y, mask, **circle),
    )
    with replacing(job.output.verdicts) as temporary:
        verdicts.to_csv(temporary, index=False, float_format="%.8g")
    summary = pd.DataFrame(
        [
            {
                "image": job.wildcards.image,
                "method": job.wildcards.method,
                "n_pixels": spots.mask_pixels,
                "n_spots": spots.count,
                "n_bright_spots": len(spots.bright),
                "n_pixels_bright": spots.bright_pixels,
                "clutter": spots.clutter(smallest),
            }
        ]
    )
    with replacing(job.output.spots) as temporary:
        summary.to_csv(temporary, index=False, float_format="%.6g")


if "snakemake" in globals():
    script(main, snakemake)
