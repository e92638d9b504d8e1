"""From an image and the names of methods to masks.

The one way: studies, images with added stars, blank images and the command line all take it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.image.frame import Frame, check_labels, check_shape, check_width
from mirimask.image.parts import MOST_PIXELS
from mirimask.masks.family import Family, Scores
from mirimask.masks.gradient import pixels_in
from mirimask.masks.mosaic import labels_of_parts, mask_of_parts
from mirimask.masks.names import MaskName, check_domain, leaves, parse_method
from mirimask.masks.registry import (
    METHODS,
    Options,
    missing,
    published_level,
    published_options,
    settings_of,
)
from mirimask.masks.thresholds import slice_domain

__all__ = [
    "Made",
    "combined_mask",
    "family_at",
    "levels_in_use",
    "make_mask",
    "make_masks",
    "numbered_sources",
    "segmentation_labels",
    "swept_levels",
]

Labels = str | Path | NDArray[np.integer] | NDArray[np.bool_]


class Made(NamedTuple):
    """A mask, (ny, nx) bool, and the threshold that a slice was cut at (NaN for other masks)."""

    mask: NDArray[np.bool_]
    threshold: float


def make_mask(
    image: Frame,
    method: str,
    *,
    domain: str = "crop",
    frame: NDArray[np.float32] | None = None,
    segmentation: Labels | None = None,
    options: Options | None = None,
) -> NDArray[np.bool_]:
    """The mask of a method by its name (see `names`), (ny, nx) bool of the shape of the image.

    All else as in `make_masks`.
    """
    made = make_masks(
        image, [method], domain=domain, frame=frame, segmentation=segmentation, options=options
    )
    return made[method].mask


def make_masks(
    image: Frame,
    names: Sequence[str],
    *,
    domain: str = "crop",
    frame: NDArray[np.float32] | None = None,
    gradient: Mapping[str, NDArray[np.float32]] | None = None,
    segmentation: Labels | None = None,
    options: Options | None = None,
    levels_of: Frame | None = None,
) -> dict[str, Made]:
    """The masks of an image by their names; what masks of one method share is made once.

    Parameters
    ----------
    image : Frame
        Its empty pixels, and those that are not finite, are in no mask but a `segmentation` that is
        given, and slices over `published`: there they are zeros, which a value slice with a
        threshold below 0 holds, and whose rim is steep (as in the paper).
    names : list of str
        See `mirimask.masks.names`.
    domain : `crop` or `published`
        What the percentage of a slice is of, where its name does not say it.
    frame : (ny, nx) float32
        The whole frame that the image was cut from, for value slices over `published`, its empty
        pixels NaN (`Frame.masked`).
    gradient : dict of (ny, nx) float32
        The derivative of the image by domain (`mirimask.masks.gradient`), where it is at hand;
        derivative slices are cut from it.
    segmentation : label image or path
        The pipeline's, as an array of the shape of the image, or as the path of a `_segm.fits` of
        the frame it was cut from. Without it, `segmentation` is made with its settings among the
        `options`, by default those of jwst 1.12.5.
    options : dict
        Level and settings of methods by their names, as a configuration has them; without any,
        those of config/detectors.yaml.
    levels_of : Frame
        An image of the same shape whose percentages give the thresholds, in place of `image`.

    Returns
    -------
    dict
        `Made` by name, in the order of `names`.

    Raises
    ------
    MaskError
        For a name that is no method, for one whose settings, programs or frame are not there, and
        for a frame or labels of another shape.
    """
    check_domain(domain)
    names = list(names)
    if frame is not None:
        check_shape(frame, image.frame_shape, what="frame=")
    options = published_options() if options is None else options
    made: dict[str, Made] = {}
    wanted: dict[tuple[str, str], list[MaskName]] = {}
    for leaf in dict.fromkeys(leaf for name in names for leaf in leaves(name)):
        where = (leaf.domain or domain) if leaf.is_slice else "crop"
        wanted.setdefault((leaf.method, where), []).append(leaf)
    for (method, where), group in wanted.items():
        if method == "segmentation":
            mask = segmentation_labels(image, segmentation, options) > 0
            made[method] = Made(mask, np.nan)
            continue
        if METHODS[method].layers and image.data.size > MOST_PIXELS:
            made[method] = Made(_mask_of_parts(image, method, options), np.nan)
            continue
        given = published_level(method, options)
        levels = [given if leaf.level is None else leaf.level for leaf in group]
        if where == "published" and METHODS[method].published == "frame" and frame is None:
            raise MaskError(
                f"{group[0].name}: over the published domain it is a percentage of the whole frame "
                "that the image was cut from, which is not given (frame=)."
            )
        family = family_at(
            method,
            image.empty,
            levels,
            fwhm_px=image.fwhm_px,
            options=options,
        )
        if method == "derivative" and gradient is not None:
            if where not in gradient:
                raise MaskError(f"gradient= has no derivative over the domain '{where}'.")
            check_shape(gradient[where], image.data.shape, what="gradient=")
            scores: Scores = (gradient[where],)
        else:
            scores = family.scores(pixels_in(image, where))
        of = scores if levels_of is None else family.scores(pixels_in(levels_of, where))
        if where == "published":
            whole = frame if METHODS[method].published == "frame" else None
            size = image.frame_shape[0] * image.frame_shape[1]
            of = (slice_domain(of[0], size, whole),)
        for leaf, row in zip(group, family.thresholds(of), strict=True):
            found = np.asarray(family.cut(scores, row))
            mask = found if found.dtype == bool else found > 0
            if mask.shape != image.data.shape:
                raise ValueError(
                    f"the mask of {leaf.name} has the shape {mask.shape}, its image "
                    f"{image.data.shape}"
                )
            made[leaf.name] = Made(mask, float(row[0]) if leaf.is_slice else np.nan)
    return {name: _joined(name, made) for name in names}


def _joined(name: str, made: Mapping[str, Made]) -> Made:
    parsed = parse_method(name)
    if not parsed.parts:
        return made[name]
    parts = [_joined(part, made).mask for part in parsed.parts]
    return Made(combined_mask(parts, parsed.method), np.nan)


def numbered_sources(
    image: Frame, method: str, options: Options | None = None, *, cores: bool = True
) -> Any:
    """The sources of a mask as the method itself numbers them, or None where it does not.

    With label images `sources`, all their light, and `detections`, of which the cores have the same
    numbers; (ny, nx) int32 and 0 in the background (`source_mask.SourceLabels`). Of a mosaic, which
    is worked on in parts (see `mosaic`), `detections` are bool, and None without `cores`.
    """
    parsed = parse_method(method)
    layers = METHODS[parsed.method].load_layers()
    if layers is None:
        return None
    settings = settings_of(parsed.method, options or {})
    if image.data.size > MOST_PIXELS:
        from mirimask.masks.source_mask import SourceLabels

        sources, detections, count = labels_of_parts(image, layers, settings, cores=cores)
        return SourceLabels(detections, sources, count)
    return layers(image.masked, image.empty, fwhm_px=image.fwhm_px, **settings)


def _mask_of_parts(image: Frame, method: str, options: Options) -> NDArray[np.bool_]:
    layers = METHODS[method].load_layers()
    assert layers is not None
    return mask_of_parts(image, layers, settings_of(method, options))


def combined_mask(masks: list[NDArray[np.bool_]], kind: str) -> NDArray[np.bool_]:
    """Union or intersection of masks of one shape."""
    if kind not in ("union", "intersection"):
        raise MaskError(f"masks are combined by union or intersection, not by '{kind}'.")
    return reduce(np.logical_or if kind == "union" else np.logical_and, masks)


def segmentation_labels(
    image: Frame, segmentation: Labels | None = None, options: Options | None = None
) -> NDArray[np.integer] | NDArray[np.bool_]:
    """The pipeline's labels on an image: those given, or made; see `make_masks`."""
    if isinstance(segmentation, np.ndarray):
        if segmentation.shape != image.data.shape:
            raise MaskError(
                f"segmentation: the image is {image.data.shape}, its labels {segmentation.shape}; "
                "they must be of the same shape."
            )
        check_labels(segmentation, what="segmentation")
        return segmentation
    if segmentation is not None:
        from mirimask.image.own_files import read_segmentation

        return image.cut(read_segmentation(segmentation, image.frame_shape))
    from mirimask.masks.segmentation import segment

    return segment(
        image.data,
        error=image.error,
        weight=(~image.empty).astype(np.float32),
        settings=_pipeline(options or {}),
    )


