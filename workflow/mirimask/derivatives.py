"""Other derivatives than the paper's, as families of slices (its future work, section 6)."""

import numpy as np
from numpy.typing import NDArray

from mirimask.families import Family, percent_family

__all__ = ["gradient_magnitude"]


def gradient_magnitude(
    empty: NDArray[np.bool_], *, fwhm_px: float, levels: NDArray[np.float64]
) -> Family:
    """Slices of the length of the gradient: both axes, either sign."""

    def score(image: NDArray[np.floating]) -> NDArray[np.floating]:
        along_y, along_x = np.gradient(image)
        return np.hypot(along_y, along_x)

    return percent_family("gradient_magnitude", levels, score)
