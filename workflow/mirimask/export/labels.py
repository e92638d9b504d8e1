"""Masks as label images in the layout of a level-3 `_segm.fits`."""

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from mirimask.image.files import geometry_cards
from mirimask.image.frame import Frame, whole_frame
from mirimask.sources.spots import connected_spots

__all__ = ["label_hdus", "label_mask"]


def label_mask(
    mask: NDArray[np.bool_],
    *,
    min_pixels: int = 1,
    segmentation: NDArray[np.integer] | None = None,
) -> NDArray[np.int32]:
    """Number the spots of a mask: (ny, nx) int32, 0 = background.

    Spots are 8-connected and have at least `min_pixels`, numbered as in the verdicts. With
    `segmentation` (labels of the mask's shape) the numbers are those that the mask's pixels have
    there, so that touching sources stay apart and a pipeline's catalogue can be looked up.
    """
    if segmentation is None:
        return connected_spots(mask, min_pixels=min_pixels)[0]
    return np.where(mask, segmentation, 0).astype(np.int32, copy=False)


def label_hdus(
    labels: NDArray[np.integer],
    crop: Frame,
    *,
    filename: str,
    detections: NDArray[np.integer] | None = None,
    **made: object,
) -> fits.HDUList:
    """Labels of a crop as PRIMARY and SCI (uint32), in the frame of the image it was cut from.

    So the file has the shape and the WCS of the i2d, as a `_segm.fits` has, with 0 around the
    crop. The PRIMARY is that of the i2d; `made` become keywords. `detections`, which are not 0
    where the cores of the same sources are, become a further HDU, DETECTIONS, by their numbers.
    """
    # of a mosaic, a copy would be as large as the image
    labels = labels.view(np.uint32) if labels.dtype == np.int32 else labels.astype(np.uint32)
    placed, header = whole_frame(crop, labels)
    primary = crop.primary.copy()
    primary.update(geometry_cards(crop))
    primary["FILENAME"] = (filename, "Name of the file")
    primary["DATAMODL"] = ("SegmentationMapModel", "Type of data model")
    for key, value in made.items():
        if value is not None:
            primary[key.upper()] = value
    primary["NLABELS"] = (np.unique(labels[labels > 0]).size, "sources in the label image")
    hdus = [fits.PrimaryHDU(header=primary), fits.ImageHDU(placed, header, name="SCI")]
    if detections is not None:
        cores, header = whole_frame(crop, labels * (detections > 0))
        hdus.append(fits.ImageHDU(cores, header, name="DETECTIONS"))
    return fits.HDUList(hdus)
