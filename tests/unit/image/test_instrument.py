from itertools import pairwise

import pytest
from mirimask.errors import MaskError
from mirimask.image.instrument import (
    FILTERS,
    PIXEL_SCALE_ARCSEC,
    imaging_filter,
    psf_fwhm_arcsec,
    psf_fwhm_px,
    zero_point_ab,
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


def test_zero_point():
    assert zero_point_ab(2.84404e-13) == pytest.approx(25.265, abs=1e-3)
    # four times the area gathers four times the flux at the same brightness
    assert zero_point_ab(4e-13) == pytest.approx(zero_point_ab(1e-13) - 1.505, abs=1e-3)


@pytest.mark.parametrize("area", [0, -1e-13, float("nan")])
def test_zero_point_refuses_what_is_no_area(area):
    with pytest.raises(MaskError, match="PIXAR_SR"):
        zero_point_ab(area)
