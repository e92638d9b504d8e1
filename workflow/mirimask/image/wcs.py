"""Where pixels are on the sky: reading a WCS, placing the sky on it, cutting it, writing it.

The only place that does any of these, so that whatever notation a header is in, every file that
is written has the same sky at the same pixel. Pixels are 0-based, positions are ICRS degrees.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from astropy import log as astropy_log
from astropy.coordinates import BaseCoordinateFrame, Galactic, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, Sip
from astropy.wcs.utils import (
    proj_plane_pixel_area,
    proj_plane_pixel_scales,
    wcs_to_celestial_frame,
)
from numpy.typing import ArrayLike, NDArray

from mirimask.errors import MaskError

__all__ = [
    "WCS_CARD",
    "pixel_area_sr",
    "pixel_scale_arcsec",
    "pixel_to_sky",
    "read_wcs",
    "same_sky",
    "shifted",
    "sky_to_pixel",
    "wcs_cards",
]

_logger = logging.getLogger("mirimask.image.wcs")

# Scales of cameras, with room to spare: HST's and JWST's finest have 0.03", Spitzer's widest 5".
LEAST_ARCSEC, MOST_ARCSEC = 0.005, 5.0
SAME_PX = 1e-3  # two WCS are the same where they differ by less than this anywhere on the image
_MOST_STRETCH = 20  # a cylindrical projection has that 3 degrees from the pole, a tangent one never
_FOUND_PX = 0.05  # a pixel whose sky is that near to the asked one is the one asked for

_NUMBER = r"C(RPIX|RVAL|DELT|ROTA)\d+|(PC|CD)(\d+_\d+|\d{6})|PV\d+_\d+|L(ON|AT)POLE"
# Cards that a celestial WCS is read from; `A` to `Z` at their end is another WCS of the image.
WCS_CARD = re.compile(
    rf"({_NUMBER}|PS\d+_\d+|C(TYPE|UNIT)\d+|WCSAXES|RADESYS|EQUINOX)[A-Z]?|RADECSYS|EPOCH"
    r"|[AB]P?_(ORDER|\d+_\d+)"
    r"|AXISCORR|(CPDIS|CQDIS|D2IMDIS|D[PQ])\d.*"
)
_NUMBER_CARD = re.compile(rf"{_NUMBER}|EQUINOX|EPOCH|[AB]P?_(ORDER|\d+_\d+)")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what astropy says of cards that it completes, in its log (standard output) too."""
    level = astropy_log.level
    astropy_log.setLevel("ERROR")
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        astropy_log.setLevel(level)


### reading ########################################################################################


def read_wcs(header: fits.Header, shape: tuple[int, int] | None = None, *, what: str) -> WCS:
    """The celestial WCS of an image of `shape` (ny, nx; else NAXIS1 and NAXIS2 of the header).

    It has two axes, in the order of the image's: axes of one pixel are left out. An alternate WCS
    (`A` to `Z`) is not looked at. SIP coefficients are used, with a warning where CTYPE does not
    tell of them.

    MaskError, with `what` the image is called: no celestial WCS, or one that cannot be read; CRVAL,
    CRPIX or a scale that is missing or is no finite number, a pixel beyond `LEAST_ARCSEC` to
    `MOST_ARCSEC` (with the cards); a system that RA and Dec cannot be turned into; distortion as a
    look-up table, which a cut-out of the image could not have.
    """
    _check_cards(header, what)
    header = _with_plain_exponents(header)
    wcs, axes = None, (-1, -1)
    with _quiet():
        try:
            if any(re.fullmatch(r"CTYPE\d+", key) for key in header):
                full = WCS(header)
                axes = full.wcs.lng, full.wcs.lat
                wcs = full.celestial if min(axes) >= 0 else None
        except Exception as error:  # each part of wcslib has kinds of its own
            raise MaskError(
                f"{what}: its WCS cannot be read: {_line(error)} ({_shown(header)})."
            ) from None
    if wcs is None or wcs.naxis != 2:
        raise MaskError(
            f"{what}: its {header.get('EXTNAME', 'image')} has no celestial WCS (CTYPE, CRVAL, "
            "CRPIX, scale), so that no source can be placed on it. Add one to its header."
        )
    _check_axes(header, axes, what)
    if wcs.sip is not None and not any(ctype.endswith("-SIP") for ctype in wcs.wcs.ctype):
        _logger.warning(
            "%s: has SIP coefficients (A_ORDER, B_ORDER, ...), and its CTYPE is without -SIP; they "
            "are used. If they are left over, remove them from the header.",
            what,
        )
        wcs.wcs.ctype = [f"{ctype}-SIP" for ctype in wcs.wcs.ctype]
    if shape is None:
        shape = int(header.get("NAXIS2", 1)), int(header.get("NAXIS1", 1))
    _check_numbers(header, axes, what)
    try:
        with _quiet():
            wcs.wcs.set()
            _set_system(wcs, what)
            _check_scale(wcs, header, axes, shape, what)
    except MaskError:
        raise
    except Exception as error:
        raise MaskError(
            f"{what}: its WCS is of no use: {_line(error)} ({_shown(header)})."
        ) from None
    return wcs


