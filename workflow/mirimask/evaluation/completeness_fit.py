"""Completeness curves fitted to the shares of recovered stars, and their depths."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

__all__ = ["Fit", "bootstrap_depths", "fit_completeness", "logistic"]

_LEVEL = 0.8


@dataclass(frozen=True)
class Fit:
    """A completeness curve: see `logistic`; `m80` is NaN where none of the magnitudes is that."""

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


def fit_completeness(
    magnitude: ArrayLike, recovered: ArrayLike, n: ArrayLike, *, mixed: bool = False
) -> Fit:
    """Fit `logistic` to shares of recovered stars, weighted by their binomial uncertainty.

    All values NaN where fewer than four magnitudes have stars, where at no magnitude a tenth is
    recovered, or where the fall lies outside the magnitudes (a curve that cannot be known).
    `m80` is the magnitude of 80 % completeness (not of 0.8 `c0`), NaN where there is none, or none
    between those of the stars. Where no curve can be known, because more than half are still found
    at the faintest of four magnitudes or more, it is where straight lines between the shares, made
    to fall (isotonic regression), cross 80 %.

    `mixed`: the stars are of several images, each with a curve of its own. What all of them give is
    no such curve, none is fitted, and `m80` is that of straight lines.
    """
    m, k, number = (np.asarray(values, float) for values in (magnitude, recovered, n))
    if mixed:
        return Fit(np.nan, np.nan, np.nan, _known(_crossings(m, k[None], number)[0]))
    fits, m80 = _fits_and_depths(m, k[None], number)
    c0, m50, w = map(float, fits[0])
    return Fit(c0, m50, w, _known(m80[0]))


def _fits_and_depths(
    m: NDArray[np.float64], k: NDArray[np.float64], n: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """c0, m50 and w of draws `k` (draws, magnitudes), and their m80 (see `_m80`)."""
    fits = _fit_many(m, k, n)
    m80 = _m80(m, *fits.T)
    _, counts, number = _with_stars(m, k, n)
    if number.size >= 4:
        late = np.isnan(m80) & (counts[:, -1] > number[-1] / 2)
        m80[late] = _crossings(m, k[late], n)
    return fits, m80


def _known(magnitude: NDArray[np.float64]) -> float:
    """One that is before or beyond the magnitudes is not known: NaN."""
    return float(magnitude) if np.isfinite(magnitude) else np.nan


def _m80(
    m: NDArray[np.float64],
    c0: NDArray[np.float64],
    m50: NDArray[np.float64],
    w: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Where curves fall to 80 %: -inf or inf before or beyond the magnitudes `m`, NaN for no fit.

    A curve whose plateau is lower falls to it before all of them.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        found = m50 + w * np.log(np.maximum(c0 / _LEVEL - 1, 0))
    low, high = (m.min(), m.max()) if m.size else (np.nan, np.nan)
    return np.where(found < low, -np.inf, np.where(found > high, np.inf, found))


def _crossings(
    m: NDArray[np.float64], k: NDArray[np.float64], n: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Where the shares of draws `k` (draws, magnitudes), made to fall, cross 80 %; see `_m80`."""
    m, k, n = _with_stars(m, k, n)
    if not m.size:
        return np.full(len(k), np.nan)
    found = np.empty(len(k))
    for i, counts in enumerate(k):
        share = isotonic_regression(counts / n, weights=n, increasing=False).x
        if share[0] < _LEVEL or share[-1] > _LEVEL:
            found[i] = -np.inf if share[0] < _LEVEL else np.inf
        else:
            found[i] = np.interp(-_LEVEL, -share, m)
    return found


