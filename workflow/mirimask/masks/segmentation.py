"""The segmentation of the jwst pipeline's `source_catalog` step, with photutils.

The official step needs the `jwst` package and its reference files; its detection is six steps of
photutils calls, repeated here so that an image without a `_segm` product can have one, and so that
its settings can be varied.
"""

import re
import warnings
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from astropy.convolution import Gaussian2DKernel, convolve
from astropy.stats import SigmaClip, gaussian_fwhm_to_sigma
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray
from photutils.background import Background2D, MedianBackground
from photutils.segmentation import (
    deblend_sources,
    detect_sources,
)
from photutils.utils.exceptions import NoDetectionsWarning

from mirimask.errors import MaskError
from mirimask.image.background import boxes_or_whole
from mirimask.masks.cores import grow
from mirimask.masks.family import Family, Scores, sigma_family

__all__ = [
    "JWST_VERSIONS",
    "SegmentationSettings",
    "background_of",
    "segment",
    "segmentation_family",
    "smoothed",
    "sources_above",
    "uncovered",
]


@dataclass(frozen=True)
class SegmentationSettings:
    """Settings of the pipeline's detection.

    `box_px`: side of the background's mesh; `kernel_fwhm_px`: smoothing Gaussian; `snr`: threshold
    in units of the background rms; `n_pixels`: smallest source; `deblend`: split what overlaps.
    """

    box_px: int = 1000
    kernel_fwhm_px: float = 2.0
    snr: float = 3.0
    n_pixels: int = 25
    deblend: bool = False

    def __post_init__(self) -> None:
        for name in ("box_px", "kernel_fwhm_px", "snr", "n_pixels"):
            if not getattr(self, name) > 0:
                raise MaskError(f"segmentation: {name} is {getattr(self, name)}; it must be > 0.")

    @classmethod
    def for_jwst(cls, version: str, **overrides: Any) -> "SegmentationSettings":
        """Defaults of a jwst release ("1.12.5"), with some replaced.

        The MIRI values of CRDS are not public in the package; these are the step's own defaults
        in its three eras: up to 1.5.3, 1.6.0 to 2.x, from 3.0.0.
        """
        given = re.fullmatch(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\..*)?", str(version))
        if not given:
            raise MaskError(f"segmentation: '{version}' is not a jwst version (1.12.5).")
        number = tuple(int(part or 0) for part in given.groups())
        unknown = set(overrides) - {field.name for field in fields(cls)}
        if unknown:
            raise MaskError(f"segmentation: unknown setting {', '.join(sorted(unknown))}.")
        era = max((start for start in JWST_VERSIONS if start <= number), default=(0,))
        return replace(JWST_VERSIONS[era], **overrides)


JWST_VERSIONS = {  # first version of each era
    (0,): SegmentationSettings(box_px=100, n_pixels=5),
    (1, 6, 0): SegmentationSettings(),
    (3, 0, 0): SegmentationSettings(deblend=True),
}


def uncovered(data: NDArray, error: NDArray | None, weight: NDArray | None) -> NDArray[np.bool_]:
    """Step 1: pixels without data, or masked in a masked array. MaskError where none has any."""
    if data.ndim != 2:
        raise MaskError(f"segmentation: the image has {data.ndim} axes; it must have 2.")
    for name, other in (("error", error), ("weight", weight)):
        if other is not None and other.shape != data.shape:
            raise MaskError(
                f"segmentation: the image is {data.shape}, its {name} {other.shape}; "
                "they must be of the same shape."
            )
    mask = ~np.isfinite(np.ma.getdata(data))
    if np.ma.isMA(data):
        mask |= np.ma.getmaskarray(data)
    if error is not None:
        mask |= np.isnan(error[:])  # it may have stayed in its file
    if weight is not None:
        mask |= weight == 0
    if mask.all():
        raise MaskError(
            "segmentation: no pixel of the image has data (all not finite, without an error or of "
            "weight 0); is it the right file?"
        )
    return mask


