"""Arrays as people have them in a notebook: masked, of another byte order, flags as numbers."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
from mirimask.errors import MaskError
from mirimask.export.projection import project_mask, sky_of
from mirimask.image.frame import Frame
from mirimask.masks.cores import core_mask, curvature_snr
from mirimask.masks.make import make_masks
from mirimask.masks.source_mask import source_mask
from mirimask.sources.peaks import reference_peaks
from scipy.ndimage import gaussian_filter

FWHM = 2.445
SHAPE = (120, 130)


def _peaks(data, empty, *, fwhm_px):
    found = reference_peaks(data, empty, fwhm_px=fwhm_px, snr=5, background_box_px=24)
    return found.to_numpy(float)


FUNCTIONS = [source_mask, core_mask, curvature_snr, _peaks]


@pytest.fixture
def image():
    """Stars in noise, and which pixels are bad: a block of them, brighter than any star."""
    rng = np.random.default_rng(4)
    points = np.zeros(SHAPE)
    points[rng.integers(10, 110, 8), rng.integers(10, 110, 8)] = 9
    data = 6 + 0.1 * rng.standard_normal(SHAPE) + gaussian_filter(points, FWHM / 2.355)
    bad = np.zeros(SHAPE, bool)
    bad[50:60, 70:80] = True
    data[bad] = 40
    return data.astype(np.float32), bad


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_same_whatever_the_form(image, function):
    data, bad = image
    expected = function(data, bad, fwhm_px=FWHM)
    assert expected.any()
    none, hole = np.zeros(SHAPE, bool), np.where(bad, np.float32(np.nan), data)
    for form, empty in (
        (data, bad.astype(np.uint8)),  # as the project's own files have them
        (data.astype(">f4"), bad),  # as fits.getdata has them
        (np.ma.array(data, mask=bad), none),
        (np.ma.array(data, mask=bad), bad),
        (np.ma.masked_invalid(hole), none),
        (hole * u.MJy / u.sr, none),
    ):
        before = np.ma.getdata(form).copy()
        np.testing.assert_array_equal(function(form, empty, fwhm_px=FWHM), expected)
        np.testing.assert_array_equal(np.ma.getdata(form), before)
    np.testing.assert_array_equal(
        function(hole.tolist(), none.tolist(), fwhm_px=FWHM),
        function(hole.astype(float), none, fwhm_px=FWHM),
    )


def _frame(data, empty):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [80, -20]
    wcs.wcs.crpix, wcs.wcs.cdelt = [60, 60], [-0.11 / 3600, 0.11 / 3600]
    return Frame(data, empty, None, None, fits.Header({"FILTER": "F770W"}), wcs)


def test_of_a_frame_too(image):
    data, bad = image
    names = ["value_1", "derivative_4.6", "segmentation", "recommended", "cores"]
    none, expected = np.zeros(SHAPE, bool), make_masks(_frame(data, bad), names)
    for form, empty in (
        (data, bad.astype(np.uint8)),
        (np.ma.array(data, mask=bad), none),
        (np.ma.array(data, mask=bad), bad),
    ):
        found = make_masks(_frame(form, empty), names)
        for name in names:
            np.testing.assert_array_equal(found[name].mask, expected[name].mask)
    with pytest.raises(MaskError, match=r"empty has the shape \(5, 5\), the image \(120, 130\)"):
        _frame(data, np.zeros((5, 5), bool))
    with pytest.raises(MaskError, match=r"has a unit; give its values, data.to_value\('MJy/sr'\)"):
        _frame(data * u.MJy / u.sr, bad)


def test_what_is_no_image_is_said(image):
    data, bad = image
    calls = (
        lambda *planes: _frame(*planes),
        lambda *planes: source_mask(*planes, fwhm_px=2.4),
        lambda *planes: core_mask(*planes, fwhm_px=2.4),
        lambda *planes: reference_peaks(*planes, fwhm_px=2.4, snr=5, background_box_px=24),
    )
    for call in calls:
        for planes in ((data[0], bad[0]), (data[None], bad[None])):
            with pytest.raises(MaskError, match=r"the image has [13] axes; it must have 2"):
                call(*planes)


def test_a_derivative_that_does_not_fit_is_said(image):
    frame = _frame(*image)
    for given, why in (
        ({"published": frame.data}, "no derivative over the domain 'crop'"),
        ({"crop": frame.data[1:]}, r"gradient= has the shape \(119, 130\)"),
    ):
        with pytest.raises(MaskError, match=why):
            make_masks(frame, ["derivative_10"], gradient=given)


@pytest.mark.parametrize("domain", ["Published", "frame", None])
def test_a_domain_that_is_none_is_said(image, domain):
    for name in ("value_1", "derivative_4.6"):
        with pytest.raises(MaskError, match="it must be one of published, crop"):
            make_masks(_frame(*image), [name], domain=domain)


@pytest.mark.parametrize("cover", [0.5, "nearest"])
def test_labels_are_projected_as_their_mask(image, cover):
    frame = _frame(*image)
    labels = np.arange(np.prod(SHAPE)).reshape(SHAPE) % 5  # even numbers among them
    sky = sky_of(frame.wcs)
    expected = project_mask(labels > 0, frame.wcs, sky, SHAPE, cover=cover)
    for form in (labels, labels.astype(float)):
        found = project_mask(form, frame.wcs, sky, SHAPE, cover=cover)
        np.testing.assert_array_equal(found, expected)
