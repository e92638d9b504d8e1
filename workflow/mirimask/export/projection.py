"""A mask of one image on the pixels of another: another filter, or each dithered exposure."""

from collections.abc import Callable

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.image.wcs import pixel_to_sky, sky_to_pixel

__all__ = ["NEAREST", "SkyOf", "project_mask", "sky_of"]

# right ascension and declination (ICRS degrees, NaN where there is none) of pixels x and y
SkyOf = Callable[
    [NDArray[np.float64], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]
]
NEAREST = "nearest"
_SAMPLES = 4  # along each side of a pixel, for the share that is covered
_ROWS = 256  # of the image that are worked on at a time


def sky_of(wcs: WCS) -> SkyOf:
    """Where pixels of a FITS WCS, with its SIP distortion, are on the sky."""

    def sky(
        x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = pixel_to_sky(wcs, x, y)
        return found.ra.deg, found.dec.deg

    return sky


def project_mask(
    mask: NDArray[np.bool_],
    wcs: WCS,
    sky: SkyOf,
    shape: tuple[int, int],
    *,
    cover: float | str = 0.5,
) -> NDArray[np.bool_]:
    """The mask on the pixels of another image of `shape`, whose pixels are at `sky`.

    `mask` (ny, nx) with its celestial `wcs`; of labels or numbers it is what is above 0. A pixel is
    marked where at least the share `cover` of it lies in the mask (0: where any of it does), or,
    with `nearest`, where its middle does. Where the mask's image does not reach, nothing is marked.
    The share is that of 4 x 4 points in the pixel, whose places are between those of its corners:
    what is less than a quarter of the pixel wide may lie between them.
    MaskError for another `cover`.
    """
    if cover != NEAREST and (isinstance(cover, str) or not 0 <= cover <= 1):
        raise MaskError(f"cover is {cover}; it must be a share from 0 to 1, or '{NEAREST}'.")
    least = 0 if isinstance(cover, str) else max(1, np.ceil(cover * _SAMPLES**2 - 1e-9))
    mask = np.asarray(mask) > 0
    ny, nx = shape
    marked = np.zeros(shape, bool)
    for begin in range(0, ny, _ROWS):
        end = min(begin + _ROWS, ny)
        rows = slice(begin, end)
        if cover == NEAREST:
            y, x = np.mgrid[begin:end, 0:nx].astype(float)
            marked[rows] = _on(mask, *_places(wcs, sky, x, y))
            continue
        y, x = np.mgrid[begin : end + 1, 0 : nx + 1] - 0.5
        corners = _places(wcs, sky, x, y)
        count = np.zeros((end - begin, nx), np.int16)
        for across in (np.arange(_SAMPLES) + 0.5) / _SAMPLES:
            for up in (np.arange(_SAMPLES) + 0.5) / _SAMPLES:
                count += _on(mask, *(_between(place, across, up) for place in corners))
        marked[rows] = count >= least
    return marked


def _places(
    wcs: WCS, sky: SkyOf, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels of the mask's image that pixels of the other are at; NaN where there is none."""
    ra, dec = sky(x.ravel(), y.ravel())
    found_x, found_y = sky_to_pixel(wcs, ra, dec)
    return found_x.reshape(x.shape), found_y.reshape(x.shape)


def _between(corners: NDArray[np.float64], across: float, up: float) -> NDArray[np.float64]:
    """The place of a point in each pixel, from those of the pixel's corners."""
    low = corners[:-1, :-1] * (1 - across) + corners[:-1, 1:] * across
    high = corners[1:, :-1] * (1 - across) + corners[1:, 1:] * across
    return low * (1 - up) + high * up


def _on(
    mask: NDArray[np.bool_], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """What the mask has at places in its image; False where there is none."""
    ny, nx = mask.shape
    with np.errstate(invalid="ignore"):
        inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
    column = np.rint(np.where(inside, x, 0)).astype(np.intp)
    row = np.rint(np.where(inside, y, 0)).astype(np.intp)
    return inside & mask[row, column]
