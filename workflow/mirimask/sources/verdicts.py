"""Verdicts: does a mask mark a catalogued source? (paper, section 3, made exact)"""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

__all__ = [
    "VERDICTS",
    "VERDICT_COLUMNS",
    "Spots",
    "circle_row",
    "connected_spots",
    "covered_share",
    "label_spots",
    "labels_near",
    "literal_verdicts",
    "nearest_distance",
    "peak_verdicts",
    "spots_around",
    "verdict_of",
]

VERDICTS = ("success", "near", "failure")
# where they stand in a table of an image's sources, by the rule that gave them
VERDICT_COLUMNS = {"peaks": "verdict", "pixels": "verdict_pixels"}


class Spots:
    """The spots of a mask and which of the reference peaks they mark.

    Attributes: `labels` (ny, nx) int32, 0 where there is no spot; `count`; `peak_labels`, for each
    peak the spot that marks it, 0 for none; `mask_pixels`; `bright_pixels`, those on bright spots.
    """

    def __init__(
        self,
        labels: NDArray[np.int32],
        sizes: NDArray[np.intp],
        peak_labels: NDArray[np.int32],
        mask_pixels: int,
    ) -> None:
        self.labels, self.count, self.peak_labels = labels, sizes.size, peak_labels
        self.mask_pixels = mask_pixels
        self.bright = np.unique(peak_labels[peak_labels > 0])
        self.bright_pixels = int(sizes[self.bright - 1].sum())

    @property
    def clutter(self) -> float:
        """Share of the mask's pixels that lie on no bright spot; NaN for an empty mask."""
        return 1 - self.bright_pixels / self.mask_pixels if self.mask_pixels else float("nan")


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
    flat, at = labels.ravel(), np.flatnonzero(mask)
    own = flat[at]
    sizes = np.bincount(own, minlength=count + 1)
    kept = sizes >= max(min_pixels, 1)
    if min_pixels > 1:
        flat[at] = np.where(kept, np.cumsum(kept), 0)[own]
    return labels, sizes[kept]


