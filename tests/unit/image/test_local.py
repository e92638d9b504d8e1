"""A person's own files: every layout that is understood, one clear message for each that is not."""

import bz2
import errno
import gzip
import lzma

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from conftest import REAL
from mirimask.errors import MaskError
from mirimask.image.files import read_frame, read_mask
from mirimask.image.own_files import (
    brightness_factor,
    read_image,
    read_planes,
    read_segmentation,
    segmentation_hdus,
    write_hdus,
)
from mirimask.image.product import StoredPlane, check_image, check_product, frame_notes, opened
from mirimask.sources.own_catalogues import read_catalogue

SHAPE = (40, 30)
PIXEL_SR = (0.11 / 3600 * np.pi / 180) ** 2


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


def test_names_of_extensions_may_be_in_lower_case(write, data):
    path = write(more=[("ERR", data * 0 + 1), ("OTHER", data * 0)])
    path.write_bytes(path.read_bytes().replace(b"'SCI     '", b"'sci     '"))
    read = read_planes(path)
    np.testing.assert_array_equal(read.data, data)
    assert read.error is not None


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


def _with_unit(path, unit, ext):
    fits.setval(path, "BUNIT", value=unit, ext=0 if ext == "PRIMARY" else (ext, 1))
    return path


@pytest.mark.parametrize("ext", ["ERR", "PRIMARY"])
def test_an_error_of_its_own_has_its_own_unit(write, data, ext):
    """An image in nJy in a pixel, its error in Jy/sr: a factor of 1e-6, whatever the image's."""
    path = write(header=sky("nJy/pix"))
    error = write("err.fits", array=data / 20, header=fits.Header(), ext="ERR")
    apart = read_image(path, error_path=_with_unit(error, "Jy/sr", ext))
    np.testing.assert_allclose(apart["SCI"].data, data * 1e-15 / PIXEL_SR, rtol=1e-6)
    np.testing.assert_allclose(apart["ERR"].data, data * 1e-6 / 20, rtol=1e-6)


def test_an_error_in_the_images_file_has_its_own_unit(write, data, caplog):
    path = write(more=[("ERR", data / 20)])
    within = read_image(_with_unit(path, "mJy/sr", "ERR"))
    np.testing.assert_allclose(within["ERR"].data, data * 1e-9 / 20, rtol=1e-6)
    # a pixel unit is of both where both have one BUNIT
    both = read_image(_with_unit(path, "MJy/sr", "ERR"), pixel_unit="Jy/sr")
    np.testing.assert_allclose(both["ERR"].data, data * 1e-6 / 20, rtol=1e-6)
    assert not caplog.text
    none = read_image(_with_unit(path, "DN/s", "ERR"))
    np.testing.assert_allclose(none["ERR"].data, data / 20, rtol=1e-6)
    assert "ERR: its BUNIT is 'DN/s'" in caplog.text


def test_an_error_that_stays_in_its_file_has_its_own_unit(write, data, tmp_path, monkeypatch):
    monkeypatch.setattr("mirimask.image.own_files.MOST_PIXELS", 100)
    path = write()
    error = write("err.fits", array=data / 20, header=fits.Header({"BUNIT": "Jy/sr"}), ext="ERR")
    stored = read_planes(path, error_path=error, in_file=True).error
    assert isinstance(stored, StoredPlane)
    np.testing.assert_allclose(stored[5:9], data[5:9] * 1e-6 / 20, rtol=1e-6)


def test_what_is_empty_stays_so_without_its_plane(write, data, tmp_path):
    """Of a fill value that is no NaN the weight alone says it, and that may be left out."""
    weight = np.ones(SHAPE, np.float32)
    weight[10:20] = 0
    filled = np.where(weight > 0, data, -999).astype(np.float32)
    path = write(array=filled, more=[("WHT", weight)])
    write_hdus(tmp_path / "again.fits", read_image(path, keep=()))
    empty = read_frame(tmp_path / "again.fits").empty
    np.testing.assert_array_equal(empty, np.isnan(data) | (weight == 0))


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
        ("MJY/SR", 1.0),
        ("mJy/SR", 1e-9),
        ("mJY/SR", 1e-9),
        ("MJY/sr", 1.0),
        ("mJy/PIXEL", 1e-9 / PIXEL_SR),
        ("MJy/Pixel", 1 / PIXEL_SR),
        ("nJY/PIX", 1e-15 / PIXEL_SR),
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


