"""An image from its file, ready for every mask, without a study."""

import re
from pathlib import Path

from mirimask.errors import MaskError
from mirimask.image.frame import Frame, crop_frame, frame_of
from mirimask.image.instrument import imaging_filter
from mirimask.image.own_files import read_image

__all__ = ["open_image"]


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
