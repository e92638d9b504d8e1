"""A person's own files as the files of an archive: image and segmentation.

Whatever the layout and unit they come in: an image with SCI in any extension or in the PRIMARY,
error and weight with it or in files of their own. What cannot be used is a MaskError that names
the file and the remedy. Catalogues: own_catalogues.
"""

import logging
import re
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.wcs.utils import proj_plane_pixel_area
from numpy.typing import NDArray

from mirimask.atomic import replacing
from mirimask.errors import MaskError
from mirimask.frame import celestial_wcs
from mirimask.product import check_header, check_image, opened

__all__ = [
    "SURFACE_BRIGHTNESS",
    "brightness_factor",
    "pixel_area_sr",
    "read_image",
    "read_segmentation",
    "segmentation_hdus",
    "write_hdus",
]

_logger = logging.getLogger("mirimask.local")

SURFACE_BRIGHTNESS = u.MJy / u.sr
# Cards that say how an array is stored, or what and where its pixels are.
_ARRAY_CARDS = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|EXTEND|EXTNAME|EXTVER|GROUPS|BSCALE|BZERO"
    r"|CHECKSUM|DATASUM|INHERIT"
)
# Not to be left behind in a PRIMARY whose image becomes the SCI extension.
_UNIT_CARDS = ("BUNIT", "PIXAR_SR", "PIXAR_A2", "PHOTMJSR")


def _image_of(
    hdus: fits.HDUList, path: str | Path, names: tuple[str, ...], *, what: str
) -> fits.PrimaryHDU | fits.ImageHDU:
    """The extension of one of the names, else the PRIMARY or the only one with an image."""
    images = [hdu for hdu in hdus if getattr(hdu, "is_image", False)]
    hdu = next((hdu for name in names for hdu in images if hdu.name == name), None)
    filled = [hdu for hdu in images if hdu.data is not None]
    if hdu is None and filled and (len(filled) == 1 or filled[0] is hdus[0]):
        hdu = filled[0]
    if hdu is None:
        found = ", ".join(f"{hdu.name or 'unnamed'} {hdu.shape}" for hdu in images)
        raise MaskError(
            f"{what} '{path}': has no {names[0]} extension, and no single image to take for it; "
            f"it has {found}. Name the extension {names[0]} (EXTNAME)."
        )
    if hdu.data is None or hdu.data.ndim != 2:
        shape = "none" if hdu.data is None else " x ".join(map(str, hdu.data.shape))
        raise MaskError(
            f"{what} '{path}': its {hdu.name or 'image'} must have 2 axes, it has {shape}. "
            "Give one plane in a file of its own."
        )
    return hdu


def pixel_area_sr(header: fits.Header) -> float:
    """Solid angle of a pixel in steradian: PIXAR_SR, else from the celestial WCS."""
    area = header.get("PIXAR_SR")
    if isinstance(area, int | float) and area > 0:
        return float(area)
    return float(proj_plane_pixel_area(celestial_wcs(header)) * (u.deg**2).to(u.sr))


def brightness_factor(header: fits.Header, *, unit: str, what: str) -> float:
    """What the pixels are to be multiplied with to be in MJy/sr.

    `unit` (else BUNIT) is a surface brightness, or the flux in a pixel, whose solid angle is then
    PIXAR_SR or that of the WCS. MaskError for any other unit and where there is none.
    """
    text = unit or str(header.get("BUNIT", "")).strip()
    if not text:
        raise MaskError(
            f"{what}: its header has no BUNIT; set pixel_unit in the table of images "
            "('MJy/sr', '10*nJy' for 10 nJy in a pixel)."
        )
    try:
        parsed = u.Unit(text)
        if parsed.is_equivalent(u.Jy / u.pix):
            parsed = parsed * u.pix
        if parsed.is_equivalent(u.Jy):
            return float(parsed.to(u.MJy)) / pixel_area_sr(header)
        return float(parsed.to(SURFACE_BRIGHTNESS))
    except (ValueError, TypeError, u.UnitConversionError):
        raise MaskError(
            f"{what}: its pixel unit '{text}' is neither a surface brightness nor a flux. Convert "
            "the image, or set pixel_unit in the table of images ('MJy/sr', '10*nJy')."
        ) from None


