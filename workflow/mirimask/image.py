"""One image from its file to its mask, without a study."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.frame import Frame, crop_frame, frame_of
from mirimask.instrument import imaging_filter
from mirimask.local import read_image, read_segmentation
from mirimask.mask_functions import function_mask
from mirimask.masks import combined_mask, slice_mask
from mirimask.methods import parse_method

__all__ = ["make_mask", "open_image", "segmentation_labels"]


def open_image(
    path: str | Path,
    *,
    filter_name: str = "",
    rows: tuple[int, int] | None = None,
    columns: tuple[int, int] | None = None,
    error_path: str | Path | None = None,
    weight_path: str | Path | None = None,
    pixel_unit: str = "",
) -> Frame:
    """Read an i2d, or any FITS image with a celestial WCS, ready for every mask.

    `rows` and `columns` cut the image ((first, last + 1), 0-based; None: the whole axis).
    `filter_name` is for a header without FILTER; the other options are those of
    `local.read_image`. The frame's `data` are MJy/sr, `empty` True where nothing was observed.
    MaskError says what is wrong with the file.
    """
    hdus = read_image(
        path,
        error_path=error_path,
        weight_path=weight_path,
        pixel_unit=pixel_unit,
        filter_name=filter_name,
    )
    band = str(hdus[0].header.get("FILTER", "")).strip()
    if not band:
        raise MaskError(
            f"'{path}': its header has no FILTER, which the width of the PSF depends on; "
            "name it (--filter F770W)."
        )
    try:
        imaging_filter(band)
    except MaskError as error:
        raise MaskError(f"'{path}': {error}") from None
    frame = frame_of(hdus, what=f"i2d '{path}'")
    # a file's name can hold what a FITS card cannot
    code = re.sub(r"[^ -~]", "_", Path(path).name)[:60]
    return crop_frame(frame, rows=rows, columns=columns, image=code)


def make_mask(
    image: Frame,
    method: str,
    *,
    domain: str = "crop",
    frame: NDArray[np.float32] | None = None,
    segmentation: str | Path | NDArray[np.integer] | None = None,
) -> NDArray[np.bool_]:
    """The mask of a method by its name (see `methods`), (ny, nx) bool of the shape of the image.

    Percentages of slices are over `domain`; for value slices over `published` give the whole
    `frame`. `segmentation` is the pipeline's label image, as an array of the shape of the image
    or the path of a `_segm.fits` of the frame it was cut from; without it, the method
    `segmentation` is made with the settings of jwst 1.12.5. MaskError for an unknown method.
    """
    parsed = parse_method(method)
    options = {"domain": domain, "frame": frame, "segmentation": segmentation}
    if parsed.parts:
        masks = [make_mask(image, part, **options) for part in parsed.parts]  # type: ignore[arg-type]
        return combined_mask(masks, parsed.kind)
    if parsed.is_slice:
        return slice_mask(image, parsed, domain=parsed.domain or domain, frame=frame)[0]
    if parsed.kind == "segmentation":
        return segmentation_labels(image, segmentation) > 0
    return function_mask(method, image.data, image.empty, fwhm_px=image.fwhm_px)


def segmentation_labels(
    image: Frame, segmentation: str | Path | NDArray[np.integer] | None = None
) -> NDArray[np.integer]:
    """The pipeline's labels on an image: those given, or made with the settings of jwst 1.12.5."""
    if isinstance(segmentation, np.ndarray):
        return segmentation
    if segmentation is not None:
        return image.cut(read_segmentation(segmentation, image.frame_shape))
    from mirimask.segmentation import SegmentationSettings, segment

    return segment(
        image.data,
        error=image.error,
        weight=(~image.empty).astype(np.float32),
        settings=SegmentationSettings.for_jwst("1.12.5"),
    )
