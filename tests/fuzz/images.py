"""Images damaged, or written in another way: the right answer, or one line that says why not.

python tests/fuzz/images.py --count 600 --seed 1
"""

import bz2
import gzip
import lzma
import re
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import field as good
import harness
import judge
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, DistortionLookupTable
from judge import Expected

FILE = Path("image.fits")
BLOCK = 2880


### the same sky in other words ####################################################################


def _written(change: Callable[[fits.HDUList, fits.Header], Expected]) -> tuple[str, str]:
    """Change the good image, write it, and judge what is made of it."""
    hdus = good.image()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is bad on purpose
        expected = change(hdus, hdus["SCI"].header)
        if not Path(expected.file).exists():
            Path(expected.file).write_bytes(good.as_bytes(hdus))
    return judge.outcome(expected)


def _without_scale(header: fits.Header) -> None:
    for key in list(header):
        if re.fullmatch(r"(PC|CD)\d_\d|CDELT\d", key):
            del header[key]


def _with_cd(header: fits.Header, cd: np.ndarray) -> None:
    _without_scale(header)
    for i in range(2):
        for j in range(2):
            header[f"CD{i + 1}_{j + 1}"] = cd[i, j]


def _same(stars=None, **more) -> Expected:
    return Expected(stars=stars or good.sky(), same=True, **more)


def _in_frame(frame: str, crval=good.CRVAL, **options) -> tuple[np.ndarray, np.ndarray]:
    """ICRS positions of the stars where the WCS has them in another frame."""
    sky = SkyCoord(*good.sky(crval=np.array(crval)), unit="deg", frame=frame, **options).icrs
    return sky.ra.deg, sky.dec.deg


def cd(hdus, header):
    _with_cd(header, good.matrix())
    return _same()


def cd_and_cdelt(hdus, header):
    _with_cd(header, good.matrix())
    header["CDELT1"], header["CDELT2"] = 1.0, 1.0
    return _same()


def pc001(hdus, header):
    for i in "12":
        for j in "12":
            header.rename_keyword(f"PC{i}_{j}", f"PC00{i}00{j}")
    return _same()


def cd001(hdus, header):
    _with_cd(header, good.matrix())
    for i in "12":
        for j in "12":
            header.rename_keyword(f"CD{i}_{j}", f"CD00{i}00{j}")
    return _same()


def crota(hdus, header, *, angle=-good.ANGLE, keys=("CROTA2",)):
    _without_scale(header)
    header["CDELT1"], header["CDELT2"] = -good.SCALE, good.SCALE
    for key in keys:
        header[key] = angle
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return _same(good.sky(cd=good.SCALE * np.array([[-c, -s], [-s, c]])))


def cdelt_only(hdus, header):
    return crota(hdus, header, angle=0, keys=())


def minus_cdelt(hdus, header):
    for key in ("CDELT1", "PC1_1", "PC1_2"):
        header[key] *= -1
    return _same()


def mirrored(hdus, header):
    _with_cd(header, good.matrix() * [[-1], [1]])
    return _same(good.sky(cd=good.matrix() * [[-1], [1]]))


def swapped(hdus, header):
    for i in "12":
        header[f"PC1_{i}"], header[f"PC2_{i}"] = header[f"PC2_{i}"], header[f"PC1_{i}"]
    header["CTYPE1"], header["CTYPE2"] = "DEC--TAN", "RA---TAN"
    header["CRVAL1"], header["CRVAL2"] = header["CRVAL2"], header["CRVAL1"]
    return _same()


def frame(hdus, header, *, name, frame, cards, **options):
    del header["RADESYS"]
    header.update(cards)
    return _same(_in_frame(frame, **options))


FRAMES = {
    "RADESYS FK5": ("fk5", {"RADESYS": "FK5", "EQUINOX": 2000.0}, {}),
    "RADESYS FK5, EQUINOX 1975": (
        *("fk5", {"RADESYS": "FK5", "EQUINOX": 1975.0}, {"equinox": "J1975"}),
    ),
    "RADESYS FK4": ("fk4", {"RADESYS": "FK4", "EQUINOX": 1950.0}, {"equinox": "B1950"}),
    "RADESYS FK4-NO-E": (
        *("fk4noeterms", {"RADESYS": "FK4-NO-E", "EQUINOX": 1950.0}, {"equinox": "B1950"}),
    ),
    "EQUINOX 2000 alone": ("fk5", {"EQUINOX": 2000.0}, {}),
    "EQUINOX 1950 alone": ("fk4", {"EQUINOX": 1950.0}, {"equinox": "B1950"}),
    "EPOCH 2000 alone": ("fk5", {"EPOCH": 2000.0}, {}),
    "EPOCH 1950 alone": ("fk4", {"EPOCH": 1950.0}, {"equinox": "B1950"}),
    "RADECSYS FK5": ("fk5", {"RADECSYS": "FK5", "EQUINOX": 2000.0}, {}),
    "no RADESYS": ("icrs", {}, {}),
}


def galactic(hdus, header, *, swap=False):
    crval = np.array([279.5, -31.7])
    names = ["GLON-TAN", "GLAT-TAN"]
    values = list(crval)
    if swap:
        names, values = names[::-1], values[::-1]
        for i in "12":
            header[f"PC1_{i}"], header[f"PC2_{i}"] = header[f"PC2_{i}"], header[f"PC1_{i}"]
    header["CTYPE1"], header["CTYPE2"] = names
    header["CRVAL1"], header["CRVAL2"] = values
    del header["RADESYS"]
    return _same(_in_frame("galactic", crval))


