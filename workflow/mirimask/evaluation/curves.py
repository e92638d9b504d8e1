"""Whole curves instead of single percentages: completeness against false spots and masked area.

A family is a way to make masks with one setting (the percentage a slice retains, a level in sigma).
Swept over its settings it gives a free-response curve (FROC; Bunch et al. 1978): the share of the
stars that are found against the false spots per square arcminute.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import cKDTree

from mirimask.evaluation.recovery import POOLED
from mirimask.evaluation.scene import Scene, Truth, false_spots
from mirimask.image.frame import Frame
from mirimask.intervals import wilson
from mirimask.masks.family import Family
from mirimask.masks.make import family_at, swept_levels
from mirimask.masks.registry import Options
from mirimask.sources.spots import brightest_pixels, has_match, spot_labels

__all__ = [
    "COLUMNS",
    "at_false_rate",
    "compare_curves",
    "curve_and_stars",
    "full_curve",
    "method_curve",
    "pool_curves",
    "rate_draws",
    "sources_found",
    "sweep",
    "with_all",
]

# of a table of curves with an image column, in which no image could be measured
COLUMNS = [
    *("image", "family", "unit", "setting", "n_spots", "area", "area_arcmin2", "n_stars"),
    *("n_found", "n_blank", "blank_per_arcmin2", "n_true", "n_true_found", "n_false"),
    *("completeness", "true_completeness", "truth_false_per_arcmin2", "false_per_arcmin2"),
    *("working", "simulated"),
]


### one point ######################################################################################


def sources_found(spots: NDArray[np.number], truth: Truth) -> int:
    """Number of wanted sources that are found.

    `spots` (m, 2) are positions. A source is found where a spot lies within its radius; each spot
    finds one source, the nearest.
    """
    if len(spots) == 0 or len(truth.positions) == 0:
        return 0
    near = cKDTree(spots).sparse_distance_matrix(
        cKDTree(truth.positions), float(truth.radius_px.max()), output_type="ndarray"
    )
    pairs = near[near["v"] <= truth.radius_px[near["j"]]]
    found = np.zeros(len(truth.positions), bool)
    taken = np.zeros(len(spots), bool)
    for i, j in zip(*(pairs[k][np.argsort(pairs["v"], kind="stable")] for k in "ij"), strict=True):
        if not taken[i] and not found[j]:
            taken[i] = found[j] = True
    return int((found & truth.wanted).sum())


def sweep(
    family: Family,
    image: NDArray[np.floating],
    truth: Truth,
    *,
    area_arcmin2: float,
    tolerance_px: float,
    thresholds: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """All settings of a family on one image: one row each.

    `image` (ny, nx; NaN where empty). `thresholds` replaces those that the image itself gives
    (those of the real image, for a blank one). False spots as by `false_spots`.
    Columns: setting, n_spots, n_wanted, n_found, completeness, n_false, false_per_arcmin2, area
    (share of the pixels that are not empty).
    """
    seen = int(np.isfinite(image).sum())
    wanted = int(truth.wanted.sum())
    _, found = _marked(family, image, thresholds, sources=truth.real, tolerance_px=tolerance_px)
    rows = []
    for setting, marked in zip(family.levels, found, strict=True):
        n_found = sources_found(marked.spots, truth)
        rows.append(
            {
                "setting": setting,
                "n_spots": len(marked.spots),
                "n_wanted": wanted,
                "n_found": n_found,
                "completeness": n_found / wanted if wanted else np.nan,
                "n_false": marked.false,
                "false_per_arcmin2": marked.false / area_arcmin2,
                "area": marked.pixels / seen,
            }
        )
    return pd.DataFrame(rows)


def method_curve(
    name: str,
    crop: Frame,
    scene: Scene,
    *,
    working: Sequence[float],
    options: Options | None = None,
) -> pd.DataFrame:
    """The curve of a method of the registry on one image, over all levels that it is swept over.

    The levels `working` are among them. Columns: those of `curve_and_stars`, working (bool: the
    level is one of them) and simulated.
    """
    levels = swept_levels(name, options, among=working)
    family = family_at(name, crop.empty, levels, fwhm_px=crop.fwhm_px, options=options)
    table = full_curve(family, scene).assign(family=name)
    table["working"] = np.isin(table["setting"], working)
    return table.assign(simulated=crop.simulated)


def full_curve(family: Family, scene: Scene) -> pd.DataFrame:
    """The table of `curve_and_stars`."""
    return curve_and_stars(family, scene)[0]


def curve_and_stars(family: Family, scene: Scene) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """The curve of a family on any image, and which of the added stars each setting finds.

    A star is found where a spot lies on it and none does without the stars. False spots are those
    of the blank images, cut at the thresholds of the image (their mean number), and by truth
    (`false_spots`). The second result is (settings, stars) bool, the stars in the order of
    `scene.added`.

    Columns: family, unit, setting, n_spots, area, area_arcmin2, n_stars, n_found, completeness,
    n_blank, blank_per_arcmin2, and with truth (else NaN) n_true, n_true_found, true_completeness,
    n_false, truth_false_per_arcmin2; false_per_arcmin2 is the one by truth or, without, of the
    blank images.
    """
    seen = int(np.isfinite(scene.image).sum())
    truth, tolerance = scene.truth, scene.tolerance_px
    real = None if truth is None else truth.real
    thresholds, plain = _marked(family, scene.image, sources=real, tolerance_px=tolerance)
    blank = [
        [one.false for one in _marked(
            family, image, thresholds, sources=scene.blank.sources, tolerance_px=tolerance
        )[1]]
        for image in scene.blank.images
    ]  # fmt: skip
    found = [np.zeros((len(thresholds), 0), bool)]
    for stars, positions in scene.added:
        _, with_stars = _marked(family, stars)
        found.append(
            np.array(
                [
                    has_match(positions, now.spots, tolerance)
                    & ~has_match(positions, before.spots, tolerance)
                    for now, before in zip(with_stars, plain, strict=True)
                ]
            )
        )
    flags = np.concatenate(found, axis=1)
    rows = []
    for setting, marked, n_blank, stars_found in zip(
        family.levels, plain, np.mean(blank, axis=0), flags, strict=True
    ):
        row = {
            "setting": setting,
            "n_spots": len(marked.spots),
            "area": marked.pixels / seen,
            "area_arcmin2": scene.area_arcmin2,
            "n_stars": stars_found.size,
            "n_found": int(stars_found.sum()),
            "n_blank": float(n_blank),
            "n_true": np.nan,
            "n_true_found": np.nan,
            "n_false": np.nan,
        }
        if truth is not None:
            row["n_true"] = int(truth.wanted.sum())
            row["n_true_found"] = sources_found(marked.spots, truth)
            row["n_false"] = marked.false
        rows.append(row)
    table = pd.DataFrame(rows)
    table.insert(0, "family", family.name)
    table.insert(1, "unit", family.unit)
    return _with_rates(table), flags


class _Marked(NamedTuple):
    """Where the spots of a mask are, its pixels, and how many spots are false."""

    spots: NDArray[np.int64]
    pixels: int
    false: int


def _marked(
    family: Family,
    image: NDArray[np.floating],
    thresholds: NDArray[np.float64] | None = None,
    *,
    sources: NDArray[np.floating] | None = None,
    tolerance_px: float = 0.0,
) -> tuple[NDArray[np.float64], list[_Marked]]:
    """The thresholds, those of the image itself where none are given, and what each of them marks.

    Without `sources` no spot is called false.
    """
    scores = family.scores(image)
    if thresholds is None:
        thresholds = family.thresholds(scores)
    found = []
    for row in thresholds:
        labels = spot_labels(family.cut(scores, row))
        spots = brightest_pixels(labels, image)
        false = 0
        if sources is not None:
            false = false_spots(labels, sources, tolerance_px=tolerance_px)
        found.append(_Marked(spots, int(np.count_nonzero(labels)), false))
    return thresholds, found


def _with_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Shares and rates from the counts."""
    table["completeness"] = table["n_found"] / table["n_stars"].replace(0, np.nan)
    table["true_completeness"] = table["n_true_found"] / table["n_true"].replace(0, np.nan)
    table["blank_per_arcmin2"] = table["n_blank"] / table["area_arcmin2"]
    table["truth_false_per_arcmin2"] = table["n_false"] / table["area_arcmin2"]
    table["false_per_arcmin2"] = table["truth_false_per_arcmin2"].fillna(table["blank_per_arcmin2"])
    return table


