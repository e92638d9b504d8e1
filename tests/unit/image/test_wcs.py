"""The same sky at the same pixel in every file, whatever notation the image's WCS is in."""

import logging
import warnings
from itertools import product as every

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import FK4, FK5, SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from mirimask.errors import MaskError
from mirimask.export.ds9 import label_regions
from mirimask.export.labels import write_labels
from mirimask.image import wcs as sky
from mirimask.image.files import frame_of, read_crop, write_crop, write_mask, write_whole_mask
from mirimask.image.frame import crop_frame
from mirimask.image.own_files import read_image, segmentation_hdus, write_hdus
from mirimask.sources.catalogue import locate_sources
from regions import EllipseSkyRegion, Regions

NY, NX = 90, 80
S = 0.11 / 3600  # degrees in a pixel
C, N = np.cos(np.radians(30)), np.sin(np.radians(30))
CENTRE = 83.6, -69.1
PLAIN = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": CENTRE[0], "CRVAL2": CENTRE[1],
    "CRPIX1": 41.3, "CRPIX2": 44.1, "CDELT1": -S, "CDELT2": S,
}  # fmt: skip
NO_DELT = {"CDELT1": None, "CDELT2": None}
CD = {**NO_DELT, "CD1_1": -S * C, "CD1_2": S * N, "CD2_1": S * N, "CD2_2": S * C}
SIP = {"A_ORDER": 3, "B_ORDER": 2, "A_2_0": 2e-5, "B_0_2": -3e-5, "A_0_3": 1e-8, "B_1_1": 1e-5}
# How a header can say where its pixels are, and the system of its longitude and latitude.
NOTATIONS = {
    "CDELT alone": ({}, "icrs"),
    "CROTA2": ({"CROTA2": 110.0}, "icrs"),
    "PC": ({"PC1_1": C, "PC1_2": -N, "PC2_1": N, "PC2_2": C}, "icrs"),
    "PC001": ({"PC001001": C, "PC001002": -N, "PC002001": N, "PC002002": C}, "icrs"),
    "CD": (CD, "icrs"),
    "CD001": (
        NO_DELT | {k.replace("CD", "CD00").replace("_", "00"): v for k, v in CD.items() if v},
        "icrs",
    ),
    "EPOCH 2000": ({"EPOCH": 2000.0}, FK5(equinox="J2000")),
    "EPOCH 1950": ({"EPOCH": 1950.0}, FK4(equinox="B1950")),
    "FK4": ({"RADESYS": "FK4", "EQUINOX": 1950.0}, FK4(equinox="B1950")),
    "FK5 of 1975": ({"RADESYS": "FK5", "EQUINOX": 1975.0}, FK5(equinox="J1975")),
    "RADECSYS": ({"RADECSYS": "FK5", "EQUINOX": 2000.0}, FK5(equinox="J2000")),
    "lower case": ({"RADESYS": "icrs"}, "icrs"),
    "Galactic": ({"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"}, "galactic"),
    "Galactic with RADESYS": (
        {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN", "RADESYS": "FK5", "EQUINOX": 2000.0},
        "galactic",
    ),
    "swapped axes": (
        {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": CENTRE[1], "CRVAL2": CENTRE[0]},
        "icrs",
    ),
    "SIP": ({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"} | SIP, "icrs"),
    "SIP without a name": (SIP, "icrs"),
    "TPV": (
        {"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_0": 1e-4, "PV1_1": 1.01, "PV1_2": 1e-3,
         "PV1_4": 0.1, "PV2_1": 0.99, "PV2_4": 0.2} | CD,
        "icrs",
    ),
    "SCAMP's TPV": ({"PV1_1": 1.0, "PV1_4": 0.1, "PV1_7": 3.0, "PV2_1": 1.0} | CD, "icrs"),
    "ZPN": (
        {"CTYPE1": "RA---ZPN", "CTYPE2": "DEC--ZPN", "PV2_0": 0.0, "PV2_1": 1.0, "PV2_3": 42.0},
        "icrs",
    ),
    "SIN": ({"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN", "PV2_1": 0.1, "PV2_2": 0.2}, "icrs"),
    "CAR": (
        {"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR", "CRVAL2": 0.0, "CRPIX2": 44 + 69.1 / S},
        "icrs",
    ),
    "LONPOLE": ({"LONPOLE": 100.0}, "icrs"),
    "arcsec": (
        {"CUNIT1": "arcsec", "CUNIT2": "arcsec", "CRVAL1": CENTRE[0] * 3600,
         "CRVAL2": CENTRE[1] * 3600, "CDELT1": -0.11, "CDELT2": 0.11},
        "icrs",
    ),
    "alternate besides": (
        {"CTYPE1A": "RA---TAN", "CTYPE2A": "DEC--TAN", "CRVAL1A": 10.0, "CRVAL2A": 10.0,
         "CRPIX1A": 1.0, "CRPIX2A": 1.0, "CDELT1A": S, "CDELT2A": S},
        "icrs",
    ),
    "third axis in the header": ({"CTYPE3": "FREQ", "CRVAL3": 1e9, "CUNIT3": "Hz"}, "icrs"),
}  # fmt: skip


def header(**changes):
    made = fits.Header()
    for key, value in (PLAIN | changes).items():
        if value is not None:
            made[key] = value
    made["BUNIT"] = "MJy/sr"
    return made


def image(path, head, shape=(NY, NX)):
    data = np.random.default_rng(1).normal(5, 1, shape).astype("f4")
    fits.HDUList(
        [fits.PrimaryHDU(header=fits.Header({"FILTER": "F770W"})), fits.ImageHDU(data, head, "SCI")]
    ).writeto(path)
    return path


def astropys(head):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return WCS(head).celestial


def same(path, name, wanted, *, origin=(0, 0), shape=(NY, NX)):
    """The extension's pixels have the sky that `wanted`, of the image, gives to them there."""
    with fits.open(path) as hdus:
        assert hdus[name].shape == shape
        own = astropys(hdus[name].header)
    y, x = (
        np.array(values, float)
        for values in zip(*every((0, shape[0] // 2, shape[0] - 1), (0, shape[1] - 1)), strict=True)
    )
    theirs = np.array(wanted.pixel_to_world_values(x + origin[1], y + origin[0]))
    ours = np.array(own.pixel_to_world_values(x, y))
    assert np.abs(ours - theirs).max() < 1e-3 * S


@pytest.fixture(params=NOTATIONS)
def notation(request):
    changes, system = NOTATIONS[request.param]
    return header(**changes), system


def test_every_file_has_the_sky_of_the_image(notation, tmp_path):
    head, _ = notation
    path = image(tmp_path / "image.fits", head)
    with fits.open(path) as hdus:
        wanted = astropys(hdus["SCI"].header)
    i2d = read_image(path)
    write_hdus(tmp_path / "i2d.fits", i2d)
    same(tmp_path / "i2d.fits", "SCI", wanted)
    labels = np.ones((NY, NX), np.uint32)
    write_hdus(tmp_path / "segm.fits", segmentation_hdus(labels, i2d))
    same(tmp_path / "segm.fits", "SCI", wanted)
    crop = crop_frame(frame_of(i2d, what="x"), rows=(20, 80), columns=(13, 70), image="A")
    part = {"origin": (20, 13), "shape": (60, 57)}
    write_crop(tmp_path / "frame.fits", crop)
    same(tmp_path / "frame.fits", "SCI", wanted, **part)
    again = read_crop(tmp_path / "frame.fits")  # as the rules of a study do
    assert (again.origin, again.frame_shape) == ((20, 13), (NY, NX))
    assert again.pixel_scale == pytest.approx(crop.pixel_scale, rel=1e-9)
    mask = again.data > 6
    write_mask(tmp_path / "mask.fits", mask, again, method="value_1")
    same(tmp_path / "mask.fits", "MASK", wanted, **part)
    write_whole_mask(tmp_path / "whole.fits", mask, again, METHOD="value_1")
    same(tmp_path / "whole.fits", "MASK", wanted)
    with fits.open(tmp_path / "whole.fits") as hdus:  # as astropy writes it
        hdus.writeto(tmp_path / "astropy.fits")
    assert (tmp_path / "whole.fits").read_bytes() == (tmp_path / "astropy.fits").read_bytes()
    write_whole_mask(tmp_path / "of_labels.fits", 7 * mask.astype("i4"), again, METHOD="value_1")
    assert (tmp_path / "whole.fits").read_bytes() == (tmp_path / "of_labels.fits").read_bytes()
    write_labels(tmp_path / "labels.fits", mask.astype("i4"), again)
    same(tmp_path / "labels.fits", "SCI", wanted)


@pytest.mark.parametrize("letter", "DdEe")
def test_exponents_are_written_in_any_way_of_the_standard(notation, letter, tmp_path):
    """FITS 4.0, 4.2.4: D is an exponent too, at which wcslib ends to read a number."""
    head, _ = notation
    cards = [
        fits.Card.fromstring(
            f"{card.keyword:8}= " + f"{card.value:.14E}".replace("E", letter.upper())
        )
        if isinstance(card.value, float)
        else card
        for card in head.cards
    ]
    path = image(tmp_path / "image.fits", fits.Header(cards))
    written = path.read_bytes()
    for sign in (b"+", b"-"):  # in small letters, which astropy does not write
        upper, wanted = letter.upper().encode() + sign, letter.encode() + sign
        written = written[:5760].replace(upper, wanted) + written[5760:]
    path.write_bytes(written)
    write_hdus(tmp_path / "i2d.fits", read_image(path))
    same(tmp_path / "i2d.fits", "SCI", astropys(head))


def test_sources_are_placed_by_their_icrs_position(notation):
    """As astropy's own way from pixels to the header's system, and from there to ICRS, says."""
    head, system = notation
    x, y = np.array([0.0, 79, 12.5, 40]), np.array([0.0, 89, 70.25, 44])
    reference = astropys(head)
    values = reference.pixel_to_world_values(x, y)
    longitude, latitude = values if reference.wcs.lng == 0 else values[::-1]
    icrs = SkyCoord(longitude, latitude, unit="deg", frame=system).icrs
    catalogue = Table({"id": list("abcd"), "ra": icrs.ra.deg, "dec": icrs.dec.deg})
    columns = {"id_column": "id", "ra_column": "ra", "dec_column": "dec"}
    own = sky.read_wcs(head, (NY, NX), what="x")
    found = locate_sources(catalogue, own, (NY, NX), **columns)
    np.testing.assert_allclose(found["x"], x, atol=1e-3)
    np.testing.assert_allclose(found["y"], y, atol=1e-3)
    assert sky.pixel_to_sky(own, x, y).separation(icrs).arcsec.max() < 1e-4


def test_regions_are_of_the_sky_in_any_notation(notation):
    """Points of an ellipse in pixels are on the rim of the one in ICRS."""
    own = sky.read_wcs(notation[0], (NY, NX), what="x")
    row = {"label": [1], "x": [40.0], "y": [44.0], "area": [60], "orientation": [20.0]}
    shape = {"semimajor_sigma": [4.0], "semiminor_sigma": [1.0]}
    (line,) = label_regions(Table(row | shape), own)
    (region,) = Regions.parse(f"icrs\n{line}", format="ds9")
    assert isinstance(region, EllipseSkyRegion)
    assert region.center.frame.name == "icrs"
    major, minor = np.sqrt(60 / np.pi) * 2, np.sqrt(60 / np.pi) / 2  # half axes, pixels
    turn = np.linspace(0, 2 * np.pi, 12)
    along, across = major * np.cos(turn), minor * np.sin(turn)
    cos, sin = np.cos(np.radians(20)), np.sin(np.radians(20))
    rim = sky.pixel_to_sky(own, 40 + along * cos - across * sin, 44 + along * sin + across * cos)
    distance = region.center.separation(rim)
    angle = region.center.position_angle(rim) - (region.angle - 90 * u.deg)
    a, b = region.width / 2, region.height / 2
    off = np.hypot(distance * np.cos(angle) / a, distance * np.sin(angle) / b)
    np.testing.assert_allclose(off.to_value(""), 1, atol=2e-3)


def test_one_plane_of_a_cube_is_an_image(tmp_path):
    head = header(CTYPE3="FREQ", CRVAL3=1e9, CRPIX3=1.0, CDELT3=1.0, CUNIT3="Hz")
    path = image(tmp_path / "image.fits", head, shape=(1, NY, NX))
    i2d = read_image(path)
    write_hdus(tmp_path / "i2d.fits", i2d)
    same(tmp_path / "i2d.fits", "SCI", astropys(head))


def test_left_over_sip_is_a_warning_and_nothing_on_standard_output(capsys, caplog):
    sky.read_wcs(header(**SIP), (NY, NX), what="i2d 'a.fits'")
    assert capsys.readouterr().out == ""
    assert "i2d 'a.fits': has SIP coefficients" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


### positions off the image ########################################################################


@pytest.mark.parametrize("name", ["SIP", "TPV", "CDELT alone", "CAR"])
def test_what_is_far_away_is_outside(name):
    """Also where the distortion does not converge, or leads back into the image."""
    own = sky.read_wcs(header(**NOTATIONS[name][0]), (NY, NX), what="x")
    ra, dec = [84.7, 90.0, 83.6, 263.6, np.nan, 10.0], [-69.5, -69.0, -67.0, 69.1, 0.0, 95.0]
    x, y = sky.sky_to_pixel(own, ra, dec)
    assert not ((x > -1) & (x < NX) & (y > -1) & (y < NY)).any()
    assert np.isnan(x[4:]).all()


def test_no_position_is_no_error():
    own = sky.read_wcs(header(), (NY, NX), what="x")
    x, y = sky.sky_to_pixel(own, [], [])
    assert len(x) == len(y) == 0


### the size of a pixel ############################################################################


def test_the_pixel_is_that_of_the_place():
    """0.11 arcsec, times what each projection does at the image: worked out by hand."""

    def measured(**changes):
        own = sky.read_wcs(header(**changes), (NY, NX), what="x")
        scale = sky.pixel_scale_arcsec(own, 39.5, 44.5)
        assert sky.pixel_area_sr(own, 39.5, 44.5) == pytest.approx((scale / 206264.806) ** 2)
        return scale / 0.11

    assert measured() == pytest.approx(1, abs=1e-6)
    assert measured(**CD) == pytest.approx(1, abs=1e-6)
    # plate carree: along RA, a degree is cos(Dec) of one
    cos = np.cos(np.radians(69.1))
    assert measured(**NOTATIONS["CAR"][0]) == pytest.approx(np.sqrt(cos), rel=1e-4)
    # tangent plane 10 degrees off: radially cos^2, across cos
    away = {"CRPIX1": 40.5 + np.degrees(np.tan(np.radians(10))) / S}
    assert measured(**away) == pytest.approx(np.cos(np.radians(10)) ** 1.5, rel=1e-4)
    # sides that are 60 degrees apart: sin(60) of the area
    skew = {**NO_DELT, "CD1_1": -S, "CD1_2": S / 2, "CD2_1": 0.0, "CD2_2": S * np.sqrt(3) / 2}
    assert measured(**skew) == pytest.approx(np.sqrt(np.sqrt(3) / 2), rel=1e-5)


### what cannot be #################################################################################


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (NO_DELT, r"3.6e\+03 x 3.6e\+03 arcsec.*no CDELT1.*no CDELT2"),
        ({"CDELT1": None}, "no CDELT1"),
        ({"CDELT1": 10.0}, r"CDELT1 = 10\.0"),
        ({"CDELT2": 1e-30}, "CDELT2 = 1e-30"),
        ({"CDELT2": 0.0}, "CDELT2 = 0"),
        ({"CDELT1": "x"}, "CDELT1 is 'x'; it must be a finite number"),
        ({"CUNIT1": "arcsec", "CUNIT2": "arcsec"}, "CUNIT1 = arcsec"),
        ({"CUNIT1": "furlong"}, "furlong"),
        ({"CRVAL1": None}, "no CRVAL1"),
        ({"CRPIX2": None}, "no CRPIX2"),
        ({"CRVAL1": 1e10}, "CRVAL"),
        ({"CRVAL2": 1e10}, "CRVAL2 = 1e10|CRVAL2 = 10000000000"),
        ({"CRVAL2": "abc"}, "CRVAL2 is 'abc'"),
        ({"CRPIX1": 1e10}, r"CRPIX = 1e\+10"),
        ({"CRPIX1": 1e7}, r"CRPIX = 1e\+07"),
        ({"PC1_1": 1.0, "PC1_2": 1.0, "PC2_1": -1.0, "PC2_2": -1.0}, "singular|sides"),
        ({"CTYPE1": None, "CTYPE2": None}, "no celestial WCS.*Add one"),
        (
            dict.fromkeys(PLAIN) | {f"{key}A": value for key, value in PLAIN.items()},
            "no celestial WCS",
        ),
        ({"CTYPE2": "LINEAR"}, "Unmatched celestial axes"),
        ({"CTYPE1": "RA---ZZZ", "CTYPE2": "DEC--ZZZ"}, "projection code"),
        ({"RADESYS": "ZZZ"}, "RADESYS 'ZZZ'"),
        ({"EQUINOX": "ZZZ"}, "EQUINOX is 'ZZZ'"),
        ({"CTYPE1": "ELON-TAN", "CTYPE2": "ELAT-TAN"}, "known are RA and Dec.*Galactic"),
        ({"CPDIS1": "LOOKUP", "CPDIS2": "LOOKUP"}, "look-up table"),
        ({"D2IMDIS1": "LOOKUP"}, "look-up table"),
        ({"AXISCORR": 1}, "look-up table"),
    ],
)
def test_a_wcs_that_cannot_be_is_refused_with_its_card(changes, says):
    with pytest.raises(MaskError, match=says) as error:
        sky.read_wcs(header(**changes), (NY, NX), what="i2d 'a.fits'")
    assert str(error.value).startswith("i2d 'a.fits': ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", ["NaN", "inf", "x", "1E400"])
def test_a_number_that_is_none_in_the_file(tmp_path, value):
    path = image(tmp_path / "image.fits", header())
    raw = path.read_bytes()
    at = raw.index(b"CRVAL1  =")
    path.write_bytes(raw[:at] + f"CRVAL1  = {value:>20}".ljust(80).encode() + raw[at + 80 :])
    with pytest.raises(MaskError, match=r"image.fits'.*CRVAL1"):
        read_image(path)


def test_what_is_not_looked_at_is_not_refused():
    """Another WCS of the image, and the names that a table's axis may have."""
    read = sky.read_wcs(header(CRVAL1A="foo", PS2_1="tab"), (NY, NX), what="i2d")
    assert read.wcs.crval.tolist() == list(CENTRE)


def test_axes_that_are_not_the_skys():
    head = header(NAXIS=3, NAXIS1=NX, NAXIS2=1, NAXIS3=NY, CTYPE3="FREQ", CRVAL3=1.0)
    with pytest.raises(MaskError, match="not those of the sky"):
        sky.read_wcs(head, (NY, NX), what="x")


@pytest.mark.parametrize("dec", [0.0, 66.0, 89.9995, -89.9999])
def test_a_pixel_is_as_large_beside_a_pole_as_elsewhere(dec):
    """TAN with its reference pixel in the image: 0.11 arcsec a pixel wherever it lies."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [84.675, dec], [48.5, 45.5]
    wcs.wcs.cdelt = [-0.11 / 3600, 0.11 / 3600]
    assert sky.pixel_scale_arcsec(wcs, 47.5, 44.5) == pytest.approx(0.11, rel=2e-6)
