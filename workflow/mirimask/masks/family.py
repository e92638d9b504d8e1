"""Families: ways to make masks with one setting, so that they can be swept and compared.

The slices of the paper, the pipeline's segmentation and the recommended mask are here; every other
detector (`mirimask.detectors`) is a family too.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mirimask.derivative import derivative
from mirimask.recommended import DEFAULT, RecommendedSettings, curvature_snr, grow, widened
from mirimask.segmentation import SegmentationSettings, smoothed
from mirimask.slicing import thresholds

__all__ = [
    "LEVELS",
    "PERCENTS",
    "Family",
    "family_of",
    "percent_family",
    "recommended_directions",
    "recommended_family",
    "segmentation_family",
    "sigma_family",
    "slice_family",
    "tool_family",
]

PERCENTS = np.geomspace(0.02, 25.0, 25)
LEVELS = np.geomspace(1.0, 30.0, 25)  # sigma
_VALUE_OF_DERIVATIVE = 1 / 4.6  # percentages of the paper's pair value_1 and derivative_4.6

Scores = tuple[NDArray[np.floating], ...]


@dataclass(frozen=True)
class Family:
    """Masks with one setting.

    `settings`: its values; `unit`: theirs, "%" or "sigma". `scores` makes the images that are cut
    from an image (ny, nx; NaN where empty). `levels` turns such scores into one row of thresholds
    for each setting. `cut` makes a mask from scores and one row: bool, or int labels where the
    detector itself says which pixels are one source. Spots have at least `min_pixels`.
    """

    name: str
    unit: str
    settings: NDArray[np.float64]
    scores: Callable[[NDArray[np.floating]], Scores]
    levels: Callable[[Scores], NDArray[np.float64]]
    cut: Callable[[Scores, NDArray[np.float64]], NDArray[np.generic]]
    min_pixels: int = 1


def sigma_family(
    name: str,
    levels: NDArray[np.float64],
    scores: Callable[[NDArray[np.floating]], Scores],
    cut: Callable[[Scores, float], NDArray[np.generic]],
    *,
    min_pixels: int = 1,
) -> Family:
    """A family whose setting is the threshold itself, in units of a noise that it measures.

    `scores` makes from an image (ny, nx; NaN where empty) what does not depend on the level,
    `cut` from that and one level the mask (bool) or labels (int).
    """
    return Family(
        name,
        "sigma",
        levels,
        scores,
        lambda _: levels[:, None],
        lambda images, row: cut(images, float(row[0])),
        min_pixels,
    )


def percent_family(
    name: str,
    levels: NDArray[np.float64],
    score: Callable[[NDArray[np.floating]], NDArray[np.floating]],
    *,
    min_pixels: int = 1,
) -> Family:
    """A family of slices: the top percentage of the finite pixels of `score` of an image."""
    return Family(
        name,
        "%",
        levels,
        lambda image: (score(image),),
        lambda images: thresholds(images[0], list(levels))[:, None],
        lambda images, row: images[0] > row[0],
        min_pixels,
    )


def tool_family(
    name: str,
    levels: NDArray[np.float64],
    empty: NDArray[np.bool_],
    prepare: Callable[[NDArray[np.floating], NDArray[np.bool_]], Scores],
    find: Callable[[Scores, float], NDArray[np.generic]],
    *,
    unit: str = "sigma",
) -> Family:
    """A family of a tool that can not work on every image, by its own level.

    `prepare(data, seen)` makes what does not depend on the level from an image (ny, nx; 0 where it
    has no data) and the pixels with data (bool); `find` makes a mask or labels from that, with
    `seen` as its last array, and a level. Pixels without data are never marked, and where there are
    none, or all are equal, nothing is.
    """

    def scores(image: NDArray[np.floating]) -> Scores:
        seen = np.isfinite(image) & ~empty
        data = np.where(seen, image, 0)
        if not seen.any() or np.ptp(image[seen]) == 0:
            return ()
        return (*prepare(data, seen), seen)

    def cut(images: Scores, level: NDArray[np.float64]) -> NDArray[np.generic]:
        if not images:
            return np.zeros(empty.shape, bool)
        found = find(images, float(level[0]))
        return np.where(images[-1], found, found.dtype.type(0))

    return Family(name, unit, levels, scores, lambda _: levels[:, None], cut)


def slice_family(
    kind: str, settings: NDArray[np.float64] = PERCENTS, *, min_pixels: int = 1
) -> Family:
    """Slices of kind `value`, `derivative`, `union` or `intersection`, by retained percentage.

    The last two join a derivative slice with a value slice of 1 / 4.6 of its percentage (the pair
    value_1 and derivative_4.6 scaled together). Percentages are of the pixels that are not empty.
    """
    used = {"value": [1.0], "derivative": [1.0]}.get(kind, [_VALUE_OF_DERIVATIVE, 1.0])

    def scores(image: NDArray[np.floating]) -> Scores:
        if kind == "value":
            return (image,)
        slope = derivative(image)
        return (slope,) if kind == "derivative" else (image, slope)

    def levels(images: Scores) -> NDArray[np.float64]:
        return np.column_stack(
            [
                thresholds(image, list(share * settings))
                for image, share in zip(images, used, strict=True)
            ]
        )

    def cut(images: Scores, level: NDArray[np.float64]) -> NDArray[np.bool_]:
        parts = [image > threshold for image, threshold in zip(images, level, strict=True)]
        if len(parts) == 1:
            return parts[0]
        return parts[0] | parts[1] if kind == "union" else parts[0] & parts[1]

    return Family(kind, "%", settings, scores, levels, cut, min_pixels)


def segmentation_family(
    empty: NDArray[np.bool_],
    *,
    settings: SegmentationSettings,
    snr: NDArray[np.float64] = LEVELS,
) -> Family:
    """The pipeline's segmentation without deblending, by its threshold; see `segment`."""

    def scores(image: NDArray[np.floating]) -> Scores:
        ratio, rms, mask = smoothed(np.where(empty, np.nan, image), settings=settings)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio /= rms
        ratio[mask] = np.nan
        return (ratio,)

    return Family(
        "segmentation",
        "sigma",
        snr,
        scores,
        lambda _: snr[:, None],
        lambda images, level: images[0] > level[0],
        settings.n_pixels,
    )


