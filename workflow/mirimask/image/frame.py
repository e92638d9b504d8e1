"""The frame of an image: what is read from an i2d, and the crop that everything works on."""

import logging
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from mirimask.atomic import replacing
from mirimask.errors import MaskError
from mirimask.image.instrument import psf_fwhm_px
from mirimask.image.product import opened
from mirimask.image.wcs import (
    pixel_area_sr,
    pixel_scale_arcsec,
    read_wcs,
    shifted,
    wcs_cards,
)

__all__ = [
    "Frame",
    "check_area",
    "crop_frame",
    "empty_pixels",
    "frame_of",
    "geometry_cards",
    "pixels",
    "read_crop",
    "read_frame",
    "read_mask",
    "read_science",
    "usable_planes",
    "whole_frame",
    "write_crop",
    "write_mask",
    "write_whole_mask",
]

_logger = logging.getLogger("mirimask.image.frame")

LEAST_SIDE = 8  # pixels: below that, no background can be taken
AREA_TOLERANCE = 0.01  # share by which PIXAR_SR may differ from the pixel of the WCS


@dataclass(frozen=True)
class Frame:
    """An image or a crop of one.

    `data` is (ny, nx) float32 in MJy/sr as the product has it; `empty` (ny, nx) bool is True where
    nothing was observed; `error` and `weight` are (ny, nx) float32 or None. `primary` is the
    product's primary header: where the image comes from, with its FILTER. `wcs` is the celestial
    WCS of `data`, of two axes. `origin` is the (row, column) of the first pixel in the frame that
    it was cut from, `frame_shape` that frame's (rows, columns); by default it is the frame itself.
    """

    data: NDArray[np.float32]
    empty: NDArray[np.bool_]
    error: NDArray[np.float32] | None
    weight: NDArray[np.float32] | None
    primary: fits.Header
    wcs: WCS
    origin: tuple[int, int] = (0, 0)
    frame_shape: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.frame_shape == (0, 0):
            object.__setattr__(self, "frame_shape", self.data.shape)

    @property
    def masked(self) -> NDArray[np.float32]:
        """`data` with NaN in the empty pixels, whatever the product filled them with."""
        return np.where(self.empty, np.float32(np.nan), self.data)

    @cached_property
    def pixel_scale(self) -> float:
        """Side of a pixel in the middle of the frame, in arcseconds."""
        return pixel_scale_arcsec(self.wcs, *self._middle)

    @cached_property
    def pixel_area_sr(self) -> float:
        """Solid angle of a pixel in the middle of the frame, in steradian, from the WCS."""
        return pixel_area_sr(self.wcs, *self._middle)

    @property
    def _middle(self) -> tuple[float, float]:
        """x and y, in the crop, of the middle of the frame: a crop has the pixels of its frame."""
        (rows, columns), (y0, x0) = self.frame_shape, self.origin
        return (columns - 1) / 2 - x0, (rows - 1) / 2 - y0

    @property
    def fwhm_px(self) -> float:
        """Full width at half maximum of the PSF in pixels; MaskError for an unknown FILTER."""
        return psf_fwhm_px(str(self.primary.get("FILTER", "")), self.pixel_scale)

    def length_px(self, size: str) -> float:
        """A size such as '18 px', '1.98 arcsec' or '10 fwhm' in pixels; see `pixels`."""
        return pixels(size, self.pixel_scale, fwhm_px=self.fwhm_px)

    @property
    def simulated(self) -> bool:
        return bool(self.primary.get("SIMULATD", False))

    def cut(self, plane: NDArray) -> NDArray:
        """The part of an array of the frame's shape that this crop is of.

        MaskError where the array has another shape.
        """
        if plane.shape != self.frame_shape:
            raise MaskError(
                f"an image of {plane.shape[0]} rows and {plane.shape[1]} columns is not of the "
                f"frame of {self.frame_shape[0]} and {self.frame_shape[1]}."
            )
        (y0, x0), (ny, nx) = self.origin, self.data.shape
        return plane[y0 : y0 + ny, x0 : x0 + nx]


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


