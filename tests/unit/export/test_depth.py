"""The depth of an image, by circles on its sky."""

from dataclasses import replace

import numpy as np
import pytest
from frames import frame_with
from mirimask.export.survey import depth_ab, measure_image
from mirimask.image.instrument import point_aperture
from mirimask.units import microjansky_per_pixel, microjansky_to_ab
from photutils.aperture import CircularAperture


@pytest.mark.parametrize("band", ["F770W", "F1500W"])
def test_depth_of_white_noise(band):
    """A circle's noise is that of its pixels' shares, and of the mean of the sky around it."""
    sigma = 0.2
    noise = np.random.default_rng(5).normal(0, sigma, (700, 700)).astype(np.float32)
    image, aperture = frame_with(noise + 6), point_aperture(band)
    shares = CircularAperture((30, 30), aperture.radius_px).to_mask(method="exact").data
    area = shares.sum()
    step = 2 * (int(np.ceil(aperture.radius_px)) + 1)
    sky = area**2 / ((2 * step + 1) ** 2 - area)
    expected = 5 * sigma * np.sqrt((shares**2).sum() + sky) * aperture.correction
    expected = microjansky_to_ab(expected * microjansky_per_pixel(image.pixel_area_sr)).item()
    found = depth_ab(image, np.zeros(noise.shape, int), aperture=aperture)
    assert found == pytest.approx(expected, abs=0.03)


def test_pixels_that_are_not_finite_and_not_called_empty_say_nothing_of_the_sky():
    data = np.random.default_rng(5).normal(6, 0.1, (200, 200)).astype(np.float32)
    data[:20] = np.nan
    image, aperture = frame_with(data), point_aperture("F770W")
    row = measure_image(
        replace(image, empty=np.zeros(data.shape, bool)),
        np.zeros(data.shape, int),
        aperture=aperture,
    )
    assert row["background"] == pytest.approx(6, abs=0.01)
    assert np.isfinite(list(row.values())).all()
