"""Verdicts on constructed masks, with answers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT
from frames import frame_with
from mirimask.errors import MaskError
from mirimask.sources.spots import label_spots
from mirimask.sources.verdicts import (
    circle_row,
    covered_share,
    judged_sources,
    literal_verdicts,
    not_observed,
    peak_verdicts,
    smallest_spot_px,
)

CIRCLE = {"radius_px": 18, "near_px": 25}


def _peaks(*positions):
    x, y = zip(*positions, strict=True)
    return pd.DataFrame({"x": x, "y": y, "value": 1.0, "snr": 10.0 + np.arange(len(x))})


def _mask(*positions, shape=(200, 200)):
    mask = np.zeros(shape, bool)
    for x, y in positions:
        mask[y, x] = True
    return mask


def _judge(mask, peaks, x, y, *, min_pixels=1, tolerance=2.5):
    spots = label_spots(mask, peaks, min_pixels=min_pixels, tolerance_px=tolerance)
    return peak_verdicts(np.array(x), np.array(y), spots, peaks, **CIRCLE)


def test_distances_decide():
    """A marked peak at (100, 100): 18 px are in the circle, 43 px still near, more is a failure."""
    verdicts = _judge(
        _mask((100, 100)), _peaks((100, 100)), [100, 118, 118.1, 143, 143.1], [100.0] * 5
    )
    assert list(verdicts["verdict"]) == ["success", "success", "near", "near", "failure"]
    np.testing.assert_allclose(verdicts["distance_px"], [0, 18, 18.1, 43, 43.1])
    assert (verdicts["peak_snr"] == 10).all()
    assert (verdicts["spot"] == 1).all()


@pytest.mark.parametrize(("offset", "bright"), [(2, True), (3, False)])
def test_a_flank_within_the_tolerance_marks_its_peak(offset, bright):
    """A derivative marks the rising flank, below the peak."""
    spots = label_spots(_mask((50, 50 - offset)), _peaks((50, 50)), min_pixels=1, tolerance_px=2.5)
    assert bool(spots.bright.size) is bright


def test_a_peak_without_a_spot_and_a_spot_without_a_peak_do_not_count():
    verdicts = _judge(_mask((10, 10)), _peaks((100, 100)), [100.0, 10.0], [100.0, 10.0])
    assert list(verdicts["verdict"]) == ["failure", "failure"]
    assert np.isinf(verdicts["distance_px"]).all()
    assert (verdicts["spot"] == 0).all()


def test_spots_touch_by_corners_and_small_ones_are_dropped():
    mask = _mask((10, 10), (11, 11), (12, 12), (50, 50))
    spots = label_spots(mask, _peaks((10, 10), (50, 50)), min_pixels=3, tolerance_px=0)
    assert spots.count == 1
    assert list(spots.peak_labels) == [1, 0]
    assert spots.clutter() == 0  # the lone pixel is no spot


def test_clutter_of_an_empty_mask_is_unknown():
    spots = label_spots(_mask(), _peaks((5, 5)), min_pixels=1, tolerance_px=2.5)
    assert np.isnan(spots.clutter())
    assert np.isnan(spots.clutter(16))


def test_clutter_is_the_share_of_visible_spots_that_mark_nothing():
    mask = _mask((10, 10), (100, 100))  # a spot of one pixel on a peak, one on none
    mask[50:54, 50:54] = True  # 16 pixels on none
    mask[150:154, 150:154] = True  # 16 pixels on a peak
    spots = label_spots(mask, _peaks((10, 10), (151, 151)), min_pixels=1, tolerance_px=0)
    assert spots.clutter() == pytest.approx(2 / 4)
    assert spots.clutter(16) == pytest.approx(1 / 2)
    assert np.isnan(spots.clutter(17))


def test_an_eye_sees_one_peak_a_spot_and_no_small_spots():
    """Two peaks in one spot of 25 pixels, one on a spot of 4, one that nothing marks."""
    mask = _mask()
    mask[20:25, 20:25] = True
    mask[60:62, 60:62] = True
    peaks = _peaks((21, 21), (24, 24), (60, 60), (90, 90))
    peaks["snr"] = [7.0, 9.0, 50.0, 5.0]
    spots = label_spots(mask, peaks, min_pixels=1, tolerance_px=0)
    snr = peaks["snr"].to_numpy()
    assert list(spots.seen_peaks(snr, None)) == [True, True, True, False]
    assert list(spots.seen_peaks(snr, 1)) == [False, True, True, False]
    assert list(spots.seen_peaks(snr, 4)) == [False, True, True, False]
    assert list(spots.seen_peaks(snr, 5)) == [False, True, False, False]
    assert not spots.seen_peaks(snr, 26).any()


def test_a_spot_too_small_to_be_seen_is_no_success():
    mask, peaks = _mask((10, 10)), _peaks((10, 10))
    spots = label_spots(mask, peaks, min_pixels=1, tolerance_px=0)
    at, circle = np.array([10.0]), {"radius_px": 18, "near_px": 25}
    for smallest, verdict in ((None, "success"), (1, "success"), (2, "failure")):
        given = peak_verdicts(at, at, spots, peaks, **circle, smallest_px=smallest)
        assert list(given["verdict"]) == [verdict]


@pytest.mark.parametrize("name", ["F770W", "F2550W"])
def test_what_an_eye_sees_does_not_grow_with_the_psf(name):
    """16 px of 0.11 arcsec in every filter, with the default; 1.84 FWHM are 142 px in F2550W."""
    size = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())["verdict"]["smallest_spot"]
    crop = frame_with(np.ones((9, 9), np.float32))
    crop.primary["FILTER"] = name
    assert 15 < smallest_spot_px(size, crop) <= 16
    assert smallest_spot_px(None, crop) is None


def test_peaks_at_the_rim():
    spots = label_spots(
        _mask((0, 0), (199, 199)), _peaks((0, 0), (199, 199)), min_pixels=1, tolerance_px=2.5
    )
    assert list(spots.peak_labels) == [1, 2]


def test_the_nearest_spot_marks_the_peak():
    mask = _mask((48, 50), (51, 50))
    spots = label_spots(mask, _peaks((50, 50)), min_pixels=1, tolerance_px=2.5)
    assert spots.peak_labels[0] == spots.labels[50, 51]


def test_literal_rule():
    verdicts = literal_verdicts(
        np.array([100.0, 118, 118.1, 143, 143.1, -5]),
        np.array([100.0] * 5 + [100]),
        _mask((100, 100)),
        **CIRCLE,
    )
    assert list(verdicts) == ["success", "success", "near", "near", "failure", "failure"]


def test_sources_are_judged_by_both_rules():
    """A peak that is marked, and a spot without a peak, which the literal rule alone counts."""
    mask, peaks = _mask((20, 20), (21, 20), (150, 150)), _peaks((20, 20))
    spots = label_spots(mask, peaks, min_pixels=1, tolerance_px=2.5)
    sources = pd.DataFrame({"id": ["a", "b", "c"], "x": [20, 150, 80], "y": [25, 150, 180]})
    judged = judged_sources(sources, mask, spots, peaks, **CIRCLE)
    assert list(judged) == [
        *("id", "x", "y", "verdict", "verdict_pixels", "distance_px", "peak_snr", "spot")
    ]
    assert list(judged["verdict"]) == ["success", "failure", "failure"]
    assert list(judged["verdict_pixels"]) == ["success", "success", "failure"]
    assert spots.counts() == {
        "n_pixels": 3,
        "n_spots": 2,
        "n_bright_spots": 1,
        "n_pixels_bright": 2,
        "clutter": 0.5,
    }
    assert spots.counts(smallest_px=2)["clutter"] == 0


def test_share_that_circles_cover():
    empty = np.zeros((10, 20), bool)
    # a pixel and its four neighbours; over the rim 4 of them; two circles count once
    assert covered_share([5], [5], empty, radius_px=1) == 5 / 200
    assert covered_share([0], [5], empty, radius_px=1) == 4 / 200
    assert covered_share([5, 6], [5, 5], empty, radius_px=1) == 8 / 200
    assert covered_share([-5], [5], empty, radius_px=1) == 0
    empty[:, :10] = True
    assert covered_share([9.2], [5], empty, radius_px=1) == 1 / 100
    assert covered_share([], [], empty, radius_px=1) == 0
    assert covered_share([5], [5], np.ones((3, 3), bool), radius_px=1) == 0


def test_sources_around_which_nothing_was_observed():
    """Beside a saturated middle or the rim of a gap there is something to be seen."""
    empty = np.zeros((30, 30), bool)
    empty[:, 20:] = True
    empty[5:8, 5:8] = True
    x, y = np.array([6.0, 10.0, 21.4, 22.6]), np.array([6.0, 20.0, 20.0, 20.0])
    assert not_observed(x, y, empty, radius_px=3).tolist() == [False, False, False, True]
    assert not_observed(x[:0], y[:0], empty, radius_px=3).tolist() == []


def test_no_sources_and_no_peaks():
    none = pd.DataFrame({"x": [], "y": [], "value": [], "snr": []}).astype({"x": int, "y": int})
    assert len(_judge(_mask((5, 5)), _peaks((5, 5)), [], [])) == 0
    assert list(_judge(_mask((5, 5)), none, [5.0], [5.0])["verdict"]) == ["failure"]
    assert len(literal_verdicts(np.array([]), np.array([]), _mask(), **CIRCLE)) == 0


def test_a_position_that_is_not_finite_has_no_verdict():
    mask, peaks = _mask((50, 50)), _peaks((50, 50))
    spots = label_spots(mask, peaks, min_pixels=1, tolerance_px=2)
    at = np.array([50.0, np.nan]), np.array([50.0, 3.0])
    with pytest.raises(MaskError, match="1 of 2 are not finite"):
        peak_verdicts(*at, spots, peaks, **CIRCLE)
    with pytest.raises(MaskError, match="1 of 2 are not finite"):
        literal_verdicts(*at, mask, **CIRCLE)


def test_order_of_sources_does_not_matter():
    rng = np.random.default_rng(5)
    mask = rng.random((200, 200)) < 0.01
    peaks = _peaks(*rng.integers(0, 200, (30, 2)))
    x, y = rng.uniform(0, 200, (2, 60))
    order = rng.permutation(60)
    first, second = _judge(mask, peaks, x, y), _judge(mask, peaks, x[order], y[order])
    pd.testing.assert_frame_equal(
        first.iloc[order].reset_index(drop=True), second, check_exact=True
    )
    np.testing.assert_array_equal(
        literal_verdicts(x, y, mask, **CIRCLE)[order],
        literal_verdicts(x[order], y[order], mask, **CIRCLE),
    )


def test_literal_rule_is_never_stricter_than_the_peaks():
    rng = np.random.default_rng(6)
    mask = rng.random((200, 200)) < 0.002
    peaks = _peaks(*rng.integers(0, 200, (50, 2)))
    x, y = rng.uniform(0, 200, (2, 80))
    literal = literal_verdicts(x, y, mask, radius_px=18 + 2.5, near_px=25)
    judged = _judge(mask, peaks, x, y)["verdict"].to_numpy()
    assert (literal[judged == "success"] == "success").all()


def test_literal_rule_of_few_and_of_many_positions(monkeypatch):
    """Each has a way of its own to the nearest pixel; the verdicts are the same."""
    rng = np.random.default_rng(7)
    mask = rng.random((200, 240)) < 0.0005
    x, y = rng.uniform(-60, 300, (2, 250))
    few = literal_verdicts(x, y, mask, **CIRCLE)
    assert set(few) == {"success", "near", "failure"}
    monkeypatch.setattr("mirimask.sources.verdicts._FEW", 0)
    np.testing.assert_array_equal(literal_verdicts(x, y, mask, **CIRCLE), few)


def test_circles_count_each_source_once():
    verdicts = pd.DataFrame(
        {
            "image": ["A", "A", "A", "A", "B"],
            "method": ["value_1", "value_1", "segmentation", "segmentation", "value_1"],
            "x": [5.0, 6.0, 5.0, 6.0, 0.0],
            "y": [5.0, 5.0, 5.0, 5.0, 0.0],
        }
    )
    empty = np.zeros((10, 20), bool)
    row = circle_row(verdicts, empty, image="A", catalogue=True, radius_px=1.0)
    assert row == {
        "image": "A", "catalogue": True, "sources": 2, "not_observed": 0, "radius_px": 1.0,
        "covered": 8 / 200,
    }  # fmt: skip
    row = circle_row(verdicts, empty, image="C", catalogue=False, radius_px=1.0)
    assert (row["sources"], row["covered"], row["catalogue"]) == (0, 0.0, False)
