"""Blank images: the sky, the noise and the bright stars of an image, without its faint sources.

What a mask marks in one is false, as far as it is not on one of the bright stars. Where the truth
is known, that tells false spots within a factor of 1.5 (docs/method.md, "False detections"); the
image turned upside down does not: residuals of cosmic rays and the knots of a nebula are bright,
and their mirror images are dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import fft, ndimage

from mirimask.errors import MaskError
from mirimask.evaluation.stars import StarStamps
from mirimask.image.background import background, local_mean, median_and_scatter
from mirimask.image.psf import add_stamp
from mirimask.sources.peaks import reference_peaks
from mirimask.sources.spots import pixels_around
from mirimask.units import SIGMA_PER_MAD

__all__ = [
    "DEFAULT",
    "Blank",
    "BlankSettings",
    "blank_images",
    "correlated_noise",
    "sharp_events",
    "spectral_lines",
]

_MOST_BOOST = 10.0  # of the noise's power, where the sky has nearly all of it
_LINE = 20.0  # times the noise's power
_STEPS, _SETTLED = 10, 0.01  # of the fit of what repeats itself: most, and the last one's rms
_LEAST_MIDDLE = 5  # pixels without data: of fewer, the peaks beside them tell the star
_RING = (3, 10)  # pixels around these that tell its flux: from, to
_CLIP = 3.5  # sigma: beyond are residuals, not noise


@dataclass(frozen=True)
class BlankSettings:
    """How blank images are made; lengths in FWHM of the PSF.

    Peaks of a signal-to-noise ratio of `found` are taken out with what is within `hole` around
    them, those of `bright` put back as stars; a spot on a peak of `counted` is no false one. The
    sky is the mean of the rest with Gaussian weights of sigma `sky`, the noise is measured in tiles
    of `tile` and its correlation out to `reach`. A local maximum of `event` sigma is kept as it is
    where it is sharper than a star: the mean of its eight neighbours is below `sharp` of it (one
    detector pixel on four of the image's has 0.375) and `unlike` sigma below a star's. It lies on
    no peak of `counted`, too bright to be sharp by noise, and not within 3 FWHM of a bright one.
    """

    found: float = 4.0
    counted: float = 20.0
    bright: float = 50.0
    hole: float = 2.0
    sky: float = 0.75
    tile: float = 10.0
    reach: float = 5.0
    event: float = 4.5
    sharp: float = 0.4
    unlike: float = 1.3


DEFAULT = BlankSettings()


@dataclass(frozen=True)
class Blank:
    """Blank images, (ny, nx) float32, NaN where empty, and the sources (n, 2: x, y) in them."""

    images: list[NDArray[np.float32]]
    sources: NDArray[np.float64]


def blank_images(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    stamps: StarStamps,
    number: int,
    rng: np.random.Generator,
    settings: BlankSettings = DEFAULT,
) -> Blank:
    """`number` blank images of an image (ny, nx), that differ in their noise.

    `empty` are the pixels without observation (NaN count as such). The image less the `stamps` of
    its bright stars, saturated ones too, without all that is a peak, is smoothed a little: that is
    the sky, with its clouds down to the width of the PSF. What is left is the noise: it is drawn
    again with its own power spectrum and local scatter, so that sky and noise together have the
    power that they have in the image; what repeats itself (`spectral_lines`) is sky. What is
    sharper than a star (warm pixels, cosmic rays) stays where it is. MaskError where no pixel is
    free of sources, and where the image has no background.
    """
    empty = empty | ~np.isfinite(data)
    image = np.where(empty, 0, data).astype(np.float32)
    peaks = reference_peaks(
        image,
        empty,
        fwhm_px=fwhm_px,
        snr=settings.found,
        background_box_px=round(10 * fwhm_px),
    )

    def near(some: pd.DataFrame, radius_px: float) -> NDArray[np.bool_]:
        return pixels_around(some[["x", "y"]].to_numpy(), image.shape, radius_px)

    bright = peaks[peaks["snr"] > settings.bright]
    certain = peaks[peaks["snr"] > settings.counted]
    stars, real = _bright_stars(
        image - background(image, empty, box_px=round(26 * fwhm_px)),
        certain,
        stamps,
        empty=empty,
        bright=settings.bright,
    )
    rest = image - stars  # sky, noise, events and what is left of the sources
    taken = near(peaks, settings.hole * fwhm_px)
    flat = rest - median_and_scatter(rest, empty, 5 * fwhm_px)[0]
    scatter = median_and_scatter(flat, empty | taken, settings.tile * fwhm_px)[1]
    events = sharp_events(np.where(empty, 0, flat), scatter, fwhm_px=fwhm_px, settings=settings)
    events &= ~(empty | near(bright, 3 * fwhm_px))
    events &= ~near(certain, fwhm_px)
    kept = ndimage.binary_dilation(events, np.ones((5, 5))) & ~empty  # as they are in the image
    free = ~(empty | taken | kept)  # where there is sky and noise alone
    if not free.any():
        raise MaskError("no pixel is free of sources, so that false spots cannot be told.")
    sky = local_mean(rest, free, sigma=settings.sky * fwhm_px)
    noise = np.where(free, rest - sky, 0)
    relative, scatter = _in_scatter(noise, free, settings.tile * fwhm_px)
    reach_px = int(settings.reach * fwhm_px)
    pattern = scatter * spectral_lines(relative, free, reach_px=reach_px)
    relative, scatter = _in_scatter(noise - pattern, free, settings.tile * fwhm_px)
    draws = correlated_noise(
        relative,
        free,
        reach_px=reach_px,
        smoothed_px=settings.sky * fwhm_px,
        number=number,
        rng=rng,
    )
    images = [
        np.where(empty, np.nan, np.where(kept, image, sky + pattern + scatter * draw + stars))
        for draw in draws
    ]
    return Blank([one.astype(np.float32) for one in images], real)


def _in_scatter(
    noise: NDArray[np.floating], free: NDArray[np.bool_], tile_px: float
) -> tuple[NDArray[np.floating], NDArray[np.float32]]:
    """Noise of the `free` pixels in units of its local scatter, 0 elsewhere, and that scatter."""
    scatter = median_and_scatter(np.where(free, noise, 0), ~free, tile_px)[1]
    if not np.isfinite(scatter).all():
        raise MaskError("too few pixels are free of sources to measure the noise in.")
    relative = np.zeros(noise.shape, np.float32)
    np.divide(noise, scatter, out=relative, where=free & (scatter > 0), casting="same_kind")
    return relative, scatter


def spectral_lines(
    noise: NDArray[np.floating], known: NDArray[np.bool_], *, reach_px: int
) -> NDArray[np.float64]:
    """What of `noise`, where it is `known`, repeats itself: meshes, rows and columns; (ny, nx).

    The Fourier modes with more than 20 times the power that the autocorrelation out to `reach_px`
    gives their neighbourhood: of noise alone, no mode of a million has that. Their amplitudes are
    those that fit the known pixels, found step by step (Papoulis 1975, IEEE Trans. Circuits Syst.
    22, 735) until a step is a hundredth of the noise: the gaps spread the power of a line over
    modes beside it.
    """
    good = known & (np.abs(noise) < _CLIP)
    found: NDArray[np.float64] = np.zeros(noise.shape)
    lines: NDArray[np.bool_] = np.zeros((), bool)
    pairs = _pairs(good, noise.shape)
    for _ in range(_STEPS):
        modes, power = _spectra(noise - found, good, pairs, reach_px)
        if power is None:
            break
        lines = lines | (np.abs(modes) ** 2 > _LINE * np.maximum(power, 0) * good.sum())
        if not lines.any():
            break
        step = fft.irfft2(np.where(lines, modes, 0), noise.shape)
        found += step
        if step.std() < _SETTLED:
            break
    return found


def _pairs(good: NDArray[np.bool_], shape: Sequence[int]) -> NDArray[np.floating]:
    """How many pairs of good pixels there are at each distance, of an image padded to `shape`."""
    power = np.abs(fft.rfft2(good.astype(float), shape)) ** 2
    pairs: NDArray[np.floating] = fft.irfft2(power, shape)
    return pairs


def _spectra(
    noise: NDArray[np.floating],
    good: NDArray[np.bool_],
    pairs: NDArray[np.floating],
    reach_px: int,
) -> tuple[NDArray[np.complexfloating], NDArray[np.floating] | None]:
    """The Fourier modes of noise in the good pixels, and the power a pixel that its autocorrelation
    has out to `reach_px`, tapered to 0 there (None: no noise); `pairs` as from `_pairs`.
    """
    shape = pairs.shape
    modes = fft.rfft2(np.where(good, noise, 0).astype(float), shape)
    sums = fft.irfft2(np.abs(modes) ** 2, shape)
    correlation = np.divide(sums, pairs, out=np.zeros_like(sums), where=pairs > 0.5)
    if not correlation[0, 0] > 0:
        return modes, None
    tapers = [
        0.5 + 0.5 * np.cos(np.pi * np.minimum(np.abs(fft.fftfreq(n, 1 / n)) / max(reach_px, 1), 1))
        for n in shape
    ]
    correlation *= tapers[0][:, None] * tapers[1]
    return modes, fft.rfft2(correlation).real


def correlated_noise(
    noise: NDArray[np.floating],
    known: NDArray[np.bool_],
    *,
    reach_px: int,
    smoothed_px: float,
    number: int,
    rng: np.random.Generator,
) -> list[NDArray[np.float64]]:
    """Gaussian noise of scatter 1 with the correlation of `noise` where it is `known`, (ny, nx).

    The autocorrelation is that of the known pixels, tapered to 0 at `reach_px`. Of the noise, what
    a Gaussian mean of sigma `smoothed_px` has was taken off before: its power is (1 - G)^2 of the
    whole, G the Gaussian's spectrum; it is drawn with 1 - G^2, which with the mean's own makes up
    the whole (0: the power as it is).
    """
    shape = [fft.next_fast_len(n + reach_px, real=True) for n in noise.shape]
    good = known & (np.abs(noise) < _CLIP)
    _, power = _spectra(noise, good, _pairs(good, shape), reach_px)
    if power is None:
        return [np.zeros(noise.shape) for _ in range(number)]
    spectrum = np.clip(power, 0, None) / np.mean(noise[good] ** 2)
    if smoothed_px > 0:
        frequency2 = fft.fftfreq(shape[0])[:, None] ** 2 + fft.rfftfreq(shape[1]) ** 2
        gaussian = np.exp(-2 * (np.pi * smoothed_px) ** 2 * frequency2)
        spectrum *= (1 + gaussian) / np.maximum(1 - gaussian, 1 / _MOST_BOOST)
    amplitude = np.sqrt(spectrum)
    ny, nx = noise.shape
    return [
        fft.irfft2(fft.rfft2(rng.standard_normal(shape)) * amplitude, shape)[:ny, :nx]
        for _ in range(number)
    ]


def sharp_events(
    flat: NDArray[np.floating],
    scatter: NDArray[np.floating],
    *,
    fwhm_px: float,
    settings: BlankSettings = DEFAULT,
) -> NDArray[np.bool_]:
    """Local maxima that are sharper than a star, (ny, nx) bool; see `BlankSettings`.

    `flat` is the image without its background, `scatter` that of its noise.
    """
    around = (9 * ndimage.uniform_filter(flat, 3) - flat) / 8
    one_px = np.exp(-4 * np.log(2) / fwhm_px**2)
    star = (one_px + one_px**2) / 2  # four neighbours at 1, four at the root of 2
    found: NDArray[np.bool_] = flat > settings.event * scatter
    found &= flat == ndimage.maximum_filter(flat, 3)
    found &= around < settings.sharp * flat
    found &= star * flat - around > settings.unlike * scatter
    return found


def _bright_stars(
    excess: NDArray[np.float32],
    peaks: pd.DataFrame,
    stamps: StarStamps,
    *,
    empty: NDArray[np.bool_],
    bright: float,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The light of bright stars, and which peaks and empty middles are sources (n, 2: x, y).

    First those of which the middle is empty (`_saturated_stars`), as far out as the PSF goes, then
    by the 3 x 3 pixels at each of the peaks above `bright`, brightest first. A peak that the
    brighter stars explain half of is no source: it lies on a spike or a ring.
    """
    stars, real, half, step = np.zeros_like(excess), [], stamps.half, np.arange(-1, 2)
    for x, y, flux in _saturated_stars(excess, empty, stamps, bright=bright):
        _add_star(stars, stamps, x, y, flux, half=stamps.most)
        real.append((x, y))
    for x, y, snr in peaks[["x", "y", "snr"]].itertuples(index=False):
        middle = np.s_[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        light = np.clip(excess[middle] - stars[middle], 0, None)
        if not light.sum() > max(0.5 * excess[middle].sum(), 0):
            continue  # nor where the unfiltered image shows no excess
        real.append((x, y))
        if not snr > bright or light.shape != (3, 3):
            continue
        # the centroid of 3 x 3 pixels moves by three quarters of what the star does
        off = [np.clip(1.3 * (light.sum(axis=k) @ step) / light.sum(), -0.5, 0.5) for k in (0, 1)]
        image = stamps.of(*map(float, off))
        flux = light.sum() / image[half - 1 : half + 2, half - 1 : half + 2].sum()
        _add_star(stars, stamps, x + off[0], y + off[1], flux)
    return stars, np.array(real, float).reshape(-1, 2)


def _saturated_stars(
    excess: NDArray[np.float32], empty: NDArray[np.bool_], stamps: StarStamps, *, bright: float
) -> list[tuple[float, float, float]]:
    """Stars whose middle holds no data: x, y of the empty pixels' centroid, and flux.

    The flux is that of the pixels around, but for the nearest, of which some exposures were
    saturated too. They are on average brighter than `bright` times the scatter of the image: empty
    pixels without light around are no star.
    """
    labels, _ = ndimage.label(empty)
    sizes, found = np.bincount(labels.ravel()), []
    scatter = SIGMA_PER_MAD * np.median(np.abs(excess[~empty])) if not empty.all() else np.inf
    for number, where in enumerate(ndimage.find_objects(labels), start=1):
        y0, x0 = (part.start - _RING[1] for part in where)
        y1, x1 = (part.stop + _RING[1] for part in where)
        inside = min(y0, x0) >= 0 and y1 <= excess.shape[0] and x1 <= excess.shape[1]
        if sizes[number] < _LEAST_MIDDLE or max(y1 - y0, x1 - x0) > stamps.half or not inside:
            continue
        box = np.s_[y0:y1, x0:x1]
        own = labels[box] == number
        inner, outer = (ndimage.binary_dilation(own, iterations=n) for n in _RING)
        ring = outer & ~inner & ~empty[box]
        if not ring.any() or not excess[box][ring].mean() > bright * scatter:
            continue
        y, x = map(float, np.argwhere(own).mean(axis=0))
        star = np.zeros_like(excess[box])
        _add_star(star, stamps, x, y, 1.0)
        found.append((x + x0, y + y0, float(excess[box][ring].sum() / star[ring].sum())))
    return found


def _add_star(
    stars: NDArray[np.float32],
    stamps: StarStamps,
    x: float,
    y: float,
    flux: float,
    *,
    half: int | None = None,
) -> None:
    """Add a star's light to an image, as far as it lies on it; `half` as `StarStamps.of`."""
    column, row = round(x), round(y)
    image = stamps.of(float(x - column), float(y - row), half=half)
    add_stamp(stars, flux * image, row=row, column=column)