def ecliptic(hdus, header):
    header["CTYPE1"], header["CTYPE2"] = "ELON-TAN", "ELAT-TAN"
    return _same(_in_frame("barycentricmeanecliptic"))


def zenithal(hdus, header, *, code):
    """Within 10 arcsec of the tangent point they all are the same to 1e-9 of a pixel."""
    header["CTYPE1"], header["CTYPE2"] = f"RA---{code}", f"DEC--{code}"
    if code == "ZPN":
        header["PV2_1"] = 1.0
    return _same()


def lonpole(hdus, header, *, value):
    header["LONPOLE"] = value
    turn = np.radians(180 - value)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return _same(good.sky(cd=turned @ good.matrix()))


def unit_of_axes(hdus, header, *, unit, per_degree):
    for i in "12":
        header[f"CUNIT{i}"] = unit
        header[f"CDELT{i}"] *= per_degree
        header[f"CRVAL{i}"] *= per_degree
    return _same()


def no_cunit(hdus, header):
    del header["CUNIT1"], header["CUNIT2"]
    return _same()


def arcsec_by_mistake(hdus, header):
    header["CUNIT1"] = header["CUNIT2"] = "arcsec"
    return Expected(refused=True)


def centre(hdus, header, *, ra, dec, shown=None):
    header["CRVAL1"], header["CRVAL2"] = shown or (ra, dec)
    return _same(good.sky(crval=np.array([ra, dec])))


SIP = {"A_2_0": 2e-4, "B_0_2": -1.5e-4, "A_1_1": 1e-4, "B_2_0": 5e-5}


def sip(hdus, header, *, inverse=False, suffix=True):
    if suffix:
        header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    header["A_ORDER"] = header["B_ORDER"] = 2
    header.update(SIP)
    if inverse:
        header["AP_ORDER"] = header["BP_ORDER"] = 2
        header.update({key[0] + "P" + key[1:]: -value for key, value in SIP.items()})
    if not suffix:  # two ways to read it; all files have to agree with astropy's
        return Expected()
    a, b = good.X + 1 - good.CRPIX[0], good.Y + 1 - good.CRPIX[1]
    x = good.X + SIP["A_2_0"] * a**2 + SIP["A_1_1"] * a * b
    y = good.Y + SIP["B_0_2"] * b**2 + SIP["B_2_0"] * a**2
    return Expected(stars=good.sky(x, y), marked=True)


def sip_far(hdus, header):
    """A strong distortion: far outside it has no inverse, and there is no source."""
    sip(hdus, header)
    header["A_ORDER"] = header["B_ORDER"] = 3
    header["A_0_3"], header["B_1_1"], header["A_3_0"] = 1e-6, 1e-4, -2e-6
    return Expected()


def tpv(hdus, header):
    _with_cd(header, good.matrix())
    header["CTYPE1"], header["CTYPE2"] = "RA---TPV", "DEC--TPV"
    one, two = {1: 1.001, 2: 0.002, 4: 20.0}, {1: 0.999, 2: -0.001, 4: -15.0}
    for axis, terms in enumerate((one, two), start=1):
        for number, value in terms.items():
            header[f"PV{axis}_{number}"] = value
    xi, eta = good.matrix() @ (np.array([good.X, good.Y]) + 1 - good.CRPIX[:, None])
    first = one[1] * xi + one[2] * eta + one[4] * xi**2
    second = two[1] * eta + two[2] * xi + two[4] * eta**2
    return Expected(stars=good.deprojected(first, second), marked=True)


def scamp(hdus, header):
    """PV terms under the name TAN, as older SCAMP wrote them."""
    tpv(hdus, header)
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    return Expected()


def look_up(hdus, header, *, kind):
    """A table that moves all pixels by 3 along x: CPDIS after, D2IM before the reference pixel."""
    wcs = WCS(header)
    table = DistortionLookupTable(np.full((4, 4), 3, np.float32), (1, 1), (1, 1), (40, 40))
    setattr(wcs, {"CPDIS": "cpdis1", "D2IM": "det2im1"}[kind], table)
    made = wcs.to_fits(relax=True)
    header.extend(made[0].header.cards, update=True, strip=True)
    hdus.append(made[1])
    return Expected(stars=good.sky(good.X + 3, good.Y), same=True)


def third_axis(hdus, header):
    header["WCSAXES"] = 3
    header["CTYPE3"], header["CUNIT3"], header["CRPIX3"] = "WAVE", "m", 1.0
    header["CRVAL3"], header["CDELT3"], header["PC3_3"] = 7.7e-6, 1e-7, 1.0
    return _same()


def alternate(hdus, header):
    """A second WCS, A, of another sky: the first one counts."""
    for key in ("CTYPE", "CRPIX", "CRVAL", "CDELT", "CUNIT"):
        for i in "12":
            header[f"{key}{i}A"] = header[f"{key}{i}"]
    header["CRVAL1A"], header["WCSAXESA"] = 10.0, 2
    return _same()


def only_alternate(hdus, header):
    """The WCS is named A, and there is no other: used and said, or refused."""
    for key in list(header):
        if re.fullmatch(r"(CTYPE|CRPIX|CRVAL|CDELT|CUNIT)\d|PC\d_\d|WCSAXES|RADESYS", key):
            header.rename_keyword(key, key + "A")
    return _same(warning="WCS")


def fortran_exponent(hdus, header):
    FILE.write_bytes(good.as_bytes(hdus))
    parts = split(FILE.read_bytes())
    for i in "12":
        set_card(parts[1], f"CDELT{i}", f"{good.SCALE:.14E}".replace("E", "D"))
    FILE.write_bytes(join(parts))
    return _same()


