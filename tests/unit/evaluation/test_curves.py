"""FROC curves: of a perfect and of a random detector, and of the real families."""

import numpy as np
import pandas as pd
import pytest
from frames import frame_with
from mirimask.evaluation.blank import Blank
from mirimask.evaluation.curves import (
    at_false_rate,
    compare_curves,
    curve_and_stars,
    method_curve,
    pool_curves,
    rate_draws,
    sources_found,
    sweep,
    with_all,
)
from mirimask.evaluation.scene import Scene, Truth
from mirimask.masks.family import Family
from mirimask.masks.make import family_at
from mirimask.masks.segmentation import SegmentationSettings, segment
from scipy.ndimage import gaussian_filter

SHAPE = (200, 240)
FWHM = 2.445


def _truth(positions, radius=2.0):
    positions = np.asarray(positions, float).reshape(-1, 2)
    wanted = np.ones(len(positions), bool)
    return Truth(positions, np.full(len(positions), radius), wanted, positions)


def _grid():
    return np.stack(np.meshgrid(np.arange(20, 230, 20), np.arange(20, 190, 20)), -1).reshape(-1, 2)


def _sky(flux=0.0, seed=1):
    rng = np.random.default_rng(seed)
    image = gaussian_filter(rng.normal(0, 1, SHAPE), 0.6)
    points = np.zeros(SHAPE)
    x, y = _grid().T
    points[y, x] = flux
    return (6 + image / image.std() * 0.1 + gaussian_filter(points, 1.04)).astype(np.float32)


def _options(**settings):
    return {"segmentation": {"settings": settings}}


def _plain(scores, settings):
    """A family that marks the pixels of a given image above a level."""
    return Family(
        "plain",
        "sigma",
        settings,
        lambda image: (scores,),
        lambda _: settings[:, None],
        lambda images, level: images[0] > level[0],
    )


def test_a_perfect_detector():
    scores = np.zeros(SHAPE)
    x, y = _grid().T
    scores[y, x] = np.linspace(1, 2, len(x))
    curve = sweep(
        _plain(scores, np.array([0.5, 1.5])),
        scores,
        _truth(_grid()),
        area_arcmin2=2.0,
        tolerance_px=2.0,
    )
    assert (curve["n_false"] == 0).all()
    assert curve["completeness"].tolist() == pytest.approx([1.0, 0.5], abs=0.01)
    assert at_false_rate(curve, 0.0) == (1.0, 0.5)


def test_a_random_detector_finds_what_chance_does():
    rng = np.random.default_rng(0)
    scores = rng.uniform(size=SHAPE)
    truth = _truth(_grid())
    curve = sweep(
        _plain(scores, np.array([0.999, 0.99])),
        scores,
        truth,
        area_arcmin2=2.0,
        tolerance_px=2.0,
    )
    in_circles = 13 * len(truth.positions) / scores.size  # pixels within 2 px of a source
    for row in curve.itertuples():
        expected = 1 - (1 - row.area) ** 13
        assert row.completeness == pytest.approx(expected, abs=4 * np.sqrt(expected / 99) + 0.01)
        assert row.n_false / row.n_spots == pytest.approx(1 - in_circles, abs=0.06)


def test_one_spot_finds_one_source():
    truth = _truth([[10, 10], [12, 10], [50, 50]], radius=3)
    assert sources_found(np.array([[11, 10]]), truth) == 1
    assert sources_found(np.array([[11, 10], [50, 50], [90, 90]]), truth) == 2
    assert sources_found(np.zeros((0, 2)), truth) == 0
    assert sources_found(np.array([[1, 1]]), _truth([])) == 0


def test_unwanted_sources_are_not_found():
    at = np.array([[10.0, 10.0]])
    assert sources_found(at.astype(int), Truth(at, np.array([2.0]), np.array([False]), at)) == 0


def test_equal_cost_is_read_between_settings():
    curve = pd.DataFrame(
        {
            "setting": [1.0, 2.0, 4.0],
            "false_per_arcmin2": [1.0, 3.0, 30.0],
            "completeness": [0.2, 0.4, 0.8],
        }
    )
    assert at_false_rate(curve, 2.0) == pytest.approx((0.3, 1.5))
    assert at_false_rate(curve, 100.0) == (0.8, 4.0)
    completeness, setting = at_false_rate(curve, 0.5)
    assert completeness == 0
    assert np.isnan(setting)


