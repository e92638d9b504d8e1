"""Filters as detectors: what they find, and the starlet transform itself."""

import detector_fields as fields
import numpy as np
import pytest
from mirimask.masks.filters import starlet_scales
from scipy import ndimage

FILTERS = ["log", "dog", "starlet", "matched_filter"]


@pytest.mark.parametrize("name", FILTERS)
def test_stars_are_found_and_noise_is_not(name):
    fields.check_stars_found_and_not_noise(name, level=5)


@pytest.mark.parametrize("name", FILTERS)
def test_a_higher_level_marks_less(name):
    wide, middle, narrow = fields.masks(name, fields.field(), [3, 6, 12])
    assert (middle <= wide).all()
    assert (narrow <= middle).all()
    assert wide.sum() > narrow.sum() > 0


@pytest.mark.parametrize("name", FILTERS)
def test_empty_pixels_and_nan(name):
    fields.check_empty_pixels(name, 6)


@pytest.mark.parametrize("name", FILTERS)
def test_nothing_to_see(name):
    fields.check_nothing_to_see(name, 5)


@pytest.mark.parametrize("name", FILTERS)
def test_a_gradient_changes_no_star(name):
    (mask,) = fields.masks(name, fields.field(slope=0.01), [6])
    assert fields.on_stars(mask) == len(fields.STARS)
    assert mask.mean() < 0.01


@pytest.mark.parametrize("name", FILTERS)
def test_the_level_is_in_units_of_the_noise(name):
    noise = np.random.default_rng(0).normal(6, 0.3, (300, 300)).astype(np.float32)
    (mask,) = fields.masks(name, noise, [2])
    # 2.3 % of a Gaussian lie above 2 sigma; of two scales, up to twice as many
    assert 0.018 < mask.mean() < 0.06


def test_starlet_scales_add_up_and_see_their_own_size():
    image = fields.field()
    scales = starlet_scales(image, 4)
    smooth = image - np.sum(scales, axis=0)
    for j in range(4):  # the rest is the image smoothed with the B3 spline at all four scales
        weights = np.zeros(4 * 2**j + 1)
        weights[:: 2**j] = np.array([1, 4, 6, 4, 1]) / 16
        for axis in (0, 1):
            image = ndimage.convolve1d(image, weights, axis=axis, mode="mirror")
    assert np.allclose(smooth, image, atol=1e-4)
    impulse = np.zeros((65, 65))
    impulse[32, 32] = 1
    first = starlet_scales(impulse, 1)[0]
    assert first[32, 32] == pytest.approx(1 - (6 / 16) ** 2)
    assert first.sum() == pytest.approx(0)
