"""Spots: the connected areas of a mask, and which of them mark a reference peak."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Spots",
    "brightest_pixels",
    "connected_spots",
    "has_match",
    "label_spots",
    "labels_near",
    "nearest_distance",
    "nearest_points",
    "pixels_around",
    "spot_labels",
    "spots_around",
]


class Spots:
    """The spots of a mask and which of the reference peaks they mark.

    Attributes: `labels` (ny, nx) int32, 0 where there is no spot; `sizes`, the pixels of spot 1, 2,
    ...; `count`; `peak_labels`, for each peak the spot that marks it, 0 for none; `mask_pixels`;
    `bright_pixels`, those on bright spots.
    """

    def __init__(
        self,
        labels: NDArray[np.int32],
        sizes: NDArray[np.intp],
        peak_labels: NDArray[np.int32],
        mask_pixels: int,
    ) -> None:
        self.labels, self.sizes, self.count, self.peak_labels = (
            labels,
            sizes,
            sizes.size,
            peak_labels,
        )
        self.mask_pixels = mask_pixels
        self.bright = np.unique(peak_labels[peak_labels > 0])
        self.bright_pixels = int(sizes[self.bright - 1].sum())

    def clutter(self, smallest_px: float | None = None) -> float:
        """Share of the spots of at least `smallest_px` pixels that are not bright; NaN for none.

        None: all spots.
        """
        visible = self.sizes >= (smallest_px or 1)
        number = int(np.count_nonzero(visible))
        bright = int(np.count_nonzero(visible[self.bright - 1]))
        return 1 - bright / number if number else float("nan")

    def counts(self, smallest_px: float | None = None) -> dict[str, float]:
        """Pixels and spots, all and the bright ones, and the clutter, as Table 3 reads them."""
        return {
            "n_pixels": self.mask_pixels,
            "n_spots": self.count,
            "n_bright_spots": self.bright.size,
            "n_pixels_bright": self.bright_pixels,
            "clutter": self.clutter(smallest_px),
        }

    def seen_peaks(self, snr: NDArray[np.floating], smallest_px: float | None) -> NDArray[np.bool_]:
        """Which of the peaks, of signal-to-noise ratios `snr`, an eye sees marked.

        Of a spot the brightest peak alone, as peaks that a mask runs together are one spot to an
        eye, and that if the spot has at least `smallest_px` pixels. None: all that are marked.
        """
        marked = self.peak_labels > 0
        if smallest_px is None or not marked.any():
            return marked
        order = np.argsort(-np.where(marked, np.asarray(snr, float), -np.inf), kind="stable")
        _, first = np.unique(self.peak_labels[order], return_index=True)
        brightest = np.zeros_like(marked)
        brightest[order[first]] = True
        return marked & brightest & (self.sizes[self.peak_labels - 1] >= smallest_px)


def connected_spots(
    mask: NDArray[np.bool_], *, min_pixels: int = 1
) -> tuple[NDArray[np.int32], int]:
    """The 8-connected areas of a mask of at least `min_pixels`, numbered from 1, and their number.

    `mask` is (ny, nx), true where it is not 0; so are the labels, 0 = no spot.
    """
    labels, sizes = _sized_spots(mask, min_pixels)
    return labels, sizes.size


def _sized_spots(
    mask: NDArray[np.bool_], min_pixels: int
) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The labels of `connected_spots`, and how many pixels each has."""
    mask = np.asarray(mask, dtype=bool)
    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    # the mask's pixels alone: half the time that all pixels take to be counted and numbered
    flat, at = labels.ravel(), np.flatnonzero(mask)
    own = flat[at]
    sizes = np.bincount(own, minlength=count + 1)
    kept = sizes >= max(min_pixels, 1)
    if min_pixels > 1:
        flat[at] = np.where(kept, np.cumsum(kept), 0)[own]
    return labels, sizes[kept]


def label_spots(
    mask: NDArray[np.bool_], peaks: "pd.DataFrame", *, min_pixels: int, tolerance_px: float
) -> Spots:
    """Split a mask into 8-connected spots of at least `min_pixels`, and find the bright ones.

    A spot marks a peak that lies on it or within `tolerance_px` of one of its pixels (the nearest
    spot, where several are): the signed derivative marks the rising flank of a star, not its
    peak, where it is zero. A spot that marks a peak is bright.
    """
    labels, sizes = _sized_spots(mask, min_pixels)
    return Spots(
        labels,
        sizes,
        labels_near(labels, peaks["x"].to_numpy(int), peaks["y"].to_numpy(int), tolerance_px),
        int(np.count_nonzero(mask)),
    )


