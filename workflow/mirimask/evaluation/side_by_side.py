"""All masks at equal false rates: tuned levels, what is found there, and the time it takes."""

import time
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.evaluation.curves import (
    at_false_rate,
    curve_and_stars,
    pool_curves,
    rate_draws,
)
from mirimask.evaluation.reliability import limit_of
from mirimask.evaluation.scene import Scene
from mirimask.image.frame import Frame
from mirimask.intervals import count_interval, wilson
from mirimask.masks.make import family_at
from mirimask.masks.registry import METHODS, Options, published_level
from mirimask.sources.spots import spot_labels

__all__ = [
    "BEST",
    "FACTORIAL",
    "ITSELF",
    "OTHERS",
    "at_own_levels",
    "factorial",
    "judge_method",
    "level_error",
    "ordered",
    "same_rate",
    "stratified_difference",
    "time_methods",
    "tuned_levels",
    "verdict_table",
]

BEST = "cores"
# where an image's level comes from: the curves of other images, or its own
OTHERS, ITSELF = "others", "itself"
# each filter with the noise of its tile alone, and with that of the window around the pixel too
FACTORIAL = {
    "curvature": ("cores_tile", "cores"),
    "Laplacian of Gaussian": ("log", "log_window"),
    "Difference of Gaussians": ("dog", "dog_window"),
    "starlet": ("starlet", "starlet_window"),
    "matched filter": ("matched_filter", "matched_filter_window"),
}


### levels #########################################################################################


def tuned_levels(
    curves: pd.DataFrame, *, rates: list[float], images: list[str], tuned_on: list[str]
) -> pd.DataFrame:
    """For each image and false rate, the level that a family has elsewhere, and on itself.

    `curves` are rows of `full_curve` of one family with an image column. The level is where a curve
    has the highest completeness at no more than `rate` false spots per square arcminute: the pooled
    one of the images `tuned_on` without the image itself (`chosen` on `others`), and the image's
    own (`itself`), which flatters every family. Where no level has that few, it is the one with the
    fewest (`reached` False); NaN where there is no curve. Columns: image, rate, chosen, level,
    reached.
    """
    rows = []
    pools: dict[tuple[str, ...], pd.DataFrame] = {}
    for image in images:
        others = tuple(name for name in tuned_on if name != image)
        if others and others not in pools:
            pools[others] = pool_curves(curves[curves["image"].isin(others)], name="others")
        own = {OTHERS: pools.get(others, curves[:0]), ITSELF: curves[curves["image"] == image]}
        for rate in rates:
            for chosen, curve in own.items():
                level, reached = float("nan"), False
                if len(curve):
                    _, level = at_false_rate(curve, rate)
                    reached = bool(np.isfinite(level))
                    if not reached:
                        level = float(_fewest(curve)["setting"].iloc[0])
                rows.append(
                    {
                        "image": image,
                        "rate": rate,
                        "chosen": chosen,
                        "level": level,
                        "reached": reached,
                    }
                )
    return pd.DataFrame(rows)


def _fewest(curve: pd.DataFrame) -> pd.DataFrame:
    """The levels with the fewest false spots; the first is taken where none has few enough."""
    return curve[curve["false_per_arcmin2"] == curve["false_per_arcmin2"].min()]


