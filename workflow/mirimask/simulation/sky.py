"""The simulated sky: diffuse light and sources of a field, in the mosaic's pixels.

Positions are 0-based pixels (x, y) of the mosaic; sources are drawn over a square larger than the
frame, so that a catalogue around it has its sources too. Magnitudes are AB, fluxes microjansky.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.table import QTable, vstack
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from mirimask.image.instrument import PIXEL_SCALE_ARCSEC, imaging_filter
from mirimask.units import ab_to_microjansky

__all__ = ["CROP", "FRAME_SHAPE", "MARGIN_PX", "Diffuse", "draw_sources"]

FRAME_SHAPE = (1028, 1032)  # rows, columns of the paper's level-3 frames
CROP = (slice(20, 1000), slice(430, 1020))  # the paper's crop
MARGIN_PX = 200  # sources are drawn this far outside the frame

# AB magnitude of Vega in F770W (64.9 Jy), W1 and W2 (Jarrett et al. 2011).
_AB_OF_VEGA = {"F770W": 4.37, "W1": 2.699, "W2": 3.339}
_F770W_UM = imaging_filter("F770W").centre_um
_MIPS24_UM = 23.68  # Engelbracht et al. (2007)
# Galaxies between 8 and 25 um: f_nu rises as wavelength^slope, of this mean and scatter (dust of
# star formation; an assumption, docs/simulation.md)
_GALAXY_SLOPE = (1.5, 0.7)


class Diffuse:
    """Background level, gradient, nebula and mesh of a field, as a function of position.

    `background`: `level` and `gradient` [along x, along y] (MJy/sr from edge to edge of the
    frame), `glows` (list of {x, y, amplitude, radius_px}: Gaussians of scattered light, or shadows
    where negative). `nebula` (may be None): a log-normal field of
    power spectrum k^-`slope`, of `amplitude` (MJy/sr, rms), `contrast` (rms of its logarithm) and
    `largest_px`; smoothed by `smooth_px`.
    """

    _STEP = 2  # pixels between samples of the nebula

    def __init__(
        self, background: Mapping[str, Any], nebula: Mapping[str, Any] | None, seed: int
    ) -> None:
        self.level = float(background["level"])
        self.gradient = [float(g) for g in background["gradient"]]
        self.glows = list(background["glows"])
        self.nebula = None
        if nebula:
            self.nebula = _nebula(nebula, np.random.default_rng([seed, 1]), self._STEP)

    def at(self, x: NDArray, y: NDArray) -> NDArray[np.float32]:
        """Surface brightness (MJy/sr, float32) at positions `x`, `y` (mosaic pixels, any shape)."""
        u = (x / (FRAME_SHAPE[1] - 1) - 0.5).astype(np.float32)
        v = (y / (FRAME_SHAPE[0] - 1) - 0.5).astype(np.float32)
        light = self.level + self.gradient[0] * u + self.gradient[1] * v
        for glow in self.glows:
            distance = (x - glow["x"]) ** 2 + (y - glow["y"]) ** 2
            light += glow["amplitude"] * np.exp(-distance / (2 * glow["radius_px"] ** 2))
        if self.nebula is not None:
            light += map_coordinates(
                self.nebula,
                [(y + MARGIN_PX) / self._STEP, (x + MARGIN_PX) / self._STEP],
                order=1,
                mode="nearest",
                output=np.float32,
            )
        return light.astype(np.float32)


def _nebula(
    settings: Mapping[str, Any], rng: np.random.Generator, step: int
) -> NDArray[np.float32]:
    side = max(FRAME_SHAPE) + 2 * MARGIN_PX
    n = 1 << int(np.ceil(np.log2(side / step)))  # a power of two; the rest is cut off
    k = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None, :])
    k_low = step / float(settings["largest_px"])
    spectrum = np.hypot(k, k_low) ** (-float(settings["slope"]) / 2)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((n, n))) * spectrum, s=(n, n))
    field /= field.std()
    cloud = np.exp(float(settings["contrast"]) * field)
    cloud = gaussian_filter(cloud, float(settings["smooth_px"]) / step)
    cut = cloud[: -(-side // step) + 2, : -(-side // step) + 2]
    cut = (cut - np.median(cut)) / cut.std()
    return (float(settings["amplitude"]) * cut).astype(np.float32)


def _magnitudes(
    rng: np.random.Generator, number: int, brightest: float, faintest: float, slope: float
) -> NDArray[np.float64]:
    """Magnitudes of counts that rise as 10^(slope m) between two limits."""
    uniform = rng.uniform(size=number)
    if slope == 0:
        return brightest + uniform * (faintest - brightest)
    low, high = 10 ** (slope * brightest), 10 ** (slope * faintest)
    return np.log10(low + uniform * (high - low)) / slope


def draw_sources(
    field: Mapping[str, Any], seed: int, pixel_scale_arcsec: float, *, filter_name: str = "F770W"
) -> QTable:
    """Sources of a field, brightest first, as a MIRI filter sees them.

    `field["stars"]`, `field["galaxies"]`: `per_arcmin2` down to `faintest`, `brightest`, `slope`
    of the counts, and of galaxies `radius_arcsec`, the half-light radius at 22 AB in F770W;
    `field["bright_stars"]`: list of {x, y, ab}; `field["bright_galaxies"]`: of these and
    {radius_px, sersic_n, axis_ratio, angle_deg}. Positions are uniform. Columns: kind (star |
    galaxy), x, y, flux_ujy, ab_mag, radius_px (half-light), sersic_n, axis_ratio, angle_deg (0 for
    stars), w1_vega, w2_vega and s24_ujy (MIPS, 23.68 um). Magnitudes of the settings and of ab_mag
    are those of the filter. MaskError for an unknown filter.
    """
    band = imaging_filter(filter_name).centre_um
    parts = []
    bright = field["bright_stars"]
    if bright:
        rng = np.random.default_rng([seed, 2])
        parts.append(
            _stars(
                rng,
                np.array([star["x"] for star in bright], float),
                np.array([star["y"] for star in bright], float),
                np.array([star["ab"] for star in bright], float),
                band,
            )
        )
    for galaxy in field["bright_galaxies"]:
        rng = np.random.default_rng([seed, 5, len(parts)])
        x, y, magnitude = (np.array([galaxy[key]], float) for key in ("x", "y", "ab"))
        keys = ("radius_px", "sersic_n", "axis_ratio", "angle_deg")
        shape = np.array([[galaxy[key]] for key in keys], float)
        parts.append(_galaxies(rng, x, y, magnitude, band, shape))
    sides = np.array(FRAME_SHAPE[::-1]) + 2 * MARGIN_PX
    area = float(np.prod(sides)) * (pixel_scale_arcsec / 60) ** 2
    for number, kind in enumerate(("stars", "galaxies")):
        rng = np.random.default_rng([seed, 3 + number])
        counts = field[kind]
        n = round(counts["per_arcmin2"] * area)
        if not n:
            continue
        x, y = rng.uniform(size=(2, n)) * sides[:, None] - MARGIN_PX - 0.5
        magnitude = _magnitudes(rng, n, counts["brightest"], counts["faintest"], counts["slope"])
        if kind == "stars":
            parts.append(_stars(rng, x, y, magnitude, band))
        else:
            radius = float(counts["radius_arcsec"]) / pixel_scale_arcsec
            parts.append(_galaxies(rng, x, y, magnitude, band, radius_px=radius))
    table = (
        vstack(parts, metadata_conflicts="silent")
        if parts
        else _stars(np.random.default_rng(seed), np.zeros(0), np.zeros(0), np.zeros(0), band)
    )
    table.sort("ab_mag")
    return table


def _stars(
    rng: np.random.Generator, x: NDArray, y: NDArray, magnitude: NDArray, band_um: float
) -> QTable:
    """Photospheres: colourless in the Vega system but for a scatter, f_nu as wavelength^-2."""
    n = x.size
    vega = magnitude - (_AB_OF_VEGA["F770W"] + 5 * np.log10(band_um / _F770W_UM))
    w1 = vega + rng.normal(0.03, 0.05, n)
    w2 = w1 + rng.normal(0.02, 0.04, n)
    s24 = ab_to_microjansky(magnitude) * (band_um / _MIPS24_UM) ** 2
    return _table("star", x, y, magnitude, np.zeros((4, n)), w1, w2, s24)


def _galaxies(
    rng: np.random.Generator,
    x: NDArray,
    y: NDArray,
    magnitude: NDArray,
    band_um: float,
    shape: NDArray | None = None,
    radius_px: float = 0.25 / PIXEL_SCALE_ARCSEC,
) -> QTable:
    """Sersic profiles: sizes shrink with magnitude, colours of mixed redshifts and dust."""
    n = x.size
    if shape is None:
        # half-light radius `radius_px` at 22 AB in F770W, of scatter 0.2 dex (docs/simulation.md)
        typical = magnitude + 2.5 * _GALAXY_SLOPE[0] * np.log10(band_um / _F770W_UM)
        radius = radius_px * 10 ** (-0.08 * (typical - 22) + rng.normal(0, 0.2, n))
        shape = np.array(
            [
                np.clip(radius, 0.8, 40),
                np.clip(10 ** rng.normal(0.15, 0.2, n), 0.6, 4.5),
                rng.uniform(0.3, 1.0, n),
                rng.uniform(0, 180, n),
            ]
        )
    colours = rng.normal(0.2, 0.6, n), rng.normal(0.0, 0.2, n)
    slope = rng.normal(*_GALAXY_SLOPE, n)
    at_8um = magnitude + 2.5 * slope * np.log10(band_um / _F770W_UM)
    w1 = at_8um + colours[0] - _AB_OF_VEGA["W1"]
    w2 = w1 + _AB_OF_VEGA["W1"] - _AB_OF_VEGA["W2"] + colours[1]
    s24 = ab_to_microjansky(magnitude) * (_MIPS24_UM / band_um) ** slope
    return _table("galaxy", x, y, magnitude, shape, w1, w2, s24)


def _table(
    kind: str,
    x: NDArray,
    y: NDArray,
    magnitude: NDArray,
    shape: NDArray,
    w1: NDArray,
    w2: NDArray,
    s24: NDArray,
) -> QTable:
    return QTable(
        {
            "kind": np.full(x.size, kind, "U6"),
            "x": x,
            "y": y,
            "flux_ujy": ab_to_microjansky(magnitude),
            "ab_mag": magnitude,
            "radius_px": shape[0],
            "sersic_n": shape[1],
            "axis_ratio": shape[2],
            "angle_deg": shape[3],
            "w1_vega": w1,
            "w2_vega": w2,
            "s24_ujy": s24,
        }
    )
