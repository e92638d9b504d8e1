"""The recommended mask: all light of the sources, down to a stated surface brightness.

Two layers with the same numbers: the *detections*, the core of each source, and the *source mask*,
all of its light. The cores are those of `cores`, by their curvature. Around each goes the halo of a
star of its flux, a disc as far as that stays above a share of a pixel's noise. In images smoothed
by several widths, what rises from the sky belongs to the source that it touches, and is a source by
itself where it is significant. Sky is the slope of the whole image and, as the noise, what the
pixels outside have, in tiles small enough to follow a nebula, which therefore is sky and no source.
docs/recommended.md tells how it was chosen.
"""

import math
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.errors import MaskError
from mirimask.image.background import median_and_scatter, scatter_around, slope
from mirimask.image.frame import plain
from mirimask.image.psf_profile import PsfProfile, psf_profile
from mirimask.masks.cores import DEFAULT as CORES
from mirimask.masks.cores import CoreSettings, cores_of, curvature_snr
from mirimask.masks.curvature import smoothed_in_blocks

__all__ = [
    "DEFAULT",
    "SourceLabels",
    "SourceSettings",
    "recommended",
    "source_labels",
    "source_mask",
]

_BOX = np.ones((3, 3), bool)  # 8-connected
# what is around the empty middle of a saturated star
_LARGEST_HOLE = 12.0  # FWHM
_SATURATED = 5.0  # times the noise


@dataclass(frozen=True)
class SourceSettings:
    """Settings of the source mask; lengths in FWHM of the PSF, levels in sigma.

    `tile`: side of the tiles in which sky and noise are measured; smaller ones follow the sources,
    larger ones not the nebulae. `scales`: sigmas of the Gaussians, for sources from the size of
    the PSF to several times that; `wide`: side of the tiles in which the noise of a smoothed image
    is measured, since it has fewer independent pixels. `extent`: level down to which a source
    extends in a smoothed image, in units of that image's noise, and `faintest` the same in units
    of the noise of a pixel: the higher of the two counts, so that a source ends where its light no
    longer matters or can no longer be told from noise. `growth`: by how much what the smoothed
    images show is then widened, for the light below that level. `alone`: level that makes an area
    without a core a source, so high that no structure of the sky is one. `halo`: what a star's PSF
    may leave in a pixel outside, in units of the noise of a pixel.
    """

    core: CoreSettings = CORES
    tile: float = 10.0
    wide: float = 26.0
    scales: tuple[float, ...] = (0.85, 2.0)
    extent: float = 4.0
    faintest: float = 0.25
    growth: float = 1.25
    alone: float = 7.0
    halo: float = 0.28

    def __post_init__(self) -> None:
        for name in ("tile", "wide", "extent", "faintest", "alone", "halo"):
            if not getattr(self, name) > 0:
                raise MaskError(f"recommended: {name} is {getattr(self, name)}; it must be > 0.")
        if not self.growth >= 0:
            raise MaskError(f"recommended: growth is {self.growth}; it must be 0 or more.")
        if not all(scale > 0 for scale in self.scales):
            raise MaskError(f"recommended: scales are {self.scales}; they must be > 0.")


DEFAULT = SourceSettings()


@dataclass(frozen=True)
class SourceLabels:
    """Two label images, (ny, nx) int32, 0 = background; a source has one number in both.

    `detections`: the cores of the sources, or for a source without one where it is significant; of
    a mosaic (`mosaic`), bool, or None where nothing asked for them.
    `sources`: the source mask, every pixel with the number of its source. `count` sources.
    """

    detections: NDArray[np.int32] | NDArray[np.bool_] | None
    sources: NDArray[np.int32]
    count: int


