"""The simulated fields beside the paper's Table 2 and a real mosaic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from mirimask.image.frame import Frame
from mirimask.image.instrument import PIXEL_SCALE_ARCSEC
from mirimask.image.psf import Psf
from mirimask.image.statistics import describe
from mirimask.image.wcs import sky_to_pixel
from mirimask.simulation.checks import (
    Check,
    autocorrelation_checks,
    catalogue_check,
    depth_of_noise_ab,
    statistics_checks,
    without_background,
)
from mirimask.simulation.exposures import observe
from mirimask.simulation.field import PIXAR_SR
from mirimask.simulation.sky import CROP, Diffuse, draw_sources

__all__ = ["Beside", "beside_mosaic", "crop_checks", "field_depth"]

REAL_SCALE = 0.08  # arcsec, of the real mosaic
LIKE_REAL_S = 1640  # exposure that gives the noise of the real mosaic
_FIELD = (1028, 1032)  # rows and columns of a simulated field, at MIRI's own pixel scale
_PATCH = (480, 640)  # its first row and column that are compared with the mosaic


def crop_checks(
    image: str, frame: Frame, catalogue: Table, published: Mapping[str, float], *, sources: int
) -> list[Check]:
    """A simulated frame against its row of the paper's Table 2 and the number of its sources.

    `catalogue` is the image's unWISE table (RAJ2000, DEJ2000 in degrees), `sources` how many of
    them the paper scored in the crop.
    """
    rows, columns = CROP
    x, y = sky_to_pixel(frame.wcs, catalogue["RAJ2000"], catalogue["DEJ2000"])
    inside = (x >= columns.start - 0.5) & (x < columns.stop - 0.5)
    inside &= (y >= rows.start - 0.5) & (y < rows.stop - 0.5)
    return [
        *statistics_checks(image, describe(frame.data[CROP]), published),
        catalogue_check(image, int(inside.sum()), sources),
    ]


def field_depth(noise: NDArray[np.floating], *, share: float) -> float:
    """`depth_of_noise_ab` of a simulated field at MIRI's own pixel scale."""
    return depth_of_noise_ab(noise, PIXAR_SR, PIXEL_SCALE_ARCSEC, share=share)


@dataclass(frozen=True)
class Beside:
    """A simulated field at the scale of a real mosaic, and the mosaic, both less background.

    `simulated` and `real` are (ny, nx) in MJy/sr, NaN where the mosaic has no data; in
    `simulated_noise` and `real_noise` sources are NaN too.
    """

    simulated: NDArray[np.floating]
    real: NDArray[np.floating]
    simulated_noise: NDArray[np.floating]
    real_noise: NDArray[np.floating]

    def checks(self) -> list[Check]:
        """Whether the noise of neighbouring pixels is as correlated."""
        return autocorrelation_checks(self.simulated_noise, self.real_noise)

    def summary(self, *, share: float) -> list[str]:
        """Scatter and depth of both, a line each."""
        area = PIXAR_SR * (REAL_SCALE / PIXEL_SCALE_ARCSEC) ** 2
        return [
            f"{name} at {REAL_SCALE} arcsec/px: rms {np.nanstd(noise):.4f} MJy/sr, depth "
            f"{depth_of_noise_ab(noise, area, REAL_SCALE, share=share):.2f} AB (5 sigma, r 0.3 "
            "arcsec)"
            for name, noise in (("SIMULATED", self.simulated_noise), ("real", self.real_noise))
        ]


def beside_mosaic(
    real: NDArray[np.floating],
    no_data: NDArray[np.bool_],
    psf: Psf,
    *,
    field: Mapping[str, Any],
    detector: Mapping[str, Any],
) -> Beside:
    """Simulate a field at the scale and depth of a real mosaic and set the two side by side.

    Without the mesh of the field: it is the paper's, and the mosaic has none.

    `real` (ny, nx) is in MJy/sr at `REAL_SCALE` arcsec a pixel, with sources and background;
    `no_data` (ny, nx, bool) has no observation. `field` and `detector` are those of a simulated
    study.
    """
    scale = REAL_SCALE / PIXEL_SCALE_ARCSEC
    mosaic = observe(
        Diffuse(field["background"], field["nebula"], field["seed"]),
        draw_sources(field, field["seed"], PIXEL_SCALE_ARCSEC),
        psf,
        field={**field, "mesh": None},
        detector=detector,
        exposure_s=LIKE_REAL_S,
        pixar_sr=PIXAR_SR,
        seed=field["seed"],
        shape=(int(_FIELD[0] / scale), int(_FIELD[1] / scale)),
        scale=scale,
    )
    (y0, x0), (ny, nx) = (int(n / scale) for n in _PATCH), real.shape
    patch = mosaic.sci[y0 : y0 + ny, x0 : x0 + nx]
    flat, hidden = without_background(patch, np.isnan(patch))
    real_flat, real_hidden = without_background(real, no_data)
    return Beside(
        flat,
        np.where(no_data, np.nan, real_flat),
        np.where(hidden, np.nan, flat),
        np.where(real_hidden, np.nan, real_flat),
    )
