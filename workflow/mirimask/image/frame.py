"""The frame of an image, and the crop of it that everything works on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.image.instrument import (
    PointAperture,
    band_of,
    point_aperture,
    psf_fwhm_arcsec,
    uncorrected_aperture,
)
from mirimask.image.parts import strips
from mirimask.image.wcs import pixel_area_sr, pixel_scale_arcsec, shifted, wcs_cards
from mirimask.sizes import LEAST_SIDE, size_parts

__all__ = [
    "Frame",
    "check_labels",
    "check_shape",
    "check_width",
    "crop_frame",
    "empty_pixels",
    "pixel_cards",
    "pixels",
    "plain",
    "whole_frame",
]


@dataclass(frozen=True, eq=False)
class Frame:
    """An image or a crop of one.

    `data` is (ny, nx) float32 in MJy/sr as the product has it; `empty` (ny, nx) bool is True where
    nothing was observed; `error` and `weight` are (ny, nx) float32 or None (an error that was to
    stay in its file: a `product.StoredPlane`). `primary` is the product's primary header: where
    the image comes from, with its FILTER. `wcs` is the celestial WCS of `data`, of two axes.
    `origin` is the (row, column) of the first pixel in the frame that it was cut from,
    `frame_shape` that frame's (rows, columns); by default it is the frame itself.
    `psf_arcsec` is the FWHM of the PSF where it is not the one known of the filter.
    """

    data: NDArray[np.float32]
    empty: NDArray[np.bool_]
    error: NDArray[np.float32] | None
    weight: NDArray[np.float32] | None
    primary: fits.Header
    wcs: WCS
    origin: tuple[int, int] = (0, 0)
    frame_shape: tuple[int, int] = (0, 0)
    psf_arcsec: float | None = None

    def __post_init__(self) -> None:
        if hasattr(self.data, "unit"):
            raise MaskError("the image has a unit; give its values, data.to_value('MJy/sr').")
        data, empty = _unmasked(self.data, self.empty)
        for name, plane in (("error", self.error), ("weight", self.weight)):
            if plane is not None:
                check_shape(plane, data.shape, what=name)
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "empty", empty)
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
        """Full width at half maximum of the PSF in pixels; MaskError for an unknown FILTER.

        In whole millionths of a pixel: a WCS of the same sky in other words has other last digits,
        which must not decide on a pixel of a mask.
        """
        instrument, band = band_of(self.primary)
        return round((self.psf_arcsec or psf_fwhm_arcsec(band, instrument)) / self.pixel_scale, 6)

    @property
    def point_aperture(self) -> PointAperture:
        """The circle for point sources; its correction is NaN where none is known of the filter."""
        instrument, band = band_of(self.primary)
        if self.psf_arcsec is None and instrument == "MIRI":
            return point_aperture(band, self.pixel_scale)
        return uncorrected_aperture(self.fwhm_px)

    def length_px(self, size: str) -> float:
        """A size such as '18 px', '1.98 arcsec' or '10 fwhm' in pixels; see `pixels`.

        MaskError for an unknown FILTER, whatever the unit.
        """
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


def check_shape(array: NDArray, shape: tuple[int, ...], *, what: str) -> None:
    """MaskError for an array that is not of the image's shape."""
    if array.shape != shape:
        raise MaskError(f"{what} has the shape {array.shape}, the image {shape}; they must agree.")


def check_labels(labels: NDArray, *, what: str) -> None:
    """MaskError for labels below 0, or from 2**31 on: they are worked on as int32."""
    if labels.size and not (labels.min() >= 0 and labels.max() < 2**31):
        raise MaskError(
            f"{what}: its labels go from {labels.min()} to {labels.max()}; they must be whole "
            "numbers from 0 to below 2**31. Number them anew from 1 (photutils: "
            "SegmentationImage.relabel_consecutive)."
        )


def check_width(fwhm_px: float, shape: tuple[int, ...]) -> None:
    """MaskError for a width of the PSF, in pixels, that no image of this shape can have."""
    if not 0 < fwhm_px <= max(LEAST_SIDE, *shape):
        raise MaskError(
            f"fwhm_px is {fwhm_px}; the width of the PSF must be above 0 pixels, and not larger "
            f"than the image of {' x '.join(map(str, shape))}."
        )


