"""Completeness curves fitted to the shares of recovered stars, and their depths."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Fit", "bootstrap_depths", "fit_completeness", "logistic"]


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
