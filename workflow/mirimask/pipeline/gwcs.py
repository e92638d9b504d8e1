"""The WCS that the pipeline itself keeps in its files (GWCS), where `jwst` is installed."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.export.projection import SkyOf

__all__ = ["pipeline_sky"]


def pipeline_sky(path: str | Path) -> SkyOf | None:
    """Where the pixels of an exposure are on the sky by its GWCS.

    None where the file holds none, or `jwst` is not installed. MaskError where it cannot be read.
    """
    try:
        from stdatamodels.jwst import datamodels
    except ModuleNotFoundError:
        return None
    try:
        with datamodels.open(str(path)) as model:
            wcs = model.meta.wcs
    except Exception as error:  # of ASDF, of its schemas, of whatever the file holds
        raise MaskError(
            f"'{path}': its GWCS cannot be read ({type(error).__name__}: {error})."
        ) from None
    if wcs is None:
        return None
    wcs.bounding_box = None  # pixels at the rim have corners beyond it

    def sky(
        x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        ra, dec = wcs(x, y)[:2]
        return np.asarray(ra, float), np.asarray(dec, float)

    return sky
