"""How a star's light falls off with the distance from it: the radial profile of the PSF."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mirimask.image.instrument import psf_fwhm_arcsec

if TYPE_CHECKING:
    from mirimask.image.psf import Psf

__all__ = ["PROFILE_FILTER", "PsfProfile", "psf_profile", "radial_profile"]

# The table beside this module is of this filter's PSF (benchmarks/psf_profile.py writes it).
PROFILE_FILTER = "F770W"
_TABLE = "psf_profile.csv"


@dataclass(frozen=True)
class PsfProfile:
    """Share of a star's light in a pixel at each of the `radius_px` from it, both (n,)."""

    radius_px: NDArray[np.float64]
    share: NDArray[np.float64]

    def within(self, radius_px: float) -> float:
        """The share of the light inside a circle."""
        edges = np.append(0, 0.5 * (self.radius_px[1:] + self.radius_px[:-1]))
        edges = np.minimum(np.append(edges, self.radius_px[-1]), radius_px)
        return float(np.pi * (self.share * np.diff(edges**2)).sum())


def radial_profile(psf: "Psf", radii_arcsec: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the light per square arcsecond at each radius: the mean over the circle, (n,)."""
    step = psf.pixel_scale_arcsec / psf.oversample
    y, x = np.indices(psf.data.shape) - psf.data.shape[0] // 2
    distance = np.hypot(y, x).ravel() * step
    middles = 0.5 * (radii_arcsec[1:] + radii_arcsec[:-1])
    # the last ring is as wide as the one before; what is beyond it is in none
    ring = np.digitize(distance, np.append(middles, 2 * radii_arcsec[-1] - middles[-1]))
    light = np.bincount(ring, psf.data.ravel().astype(float))[: radii_arcsec.size]
    number = np.bincount(ring)[: radii_arcsec.size]
    return light / number / psf.pixel_scale_arcsec**2


@cache
def _table() -> NDArray[np.float64]:
    """Radius (arcsec) and share of the light per square arcsecond, (2, n)."""
    text = resources.files("mirimask.image").joinpath(_TABLE).read_text(encoding="utf-8")
    return np.loadtxt(text.splitlines()[1:], delimiter=",", unpack=True)


def psf_profile(fwhm_px: float) -> PsfProfile:
    """The profile of a PSF of that full width at half maximum, in pixels.

    That of MIRI in F770W, from the model that the simulation uses (`image.psf`), scaled: MIRI is
    limited by diffraction, so its other filters differ by the wavelength alone. What does not
    scale is the light scattered in the detector, three times as much in F560W and none from 15 um
    on. The table ends at 38 FWHM.
    """
    radius, share = _table()
    scale = fwhm_px / psf_fwhm_arcsec(PROFILE_FILTER)
    return PsfProfile(radius * scale, share / scale**2)
