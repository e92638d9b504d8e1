"""Sums in circles and clipped medians in rings around many positions of an image.

As photutils' `aperture_photometry` and `ApertureStats` have them (tests compare both), for all
positions at once: those take milliseconds a source, and the import of photutils as long as a mask.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mirimask.image.product import StoredPlane

__all__ = ["circle_sums", "clipped", "ring_sky", "variances"]

_AT_A_TIME = 1 << 17  # pixels looked at together
_CLIP, _ROUNDS = 3.0, 5  # astropy's SigmaClip(3)


def _parts(number: int, pixels: int) -> Iterator[slice]:
    """Slices of `number` positions with `pixels` each, so many as are looked at together."""
    step = max(1, _AT_A_TIME // pixels)
    return (slice(start, start + step) for start in range(0, number, step))


def circle_sums(
    data: NDArray[np.floating],
    error: NDArray[np.floating] | StoredPlane | None,
    hidden: NDArray[np.bool_],
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    radius: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """What circles around the positions hold: the sum of `data`, its error, and their pixels.

    Each (n,) float64; pixels at the rim count by their share. `data`, `error` (None: errors are 0)
    and `hidden`, the pixels that count nowhere, are (ny, nx); the error of a circle is NaN where
    that of one of its pixels is not above 0 and finite.
    """
    side = int(np.ceil(2 * radius)) + 2
    steps = np.arange(side)
    held, variance, area = np.zeros((3, len(x)))
    order = np.argsort(y, kind="stable")  # of the error, some rows at a time
    for part in (order[chosen] for chosen in _parts(len(x), side**2)):
        left, low = (np.ceil(each[part] - radius - 0.5).astype(int) for each in (x, y))
        share = _shares(left - x[part], low - y[part], side, radius)
        rows, columns = (low[:, None] + steps)[..., None], (left[:, None] + steps)[:, None]
        pixels, seen = _pixels(rows, columns, hidden.shape)
        share[~seen | hidden.ravel()[pixels]] = 0
        area[part] = share.sum(axis=(1, 2))
        held[part] = np.where(share > 0, share * data.ravel()[pixels], 0).sum(axis=(1, 2))
        if error is not None:
            ny, nx = hidden.shape
            first = int(np.clip(low.min(), 0, ny - 1))
            near = error[first : max(int(low.max()) + side, first + 1)].ravel()
            squared = variances(near[np.where(seen, pixels - first * nx, 0)])
            variance[part] = np.where(share > 0, share * squared, 0).sum(axis=(1, 2))
    return held, np.sqrt(variance), area


def variances(error: NDArray[np.floating]) -> NDArray[np.float64]:
    """Squares of errors, in their shape; NaN where an error is none: 0, negative or not finite."""
    error = error.astype(np.float64)
    return np.where((error > 0) & (error < np.inf), error, np.nan) ** 2


def _shares(
    x: NDArray[np.floating], y: NDArray[np.floating], side: int, radius: float
) -> NDArray[np.float64]:
    """The shares of pixels that lie in circles, (n, side, side) of `side` x `side` around each.

    `x` and `y` (n,) are the middle of the first pixel, from that of the circle. The share is what
    the circle has in common with the rectangles from its middle to the pixel's corners, added and
    taken off.
    """
    ends = np.arange(side + 1) - 0.5
    x, y = ((each[:, None] + ends).clip(-radius, radius) for each in (x, y))
    squared = radius * radius  # radius**2 may be less in its last digit, and a root below be NaN
    along, up = np.abs(x)[:, None], np.abs(y)[..., None]

    def below(t: NDArray[np.floating]) -> NDArray[np.float64]:
        """The area under the circle from 0 to t."""
        found: NDArray[np.float64] = t * np.sqrt(squared - t**2)
        return (found + squared * np.arcsin(t / radius)) / 2

    flat = np.sqrt(squared - up**2)  # as far the circle is higher than the rectangle
    common = along * up
    beyond = along > flat
    rounded = flat * up + below(along) - below(flat)
    np.copyto(common, rounded, where=beyond)
    common *= np.sign(x)[:, None] * np.sign(y)[..., None]
    share = np.diff(np.diff(common, axis=1), axis=2)
    share[share < 1e-12] = 0  # the last digits of a pixel beyond the circle
    return share


def _pixels(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Places of pixels in an image of one dimension, and which lie in it; 0 for those beyond."""
    seen = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return np.where(seen, rows * shape[1] + columns, 0), seen