def read_image(
    path: str | Path,
    *,
    error_path: str | Path | None = None,
    weight_path: str | Path | None = None,
    pixel_unit: str = "",
    filter_name: str = "",
    observation_id: str = "",
    image: str = "",
) -> fits.HDUList:
    """Read an image as an i2d: PRIMARY, SCI (float32, MJy/sr) and, where known, ERR and WHT.

    SCI is the extension of that name, else the PRIMARY or the only image of the file. ERR (unit of
    the image) and WHT come from files of their own where given, else from the file's extensions.
    NaN stays NaN. `pixel_unit` replaces BUNIT. `filter_name` becomes FILTER where the header has
    none; another FILTER, or another OBS_ID than `observation_id`, is a MaskError.

    MaskError: no such file, not FITS, truncated, no 2-D image, no celestial WCS, a unit that cannot
    be converted, no finite pixel, one value only, an error or weight of another shape.
    """
    what = f"{image}: i2d" if image else "i2d"
    with opened(path, what=what) as hdus:
        science = _image_of(hdus, path, ("SCI",), what=what)
        data, header = np.asarray(science.data), science.header.copy()
        primary = hdus[0].header.copy()
        found = {
            name: np.asarray(hdus[name].data, dtype=np.float32)
            for name in ("ERR", "WHT")
            if name in {hdu.name for hdu in hdus} and hdus[name].data is not None
        }
    named = f"{what} '{path}'"
    try:
        celestial = celestial_wcs(header)
    except Exception as error:  # wcslib's own kinds
        raise MaskError(f"{named}: its WCS cannot be read ({error}).") from None
    if celestial.naxis != 2:
        raise MaskError(
            f"{named}: its {science.name or 'image'} has no celestial WCS (CTYPE, CRVAL, CRPIX, "
            "scale), so that no source can be placed on it. Add one to its header."
        )
    factor = brightness_factor(header, unit=pixel_unit, what=named)
    header["PIXAR_SR"] = (pixel_area_sr(header), "[sr] solid angle of a pixel")
    check_image(data, what=named)
    if filter_name and not primary.get("FILTER"):
        primary["FILTER"] = filter_name
    check_header(primary, filter_name=filter_name, observation_id=observation_id, what=named)

    for name, other in (("ERR", error_path), ("WHT", weight_path)):
        if other:
            label = f"{image}: {name.lower()}" if image else name.lower()
            with opened(other, what=label) as hdus:
                hdu = _image_of(hdus, other, (name, "SCI"), what=label)
                found[name] = np.asarray(hdu.data, dtype=np.float32)
        if name in found and found[name].shape != data.shape:
            raise MaskError(
                f"{image + ': ' if image else ''}{name.lower()} '{other or path}' has the shape "
                f"{found[name].shape}, the image '{path}' has {data.shape}; they must be of the "
                "same frame."
            )
    if "ERR" in found:
        found["ERR"] = found["ERR"] * np.float32(factor)

    for card in [*primary]:
        if _ARRAY_CARDS.fullmatch(card) or (science.name == "PRIMARY" and card in _UNIT_CARDS):
            primary.remove(card, ignore_missing=True, remove_all=True)
    made = fits.HDUList([fits.PrimaryHDU(header=primary)])
    arrays = {"SCI": np.asarray(data, dtype=np.float64) * factor, **found}
    for name, array in arrays.items():
        hdu = fits.ImageHDU(np.asarray(array, dtype=np.float32), name=name)
        if name == "SCI":
            cards = [card for card in header.cards if not _ARRAY_CARDS.fullmatch(card.keyword)]
            hdu.header.extend(cards, unique=False, bottom=True)
            hdu.header["BUNIT"] = "MJy/sr"
        elif name == "ERR":
            hdu.header["BUNIT"] = "MJy/sr"
        made.append(hdu)
    return made


def read_segmentation(
    path: str | Path, shape: tuple[int, int], *, image: str = ""
) -> NDArray[np.uint32]:
    """Read labels, uint32 of `shape`, 0 = background; from SCI, the PRIMARY or the only image.

    MaskError: no such file, not FITS, not whole numbers from 0, or another shape.
    """
    what = f"{image}: segm" if image else "segm"
    with opened(path, what=what) as hdus:
        data = np.asarray(_image_of(hdus, path, ("SCI", "SEGM", "SEG"), what=what).data)
    if data.shape != shape:
        raise MaskError(
            f"{what} '{path}' has the shape {data.shape}, the image has {shape}; give the "
            "segmentation of this frame, or none: then it is made."
        )
    broken = False
    if data.dtype.kind == "f":
        data = np.where(np.isfinite(data), data, 0)
        broken = (data != np.floor(data)).any()
    if broken or (data < 0).any() or data.max() >= 2**32:
        raise MaskError(f"{what} '{path}': its pixels are not labels (whole numbers from 0).")
    return data.astype(np.uint32)


def segmentation_hdus(labels: NDArray[np.uint32], i2d: fits.HDUList) -> fits.HDUList:
    """The labels of an image in the layout of a `_segm.fits`: PRIMARY, SCI with the image's WCS."""
    hdu = fits.ImageHDU(labels.astype(np.uint32), name="SCI")
    hdu.header.update(celestial_wcs(i2d["SCI"].header).to_header(relax=True))
    return fits.HDUList([fits.PrimaryHDU(header=i2d[0].header), hdu])


def write_hdus(path: str | Path, hdus: fits.HDUList) -> None:
    """Write a FITS file, whole or not at all."""
    with replacing(path) as temporary:
        hdus.writeto(temporary)
