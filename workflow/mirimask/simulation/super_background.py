"""A super-background: the mean of dithered exposures in which a mask hides the sources.

It is what is subtracted from exposures whose detector has a pattern and whose sky has no structure
that dithers would smear. The light that a mask leaves is in it, and so spread over every image. The
true background of the same exposures is known here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirimask.simulation.exposures import Exposure
from mirimask.units import SIGMA_PER_MAD

__all__ = ["super_background_errors", "widely_dithered"]

# A pattern wide enough that a source leaves most of its pixels: 5 arcsec, as MIRI's cycling dithers
_EXPOSURES, _DITHER_PX = 6, 50.0

_BOX = 16  # pixels: over which the noise averages out and structure of the size of a source stays
_FEWEST = 0.5  # share of a box's pixels that must be known


def widely_dithered(field: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a field, for six exposures up to 54 px from their middle, 99 px apart."""
    return {**field, "exposures": _EXPOSURES, "dither_px": _DITHER_PX}


def super_background_errors(
    exposures: Sequence[Exposure], mask: NDArray[np.bool_], *, origin: tuple[int, int]
) -> dict[str, float]:
    """By how much the mean of the unmasked exposures is above the mean of their true backgrounds.

    `mask` is of the crop of the mosaic that begins at row and column `origin`; it is looked up at
    the nearest pixel of each exposure's. Only detector pixels count that all exposures see within
    the crop. In units of the noise of a pixel in the mean of all exposures: `mean`; `scatter`, of
    means in boxes of 16 px (standard deviation); `worst`, the largest of these. `noise`: that of
    the mean of the unmasked over that of all exposures, root mean square. `unknown`: the share of
    the pixels that are masked in every exposure, and so have no background. NaN where none is left.
    """
    shape = exposures[0].image.shape
    total, number = np.zeros(shape), np.zeros(shape, int)
    noise, seen = np.zeros(shape), np.ones(shape, bool)
    for one in exposures:
        rows, columns = np.rint(one.y).astype(int), np.rint(one.x).astype(int)
        rows, columns = rows - origin[0], columns - origin[1]
        inside = (rows >= 0) & (rows < mask.shape[0]) & (columns >= 0) & (columns < mask.shape[1])
        seen &= inside & one.good
        hidden = np.ones(shape, bool)
        hidden[inside] = mask[rows[inside], columns[inside]]
        above = np.where(one.good, one.image - one.background, 0)
        noise += above - one.light
        total += np.where(hidden, 0, above)
        number += ~hidden
    known = seen & (number > 0)
    if not known.any():
        return dict.fromkeys(("mean", "scatter", "worst", "noise"), np.nan) | {"unknown": 1.0}
    mean_noise = noise[seen] / len(exposures)
    sigma = SIGMA_PER_MAD * np.median(np.abs(mean_noise - np.median(mean_noise)))
    error = np.where(known, total / np.maximum(number, 1), 0) / sigma
    boxes = _box_means(error, known)
    return {
        "mean": float(error[known].mean()),
        "scatter": float(boxes.std()) if boxes.size else np.nan,
        "worst": float(boxes.max()) if boxes.size else np.nan,
        "noise": float(np.sqrt((len(exposures) / number[known]).mean())),
        "unknown": 1 - float(known.sum() / seen.sum()),
    }


def _box_means(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Means of the known values (0 elsewhere) of whole boxes of which half is known, (n,)."""
    rows, columns = (n // _BOX for n in values.shape)
    part, tiles = np.s_[: rows * _BOX, : columns * _BOX], (rows, _BOX, columns, _BOX)
    number = known[part].reshape(tiles).sum(axis=(1, 3))
    sums = values[part].reshape(tiles).sum(axis=(1, 3))
    enough = number >= _FEWEST * _BOX**2
    means: NDArray[np.float64] = sums[enough] / number[enough]
    return means
