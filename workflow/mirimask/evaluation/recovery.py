"""Injection and recovery: how faint a star does a mask still mark?

Stars of known AB magnitude are added to an image, the mask is made again, and a star counts as
recovered where the mask then has a spot of its own for it (docs/method.md, "Evaluation: injection,
curves, recommended mask"). Works on any image, simulated or real.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from mirimask.errors import MaskError
from mirimask.image.frame import Frame
from mirimask.image.psf import Psf
from mirimask.intervals import wilson
from mirimask.masks.make import make_masks
from mirimask.masks.names import leaves
from mirimask.masks.registry import Options
from mirimask.units import ab_to_jansky, jansky_per_pixel

__all__ = [
    "Fit",
    "StarStamps",
    "ab_to_mjy_sr",
    "bootstrap_depths",
    "brightest_pixels",
    "draw_positions",
    "fit_completeness",
    "free_pixels",
    "has_match",
    "inject",
    "logistic",
    "measurable_images",
    "pool_recovery",
    "recover",
    "recovery_by_magnitude",
]

_BOX = np.ones((3, 3), bool)  # 8-connected
_REACH_ARCSEC = 4.4  # of an added star's wings


### stars ##########################################################################################


def ab_to_mjy_sr(magnitude: ArrayLike, pixar_sr: float) -> NDArray[np.float64]:
    """Light of a star of AB magnitude `magnitude`, summed over its pixels, in MJy/sr.

    `pixar_sr` is the solid angle of a pixel (steradian). A magnitude of infinity gives 0.
    """
    return ab_to_jansky(magnitude) / jansky_per_pixel(pixar_sr)


class StarStamps:
    """Stars on a resampled image's pixels, from a cache of sub-pixel positions.

    The detector's PSF is first widened by what resampling does to it on average: a convolution
    with an input pixel and with an output pixel (drizzle with a square kernel and pixfrac 1).

    Parameters: `psf`; `pixel_scale_arcsec` of the image; `half`, a stamp has 2 `half` + 1 pixels a
    side (None: 4.4 arcsec to each side, 40 px of 0.11 arcsec); `phases`, sub-pixel positions along
    an axis.
    """

    def __init__(
        self, psf: Psf, *, pixel_scale_arcsec: float, half: int | None = None, phases: int = 8
    ) -> None:
        self.half = round(_REACH_ARCSEC / pixel_scale_arcsec) if half is None else half
        self.phases = phases
        self.step = pixel_scale_arcsec / psf.pixel_scale_arcsec * psf.oversample
        data = np.asarray(psf.data, np.float32)
        for width in (psf.oversample, self.step):
            data = _boxed(data, width)
        # the share of the light in a pixel of the image, not of the detector
        self.data = data / data.sum() * self.step**2
        self.cache: dict[tuple[int, int], NDArray[np.float32]] = {}

    def of(self, fx: float, fy: float) -> NDArray[np.float32]:
        """Light of a star of flux 1 that lies (fx, fy) px off the stamp's centre."""
        key = (round(fx * self.phases), round(fy * self.phases))
        if key not in self.cache:
            axis = np.arange(-self.half, self.half + 1)
            middle = self.data.shape[0] // 2
            x, y = ((axis - phase / self.phases) * self.step + middle for phase in key)
            self.cache[key] = ndimage.map_coordinates(
                self.data, np.meshgrid(y, x, indexing="ij"), order=1, output=np.float32
            )
        return self.cache[key]


