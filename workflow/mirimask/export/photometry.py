"""What every source of a label image measures: where it is, how bright, what shape."""

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.stats import sigma_clipped_stats
from astropy.table import Table
from numpy.typing import NDArray
from scipy import ndimage

from mirimask import __version__
from mirimask.export.apertures import circle_sums, ring_sky
from mirimask.export.labels import numbers_of, observed
from mirimask.export.moments import label_sums
from mirimask.image.frame import Frame, check_labels, check_shape
from mirimask.image.instrument import PointAperture
from mirimask.image.parts import sampled_rows, strips
from mirimask.image.wcs import pixel_to_sky
from mirimask.units import microjansky_per_pixel, microjansky_to_ab

__all__ = ["match_sources", "measure_labels", "provenance"]

# column: unit, significant digits, description
_COLUMNS: dict[str, tuple[str | None, int, str]] = {
    "label": (None, 0, "number in the label image"),
    "ra": ("deg", 11, "right ascension of the centroid, ICRS"),
    "dec": ("deg", 11, "declination of the centroid, ICRS"),
    "x": ("pix", 8, "centroid in the crop, 0-based"),
    "y": ("pix", 8, "centroid in the crop, 0-based"),
    "x_frame": ("pix", 8, "centroid in the frame of the i2d, 0-based"),
    "y_frame": ("pix", 8, "centroid in the frame of the i2d, 0-based"),
    "isophotal_flux": ("uJy", 6, "light in the pixels of the label, local background off"),
    "isophotal_flux_err": ("uJy", 4, ""),
    "isophotal_abmag": ("mag", 6, "AB magnitude of isophotal_flux; NaN where it is not positive"),
    "isophotal_abmag_err": ("mag", 4, ""),
    "point_flux": (
        "uJy",
        6,
        "flux if it is a point source, corrected for light beyond the circle; NaN where part of "
        "the circle is beyond the image or its crop, or on empty pixels",
    ),
    "point_flux_err": ("uJy", 4, ""),
    "point_abmag": ("mag", 6, "AB magnitude of point_flux; NaN where it is not positive"),
    "point_abmag_err": ("mag", 4, ""),
    "local_background": ("MJy / sr", 7, "clipped median of the annulus around the label"),
    "local_background_err": ("MJy / sr", 4, "its standard error, that of a median"),
    "background_pixels": (None, 0, "pixels it is from; 0: from all unlabelled pixels of the crop"),
    "area": ("pix2", 0, "pixels of the label"),
    "semimajor_sigma": ("pix", 5, "standard deviation of the light along the major axis"),
    "semiminor_sigma": ("pix", 5, "standard deviation of the light along the minor axis"),
    "orientation": ("deg", 5, "of the major axis, from +x towards +y"),
    "ellipticity": (None, 4, "1 - semiminor_sigma / semimajor_sigma"),
    "match_id": (None, 0, "nearest catalogue source within the match radius; no value: none"),
    "match_separation": ("arcsec", 4, "distance to it"),
}
_WHOLE_NUMBERS = ("label", "background_pixels", "area")
_FEWEST = 10  # pixels of an annulus that make a background
_WIDER = (2, 4, 8)  # times its width, where it holds fewer
_UNSEEN = 1e-6  # share of a circle that may be: what rounding leaves
_OF_MEDIAN = np.sqrt(np.pi / 2)  # its standard error, in that of the mean
_MOST = 1 << 21  # pixels that the sky of a whole image is taken from


