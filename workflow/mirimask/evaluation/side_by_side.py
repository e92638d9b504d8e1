"""All masks at equal false rates: tuned levels, what is found there, and the time it takes."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.evaluation.curves import at_false_rate, curve_and_stars, pool_curves
from mirimask.evaluation.scene import Scene
from mirimask.image.frame import Frame
from mirimask.intervals import wilson
from mirimask.masks.make import family_at
from mirimask.masks.registry import METHODS, Options, published_level

__all__ = [
    "BEST",
    "judge_method",
    "ordered",
    "paired_difference",
    "same_rate",
    "time_methods",
    "tuned_levels",
    "verdict_table",
]

BEST = "cores"


### levels #########################################################################################


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


def judge_method(
    name: str,
    crop: Frame,
    scene: Scene,
    levels: pd.DataFrame,
    *,
    options: Options | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a method finds on one image at its tuned levels and at its published one.

    `levels` are the image's rows of `tuned_levels`; one that is NaN is left out. Returns the rows
    of `curve_and_stars` with rate (NaN: the published level), reached and simulated, and one row
    for each rate and added star: rate, star (its number), ab_mag, found (0 or 1).
    """
    own, options = levels.dropna(subset="level"), options or {}
    rates = [*own["rate"], np.nan]
    settings = [*own["level"], published_level(name, options)]
    family = family_at(name, crop.empty, settings, fwhm_px=crop.fwhm_px, options=options)
    judged, found = curve_and_stars(family, scene)
    judged["family"] = name
    judged.insert(1, "rate", rates)
    judged["reached"] = [*own["reached"], True]
    stars = [
        pd.DataFrame(
            {
                "rate": rate,
                "star": np.arange(flags.size),
                "ab_mag": scene.magnitudes,
                "found": flags.astype(int),
            }
        )
        for rate, flags in zip(rates, found, strict=True)
    ]
    return judged.assign(simulated=crop.simulated), pd.concat(stars, ignore_index=True)


def time_methods(
    crop: Frame, names: Sequence[str], *, runs: int, options: Options | None = None
) -> pd.DataFrame:
    """Wall time of the mask of each method at its published level, labels included.

    One after the other in this process, after one that pays for imports and caches. External
    programs pay for their files too, as their users do. Columns: family, median_ms and best_ms of
    the `runs`, n_pixels of the crop.
    """
    rows = []
    for name in names:
        level = published_level(name, options or {})
        family = family_at(name, crop.empty, [level], fwhm_px=crop.fwhm_px, options=options)
        spent = []
        for _ in range(runs + 1):
            start = time.perf_counter()
            scores = family.scores(crop.masked)
            family.cut(scores, family.levels(scores)[0])
            spent.append(1000 * (time.perf_counter() - start))
        rows.append({"family": name, "median_ms": np.median(spent[1:]), "best_ms": min(spent[1:])})
    return pd.DataFrame(rows).assign(n_pixels=crop.data.size)


### the verdict ####################################################################################


def verdict_table(
    judged: pd.DataFrame,
    stars: pd.DataFrame,
    times: pd.DataFrame,
    *,
    groups: dict[str, list[str]],
    not_installed: dict[str, str],
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """One row for each group of images, false rate and family.

    `judged` and `stars`: the tables of all families below each other, with family, image and rate
    (NaN: the published level). `times`: family, median_ms. Columns: group, images, rate, family,
    label, kind, n_stars, n_found, completeness with its 95 % Wilson limits, false_per_arcmin2 (what
    the levels came to), inverted_per_arcmin2, area, tuned (share of the images for which a level
    reached the rate), behind: completeness of the cores less the family's for the same
    stars, with its 95 % limits (`paired_difference`), median_ms, times_cores, needs: what is
    not installed (such families have no numbers).
    """
    spent = times.set_index("family")["median_ms"]
    rows: list[dict[str, Any]] = []
    own_stars = dict(tuple(stars.groupby("family", sort=False)))
    for group, images in groups.items():
        for rate in [*sorted(judged["rate"].dropna().unique()), np.nan]:
            best = _found(own_stars.get(BEST), images, rate)
            for family in [*own_stars, *not_installed]:
                row = {
                    "group": group,
                    "images": len(images),
                    "rate": rate,
                    "family": family,
                    "label": METHODS[family].label,
                    "kind": METHODS[family].group,
                    "needs": not_installed.get(family, ""),
                }
                rows.append(row)
                if family in not_installed:
                    continue
                found = _found(own_stars[family], images, rate)
                table = judged[
                    (judged["family"] == family)
                    & judged["image"].isin(images)
                    & same_rate(judged["rate"], rate)
                ]
                if found is None or table.empty:
                    continue
                flags = found["found"].to_numpy(bool)
                low, high = wilson(flags.sum(), flags.size)
                area = table["area_arcmin2"]
                row |= {
                    "n_stars": flags.size,
                    "n_found": int(flags.sum()),
                    "completeness": flags.mean(),
                    "low": float(low),
                    "high": float(high),
                    "false_per_arcmin2": float((table["false_per_arcmin2"] * area).sum())
                    / area.sum(),
                    "inverted_per_arcmin2": float((table["inverted_per_arcmin2"] * area).sum())
                    / area.sum(),
                    "area": float((table["area"] * area).sum()) / area.sum(),
                    "tuned": float(table["reached"].mean()),
                    "median_ms": spent.get(family, np.nan),
                    "times_cores": spent.get(family, np.nan) / spent.get(BEST, np.nan),
                }
                if best is not None:
                    rng = np.random.default_rng(seed)
                    strata = found["image"].to_numpy(str)
                    row |= dict(
                        zip(
                            ("behind", "behind_low", "behind_high"),
                            paired_difference(
                                best["found"].to_numpy(bool), flags, strata, draws=draws, rng=rng
                            ),
                            strict=True,
                        )
                    )
    columns = [
        "group",
        "images",
        "rate",
        "family",
        "label",
        "kind",
        "n_stars",
        "n_found",
        "completeness",
        "low",
        "high",
        "false_per_arcmin2",
        "inverted_per_arcmin2",
        "area",
        "tuned",
        "behind",
        "behind_low",
        "behind_high",
        "median_ms",
        "times_cores",
        "needs",
    ]
    return pd.DataFrame(rows).reindex(columns=columns)


def same_rate(rates: pd.Series, rate: float) -> pd.Series:
    """Which of `rates` are this one; NaN stands for the published level."""
    return rates.isna() if np.isnan(rate) else np.isclose(rates, rate)


def _found(stars: pd.DataFrame | None, images: list[str], rate: float) -> pd.DataFrame | None:
    """The stars of some images at one rate, in an order that all families share."""
    if stars is None:
        return None
    own = stars[stars["image"].isin(images) & same_rate(stars["rate"], rate)]
    return own.sort_values(["image", "star"]) if len(own) else None


def ordered(table: pd.DataFrame, rate: float) -> pd.DataFrame:
    """The rows of `verdict_table` at one rate.

    Families are in the order of their completeness in the first group, the best first.
    """
    own = table[same_rate(table["rate"], rate)]
    first = own[own["group"] == own["group"].iloc[0]].set_index("family")["completeness"]
    return own.assign(order=own["family"].map(first).fillna(-1)).sort_values(
        "order", ascending=False, kind="stable"
    )
