"""Other derivatives than the paper's, as families of slices (its future work, section 6).

All of them are central differences, NaN where one of their pixels is empty or beyond the rim: what
is there is not known, and the one-sided difference that `numpy.gradient` takes at the rim has twice
the scatter of the others, which a slice would take for sources.
"""

import numpy as np
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.image.background import smoothed
from mirimask.masks.curvature import curvatures
from mirimask.masks.family import Family
from mirimask.masks.thresholds import percent_family

__all__ = [
    "derivative_of_gaussian",
    "derivative_repeated",
    "derivative_x",
    "derivatives_merged",
    "gradient_magnitude",
    "second_derivatives",
    "slope",
]

Image = NDArray[np.floating]


def slope(image: Image, axis: int) -> Image:
    """Central difference (I[i+1] - I[i-1]) / 2 along an axis of `image` (ny, nx), NaN at its ends.

    In units of the image per pixel. NaN stays so and makes its two neighbours along the axis NaN.
    """
    found: Image = np.where(np.isnan(image), image, np.gradient(image, axis=axis))
    np.moveaxis(found, axis, 0)[[0, -1]] = np.nan
    return found


def second_derivatives(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    combine: str = "minimum",
    smooth: float = 0.0,
) -> Family:
    """Slices of the second derivatives in four directions (Molinari et al. 2011, CuTEx).

    `combine`: `minimum`, a pixel is kept where all four are above the level, or `mean`. `smooth` is
    the sigma of a Gaussian before, in FWHM of the PSF. MaskError for another `combine`.
    """
    if combine not in ("minimum", "mean"):
        raise MaskError(
            f"second_derivatives: combine is '{combine}'; it must be minimum or mean "
            "(config/detectors.yaml)."
        )

    def score(image: Image) -> Image:
        found = curvatures(smoothed(image, sigma=smooth * fwhm_px))
        return found.min(axis=0) if combine == "minimum" else found.mean(axis=0)

    return percent_family("second_derivatives", levels, score)


def gradient_magnitude(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    smooth: float = 0.0,
) -> Family:
    """Slices of the length of the gradient: both axes, either sign; `smooth` as above."""

    def score(image: Image) -> Image:
        image = smoothed(image, sigma=smooth * fwhm_px)
        return np.hypot(slope(image, 0), slope(image, 1))

    return percent_family("gradient_magnitude", levels, score)


def derivative_x(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    smooth: float = 0.0,
) -> Family:
    """Slices of dI/dx: the paper's derivative along the other axis, signed as it is."""
    return percent_family(
        "derivative_x",
        levels,
        lambda image: slope(smoothed(image, sigma=smooth * fwhm_px), 1),
    )


def derivative_repeated(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    times: int = 2,
    smooth: float = 0.0,
) -> Family:
    """Slices of the paper's derivative along y applied `times` times, positive on a star's peak.

    Two times is -(I[y+2] - 2 I[y] + I[y-2]) / 4. An odd number is zero on the peak: MaskError.
    """
    if times < 2 or times % 2:
        raise MaskError(
            f"derivative_repeated: times is {times}; it must be 2, 4, ... (config/detectors.yaml)."
        )

    def score(image: Image) -> Image:
        image = smoothed(image, sigma=smooth * fwhm_px)
        for _ in range(times):
            image = slope(image, 0)
        return image if times % 4 == 0 else -image

    return percent_family("derivative_repeated", levels, score)


def derivatives_merged(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    both_signs: bool = True,
    smooth: float = 0.0,
) -> Family:
    """Slices of dI/dy and dI/dx merged: their union, at one level for both.

    With `both_signs` falling flanks count as rising ones do: the union of four slices.
    """

    def score(image: Image) -> Image:
        image = smoothed(image, sigma=smooth * fwhm_px)
        along = slope(image, 0), slope(image, 1)
        return np.maximum(*(np.abs(each) for each in along)) if both_signs else np.maximum(*along)

    return percent_family("derivatives_merged", levels, score)


def derivative_of_gaussian(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    smooth: float = 0.42,
) -> Family:
    """Slices of the paper's derivative, signed and along y, of the image smoothed before.

    `smooth` is the Gaussian's sigma in FWHM of the PSF; 1 / 2.355 is the PSF's own.
    """
    return percent_family(
        "derivative_of_gaussian",
        levels,
        lambda image: slope(smoothed(image, sigma=smooth * fwhm_px), 0),
    )
