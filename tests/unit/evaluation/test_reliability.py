"""False detections from blank images, and beside the truth."""

import numpy as np
import pandas as pd
import pytest
from frames import frame_with
from mirimask.evaluation.reliability import (
    blank_crops,
    compare_rates,
    pool_reliability,
    reliability_row,
    reliability_rows,
)
from mirimask.evaluation.stars import StarStamps
from mirimask.image.frame import Frame, crop_frame
from mirimask.image.psf import Psf
from mirimask.masks.make import make_masks
from mirimask.masks.segmentation import SegmentationSettings
from scipy.ndimage import gaussian_filter

STARS = [(60, 60), (150, 80), (100, 150)]


@pytest.fixture(scope="module")
def stamps():
    y, x = np.mgrid[-80:81, -80:81] / 4
    light = np.exp(-0.5 * (x**2 + y**2) / 0.9**2).astype(np.float32)
    return StarStamps(Psf(light, 4, "F770W"), pixel_scale_arcsec=0.11, half=18)


def _frame(*, flux=60.0, seed=0, shape=(200, 220)):
    rng = np.random.default_rng(seed)
    points = np.zeros(shape)
    for x, y in STARS:
        points[y, x] = flux
    data = gaussian_filter(rng.normal(0, 0.3, shape), 0.6) + 6 + gaussian_filter(points, 1.04)
    return frame_with(data.astype(np.float32))


def _blank(frame, stamps, crop=None):
    return blank_crops(
        frame,
        crop or frame,
        stamps,
        number=1,
        settings=SegmentationSettings(),
        rng=np.random.default_rng(1),
    )


def _rows(frame, stamps, names, crop=None):
    crop = crop or frame
    made = make_masks(crop, names)
    masks = [(name, "", made[name].mask) for name in names]
    table = reliability_rows(
        _blank(frame, stamps, crop), iter(masks), min_pixels=1, tolerance_fwhm=1
    )
    assert table["method"].tolist() == names
    return table.set_index("method")


def test_noise_alone_is_as_common_in_a_blank_image(stamps):
    rows = _rows(_frame(flux=0), stamps, ["value_1", "derivative_1"])
    for row in rows.itertuples():
        assert row.reliability_low < 0.05
        assert abs(row.reliability) < 0.25


def test_bright_stars_alone_are_reliable_by_every_method(stamps):
    """22 pixels, all on the stars: also the derivative's flanks are on a star of a blank image."""
    names = ["value_0.05", "derivative_0.05", "value_0.05_and_derivative_0.05"]
    rows = _rows(_frame(), stamps, [*names, "segmentation"])
    assert rows.loc["value_0.05", "n_spots"] == 3
    assert rows.loc["segmentation", "n_spots"] == 3
    assert (rows["n_blank"] == 0).all()
    assert rows.loc["value_0.05", "area_arcmin2"] == pytest.approx(200 * 220 * 0.11**2 / 3600)


def test_a_crop_has_the_blank_image_of_its_frame(stamps):
    """The segmentation is that of the frame, and the sources move with the crop."""
    frame = _frame()
    crop = crop_frame(frame, rows=(40, 200), columns=(30, 220), image="A")
    blank = _blank(frame, stamps, crop)
    assert blank.images[0].data.shape == blank.segmentations[0].shape == (160, 190)
    assert sorted(map(tuple, blank.sources)) == sorted((x - 30.0, y - 40.0) for x, y in STARS)
    assert blank.segmentations[0][20, 30]


def test_empty_rims_have_no_spots(stamps):
    frame = _frame()
    empty = np.zeros(frame.data.shape, bool)
    empty[:, :40] = True
    rimmed = Frame(
        np.where(empty, np.float32(0), frame.data), empty, None, None, frame.primary, frame.wcs
    )
    (masks,) = _blank(rimmed, stamps).masks(["value_0.05", "value_4.6"])
    assert not masks["value_4.6"][empty].any()
    assert masks["value_0.05"].sum() < 40


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
    assert (pooled["n_spots"], pooled["n_blank"], pooled["area_arcmin2"]) == (200, 40, 4)


def test_rates_without_truth_that_are_off_are_limits():
    keys = {"image": "A", "domain": ""}
    names = ["right", "low", "high", "few", "uncertain"]
    blank = pd.DataFrame([{**keys, **reliability_row(99, n, 4.0)} for n in (90, 30, 250, 0, 13)])
    purity = pd.DataFrame(
        [{**keys, "n_spots": 120, "n_true_spots": 120 - n} for n in (100, 80, 100, 3, 7)]
    )
    rates = compare_rates(blank.assign(method=names), purity.assign(method=names))
    rates = rates.set_index("method")
    assert rates["says"].to_dict() == {
        "right": "rate",
        "low": "lower limit",
        "high": "upper limit",
        "few": "undecided",  # 0.75 per arcmin^2 by truth
        "uncertain": "undecided",  # 13 against 7: off by more than 1.5, but so is chance
    }
    assert rates.loc["right", "ratio"] == pytest.approx(0.9)
    assert rates.loc["right", "ratio_low"] < 0.9 < rates.loc["right", "ratio_high"]
    assert rates.loc["low", "truth_false_per_arcmin2"] == 20
    assert compare_rates(blank[:0].assign(method=""), purity.assign(method=names)).empty


def test_what_single_images_say_is_beside_what_they_say_together():
    """Ten images' worth of agreement hides one in which blank images are off by two."""
    keys = {"method": "value_1", "domain": ""}
    blank = pd.DataFrame([{**keys, **reliability_row(2000, n, 4.0)} for n in (200, 1000)])
    purity = pd.DataFrame([{**keys, "n_spots": 2000, "n_true_spots": t} for t in (1900, 1000)])
    (row,) = compare_rates(blank.assign(image=["A", "B"]), purity.assign(image=["A", "B"])).to_dict(
        "records"
    )
    assert row["says"] == "rate"  # 1200 over 1100
    assert (row["images"], row["images_off"]) == (2, 1)
    assert (row["least"], row["most"]) == (25, 250)
