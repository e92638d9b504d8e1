"""Light of a galaxy: a Sersic profile seen through the PSF."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import spline_filter
from scipy.signal import fftconvolve

from mirimask.image.psf import Psf

__all__ = ["galaxy_light"]


def galaxy_light(row: Mapping[str, Any], psf: Psf) -> tuple[NDArray[np.float32], int]:
    """A galaxy of flux 1 through the PSF: spline coefficients as `stamp` takes them, half size.

    `row`: its radius_px (half-light, along the major axis), sersic_n, axis_ratio and angle_deg. The
    PSF is that within 12 px, which has the light further out too: far wings would make of every
    galaxy a stamp as large as a bright star's. What fades at the stamp's end, 2 to 4 % of a small
    galaxy, is lost.
    """
    over = psf.oversample
    half = int(np.clip(6 * row["radius_px"], 8, 90)) + 4
    n, r_e = row["sersic_n"], row["radius_px"] * over
    y, x = np.indices((2 * half * over + 1,) * 2) - half * over
    angle = np.deg2rad(row["angle_deg"])
    major = x * np.cos(angle) + y * np.sin(angle)
    minor = (y * np.cos(angle) - x * np.sin(angle)) / row["axis_ratio"]
    b = 2 * n - 1 / 3 + 0.009876 / n  # Prugniel & Simien 1997
    # softened by half a sample: the cusp of a steep profile would fall on one
    radius = np.sqrt(major**2 + minor**2 + 0.25)
    light = np.exp(-b * ((radius / r_e) ** (1 / n) - 1))
    light /= light.sum()
    middle = psf.data.shape[0] // 2
    cut = slice(middle - 12 * over, middle + 12 * over + 1)
    core = psf.data[cut, cut].astype(float)
    core *= psf.data.sum(dtype=float) / core.sum()  # the far wings' light is kept, not their place
    seen = fftconvolve(light, core, "same")
    edge = np.minimum(
        np.indices(seen.shape), np.array(seen.shape)[:, None, None] - 1 - np.indices(seen.shape)
    ).min(axis=0) / (4 * over)
    seen *= np.clip(edge, 0, 1)  # no edge of a stamp on the sky
    return spline_filter(seen.astype(np.float32), order=3, output=np.float32), half - 2