def stale_area(hdus, header, *, factor):
    header["PIXAR_SR"] *= factor
    return _same(warning="PIXAR_SR" if abs(factor - 1) > 0.01 else "")


def far_rows(hdus, header):
    return _same(works=True)


NOTATIONS = {
    "unchanged": far_rows,
    "CD": cd,
    "CD, and CDELT 1": cd_and_cdelt,
    "PC001001": pc001,
    "CD001001": cd001,
    "CROTA2": crota,
    "CROTA2 110": partial(crota, angle=110.0),
    "CROTA1 and CROTA2": partial(crota, keys=("CROTA1", "CROTA2")),
    "CDELT alone": cdelt_only,
    "negative CDELT1": minus_cdelt,
    "mirrored": mirrored,
    "swapped axes": swapped,
    **{
        f"{name}": partial(frame, name=name, frame=f, cards=c, **o)
        for name, (f, c, o) in FRAMES.items()
    },
    "Galactic": galactic,
    "Galactic, swapped": partial(galactic, swap=True),
    "ecliptic": ecliptic,
    **{f"projection {c}": partial(zenithal, code=c) for c in ("SIN", "ARC", "STG", "ZEA", "ZPN")},
    **{f"LONPOLE {v:g}": partial(lonpole, value=v) for v in (180.0, 90.0, 0.0, 33.0)},
    "CUNIT arcsec": partial(unit_of_axes, unit="arcsec", per_degree=3600),
    "CUNIT arcmin": partial(unit_of_axes, unit="arcmin", per_degree=60),
    "CUNIT rad": partial(unit_of_axes, unit="rad", per_degree=np.radians(1)),
    "CUNIT degree": partial(unit_of_axes, unit="degree", per_degree=1),
    "CUNIT DEG": partial(unit_of_axes, unit="DEG", per_degree=1),
    "no CUNIT": no_cunit,
    "CUNIT arcsec by mistake": arcsec_by_mistake,
    "RA -275.325": partial(centre, ra=84.675, dec=-69.1, shown=(84.675 - 360, -69.1)),
    "RA 444.675": partial(centre, ra=84.675, dec=-69.1, shown=(84.675 + 360, -69.1)),
    "at RA 0": partial(centre, ra=0.001, dec=12.0),
    "at the pole": partial(centre, ra=84.675, dec=89.9995),
    "at the southern pole": partial(centre, ra=84.675, dec=-89.9999),
    "at the equator": partial(centre, ra=180.0, dec=0.0),
    "SIP": sip,
    "SIP with inverse": partial(sip, inverse=True),
    "SIP without -SIP": partial(sip, suffix=False),
    "SIP, strong": sip_far,
    "TPV": tpv,
    "TAN with PV": scamp,
    "CPDIS table": partial(look_up, kind="CPDIS"),
    "D2IM table": partial(look_up, kind="D2IM"),
    "third axis": third_axis,
    "alternate WCS": alternate,
    "only an alternate WCS": only_alternate,
    "FORTRAN exponent": fortran_exponent,
    **{f"PIXAR_SR x {f:g}": partial(stale_area, factor=f) for f in (1.005, 3.36, 0.25, 1e-12)},
}


### units ##########################################################################################

_ARCSEC2 = (180 * 3600 / np.pi) ** 2  # square arcsec in a steradian
# MJy/sr of one unit, worked out by hand
GOOD_UNITS = {
    "MJy/sr": 1.0,
    "MJy sr-1": 1.0,
    "MJy.sr**-1": 1.0,
    "Jy/sr": 1e-6,
    "mJy/arcsec2": 1e-9 * _ARCSEC2,
    "uJy/arcsec2": 1e-12 * _ARCSEC2,
    "uJy arcsec-2": 1e-12 * _ARCSEC2,
    "nJy/arcsec**2": 1e-15 * _ARCSEC2,
    "Jy": 1e-6 / good.AREA_SR,
    "uJy": 1e-12 / good.AREA_SR,
    "nJy": 1e-15 / good.AREA_SR,
    "10*nJy": 1e-14 / good.AREA_SR,
    "10.0*nanoJansky": 1e-14 / good.AREA_SR,
    "Jy/pixel": 1e-6 / good.AREA_SR,
    "nJy/pix": 1e-15 / good.AREA_SR,
    "W m-2 Hz-1 sr-1": 1e20,
    "erg/s/cm2/Hz/sr": 1e17,
    "erg s-1 cm-2 Hz-1": 1e17 / good.AREA_SR,
    " MJy/sr ": 1.0,
}
SENSELESS = (
    *("mag(AB)", "dex(Jy)", "dB(Jy)", "dex(MJy/sr)", "mag", "-1 Jy", "-1 MJy/sr", "0 MJy/sr"),
    *("1e400 Jy", "1e400 MJy/sr", "nan MJy/sr", "inf MJy/sr", "K", "DN/s", "electron/s", "counts"),
    *("m", "Jy/beam", "MJy/sr2", "Jy2", "W m-2", "erg/s/cm2/Angstrom/", "foo", "Jy/(", "1", "%"),
    *("MJy/sr/Hz", "deg", "Jy s", "1e-400 MJy/sr", "Jy / pix2", "sr/MJy"),
)
UNCLEAR = ("mjy/sr", "MJY/SR", "Mjy/sr", "jy", "JY/PIXEL", "MJy/steradian", "Jansky", "")


