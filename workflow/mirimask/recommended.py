"""The recommended mask: a slice of the second derivative, at a level in units of the local noise.

What the paper's derivative slice does for a gradient, the curvature of the image does for slopes
of every direction: it vanishes on them and is largest on what is as small as the PSF.
docs/recommended.md tells how it was chosen, against what, and what did not help.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.errors import MaskError

__all__ = [
    "DEFAULT",
    "RecommendedSettings",
    "curvature_snr",
    "grow",
    "recommended_labels",
    "recommended_mask",
    "widened",
]

_BOX = np.ones((3, 3), bool)  # 8-connected
_ROWS = 64  # rows smoothed at a time: they stay in the processor's cache
_PER_MAD = 1.482602  # standard deviation of a Gaussian from the median of absolute values,
_PER_MEAN = 1.253314  # and from their mean


@dataclass(frozen=True)
class RecommendedSettings:
    """Settings of the recommended mask; lengths in FWHM of the PSF, levels in sigma.

    `smooth`: sigma of the Gaussian. `tile`: side of the tiles in which the noise is measured.
    `window`: side of the box in which the fluctuation around a pixel is measured; `share`, its
    share in the noise (the tile has the rest). `seed`: level that a spot must reach;
    `grow`: level down to which it extends; `min_pixels`: smallest spot. `margin`: by how much
    every spot is then widened, since curvature ends where a star's flank turns, inside its light.
    """

    smooth: float = 0.65
    tile: float = 26.0
    window: float = 6.0
    share: float = 0.6
    seed: float = 5.0
    grow: float = 2.0
    min_pixels: int = 5
    margin: float = 1.0

    def __post_init__(self) -> None:
        for name in ("smooth", "tile", "window", "seed", "grow", "min_pixels"):
            if not getattr(self, name) > 0:
                raise MaskError(f"recommended: {name} is {getattr(self, name)}; it must be > 0.")
        if not self.margin >= 0:
            raise MaskError(f"recommended: margin is {self.margin}; it must be 0 or more.")
        if not 0 <= self.share <= 1:
            raise MaskError(f"recommended: share is {self.share}; it must be from 0 to 1.")
        if self.grow > self.seed:
            raise MaskError(f"recommended: grow {self.grow} is above seed {self.seed}.")


DEFAULT = RecommendedSettings()


def _smoothed(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian filter, mirrored at the rim: scipy's, three times as fast for float32."""
    reach = max(1, round(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    weights = (weights / (2 * weights.sum() - 1)).astype(np.float32)
    ny, nx = image.shape
    for axis in (0, 1):
        width = [(reach, reach) if axis == a else (0, 0) for a in (0, 1)]
        padded = np.pad(image, width, mode="symmetric")
        image = np.empty((ny, nx), np.float32)
        for y0 in range(0, ny, _ROWS):
            out = image[y0 : y0 + _ROWS]
            n = len(out)
            part = padded[y0 : y0 + n + 2 * reach] if axis == 0 else padded[y0 : y0 + n]
            at = [
                part[k : k + n] if axis == 0 else part[:, k : k + nx] for k in range(2 * reach + 1)
            ]
            np.multiply(at[reach], weights[0], out=out)
            pair = np.empty_like(out)
            for k in range(1, reach + 1):
                np.add(at[reach - k], at[reach + k], out=pair)
                pair *= weights[k]
                out += pair
    return image


def _curvature(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Minus the Laplacian: 4 times a pixel less its four neighbours; the rim's own where none."""
    ends = 4 * image
    ends[1:] -= image[:-1]
    ends[:-1] -= image[1:]
    ends[:, 1:] -= image[:, :-1]
    ends[:, :-1] -= image[:, 1:]
    ends[0] -= image[0]
    ends[-1] -= image[-1]
    ends[:, 0] -= image[:, 0]
    ends[:, -1] -= image[:, -1]
    return ends


def _with_neighbours(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of `where` and their four neighbours."""
    wide = where.copy()
    wide[1:] |= where[:-1]
    wide[:-1] |= where[1:]
    wide[:, 1:] |= where[:, :-1]
    wide[:, :-1] |= where[:, 1:]
    return wide


def _tile_noise(
    magnitude: NDArray[np.float32], empty: NDArray[np.bool_] | None, side: float
) -> NDArray[np.float32]:
    """Scatter in tiles from the median of absolute values, median-filtered, and interpolated.

    Every third pixel of every third row is enough: neighbours are correlated.
    """
    edges = [np.linspace(0, n, max(1, round(n / side)) + 1).astype(int) for n in magnitude.shape]
    levels = np.full((edges[0].size - 1, edges[1].size - 1), np.nan)
    for i, (y0, y1) in enumerate(zip(edges[0], edges[0][1:], strict=False)):
        for j, (x0, x1) in enumerate(zip(edges[1], edges[1][1:], strict=False)):
            values = magnitude[y0:y1:3, x0:x1:3]
            values = values.ravel() if empty is None else values[~empty[y0:y1:3, x0:x1:3]]
            if values.size >= 30:
                middle = values.size // 2
                levels[i, j] = np.partition(values, middle)[middle]
    if not np.isfinite(levels).any():
        values = magnitude if empty is None else magnitude[~empty]
        levels[:] = np.median(values) if values.size else np.nan
    levels[np.isnan(levels)] = np.nanmedian(levels) if np.isfinite(levels).any() else np.inf
    levels = _PER_MAD * ndimage.median_filter(levels, 3, mode="nearest")
    rows, columns = (
        _between(n, 0.5 * (e[1:] + e[:-1] - 1)) for n, e in zip(magnitude.shape, edges, strict=True)
    )
    return rows @ levels.astype(np.float32) @ columns.T


def _between(length: int, nodes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Matrix (`length`, nodes) that interpolates linearly between nodes, constant beyond them."""
    at = np.arange(length)
    return np.stack([np.interp(at, nodes, row) for row in np.eye(nodes.size)], axis=1).astype(
        np.float32
    )


def curvature_snr(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    settings: RecommendedSettings = DEFAULT,
) -> NDArray[np.float32]:
    """Curvature of the smoothed image in units of its noise.

    C = -laplace(G * data), G a Gaussian of `settings.smooth` FWHM. The noise is
    (1 - share) x 1.4826 median|C| in the tile + share x 1.2533 mean|C| in the window: the first
    alone is the noise of the sky, the second follows nebulosity, diffraction rings and spikes.

    `data` is (ny, nx), any unit; `empty` the pixels without observation (NaN count as such):
    they weigh nothing and come back as 0, as does an image without other pixels or noise.
    """
    empty = empty | ~np.isfinite(data)
    image: NDArray[np.float32] = np.asarray(data, np.float32)
    some = bool(empty.any())
    if empty.all():
        return np.zeros(data.shape, np.float32)
    sigma = settings.smooth * fwhm_px
    box = max(3, round(settings.window * fwhm_px) | 1)
    coverage = None
    if some:
        # means of what is there: empty pixels are left out of the smoothing, not counted as dark
        image = np.where(empty, 0, image - np.median(image[~empty][::7]))
        seen = (~empty).astype(np.float32)
        image = _smoothed(image.astype(np.float32), sigma)
        image /= np.maximum(_smoothed(seen, sigma), np.float32(1e-3))
        coverage = np.maximum(ndimage.uniform_filter(seen, box), np.float32(1e-3))
    else:
        image = _smoothed(image, sigma)
    curvature = _curvature(image)
    if some:
        curvature[_with_neighbours(empty)] = 0  # beside a hole it is not known
    magnitude = np.abs(curvature)
    around = ndimage.uniform_filter(magnitude, box)
    if coverage is not None:
        around /= coverage
    noise = _tile_noise(magnitude, empty if some else None, settings.tile * fwhm_px)
    noise *= np.float32(1 - settings.share)
    around *= np.float32(settings.share * _PER_MEAN)
    noise += around
    noise[~(noise > 0)] = np.inf
    curvature /= noise
    return curvature


def grow(
    snr: NDArray[np.floating], *, seed: float, down_to: float, min_pixels: int
) -> tuple[NDArray[np.int32], int]:
    """Label the areas above `down_to` that reach `seed`: 8-connected, 1 to n, and their number.

    Areas of fewer than `min_pixels` are left out. NaN belong to none.
    """
    labels, count = ndimage.label(snr > down_to, structure=_BOX)
    flat = labels.ravel()
    kept = np.zeros(count + 1, bool)
    kept[flat[np.flatnonzero(snr.ravel() > seed)]] = True
    kept[0] = False
    if min_pixels > 1:
        kept &= np.bincount(flat, minlength=count + 1) >= min_pixels
    number = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return number[labels], int(kept.sum())


def widened(labels: NDArray[np.int32], steps: int) -> NDArray[np.int32]:
    """Widen every area by `steps` pixels, (ny, nx) int32, and leave a gap where two would meet.

    A pixel joins an area whose pixels touch it (8 neighbours) if no other area does.
    """
    if steps < 1:
        return labels
    wide = np.pad(labels, 1)
    flat = wide.ravel()
    row = wide.shape[1]
    around = [dy * row + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
    edge = np.flatnonzero(flat)
    ny, nx = labels.shape
    for _ in range(steps):
        own = flat[edge]
        highest, lowest = flat.copy(), flat.copy()
        for step in around:  # within one step no pixel is met twice
            there = edge + step
            highest[there] = np.maximum(highest[there], own)
            before = lowest[there]
            lowest[there] = np.where(before == 0, own, np.minimum(before, own))
        met = np.flatnonzero(highest != flat)
        y, x = np.divmod(met, row)
        inside = (y > 0) & (y <= ny) & (x > 0) & (x <= nx)
        met = met[inside & (flat[met] == 0) & (highest[met] == lowest[met])]
        flat[met] = highest[met]
        touching = np.logical_or.reduce([flat[met + step] > flat[met] for step in around])
        flat[met[touching]] = 0
        edge = met[~touching]
    return wide[1:-1, 1:-1].copy()


def recommended_labels(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    settings: RecommendedSettings = DEFAULT,
) -> tuple[NDArray[np.int32], int]:
    """Label image of the recommended mask, (ny, nx) int32, 0 = background, and its sources' number.

    Areas above `settings.grow` in `curvature_snr` that reach `settings.seed` (hysteresis), widened
    by `settings.margin`; a gap of background stays between sources.
    """
    snr = curvature_snr(data, empty, fwhm_px=fwhm_px, settings=settings)
    labels, count = grow(
        snr, seed=settings.seed, down_to=settings.grow, min_pixels=settings.min_pixels
    )
    labels = widened(labels, round(settings.margin * fwhm_px))
    labels[empty | ~np.isfinite(data)] = 0
    return labels, count


def recommended_mask(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    settings: RecommendedSettings = DEFAULT,
) -> NDArray[np.bool_]:
    """The recommended mask, (ny, nx) bool: where `recommended_labels` has a source."""
    labels, _ = recommended_labels(data, empty, fwhm_px=fwhm_px, settings=settings)
    return labels > 0