def _line(error: BaseException) -> str:
    """What an error says, without where in wcslib it comes from."""
    text = re.sub(r"ERROR \d+ in \w+\(\) at line \d+ of file \S+:", "", str(error))
    return " ".join(text.split()).rstrip(".:")[:200] or type(error).__name__


def _shown(header: fits.Header) -> str:
    names = ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CUNIT")
    cards = [f"{name}{axis}" for name in names for axis in (1, 2) if f"{name}{axis}" in header]
    return ", ".join(f"{card} = {header[card]}" for card in cards)


# FITS writes an exponent with D too (standard 4.0, 4.2.4), at which wcslib ends to read the number
_D_EXPONENT = re.compile(r"[^=]{8}= *[-+.0-9]+[Dd][-+]?[0-9]")


def _with_plain_exponents(header: fits.Header) -> fits.Header:
    """The header itself, or a copy in which numbers are written as wcslib reads them."""
    if not any(_D_EXPONENT.match(card.image) for card in header.cards):
        return header
    plain = fits.Header()
    for card in header.cards:
        written_so = _D_EXPONENT.match(card.image)
        plain.append(fits.Card(card.keyword, card.value, card.comment) if written_so else card)
    return plain


def _check_cards(header: fits.Header, what: str) -> None:
    for card in header.cards:
        name = card.keyword
        if not WCS_CARD.fullmatch(name):
            continue
        try:
            value = card.value
        except fits.VerifyError:
            text = card.image.strip()
            raise MaskError(f"{what}: its card '{text}' is not FITS; correct {name}.") from None
        if _NUMBER_CARD.fullmatch(name) and not (
            isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
        ):
            raise MaskError(f"{what}: its {name} is '{value}'; it must be a finite number.")
        if name == "AXISCORR" or (
            re.match(r"(CPDIS|CQDIS|D2IMDIS)\d", name) and "lookup" in str(value).lower()
        ):
            raise MaskError(
                f"{what}: its distortion is a look-up table ({name}), which cannot be kept in the "
                "files that are made. Give a resampled (drizzled) image, or one with SIP."
            )


def _check_axes(header: fits.Header, axes: tuple[int, int], what: str) -> None:
    """The axes of more than one pixel have to be those of the sky."""
    count = header.get("NAXIS", 2)
    lengths = [header.get(f"NAXIS{axis}", 1) for axis in range(1, count + 1)]
    long = [axis for axis, length in enumerate(lengths) if length > 1]
    if count > 2 and not set(long) <= set(axes):
        names = ", ".join(str(header.get(f"CTYPE{axis + 1}", "?")) for axis in long)
        raise MaskError(f"{what}: its axes ({names}) are not those of the sky; give one plane.")


def _check_numbers(header: fits.Header, axes: tuple[int, int], what: str) -> None:
    for axis in sorted(axes):
        for name in (f"CRVAL{axis + 1}", f"CRPIX{axis + 1}"):
            if name not in header:
                raise MaskError(f"{what}: its WCS has no {name}; add it to the header.")


def _set_system(wcs: WCS, what: str) -> None:
    """Make sure that positions can be turned into those of the WCS."""
    system = wcs.wcs.ctype[wcs.wcs.lng][:4]
    wcs.wcs.radesys = "" if system == "GLON" else str(wcs.wcs.radesys).strip().upper()
    try:
        if system not in ("RA--", "GLON"):
            raise ValueError
        _system(wcs)
    except Exception:
        raise MaskError(
            f"{what}: positions in RA and Dec cannot be placed on its WCS of CTYPE "
            f"'{wcs.wcs.ctype[wcs.wcs.lng]}', RADESYS '{wcs.wcs.radesys}'; known are RA and Dec "
            "(ICRS, FK5, FK4) and Galactic longitude and latitude."
        ) from None


