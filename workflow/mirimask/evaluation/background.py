"""What a mask is for: which light of the sources it leaves in the sky, against the truth.

An image is its true sky, the light of its sources, and noise. The sky that is left in the unmasked
pixels is compared with the true one in units of the noise of a pixel; docs/method.md has the
measures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.image.galaxy import galaxy_light
from mirimask.image.psf import Psf, on_image, stamp
from mirimask.units import SIGMA_PER_MAD

__all__ = [
    "SourceStamp",
    "TrueSky",
    "bright_star_parts",
    "ideal_mask",
    "light_left",
    "pool_use",
    "sky_left",
    "source_stamps",
    "true_sky",
    "use_row",
    "wings_limit",
]

_BOX = 50  # pixels: what a background is measured in
_FEWEST = 0.1  # share of a box's pixels that must be left for its mean to say anything
_NO_LIGHT = 0.1  # sigma: below it no source shines
_STAR_REACH = 60  # pixels: as far as a star's light is followed
_WING_FWHM = 3.0  # where a star's wings begin
_SPIKE = 2.0  # times the mean at the same distance: what is a spike
# The sources whose light is followed, how they are told apart, and the stars whose wings and spikes
# are looked at apart, by how many magnitudes they are brighter than the middle of
# `evaluation.curve_magnitudes`, about the depth of the images: with 24.5 AB stars of 18, 20 and
# 22 AB, galaxies of 18, 21 and 23 AB, and stars of 18.5 AB and brighter.
_BRIGHTER = {"star": (6.5, 4.5, 2.5), "galaxy": (6.5, 3.5, 1.5)}
_WINGS_BRIGHTER = 6.0


@dataclass(frozen=True)
class TrueSky:
    """An image less its true sky, and the light of its sources; (ny, nx), units of the noise.

    `sigma`: that noise, of one pixel, in the units of the image. `observed`: pixels with data.
    """

    excess: NDArray[np.float32]
    light: NDArray[np.float32]
    observed: NDArray[np.bool_]
    sigma: float


def true_sky(
    data: NDArray[np.floating],
    light: NDArray[np.floating],
    sky: NDArray[np.floating],
    empty: NDArray[np.bool_],
) -> TrueSky:
    """What is known of a simulated image; all (ny, nx), one unit.

    Noise is what the image has besides `sky` and `light`: its scatter, from the median absolute
    deviation, is the unit; its median, a pedestal of the detector, counts as sky.
    """
    observed = ~empty & np.isfinite(data)
    noise = np.where(observed, data - sky - light, np.nan)
    pedestal = np.nanmedian(noise)
    sigma = float(SIGMA_PER_MAD * np.nanmedian(np.abs(noise - pedestal)))
    excess = np.where(observed, (data - sky - pedestal) / sigma, np.nan)
    lit = np.where(observed, light / sigma, 0)
    return TrueSky(excess.astype(np.float32), lit.astype(np.float32), observed, sigma)


def sky_left(true: TrueSky, mask: NDArray[np.bool_], *, box: int = _BOX) -> dict[str, float]:
    """What the unmasked pixels are above the true sky, in sigma: median, mean, worst box.

    The worst is the largest mean in whole boxes of `box` x `box` pixels with at least a tenth of
    their pixels left. NaN where no pixel is left.
    """
    left = true.observed & ~mask
    values = true.excess[left]
    rows, columns = (n // box for n in mask.shape)
    tiles = (rows, box, columns, box)
    part = np.s_[: rows * box, : columns * box]
    number = left[part].reshape(tiles).sum(axis=(1, 3))
    total = np.where(left, true.excess, 0)[part].reshape(tiles).sum(axis=(1, 3), dtype=float)
    enough = number >= _FEWEST * box**2
    return {
        "sky_median": float(np.median(values)) if values.size else np.nan,
        "sky_mean": _mean(values),
        "sky_worst": float((total[enough] / number[enough]).max()) if enough.any() else np.nan,
    }


def ideal_mask(true: TrueSky, pixels: int) -> NDArray[np.bool_]:
    """The mask of so many pixels that leaves least light: those in which there is most."""
    ideal = np.zeros(true.light.shape, bool)
    if pixels > 0:
        order = np.argsort(np.where(true.observed, true.light, -np.inf), axis=None, kind="stable")
        ideal.ravel()[order[-pixels:]] = True
    return ideal


class SourceStamp(NamedTuple):
    """The light of one source, of sum 1, in a part of the image, and its flux (any unit).

    `kind`: star or galaxy, and for what a bright star has further out `wings` and `spikes`.
    """

    kind: str
    ab_mag: float
    flux: float
    part: tuple[slice, slice]
    light: NDArray[np.float32]


def bright_star_parts(
    truth: pd.DataFrame, psf: Psf, shape: tuple[int, int], *, middle_ab: float, fwhm_px: float
) -> list[SourceStamp]:
    """Wings and spikes of stars brighter than `wings_limit`, as far as they lie on the image.

    Both begin 3 FWHM from the star and end where the PSF does. A spike (and the cruciform) is where
    the light is more than twice the mean at the same distance; the wings are the rest. Columns of
    `truth` as in `source_stamps`.
    """
    coefficients, parts = psf.spline(), []
    half = psf.data.shape[0] // (2 * psf.oversample) - 1
    for row in truth.to_dict("records"):
        if row["kind"] != "star" or row["ab_mag"] > wings_limit(middle_ab):
            continue
        x, y = round(row["x"]), round(row["y"])
        light = stamp(coefficients, psf.oversample, row["x"] - x, row["y"] - y, half)
        distance = np.hypot(*(np.indices(light.shape) - half))
        ring = distance.astype(int)
        mean = np.bincount(ring.ravel(), light.ravel()) / np.bincount(ring.ravel())
        spike = light > _SPIKE * mean[ring]
        outer = distance > _WING_FWHM * fwhm_px
        part, inside = on_image(y - half, x - half, light.shape, shape)
        for kind, where in (("spikes", outer & spike), ("wings", outer & ~spike)):
            own = np.where(where, light, 0)[inside]
            if own.sum() > 0:
                parts.append(SourceStamp(kind, row["ab_mag"], row["flux"], part, own / own.sum()))
    return parts


def wings_limit(middle_ab: float) -> float:
    """AB magnitude of the faintest stars whose wings and spikes are looked at apart."""
    return middle_ab - _WINGS_BRIGHTER


def source_stamps(
    truth: pd.DataFrame, psf: Psf, shape: tuple[int, int], *, middle_ab: float
) -> list[SourceStamp]:
    """The light of every source whose light is followed, as far as it lies on an image of `shape`.

    Stars 2.5 to 6.5 magnitudes brighter than `middle_ab`, about the depth of the images, and
    galaxies 1.5 to 6.5; what is beyond the image is not counted.
    `truth` has kind, ab_mag, flux, x, y (pixels of the image), half_light_radius, sersic_n,
    axis_ratio and position_angle.
    """
    star, stamps = psf.spline(), []
    for row in truth.to_dict("records"):
        high, *_, low = _BRIGHTER[row["kind"]]
        if not low <= middle_ab - row["ab_mag"] <= high:
            continue
        coefficients, half = star, min(_STAR_REACH, psf.data.shape[0] // (2 * psf.oversample) - 1)
        if row["kind"] == "galaxy":
            coefficients, half = galaxy_light(
                {
                    "radius_px": row["half_light_radius"],
                    "sersic_n": row["sersic_n"],
                    "axis_ratio": row["axis_ratio"],
                    "angle_deg": row["position_angle"],
                },
                psf,
            )
        x, y = round(row["x"]), round(row["y"])
        light = stamp(coefficients, psf.oversample, row["x"] - x, row["y"] - y, half)
        part, inside = on_image(y - half, x - half, light.shape, shape)
        inner, flux = light[inside], float(row["flux"])
        if inner.sum() > 0:
            stamps.append(SourceStamp(row["kind"], row["ab_mag"], flux, part, inner / inner.sum()))
    return stamps


def light_left(
    stamps: Sequence[SourceStamp], mask: NDArray[np.bool_], observed: NDArray[np.bool_]
) -> pd.DataFrame:
    """Of each source the share of its observed light outside of a mask: kind, ab_mag, flux, left.

    `mask` and `observed` are (ny, nx). A source of which nothing was observed has no row.
    """
    rows = []
    for one in stamps:
        light = np.where(observed[one.part], one.light, 0)
        if (seen := light.sum()) > 0:
            left = float(light[~mask[one.part]].sum() / seen)
            rows.append((one.kind, one.ab_mag, one.flux, left))
    return pd.DataFrame(rows, columns=["kind", "ab_mag", "flux", "left"])


def use_row(
    true: TrueSky, mask: NDArray[np.bool_], stamps: Sequence[SourceStamp], *, middle_ab: float
) -> dict[str, float]:
    """Every measure of one mask; `middle_ab` as in `source_stamps`.

    area: its share of the observed pixels. sky_median, sky_mean, sky_worst: see `sky_left`;
    ideal_mean: sky_mean of the ideal mask of the same area. light_mean, ideal_light: the same two
    of the sources' light alone, without the noise, which a mask of the brightest pixels takes with
    it. ideal_stars and ideal_galaxies: what it leaves of their light. waste: the share of the mask
    in which no source shines (less than 0.1 sigma of light). stars_left, galaxies_left: the share
    of their observed light outside (`light_left`), mean of the sources, and the same in two ranges
    of magnitude, which their names say (stars_18_20, stars_20_22); `_pooled`: of the light of all
    together. wings_left, spikes_left: the share of what bright stars have there
    (`bright_star_parts`), mean of the stars. NaN where there is no such source.
    """
    mask = mask & true.observed
    pixels = int(mask.sum())
    row: dict[str, float] = {"area": pixels / max(1, int(true.observed.sum()))}
    row |= sky_left(true, mask)
    ideal = ideal_mask(true, pixels)
    row["ideal_mean"] = sky_left(true, ideal)["sky_mean"]
    row["light_mean"] = _mean(true.light[true.observed & ~mask])
    row["ideal_light"] = _mean(true.light[true.observed & ~ideal])
    lost = light_left(stamps, ideal, true.observed)
    row["waste"] = float((true.light[mask] < _NO_LIGHT).mean()) if pixels else np.nan
    left = light_left(stamps, mask, true.observed)
    for kind, name in (("star", "stars"), ("galaxy", "galaxies")):
        own = left[left["kind"] == kind]
        row[f"{name}_left"] = float(own["left"].mean())
        row[f"ideal_{name}"] = float(lost.loc[lost["kind"] == kind, "left"].mean())
        flux = own["flux"].sum()
        row[f"{name}_pooled"] = float((own["left"] * own["flux"]).sum() / flux) if flux else np.nan
        low, middle, high = (middle_ab - brighter for brighter in _BRIGHTER[kind])
        for a, b in ((low, middle), (middle, high)):
            part = own[own["ab_mag"].between(a, b, inclusive="left")]
            row[f"{name}_{a:g}_{b:g}"] = float(part["left"].mean())
    for part_name in ("wings", "spikes"):
        row[f"{part_name}_left"] = float(left.loc[left["kind"] == part_name, "left"].mean())
    return row


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean(dtype=float)) if values.size else np.nan


def pool_use(table: pd.DataFrame) -> pd.DataFrame:
    """The mean of every measure over the images, for each method: image `All`."""
    measures = [name for name in table.columns if name not in ("image", "method", "domain")]
    pooled = table.groupby(["method", "domain"], sort=False, dropna=False)[measures].mean()
    return pooled.reset_index().assign(image="All")[table.columns]
