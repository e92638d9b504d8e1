from itertools import pairwise

import pytest
from astropy.io.fits import Header
from mirimask.errors import MaskError
from mirimask.image.instrument import (
    FILTERS,
    PIXEL_SCALE_ARCSEC,
    band_of,
    imaging_filter,
    psf_fwhm_arcsec,
    psf_fwhm_px,
)


def test_width_of_f770w_is_that_of_flight():
    assert psf_fwhm_arcsec("F770W") == 0.269
    assert psf_fwhm_px("F770W") == pytest.approx(2.445, abs=1e-3)
    assert psf_fwhm_px("f2550w ", 0.11) == pytest.approx(7.3)


def test_width_in_pixels_scales_with_the_pixel():
    assert psf_fwhm_px("F560W", 2 * PIXEL_SCALE_ARCSEC) == pytest.approx(psf_fwhm_px("F560W") / 2)


def test_psf_grows_with_wavelength():
    bands = list(FILTERS.values())
    for shorter, longer in pairwise(bands):
        assert shorter.fwhm_arcsec <= longer.fwhm_arcsec
        assert shorter.blue_um < shorter.red_um
        # diffraction of a 6.5 m mirror, within a sixth
        centre = (shorter.blue_um + shorter.red_um) / 2
        assert shorter.fwhm_arcsec == pytest.approx(centre * 1e-6 / 6.5 * 206265 * 1.03, rel=0.16)


def test_unknown_filter_is_named_with_those_that_are_known():
    with pytest.raises(MaskError, match=r"F444W.*F770W"):
        imaging_filter("F444W")


def test_widths_of_nircam_are_those_of_a_mirror_of_its_size():
    """From the measured table; at short waves the pixels widen them."""
    for band, pixel in (("F200W", 0.031), ("F277W", 0.063), ("F356W", 0.063), ("F444W", 0.063)):
        micrometres = float(band[1:4]) / 100
        diffraction = 1.03 * micrometres * 1e-6 / 6.5 * 206265
        width = psf_fwhm_arcsec(band, "NIRCAM")
        assert width == pytest.approx(diffraction, rel=0.07)
        assert 1.4 < width / pixel < 2.4


@pytest.mark.parametrize(
    ("cards", "band"),
    [
        ({"FILTER": "F770W"}, ("MIRI", "F770W")),
        ({"FILTER": "f444w "}, ("NIRCAM", "F444W")),
        ({"INSTRUME": "NIRCAM", "FILTER": "F444W", "PUPIL": "F405N"}, ("NIRCAM", "F405N")),
        ({"INSTRUME": "NIRCAM", "FILTER": "F444W", "PUPIL": "CLEAR"}, ("NIRCAM", "F444W")),
        ({"INSTRUME": "NIRISS", "FILTER": "CLEAR", "PUPIL": "F200W"}, ("NIRISS", "CLEAR")),
        ({"INSTRUME": "MIRI"}, ("MIRI", "")),
        ({}, ("MIRI", "")),
    ],
)
def test_instrument_and_filter_of_a_header(cards, band):
    assert band_of(Header(cards)) == band


def test_a_filter_of_another_camera_is_not_taken_for_one_of_ours():
    with pytest.raises(MaskError, match=r"NIRISS 'F200W' is not known here.*MIRI's and NIRCam's"):
        psf_fwhm_arcsec("F200W", "NIRISS")
    with pytest.raises(MaskError, match=r"NIRCAM 'F150W2'.*F444W"):
        psf_fwhm_arcsec("F150W2", "NIRCAM")
