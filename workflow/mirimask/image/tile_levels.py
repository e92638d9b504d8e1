"""Medians of an image in tiles, and between the tiles: fast, where clipping is not needed."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.units import SIGMA_PER_MAD

__all__ = ["interpolated", "median_and_scatter", "scatter", "tile_medians", "tile_values"]

Edges = tuple[NDArray[np.intp], NDArray[np.intp]]


def tile_values(
    image: NDArray[np.floating], hidden: NDArray[np.bool_], side: float, *, step: int = 1
) -> tuple[NDArray[np.floating], NDArray[np.bool_], Edges]:
    """The pixels of each tile of about `side` pixels: (rows of tiles, columns of tiles, n).

    And which of them count: those of the tile that are not `hidden`. `step`: every how manieth
    pixel of every how manieth row is taken. The edges are those of the tiles along y and x.
    """
    edges = [np.linspace(0, n, max(1, round(n / side)) + 1).astype(int) for n in image.shape]
    # rows and columns of each tile, as many as the longest has; a shorter one's last do not count
    at = [first[:-1, None] + np.arange(0, np.diff(first).max(), step) for first in edges]
    inside = [own < first[1:, None] for own, first in zip(at, edges, strict=True)]
    rows, columns = (np.minimum(own, n - 1).ravel() for own, n in zip(at, image.shape, strict=True))
    used = np.outer(*inside) & ~hidden[rows][:, columns]
    tiles = (at[0].shape[0], at[0].shape[1], at[1].shape[0], at[1].shape[1])
    values, used = (
        part.reshape(tiles).swapaxes(1, 2).reshape(tiles[0], tiles[2], -1)
        for part in (image[rows][:, columns], used)
    )
    return values, used, (edges[0], edges[1])


def tile_medians(
    values: NDArray[np.floating], used: NDArray[np.bool_]
) -> tuple[NDArray[np.floating], NDArray[np.intp]]:
    """Median of those values of each tile that count, inf where none does, and their number."""
    ordered = np.sort(np.where(used, values, values.dtype.type(np.inf)))
    number = np.count_nonzero(used, axis=2)
    middle = np.minimum(number // 2, ordered.shape[2] - 1)
    return np.take_along_axis(ordered, middle[..., None], axis=2)[..., 0], number


def median_and_scatter(
    image: NDArray[np.float32], hidden: NDArray[np.bool_], side: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Median of the pixels that are not `hidden`, and their scatter, around every pixel.

    In tiles of about `side` pixels, median-filtered 3 x 3 and interpolated; the scatter is 1.4826
    times the median absolute deviation. Tiles with fewer than a tenth of their pixels, or than ten,
    get the values of the nearest that has more. NaN where none has. `image` is
    finite where it is not `hidden`.
    """
    middle, spread, edges = _levels(image, hidden, side, 1)
    return interpolated(middle, edges, image.shape), interpolated(spread, edges, image.shape)


def scatter(
    image: NDArray[np.float32], hidden: NDArray[np.bool_], side: float, *, step: int = 1
) -> NDArray[np.float32]:
    """The second of `median_and_scatter` alone, from every `step`th pixel of every `step`th row."""
    _, spread, edges = _levels(image, hidden, side, step)
    return interpolated(spread, edges, image.shape)


def _levels(
    image: NDArray[np.float32], hidden: NDArray[np.bool_], side: float, step: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], Edges]:
    """Median and scatter of each tile, without gaps, and the tiles' edges."""
    values, used, edges = tile_values(image, hidden, side, step=step)
    middle, number = tile_medians(values, used)
    few = number < np.maximum(10, 0.1 * used.shape[2])
    middle[few] = np.nan
    spread, _ = tile_medians(np.abs(values - middle[..., None]), used)
    spread[few] = np.nan
    return _filled(middle), np.float32(SIGMA_PER_MAD) * _filled(spread), edges


def _filled(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    gap = np.isnan(levels)
    if gap.all() or not gap.any():
        return levels
    nearest = ndimage.distance_transform_edt(gap, return_distances=False, return_indices=True)
    whole: NDArray[np.float32] = levels[tuple(nearest)]
    return whole


def interpolated(
    levels: NDArray[np.floating], edges: Edges, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Levels of tiles, median-filtered 3 x 3, interpolated linearly between the tiles' centres."""
    levels = ndimage.median_filter(levels, 3, mode="nearest")
    rows, columns = (
        _between(n, 0.5 * (e[1:] + e[:-1] - 1)) for n, e in zip(shape, edges, strict=True)
    )
    between: NDArray[np.float32] = rows @ levels.astype(np.float32) @ columns.T
    return between


def _between(length: int, nodes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Matrix (`length`, nodes) that interpolates linearly between nodes, constant beyond them."""
    at = np.arange(length)
    return np.stack([np.interp(at, nodes, row) for row in np.eye(nodes.size)], axis=1).astype(
        np.float32
    )