def unit(hdus, header, *, text, way, **expected):
    factor = GOOD_UNITS.get(text)
    options = ()
    if factor:
        hdus["SCI"].data = (hdus["SCI"].data / factor).astype(np.float32)
        hdus["ERR"].data = (hdus["ERR"].data / factor).astype(np.float32)
        expected |= {"data": (hdus["SCI"].data.astype(float) * factor).astype(np.float32)}
    if way == "BUNIT":
        header["BUNIT"] = text
    elif way == "PRIMARY":
        del header["BUNIT"]
        hdus[0].header["BUNIT"] = text
    else:
        del header["BUNIT"]
        options = ("--pixel-unit", text)
    return Expected(stars=good.sky(), options=options, **expected)


def _units():
    named = {}
    for text in GOOD_UNITS:
        for way in ("BUNIT", "--pixel-unit"):
            # the mask of rounded pixels may differ in a pixel or so from that of the others
            named[f"{way} {text!r}"] = partial(
                unit, text=text, way=way, marked=True, works=text.strip() != "10.0*nanoJansky"
            )
    named["BUNIT in the PRIMARY"] = partial(
        unit, text="MJy/sr", way="PRIMARY", same=True, works=True
    )
    for number, text in enumerate(SENSELESS):
        for way in ("BUNIT", "--pixel-unit"):
            if way == "BUNIT" or number % 2 == 0:
                named[f"{way} {text!r}"] = partial(
                    unit, text=text, way=way, refused=True, names=("--pixel-unit",)
                )
    for text in UNCLEAR:
        named[f"BUNIT {text!r}"] = partial(unit, text=text, way="BUNIT")
    return named


### planes, kinds of numbers, compression, layout ##################################################


def plane(hdus, header, *, name, value, **expected):
    hdus[name].data[:] = value
    return Expected(stars=good.sky(), names=(name,), **expected)


def plane_shape(hdus, header, *, name, shape):
    hdus[name].data = np.ones(shape, np.float32)
    return Expected(refused=True, names=(name,))


def plane_gone(hdus, header, *, names):
    for name in names:
        del hdus[name]
    return _same(works=True) if "WHT" in names else Expected(stars=good.sky(), marked=True)


def fill(hdus, header, *, value, planes=False, **expected):
    """A part of the frame is one value: where WHT is 0, where it has none, it is not observed."""
    hole = np.s_[60:, 60:]
    hdus["SCI"].data[hole] = value
    if planes:
        hdus["WHT"].data[hole], hdus["ERR"].data[hole] = 0, np.nan
    else:
        del hdus["WHT"], hdus["ERR"]
    seen = (good.X < 56) | (good.Y < 56)
    return Expected(stars=good.sky(), where=seen, **expected)


def most_filled(hdus, header, *, value):
    hdus["SCI"].data[22:] = value
    del hdus["WHT"], hdus["ERR"]
    number = f"{value:g}"
    return Expected(
        stars=good.sky(),
        where=np.zeros(len(good.X), bool),
        warning="" if value == 0 or np.isnan(value) else re.escape(number),
    )


PLANES = {
    "ERR all NaN": partial(plane, name="ERR", value=np.nan, marked=True),
    "ERR all 0": partial(plane, name="ERR", value=0, marked=True),
    "ERR all inf": partial(plane, name="ERR", value=np.inf),
    "ERR negative": partial(plane, name="ERR", value=-1),
    "ERR 1e38": partial(plane, name="ERR", value=1e38),
    "WHT all 0": partial(plane, name="WHT", value=0, marked=True),
    "WHT all NaN": partial(plane, name="WHT", value=np.nan, marked=True),
    "WHT negative": partial(plane, name="WHT", value=-1, marked=True),
    "WHT 1e-30": partial(plane, name="WHT", value=1e-30, marked=True),
    **{
        f"{n} of {s}": partial(plane_shape, name=n, shape=s)
        for n in ("ERR", "WHT")
        for s in ((89, 96), (96, 90), (2, 90, 96), (90,), (1, 1))
    },
    "no ERR": partial(plane_gone, names=["ERR"]),
    "no WHT": partial(plane_gone, names=["WHT"]),
    "no ERR and WHT": partial(plane_gone, names=["ERR", "WHT"]),
    "a corner 0 of WHT 0": partial(fill, value=0, planes=True, marked=True, works=True),
    "a corner NaN of WHT 0": partial(fill, value=np.nan, planes=True, marked=True, works=True),
    "a corner -9999 of WHT 0": partial(fill, value=-9999, planes=True, marked=True, works=True),
    "a corner 0": partial(fill, value=0, marked=True, works=True),
    "a corner NaN": partial(fill, value=np.nan, marked=True, works=True),
    "a corner inf": partial(fill, value=np.inf, marked=True),
    "a corner -9999": partial(fill, value=-9999, warning="-9999", excused=True),
    "a corner -1e30": partial(fill, value=-1e30, warning="1e", excused=True),
    **{f"most of it {v:g}": partial(most_filled, value=v) for v in (-9999, 0, np.nan, -999, 65535)},
}


def kind(hdus, header, *, dtype, bscale=None, blank=False, **expected):
    """Pixels of another kind; whole numbers of coarse steps keep the stars, not the mask."""
    data = hdus["SCI"].data.astype(float)
    if bscale:
        stored = np.round((data - 6) / bscale).astype(dtype)
        if blank:
            stored[0, 0] = -32768
        hdu = fits.ImageHDU(stored, header, name="SCI")
        hdu.header["BSCALE"], hdu.header["BZERO"] = bscale, 6.0
        if blank:
            hdu.header["BLANK"] = -32768
        hdus["SCI"] = hdu
        parts = split(_raw(hdus, stored, bscale))
        FILE.write_bytes(join(parts))
        return Expected(stars=good.sky(), marked=True, works=True)
    hdus["SCI"].data = data.astype(dtype)
    return Expected(stars=good.sky(), **expected)


