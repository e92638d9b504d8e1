"""The inverse mask: it comes to rest, also where it cannot, and leaves stars on any background."""

import logging

import numpy as np
import pytest
from mirimask.errors import MaskError
from mirimask.masks import inverse
from mirimask.masks.inverse import inverse_mask, rest_of
from scipy.ndimage import gaussian_filter

FWHM = 2.445
SHAPE = (160, 200)
STARS = [(40, 60), (150, 30), (100, 120)]
SETTINGS = {
    "marked": 30.0,
    "box_px": 40,
    "sigma": 10.0,
    "by_scatter": False,
    "tolerance": 1e-4,
    "limit": 60,
}


def _image(seed=0):
    rng = np.random.default_rng(seed)
    points = np.zeros(SHAPE)
    for x, y in STARS:
        points[y, x] = 8
    y, x = np.indices(SHAPE)
    cloud = np.exp(-((x - 100) ** 2 + (y - 80) ** 2) / (2 * 60**2))
    sky = 6 + 0.02 * x + cloud + rng.normal(0, 0.05, SHAPE)
    return (sky + gaussian_filter(points, FWHM / 2.355)).astype(np.float32)


@pytest.mark.parametrize("by_scatter", [False, True])
def test_it_comes_to_rest(by_scatter):
    image = _image()
    found = rest_of(image, **SETTINGS | {"by_scatter": by_scatter})
    assert found.ended == "still"
    assert 2 < found.rounds < 60
    assert found.changed <= 1e-4 * image.size
    assert found.marked.mean() == pytest.approx(0.3, abs=0.001)


def test_what_is_left_is_flat_but_for_the_stars():
    image = _image()
    found = rest_of(image, **SETTINGS)
    quiet = ~gaussian_filter((found.image > 0.3).astype(float), 4).astype(bool)
    quiet[:20] = quiet[-20:] = quiet[:, :20] = quiet[:, -20:] = False
    left = gaussian_filter(np.where(quiet, found.image, 0), 8)[quiet]
    assert np.ptp(image[quiet]) > 3  # the slope and the cloud were there
    assert left.std() < 0.05
    assert np.unravel_index(found.image.argmax(), SHAPE) in [(y, x) for x, y in STARS]


def test_a_flat_image_and_an_empty_one():
    flat = rest_of(np.ones((50, 60), np.float32), **SETTINGS)
    assert flat.ended == "still"
    assert not flat.marked.any()
    assert np.abs(flat.image).max() < 1e-6
    with pytest.raises(MaskError, match="nearly empty"):
        rest_of(np.full((50, 60), np.nan, np.float32), **SETTINGS)


@pytest.mark.parametrize("hole", [np.s_[50:59, 60:69], np.s_[:, :80]])
def test_a_hole_is_not_marked_and_neither_is_its_rim(hole):
    """A cluster of dead pixels on a slope; half of a flat image."""
    image = _image() if hole[1].start else np.random.default_rng(6).normal(6, 0.05, SHAPE)
    image[hole] = np.nan
    found = rest_of(image, **SETTINGS)
    empty = np.isnan(image)
    beside = (gaussian_filter(empty.astype(float), 1) > 0.01) & ~empty
    assert found.ended == "still"
    assert not found.marked[empty].any()
    assert 0.2 < found.marked[beside].mean() < 0.4


def test_a_cycle_is_stopped_and_said(monkeypatch, caplog):
    """A background that is high where pixels are marked makes two masks take turns."""
    image = np.random.default_rng(5).normal(6, 1, (50, 60)).astype(np.float32)
    monkeypatch.setattr(
        inverse, "local_mean", lambda image, known, sigma: np.where(known, 0, 99).astype("f4")
    )
    with caplog.at_level(logging.WARNING):
        found = rest_of(image, **SETTINGS | {"marked": 50.0})
    assert found.ended == "cycle"
    assert found.rounds == 3  # all unmarked, one half, the other half, the first half again
    assert "repeat after 3 rounds" in caplog.text


def test_the_limit_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        found = rest_of(_image(), **SETTINGS | {"limit": 2})
    assert found.ended == "limit"
    assert found.rounds == 2
    assert "still change after 2 rounds" in caplog.text


def test_a_slice_lies_within_the_marks():
    image = _image()
    empty = np.zeros(SHAPE, bool)
    family = inverse_mask(empty, fwhm_px=FWHM, levels=np.array([0.5, 5.0]), box=16)
    scores = family.scores(image)
    small, large = (family.cut(scores, row) for row in family.thresholds(scores))
    assert large.mean() == pytest.approx(0.05, rel=0.02)
    assert not (small & ~large).any()
    assert all(small[y, x] for x, y in STARS)
    with pytest.raises(MaskError, match="marked"):
        inverse_mask(empty, fwhm_px=FWHM, levels=np.array([60.0]))
