"""Masks that are one function of the image: a function here is a method of its name.

To add one, write it below and put its name under `methods` in the configuration:

    def bright(data, empty, *, fwhm_px):
        return data > 10

`data` is (ny, nx) float32 in MJy/sr with NaN or a fill value in the `empty` pixels (bool),
`fwhm_px` the width of the PSF in pixels; it returns (ny, nx) bool. Its masks, verdicts, table rows
and evaluation follow. Import what is heavy inside the function: this module is read at every
start. A name may not hold `_or_` or `_and_`, which join names. Masks with a level that is to be
varied are `mirimask.detectors`.
"""

import inspect
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirimask.detectors import detector_labels, split_level
from mirimask.errors import MaskError

__all__ = ["function_mask", "function_names", "recommended"]


def recommended(
    data: NDArray[np.floating], empty: NDArray[np.bool_], *, fwhm_px: float
) -> NDArray[np.bool_]:
    """The mask that this study recommends, with its fixed settings (`mirimask.recommended`)."""
    from mirimask.recommended import recommended_mask

    return recommended_mask(data, empty, fwhm_px=fwhm_px)


def function_names() -> list[str]:
    """The names of the methods that are functions of this module."""
    own = inspect.getmembers(sys.modules[__name__], inspect.isfunction)
    return [
        name
        for name, function in own
        if function.__module__ == __name__ and not name.startswith(("_", "function_"))
    ]


def function_mask(
    name: str,
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    detectors: Mapping[str, Any] | None = None,
    levels_of: NDArray[np.floating] | None = None,
) -> NDArray[np.bool_]:
    """The mask of the method `name`; ValueError where it is not of the shape of the image.

    `detectors` are the settings of detectors by their names (config/detectors.yaml), `levels_of`
    the image over which a detector's percentage is taken where it is not `data`. MaskError for a
    detector without settings.
    """
    detector = split_level(name)
    if detector is None:
        made = getattr(sys.modules[__name__], name)(data, empty, fwhm_px=fwhm_px)
    else:
        tool, level = detector
        if tool not in (detectors or {}):
            raise MaskError(f"{name}: its settings (detectors.{tool}) are not given.")
        made = detector_labels(
            tool,
            data,
            empty,
            fwhm_px=fwhm_px,
            options=detectors[tool],  # type: ignore[index]
            level=level,
            levels_of=levels_of,
        )
    mask = np.asarray(made) > 0
    if mask.shape != data.shape:
        raise ValueError(f"the mask of {name} has the shape {mask.shape}, its image {data.shape}")
    return mask
