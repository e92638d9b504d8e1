"""The levels of slices and the pixels above them (paper, section 3).

Slices are what this project makes most: by one partial sort the six of an image take a sixth of the
time that numpy's percentile does, and the bits are the same (benchmarks/six_masks.py).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.masks.family import Family

__all__ = ["percent_family", "slice_domain", "thresholds", "top_slice"]


def thresholds(values: NDArray[np.floating], percents: list[float]) -> NDArray[np.float64]:
    """The levels above which `percents` per cent of `values` lie.

    Parameters
    ----------
    values : any shape
        What is not finite is left out; there must be at least one other value.
    percents : list of float
        Retained shares, above 0 and below 100.

    Returns
    -------
    float64 array, one threshold for each of `percents`
        Identical to ``np.percentile(values, np.float64(100) - percents)`` with its default, linear
        interpolation, but found by one partial sort for all of them.

    Raises
    ------
    MaskError
        Where no value is finite.
    """
    size = int(np.count_nonzero(np.isfinite(values)))
    if size == 0:
        raise MaskError(
            "there is nothing to slice: no pixel has a value, or, for a derivative, none has "
            "neighbours with one. Is it the right image, or crop?"
        )
    index = (100.0 - np.asarray(percents, dtype=np.float64)) / 100.0 * (size - 1)
    below = np.floor(index).astype(np.intp)
    above = np.minimum(below + 1, size - 1)
    top = _highest(values.ravel(), int(size - below.min()))
    wanted = np.concatenate([below, above]) - (size - top.size)
    ordered = np.partition(top, np.unique(wanted))
    low, high = np.split(ordered[wanted], 2)
    weight, step = index - below, high - low
    return np.where(weight >= 0.5, high - step * (1 - weight), low + step * weight)


_SAMPLE = 4096  # values by which `_highest` guesses where to cut


def _highest(values: NDArray[np.floating], number: int) -> NDArray[np.floating]:
    """At least the `number` highest finite values, in no order, so that less is to be sorted.

    Those above a level that is guessed from a sample; all finite values where that is too high.
    """
    sample = values[:: max(1, values.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)]
    # so many of the sample that the guess is too low rather than too high
    some = int(1.1 * number * sample.size / values.size) + 64
    if some < sample.size:
        top = values[np.flatnonzero(values >= np.partition(sample, -some)[-some])]
        top = top[np.isfinite(top)]
        if top.size >= number:
            return top
    return values[np.isfinite(values)]


def slice_domain(
    crop: NDArray[np.floating], frame_pixels: int, frame: NDArray[np.floating] | None = None
) -> NDArray[np.floating]:
    """The values over which the paper's published script takes its percentiles.

    With `frame`, the whole frame with empty pixels as 0 (its value slices). Without, the crop in
    an array of zeros as large as the frame of `frame_pixels` (its derivative slices). What is not
    finite counts as 0. Returns a one-dimensional array of `frame_pixels` values.
    """
    values = crop if frame is None else frame
    return np.concatenate(
        [
            np.nan_to_num(values, posinf=0, neginf=0).ravel(),
            np.zeros(frame_pixels - values.size, values.dtype),
        ]
    )


def top_slice(data: NDArray[np.floating], threshold: float) -> NDArray[np.bool_]:
    """The mask of the pixels of `data` above `threshold`; NaN are never in it."""
    # The largest number of data's type that is not above the threshold has the same pixels above
    # it, and no pixel is converted to be compared with it.
    level = data.dtype.type(threshold)
    if float(level) > float(threshold):  # numpy would round one of Python to float32 first
        level = np.nextafter(level, data.dtype.type(-np.inf))
    return data > level


def percent_family(
    name: str,
    levels: NDArray[np.float64],
    score: Callable[[NDArray[np.floating]], NDArray[np.floating]],
) -> Family:
    """A family of slices: the top percentage of the finite pixels of `score` of an image."""
    return Family(
        name,
        "%",
        levels,
        lambda image: (score(image),),
        lambda images: thresholds(images[0], list(levels))[:, None],
        lambda images, row: top_slice(images[0], float(row[0])),
    )
