"""Other derivatives, against functions whose derivatives are known, and beside holes."""

import numpy as np
import pytest
from mirimask.errors import MaskError
from mirimask.masks.curvature import curvatures
from mirimask.masks.derivatives import (
    derivative_of_gaussian,
    derivative_repeated,
    derivative_x,
    derivatives_merged,
    gradient_magnitude,
    second_derivatives,
    slope,
)
from scipy.ndimage import gaussian_filter

FWHM = 2.445
LEVELS = np.array([4.6])
Y, X = np.mgrid[0:40, 0:50].astype(np.float64)
FUNCTIONS = [
    second_derivatives,
    gradient_magnitude,
    derivative_x,
    derivative_repeated,
    derivatives_merged,
    derivative_of_gaussian,
]


def _score(function, image, **settings):
    empty = ~np.isfinite(image)
    return function(empty, fwhm_px=FWHM, levels=LEVELS, **settings).scores(image)[0]


def _star(x=25, y=20, shape=(40, 50)):
    points = np.zeros(shape)
    points[y, x] = 1
    return gaussian_filter(points, FWHM / 2.355)


def test_the_second_derivative_of_a_paraboloid_is_the_same_in_all_directions():
    found = curvatures(5 - 0.3 * ((X - 20) ** 2 + (Y - 10) ** 2))
    assert found[:, 1:-1, 1:-1] == pytest.approx(0.6)
    assert np.isnan(found[:, [0, -1]]).all()
    assert np.isnan(found[:, :, [0, -1]]).all()


def test_the_four_directions_are_x_y_and_the_diagonals():
    ridges = -((Y) ** 2), -((X) ** 2), -((X - Y) ** 2) / 2, -((X + Y) ** 2) / 2
    seen = [curvatures(ridge)[:, 20, 25] for ridge in ridges]
    # along a ridge nothing bends, across it everything does, at 45 degrees half of it
    assert seen[0] == pytest.approx([0, 2, 1, 1])
    assert seen[1] == pytest.approx([2, 0, 1, 1])
    assert seen[2] == pytest.approx([1, 1, 0, 2])
    assert seen[3] == pytest.approx([1, 1, 2, 0])
    assert _score(second_derivatives, ridges[0])[20, 25] == pytest.approx(0)
    assert _score(second_derivatives, ridges[0], combine="mean")[20, 25] == pytest.approx(1)


def test_a_star_stands_out_and_a_ramp_does_not():
    ramp = 3 * X - 7 * Y
    for settings in ({}, {"combine": "mean"}, {"smooth": 0.65}):
        found = _score(second_derivatives, ramp + 1000 * _star(), **settings)
        assert np.unravel_index(np.nanargmax(found), found.shape) == (20, 25)
    assert np.nanmax(np.abs(_score(second_derivatives, ramp))) < 1e-9
    with pytest.raises(MaskError, match="minimum or mean"):
        _score(second_derivatives, ramp, combine="all")


def test_slopes_of_a_ramp():
    ramp = 3 * X - 4 * Y
    inside = np.s_[1:-1, 1:-1]
    assert slope(ramp, 0)[inside] == pytest.approx(-4)
    assert _score(derivative_x, ramp)[inside] == pytest.approx(3)
    assert _score(gradient_magnitude, ramp)[inside] == pytest.approx(5)
    assert _score(derivatives_merged, ramp)[inside] == pytest.approx(4)
    assert _score(derivatives_merged, ramp, both_signs=False)[inside] == pytest.approx(3)
    smooth = _score(derivative_of_gaussian, ramp)
    assert smooth[8:-8, 8:-8] == pytest.approx(-4, rel=1e-4)


def test_repeated_derivatives_are_positive_on_a_star():
    for times in (2, 4):
        found = _score(derivative_repeated, _star(), times=times)
        assert np.unravel_index(np.nanargmax(found), found.shape) == (20, 25)
    assert _score(derivative_repeated, -(Y**2))[2:-2] == pytest.approx(2)
    assert np.isnan(_score(derivative_repeated, Y)[:2]).all()
    with pytest.raises(MaskError, match="2, 4"):
        _score(derivative_repeated, Y, times=3)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_hole_and_the_rim_are_no_sources(function):
    image = np.random.default_rng(1).normal(10, 0.1, (60, 80)).astype(np.float32)
    image[20:30, 30:50] = np.nan
    image[50, 10::8] = np.nan  # single pixels
    empty = np.isnan(image)
    family = function(empty, fwhm_px=FWHM, levels=LEVELS)
    scores = family.scores(image)
    mask = family.cut(scores, family.thresholds(scores)[0])
    assert not mask[empty].any()
    # a pixel beside the hole, or at the rim, is kept no more often than another
    near = np.zeros_like(empty)
    near[17:33, 27:53] = near[47:54] = True
    near[[0, 1, -2, -1]] = near[:, [0, 1, -2, -1]] = True
    near &= ~empty
    assert mask[near].mean() < 1.5 * mask[~near & ~empty].mean()
    assert np.isfinite(scores[0][~near & ~empty]).all()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_percentage_is_that_of_the_pixels_with_a_value(function):
    image = np.random.default_rng(2).normal(0, 1, (100, 120)).astype(np.float32)
    family = function(np.zeros(image.shape, bool), fwhm_px=FWHM, levels=np.array([1.0, 10.0]))
    scores = family.scores(image)
    kept = [family.cut(scores, row).sum() for row in family.thresholds(scores)]
    assert kept == pytest.approx(np.array([0.01, 0.1]) * np.isfinite(scores[0]).sum(), rel=0.02)
