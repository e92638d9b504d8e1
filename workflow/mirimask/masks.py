"""From a crop and a method to a mask."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from mirimask.derivative import derivative
from mirimask.errors import MaskError
from mirimask.frame import Frame
from mirimask.methods import Method
from mirimask.slicing import slice_domain, thresholds, top_slice

__all__ = ["combined_mask", "image_to_slice", "slice_mask", "slice_masks", "sliced_image"]


def sliced_image(
    crop: Frame, kind: str, *, domain: str, frame: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The image that a slice of `kind` cuts, and the values that its percentile is taken over.

    In the domain `crop`, empty pixels are NaN and belong to neither. In `published`, they are 0
    and belong to both, as does the rest of the frame: `frame` is then the whole (ny, nx) image for
    a value slice, and ignored for a derivative.
    """
    image = image_to_slice(crop, kind, domain=domain)
    if domain == "crop":
        return image, image
    size = crop.frame_shape[0] * crop.frame_shape[1]
    if kind == "value" and frame is None:
        raise ValueError("a value slice over the published domain needs the whole frame")
    return image, slice_domain(image, size, frame if kind == "value" else None)


def image_to_slice(crop: Frame, kind: str, *, domain: str) -> NDArray[np.float32]:
    """The image that a slice of `kind` cuts, alone; see `sliced_image`."""
    if domain == "crop":
        seen = crop.masked if crop.empty.any() else crop.data
    else:
        seen = crop.data
        if not np.isfinite(seen).all():
            seen = np.nan_to_num(seen, nan=0.0)
    return seen if kind == "value" else derivative(seen)


def slice_mask(
    crop: Frame, method: Method, *, domain: str, frame: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.bool_], float]:
    """The mask of a value or derivative slice, (ny, nx) bool, and its threshold in MJy/sr (/px)."""
    return slice_masks(crop, [method], domain=domain, frame=frame)[0]


def slice_masks(
    crop: Frame, methods: Sequence[Method], *, domain: str, frame: NDArray[np.float32] | None = None
) -> list[tuple[NDArray[np.bool_], float]]:
    """`slice_mask` of several slices of an image, in their order, with one sort for each kind."""
    made: dict[Method, tuple[NDArray[np.bool_], float]] = {}
    for kind in dict.fromkeys(method.kind for method in methods):
        own = [method for method in methods if method.kind == kind]
        image, values = sliced_image(crop, kind, domain=domain, frame=frame)
        levels = thresholds(values, [float(method.percent) for method in own])  # type: ignore[arg-type]
        made |= {m: (top_slice(image, t), float(t)) for m, t in zip(own, levels, strict=True)}
    return [made[method] for method in methods]


def combined_mask(masks: list[NDArray[np.bool_]], kind: str) -> NDArray[np.bool_]:
    """Union or intersection of masks of one shape."""
    if kind not in ("union", "intersection"):
        raise MaskError(f"masks are combined by union or intersection, not by '{kind}'.")
    return reduce(np.logical_or if kind == "union" else np.logical_and, masks)
