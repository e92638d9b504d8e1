"""Is a difference between two methods more than luck? McNemar, Holm, bootstrap."""

from collections.abc import Iterable
from typing import SupportsFloat

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mirimask.intervals import paired_difference, wilson
from mirimask.sources.verdicts import VERDICT_COLUMNS

__all__ = [
    "REFERENCE",
    "compare_methods",
    "compare_scorers",
    "holm",
    "mcnemar",
    "recall_differences",
    "successes",
]

REFERENCE = "segmentation"


def mcnemar(b: int, c: int) -> tuple[float, float, bool]:
    """McNemar's test (1947) of two methods judged on the same sources.

    `b` sources are a success of the first alone, `c` of the second alone. Returns the statistic,
    the two-sided p-value and whether the test is exact: below 25 such sources the binomial test of
    b among b + c at 1/2 (statistic NaN), else `chi^2 = (|b - c| - 1)^2 / (b + c)` with one degree
    of freedom (Edwards 1948). Without any such source p is 1.
    """
    n = b + c
    if n == 0:
        return float("nan"), 1.0, True
    if n < 25:
        return float("nan"), float(stats.binomtest(b, n, 0.5).pvalue), True
    statistic = max(abs(b - c) - 1, 0) ** 2 / n
    return statistic, float(stats.chi2.sf(statistic, 1)), False


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """p-values corrected for their number by Holm's step-down method (1979), in the same order."""
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(steps, 1)
    return corrected


def compare_methods(success: pd.DataFrame) -> pd.DataFrame:
    """McNemar of each method against the segmentation, for each image and all together.

    `success` is indexed by image and source, with a bool column for each method. Columns: image
    ('All' first), method, sources, both, method_only (b), segmentation_only (c), neither,
    statistic, exact, p_value, p_holm (corrected within the rows of one image). Without the
    segmentation among the methods, or without sources: no rows.
    """
    columns = [
        "image",
        "method",
        "sources",
        "both",
        "method_only",
        "segmentation_only",
        "neither",
        "statistic",
        "exact",
        "p_value",
        "p_holm",
    ]
    tables = []
    if REFERENCE in success and len(success):
        images = success.index.get_level_values(0)
        for image in ["All", *dict.fromkeys(images)]:
            own = success if image == "All" else success[images == image]
            reference = own[REFERENCE].to_numpy(bool)
            rows = []
            for method in own.columns.drop(REFERENCE):
                found = own[method].to_numpy(bool)
                b, c = int((found & ~reference).sum()), int((reference & ~found).sum())
                statistic, p, exact = mcnemar(b, c)
                both, neither = int((found & reference).sum()), int((~found & ~reference).sum())
                cells = (len(own), both, b, c, neither, statistic, exact, p)
                rows.append((image, method, *cells))
            table = pd.DataFrame(rows, columns=columns[:-1])
            tables.append(table.assign(p_holm=holm(table["p_value"])))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def recall_differences(success: pd.DataFrame, *, draws: int, seed: int) -> pd.DataFrame:
    """Recall of each method, and its difference from the segmentation's, with 95 % intervals.

    Bootstrap in two stages, as the sources of an image are not independent: images are drawn with
    replacement, then sources within each drawn image (percentile interval of `draws` draws). With
    one image only the sources are drawn; with the paper's seven the intervals remain approximate.
    A bootstrap of few sources, or of those that are all alike, is too narrow: no interval is
    narrower than that of as many sources of one image (`wilson`, `paired_difference`).
    `success` as in `compare_methods`. Columns: method, sources, images, recall and difference with
    their limits (difference NaN without a segmentation). No sources: no rows.
    """
    limits = ["_low", "_high"]
    columns = ["method", "sources", "images", "recall", *("recall" + e for e in limits)]
    columns += ["difference", *("difference" + e for e in limits)]
    if not len(success):
        return pd.DataFrame(columns=columns)
    rng = np.random.default_rng(seed)
    groups = [group.to_numpy(float) for _, group in success.groupby(level=0, sort=False)]
    sums = np.zeros((draws, success.shape[1]))
    sizes = np.zeros((draws, 1))
    for slot in rng.integers(len(groups), size=(len(groups), draws)):
        for i, group in enumerate(groups):
            drawn = np.flatnonzero(slot == i)
            picks = rng.integers(len(group), size=(drawn.size, len(group)))
            sums[drawn] += group[picks].sum(axis=1)
            sizes[drawn] += len(group)
    recalls = sums / sizes
    reference = success[REFERENCE].to_numpy(bool) if REFERENCE in success else np.zeros(0, bool)
    table = []
    for j, method in enumerate(success.columns):
        row = {"method": method, "sources": len(success), "images": len(groups)}
        row["recall"] = float(success[method].mean())
        found = success[method].to_numpy(bool)
        row["recall_low"], row["recall_high"] = _wider(
            np.percentile(recalls[:, j], [2.5, 97.5]), wilson(found.sum(), found.size)
        )
        if REFERENCE in success:
            other = recalls[:, j] - recalls[:, success.columns.get_loc(REFERENCE)]
            row["difference"] = row["recall"] - float(success[REFERENCE].mean())
            own = paired_difference(*_pairs(found, reference)) if method != REFERENCE else (0, 0)
            row["difference_low"], row["difference_high"] = _wider(
                np.percentile(other, [2.5, 97.5]), own
            )
        table.append(row)
    return pd.DataFrame(table, columns=columns)


def _pairs(found: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """How many sources both methods find, the first alone, the other alone, and none."""
    both, first, second = (found & other).sum(), (found & ~other).sum(), (other & ~found).sum()
    return int(both), int(first), int(second), int(found.size - both - first - second)


def _wider(limits: Iterable[SupportsFloat], others: Iterable[SupportsFloat]) -> tuple[float, float]:
    """The lower of two lower limits, and the higher of two upper ones."""
    (low, high), (other_low, other_high) = (map(float, pair) for pair in (limits, others))
    return min(low, other_low), max(high, other_high)


def successes(verdicts: Iterable[tuple[str, str, pd.DataFrame]], *, scorer: str) -> pd.DataFrame:
    """Which sources are a success by which methods, for `compare_methods`.

    `verdicts`: image, method and the table of one mask's verdicts, a row a source in the order that
    all masks of the image share. `scorer` is 'peaks' (column verdict) or 'pixels' (verdict_pixels).
    Indexed by image and source (its place in the table), with a bool column for each method.
    """
    verdicts = list(verdicts)
    tables = [
        pd.DataFrame(
            {
                "image": image,
                "source": range(len(given)),
                "method": method,
                "success": given[VERDICT_COLUMNS[scorer]].to_numpy() == "success",
            }
        )
        for image, method, given in verdicts
    ]
    table = pd.concat(tables, ignore_index=True)
    order = list(dict.fromkeys(method for _, method, _ in verdicts))
    wide = table.pivot(index=["image", "source"], columns="method", values="success")
    return wide.reindex(columns=order).astype(bool)


def compare_scorers(
    verdicts: Iterable[tuple[str, str, pd.DataFrame]], *, draws: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`compare_methods` and `recall_differences` by both scorers, with a column scorer."""
    verdicts = list(verdicts)
    tests, recalls = [], []
    for scorer in VERDICT_COLUMNS:
        success = successes(verdicts, scorer=scorer)
        tests.append(compare_methods(success).assign(scorer=scorer))
        recall = recall_differences(success, draws=draws, seed=seed)
        recalls.append(recall.assign(scorer=scorer))
    return pd.concat(tests, ignore_index=True), pd.concat(recalls, ignore_index=True)
