"""Filters that show what is as small as the PSF, in units of their own local noise, as families.

None of them has a program that sets the standard, so all have the same two measures, in meshes of
`box_px`: the median, which is taken off before the filter, and the scatter of the filtered image,
1.4826 times its median absolute deviation. Measured after filtering, the noise may be correlated,
as a drizzled image's is. With a `share` above 0, that much of the noise is of a window of `window`
FWHM around the pixel.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.image.background import between_tiles, from_nearest, median, of_tiles
from mirimask.masks.family import Family, tool_family
from mirimask.units import SIGMA_PER_FWHM, SIGMA_PER_MAD, SIGMA_PER_MEAN

__all__ = ["dog", "log", "matched_filter", "starlet", "starlet_scales"]


def _meshes(
    image: NDArray[np.floating],
    seen: NDArray[np.bool_],
    box_px: int,
    statistic: Callable[[NDArray[np.floating]], np.floating],
) -> NDArray[np.float32]:
    """A statistic in meshes, median-filtered 3 x 3 and interpolated; some pixel is seen."""
    ny, nx = image.shape
    edges = np.arange(0, ny + box_px, box_px), np.arange(0, nx + box_px, box_px)
    fewest = 0.25 * box_px**2
    level = of_tiles(image, seen, edges, statistic, fewest=fewest)
    if np.isnan(level).all():
        level = of_tiles(image, seen, edges, statistic, fewest=1)
    level = ndimage.median_filter(from_nearest(level)[0], 3, mode="nearest")
    return between_tiles(level, edges, image.shape)


def _scatter(pixels: NDArray[np.floating]) -> np.floating:
    return SIGMA_PER_MAD * median(np.abs(pixels - median(pixels)))


def _flattened(
    data: NDArray[np.floating], seen: NDArray[np.bool_], box_px: int
) -> NDArray[np.float32]:
    """The image without its background; 0, that is background, where there is no data."""
    background = _meshes(data, seen, box_px, median)
    return np.where(seen, data - background, 0).astype(np.float32)


def _in_noise(
    filtered: NDArray[np.floating],
    seen: NDArray[np.bool_],
    box_px: int,
    *,
    window_px: float,
    share: float,
) -> NDArray[np.float32]:
    """A filtered image in units of its local noise; 0 where it has none.

    (1 - share) x the scatter in meshes + share x 1.2533 mean|filtered| in a box of `window_px`
    around the pixel. The second is cell averaging (CA-CFAR; Finn & Johnson 1968, RCA Review 29,
    414), as the cores have it.
    """
    scatter = _meshes(filtered, seen, box_px, _scatter)
    if share > 0:
        box = max(3, round(window_px) | 1)
        near = ndimage.uniform_filter(np.where(seen, np.abs(filtered), 0), box)
        known = ndimage.uniform_filter(seen.astype(np.float32), box)
        scatter = (1 - share) * scatter + share * SIGMA_PER_MEAN * near / np.maximum(known, 1e-3)
    scatter[~(scatter > 0)] = np.inf
    return (filtered / scatter).astype(np.float32)


def _above(images: tuple[NDArray[np.floating], ...], level: float) -> NDArray[np.bool_]:
    """Where any but the last of the images is above the level."""
    return np.logical_or.reduce([image > level for image in images[:-1]])


def log(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    width: float = 1.0,
    box_px: int = 64,
    window: float = 6.0,
    share: float = 0.0,
) -> Family:
    """Minus the Laplacian of a Gaussian of `width` FWHM, the Mexican hat, above `levels` sigma.

    At the PSF's own width it is the wavelet of Vielva et al. (2001, MNRAS 326, 181) for point
    sources, thresholded by the scatter of the filtered image.
    """
    sigma = width * fwhm_px * SIGMA_PER_FWHM

    noise = {"window_px": window * fwhm_px, "share": share}

    def prepare(
        data: NDArray[np.floating], seen: NDArray[np.bool_]
    ) -> tuple[NDArray[np.floating], ...]:
        flat = _flattened(data, seen, box_px)
        return (_in_noise(-ndimage.gaussian_laplace(flat, sigma), seen, box_px, **noise),)

    return tool_family("log", levels, empty, prepare, _above)


def dog(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    ratio: float = 1.6,
    box_px: int = 64,
    window: float = 6.0,
    share: float = 0.0,
) -> Family:
    """A Gaussian of the PSF's width minus one `ratio` times as wide, above `levels` sigma.

    With 1.6 it comes nearest to the Laplacian of a Gaussian (Marr & Hildreth 1980, Proc. R. Soc.
    Lond. B 207, 187).
    """
    sigma = fwhm_px * SIGMA_PER_FWHM

    noise = {"window_px": window * fwhm_px, "share": share}

    def prepare(
        data: NDArray[np.floating], seen: NDArray[np.bool_]
    ) -> tuple[NDArray[np.floating], ...]:
        flat = _flattened(data, seen, box_px)
        narrow, wide = (ndimage.gaussian_filter(flat, s) for s in (sigma, ratio * sigma))
        return (_in_noise(narrow - wide, seen, box_px, **noise),)

    return tool_family("dog", levels, empty, prepare, _above)


def starlet_scales(image: NDArray[np.floating], number: int) -> list[NDArray[np.floating]]:
    """The first `number` wavelet scales of the starlet transform, finest first, each (ny, nx).

    Isotropic undecimated wavelet, "a trous", with the B3 spline (1, 4, 6, 4, 1) / 16, mirrored at
    the rim (Starck, Fadili & Murtagh 2007, IEEE Trans. Image Process. 16, 297). The image is their
    sum and a smooth rest.
    """
    scales = []
    for j in range(number):
        weights = np.zeros(4 * 2**j + 1)
        weights[:: 2**j] = np.array([1, 4, 6, 4, 1]) / 16
        smooth = image
        for axis in (0, 1):
            smooth = ndimage.convolve1d(smooth, weights, axis=axis, mode="mirror")
        scales.append(image - smooth)
        image = smooth
    return scales


def starlet(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    scales: tuple[int, ...] = (2, 3),
    box_px: int = 64,
    window: float = 6.0,
    share: float = 0.0,
) -> Family:
    """Where a wavelet coefficient of one of the `scales` (1 is the finest) is above `levels` sigma.

    That is the multiresolution support of Starck & Murtagh, of the scales given: the noise of each
    is measured in it, as it must be where it is correlated. `fwhm_px` has no part in it: the
    scales are powers of 2 px.
    """

    noise = {"window_px": window * fwhm_px, "share": share}

    def prepare(
        data: NDArray[np.floating], seen: NDArray[np.bool_]
    ) -> tuple[NDArray[np.floating], ...]:
        found = starlet_scales(_flattened(data, seen, box_px), max(scales))
        return tuple(_in_noise(found[scale - 1], seen, box_px, **noise) for scale in scales)

    return tool_family("starlet", levels, empty, prepare, _above)


def matched_filter(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    box_px: int = 64,
    window: float = 6.0,
    share: float = 0.0,
) -> Family:
    """The image less its local background, convolved with the PSF, above `levels` sigma.

    The PSF is a Gaussian of its FWHM: for white noise the best linear filter (North 1963; Stetson
    1987, PASP 99, 191).
    """

    noise = {"window_px": window * fwhm_px, "share": share}

    def prepare(
        data: NDArray[np.floating], seen: NDArray[np.bool_]
    ) -> tuple[NDArray[np.floating], ...]:
        flat = _flattened(data, seen, box_px)
        return (
            _in_noise(
                ndimage.gaussian_filter(flat, fwhm_px * SIGMA_PER_FWHM), seen, box_px, **noise
            ),
        )

    return tool_family("matched_filter", levels, empty, prepare, _above)
