"""The verdict by truth, and agreement of two scorers, by hand."""

import numpy as np
import pandas as pd
import pytest
from mirimask.evaluation.agreement import agreement_table, cohen_kappa, truth_verdicts


def _truth():
    x, y = np.array([50.0, 150.0]), np.array([50.0, 150.0])
    return pd.DataFrame(
        {"id": ["S1", "S2"], "x": x, "y": y, "column": x.astype(int), "row": y.astype(int),
         "ab_mag": [20.0, 22.0]}
    )  # fmt: skip


SETTINGS = {"tolerance_px": 2.5, "radius_px": 18, "near_px": 25}


def test_truth_counts_only_where_it_is_covered():
    labels = np.zeros((200, 200), int)
    labels[50, 52] = 1  # two pixels beside the first source; the second is not covered
    x, y = np.array([50.0, 68.0, 69.0, 150.0]), np.array([50.0, 50.0, 50.0, 150.0])
    given = truth_verdicts(x, y, _truth(), labels, **SETTINGS)
    assert list(given["truth_verdict"]) == ["success", "success", "near", "failure"]
    assert given["truth_distance_px"][1] == 18
    assert given["truth_id"][1] == "S1"
    assert given["visible_px"][3] == 0
    labels[:] = 0
    labels[50, 53] = 1  # three pixels are too far
    assert (truth_verdicts(x, y, _truth(), labels, **SETTINGS)["truth_verdict"] == "failure").all()


def test_no_truth_and_no_sources():
    labels = np.ones((200, 200), int)
    x = np.array([50.0])
    none = truth_verdicts(x, x, _truth().iloc[:0], labels, **SETTINGS)
    assert list(none["truth_verdict"]) == ["failure"]
    assert none["truth_id"][0] == ""
    assert truth_verdicts(x[:0], x[:0], _truth(), labels, **SETTINGS).empty


def test_kappa_by_hand():
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: p_o = 0.7, p_e = 0.5
    a = np.repeat(["y", "y", "n", "n"], [20, 5, 10, 15])
    b = np.repeat(["y", "n", "y", "n"], [20, 5, 10, 15])
    assert cohen_kappa(a, b) == pytest.approx(0.4)
    assert cohen_kappa(a, a) == 1
    assert np.isnan(cohen_kappa(["y", "y"], ["y", "y"]))
    assert np.isnan(cohen_kappa([], []))


def test_agreement_counts():
    judged = pd.DataFrame(
        {
            "image": ["A", "A", "A", "B"],
            "method": ["m", "m", "n", "m"],
            "verdict": ["success", "near", "success", "failure"],
            "truth_verdict": ["success", "failure", "near", "failure"],
        }
    )
    table = agreement_table(judged).set_index(["image", "method"])
    everything = table.loc[("All", "All")]
    assert (everything["agree"], everything["sources"]) == (2, 4)
    assert (everything["agree_success"], everything["false_success"]) == (3, 1)
    assert table.loc[("A", "All"), "agreement"] == pytest.approx(1 / 3)
    assert table.loc[("All", "m"), "agreement"] == pytest.approx(2 / 3)
    assert table.loc[("B", "m"), "missed_success"] == 0
    assert agreement_table(judged.iloc[:0]).loc[0, "sources"] == 0
