"""Masks as label images in the layout of a level-3 `_segm.fits`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mirimask.image.files import geometry_cards, write_in_strips
from mirimask.image.frame import Frame, check_labels, check_shape, whole_frame
from mirimask.image.parts import strips
from mirimask.image.product import card_text
from mirimask.sources.spots import connected_spots

__all__ = ["label_mask", "numbers_of", "observed", "write_labels"]


def label_mask(
    mask: NDArray[np.bool_],
    *,
    min_pixels: int = 1,
    segmentation: NDArray[np.integer] | None = None,
) -> NDArray[np.int32]:
    """Number the spots of a mask: (ny, nx) int32, 0 = background.

    Spots are 8-connected and have at least `min_pixels`, numbered as in the verdicts. With
    `segmentation` (labels of the mask's shape) the numbers are those that the mask's pixels have
    there, so that touching sources stay apart and a pipeline's catalogue can be looked up; those
    that fewer than `min_pixels` of the mask have are left out. MaskError for another shape, and for
    labels below 0 or from 2**31 on.
    """
    if segmentation is None:
        return connected_spots(mask, min_pixels=min_pixels)[0]
    segmentation = np.asarray(segmentation)
    check_shape(segmentation, np.shape(mask), what="segmentation")
    check_labels(segmentation, what="segmentation")
    labels = np.where(mask, segmentation, 0).astype(np.int32, copy=False)
    if min_pixels > 1:
        numbers, counts = np.unique(labels, return_counts=True)
        labels[np.isin(labels, numbers[counts < min_pixels])] = 0
    return labels


def observed(labels: NDArray[np.integer], empty: NDArray[np.bool_]) -> NDArray[np.integer]:
    """Labels (ny, nx) with 0 in the `empty` pixels; the same array where none of these has one."""
    if any((labels[rows] * empty[rows]).any() for rows in strips(labels.shape)):
        labels = np.where(empty, 0, labels)
    return labels


def numbers_of(labels: NDArray[np.integer]) -> NDArray[np.integer]:
    """The numbers, without 0, that labels (ny, nx) hold, in ascending order."""
    found = []
    for rows in strips(labels.shape):
        flat = labels[rows].ravel()
        found += [flat[:1], flat[1:][flat[1:] != flat[:-1]]]  # where it changes along a row
    numbers = np.unique(np.concatenate(found))
    return numbers[numbers > 0]


def write_labels(
    path: str | Path,
    labels: NDArray[np.integer],
    crop: Frame,
    *,
    detections: NDArray[np.integer] | NDArray[np.bool_] | None = None,
    **made: object,
) -> None:
    """Write labels of a crop as PRIMARY and SCI (uint32), in the frame of the image it is cut from.

    So the file has the shape and the WCS of the i2d, as a `_segm.fits` has, with 0 around the
    crop and in empty pixels, as the catalogue of the labels takes them. The PRIMARY is that of the
    i2d; `made` become keywords. `detections`, which are not 0 where the cores of the same sources
    are, become a further HDU, DETECTIONS, by their numbers.
    """
    primary = crop.primary.copy()
    primary.update(geometry_cards(crop))
    primary["FILENAME"] = (card_text(Path(path).name), "Name of the file")
    primary["DATAMODL"] = ("SegmentationMapModel", "Type of data model")
    for key, value in made.items():
        if value is not None:
            primary[key.upper()] = value
    labels = observed(labels, crop.empty)
    primary["NLABELS"] = (numbers_of(labels).size, "sources in the label image")
    placed, header = whole_frame(crop, labels)
    planes: dict[str, Callable[[slice], NDArray]] = {"SCI": lambda rows: placed[rows]}
    if detections is not None:
        cores, _ = whole_frame(crop, detections)
        planes["DETECTIONS"] = lambda rows: placed[rows] * (cores[rows] > 0)
    write_in_strips(path, primary, header, placed.shape, planes, of=np.uint32(0))
