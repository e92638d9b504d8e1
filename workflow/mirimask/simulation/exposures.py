"""Dithered exposures of a simulated sky, and the mosaic that they are resampled into.

Each exposure is counted in electrons on MIRI's full array (1024 x 1032) behind a distortion, with
the detector's faults; the exposures are resampled with the `drizzle` package (square kernel,
pixfrac 1, as the pipeline does), so that the mosaic's noise is correlated, its corners are empty
and its weights, errors and context are those of what went in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import QTable
from drizzle.resample import Drizzle
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mirimask.errors import MaskError
from mirimask.image.galaxy import galaxy_light
from mirimask.image.psf import Psf, add_stamp, stamp
from mirimask.simulation.sky import FRAME_SHAPE, Diffuse
from mirimask.units import microjansky_per_pixel

__all__ = [
    "DETECTOR_SHAPE",
    "Exposure",
    "Mosaic",
    "detector_to_mosaic",
    "mosaic_to_detector",
    "observe",
]

DETECTOR_SHAPE = (1024, 1032)
# Up to six points with sub-pixel phases, in units of the field's dither size: up to 1.07 from the
# middle and 1.97 from each other.
_PATTERN = np.array(
    [(0.0, 0.0), (0.87, -0.63), (-0.71, 0.55), (0.34, 0.92), (-0.93, -0.38), (0.58, 0.21)]
)
_HALF_SIZES = (6, 10, 16, 24, 36, 54, 80, 108, 150, 216)  # of stamps, pixels
_PHASES = 16  # cached sub-pixel positions along each axis, for stamps of faint stars
_FAINT_LIMIT = 0.002  # MJy/sr: what a stamp may leave out at its edge


@dataclass(frozen=True)
class Mosaic:
    """A resampled product: images (ny, nx), MJy/sr where it applies, and `con` (planes, ny, nx).

    Where no exposure reaches, `sci`, `err` and the variances are NaN, all else is 0. `light` and
    `sky` are the truth behind `sci`, resampled as it is: the sources' light and the diffuse light,
    without noise and without what the detector adds.
    """

    sci: NDArray[np.float32]
    err: NDArray[np.float32]
    con: NDArray[np.int32]
    wht: NDArray[np.float32]
    var_poisson: NDArray[np.float32]
    var_rnoise: NDArray[np.float32]
    var_flat: NDArray[np.float32]
    light: NDArray[np.float32]
    sky: NDArray[np.float32]


@dataclass(frozen=True)
class Exposure:
    """One exposure, on the detector's pixels, MJy/sr, and where these lie in the mosaic (pixels).

    `background` is what `image` has without sources and without noise: the sky through the flat
    field, and the detector's pattern; `light` what the sources add to it, without noise. `good`:
    pixels that see the sky and are not flagged.
    """

    image: NDArray[np.float32]
    background: NDArray[np.float32]
    light: NDArray[np.float32]
    good: NDArray[np.bool_]
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def _distortion(x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
    """Shift of a detector pixel in the mosaic, zero at the centre: low orders, a few pixels."""
    u, v = x / 516 - 1, y / 512 - 1
    return 2.1 * u * v - 1.2 * v * v + 0.6 * u * u * u, 1.1 * u * u - 1.6 * u * v + 0.5 * v * v * v


def detector_to_mosaic(
    x: NDArray, y: NDArray, offset: tuple[float, float]
) -> tuple[NDArray, NDArray]:
    """Mosaic position (pixels) of a detector position, for an exposure's dither offset."""
    dx, dy = _distortion(x, y)
    return x + dx + offset[0], y + dy + offset[1] + (FRAME_SHAPE[0] - DETECTOR_SHAPE[0]) / 2