def _pipeline(options: Options) -> Any:
    """The `SegmentationSettings` of the options, those of jwst 1.12.5 where they say nothing."""
    from mirimask.masks.segmentation import SegmentationSettings

    given = dict(settings_of("segmentation", options))
    return SegmentationSettings.for_jwst(given.pop("jwst_version", "1.12.5"), **given)


### levels #########################################################################################


def family_at(
    name: str,
    empty: NDArray[np.bool_],
    levels: Sequence[float] | NDArray[np.float64],
    *,
    fwhm_px: float,
    options: Options | None = None,
) -> Family:
    """The masks of a method of the registry at `levels`, to be made of images with these pixels.

    `empty` (ny, nx) are the pixels without observation. MaskError where the method is not installed
    or its settings are not given. A method without a level has one mask, at the level NaN.
    """
    method = METHODS[name]
    check_width(fwhm_px, empty.shape)
    options = published_options() if options is None else options
    settings = settings_of(name, options)
    lacks = missing(name, options)
    if lacks:
        raise MaskError(
            f"methods: {name} needs {lacks}, which is not here. Install it"
            f"{f' ({method.get})' if method.get else ''}, or name another method."
        )
    function, levels = method.load(), np.asarray(levels, float)
    _check_settings(name, function, settings)
    if method.unit:
        family: Family = function(empty, fwhm_px=fwhm_px, levels=levels, **settings)
        return family
    return Family(
        name,
        method.unit,
        levels,
        lambda image: (image,),
        lambda _: levels[:, None],
        lambda images, _: function(images[0], empty, fwhm_px=fwhm_px, **settings),
    )


def _check_settings(
    name: str, function: Callable[..., Any], settings: Mapping[str, object]
) -> None:
    """MaskError for a setting of a method (`detectors.<name>.settings`) that it does not have."""
    known = signature(function).parameters
    strange = [key for key in settings if key not in known]
    if strange and not any(one.kind is one.VAR_KEYWORD for one in known.values()):
        own = [key for key in known if key not in ("data", "empty", "fwhm_px", "levels")]
        raise MaskError(
            f"detectors.{name}.settings: '{strange[0]}' is none of its settings: {', '.join(own)}."
        )


def levels_in_use(name: str, options: Options | None = None) -> list[float]:
    """The levels that are marked on a method's curve: by default its published one."""
    options = options or {}
    if name == "segmentation":
        return [float(_pipeline(options).snr)]
    return list(METHODS[name].marked) or [published_level(name, options)]


def swept_levels(
    name: str, options: Options | None = None, *, among: Sequence[float] = ()
) -> NDArray[np.float64]:
    """The levels of a method's curve in ascending order, those of `among` with them."""
    spans = (options or {}).get(name, {}).get("levels", METHODS[name].levels)
    if spans is None:
        return np.unique(np.asarray(among, float))
    low, high, number = spans
    return np.unique(np.append(np.geomspace(low, high, int(number)), among))
