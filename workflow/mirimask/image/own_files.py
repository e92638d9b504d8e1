"""A person's own files as the files of an archive: image and segmentation.

Whatever the layout and unit they come in: an image with SCI in any extension or in the PRIMARY,
error and weight with it or in files of their own. What cannot be used is a MaskError that names
the file and the remedy. Catalogues: own_catalogues.
"""

import logging
import re
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from mirimask.atomic import replacing
from mirimask.errors import MaskError
from mirimask.image.frame import check_labels, empty_pixels
from mirimask.image.parts import MOST_PIXELS, strips
from mirimask.image.product import (
    StoredPlane,
    card_text,
    check_area,
    check_header,
    check_image,
    opened,
    read_plane,
    stored_plane,
    usable_planes,
)
from mirimask.image.statistics import IDENTITY
from mirimask.image.wcs import WCS_CARD, pixel_area_sr, read_wcs, same_sky, wcs_cards

__all__ = [
    "KEYWORDS",
    "SURFACE_BRIGHTNESS",
    "Planes",
    "brightness_factor",
    "read_image",
    "read_marked",
    "read_planes",
    "read_segmentation",
    "science_of",
    "segmentation_hdus",
    "warn_of_a_mask",
    "write_hdus",
]

_logger = logging.getLogger("mirimask.image.own_files")

# What the settings of an image are called in messages, where it is opened from Python.
KEYWORDS = {
    "crop": "rows= and columns=, or None",
    "filter_name": "filter_name='F770W'",
    "fwhm_arcsec": "fwhm_arcsec=0.15",
    "pixel_unit": "pixel_unit=",
    "weight": "weight_path=",
}

SURFACE_BRIGHTNESS = u.MJy / u.sr
# Share of the pixels with one value that no sky has: any value, the lowest or highest one, and the
# lowest where it is farther below all others than these are apart
FILL_SHARE, FILL_SHARE_AT_END, FILL_SHARE_FAR_BELOW = 0.2, 0.05, 0.001
# Share of zeros that is said where they may be the sky: with 1 % of its pixels empty here and
# there, an image has few circles without one, and its depth and point fluxes are of these alone
_ZERO_SHARE = 0.01
DO_NOT_USE = 1  # bit 0 of DQ
# Planes of a level-3 image, with those that begin with VAR_, and of a drizzled one of HST
_OTHER_PLANES = ("ERR", "WHT", "CON", "CTX", "DQ")
# Cards that say how an array is stored, or what and where its pixels are.
_ARRAY_CARDS = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|EXTEND|EXTNAME|EXTVER|GROUPS|BSCALE|BZERO|BLANK"
    r"|CHECKSUM|DATASUM|INHERIT|TFIELDS|THEAP|T(FORM|TYPE|UNIT|DIM|NULL|SCAL|ZERO|DISP)\d+"
)
# Of the image, which is the SCI extension's.
_UNIT_CARDS = ("BUNIT", "PIXAR_SR", "PIXAR_A2", "PHOTMJSR")


def _image_of(
    hdus: fits.HDUList, path: str | Path, names: tuple[str, ...], *, what: str
) -> fits.PrimaryHDU | fits.ImageHDU:
    """The extension of one of the names, else the PRIMARY or the only one with an image.

    Of several that it could be, the first, with a warning.
    """
    images = [hdu for hdu in hdus if getattr(hdu, "is_image", False)]
    named = next(
        (found for name in names if (found := [hdu for hdu in images if hdu.name.upper() == name])),
        [],
    )
    filled = [hdu for hdu in images if hdu.shape]
    hdu = named[0] if named else None
    if hdu is None and filled and (len(filled) == 1 or filled[0] is hdus[0]):
        hdu = filled[0]
    if hdu is None:
        there = ", ".join(f"{hdu.name or 'unnamed'} {hdu.shape}" for hdu in images)
        raise MaskError(
            f"{what} '{path}': has no {names[0]} extension, and no single image to take for it; "
            f"it has {there}. Name the extension {names[0]} (EXTNAME)."
        )
    if len(named) > 1 or (not named and len(filled) > 1):
        _logger.warning(
            "%s '%s': has %d images that could be meant; the first is used, HDU %d (%s).",
            *(what, path, len(named or filled), hdus.index(hdu), hdu.name or "unnamed"),
        )
    shape = hdu.shape or ()
    if len(shape) - shape.count(1) > 2 or len(shape) < 2:
        said = " x ".join(map(str, shape)) or "none"
        raise MaskError(
            f"{what} '{path}': its {hdu.name or 'image'} must have 2 axes, it has {said}. "
            "Give one plane in a file of its own."
        )
    return hdu


