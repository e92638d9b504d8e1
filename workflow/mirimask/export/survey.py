"""What a survey says of each of its images: sky, noise, depth, and what its mask holds."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mirimask.export.apertures import circle_sums
from mirimask.export.labels import numbers_of
from mirimask.image.background import box_scatters
from mirimask.image.frame import Frame
from mirimask.image.instrument import PointAperture
from mirimask.image.parts import MOST_PIXELS, sampled_rows
from mirimask.units import microjansky_per_pixel, microjansky_to_ab

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
_AT_A_TIME = 1 << 21  # pixels looked at together
_APERTURES = 4000  # give the scatter to 2 or 3 %, 0.03 mag


def measure_image(
    image: Frame, labels: NDArray[np.integer], *, aperture: PointAperture
) -> dict[str, float]:
    """The row of an image and its label image (ny, nx; 0 = background); see MEASURES.

    NaN where every observed pixel is labelled, or nothing is left to lay an aperture on.
    """
    rows = sampled_rows(image.empty, most=MOST_PIXELS)  # of a mosaic some say it
    data = image.data[rows]
    sky = data[~image.empty[rows] & (labels[rows] == 0) & np.isfinite(data)]
    n_empty = int(np.count_nonzero(image.empty))
    return {
        "n_pixels": int(labels.size),
        "n_empty": n_empty,
        "background": float(np.median(sky)) if sky.size else float("nan"),
        "noise": _noise(image, labels),
        "n_sources": int(numbers_of(labels).size),
        "masked_share": float(np.count_nonzero(labels) / max(1, labels.size - n_empty)),
        "depth_ab": depth_ab(image, labels, aperture=aperture),
    }


def _noise(image: Frame, labels: NDArray[np.integer]) -> float:
    """Median over the blocks that are at least half usable of each one's scatter.

    Of a mosaic, over those of every so many rows of blocks in which something was observed.
    """
    nx = labels.shape[1] // _BLOCK * _BLOCK
    found = []
    for top in sampled_rows(image.empty, most=MOST_PIXELS, height=_BLOCK) if nx else ():
        strip = np.s_[top : top + _BLOCK, :nx]
        unusable = image.empty[strip] | (labels[strip] > 0)
        pixels = np.where(unusable, np.nan, image.data[strip])
        blocks = pixels.reshape(-1, _BLOCK, nx // _BLOCK, _BLOCK).swapaxes(1, 2)
        blocks = blocks[np.isfinite(blocks).mean(axis=(2, 3)) >= 0.5].astype(np.float64)
        if len(blocks):
            found.append(box_scatters(blocks.reshape(len(blocks), -1), axis=-1))
    return float(np.median(np.concatenate(found))) if found else float("nan")


def depth_ab(image: Frame, labels: NDArray[np.integer], *, aperture: PointAperture) -> float:
    """5 sigma limit of a point source, AB: what `aperture` scatters by where no source is.

    Circles of `aperture.radius_px` on a grid, none with a labelled or empty pixel, each less the
    mean of the unlabelled sky around it, the circle itself left out; sigma from their median
    absolute deviation, so that noise that is correlated between pixels counts as it is. NaN with
    fewer than 20 such places.
    """
    reach = int(np.ceil(aperture.radius_px)) + 1
    step = 2 * reach
    y, x = _free_places(image, labels, reach, step)
    if y.size < 20:
        return float("nan")
    chosen = np.unique(np.linspace(0, y.size - 1, min(y.size, _APERTURES)).astype(int))
    x, y = x[chosen] * step, y[chosen] * step
    held, _, area = circle_sums(image.data, None, image.empty, x, y, aperture.radius_px)
    # the sky around each, mirrored at the rim of the image
    around = np.arange(-step, step + 1)
    rows, columns = (
        np.pad(np.arange(n), step, mode="symmetric")[at[:, None] + step + around]
        for n, at in zip(labels.shape, (y, x), strict=True)
    )
    window = rows[:, :, None], columns[:, None, :]
    unusable = image.empty[window] | (labels[window] > 0)
    sky = np.where(unusable, np.float64(0), image.data[window]).sum(axis=(1, 2)) - held
    sky /= np.maximum(np.count_nonzero(~unusable, axis=(1, 2)) - area, 1)
    sums = held - sky * area
    sigma = box_scatters(sums, axis=None)
    microjansky = 5 * sigma * aperture.correction * microjansky_per_pixel(image.pixel_area_sr)
    return float(microjansky_to_ab(microjansky)) if microjansky > 0 else float("nan")


def _free_places(
    image: Frame, labels: NDArray[np.integer], reach: int, step: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns, in steps, around which no pixel within `reach` is labelled or empty."""
    ny, nx = labels.shape
    found = []
    lines = max(1, _AT_A_TIME // (nx * step)) * step  # a strip's
    for top in range(0, ny, lines):
        first = max(top - reach, 0)
        strip = np.s_[first : top + lines + reach]
        unusable = image.empty[strip] | (labels[strip] > 0)
        around = np.pad(unusable, reach, constant_values=True)
        windows = sliding_window_view(around, (2 * reach + 1, 2 * reach + 1))
        places = windows[top - first : top - first + lines : step, ::step]
        row, column = np.nonzero(~places.any(axis=(2, 3)))
        found.append((row + top // step, column))
    y, x = (np.concatenate(each) for each in zip(*found, strict=True))
    return y, x
