"""Reference peaks: found where stars are, not where noise or a gradient is."""

import numpy as np
import pytest
from mirimask.errors import MaskError
from mirimask.image.background import background_meshes
from mirimask.sources.peaks import reference_peaks
from scipy.ndimage import gaussian_filter

SETTINGS = {"fwhm_px": 2.445, "snr": 5, "background_box_px": 24}
STARS = [(40, 60), (150, 30), (100, 170)]


def _image(stars, *, flux=8.0, seed=1, shape=(200, 200)):
    rng = np.random.default_rng(seed)
    image = gaussian_filter(rng.normal(0, 0.3, shape), 0.6) + 6
    points = np.zeros(shape)
    for x, y in stars:
        points[y, x] = flux
    return image + gaussian_filter(points, 2.445 / 2.355)


def test_stars_are_found_and_little_else():
    image = _image(STARS)
    peaks = reference_peaks(image, np.zeros(image.shape, bool), **SETTINGS)
    found = {(x, y) for x, y in zip(peaks["x"], peaks["y"], strict=True)}
    for x, y in STARS:
        assert any(abs(x - i) <= 1 and abs(y - j) <= 1 for i, j in found)
    assert len(peaks) == 3
    assert peaks["snr"].is_monotonic_decreasing


def test_a_narrow_psf_does_not_make_every_pixel_a_peak():
    image = _image(STARS, flux=200)
    settings = SETTINGS | {"fwhm_px": 0.9}
    peaks = reference_peaks(image, np.zeros(image.shape, bool), **settings)
    assert sorted(zip(peaks["x"], peaks["y"], strict=True)) == sorted(STARS)


def test_a_gradient_and_an_empty_corner_make_no_peaks():
    image = _image([]) + np.linspace(0, 5, 200)[:, None]
    empty = np.zeros(image.shape, bool)
    empty[:60, :50] = True
    image[empty] = 0
    assert len(reference_peaks(image, empty, **SETTINGS)) == 0
    image[empty] = np.nan
    assert len(reference_peaks(image, empty, **SETTINGS)) == 0


def test_a_single_bright_pixel_is_no_peak():
    image = _image(STARS)
    image[120, 60] += 5
    empty = np.zeros(image.shape, bool)
    peaks = reference_peaks(image, empty, **SETTINGS)
    assert np.hypot(peaks["x"] - 60, peaks["y"] - 120).min() > 5
    assert len(peaks) == 3


def test_a_cloud_is_no_peak_and_hides_no_star():
    yy, xx = np.mgrid[:200, :200]
    cloud = 4 * np.exp(-((xx - 100) ** 2 + (yy - 100) ** 2) / (2 * 12**2))
    image = _image([(112, 100)], flux=30) + cloud
    peaks = reference_peaks(image, np.zeros(image.shape, bool), **SETTINGS)
    assert list(zip(peaks["x"], peaks["y"], strict=True)) == [(112, 100)]


def test_empty_pixels_at_the_rim_leave_the_background_as_it_is():
    image = _image(STARS)
    empty = np.zeros(image.shape, bool)
    whole, _ = background_meshes(image, empty, box_px=24)
    empty[:, :30] = True
    seen, _ = background_meshes(np.where(empty, 0, image), empty, box_px=24)
    assert np.abs(seen - whole)[:, 40:].max() < 0.1


def test_all_empty_is_said():
    with pytest.raises(MaskError, match="nearly empty"):
        reference_peaks(np.zeros((50, 50)), np.ones((50, 50), bool), **SETTINGS)