@pytest.mark.parametrize(
    "unit",
    [
        "mag(AB)",
        "dex(Jy)",
        "dB(Jy)",
        "-1 Jy",
        "0 Jy",
        "1e400 Jy",
        "mag",
        "mjy",
        "MJY/PIXEL",
        "DN/s",
        "K",
    ],
)
def test_units_that_are_no_linear_brightness(write, unit):
    """As BUNIT and as pixel unit; 'mjy' could be milli or mega."""
    with pytest.raises(MaskError, match=r"linear scale.*set pixel_unit") as error:
        read_image(write(), pixel_unit=unit, image="Mine")
    assert f"'{unit}'" in str(error.value)
    with pytest.raises(MaskError, match=r"linear scale.*pixel_unit="):
        read_image(write("other.fits", header=sky(unit)))


def test_a_unit_that_leaves_nothing(write):
    with pytest.raises(MaskError, match="in MJy/sr: none of its 1200 pixels is finite"):
        read_image(write(), pixel_unit="1e200 Jy")


def test_unit_and_filter_may_be_in_the_other_header(write, data):
    header = sky()
    header["FILTER"] = "f770w"
    del header["BUNIT"]
    hdus = read_image(write(header=header, BUNIT="Jy/sr"), filter_name="F770W")
    np.testing.assert_allclose(hdus["SCI"].data, data * 1e-6, rtol=1e-6)
    assert hdus[0].header["FILTER"] == "f770w"
    assert "BUNIT" not in hdus[0].header


def test_keywords_in_lower_case(write, data, tmp_path):
    path = write(header=sky("Jy/sr"), FILTER="F770W")
    raw = path.read_bytes()
    for key in (b"BUNIT   =", b"FILTER  ="):
        assert raw.count(key) == 1
        raw = raw.replace(key, key.lower())
    path.write_bytes(raw)
    hdus = read_image(path)
    np.testing.assert_allclose(hdus["SCI"].data, data * 1e-6, rtol=1e-6)
    assert hdus[0].header["FILTER"] == "F770W"
    write_hdus(tmp_path / "out.fits", hdus)


def test_a_stale_pixel_area_is_said_and_the_wcs_used(write, data, caplog):
    header = sky("nJy")
    header["PIXAR_SR"] *= (0.11 / 0.06) ** 2
    hdus = read_image(write(header=header))
    assert "its PIXAR_SR is 9.559" in caplog.text
    np.testing.assert_allclose(hdus["SCI"].data, data * 1e-15 / PIXEL_SR, rtol=1e-5)
    assert hdus["SCI"].header["PIXAR_SR"] == pytest.approx(PIXEL_SR, rel=1e-5)
    assert hdus["SCI"].header["PIXAR_A2"] == pytest.approx(0.0121, rel=1e-5)
    caplog.clear()
    read_image(write("good.fits", header=sky("nJy")))
    assert caplog.text == ""


def test_planes_that_say_nothing_are_left_out(write, data, caplog):
    path = write("zeros.fits", more=[("ERR", data * 0), ("WHT", data * 0)])
    assert [hdu.name for hdu in read_image(path)] == ["PRIMARY", "SCI"]
    path = write(more=[("ERR", data * np.nan), ("WHT", data * 0)])
    assert [hdu.name for hdu in read_image(path)] == ["PRIMARY", "SCI"]
    assert f"i2d '{path}': its ERR is above 0 nowhere" in caplog.text
    assert f"i2d '{path}': its WHT is above 0 nowhere" in caplog.text


