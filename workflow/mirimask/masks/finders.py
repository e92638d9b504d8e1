"""Detectors that astronomers use, as families: those that are Python packages.

Each has its own background, noise and labels; docs/peers.md tells what it is set to and why.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from astropy.convolution import convolve
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray
from photutils.detection import DAOStarFinder, IRAFStarFinder, StarFinder
from photutils.segmentation import SourceFinder, make_2dgaussian_kernel
from photutils.utils.exceptions import NoDetectionsWarning

from mirimask.image.background import boxes_or_whole
from mirimask.masks.family import Family, Scores, tool_family
from mirimask.masks.segmentation import SegmentationSettings, smoothed, sources_above

__all__ = [
    "dao_star_finder",
    "discs",
    "iraf_star_finder",
    "pipeline",
    "sep",
    "source_finder",
    "star_finder",
]


def pipeline(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    jwst_version: str,
    **settings: Any,
) -> Family:
    """The pipeline's detection by its SNR threshold, with a release's settings and labels.

    `settings` replace some of `SegmentationSettings`. The kernel is the pipeline's: `fwhm_px` has
    no part in it.
    """
    chosen = SegmentationSettings.for_jwst(jwst_version, **settings)

    def prepare(data: NDArray[np.floating], seen: NDArray[np.bool_]) -> Scores:
        smooth, rms, _ = smoothed(data, weight=seen.astype(np.float32), settings=chosen)
        return smooth, rms

    def find(images: Scores, level: float) -> NDArray[np.generic]:
        smooth, rms, seen = images
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyUserWarning)  # linear steps of faint sources
            return sources_above(smooth, level * rms, seen == 0, settings=chosen)

    return tool_family(f"pipeline_{jwst_version}", levels, empty, prepare, find)


def _flattened(
    data: NDArray[np.floating], seen: NDArray[np.bool_], box_px: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The image less photutils' two-dimensional background, and the rms that goes with it."""
    box = min(box_px, *data.shape)
    found = boxes_or_whole(data, box, coverage_mask=~seen, filter_size=(3, 3))
    rms = np.asarray(found.background_rms, float)
    return np.where(seen, data - found.background, 0), np.where(rms > 0, rms, np.inf)


def source_finder(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    box_px: int = 50,
    n_pixels: int = 10,
    contrast: float = 0.001,
) -> Family:
    """photutils' `SourceFinder` with deblending on an image convolved with the PSF, a Gaussian."""
    kernel = make_2dgaussian_kernel(fwhm_px, size=2 * int(np.ceil(1.5 * fwhm_px)) + 1)
    finder = SourceFinder(n_pixels, contrast=contrast, progress_bar=False)

    def prepare(data: NDArray[np.floating], seen: NDArray[np.bool_]) -> Scores:
        flat, rms = _flattened(data, seen, box_px)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyUserWarning)  # holes larger than the kernel
            return convolve(flat, kernel, mask=~seen), rms

    def find(images: Scores, level: float) -> NDArray[np.generic]:
        smooth, rms, seen = images
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyUserWarning)  # nothing found; linear steps
            found = finder(np.where(seen, smooth, 0), level * rms, mask=seen == 0)
        return np.zeros(seen.shape, np.int32) if found is None else found.data

    return tool_family("source_finder", levels, empty, prepare, find)


def discs(
    x: NDArray[np.floating], y: NDArray[np.floating], *, radius_px: float, shape: tuple[int, int]
) -> NDArray[np.int32]:
    """Labels 1 to n of discs around positions (pixels); where they overlap, the nearest has it.

    (ny, nx) int32, 0 = background. Positions that are not finite have no disc.
    """
    labels = np.zeros(shape, np.int32)
    good = np.isfinite(x) & np.isfinite(y)
    x, y = np.asarray(x, float)[good, None], np.asarray(y, float)[good, None]
    reach = int(np.ceil(radius_px)) + 1
    dy, dx = (step.ravel() for step in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    columns, rows = np.rint(x).astype(int) + dx, np.rint(y).astype(int) + dy
    distance = np.hypot(columns - x, rows - y)
    inside = (distance <= radius_px) & (columns >= 0) & (columns < shape[1])
    inside &= (rows >= 0) & (rows < shape[0])
    number = np.broadcast_to(np.arange(1, len(x) + 1)[:, None], inside.shape)
    nearest_last = np.argsort(-distance[inside], kind="stable")
    at = rows[inside][nearest_last], columns[inside][nearest_last]
    labels[at] = number[inside][nearest_last]
    return labels


def _star_family(
    name: str,
    empty: NDArray[np.bool_],
    levels: NDArray[np.float64],
    finder: Callable[[NDArray[np.floating]], Any],
    *,
    box_px: int,
    radius_px: float,
) -> Family:
    """The stars of a finder above `levels` times the local background rms, as discs.

    `finder` makes the tool from its threshold, (ny, nx).
    """

    def prepare(data: NDArray[np.floating], seen: NDArray[np.bool_]) -> Scores:
        return _flattened(data, seen, box_px)

    def find(images: Scores, level: float) -> NDArray[np.generic]:
        flat, rms, seen = images
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoDetectionsWarning)
            stars = finder(level * rms).find_stars(flat, mask=seen == 0)
        if stars is None:
            return np.zeros(seen.shape, np.int32)
        x, y = (np.asarray(stars[f"{axis}_centroid"], float) for axis in "xy")
        return discs(x, y, radius_px=radius_px, shape=seen.shape)

    return tool_family(name, levels, empty, prepare, find)


