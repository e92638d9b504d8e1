"""A `Frame` of any array, with MIRI's pixels and the PSF of F770W."""

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from mirimask.image.frame import Frame


def frame_with(data, empty=None, **geometry):
    """A frame of `data` at 0.11 arcsec a pixel; `geometry` is its `origin` and `frame_shape`."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cunit = ["RA---TAN", "DEC--TAN"], ["deg", "deg"]
    wcs.wcs.crval, wcs.wcs.crpix = [80.0, -20.0], [data.shape[1] / 2, data.shape[0] / 2]
    wcs.wcs.cdelt = [-0.11 / 3600, 0.11 / 3600]
    empty = np.zeros(data.shape, bool) if empty is None else empty
    return Frame(data, empty, None, None, fits.Header({"FILTER": "F770W"}), wcs, **geometry)
