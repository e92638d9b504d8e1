"""Slices: the pixels above a percentile of the image or of its derivative (paper, section 3)."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mirimask.masks.family import Family, Scores
from mirimask.masks.gradient import derivative
from mirimask.masks.thresholds import thresholds, top_slice

__all__ = [
    "derivative_slices",
    "intersection_slices",
    "slice_family",
    "union_slices",
    "value_slices",
]

Kind = Literal["value", "derivative", "union", "intersection"]

_VALUE_OF_DERIVATIVE = 1 / 4.6  # percentages of the paper's pair value_1 and derivative_4.6


def slice_family(kind: Kind, levels: NDArray[np.float64]) -> Family:
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
        parts = [top_slice(image, float(value)) for image, value in zip(images, row, strict=True)]
        if len(parts) == 1:
            return parts[0]
        return parts[0] | parts[1] if kind == "union" else parts[0] & parts[1]

    return Family(kind, "%", levels, scores, cut_at, cut)


# What a family of the registry is called with: slices need neither the empty pixels nor the PSF.
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
