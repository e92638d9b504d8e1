"""Dithered exposures of the simulation's detector as the `_cal` files of an observation.

Each has the distortion that the simulation itself observes with, as SIP, and the stars that are
put on it: files to place a mask of the mosaic on.
"""

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import fit_wcs_from_points
from mirimask.image.wcs import pixel_to_sky
from mirimask.simulation.exposures import DETECTOR_SHAPE, detector_to_mosaic, mosaic_to_detector
from mirimask.simulation.sky import FRAME_SHAPE

OFFSETS = [(0.0, 0.0), (9.3, -6.4), (-7.6, 11.2)]
WIDTH = 1.04  # px, sigma of a star


def mosaic_wcs():
    """The WCS of the mosaic that exposures with `OFFSETS` are resampled into."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [80.49, -69.49], [FRAME_SHAPE[1] / 2, FRAME_SHAPE[0] / 2]
    angle = np.radians(34)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.cd = turn @ np.diag([-0.11 / 3600, 0.11 / 3600])
    wcs.array_shape = FRAME_SHAPE
    return wcs


def exposure_wcs(offset):
    """The FITS WCS of an exposure, its distortion as SIP, fitted to the simulation's mapping."""
    x, y = np.meshgrid(np.linspace(0, 1031, 25), np.linspace(0, 1023, 25))
    sky = pixel_to_sky(mosaic_wcs(), *detector_to_mosaic(x.ravel(), y.ravel(), offset))
    return fit_wcs_from_points((x.ravel(), y.ravel()), sky, sip_degree=3)


def stars(number=60, seed=3):
    """Positions in the mosaic, away from its rims."""
    rng = np.random.default_rng(seed)
    return rng.uniform(400, 990, number), rng.uniform(40, 980, number)


def light(x, y, shape, flux=60.0):
    """Stars of that peak, MJy/sr, on an image."""
    image = np.zeros(shape, np.float32)
    for xs, ys in zip(np.atleast_1d(x), np.atleast_1d(y), strict=True):
        rows = slice(max(int(ys) - 9, 0), min(max(int(ys) + 10, 0), shape[0]))
        columns = slice(max(int(xs) - 9, 0), min(max(int(xs) + 10, 0), shape[1]))
        yy, xx = np.mgrid[rows, columns]
        image[rows, columns] += flux * np.exp(-((xx - xs) ** 2 + (yy - ys) ** 2) / 2 / WIDTH**2)
    return image


def write_exposure(path, offset, x, y, *, noise=0.1, seed=5):
    """A `_cal` of stars at mosaic positions x, y; returns where they are on its detector."""
    at = mosaic_to_detector(x, y, offset)
    rng = np.random.default_rng(seed)
    data = 6 + rng.normal(0, noise, DETECTOR_SHAPE) + light(*at, DETECTOR_SHAPE)
    header = exposure_wcs(offset).to_header(relax=True)
    header["BUNIT"] = "MJy/sr"
    primary = fits.Header({"INSTRUME": "MIRI", "FILTER": "F770W", "FILENAME": path.name})
    dq = np.zeros(DETECTOR_SHAPE, np.uint32)
    dq[:, :4] = 512 + 1
    fits.HDUList(
        [
            fits.PrimaryHDU(header=primary),
            fits.ImageHDU(data.astype(np.float32), header, name="SCI"),
            fits.ImageHDU(np.full(DETECTOR_SHAPE, noise, np.float32), name="ERR"),
            fits.ImageHDU(dq, name="DQ"),
        ]
    ).writeto(path)
    return at
