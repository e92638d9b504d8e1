"""Judge one mask, source by source: verdicts/ and spots/<image>/<method>.csv."""

import pandas as pd
from astropy.io import fits
from astropy.table import Table
from job import script
from mirimask.atomic import replacing
from mirimask.frame import pixels
from mirimask.verdicts import label_spots, literal_verdicts, peak_verdicts


def main(job):
    with fits.open(job.input.mask) as hdus:
        mask = hdus["MASK"].data > 0
    with fits.open(job.input.frame) as hdus:  # the header alone: the pixels are not needed
        fwhm_px, scale = hdus[0].header["PSFFWHM"], hdus[0].header["PIXSCALE"]
    peaks = pd.read_csv(job.input.peaks)
    sources = Table.read(job.input.sources, format="ascii.ecsv").to_pandas()
    x, y = sources["x"].to_numpy(float), sources["y"].to_numpy(float)
    circle = {
        "radius_px": pixels(job.params.radius, scale, fwhm_px=fwhm_px),
        "near_px": pixels(job.params.near, scale, fwhm_px=fwhm_px),
    }
    spots = label_spots(
        mask,
        peaks,
        min_pixels=job.params.min_pixels,
        tolerance_px=job.params.tolerance_fwhm * fwhm_px,
    )
    verdicts = pd.concat([sources, peak_verdicts(x, y, spots, peaks, **circle)], axis=1)
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
                "clutter": spots.clutter,
            }
        ]
    )
    with replacing(job.output.spots) as temporary:
        summary.to_csv(temporary, index=False, float_format="%.6g")


if "snakemake" in globals():
    script(main, snakemake)
