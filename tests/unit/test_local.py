"""A person's own files: every layout that is understood, one clear message for each that is not."""

import gzip
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import MaskedColumn, QTable, Table
from astropy.wcs import WCS
from mirimask.errors import MaskError
from mirimask.local import (
    brightness_factor,
    read_catalogue,
    read_image,
    read_segmentation,
    segmentation_hdus,
    write_hdus,
)
from mirimask.product import check_product, frame_notes, opened

SHAPE = (40, 30)
PIXEL_SR = (0.11 / 3600 * np.pi / 180) ** 2
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real"


def sky(unit="MJy/sr"):
    """Header of an image of 0.11 arcsec pixels, on no particular field."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval, wcs.wcs.crpix = (80.0, -69.5), (15.5, 20.5)
    wcs.wcs.cdelt = -0.11 / 3600, 0.11 / 3600
    header = wcs.to_header()
    header["BUNIT"], header["PIXAR_SR"] = unit, PIXEL_SR
    return header


@pytest.fixture
def data():
    made = np.random.default_rng(1).normal(5, 1, SHAPE).astype("f4")
    made[:3] = np.nan
    return made


@pytest.fixture
def write(tmp_path, data):
    """Write an image in some layout; gives its path."""

    def written(name="i2d.fits", *, array=data, header=None, ext="SCI", more=(), **primary):
        header = sky() if header is None else header
        if ext == "PRIMARY":
            first = fits.PrimaryHDU(array, header)
            first.header.update(primary)
            hdus = [first]
        else:
            hdus = [
                fits.PrimaryHDU(header=fits.Header(primary)),
                fits.ImageHDU(array, header, name=ext),
            ]
        hdus += [fits.ImageHDU(plane, name=label) for label, plane in more]
        path = tmp_path / name
        fits.HDUList(hdus).writeto(path)
        return path

    return written


### images that are understood #####################################################################


@pytest.mark.parametrize("ext", ["SCI", "PRIMARY", "DRIZZLED"])
@pytest.mark.parametrize("name", ["i2d.fits", "i2d.fits.gz"])
def test_the_image_may_be_in_any_hdu_and_compressed(write, data, ext, name):
    hdus = read_image(write(name, ext=ext, FILTER="F770W", OBS_ID="V0123"))
    assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI"]
    np.testing.assert_array_equal(hdus["SCI"].data, data)
    assert hdus["SCI"].data.dtype == np.dtype("f4")
    assert hdus[0].header["OBS_ID"] == "V0123"
    assert hdus["SCI"].header["BUNIT"] == "MJy/sr"
    assert WCS(hdus["SCI"].header).wcs.crval.tolist() == [80.0, -69.5]


def test_sci_wins_over_other_images(write, data):
    hdus = read_image(write(more=[("VAR_FLAT", data * 0)]))
    np.testing.assert_array_equal(hdus["SCI"].data, data)


def test_error_and_weight_come_from_the_file_or_their_own(write, data, tmp_path):
    within = read_image(write(more=[("ERR", data / 10), ("WHT", data * 0 + 2)]))
    assert [hdu.name for hdu in within] == ["PRIMARY", "SCI", "ERR", "WHT"]
    error = write("err.fits", array=data / 20, ext="PRIMARY")
    weight = write("wht.fits", array=np.ones(SHAPE, "f4"), ext="WHT")
    apart = read_image(tmp_path / "i2d.fits", error_path=error, weight_path=weight)
    np.testing.assert_array_equal(apart["ERR"].data, data / 20)
    np.testing.assert_array_equal(apart["WHT"].data, 1)


def test_what_is_read_is_a_product_again_after_writing(write, data, tmp_path):
    i2d = read_image(write(ext="PRIMARY", FILTER="F770W"))
    write_hdus(tmp_path / "out.fits", i2d)
    labels = np.zeros(SHAPE, np.uint32)
    labels[5, 5] = 3_000_000_000
    write_hdus(tmp_path / "segm.fits", segmentation_hdus(labels, i2d))
    assert check_product(tmp_path / "out.fits", "i2d")["FILTER"] == "F770W"
    assert check_product(tmp_path / "segm.fits", "segm")["FILTER"] == "F770W"
    with opened(tmp_path / "segm.fits") as hdus:
        np.testing.assert_array_equal(hdus["SCI"].data, labels)
    assert "BUNIT" not in fits.getheader(tmp_path / "out.fits", 0)
    again = read_image(tmp_path / "out.fits")
    np.testing.assert_array_equal(again["SCI"].data, data)


def test_simulated_stays_simulated(write):
    assert read_image(write(SIMULATD=True))[0].header["SIMULATD"] is True


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("MJy/sr", 1.0),
        ("Jy/sr", 1e-6),
        ("10*nanoJansky", 1e-14 / PIXEL_SR),
        ("nJy/pix", 1e-15 / PIXEL_SR),
        ("NJY/PIXEL", 1e-15 / PIXEL_SR),
        ("mjy/sr", 1.0),
        ("uJy/arcsec2", 1e-12 * (180 * 3600 / np.pi) ** 2),
    ],
)
def test_units_become_mjy_per_sr(write, data, unit, factor):
    path = write(header=sky(unit), more=[("ERR", data)])
    hdus = read_image(path)
    for name in ("SCI", "ERR"):
        np.testing.assert_allclose(hdus[name].data, data * factor, rtol=1e-6)
        assert hdus[name].header["BUNIT"] == "MJy/sr"
    assert brightness_factor(unit, PIXEL_SR, what="x") == pytest.approx(factor, rel=1e-9)


def test_the_tables_filter_is_taken_where_the_header_has_none(write):
    assert read_image(write(), filter_name="F560W")[0].header["FILTER"] == "F560W"


### images that are not ############################################################################


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])
    return path


BAD_IMAGES = {
    "missing": (lambda w, t: t / "none.fits", {}, "there is no such file; correct its path"),
    "not FITS": (
        lambda w, t: _text(t / "x.fits", "<html>no</html>"),
        {},
        "not a FITS file, it begins with b'<html>no",
    ),
    "empty file": (lambda w, t: _text(t / "x.fits", ""), {}, "not a FITS file"),
    "truncated": (lambda w, t: cut(w(), 2880 * 2 + 3000), {}, "truncated.*fetch or copy it again"),
    "truncated header": (lambda w, t: cut(w(), 2880 + 1000), {}, "truncated|not a FITS"),
    "truncated gz": (lambda w, t: cut(w("x.fits.gz"), 2000), {}, "truncated"),
    "no image": (
        lambda w, t: _text(t / "x.fits", None),
        {},
        r"has no SCI extension, and no single image.*PRIMARY.*EXTNAME",
    ),
    "several images": (
        lambda w, t: w(ext="A", more=[("B", np.ones(SHAPE))]),
        {},
        r"no single image to take for it; it has PRIMARY .*A \(40, 30\), B",
    ),
    "3-D": (
        lambda w, t: w(array=np.ones((2, *SHAPE), "f4")),
        {},
        "must have 2 axes, it has 2 x 40 x 30. Give one plane",
    ),
    "no WCS": (
        lambda w, t: w(header=fits.Header({"BUNIT": "MJy/sr"})),
        {},
        "SCI has no celestial WCS .*Add one to its header",
    ),
    "all NaN": (
        lambda w, t: w(array=np.full(SHAPE, np.nan, "f4")),
        {},
        "none of its 1200 pixels is finite",
    ),
    "constant": (
        lambda w, t: w(array=np.full(SHAPE, 4, "f4")),
        {},
        r"all its pixels are 4\.0; there is no image",
    ),
    "unknown unit": (
        lambda w, t: w(header=sky("DN/s")),
        {},
        "pixel unit 'DN/s' is neither .*set pixel_unit",
    ),
    "unreadable unit": (lambda w, t: w(header=sky("blobs")), {}, "'blobs' is neither"),
    "no unit": (lambda w, t: w(header=_without(sky(), "BUNIT")), {}, "no BUNIT; set pixel_unit"),
    "other filter": (
        lambda w, t: w(FILTER="F770W"),
        {"filter_name": "F560W"},
        "FILTER of the header is 'F770W', the table of images asks for 'F560W'",
    ),
    "other observation": (
        lambda w, t: w(OBS_ID="V1"),
        {"observation_id": "V2"},
        "OBS_ID of the header is 'V1', the table of images asks for 'V2'",
    ),
}


def _text(path, text):
    if text is None:
        fits.HDUList([fits.PrimaryHDU()]).writeto(path)
    else:
        path.write_text(text)
    return path


def _without(header, key):
    del header[key]
    return header


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_a_bad_image_is_one_clear_message_with_file_and_remedy(case, write, tmp_path):
    make, options, says = BAD_IMAGES[case]
    path = make(write, tmp_path)
    with pytest.raises(MaskError, match=says) as error:
        read_image(path, image="Mine", **options)
    assert str(error.value).startswith(f"Mine: i2d '{path}'")


@pytest.mark.parametrize(("key", "what"), [("error_path", "err"), ("weight_path", "wht")])
def test_error_and_weight_of_another_shape_or_missing(write, tmp_path, key, what):
    path = write()
    other = write("other.fits", array=np.ones((9, 9), "f4"), ext="PRIMARY")
    with pytest.raises(
        MaskError, match=rf"Mine: {what} '{other}' has the shape \(9, 9\), the image"
    ):
        read_image(path, image="Mine", **{key: other})
    with pytest.raises(MaskError, match=rf"Mine: {what} '.*none.fits': there is no such file"):
        read_image(path, image="Mine", **{key: tmp_path / "none.fits"})


### segmentation ###################################################################################


@pytest.mark.parametrize("ext", ["SCI", "PRIMARY"])
@pytest.mark.parametrize("kind", ["i4", "u4", "f4"])
def test_labels_are_read_from_any_hdu_and_number_type(write, ext, kind):
    labels = np.arange(1200).reshape(SHAPE)
    path = write("segm.fits", array=labels.astype(kind), ext=ext)
    read = read_segmentation(path, SHAPE)
    assert read.dtype == np.uint32
    np.testing.assert_array_equal(read, labels)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((9, 9), "i4"), r"has the shape \(9, 9\), the image has \(40, 30\)"),
        (np.full(SHAPE, 0.5, "f4"), "are not labels"),
        (np.full(SHAPE, -1, "i4"), "are not labels"),
        (np.zeros((2, *SHAPE), "i4"), "must have 2 axes"),
    ],
)
def test_bad_labels_are_one_clear_message(write, array, says):
    path = write("segm.fits", array=array)
    with pytest.raises(MaskError, match=says) as error:
        read_segmentation(path, SHAPE, image="Mine")
    assert str(error.value).startswith(f"Mine: segm '{path}'")


### catalogues #####################################################################################

SOURCES = {
    "name": ["b1", "a2", "c3"],
    "alpha": [80.0, np.nan, 80.2],
    "delta": [-69.5, -69.4, -69.3],
}
COLUMNS = {"id_": "name", "ra": "alpha", "dec": "delta"}


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("c.ecsv", "ascii.ecsv"),
        ("c.csv", "ascii.csv"),
        ("c.tsv", "ascii.tab"),
        ("c.vot", "votable"),
        ("c.xml", "votable"),
        ("c.fits", "fits"),
        ("c.cat", "ascii.commented_header"),
        ("c.txt", "ascii.basic"),
        ("c.dat", "ascii.csv"),
    ],
)
def test_catalogues_of_every_format_give_the_same_table(tmp_path, name, format_):
    table = Table(SOURCES | {"flux": [1.0, 2.0, 3.0]})
    table.write(tmp_path / name, format=format_)
    read = read_catalogue(tmp_path / name, **COLUMNS)
    assert read.colnames == ["name", "alpha", "delta", "flux"]
    assert read["name"].tolist() == SOURCES["name"]
    # not finite is kept: it is counted where sources are placed
    np.testing.assert_array_equal(read["alpha"].filled(np.nan), SOURCES["alpha"])
    np.testing.assert_array_equal(read["flux"], [1, 2, 3])
    assert read["alpha"].unit == u.deg
    read.write(tmp_path / "again.ecsv", format="ascii.ecsv")
    again = Table.read(tmp_path / "again.ecsv")
    np.testing.assert_array_equal(again["delta"], SOURCES["delta"])


def test_masked_cells_and_other_angle_units(tmp_path):
    table = Table(SOURCES)
    table["alpha"] = MaskedColumn([80.0, 1.0, 80.2], mask=[0, 1, 0], unit="deg")
    table["delta"] = np.radians(SOURCES["delta"]) * u.rad
    table.write(tmp_path / "c.ecsv")
    read = read_catalogue(tmp_path / "c.ecsv", **COLUMNS)
    assert read["alpha"].mask.tolist() == [False, True, False]
    np.testing.assert_allclose(read["delta"], SOURCES["delta"])


def test_a_pipelines_sky_centroid_gives_the_coordinates(tmp_path):
    table = QTable({"label": [4, 7]})
    table["sky_centroid"] = SkyCoord([80.0, 80.1], [-69.5, -69.4], unit="deg")
    table.write(tmp_path / "cat.ecsv")
    read = read_catalogue(tmp_path / "cat.ecsv", id_="label", ra="RAJ2000", dec="DEJ2000")
    np.testing.assert_allclose(read["RAJ2000"], [80.0, 80.1])
    np.testing.assert_allclose(read["DEJ2000"], [-69.5, -69.4])
    assert read["label"].tolist() == ["4", "7"]


def test_rows_are_numbered_where_the_catalogue_has_no_identifier(tmp_path, caplog):
    Table(SOURCES).write(tmp_path / "c.csv")
    read = read_catalogue(tmp_path / "c.csv", id_="objID", ra="alpha", dec="delta")
    assert read["objID"].tolist() == ["1", "2", "3"]
    assert "no column 'objID'" in caplog.text


@pytest.mark.parametrize("source", [None, "", "file"])
def test_no_catalogue_or_one_without_rows_is_legal(tmp_path, source):
    if source == "file":
        source = tmp_path / "c.csv"
        source.write_text("name,alpha,delta\n")
    read = read_catalogue(source, **COLUMNS)
    assert len(read) == 0
    assert read.colnames == ["name", "alpha", "delta"]
    read.write(tmp_path / "again.ecsv")
    assert len(Table.read(tmp_path / "again.ecsv")) == 0


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("none.csv", None, "there is no such file; correct its path"),
        ("c.csv", "name,x,y\na,1,2\n", r"no column 'alpha'; it has name, x, y\. Set catalogue.ra"),
        (
            "c.csv",
            "name,alpha\na,1\n",
            r"no column 'delta'; it has name, alpha.*catalogue.dec.*declin",
        ),
        ("c.csv", "name,alpha,delta\na,05:20:00,-69\n", "not an angle as a number. Give decimal"),
        ("c.ecsv", "<html>", r"cannot be read \(ascii.ecsv: .*Give an ECSV, CSV, VOTable or FITS"),
        ("c.fits", "garbage", "cannot be read"),
        ("c.xml", "garbage", "cannot be read"),
        ("c.cat", "", "cannot be read"),
    ],
)
def test_a_bad_catalogue_is_one_clear_message(tmp_path, name, text, says):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(MaskError, match=says) as error:
        read_catalogue(path, image="Mine", **COLUMNS)
    assert str(error.value).startswith(f"Mine: catalogue '{path}'")


### notes, and the real files ######################################################################


def test_differences_from_the_papers_frames_are_noted(tmp_path):
    def noted(name, array, version):
        primary = fits.PrimaryHDU(header=fits.Header({"CAL_VER": version}))
        fits.HDUList([primary, fits.ImageHDU(array, name="SCI")]).writeto(tmp_path / name)
        return frame_notes(tmp_path / name)

    same = np.zeros((1028, 1032), "f4")
    assert noted("same.fits", same, "1.12.5") == []
    same[0, :7] = np.nan
    assert noted("nan.fits", same, "1.14.0") == [
        "7 empty pixels are not finite, the paper's were 0"
    ]
    assert noted("new.fits", np.zeros((1024, 1030), "f4"), "1.20.2") == [
        "frame of 1024 x 1030 pixels, the paper's had 1028 x 1032",
        "made with jwst 1.20.2, the paper's with 1.10 to 1.14",
    ]


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is not here")
def test_a_real_mosaic_and_its_catalogue():
    images = REAL / "images"
    hdus = read_image(
        images / "mophongo_uds1_f770w_80mas_sci.fits",
        weight_path=images / "mophongo_uds1_f770w_80mas_wht.fits",
    )
    original = fits.getdata(images / "mophongo_uds1_f770w_80mas_sci.fits")
    np.testing.assert_allclose(hdus["SCI"].data, original * 0.0664768, rtol=1e-5)
    catalogue = read_catalogue(
        REAL / "catalogues" / "mophongo_uds1_photometry_a.cat", id_="id", ra="ra", dec="dec"
    )
    assert len(catalogue) == 384
    assert (~np.isfinite(catalogue["ra"])).sum() == 2


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is not here")
def test_a_real_archive_product_is_kept_as_it_is():
    path = REAL / "images" / "jw01288015001_26101_00003_mirimage_i2d.fits.gz"
    hdus = read_image(path, filter_name="F770W", observation_id="V01288015001P0000000026101")
    with gzip.open(path) as file, fits.open(file) as original:
        for name in ("SCI", "ERR", "WHT"):
            np.testing.assert_array_equal(hdus[name].data, original[name].data)
        assert hdus[0].header["CAL_VER"] == "1.8.2"
