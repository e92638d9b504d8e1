"""The catalogue of the jwst pipeline's `source_catalog` step, with photutils.

Its columns for the sources of a label image; fluxes are in apertures without aperture correction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from numpy.typing import NDArray
from photutils.segmentation import SegmentationImage, SourceCatalog

from mirimask.errors import MaskError
from mirimask.image.files import frame_of
from mirimask.image.instrument import light_radii_px
from mirimask.image.wcs import pixel_to_sky
from mirimask.masks.segmentation import (
    SegmentationSettings,
    background_of,
    segment,
    uncovered,
)
from mirimask.units import jansky_per_pixel, jansky_to_ab

__all__ = ["PipelineProducts", "catalogue_of", "pipeline_products"]


@dataclass
class PipelineProducts:
    """The labels of an image's sources, their catalogue, and in words by which settings."""

    labels: NDArray[np.uint32]
    catalogue: QTable
    settings: str


def pipeline_products(
    i2d: fits.HDUList,
    labels: NDArray[np.uint32] | None,
    segmentation: Mapping[str, Any],
    *,
    image: str,
) -> PipelineProducts:
    """What the pipeline makes of an image: labels, where none are given, and their catalogue.

    Parameters
    ----------
    i2d : the image as `read_image` gives it
    labels : (ny, nx), 0 = background; None: they are made
    segmentation : jwst_version, and those of its settings that are to be others
    image : the code of the image, for messages

    Raises MaskError as `segment` and `catalogue_of` do.
    """
    own = {key: value for key, value in segmentation.items() if key != "jwst_version"}
    settings = SegmentationSettings.for_jwst(segmentation["jwst_version"], **own)
    said = f"settings of jwst {segmentation['jwst_version']}"
    said += "".join(f", {key} {value}" for key, value in own.items())
    planes = {hdu.name: hdu.data for hdu in i2d}
    data, frame = planes["SCI"], frame_of(i2d, what=f"{image}: i2d")
    # empty as for every other mask: of a file without ERR and WHT its zeros too
    given = {"error": planes.get("ERR"), "weight": (~frame.empty).astype(np.float32)}
    if labels is None:
        labels = segment(data, **given, settings=settings)
    catalogue = catalogue_of(
        data,
        labels,
        frame.wcs,
        frame.pixel_area_sr,
        **given,
        settings=settings,
        apertures_px=light_radii_px(i2d[0].header.get("FILTER") or "F770W", frame.pixel_scale),
    )
    return PipelineProducts(labels, catalogue, said)


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
        mask = uncovered(data, error, weight)
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
        uncovered(data, error, weight)
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