def background_of(
    data: NDArray,
    *,
    error: NDArray | None = None,
    weight: NDArray | None = None,
    settings: SegmentationSettings,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Background and its rms as the pipeline estimates them (steps 1 and 2).

    `data` (2-D, any unit), `error` and `weight` of its shape: pixels that are not finite, have no
    error or weight 0 have no part in it and get 0. Returns two float64 arrays in `data`'s unit.
    MaskError where no pixel has data.
    """
    found = _meshes(data, uncovered(data, error, weight), settings)
    return found.background, found.background_rms


def _meshes(data: NDArray, mask: NDArray[np.bool_], settings: SegmentationSettings) -> Background2D:
    """Statistics of the meshes alone: images are made of them where they are asked for."""
    common = {
        "filter_size": (3, 3),
        "coverage_mask": mask,
        "sigma_clip": SigmaClip(sigma=3.0),
        "bkg_estimator": MedianBackground(),
    }
    filled = data.astype(float)
    filled[mask] = 0
    return boxes_or_whole(filled, settings.box_px, **common)


def segment(
    data: NDArray,
    *,
    error: NDArray | None = None,
    weight: NDArray | None = None,
    settings: SegmentationSettings,
) -> NDArray[np.uint32]:
    """Label image of the sources that the pipeline's `source_catalog` step would detect.

    1. pixels that are not finite, whose error is NaN or whose weight is 0 are masked;
    2. sigma-clipped median background in boxes of `box_px`;
    3. threshold = `snr` x background rms of the unconvolved image;
    4. the background-subtracted image is convolved with a Gaussian of `kernel_fwhm_px`;
    5. at least `n_pixels` 8-connected pixels above the threshold are a source;
    6. optionally deblended (32 exponential levels, contrast 0.001).

    `data`: 2-D, any unit (also of `error`). `settings`: those of a release of the pipeline are
    `SegmentationSettings.for_jwst("1.12.5")`. Returns uint32 of its shape, 0 = background, all 0
    where nothing is found. MaskError where no pixel has data, shapes differ, or deblending is asked
    for without scikit-image.
    """
    smooth, rms, mask = smoothed(data, error=error, weight=weight, settings=settings)
    rms *= settings.snr
    return sources_above(smooth, rms, mask, settings=settings)


def smoothed(
    data: NDArray,
    *,
    error: NDArray | None = None,
    weight: NDArray | None = None,
    settings: SegmentationSettings,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Steps 1, 2 and 4 of `segment`: what its threshold is applied to.

    The background-subtracted, convolved image, the background's rms, and the pixels without data
    (True, 0 in the image). MaskError as `segment`.
    """
    mask = uncovered(data, error, weight)
    found = _meshes(data, mask, settings)
    subtracted = np.where(mask, 0, data) - found.background
    kernel = Gaussian2DKernel(settings.kernel_fwhm_px * gaussian_fwhm_to_sigma)
    with warnings.catch_warnings():
        # of masked areas larger than the kernel: they stay masked
        warnings.simplefilter("ignore", AstropyUserWarning)
        smooth = convolve(subtracted, kernel, mask=mask, normalize_kernel=True)
    smooth[mask] = 0
    return smooth, found.background_rms, mask


def sources_above(
    smooth: NDArray[np.floating],
    threshold: NDArray[np.floating],
    mask: NDArray[np.bool_],
    *,
    settings: SegmentationSettings,
) -> NDArray[np.uint32]:
    """Steps 5 and 6 of `segment`: labels of the sources above `threshold` (ny, nx) outside `mask`.

    All 0 where nothing is found. MaskError where deblending is asked for without scikit-image.
    """
    if settings.deblend and find_spec("skimage") is None:
        raise MaskError(
            "segmentation: deblending (the default of jwst 3.0.0) needs the package "
            "scikit-image; install it, or set segmentation/deblend to false."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)  # a result
        found = detect_sources(smooth, threshold, settings.n_pixels, connectivity=8, mask=mask)
    if found is None:
        return np.zeros(smooth.shape, np.uint32)
    if settings.deblend:
        found = deblend_sources(
            smooth,
            found,
            settings.n_pixels,
            n_levels=32,
            contrast=0.001,
            mode="exponential",
            connectivity=8,
            relabel=True,
            progress_bar=False,
        )
    return found.data.astype(np.uint32)


def segmentation_family(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    jwst_version: str = "1.12.5",
    **settings: Any,
) -> Family:
    """The pipeline's segmentation without deblending, by its threshold; see `segment`.

    `settings` replace some of the release's. The kernel is the pipeline's: `fwhm_px` has no part.
    """
    chosen = SegmentationSettings.for_jwst(jwst_version, **settings)

    def scores(image: NDArray[np.floating]) -> Scores:
        ratio, rms, mask = smoothed(np.where(empty, np.nan, image), settings=chosen)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio /= rms
        ratio[mask] = np.nan
        return (ratio,)

    def cut(images: Scores, level: float) -> NDArray[np.int32]:
        return grow(images[0], seed=level, down_to=level, min_pixels=chosen.n_pixels)[0]

    return sigma_family("segmentation", levels, scores, cut)
