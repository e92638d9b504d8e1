"""Arrays as small PNGs that stand in a page: greys for images, one bit a pixel for masks."""

import base64
from io import BytesIO

import numpy as np
from astropy.visualization import AsinhStretch
from numpy.typing import NDArray
from PIL import Image

__all__ = ["cut_out", "data_uri", "grey_levels", "grey_png", "mask_png", "shrink", "shrink_mask"]

EMPTY_LEVEL = 0  # what was not observed is black; values start at 16, so the two are told apart
_DARKEST = 16


def data_uri(data: bytes, media_type: str = "image/png") -> str:
    """Bytes as a URI that holds them."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def grey_levels(
    image: NDArray[np.floating], *, percentiles: tuple[float, float] = (5, 99.7)
) -> NDArray[np.uint8]:
    """Grey levels 16 to 255 of the values between two percentiles, asinh; same shape.

    asinh (Lupton et al. 1999, AJ 118, 1406; astropy's AsinhStretch, a = 0.1) shows faint and
    bright sources at once. NaN become 0; an image without finite values is all 0.
    """
    finite = np.isfinite(image)
    levels = np.full(image.shape, EMPTY_LEVEL, np.uint8)
    if not finite.any():
        return levels
    low, high = np.percentile(image[finite], percentiles)
    scaled = np.clip((image[finite] - low) / (high - low if high > low else 1), 0, 1)
    levels[finite] = np.rint(_DARKEST + (255 - _DARKEST) * AsinhStretch(0.1)(scaled))
    return levels


def shrink(image: NDArray[np.floating], factor: int) -> NDArray[np.floating]:
    """Means of blocks of `factor` x `factor` pixels; NaN left out, fewer at the rim."""
    if factor == 1:
        return image
    finite = np.isfinite(image)
    total, number = _blocks(np.where(finite, image, 0), factor), _blocks(finite, factor)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def shrink_mask(mask: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    """Blocks in which any pixel is set: no spot of a mask disappears."""
    return mask if factor == 1 else _blocks(mask, factor) > 0


def _blocks(array: NDArray, factor: int) -> NDArray:
    rows, columns = (np.arange(0, n, factor) for n in array.shape)
    return np.add.reduceat(np.add.reduceat(array.astype(float), rows, 0), columns, 1)


def cut_out(array: NDArray, x: float, y: float, side: int, fill: object) -> NDArray:
    """The `side` x `side` pixels around the pixel nearest to (x, y), `fill` beyond the rim.

    (x, y) then lies at (x - x0, y - y0) with x0 = round(x) - side // 2, likewise y0.
    """
    x0, y0 = round(x) - side // 2, round(y) - side // 2
    part = np.full((side, side), fill, dtype=array.dtype)
    ny, nx = array.shape
    rows, columns = slice(max(y0, 0), min(y0 + side, ny)), slice(max(x0, 0), min(x0 + side, nx))
    if rows.start < rows.stop and columns.start < columns.stop:
        part[rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0] = array[
            rows, columns
        ]
    return part


def grey_png(levels: NDArray[np.uint8]) -> bytes:
    """(ny, nx) uint8 as a PNG, the first row at the bottom as on the sky."""
    return _encoded(Image.fromarray(np.ascontiguousarray(levels[::-1])))


def mask_png(mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> bytes:
    """(ny, nx) bool as a PNG of one bit a pixel: `colour` where set, else transparent."""
    image = Image.fromarray(np.ascontiguousarray(mask[::-1]).astype(np.uint8))
    image.putpalette([0, 0, 0, *colour])
    return _encoded(image, bits=1, transparency=0)


def _encoded(image: Image.Image, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=9, **options)
    return buffer.getvalue()