@pytest.mark.parametrize(
    ("value", "rows", "warned"),
    [
        *[(-9999, 1, True), (-9999, 30, True), (-1, 1, False), (-1, 4, True)],
        *[(9999, 1, False), (9999, 4, True), (5, 7, False), (5, 9, True)],
    ],
)
def test_a_fill_value_is_said(write, data, caplog, value, rows, warned):
    """Above a twentieth of the 40 rows at an end of the values, a fifth in their middle.

    Far below all others a thousandth is enough. The brightest may be cut off at one value.
    """
    filled = np.random.default_rng(2).normal(5, 1, SHAPE).astype("f4")
    filled[20 : 20 + rows if rows < 20 else 40] = value
    if rows > 20:
        filled[:10] = value
    read_image(write(array=filled))
    share = f"{100 * (filled == value).mean():.2g}"
    said = f"the value {value} fills {share} % of its pixels" in caplog.text
    assert said == warned
    assert ("weight_path=" in caplog.text) == warned


@pytest.mark.parametrize(("step", "coarse"), [(1, False), (4, True)])
def test_a_sky_too_coarse_for_its_noise_is_said(write, caplog, step, coarse):
    """Of noise 1 in steps of 1, 38 % of the pixels have the middle value; in steps of 4, 95 %."""
    noise = np.random.default_rng(2).normal(0, 1, SHAPE)
    read_image(write(array=(step * np.rint(noise / step) + 100).astype("f4")))
    assert "the value 100 fills" in caplog.text
    assert ("too coarsely for its noise" in caplog.text) == coarse


def test_whole_numbers_around_0_are_not_empty_without_a_word(write, caplog):
    """Where neither ERR nor WHT says what was observed, 0 stands for what was not."""
    counts = np.rint(np.random.default_rng(2).normal(0, 1, SHAPE)).astype("i2")
    share = round(100 * (counts == 0).mean())
    read_image(write(array=counts))
    assert f"its pixels of 0, {share} %, are taken as not observed" in caplog.text
    assert "give a weight (weight_path=) above 0 there" in caplog.text
    caplog.clear()
    read_image(write("weighed.fits", array=counts, more=[("WHT", np.ones(SHAPE, "f4"))]))
    assert "taken as not observed" not in caplog.text
    caplog.clear()
    read_image(write("far.fits", array=np.where(counts < 0, 0, counts + 100).astype("i2")))
    assert "taken as not observed" not in caplog.text
    read_image(write("events.fits", array=np.abs(counts).astype("i2")))  # 0, 1, 2
    assert "taken as not observed" in caplog.text


def test_a_sky_cut_off_at_0_is_not_empty_without_a_word(write, caplog):
    """Half of a noise around 0; not the zeros around an image whose sky is far from 0."""
    noise = np.random.default_rng(2).normal(0, 1, SHAPE).astype("f4")
    read_image(write(array=np.clip(noise, 0, None)))
    assert f"its pixels of 0, {100 * (noise <= 0).mean():.0f} %, are taken as not" in caplog.text
    caplog.clear()
    filled = noise + 20
    filled[:, :5] = 0
    read_image(write("filled.fits", array=filled))
    read_image(write("around.fits", array=np.where(filled == 0, 0, noise)))
    assert "taken as not observed" not in caplog.text


