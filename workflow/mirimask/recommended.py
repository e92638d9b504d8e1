"""The recommended mask: a slice of the second derivative, at a level in units of the local noise.

What the paper's derivative slice does for a gradient, the curvature of the image does for slopes
of every direction: it vanishes on them and is largest on what is as small as the PSF.
docs/recommended.md tells how it was chosen, against what, and what did not help.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

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
_BLOCK = (128, 260)  # rows and columns filtered at a time: they stay in the processor's cache
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
    `directions`: share of the smallest of the curvatures in four directions, 0 in the recommended
    mask (docs/future-work.md, 1).
    """

    smooth: float = 0.65
    tile: float = 26.0
    window: float = 6.0
    share: float = 0.6
    seed: float = 5.0
    grow: float = 2.0
    min_pixels: int = 5
    margin: float = 1.0
    directions: float = 0.0

    def __post_init__(self) -> None:
        for name in ("smooth", "tile", "window", "seed", "grow", "min_pixels"):
            if not getattr(self, name) > 0:
                raise MaskError(f"recommended: {name} is {getattr(self, name)}; it must be > 0.")
        if not self.margin >= 0:
            raise MaskError(f"recommended: margin is {self.margin}; it must be 0 or more.")
        for name in ("share", "directions"):
            if not 0 <= getattr(self, name) <= 1:
                raise MaskError(
                    f"recommended: {name} is {getattr(self, name)}; it must be from 0 to 1."
                )
        if self.grow > self.seed:
            raise MaskError(f"recommended: grow {self.grow} is above seed {self.seed}.")


DEFAULT = RecommendedSettings()


def _gaussian(sigma: float) -> NDArray[np.float32]:
    """Weights of a Gaussian out to 3 sigma, from its centre on."""
    weights = np.exp(-0.5 * (np.arange(max(1, round(3 * sigma)) + 1) / sigma) ** 2)
    return (weights / (2 * weights.sum() - 1)).astype(np.float32)


