"""What the scripts of the evaluation share: masks with their names, tables below each other."""

import zlib

import numpy as np
import pandas as pd
from astropy.io import fits
from mirimask.table_files import read_table
from mirimask.verdicts import label_spots


def read_tables(paths):
    """Tables of one form below each other; a table without rows only gives its columns."""
    tables = list(map(read_table, paths))
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


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
