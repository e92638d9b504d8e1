"""The frame of an image: what is read from an i2d, and the crop that everything works on."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from mirimask.atomic import replacing
from mirimask.errors import MaskError
from mirimask.memory import give_back

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = [
    "Frame",
    "celestial_wcs",
    "crop_frame",
    "empty_pixels",
    "frame_of",
    "pixels",
    "read_crop",
    "read_frame",
    "read_science",
    "shifted_wcs",
    "whole_frame",
    "write_crop",
    "write_mask",
    "write_whole_mask",
]


@dataclass(frozen=True)
class Frame:
    """An image or a crop of one.

    `data` is (ny, nx) float32 in MJy/sr as the product has it; `empty` (ny, nx) bool is True where
    nothing was observed; `error` and `weight` are (ny, nx) float32 or None. `primary` and `header`
    are the headers of the product and of its SCI extension (with the WCS of `data`).
    """

    data: NDArray[np.float32]
    empty: NDArray[np.bool_]
    error: NDArray[np.float32] | None
    weight: NDArray[np.float32] | None
    primary: fits.Header
    header: fits.Header

    @property
    def masked(self) -> NDArray[np.float32]:
        """`data` with NaN in the empty pixels, whatever the product filled them with."""
        return np.where(self.empty, np.float32(np.nan), self.data)

    @property
    def pixel_scale(self) -> float:
        """Pixel scale of the SCI WCS in arcseconds (geometric mean of both axes)."""
        return float(self.primary["PIXSCALE"])

    @property
    def fwhm_px(self) -> float:
        """Full width at half maximum of the PSF in pixels."""
        return float(self.primary["PSFFWHM"])

    @property
    def simulated(self) -> bool:
        return bool(self.primary.get("SIMULATD", False))


def celestial_wcs(header: fits.Header) -> "WCS":
    """The celestial part of a header's WCS, without the warnings of cards that wcslib completes."""
    from astropy.wcs import WCS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return WCS(header).celestial


