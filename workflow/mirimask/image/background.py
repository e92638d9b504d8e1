"""Background and scatter of an image in boxes: photutils' `Background2D`, row of boxes by row.

`Background2D` has a dozen arrays of the image's size at hand. The statistics of a box need nothing
but the box: here they are taken by the same functions for one row of boxes after the other, and
what follows works on one value a box. The results are the same to the last bit.
"""

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mirimask.errors import MaskError

__all__ = ["background", "background_meshes", "scatter"]

_FEWEST = 0.25  # share of a box's pixels; boxes with no more are filled from those around them


def background(
    image: NDArray[np.floating], mask: NDArray[np.bool_], *, box_px: int
) -> NDArray[np.floating]:
    """The first of `background_meshes` alone."""
    return _whole(_meshes(image, mask, box_px=box_px)[0], image.shape, box_px)


def scatter(
    image: NDArray[np.floating], mask: NDArray[np.bool_], *, box_px: int
) -> NDArray[np.floating]:
    """The second of `background_meshes` alone."""
    return _whole(_meshes(image, mask, box_px=box_px)[1], image.shape, box_px)


def background_meshes(
    image: NDArray[np.floating], mask: NDArray[np.bool_], *, box_px: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Clipped median and scatter of an image in boxes of `box_px`, two arrays of its shape.

    As photutils' `Background2D` has them with 3 sigma clipping and scatter from the median
    absolute deviation, both median-filtered 3 x 3 and interpolated between the boxes. `image` is
    (ny, nx), finite where `mask` is False. Raises MaskError where no box holds enough pixels.
    """
    middle, spread = _meshes(image, mask, box_px=box_px)
    return _whole(middle, image.shape, box_px), _whole(spread, image.shape, box_px)


def _box(shape: tuple[int, ...], box_px: int) -> int:
    return min(box_px, *(length - 1 for length in shape))


def _meshes(
    image: NDArray[np.floating], mask: NDArray[np.bool_], *, box_px: int
) -> list[NDArray[np.floating]]:
    """Clipped median and scatter of each box of an image with its reflection, filtered 3 x 3."""
    from scipy.ndimage import generic_filter

    box = _box(image.shape, box_px)
    if image.dtype.kind != "f":
        image = image.astype(np.float32)
    rows = [_statistics(*strip, box) for strip in _strips(image, mask, box)]
    middle, spread, number = (np.concatenate(part) for part in zip(*rows, strict=True))
    few = number <= _FEWEST * box**2
    if few.all():
        raise MaskError(
            f"no background in boxes of {box} px (no box has more than {_FEWEST:.0%} of its pixels "
            "observed); the crop is nearly empty."
        )
    found = []
    for mesh in (middle, spread):
        mesh[few] = np.nan
        filled = _filled(mesh)
        found.append(generic_filter(filled, np.nanmedian, size=3, mode="constant", cval=np.nan))
    return found


def _strips(
    image: NDArray[np.floating], mask: NDArray[np.bool_], box: int
) -> Iterator[tuple[NDArray[np.floating], NDArray[np.bool_]]]:
    """Rows of boxes of an image and its mask with a margin of one box around them.

    Meshes level off beyond the centres of the outermost boxes, which would leave the end of
    a gradient at the rim: continued by its odd reflection, an image has no rim.
    """
    ny = len(image)
    last = ny // box * box  # the first row of the boxes that reach beyond the image
    tail = max(0, min(last, ny - box - 1))  # what the reflection at the end is made of
    parts = [(slice(0, box + 1), (box, 0), slice(0, box))]
    parts += [(slice(row, row + box), (0, 0), slice(0, box)) for row in range(0, last, box)]
    parts += [
        (slice(tail, ny), (0, box), slice(row - tail, row - tail + box))
        for row in range(last, ny + box, box)
    ]
    for rows, margin, shown in parts:
        around = (margin, (box, box))
        yield (
            np.pad(image[rows], around, mode="reflect", reflect_type="odd")[shown],
            # the reflection about an empty pixel would be about its fill value
            np.pad(mask[rows], around, mode="reflect")[shown]
            | np.pad(mask[rows], around, mode="edge")[shown],
        )


def _statistics(
    strip: NDArray[np.floating], mask: NDArray[np.bool_], box: int
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.intp]]:
    """Clipped median, scatter and number of pixels of the boxes of a strip, each (1, n)."""
    from astropy.stats import SigmaClip
    from astropy.utils.exceptions import AstropyUserWarning
    from photutils.background import MADStdBackgroundRMS, MedianBackground

    height, width = strip.shape
    strip[mask | ~np.isfinite(strip)] = np.nan
    inner = width // box * box
    if height == box:
        boxes = strip[:, :inner].reshape(height, -1, box).transpose(1, 0, 2)
    else:  # in the order in which Background2D adds up the pixels of these boxes
        boxes = strip[:, :inner].T.reshape(-1, box, height)
    groups = [boxes.reshape(len(boxes), -1)]
    if inner < width:
        rest = strip[:, inner:]
        groups.append((rest.T if height == box else rest).reshape(1, -1))
    parts = []
    for group in groups:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyUserWarning)  # of the NaN
            clipped = SigmaClip(3, maxiters=5)(group, axis=-1, masked=False, copy=True)
        parts.append(
            (
                MedianBackground(sigma_clip=None)(clipped, axis=-1),
                MADStdBackgroundRMS(sigma_clip=None)(clipped, axis=-1),
                np.count_nonzero(~np.isnan(clipped), axis=-1),
            )
        )
    middle, spread, number = (np.concatenate(part)[None] for part in zip(*parts, strict=True))
    return middle, spread, number


def _filled(mesh: NDArray[np.floating]) -> NDArray[np.floating]:
    """A mesh with NaN replaced by the mean of the ten nearest others, weighted by 1 / distance."""
    from photutils.utils import ShepardIDWInterpolator

    known = ~np.isnan(mesh)
    if known.all():
        return mesh
    filled = mesh.copy()
    filled[~known] = ShepardIDWInterpolator(np.argwhere(known), mesh[known])(
        np.argwhere(~known), n_neighbors=10
    )
    return filled


def _whole(mesh: NDArray[np.floating], shape: tuple[int, ...], box_px: int) -> NDArray[np.floating]:
    """A mesh interpolated to the pixels of the image, without the margin."""
    from scipy.ndimage import zoom

    box = _box(shape, box_px)
    if np.ptp(mesh) == 0:
        return np.full(shape, mesh.min(), mesh.dtype)
    whole = zoom(mesh, box, order=3, mode="reflect", grid_mode=True)
    whole = whole[box : box + shape[0], box : box + shape[1]]
    return np.clip(whole, mesh.min(), mesh.max(), out=whole)
