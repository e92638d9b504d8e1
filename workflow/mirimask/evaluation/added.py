"""What masks do to sources of known light that are added to an image, simulated or real.

Stars and galaxies are added, every mask is made anew, and it is measured how much of their light
the mask leaves outside, by how much that raises the sky around them, and what flux a faint star
has when its sky is measured outside of the mask. And, of the image as it is: whether the sky near
its sources is that far from them. docs/method.md has the measures.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.evaluation.stars import StarStamps, ab_to_mjy_sr, draw_positions
from mirimask.image.background import between_boxes, boxes_or_whole
from mirimask.image.frame import Frame
from mirimask.image.galaxy import galaxy_light
from mirimask.image.psf import Psf, on_image, stamp
from mirimask.masks.make import make_masks
from mirimask.masks.registry import Options
from mirimask.sources.spots import pixels_around
from mirimask.units import SIGMA_PER_MAD

__all__ = [
    "COLUMNS",
    "NEAR_COLUMNS",
    "NO_MASK",
    "SKIES",
    "AddedSource",
    "StarAperture",
    "added_image",
    "added_magnitudes",
    "added_sources",
    "measure_added",
    "near_and_far",
    "near_pixels",
    "photometry",
    "pool_added",
]

# The added stars and galaxies whose light is followed, and the faint stars whose flux is measured,
# by how many magnitudes they are brighter than the middle of `evaluation.curve_magnitudes`, which
# lies about the depth of the images: with 24.5 AB stars of 18 to 22 AB, galaxies of 19 to 23 AB and
# faint stars of 24 to 25 AB. Each magnitude as often as the others.
_BRIGHTER = {
    "star": (6.5, 5.5, 4.5, 3.5, 2.5),
    "galaxy": (5.5, 4.5, 3.5, 2.5, 1.5),
    "faint": (0.5, 0.0, -0.5),
}
_EACH = {"star": 4, "galaxy": 4, "faint": 20}
_RADII_ARCSEC = (0.3, 0.6, 1.0, 0.45)  # half-light, along the major axis
_SERSIC = (1.0, 2.5)
_AXIS_RATIO = 0.7
_SEPARATION_FWHM = 14.0
_STAR_REACH_ARCSEC = 6.6  # of an added star's light
# FWHM: where a faint star is measured, and the ring that its sky is measured in
_APERTURE, _RING = 1.5, (4.0, 8.0)
_AROUND_FWHM = 8.0  # how far around a source its light raises the sky
_BOXES = (25, 50)  # pixels, of Background2D
_FEWEST = 0.1  # share of a ring's pixels that its median takes
_EMPTIEST = 90.0  # % of a box's pixels: boxes with more are filled from those around them
SKIES = ("ring", *(f"box_{box}" for box in _BOXES))  # the ways a star's sky is measured
NO_MASK = "none"
# of tables with an image, in which no image could be measured
COLUMNS = ["image", "method", "domain", "kind", "ab_mag", "left", "around", *SKIES, "simulated"]
NEAR_COLUMNS = ["image", "method", "domain", "near", "share", "simulated"]


class AddedSource(NamedTuple):
    """A source in an image: `light` (n, m; MJy/sr), in `part` of the image, at x, y (pixels).

    `kind`: star, galaxy, or faint for a star whose flux is measured.
    """

    kind: str
    ab_mag: float
    x: float
    y: float
    part: tuple[slice, slice]
    light: NDArray[np.float32]


def added_magnitudes(kind: str, middle_ab: float) -> list[float]:
    """AB magnitudes of the added sources of a kind (`AddedSource`), the brightest first.

    `middle_ab` is the middle of `evaluation.curve_magnitudes`.
    """
    return [middle_ab - brighter for brighter in _BRIGHTER[kind]]


def added_sources(
    crop: Frame,
    allowed: NDArray[np.bool_],
    psf: Psf,
    *,
    middle_ab: float,
    rng: np.random.Generator,
) -> list[AddedSource]:
    """Stars, galaxies and faint stars at random positions in `allowed`, 14 FWHM apart.

    As many as there is room for, of all kinds and `added_magnitudes` alike. `psf`: of the crop's
    filter. MaskError where there is room for none.
    """
    wanted = [
        (kind, magnitude)
        for kind, number in _EACH.items()
        for magnitude in added_magnitudes(kind, middle_ab)
        for _ in range(number)
    ]
    order = rng.permutation(len(wanted))
    positions = draw_positions(
        allowed, len(wanted), separation_px=_SEPARATION_FWHM * crop.fwhm_px, rng=rng
    )
    scale = crop.pixel_scale
    stars = StarStamps(
        psf, pixel_scale_arcsec=scale, half=round(_STAR_REACH_ARCSEC / scale), phases=8
    )
    step = scale / psf.pixel_scale_arcsec * psf.oversample
    sources = []
    for number, (x, y) in zip(order.tolist(), positions.tolist(), strict=False):
        kind, magnitude = wanted[number]
        column, row = round(x), round(y)
        if kind == "galaxy":
            shape = {
                "radius_px": _RADII_ARCSEC[number % len(_RADII_ARCSEC)] / psf.pixel_scale_arcsec,
                "sersic_n": _SERSIC[number // 2 % len(_SERSIC)],
                "axis_ratio": _AXIS_RATIO,
                "angle_deg": float(rng.uniform(0, 180)),
            }
            coefficients, half = galaxy_light(shape, psf)
            half = int(half * psf.oversample / step)
            light = stamp(coefficients, step, x - column, y - row, half)
            light /= light.sum()
        else:
            light, half = stars.of(x - column, y - row), stars.half
        flux = np.float32(ab_to_mjy_sr(magnitude, crop.pixel_area_sr))
        part, inside = on_image(row - half, column - half, light.shape, crop.data.shape)
        sources.append(AddedSource(kind, magnitude, x, y, part, flux * light[inside]))
    return sources


def added_image(data: NDArray[np.floating], sources: Sequence[AddedSource]) -> NDArray[np.float32]:
    """A copy of an image (ny, nx) with the sources; NaN stay NaN."""
    image = np.array(data, np.float32)
    for source in sources:
        image[source.part] += source.light
    return image


def measure_added(
    crop: Frame,
    sources: Sequence[AddedSource],
    methods: Sequence[str],
    *,
    options: Options | None = None,
) -> pd.DataFrame:
    """A row for every added source and mask, and for no mask at all (`none`).

    Columns: method, kind, ab_mag, left (share of its light outside of the mask; empty pixels do not
    count), around (what its light outside raises the unmasked pixels within 8 FWHM by, their mean
    in units of the noise of a pixel, the median of ERR), and for faint stars `ring`, `box_25` and
    `box_50`: the relative error of their flux with the sky from there (see `photometry`), NaN for
    the others.
    """
    pixels = added_image(crop.masked, sources)
    made = make_masks(replace(crop, data=pixels), methods, options=options)
    masks = {NO_MASK: np.zeros(crop.empty.shape, bool)}
    masks |= {name: one.mask for name, one in made.items()}
    noise = _pixel_noise(crop)
    reach = _AROUND_FWHM * crop.fwhm_px
    close = [
        (_within(one, reach, one.part), *_disc(one, reach, crop.empty.shape)) for one in sources
    ]
    apertures = [
        StarAperture(one, crop.empty.shape, fwhm_px=crop.fwhm_px)
        for one in sources
        if one.kind == "faint"
    ]
    rows = []
    for name, mask in masks.items():
        outside = ~mask & ~crop.empty
        errors = iter(photometry(pixels, mask, crop.empty, apertures))
        for source, (near, part, disc) in zip(sources, close, strict=True):
            left = outside[source.part]
            seen = source.light[~crop.empty[source.part]].sum()
            pixels_around = np.count_nonzero(outside[part] & disc)
            light_around = source.light[near & left].sum()
            rows.append(
                {
                    "method": name,
                    "kind": source.kind,
                    "ab_mag": source.ab_mag,
                    "left": float(source.light[left].sum() / seen) if seen > 0 else np.nan,
                    "around": light_around / pixels_around / noise if pixels_around else np.nan,
                    **dict.fromkeys(SKIES, np.nan),
                }
            )
            if source.kind == "faint":
                rows[-1] |= next(errors)
    return pd.DataFrame(rows)


def _within(
    source: AddedSource, distance_px: float, part: tuple[slice, slice]
) -> NDArray[np.bool_]:
    """The pixels of a part of an image within a distance of a source."""
    rows = np.arange(part[0].start, part[0].stop)[:, None] - source.y
    columns = np.arange(part[1].start, part[1].stop) - source.x
    return np.hypot(rows, columns) <= distance_px


def _disc(
    source: AddedSource, radius_px: float, shape: tuple[int, int]
) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
    """The part of an image of `shape` that holds the circle around a source, and the circle."""
    half = int(np.ceil(radius_px)) + 1
    corner = round(source.y) - half, round(source.x) - half
    part, _ = on_image(*corner, (2 * half + 1, 2 * half + 1), shape)
    return part, _within(source, radius_px, part)


def _pixel_noise(crop: Frame) -> float:
    """Noise of a pixel: the median of ERR, or, without one, from pixels three apart.

    What these differ by has a nebula's structure in it: ten times the noise, where it is steep.
    """
    if crop.error is not None:
        error = crop.error[:][~crop.empty]  # it may have stayed in its file
        known = error[np.isfinite(error) & (error > 0)]
        if known.size:
            return float(np.median(known))
    differences = crop.masked[:, 3:] - crop.masked[:, :-3]
    known = differences[np.isfinite(differences)]
    return float(SIGMA_PER_MAD * np.median(np.abs(known)) / np.sqrt(2)) if known.size else np.nan


class StarAperture:
    """Where a star's flux is measured: within 1.5 FWHM, its sky in a ring of 4 to 8 FWHM.

    `true`: the star's own light within the aperture, MJy/sr x pixels.
    """

    def __init__(self, star: AddedSource, shape: tuple[int, int], *, fwhm_px: float) -> None:
        from photutils.aperture import CircularAnnulus, CircularAperture

        at = (star.x, star.y)
        radii = [radius * fwhm_px for radius in _RING]
        within = CircularAperture(at, _APERTURE * fwhm_px).to_mask(method="exact")
        ring = CircularAnnulus(at, *radii).to_mask(method="center")
        alone = np.zeros(shape, np.float32)
        alone[star.part] = star.light
        self.true = float(within.multiply(alone).sum())
        # the aperture lies on the image; a part of the ring may not
        self.part, inside = within.get_overlap_slices(shape)
        self.weight = within.data[inside]
        self.ring_part, inside = ring.get_overlap_slices(shape)
        self.ring = ring.data[inside] > 0


def photometry(
    image: NDArray[np.floating],
    mask: NDArray[np.bool_],
    empty: NDArray[np.bool_],
    stars: Sequence[StarAperture],
) -> list[dict[str, float]]:
    """Relative errors of the stars' fluxes, by where the sky under them comes from.

    The flux is that within the aperture less the sky; the true one is that of the star's own light
    there. `ring`: the sky is the median of the unmasked pixels in the ring; `box_25`, `box_50`:
    photutils' `Background2D` with the mask, with its defaults but that boxes, of 25 and 50 px, may
    be masked up to nine tenths. NaN where there is no such sky, and where the aperture has pixels
    without data. `image`, `mask` and `empty` are (ny, nx).
    """
    hidden = empty | ~np.isfinite(image)
    filled = np.where(hidden, 0, image)
    levels = {}
    if stars and not (mask | hidden).all():
        for box in _BOXES:
            found = boxes_or_whole(
                filled,
                min(box, *image.shape),
                mask=mask & ~hidden,
                coverage_mask=hidden,
                exclude_percentile=_EMPTIEST,
            )
            levels[f"box_{box}"] = between_boxes(found.background_mesh, found.box_size, image.shape)
    errors = []
    for star in stars:
        error = dict.fromkeys(SKIES, np.nan)
        if not hidden[star.part][star.weight > 0].any():
            total, area = (star.weight * filled[star.part]).sum(), star.weight.sum()
            usable = star.ring & ~(mask | hidden)[star.ring_part]
            sky = {name: (star.weight * level[star.part]).sum() for name, level in levels.items()}
            if usable.sum() >= _FEWEST * star.ring.sum():
                sky["ring"] = np.median(filled[star.ring_part][usable]) * area
            error |= {name: float((total - below) / star.true - 1) for name, below in sky.items()}
        errors.append(error)
    return errors


### sources that are there #########################################################################


def near_pixels(
    crop: Frame, sources: NDArray[np.floating], *, near_fwhm: float = 8.0
) -> NDArray[np.bool_]:
    """The pixels within `near_fwhm` FWHM of one of the sources (n, 2: x, y in pixels), (ny, nx)."""
    return pixels_around(sources, crop.data.shape, near_fwhm * crop.fwhm_px)


def near_and_far(
    crop: Frame, mask: NDArray[np.bool_], near: NDArray[np.bool_], *, box_fwhm: float = 40.0
) -> dict[str, float]:
    """By how much the unmasked sky near sources is above that far from them, in sigma.

    `near`: the pixels near a source (`near_pixels` of the reference peaks), the same for every
    mask; the others are far. Both are compared in boxes of `box_fwhm`, within which the background
    is taken to be even: the mean near less the mean far of the same box, over the noise of a pixel,
    and its mean over the boxes, each weighing as its near pixels. `near`: that mean; `share`: the
    near pixels that are in boxes with a tenth of their pixels far. NaN where no box has both. What
    a mask takes of the noise, and faint sources that are no peaks, are in both means.
    """
    seen = ~crop.empty & np.isfinite(crop.data)
    noise = _pixel_noise(crop)
    box = max(1, round(box_fwhm * crop.fwhm_px))
    total = weight = 0.0
    for top in range(0, seen.shape[0], box):
        for left in range(0, seen.shape[1], box):
            part = np.s_[top : top + box, left : left + box]
            far = crop.data[part][~near[part] & seen[part] & ~mask[part]]
            close = crop.data[part][near[part] & seen[part] & ~mask[part]]
            if close.size and far.size >= _FEWEST * seen[part].sum():
                total += float(close.mean(dtype=float) - far.mean(dtype=float)) * close.size
                weight += close.size
    all_near = int((near & seen & ~mask).sum())
    return {
        "near": total / weight / noise if weight else np.nan,
        "share": weight / all_near if all_near else np.nan,
    }


### all images #####################################################################################


def pool_added(table: pd.DataFrame, *, middle_ab: float, draws: int, seed: int) -> pd.DataFrame:
    """Rows of `measure_added`, with an image and a domain, as one row a method.

    `middle_ab` as in `added_sources`. stars_left, galaxies_left, and the same of the three
    brightest and the two faintest magnitudes, which their names say (stars_18_20, stars_21_22);
    stars_around, galaxies_around: means. faint: how many faint stars.
    For each way to measure the sky (`SKIES`): `_bias`, the median relative error of the faint
    stars' flux; `_scatter`, 1.4826 times its median absolute deviation; `_moved`, that median less
    the one without a mask, of the stars that have both, and the ends of its 95 % interval over
    `draws` bootstrap draws of the stars; `_lost`, the share of the stars without such a sky.
    """
    faint = table[table["kind"] == "faint"]
    base = faint[faint["method"] == NO_MASK].reset_index(drop=True)
    uniform = np.random.default_rng(seed).random((draws, len(base)))
    rows = []
    for (method, domain), own in table.groupby(["method", "domain"], sort=False):
        row: dict[str, object] = {"method": method, "domain": domain}
        for kind, name in (("star", "stars"), ("galaxy", "galaxies")):
            those = own[own["kind"] == kind]
            row[f"{name}_left"] = those["left"].mean()
            followed = added_magnitudes(kind, middle_ab)
            for part in (followed[:3], followed[3:]):
                # a table that was written has magnitudes of six digits
                ends = part[0] - 0.01, part[-1] + 0.01
                left = those.loc[those["ab_mag"].between(*ends), "left"]
                row[f"{name}_{part[0]:g}_{part[-1]:g}"] = left.mean()
            row[f"{name}_around"] = those["around"].mean()
        those = own[own["kind"] == "faint"].reset_index(drop=True)
        row["faint"] = len(those)
        for sky in SKIES:
            errors, without = (each[sky].to_numpy(float) for each in (those, base))
            row |= {f"{sky}_{name}": value for name, value in _errors(errors).items()}
            row |= {f"{sky}_{k}": v for k, v in _moved(errors, without, uniform).items()}
        rows.append(row)
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["method", "domain"])


def _errors(errors: NDArray[np.float64]) -> dict[str, float]:
    """Median, scatter and missing share of relative errors; NaN where none is known.

    One has no scatter.
    """
    known = errors[np.isfinite(errors)]
    if not known.size:
        return {"bias": np.nan, "scatter": np.nan, "lost": 1.0 if errors.size else np.nan}
    middle = np.median(known)
    return {
        "bias": float(middle),
        "scatter": float(SIGMA_PER_MAD * np.median(np.abs(known - middle)))
        if known.size > 1
        else np.nan,
        "lost": 1 - known.size / errors.size,
    }


def _moved(
    errors: NDArray[np.float64], without: NDArray[np.float64], uniform: NDArray[np.float64]
) -> dict[str, float]:
    """Difference of the medians and the ends of its 95 % interval; NaN where none is known.

    Not the median of the differences: where a mask leaves more than half of the stars as they are
    that is 0, whatever it does to the others. `uniform` (draws, stars): random numbers from 0 to 1
    that the bootstrap picks stars by, the same stars on both sides.
    """
    known = np.isfinite(errors) & np.isfinite(without)
    if not known.any():
        return dict.fromkeys(("moved", "moved_low", "moved_high"), np.nan)
    both = np.stack([errors[known], without[known]])
    number = both.shape[1]
    picked = (uniform[:, :number] * number).astype(int)
    drawn, undrawn = np.median(both[:, picked], axis=2)
    low, high = np.percentile(drawn - undrawn, [2.5, 97.5])
    moved = np.subtract(*np.median(both, axis=1))
    return {"moved": float(moved), "moved_low": low, "moved_high": high}