def recommended_family(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    settings: RecommendedSettings,
    snr: NDArray[np.float64] = LEVELS,
) -> Family:
    """The recommended mask by its seed level; it grows to `settings.grow`, or less far."""

    def cut(images: Scores, level: NDArray[np.float64]) -> NDArray[np.bool_]:
        down_to = min(settings.grow, float(level[0]))
        labels, _ = grow(
            images[0], seed=float(level[0]), down_to=down_to, min_pixels=settings.min_pixels
        )
        return (widened(labels, round(settings.margin * fwhm_px)) > 0) & ~empty

    return Family(
        "recommended",
        "sigma",
        snr,
        lambda image: (curvature_snr(image, empty, fwhm_px=fwhm_px, settings=settings),),
        lambda _: snr[:, None],
        cut,
    )


def recommended_directions(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    directions: float,
) -> Family:
    """The recommended mask with curvatures of four directions (`RecommendedSettings`)."""
    settings = replace(DEFAULT, directions=directions)
    return recommended_family(empty, fwhm_px=fwhm_px, settings=settings, snr=levels)


def family_of(
    name: str,
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    segmentation: SegmentationSettings,
    recommended: RecommendedSettings = DEFAULT,
    settings: NDArray[np.float64] | None = None,
) -> Family:
    """A family by name: value, derivative, union, intersection, segmentation or recommended.

    `settings` replaces the values that are swept.
    """
    given = {} if settings is None else {"snr": settings}
    if name == "segmentation":
        return segmentation_family(empty, settings=segmentation, **given)
    if name == "recommended":
        return recommended_family(empty, fwhm_px=fwhm_px, settings=recommended, **given)
    return slice_family(name, PERCENTS if settings is None else settings)