def _raw(hdus: fits.HDUList, stored: np.ndarray, bscale: float) -> bytes:
    """The file with `stored` as it is in SCI, and the cards that scale it."""
    hdus["SCI"] = fits.ImageHDU(stored, _wcs_alone(hdus["SCI"].header), name="SCI")
    parts = split(good.as_bytes(hdus))
    insert_card(parts[1], "BSCALE", f"{bscale!r:>20}")
    insert_card(parts[1], "BZERO", f"{6.0!r:>20}")
    if stored[0, 0] == -32768:
        insert_card(parts[1], "BLANK", f"{-32768:>20}")
    return join(parts)


def _wcs_alone(header: fits.Header) -> fits.Header:
    kept = header.copy()
    for key in ("BSCALE", "BZERO", "BLANK"):
        kept.remove(key, ignore_missing=True)
    return kept


KINDS = {
    "float64": partial(kind, dtype=np.float64, same=True, works=True),
    "int16, BSCALE": partial(kind, dtype=np.int16, bscale=0.002),
    "int16, BSCALE, BLANK": partial(kind, dtype=np.int16, bscale=0.002, blank=True),
    "int32, BSCALE": partial(kind, dtype=np.int32, bscale=1e-6),
    **{f"whole numbers {d}": partial(kind, dtype=d) for d in ("u1", "i2", "u2", "i4", "u4", "i8")},
}


def packed(hdus, header, *, suffix, pack, **expected):
    name = f"image.fits{suffix}"
    Path(name).write_bytes(pack(good.as_bytes(hdus)))
    return Expected(stars=good.sky(), file=name, **expected)


