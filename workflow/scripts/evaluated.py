"""What the scripts of the evaluation share: masks with their names, tables below each other."""

import logging
import zlib
from functools import wraps

import numpy as np
import pandas as pd
from astropy.io import fits
from mirimask.errors import MaskError
from mirimask.sources.spots import label_spots
from mirimask.table_files import read_table, read_texts

log = logging.getLogger("mirimask.evaluated")

# the column of a table in place of one that could not be made
NOT_MEASURED = "not_measured"


def or_why_not(main):
    """The main of a script that measures one image, for which a table that says why will do.

    Where it cannot be measured (too small for an added star, say), the other images' report must
    not be lost with it.
    """

    @wraps(main)
    def measured(job):
        try:
            main(job)
        except MaskError as error:
            image = job.wildcards.image
            log.warning("%s is left out of this measure: %s", image, error)
            write_csv(job.output.csv, pd.DataFrame([{"image": image, NOT_MEASURED: str(error)}]))

    return measured


def reasons(paths):
    """Why images could not be measured, by image: from the tables that `or_why_not` wrote."""
    return {
        row["image"]: row[NOT_MEASURED]
        for table in map(read_texts, paths)
        if NOT_MEASURED in table
        for row in table.to_dict("records")
    }


def read_tables(paths, columns=None):
    """Tables of one form below each other; a table without rows only gives its columns.

    Images that could not be measured are not in it. Where none could be, it has no rows but
    `columns`; a MaskError where these are not known.
    """
    measured = [table for table in map(read_table, paths) if NOT_MEASURED not in table]
    if not measured and columns is None:
        first, why = next(iter(reasons(paths).items()))
        raise MaskError(f"no image could be measured; {first}: {why}")
    if not measured:
        return pd.DataFrame(columns=columns)
    filled = [table for table in measured if len(table)] or measured[:1]
    return pd.concat(filled, ignore_index=True)


def write_csv(path, table):
    from mirimask.atomic import replacing

    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")


def named_masks(paths, names):
    """For each mask file: its method, the domain of its slices ('' for none), and the array."""
    for path, (method, domain) in zip(paths, names, strict=True):
        yield method, domain, fits.getdata(path, "MASK") > 0


def method_options(params):
    """Levels and settings of methods by their names, as the library wants them."""
    options = {"segmentation": {"settings": dict(params.segmentation)}}
    return {**params.get("detectors", {}), **options}


def labelled(mask, peaks, job, crop):
    """The mask's spots, as the verdicts have them."""
    return label_spots(
        mask,
        peaks,
        min_pixels=job.params.min_pixels,
        tolerance_px=job.params.tolerance_fwhm * crop.fwhm_px,
    )


def seed_of(job, number):
    """A seed for the image and for one of the uses that a measure makes of random numbers."""
    return seed_for(job.params.seed, job.wildcards.image, number)


def seed_for(seed, image, number):
    """As `seed_of`, where the image is no wildcard."""
    return [seed, zlib.crc32(image.encode()), number]


def area_arcmin2(crop):
    """Area of the crop's pixels that are not empty."""
    return float(np.count_nonzero(~crop.empty)) * crop.pixel_scale**2 / 3600
