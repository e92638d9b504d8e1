"""Purity and completeness of constructed masks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from frames import frame_with
from mirimask.evaluation.completeness import (
    completeness_rows,
    judge_by_truth,
    magnitude_edges,
    pool_completeness,
    pool_purity,
    purity_row,
    true_sources,
    truth_in_crop,
)
from mirimask.evaluation.scene import FILTER_EFFICIENCY, expected_snr
from mirimask.sources.spots import label_spots

EMPTY = np.zeros((200, 200), bool)
PURITY = {"tolerance_px": 2.5, "area_arcmin2": 2.0, "seed": 1}


def _truth(positions, kinds=None, magnitudes=None):
    x, y = np.array(positions, float).reshape(-1, 2).T
    n = len(x)
    table = pd.DataFrame({"x": x + 430, "y": y + 20})
    table["kind"] = kinds or ["star"] * n
    table["ab_mag"] = magnitudes if magnitudes is not None else np.full(n, 20.2)
    return truth_in_crop(table, EMPTY, x0=430, y0=20)


def _spots(*pieces):
    mask = np.zeros(EMPTY.shape, bool)
    for rows, columns in pieces:
        mask[rows, columns] = True
    peaks = pd.DataFrame({"x": [0], "y": [0]})
    return label_spots(mask, peaks, min_pixels=1, tolerance_px=2.5)


def _row(spots, truth):
    return purity_row(spots, truth, EMPTY, sources=truth[["x", "y"]].to_numpy(), **PURITY)


def test_purity_merging_and_splitting_of_a_constructed_mask():
    truth = _truth([(20, 20), (60, 60), (64, 60), (120, 120), (190, 10)])
    spots = _spots(
        (slice(19, 22), slice(19, 22)),  # a true spot
        (slice(59, 62), slice(58, 67)),  # one spot for two sources
        (slice(120, 121), slice(118, 119)),  # two spots for one source
        (slice(120, 121), slice(122, 123)),
        (slice(150, 152), slice(30, 32)),  # three false ones
        (slice(160, 162), slice(30, 32)),
        (slice(10, 11), slice(193, 194)),  # 3 pixels from a source
    )
    row = _row(spots, truth)
    assert (row["n_spots"], row["n_true_spots"]) == (7, 4)
    assert row["purity"] == pytest.approx(4 / 7)
    assert row["false_per_arcmin2"] == pytest.approx(1.5)
    assert (row["n_sources"], row["n_recovered"]) == (5, 4)
    assert (row["n_merged_spots"], row["n_merged_sources"], row["n_split_sources"]) == (1, 2, 1)


def test_a_source_beyond_the_rim_makes_a_spot_real():
    spots = _spots((slice(100, 103), slice(0, 1)), (slice(50, 53), slice(199, 200)))
    outside = np.array([[-2.0, 101.0]])
    row = purity_row(spots, _truth([]), EMPTY, sources=outside, **PURITY)
    assert (row["n_spots"], row["n_true_spots"], row["n_sources"]) == (2, 1, 0)


def test_purity_by_chance_is_the_area_within_reach():
    rng = np.random.default_rng(0)
    truth = _truth(rng.integers(0, 200, (400, 2)))
    spots = _spots(*((slice(y, y + 1), slice(x, x + 1)) for x, y in rng.integers(0, 200, (300, 2))))
    row = _row(spots, truth)
    within = 1 - (1 - 21 / 200**2) ** 400  # 21 pixels lie within 2.5 of a pixel
    assert row["chance_purity"] == pytest.approx(within, abs=0.03)


def test_nothing_at_all():
    row = _row(_spots(), _truth([]))
    assert row["n_spots"] == 0
    assert np.isnan(row["purity"])
    assert row["false_per_arcmin2"] == 0
    rows = completeness_rows(
        _spots(), _truth([]), EMPTY, edges=[20, 21], tolerance_px=2, positions=100, seed=1
    )
    assert rows["completeness"].isna().all()
    assert (rows["chance"] == 0).all()


def test_completeness_by_magnitude_and_kind():
    truth = _truth(
        [(20, 20), (60, 60), (100, 100), (140, 140)],
        ["star", "star", "galaxy", "galaxy"],
        [20.2, 21.2, 20.3, 19.0],
    )
    spots = _spots((slice(20, 21), slice(20, 21)), (slice(0, 200), slice(150, 200)))
    rows = completeness_rows(
        spots, truth, EMPTY, edges=[20, 21, 22], tolerance_px=2, positions=20000, seed=1
    ).set_index(["kind", "ab_low"])
    assert rows.loc[("all", 20), "completeness"] == 0.5
    assert rows.loc[("star", 20), "completeness"] == 1
    assert rows.loc[("star", 21), "n_recovered"] == 0
    assert rows.loc[("galaxy", 20), "n_sources"] == 1  # the one of 19.0 is in no bin
    assert rows.loc[("all", 20), "chance"] == pytest.approx((52 * 200 + 13) / 200**2, abs=0.01)
    chance = rows.loc[("all", 20), "chance"]
    assert rows.loc[("all", 20), "corrected"] == pytest.approx((0.5 - chance) / (1 - chance))


def test_pooling_adds_counts():
    keys = {"method": "value_1", "domain": "crop"}
    spots = _spots((slice(20, 21), slice(20, 21)))
    found, missed = _truth([(20, 20)]), _truth([(90, 90)])
    purity = [
        {"image": i, **keys, **_row(spots, truth)} for i, truth in (("A", found), ("B", missed))
    ]
    (row,) = pool_purity(pd.DataFrame(purity)).to_dict("records")
    assert row["purity"] == 0.5
    assert row["area_arcmin2"] == 4
    tables = []
    for image, truth in (("A", found), ("B", missed)):
        rows = completeness_rows(
            spots, truth, EMPTY, edges=[20, 21], tolerance_px=2, positions=100, seed=1
        )
        tables.append(rows.assign(image=image, **keys))
    pooled = pool_completeness(pd.concat(tables, ignore_index=True)).set_index("kind")
    assert pooled.loc["star", "completeness"] == 0.5
    assert pooled.loc["galaxy", "n_sources"] == 0


def test_truth_is_moved_and_what_lies_outside_is_left_out():
    table = pd.DataFrame({"x": [430.4, 429.4, 500.0, 629.6], "y": [20.0, 30.0, 60.0, 30.0]})
    empty = EMPTY.copy()
    empty[40, 70] = True
    inside = truth_in_crop(table, empty, x0=430, y0=20)
    assert list(inside["column"]) == [0]
    assert list(inside["row"]) == [0]


def test_expected_snr_by_hand():
    sigma = 2.445 / 2.3548200
    snr = expected_snr(
        np.array([1.0, 1.0, 1.0]), np.array([0.0, 1.17741 * sigma, 0.0]), np.array([0.1, 0.1, 0]),
        fwhm_px=2.445, pixel_area_sr=1e-12,
    )  # fmt: skip
    star = FILTER_EFFICIENCY / 0.1 / np.sqrt(4 * np.pi * sigma**2)
    assert snr == pytest.approx([star, star / np.sqrt(2), 0], rel=1e-5)


def test_true_sources_have_the_noise_of_their_pixel():
    error = np.full(EMPTY.shape, 0.1, np.float32)
    error[40, 60] = 0.2
    crop = frame_with(np.ones(EMPTY.shape, np.float32), origin=(20, 430), frame_shape=(400, 700))
    truth = pd.DataFrame(
        {"x": [490.0, 490.0, 10.0], "y": [60.0, 61.0, 61.0], "flux": 1.0, "half_light_radius": 0.0}
    )
    with pytest.raises(ValueError, match="error image"):
        true_sources(truth, crop)
    found = true_sources(truth, replace(crop, error=error))
    assert found[["column", "row"]].to_numpy().tolist() == [[60, 40], [60, 41]]
    faint, bright = found["expected_snr"]
    assert bright == pytest.approx(2 * faint)
    # 0.45 F / (s sqrt(4 pi) sigma), F in MJy/sr of one pixel
    flux = 1e-12 / (0.11 / 206264.80625) ** 2
    sigma = 0.269 / 0.11 / np.sqrt(8 * np.log(2))
    assert bright == pytest.approx(0.45 * flux / (0.1 * np.sqrt(4 * np.pi) * sigma), rel=1e-3)


def test_masks_of_an_image_by_its_truth():
    """Three true sources: bright and marked, seen and missed, and one too faint to be seen."""
    truth = _truth([(20, 20), (100, 100), (150, 50)], magnitudes=[20.2, 20.7, 23.2])
    truth = truth.assign(id=["S1", "S2", "S3"], expected_snr=[50.0, 8.0, 0.5])
    mask = np.zeros(EMPTY.shape, bool)
    mask[20, 21] = mask[50, 150] = mask[180, 180] = True
    given = pd.DataFrame(
        {"id": ["1", "2"], "x": [25.0, 100.0], "y": [20.0, 100.0], "verdict": "success"}
        | {"distance_px": [5.0, 9.0], "peak_snr": 9.0}
    )
    completeness, purity, verdicts = judge_by_truth(
        frame_with(np.ones(EMPTY.shape, np.float32)),
        "A",
        pd.DataFrame({"x": [0], "y": [0]}),
        truth,
        [("value_1", "crop", mask, given), ("segmentation", "", EMPTY, given)],
        sources=truth[truth["expected_snr"] > 1][["x", "y"]].to_numpy(),
        radius="18 px",
        near="25 px",
        min_pixels=1,
        tolerance_fwhm=1,
        positions=100,
        seen_snr=5,
        real_snr=1,
        magnitudes=(20, 21, 0.5),
        seed=1,
    )
    own = completeness[(completeness["kind"] == "all") & (completeness["method"] == "value_1")]
    assert own["ab_low"].tolist() == [20, 20.5]
    assert own["n_recovered"].tolist() == [1, 0]
    assert completeness["domain"].unique().tolist() == ["crop", ""]
    # the spot on the source below real_snr is a false one
    rows = purity.set_index("method")
    assert rows.loc["value_1", ["n_spots", "n_true_spots", "n_sources"]].tolist() == [3, 1, 2]
    assert rows.loc["segmentation", "n_spots"] == 0
    assert verdicts["truth_verdict"].tolist() == ["success", *["failure"] * 3]
    assert verdicts["verdict"].tolist() == ["success"] * 4
    assert list(verdicts.columns[:3]) == ["method", "domain", "id"]


def test_the_bins_of_magnitudes_end_where_they_are_asked_to():
    for magnitudes, edges in (((16, 27, 3), [16, 19, 22, 25, 27]), ((20, 21, 0.1), None)):
        found = magnitude_edges(*magnitudes)
        assert found[[0, -1]].tolist() == list(magnitudes[:2])
        assert edges is None or found.tolist() == edges
        assert edges is not None or found.size == 11
