"""Everything that a person gives of one image, read at once: what cannot be used shows itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from mirimask.image.own_files import read_image, read_segmentation, warn_of_a_mask
from mirimask.sources.own_catalogues import read_catalogue

__all__ = ["OwnImage", "read_own"]


@dataclass
class OwnImage:
    """An image as an i2d, its catalogue, and its segmentation's labels where one is given."""

    i2d: fits.HDUList
    catalogue: Table
    labels: NDArray[np.uint32] | None


def read_own(
    files: Mapping[str, str],
    row: Mapping[str, str],
    columns: Mapping[str, str | Sequence[str]],
    *,
    image: str,
) -> OwnImage:
    """Read the files of one row of a table of images.

    Parameters
    ----------
    files : paths by the row's columns: i2d and, where given, err, wht, segm and catalogue
    row : its other cells; pixel_unit, filter and observation_id are used, '' where empty
    columns : id, ra and dec of the catalogue, as `read_catalogue` takes them
    image : the code of the image, for messages

    Raises MaskError as `read_image`, `read_catalogue` and `read_segmentation` do.
    """
    i2d = read_image(
        files["i2d"],
        error_path=files.get("err"),
        weight_path=files.get("wht"),
        pixel_unit=row["pixel_unit"],
        filter_name=row["filter"],
        observation_id=row["observation_id"],
        image=image,
    )
    catalogue = read_catalogue(
        files.get("catalogue"),
        id_=columns["id"],
        ra=columns["ra"],
        dec=columns["dec"],
        image=image,
    )
    labels = None
    if files.get("segm"):
        labels = read_segmentation(files["segm"], i2d["SCI"].data.shape, image=image)
        warn_of_a_mask(labels, what=f"{image}: segm '{files['segm']}'")
    return OwnImage(i2d, catalogue, labels)