def mosaic_to_detector(
    x: NDArray, y: NDArray, offset: tuple[float, float]
) -> tuple[NDArray, NDArray]:
    """Inverse of `detector_to_mosaic`, to better than 1e-4 px."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    xd, yd = x, y
    for _ in range(5):
        xm, ym = detector_to_mosaic(xd, yd, offset)
        xd, yd = xd + x - xm, yd + y - ym
    return xd, yd


def _fields_of_view(four_quadrants: bool) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which detector pixels see the sky, and how much of it.

    The imager lies right of a slightly tilted edge near column 360; left of it are the Lyot
    coronagraph (with its spot and its bar) and three four-quadrant phase masks, whose pixels the
    pipeline flags (`four_quadrants` keeps them); between them support structure; the outermost
    four columns on each side are reference pixels.
    """
    y, x = np.indices(DETECTOR_SHAPE)
    clear = np.ones(DETECTOR_SHAPE, np.float32)
    sees = x > 361 + 0.022 * (y - 512)
    lyot = (x > 14) & (x < 285 - 0.05 * (y - 880)) & (y > 745 + 0.04 * x) & (y < 1018)
    sees |= lyot
    spot = np.hypot(x - 146, y - 884) < 20
    bar = (np.abs(x - 146 - 0.06 * (y - 884)) < 3.5) & (y > 884)
    clear[lyot & (spot | bar)] = 0.04
    if four_quadrants:
        for bottom in (28, 252, 474):
            box = (x > 12) & (x < 226) & (y > bottom) & (y < bottom + 212)
            sees |= box
            middle = bottom + 106
            cross = (np.abs(x - 119 - 0.08 * (y - middle)) < 2) | (
                np.abs(y - middle + 0.08 * (x - 119)) < 2
            )
            clear[box & cross] = 0.7
    sees &= (x >= 4) & (x < DETECTOR_SHAPE[1] - 4)
    clear = gaussian_filter(clear, 0.8)
    return sees, clear


class _Stamps:
    """Stamps of point sources, those of faint ones from a cache of sub-pixel positions."""

    def __init__(self, psf: Psf) -> None:
        self.coefficients = psf.spline()
        self.over = psf.oversample
        middle = psf.data.shape[0] // 2
        self.halves = [h for h in _HALF_SIZES if (h + 1) * self.over < middle]
        y, x = np.abs(np.indices(psf.data.shape) - middle)
        reach = np.maximum(x, y) / self.over
        self.outside = [float(psf.data[reach > half].max()) for half in self.halves]
        self.cache: dict[tuple[int, int, int], NDArray[np.float32]] = {}

    def of(self, flux: float, fx: float, fy: float) -> tuple[int, NDArray[np.float32]]:
        """Half size and light (MJy/sr) of a star of `flux` (MJy/sr pixels), off by (fx, fy)."""
        half = next(
            (
                h
                for h, left in zip(self.halves, self.outside, strict=True)
                if left * flux < _FAINT_LIMIT
            ),
            self.halves[-1],
        )
        if half > 16:
            return half, flux * stamp(self.coefficients, self.over, fx, fy, half)
        key = (half, round(fx * _PHASES), round(fy * _PHASES))
        if key not in self.cache:
            self.cache[key] = stamp(
                self.coefficients, self.over, key[1] / _PHASES, key[2] / _PHASES, half
            )
        return half, flux * self.cache[key]


def _cosmic_rays(rng: np.random.Generator, number: int, scale: float) -> NDArray[np.float32]:
    """What the jump detection left: short streaks of exponential brightness (unit of `scale`)."""
    image = np.zeros(DETECTOR_SHAPE, np.float32)
    n = rng.poisson(number)
    x, y = rng.uniform(0, DETECTOR_SHAPE[1], n), rng.uniform(0, DETECTOR_SHAPE[0], n)
    angle, length = rng.uniform(0, np.pi, n), 1 + rng.exponential(1.0, n)
    bright = scale * rng.exponential(1.0, n)
    for step in np.arange(0, 6):
        on = step < length
        i = (y[on] + step * np.sin(angle[on])).astype(int)
        j = (x[on] + step * np.cos(angle[on])).astype(int)
        inside = (i >= 0) & (i < DETECTOR_SHAPE[0]) & (j >= 0) & (j < DETECTOR_SHAPE[1])
        np.add.at(image, (i[inside], j[inside]), bright[on][inside])
    return image


