"""Confidence intervals of counts, proportions and their ratios."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

__all__ = ["count_interval", "mean_interval", "paired_difference", "ratio_interval", "wilson"]


def wilson(
    successes: ArrayLike, trials: ArrayLike, *, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's score interval of a proportion (Wilson 1927), lower and upper limit.

    `successes` and `trials` broadcast and need not be whole numbers: correlated positions count as
    fewer effective ones, which astropy's `binom_conf_interval` would round. No trials give (0, 1).
    """
    k, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(trials, float))
    z2 = stats.norm.isf((1 - confidence) / 2) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        p = k / n
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n**2))) / (1 + z2 / n)
        # at the ends the formula gives 0 and 1 exactly, rounding may not
        low = np.where(k <= 0, 0.0, np.clip(centre - half, 0, 1))
        high = np.where(k >= n, 1.0, np.clip(centre + half, 0, 1))
    return np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0)


def paired_difference(both: int, first: int, second: int, neither: int) -> tuple[float, float]:
    """95 % interval of the difference of two proportions of the same objects.

    `both` have the one and the other, `first` and `second` one alone, `neither` none. Newcombe 1998
    (Statist. Med. 17, 2635), method 10: the Wilson intervals of both proportions and their
    correlation, right for few objects too. No objects give (-1, 1).
    """
    n = both + first + second + neither
    if n == 0:
        return -1.0, 1.0
    ones, others = both + first, both + second
    (low1, low2), (high1, high2) = wilson([ones, others], n)
    p1, p2 = ones / n, others / n
    margins = ones * (n - ones) * others * (n - others)
    correlation = 0.0
    if margins:
        product = float(both * neither - first * second)
        if product > 0:
            product = max(product - n / 2, 0)
        correlation = product / np.sqrt(margins)

    def reach(a: float, b: float) -> float:
        return float(np.sqrt(a * a - 2 * correlation * a * b + b * b))

    difference = p1 - p2
    return difference - reach(p1 - low1, high2 - p2), difference + reach(high1 - p1, p2 - low2)


def count_interval(
    counts: ArrayLike, *, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact interval of a Poisson mean from a count (Garwood 1936), lower and upper limit.

    NaN of NaN.
    """
    n = np.asarray(counts, float)
    tail = (1 - confidence) / 2
    low = np.where(n == 0, 0.0, stats.chi2.ppf(tail, np.where(n == 0, 1, 2 * n)) / 2)
    return low, np.asarray(stats.chi2.isf(tail, 2 * n + 2) / 2)


def mean_interval(
    values: NDArray[np.floating], *, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Mean of independent values with Student's interval of it (n,): mean, lower, upper limit.

    Of a single value the limits are infinite, of none all is NaN.
    """
    n = len(values)
    if n < 2:
        mean = float(values[0]) if n else float("nan")
        return mean, -np.inf if n else mean, np.inf if n else mean
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(n))
    half = float(stats.t.isf((1 - confidence) / 2, n - 1)) * error
    return mean, mean - half, mean + half


def ratio_interval(
    numerator: float,
    numerator_limits: tuple[float, float],
    denominator: float,
    denominator_limits: tuple[float, float],
) -> tuple[float, float]:
    """Interval of a ratio of two independent estimates from the interval of each.

    MOVER-R (Donner & Zou 2012, Stat. Methods Med. Res. 21, 347, eq. 10): closed form, and the
    Fieller interval where both are normal; multiplied by its conjugate, so that no limit is lost
    where that of the denominator is twice its value. An upper limit that the data do not give (the
    denominator may be 0) is inf. NaN for a denominator of 0.
    """
    (l1, u1), (l2, u2) = numerator_limits, denominator_limits
    if not denominator > 0 or not np.isfinite(numerator):
        return float("nan"), float("nan")
    product = numerator * denominator

    def terms(own: float, other: float) -> tuple[float, float, float]:
        top, bottom = own * (2 * numerator - own), other * (2 * denominator - other)
        return top, bottom, float(np.sqrt(max(product**2 - top * bottom, 0.0)))

    top, _, root = terms(l1, u2)
    low = top / (product + root) if top > 0 else 0.0
    _, bottom, root = terms(u1, l2)
    return low, (product + root) / bottom if bottom > 0 else float("inf")