def _background(
    crop: Frame,
    unusable: NDArray[np.bool_],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    reach: NDArray[np.float64],
    aperture: PointAperture,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Background around each position, its scatter, and the number of pixels it is from.

    The annulus of `aperture`, moved out to `reach` where the label is larger, and made wider where
    it holds too few pixels. Where it still does, the background of the whole image, and 0 for the
    number; NaN where the image has no such pixel.
    """
    width = aperture.sky_outer_px - aperture.sky_inner_px
    inner = np.maximum(aperture.sky_inner_px, np.ceil(reach))
    level, scatter, count = ring_sky(crop.data, unusable, x, y, inner, width)
    for times in _WIDER:
        few = np.flatnonzero(~(count >= _FEWEST))
        if few.size and not unusable.all():
            level[few], scatter[few], count[few] = ring_sky(
                crop.data, unusable, x[few], y[few], inner[few], times * width
            )
    few = np.flatnonzero(~(count >= _FEWEST))
    if few.size:
        rows = sampled_rows(unusable, most=_MOST)
        sky = crop.data[rows][~unusable[rows]].astype(np.float64)
        level[few], scatter[few], count[few] = np.nan, np.nan, 0
        if sky.size:
            _, level[few], scatter[few] = sigma_clipped_stats(sky, sigma=3)
    return level, scatter, count


def measure_labels(
    crop: Frame,
    labels: NDArray[np.integer],
    *,
    aperture: PointAperture,
    detections: NDArray[np.integer] | None = None,
    sources: Table | None = None,
    match_radius_arcsec: float = 0.0,
) -> Table:
    """A row for each label, in the order of their numbers.

    `labels` (ny, nx) has the shape of `crop.data`, 0 = background. A local background is taken off:
    the clipped median of the pixels without a label in an annulus around the label, from
    the radius that `aperture` prescribes, further out where the label reaches
    further; its error is that of the median of so many independent pixels, sqrt(pi/2) times that of
    their mean. Where `detections` (ny, nx; 0 = none) marks the cores of the labels, a position is
    the centroid of the light above the background in the core (of its pixels, where there is no
    such light): that of all the light is drawn aside by noise and neighbours in it.
    `isophotal_*`, position and shape are those of photutils' `SourceCatalog` of the label's own
    pixels (`moments.label_sums`); `point_*` is the circle of `aperture` (see
    `instrument.point_aperture`) on the centroid, times its correction: right for stars only, and
    NaN where a part of the circle is not seen: beyond the image or its crop, or on empty pixels.
    Errors come from ERR (from the scatter in the annulus where the image has none) and from the
    background's, and are NaN where the ERR of a pixel that is summed is 0, negative or not finite;
    neighbouring pixels of a drizzled image are correlated, which both ignore. Where
    the light of a label has no centroid (it is fainter than its surroundings), the middle of its
    box stands for it and its shape is NaN. Empty pixels count nowhere.

    Columns, units and descriptions: docs/products.md. `sources` (id, ra, dec) gives the matches.
    No label gives the columns without rows. MaskError where `labels` or `detections` have another
    shape, and for labels below 0 or from 2**31 on.
    """
    labels = np.asarray(labels)
    check_shape(labels, crop.data.shape, what="labels")
    check_labels(labels, what="labels")
    if detections is not None:
        detections = np.asarray(detections)
        check_shape(detections, crop.data.shape, what="detections")
    labels = observed(labels.astype(np.int32, copy=False), crop.empty)
    numbers = numbers_of(labels)
    columns: dict[str, NDArray] = {name: np.zeros(0) for name in _COLUMNS}
    columns["match_id"] = np.zeros(0, "U1")
    if numbers.size:
        if numbers[-1] > numbers.size:
            labels = _counted(labels, numbers)
        columns = _measured(crop, labels, aperture, detections)
        columns["label"] = numbers
        if sources is None:
            sources = Table({"id": np.zeros(0, "U1"), "ra": np.zeros(0), "dec": np.zeros(0)})
        columns["match_id"], columns["match_separation"] = match_sources(
            columns["ra"], columns["dec"], sources, radius_arcsec=match_radius_arcsec
        )
    table = Table()
    for name, (unit, digits, description) in _COLUMNS.items():
        values = columns[name]
        if name in _WHOLE_NUMBERS:
            values = values.astype(np.int64)
        elif digits:
            values = _rounded(values, digits)
        table[name] = values
        table[name].unit = unit
        table[name].description = description or None
    return table


def _rounded(values: NDArray, digits: int) -> NDArray[np.float64]:
    """To significant digits: what is beyond differs between machines and means nothing."""
    return np.array([float(f"{value:.{digits}g}") for value in values], dtype=np.float64)


def _counted(labels: NDArray[np.integer], numbers: NDArray[np.integer]) -> NDArray[np.int32]:
    """The labels by their places among the `numbers`, from 1.

    What is worked out for all labels takes the memory of the largest number, which may be 2**31.
    """
    counted = np.zeros(labels.shape, np.int32)
    for rows in strips(labels.shape):
        marked = labels[rows] > 0
        counted[rows][marked] = np.searchsorted(numbers, labels[rows][marked]) + 1
    return counted


def _measured(
    crop: Frame,
    labels: NDArray[np.integer],
    aperture: PointAperture,
    detections: NDArray[np.integer] | None,
) -> dict[str, NDArray]:
    """The columns of `measure_labels` but for the number and the match; labels are 1 to n."""
    boxes = ndimage.find_objects(labels)
    ends = np.array([[(side.start, side.stop) for side in box] for box in boxes])
    middle = (ends[..., 0] + ends[..., 1] - 1) / 2
    reach = np.hypot(*((ends[..., 1] - ends[..., 0]) / 2).T)
    if detections is None:
        # a third of the sky radius is about what a spot's own wings reach beyond its pixels
        reach += aperture.sky_inner_px / 3
    unusable = crop.empty | (labels > 0)
    level, scatter, count = _background(crop, unusable, middle[:, 1], middle[:, 0], reach, aperture)
    del unusable
    sums = label_sums(crop.data, crop.error, labels, middle, level, detections)
    area, x, y = sums.area, sums.x, sums.y
    lost = ~(np.isfinite(x) & np.isfinite(y))
    x, y = np.where(lost, middle[:, 1], x), np.where(lost, middle[:, 0], y)
    shape = {name: np.where(lost, np.nan, values) for name, values in sums.shape.items()}
    held, held_err, pixels_held = circle_sums(
        crop.data, crop.error, crop.empty, x, y, aperture.radius_px
    )
    microjansky = microjansky_per_pixel(crop.pixel_area_sr)
    level_err = _OF_MEDIAN * scatter / np.sqrt(np.maximum(count, 1))
    level_err[count == 0] = scatter[count == 0]
    whole = pixels_held >= (1 - _UNSEEN) * np.pi * aperture.radius_px**2
    correction = np.where(whole, aperture.correction, np.nan)

    sky = pixel_to_sky(crop.wcs, x, y)
    columns: dict[str, NDArray] = {"ra": sky.ra.deg, "dec": sky.dec.deg, "x": x, "y": y}
    columns["x_frame"] = x + crop.origin[1]
    columns["y_frame"] = y + crop.origin[0]
    for name, flux, noise, pixels, factor in (
        ("isophotal", sums.flux, sums.flux_err, area, np.ones(area.size)),
        ("point", held - level * pixels_held, held_err, pixels_held, correction),
    ):
        if crop.error is None:
            noise = scatter * np.sqrt(pixels)
        flux = flux * microjansky * factor
        flux_err = np.hypot(noise, level_err * pixels) * microjansky * factor
        columns[f"{name}_flux"], columns[f"{name}_flux_err"] = flux, flux_err
        with np.errstate(divide="ignore", invalid="ignore"):
            positive = np.where(flux > 0, flux, np.nan)
            columns[f"{name}_abmag"] = microjansky_to_ab(positive)
            columns[f"{name}_abmag_err"] = 2.5 / np.log(10) * flux_err / positive
    columns |= {
        "local_background": level,
        "local_background_err": level_err,
        "background_pixels": count,
        "area": area,
        **shape,
    }
    return columns


def provenance(crop: Frame, aperture: PointAperture, **made: object) -> dict[str, object]:
    """What a catalogue's meta says of where it comes from; None is left out."""
    primary = crop.primary
    known = {
        "IMAGE": primary.get("IMAGE"),
        "SIMULATD": crop.simulated,
        "OBS_ID": primary.get("OBS_ID"),
        "FILTER": primary.get("FILTER"),
        "CAL_VER": primary.get("CAL_VER"),
        "CRDS_CTX": primary.get("CRDS_CTX"),
        **made,
        "point_aperture_px": round(aperture.radius_px, 4),
        "point_aperture_correction": aperture.correction,
        "sky_annulus_px": [round(aperture.sky_inner_px, 3), round(aperture.sky_outer_px, 3)],
        "mirimask_version": __version__,
    }
    if crop.simulated:
        known["comments"] = ["SIMULATED: measured on a simulated image, not on the sky."]
    return {key: value for key, value in known.items() if value is not None}


def match_sources(
    ra: NDArray[np.float64], dec: NDArray[np.float64], sources: Table, *, radius_arcsec: float
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """The id of the nearest source to each position within a radius, and its distance in arcsec.

    `ra`, `dec` in degrees, `sources` with id, ra, dec; what has no finite position matches none.
    Several positions may have the same source: one unWISE source is often several in JWST's image.
    No source: '' and NaN.
    """
    for name in ("ra", "dec"):
        known = np.isfinite(np.ma.asarray(sources[name], dtype=float))
        sources = sources[np.ma.filled(known, False)]
    names = np.full(len(ra), "", dtype=object)
    distance = np.full(len(ra), np.nan)
    placed = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    if placed.size and len(sources):
        index, separation, _ = SkyCoord(ra[placed], dec[placed], unit="deg").match_to_catalog_sky(
            SkyCoord(sources["ra"], sources["dec"], unit="deg")
        )
        near = separation.arcsec <= radius_arcsec
        names[placed[near]] = np.asarray(sources["id"]).astype(str)[index[near]]
        distance[placed[near]] = separation.arcsec[near]
    return names.astype(str), distance