def _with_stars(
    m: NDArray[np.float64], k: NDArray[np.float64], n: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The magnitudes that have stars, ascending, with their counts."""
    used = np.isfinite(m) & (n > 0)
    order = np.flatnonzero(used)[np.argsort(m[used])]
    return m[order], k[:, order], n[order]


def _fit_many(
    m: NDArray[np.float64], k: NDArray[np.float64], n: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`fit_completeness` for many draws `k` (draws, magnitudes) at once: (draws, 3) c0, m50, w.

    Levenberg-Marquardt, all draws in step: a bootstrap in one call instead of hundreds.
    """
    m, k, n = _with_stars(m, k, n)
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
        # what is at an end and would go beyond stays: its step, cut, would hinder the others'
        free = ~(((p <= low) & (gradient < 0)) | ((p >= high) & (gradient > 0)))
        damped = np.where(free[:, :, None] & free[:, None, :], damped, np.eye(3))
        gradient = np.where(free, gradient, 0)
        trial = np.clip(p + np.linalg.solve(damped, gradient[:, :, None])[:, :, 0], low, high)
        new = (weight * (share - model(trial)) ** 2).sum(axis=1)
        better = new < cost
        p = np.where(better[:, None], trial, p)
        cost = np.where(better, new, cost)
        damping = np.clip(np.where(better, damping / 5, damping * 5), 1e-9, 1e6)
    known = (top >= 0.1) & (p[:, 1] >= m[0]) & (p[:, 1] <= m[-1])
    return np.where(known[:, None], p, np.nan)


def _around_sharp(
    m: NDArray[np.float64], k: NDArray[np.float64], n: NDArray[np.float64]
) -> dict[str, tuple[float, float]]:
    """The magnitudes beside m50 and m80 of a fit with fewer than two on its fall; else nothing."""
    used = np.sort(m[n > 0])
    c0, m50, w = _fit_many(m, k[None], n)[0]
    fall = logistic(used, 1.0, m50, w)
    if not np.isfinite(m50) or np.count_nonzero((fall > 0.02) & (fall < 0.98)) > 1:
        return {}
    found = {"m50": m50, "m80": float(_m80(used, c0, m50, w))}
    return {
        name: (used[used <= at].max(), used[used >= at].min())
        for name, at in found.items()
        if np.isfinite(at)
    }


def bootstrap_depths(
    magnitude: ArrayLike,
    recovered: ArrayLike,
    n: ArrayLike,
    *,
    draws: int,
    rng: np.random.Generator,
    mixed: bool = False,
) -> dict[str, float]:
    """95 % intervals of m50 and m80: keys m50_low, m50_high, m80_low, m80_high.

    Stars are drawn again with replacement within each magnitude, which for counts is a binomial
    draw. NaN where fewer than half of the draws have a fit, and for a limit that lies before or
    beyond the magnitudes of the stars: it is not known. Where fewer than two magnitudes lie on
    the fall nothing tells how wide it is: the limits are the magnitudes on both sides at least.
    `mixed` as in `fit_completeness`.
    """
    k, number = np.asarray(recovered, float), np.asarray(n, float)
    p = np.divide(k, number, out=np.zeros_like(k), where=number > 0)
    drawn = rng.binomial(number.astype(int), p, (draws, p.size)).astype(float)
    m = np.asarray(magnitude, float)
    if mixed:
        m50, m80 = np.full(draws, np.nan), _crossings(m, drawn, number)
    else:
        fits, m80 = _fits_and_depths(m, drawn, number)
        m50 = fits[:, 1]
    around = {} if mixed else _around_sharp(m, k, number)
    result: dict[str, float] = {}
    for name, values in (("m50", m50), ("m80", m80)):
        values = np.sort(values[~np.isnan(values)])
        limits = [np.nan, np.nan]
        if values.size >= draws / 2:
            # of the draws themselves: between one that is infinite and another there is nothing
            low, high = values[[int(0.025 * values.size), -1 - int(0.025 * values.size)]]
            if name in around:
                low, high = min(low, around[name][0]), max(high, around[name][1])
            limits = [_known(low), _known(high)]
        result |= dict(zip((f"{name}_low", f"{name}_high"), limits, strict=True))
    return result
