"""The point spread function of MIRI's imager, computed from the JWST pupil.

A polychromatic diffraction pattern (poppy) through the filter's band, then what the observatory and
the detector add: jitter, the pixel's response, inter-pixel capacitance and the cruciform artefact
of light diffracted inside the detector. STPSF does the same from measured data files; here the
pupil is geometric and the detector terms are its published numbers (docs/simulation.md).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray
from scipy.ndimage import (
    convolve1d,
    gaussian_filter,
    map_coordinates,
    shift,
    spline_filter,
    uniform_filter,
)

from mirimask.atomic import replacing
from mirimask.errors import MaskError
from mirimask.image.instrument import PIXEL_SCALE_ARCSEC, imaging_filter
from mirimask.image.product import opened

__all__ = [
    "Psf",
    "PsfSettings",
    "add_stamp",
    "encircled_energy",
    "make_psf",
    "measured_fwhm",
    "on_image",
    "read_psf",
    "stamp",
    "write_psf",
]

_PUPIL_DIAMETER_M = 6.603464  # circumscribed circle
_PUPIL_SAMPLES = 512  # twice as many change the encircled energy by 0.001


@dataclass(frozen=True)
class PsfSettings:
    """How the PSF is computed.

    `jitter_arcsec`: rms per axis; `blur_arcsec`: rms per axis of what is not modelled (wavefront
    error, charge diffusion), chosen by the width of STPSF's F770W; `ipc`: share of a pixel's signal
    seen by each neighbour in (y, x); `cruciform`: light per pixel at the centre of each
    arm of the cross, of the whole, before its inner 12 px are halved; `halo`: share
    scattered twice, across rows and columns; `rotation_deg`: of the pupil on the detector.
    """

    oversample: int = 4
    size_arcsec: float = 24.0
    wavelengths: int = 9
    jitter_arcsec: float = 0.001
    blur_arcsec: float = 0.03
    ipc: tuple[float, float] = (0.033, 0.024)
    cruciform: float | None = None  # None: that of the filter
    cruciform_length_px: float = 25.0
    halo: float = 0.02
    rotation_deg: float = -4.8


# Flight values of the artefact: strong at 5.6 um, gone from 15 um on (Gaspar et al. 2021; STPSF).
_CRUCIFORM = {
    "F560W": 0.0022,
    "F770W": 0.0008,
    "F1000W": 0.00034,
    "F1130W": 0.00017,
    "F1280W": 0.00008,
}


@dataclass(frozen=True)
class Psf:
    """An oversampled PSF: the share of a star's light in a detector pixel centred at each point.

    `data`: float32, square, odd, centred; sums to `oversample` ^ 2 if it held all the light.
    """

    data: NDArray[np.float32]
    oversample: int
    filter: str
    pixel_scale_arcsec: float = PIXEL_SCALE_ARCSEC

    def spline(self) -> NDArray[np.float32]:
        """Spline coefficients of `data`, to be given to `stamp` (computed once by the caller)."""
        return spline_filter(self.data, order=3, output=np.float32)


def stamp(
    coefficients: NDArray, oversample: float, dx: float, dy: float, half: int
) -> NDArray[np.float32]:
    """Light of a star of flux 1 in (2 `half` + 1)^2 pixels, the star (dx, dy) px off the centre."""
    middle = coefficients.shape[0] // 2
    axis = np.arange(-half, half + 1)
    y = (axis - dy) * oversample + middle
    x = (axis - dx) * oversample + middle
    return map_coordinates(
        coefficients, np.meshgrid(y, x, indexing="ij"), order=3, prefilter=False, output=np.float32
    )


def on_image(
    top: int, left: int, stamp_shape: tuple[int, ...], shape: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a stamp whose corner is at (top, left) lies on an image, and which part of it does.

    Both without a pixel where none does.
    """
    on, of = [], []
    for start, n, length in zip((top, left), stamp_shape, shape, strict=True):
        on.append(slice(*(min(max(end, 0), length) for end in (start, start + n))))
        of.append(slice(on[-1].start - start, on[-1].stop - start))
    return (on[0], on[1]), (of[0], of[1])


