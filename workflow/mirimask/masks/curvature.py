"""The curvature of an image in units of its noise: the score of the cores.

It is filtered in blocks that stay in the processor's cache, each as one long line: the whole takes
three quarters of the time of scipy's filters alone (benchmarks/time_recommended.py).
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.image.background import between_tiles, of_tiles, tile_edges, upper_median
from mirimask.units import SIGMA_PER_MAD, SIGMA_PER_MEAN

__all__ = ["curvature_in_noise", "curvatures", "smoothed_in_blocks"]

_BLOCK = (258, 348)  # rows and columns filtered at a time: they stay in the processor's cache


def curvature_in_noise(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    sigma_px: float,
    tile_px: float,
    box_px: int,
    share: float,
    directions: float = 0.0,
) -> NDArray[np.float32]:
    """Minus the Laplacian of the image smoothed by `sigma_px`, over its noise; (ny, nx) float32.

    The noise is (1 - share) x 1.4826 median|C| in tiles of `tile_px` + share x 1.2533 mean|C| in
    the box of `box_px` (odd) around the pixel. `directions`: share of the smallest curvature of
    four directions. `empty` pixels, which must be all that are not finite, weigh nothing, their
    neighbours nothing in the noise; both come back as 0, as does an image without other pixels or
    noise.
    """
    unknown = _with_neighbours(empty)
    if unknown.all():
        return np.zeros(data.shape, np.float32)
    image: NDArray[np.float32] = np.asarray(data, np.float32)
    blocks = _blocks(unknown)
    curvature, cut = _curvature(image, empty, unknown, blocks, sigma_px, directions)
    noise = _tile_noise(curvature, unknown, tile_px)
    noise *= np.float32(1 - share)
    for block, pixels, hidden in _with_rims(curvature, unknown, blocks, box_px // 2):
        around = _box_mean(np.abs(pixels), hidden, box_px)
        around *= np.float32(share * SIGMA_PER_MEAN)
        own = noise[block]
        own += around
        np.copyto(own, np.inf, where=~(own > 0))
        np.divide(cut[block], own, out=own)
    np.copyto(noise, 0, where=unknown)  # beyond the blocks
    return noise


def smoothed_in_blocks(
    image: NDArray[np.float32], empty: NDArray[np.bool_], *, sigma_px: float
) -> NDArray[np.float32]:
    """The image convolved with a Gaussian, (ny, nx) float32; `empty` pixels weigh nothing.

    They are 0 in `image`; where a whole block of pixels is empty the result is 0.
    """
    weights = _gaussian(sigma_px)
    smooth = np.zeros(image.shape, np.float32)
    for block, pixels, hidden in _with_rims(image, empty, _blocks(empty), len(weights) - 1):
        smooth[block] = _smoothed(pixels, hidden, weights)[1]
    return smooth


def _gaussian(sigma: float) -> NDArray[np.float32]:
    """Weights of a Gaussian out to 3 sigma, from its centre on."""
    weights = np.exp(-0.5 * (np.arange(max(1, round(3 * sigma)) + 1) / sigma) ** 2)
    return (weights / (2 * weights.sum() - 1)).astype(np.float32)


# Blocks are filtered as one line, row after row of `nx` pixels: the pixel below is `nx` further on.
# numpy is up to three times as fast on a line as on many short rows. What the last pixels of a row
# get is of the next row too; `_rows` leaves them out.


def _convolved(
    line: NDArray[np.float32], nx: int, weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Rows of `nx` pixels convolved along both axes with a symmetric kernel, from its centre on.

    Begins where the kernel is first complete, `len(weights) - 1` pixels from both rims.
    """
    for step in (nx, 1):
        middle = (len(weights) - 1) * step
        n = line.size - 2 * middle
        out = weights[0] * line[middle : middle + n]
        pair = np.empty_like(out)
        for weight, k in zip(weights[1:], range(step, middle + 1, step), strict=True):
            np.add(line[middle - k :][:n], line[middle + k :][:n], out=pair)
            pair *= weight
            out += pair
        line = out
    return line


