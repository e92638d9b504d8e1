"""What is known of MIRI's imager: pixel scale, filters, widths of the PSF, zero point.

And the widths of NIRCam's PSF, for masks of its images.
"""

import csv
import math
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from mirimask.errors import MaskError

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = [
    "FILTERS",
    "PIXEL_SCALE_ARCSEC",
    "Filter",
    "PointAperture",
    "band_of",
    "imaging_filter",
    "light_radii_px",
    "point_aperture",
    "psf_fwhm_arcsec",
    "uncorrected_aperture",
]

PIXEL_SCALE_ARCSEC = 0.11  # of the detector and of the level-3 products (Bouchet et al. 2015)


@dataclass(frozen=True)
class Filter:
    """Pass band (half-power wavelengths, micrometers) and PSF FWHM measured in flight (arcsec)."""

    blue_um: float
    red_um: float
    fwhm_arcsec: float

    @property
    def centre_um(self) -> float:
        """Middle of the band."""
        return (self.blue_um + self.red_um) / 2


def _rows() -> list[dict[str, str]]:
    """The rows of filters.csv, which names its sources."""
    table = files("mirimask.image").joinpath("filters.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in table.splitlines() if not line.startswith("#")))


# the filters of MIRI's imager
FILTERS = {
    row["filter"]: Filter(float(row["blue_um"]), float(row["red_um"]), float(row["fwhm_arcsec"]))
    for row in _rows()
    if row["instrument"] == "MIRI"
}
_WIDTHS = {(row["instrument"], row["filter"]): float(row["fwhm_arcsec"]) for row in _rows()}


def imaging_filter(name: str) -> Filter:
    """The filter of that name (`F770W`); MaskError for a name that is no MIRI imaging filter."""
    try:
        return FILTERS[name.strip().upper()]
    except KeyError:
        raise MaskError(
            f"filter: '{name}' is not a MIRI imaging filter. Known: {', '.join(FILTERS)}."
        ) from None


@dataclass(frozen=True)
class PointAperture:
    """Circle and sky annulus (radii in pixels) for a point source, and what the circle misses.

    The source's flux is `correction` times what the circle holds above the sky of the annulus.
    """

    radius_px: float
    correction: float
    sky_inner_px: float
    sky_outer_px: float


# Pixels much larger than those that the corrections are of spread light beyond the circle
LEAST_CIRCLE_PX = 1.25
# 60 % of the light of a point source, whole detector, in pixels of PIXEL_SCALE_ARCSEC: the aperture
# corrections of CRDS, jwst_miri_apcorr_0014 (in flight, July 2024).
_POINT_APERTURES = {
    "F560W": PointAperture(2.580, 1.6709, 10.777, 18.390),
    "F770W": PointAperture(2.750, 1.6746, 8.922, 14.644),
    "F1000W": PointAperture(2.854, 1.6795, 6.698, 11.576),
    "F1130W": PointAperture(3.081, 1.6864, 7.061, 11.223),
    "F1280W": PointAperture(3.259, 1.6965, 7.609, 10.993),
    "F1500W": PointAperture(3.661, 1.7061, 8.630, 11.452),
    "F1800W": PointAperture(4.252, 1.7139, 10.094, 12.521),
    "F2100W": PointAperture(4.984, 1.7017, 11.904, 16.069),
    "F2550W": PointAperture(5.585, 1.7046, 14.027, 17.712),
    "F2550WR": PointAperture(5.585, 1.7046, 14.027, 17.712),
}


# Radii that hold 30, 50 and 70 % of it; from the same file.
_LIGHT_RADII = {
    "F560W": (1.227, 1.879, 3.872),
    "F770W": (1.353, 2.100, 4.217),
    "F1000W": (1.499, 2.288, 4.596),
    "F1130W": (1.641, 2.450, 4.924),
    "F1280W": (1.775, 2.605, 5.181),
    "F1500W": (2.057, 3.012, 5.694),
    "F1800W": (2.391, 3.484, 6.293),
    "F2100W": (2.772, 4.070, 7.911),
    "F2550W": (3.162, 4.630, 9.184),
    "F2550WR": (3.162, 4.630, 9.184),
}


def _of_a_native_pixel(pixel_scale_arcsec: float) -> float:
    """How many pixels of that side are as wide as one of MIRI's; MaskError unless it is above 0."""
    if not pixel_scale_arcsec > 0:
        raise MaskError(f"the side of a pixel is {pixel_scale_arcsec} arcsec; it must be above 0.")
    return PIXEL_SCALE_ARCSEC / pixel_scale_arcsec


def light_radii_px(
    filter_name: str, pixel_scale_arcsec: float = PIXEL_SCALE_ARCSEC
) -> dict[str, float]:
    """The circles of the pipeline's catalogue, aper30, aper50 and aper70: radii in pixels.

    In pixels of `pixel_scale_arcsec`. MaskError for an unknown filter.
    """
    imaging_filter(filter_name)
    scale = _of_a_native_pixel(pixel_scale_arcsec)
    radii = (radius * scale for radius in _LIGHT_RADII[filter_name.strip().upper()])
    return dict(zip(("aper30", "aper50", "aper70"), radii, strict=True))


def point_aperture(
    filter_name: str, pixel_scale_arcsec: float = PIXEL_SCALE_ARCSEC
) -> PointAperture:
    """The aperture for point sources in pixels of `pixel_scale_arcsec`.

    CRDS normalises the light of a point source to infinity, which no PSF model of finite size
    does. The correction is NaN where the circle has a radius below `LEAST_CIRCLE_PX`. MaskError for
    an unknown filter.
    """
    imaging_filter(filter_name)
    known = _POINT_APERTURES[filter_name.strip().upper()]
    scale = _of_a_native_pixel(pixel_scale_arcsec)
    return PointAperture(
        known.radius_px * scale,
        known.correction if known.radius_px * scale >= LEAST_CIRCLE_PX else math.nan,
        known.sky_inner_px * scale,
        known.sky_outer_px * scale,
    )


def uncorrected_aperture(fwhm_px: float) -> PointAperture:
    """A circle of one FWHM for filters whose aperture correction is not known: it is NaN.

    The sky is that of an annulus from 4 to 6 FWHM.
    """
    return PointAperture(fwhm_px, math.nan, 4 * fwhm_px, 6 * fwhm_px)


def band_of(header: "Header") -> tuple[str, str]:
    """Instrument (INSTRUME) and filter of a primary header, '' for no filter.

    Without INSTRUME it is the instrument that has the filter, MIRI where none is known to have it.
    NIRCam's narrow filters stand in its pupil wheel: where PUPIL is a filter, it is that one.
    """
    instrument, band, pupil = (
        str(header.get(key) or "").strip().upper() for key in ("INSTRUME", "FILTER", "PUPIL")
    )
    if not instrument:
        instrument = next((camera for camera, name in _WIDTHS if name == band), "MIRI")
    return instrument, pupil if (instrument, pupil) in _WIDTHS else band


def psf_fwhm_arcsec(filter_name: str, instrument: str = "MIRI") -> float:
    """FWHM of the PSF in arcsec; MaskError for an unknown filter, with those that are known."""
    try:
        return _WIDTHS[instrument, filter_name.strip().upper()]
    except KeyError:
        known = [name for camera, name in _WIDTHS if camera == instrument]
        shown = ", ".join(known) or "MIRI's and NIRCam's"
        raise MaskError(
            f"filter: the width of the PSF of {instrument} '{filter_name}' is not known here. "
            f"Known: {shown}."
        ) from None
