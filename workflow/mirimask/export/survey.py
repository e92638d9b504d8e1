"""What a survey says of each of its images: sky, noise, depth, and what its mask holds."""

import numpy as np
from numpy.typing import NDArray
from photutils.aperture import ApertureStats, CircularAperture
from scipy import ndimage

from mirimask.image.frame import Frame
from mirimask.image.instrument import PointAperture
from mirimask.units import SIGMA_PER_MAD, microjansky_per_pixel, microjansky_to_ab

__all__ = ["MEASURES", "depth_ab", "measure_image"]

MEASURES = {
    "n_pixels": "pixels of the image",
    "n_empty": "of them without observation",
    "background": "MJy/sr, median of the pixels outside the mask",
    "noise": "MJy/sr, rms of a pixel outside the mask, from the scatter inside blocks of 16 pixels",
    "n_sources": "sources in the mask",
    "masked_share": "of the pixels with observation",
    "depth_ab": "5 sigma of a point source, from empty apertures",
}

_BLOCK = 16  # pixels: sky that varies over more than that is not noise
_APERTURES = 4000  # give the scatter to about 1 %


def measure_image(
    image: Frame, labels: NDArray[np.integer], *, aperture: PointAperture
) -> dict[str, float]:
    """The row of an image and its label image (ny, nx; 0 = background); see MEASURES.

    NaN where every observed pixel is labelled, or nothing is left to lay an aperture on.
    """
    seen = ~image.empty
    sky = image.data[seen & (labels == 0)]
    return {
        "n_pixels": int(labels.size),
        "n_empty": int(image.empty.sum()),
        "background": float(np.median(sky)) if sky.size else float("nan"),
        "noise": _noise(image.data, image.empty | (labels > 0)),
        "n_sources": int(np.unique(labels[labels > 0]).size),
        "masked_share": float((labels > 0).sum() / max(1, seen.sum())),
        "depth_ab": depth_ab(image, labels, aperture=aperture),
    }


def _blocks(data: NDArray, unusable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The image as rows of 16 x 16 pixels each, NaN where unusable; what is left over is left."""
    ny, nx = (n // _BLOCK for n in data.shape)
    if not ny * nx:
        return np.full((1, 1), np.nan)
    cut = np.where(unusable, np.nan, data)[: ny * _BLOCK, : nx * _BLOCK]
    blocks = cut.reshape(ny, _BLOCK, nx, _BLOCK).swapaxes(1, 2)
    return blocks.reshape(ny * nx, -1).astype(np.float64)


def _noise(data: NDArray, unusable: NDArray[np.bool_]) -> float:
    """Median over the blocks that are at least half usable of each one's scatter."""
    blocks = _blocks(data, unusable)
    blocks = blocks[np.isfinite(blocks).mean(axis=1) >= 0.5]
    if not len(blocks):
        return float("nan")
    middle = np.nanmedian(blocks, axis=1, keepdims=True)
    return float(SIGMA_PER_MAD * np.median(np.nanmedian(np.abs(blocks - middle), axis=1)))


def depth_ab(image: Frame, labels: NDArray[np.integer], *, aperture: PointAperture) -> float:
    """5 sigma limit of a point source, AB: what `aperture` scatters by where no source is.

    Circles of `aperture.radius_px` on a grid, none with a labelled or empty pixel, each less the
    mean of the unlabelled sky around it; sigma from their median absolute deviation, so that noise
    that is correlated between pixels counts as it is. NaN with fewer than 20 such places.
    """
    unusable = image.empty | (labels > 0)
    reach = int(np.ceil(aperture.radius_px)) + 1
    free = ~ndimage.maximum_filter(unusable, 2 * reach + 1, mode="constant", cval=True)
    step = 2 * reach
    y, x = np.nonzero(free[::step, ::step])
    if y.size < 20:
        return float("nan")
    chosen = np.unique(np.linspace(0, y.size - 1, min(y.size, _APERTURES)).astype(int))
    places = np.column_stack([x[chosen] * step, y[chosen] * step])
    data = np.where(image.empty, 0, image.data).astype(np.float64)
    sums = ApertureStats(data, CircularAperture(places, aperture.radius_px)).sum
    around = 4 * reach + 1
    level = ndimage.uniform_filter(np.where(unusable, 0, data), around)[places[:, 1], places[:, 0]]
    level /= ndimage.uniform_filter((~unusable).astype(float), around)[places[:, 1], places[:, 0]]
    sums = np.asarray(sums) - level * np.pi * aperture.radius_px**2
    sigma = SIGMA_PER_MAD * np.median(np.abs(sums - np.median(sums)))
    microjansky = 5 * sigma * aperture.correction * microjansky_per_pixel(image.pixel_area_sr)
    return float(microjansky_to_ab(microjansky)) if microjansky > 0 else float("nan")
