"""Slices: the pixels above a percentile of the image or of its derivative (paper, section 3)."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mirimask.image.frame import Frame
from mirimask.masks.family import Family, Scores
from mirimask.masks.thresholds import thresholds, top_slice

__all__ = [
    "derivative",
    "derivative_slices",
    "image_to_slice",
    "intersection_slices",
    "pixels_in",
    "slice_family",
    "union_slices",
    "value_slices",
]

Kind = Literal["value", "derivative", "union", "intersection"]

_VALUE_OF_DERIVATIVE = 1 / 4.6  # percentages of the paper's pair value_1 and derivative_4.6


def derivative(data: NDArray[np.floating]) -> NDArray[np.floating]:
    """First derivative along y, signed, in units of `data` per pixel (the paper's method 2).

    `numpy.gradient(data, axis=0)`, as the paper's published script has it: central differences
    inside, one-sided at the first and last row. Same shape and dtype as `data`; NaN spread to the
    pixels above and below. Raises ValueError for fewer than two rows.
    """
    if data.dtype.kind != "f" or len(data) < 2:
        return np.gradient(data, axis=0)
    # the same bytes with one array instead of three, and faster (benchmarks/six_masks.py)
    found = np.empty_like(data)
    np.subtract(data[2:], data[:-2], out=found[1:-1])
    found[1:-1] /= 2
    np.subtract(data[1], data[0], out=found[0])
    np.subtract(data[-1], data[-2], out=found[-1])
    return found


def pixels_in(crop: Frame, domain: str) -> NDArray[np.float32]:
    """The pixels of a crop, (ny, nx), as a domain has them.

    In `crop`, empty pixels are NaN and belong to no percentage. In `published`, they are 0 and
    belong to it, as in the paper's published script.
    """
    if domain == "crop":
        return crop.masked if crop.empty.any() else crop.data
    if np.isfinite(crop.data).all():
        return crop.data
    return np.nan_to_num(crop.data, nan=0.0)


def image_to_slice(crop: Frame, kind: str, *, domain: str) -> NDArray[np.floating]:
    """The image that a slice of `kind` (`value`, `derivative`) cuts, (ny, nx)."""
    pixels = pixels_in(crop, domain)
    return pixels if kind == "value" else derivative(pixels)


def slice_family(kind: Kind, levels: NDArray[np.float64], *, min_pixels: int = 1) -> Family:
    """Slices of kind `value`, `derivative`, `union` or `intersection`, by retained percentage.

    The last two join a derivative slice with a value slice of 1 / 4.6 of its percentage (the pair
    value_1 and derivative_4.6 scaled together). Percentages are of the pixels that are not empty.
    """
    used = {"value": [1.0], "derivative": [1.0]}.get(kind, [_VALUE_OF_DERIVATIVE, 1.0])

    def scores(image: NDArray[np.floating]) -> Scores:
        if kind == "value":
            return (image,)
        slope = derivative(image)
        return (slope,) if kind == "derivative" else (image, slope)

    def cut_at(images: Scores) -> NDArray[np.float64]:
        return np.column_stack(
            [
                thresholds(image, list(share * levels))
                for image, share in zip(images, used, strict=True)
            ]
        )

    def cut(images: Scores, row: NDArray[np.float64]) -> NDArray[np.bool_]:
        parts = [top_slice(image, float(level)) for image, level in zip(images, row, strict=True)]
        if len(parts) == 1:
            return parts[0]
        return parts[0] | parts[1] if kind == "union" else parts[0] & parts[1]

    return Family(kind, "%", levels, scores, cut_at, cut, min_pixels)


def value_slices(
    empty: NDArray[np.bool_], *, fwhm_px: float, levels: NDArray[np.float64]
) -> Family:
    """The brightest pixels."""
    return slice_family("value", levels)


def derivative_slices(
    empty: NDArray[np.bool_], *, fwhm_px: float, levels: NDArray[np.float64]
) -> Family:
    """The pixels where the image rises most along y."""
    return slice_family("derivative", levels)


def union_slices(
    empty: NDArray[np.bool_], *, fwhm_px: float, levels: NDArray[np.float64]
) -> Family:
    """A value or a derivative slice, see `slice_family`."""
    return slice_family("union", levels)


def intersection_slices(
    empty: NDArray[np.bool_], *, fwhm_px: float, levels: NDArray[np.float64]
) -> Family:
    """What is in a value and in a derivative slice, see `slice_family`."""
    return slice_family("intersection", levels)
