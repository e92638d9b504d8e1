"""False detections from the inverted image."""

import numpy as np
import pandas as pd
import pytest
from frames import frame_with
from mirimask.evaluation.reliability import (
    false_spots,
    flank_pixels,
    invert,
    pool_reliability,
    reliability_row,
    reliability_rows,
)
from mirimask.image.frame import Frame
from mirimask.masks.gradient import derivative
from mirimask.masks.make import make_masks
from mirimask.masks.segmentation import SegmentationSettings
from mirimask.masks.thresholds import thresholds, top_slice
from scipy.ndimage import gaussian_filter

STARS = [(60, 60), (150, 80), (100, 150)]


def _frame(*, flux=60.0, seed=0, shape=(200, 220)):
    rng = np.random.default_rng(seed)
    points = np.zeros(shape)
    for x, y in STARS:
        points[y, x] = flux
    data = gaussian_filter(rng.normal(0, 0.3, shape), 0.6) + 6 + gaussian_filter(points, 1.04)
    data = data.astype(np.float32)
    return frame_with(data)


def _inverted(frame):
    return invert(frame, frame, background_box_px=64, settings=SegmentationSettings())


def test_noise_alone_is_as_common_upside_down():
    frame = _frame(flux=0)
    inverted = _inverted(frame)
    for kind, image in (("value", frame.data), ("derivative", derivative(frame.data))):
        (level,) = thresholds(image, [1])
        name = f"{kind}_1"
        positive = false_spots(top_slice(image, level), None, min_pixels=1)
        twin = inverted.masks([name])[name]
        row = reliability_row(positive, false_spots(twin, None, min_pixels=1), 1)
        assert row["reliability_low"] < 0 < row["reliability_high"]
        assert abs(row["reliability"]) < 0.2


def test_bright_stars_alone_are_reliable_by_every_method():
    frame = _frame()
    inverted = _inverted(frame)
    peaks = pd.DataFrame(STARS, columns=["x", "y"])
    flanks = flank_pixels(peaks, frame.data.shape, 2.445)
    slices = ["value_0.05", "derivative_0.05"]  # 22 pixels, all on the stars
    both = "value_0.05_and_derivative_0.05"
    upright = make_masks(frame, slices)
    assert false_spots(upright["value_0.05"].mask, None, min_pixels=1) == 3
    twins = inverted.masks([*slices, "segmentation", both])
    assert not twins["value_0.05"].any()
    assert not twins["segmentation"].any()
    # the falling flank of a star is no false detection
    assert false_spots(twins["derivative_0.05"], None, min_pixels=1) == 3
    assert false_spots(twins["derivative_0.05"], flanks, min_pixels=1) == 0
    assert not twins[both].any()


def test_empty_rims_are_not_inverted_into_spots():
    frame = _frame()
    empty = np.zeros(frame.data.shape, bool)
    empty[:, :40] = True
    rimmed = Frame(
        np.where(empty, np.float32(0), frame.data), empty, None, None, frame.primary, frame.wcs
    )
    assert not _inverted(rimmed).masks(["value_0.05"])["value_0.05"].any()


def test_false_spots_counts_pieces():
    mask = np.zeros((20, 20), bool)
    mask[2, 2] = mask[3, 3] = mask[10:12, 10:12] = mask[18, 1] = True
    assert false_spots(mask, None, min_pixels=1) == 3
    assert false_spots(mask, None, min_pixels=3) == 1
    excluded = np.zeros_like(mask)
    excluded[11, 11] = True
    assert false_spots(mask, excluded, min_pixels=1) == 2
    assert false_spots(mask & False, excluded, min_pixels=1) == 0
    none = pd.DataFrame({"x": [], "y": []})
    assert not flank_pixels(none, (5, 5), 2.5).any()


def test_reliability_by_hand_and_pooled():
    row = reliability_row(100, 20, 2.0)
    assert row["reliability"] == pytest.approx(0.8)
    assert row["false_per_arcmin2"] == 10
    assert row["reliability_low"] < 0.8 < row["reliability_high"] < 1
    assert row["false_low"] == pytest.approx(12.217 / 2, rel=1e-3)  # Garwood's limit of 20
    assert reliability_row(10, 20, 1)["reliability"] == -1
    assert np.isnan(reliability_row(0, 0, 1)["reliability"])
    keys = {"method": "value_1", "domain": "crop"}
    table = pd.DataFrame([{"image": i, **keys, **row} for i in "AB"])
    (pooled,) = pool_reliability(table).to_dict("records")
    assert (pooled["n_positive"], pooled["n_negative"], pooled["area_arcmin2"]) == (200, 40, 4)


def test_rows_of_masks_leave_the_flanks_of_stars_out():
    """Of the derivative's twins only spots away from the stars count, of the others all."""
    frame = _frame()
    turned, peaks = _inverted(frame), pd.DataFrame(STARS, columns=["x", "y"])
    names = [("value_0.05", "crop"), ("derivative_0.05", "crop"), ("segmentation", "")]
    made = make_masks(frame, [name for name, _ in names])
    masks = [(name, domain, made[name].mask) for name, domain in names]
    table = reliability_rows(turned, peaks, iter(masks), min_pixels=1, tolerance_fwhm=1)
    assert list(zip(table["method"], table["domain"], strict=True)) == names
    rows = table.set_index("method")
    assert rows.loc["value_0.05", "n_positive"] == 3
    assert rows.loc["derivative_0.05", "n_negative"] == 0
    assert rows.loc["value_0.05", "area_arcmin2"] == pytest.approx(200 * 220 * 0.11**2 / 3600)
    # without the reference peaks each star's other flank is a false detection
    nowhere = reliability_rows(turned, peaks[:0], masks, min_pixels=1, tolerance_fwhm=1)
    assert nowhere.set_index("method").loc["derivative_0.05", "n_negative"] >= 3