def _whole_numbers(path, counts, **cards):
    """Write counts as the pixels that stand in the file, whatever the cards make of them."""
    header = sky()
    header.update(cards)
    hdu = fits.PrimaryHDU(counts)
    hdu.header.update(header)
    pixels = counts.astype(counts.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(hdu.header.tostring().encode() + pixels + bytes(-len(pixels) % 2880))
    return path


COUNTS = np.rint(np.random.default_rng(2).normal(0, 3, SHAPE)).astype("i2")


@pytest.mark.parametrize("scale", [None, 0.01])
def test_zeros_of_whole_numbers_are_values_where_blank_says_what_is_empty(tmp_path, caplog, scale):
    """Two rows of BLANK are empty, the 13 % of zeros are not; so they stay once written."""
    counts = COUNTS.copy()
    counts[:2] = -32768
    scaled = {} if scale is None else {"BSCALE": scale, "BZERO": 0.0}
    path = _whole_numbers(tmp_path / "i2d.fits", counts, BLANK=-32768, **scaled)
    read = read_planes(path)
    assert read.empty[:2].all()
    assert not read.empty[2:].any()
    np.testing.assert_allclose(read.data[2:], counts[2:] * (scale or 1), rtol=1e-6)
    write_hdus(tmp_path / "out.fits", read_image(path))
    np.testing.assert_array_equal(read_frame(tmp_path / "out.fits").empty, read.empty)
    assert "BLANK" not in fits.getheader(tmp_path / "out.fits", "SCI")  # floats have none
    assert caplog.text == ""


def test_zeros_of_scaled_whole_numbers_are_not_empty_without_a_word(tmp_path, caplog):
    """BSCALE makes floats of them; without BLANK, nothing but 0 can stand for what is empty."""
    read = read_planes(_whole_numbers(tmp_path / "i2d.fits", COUNTS, BSCALE=0.01, BZERO=0.0))
    np.testing.assert_array_equal(read.empty, COUNTS == 0)
    share = round(100 * (COUNTS == 0).mean())
    assert f"its pixels of 0, {share} %, are taken as not observed" in caplog.text


@pytest.mark.parametrize(
    ("level", "step", "filled", "warned"),
    [
        (0, 1 / 3, 0, True),  # sigma is 1
        (0, 0.1, 0, True),
        (0, 1, 200, True),  # half of the zeros are a fill value
        (0, 0, 0, False),
        (0, 0, 200, False),
        (0, 0, 1, False),
        (5, 1 / 3, 200, False),  # a sky in steps far from 0: zeros fill
        (5, 1 / 3, 700, False),
    ],
)
def test_zeros_among_steps_are_not_empty_without_a_word(write, caplog, level, step, filled, warned):
    """Of an image that was rounded zeros may be the sky, of continuous values they fill it.

    In steps of a third of sigma 13 % of the sky is 0 (0.3989 / 3), in steps of a tenth 4 %.
    """
    values = np.random.default_rng(2).normal(level, 1, (1000, 500))
    values[0, :2] = -7, 7  # on both sides of 0
    if step:
        values = np.rint(values / step) * step
    values[:filled] = 0
    read = read_planes(write(array=values.astype("f4")))
    np.testing.assert_array_equal(read.empty, read.data == 0)
    assert ("are taken as not observed" in caplog.text) == warned


@pytest.mark.parametrize("dither", [-1, 1, 2])
def test_zeros_of_a_compressed_image_of_floats_are_a_fill_value(tmp_path, caplog, dither):
    """Compression quantises each row in steps of its own; with dither 2 zeros stay zeros."""
    values = np.random.default_rng(2).normal(0, 1, (500, 500)).astype("f4")
    values[:200] = 0
    header = sky()
    header["EXTNAME"] = "SCI"
    # of the seeds that a clock gives, one in thirty makes a zero of some other value
    how = {"quantize_level": 4, "quantize_method": dither, "dither_seed": 1}
    hdu = fits.CompImageHDU(values, header, **how)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "x.fits.fz")
    read = read_planes(tmp_path / "x.fits.fz")
    if dither == 2:
        np.testing.assert_array_equal(read.empty, values == 0)
    assert "are taken as not observed" not in caplog.text


def test_blank_of_a_compressed_image(tmp_path, caplog):
    counts = COUNTS.copy()
    counts[:2] = -32768
    header = sky()
    header["EXTNAME"], header["BLANK"] = "SCI", -32768
    hdus = [fits.PrimaryHDU(), fits.CompImageHDU(counts, header)]
    fits.HDUList(hdus).writeto(tmp_path / "x.fits.fz")
    read = read_planes(tmp_path / "x.fits.fz")
    np.testing.assert_array_equal(read.empty, counts == -32768)
    assert caplog.text == ""


