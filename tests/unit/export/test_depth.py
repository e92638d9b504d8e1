"""The depth of an image, by circles on its sky."""

import numpy as np
import pytest
from frames import frame_with
from mirimask.export.survey import depth_ab
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
