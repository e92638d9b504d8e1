"""The radial profile of the PSF: known profiles, the table, and STPSF's PSF of the same filter."""

import numpy as np
import pytest
from astropy.io import fits
from mirimask.image.psf import Psf
from mirimask.image.psf_profile import psf_profile, radial_profile


def test_the_profile_of_a_gaussian():
    y, x = np.indices((201, 201)) - 100
    sigma = 20  # samples: 0.55 arcsec of 4 samples a pixel of 0.11 arcsec
    data = np.exp(-(x**2 + y**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2) * 16
    psf = Psf(data.astype(np.float32), 4, "F770W")
    radii = np.arange(0, 1.5, 0.11)
    width = sigma * 0.11 / 4
    expected = np.exp(-(radii**2) / (2 * width**2)) / (2 * np.pi * width**2)
    np.testing.assert_allclose(radial_profile(psf, radii), expected, rtol=0.05)


def test_the_table_holds_a_stars_light():
    profile = psf_profile(0.269 / 0.11)
    assert (np.diff(profile.share) < 0).mean() > 0.7  # but for the rings
    # CRDS has 60 % in 2.75 px, of all light; the table ends at 10.4 arcsec
    assert profile.within(2.75) == pytest.approx(0.60, abs=0.04)
    assert profile.within(1e6) == pytest.approx(0.98, abs=0.03)


def test_it_scales_with_the_width():
    one, two = psf_profile(2.0), psf_profile(4.0)
    assert two.within(8.0) == pytest.approx(one.within(4.0))
    np.testing.assert_allclose(two.radius_px, 2 * one.radius_px)


def test_it_is_that_of_stpsf(real):
    """Of nine places on the detector, from the core to 3 arcsec, in rings of 0.1 to 0.4 arcsec."""
    path = real / "psf" / "stpsf_F770W_9pos_os4_292px.fits"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with fits.open(path) as hdus:
        cube = np.asarray(next(hdu.data for hdu in hdus if hdu.data is not None), float)
    data = cube.reshape(-1, *cube.shape[-2:]).mean(axis=0)
    data /= data.sum()
    step = 0.11 / 4
    y0, x0 = np.unravel_index(np.argmax(data), data.shape)
    y, x = np.indices(data.shape)
    distance = np.hypot(y - y0, x - x0) * step
    profile = psf_profile(0.269 / 0.11)
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1), (1, 1.5), (1.5, 2.2), (2.2, 3)):
        own = profile.within(high / 0.11) - profile.within(low / 0.11)
        theirs = data[(distance >= low) & (distance < high)].sum()
        assert own == pytest.approx(theirs, rel=0.35), (low, high)
