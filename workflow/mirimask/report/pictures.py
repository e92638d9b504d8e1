"""Pictures that stand in a page or beside it: images in greys, masks in colour, figures smaller."""

import base64
import math
from io import BytesIO

import numpy as np
from astropy.visualization import AsinhStretch
from numpy.typing import NDArray
from PIL import Image

from mirimask.image.levels import shrink, shrink_mask

__all__ = [
    "SHOWN_WIDTH",
    "cut_out",
    "data_uri",
    "grey_levels",
    "grey_png",
    "mask_png",
    "quick_look",
    "smaller",
    "thumbnail",
]

EMPTY_LEVEL = 0  # what was not observed is black; values start at 16, so the two are told apart
_DARKEST = 16
SHOWN_WIDTH = 900  # pixels: of a figure in a page; its file, which it leads to, has all of them
_TALLEST = 16383  # pixels: more a WebP cannot have
_COLOUR = (255, 140, 0)  # of masks, as in the page to look at images
_OUTLINE, _WHITE = 1, 2  # entries of a quick-look's palette below the darkest grey
_GREYS = 64  # of a thumbnail, and as many of what its mask covers
_LARGEST, _GAP = 1600, 8  # pixels: the longer side of a quick-look's panel, between its panels


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


def quick_look(image: NDArray[np.floating], mask: NDArray[np.bool_]) -> bytes:
    """A PNG of an image (ny, nx) beside itself with the outline of a mask, the first row below.

    A pixel is a pixel, means of several where a side is longer than 1600.
    """
    factor = math.ceil(max(image.shape) / _LARGEST)
    levels, kept = grey_levels(shrink(image, factor)), shrink_mask(mask, factor)
    outlined = np.where(kept & ~_inner(_inner(kept)), _OUTLINE, levels).astype(np.uint8)
    gap = np.full((len(levels), _GAP), _WHITE, np.uint8)
    picture = Image.fromarray(np.hstack([levels, gap, outlined])[::-1].copy())
    palette = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(-1, 3)
    palette[_OUTLINE], palette[_WHITE] = _COLOUR, 255
    picture.putpalette(palette.ravel().tolist())
    return _encoded(picture)


def _inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask whose four neighbours are in it too."""
    padded = np.pad(mask, 1)
    sides = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & sides


def thumbnail(image: NDArray[np.floating], mask: NDArray[np.bool_], *, side: int = 220) -> bytes:
    """A PNG of an image with its mask laid over it, its longer side at most `side` pixels.

    A spot smaller than a pixel of it is seen still, which JPEG would smear away.
    """
    factor = math.ceil(max(image.shape) / side)
    levels, kept = grey_levels(shrink(image, factor)), shrink_mask(mask, factor)
    shown = Image.fromarray((levels // 4 + _GREYS * kept)[::-1].astype(np.uint8))
    greys = np.repeat(np.arange(0, 256, 4), 3).reshape(-1, 3)
    shown.putpalette(np.vstack([greys, greys // 2 + np.array(_COLOUR) // 2]).ravel().tolist())
    return _encoded(shown)


def smaller(picture: bytes, *, width: int) -> tuple[str, int, int]:
    """A picture at most so many pixels wide, as a data URI, and its width and height.

    As WebP: of figures it has 60 % of the bytes of a PNG or a JPEG, and greys stay grey in it.
    """
    with Image.open(BytesIO(picture)) as opened:
        whole = opened.convert("RGB")
    part = min(1, width / whole.width, _TALLEST / whole.height)
    size = max(round(whole.width * part), 1), max(round(whole.height * part), 1)
    buffer = BytesIO()
    whole.resize(size, Image.Resampling.LANCZOS).save(
        buffer, "WEBP", quality=75, use_sharp_yuv=True
    )
    return data_uri(buffer.getvalue(), "image/webp"), *size


def _encoded(image: Image.Image, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=9, **options)
    return buffer.getvalue()