def usable_planes(
    error: NDArray[np.float32] | None, weight: NDArray[np.float32] | None, *, what: str
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Error and weight, None with a warning where a plane says nothing.

    An error that is finite nowhere and a weight that is above 0 nowhere say of an image with
    pixels that they are wrong.
    """
    if error is not None and not np.isfinite(error).any():
        _logger.warning("%s: its ERR is finite nowhere, and is left out.", what)
        error = None
    if weight is not None and not (weight > 0).any():
        _logger.warning("%s: its WHT is above 0 nowhere, and is left out.", what)
        weight = None
    return error, weight


def read_science(path: str | Path) -> NDArray:
    """The SCI array of an archive file alone, (ny, nx), as it is stored."""
    with opened(path, planes=("SCI",)) as hdus:
        if "SCI" not in hdus or hdus["SCI"].data is None or hdus["SCI"].data.ndim != 2:
            raise MaskError(f"'{path}': no two-dimensional SCI image in it.")
        return hdus["SCI"].data


def read_mask(path: str | Path) -> tuple[NDArray[np.bool_], fits.Header]:
    """A mask that `write_mask` wrote, and its primary header."""
    with opened(path) as hdus:
        return hdus["MASK"].data > 0, hdus[0].header


def frame_of(hdus: fits.HDUList, *, what: str, planes: bool = True) -> Frame:
    """The frame that the HDUs of an i2d hold: PRIMARY, SCI and, where they are, ERR and WHT.

    Without `planes`, ERR and WHT only tell which pixels are empty, and are None in the frame.
    A PIXAR_SR that is not the pixel of the WCS is a warning: the WCS's is used.
    Raises MaskError, with `what` the file is called, without an SCI image with a celestial WCS.
    """
    found = {
        name: np.array(hdus[name].data, dtype=np.float32)
        for name in ("SCI", "ERR", "WHT")
        if name in hdus and hdus[name].is_image and hdus[name].data is not None
    }
    if "SCI" not in found or found["SCI"].ndim != 2:
        raise MaskError(f"{what}: no two-dimensional SCI image in it.")
    data, header = found["SCI"], hdus["SCI"].header
    for name, plane in found.items():
        if plane.shape != data.shape:
            raise MaskError(
                f"{what}: its {name} has the shape {plane.shape}, its SCI {data.shape}; they must "
                "be of the same frame."
            )
    error, weight = usable_planes(found.get("ERR"), found.get("WHT"), what=what)
    empty = empty_pixels(data, error=error, weight=weight)
    if not planes:
        error = weight = None
    wcs = read_wcs(header, data.shape, what=what)
    frame = Frame(data, empty, error, weight, hdus[0].header.copy(), wcs)
    check_area(header.get("PIXAR_SR"), frame.pixel_area_sr, what=what)
    return frame


def check_area(given: object, area_sr: float, *, what: str) -> None:
    """A warning where PIXAR_SR is given and is not `area_sr`, the pixel of the WCS."""
    if given is None:
        return
    if not isinstance(given, int | float) or abs(given / area_sr - 1) > AREA_TOLERANCE:
        _logger.warning(
            "%s: its PIXAR_SR is %s, a pixel of its WCS has %.5g sr; the WCS is used.",
            *(what, given, area_sr),
        )


def read_frame(path: str | Path, *, planes: bool = True) -> Frame:
    """Read the archive's i2d (PRIMARY, SCI and, where it has them, ERR and WHT; see `frame_of`).

    Raises MaskError where the file cannot be read or has no SCI image with a celestial WCS.
    """
    with opened(path, planes=("SCI", "ERR", "WHT")) as hdus:
        return frame_of(hdus, what=f"'{path}'", planes=planes)


def crop_frame(
    frame: Frame, *, rows: tuple[int, int] | None, columns: tuple[int, int] | None, image: str
) -> Frame:
    """Cut `data[rows, columns]` out of a frame (paper, section 2.1); None keeps the whole axis.

    `image`, the code of the image, is kept as IMAGE. Raises MaskError where the frame is too small
    for it, or where the crop holds no finite pixel, only one value, or less than `LEAST_SIDE`
    pixels along an axis.
    """
    ny, nx = frame.data.shape
    (y0, y1), (x0, x1) = rows or (0, ny), columns or (0, nx)
    if not (0 <= y0 < y1 <= ny and 0 <= x0 < x1 <= nx):
        raise MaskError(
            f"{image}: the crop of rows {y0} to {y1} and columns {x0} to {x1} does not fit into "
            f"its frame of {ny} rows and {nx} columns. Set 'crop' in the configuration, or null "
            "for the whole frame."
        )
    part = "image" if (y1 - y0, x1 - x0) == (ny, nx) else "crop"
    if min(y1 - y0, x1 - x0) < LEAST_SIDE:
        raise MaskError(
            f"{image}: the {part} of {y1 - y0} rows and {x1 - x0} columns is too small; it needs "
            f"{LEAST_SIDE} of each."
        )
    window = np.s_[y0:y1, x0:x1]
    seen = frame.data[window][~frame.empty[window]]
    if seen.size == 0:
        remedy = "; choose another 'crop'" if part == "crop" else " (NaN, or of weight 0)"
        raise MaskError(f"{image}: every pixel of the {part} is empty{remedy}.")
    if seen.min() == seen.max():
        raise MaskError(f"{image}: all pixels of the {part} have the value {seen.min()}; no image.")
    primary = frame.primary.copy()
    primary["IMAGE"] = (image, "code of the image in this study")
    return Frame(
        frame.data[window].copy(),
        frame.empty[window].copy(),
        None if frame.error is None else frame.error[window].copy(),
        None if frame.weight is None else frame.weight[window].copy(),
        primary,
        shifted(frame.wcs, row=y0, column=x0),
        origin=(frame.origin[0] + y0, frame.origin[1] + x0),
        frame_shape=frame.frame_shape,
    )


def whole_frame(crop: Frame, array: NDArray) -> tuple[NDArray, fits.Header]:
    """An array of the crop's shape in its place in the frame, 0 around it, and the frame's WCS.

    Returns an array of the shape of the image that the crop was cut from, of `array`'s dtype, and
    the header that describes its pixels.
    """
    placed = np.zeros(crop.frame_shape, array.dtype)
    crop.cut(placed)[...] = array
    y0, x0 = crop.origin
    return placed, _cards(shifted(crop.wcs, row=-y0, column=-x0), crop.frame_shape, crop)


def _cards(wcs: WCS, shape: tuple[int, int], crop: Frame) -> fits.Header:
    """The cards that say where pixels are, and how large one is."""
    try:
        header = wcs_cards(wcs, shape)
    except MaskError as error:
        raise MaskError(f"{crop.primary.get('IMAGE', 'image')}: {error}") from None
    header["PIXAR_SR"] = (crop.pixel_area_sr, "[sr] solid angle of a pixel")
    return header


### files ##########################################################################################

# Cards of the PRIMARY of a crop's file that hold its geometry.
_GEOMETRY = {
    "CROPX0": "first column of the crop in the frame, 0-based",
    "CROPY0": "first row of the crop in the frame, 0-based",
    "FRAMENX": "columns of the frame",
    "FRAMENY": "rows of the frame",
}


def geometry_cards(crop: Frame) -> dict[str, tuple[int, str]]:
    """Cards that say which part of its frame a crop is."""
    values = [*crop.origin[::-1], *crop.frame_shape[::-1]]
    return {
        key: (int(value), comment)
        for (key, comment), value in zip(_GEOMETRY.items(), values, strict=True)
    }


def write_crop(path: str | Path, crop: Frame) -> None:
    """Write a crop as PRIMARY, SCI, EMPTY (uint8) and, where it has them, ERR and WHT."""
    primary = crop.primary.copy()
    primary["PIXSCALE"] = (crop.pixel_scale, "[arcsec] pixel scale")
    primary.update(geometry_cards(crop))
    primary["PSFFWHM"] = (crop.fwhm_px, "[px] FWHM of the PSF")
    header = _cards(crop.wcs, crop.data.shape, crop)
    header["BUNIT"] = "MJy/sr"
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary)])
    hdus.append(fits.ImageHDU(crop.data, header=header, name="SCI"))
    hdus.append(fits.ImageHDU(crop.empty.astype(np.uint8), name="EMPTY"))
    for array, name in ((crop.error, "ERR"), (crop.weight, "WHT")):
        if array is not None:
            hdus.append(fits.ImageHDU(array, name=name))
    with replacing(path) as temporary:
        hdus.writeto(temporary)


def read_crop(path: str | Path, *, planes: bool = True) -> Frame:
    """Read what `write_crop` wrote; without `planes`, no ERR and WHT: they are None."""
    names = ("SCI", "EMPTY", "ERR", "WHT") if planes else ("SCI", "EMPTY")
    with opened(path, planes=names) as hdus:
        read = {
            name: np.array(hdus[name].data, dtype=bool if name == "EMPTY" else np.float32)
            for name in names
            if name in hdus
        }
        primary = hdus[0].header.copy()
        wcs = read_wcs(hdus["SCI"].header, read["SCI"].shape, what=f"'{path}'")
    x0, y0, nx, ny = (primary.pop(key) for key in _GEOMETRY)
    for key in ("PIXSCALE", "PSFFWHM"):
        del primary[key]
    return Frame(
        read["SCI"],
        read["EMPTY"],
        read.get("ERR"),
        read.get("WHT"),
        primary,
        wcs,
        origin=(y0, x0),
        frame_shape=(ny, nx),
    )


def write_mask(path: str | Path, mask: NDArray[np.bool_], crop: Frame, **made: object) -> None:
    """Write a mask as uint8 with the WCS of its crop; `made` become header keywords."""
    if not mask.any():
        _logger.warning(
            "%s: the mask %s marks no pixel", crop.primary.get("IMAGE", ""), made.get("method", "")
        )
    _write_mask(path, mask, _cards(crop.wcs, mask.shape, crop), crop, made)


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
    for key in ("IMAGE", "SIMULATD", "OBS_ID", "FILTER"):
        if key in crop.primary:
            primary.append(crop.primary.cards[key])
    geometry = geometry_cards(crop)
    primary.update({key: geometry[key] for key in ("CROPX0", "CROPY0")})
    for key, value in made.items():
        if value is not None:
            primary[key.upper()] = value
    primary["NKEPT"] = (int(mask.sum()), "pixels in the mask")
    hdus = fits.HDUList(
        [fits.PrimaryHDU(header=primary), fits.ImageHDU(mask.astype(np.uint8), header, name="MASK")]
    )
    with replacing(path) as temporary:
        hdus.writeto(temporary)