def add_stamp(
    image: NDArray[np.float32], light: NDArray[np.floating], *, row: int, column: int
) -> None:
    """Add a stamp, whose sides are odd, to an image with its middle on a pixel, in place.

    What of it lies beyond the image is lost.
    """
    half = light.shape[0] // 2
    part, inside = on_image(row - half, column - half, light.shape, image.shape)
    image[part] += light[inside]


def make_psf(filter_name: str, settings: PsfSettings = PsfSettings()) -> Psf:
    """PSF of a MIRI filter on the detector's pixels, oversampled.

    The band is a top hat between the filter's half-power wavelengths, for photons that fall as
    wavelength^-2: STPSF's mean wavelength in F770W, 7.53 um. MaskError for an unknown filter.
    """
    import astropy.units as u
    import poppy

    band = imaging_filter(filter_name)
    over = settings.oversample
    pupil = poppy.CompoundAnalyticOptic(
        [
            poppy.MultiHexagonAperture(rings=2, flattoflat=1.3165, gap=0.007, center=False),
            poppy.AsymmetricSecondaryObscuration(
                secondary_radius=0.0, support_angle=(0, 150, 210), support_width=0.12
            ),
        ]
    )
    system = poppy.OpticalSystem(
        npix=_PUPIL_SAMPLES, pupil_diameter=_PUPIL_DIAMETER_M * u.m, oversample=over
    )
    system.add_pupil(pupil)
    system.add_rotation(settings.rotation_deg)
    pixels = round(settings.size_arcsec / PIXEL_SCALE_ARCSEC) | 1
    # An odd number of samples: the centre of the pattern is on one.
    samples = pixels * over + (over + 1) % 2
    system.add_detector(pixelscale=PIXEL_SCALE_ARCSEC / over, oversample=1, fov_pixels=samples)
    edges = np.linspace(band.blue_um, band.red_um, settings.wavelengths + 1)
    wavelengths = 0.5 * (edges[1:] + edges[:-1]) * 1e-6
    computed = system.calc_psf(
        wavelength=wavelengths, weight=(wavelengths / wavelengths[0]) ** -2, normalize="first"
    )
    data = computed[0].data.astype(float)

    blur = np.hypot(settings.jitter_arcsec, settings.blur_arcsec)
    data = gaussian_filter(data, blur / PIXEL_SCALE_ARCSEC * over)
    data = _pixel_response(data, over) * over**2
    data = _inter_pixel_capacitance(data, over, settings.ipc)
    amplitude = settings.cruciform
    if amplitude is None:
        amplitude = _CRUCIFORM.get(filter_name.upper(), 0.0)
    if amplitude:
        data = _cruciform(data, over, amplitude, settings.cruciform_length_px, settings.halo)
    # The outermost eighth fades, so that no edge of the computed square shows around a bright star.
    middle = samples // 2
    reach = np.abs(np.arange(samples) - middle) / middle
    fade = np.clip((1 - reach) * 8, 0, 1)
    data *= fade[:, None] * fade
    return Psf(data.astype(np.float32), over, filter_name.upper())


def _pixel_response(data: NDArray, over: int) -> NDArray:
    """Mean over a square pixel around each sample, centred whether `over` is even or odd."""
    if over % 2:
        return uniform_filter(data, over, mode="constant")
    weights = np.ones(over + 1) / over
    weights[[0, -1]] /= 2
    for axis in (0, 1):
        data = convolve1d(data, weights, axis=axis, mode="constant")
    return data


def _inter_pixel_capacitance(data: NDArray, over: int, ipc: tuple[float, float]) -> NDArray:
    """Each pixel's signal leaks to its neighbours in y and in x; not to the diagonal ones."""
    out = data * (1 - 2 * sum(ipc))
    for axis, share in enumerate(ipc):
        for step in (-over, over):
            move = [0, 0]
            move[axis] = step
            out += share * shift(data, move, order=0)
    return out