def _boxed(data: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Convolve with a square of `width` samples, of any (not only whole) width."""
    reach = int(np.ceil(width / 2 + 0.5))
    offset = np.arange(-reach, reach + 1)
    weights = np.clip(width / 2 - np.abs(offset) + 0.5, 0, 1)
    for axis in (0, 1):
        data = ndimage.convolve1d(data, weights / weights.sum(), axis=axis, mode="constant")
    return data


def inject(
    image: NDArray[np.floating],
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    flux: NDArray[np.floating],
    stamps: StarStamps,
) -> NDArray[np.float32]:
    """A copy of `image` (ny, nx; MJy/sr) with stars at (x, y) of summed light `flux` (MJy/sr).

    NaN stay NaN; what falls beyond the rim is lost. Photon noise of the stars is not added: on
    MIRI's images the background's is larger for every star near the detection limit.
    """
    out = np.array(image, dtype=np.float32)
    ny, nx = out.shape
    half = stamps.half
    for xi, yi, light in zip(x, y, flux, strict=True):
        if light <= 0:
            continue
        column, row = round(float(xi)), round(float(yi))
        stamp = stamps.of(float(xi) - column, float(yi) - row)
        y0, y1 = max(row - half, 0), min(row + half + 1, ny)
        x0, x1 = max(column - half, 0), min(column + half + 1, nx)
        if y0 < y1 and x0 < x1:
            part = stamp[y0 - row + half : y1 - row + half, x0 - column + half : x1 - column + half]
            out[y0:y1, x0:x1] += np.float32(light) * part
    return out


_ROWS = 128  # of an image at a time: distances of a whole one need ten arrays of its size


def free_pixels(
    empty: NDArray[np.bool_], x: NDArray[np.number], y: NDArray[np.number], *, distance_px: float
) -> NDArray[np.bool_]:
    """Pixels where a star may be added, (ny, nx) bool.

    Not empty, and at least `distance_px` from empty pixels, from the rim, and from the detected
    sources at (x, y): a star on another source could not be told from it.
    """
    taken = np.pad(empty, 1, constant_values=True)
    columns, rows = np.rint(x).astype(int) + 1, np.rint(y).astype(int) + 1
    inside = (rows > 0) & (rows < taken.shape[0]) & (columns > 0) & (columns < taken.shape[1])
    taken[rows[inside], columns[inside]] = True
    free, reach = ~taken, int(np.ceil(distance_px))
    for row in range(0, len(taken), _ROWS):
        above = min(row, reach)
        near = ~taken[row - above : row + _ROWS + reach]
        far = ndimage.distance_transform_edt(near) >= distance_px
        free[row : row + _ROWS] = far[above:][:_ROWS]
    return free[1:-1, 1:-1]


def draw_positions(
    allowed: NDArray[np.bool_],
    number: int,
    *,
    separation_px: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Up to `number` random positions (n, 2: x, y) in allowed pixels, `separation_px` apart.

    Sub-pixel phases are uniform. Fewer come back where no more fit in 50 x `number` attempts.
    MaskError where no pixel is allowed.
    """
    rows, columns = np.nonzero(allowed)
    if rows.size == 0:
        raise MaskError(
            "injection: no place for a star; every pixel is empty, at the rim or on a source."
        )
    cell = max(separation_px, 1.0)
    taken: dict[tuple[int, int], list[tuple[float, float]]] = {}
    found: list[tuple[float, float]] = []
    for _ in range(50):
        pick = rng.integers(0, rows.size, number)
        shift = rng.uniform(-0.5, 0.5, (2, number))
        for x, y in zip(columns[pick] + shift[0], rows[pick] + shift[1], strict=True):
            i, j = int(x // cell), int(y // cell)
            near = (
                other
                for di in (-1, 0, 1)
                for dj in (-1, 0, 1)
                for other in taken.get((i + di, j + dj), ())
            )
            if all(np.hypot(x - ox, y - oy) >= separation_px for ox, oy in near):
                taken.setdefault((i, j), []).append((x, y))
                found.append((float(x), float(y)))
                if len(found) == number:
                    return np.array(found)
    return np.array(found).reshape(-1, 2)


### recovery #######################################################################################


def brightest_pixels(
    mask: NDArray[np.generic], image: NDArray[np.floating], *, min_pixels: int = 1
) -> NDArray[np.int64]:
    """Where each spot of a mask is: its brightest pixel in the image, (n, 2: x, y).

    Labels (int) in place of a mask (bool) say themselves which pixels are a spot.

    `image` has the mask's shape; of equally bright pixels the last counts. Spots are 8-connected,
    of at least `min_pixels`.
    """
    if mask.dtype == bool:
        labels, count = ndimage.label(mask, structure=_BOX)
    else:
        labels, count = mask, int(mask.max(initial=0))
    inside = np.flatnonzero(labels)
    inside = inside[image.ravel()[inside].argsort(kind="stable")]
    spot = labels.ravel()[inside]
    brightest = np.full(count + 1, -1, np.int64)
    brightest[spot] = inside  # of equal labels the last, brightest one stays
    kept = np.flatnonzero(brightest >= 0)  # labels may leave numbers out
    if min_pixels > 1:
        kept = kept[np.bincount(spot, minlength=count + 1)[kept] >= min_pixels]
    y, x = np.divmod(brightest[kept], mask.shape[1])
    return np.column_stack([x, y])


def has_match(
    positions: NDArray[np.floating], spots: NDArray[np.number], radius_px: float | NDArray
) -> NDArray[np.bool_]:
    """For each of `positions` (n, 2) whether one of `spots` (m, 2) lies within `radius_px`.

    `radius_px` may be an array of n. No spots: all False.
    """
    if len(positions) == 0 or len(spots) == 0:
        return np.zeros(len(positions), bool)
    from scipy.spatial import cKDTree

    distance, _ = cKDTree(spots).query(positions)
    return np.asarray(distance <= radius_px)


def recovery_by_magnitude(recovered: pd.DataFrame) -> pd.DataFrame:
    """Counts and shares with 95 % Wilson intervals from one row an injected star and method.

    Columns in: method, magnitude (inf for stars without light), covered (bool: a spot is there,
    its own or not), recovered (bool: and none was there without the star). Columns out: method,
    magnitude, n, n_covered, n_recovered, completeness, low, high, chance: the share of the method's
    stars without light that a spot covers.
    """
    grouped = recovered.groupby(["method", "magnitude"], sort=False)
    table = grouped.agg(
        n=("recovered", "size"), n_covered=("covered", "sum"), n_recovered=("recovered", "sum")
    ).reset_index()
    table["completeness"] = table["n_recovered"] / table["n"]
    table["low"], table["high"] = wilson(table["n_recovered"], table["n"])
    dark = table[np.isinf(table["magnitude"])].set_index("method")
    table["chance"] = table["method"].map(dark["n_covered"] / dark["n"])
    return table


def measurable_images(depths: pd.DataFrame) -> list[str]:
    """The images in which a mask finds 80 % of the added stars of some magnitude, not by chance.

    `depths` has image, method, m80 (NaN: never 80 %) and chance, the share of random positions
    that the method covers. A mask that covers more than 5 % of them (or than the least of its
    image's) does not count. On another image, all nebula say, no mask is judged by added stars: it
    would only pull down what all images say together.
    """
    depths = depths.astype({"m80": float, "chance": float})
    least = depths.groupby("image")["chance"].transform("min")
    quiet = depths["chance"] <= np.maximum(least, 0.05)
    return list(dict.fromkeys(depths[quiet & np.isfinite(depths["m80"])]["image"]))


def pool_recovery(table: pd.DataFrame, *, name: str) -> pd.DataFrame:
    """Tables of `recovery_by_magnitude` of several images added up, as those of image `name`."""
    counts = table.groupby(["method", "magnitude"], sort=False, as_index=False)[
        ["n", "n_covered", "n_recovered"]
    ].sum()
    counts["completeness"] = counts["n_recovered"] / counts["n"]
    counts["low"], counts["high"] = wilson(counts["n_recovered"], counts["n"])
    dark = counts[np.isinf(counts["magnitude"])].set_index("method")
    counts["chance"] = counts["method"].map(dark["n_covered"] / dark["n"])
    pooled = counts.assign(image=name, simulated=bool(table["simulated"].any()))
    return pooled[table.columns]


def recover(
    image: Frame,
    methods: Sequence[str],
    stamps: StarStamps,
    *,
    options: Options | None = None,
    allowed: NDArray[np.bool_],
    magnitudes: list[float],
    stars: int,
    each: int,
    separation_px: float,
    tolerance_px: float,
    pixar_sr: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Add stars, make the masks again, and see which stars they mark.

    `methods` are names of masks, with slices over the crop, `options` their settings (both as in
    `make_masks`). At least `stars` stars of each of `magnitudes` (AB), and as many of no light
    (inf), `each` of each in one realisation, at random positions in `allowed`, `separation_px`
    apart. A star is
    covered where a spot's brightest pixel lies within `tolerance_px` of it, and recovered where it
    is and no spot's did without the stars. Where a small image has no room for all of a
    realisation's stars, there are more realisations with fewer. MaskError where there is no room at
    all, and for a slice over the published frame. Returns one row for each star and method: method,
    magnitude, covered, recovered.
    """
    for leaf in (leaf for name in methods for leaf in leaves(name)):
        if leaf.domain == "published":
            raise MaskError(
                f"evaluation: '{leaf.name}' has its percentage over the published frame; "
                "images with added stars are sliced over the crop. Leave the domain out."
            )

    def spots(pixels: NDArray[np.float32]) -> dict[str, NDArray[np.int64]]:
        made = make_masks(replace(image, data=pixels), methods, options=options)
        return {name: brightest_pixels(one.mask, pixels) for name, one in made.items()}

    data = image.masked
    before = spots(data)
    steps = np.append(np.asarray(magnitudes, float), np.inf)
    rows: list[pd.DataFrame] = []
    count = np.zeros(steps.size, int)
    while count.min() < stars:
        positions = draw_positions(allowed, each * steps.size, separation_px=separation_px, rng=rng)
        # what there is no room for is missed by the magnitudes in turn, not by the last ones
        level = (np.arange(len(positions)) + count.sum()) % steps.size
        count += np.bincount(level, minlength=steps.size)
        flux = ab_to_mjy_sr(steps[level], pixar_sr)
        added = inject(data, positions[:, 0], positions[:, 1], flux, stamps)
        for name, found in spots(added).items():
            covered = has_match(positions, found, tolerance_px)
            rows.append(
                pd.DataFrame(
                    {
                        "method": name,
                        "magnitude": steps[level],
                        "covered": covered,
                        "recovered": covered & ~has_match(positions, before[name], tolerance_px),
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


### the curve ######################################################################################


@dataclass(frozen=True)
class Fit:
    """A fitted completeness curve: see `logistic`; `m80` is NaN where it never reaches 80 %."""

    c0: float
    m50: float
    w: float
    m80: float


def logistic(
    magnitude: ArrayLike, c0: ArrayLike, m50: ArrayLike, w: ArrayLike
) -> NDArray[np.float64]:
    """Completeness `c0` / (1 + exp((m - `m50`) / `w`)).

    `m50` is where it falls to half of its plateau `c0`; `w` (mag) is the width of the fall.
    """
    m, plateau, half, width = (np.asarray(a, float) for a in (magnitude, c0, m50, w))
    return plateau / (1 + np.exp(np.clip((m - half) / width, -500, 500)))


def fit_completeness(magnitude: ArrayLike, recovered: ArrayLike, n: ArrayLike) -> Fit:
    """Fit `logistic` to shares of recovered stars, weighted by their binomial uncertainty.

    All values NaN where fewer than four magnitudes have stars, where at no magnitude a tenth is
    recovered, or where the fall lies outside the magnitudes (a curve that cannot be known).
    `m80` is the magnitude of 80 % completeness (not of 0.8 `c0`), NaN where there is none.
    """
    m, k, number = (np.asarray(values, float) for values in (magnitude, recovered, n))
    c0, m50, w = _fit_many(m, k[None], number)[0]
    return Fit(float(c0), float(m50), float(w), float(_m80(c0, m50, w)))


def _m80(
    c0: NDArray[np.float64], m50: NDArray[np.float64], w: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Where a curve falls to 80 %; NaN where its plateau is lower."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(m50 + w * np.log(np.where(c0 > 0.8, c0, np.nan) / 0.8 - 1))


def _fit_many(
    m: NDArray[np.float64], k: NDArray[np.float64], n: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`fit_completeness` for many draws `k` (draws, magnitudes) at once: (draws, 3) c0, m50, w.

    Levenberg-Marquardt, all draws in step: a bootstrap in one call instead of hundreds.
    """
    used = np.isfinite(m) & (n > 0)
    order = np.flatnonzero(used)[np.argsort(m[used])]
    m, k, n = m[order], k[:, order], n[order]
    if m.size < 4:
        return np.full((len(k), 3), np.nan)
    share = k / n
    estimate = (k + 1) / (n + 2)  # Laplace's: its uncertainty is never 0
    weight = n / (estimate * (1 - estimate))
    top = share.max(axis=1)
    start = [
        np.interp(-t / 2, np.maximum.accumulate(-row), m) for t, row in zip(top, share, strict=True)
    ]
    low, high = np.array([0.0, m[0] - 1, 0.02]), np.array([1.0, m[-1] + 1, 3.0])
    p = np.clip(np.stack([top, np.array(start), np.full(len(k), 0.3)], axis=1), low, high)
    damping = np.full(len(k), 1e-2)

    def model(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return logistic(m, p[:, :1], p[:, 1:2], p[:, 2:])

    cost = (weight * (share - model(p)) ** 2).sum(axis=1)
    for _ in range(60):
        c0, m50, w = p[:, :1], p[:, 1:2], p[:, 2:]
        fall = logistic(m, 1.0, m50, w)
        slope = c0 * fall * (1 - fall) / w
        jacobian = np.stack([fall, slope, slope * (m - m50) / w], axis=2)
        weighted = jacobian * weight[:, :, None]
        normal = np.einsum("dmi,dmj->dij", weighted, jacobian)
        gradient = np.einsum("dmi,dm->di", weighted, share - c0 * fall)
        diagonal = np.einsum("dii->di", normal) + 1e-9
        damped = normal + (damping[:, None] * diagonal)[:, :, None] * np.eye(3)
        trial = np.clip(p + np.linalg.solve(damped, gradient[:, :, None])[:, :, 0], low, high)
        new = (weight * (share - model(trial)) ** 2).sum(axis=1)
        better = new < cost
        p = np.where(better[:, None], trial, p)
        cost = np.where(better, new, cost)
        damping = np.clip(np.where(better, damping / 5, damping * 5), 1e-9, 1e6)
    known = (top >= 0.1) & (p[:, 1] >= m[0]) & (p[:, 1] <= m[-1])
    return np.where(known[:, None], p, np.nan)


def bootstrap_depths(
    magnitude: ArrayLike,
    recovered: ArrayLike,
    n: ArrayLike,
    *,
    draws: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """95 % intervals of m50 and m80: keys m50_low, m50_high, m80_low, m80_high.

    Stars are drawn again with replacement within each magnitude, which for counts is a binomial
    draw. NaN where fewer than half of the draws have a fit.
    """
    k, number = np.asarray(recovered, float), np.asarray(n, float)
    p = np.divide(k, number, out=np.zeros_like(k), where=number > 0)
    drawn = rng.binomial(number.astype(int), p, (draws, p.size)).astype(float)
    c0, m50, w = _fit_many(np.asarray(magnitude, float), drawn, number).T
    result: dict[str, float] = {}
    for name, values in (("m50", m50), ("m80", _m80(c0, m50, w))):
        values = values[np.isfinite(values)]
        low, high = np.nan, np.nan
        if values.size >= draws / 2:
            low, high = np.percentile(values, [2.5, 97.5])
        result |= {f"{name}_low": float(low), f"{name}_high": float(high)}
    return result
