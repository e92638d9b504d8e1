"""The recommended mask: a slice of the second derivative, at a level in units of the local noise.

What the paper's derivative slice does for a gradient, the curvature of the image does for slopes
of every direction: it vanishes on them and is largest on what is as small as the PSF.
docs/recommended.md tells how it was chosen, against what, and what did not help.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.errors import MaskError
from mirimask.units import SIGMA_PER_MAD

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
_AT_ONCE = 1 << 14  # pixels whose neighbours are at hand when areas are widened
_BLOCK = (258, 348)  # rows and columns filtered at a time: they stay in the processor's cache
_PER_MEAN = 1.253314  # standard deviation of a Gaussian from the mean of absolute values


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
    blocks: list[tuple[slice, slice]],
    sigma: float,
    directions: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Minus the Laplacian of the smoothed image: 4 times a pixel less its four neighbours.

    In empty pixels and beside them, where the curvature is not known, it is 0. The second result is
    what is cut: the same, with the share `directions` from twice the smallest curvature along x, y
    and the diagonals, which a star has and a spike, a ring or a filament has not.
    """
    weights = _gaussian(sigma)
    curvature = np.zeros(image.shape, np.float32)
    cut = np.zeros_like(curvature) if directions else curvature
    some = empty.any()
    level = _median(image, empty) if some else np.float32(0)
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
            least = _least_curvature(smooth)
            cut[block] = (1 - directions) * curvature[block] + 2 * directions * least
    if some:
        unknown = _with_neighbours(empty)
        for each in (curvature, cut):
            np.copyto(each, 0, where=unknown)
    return curvature, cut


def _median(image: NDArray[np.float32], empty: NDArray[np.bool_]) -> np.float32:
    """Median of every seventh pixel that is not empty."""
    sample, first = [], 0
    for y in range(0, len(image), _BLOCK[0]):
        seen = image[y : y + _BLOCK[0]][~empty[y : y + _BLOCK[0]]]
        sample.append(seen[first::7].copy())  # not all that it is of
        first = (first - seen.size) % 7
    return np.median(np.concatenate(sample))


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


def _with_neighbours(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of `where` and their four neighbours."""
    wide = where.copy()
    wide[1:] |= where[:-1]
    wide[:-1] |= where[1:]
    wide[:, 1:] |= where[:, :-1]
    wide[:, :-1] |= where[:, 1:]
    return wide


def _tile_noise(
    curvature: NDArray[np.float32], empty: NDArray[np.bool_], side: float
) -> NDArray[np.float32]:
    """Scatter in tiles from the median of absolute values, median-filtered, and interpolated.

    Every third pixel of every third row is enough: neighbours are correlated.
    """
    edges = [np.linspace(0, n, max(1, round(n / side)) + 1).astype(int) for n in curvature.shape]
    # rows and columns of each tile, as many as the longest has; a shorter one's last are not used
    at = [first[:-1, None] + np.arange(0, np.diff(first).max(), 3) for first in edges]
    inside = [own < first[1:, None] for own, first in zip(at, edges, strict=True)]
    rows, columns = (
        np.minimum(own, n - 1).ravel() for own, n in zip(at, curvature.shape, strict=True)
    )
    used = np.outer(*inside) & ~empty[rows][:, columns]
    values = np.where(used, np.abs(curvature[rows][:, columns]), np.inf)
    tiles = (at[0].shape[0], at[0].shape[1], at[1].shape[0], at[1].shape[1])
    used, values = (part.reshape(tiles).swapaxes(1, 2) for part in (used, values))
    values = np.sort(values.reshape(*values.shape[:2], -1))
    number = np.count_nonzero(used, axis=(2, 3))
    levels = np.take_along_axis(values, number[..., None] // 2, axis=2)[..., 0].astype(float)
    levels[number < 30] = np.nan
    if not np.isfinite(levels).any():
        seen = np.abs(curvature[~empty])
        levels[:] = np.median(seen) if seen.size else np.nan
    levels[np.isnan(levels)] = np.nanmedian(levels) if np.isfinite(levels).any() else np.inf
    levels = SIGMA_PER_MAD * ndimage.median_filter(levels, 3, mode="nearest")
    rows, columns = (
        _between(n, 0.5 * (e[1:] + e[:-1] - 1)) for n, e in zip(curvature.shape, edges, strict=True)
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
    return _snr(data, empty | ~np.isfinite(data), fwhm_px, settings)


def _snr(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    fwhm_px: float,
    settings: RecommendedSettings,
) -> NDArray[np.float32]:
    """`curvature_snr` of an image whose pixels that are not finite are `empty`."""
    if empty.all():
        return np.zeros(data.shape, np.float32)
    image: NDArray[np.float32] = np.asarray(data, np.float32)
    blocks = _blocks(empty)
    sigma = settings.smooth * fwhm_px
    curvature, cut = _curvature(image, empty, blocks, sigma, settings.directions)
    noise = _tile_noise(curvature, empty, settings.tile * fwhm_px)
    noise *= np.float32(1 - settings.share)
    box = max(3, round(settings.window * fwhm_px) | 1)
    for block, pixels, hidden in _with_rims(curvature, empty, blocks, box // 2):
        around = _box_mean(np.abs(pixels), hidden, box)
        around *= np.float32(settings.share * _PER_MEAN)
        own = noise[block]
        own += around
        np.copyto(own, np.inf, where=~(own > 0))
        np.divide(cut[block], own, out=own)
    np.copyto(noise, 0, where=empty)  # beyond the blocks
    return noise


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
    wide = np.pad(labels, 1, constant_values=-1)
    flat, row = wide.ravel(), wide.shape[1]
    around = np.array([dy * row + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx])
    around = around[:, None]
    edge = np.flatnonzero(flat > 0)
    for _ in range(steps):
        found = []
        for some in _parts(edge):
            met = (some + around).ravel()
            met = met[flat[met] == 0]
            number = np.arange(met.size, dtype=flat.dtype)
            flat[met] = number
            met = met[flat[met] == number]  # each once
            flat[met] = -1  # and in one part only
            found.append(met)
        edge = np.concatenate(found)
        joined = np.concatenate([_only(flat[some + around]) for some in _parts(edge)])
        flat[edge] = joined
        edge = edge[joined > 0]
        touching = np.concatenate(
            [(flat[some + around] > flat[some]).any(axis=0) for some in _parts(edge)]
        )
        flat[edge[touching]] = 0
        edge = edge[~touching]
    return wide[1:-1, 1:-1]


def _parts(pixels: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """So many pixels at a time that their neighbours take little memory beside an image."""
    return np.array_split(pixels, 1 + pixels.size // _AT_ONCE)


def _only(neighbours: NDArray[np.int32]) -> NDArray[np.int32]:
    """The label among the neighbours (8, n) of each pixel, 0 where there are several."""
    highest = neighbours.max(axis=0)
    one = ((neighbours <= 0) | (neighbours == highest)).all(axis=0)
    return highest * one


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
    empty = empty | ~np.isfinite(data)
    labels, count = grow(
        _snr(data, empty, fwhm_px, settings),
        seed=settings.seed,
        down_to=settings.grow,
        min_pixels=settings.min_pixels,
    )
    labels = widened(labels, round(settings.margin * fwhm_px))
    np.copyto(labels, 0, where=empty)
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
