"""The segmentation and the catalogue of the jwst pipeline's `source_catalog` step, with photutils.

The official step needs the `jwst` package and its reference files; its detection is six steps of
photutils calls, repeated here so that an image without a `_segm` product can have one, and so that
its settings can be varied. Fluxes of the catalogue are in apertures without aperture correction.
"""

import warnings
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from typing import Any

import astropy.units as u
import numpy as np
from astropy.convolution import Gaussian2DKernel, convolve
from astropy.coordinates import SkyCoord
from astropy.stats import SigmaClip, gaussian_fwhm_to_sigma
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from numpy.typing import NDArray
from photutils.background import Background2D, MedianBackground
from photutils.segmentation import (
    SegmentationImage,
    SourceCatalog,
    deblend_sources,
    detect_sources,
)
from photutils.utils.exceptions import NoDetectionsWarning

from mirimask.errors import MaskError
from mirimask.instrument import light_radii_px
from mirimask.units import jansky_per_pixel, jansky_to_ab
from mirimask.wcs import pixel_to_sky

__all__ = [
    "JWST_VERSIONS",
    "SegmentationSettings",
    "background_of",
    "catalogue_of",
    "segment",
    "smoothed",
    "sources_above",
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
        try:
            number = tuple(int(part) for part in version.split(".")[:3])
        except ValueError:
            raise MaskError(f"segmentation: '{version}' is not a jwst version (1.12.5).") from None
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


def _uncovered(data: NDArray, error: NDArray | None, weight: NDArray | None) -> NDArray[np.bool_]:
    """Step 1: pixels without data. MaskError where none has any."""
    if data.ndim != 2:
        raise MaskError(f"segmentation: the image has {data.ndim} axes; it must have 2.")
    for name, other in (("error", error), ("weight", weight)):
        if other is not None and other.shape != data.shape:
            raise MaskError(
                f"segmentation: the image is {data.shape}, its {name} {other.shape}; "
                "they must be of the same shape."
            )
    mask = ~np.isfinite(data)
    if error is not None:
        mask |= np.isnan(error)
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
    found = _meshes(data, _uncovered(data, error, weight), settings)
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
    with suppress(ValueError):  # every mesh has too many empty pixels
        return Background2D(filled, settings.box_px, **common)
    # one mesh for the whole frame; made here, where no traceback holds the arrays of the first
    return Background2D(filled, filled.shape, exclude_percentile=100.0, **common)


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

    `data`: 2-D, any unit (also of `error`). Returns uint32 of its shape, 0 = background, all 0
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
    mask = _uncovered(data, error, weight)
    found = _meshes(data, mask, settings)
    subtracted = found.background
    np.subtract(np.where(mask, 0, data), subtracted, out=subtracted)
    kernel = Gaussian2DKernel(settings.kernel_fwhm_px * gaussian_fwhm_to_sigma)
    smooth = _convolved(subtracted, mask, kernel)
    del subtracted
    smooth[mask] = 0
    return smooth, found.background_rms, mask


_ROWS = 128  # of an image that are convolved at a time


def _convolved(
    image: NDArray[np.float64], mask: NDArray[np.bool_], kernel: Gaussian2DKernel
) -> NDArray[np.float64]:
    """astropy's `convolve` without its four copies of the whole image; the bits are the same."""
    beyond = kernel.shape[0] // 2 + 1  # rows; the outermost has no part in what is kept
    smooth, partly = np.empty_like(image), mask.any()
    for row in range(0, len(image), _ROWS):
        start, stop = max(0, row - beyond), min(len(image), row + _ROWS + beyond)
        hidden = mask[start:stop].copy()
        # where an image has masked pixels, each strip must, or `convolve` adds up in another order
        if partly and start > 0:
            hidden[0] = True
        if partly and stop < len(image):
            hidden[-1] = True
        with warnings.catch_warnings():
            # of masked areas larger than the kernel: they stay masked
            warnings.simplefilter("ignore", AstropyUserWarning)
            part = convolve(image[start:stop], kernel, mask=hidden, normalize_kernel=True)
        smooth[row : row + _ROWS] = part[row - start :][:_ROWS]
    return smooth


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


def catalogue_of(
    data: NDArray,
    labels: NDArray,
    wcs: WCS | None,
    pixel_area_sr: float,
    *,
    error: NDArray | None = None,
    weight: NDArray | None = None,
    settings: SegmentationSettings | None = None,
    apertures_px: dict[str, float] | None = None,
) -> QTable:
    """Catalogue of labelled sources with the pipeline's column names.

    `data` (2-D, MJy/sr) still with its background, `labels` (same shape, 0 = background), `wcs` of
    the image (None: positions on the sky are NaN), `pixel_area_sr` the solid angle of a pixel.
    The background is that of `settings` (default: those of jwst 1.12.5). `apertures_px` names
    circular apertures and their radii (default: those of F770W); fluxes in them are not corrected
    for what lies outside.

    Columns: label, xcentroid, ycentroid (0-based pixels), sky_centroid (ICRS), <aperture>_flux
    (Jy), isophotal_flux (Jy), isophotal_flux_err where `error` is given, isophotal_abmag (NaN for
    fluxes <= 0), isophotal_area, semimajor_sigma, semiminor_sigma, ellipticity, orientation.
    No labels: a table of these columns without rows. MaskError where no pixel has data.
    """
    if labels.shape != data.shape:
        raise MaskError(f"segmentation: image {data.shape} and labels {labels.shape} differ.")
    if apertures_px is None:
        apertures_px = light_radii_px("F770W")
    unit = jansky_per_pixel(pixel_area_sr)
    if labels.any():
        settings = settings or SegmentationSettings.for_jwst("1.12.5")
        mask = _uncovered(data, error, weight)
        background, _ = background_of(data, error=error, weight=weight, settings=settings)
        found = SourceCatalog(
            np.where(mask, 0, data) - background,
            SegmentationImage(labels.astype(np.int32)),
            error=None if error is None else np.where(mask, 0, error).astype(float),
            mask=mask,
        )
        x, y = np.atleast_1d(found.x_centroid), np.atleast_1d(found.y_centroid)
        columns = {
            "label": np.atleast_1d(found.labels).astype(np.int32),
            "flux": np.atleast_1d(found.segment_flux),
            "flux_err": np.atleast_1d(found.segment_flux_err),
            "area": np.atleast_1d(u.Quantity(found.segment_area).value),
            "major": np.atleast_1d(u.Quantity(found.semimajor_axis).value),
            "minor": np.atleast_1d(u.Quantity(found.semiminor_axis).value),
            "ellipticity": np.atleast_1d(u.Quantity(found.ellipticity).value),
            "orientation": np.atleast_1d(u.Quantity(found.orientation).value),
        }
        apertures = {
            name: np.atleast_1d(found.circular_photometry(radius)[0])
            for name, radius in apertures_px.items()
        }
    else:
        _uncovered(data, error, weight)
        x = y = np.zeros(0)
        names = ["flux", "flux_err", "area", "major", "minor", "ellipticity", "orientation"]
        columns = {"label": np.zeros(0, np.int32)} | {name: np.zeros(0) for name in names}
        apertures = {name: np.zeros(0) for name in apertures_px}

    table = QTable()
    table["label"] = columns["label"]
    table["xcentroid"] = x * u.pix
    table["ycentroid"] = y * u.pix
    if wcs is None or not x.size:
        sky = SkyCoord(np.full(x.size, np.nan), np.full(x.size, np.nan), unit="deg")
    else:
        sky = pixel_to_sky(wcs, x, y)
    table["sky_centroid"] = sky
    for name, flux in apertures.items():
        table[f"{name}_flux"] = flux * unit * u.Jy
    table["isophotal_flux"] = columns["flux"] * unit * u.Jy
    if error is not None:
        table["isophotal_flux_err"] = columns["flux_err"] * unit * u.Jy
    flux = columns["flux"] * unit
    magnitude = np.full(flux.shape, np.nan)
    positive = flux > 0
    magnitude[positive] = jansky_to_ab(flux[positive])
    table["isophotal_abmag"] = magnitude
    table["isophotal_area"] = columns["area"] * u.pix**2
    table["semimajor_sigma"] = columns["major"] * u.pix
    table["semiminor_sigma"] = columns["minor"] * u.pix
    table["ellipticity"] = columns["ellipticity"]
    table["orientation"] = columns["orientation"] * u.deg
    return table
