"""Fluxes and magnitudes, from their definitions."""

import numpy as np
import pytest
from mirimask import units


def test_ab_magnitudes():
    """0 mag is 3631 Jy (Oke & Gunn 1983); 8.90 mag is 1 Jy, to the digits of the constant."""
    assert units.ab_to_jansky(0) == pytest.approx(3631, rel=1e-3)
    assert units.ab_to_microjansky(23.9) == pytest.approx(1)
    assert units.ab_to_microjansky(20) == pytest.approx(1e6 * units.ab_to_jansky(20))
    for there, back in (
        (units.ab_to_jansky, units.jansky_to_ab),
        (units.ab_to_microjansky, units.microjansky_to_ab),
    ):
        np.testing.assert_allclose(back(there([18.0, 25.5])), [18.0, 25.5])


def test_the_flux_in_a_pixel():
    """1 MJy/sr in a pixel of 0.11 arcsec is 0.284 microjansky."""
    area = (0.11 / 206264.806) ** 2
    assert units.microjansky_per_pixel(area) == pytest.approx(0.28440, rel=1e-4)
    assert units.jansky_per_pixel(area) == pytest.approx(0.28440e-6, rel=1e-4)


def test_the_scatter_of_a_gaussian():
    noise = np.random.default_rng(0).normal(0, 3, 400_000)
    mad = np.median(np.abs(noise - np.median(noise)))
    assert units.SIGMA_PER_MAD * mad == pytest.approx(3, rel=5e-3)