def pool_curves(table: pd.DataFrame, *, name: str) -> pd.DataFrame:
    """Curves of several images as those of one image `name`: counts and areas added up.

    Means weighted by area for the masked share and the false rate. By truth there are only counts
    where the truth of all the images is known.
    """
    means, by_truth = ["area", "false_per_arcmin2"], ["n_true", "n_true_found", "n_false"]
    weighted = table[means].mul(table["area_arcmin2"], axis=0)
    grouped = table.assign(**weighted).groupby(["family", "unit", "setting", "working"], sort=False)
    counts = ["n_spots", "n_stars", "n_found", "n_blank", *by_truth]
    summed = grouped[[*counts, *means, "area_arcmin2"]].sum()
    known = grouped["n_false"].count() == grouped["n_false"].size()
    summed[by_truth] = summed[by_truth].where(known)
    summed[means] = summed[means].div(summed["area_arcmin2"], axis=0)
    rate = summed["false_per_arcmin2"].to_numpy()
    summed = _with_rates(summed.reset_index()).assign(false_per_arcmin2=rate)
    summed["image"] = name
    summed["simulated"] = bool(table["simulated"].any())
    return summed[table.columns]


def with_all(table: pd.DataFrame, measurable: Sequence[str]) -> pd.DataFrame:
    """Curves of images with those of the `measurable` ones together below, as image `POOLED`.

    Images in which no mask finds stars say nothing about the others. One image alone, or none that
    is measurable, is not pooled.
    """
    measured = table[table["image"].isin(measurable)]
    if table["image"].nunique() < 2 or measured.empty:
        return table
    return pd.concat([table, pool_curves(measured, name=POOLED)], ignore_index=True)