def test_what_float32_cannot_hold_is_empty(write):
    """The largest number of a wider type, as some programs fill with; times a unit's factor too."""
    wide = np.random.default_rng(2).normal(5, 1, SHAPE)
    wide[0], wide[1] = np.finfo(float).max, -np.finfo(float).max
    assert read_planes(write(array=wide)).empty.nonzero()[0].tolist() == [0] * 30 + [1] * 30
    narrow = np.where(abs(wide) < 1e9, wide, -1.6e38).astype("f4")
    header = sky()
    header["BUNIT"] = "10 MJy/sr"
    path = write("scaled.fits", array=narrow, header=header)
    assert read_planes(path).empty.nonzero()[0].tolist() == [0] * 30 + [1] * 30


def test_filled_pixels_without_weight_are_no_fill_value(write, data, caplog):
    filled = np.where(np.isnan(data), np.float32(-9999), data)
    filled[:20] = -9999
    weight = np.ones(SHAPE, "f4")
    weight[:20] = 0
    read_image(write(array=filled, more=[("WHT", weight)]))
    assert caplog.text == ""


@pytest.mark.parametrize("kind", ["u4", "i4", "i2", "u1"])
@pytest.mark.parametrize("axes", [2, 3])
def test_what_dq_says_not_to_use_is_empty(write, data, caplog, kind, axes):
    """Bit 0 alone: 1 and 5 have it, 2 and 4 have not; an axis of one pixel is taken off."""
    flags = np.zeros(SHAPE, kind)
    flags[10, :4] = 1, 2, 4, 5
    bright = data.copy()
    bright[10, :4] = 100
    planes = [bright, data * 0 + 0.1, flags]
    image, error, flags = (plane.reshape((1,) * (axes - 2) + SHAPE) for plane in planes)
    path = write(array=image, more=[("ERR", error), ("DQ", flags)])
    read = read_planes(path)
    assert read.empty[:3].all()  # NaN
    assert np.argwhere(read.empty[3:]).tolist() == [[7, 0], [7, 3]]
    np.testing.assert_array_equal(read.data[10, :4], [np.nan, 100, 100, np.nan])
    np.testing.assert_array_equal(read_image(path)["SCI"].data, read.data)  # what a study takes
    assert caplog.text == ""


def test_dq_of_whole_numbers_and_of_a_compressed_image(write, tmp_path):
    """Whole numbers have no NaN: they become float32 by the one rounding that they have without."""
    counts = np.arange(1200, dtype="i4").reshape(SHAPE) + 16777217
    flags = np.zeros(SHAPE, "u4")
    flags[3, 7] = 1
    read = read_planes(write(array=counts, more=[("DQ", flags)]))
    assert np.argwhere(read.empty).tolist() == [[3, 7]]
    np.testing.assert_array_equal(read.data[3:, 8:], counts[3:, 8:].astype("f4"))
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(counts, sky(), name="SCI")]
    fits.HDUList([*hdus, fits.CompImageHDU(flags, name="DQ")]).writeto(tmp_path / "x.fits.fz")
    assert np.argwhere(read_planes(tmp_path / "x.fits.fz").empty).tolist() == [[3, 7]]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (np.ones((9, 30), "u4"), "DQ of uint32 has the shape (9, 30), its image (40, 30)"),
        (np.ones(SHAPE, "f4"), "DQ of float32 has the shape (40, 30), its image (40, 30)"),
    ],
)
def test_dq_that_is_not_of_the_image_is_left_out_and_said(write, data, caplog, flags, says):
    path = write(more=[("DQ", flags)])
    np.testing.assert_array_equal(read_image(path)["SCI"].data, data)
    assert f"i2d '{path}': its {says}" in caplog.text


def test_dq_that_leaves_nothing(write):
    path = write(more=[("DQ", np.ones(SHAPE, "u4"))])
    with pytest.raises(MaskError, match="without what its DQ flags DO_NOT_USE: none of its 1200"):
        read_image(path)


