"""Levels at an equal false rate, and stars that one mask finds and another does not."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.evaluation.curves import at_false_rate, pool_curves

__all__ = ["paired_difference", "tuned_levels"]


def tuned_levels(
    curves: pd.DataFrame, *, rates: list[float], images: list[str], tuned_on: list[str]
) -> pd.DataFrame:
    """For each image and false rate, the level that a family has elsewhere.

    `curves` are rows of `full_curve` of one family with an image column. The level is where the
    pooled curve of the images `tuned_on`, without the image itself, has the highest completeness
    at no more than `rate` false spots per square arcminute. Where no level has that few, it is
    the one with the fewest (`reached` False); NaN where no other image is left to tune on.
    Columns: image, rate, level, reached.
    """
    rows = []
    pools: dict[tuple[str, ...], pd.DataFrame] = {}
    for image in images:
        others = tuple(name for name in tuned_on if name != image)
        if others and others not in pools:
            pools[others] = pool_curves(curves[curves["image"].isin(others)], name="others")
        for rate in rates:
            level, reached = float("nan"), False
            if others:
                pooled = pools[others]
                _, level = at_false_rate(pooled, rate)
                reached = bool(np.isfinite(level))
                if not reached:
                    level = float(pooled.loc[pooled["false_per_arcmin2"].idxmin(), "setting"])
            rows.append({"image": image, "rate": rate, "level": level, "reached": reached})
    return pd.DataFrame(rows)


def paired_difference(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    strata: NDArray[np.generic],
    *,
    draws: int,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Difference of two shares of the same stars found, first less second, with a 95 % interval.

    Stars are drawn again with replacement within each of `strata` (their images), `draws` times;
    drawing stars that only one finds is a multinomial draw. NaN without stars.
    """
    if first.size == 0:
        return float("nan"), float("nan"), float("nan")
    drawn = np.zeros(draws)
    for stratum in np.unique(strata):
        own = strata == stratum
        more, fewer = int((first & ~second)[own].sum()), int((second & ~first)[own].sum())
        n = int(own.sum())
        counts = rng.multinomial(n, [more / n, fewer / n, (n - more - fewer) / n], draws)
        drawn += counts[:, 0] - counts[:, 1]
    low, high = np.percentile(drawn / first.size, [2.5, 97.5])
    return float(first.mean() - second.mean()), float(low), float(high)
