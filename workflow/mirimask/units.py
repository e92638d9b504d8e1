"""Factors between the units of fluxes, and between the widths of a Gaussian: each with its name.

Fluxes are janskys or microjanskys, magnitudes AB (Oke & Gunn 1983: 8.90 at 1 Jy), surface
brightnesses MJy/sr; `pixel_area_sr` is the solid angle of a pixel in steradian.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "AB_JANSKY",
    "AB_MICROJANSKY",
    "SIGMA_PER_FWHM",
    "SIGMA_PER_MAD",
    "SIGMA_PER_MEAN",
    "ab_to_jansky",
    "ab_to_microjansky",
    "jansky_per_pixel",
    "jansky_to_ab",
    "microjansky_per_pixel",
    "microjansky_to_ab",
]

AB_JANSKY = 8.90  # magnitude of 1 Jy
AB_MICROJANSKY = 23.9  # magnitude of 1 microjansky
# Standard deviation of a Gaussian from the median of absolute deviations from its median
SIGMA_PER_MAD = 1.482602
SIGMA_PER_MEAN = 1.253314  # from the mean of absolute values
SIGMA_PER_FWHM = 1 / np.sqrt(8 * np.log(2))  # from its full width at half maximum


def ab_to_jansky(magnitude: ArrayLike) -> NDArray[np.float64]:
    """Flux density (jansky) of an AB magnitude."""
    return 10 ** ((AB_JANSKY - np.asarray(magnitude, float)) / 2.5)


def jansky_to_ab(flux: ArrayLike) -> NDArray[np.float64]:
    """AB magnitude of a flux density > 0 (jansky)."""
    return AB_JANSKY - 2.5 * np.log10(np.asarray(flux, float))


def ab_to_microjansky(magnitude: ArrayLike) -> NDArray[np.float64]:
    """Flux density (microjansky) of an AB magnitude."""
    return 10 ** ((AB_MICROJANSKY - np.asarray(magnitude, float)) / 2.5)


def microjansky_to_ab(flux: ArrayLike) -> NDArray[np.float64]:
    """AB magnitude of a flux density > 0 (microjansky)."""
    return AB_MICROJANSKY - 2.5 * np.log10(np.asarray(flux, float))


def jansky_per_pixel(pixel_area_sr: float) -> float:
    """Flux (jansky) in a pixel of 1 MJy/sr."""
    return 1e6 * pixel_area_sr


def microjansky_per_pixel(pixel_area_sr: float) -> float:
    """Flux (microjansky) in a pixel of 1 MJy/sr."""
    return 1e12 * pixel_area_sr