def _cruciform(
    data: NDArray, over: int, amplitude: float, length_px: float, halo: float
) -> NDArray:
    """Add light scattered along rows and columns: `amplitude` exp(-|x|/length) a pixel.

    The inner 12 px are halved (part of it is counted as capacitance). `halo` of the light is
    scattered along both. What is scattered is taken from the image: no light is made or lost.
    """
    from scipy.signal import fftconvolve  # a second of imports

    half = data.shape[0] // 2
    x = np.arange(-half, half + 1) / over
    arm = amplitude / over * np.exp(-np.abs(x) / length_px)
    arm[np.abs(x) < 12] /= 2
    total = 4 * amplitude * length_px * (1 - 0.5 * (1 - np.exp(-12 / length_px)))
    broad = np.exp(-np.abs(x) / length_px) / (2 * length_px * over)
    rows = fftconvolve(data, arm[None, :], "same")
    columns = fftconvolve(data, arm[:, None], "same")
    both = fftconvolve(fftconvolve(data, broad[None, :], "same"), broad[:, None], "same")
    return data * (1 - total - halo) + rows + columns + halo * both


def measured_fwhm(data: NDArray, pixel_arcsec: float) -> float:
    """FWHM (arcsec) of a PSF image with samples of `pixel_arcsec`: of its azimuthal mean.

    The centre is the light's centroid within 0.4" of the brightest sample.
    """
    y0, x0 = _centre(data, pixel_arcsec)
    radius = np.arange(0, 3.0, 0.002)
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)[:, None]
    profile = map_coordinates(
        np.asarray(data, float),
        [y0 + radius / pixel_arcsec * np.sin(angle), x0 + radius / pixel_arcsec * np.cos(angle)],
        order=3,
    ).mean(axis=0)
    below = int(np.argmax(profile < profile[0] / 2))
    return float(
        2 * np.interp(profile[0] / 2, profile[[below, below - 1]], radius[[below, below - 1]])
    )


def encircled_energy(
    data: NDArray, pixel_arcsec: float, radii_arcsec: tuple[float, ...], side_arcsec: float
) -> list[float]:
    """Share of the light within `side_arcsec` (a square around the centre) inside each radius."""
    y0, x0 = _centre(data, pixel_arcsec)
    y, x = np.indices(data.shape)
    dy, dx = (y - y0) * pixel_arcsec, (x - x0) * pixel_arcsec
    whole = data[np.maximum(np.abs(dx), np.abs(dy)) <= side_arcsec / 2].sum()
    distance = np.hypot(dx, dy)
    # A sample on the edge of the circle counts by the share of it that is inside, to first order.
    return [
        float((data * np.clip((r - distance) / pixel_arcsec + 0.5, 0, 1)).sum() / whole)
        for r in radii_arcsec
    ]


def _centre(data: NDArray, pixel_arcsec: float) -> tuple[float, float]:
    peak = np.unravel_index(int(np.argmax(data)), data.shape)
    y, x = np.indices(data.shape)
    near = np.hypot(y - peak[0], x - peak[1]) * pixel_arcsec < 0.4
    weight = np.where(near, data, 0.0)
    return float((weight * y).sum() / weight.sum()), float((weight * x).sum() / weight.sum())


def write_psf(path: str | Path, psf: Psf) -> None:
    """Write a PSF to a FITS file, whole or not at all."""
    primary = fits.PrimaryHDU(psf.data)
    primary.header["FILTER"] = psf.filter
    primary.header["OVERSAMP"] = (psf.oversample, "samples a detector pixel")
    primary.header["PIXELSCL"] = (psf.pixel_scale_arcsec, "[arcsec] detector pixel")
    primary.header["SIMULATD"] = (True, "computed from the pupil, not measured")
    with replacing(path) as temporary:
        primary.writeto(temporary)


def read_psf(path: str | Path) -> Psf:
    """Read what `write_psf` wrote; MaskError where the file is something else."""
    try:
        with opened(path, what="PSF") as hdus:
            header = hdus[0].header
            return Psf(
                hdus[0].data.astype(np.float32),
                header["OVERSAMP"],
                header["FILTER"],
                header["PIXELSCL"],
            )
    except (MaskError, KeyError, AttributeError) as error:
        raise MaskError(f"'{path}' is not a PSF of this workflow ({error}); delete it.") from None