def _zipped(data: bytes) -> bytes:
    with zipfile.ZipFile("image.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("image.fits", data)
    return Path("image.zip").read_bytes()


def tiles(hdus, header, *, method, lossy=False, suffix=".fz"):
    made = fits.HDUList([hdus[0]])
    level = {} if lossy else {"quantize_level": 0}
    for hdu in hdus[1:]:
        made.append(
            fits.CompImageHDU(hdu.data, hdu.header, name=hdu.name, compression_type=method, **level)
        )
    name = f"image.fits{suffix}"
    Path(name).write_bytes(good.as_bytes(made))
    return Expected(stars=good.sky(), file=name, same=not lossy, marked=True, works=True)


PACKED = {
    ".gz": partial(packed, suffix=".gz", pack=gzip.compress, same=True, works=True),
    ".bz2": partial(packed, suffix=".bz2", pack=bz2.compress, same=True, works=True),
    ".xz": partial(packed, suffix=".xz", pack=lzma.compress, same=True),
    ".zip": partial(packed, suffix=".zip", pack=_zipped, same=True),
    "gzip without a suffix": partial(packed, suffix="", pack=gzip.compress, same=True, works=True),
    ".gz that is not": partial(packed, suffix=".gz", pack=bytes, same=True),
    ".gz, cut": partial(
        packed, suffix=".gz", pack=lambda b: gzip.compress(b)[:-9000], refused=True
    ),
    ".gz, damaged": partial(
        packed, suffix=".gz", pack=lambda b: _flipped(gzip.compress(b)), refused=True
    ),
    ".bz2, cut": partial(
        packed, suffix=".bz2", pack=lambda b: bz2.compress(b)[:-9000], refused=True
    ),
    ".xz, cut": partial(
        packed, suffix=".xz", pack=lambda b: lzma.compress(b)[:-9000], refused=True
    ),
    "GZIP_1 tiles": partial(tiles, method="GZIP_1"),
    "GZIP_2 tiles": partial(tiles, method="GZIP_2"),
    "RICE_1 tiles, lossy": partial(tiles, method="RICE_1", lossy=True),
    "HCOMPRESS_1 tiles, lossy": partial(tiles, method="HCOMPRESS_1", lossy=True),
    "GZIP_1 tiles named .fits": partial(tiles, method="GZIP_1", suffix=""),
}


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def cut_out(hdus, header, *, rows, columns, refused=False):
    for hdu in hdus[1:]:
        hdu.data = hdu.data[rows, columns]
    return Expected(refused=refused, data=None)


def small(hdus, header, *, shape, refused=False):
    """A cut-out of that many rows and columns; where the mask is empty that is no fault."""
    y, x = (int(n) for n in (good.Y[4] - shape[0] // 2, good.X[4] - shape[1] // 2))
    y, x = max(y, 0), max(x, 0)
    for hdu in hdus[1:]:
        hdu.data = hdu.data[y : y + shape[0], x : x + shape[1]]
    FILE.write_bytes(good.as_bytes(hdus))
    answers = [
        harness.mirimask("stats", FILE, "--json"),
        harness.mirimask("mask", FILE, "-o", "m.fits", "--labels", "l.fits"),
    ]
    Path("stars.csv").write_text(good.catalogue(*good.sky()))
    answers.append(harness.mirimask("score", FILE, "stars.csv"))
    for answer in answers:
        harness.demand(answer.status == 0 or not refused or answer.errors, "no error")
        if answer.status:
            harness.said(answer, "image.fits")
        else:
            harness.demand(not refused, "accepted what cannot be right")
            harness.quiet(answer)
    raise _Done("ok" if answers[1].status == 0 else "said")


class _Done(Exception):
    pass


def layout(hdus, header, *, change, **expected):
    change(hdus, header)
    return Expected(**expected)


def _axes(*shape, repeated=True):
    def change(hdus, header):
        if repeated:
            hdus["SCI"].data = np.broadcast_to(hdus["SCI"].data, shape).copy()
        else:
            hdus["SCI"].data = np.zeros(shape, np.float32)

    return change


def _only(hdus, header):
    del hdus[2:]


def _in_primary(hdus, header):
    first = fits.PrimaryHDU(hdus["SCI"].data, header)
    first.header.remove("EXTNAME", ignore_missing=True)
    first.header["FILTER"] = "F770W"
    hdus[0] = first
    del hdus[1:]


def _in_primary_with_planes(hdus, header):
    rest = hdus[2:]
    _in_primary(hdus, header)
    hdus.extend(rest)


def _renamed(name):
    def change(hdus, header):
        hdus["SCI"].name = name

    return change


def _two(hdus, header):
    other = fits.ImageHDU(np.flip(hdus["SCI"].data).copy(), header, name="SCI", ver=2)
    hdus.append(other)


def _table_sci(hdus, header):
    hdus["SCI"] = fits.BinTableHDU.from_columns(
        [fits.Column("a", "D", array=np.arange(5.0))], name="SCI"
    )


def _filter_in_sci(hdus, header):
    header["FILTER"] = hdus[0].header.pop("FILTER")


def _primary_card(key, value):
    def change(hdus, header):
        if value is None:
            del hdus[0].header[key]
        else:
            hdus[0].header[key] = value

    return change


def _pixels(value, where=np.s_[:]):
    def change(hdus, header):
        hdus["SCI"].data[where] = value

    return change


_AXES = {"refused": True, "names": ("SCI",)}
LAYOUTS = {
    **{
        f"{r} rows, {c} columns": partial(small, shape=(r, c), refused=min(r, c) == 1)
        for r, c in (
            *((90, 1), (1, 96), (1, 1), (2, 2), (3, 3), (90, 2), (2, 96), (5, 5), (10, 10)),
            *((90, 5), (16, 96), (24, 24), (30, 20)),
        )
    },
    "3 axes, one plane": partial(layout, change=_axes(1, 90, 96)),
    "3 axes, two planes": partial(layout, change=_axes(2, 90, 96), **_AXES),
    "4 axes, one plane": partial(layout, change=_axes(1, 1, 90, 96)),
    "1 axis": partial(layout, change=_axes(96, repeated=False), **_AXES),
    "no pixels": partial(layout, change=_axes(0, 96, repeated=False), **_AXES),
    "SCI alone": partial(layout, change=_only, stars=good.sky(), same=True, works=True),
    "in the PRIMARY": partial(layout, change=_in_primary, stars=good.sky(), same=True, works=True),
    "in the PRIMARY, with ERR and WHT": partial(
        layout, change=_in_primary_with_planes, stars=good.sky(), same=True
    ),
    "named sci": partial(layout, change=_renamed("sci"), stars=good.sky(), same=True, works=True),
    "SCI without a name": partial(layout, change=_renamed(""), stars=good.sky(), same=True),
    "two SCI": partial(layout, change=_two, stars=good.sky(), same=True, warning="SCI"),
    "SCI is a table": partial(layout, change=_table_sci, refused=True, names=("SCI",)),
    "FILTER in SCI": partial(
        layout, change=_filter_in_sci, stars=good.sky(), same=True, works=True
    ),
    "filter in lower case": partial(
        *(layout,), change=_primary_card("FILTER", "f770w"), stars=good.sky(), same=True, works=True
    ),
    "no FILTER": partial(layout, change=_primary_card("FILTER", None), refused=True),
    "FILTER F090W": partial(layout, change=_primary_card("FILTER", "F090W"), refused=True),
    "FILTER a number": partial(layout, change=_primary_card("FILTER", 770), refused=True),
    "all NaN": partial(layout, change=_pixels(np.nan), refused=True),
    "all 0": partial(layout, change=_pixels(0), refused=True),
    "all 6": partial(layout, change=_pixels(6), refused=True),
    "all inf": partial(layout, change=_pixels(np.inf), refused=True),
    "a pixel 1e38": partial(layout, change=_pixels(1e38, np.s_[40, 60])),
    "a pixel -1e38": partial(layout, change=_pixels(-1e38, np.s_[40, 60])),
    "a pixel inf": partial(layout, change=_pixels(np.inf, np.s_[3, 90]), stars=good.sky()),
    "a pixel -inf": partial(layout, change=_pixels(-np.inf, np.s_[3, 90]), stars=good.sky()),
    "every second pixel NaN": partial(layout, change=_pixels(np.nan, np.s_[::2, ::2])),
    "all 1e-38 but one": partial(layout, change=lambda h, _: _tiny(h)),
    "all but one row NaN": partial(layout, change=_pixels(np.nan, np.s_[1:])),
}


def _tiny(hdus):
    hdus["SCI"].data *= 1e-40


### cards ##########################################################################################


def split(data: bytes) -> list[list]:
    """A file as its HDUs: [cards of 80 bytes, data with its padding]."""
    parts = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Path("split.tmp").write_bytes(data)
        with fits.open("split.tmp", memmap=False) as hdus:
            for hdu in hdus:
                info = hdu.fileinfo()
                head = data[info["hdrLoc"] : info["datLoc"]]
                cards = [head[i : i + 80] for i in range(0, len(head), 80)]
                cards = cards[: next(i for i, c in enumerate(cards) if c[:8] == b"END     ")]
                body = data[info["datLoc"] : info["datLoc"] + info["datSpan"]]
                parts.append([cards, body])
    Path("split.tmp").unlink()
    return parts


def join(parts: list[list]) -> bytes:
    made = b""
    for cards, body in parts:
        head = b"".join([*cards, b"END".ljust(80)])
        made += head.ljust(-(-len(head) // BLOCK) * BLOCK) + body
    return made


def card(key: str, value: str) -> bytes:
    return f"{key:8}= {value:>20}".encode("latin-1")[:80].ljust(80)


def index(part: list, key: str) -> int | None:
    name = key.encode().ljust(8)
    return next((i for i, c in enumerate(part[0]) if c[:8] == name), None)


def insert_card(part: list, key: str, value: str) -> None:
    part[0].append(card(key, value))


def set_card(part: list, key: str, value: str) -> None:
    at = index(part, key)
    if at is None:
        insert_card(part, key, value)
    else:
        part[0][at] = card(key, value)


PRIMARY_CARDS = (
    *("SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "EXTEND", "FILTER", "OBS_ID", "PI_NAME", "TARGPROP"),
    *("DATE-OBS", "EFFEXPTM", "GS_RA", "GDSTARID", "CAL_VER", "TELESCOP", "INSTRUME", "PIXSCALE"),
    *("PSFFWHM", "SIMULATD", "IMAGE", "CROPX0", "CROPY0", "FRAMENX", "FRAMENY", "EXTNAME"),
    *("CHECKSUM", "GROUPS", "BSCALE", "CONTINUE", "HIERARCH"),
)
SCI_CARDS = (
    *("XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "PCOUNT", "GCOUNT", "EXTNAME"),
    *("EXTVER", "BSCALE", "BZERO", "BLANK", "TFIELDS", "THEAP", "ZIMAGE", "ZCMPTYPE", "CHECKSUM"),
    *("WCSAXES", "CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2", "CTYPE1", "CTYPE2", "CUNIT1", "CUNIT2"),
    *("CDELT1", "CDELT2", "PC1_1", "PC1_2", "PC2_1", "PC2_2", "CD1_1", "CD1_2", "CD2_1", "CD2_2"),
    *("CROTA1", "CROTA2", "PV1_1", "PV1_3", "PV2_1", "PS1_0", "LONPOLE", "LATPOLE", "RADESYS"),
    *("EQUINOX", "EPOCH", "MJD-OBS", "DATE-OBS", "VELOSYS", "SPECSYS", "WCSNAME", "CNAME1"),
    *(
        "A_ORDER",
        "A_2_0",
        "B_ORDER",
        "AP_ORDER",
        "CPDIS1",
        "D2IMDIS1",
        "CTYPE3",
        "CRVAL3",
        "CRDER1",
    ),
    *("BUNIT", "PIXAR_SR", "PIXAR_A2", "PHOTMJSR", "S_REGION", "VPARITY", "OBSGEO-X", "RESTFRQ"),
)
PLANE_CARDS = (
    *("XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "EXTNAME", "BSCALE"),
    *("BZERO", "BLANK"),
)
VALUES = (
    *("NaN", "Inf", "-Inf", "'abc     '", "1e300", "-1e300", "1e-300", "1e400", "0", "0.0", "-1"),
    *("-5", "1", "2", "3", "999", "1e10", "10.0", "", "T", "F", "''", "'        '", "'1'", "'NaN'"),
    *("99999999999999999999", "2147483648", "-32", "(1.0, 2.0)", "1.D0", "'abc", "1,5", "1 2", "="),
    *("\xe9\xff", "\x00", "0x10", "1e", "--1", "'MJy/sr  '", "'RA---TAN'", "'DEC--TAN'", "'ZZZ'"),
    *("'FK5     '", "'LOOKUP  '", "2001-13-45", "'2001-13-45'"),
)
# a value, or nothing, where a number has to be
_POSITION = re.compile(r"C(RVAL|RPIX|TYPE)[12]")


def _of_the_same(value: str, rng: np.random.Generator) -> str:
    """The card's own value, in another kind or scaled."""
    bare = value.split(" /")[0].strip()
    try:
        number = float(bare)
    except ValueError:
        return rng.choice([bare.lower(), bare.strip("'").strip(), f"'{bare}'", bare[:-1]])
    return rng.choice(
        [
            f"'{bare}'",
            repr(-number),
            repr(number * 1000),
            repr(number / 1000),
            repr(number * 1.5),
            str(int(number)) if abs(number) < 1e18 else bare,
            repr(number + 1),
        ]
    )


def cards(rng: np.random.Generator) -> tuple[str, Callable[[], tuple[str, str]]]:
    """One card of a header changed, and what was done."""
    hdu = int(rng.choice([0, 1, 1, 1, 1, 2, 3]))
    name = ("PRIMARY", "SCI", "ERR", "WHT")[hdu]
    key = str(rng.choice((PRIMARY_CARDS, SCI_CARDS, PLANE_CARDS, PLANE_CARDS)[hdu]))
    how = str(
        rng.choice(
            [
                "value",
                "value",
                "value",
                "value",
                "own",
                "removed",
                "twice",
                "lower",
                "no =",
                "first",
            ]
        )
    )
    value = str(rng.choice(VALUES))
    draw = int(rng.integers(2**31))
    shown = {"value": repr(value), "twice": f"twice, {value!r}"}.get(how, how)

    def try_it() -> tuple[str, str]:
        parts = split(good.as_bytes(good.image()))
        _change_card(parts[hdu], key, how, value, np.random.default_rng(draw))
        FILE.write_bytes(join(parts))
        return judge.outcome(_expected_of_cards(hdu, key, how, value))

    return f"{name} {key}: {shown}", try_it


def _change_card(part: list, key: str, how: str, value: str, rng: np.random.Generator) -> None:
    at = index(part, key)
    if at is None:  # one that it does not have
        insert_card(part, key, value)
        if how == "twice":
            insert_card(part, key, value)
        return
    old = part[0][at]
    if how == "value":
        part[0][at] = card(key, value)
    elif how == "own":
        part[0][at] = card(key, _of_the_same(old[10:].decode("latin-1"), rng))
    elif how == "removed":
        del part[0][at]
    elif how == "twice":
        part[0].insert(at + 1, card(key, value))
    elif how == "lower":
        part[0][at] = old[:8].lower() + old[8:]
    elif how == "no =":
        part[0][at] = old[:8] + b"  " + old[10:]
    elif how == "first":
        part[0].insert(0, part[0].pop(at))


def _expected_of_cards(hdu: int, key: str, how: str, value: str) -> Expected:
    """As astropy reads it; a position that is no number, or is not there, cannot be right."""
    names = (("PRIMARY",), ("SCI",), ("ERR",), ("WHT",))[hdu]
    no_number = value in ("NaN", "Inf", "-Inf", "'abc     '", "1e300", "-1e300", "1e400", "T", "''")
    lost = how == "removed" or (how == "value" and no_number)
    return Expected(refused=hdu == 1 and lost and bool(_POSITION.fullmatch(key)), names=names)


### bytes ##########################################################################################


def flips(rng: np.random.Generator) -> tuple[str, Callable[[], tuple[str, str]]]:
    """Bytes of headers or of anything changed."""
    headers = rng.random() < 0.7
    number, draw = int(rng.choice([1, 1, 3, 20])), int(rng.integers(2**31))

    def try_it() -> tuple[str, str]:
        data, random = bytearray(good.as_bytes(good.image())), np.random.default_rng(draw)
        places = _header_bytes(bytes(data)) if headers else np.arange(len(data))
        for place in random.choice(places, number):
            data[place] = (
                random.integers(256)
                if random.random() < 0.5
                else data[place] ^ (1 << random.integers(8))
            )
        FILE.write_bytes(data)
        return judge.outcome(Expected(names=("SCI", "ERR", "WHT", "PRIMARY")))

    return f"{number} bytes of {'headers' if headers else 'the file'} changed ({draw})", try_it


def _header_bytes(data: bytes) -> np.ndarray:
    """Where the cards are, without the blanks after END."""
    places, at = [], 0
    for cards, body in split(data):
        size = 80 * (len(cards) + 1)
        places.append(np.arange(at, at + size))
        at += -(-size // BLOCK) * BLOCK + len(body)
    return np.concatenate(places)


def truncations(rng: np.random.Generator) -> tuple[str, Callable[[], tuple[str, str]]]:
    """The end is missing, or a piece in the middle; or there is more."""
    how = str(rng.choice(["cut", "cut", "cut at a block", "hole", "zeros", "more", "empty blocks"]))
    draw = int(rng.integers(2**31))

    def try_it() -> tuple[str, str]:
        data, random = good.as_bytes(good.image()), np.random.default_rng(draw)
        at = int(random.integers(1, len(data) - 4000))
        # where the pixels are all there, and a header is not, an answer may be right
        expected = Expected(stars=good.sky(), names=("SCI", "ERR", "WHT"))
        if how == "cut":
            data, expected.refused = data[:at], True
        elif how == "cut at a block":
            data = data[: at // BLOCK * BLOCK]
        elif how == "hole":
            data, expected = data[:at] + data[at + 1000 :], Expected(names=expected.names)
        elif how == "zeros":
            data = data[:at] + bytes(1000) + data[at + 1000 :]
            expected = Expected(names=expected.names)
        elif how == "more":
            data += random.bytes(5000)
        else:
            data += bytes(BLOCK)
        FILE.write_bytes(data)
        return judge.outcome(expected)

    return f"{how} ({draw})", try_it


### all of them ####################################################################################


def _fixed(change) -> tuple[str, str]:
    try:
        return _written(change)
    except _Done as done:
        return str(done), ""


def choose(count: int, seed: int) -> list[harness.Case]:
    """The fixed cases in an order of the seed, each followed by two random ones."""
    fixed = [
        harness.Case(f"{family}: {name}", partial(_fixed, change))
        for family, named in {
            "WCS": NOTATIONS,
            "unit": _units(),
            "plane": PLANES,
            "pixels": KINDS,
            "packed": PACKED,
            "layout": LAYOUTS,
        }.items()
        for name, change in named.items()
    ]
    rng = np.random.default_rng([seed, 1])
    order = rng.permutation(len(fixed))
    chosen: list[harness.Case] = []
    for number in range(count):
        if number % 3 == 0 and number // 3 < len(fixed):
            chosen.append(fixed[order[number // 3]])
        else:
            make = rng.choice(
                [cards, cards, cards, flips, truncations], p=[0.25, 0.25, 0.2, 0.2, 0.1]
            )
            chosen.append(harness.Case(*make(np.random.default_rng([seed, 2, number]))))
    return chosen


def _good() -> tuple[str, str]:
    return _written(far_rows)


def main() -> int:
    options = harness.arguments("images", __doc__.split("\n")[0], count=600, limit=30)
    cases = choose(options.count, options.seed)
    if options.list:
        return harness.run(cases, options)
    with tempfile.TemporaryDirectory() as folder:
        judge.prepare(Path(folder))
        harness.import_what_is_needed(harness.Case("good", _good))
        return harness.run(cases, options)


if __name__ == "__main__":
    sys.exit(main())