def pixels(size: str, pixel_scale: float, *, fwhm_px: float | None = None) -> float:
    """Turn a size such as '18 px' or '1.98 arcsec' into pixels of `pixel_scale` arcseconds.

    Where `fwhm_px`, the width of the PSF, is given, '10 fwhm' is one too. MaskError for others.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?) (px|arcsec|fwhm)", size)
    if match is not None and match[2] == "fwhm" and fwhm_px is not None:
        return float(match[1]) * fwhm_px
    if match is None or match[2] == "fwhm":
        raise MaskError(f"'{size}' is not a size; write '18 px' or '1.98 arcsec'.")
    return float(match[1]) / (1.0 if match[2] == "px" else pixel_scale)


def empty_pixels(
    data: NDArray[np.floating],
    *,
    error: NDArray[np.floating] | None = None,
    weight: NDArray[np.floating] | None = None,
) -> NDArray[np.bool_]:
    """Where a resampled image holds no observation; same shape as `data`.

    Not finite, or of weight 0, or with an error of NaN together with a fill value of 0: products
    made before jwst 1.15.0 filled empty pixels with 0, later ones with NaN.
    """
    empty = ~np.isfinite(data)
    if weight is not None:
        empty |= weight == 0
    if error is not None:
        empty |= np.isnan(error) & (data == 0)
    if weight is None and error is None:
        empty |= data == 0
    return empty


def _plane(hdus: fits.HDUList, name: str) -> NDArray[np.float32]:
    """An image extension as float32; the HDU no longer holds it then."""
    plane = np.array(hdus[name].data, dtype=np.float32)
    del hdus[name].data
    return plane


def read_science(path: str | Path) -> NDArray[np.float32]:
    """The SCI array of an archive file alone, (ny, nx) float32."""
    with fits.open(path, memmap=False) as hdus:
        return np.array(hdus["SCI"].data, dtype=np.float32)


def frame_of(hdus: fits.HDUList, *, what: str, planes: bool = True) -> Frame:
    """The frame that the HDUs of an i2d hold: PRIMARY, SCI and, where they are, ERR and WHT.

    Without `planes`, ERR and WHT only tell which pixels are empty, and are None in the frame. The
    HDUs no longer hold what was read.
    Raises MaskError, with `what` the file is called, without an SCI image with a celestial WCS.
    """
    from astropy.wcs.utils import proj_plane_pixel_scales

    names = {hdu.name for hdu in hdus}
    if "SCI" not in names or hdus["SCI"].data is None or hdus["SCI"].data.ndim != 2:
        raise MaskError(f"{what}: no two-dimensional SCI image in it.")
    primary, header = hdus[0].header.copy(), hdus["SCI"].header.copy()
    wcs = celestial_wcs(header)
    if wcs.naxis != 2:
        raise MaskError(f"{what}: the SCI header has no celestial WCS; sources cannot be placed.")
    primary["PIXSCALE"] = (
        float(np.sqrt(np.prod(proj_plane_pixel_scales(wcs))) * 3600),
        "[arcsec] pixel scale",
    )
    data = _plane(hdus, "SCI")
    error, weight = (_plane(hdus, name) if name in names else None for name in ("ERR", "WHT"))
    empty = empty_pixels(data, error=error, weight=weight)
    if not planes:
        error = weight = None
    return Frame(data, empty, error, weight, primary, header)


def read_frame(path: str | Path, *, planes: bool = True) -> Frame:
    """Read the archive's i2d (PRIMARY, SCI and, where it has them, ERR and WHT; see `frame_of`).

    Raises MaskError where the file cannot be read or has no SCI image with a celestial WCS.
    """
    try:
        with fits.open(path, memmap=False) as hdus:  # mapped pages would count beside their copies
            frame = frame_of(hdus, what=str(path), planes=planes)
    except OSError as problem:
        raise MaskError(f"{path}: cannot be read as FITS ({problem}).") from None
    give_back()  # the planes as they were in the file
    return frame


def shifted_wcs(header: fits.Header, *, row: int, column: int) -> fits.Header:
    """The header of an image that starts at (row, column) of the one that `header` describes."""
    shifted = header.copy()
    shifted["CRPIX1"] = header.get("CRPIX1", 0.0) - column
    shifted["CRPIX2"] = header.get("CRPIX2", 0.0) - row
    return shifted


def crop_frame(
    frame: Frame, *, rows: tuple[int, int] | None, columns: tuple[int, int] | None, image: str
) -> Frame:
    """Cut `data[rows, columns]` out of a frame (paper, section 2.1); None keeps the whole axis.

    Raises MaskError where the frame is too small for it, or where the crop holds no finite pixel
    or only one value.
    """
    ny, nx = frame.data.shape
    (y0, y1), (x0, x1) = rows or (0, ny), columns or (0, nx)
    if not (0 <= y0 < y1 <= ny and 0 <= x0 < x1 <= nx):
        raise MaskError(
            f"{image}: the crop of rows {y0} to {y1} and columns {x0} to {x1} does not fit into "
            f"its frame of {ny} rows and {nx} columns. Set 'crop' in the configuration, or null "
            "for the whole frame."
        )
    window = np.s_[y0:y1, x0:x1]
    seen = frame.data[window][~frame.empty[window]]
    if seen.size == 0:
        raise MaskError(f"{image}: every pixel of the crop is empty; choose another 'crop'.")
    if seen.min() == seen.max():
        raise MaskError(f"{image}: all pixels of the crop have the value {seen.min()}; no image.")
    del seen  # before the crop's planes are beside the frame's
    give_back()
    primary = frame.primary.copy()
    primary["IMAGE"] = (image, "code of the image in this study")
    primary["CROPX0"] = (x0, "first column of the crop in the frame, 0-based")
    primary["CROPY0"] = (y0, "first row of the crop in the frame, 0-based")
    primary["FRAMENX"] = (nx, "columns of the frame")
    primary["FRAMENY"] = (ny, "rows of the frame")

    def cut(plane: NDArray) -> NDArray:
        part = plane[window]
        return part if part.size == plane.size else part.copy()  # without the frame behind it

    return Frame(
        cut(frame.data),
        cut(frame.empty),
        None if frame.error is None else cut(frame.error),
        None if frame.weight is None else cut(frame.weight),
        primary,
        shifted_wcs(frame.header, row=y0, column=x0),
    )


def whole_frame(crop: Frame, array: NDArray) -> tuple[NDArray, fits.Header]:
    """An array of the crop's shape in its place in the frame, 0 around it, and the frame's WCS.

    Returns an array of the shape of the image that the crop was cut from, of `array`'s dtype, and
    the header that describes its pixels.
    """
    y0, x0 = crop.primary["CROPY0"], crop.primary["CROPX0"]
    placed = np.zeros((crop.primary["FRAMENY"], crop.primary["FRAMENX"]), array.dtype)
    placed[y0 : y0 + array.shape[0], x0 : x0 + array.shape[1]] = array
    return placed, _wcs_cards(shifted_wcs(crop.header, row=-y0, column=-x0))


def _image_hdu(data: NDArray, header: fits.Header, name: str) -> fits.ImageHDU:
    """An image extension with the WCS cards of `header`."""
    return fits.ImageHDU(data, header=_wcs_cards(header), name=name)


def _wcs_cards(header: fits.Header) -> fits.Header:
    """The cards of `header` that say what the pixels are and where, without those of the file."""
    kept = fits.Header()
    pattern = re.compile(
        r"WCSAXES|C(RPIX|RVAL|TYPE|UNIT|DELT)[12]|(PC|CD)[12]_[12]|L(ON|AT)POLE|RADESYS|EQUINOX"
        r"|[AB]P?_(ORDER|\d_\d)|PV\d_\d+|BUNIT|PIXAR_(SR|A2)|PHOTMJSR"
    )
    for card in header.cards:
        if pattern.fullmatch(card.keyword):
            kept.append(card)
    return kept


def write_crop(path: str | Path, crop: Frame) -> None:
    """Write a crop as PRIMARY, SCI, EMPTY (uint8) and, where it has them, ERR and WHT."""
    hdus = fits.HDUList([fits.PrimaryHDU(header=crop.primary)])
    hdus.append(_image_hdu(crop.data, crop.header, "SCI"))
    hdus.append(fits.ImageHDU(crop.empty.astype(np.uint8), name="EMPTY"))
    for array, name in ((crop.error, "ERR"), (crop.weight, "WHT")):
        if array is not None:
            hdus.append(fits.ImageHDU(array, name=name))
    with replacing(path) as temporary:
        hdus.writeto(temporary)


def read_crop(path: str | Path, *, planes: bool = True) -> Frame:
    """Read what `write_crop` wrote; without `planes`, no ERR and WHT: they are None."""
    # mapped pages of all planes count until the file is closed
    with fits.open(path, memmap=not planes) as hdus:
        names = {hdu.name for hdu in hdus} if planes else set()
        crop = Frame(
            _plane(hdus, "SCI"),
            np.array(hdus["EMPTY"].data, dtype=bool),
            _plane(hdus, "ERR") if "ERR" in names else None,
            _plane(hdus, "WHT") if "WHT" in names else None,
            hdus[0].header.copy(),
            hdus["SCI"].header.copy(),
        )
    give_back()  # the planes as they were in the file
    return crop


def write_mask(path: str | Path, mask: NDArray[np.bool_], crop: Frame, **made: object) -> None:
    """Write a mask as uint8 with the WCS of its crop; `made` become header keywords."""
    _write_mask(path, mask, _wcs_cards(crop.header), crop, made)


def write_whole_mask(
    path: str | Path, mask: NDArray[np.bool_], crop: Frame, **made: object
) -> None:
    """Write a mask of a crop in the frame of the image it was cut from, 0 around the crop."""
    _write_mask(path, *whole_frame(crop, mask), crop, made)


def _write_mask(
    path: str | Path,
    mask: NDArray[np.bool_],
    header: fits.Header,
    crop: Frame,
    made: dict[str, object],
) -> None:
    primary = fits.Header()
    for key in ("IMAGE", "SIMULATD", "OBS_ID", "FILTER", "CROPX0", "CROPY0"):
        if key in crop.primary:
            primary.append(crop.primary.cards[key])
    for key, value in made.items():
        if value is not None:
            primary[key.upper()] = value
    primary["NKEPT"] = (int(mask.sum()), "pixels in the mask")
    for key in ("BUNIT", "PHOTMJSR"):
        header.remove(key, ignore_missing=True)
    hdus = fits.HDUList(
        [fits.PrimaryHDU(header=primary), fits.ImageHDU(mask.astype(np.uint8), header, name="MASK")]
    )
    with replacing(path) as temporary:
        hdus.writeto(temporary)