def plain(
    data: NDArray[np.floating], empty: NDArray[np.bool_]
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Pixels (ny, nx) as they are, and which are empty, bool: given, masked or not finite.

    MaskError for another shape of `empty`, other than two axes, and without a pixel.
    """
    data, empty = _unmasked(data, empty)
    if not data.size:
        raise MaskError(f"the image has no pixel: its shape is {data.shape}.")
    return data, empty | ~np.isfinite(data)


def _unmasked(data: NDArray, empty: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """The values alone, whatever their unit, and `empty` with the mask of a masked array."""
    values, empty = np.asarray(data), np.asarray(empty, bool)
    if values.ndim != 2:
        raise MaskError(f"the image has {values.ndim} axes; it must have 2.")
    check_shape(empty, values.shape, what="empty")
    if isinstance(data, np.ma.MaskedArray):
        empty = empty | np.ma.getmaskarray(data)
    return values, empty


def pixels(size: str, pixel_scale: float, *, fwhm_px: float | None = None) -> float:
    """Turn a size such as '18 px' or '1.98 arcsec' into pixels of `pixel_scale` arcseconds.

    Where `fwhm_px`, the width of the PSF, is given, '10 fwhm' is one too. MaskError for others.
    """
    number, unit = size_parts(size)
    if unit != "fwhm":
        return float(number) / (1.0 if unit == "px" else pixel_scale)
    if fwhm_px is None:
        raise MaskError(
            f"'{size}': the width of the PSF is not known; write '18 px' or '2 arcsec'."
        )
    return float(number) * fwhm_px


def empty_pixels(
    data: NDArray[np.floating],
    *,
    error: NDArray[np.floating] | None = None,
    weight: NDArray[np.floating] | None = None,
) -> NDArray[np.bool_]:
    """Where a resampled image holds no observation; same shape as `data`.

    Not finite, or without a weight above 0, or a fill value of 0 without a finite error above 0:
    products made before jwst 1.15.0 filled empty pixels with 0, later ones with NaN. Pixels of an
    exposure that its DQ flags DO_NOT_USE are NaN by then (`own_files.read_planes`).
    """
    empty = np.empty(data.shape, bool)
    for rows in strips(data.shape):
        here = ~np.isfinite(data[rows])
        if weight is not None:
            here |= ~(weight[rows] > 0)
        if error is not None:
            here |= (data[rows] == 0) & ~(np.isfinite(error[rows]) & (error[rows] > 0))
        if weight is None and error is None:
            here |= data[rows] == 0
        empty[rows] = here
    return empty


def crop_frame(
    frame: Frame,
    *,
    rows: tuple[int, int] | None,
    columns: tuple[int, int] | None,
    image: str,
    setting: str = "'crop' in the configuration, or null",
) -> Frame:
    """Cut `data[rows, columns]` out of a frame (paper, section 2.1); None keeps the whole axis.

    `image`, the code of the image, is kept as IMAGE; `setting` is what messages call the crop.
    Raises MaskError where the frame is too small for it, or where the crop holds no finite pixel,
    only one value, or less than `LEAST_SIDE` pixels along an axis. The whole frame is not copied.
    """
    ny, nx = frame.data.shape
    (y0, y1), (x0, x1) = rows or (0, ny), columns or (0, nx)
    if not (0 <= y0 < y1 <= ny and 0 <= x0 < x1 <= nx):
        raise MaskError(
            f"{image}: the crop of rows {y0} to {y1} and columns {x0} to {x1} does not fit into "
            f"its frame of {ny} rows and {nx} columns. Set {setting} for "
            "the whole frame."
        )
    part = "image" if (y1 - y0, x1 - x0) == (ny, nx) else "crop"
    if min(y1 - y0, x1 - x0) < LEAST_SIDE:
        raise MaskError(
            f"{image}: the {part} of {y1 - y0} rows and {x1 - x0} columns is too small; it needs "
            f"{LEAST_SIDE} of each."
        )
    window = np.s_[y0:y1, x0:x1]
    data, seen = frame.data[window], ~frame.empty[window]
    if not seen.any():
        remedy = "; choose another crop" if part == "crop" else " (NaN, or of weight 0)"
        raise MaskError(f"{image}: every pixel of the {part} is empty{remedy}.")
    low, high = data.min(where=seen, initial=np.inf), data.max(where=seen, initial=-np.inf)
    if low == high:
        raise MaskError(f"{image}: all pixels of the {part} have the value {low}; no image.")
    primary = frame.primary.copy()
    primary["IMAGE"] = image
    if len(image) <= 30:  # beside a longer one a card has no room
        primary.comments["IMAGE"] = "code of the image in this study"

    def cut(plane: NDArray) -> NDArray:
        return plane if part == "image" else plane[window].copy()

    return Frame(
        cut(frame.data),
        cut(frame.empty),
        None if frame.error is None else cut(frame.error),
        None if frame.weight is None else cut(frame.weight),
        primary,
        shifted(frame.wcs, row=y0, column=x0),
        origin=(frame.origin[0] + y0, frame.origin[1] + x0),
        frame_shape=frame.frame_shape,
        psf_arcsec=frame.psf_arcsec,
    )


def whole_frame(crop: Frame, array: NDArray) -> tuple[NDArray, fits.Header]:
    """An array of the crop's shape in its place in the frame, 0 around it, and the frame's WCS.

    Returns an array of the shape of the image that the crop was cut from, of `array`'s dtype, and
    the header that describes its pixels.
    """
    placed = array
    if array.shape != crop.frame_shape:
        placed = np.zeros(crop.frame_shape, array.dtype)
        crop.cut(placed)[...] = array
    y0, x0 = crop.origin
    return placed, pixel_cards(shifted(crop.wcs, row=-y0, column=-x0), crop.frame_shape, crop)


def pixel_cards(wcs: WCS, shape: tuple[int, int], crop: Frame) -> fits.Header:
    """The cards that say where pixels are, and how large one is. MaskError names the image."""
    try:
        header = wcs_cards(wcs, shape)
    except MaskError as error:
        raise MaskError(f"{crop.primary.get('IMAGE', 'image')}: {error}") from None
    header["PIXAR_SR"] = (crop.pixel_area_sr, "[sr] solid angle of a pixel")
    return header