def _system(wcs: WCS) -> BaseCoordinateFrame:
    if wcs.wcs.ctype[wcs.wcs.lng].startswith("GLON"):
        return Galactic()
    return wcs_to_celestial_frame(wcs)


def _check_scale(
    wcs: WCS,
    header: fits.Header,
    axes: tuple[int, int],
    shape: tuple[int, int],
    what: str,
) -> None:
    """MaskError where a pixel is of a size that no camera has."""
    numbers = "|".join(str(axis + 1) for axis in axes)
    pattern = re.compile(rf"(CDELT({numbers})|CD0*({numbers})_?0*({numbers})|CUNIT({numbers}))")
    given = {card.keyword: card.value for card in header.cards if pattern.fullmatch(card.keyword)}
    said = ", ".join(f"{name} = {value}" for name, value in given.items())
    for axis in axes:
        if not any(re.match(rf"CDELT{axis + 1}|CD0*{axis + 1}", name) for name in given):
            said += f"{', ' if said else ''}no CDELT{axis + 1} and no CD card"
    longitude = wcs.wcs.crval[wcs.wcs.lng]  # wcslib itself looks at the latitude
    if not abs(longitude) <= 720:
        raise MaskError(f"{what}: its CRVAL is at {longitude:g} degrees of longitude; correct it.")
    sides = proj_plane_pixel_scales(wcs) * 3600
    allowed = f"between {LEAST_ARCSEC:g} and {MOST_ARCSEC:g} arcsec, as cameras' are ({said})"
    if not ((sides >= LEAST_ARCSEC) & (sides <= MOST_ARCSEC)).all():
        raise MaskError(
            f"{what}: a pixel of its WCS has {sides[0]:.3g} x {sides[1]:.3g} arcsec; it must be "
            f"{allowed}."
        )
    ny, nx = shape
    stretch = _stretch(wcs, (nx - 1) / 2, (ny - 1) / 2)
    if not 1 / _MOST_STRETCH <= stretch <= _MOST_STRETCH:
        raise MaskError(
            f"{what}: in the middle of the image, a pixel of its WCS has {stretch:.3g} times the "
            f"area that its sides have (CRPIX = {wcs.wcs.crpix[0]:g}, {wcs.wcs.crpix[1]:g}; "
            f"{said}); correct the WCS."
        )


### sky and pixels #################################################################################


def pixel_to_sky(wcs: WCS, x: ArrayLike, y: ArrayLike) -> SkyCoord:
    """The sky at pixels, ICRS; positions that the projection does not have are NaN."""
    longitude, latitude = _values(wcs, np.asarray(x, float), np.asarray(y, float))
    return SkyCoord(longitude, latitude, unit="deg", frame=_system(wcs)).icrs


