"""Parts of an image that is too large to be worked on as a whole.

What is worked out of a pixel's surroundings alone is the same in a part as in the whole, if the
part has a rim of its neighbours around it.
"""

from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_PIXELS", "Window", "parts", "sampled_rows", "strips"]

Window = tuple[slice, slice]

MOST_PIXELS = 1 << 23  # of an image that is worked on as a whole
_SIDE = 2048  # of a part, in pixels, and in rims at least
_RIMS = 8
_RIM_FWHM = 40  # the halo of a star ends at 38 (psf_profile), a tile of the noise is 26
_AT_A_TIME = 1 << 21  # pixels of a strip


def strips(shape: tuple[int, ...]) -> Iterator[slice]:
    """The rows of an image of `shape`, some at a time: what is worked out pixel by pixel."""
    step = max(1, _AT_A_TIME // max(shape[1], 1))
    return (slice(top, min(top + step, shape[0])) for top in range(0, shape[0], step))


def sampled_rows(empty: NDArray[np.bool_], *, most: int, height: int = 1) -> NDArray[np.intp]:
    """Every n-th of the rows in which not all is `empty`, (ny, nx), which hold `most` pixels or so.

    Of an image that has no more pixels, all such rows; with a `height`, the first of every so many
    rows, all of which are in the image.
    """
    filled = np.flatnonzero(~empty.all(axis=1)) // height
    tops = np.unique(filled[filled < empty.shape[0] // height]) * height
    return tops[:: max(1, -(-tops.size * height * empty.shape[1] // most))]


def parts(shape: tuple[int, ...], *, fwhm_px: float) -> Iterator[tuple[Window, Window, Window]]:
    """The parts that fill an image of `shape` evenly, row by row.

    Windows: the part, the part with a rim of 40 FWHM as far as there is one, and the part in that.
    """
    rim = int(np.ceil(_RIM_FWHM * fwhm_px))
    side = max(_SIDE, _RIMS * rim)
    edges = (np.linspace(0, n, -(-n // side) + 1).astype(int).tolist() for n in shape)
    for ends in product(*(list(pairwise(edge)) for edge in edges)):
        first = [max(start - rim, 0) for start, _ in ends]
        rows, columns = (slice(*own) for own in ends)
        wide_rows, wide_columns = (
            slice(begin, min(stop + rim, n))
            for begin, (_, stop), n in zip(first, ends, shape, strict=True)
        )
        inner_rows, inner_columns = (
            slice(start - begin, stop - begin)
            for begin, (start, stop) in zip(first, ends, strict=True)
        )
        yield (rows, columns), (wide_rows, wide_columns), (inner_rows, inner_columns)