def compare_curves(
    table: pd.DataFrame,
    *,
    rates: list[float],
    areas: list[float],
    draws: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Completeness of each family at equal false spots per arcmin^2 and at equal masked share.

    The segmentation's own false rate and area at its working point are compared at too (`limit` is
    then its value, `of` says so). Columns: image, at (false_per_arcmin2 or area), of, limit,
    family, completeness, low, high (95 %), setting, n_stars. The limits are Wilson's for the number
    of stars; at a false rate they also hold the Poisson error of the false spots and with it that
    of the level (`rate_draws`, `draws` of them).
    """
    rows = []
    for image, curves in table.groupby("image", sort=False):
        own = curves[(curves["family"] == "segmentation") & curves["working"]]
        limits = [("false_per_arcmin2", "given", rate) for rate in rates]
        limits += [("area", "given", share) for share in areas]
        for column in ("false_per_arcmin2", "area"):
            limits += [(column, "segmentation", float(value)) for value in own[column]]
        for column, of, limit in limits:
            for family, curve in curves.groupby("family", sort=False):
                best, setting = _best(curve, column, limit)
                n = int(curve["n_stars"].iloc[0])
                low, high = map(float, wilson(best * n, n))
                if column == "false_per_arcmin2" and n:
                    drawn = rng.binomial(n, rate_draws(curve, limit, draws=draws, rng=rng)) / n
                    lowest, highest = np.percentile(drawn, [2.5, 97.5])
                    low, high = min(low, float(lowest)), max(high, float(highest))
                rows.append(
                    {
                        "image": image,
                        "at": column,
                        "of": of,
                        "limit": limit,
                        "family": family,
                        "completeness": best,
                        "low": low,
                        "high": high,
                        "setting": setting,
                        "n_stars": n,
                        "simulated": bool(curve["simulated"].any()),
                    }
                )
    return pd.DataFrame(rows, columns=_COMPARED.split())


_COMPARED = "image at of limit family completeness low high setting n_stars simulated"


### comparison #####################################################################################


def at_false_rate(curve: pd.DataFrame, rate: float) -> tuple[float, float]:
    """Completeness and setting where a family's false spots per arcmin^2 do not exceed `rate`.

    The best completeness of all such points, with the line between neighbouring settings of which
    one exceeds the rate. (0, NaN) where every setting has more false spots.
    """
    return _best(curve, "false_per_arcmin2", rate)


def rate_draws(
    curve: pd.DataFrame,
    rate: float,
    *,
    draws: int,
    rng: np.random.Generator,
    without: float = 0.0,
) -> NDArray[np.float64]:
    """Completeness at a false rate, with the level chosen by what the rates may be, (draws,).

    Of n false spots that a level has, the mean is drawn from Gamma(n + 1/2) (Jeffreys' interval of
    a Poisson mean: Brown, Cai & DasGupta 2003, Statistica Sinica 13, 19). The false spots of a
    stricter level are among those of a looser one, so all levels are at the same quantile of a
    draw: percentiles of the result are those of the levels whose rate may be `rate`. Where an area
    allows fewer than two or three spots, or every level has about as many, it may be none: the
    completeness is then that `without` a level.
    """
    curve = curve.sort_values("setting")
    area = curve["area_arcmin2"].to_numpy(float)
    counts = curve["false_per_arcmin2"].to_numpy(float) * area
    cost = stats.gamma.ppf(rng.random((draws, 1)), counts + 0.5) / area
    gain = curve["completeness"].to_numpy(float)
    inside = cost <= rate
    found: NDArray[np.float64] = np.where(inside, gain, 0.0).max(axis=1)
    found[~inside.any(axis=1)] = without
    with np.errstate(divide="ignore", invalid="ignore"):
        part = (rate - cost[:, :-1]) / np.diff(cost, axis=1)
        between = gain[:-1] + part * np.diff(gain)
    crossing = inside[:, 1:] != inside[:, :-1]
    if crossing.size:
        found = np.maximum(found, np.where(crossing, between, 0.0).max(axis=1))
    return found


def _best(curve: pd.DataFrame, column: str, limit: float) -> tuple[float, float]:
    curve = curve.sort_values("setting")
    cost = curve[column].to_numpy(float)
    gain = curve["completeness"].to_numpy(float)
    setting = curve["setting"].to_numpy(float)
    inside = cost <= limit
    candidates = [(gain[i], setting[i]) for i in np.flatnonzero(inside)]
    for i in np.flatnonzero(inside[1:] != inside[:-1]):
        part = (limit - cost[i]) / (cost[i + 1] - cost[i])
        candidates.append(
            (
                gain[i] + part * (gain[i + 1] - gain[i]),
                setting[i] + part * (setting[i + 1] - setting[i]),
            )
        )
    if not candidates:
        return 0.0, float("nan")
    best = max(candidates, key=lambda pair: pair[0])
    return float(best[0]), float(best[1])
