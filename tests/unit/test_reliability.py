"""False detections from the inverted image."""

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from mirimask.derivative import derivative
from mirimask.frame import Frame
from mirimask.methods import parse_method
from mirimask.reliability import (
    false_spots,
    flank_pixels,
    invert,
    pool_reliability,
    reliability_row,
)
from mirimask.segmentation import SegmentationSettings
from mirimask.slicing import thresholds, top_slice
from scipy.ndimage import gaussian_filter

STARS = [(60, 60), (150, 80), (100, 150)]
ALL = np.s_[:, :]


def _frame(*, flux=60.0, seed=0, shape=(200, 220)):
    rng = np.random.default_rng(seed)
    points = np.zeros(shape)
    for x, y in STARS:
        points[y, x] = flux
    data = gaussian_filter(rng.normal(0, 0.3, shape), 0.6) + 6 + gaussian_filter(points, 1.04)
    data = data.astype(np.float32)
    return Frame(data, np.zeros(shape, bool), None, None, fits.Header(), WCS(naxis=2))


def _inverted(frame):
    return invert(frame, ALL, background_box_px=64, settings=SegmentationSettings(), fwhm_px=2.445)


def test_noise_alone_is_as_common_upside_down():
    frame = _frame(flux=0)
    inverted = _inverted(frame)
    for kind, image in (("value", frame.data), ("derivative", derivative(frame.data))):
        (level,) = thresholds(image, [1])
        name = f"{kind}_1"
        positive = false_spots(top_slice(image, level), None, min_pixels=1)
        twin = inverted.mask(parse_method(name), {name: level})
        row = reliability_row(positive, false_spots(twin, None, min_pixels=1), 1)
        assert row["reliability_low"] < 0 < row["reliability_high"]
        assert abs(row["reliability"]) < 0.2


def test_bright_stars_alone_are_reliable_by_every_method():
    frame = _frame()
    inverted = _inverted(frame)
    peaks = pd.DataFrame(STARS, columns=["x", "y"])
    flanks = flank_pixels(peaks, frame.data.shape, 2.445)
    level = {"value_1": 8.0, "derivative_1": 1.5}
    assert false_spots(top_slice(frame.data, 8.0), None, min_pixels=1) == 3
    assert not inverted.mask(parse_method("value_1"), level).any()
    assert not inverted.mask(parse_method("segmentation"), level).any()
    # the falling flank of a star is no false detection
    twin = inverted.mask(parse_method("derivative_1"), level)
    assert false_spots(twin, None, min_pixels=1) == 3
    assert false_spots(twin, flanks, min_pixels=1) == 0
    assert not inverted.mask(parse_method("value_1_and_derivative_1"), level).any()


def test_empty_rims_are_not_inverted_into_spots():
    frame = _frame(flux=0)
    empty = np.zeros(frame.data.shape, bool)
    empty[:, :40] = True
    rimmed = Frame(
        np.where(empty, np.float32(0), frame.data), empty, None, None, frame.primary, frame.wcs
    )
    twin = _inverted(rimmed).mask(parse_method("value_1"), {"value_1": 7.2})
    assert not twin.any()


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
