"""What a picture shows of an image: the limits of its greys, fewer pixels, and a histogram."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Histogram",
    "histogram",
    "histogram_range",
    "percentile_limits",
    "percentile_words",
    "shrink",
    "shrink_mask",
]


@dataclass(frozen=True)
class Histogram:
    """The values of an image, in MJy/sr, with two levels that a threshold could be set at.

    `counts` (n) and `edges` (n + 1) as `numpy.histogram` gives them; `mean_2sd` is the mean plus
    two standard deviations, `percentile` the level of the `percent`th percentile; `shown` is the
    share of the values that lies within the edges. `title` and `note` say what image it is.
    """

    title: str
    note: str
    counts: NDArray[np.integer]
    edges: NDArray[np.floating]
    mean_2sd: float
    percentile: float
    percent: float
    shown: float


def percentile_limits(
    image: NDArray[np.floating], percentiles: tuple[float, float]
) -> tuple[float, float]:
    """The values at two percentiles of the finite pixels of an image of any shape.

    Raises ValueError where no pixel is finite.
    """
    finite = image[np.isfinite(image)]
    if not finite.size:
        raise ValueError("no pixel is finite: it has no percentiles")
    low, high = np.percentile(finite, np.asarray(percentiles, dtype=np.float64))
    return float(low), float(high)


def shrink(image: NDArray[np.floating], factor: int) -> NDArray[np.floating]:
    """Means of blocks of `factor` x `factor` pixels; NaN left out, fewer at the rim."""
    if factor == 1:
        return image
    finite = np.isfinite(image)
    total, number = _blocks(np.where(finite, image, 0), factor), _blocks(finite, factor)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def shrink_mask(mask: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    """Blocks in which any pixel is set: no spot of a mask disappears."""
    return mask if factor == 1 else _blocks(mask, factor) > 0


def _blocks(array: NDArray, factor: int) -> NDArray:
    rows, columns = (np.arange(0, n, factor) for n in array.shape)
    return np.add.reduceat(np.add.reduceat(array.astype(float), rows, 0), columns, 1)


def percentile_words(percent: float) -> str:
    """A percentile as a sentence has it: '95.4th percentile', '91st percentile'."""
    text = f"{percent:g}"
    ending = {"1": "st", "2": "nd", "3": "rd"}.get(text[-1], "th")
    if "." in text or text.endswith(("11", "12", "13")):
        ending = "th"
    return f"{text}{ending} percentile"


def histogram_range(
    seen: NDArray[np.floating], wanted: Sequence[float] | None = None
) -> tuple[float, float]:
    """The range of a histogram: the one wanted, or that of the middle 99 % of the values `seen`.

    A range that most values lie outside of was made for another image: it is not taken.
    """
    if wanted is not None:
        low, high = wanted
        if np.mean((seen >= low) & (seen <= high)) >= 0.5:
            return low, high
    return percentile_limits(seen, (0.5, 99.5))


def histogram(
    image: NDArray[np.floating],
    within: tuple[float, float],
    *,
    bins: int,
    percentile: float,
    moments: Mapping[str, float],
    title: str,
    note: str,
) -> Histogram:
    """The histogram of the finite pixels of an image of any shape, with its two levels.

    `within` are the values it begins and ends at, in `bins` equal steps; `moments` are the image's
    own, with mean and variance, as `mirimask.image.statistics.describe` gives them.
    """
    values = image[np.isfinite(image)]
    counts, edges = np.histogram(values, bins=bins, range=within)
    return Histogram(
        title=title,
        note=note,
        counts=counts,
        edges=edges,
        mean_2sd=moments["mean"] + 2 * moments["variance"] ** 0.5,
        percentile=float(np.percentile(values, np.float64(percentile))),
        percent=percentile,
        shown=counts.sum() / values.size,
    )