def test_segmentation_family_is_the_segmentation():
    image = _sky(8.0)
    empty = np.zeros(SHAPE, bool)
    empty[:30, :50] = True
    image[empty] = np.nan
    settings, options = SegmentationSettings(n_pixels=9), _options(n_pixels=9)
    family = family_at("segmentation", empty, [3.0], fwhm_px=FWHM, options=options)
    scores = family.scores(image)
    mask = family.cut(scores, family.thresholds(scores)[0])
    truth = _truth(_grid())
    labels = segment(image, weight=(~empty).astype(float), settings=settings)
    assert labels.max() > 50
    np.testing.assert_array_equal(mask > 0, labels > 0)
    curve = sweep(family, image, truth, area_arcmin2=1.0, tolerance_px=2.0)
    assert curve["n_spots"].tolist() == [labels.max()]
    assert curve["area"].tolist() == [np.count_nonzero(labels) / np.count_nonzero(~empty)]


@pytest.mark.parametrize(
    "name", ["value", "derivative", "union", "intersection", "segmentation", "cores"]
)
def test_full_curve_of_every_family(name):
    image, added = _sky(), _sky(8.0)
    image[:20, :20] = added[:20, :20] = np.nan
    empty = np.isnan(image)
    levels = [5.0, 3.0] if name in ("segmentation", "cores") else [0.3, 3.0]
    family = family_at(name, empty, levels, fwhm_px=FWHM, options=_options(n_pixels=5))
    stars = _grid()[1:]
    scene = Scene(
        image,
        [(added, stars.astype(float))],
        np.full(len(stars), 22.0),
        blank=Blank([12 - image], np.zeros((0, 2))),
        truth=None,
        tolerance_px=FWHM,
        area_arcmin2=float((~empty).sum()) * (0.11 / 60) ** 2,
    )
    table, found = curve_and_stars(family, scene)
    assert found.shape == (len(table), len(stars))
    assert list(found.sum(axis=1)) == list(table["n_found"])
    assert table["completeness"].between(0, 1).all()
    assert table["completeness"].max() > 0.5
    assert table["n_false"].isna().all()
    assert (table["false_per_arcmin2"] == table["blank_per_arcmin2"]).all()
    if name == "cores":
        strict = table[table["setting"] == 5].iloc[0]
        assert strict["completeness"] > 0.9
        assert strict["n_blank"] <= 1
    # pure noise is as often bright as dark
    if name in ("value", "derivative"):
        assert table["n_blank"].sum() == pytest.approx(table["n_spots"].sum(), rel=0.1)


def test_the_curve_of_a_method_marks_its_levels_in_use():
    image, stars = _sky(), _grid()[1:].astype(float)
    scene = Scene(
        image,
        [(_sky(8.0), stars)],
        np.full(len(stars), 22.0),
        blank=Blank([12 - image], np.zeros((0, 2))),
        truth=None,
        tolerance_px=FWHM,
        area_arcmin2=SHAPE[0] * SHAPE[1] * (0.11 / 60) ** 2,
    )
    options = {"value": {"levels": [0.5, 8, 3]}}
    table = method_curve("value", frame_with(image), scene, working=[1.0, 4.6], options=options)
    assert table["setting"].tolist() == pytest.approx([0.5, 1.0, 2.0, 4.6, 8.0])
    assert table["working"].tolist() == [False, True, False, True, False]
    assert set(table["family"]) == {"value"}
    assert table["area"].tolist() == pytest.approx([0.005, 0.01, 0.02, 0.046, 0.08], abs=1e-4)
    assert not table["simulated"].any()


def test_images_that_can_be_measured_are_pooled():
    base = _two_images()
    assert with_all(base, ["A", "B"])["image"].tolist() == ["A", "B", "all"]
    assert with_all(base, ["A", "B"])["n_found"].tolist() == [10, 40, 50]
    assert with_all(base, ["B", "all"])["n_found"].tolist() == [10, 40, 40]
    assert with_all(base, []) is base
    assert with_all(base[:1], ["A"])["image"].tolist() == ["A"]


def _two_images():
    return pd.DataFrame(
        {
            "image": ["A", "B"],
            "family": "value",
            "unit": "%",
            "setting": 1.0,
            "working": True,
            "simulated": False,
            "n_spots": [10, 30],
            "area": [0.01, 0.03],
            "area_arcmin2": [1.0, 3.0],
            "n_stars": [50, 50],
            "n_found": [10, 40],
            "n_blank": [2, 6],
            "blank_per_arcmin2": [2.0, 4.0],
            "n_true": np.nan,
            "n_true_found": np.nan,
            "n_false": np.nan,
            "completeness": [0.2, 0.8],
            "true_completeness": np.nan,
            "truth_false_per_arcmin2": np.nan,
            "false_per_arcmin2": [2.0, 4.0],
        }
    )