def label_spots(
    mask: NDArray[np.bool_], peaks: pd.DataFrame, *, min_pixels: int, tolerance_px: float
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


def verdict_of(
    distance: NDArray[np.float64], *, radius_px: float, near_px: float
) -> NDArray[np.str_]:
    """`success` up to `radius_px`, `near` within the next `near_px`, `failure` beyond."""
    return np.select(
        [distance <= radius_px, distance <= radius_px + near_px], VERDICTS[:2], VERDICTS[2]
    )


def covered_share(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    radius_px: float,
) -> float:
    """Share of the pixels that are not `empty` (ny, nx) within `radius_px` of a position (x, y).

    0 without positions. Where it is large, a mask succeeds wherever it marks.
    """
    covered = np.zeros_like(empty)
    for xi, yi in zip(x, y, strict=True):
        y0, x0 = max(0, math.ceil(yi - radius_px)), max(0, math.ceil(xi - radius_px))
        part = covered[
            y0 : max(0, math.floor(yi + radius_px) + 1), x0 : max(0, math.floor(xi + radius_px) + 1)
        ]
        rows, columns = np.ogrid[: part.shape[0], : part.shape[1]]
        part |= (rows + (y0 - yi)) ** 2 + (columns + (x0 - xi)) ** 2 <= radius_px**2
    seen = np.count_nonzero(~empty)
    return float(np.count_nonzero(covered & ~empty) / seen) if seen else 0.0


def circle_row(
    verdicts: pd.DataFrame,
    empty: NDArray[np.bool_],
    *,
    image: str,
    catalogue: bool,
    radius_px: float,
) -> dict[str, object]:
    """What has to be known of an image's circles: its sources, and the share that these cover.

    `verdicts` has image, method, x and y, and a row for each source under each mask; `empty` (ny,
    nx) is True where nothing was observed; `catalogue` says whether one was given for the image.
    """
    own = verdicts[verdicts["image"] == image]
    own = own[own["method"] == own["method"].iloc[0]] if len(own) else own
    x, y = own["x"].to_numpy(float), own["y"].to_numpy(float)
    return {
        "image": image,
        "catalogue": catalogue,
        "sources": len(own),
        "radius_px": radius_px,
        "covered": covered_share(x, y, empty, radius_px=radius_px),
    }


def nearest_distance(
    x: NDArray[np.floating], y: NDArray[np.floating], at_x: NDArray, at_y: NDArray
) -> NDArray[np.float64]:
    """Distance from each position (x, y) to the nearest of the points (at_x, at_y); inf for none.

    For many positions and points; a k-d tree.
    """
    if len(at_x) == 0 or len(x) == 0:
        return np.full(len(x), np.inf)
    tree = cKDTree(np.column_stack([at_x, at_y]), balanced_tree=False, compact_nodes=False)
    return tree.query(np.column_stack([x, y]))[0]


def peak_verdicts(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    spots: Spots,
    peaks: pd.DataFrame,
    *,
    radius_px: float,
    near_px: float,
) -> pd.DataFrame:
    """A verdict for each position: is the peak of a bright spot near it?

    `success` where the nearest marked peak lies within `radius_px`, `near` within the next
    `near_px`, `failure` otherwise (paper, section 3: a circle of 36 px, and "closer than 25 JWST
    pixel distance to the circumference"). Columns: verdict, distance_px, peak_snr and spot of that
    peak (inf, NaN and 0 where the mask marks none).
    """
    marked = spots.peak_labels > 0
    if not marked.any() or len(x) == 0:
        distance, nearest = np.full(len(x), np.inf), None
    else:
        px, py = peaks["x"].to_numpy(float)[marked], peaks["y"].to_numpy(float)[marked]
        distances = np.hypot(np.asarray(x)[:, None] - px, np.asarray(y)[:, None] - py)
        nearest = distances.argmin(axis=1)
        distance = distances[np.arange(len(x)), nearest]
    none = nearest is None
    return pd.DataFrame(
        {
            "verdict": verdict_of(distance, radius_px=radius_px, near_px=near_px),
            "distance_px": distance,
            "peak_snr": np.nan if none else peaks["snr"].to_numpy(float)[marked][nearest],
            "spot": 0 if none else spots.peak_labels[marked][nearest],
        }
    )


def literal_verdicts(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    mask: NDArray[np.bool_],
    *,
    radius_px: float,
    near_px: float,
) -> NDArray[np.str_]:
    """The literal rule: is any pixel of the mask in the circle, or in the ring around it?

    Distances are from the position to the nearest pixel's centre. Positions may lie
    outside the mask. Returns one of `VERDICTS` for each position.
    """
    if len(x) > _FEW:
        rows, columns = np.nonzero(mask)
        distance = nearest_distance(x, y, columns, rows)
    else:
        within = (radius_px, radius_px + near_px)
        distance = np.array([_nearest_pixel(mask, *at, within) for at in zip(x, y, strict=True)])
    return verdict_of(distance, radius_px=radius_px, near_px=near_px)


_FEW = 300  # positions; for more, a tree of all pixels is faster than a look around each


def _nearest_pixel(
    mask: NDArray[np.bool_], x: float, y: float, within: tuple[float, float]
) -> float:
    """Distance from (x, y) to the nearest pixel of a mask; inf where it is beyond `within`[1].

    Most have a pixel within the smaller distance, where it is looked for first.
    """
    for reach in within:
        y0, x0 = max(0, math.ceil(y - reach)), max(0, math.ceil(x - reach))
        part = mask[y0 : max(0, math.floor(y + reach) + 1), x0 : max(0, math.floor(x + reach) + 1)]
        rows, columns = np.nonzero(part)
        if rows.size:
            nearest = math.sqrt(((columns + (x0 - x)) ** 2 + (rows + (y0 - y)) ** 2).min())
            if nearest <= reach:
                return nearest
    return math.inf