def _summed(line: NDArray[np.float32], nx: int, box: int) -> NDArray[np.float32]:
    """Sums over `box` x `box` pixels of rows of `nx`, `box` odd; begins at the first whole box."""
    for step in (nx, 1):
        n = line.size - (box - 1) * step
        # of sums of 1, 2, 4, ... pixels, those that make up `box`
        out, part, width, start = line[:n].copy(), line, 1, 1
        while 2 * width <= box:
            part, width = part[: -width * step] + part[width * step :], 2 * width
            if box & width:
                out += part[start * step :][:n]
                start += width
        line = out
    return line


def _rows(line: NDArray[np.float32], nx: int, width: int) -> NDArray[np.float32]:
    """The first `width` pixels of each row of a line, as an image of which `line` is the memory."""
    return sliding_window_view(line, width, writeable=True)[::nx]


def _smoothed(
    pixels: NDArray[np.float32], hidden: NDArray[np.bool_] | None, weights: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pixels convolved as `_convolved` does, without the rim of the kernel: as a line and an image.

    The pixels of `hidden` (None: none), which are 0, are left out, not counted as dark.
    """
    nx, rim = pixels.shape[1], 2 * len(weights) - 2
    line = _convolved(pixels.ravel(), nx, weights)
    smooth = _rows(line, nx, nx - rim)
    if hidden is not None:
        part, seen = _of_both(hidden, rim)
        nx = seen.shape[1]
        weight = _rows(_convolved(seen.ravel(), nx, weights), nx, nx - rim)
        smooth[part] /= np.maximum(weight, np.float32(1e-3))
    return line, smooth


def _box_mean(
    pixels: NDArray[np.float32], hidden: NDArray[np.bool_] | None, box: int
) -> NDArray[np.float32]:
    """Mean over the pixels that are not empty of `box` x `box`, `box` odd, without a rim of half.

    The pixels of `hidden` (None: none) are 0.
    """
    nx, rim = pixels.shape[1], box - 1
    line = _summed(pixels.ravel(), nx, box)
    line /= np.float32(box**2)
    mean = _rows(line, nx, nx - rim)
    if hidden is not None:
        part, seen = _of_both(hidden, rim)
        nx = seen.shape[1]
        number = _rows(_summed(seen.ravel(), nx, box), nx, nx - rim)
        mean[part] *= np.float32(box**2) / np.maximum(number, 1)
    return mean


def _of_both(
    hidden: NDArray[np.bool_], rim: int
) -> tuple[tuple[slice, slice], NDArray[np.float32]]:
    """Where a kernel of `rim` + 1 pixels may meet empty pixels and others; which there are others.

    `hidden` has both. The slices are of what is left without the rim.
    """
    part, around = [], []
    for axis in (1, 0):
        empty = np.flatnonzero(hidden.any(axis=axis))
        seen = np.flatnonzero(~hidden.all(axis=axis))
        first = max(empty[0], seen[0], rim) - rim
        last = min(empty[-1], seen[-1], hidden.shape[1 - axis] - 1 - rim)
        part.append(slice(first, last + 1))
        around.append(slice(first, last + 1 + rim))
    return (part[0], part[1]), (~hidden[*around]).astype(np.float32)


def _blocks(empty: NDArray[np.bool_]) -> list[tuple[slice, slice]]:
    """The blocks of an image, less the rows and columns at their rims in which all is empty."""
    (ny, nx), blocks = empty.shape, []
    for y, x in product(range(0, ny, _BLOCK[0]), range(0, nx, _BLOCK[1])):
        part = empty[y : y + _BLOCK[0], x : x + _BLOCK[1]]
        rows, columns = (np.flatnonzero(~part.all(axis=axis)) for axis in (1, 0))
        if rows.size:
            blocks.append(
                np.s_[y + rows[0] : y + rows[-1] + 1, x + columns[0] : x + columns[-1] + 1]
            )
    return blocks


def _with_rim(image: NDArray[Any], block: tuple[slice, slice], reach: int) -> NDArray[Any]:
    """A block of an image with a rim of `reach`, mirrored where the image ends."""
    ends = list(zip(block, image.shape, strict=True))
    inside = tuple(slice(max(part.start - reach, 0), part.stop + reach) for part, _ in ends)
    beyond = [(max(reach - part.start, 0), max(part.stop + reach - n, 0)) for part, n in ends]
    return np.pad(image[inside], beyond, mode="symmetric") if np.any(beyond) else image[inside]


def _with_rims(
    image: NDArray[np.float32],
    empty: NDArray[np.bool_],
    blocks: list[tuple[slice, slice]],
    reach: int,
) -> Iterator[tuple[tuple[slice, slice], NDArray[np.float32], NDArray[np.bool_] | None]]:
    """Each block, its pixels with a rim of `reach`, and which of them are empty (None: none)."""
    some = empty.any()
    for block in blocks:
        hidden = _with_rim(empty, block, reach) if some else empty
        yield block, _with_rim(image, block, reach), hidden if some and hidden.any() else None


def _curvature(
    image: NDArray[np.float32],
    empty: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
    blocks: list[tuple[slice, slice]],
    sigma: float,
    directions: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Minus the Laplacian of the smoothed image: 4 times a pixel less its four neighbours.

    In the `unknown` pixels, the empty ones and those beside them, it is 0. The second result is
    what is cut: the same, with the share `directions` from twice the smallest curvature along x, y
    and the diagonals, which a star has and a spike, a ring or a filament has not.
    """
    weights = _gaussian(sigma)
    curvature = np.zeros(image.shape, np.float32)
    cut = np.zeros_like(curvature) if directions else curvature
    some = empty.any()
    # near enough to keep float32's digits for what is small
    level = np.median(image[~empty][::7]) if some else np.float32(0)
    for block, pixels, hidden in _with_rims(image, empty, blocks, len(weights)):
        pixels = pixels - level
        if hidden is not None:
            np.copyto(pixels, 0, where=hidden)
        line, smooth = _smoothed(pixels, hidden, weights)
        nx = pixels.shape[1]
        n = line.size - 2 * nx - 2
        out = np.float32(4) * line[nx + 1 :][:n]
        for beside in (1, 2 * nx + 1, nx, nx + 2):
            out -= line[beside:][:n]
        curvature[block] = _rows(out, nx, smooth.shape[1] - 2)
        if directions:
            least = curvatures(smooth)[:, 1:-1, 1:-1].min(axis=0)
            cut[block] = (1 - directions) * curvature[block] + 2 * directions * least
    if some:
        for each in (curvature, cut):
            np.copyto(each, 0, where=unknown)
    return curvature, cut


def curvatures(image: NDArray[np.floating]) -> NDArray[np.floating]:
    """Minus the second derivatives along x, y and the two diagonals, (4, ny, nx).

    In units of the image (ny, nx) per square pixel; the neighbours on a diagonal are sqrt(2) apart.
    NaN in the rim and where one of the three pixels is NaN. Positive on a star.
    """
    ny, nx = image.shape
    found = np.full((4, ny, nx), np.nan, image.dtype)
    if min(ny, nx) < 3:
        return found
    twice = 2 * image[1:-1, 1:-1]
    for out, (dy, dx) in zip(found, ((0, 1), (1, 0), (1, 1), (1, -1)), strict=True):
        after = image[1 + dy : ny - 1 + dy, 1 + dx : nx - 1 + dx]
        before = image[1 - dy : ny - 1 - dy, 1 - dx : nx - 1 - dx]
        out[1:-1, 1:-1] = (twice - after - before) / (dy * dy + dx * dx)
    return found


def _with_neighbours(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of `where` and their four neighbours."""
    wide = where.copy()
    wide[1:] |= where[:-1]
    wide[:-1] |= where[1:]
    wide[:, 1:] |= where[:, :-1]
    wide[:, :-1] |= where[:, 1:]
    return wide


def _tile_noise(
    curvature: NDArray[np.float32], unknown: NDArray[np.bool_], side: float
) -> NDArray[np.float32]:
    """Scatter in tiles from the median of absolute values, median-filtered, and interpolated.

    Every third pixel of every third row is enough: neighbours are correlated.
    """
    edges = tile_edges(curvature.shape, side)

    def scale(pixels: NDArray[np.float32]) -> np.floating:
        return upper_median(np.abs(pixels))

    levels = of_tiles(curvature, ~unknown, edges, scale, fewest=30, step=3)[0]
    if np.isnan(levels).all():
        levels[:] = np.median(np.abs(curvature[~unknown]))
    levels[np.isnan(levels)] = np.nanmedian(levels)
    levels = SIGMA_PER_MAD * ndimage.median_filter(levels, 3, mode="nearest")
    return between_tiles(levels.astype(np.float32), edges, curvature.shape)
