"""McNemar, Holm and the bootstrap against numbers done by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from mirimask.evaluation.significance import (
    compare_methods,
    compare_scorers,
    holm,
    mcnemar,
    recall_differences,
    successes,
)
from mirimask.intervals import paired_difference


def test_mcnemar_by_hand():
    statistic, p, exact = mcnemar(30, 10)
    assert statistic == pytest.approx(19**2 / 40)
    assert not exact
    assert p == pytest.approx(math.erfc(math.sqrt(19**2 / 80)))
    statistic, p, exact = mcnemar(5, 1)  # 2 (C(6,5) + C(6,6)) / 2^6
    assert exact
    assert np.isnan(statistic)
    assert p == pytest.approx(2 * 7 / 64)
    assert mcnemar(0, 0)[1] == 1
    assert mcnemar(12, 12)[2]
    assert not mcnemar(13, 12)[2]
    assert mcnemar(13, 12)[1] == 1


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])
    assert holm([]).size == 0


def _success():
    index = pd.MultiIndex.from_product([["A", "B"], range(20)])
    segmentation = np.arange(40) % 2 == 0
    better = segmentation | (np.arange(40) % 4 == 1)
    return pd.DataFrame(
        {"value_1": better, "same": segmentation, "segmentation": segmentation}, index=index
    )


def test_methods_are_compared_source_by_source():
    table = compare_methods(_success()).set_index(["image", "method"])
    row = table.loc[("All", "value_1")]
    assert (row["both"], row["method_only"], row["segmentation_only"], row["neither"]) == (
        20, 10, 0, 10,
    )  # fmt: skip
    assert row["p_value"] == pytest.approx(2 / 2**10)
    assert row["p_holm"] == pytest.approx(4 / 2**10)
    assert table.loc[("A", "value_1"), "method_only"] == 5
    assert table.loc[("All", "same"), "p_value"] == 1


def test_bootstrap_is_seeded_and_covers_the_difference():
    table = recall_differences(_success(), draws=500, seed=1)
    assert table.equals(recall_differences(_success(), draws=500, seed=1))
    rows = table.set_index("method")
    assert rows.loc["value_1", "difference"] == pytest.approx(0.25)
    assert 0 < rows.loc["value_1", "difference_low"] < 0.25 < rows.loc["value_1", "difference_high"]
    own = rows.loc["segmentation", ["difference_low", "difference", "difference_high"]]
    assert (own == 0).all()
    # another method may differ where the 40 sources show nothing of it
    assert -0.1 < rows.loc["same", "difference_low"] < 0 < rows.loc["same", "difference_high"] < 0.1
    # binomial scatter of 40 sources: both images are alike
    width = rows.loc["value_1", "recall_high"] - rows.loc["value_1", "recall_low"]
    assert width == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 40), rel=0.2)


def test_few_sources_that_are_all_alike_have_an_interval():
    """A bootstrap of them has none: 1 of 1 is as likely where half are found."""
    index = pd.MultiIndex.from_product([["A"], range(1)])
    success = pd.DataFrame({"value_1": [True], "segmentation": [False]}, index=index)
    row = recall_differences(success, draws=50, seed=1).set_index("method").loc["value_1"]
    # Wilson of 1 of 1: from 1 / (1 + 1.96^2); of the difference: 1 less sqrt(2) of what is left
    low = 1 / (1 + 1.959964**2)
    assert row[["recall", "recall_low", "recall_high"]].tolist() == pytest.approx([1, low, 1])
    assert row["difference_low"] == pytest.approx(1 - np.sqrt(2) * (1 - low), abs=1e-6)
    assert row["difference_low"] < 0


def test_the_interval_of_a_paired_difference_by_hand():
    """Of 40, 18 have both, 12 and 2 one alone, 8 none: 30 and 20; rho = (144 - 24 - 20) / 173.2."""
    z2 = 1.959964**2
    limits = []
    for k in (30, 20):
        middle, half = (k + z2 / 2) / (40 + z2), np.sqrt(k * (40 - k) / 40 + z2 / 4)
        limits.append((middle - 1.959964 * half / (40 + z2), middle + 1.959964 * half / (40 + z2)))
    rho = (18 * 8 - 12 * 2 - 20) / np.sqrt(30 * 10 * 20 * 20)
    a, b = 0.75 - limits[0][0], limits[1][1] - 0.5
    low, high = paired_difference(18, 12, 2, 8)
    assert low == pytest.approx(0.25 - np.sqrt(a**2 - 2 * rho * a * b + b**2))
    a, b = limits[0][1] - 0.75, 0.5 - limits[1][0]
    assert high == pytest.approx(0.25 + np.sqrt(a**2 - 2 * rho * a * b + b**2))
    assert paired_difference(0, 0, 0, 0) == (-1, 1)


def test_images_that_differ_widen_the_interval():
    index = pd.MultiIndex.from_product([list("ABCDEFG"), range(100)])
    found = np.repeat([1, 1, 1, 1, 0, 0, 0], 100).astype(bool)
    (row,) = recall_differences(
        pd.DataFrame({"value_1": found}, index=index), draws=500, seed=1
    ).to_dict("records")
    assert row["recall_high"] - row["recall_low"] > 0.5
    assert np.isnan(row["difference"])


def test_nothing_to_compare():
    success = _success()
    assert compare_methods(success.drop(columns="segmentation")).empty
    assert compare_methods(success.iloc[:0]).empty
    assert recall_differences(success.iloc[:0], draws=100, seed=1).empty
    one = recall_differences(success.loc[["A"]], draws=100, seed=1)
    assert (one["images"] == 1).all()


def _verdicts():
    """Two images with a source that only one method, or only one scorer, calls a success."""
    given = {
        ("A", "segmentation"): [("success", "success"), ("near", "success")],
        ("A", "value_1"): [("success", "success"), ("success", "near")],
        ("B", "segmentation"): [("failure", "failure")],
        ("B", "value_1"): [("success", "failure")],
        ("empty", "segmentation"): [],
        ("empty", "value_1"): [],
    }
    columns = ["verdict", "verdict_pixels"]
    return [
        (image, method, pd.DataFrame(rows, columns=columns))
        for (image, method), rows in given.items()
    ]


def test_successes_of_two_scorers():
    table = successes(_verdicts(), scorer="peaks")
    assert list(table.columns) == ["segmentation", "value_1"]
    assert table.index.tolist() == [("A", 0), ("A", 1), ("B", 0)]
    assert table["segmentation"].tolist() == [True, False, False]
    assert table["value_1"].tolist() == [True, True, True]
    assert successes(_verdicts(), scorer="pixels")["value_1"].tolist() == [True, False, False]
    none = successes(_verdicts()[-2:], scorer="peaks")
    assert none.empty
    assert list(none.columns) == ["segmentation", "value_1"]


def test_both_scorers_are_compared():
    tests, recalls = compare_scorers(iter(_verdicts()), draws=100, seed=1)
    rows = tests[tests["image"] == "All"].set_index("scorer")
    assert rows.loc["peaks", ["method_only", "segmentation_only"]].tolist() == [2, 0]
    assert rows.loc["pixels", ["method_only", "segmentation_only"]].tolist() == [0, 1]
    shares = recalls.set_index(["scorer", "method"])["recall"]
    assert shares["peaks", "value_1"] == 1
    assert shares["pixels", "segmentation"] == pytest.approx(2 / 3)
