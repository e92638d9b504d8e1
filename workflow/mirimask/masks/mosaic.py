"""The sources of a large image, tile by tile.

What numbers the sources of an image needs several times its memory; a source has its light near it.
So a mosaic is worked on in tiles, each with a rim of its neighbours around it, and what two of them
have of one source gets one number.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirimask.image.frame import Frame

__all__ = ["MOST_PIXELS", "labels_of_tiles", "mask_of_tiles", "tiles"]

Window = tuple[slice, slice]

MOST_PIXELS = 1 << 23  # of an image that is worked on as a whole
_SIDE = 2048  # of a tile, in pixels, and in rims at least
_RIMS = 8
_RIM_FWHM = 40  # the halo of a star ends at 38 (psf_profile), a tile of the noise is 26


def tiles(shape: tuple[int, ...], rim: int) -> Iterator[tuple[Window, Window]]:
    """Windows that fill an image evenly, each with the window that has a rim around it as well."""
    side = max(_SIDE, _RIMS * rim)
    edges = (np.linspace(0, n, -(-n // side) + 1).astype(int).tolist() for n in shape)
    rows, columns = (list(pairwise(edge)) for edge in edges)
    for inside in product(rows, columns):
        wide = (slice(max(first - rim, 0), last + rim) for first, last in inside)
        yield (slice(*inside[0]), slice(*inside[1])), (next(wide), next(wide))


def _made(
    image: Frame, numbered: Callable[..., Any], settings: Mapping[str, Any]
) -> Iterator[tuple[Window, Window, Window, Any]]:
    """What `numbered` makes of each tile that has pixels, with its rim.

    With the tile's window, that with the rim, and the tile's in that.
    """
    rim = int(np.ceil(_RIM_FWHM * image.fwhm_px))
    for inside, wide in tiles(image.data.shape, rim):
        empty = image.empty[wide]
        if empty.all():
            continue
        data = np.where(empty, np.float32(np.nan), image.data[wide])
        rows, columns = (
            slice(own.start - all_.start, own.stop - all_.start)
            for own, all_ in zip(inside, wide, strict=True)
        )
        made = numbered(data, empty, fwhm_px=image.fwhm_px, **settings)
        yield inside, wide, (rows, columns), made


def mask_of_tiles(
    image: Frame, numbered: Callable[..., Any], settings: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Where `labels_of_tiles` has a source, (ny, nx) bool: without their numbers."""
    mask = np.zeros(image.data.shape, bool)
    for inside, _, part, made in _made(image, numbered, settings):
        mask[inside] = made.sources[part] > 0
    return mask


def labels_of_tiles(
    image: Frame, numbered: Callable[..., Any], settings: Mapping[str, Any]
) -> tuple[NDArray[np.int32], NDArray[np.bool_], int]:
    """The sources of an image, the pixels of their cores, and how many sources there are.

    `numbered` is what makes `source_mask.SourceLabels` of data and empty pixels, with its
    `settings`. Returns the sources, (ny, nx) int32, 0 = background, numbered from 1, and the cores,
    (ny, nx) bool. A source has one number on both sides of a seam; what reaches further than the
    rim of 40 FWHM beyond the tile that its core is in may be a source by itself there.
    """
    sources, cores = (np.zeros(image.data.shape, dtype) for dtype in (np.int32, bool))
    count = 0
    for inside, wide, part, made in _made(image, numbered, settings):
        number = _joined(made.sources, sources[wide], made.count, count)
        count = max(count, int(number.max()))
        known = number[made.sources]
        sources[inside], cores[inside] = known[part], made.detections[part] > 0
        # what the tiles to the right and below will know them by
        for rim in (np.s_[part[0], part[1].stop :], np.s_[part[0].stop :]):
            around = sources[wide][rim]
            np.copyto(around, known[rim], where=around == 0)
    return sources, cores, _renumber(sources)


def _joined(
    own: NDArray[np.int32], known: NDArray[np.int32], number_own: int, count: int
) -> NDArray[np.int32]:
    """The numbers that `own` labels, 0 to `number_own`, get where some pixels have `known` ones.

    Two labels are of one source where each shares more pixels with the other than with any third.
    Others are new, from `count` + 1 on.
    """
    both = (own > 0) & (known > 0)
    pairs, shared = np.unique(
        own[both].astype(np.int64) * (count + 1) + known[both], return_counts=True
    )
    labels = np.array(np.divmod(pairs, count + 1))[:, np.argsort(-shared, kind="stable")]
    firsts = [np.unique(of, return_index=True)[1] for of in labels]
    mutual = np.intersect1d(firsts[0], firsts[1])
    number = np.zeros(number_own + 1, np.int32)
    number[labels[0, mutual]] = labels[1, mutual]
    new = np.flatnonzero(number == 0)[1:]
    number[new] = count + 1 + np.arange(new.size)
    return number


def _renumber(labels: NDArray[np.int32]) -> int:
    """Number labels from 1 without gaps, in place, in the same order; how many there are."""
    used = np.zeros(labels.max() + 1, np.int32)
    for row in labels:
        used[row] = 1
    used[0] = 0
    number = np.cumsum(used, dtype=np.int32)
    for row in labels:
        row[...] = number[row]
    return int(number[-1])