def ring_sky(
    data: NDArray[np.floating],
    hidden: NDArray[np.bool_],
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    inner: NDArray[np.floating],
    width: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Clipped median, scatter and number of the pixels in a ring around each position, (n,) each.

    The rings reach from `inner` (n,) to `inner + width`, and have the pixels whose middle lies in
    them. `data` and `hidden`, the pixels that are left out, are (ny, nx); positions are middles or
    edges of pixels. NaN, NaN and 0 for a ring without pixels.
    """
    level, scatter = np.full((2, len(x)), np.nan)
    number = np.zeros(len(x), np.int64)
    # rings of one size around the middle of a pixel, or its edge, have the same pixels
    kinds, kind = np.unique([inner, x % 1, y % 1], axis=1, return_inverse=True)
    order = np.argsort(kind, kind="stable")
    ends = np.cumsum(np.bincount(kind))
    for (radius, dx, dy), chosen in zip(kinds.T, np.split(order, ends[:-1]), strict=True):
        reach = int(np.ceil(radius + width)) + 1
        down, along = (
            _steps(reach, at[chosen], length)
            for at, length in zip((y, x), hidden.shape, strict=True)
        )
        squared = (along - dx) ** 2 + (down[:, None] - dy) ** 2
        inside = (squared < (radius + width) ** 2) & ~(squared < radius**2)
        if not inside.any():
            continue
        rows, columns = np.nonzero(inside)
        down, along = down[rows], along[columns]
        for part in _parts(chosen.size, down.size):
            at = chosen[part]
            column, row = (np.floor(each[at]).astype(int)[:, None] for each in (x, y))
            pixels, seen = _pixels(row + down, column + along, hidden.shape)
            values = np.where(~seen | hidden.ravel()[pixels], np.nan, data.ravel()[pixels])
            level[at], scatter[at], number[at] = clipped(values)
    return level, scatter, number


def _steps(reach: int, at: NDArray[np.floating], length: int) -> NDArray[np.intp]:
    """Steps of up to `reach` pixels that lead to a pixel of an axis from one of the positions `at`.

    The ring of a label as long as the image lies beyond it for the most part.
    """
    pixel = np.floor(at).astype(int)
    return np.arange(max(-reach, -pixel.max()), min(reach, length - 1 - pixel.min()) + 1)


def clipped(
    values: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Median, standard deviation and number of each row of values (n, m) after clipping, (n,) each.

    As `astropy.stats.SigmaClip(3)` clips: up to five times what is beyond three standard deviations
    from the median. NaN are left out; a row without others has NaN, NaN and 0.
    """
    ordered = np.sort(values, axis=1).astype(np.float64)  # NaN at the end
    known = np.count_nonzero(np.isfinite(ordered), axis=1)
    row = np.arange(len(ordered))
    first, last = np.zeros_like(known), known  # what is left lies side by side

    def middle() -> NDArray[np.float64]:
        number = np.maximum(last - first, 1)
        found: NDArray[np.float64] = (
            ordered[row, first + (number - 1) // 2] + ordered[row, first + number // 2]
        ) / 2
        return found

    offset = middle()
    from_middle = np.nan_to_num(ordered - offset[:, None], nan=0.0)
    sums = [
        np.cumsum(np.pad(each, [(0, 0), (1, 0)]), axis=1) for each in (from_middle, from_middle**2)
    ]

    def spread() -> NDArray[np.float64]:
        number = np.maximum(last - first, 1)
        mean, square = ((each[row, last] - each[row, first]) / number for each in sums)
        found: NDArray[np.float64] = np.sqrt(np.maximum(square - mean**2, 0))
        return found

    for _ in range(_ROUNDS):
        centre, reach = middle(), _CLIP * spread()
        begin = np.count_nonzero(ordered < (centre - reach)[:, None], axis=1)
        end = np.count_nonzero(ordered <= (centre + reach)[:, None], axis=1)
        if (begin <= first).all() and (end >= last).all():
            break
        first, last = np.maximum(first, begin), np.minimum(last, end)
    first, last = begin, end  # of all values, as astropy has it
    none = last <= first
    return (
        np.where(none, np.nan, middle()),
        np.where(none, np.nan, spread()),
        np.where(none, 0, last - first).astype(np.int64),
    )
