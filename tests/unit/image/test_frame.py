"""The crop keeps its sky, tells empty from seen, and refuses what is no image."""

from dataclasses import replace
from functools import partial

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from astropy.wcs import WCS
from mirimask.errors import DamagedFile, MaskError
from mirimask.image.files import (
    read_crop,
    read_frame,
    read_gradient,
    read_mask,
    write_crop,
    write_mask,
)
from mirimask.image.frame import crop_frame, empty_pixels
from mirimask.image.statistics import describe, identify
from mirimask.sources.catalogue import catalogue_settings, locate_sources


def _header(angle=25.0, scale=0.11):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [83.6, -69.1]
    wcs.wcs.crpix = [60, 50]
    turn = np.deg2rad(angle)
    wcs.wcs.cd = (scale / 3600) * np.array(
        [[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    )
    return wcs.to_header()


@pytest.fixture
def product(tmp_path):
    data = np.random.default_rng(0).normal(10, 1, (100, 120)).astype(np.float32)
    data[:5] = 0
    weight = np.ones_like(data)
    weight[:5] = 0
    header = _header()
    header["BUNIT"] = "MJy/sr"
    primary = fits.Header({"OBS_ID": "V01", "SIMULATD": True, "FILTER": "F770W"})
    path = tmp_path / "i2d.fits"
    fits.HDUList(
        [
            fits.PrimaryHDU(header=primary),
            fits.ImageHDU(data, header, name="SCI"),
            fits.ImageHDU(weight, name="WHT"),
        ]
    ).writeto(path)
    return path, data


def test_crop_has_the_pixels_and_the_sky_of_the_frame(product, tmp_path):
    path, data = product
    frame = read_frame(path)
    assert frame.pixel_scale == pytest.approx(0.11)
    crop = crop_frame(frame, rows=(2, 90), columns=(30, 70), image="Img1")
    np.testing.assert_array_equal(crop.data, data[2:90, 30:70])
    assert crop.empty.sum() == 3 * 40
    assert np.isnan(crop.masked[:3]).all()
    write_crop(tmp_path / "crop.fits", crop)
    again = read_crop(tmp_path / "crop.fits")
    np.testing.assert_array_equal(again.data, crop.data)
    np.testing.assert_array_equal(again.empty, crop.empty)
    assert again.simulated
    np.testing.assert_allclose(again.wcs.all_pix2world(3, 4, 0), frame.wcs.all_pix2world(33, 6, 0))
    write_mask(tmp_path / "mask.fits", crop.data > 11, crop, method="value_1", thresh=11.0)
    with fits.open(tmp_path / "mask.fits") as hdus:
        assert hdus["MASK"].data.dtype == np.uint8
        assert hdus[0].header["NKEPT"] == (crop.data > 11).sum()
        assert hdus[0].header["SIMULATD"] is True
        np.testing.assert_allclose(
            WCS(hdus["MASK"].header).all_pix2world(3, 4, 0),
            frame.wcs.all_pix2world(33, 6, 0),
        )


def test_writing_twice_gives_the_same_bytes(product, tmp_path):
    crop = crop_frame(read_frame(product[0]), rows=None, columns=None, image="Img1")
    for name in "ab":
        write_crop(tmp_path / name, crop)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_frame_that_is_too_small_says_its_size(product):
    frame = read_frame(product[0])
    with pytest.raises(MaskError, match=r"Img3.*100 rows and 120 columns"):
        crop_frame(frame, rows=(20, 1000), columns=(430, 1020), image="Img3")


@pytest.mark.parametrize("shape", [(100, 1), (1, 120), (7, 120)])
def test_an_image_too_small_for_a_background(product, shape):
    frame = read_frame(product[0])
    with pytest.raises(MaskError, match=f"A: the crop of {shape[0]} rows and {shape[1]} columns"):
        crop_frame(frame, rows=(0, shape[0]), columns=(0, shape[1]), image="A")


def test_a_frame_knows_where_its_pixels_are(product, tmp_path):
    frame = read_frame(product[0])
    assert (frame.origin, frame.frame_shape) == ((0, 0), (100, 120))
    assert frame.fwhm_px == pytest.approx(0.269 / 0.11)
    assert frame.pixel_area_sr == pytest.approx((0.11 / 206264.806) ** 2, rel=1e-6)
    crop = crop_frame(frame, rows=(10, 90), columns=(30, 70), image="Img1")
    inner = crop_frame(crop, rows=(5, 25), columns=(2, 12), image="Img1")
    assert (inner.origin, inner.frame_shape) == ((15, 32), (100, 120))
    np.testing.assert_array_equal(inner.cut(frame.data), inner.data)
    with pytest.raises(MaskError, match="80 rows and 40 columns"):
        inner.cut(crop.data)
    np.testing.assert_allclose(
        inner.wcs.pixel_to_world_values(0, 0), frame.wcs.pixel_to_world_values(32, 15), rtol=1e-12
    )
    write_crop(tmp_path / "crop.fits", inner)
    again = read_crop(tmp_path / "crop.fits")
    assert (again.origin, again.frame_shape) == (inner.origin, inner.frame_shape)
    assert again.fwhm_px == pytest.approx(inner.fwhm_px, rel=1e-12)
    assert "CROPX0" not in again.primary  # the frame's own, not a card's


def test_a_stale_pixel_area_is_said(product, caplog):
    with fits.open(product[0], mode="update") as hdus:
        hdus["SCI"].header["PIXAR_SR"] = 9.5e-13
    frame = read_frame(product[0])
    assert "its PIXAR_SR is 9.5e-13, a pixel of its WCS has 2.844e-13 sr" in caplog.text
    assert frame.pixel_area_sr == pytest.approx(2.844e-13, rel=1e-3)


def test_a_width_that_was_given_stays_with_the_crop(product, tmp_path):
    frame = replace(read_frame(product[0]), psf_arcsec=0.5)
    crop = crop_frame(frame, rows=None, columns=None, image="Img1")
    write_crop(tmp_path / "crop.fits", crop)
    assert read_crop(tmp_path / "crop.fits").fwhm_px == crop.fwhm_px == round(0.5 / 0.11, 6)


def test_a_file_of_another_kind_is_damaged(product, tmp_path):
    crop = crop_frame(read_frame(product[0]), rows=None, columns=None, image="Img1")
    write_crop(tmp_path / "crop.fits", crop)
    write_mask(tmp_path / "mask.fits", crop.data > 5, crop)
    for function, name, lacks in (
        (read_crop, "mask", "SCI"),
        (read_mask, "crop", "MASK"),
        (partial(read_gradient, domain="crop"), "crop", "crop"),
    ):
        with pytest.raises(DamagedFile, match=f"{name}.fits': damaged, it has no {lacks}"):
            function(tmp_path / f"{name}.fits")


def test_a_mask_without_a_pixel_is_said(product, tmp_path, caplog):
    crop = crop_frame(read_frame(product[0]), rows=None, columns=None, image="Img1")
    write_mask(tmp_path / "mask.fits", crop.data > 1e9, crop, method="value_1")
    assert "Img1: the mask value_1 marks no pixel" in caplog.text


@pytest.mark.parametrize(("fill", "says"), [(np.nan, "empty"), (7.0, "have the value 7")])
def test_a_crop_without_an_image(product, fill, says):
    frame = read_frame(product[0])
    frame.data[5:] = fill
    frame.empty[5:] = np.isnan(fill)
    with pytest.raises(MaskError, match=says):
        crop_frame(frame, rows=(10, 90), columns=(0, 50), image="Img1")


def test_empty_pixels():
    data = np.array([[1.0, 0, np.nan, 0]])
    assert list(empty_pixels(data)[0]) == [False, True, True, True]
    assert list(empty_pixels(data, weight=np.array([[1, 0, 0, 1]]))[0]) == [
        False,
        True,
        True,
        False,
    ]
    error = np.array([[0.1, np.nan, np.nan, 0.1]])
    assert list(empty_pixels(data, error=error)[0]) == [False, True, True, False]


def test_what_was_not_observed_is_said_in_several_ways():
    """A weight that is no number or below 0, an error that is infinite or 0."""
    data, weight = np.array([[0.0, 0, 0, 2, 0]]), np.array([[np.nan, -1, 0, np.nan, 3]])
    assert list(empty_pixels(data, weight=weight)[0]) == [True, True, True, True, False]
    error = np.array([[np.inf, 0, np.nan, np.inf, 1]])
    assert list(empty_pixels(data, error=error)[0]) == [True, True, True, False, False]


def _catalogue():
    wcs = WCS(_header())
    ra, dec = wcs.all_pix2world([10.0, 50, -3, 50], [20.0, 60, 20, 60], 0)
    return Table(
        {
            "objID": [1, 2, 3, 4],
            "RAJ2000": MaskedColumn(ra, mask=[False, False, False, True]),
            "DEJ2000": dec,
            "flux": [1.0, 30, 30, 30],
        }
    )


COLUMNS = {"id_column": "objID", "ra_column": "RAJ2000", "dec_column": "DEJ2000"}


def test_sources_fall_where_the_sky_is_and_the_rest_is_counted():
    sources = locate_sources(_catalogue(), WCS(_header()), (100, 120), **COLUMNS)
    np.testing.assert_allclose(sources["x"], [10, 50])
    np.testing.assert_allclose(sources["y"], [20, 60])
    assert sources.meta == {"n_rows": 4, "n_removed": 0, "n_not_finite": 1, "n_outside": 1}
    kept = locate_sources(_catalogue(), WCS(_header()), (100, 120), keep="flux > 20", **COLUMNS)
    assert list(kept["id"]) == ["2"]
    assert kept.meta["n_removed"] == 1


def test_positions_are_taken_in_the_unit_of_their_columns():
    """Hours and radians, and degrees where nothing is said."""
    table = _catalogue()
    plain = locate_sources(table, WCS(_header()), (100, 120), **COLUMNS)
    ra, dec = COLUMNS["ra_column"], COLUMNS["dec_column"]
    for name, values, unit in (
        (ra, table[ra] / 15, "hourangle"),
        (dec, np.radians(table[dec]), "rad"),
    ):
        table[name] = MaskedColumn(np.ma.asarray(values), unit=unit)
    found = locate_sources(table, WCS(_header()), (100, 120), **COLUMNS)
    np.testing.assert_allclose(found["ra"], plain["ra"], rtol=1e-12)
    np.testing.assert_allclose(found["y"], plain["y"], rtol=1e-6)
    # of an archive: a unit that astropy does not know, or that is none
    table = _catalogue()
    for word in ("degs_J2000", ""):
        table[ra].unit = u.Unit(word, parse_strict="silent")
        assert len(locate_sources(table, WCS(_header()), (100, 120), **COLUMNS)) == len(plain)
    sexagesimal = _catalogue()
    sexagesimal[ra] = ["05:20:00"] * len(sexagesimal)
    with pytest.raises(MaskError, match=f"column '{ra}' holds no numbers of degrees, but '05:20"):
        locate_sources(sexagesimal, WCS(_header()), (100, 120), **COLUMNS)
    table[ra].unit = "Jy"
    with pytest.raises(MaskError, match=f"column '{ra}' is in Jy, which is no unit of an angle"):
        locate_sources(table, WCS(_header()), (100, 120), **COLUMNS)


def test_right_ascensions_go_on_above_360_around_0_h():
    """Sources on both sides of 0 h, as -0.01, 359.99 or, of those above it, 360.01 degrees."""
    header = _header()
    header["CRVAL1"] = 0.0
    x, y = np.meshgrid([20.0, 50.0, 90.0], [20.0, 70.0])
    ra, dec = WCS(header).all_pix2world(x.ravel(), y.ravel(), 0)
    for turned in (ra % 360, (ra + 180) % 360 - 180, (ra + 180) % 360 + 180):
        table = Table({"objID": np.arange(6), "RAJ2000": turned, "DEJ2000": dec})
        found = locate_sources(table, WCS(header), (100, 120), **COLUMNS)
        np.testing.assert_allclose(found["x"], x.ravel(), atol=1e-3)


@pytest.mark.parametrize(
    ("ra", "asked"), [(3.2, True), (23.9, True), (80.0, False), (-69.1, False)]
)
def test_hours_are_asked_after_where_no_source_lies_on_the_image(caplog, ra, asked):
    table = Table({"objID": [1], "RAJ2000": [ra], "DEJ2000": [40.0]})
    assert len(locate_sources(table, WCS(_header()), (100, 120), **COLUMNS)) == 0
    assert "there is nothing to score" in caplog.text
    assert ("are they hours?" in caplog.text) == asked


def test_catalogue_errors():
    with pytest.raises(MaskError, match=r"no column RAJ2000.*objID, flux"):
        locate_sources(_catalogue()["objID", "flux"], WCS(_header()), (100, 120), **COLUMNS)
    with pytest.raises(MaskError, match="nonsense"):
        locate_sources(_catalogue(), WCS(_header()), (100, 120), keep="nonsense > 2", **COLUMNS)


def test_fill_values_are_no_positions_and_ids_that_are_shared_are_said(caplog):
    catalogue = _catalogue()
    catalogue["objID"] = ["NA", "NA", "3", "4"]
    catalogue.add_row(["5", 1e38, -20.0, 1.0])
    catalogue.add_row(["6", 80.0, -999.0, 1.0])
    sources = locate_sources(catalogue, WCS(_header()), (100, 120), **COLUMNS)
    assert list(sources["id"]) == ["NA", "NA (2)"]
    assert sources.meta["n_not_finite"] == 3
    assert "2 of 2 sources share their id with another ('NA')" in caplog.text


def test_conditions_are_checked_with_the_configuration():
    given = dict.fromkeys(("vizier", "irsa", "id", "ra", "dec", "resolution")) | {"name": "unwise"}
    assert catalogue_settings(given | {"keep": "FW1 > 20"})["keep"] == "FW1 > 20"
    with pytest.raises(MaskError, match=r"catalogue\.keep: .*'open\('x'\)' is not allowed"):
        catalogue_settings(given | {"keep": "open('x') == 1"})


def test_an_empty_catalogue_is_legal():
    sources = locate_sources(
        _catalogue()[:0], WCS(_header()), (100, 120), keep="flux > 2", **COLUMNS
    )
    assert len(sources) == 0
    assert sources.colnames == ["id", "ra", "dec", "x", "y"]


def test_statistics_by_hand():
    """1, 2, 3, 10: mean 4, variance 50 / 4, third moment 45, fourth 1394 / 4 = 348.5."""
    row = describe(np.array([[1.0, 2, 3, 10, np.nan]]))
    assert row["mean"] == 4
    assert row["median"] == 2.5
    assert row["variance"] == 12.5
    assert row["skewness"] == pytest.approx(45 / 12.5**1.5)
    assert row["kurtosis"] == pytest.approx(348.5 / 12.5**2 - 3)
    assert np.isnan(describe(np.full(3, np.nan))["mean"])
    masked = np.ma.array([1.0, 2, 3, 10, 1000], mask=[0, 0, 0, 0, 1])
    assert describe(masked) == row


def test_identity_of_a_header_with_gaps():
    row = identify(fits.Header({"OBS_ID": "V01", "GS_RA": 83.61}))
    assert row["observation_id"] == "V01"
    assert row["guide_star_ra_deg"] == 83.61
    assert row["principal_investigator"] is None
    header = fits.Header([fits.Card.fromstring("PI_NAME =")])
    assert identify(header)["principal_investigator"] is None


def test_identity_of_a_complex_number_is_its_text():
    """FITS has them, JSON does not."""
    header = fits.Header([fits.Card.fromstring("GDSTARID= (1.0, 2.0)")])
    assert identify(header)["guide_star_id"] == "(1+2j)"
