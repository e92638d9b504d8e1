from itertools import pairwise

import pytest
from astropy.io.fits import Header
from mirimask.errors import MaskError
from mirimask.image.instrument import (
    FILTERS,
    _rows,
    band_of,
    imaging_filter,
    light_radii_px,
    point_aperture,
    psf_fwhm_arcsec,
)


def test_width_of_f770w_is_that_of_flight():
    assert psf_fwhm_arcsec("F770W") == 0.269
    assert psf_fwhm_arcsec("f2550w ") == 0.803


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


def test_a_card_without_a_value_is_none():
    header = Header()
    for key in ("INSTRUME", "FILTER", "PUPIL"):
        header.append((key, None))
    assert band_of(header) == ("MIRI", "")


def test_a_pixel_has_a_side():
    for function in (point_aperture, light_radii_px):
        with pytest.raises(MaskError, match=r"the side of a pixel is -0.1 arcsec"):
            function("F770W", -0.1)


def test_widths_of_nircam_are_those_of_a_mirror_of_its_size():
    """From the measured table; at short waves the pixels widen them."""
    for band, pixel in (("F200W", 0.031), ("F277W", 0.063), ("F356W", 0.063), ("F444W", 0.063)):
        micrometres = float(band[1:4]) / 100
        diffraction = 1.03 * micrometres * 1e-6 / 6.5 * 206265
        width = psf_fwhm_arcsec(band, "NIRCAM")
        assert width == pytest.approx(diffraction, rel=0.07)
        assert 1.4 < width / pixel < 2.4


# JWST User Documentation: the widths in pixels, the other column of its tables (of NIRCam those of
# nine filters), and NIRCam's predicted widths (arcsec) from before flight.
PIXELS = {
    "MIRI": dict(
        F560W=1.882, F770W=2.445, F1000W=2.982, F1130W=3.409, F1280W=3.818, F1500W=4.436,
        F1800W=5.373, F2100W=6.127, F2550W=7.300,
    ),
    "NIRCAM": dict(
        F070W=0.935, F090W=1.065, F115W=1.290, F150W=1.613, F200W=2.129, F277W=1.460, F356W=1.841,
        F410M=2.175, F444W=2.302,
    ),
}  # fmt: skip
PREDICTED = dict(
    F070W=0.030, F090W=0.034, F115W=0.040, F140M=0.048, F150W=0.050, F162M=0.055, F164N=0.056,
    F182M=0.062, F187N=0.064, F200W=0.066, F210M=0.071, F212N=0.072, F250M=0.084, F277W=0.091,
    F300M=0.100, F323N=0.108, F335M=0.111, F356W=0.115, F360M=0.120, F405N=0.136, F410M=0.137,
    F430M=0.145, F444W=0.145, F460M=0.155, F466N=0.158, F470N=0.160, F480M=0.162,
)  # fmt: skip


def test_widths_are_those_of_the_documentations_other_columns():
    for camera, widths in PIXELS.items():
        for band, pixels in widths.items():
            scale = 0.11 if camera == "MIRI" else 0.031 if int(band[1:4]) < 240 else 0.063
            assert psf_fwhm_arcsec(band, camera) == pytest.approx(pixels * scale, abs=5e-4), band
    known = [row["filter"] for row in _rows() if row["instrument"] == "NIRCAM"]
    assert sorted(known) == sorted(PREDICTED)
    for band, predicted in PREDICTED.items():
        assert psf_fwhm_arcsec(band, "NIRCAM") == pytest.approx(predicted, abs=0.0021), band


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