def _bad_pixels(
    rng: np.random.Generator, detector: Mapping[str, Any], field: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Flagged detector pixels: single ones, the field's dead clusters, its dead rectangle."""
    bad = rng.uniform(size=DETECTOR_SHAPE) < detector["bad_pixel_share"]
    y, x = np.indices(DETECTOR_SHAPE)
    for cluster in field["dead_clusters"]:
        bad |= np.hypot(x - cluster["x"], y - cluster["y"]) <= cluster["radius_px"]
    dead = field["dead_area"]
    if dead:
        bad[slice(*dead["rows"]), slice(*dead["columns"])] = True
    return bad


def observe(
    diffuse: Diffuse,
    sources: QTable,
    psf: Psf,
    *,
    field: Mapping[str, Any],
    detector: Mapping[str, Any],
    exposure_s: float,
    pixar_sr: float,
    seed: int,
    shape: tuple[int, int] = FRAME_SHAPE,
    scale: float = 1.0,
    keep: Callable[[Exposure], None] | None = None,
) -> Mosaic:
    """Observe a sky in dithered exposures and resample them.

    `keep` is called with each exposure.

    `exposure_s` is the whole exposure time, shared by `field["exposures"]`. `scale` is the side of
    a mosaic pixel in detector pixels, for comparisons with products of another scale; the mosaic
    then still begins at the same corner. Pixels no exposure reaches are as in `Mosaic`.
    MaskError where every pixel is empty, or where the sky that is seen is below 0: an exposure
    counts no electrons there, and would not show what is its truth.
    """
    number = int(field["exposures"])
    seconds = exposure_s / number
    to_electrons = detector["gain_e_per_dn"] * seconds / detector["photmjsr"]
    fixed = np.random.default_rng([seed, 10])
    flat = _flat_residual(fixed, detector)
    bad = _bad_pixels(fixed, detector, field)
    faults = _unflagged(fixed, detector)
    mesh = _mesh(field["mesh"])
    sees, clear = _fields_of_view(detector["four_quadrants"])
    bad |= ~sees
    per_pixel = microjansky_per_pixel(pixar_sr)
    stamps = _Stamps(psf)
    reach = stamps.halves[-1]
    galaxies: dict[int, tuple[NDArray[np.float32], int]] = {}
    flux = np.asarray(sources["flux_ujy"], float) / per_pixel
    is_galaxy = np.asarray(sources["kind"]) == "galaxy"

    drizzle = Drizzle(fillval="NAN", out_shape=shape, out_img2=[None, None, None])
    truths = [Drizzle(fillval="NAN", out_shape=shape) for _ in ("light", "sky")]
    rows, columns = np.indices(DETECTOR_SHAPE, dtype=np.float64)
    for number_, point in enumerate(_pattern(number)):
        rng = np.random.default_rng([seed, 20, number_])
        offset = (
            float(field["dither_px"] * point[0]),
            float(field["dither_px"] * point[1]),
        )
        xm, ym = detector_to_mosaic(columns, rows, offset)
        sky = diffuse.at(xm, ym)
        lowest = float(sky[~bad].min(initial=0))
        if lowest < 0:
            raise MaskError(
                f"the sky of the field is down to {lowest:.2g} MJy/sr where it is seen; raise the "
                "level of its background, or lower what takes from it (gradient, glows, nebula)."
            )
        scene = sky.copy()
        xs, ys = mosaic_to_detector(sources["x"], sources["y"], offset)
        near = (np.abs(xs - 515.5) < 516 + reach) & (np.abs(ys - 511.5) < 512 + reach)
        for i in np.flatnonzero(near).tolist():
            x, y = int(np.rint(xs[i])), int(np.rint(ys[i]))
            if is_galaxy[i]:
                if i not in galaxies:
                    galaxies[i] = galaxy_light(sources[i], psf)
                coefficients, half = galaxies[i]
                light = flux[i] * stamp(coefficients, psf.oversample, xs[i] - x, ys[i] - y, half)
            else:
                half, light = stamps.of(flux[i], xs[i] - x, ys[i] - y)
            add_stamp(scene, light, row=y, column=x)
        scene *= clear
        sky *= clear
        saturated = scene > detector["saturation_mjy_sr"]
        electrons = np.maximum(scene * to_electrons, 0)
        counted = rng.poisson(electrons) + rng.normal(0, detector["read_noise_e"], DETECTOR_SHAPE)
        counted += detector["row_offset_e"] * rng.standard_normal((DETECTOR_SHAPE[0], 1))
        counted += detector["column_offset_e"] * rng.standard_normal((1, DETECTOR_SHAPE[1]))
        image = (counted / to_electrons).astype(np.float32)
        noise = float(np.median(np.sqrt(electrons + detector["read_noise_e"] ** 2)) / to_electrons)
        image += _cosmic_rays(
            rng,
            detector["cosmic_ray_residuals_per_s"] * seconds,
            detector["cosmic_ray_sigma"] * noise,
        )
        image = image * flat + faults + mesh
        good = ~(bad | saturated)
        if keep is not None:
            background = (sky * flat + faults + mesh).astype(np.float32)
            light = ((scene - sky) * flat).astype(np.float32)
            keep(Exposure(image, background, light, good, xm, ym))
        var_rnoise = np.full(
            DETECTOR_SHAPE, (detector["read_noise_e"] / to_electrons) ** 2, np.float32
        )
        pixmap = np.dstack([xm, ym])
        if scale != 1:
            pixmap = (pixmap + 0.5) / scale - 0.5
        # as the pipeline's "ivm"; without read noise all pixels weigh the same
        weights = good / np.where(var_rnoise > 0, var_rnoise, np.float32(1))
        drizzle.add_image(
            image,
            exptime=1.0,
            pixmap=pixmap,
            data2=[
                np.maximum(image, 0) / np.float32(to_electrons),
                var_rnoise,
                (image * np.float32(detector["flat_error"])) ** 2,
            ],
            weight_map=weights,
            pixel_scale_ratio=scale,
            in_units="cps",
        )
        for truth, plane in zip(truths, (scene - sky, sky), strict=True):
            truth.add_image(
                plane,
                exptime=1.0,
                pixmap=pixmap,
                weight_map=weights,
                pixel_scale_ratio=scale,
                in_units="cps",
            )
    weight = drizzle.out_wht
    if not (weight > 0).any():
        raise MaskError("no pixel of the field has data; see its dead_area and background.")
    empty = weight == 0
    poisson, read_noise, flat = variances = [
        np.where(empty, np.nan, v).astype(np.float32) for v in drizzle.out_img2
    ]
    sci = np.where(empty, np.nan, drizzle.out_img).astype(np.float32)
    con = np.asarray(drizzle.out_ctx, np.int32).reshape(-1, *shape)
    light, sky = (np.where(empty, 0, truth.out_img).astype(np.float32) for truth in truths)
    error = np.sqrt(sum(variances)).astype(np.float32)
    return Mosaic(sci, error, con, weight.astype(np.float32), poisson, read_noise, flat, light, sky)


def _pattern(number: int) -> NDArray[np.float64]:
    if not 1 <= number <= len(_PATTERN):
        raise MaskError(f"exposures is {number}; it must be 1 to {len(_PATTERN)}.")
    return _PATTERN[:number]


def _flat_residual(rng: np.random.Generator, detector: Mapping[str, Any]) -> NDArray[np.float32]:
    """What the flat field leaves: pixel to pixel, and broad structure of the same detector."""
    small = rng.standard_normal(DETECTOR_SHAPE).astype(np.float32)
    coarse = gaussian_filter(rng.standard_normal((128, 129)), 4)
    coarse = np.kron(coarse / coarse.std(), np.ones((8, 8)))
    broad = gaussian_filter(coarse, 6).astype(np.float32)
    return (
        np.float32(1)
        + np.float32(detector["flat_rms"]) * small
        + np.float32(detector["flat_broad_rms"]) * broad
    )


def _unflagged(rng: np.random.Generator, detector: Mapping[str, Any]) -> NDArray[np.float32]:
    """Warm and cold pixels that nothing flags (MJy/sr, added)."""
    faults = np.zeros(DETECTOR_SHAPE, np.float32)
    n = rng.poisson(detector["unflagged_pixels"])
    where = rng.integers(0, faults.size, n)
    faults.ravel()[where] = detector["unflagged_mjy_sr"] * rng.laplace(size=n)
    return faults


def _mesh(mesh: Mapping[str, Any] | None) -> NDArray[np.float32]:
    """A pattern of rows and columns fixed on the detector (MJy/sr, added)."""
    if not mesh:
        return np.zeros(DETECTOR_SHAPE, np.float32)
    y, x = (
        2 * np.pi / mesh["period_px"] * axis
        for axis in np.ogrid[: DETECTOR_SHAPE[0], : DETECTOR_SHAPE[1]]
    )
    return (mesh["amplitude"] * (np.sin(x) + np.sin(y)) / 2).astype(np.float32)