def test_a_table_called_err_is_no_error(write, data):
    path = write()
    table = fits.BinTableHDU(Table({"a": ["x"]}), name="ERR")
    with fits.open(path, mode="append") as hdus:
        hdus.append(table)
    assert [hdu.name for hdu in read_image(path)] == ["PRIMARY", "SCI"]


def test_the_first_of_two_images_is_used_and_said(write, data, caplog):
    path = write(more=[("SCI", data * 0 + 1)])
    np.testing.assert_array_equal(read_image(path)["SCI"].data, data)
    assert "has 2 images that could be meant; the first is used, HDU 1 (SCI)" in caplog.text


def test_a_card_that_is_not_fits_is_mended_or_left_out(write, tmp_path, caplog):
    path = write(FILTER="F770W", TARGPROP="x", EFFEXPTM=5.0)
    raw = path.read_bytes()
    for key, card in (
        ("TARGPROP", "TARGPROP=                  nan"),
        ("EFFEXPTM", "EFFEXPTM=                1E400"),
        ("PIXAR_SR", "PIXAR_SR  2.8E-13"),  # could not be given the area of the WCS
    ):
        at = raw.index(key.encode())
        raw = raw[:at] + card.ljust(80).encode() + raw[at + 80 :]
    path.write_bytes(raw)
    hdus = read_image(path)
    said = [
        f"i2d '{path}': its header card '{card}' is not FITS"
        for card in ("EFFEXPTM=                1E400", "PIXAR_SR  2.8E-13")
    ]
    assert [record.getMessage().split(", and")[0] for record in caplog.records] == said
    assert hdus["SCI"].header["PIXAR_SR"] == pytest.approx(PIXEL_SR, rel=1e-6)
    write_hdus(tmp_path / "out.fits", hdus)
    with fits.open(tmp_path / "out.fits") as written:
        written.verify("exception")  # why a file written here is read without a look at its cards
        header = written[0].header
    assert (header["TARGPROP"], header.get("EFFEXPTM")) == ("nan", None)


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
    "truncated": (
        lambda w, t: cut(w(), 2880 * 2 + 3000),
        {},
        "truncated.*fetch, copy or make it again",
    ),
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
    "scale of a degree": (
        lambda w, t: w(header=_without(sky(), "CDELT1")),
        {},
        "must be between 0.005 and 5 arcsec",
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


@pytest.mark.parametrize(
    ("card", "value", "says"),
    [
        ("NAXIS1", "-5", "NAXIS1 is -5"),
        ("NAXIS1", "99999999", "missing"),
        ("NAXIS2", "'x'", "NAXIS2 is x"),
        ("NAXIS", "1000", "NAXIS is 1000"),
        ("NAXIS", "3", "NAXIS3 is None"),
        ("BITPIX", "7", "BITPIX is 7"),
        ("PCOUNT", "-1", "PCOUNT is -1"),
        ("GCOUNT", "9999999", "missing"),
    ],
)
def test_a_header_that_lies_about_its_size_is_refused_at_once(write, card, value, says):
    """astropy would wait for ever, or ask for the memory that is announced."""
    path = write()
    raw = path.read_bytes()
    at = raw.index(card.encode().ljust(8) + b"=", 2880)
    path.write_bytes(raw[:at] + f"{card:8}= {value:>20}".ljust(80).encode() + raw[at + 80 :])
    with pytest.raises(MaskError, match=rf"i2d.fits'.*HDU 1: .*{says}"):
        read_image(path)


@pytest.mark.parametrize(("key", "value"), [("NAXIS", f"{2**31:>20}"), ("XTENSION", "'Inf'")])
def test_a_card_of_the_storage_that_is_there_twice_is_refused(write, key, value):
    path = write()
    raw = path.read_bytes()
    at = raw.index(b"BUNIT   =")
    card = f"{key:8}= {value}".ljust(80).encode()
    path.write_bytes(raw[:at] + card + raw[at + 80 :])
    with pytest.raises(MaskError, match=f"{key} stands in it more than once"):
        read_image(path)


@pytest.mark.parametrize("value", ["'IMAGE", "Inf", ""])
def test_an_extension_of_no_kind_is_refused(write, value):
    path = write()
    raw = path.read_bytes()
    at = raw.index(b"XTENSION=")
    path.write_bytes(raw[:at] + f"XTENSION= {value}".ljust(80).encode() + raw[at + 80 :])
    with pytest.raises(MaskError, match=r"i2d.fits.*(XTENSION|no SCI)"):
        read_image(path)


def test_damaged_files_are_a_message_or_an_image(write, tmp_path):
    """Whatever bytes of the headers are changed."""
    raw = np.frombuffer(write(more=[("ERR", np.ones(SHAPE, "f4"))]).read_bytes(), np.uint8)
    path, rng = tmp_path / "damaged.fits", np.random.default_rng(5)
    refused = 0
    for _ in range(60):
        damaged = raw.copy()
        at = rng.integers(0, 3 * 2880, 8) if rng.random() < 0.5 else rng.integers(0, len(raw), 40)
        damaged[at] ^= rng.integers(1, 255, len(at), dtype=np.uint8)
        path.write_bytes(damaged[: rng.integers(3000, len(raw))] if rng.random() < 0.2 else damaged)
        said = None
        try:
            read_image(path)
        except MaskError as error:
            said = str(error)
        assert said is None or str(path) in said
        refused += said is not None
    assert refused > 10


@pytest.mark.parametrize("name", ["ERR", "WHT"])
def test_an_image_is_not_its_own_error(write, name):
    path = write()
    with fits.open(path, mode="update") as hdus:
        for plane in [hdu.name for hdu in hdus if hdu.name in ("ERR", "WHT")]:
            del hdus[plane]
    with pytest.raises(MaskError, match=f"is the image itself, and has no {name}; give"):
        read_planes(path, **{"error_path" if name == "ERR" else "weight_path": path})


@pytest.mark.parametrize("holds", [None, "ERR", "WHT"])
def test_one_file_is_not_both_error_and_weight(write, tmp_path, holds):
    """But where it has both."""
    path, other = write(), tmp_path / "other.fits"
    plane = fits.getdata(path, "SCI") * 0 + 1
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(plane, name=holds)]).writeto(other)
    said = f"holds {holds}" if holds else "is given for both errors and weights"
    with pytest.raises(MaskError, match=f"{said}, and has no"):
        read_planes(path, error_path=other, weight_path=other)
    if holds:
        fits.append(other, plane, fits.Header({"EXTNAME": "WHT" if holds == "ERR" else "ERR"}))
        read_planes(path, error_path=other, weight_path=other)