def _convolved(image: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """An image convolved along both axes with a symmetric kernel, given from its centre on.

    Smaller than `image` by the rim in which the kernel would not be complete.
    """
    reach = len(weights) - 1
    for _ in "yx":
        n = len(image) - 2 * reach
        out = weights[0] * image[reach : reach + n]
        pair = np.empty_like(out)
        for k in range(1, reach + 1):
            np.add(image[reach - k : reach - k + n], image[reach + k : reach + k + n], out=pair)
            pair *= weights[k]
            out += pair
        image = out.T
    return image


def _summed(image: NDArray[np.float32], box: int) -> NDArray[np.float32]:
    """Sums over `box` x `box` pixels, `box` odd; smaller than `image` by `box` - 1."""
    for _ in "yx":
        n = len(image) - box + 1
        # of sums of 1, 2, 4, ... rows, those that make up `box`
        out, part, width, start = image[:n].copy(), image, 1, 1
        while 2 * width <= box:
            part, width = part[:-width] + part[width:], 2 * width
            if box & width:
                out += part[start : start + n]
                start += width
        image = out.T
    return image


def _blocks(
    empty: NDArray[np.bool_], image: NDArray[np.float32], reach: int
) -> Iterator[tuple[tuple[slice, slice], NDArray[np.float32], NDArray[np.bool_], bool]]:
    """The blocks of an image in which something was seen, with a rim of `reach` around each.

    The image is mirrored at its own rim. Gives where the block is in it, the pixels of block and
    rim, which of them are empty, and whether any is.
    """
    ny, nx = image.shape
    around = np.pad(image, reach, mode="symmetric")
    hidden = np.pad(empty, reach, mode="symmetric")
    for y, x in product(range(0, ny, _BLOCK[0]), range(0, nx, _BLOCK[1])):
        block = np.s_[y : min(y + _BLOCK[0], ny), x : min(x + _BLOCK[1], nx)]
        wide = np.s_[y : block[0].stop + 2 * reach, x : block[1].stop + 2 * reach]
        if not hidden[wide].all():
            yield block, around[wide], hidden[wide], bool(hidden[wide].any())


def _columns_of_both(hidden: NDArray[np.bool_], reach: int) -> tuple[slice, slice]:
    """The columns of a block that may see both empty pixels and others, and what they see.

    `hidden` is the block with a rim of `reach`, and has both. The slices are of the block without
    the rim and of `hidden`.
    """
    empty, seen = (np.flatnonzero(each.any(axis=0)) for each in (hidden, ~hidden))
    first = max(empty[0], seen[0], 2 * reach) - 2 * reach
    last = min(empty[-1], seen[-1], hidden.shape[1] - 1 - 2 * reach)
    return np.s_[first : last + 1], np.s_[first : last + 1 + 2 * reach]


def _curvature(
    image: NDArray[np.float32], empty: NDArray[np.bool_], sigma: float, directions: float = 0.0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Minus the Laplacian of the smoothed image: 4 times a pixel less its four neighbours.

    Empty pixels, in which `image` is 0, are left out of the smoothing, not counted as dark; in them
    and beside them, where the curvature is not known, it is 0. The second result is what is cut:
    the same, with the share `directions` from twice the smallest curvature along x, y and the
    diagonals, which a star has and a spike, a ring or a filament has not.
    """
    weights = _gaussian(sigma)
    curvature = np.zeros_like(image)
    cut = np.zeros_like(image) if directions else curvature
    reach = len(weights) - 1
    for block, pixels, hidden, some in _blocks(empty, image, reach=reach + 1):
        smooth = _convolved(pixels, weights)
        if some:
            part, around = _columns_of_both(hidden, reach)
            seen = _convolved((~hidden[:, around]).astype(np.float32), weights)
            smooth[:, part] /= np.maximum(seen, np.float32(1e-3))
        out = curvature[block]
        np.multiply(smooth[1:-1, 1:-1], np.float32(4), out=out)
        out -= smooth[:-2, 1:-1]
        out -= smooth[2:, 1:-1]
        out -= smooth[1:-1, :-2]
        out -= smooth[1:-1, 2:]
        if some:
            inside = np.s_[reach + 1 : -reach - 1]
            unknown = _with_neighbours(hidden)[inside, inside]
            np.copyto(out, 0, where=unknown)
        if directions:
            cut[block] = (1 - directions) * out + 2 * directions * _least_curvature(smooth)
            if some:
                np.copyto(cut[block], 0, where=unknown)
    return curvature, cut


def _least_curvature(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The smallest of minus the second derivatives in four directions, without the rim of 1."""
    ny, nx = image.shape
    twice = 2 * image[1:-1, 1:-1]
    least = np.full_like(twice, np.inf)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        after = image[1 + dy : ny - 1 + dy, 1 + dx : nx - 1 + dx]
        before = image[1 - dy : ny - 1 - dy, 1 - dx : nx - 1 - dx]
        np.minimum(least, (twice - after - before) / (dy * dy + dx * dx), out=least)
    return least


def _box_mean(
    image: NDArray[np.float32], empty: NDArray[np.bool_], box: int
) -> NDArray[np.float32]:
    """Mean over the pixels that are not empty of the `box` x `box` around each; `box` is odd."""
    mean = np.zeros_like(image)
    for block, pixels, hidden, some in _blocks(empty, image, reach=box // 2):
        out = mean[block]
        np.divide(_summed(pixels, box), np.float32(box**2), out=out)
        if some:
            part, around = _columns_of_both(hidden, box // 2)
            number = np.maximum(_summed((~hidden[:, around]).astype(np.float32), box), 1)
            out[:, part] *= np.float32(box**2) / number
    return mean


def _with_neighbours(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of `where` and their four neighbours."""
    wide = where.copy()
    wide[1:] |= where[:-1]
    wide[:-1] |= where[1:]
    wide[:, 1:] |= where[:, :-1]
    wide[:, :-1] |= where[:, 1:]
    return wide


def _tile_noise(
    magnitude: NDArray[np.float32], empty: NDArray[np.bool_], side: float
) -> NDArray[np.float32]:
    """Scatter in tiles from the median of absolute values, median-filtered, and interpolated.

    Every third pixel of every third row is enough: neighbours are correlated.
    """
    edges = [np.linspace(0, n, max(1, round(n / side)) + 1).astype(int) for n in magnitude.shape]
    # rows and columns of each tile, as many as the longest has; a shorter one's last are not used
    at = [first[:-1, None] + np.arange(0, np.diff(first).max(), 3) for first in edges]
    inside = [own < first[1:, None] for own, first in zip(at, edges, strict=True)]
    rows, columns = (
        np.minimum(own, n - 1).ravel() for own, n in zip(at, magnitude.shape, strict=True)
    )
    used = np.outer(*inside) & ~empty[rows][:, columns]
    values = np.where(used, magnitude[rows][:, columns], np.inf)
    tiles = (at[0].shape[0], at[0].shape[1], at[1].shape[0], at[1].shape[1])
    used, values = (part.reshape(tiles).swapaxes(1, 2) for part in (used, values))
    values = np.sort(values.reshape(*values.shape[:2], -1))
    number = np.count_nonzero(used, axis=(2, 3))
    levels = np.take_along_axis(values, number[..., None] // 2, axis=2)[..., 0].astype(float)
    levels[number < 30] = np.nan
    if not np.isfinite(levels).any():
        seen = magnitude[~empty]
        levels[:] = np.median(seen) if seen.size else np.nan
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
    if empty.all():
        return np.zeros(data.shape, np.float32)
    image: NDArray[np.float32] = np.asarray(data, np.float32)
    if empty.any():
        image = image - np.median(image.ravel()[np.flatnonzero(~empty)[::7]])
        np.copyto(image, 0, where=empty)
    curvature, cut = _curvature(image, empty, settings.smooth * fwhm_px, settings.directions)
    magnitude = np.abs(curvature)
    around = _box_mean(magnitude, empty, max(3, round(settings.window * fwhm_px) | 1))
    noise = _tile_noise(magnitude, empty, settings.tile * fwhm_px)
    noise *= np.float32(1 - settings.share)
    around *= np.float32(settings.share * _PER_MEAN)
    noise += around
    np.copyto(noise, np.inf, where=~(noise > 0))
    cut /= noise
    return cut


def grow(
    snr: NDArray[np.floating], *, seed: float, down_to: float, min_pixels: int
) -> tuple[NDArray[np.int32], int]:
    """Label the areas above `down_to` that reach `seed`: 8-connected, 1 to n, and their number.

    Areas of fewer than `min_pixels` are left out. NaN belong to none.
    """
    above = snr > down_to
    labels, count = ndimage.label(above, structure=_BOX)
    flat, at = labels.ravel(), np.flatnonzero(above)
    own = flat[at]
    kept = np.zeros(count + 1, bool)
    kept[own[snr.ravel()[at] > seed]] = True
    if min_pixels > 1:
        kept &= np.bincount(own, minlength=count + 1) >= min_pixels
    flat[at] = np.where(kept, np.cumsum(kept), 0)[own]
    return labels, int(kept.sum())


def widened(labels: NDArray[np.int32], steps: int) -> NDArray[np.int32]:
    """Widen every area by `steps` pixels, (ny, nx) int32, and leave a gap where two would meet.

    A pixel joins an area whose pixels touch it (8 neighbours) if no other area does.
    """
    if steps < 1:
        return labels
    ny, nx = labels.shape
    wide = np.pad(labels, 1)
    flat, row = wide.ravel(), nx + 2
    around = np.array([dy * row + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx])
    edge = np.flatnonzero(flat > 0)
    for _ in range(steps):
        touched = np.zeros(flat.size, bool)
        touched[edge + around[:, None]] = True
        met = np.flatnonzero(touched)
        y, x = np.divmod(met, row)
        met = met[(flat[met] == 0) & (y > 0) & (y <= ny) & (x > 0) & (x <= nx)]
        neighbours = flat[met + around[:, None]]
        highest = neighbours.max(axis=0)
        one = ((neighbours == 0) | (neighbours == highest)).all(axis=0)
        met = met[one]
        flat[met] = highest[one]
        touching = (flat[met + around[:, None]] > flat[met]).any(axis=0)
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