def _is_other(
    hdu: fits.PrimaryHDU | fits.ImageHDU, file: str | Path, image: str | Path, beside: Any
) -> str:
    """What the `hdu` that a file given for ERR or WHT has without their name is instead; else ''.

    Namely a plane of another name, the image, or the file `beside`, given for the other of the two.
    """
    plane = hdu.name.upper()
    if plane in _OTHER_PLANES or plane.startswith("VAR_"):
        return f"holds {plane}"
    if Path(file).samefile(image):
        return "is the image itself"
    if beside and Path(file).samefile(beside):
        return "is given for both errors and weights"
    return ""


def _plane(hdu: fits.PrimaryHDU | fits.ImageHDU, path: str | Path, what: str) -> NDArray:
    """The pixels of an image, two axes: those of one pixel are taken off."""
    return _of_two_axes(read_plane(hdu, path, what=what))


def _of_two_axes(data: NDArray) -> NDArray:
    """The data without axes of one pixel, while there are more than two."""
    while data.ndim > 2 and 1 in data.shape:
        data = data.squeeze(axis=data.shape.index(1))
    return data


def _flagged(
    hdus: fits.HDUList, path: str | Path, shape: tuple[int, ...], *, what: str
) -> NDArray[np.bool_] | None:
    """Where the DQ of an open file says that a pixel is not to be used; None where it has no DQ.

    One that is not of whole numbers, or of another shape than the image, is left out with a
    warning: its bits are not those of the image's pixels.
    """
    if not ("DQ" in hdus and hdus["DQ"].is_image and hdus["DQ"].shape):
        return None
    flags = _plane(hdus["DQ"], path, what)
    if flags.dtype.kind not in "iu" or flags.shape != shape:
        _logger.warning(
            "%s '%s': its DQ of %s has the shape %s, its image %s; DQ must be whole numbers of the "
            "image's shape, and is left out.",
            *(what, path, flags.dtype.name, flags.shape, shape),
        )
        return None
    return (flags & DO_NOT_USE).astype(bool)