@pytest.mark.parametrize("holds", ["VAR_POISSON", "wht", "CON", "DQ", "RMS", "SCI", None])
def test_a_plane_named_as_another_is_no_error(write, tmp_path, holds):
    """The variance would be taken for the error, and the weight, by any factor. RMS is one."""
    path, other = write(), tmp_path / "other.fits"
    plane = fits.getdata(path, "SCI") * 0 + 1
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(plane, name=holds)]).writeto(other)
    if holds in ("RMS", "SCI", None):
        np.testing.assert_array_equal(read_planes(path, error_path=other).error, plane)
        return
    with pytest.raises(MaskError, match=f"err '.*': holds {holds.upper()}, and has no ERR"):
        read_planes(path, error_path=other)


def test_no_room_to_unpack(write, monkeypatch):
    """The file is good: it need not be fetched again."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = write("x.fits.gz")
    monkeypatch.setattr("mirimask.image.product.shutil.copyfileobj", full)
    with pytest.raises(MaskError, match=r"unpacked in '.*' \(No space left on device\); set TMP"):
        read_planes(path)


@pytest.mark.parametrize("opener", [gzip.open, bz2.open, lzma.open])
def test_compressed_images(write, data, tmp_path, opener):
    path = tmp_path / "x.fits.z"
    with opener(path, "wb") as file:
        file.write(write().read_bytes())
    np.testing.assert_array_equal(read_image(path)["SCI"].data, data)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(MaskError, match="truncated"):
        read_image(path)


def test_a_tile_compressed_image(tmp_path, data):
    header = sky()
    header["EXTNAME"] = "SCI"
    hdu = fits.CompImageHDU(data, header, compression_type="GZIP_2", quantize_level=0)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "x.fits.fz")
    np.testing.assert_array_equal(read_image(tmp_path / "x.fits.fz")["SCI"].data, data)
    raw = (tmp_path / "x.fits.fz").read_bytes()
    at = raw.index(b"ZNAXIS1 ")
    lie = f"ZNAXIS1 = {2_000_000_000:>20}".ljust(80).encode()
    (tmp_path / "lie.fits").write_bytes(raw[:at] + lie + raw[at + 80 :])
    with pytest.raises(MaskError, match="ZNAXIS1"):
        read_image(tmp_path / "lie.fits")


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


def test_the_largest_label(write):
    """The largest number that int32 holds, as labels are held later."""
    path = write("segm.fits", array=np.full(SHAPE, 2**31 - 1, "u4"))
    assert (read_segmentation(path, SHAPE).astype(np.int32) == 2**31 - 1).all()


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((9, 9), "i4"), r"has the shape \(9, 9\), the image has \(40, 30\)"),
        (np.full(SHAPE, 0.5, "f4"), "are not labels"),
        (np.full(SHAPE, -1, "i4"), "are not labels"),
        (np.full(SHAPE, 2**31, "u4"), "to 2147483648; they must be .*relabel_consecutive"),
        (np.full(SHAPE, 2.0**40, "f8"), "go from .* to 1099511627776"),
        (np.zeros((2, *SHAPE), "i4"), "must have 2 axes"),
    ],
)
def test_bad_labels_are_one_clear_message(write, array, says):
    path = write("segm.fits", array=array)
    with pytest.raises(MaskError, match=says) as error:
        read_segmentation(path, SHAPE, image="Mine")
    assert str(error.value).startswith(f"Mine: segm '{path}'")


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
    assert (~np.isfinite(np.ma.filled(catalogue["ra"], np.nan))).sum() == 2


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is not here")
def test_a_real_archive_product_is_kept_as_it_is():
    path = REAL / "images" / "jw01288015001_26101_00003_mirimage_i2d.fits.gz"
    hdus = read_image(path, filter_name="F770W", observation_id="V01288015001P0000000026101")
    with gzip.open(path) as file, fits.open(file) as original:
        for name in ("SCI", "ERR", "WHT"):
            np.testing.assert_array_equal(hdus[name].data, original[name].data)
        assert hdus[0].header["CAL_VER"] == "1.8.2"


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4"])
def test_pixels_of_any_kind_are_an_image_unless_all_are_the_same(dtype):
    check_image(np.array([[3, 3], [3, 4]], dtype), what="image")
    with pytest.raises(MaskError, match="all its pixels are 3"):
        check_image(np.full((2, 2), 3, dtype), what="image")


def test_an_image_is_its_finite_pixels():
    check_image(np.array([np.nan, -2, -1, np.inf]), what="image")
    with pytest.raises(MaskError, match="all its pixels are -2"):
        check_image(np.array([np.nan, -2, -2, np.inf]), what="image")


@pytest.mark.parametrize("content", [b"", b"SIMPLE  = nothing", bytes(2880)])
def test_a_damaged_file_of_the_study_is_to_be_removed(tmp_path, content):
    """Nobody can fetch it, or copy it from anywhere."""
    (tmp_path / "value_1.fits").write_bytes(content)
    with pytest.raises(MaskError, match="remove it, and run again what wrote it"):
        read_mask(tmp_path / "value_1.fits")
