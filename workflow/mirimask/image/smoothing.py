"""Gaussian means of an image in which pixels are missing."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["filled", "local_mean", "smoothed"]

# Below this share of the Gaussian's weight on known pixels, the mean is that of the nearest pixel
# that has more: the far wing of a Gaussian knows nothing about the middle of a large hole.
_LEAST_WEIGHT = 1e-3


def local_mean(
    image: NDArray[np.floating], known: NDArray[np.bool_], *, sigma: float
) -> NDArray[np.float32]:
    """Gaussian mean of the known pixels around every pixel, (ny, nx) float32.

    Normalised convolution (Knutsson & Westin 1993): the filtered image over the filtered coverage,
    both mirrored at the rim. `image` is (ny, nx), finite where `known`; `sigma` in pixels. Where no
    known pixel is near, the nearest mean. NaN everywhere if no pixel is known.
    """
    if not known.any():
        return np.full(image.shape, np.nan, np.float32)
    level = np.float32(np.median(image[known][::7]))  # float32 keeps more digits of small numbers
    weight = ndimage.gaussian_filter(known.astype(np.float32), sigma, truncate=3)
    total = np.where(known, image - level, 0).astype(np.float32)
    total = ndimage.gaussian_filter(total, sigma, truncate=3)
    poor = weight < _LEAST_WEIGHT
    mean = total / np.where(poor, np.float32(1), weight) + level
    if poor.any():
        nearest = ndimage.distance_transform_edt(poor, return_distances=False, return_indices=True)
        mean = mean[tuple(nearest)]
    return mean


def smoothed(image: NDArray[np.floating], *, sigma: float) -> NDArray[np.floating]:
    """The image convolved with a Gaussian; NaN are left out of every sum and stay NaN.

    (ny, nx), float32, or the image itself for a `sigma` (pixels) of 0.
    """
    if sigma == 0:
        return image
    known = np.isfinite(image)
    if known.all():
        return ndimage.gaussian_filter(image.astype(np.float32, copy=False), sigma, truncate=3)
    return np.where(known, local_mean(image, known, sigma=sigma), np.float32(np.nan))


def filled(image: NDArray[np.floating], *, sigma: float) -> NDArray[np.floating]:
    """The image (ny, nx) with NaN replaced by the mean of what is around them (`local_mean`)."""
    known = np.isfinite(image)
    return image if known.all() else np.where(known, image, local_mean(image, known, sigma=sigma))
