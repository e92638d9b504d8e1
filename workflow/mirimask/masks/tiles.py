"""Value slices that ignore the background: with it taken off, or by the percentiles of tiles."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.errors import MaskError
from mirimask.image.background import (
    Edges,
    background_meshes,
    between_tiles,
    from_nearest,
    of_tiles,
    smoothed,
    tile_edges,
)
from mirimask.masks.family import Family, Scores
from mirimask.masks.thresholds import percent_family, thresholds

__all__ = ["tiled_background", "tiled_percentile"]

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


def _of_tiles(
    image: NDArray[np.floating], edges: Edges, percents: list[float]
) -> NDArray[np.float64]:
    """Thresholds of each tile, (percents, rows, columns of tiles); see `tiled_percentile`."""

    def cut(pixels: NDArray[np.floating]) -> NDArray[np.float64]:
        return thresholds(pixels, percents)

    seen = np.isfinite(image)
    found = of_tiles(image, seen, edges, cut, fewest=_FEWEST, number=len(percents))
    if np.isnan(found).all():
        found[:] = thresholds(image, percents)[:, None, None]
    return from_nearest(found)


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
    empty has what the nearest has that has more. MaskError where all are empty.
    """

    def edges_of(image: NDArray[np.generic]) -> Edges:
        return tile_edges(image.shape, tile * fwhm_px)

    def scores(image: NDArray[np.floating]) -> Scores:
        image = smoothed(image, sigma=smooth * fwhm_px)
        edges = edges_of(image)
        medians = ndimage.median_filter(_of_tiles(image, edges, [50.0])[0], 3, mode="nearest")
        return (image - between_tiles(medians, edges, image.shape, beyond=True),)

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
        return images[0] > between_tiles(row.reshape(shape), edges, images[0].shape)

    return Family("tiled_percentile", "%", levels, scores, grids, cut)
