"""The verdict by truth, and agreement of two scorers, by hand."""

import numpy as np
import pandas as pd
import pytest
from frames import frame_with
from mirimask.evaluation.agreement import (
    agreement_table,
    cohen_kappa,
    cut_out,
    spread_over_images,
    truth_verdicts,
)
from mirimask.intervals import wilson


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


def test_masks_of_the_same_sources_are_no_further_trials():
    """Each of 20 sources under one mask, and the same under ten: the same interval."""
    one = pd.DataFrame(
        {
            "image": "A",
            "method": "m0",
            "verdict": "success",
            "truth_verdict": ["success"] * 15 + ["near"] * 5,
        }
    )
    ten = pd.concat([one.assign(method=f"m{i}") for i in range(10)])
    limits = ["agreement", "agreement_low", "agreement_high"]
    single = agreement_table(one).set_index(["image", "method"]).loc[("All", "All")]
    assert list(single[limits]) == pytest.approx([0.75, *map(float, wilson(15, 20))])
    many = agreement_table(ten).set_index(["image", "method"])
    assert list(many.loc[("All", "All"), limits]) == pytest.approx(list(single[limits]))
    assert list(many.loc[("All", "m3"), limits]) == pytest.approx(list(single[limits]))
    # verdicts that differ from mask to mask by chance are trials, all but one by one
    agree = np.random.default_rng(1).random(200) < 0.75
    truth = np.where(agree, "success", "near")
    mixed = agreement_table(ten.assign(truth_verdict=truth)).set_index(["image", "method"])
    own = mixed.loc[("All", "All")]
    width = np.subtract(*np.asarray(wilson(own["agree"], 200))[::-1])
    assert own["agreement_high"] - own["agreement_low"] == pytest.approx(width, rel=0.3)
    # where all agree the limits are of the sources
    same = agreement_table(ten.assign(truth_verdict="success")).set_index(["image", "method"])
    assert same.loc[("All", "All"), "agreement_low"] == pytest.approx(float(wilson(20, 20)[0]))


def test_sources_are_taken_in_turns():
    """Two of A, one of B, three of C, the rows of one source together."""
    judged = pd.DataFrame({"image": [*"AAABCCC"], "id": [*"1121123"]})
    found = spread_over_images(judged, 5)
    assert [len(rows) for rows in found] == [2, 1, 1, 1, 1]
    first = [rows.iloc[0] for rows in found]
    assert [row["image"] + row["id"] for row in first] == ["A1", "B1", "C1", "A2", "C2"]
    assert spread_over_images(judged.iloc[:0], 5) == []


@pytest.mark.parametrize("x", [50.2, 2.0])
def test_a_cut_out_is_centred_on_its_source(x):
    data = np.arange(100 * 120, dtype=np.float32).reshape(100, 120)
    crop = frame_with(data, origin=(5, 10), frame_shape=(200, 220))
    mask = np.zeros(data.shape, bool)
    mask[40, 52] = True
    rows = pd.DataFrame(
        {
            "image": "A", "id": "7", "x": x, "y": 40.4,
            "method": ["value_1", "value_1", "derivative_10", "segmentation"],
            "verdict": ["success", "success", "near", "success"],
            "truth_verdict": ["near", "near", "failure", "near"],
        }
    )  # fmt: skip
    peaks = pd.DataFrame({"x": [52], "y": [41]})
    truth = pd.DataFrame({"x": [62.5], "y": [44.0], "ab_mag": [21.0]})
    piece = cut_out(crop, rows, mask, peaks, truth, radius="12 px", near="18 px")
    assert piece.title == "A, 7"
    assert piece.lines == [
        "success, truth near: Img Top 1 %, Orig. Segm.",
        "near, truth failure: Diff Top 10 %",
    ]
    assert piece.mask_name == "value_1"
    assert piece.radii == (12, 30)
    half = 35  # 7/6 of 30 px, more than 10 FWHM of 2.45 px
    assert piece.image.shape == piece.mask.shape == (71, 71)
    assert piece.image[half, half] == data[40, round(x)]
    # the frame's column 62.5 and row 44 are the crop's 52.5 and 39
    assert piece.truth.tolist() == [[half + 52.5 - round(x), half + 39 - 40]]
    assert piece.peaks.tolist() == [[half + 52 - round(x), half + 1]]
    assert np.isnan(piece.image[0, 0]) == (x < half)
    assert np.argwhere(piece.mask).tolist() == ([[half, half + 2]] if x == 50.2 else [])