def source_labels(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    settings: SourceSettings = DEFAULT,
) -> SourceLabels:
    """The sources of an image, their cores and all their light.

    `data` is (ny, nx), any unit; `empty` the pixels without observation (NaN count as such): they
    are in no source. Without other pixels there is none; without noise there are cores alone.
    MaskError for an `empty` of another shape, and a width that is not above 0 or above the image's.
    """
    data, empty = plain(data, empty)
    image = np.where(empty, np.float32(0), data).astype(np.float32, copy=False)
    snr = curvature_snr(image, empty, fwhm_px=fwhm_px, settings=settings.core)
    cores, count = cores_of(snr, empty, fwhm_px=fwhm_px, settings=settings.core)
    count = _deblend(cores, count, snr, seed=settings.core.seed, fwhm_px=fwhm_px)
    del snr  # of a mosaic's part every plane counts
    # what the whole image lies on is sky; at a rim tiles would have it on one side only
    side = settings.tile * fwhm_px
    np.subtract(image, slope(image, empty, side), out=image, where=~empty)
    # for the flux of stars; measured again once their halos are masked
    sky, noise = median_and_scatter(image, empty | (cores > 0), side, step=2)
    if not (noise > 0).any():
        return SourceLabels(cores, cores.copy(), count)
    # beside a bright star its own light is what scatters; of 10 000 pixels the median is known well
    step = max(1, np.count_nonzero(~empty) // 10_000)
    np.minimum(noise, np.median(noise[~empty][::step]), out=noise)
    excess = np.subtract(image, sky, out=sky)
    sources, count = _halos(
        excess, noise, cores, count, empty, fwhm_px=fwhm_px, limit=settings.halo
    )
    del sky, noise, excess
    halos = sources > 0
    sky, noise = median_and_scatter(image, empty | halos, side)
    snr = np.subtract(image, sky, out=sky)
    np.copyto(noise, np.inf, where=empty | ~(noise > 0))
    snr /= noise
    del image, noise
    extent = np.zeros(empty.shape, bool)
    binned = [(snr, empty)]
    for scale in settings.scales:
        area, found = _smooth_areas(
            binned,
            cores > 0,
            sources > 0,
            sigma=scale * fwhm_px,
            fwhm_px=fwhm_px,
            settings=settings,
        )
        extent |= area
        if found is not None:  # the sources without a core
            fresh = np.nonzero((found > 0) & (sources == 0) & ~empty)
            for layer in (cores, sources):
                layer[fresh] = count + found[fresh]
            count += int(found.max())
        del area, found
    del snr, binned
    joined = _around(extent, round(settings.growth * fwhm_px))
    joined |= halos
    sources = _given_away(sources, joined)
    np.copyto(sources, 0, where=empty)
    return SourceLabels(cores, sources, count)


def _deblend(
    labels: NDArray[np.int32], count: int, snr: NDArray[np.float32], *, seed: float, fwhm_px: float
) -> int:
    """Divide the cores with several peaks of the score among these, in place; their number.

    A peak is the highest within one FWHM around it and above `seed`. The pixels go to the peak
    that they lie on the slope of (`_slopes`).
    """
    rows, columns = np.nonzero((snr > seed) & (labels > 0))
    score = snr[rows, columns]
    highest = np.ones(rows.size, bool)
    reach = max(1, round(fwhm_px))
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            beside = (
                np.clip(rows + dy, 0, snr.shape[0] - 1),
                np.clip(columns + dx, 0, snr.shape[1] - 1),
            )
            highest &= score >= snr[beside]
    peaks = np.zeros(snr.shape, bool)
    peaks[rows[highest], columns[highest]] = True
    several = np.flatnonzero(np.bincount(labels[peaks], minlength=count + 1) > 1)
    where = ndimage.find_objects(labels, count)
    for label in several.tolist():
        part = labels[where[label - 1]]
        own = part == label
        markers, number = ndimage.label(peaks[where[label - 1]] & own, structure=_BOX)
        if number < 2:
            continue
        slopes = _slopes(snr[where[label - 1]], markers, own)
        part[own] = np.where(slopes == 1, label, count + slopes - 1)[own]
        count += number - 1
    return count


def _slopes(
    score: NDArray[np.float32], markers: NDArray[np.int32], own: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Each pixel of a connected area `own` with the number of the marker that it leads up to.

    The watershed by flooding (Meyer 1991): of the pixels beside those that have a number the
    highest is the next whose neighbours get it. All are (ny, nx); 0 outside of `own`.
    `ndimage.watershed_ift` is none: it goes by the steps between pixels, not by their height.
    """
    heights, numbers = (
        np.pad(image, 1).ravel().tolist() for image in (score, np.where(own, markers, 0))
    )
    free = np.pad(own & (markers == 0), 1).ravel().tolist()
    width = own.shape[1] + 2
    beside = [dy * width + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
    flooded = [(-heights[at], at) for at, number in enumerate(numbers) if number]
    heapify(flooded)
    while flooded:
        _, at = heappop(flooded)
        for to in (at + step for step in beside):
            if free[to]:
                free[to], numbers[to] = False, numbers[at]
                heappush(flooded, (-heights[to], to))
    return np.array(numbers, np.int32).reshape(-1, width)[1:-1, 1:-1]


def _halos(
    excess: NDArray[np.float32],
    noise: NDArray[np.float32],
    cores: NDArray[np.int32],
    count: int,
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    limit: float,
) -> tuple[NDArray[np.int32], int]:
    """The cores and, around each, the disc in which the PSF's light is above `limit` x noise.

    And the number of sources: those with an empty middle are added, or made one, in `cores` too,
    which are numbered anew. A pixel in several discs belongs to the source that is brightest there;
    the cores keep their own. The flux of a source is that of the 3 x 3 pixels at its peak, over the
    share of a star's light in them. For a galaxy, whose light is less concentrated, that is less
    than its flux.
    """
    profile = psf_profile(fwhm_px)
    np.copyto(excess, 0, where=empty)
    in_middle = profile.within(3 / np.sqrt(np.pi))
    stars = []
    for label, y, x in _peaks(excess, cores, count):
        middle = excess[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        stars.append((label, y, x, 9 * float(middle.mean()) / in_middle))
    saturated, now = _saturated(excess, noise, cores, count, empty, profile, fwhm_px)
    stars = [(int(now[label]), y, x, flux) for label, y, x, flux in stars + saturated]
    owner = np.zeros(excess.shape, np.int32)
    brightest = np.zeros(excess.shape, np.float32)
    for label, y, x, own_flux in stars:
        light = own_flux * profile.share
        above = np.flatnonzero(light > limit * noise[y, x])
        if not above.size or not noise[y, x] > 0:
            continue
        reach = profile.radius_px[above[-1]]
        rim = int(reach)
        part = np.s_[max(y - rim, 0) : y + rim + 1, max(x - rim, 0) : x + rim + 1]
        rows = np.arange(part[0].start, min(part[0].stop, excess.shape[0])) - y
        columns = np.arange(part[1].start, min(part[1].stop, excess.shape[1])) - x
        distance = np.hypot(rows[:, None], columns)
        own = np.interp(distance, profile.radius_px, light).astype(np.float32)
        won = (distance <= reach) & (own > brightest[part])
        brightest[part][won] = own[won]
        owner[part][won] = label
    np.copyto(owner, cores, where=cores > 0)
    np.copyto(owner, 0, where=empty)
    return owner, int(now.max())


def _peaks(
    image: NDArray[np.float32], labels: NDArray[np.int32], count: int
) -> list[tuple[int, int, int]]:
    """Each label, 1 to `count`, with the row and column of its brightest pixel."""
    at = np.flatnonzero(labels > 0)
    at = at[np.argsort(image.ravel()[at], kind="stable")]
    peak = np.full(count + 1, -1)
    peak[labels.ravel()[at]] = at  # the last, the brightest, counts
    numbers = np.flatnonzero(peak >= 0)
    rows, columns = np.unravel_index(peak[numbers], labels.shape)
    return list(zip(numbers.tolist(), rows.tolist(), columns.tolist(), strict=True))


def _saturated(
    excess: NDArray[np.float32],
    noise: NDArray[np.float32],
    cores: NDArray[np.int32],
    count: int,
    empty: NDArray[np.bool_],
    profile: PsfProfile,
    fwhm_px: float,
) -> tuple[list[tuple[int, int, int, float]], NDArray[np.int32]]:
    """Stars whose middle is empty, saturated: label, row and column, and flux; and the new labels.

    Holes of at most `_LARGEST_HOLE` FWHM with `_SATURATED` times the noise all around that falls to
    less than half within two FWHM: a dead pixel in a nebula is none. What is around the hole is
    one core with the cores there, in place, or one with the next number. The flux is the median of
    what the pixels there say by the PSF, at their distance from the hole's middle. The new labels,
    by the old ones, are those of `cores` afterwards: 1, 2, ..., 0 of none.
    """
    holes, _ = ndimage.label(empty, structure=_BOX)
    further = round(2 * fwhm_px)
    stars: list[tuple[int, int, int, float]] = []
    now = np.arange(count + 1, dtype=np.int32)
    for number, part in enumerate(ndimage.find_objects(holes), 1):
        if max(side.stop - side.start for side in part) > _LARGEST_HOLE * fwhm_px:
            continue
        rim = further + 1
        wide = tuple(slice(max(side.start - rim, 0), side.stop + rim) for side in part)
        hole, seen = holes[wide] == number, ~empty[wide]
        around = ndimage.binary_dilation(hole, _BOX, iterations=2) & seen
        beyond = ndimage.binary_dilation(hole, _BOX, iterations=further)
        beyond = ndimage.binary_dilation(beyond, _BOX) & ~beyond & seen
        light = excess[wide][around]
        if (
            not beyond.any()
            or (light < _SATURATED * noise[wide][around]).any()
            or np.median(excess[wide][beyond]) > 0.5 * np.median(light)
        ):
            continue
        own = cores[wide]
        beside = np.setdiff1d(own[around], 0)
        if not beside.size:
            beside = np.array([now.size], np.int32)
            now = np.append(now, beside)
        label = int(now[beside].min())
        now[np.isin(now, now[beside])] = label
        own[around & (own == 0)] = beside[0]
        middle = ndimage.center_of_mass(hole)
        rows, columns = np.nonzero(around)
        distance = np.hypot(rows - middle[0], columns - middle[1])
        flux = float(np.median(light / np.interp(distance, profile.radius_px, profile.share)))
        y, x = (round(at + side.start) for at, side in zip(middle, wide, strict=True))
        stars.append((int(beside[0]), y, x, flux))
    now = np.unique(now, return_inverse=True)[1].astype(np.int32)
    if now.size > now.max() + 1:
        cores[...] = now[cores]
    return stars, now


def _smooth_areas(
    binned: list[tuple[NDArray[np.float32], NDArray[np.bool_]]],
    cores: NDArray[np.bool_],
    sources: NDArray[np.bool_],
    *,
    sigma: float,
    fwhm_px: float,
    settings: SourceSettings,
) -> tuple[NDArray[np.bool_], NDArray[np.int32] | None]:
    """Where the image smoothed by `sigma` pixels shows sources, and those that are new, numbered.

    `binned`: the image in units of its noise, 0 where empty, with its empty pixels; then the same
    on pixels of 2 x 2, 4 x 4 and so on, which are added where they are needed. The areas, (ny, nx)
    bool, are those that touch a core or are significant one FWHM or more from what was not
    observed; the new sources, (ny, nx) int32 from 1 on, are what is significant there and touches
    none of the `sources`; None where there are none. A wide Gaussian is worked out on such pixels,
    so that its sigma is less than two of them.
    """
    side, times = settings.wide * fwhm_px, 0
    while sigma >= 2 and min(cores.shape) > 2:
        times += 1
        if times == len(binned):
            snr, empty = binned[-1]
            number = _halved((~empty).astype(np.uint8), np.add)
            binned.append((_halved(snr, np.add) / np.maximum(number, 1), number == 0))
        cores, sources = (_halved(part, np.logical_or) for part in (cores, sources))
        sigma, side = sigma / 2, side / 2
    area, found = _areas_at(
        *binned[times],
        cores,
        sources,
        sigma=sigma,
        side=side,
        step=1 if times else 2,
        rim=math.ceil(fwhm_px / 2**times),
        settings=settings,
    )
    for finer, _ in reversed(binned[:times]):
        area = _doubled(area, finer.shape)
        found = None if found is None else _doubled(found, finer.shape)
    return area, found


def _areas_at(
    snr: NDArray[np.float32],
    empty: NDArray[np.bool_],
    cores: NDArray[np.bool_],
    sources: NDArray[np.bool_],
    *,
    sigma: float,
    side: float,
    step: int,
    rim: int,
    settings: SourceSettings,
) -> tuple[NDArray[np.bool_], NDArray[np.int32] | None]:
    """`_smooth_areas` on pixels on which `sigma` is small; the noise is that of every `step`th.

    What is significant in the `rim` pixels beside those that are empty, or beyond the image, alone
    is not.
    """
    smooth = smoothed_in_blocks(snr, empty, sigma_px=sigma)
    noise = scatter_around(smooth, sources | empty, side, step=step)
    above = smooth > np.maximum(settings.extent * noise, settings.faintest)
    significant = above & (smooth > settings.alone * noise)
    areas, count = ndimage.label(above, structure=_BOX)
    # fewer exposures have the rim, whose noise is not that of the tile
    inside = ~_around(np.pad(empty, 1, constant_values=True), rim)[1:-1, 1:-1] & significant
    kept = np.zeros(count + 1, bool)
    kept[areas[cores | inside]] = True
    kept[0] = False
    area = _chosen(areas, kept)
    own, number = ndimage.label(significant, structure=_BOX)
    new = np.zeros(number + 1, bool)
    new[own[inside]] = True
    new[own[sources]] = False
    new[0] = False
    found = _chosen(own, np.where(new, np.cumsum(new), 0).astype(np.int32)) if new.any() else None
    return area, found


def _chosen(labels: NDArray[np.int32], values: NDArray[Any]) -> NDArray[Any]:
    """The value of each pixel's label, 0 where there is none."""
    at = np.flatnonzero(labels > 0)
    chosen = np.zeros(labels.shape, values.dtype)
    chosen.ravel()[at] = values[labels.ravel()[at]]
    return chosen


def _halved(image: NDArray[Any], combine: np.ufunc) -> NDArray[Any]:
    """What `combine` makes of 2 x 2 pixels; 0 stands beside an odd last row or column."""
    if image.shape[0] % 2 or image.shape[1] % 2:
        image = np.pad(image, [(0, n % 2) for n in image.shape])
    rows = combine(image[::2], image[1::2])
    both: NDArray[Any] = combine(rows[:, ::2], rows[:, 1::2])
    return both


def _doubled(image: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Every pixel as 2 x 2, as many as an image of that shape has."""
    return image.repeat(2, axis=1).repeat(2, axis=0)[: shape[0], : shape[1]]


def _around(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """The pixels of a mask and those up to `reach` rows and columns from one.

    As `ndimage.maximum_filter`, which takes 14 ms for a frame and this 2.
    """
    for axis in (0, 1):
        wide = mask.copy()
        one, all_ = (np.moveaxis(each, axis, 0) for each in (mask, wide))
        for step in range(1, reach + 1):
            all_[step:] |= one[:-step]
            all_[:-step] |= one[step:]
        mask = wide
    return mask


def _given_away(sources: NDArray[np.int32], mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Every pixel of a mask with the number of its source: of those connected to it, the nearest.

    All connected areas of `mask` have pixels of `sources`, which keep their numbers.
    """
    left = np.flatnonzero(mask & (sources == 0))
    if not left.size:
        return sources
    areas, count = ndimage.label(mask, structure=_BOX)
    own = np.flatnonzero(sources > 0)
    area, number = areas.ravel()[own], sources.ravel()[own]
    only = np.zeros(count + 1, np.int32)
    only[area] = number
    several = np.zeros(count + 1, bool)
    several[area[number != only[area]]] = True
    given = sources.copy()
    given.ravel()[left] = only[areas.ravel()[left]]
    where = ndimage.find_objects(areas, count)
    for label in np.flatnonzero(several).tolist():
        part = where[label - 1]
        inside = areas[part] == label
        theirs = np.where(inside, sources[part], 0)
        rest = inside & (theirs == 0)
        if rest.any():
            nearest = ndimage.distance_transform_edt(
                theirs == 0, return_distances=False, return_indices=True
            )
            given[part][rest] = theirs[*nearest][rest]
    return given


def source_mask(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    settings: SourceSettings = DEFAULT,
) -> NDArray[np.bool_]:
    """The source mask, (ny, nx) bool: where `source_labels` has a source."""
    return source_labels(data, empty, fwhm_px=fwhm_px, settings=settings).sources > 0


def recommended(
    data: NDArray[np.floating], empty: NDArray[np.bool_], *, fwhm_px: float
) -> NDArray[np.int32]:
    """The source mask as the registry has it: every pixel with the number of its source."""
    return source_labels(data, empty, fwhm_px=fwhm_px).sources