def test_pooling_adds_counts_and_areas():
    base = _two_images()
    (row,) = pool_curves(base, name="all").to_dict("records")
    assert row["completeness"] == pytest.approx(0.5)
    assert row["false_per_arcmin2"] == pytest.approx(3.5)
    assert row["area"] == pytest.approx(0.025)
    assert np.isnan(row["n_false"])
    compared = compare_curves(
        base.assign(family="segmentation"),
        rates=[3.0],
        areas=[0.02],
        draws=50,
        rng=np.random.default_rng(0),
    )
    own = compared[(compared["image"] == "A") & (compared["of"] == "segmentation")]
    assert own["completeness"].tolist() == [0.2, 0.2]
    assert compared["low"].le(compared["completeness"]).all()


def test_the_level_has_the_poisson_error_of_the_false_spots():
    """A straight line: completeness grows by 0.01 a false spot, so its error is theirs."""
    counts = np.arange(10, 70, 2)
    curve = pd.DataFrame(
        {
            "setting": np.arange(30.0),
            "false_per_arcmin2": counts / 10,
            "area_arcmin2": 10.0,
            "completeness": counts / 100,
        }
    )
    drawn = rate_draws(curve, 3.6, draws=4000, rng=np.random.default_rng(0))
    assert np.median(drawn) == pytest.approx(0.36, abs=0.01)
    assert drawn.std() == pytest.approx(0.01 * 6, rel=0.1)  # sqrt(36) = 6 spots
    # thirty spots are allowed, and no level has one: the loosest is sure
    still = rate_draws(
        curve.assign(false_per_arcmin2=0.0), 3, draws=9, rng=np.random.default_rng(0)
    )
    assert (still == 0.68).all()
    assert (rate_draws(curve, 0.0, draws=9, rng=np.random.default_rng(0)) == 0).all()


def test_no_false_spot_in_a_small_area_is_not_no_false_rate():
    """One spot allowed where none is seen: a mean of Gamma(1/2) is above it 15.7 times in 100."""
    curve = pd.DataFrame(
        {
            "setting": [1.0, 2.0],
            "false_per_arcmin2": [0.0, 0.0],
            "area_arcmin2": 0.5,
            "completeness": [0.9, 0.8],
        }
    )
    drawn = rate_draws(curve, 2.0, draws=4000, rng=np.random.default_rng(0))
    assert set(drawn) == {0.0, 0.9}
    assert (drawn == 0).mean() == pytest.approx(0.1573, abs=0.02)  # erfc(1)


@pytest.mark.parametrize(("area", "rate"), [(0.36, 1.0), (0.36, 10.0), (1.94, 1.0), (13.6, 3.0)])
def test_the_error_of_the_level_holds_the_truth_as_often_as_it_says(area, rate):
    """Curves of 25 levels whose rate is known, drawn 300 times: 95 % within four errors of that."""
    rng = np.random.default_rng(1)
    level = np.geomspace(1.5, 14, 25)
    gain = 1 / (1 + (level / 5) ** 4)
    true = 60 * np.exp(-(level - 1.5) / 1.1)

    def curve(rates):
        columns = {"setting": level, "false_per_arcmin2": rates, "completeness": gain}
        return pd.DataFrame({**columns, "area_arcmin2": area})

    truth = at_false_rate(curve(true), rate)[0]
    held = 0
    for _ in range(300):
        spots = rng.poisson(np.diff(true[::-1] * area, prepend=0.0)).cumsum()[::-1]
        drawn = rate_draws(curve(spots / area), rate, draws=300, rng=rng)
        low, high = np.percentile(drawn, [2.5, 97.5])
        held += low - 1e-3 <= truth <= high + 1e-3
    assert held / 300 > 0.9


def test_intervals_at_a_rate_are_wider_than_the_stars_alone():
    curve = pd.DataFrame(
        {
            "image": "A",
            "family": "value",
            "unit": "%",
            "setting": [1.0, 2.0, 4.0],
            "working": False,
            "area": [0.01, 0.02, 0.04],
            "area_arcmin2": 2.0,
            "n_stars": 400,
            "completeness": [0.2, 0.5, 0.8],
            "false_per_arcmin2": [1.0, 3.0, 9.0],
            "simulated": True,
        }
    )
    compared = compare_curves(
        curve, rates=[3.0], areas=[0.02], draws=2000, rng=np.random.default_rng(0)
    ).set_index("at")
    width = compared["high"] - compared["low"]
    assert width["area"] == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 400), rel=0.02)
    assert width["false_per_arcmin2"] > 2 * width["area"]