def _values(wcs: WCS, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """Longitude and latitude in the system of the WCS, degrees."""
    with _quiet():
        values = wcs.pixel_to_world_values(x, y)
    longitude, latitude = (np.asarray(values[axis], float) for axis in (wcs.wcs.lng, wcs.wcs.lat))
    bad = ~(np.abs(latitude) <= 90)
    return np.where(bad, np.nan, longitude), np.where(bad, np.nan, latitude)


def sky_to_pixel(
    wcs: WCS, ra: ArrayLike, dec: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels (x, y) of positions (ICRS degrees, arrays of one dimension).

    NaN where there is none: not finite, the other side of the sky, or so far off the image that
    its distortion leads nowhere. A pixel is given only where its sky is the one asked for.
    """
    ra, dec = np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))
    good = np.isfinite(ra) & (np.abs(dec) <= 90)
    x, y = np.full(ra.shape, np.nan), np.full(ra.shape, np.nan)
    if not good.any():
        return x, y
    sky = SkyCoord(ra[good], dec[good], unit="deg", frame="icrs").transform_to(_system(wcs))
    longitude, latitude = sky.spherical.lon.deg, sky.spherical.lat.deg
    order = (longitude, latitude) if wcs.wcs.lng < wcs.wcs.lat else (latitude, longitude)
    with _quiet():  # of distortions that do not converge
        found = np.array(wcs.world_to_pixel_values(*order), float)
    lost = ~(_distance_px(wcs, found, longitude, latitude) <= _FOUND_PX)
    x[good], y[good] = np.where(lost, np.nan, found)
    return x, y


def _distance_px(
    wcs: WCS,
    pixels: NDArray[np.float64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How far the sky of pixels (2, n) is from positions in the system of the WCS, in pixels."""
    here, there = _values(wcs, *pixels)
    d_lon = (longitude - here + 180) % 360 - 180
    degrees = np.hypot(d_lon * np.cos(np.radians(latitude)), latitude - there)
    return degrees / np.sqrt(proj_plane_pixel_area(wcs))


def _steps(wcs: WCS, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """Arcsec along longitude and latitude per step in x and y, at pixels (x, y): (..., 2, 2)."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    lon, lat = np.radians(_values(wcs, x, y))
    # by vectors, as longitudes are no lengths beside a pole
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], -1)
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], -1)
    columns = []
    for dx, dy in ((0.5, 0.0), (0.0, 0.5)):
        step = _vector(wcs, x + dx, y + dy) - _vector(wcs, x - dx, y - dy)
        along = np.stack([(step * east).sum(-1), (step * north).sum(-1)], -1)
        columns.append(np.degrees(along) * 3600)
    return np.stack(columns, -1)


def _vector(wcs: WCS, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The direction of pixels (x, y): (..., 3)."""
    lon, lat = np.radians(_values(wcs, x, y))
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)


### the size of a pixel ############################################################################


def _stretch(wcs: WCS, x: float, y: float) -> float:
    """Area of the pixel (x, y) in units of the product of the sides that the plane of the WCS has.

    1 for a plain projection near its reference pixel; by distortion, skew and distance it is
    another. To six digits, which is what a difference of coordinates over one pixel can give.
    """
    area = abs(np.linalg.det(_steps(wcs, x, y)))
    return round(float(area / np.prod(proj_plane_pixel_scales(wcs) * 3600)), 6)


def pixel_scale_arcsec(wcs: WCS, x: float, y: float) -> float:
    """Side (arcsec) of a square of the area of the pixel (x, y)."""
    plane = float(np.sqrt(np.prod(proj_plane_pixel_scales(wcs))) * 3600)
    return plane * float(np.sqrt(_stretch(wcs, x, y)))


def pixel_area_sr(wcs: WCS, x: float, y: float) -> float:
    """Solid angle of the pixel (x, y) in steradian."""
    return float(np.radians(pixel_scale_arcsec(wcs, x, y) / 3600) ** 2)


### cutting and writing ############################################################################


def shifted(wcs: WCS, *, row: int, column: int) -> WCS:
    """The WCS of an image that starts at (row, column) of the one that `wcs` is of."""
    moved = wcs.deepcopy()
    moved.wcs.crpix = moved.wcs.crpix - np.array([column, row])
    if wcs.sip is not None:
        sip = wcs.sip
        moved.sip = Sip(sip.a, sip.b, sip.ap, sip.bp, sip.crpix - np.array([column, row]))
    return moved


def wcs_cards(wcs: WCS, shape: tuple[int, int]) -> fits.Header:
    """A header that gives the same sky to the pixels of an image of `shape` (ny, nx).

    MaskError where it does not, which is checked at the corners and in the middle.
    """
    with _quiet():
        header = wcs.to_header(relax=True)
        again = WCS(header)
    if not same_sky(wcs, again, shape):
        raise MaskError(
            f"the WCS of CTYPE {', '.join(wcs.wcs.ctype)} cannot be written so that it is read as "
            "it was; resample the image to a plain projection (TAN)."
        )
    return header


def same_sky(wcs: WCS, other: WCS, shape: tuple[int, int]) -> bool:
    """Whether the corners and the middle of an image of `shape` are within `SAME_PX` in both."""
    ny, nx = shape
    x = np.array([0, nx - 1, 0, nx - 1, (nx - 1) / 2])
    y = np.array([0, 0, ny - 1, ny - 1, (ny - 1) / 2])
    return bool((_distance_px(other, np.array([x, y]), *_values(wcs, x, y)) <= SAME_PX).all())
