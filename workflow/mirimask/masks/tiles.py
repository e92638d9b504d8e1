"""Value slices that ignore the background: with it taken off, or by the percentiles of tiles."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.errors import MaskError
from mirimask.image.background import background_meshes
from mirimask.image.smoothing import smoothed
from mirimask.masks.family import Family, Scores
from mirimask.masks.thresholds import percent_family, thresholds

__all__ = ["between_tiles", "tile_edges", "tiled_background", "tiled_percentile"]

_FEWEST = 30  # pixels that a tile's percentile needs; with fewer it is its neighbours'


def tiled_background(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    box: float = 10.0,
    by_scatter: bool = False,
    smooth: float = 0.0,
) -> Family:
    """Value slices of an image less the clipped median of its boxes (`background_meshes`).

    `box` is their side, in FWHM of the PSF. With `by_scatter` the rest is divided by the clipped
    scatter of the boxes. `smooth`: sigma of a Gaussian before, in FWHM.
    """

    def score(image: NDArray[np.floating]) -> NDArray[np.floating]:
        missing = ~np.isfinite(image)
        image = smoothed(image, sigma=smooth * fwhm_px)
        mean, scatter = background_meshes(
            np.where(missing, 0, image), missing, box_px=max(3, round(box * fwhm_px))
        )
        rest = image - mean
        if by_scatter:
            rest = rest / np.where(scatter > 0, scatter, np.inf)
        return rest.astype(np.float32)

    return percent_family("tiled_background", levels, score)


def tile_edges(shape: tuple[int, int], side: float) -> list[NDArray[np.intp]]:
    """Where tiles of about `side` pixels begin and end along y and x: they fill `shape` evenly."""
    return [np.linspace(0, n, max(1, round(n / side)) + 1).astype(np.intp) for n in shape]


def between_tiles(
    values: NDArray[np.float64], edges: list[NDArray[np.intp]], *, beyond: bool = False
) -> NDArray[np.float32]:
    """Values of tiles (rows, columns of tiles), linear between their middles.

    Beyond the outermost middles they are level, or with `beyond` linear too. (ny, nx) float32 for
    the `edges` of `tile_edges`.
    """
    weights = []
    for edge in edges:
        middle = 0.5 * (edge[1:] + edge[:-1] - 1)
        at = np.arange(edge[-1], dtype=np.float64)
        if middle.size == 1:
            weights.append(np.ones((1, at.size)))
            continue
        if not beyond:
            at = np.clip(at, middle[0], middle[-1])
        left = np.clip(np.searchsorted(middle, at) - 1, 0, middle.size - 2)
        part = (at - middle[left]) / (middle[left + 1] - middle[left])
        weight = np.zeros((middle.size, at.size))
        weight[left, np.arange(at.size)] = 1 - part
        weight[left + 1, np.arange(at.size)] += part
        weights.append(weight)
    return (weights[0].T @ values @ weights[1]).astype(np.float32)


def _of_tiles(
    image: NDArray[np.floating], edges: list[NDArray[np.intp]], percents: list[float]
) -> NDArray[np.float64]:
    """Thresholds of each tile, (percents, rows, columns of tiles); see `tiled_percentile`."""
    found = np.full((len(percents), edges[0].size - 1, edges[1].size - 1), np.nan)
    for i, (y0, y1) in enumerate(zip(edges[0], edges[0][1:], strict=False)):
        for j, (x0, x1) in enumerate(zip(edges[1], edges[1][1:], strict=False)):
            part = image[y0:y1, x0:x1]
            if np.isfinite(part).sum() >= _FEWEST:
                found[:, i, j] = thresholds(part, percents)
    poor = np.isnan(found[0])
    if poor.all():
        found[:] = thresholds(image, percents)[:, None, None]
    elif poor.any():
        nearest = ndimage.distance_transform_edt(poor, return_distances=False, return_indices=True)
        found = found[:, nearest[0], nearest[1]]
    return found


def tiled_percentile(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    tile: float = 26.0,
    smooth: float = 0.0,
    middle: int = 1,
) -> Family:
    """Value slices whose percentile is that of the tile, interpolated between the tiles.

    `tile` is their side in FWHM of the PSF, `smooth` as above. The medians of the tiles, linear
    between and beyond their middles, are taken off first: where the image has a slope, a tile's
    percentile alone keeps its bright side. The thresholds of `middle` x `middle` tiles are
    replaced by their median (1: each has its own). A tile with fewer than 30 pixels that are not
    empty has what the nearest has that has more. ValueError where all are empty.
    """

    def edges_of(image: NDArray[np.generic]) -> list[NDArray[np.intp]]:
        return tile_edges((image.shape[0], image.shape[1]), tile * fwhm_px)

    def scores(image: NDArray[np.floating]) -> Scores:
        image = smoothed(image, sigma=smooth * fwhm_px)
        edges = edges_of(image)
        medians = ndimage.median_filter(_of_tiles(image, edges, [50.0])[0], 3, mode="nearest")
        return (image - between_tiles(medians, edges, beyond=True),)

    def grids(images: Scores) -> NDArray[np.float64]:
        found = _of_tiles(images[0], edges_of(images[0]), list(levels))
        found = ndimage.median_filter(found, (1, middle, middle), mode="nearest")
        return found.reshape(levels.size, -1)

    def cut(images: Scores, row: NDArray[np.float64]) -> NDArray[np.bool_]:
        edges = edges_of(images[0])
        shape = edges[0].size - 1, edges[1].size - 1
        if row.size != shape[0] * shape[1]:
            raise MaskError(
                "tiled_percentile: its thresholds are of an image of another shape; take them "
                "over the image itself."
            )
        return images[0] > between_tiles(row.reshape(shape), edges)

    return Family("tiled_percentile", "%", levels, scores, grids, cut)