def brightness_factor(unit: str, area_sr: float, *, what: str, remedy: str = "") -> float:
    """What pixels in `unit` are to be multiplied with to be in MJy/sr.

    `unit` is a surface brightness, or the flux in a pixel, whose solid angle is `area_sr`. It may
    be in other case, as some programs write it (JY/PIXEL, mJy/SR). MaskError, with the `remedy`,
    for any other unit: one that is not linear (mag, dex, dB) or not positive and finite.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of ways to write a unit
            parsed = _parsed_unit(unit)
        if not isinstance(parsed, u.UnitBase):  # a function of one, as mag(AB)
            raise ValueError
        if parsed.is_equivalent(u.Jy / u.pix):
            parsed = parsed * u.pix
        if parsed.is_equivalent(u.Jy):
            factor = float(parsed.to(u.MJy)) / area_sr
        else:
            factor = float(parsed.to(SURFACE_BRIGHTNESS))
        if not (np.isfinite(factor) and factor > 0):
            raise ValueError
    except (ValueError, TypeError, OverflowError, AttributeError, u.UnitConversionError):
        raise MaskError(
            f"{what}: its pixel unit '{unit}' is neither a surface brightness nor a flux on a "
            f"linear scale. Convert the image, or {remedy} ('MJy/sr', '10*nJy')."
        ) from None
    return factor


_WITHOUT_PREFIX = re.compile(r"(?<![A-Za-z])(SR|PIXEL|PIX|ARCSEC)(?![A-Za-z])", re.IGNORECASE)
_OF_A_LOWER_PREFIX = re.compile(r"(?<![A-Z])JY(?![A-Za-z])")


def _parsed_unit(text: str) -> u.UnitBase:
    """The unit of a text; in any case where as written it is none, but for mJy and MJy."""
    try:
        return u.Unit(text)
    except ValueError:
        # what has one case only, first: the prefix, whose case says milli or mega, stays
        mended = _WITHOUT_PREFIX.sub(lambda part: part[0].lower(), text)
        mended = _OF_A_LOWER_PREFIX.sub("Jy", mended)
        try:
            return u.Unit(mended)
        except ValueError:
            pass
        lower = text.lower()
        if re.search(r"\bmjy(?!\s*/\s*sr)", lower):
            raise  # milli or mega?
        lower = re.sub(r"\bmjy", "MJy", lower)  # of a steradian: nothing else is in use
        return u.Unit(re.sub(r"jy\b", "Jy", lower).replace("jansky", "Jansky"))


_LOOKED_AT = 1 << 20  # pixels that are enough to see that one value fills a twentieth of them


def _step_to_see(data: NDArray) -> int:
    """Every how many pixels are enough; odd: not the same columns of every row."""
    return -(-data.size // _LOOKED_AT) | 1


def _warn_of_fill(data: NDArray, empty: NDArray[np.bool_], *, what: str, remedy: str) -> None:
    """Say so where one value stands in so many pixels that it will mark those without data."""
    step = _step_to_see(data)
    looked_at = data.ravel()[::step][~empty.ravel()[::step]]
    values, counts = np.unique(looked_at, return_counts=True)
    if not counts.size:
        return
    # far below all others, a few rows of it are enough: of a sky the lowest value is hardly twice
    below = False
    if values.size > 1 and counts[0] > FILL_SHARE_FAR_BELOW * looked_at.size:
        low, high = np.percentile(looked_at[looked_at > values[0]], [1, 99])
        below = bool(0 < high - low < values[1] - values[0])
    most = 0 if below else counts.argmax()
    value = values[most]
    if step > 1 and not below and counts[most] < FILL_SHARE_AT_END * looked_at.size / 2:
        return
    seen = ~empty
    count = np.count_nonzero(seen & (data == value))
    at_end = value <= data.min(where=seen, initial=value) or value >= data.max(
        where=seen, initial=value
    )
    if below or count > (FILL_SHARE_AT_END if at_end else FILL_SHARE) * data.size:
        coarse = " If it is the sky, it is stored too coarsely for its noise to be measured."
        _logger.warning(
            "%s: the value %g fills %.2g %% of its pixels. If it stands where nothing was "
            "observed, set those to NaN, or %s of 0 there.%s",
            *(what, value, 100 * count / data.size, remedy),
            coarse if count > np.count_nonzero(seen) / 2 else "",
        )


def _warn_of_zeros(
    data: NDArray, empty: NDArray[np.bool_], *, whole: bool, what: str, remedy: str
) -> None:
    """Say so where zeros, taken as empty, may be the sky: of an image in steps, or cut off at 0.

    With values on both sides of 0 that are whole numbers in the file, scaled or not, where `whole`.
    """
    zeros = np.count_nonzero(data == 0)
    if zeros <= _ZERO_SHARE * data.size or not (data > 0).any():
        return
    below = (data < 0).any(where=~empty)
    if (whole or _in_steps(data, empty)) if below else _down_to_0(data):
        _logger.warning(
            "%s: its pixels of 0, %.0f %%, are taken as not observed. If 0 is a value of its sky, "
            "%s above 0 there.",
            *(what, 100 * zeros / data.size, remedy),
        )


def _down_to_0(data: NDArray) -> bool:
    """Whether the values above 0 go on down to it, by next to nothing or by a step of theirs."""
    others = data.ravel()[:: _step_to_see(data)]
    others = others[others > 0]
    if not others.size:
        return False
    low, middle = np.quantile(others, [0.01, 0.5])
    first, *more = np.unique(others)[:2].tolist()
    return bool(low < 0.05 * middle or (more and low < 2 * (more[0] - first)))


def _in_steps(data: NDArray, empty: NDArray[np.bool_]) -> bool:
    """Whether values beside 0 are about as frequent as 0, as in an image that was rounded.

    Of continuous values hardly two are the same, however many zeros fill the image. Looked at is
    the hundredth of the others that is nearest to 0. Of a sky around 0 it holds the whole step
    beside 0; of a sky far from 0 next to nothing of any step, for zeros are a fill value there. A
    tenth of the zeros is enough: some of them may be a fill value too.
    """
    step = _step_to_see(data)
    some = data.ravel()[::step]
    others = some[~empty.ravel()[::step]]
    if not others.size:
        return False
    distance = np.abs(others)
    counts = np.unique(others[distance <= np.quantile(distance, 0.01)], return_counts=True)[1]
    return bool(counts.max() >= max(2, np.count_nonzero(some == 0) / 10))


class Planes(NamedTuple):
    """An image as `read_planes` reads it.

    `primary` and `header` are those of its PRIMARY and SCI, `data` (ny, nx) float32 in MJy/sr,
    `empty` (ny, nx) bool where nothing was observed, `error` and `weight` (ny, nx) float32 or None.
    An error that stays in its file is a `product.StoredPlane`.
    """

    primary: fits.Header
    header: fits.Header
    data: NDArray[np.float32]
    empty: NDArray[np.bool_]
    error: Any
    weight: NDArray[np.float32] | None


def read_image(path: str | Path, **options: Any) -> fits.HDUList:
    """Read an image as an i2d: PRIMARY, SCI (float32, MJy/sr) and, where known, ERR and WHT.

    What is read, and how, `read_planes` says; so it does of the options. Where without a WHT other
    pixels would be taken for empty than are, a WHT of 1 and 0 says which are.
    """
    read = read_planes(path, **options)
    alone = empty_pixels(read.data, error=read.error, weight=read.weight)
    if not np.array_equal(alone, read.empty):
        read = read._replace(weight=(~read.empty).astype(np.float32))
    made = fits.HDUList([fits.PrimaryHDU(header=read.primary)])
    made.append(fits.ImageHDU(read.data, read.header, "SCI"))
    for name, plane in (("ERR", read.error), ("WHT", read.weight)):
        if plane is not None:
            made.append(fits.ImageHDU(plane, name=name))
    if read.error is not None:
        made["ERR"].header["BUNIT"] = "MJy/sr"
    return made


def read_planes(
    path: str | Path,
    *,
    error_path: str | Path | None = None,
    weight_path: str | Path | None = None,
    pixel_unit: str = "",
    filter_name: str = "",
    observation_id: str = "",
    image: str = "",
    keep: Collection[str] = ("ERR", "WHT"),
    in_file: bool = False,
    settings: Mapping[str, str] = KEYWORDS,
) -> Planes:
    """Read an image: pixels in MJy/sr, which of them are empty and, where known, error and weight.

    SCI is the extension of that name, else the PRIMARY or the only image of the file. ERR and WHT
    come from files of their own where given, else from the file's extensions; one that says nothing
    is left out (`product.usable_planes`). ERR is in the unit of the image, but where it has another
    BUNIT of its own (in its extension, or in the PRIMARY of its own file) that can be converted.
    Without ERR and WHT zeros are empty, but not in a file of whole numbers with BLANK, which says
    what is; a warning says where they may be the sky. NaN stays NaN, and what the file's own DQ
    flags DO_NOT_USE becomes NaN: in bad pixels of an exposure a value may stand that is as bright
    as a star.
    The WCS may be in any notation (see `wcs.read_wcs`) and is written in one, with PIXAR_SR of its
    pixels. `pixel_unit` replaces BUNIT. What identifies the image is taken from the header of SCI
    where the PRIMARY has it not. `filter_name` becomes FILTER where neither has one; another
    FILTER, or another OBS_ID than `observation_id`, is a MaskError. `image` is the code of the
    image in the table of images, where it is from there; else `settings` is how messages call these
    options.
    ERR and WHT that are not among those to `keep` only tell which pixels are empty. The planes are
    read one after the other; with `in_file`, the ERR of a mosaic stays in its file where it can.

    MaskError: no such file, not FITS, truncated, no 2-D image, no celestial WCS, a unit that cannot
    be converted, no finite pixel that may be used, one value only, an error or weight of another
    shape.
    """
    what = f"{image}: i2d" if image else "i2d"
    named = f"{what} '{path}'"
    option = f"give its unit ({settings['pixel_unit']})"
    weight_option = f"give a weight ({settings['weight']})"
    if image:
        option = "set pixel_unit in the table of images"
        weight_option = "give 'wht' in the table of images"
    with opened(path, what=what, planes=()) as hdus:
        science = _image_of(hdus, path, ("SCI",), what=what)
        whole, blank = science.header["BITPIX"] > 0, "BLANK" in science.header
        data, header = _plane(science, path, what), science.header.copy()
        primary = hdus[0].header.copy()
        known = ("INSTRUME", "FILTER", "PUPIL", "BUNIT", "SIMULATD", "CAL_VER", "CRDS_CTX")
        for key in (*known, *IDENTITY.values()):
            if key in header and key not in primary:
                primary.append(header.cards[key])
        wcs = read_wcs(header, data.shape, what=named)
        area = pixel_area_sr(wcs, (data.shape[1] - 1) / 2, (data.shape[0] - 1) / 2)
        image_unit = str(header.get("BUNIT") or primary.get("BUNIT") or "").strip()
        unit = pixel_unit or image_unit
        if not unit:
            raise MaskError(
                f"{named}: its header has no BUNIT; {option} ('MJy/sr', '10*nJy' for 10 nJy in a "
                "pixel)."
            )
        factor = brightness_factor(unit, area, what=named, remedy=option)
        check_area(header.get("PIXAR_SR"), area, what=named)
        check_image(data, what=named)
        if filter_name and not str(primary.get("FILTER") or "").strip():
            primary["FILTER"] = filter_name = card_text(filter_name)
        check_header(
            primary,
            filter_name=filter_name,
            observation_id=observation_id,
            what=named,
            table=bool(image),
        )
        flagged = _flagged(hdus, path, data.shape, what=what)
        if flagged is not None and flagged.any():
            data = data.astype(np.result_type(data.dtype, np.float32), copy=False)
            data[flagged] = np.nan
            check_image(data, what=f"{named} without what its DQ flags DO_NOT_USE")
        del flagged

        def factor_of(name: str, hdu: Any, first: Any, label: str) -> float:
            """What an ERR is to be multiplied with: by its own BUNIT, else as the image.

            One that is the image's own is that of the image, whatever `pixel_unit` makes of it.
            """
            its = str(hdu.header.get("BUNIT") or first.header.get("BUNIT") or "").strip()
            if name != "ERR" or its in ("", image_unit):
                return factor
            try:
                return brightness_factor(its, area, what=label)
            except MaskError:
                _logger.warning(
                    "%s: its BUNIT is '%s', which is no brightness; it is taken to be in the "
                    "image's unit.",
                    *(label, its),
                )
                return factor

        def other_plane(
            name: str, other: str | Path | None
        ) -> tuple[NDArray[np.float32] | None, StoredPlane | None, float]:
            """ERR or WHT, from a file of its own or from the image's; None where there is none.

            And where it can stay in its file, and what an ERR is to be multiplied with.
            """
            if other:
                beside = weight_path if name == "ERR" else error_path
                label = f"{image}: {name.lower()}" if image else name.lower()
                with opened(other, what=label, planes=()) as apart:
                    hdu = _image_of(apart, other, (name, "SCI"), what=label)
                    if hdu.name.upper() != name and (it := _is_other(hdu, other, path, beside)):
                        raise MaskError(
                            f"{label} '{other}': {it}, and has no {name}; give the file that holds "
                            "it, or none."
                        )
                    times = factor_of(name, hdu, apart[0], f"{label} '{other}'")
                    plane, stored = _plane(hdu, other, label), stored_plane(hdu, other, times)
            elif name in hdus and hdus[name].is_image and hdus[name].shape:
                hdu = hdus[name]
                times = factor_of(name, hdu, hdu, f"{named}: {name}")
                plane, stored = _plane(hdu, path, what), stored_plane(hdu, path, times)
            else:
                return None, None, factor
            if plane.shape != data.shape:
                raise MaskError(
                    f"{image + ': ' if image else ''}{name.lower()} '{other or path}' has the "
                    f"shape {plane.shape}, the image '{path}' has {data.shape}; they must be of "
                    "the same frame."
                )
            return plane.astype(np.float32, copy=False), stored, times

        # one after the other, so that no more than two planes are in memory
        read, stored, of_its_own = other_plane("ERR", error_path)
        of = named if error_path is None else f"error '{error_path}'"
        error: Any = usable_planes(read, None, what=of)[0]
        del read
        of_error = None if error is None else empty_pixels(data, error=error)
        if "ERR" not in keep:
            error = None
        elif error is not None:
            if in_file and stored is not None and data.size > MOST_PIXELS:
                error = stored
            else:
                error *= np.float32(of_its_own)
        of = named if weight_path is None else f"weight '{weight_path}'"
        _, weight = usable_planes(None, other_plane("WHT", weight_path)[0], what=of)
    empty = of_error
    if of_error is None and weight is None and whole and blank:
        empty = ~np.isfinite(data)  # BLANK says what was not observed: 0 is a value
    elif empty is None or weight is not None:
        empty = empty_pixels(data, weight=weight)
        if of_error is not None:
            empty |= of_error
        elif weight is None:
            _warn_of_zeros(data, empty, whole=whole, what=named, remedy=weight_option)
    if "WHT" not in keep:
        weight = None
    _warn_of_fill(data, empty, what=named, remedy=weight_option)
    data = _scaled(data, factor)
    for part in strips(data.shape):  # what is beyond float32 is infinite now
        empty[part] |= ~np.isfinite(data[part])
    check_image(data, what=f"{named} in MJy/sr")

    for card in [*primary]:
        if _ARRAY_CARDS.fullmatch(card) or WCS_CARD.fullmatch(card) or card in _UNIT_CARDS:
            primary.remove(card, ignore_missing=True, remove_all=True)
    header = _science_header(header, wcs, data.shape, named)
    header["BUNIT"] = "MJy/sr"
    header["PIXAR_SR"] = (area, "[sr] solid angle of a pixel")
    header["PIXAR_A2"] = (area * u.sr.to(u.arcsec**2), "[arcsec2] the same")
    return Planes(primary, header, data, empty, error, weight)


def _scaled(data: NDArray, factor: float) -> NDArray[np.float32]:
    """The data times a factor in float32, multiplied in float64; in place where they are that."""
    if factor == 1 and data.dtype == np.float32:
        return data
    scaled = data if data.dtype == np.float32 else np.empty(data.shape, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for row, out in zip(data, scaled, strict=True):
            out[...] = row.astype(np.float64) * factor
    return scaled


def _science_header(
    header: fits.Header, wcs: WCS, shape: tuple[int, int], what: str
) -> fits.Header:
    """What a header says, with its WCS in one notation."""
    kept = fits.Header()
    for card in header.cards:
        if not (_ARRAY_CARDS.fullmatch(card.keyword) or WCS_CARD.fullmatch(card.keyword)):
            kept.append(card)
    try:
        kept.update(wcs_cards(wcs, shape))
    except MaskError as error:
        raise MaskError(f"{what}: {error}") from None
    if not same_sky(wcs, read_wcs(kept, shape, what=what), shape):
        raise MaskError(
            f"{what}: its WCS cannot be written in one notation; resample the image to a plain "
            "projection (TAN)."
        )
    return kept


def science_of(
    hdus: fits.HDUList, path: str | Path, *, what: str = "image"
) -> tuple[fits.PrimaryHDU | fits.ImageHDU, tuple[int, int]]:
    """The image of an open file, the one that `read_planes` reads, and its shape of two axes.

    MaskError where there is none, several could be meant, or it has more axes.
    """
    hdu = _image_of(hdus, path, ("SCI",), what=what)
    ny, nx = _of_two_axes(hdu.data).shape
    return hdu, (ny, nx)


def read_segmentation(
    path: str | Path, shape: tuple[int, int], *, image: str = ""
) -> NDArray[np.uint32]:
    """Read labels, uint32 of `shape`, 0 = background; from SCI, the PRIMARY or the only image.

    MaskError: no such file, not FITS, not whole numbers from 0 to below 2**31, or another shape.
    """
    what = f"{image}: segm" if image else "segm"
    with opened(path, what=what, planes=()) as hdus:
        data = _plane(_image_of(hdus, path, ("SCI", "SEGM", "SEG"), what=what), path, what)
    if data.shape != shape:
        raise MaskError(
            f"{what} '{path}' has the shape {data.shape}, the image has {shape}; give the "
            "segmentation of this frame, or none: then it is made."
        )
    data = _whole_numbers(
        data, f"{what} '{path}': its pixels are not labels (whole numbers from 0)."
    )
    check_labels(data, what=f"{what} '{path}'")
    return data.astype(np.uint32)


def warn_of_a_mask(labels: NDArray[np.integer] | NDArray[np.bool_], *, what: str) -> None:
    """Say so where labels (ny, nx) know one source only, as those of a mask of 0 and 1 do."""
    if labels.max(initial=0) == 1:
        _logger.warning(
            "%s: all its %d marked pixels have the number 1, so they are one source. If it is a "
            "mask, number its spots (scipy.ndimage.label).",
            *(what, np.count_nonzero(labels)),
        )


def _whole_numbers(data: NDArray, refusal: str) -> NDArray:
    """The data with 0 where they are not finite; MaskError where others are not whole, from 0."""
    broken = False
    if data.dtype.kind == "f":
        data = np.where(np.isfinite(data), data, 0)
        broken = (data != np.floor(data)).any()
    if broken or (data < 0).any():
        raise MaskError(refusal)
    return data


def read_marked(
    path: str | Path, *, what: str = "mask"
) -> tuple[NDArray[np.bool_], WCS, fits.Header]:
    """Which pixels a mask or a label image marks (above 0), (ny, nx) bool; its WCS; its PRIMARY.

    From MASK, SCI, the PRIMARY or the only image; pixels that are not finite are not marked.
    MaskError: no such file, not FITS, not whole numbers from 0, no celestial WCS, which a mask is
    placed by.
    """
    with opened(path, what=what) as hdus:
        hdu = _image_of(hdus, path, ("MASK", "SCI", "SEGM", "SEG"), what=what)
        data = _plane(hdu, path, what)
        named = f"{what} '{path}'"
        data = _whole_numbers(
            data,
            f"{named}: its pixels are not those of a mask or of labels (whole numbers from 0). "
            "Give the mask of an image, not the image.",
        )
        return data > 0, read_wcs(hdu.header, data.shape, what=named), hdus[0].header.copy()


def segmentation_hdus(labels: NDArray[np.uint32], i2d: fits.HDUList) -> fits.HDUList:
    """The labels of an image in the layout of a `_segm.fits`: PRIMARY, SCI with the image's WCS."""
    hdu = fits.ImageHDU(labels.astype(np.uint32), name="SCI")
    wcs = read_wcs(i2d["SCI"].header, labels.shape, what="i2d")
    hdu.header.update(wcs_cards(wcs, labels.shape))
    return fits.HDUList([fits.PrimaryHDU(header=i2d[0].header), hdu])


def write_hdus(path: str | Path, hdus: fits.HDUList) -> None:
    """Write a FITS file, whole or not at all."""
    with replacing(path) as temporary:
        hdus.writeto(temporary)