def _shaped(
    tool: Any, fwhm_px: float, sharpness: tuple[float, float], roundness: tuple[float, float]
) -> Callable[[NDArray[np.floating]], Any]:
    """A finder with limits of shape, from its threshold."""
    return lambda threshold: tool(
        threshold, fwhm_px, sharpness_range=tuple(sharpness), roundness_range=tuple(roundness)
    )


def dao_star_finder(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    box_px: int = 50,
    radius: float = 1.0,
    sharpness: tuple[float, float] = (0.2, 1.0),
    roundness: tuple[float, float] = (-1.0, 1.0),
) -> Family:
    """photutils' `DAOStarFinder` (Stetson 1987, PASP 99, 191); discs of radius `radius` FWHM."""
    return _star_family(
        "dao_star_finder",
        empty,
        levels,
        _shaped(DAOStarFinder, fwhm_px, sharpness, roundness),
        box_px=box_px,
        radius_px=radius * fwhm_px,
    )


def iraf_star_finder(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    box_px: int = 50,
    radius: float = 1.0,
    sharpness: tuple[float, float] = (0.5, 2.0),
    roundness: tuple[float, float] = (0.0, 0.2),
) -> Family:
    """photutils' `IRAFStarFinder`, IRAF's starfind; discs of radius `radius` FWHM."""
    return _star_family(
        "iraf_star_finder",
        empty,
        levels,
        _shaped(IRAFStarFinder, fwhm_px, sharpness, roundness),
        box_px=box_px,
        radius_px=radius * fwhm_px,
    )


def star_finder(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    box_px: int = 50,
    radius: float = 1.0,
) -> Family:
    """photutils' `StarFinder` with the PSF, a Gaussian, as its kernel; discs of `radius` FWHM."""
    kernel = make_2dgaussian_kernel(fwhm_px, size=2 * round(fwhm_px) + 1).array
    return _star_family(
        "star_finder",
        empty,
        levels,
        lambda threshold: StarFinder(threshold, kernel),
        box_px=box_px,
        radius_px=radius * fwhm_px,
    )


def sep(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    box_px: int = 64,
    filter_box: int = 3,
    min_area: int = 5,
    deblend_levels: int = 32,
    deblend_contrast: float = 0.005,
    clean: float = 1.0,
) -> Family:
    """SExtractor's algorithms as a library, with its matched filter for the PSF, a Gaussian.

    Barbary (2016, JOSS 1, 58).
    """
    import sep as library

    kernel = make_2dgaussian_kernel(fwhm_px, size=2 * int(np.ceil(1.5 * fwhm_px)) + 1).array

    def prepare(data: NDArray[np.floating], seen: NDArray[np.bool_]) -> Scores:
        data, mask = np.ascontiguousarray(data, np.float32), np.ascontiguousarray(~seen)
        found = library.Background(
            data, mask=mask, bw=box_px, bh=box_px, fw=filter_box, fh=filter_box
        )
        rms = found.rms()
        return data - found.back(), np.where(rms > 0, rms, np.float32(1e30))

    def find(images: Scores, level: float) -> NDArray[np.generic]:
        flat, rms, seen = images
        library.set_extract_pixstack(flat.size)  # the default is too small for low levels
        library.set_sub_object_limit(_SUB_OBJECTS)
        _, labels = library.extract(
            flat,
            level,
            err=rms,
            mask=np.ascontiguousarray(seen == 0),
            minarea=min_area,
            filter_kernel=kernel,
            filter_type="matched",
            deblend_nthresh=deblend_levels,
            deblend_cont=deblend_contrast,
            clean=clean > 0,
            clean_param=clean,
            segmentation_map=True,
        )
        return labels

    return tool_family("sep", levels, empty, prepare, find)


_SUB_OBJECTS = 16384  # that one area may be deblended into; 1024 does not do for a bright nebula