def spots_around(labels: NDArray, x: NDArray, y: NDArray, radius: float) -> NDArray[np.int32]:
    """The labels at the pixels within `radius` of each pixel (x, y), nearest first.

    `x` and `y` (n,) are whole numbers inside `labels`. Returns (n, pixels of the disc) int32; 0
    where there is no spot or no image.
    """
    reach = int(radius)
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    distance = np.hypot(dx, dy)
    inside = distance <= radius
    order = np.argsort(distance[inside], kind="stable")
    dx, dy = dx[inside][order], dy[inside][order]
    rows, columns = np.asarray(y, int)[:, None] + dy, np.asarray(x, int)[:, None] + dx
    ny, nx = labels.shape
    around = labels[rows.clip(0, ny - 1), columns.clip(0, nx - 1)].astype(np.int32)
    around[(rows < 0) | (rows >= ny) | (columns < 0) | (columns >= nx)] = 0
    return around


def labels_near(labels: NDArray, x: NDArray, y: NDArray, radius: float) -> NDArray[np.int32]:
    """The label at each pixel (x, y) or, where that is 0, the nearest within `radius`; else 0."""
    around = spots_around(labels, x, y, radius)
    return around[np.arange(len(around)), np.argmax(around > 0, axis=1)]


def nearest_distance(
    x: NDArray[np.floating], y: NDArray[np.floating], at_x: NDArray, at_y: NDArray
) -> NDArray[np.float64]:
    """Distance from each position (x, y) to the nearest of the points (at_x, at_y); inf for none.

    For many positions and points; a k-d tree, unbalanced: that halves the time with the pixels of
    a mask as points.
    """
    from scipy.spatial import cKDTree

    if len(at_x) == 0 or len(x) == 0:
        return np.full(len(x), np.inf)
    tree = cKDTree(np.column_stack([at_x, at_y]), balanced_tree=False, compact_nodes=False)
    return tree.query(np.column_stack([x, y]))[0]


def pixels_around(
    positions: NDArray[np.number], shape: tuple[int, ...], radius_px: float
) -> NDArray[np.bool_]:
    """The pixels of an image of `shape` within `radius_px` of a pixel that a position is in.

    `positions` (n, 2: x, y) off the image do not count; without others no pixel is.
    """
    away = np.ones(shape, bool)
    columns, rows = np.rint(positions).astype(int).reshape(-1, 2).T
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    if not inside.any():
        return ~away
    away[rows[inside], columns[inside]] = False
    near: NDArray[np.bool_] = ndimage.distance_transform_edt(away) <= radius_px
    return near


def spot_labels(mask: NDArray[np.generic]) -> NDArray[Any]:
    """The 8-connected spots of a mask (ny, nx; bool) as labels, int32; labels (int) as they are."""
    return ndimage.label(mask, structure=np.ones((3, 3)))[0] if mask.dtype == bool else mask


def brightest_pixels(mask: NDArray[np.generic], image: NDArray[np.floating]) -> NDArray[np.int64]:
    """Where each spot of a mask is: its brightest pixel in the image, (n, 2: x, y).

    `image` has the mask's shape; of equally bright pixels the last counts. Spots are 8-connected.
    Labels (int) in place of a mask (bool) say themselves which pixels are a spot.
    """
    labels = spot_labels(mask)
    inside = np.flatnonzero(labels > 0)  # of bool: of int32 it takes five times as long
    spot, light = labels.ravel()[inside], image.ravel()[inside]
    count = int(spot.max(initial=0)) + 1
    most = np.full(count, -np.inf, light.dtype)
    np.maximum.at(most, spot, light)
    highest = light == most[spot]
    brightest = np.full(count, -1, np.int64)
    brightest[spot[highest]] = inside[highest]  # the last one stays
    kept = np.flatnonzero(brightest >= 0)  # labels may leave numbers out
    y, x = np.divmod(brightest[kept], mask.shape[1])
    return np.column_stack([x, y])


def has_match(
    positions: NDArray[np.floating], spots: NDArray[np.number], radius_px: float | NDArray
) -> NDArray[np.bool_]:
    """For each of `positions` (n, 2) whether one of `spots` (m, 2) lies within `radius_px`.

    `radius_px` may be an array of n. No spots: all False.
    """
    return nearest_distance(*positions.T, *spots.T) <= radius_px


def nearest_points(
    x: NDArray[np.floating], y: NDArray[np.floating], at_x: NDArray, at_y: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Distance from each position (x, y) to the nearest of the points (at_x, at_y), and which.

    Both (n,); there is some point. Of points equally far away, the first.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(np.column_stack([at_x, at_y]))
    # on a grid of pixels four can be equally far away
    near = tree.query(np.column_stack([x, y]), k=range(1, min(4, len(at_x)) + 1))[1]
    near.sort(axis=1)
    distances = np.hypot(np.asarray(x)[:, None] - at_x[near], np.asarray(y)[:, None] - at_y[near])
    row, nearest = np.arange(len(near)), distances.argmin(axis=1)
    return distances[row, nearest], near[row, nearest]