def level_error(
    curves: pd.DataFrame,
    *,
    rate: float,
    chosen: str,
    images: Mapping[str, int],
    tuned_on: list[str],
    draws: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """How completeness moves when the rates that a level was chosen by are drawn (`rate_draws`).

    `curves` are those of one family, `images` those judged, with the number of their stars. Levels
    chosen on `others` are in error together, by the pooled curve of `tuned_on`; those chosen on
    each image `itself` one by one. Returns (draws,) differences from what the curves say.
    """
    stars = sum(images.values())
    if np.isnan(rate) or not stars:
        return np.zeros(draws)
    if chosen == OTHERS:
        pooled = curves[curves["image"].isin(tuned_on)]
        parts = [(1.0, pool_curves(pooled, name="all"))] if len(pooled) else []
    else:
        parts = [(n / stars, curves[curves["image"] == image]) for image, n in images.items()]
    moved = np.zeros(draws)
    for weight, curve in parts:
        # of those alike, which have few enough by chance or not, the strictest
        fewest = _fewest(curve)["completeness"]
        drawn = rate_draws(curve, rate, draws=draws, rng=rng, without=float(fewest.min()))
        found, level = at_false_rate(curve, rate)
        moved += weight * (drawn - (found if np.isfinite(level) else float(fewest.iloc[0])))
    return moved


def stratified_difference(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    strata: NDArray[np.generic],
    *,
    draws: int,
    rng: np.random.Generator,
    moved: NDArray[np.float64] | float = 0.0,
) -> tuple[float, float, float]:
    """Difference of two shares of the same stars found, first less second, with a 95 % interval.

    Stars are drawn again with replacement within each of `strata` (their images), `draws` times;
    drawing stars that only one finds is a multinomial draw, with half a star more in each of the
    four cells of the whole table, each image its share of them (Agresti & Min 2005, Statist. Med.
    24, 729): of four stars that only one finds, against none, nothing follows yet. `moved` (draws,)
    is what the errors of the two levels add to the difference (`level_error`). NaN without stars.
    """
    if first.size == 0:
        return float("nan"), float("nan"), float("nan")
    drawn = np.zeros(draws)
    for stratum in np.unique(strata):
        own = strata == stratum
        more, fewer = int((first & ~second)[own].sum()), int((second & ~first)[own].sum())
        n = int(own.sum())
        half = 0.5 * n / first.size
        cells = np.array([more + half, fewer + half, n - more - fewer + 2 * half])
        counts = rng.multinomial(n, cells / cells.sum(), draws)
        drawn += counts[:, 0] - counts[:, 1]
    low, high = np.clip(np.percentile(drawn / first.size + moved, [2.5, 97.5]), -1, 1)
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
    of `curve_and_stars` with rate (NaN: the published level), chosen, reached and simulated, and
    one row for each level and added star: rate, chosen, star (its number), ab_mag, found (0 or 1).
    """
    own, options = levels.dropna(subset="level"), options or {}
    rates = [*own["rate"], np.nan]
    chosen = [*own["chosen"], ""]
    settings = [*own["level"], published_level(name, options)]
    family = family_at(name, crop.empty, settings, fwhm_px=crop.fwhm_px, options=options)
    judged, found = curve_and_stars(family, scene)
    judged["family"] = name
    judged.insert(1, "rate", rates)
    judged.insert(2, "chosen", chosen)
    judged["reached"] = [*own["reached"], True]
    stars = [
        pd.DataFrame(
            {
                "rate": rate,
                "chosen": where,
                "star": np.arange(flags.size),
                "ab_mag": scene.magnitudes,
                "found": flags.astype(int),
            }
        )
        for rate, where, flags in zip(rates, chosen, found, strict=True)
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
            spot_labels(family.cut(scores, family.thresholds(scores)[0]))
            spent.append(1000 * (time.perf_counter() - start))
        rows.append({"family": name, "median_ms": np.median(spent[1:]), "best_ms": min(spent[1:])})
    return pd.DataFrame(rows).assign(n_pixels=crop.data.size)


### the verdict ####################################################################################


def verdict_table(
    judged: pd.DataFrame,
    stars: pd.DataFrame,
    times: pd.DataFrame,
    curves: pd.DataFrame,
    *,
    groups: dict[str, list[str]],
    tuned_on: list[str],
    not_installed: dict[str, str],
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """One row for each group of images, false rate, way of choosing the level, and family.

    `judged` and `stars`: the tables of all families below each other, with family, image, rate
    (NaN: the published level) and chosen. `times`: family, median_ms. `curves`: those that the
    levels were chosen by, on the images `tuned_on`. Columns: group, images, rate, chosen (`others`,
    `itself`, '' for the published level), family, label, kind, n_stars, n_found, completeness with
    its 95 % limits (Wilson's for the stars, and the error of the level), false_per_arcmin2 (what
    the levels came to) with its Poisson limits false_low and false_high, blank_per_arcmin2, area,
    tuned (share of the images for which a level reached the rate), behind: completeness of the
    cores less the family's for the same stars, with 95 % limits that hold the errors of both levels
    (`stratified_difference`, `level_error`), limit: of families whose false spots blank images do
    not tell, by those of their tuned levels in images with a truth, what their rate in a group
    with other images is (`limit_of`; there is then no behind), median_ms, times_cores, needs: what
    is not installed (such families have no numbers), simulated: whether any image of the group is.
    """
    spent = times.set_index("family")["median_ms"]
    rows: list[dict[str, Any]] = []
    own_stars = dict(tuple(stars.groupby("family", sort=False)))
    own_curves = dict(tuple(curves.groupby("family", sort=False)))
    tuned = judged.dropna(subset="rate")
    known = tuned[tuned["n_false"].notna() & (tuned["chosen"] == OTHERS)]
    sums = known.groupby("family")[["n_blank", "n_false", "area_arcmin2"]].sum()
    limits = {
        family: limit_of(*row) for family, row in zip(sums.index, sums.to_numpy(), strict=True)
    }
    points = [
        *sorted(set(zip(tuned["rate"], tuned["chosen"], strict=True)), key=_others_first),
        (np.nan, ""),
    ]
    for (group, images), (rate, chosen) in product(groups.items(), points):
        at = {"rate": rate, "chosen": chosen}
        simulated = bool(judged.loc[judged["image"].isin(images), "simulated"].any())
        best = _found(own_stars.get(BEST), images, **at)
        errors: dict[str, NDArray[np.float64]] = {}

        def moved(
            family: str,
            found: pd.DataFrame,
            rate: float = rate,
            chosen: str = chosen,
            errors: dict[str, NDArray[np.float64]] = errors,
        ) -> NDArray[np.float64]:
            if family not in errors:
                errors[family] = level_error(
                    own_curves.get(family, curves[:0]),
                    rate=rate,
                    chosen=chosen,
                    images=found["image"].value_counts().sort_index().to_dict(),
                    tuned_on=tuned_on,
                    draws=draws,
                    rng=np.random.default_rng([seed, *family.encode()]),
                )
            return errors[family]

        for family in [*own_stars, *not_installed]:
            row = {
                "group": group,
                "images": len(images),
                **at,
                "family": family,
                "label": METHODS[family].label,
                "kind": METHODS[family].group,
                "needs": not_installed.get(family, ""),
                "simulated": simulated,
            }
            rows.append(row)
            if family in not_installed:
                continue
            found = _found(own_stars[family], images, **at)
            table = judged[
                (judged["family"] == family)
                & judged["image"].isin(images)
                & _same_point(judged, rate, chosen)
            ]
            if found is None or table.empty:
                continue
            flags = found["found"].to_numpy(bool)
            low, high = map(float, wilson(flags.sum(), flags.size))
            shift = np.percentile(moved(family, found), [2.5, 97.5])
            area = table["area_arcmin2"]
            count = float((table["false_per_arcmin2"] * area).sum())
            few, many = map(float, count_interval(count))
            share = flags.mean()
            row |= {
                "n_stars": flags.size,
                "n_found": int(flags.sum()),
                "completeness": share,
                "low": max(share - np.hypot(share - low, min(shift[0], 0)), 0.0),
                "high": min(share + np.hypot(high - share, max(shift[1], 0)), 1.0),
                "false_per_arcmin2": count / area.sum(),
                "false_low": few / area.sum(),
                "false_high": many / area.sum(),
                "blank_per_arcmin2": float((table["blank_per_arcmin2"] * area).sum()) / area.sum(),
                "area": float((table["area"] * area).sum()) / area.sum(),
                "tuned": float(table["reached"].mean()),
                "limit": limits.get(family, "") if table["n_false"].isna().any() else "",
                "median_ms": spent.get(family, np.nan),
                "times_cores": spent.get(family, np.nan) / spent.get(BEST, np.nan),
            }
            unranked = row["limit"] or (limits.get(BEST) and table["n_false"].isna().any())
            if best is not None and not unranked:
                difference = stratified_difference(
                    best["found"].to_numpy(bool),
                    flags,
                    found["image"].to_numpy(str),
                    draws=draws,
                    rng=np.random.default_rng(seed),
                    moved=moved(BEST, best) - moved(family, found),
                )
                names = ("behind", "behind_low", "behind_high")
                row |= dict(zip(names, difference, strict=True))
    return pd.DataFrame(rows).reindex(columns=_VERDICT.split())


_VERDICT = (
    "group images rate chosen family label kind n_stars n_found completeness low high "
    "false_per_arcmin2 false_low false_high blank_per_arcmin2 limit area tuned behind behind_low "
    "behind_high median_ms times_cores needs simulated"
)


def _others_first(point: tuple[float, str]) -> tuple[float, bool]:
    return point[0], point[1] != OTHERS


def same_rate(rates: pd.Series, rate: float) -> pd.Series:
    """Which of `rates` are this one; NaN stands for the published level."""
    return rates.isna() if np.isnan(rate) else np.isclose(rates, rate)


def _same_point(table: pd.DataFrame, rate: float, chosen: str) -> pd.Series:
    return same_rate(table["rate"], rate) & (table["chosen"].fillna("") == chosen)


def _found(
    stars: pd.DataFrame | None, images: list[str], *, rate: float, chosen: str
) -> pd.DataFrame | None:
    """The stars of some images at one rate, in an order that all families share."""
    if stars is None:
        return None
    own = stars[stars["image"].isin(images) & _same_point(stars, rate, chosen)]
    return own.sort_values(["image", "star"]) if len(own) else None


def ordered(table: pd.DataFrame, rate: float, chosen: str = OTHERS) -> pd.DataFrame:
    """The rows of `verdict_table` at one rate, with levels that were chosen so.

    Families are in the order of their completeness in the first group, the best first.
    """
    own = table[_same_point(table, rate, chosen)]
    if own.empty:  # of one image no levels are chosen on others
        return own
    first = own[own["group"] == own["group"].iloc[0]].set_index("family")["completeness"]
    return own.assign(order=own["family"].map(first).fillna(-1)).sort_values(
        "order", ascending=False, kind="stable"
    )


def at_own_levels(curves: pd.DataFrame, rate: float) -> pd.DataFrame:
    """Completeness of each family in each image at a false rate, with the image's own level.

    `curves` are rows of `full_curve` with family and image columns. A row a family, a column an
    image; NaN where a family has no curve of it.
    """
    found = {
        key: at_false_rate(curve, rate)[0]
        for key, curve in curves.groupby(["family", "image"], sort=False)
    }
    return pd.Series(found).unstack()


def factorial(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `verdict_table` of `FACTORIAL`, with the columns filter and noise.

    Where one of the two of a filter is missing, both are left out.
    """
    parts = []
    for name, families in FACTORIAL.items():
        own = table[table["family"].isin(families)].dropna(subset="completeness")
        if own["family"].nunique() == len(families):
            noise = dict(zip(families, ("tile", "tile and window"), strict=True))
            parts.append(own.assign(filter=name, noise=own["family"].map(noise)))
    columns = ["filter", "noise", *table.columns]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
