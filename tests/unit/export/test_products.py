"""Masks as other software reads them: labels, catalogue, regions."""

import gzip
import importlib.util
import tracemalloc
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS, Sip
from mirimask.errors import MaskError
from mirimask.export.ds9 import label_regions, region_file, source_regions
from mirimask.export.labels import label_mask, numbers_of, write_labels
from mirimask.export.photometry import _COLUMNS, match_sources, measure_labels, provenance
from mirimask.image.frame import Frame, crop_frame, whole_frame
from mirimask.image.instrument import PointAperture, point_aperture
from mirimask.masks.make import make_mask
from mirimask.sources.spots import connected_spots
from mirimask.units import microjansky_per_pixel
from photutils.segmentation import SegmentationImage
from regions import (
    CirclePixelRegion,
    CircleSkyRegion,
    EllipsePixelRegion,
    EllipseSkyRegion,
    PixCoord,
    Regions,
)

SHAPE, PIXEL_SR, SIGMA = (120, 110), 2.84404e-13, 1.2
ROWS, COLUMNS = (10, 110), (5, 105)
# what a Gaussian of SIGMA has in the circle of F770W
HELD = 1 - np.exp(-(2.75**2) / (2 * SIGMA**2))
APERTURE = PointAperture(2.75, 1 / HELD, 8.92, 14.64)
STARS = {(40.3, 50.6): 30.0, (80.8, 30.2): 5.0, (60.0, 85.0): 200.0}  # x, y in the frame: uJy


def wcs(roll=30.0):
    made = WCS(naxis=2)
    made.wcs.ctype = "RA---TAN", "DEC--TAN"
    made.wcs.crval, made.wcs.crpix = (80.0, -69.5), (55.5, 60.5)
    scale = 0.11 / 3600
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    made.wcs.cd = scale * np.array([[-cos, sin], [sin, cos]])
    return made


def image(*, error=True, background=6.0, slope=0.01, noise=0.02, stars=STARS, simulated=True):
    """A crop of an image with Gaussian stars of known flux on a sloping background."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    data = background + slope * x + np.random.default_rng(3).normal(0, noise, SHAPE)
    for (sx, sy), flux in stars.items():
        profile = np.exp(-((x - sx) ** 2 + (y - sy) ** 2) / (2 * SIGMA**2)) / (2 * np.pi * SIGMA**2)
        data += profile * flux / (1e12 * PIXEL_SR)
    primary = fits.Header({"OBS_ID": "V1", "FILTER": "F770W", "TELESCOP": "JWST"})
    primary["SIMULATD"] = simulated
    data = data.astype(np.float32)
    empty = np.zeros(SHAPE, bool)
    empty[15:20, 20:25] = True
    data[empty] = np.nan
    planes = np.full(SHAPE, noise, np.float32) if error else None
    frame = Frame(data, empty, planes, None, primary, wcs())
    return crop_frame(frame, rows=ROWS, columns=COLUMNS, image="A")


def disks(crop, radius=6.0, stars=STARS):
    """A mask of a disk around each star."""
    y, x = np.mgrid[: crop.data.shape[0], : crop.data.shape[1]]
    near = [np.hypot(x + COLUMNS[0] - sx, y + ROWS[0] - sy) <= radius for sx, sy in stars]
    return np.logical_or.reduce(near)


@pytest.fixture
def crop():
    return image()


@pytest.fixture
def measured(crop):
    return measure_labels(crop, label_mask(disks(crop)), aperture=APERTURE)


def by_star(table):
    """The row of each star."""
    for (x, y), flux in STARS.items():
        distance = np.hypot(table["x_frame"] - x, table["y_frame"] - y)
        yield flux, (x, y), table[int(np.argmin(distance))]


### labels #########################################################################################


def test_labels_are_the_spots_of_the_verdicts(crop):
    mask = disks(crop)
    mask[0, 0] = True  # a spot of one pixel
    spots, count = connected_spots(mask, min_pixels=2)
    assert count == 3
    np.testing.assert_array_equal(label_mask(mask, min_pixels=2), spots)
    assert label_mask(mask).max() == 4


def test_labels_of_a_segmentation_stay():
    segmentation = np.zeros((5, 6), np.uint32)
    segmentation[1:3, 1:3], segmentation[1:3, 3:5] = 7, 4_000_000  # touching
    labels = label_mask(segmentation > 0, segmentation=segmentation)
    assert set(np.unique(labels)) == {0, 7, 4_000_000}
    marked = segmentation > 0
    marked[1, 3] = False
    labels = label_mask(marked, segmentation=segmentation, min_pixels=4)
    assert set(np.unique(labels)) == {0, 7}
    with pytest.raises(MaskError, match="segmentation has the shape"):
        label_mask(marked, segmentation=segmentation[:1])


@pytest.mark.parametrize("label", [2**31, -1])
def test_labels_that_no_source_can_have_are_refused(crop, label):
    labels = np.zeros(crop.data.shape, np.int64)
    labels[3, 4] = label
    for use in (
        lambda: label_mask(labels != 0, segmentation=labels),
        lambda: measure_labels(crop, labels, aperture=APERTURE),
        lambda: make_mask(crop, "segmentation", segmentation=labels),
    ):
        with pytest.raises(
            MaskError, match=r"its labels go from .* they must be whole numbers from 0"
        ):
            use()


def test_label_file_is_the_i2ds_frame(crop, tmp_path):
    labels = label_mask(disks(crop))
    path = tmp_path / "recommended.fits"
    write_labels(path, labels, crop, METHOD="recommended")
    with fits.open(path) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI"]
        sci, primary = hdus["SCI"].data, hdus[0].header
        assert sci.shape == SHAPE
        assert sci.dtype == np.uint32
        np.testing.assert_array_equal(sci[slice(*ROWS), slice(*COLUMNS)], labels)
        assert (sci > 0).sum() == (labels > 0).sum()
        np.testing.assert_allclose(
            WCS(hdus["SCI"].header).all_pix2world([[3, 4]], 0), wcs().all_pix2world([[3, 4]], 0)
        )
        assert primary["DATAMODL"] == "SegmentationMapModel"
        assert primary["SIMULATD"] is True
        assert primary["METHOD"] == "recommended"
        assert primary["NLABELS"] == 3
        assert SegmentationImage(sci).n_labels == 3


def test_the_cores_of_the_sources_are_a_further_hdu(crop, tmp_path):
    labels = label_mask(disks(crop))
    cores = np.where(np.hypot(*np.indices(labels.shape)) < 40, labels, 0)
    write_labels(tmp_path / "x.fits", labels, crop, detections=cores)
    with fits.open(tmp_path / "x.fits") as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI", "DETECTIONS"]
        inside = hdus["DETECTIONS"].data[slice(*ROWS), slice(*COLUMNS)]
        np.testing.assert_array_equal(inside, cores)
        assert hdus["DETECTIONS"].data.shape == SHAPE


@pytest.mark.parametrize("name", ["x.fits", "x.fits.gz"])
def test_a_label_file_is_the_one_that_astropy_writes(crop, tmp_path, monkeypatch, name):
    """It is written in strips, for the sake of memory."""
    monkeypatch.setattr("mirimask.image.parts._AT_A_TIME", 1000)
    labels = label_mask(disks(crop))
    cores = np.where(np.hypot(*np.indices(labels.shape)) < 40, labels, 0)
    write_labels(tmp_path / name, labels, crop, detections=cores > 0, METHOD="recommended")
    with fits.open(tmp_path / name) as hdus:
        hdus.verify("exception")
        planes = [fits.ImageHDU(hdu.data, hdu.header) for hdu in hdus[1:]]
        again = fits.HDUList([fits.PrimaryHDU(header=hdus[0].header), *planes])
        assert [hdu.data.dtype for hdu in planes] == [np.uint32, np.uint32]
    again.writeto(tmp_path / "again.fits")
    written = (tmp_path / name).read_bytes()
    if name.endswith(".gz"):
        written = gzip.decompress(written)
    assert written == (tmp_path / "again.fits").read_bytes()


def test_label_file_opens_as_the_pipelines_model(crop, tmp_path):
    if importlib.util.find_spec("stdatamodels") is None:
        pytest.skip("the optional package jwst is not installed: pip install mirimask[jwst]")
    from stdatamodels.jwst import datamodels

    path = tmp_path / "recommended.fits"
    write_labels(path, label_mask(disks(crop)), crop)
    with datamodels.open(path) as model:
        assert isinstance(model, datamodels.SegmentationMapModel)
        assert model.data.dtype == np.uint32
        assert model.data.max() == 3
        assert model.meta.instrument.filter == "F770W"


def test_same_bytes_every_time(crop, tmp_path):
    written = []
    for _ in range(2):
        write_labels(tmp_path / "x.fits", label_mask(disks(crop)), crop)
        written.append((tmp_path / "x.fits").read_bytes())
    assert written[0] == written[1]


def test_whole_frame_puts_an_array_back(crop):
    placed, _ = whole_frame(crop, crop.data)
    assert placed.shape == SHAPE
    np.testing.assert_array_equal(placed[slice(*ROWS), slice(*COLUMNS)], crop.data)


### measures #######################################################################################


def test_known_fluxes_come_back(measured):
    """In spite of a background of 6 MJy/sr with a slope: within 2 % or three errors."""
    assert len(measured) == 3
    for flux, _, row in by_star(measured):
        for kind in ("isophotal", "point"):
            error = row[f"{kind}_flux_err"]
            assert row[f"{kind}_flux"] == pytest.approx(flux, abs=max(0.02 * flux, 3 * error))
            assert row[f"{kind}_abmag"] == pytest.approx(
                23.9 - 2.5 * np.log10(row[f"{kind}_flux"]), abs=1e-4
            )
        assert row["point_abmag_err"] == pytest.approx(
            1.0857 * row["point_flux_err"] / row["point_flux"], rel=1e-3
        )


def test_errors_are_the_scatter_of_measurements():
    """The same stars in other noise: fluxes scatter as their errors say."""
    pulls = []
    for seed in range(25):
        crop = image(noise=0)
        rng = np.random.default_rng(seed)
        noisy = crop.data + rng.normal(0, 0.1, crop.data.shape).astype(np.float32)
        crop = Frame(noisy, crop.empty, np.full_like(noisy, 0.1), None, crop.primary, crop.wcs)
        table = measure_labels(crop, label_mask(disks(crop)), aperture=APERTURE)
        pulls += [
            (row["isophotal_flux"] - flux) / row["isophotal_flux_err"]
            for flux, _, row in by_star(table)
            if flux < 10
        ]
    assert 0.6 < np.std(pulls) < 1.5
    assert abs(np.mean(pulls)) < 1


def test_positions():
    flat = image(slope=0)
    table = measure_labels(flat, label_mask(disks(flat)), aperture=APERTURE)
    for _, (x, y), row in by_star(table):
        assert (row["x_frame"], row["y_frame"]) == pytest.approx((x, y), abs=0.1)
        assert (row["x"], row["y"]) == pytest.approx((x - COLUMNS[0], y - ROWS[0]), abs=0.1)
        assert (row["ra"], row["dec"]) == pytest.approx(
            tuple(wcs().all_pix2world([[x, y]], 0)[0]), abs=0.1 * 0.11 / 3600 * 3
        )


def test_local_background_is_the_one_around_it(measured):
    for _, (x, _), row in by_star(measured):
        assert row["local_background"] == pytest.approx(6 + 0.01 * x, abs=0.02)
        assert row["background_pixels"] > 100


def test_the_error_of_the_local_background_is_that_of_a_median():
    """Noise of 0.02, and sqrt(pi/2) of the error of a mean, less what the clipping cuts off."""
    flat = image(slope=0)
    for row in measure_labels(flat, label_mask(disks(flat)), aperture=APERTURE):
        expected = 0.02 * 1.2533 / np.sqrt(row["background_pixels"])
        assert row["local_background_err"] == pytest.approx(expected, rel=0.1)


def test_a_circle_that_is_not_whole_has_no_flux():
    """At the rim of the image, or with a pixel in it that was not observed: NaN, not less light."""
    stars = {(7.0, 50.0): 40.0, (60.0, 60.0): 40.0, (80.0, 30.0): 40.0}  # the first: 2 px from it
    crop = image(stars=stars, slope=0)
    # x 62 of the frame, in the second's circle; x 84, a pixel beyond the third's
    for row, column in ((50, 57), (20, 79)):
        crop.data[row, column], crop.empty[row, column] = np.nan, True
    table = measure_labels(crop, label_mask(disks(crop, stars=stars)), aperture=APERTURE)
    table.sort("x_frame")
    for name in ("point_flux", "point_flux_err", "point_abmag", "point_abmag_err"):
        np.testing.assert_array_equal(np.isfinite(table[name]), [False, False, True])
        np.testing.assert_array_equal(
            np.isfinite(table[name.replace("point", "isophotal")]), [True] * 3
        )
    assert table["point_flux"][2] == pytest.approx(40, rel=0.02)
    assert "NaN where part of the circle" in table["point_flux"].description


def test_a_pixel_whose_error_is_not_known_leaves_no_error():
    """In the core of the first star, and in the wings of the second: in its label alone."""
    stars = {(20.0, 50.0): 40.0, (60.0, 60.0): 40.0, (80.0, 30.0): 40.0}
    crop = image(stars=stars, slope=0)
    crop.error[50 - ROWS[0], 20 - COLUMNS[0]] = np.inf
    crop.error[60 - ROWS[0], 65 - COLUMNS[0]] = np.nan
    table = measure_labels(crop, label_mask(disks(crop, stars=stars)), aperture=APERTURE)
    table.sort("x_frame")
    for name in ("flux_err", "abmag_err"):
        np.testing.assert_array_equal(np.isfinite(table[f"isophotal_{name}"]), [False, False, True])
        np.testing.assert_array_equal(np.isfinite(table[f"point_{name}"]), [False, True, True])
    np.testing.assert_allclose(table["point_flux"], 40, rtol=0.02)


def test_a_star_in_a_dark_lane_keeps_its_place():
    """The summed light of its core is about 0, and the centroid of that was 40 px off."""
    y, x = np.mgrid[:120, :120]
    lane = np.exp(-((x - 60.0) ** 2 + (y - 58) ** 2) / 2 / 6.0**2)
    star = np.exp(-((x - 60) ** 2 + (y - 60) ** 2) / 2 / 1.04**2) / (2 * np.pi * 1.04**2)
    noise = np.random.default_rng(0).normal(0, 0.05, (120, 120))
    away = np.hypot(x - 60, y - 60)
    for depth in (0.7, 0.77, 0.79, 0.82, 0.9):
        data = (10 + noise + 25 * star - depth * lane).astype(np.float32)
        crop = Frame(data, data < 0, None, None, fits.Header({"FILTER": "F770W"}), wcs())
        (row,) = measure_labels(
            crop, (away < 6).astype(int), aperture=APERTURE, detections=(away < 4).astype(int)
        )
        assert np.hypot(row["x"] - 60, row["y"] - 60) < 0.3, depth


def test_shape_of_an_ellipse():
    y, x = np.mgrid[:100, :100]
    angle = np.radians(25)
    u = (x - 50) * np.cos(angle) + (y - 50) * np.sin(angle)
    v = -(x - 50) * np.sin(angle) + (y - 50) * np.cos(angle)
    crop = image(stars={})
    data = (6 + 50 * np.exp(-(u**2) / 18 - v**2 / 4.5)).astype(np.float32)
    crop = Frame(data, crop.empty & False, None, None, crop.primary, crop.wcs)
    (row,) = measure_labels(crop, label_mask(np.hypot(u, 2 * v) < 14), aperture=APERTURE)
    assert row["orientation"] % 180 == pytest.approx(25, abs=1)
    assert row["semimajor_sigma"] == pytest.approx(3, rel=0.05)
    assert row["ellipticity"] == pytest.approx(0.5, abs=0.03)


def test_without_an_error_plane_the_scatter_counts():
    labels = label_mask(disks(image()))
    table = measure_labels(image(error=False, slope=0), labels, aperture=APERTURE)
    with_plane = measure_labels(image(slope=0), labels, aperture=APERTURE)
    np.testing.assert_allclose(
        table["isophotal_flux_err"], with_plane["isophotal_flux_err"], rtol=0.4
    )


def test_no_label_gives_the_columns(crop, tmp_path):
    table = measure_labels(crop, np.zeros(crop.data.shape, np.int32), aperture=APERTURE)
    assert len(table) == 0
    assert table.colnames == list(_COLUMNS)
    table.write(tmp_path / "none.ecsv")
    assert Table.read(tmp_path / "none.ecsv")["point_flux"].unit == "uJy"
    text = region_file(table, crop, method="value_1")
    assert len(Regions.parse(text, format="ds9")) == 0


def test_a_hole_darker_than_its_surroundings(crop):
    """No centroid and no magnitude, but a row, and a region."""
    mask = np.zeros(crop.data.shape, bool)
    mask[70:74, 20:24] = True
    crop.data[70:74, 20:24] = 3
    (row,) = table = measure_labels(crop, label_mask(mask), aperture=APERTURE)
    assert (row["x"], row["y"]) == (21.5, 71.5)
    assert row["isophotal_flux"] < 0
    assert np.isnan(row["isophotal_abmag"])
    assert np.isnan(row["semimajor_sigma"])
    (region,) = Regions.parse(region_file(table, crop, method="m"), format="ds9")
    assert isinstance(region, CircleSkyRegion)


def test_large_numbers_take_no_memory(crop):
    """Each took 8 bytes for a table. The rows are those of 1, 2, 3, by the numbers given."""
    labels = label_mask(disks(crop))
    numbers = np.array([0, 7, 10**7, 3 * 10**7])
    tracemalloc.start()
    table = measure_labels(crop, numbers[labels], aperture=APERTURE)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert list(table["label"]) == list(numbers[1:])
    counted = measure_labels(crop, labels, aperture=APERTURE)
    assert list(counted["label"]) == [1, 2, 3]
    for name in counted.colnames[1:]:
        np.testing.assert_array_equal(table[name], counted[name])


def test_empty_pixels_count_nowhere(crop):
    mask = np.zeros(crop.data.shape, bool)
    mask[5:10, 15:20] = True  # all of it empty
    mask[60, 60] = True
    table = measure_labels(crop, label_mask(mask), aperture=APERTURE)
    assert list(table["area"]) == [1]
    assert np.isfinite(table["isophotal_flux"][0])


def test_a_mask_of_everything_has_no_background(crop):
    labels = np.ones(crop.data.shape, np.int32)
    (row,) = measure_labels(crop, labels, aperture=APERTURE)
    assert row["background_pixels"] == 0
    for name in ("local_background", "isophotal_flux", "point_flux", "point_flux_err"):
        assert np.isnan(row[name])
    assert (row["x"], row["y"]) == ((labels.shape[1] - 1) / 2, (labels.shape[0] - 1) / 2)


def test_a_label_among_others_has_the_sky_beyond_them(crop):
    """Not that of the whole image, where a nebula or another depth is elsewhere."""
    y, x = np.indices(crop.data.shape)
    labels = (np.hypot(y - 60, x - 80) < APERTURE.sky_outer_px + 4).astype(np.int32)
    labels[58:63, 78:83] = 2
    data = np.where(x > 40, 26.0, 6.0).astype(np.float32)
    data[labels == 2] += 1
    frame = replace(crop, data=data, empty=np.zeros(data.shape, bool))
    row = measure_labels(frame, labels, aperture=APERTURE)[1]
    assert row["local_background"] == 26
    assert row["background_pixels"] > 100
    per_pixel = microjansky_per_pixel(frame.pixel_area_sr)
    assert row["isophotal_flux"] == pytest.approx(25 * per_pixel, rel=1e-5)


def test_aperture_follows_the_pixel_scale():
    native, half = point_aperture("F770W"), point_aperture("F770W", 0.055)
    # 2.75 px of 0.11 arcsec are 1.375 of 0.22, and 0.92 of 0.33
    assert point_aperture("F770W", 0.22).correction == native.correction
    assert np.isnan(point_aperture("F770W", 0.33).correction)
    assert half.radius_px == pytest.approx(2 * native.radius_px)
    assert half.correction == native.correction == pytest.approx(1 / 0.6, rel=0.01)


def test_apertures_are_those_of_crds(real):
    table = Table.read(real / "psf" / "jwst_miri_apcorr_0014.fits", hdu="APCORR")
    full = table[
        (np.char.strip(table["subarray"]) == "FULL") & np.isclose(table["eefraction"], 0.6)
    ]
    checked = 0
    for row in full:
        name = str(row["filter"]).strip()
        if name.endswith("W"):
            ours = point_aperture(name)
            given = [row[key] for key in ("radius", "apcorr", "skyin", "skyout")]
            have = [ours.radius_px, ours.correction, ours.sky_inner_px, ours.sky_outer_px]
            np.testing.assert_allclose(have, given, rtol=1e-3)
            checked += 1
    assert checked == 9


def test_matches():
    sources = Table({"id": ["near", "far"], "ra": [10.0, 11.0], "dec": [0.0, 0.0]})
    ra = np.array([10 + 0.5 / 3600, 10.1])
    names, distance = match_sources(ra, np.zeros(2), sources, radius_arcsec=1)
    assert list(names) == ["near", ""]
    assert distance[0] == pytest.approx(0.5, abs=1e-6)
    assert np.isnan(distance[1])
    names, distance = match_sources(
        np.array([np.nan, ra[0]]), np.array([0.0, 0.0]), sources, radius_arcsec=1
    )
    assert list(names) == ["", "near"]
    assert np.isnan(distance[0])
    names, _ = match_sources(ra, np.zeros(2), sources[:0], radius_arcsec=1)
    assert list(names) == ["", ""]


def test_labels_of_another_shape_are_said(crop):
    labels = np.zeros(crop.data.shape, int)
    with pytest.raises(MaskError, match="labels has the shape"):
        measure_labels(crop, labels[1:], aperture=APERTURE)
    with pytest.raises(MaskError, match="detections has the shape"):
        measure_labels(crop, labels, aperture=APERTURE, detections=labels[1:])
    # what can be made an array will do, and pixels of whole numbers
    labels[10:14, 10:14] = 1
    whole = replace(crop, data=np.round(100 * np.nan_to_num(crop.data)).astype(np.int32))
    for given in (labels, labels.tolist(), SegmentationImage(labels)):
        assert len(measure_labels(whole, given, aperture=APERTURE)) == 1


def test_provenance(crop):
    meta = provenance(crop, APERTURE, METHOD="value_1", PERCENT=1.0, DOMAIN=None)
    assert meta["SIMULATD"] is True
    assert "SIMULATED" in meta["comments"][0]
    assert "DOMAIN" not in meta
    assert "comments" not in provenance(image(simulated=False), APERTURE)


### regions ########################################################################################


def test_regions_lie_where_the_labels_are(crop, measured):
    regions = Regions.parse(region_file(measured, crop, method="recommended"), format="ds9")
    assert len(regions) == 3
    labels = label_mask(disks(crop))
    sky = crop.wcs
    for region, row in zip(regions, measured, strict=True):
        assert isinstance(region, EllipseSkyRegion)
        covered = region.to_pixel(sky).to_mask().to_image(labels.shape) > 0.5
        own = labels == row["label"]
        assert (covered & own).sum() / (covered | own).sum() > 0.8
        assert str(region.meta["text"]) == str(row["label"])


def test_direction_of_an_ellipse_survives_the_roll(crop):
    table = Table(
        {
            "label": [1],
            "x": [50.0],
            "y": [40.0],
            "area": [60],
            "semimajor_sigma": [4.0],
            "semiminor_sigma": [1.0],
            "orientation": [20.0],
        }
    )
    (region,) = Regions.parse(region_file(table, crop, method="m"), format="ds9")
    back = region.to_pixel(crop.wcs)
    assert back.angle.to_value("deg") % 180 == pytest.approx(20, abs=0.1)
    assert back.width / back.height == pytest.approx(4, rel=1e-3)
    assert np.pi * back.width * back.height / 4 == pytest.approx(60, rel=1e-3)


def test_sources_have_colour_tag_and_dash():
    verdicts = Table(
        {
            "id": ["a", "b", "c"],
            "ra": [10.0, 10.1, 10.2],
            "dec": [0.0, 0, 0],
            "verdict": ["success", "near", "failure"],
        }
    )
    lines = source_regions(verdicts, radius_arcsec=1.98)
    found = Regions.parse("\n".join(["icrs", *lines]), format="ds9")
    assert [region.meta["tag"][1] for region in found] == ["success", "near", "failure"]
    assert [region.visual["edgecolor"] for region in found] == ["green", "yellow", "red"]
    assert [region.visual.get("linestyle") == "dashed" for region in found] == [False, True, True]


def rotated(*, ctype=("RA---TAN", "DEC--TAN"), distorted=False):
    """A WCS of a rotated image with pixels that are not quite square."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crpix, wcs.wcs.crval = ctype, (50, 60), (80.0, -69.5)
    turn, scale = np.radians(110.0), 0.11 / 3600
    wcs.wcs.cd = scale * np.array(
        [[-np.cos(turn), 1.1 * np.sin(turn)], [np.sin(turn), 1.1 * np.cos(turn)]]
    )
    if distorted:
        wcs.wcs.ctype = [f"{axis}-SIP" for axis in ctype]
        bent = np.zeros((3, 3))
        bent[2, 0] = bent[0, 2] = 3e-5
        wcs.sip = Sip(bent, bent, None, None, (50, 60))
    return wcs


@pytest.mark.parametrize(
    "wcs",
    [rotated(), rotated(distorted=True), rotated(ctype=("GLON-TAN", "GLAT-TAN"))],
    ids=["rotated", "distorted", "galactic"],
)
def test_the_outline_of_a_region_lies_on_that_of_its_label(wcs):
    """Ellipses and circles in ICRS, whatever the image's frame, read with the regions package."""
    rng = np.random.default_rng(1)
    measured = Table({name: rng.uniform(low, high, 40) for name, low, high in
                      (("x", 0, 100), ("y", 0, 120), ("area", 5, 90), ("orientation", -90, 90),
                       ("semimajor_sigma", 2, 4), ("semiminor_sigma", 0.5, 2))})  # fmt: skip
    measured["label"] = np.arange(1, 41)
    measured["semiminor_sigma"][:2] = np.nan, 0
    found = Regions.parse("\n".join(["icrs", *label_regions(measured, wcs)]), format="ds9")
    around = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    for row, region in zip(measured, found, strict=True):
        ratio = row["semiminor_sigma"] / row["semimajor_sigma"]
        if ratio > 0:
            width, height, turn = region.width / 2, region.height / 2, region.angle.to_value("rad")
        else:
            assert isinstance(region, CircleSkyRegion)
            width = height = region.radius
            turn, ratio = 0, 1
        along, across = width * np.cos(around), height * np.sin(around)
        west, north = (
            along * np.cos(turn) - across * np.sin(turn),
            along * np.sin(turn) + across * np.cos(turn),
        )
        outline = region.center.directional_offset_by(
            np.arctan2(-west, north), np.hypot(west, north)
        )
        x, y = wcs.world_to_pixel(outline)
        dx, dy, angle = x - row["x"], y - row["y"], np.radians(row["orientation"])
        major = (dx * np.cos(angle) + dy * np.sin(angle)) * np.sqrt(ratio)
        minor = (dy * np.cos(angle) - dx * np.sin(angle)) / np.sqrt(ratio)
        # a circle is one on the sky: pixels that are a tenth longer make it an ellipse in the image
        off = 5e-3 if row["semiminor_sigma"] > 0 else 0.06
        np.testing.assert_allclose(np.hypot(major, minor), np.sqrt(row["area"] / np.pi), rtol=off)


def test_the_digits_of_a_region_are_those_of_the_regions_package():
    measured = Table({"label": [1, 2], "x": [40.0, 70.5], "y": [50.0, 20.0], "area": [60, 9],
                      "semimajor_sigma": [4.0, 1.0], "semiminor_sigma": [1.0, np.nan],
                      "orientation": [20.0, 0.0]})  # fmt: skip
    shapes = [
        EllipsePixelRegion(
            PixCoord(40, 50), *(4 * np.sqrt(60 / np.pi), np.sqrt(60 / np.pi)), 20 * u.deg
        ),
        CirclePixelRegion(PixCoord(70.5, 20), np.sqrt(9 / np.pi)),
    ]
    theirs = Regions([shape.to_sky(wcs()) for shape in shapes]).serialize(format="ds9", precision=8)
    ours = [line.partition(" #")[0] for line in label_regions(measured, wcs())]
    assert ours == [line for line in theirs.splitlines() if "(" in line]


@pytest.mark.parametrize(
    "name",
    ['a"}\ncircle(1,2,3)', "{x} # color=red", "a\nglobal color=red", "\x1b[31mred", "é" * 99],
)
def test_hostile_names_stay_names(crop, measured, name):
    crop.primary["OBS_ID"] = "x"
    sources = Table({"id": [name], "ra": [80.0], "dec": [-69.5], "verdict": ["success"]})
    text = region_file(measured, crop, method=name, verdicts=sources, radius_arcsec=2)
    assert len(Regions.parse(text, format="ds9")) == 4
    assert "SIMULATED" in text
    assert not any(line.startswith(("circle(1,2", "global")) for line in text.splitlines())
    assert "\x1b" not in text


def test_numbers_of_labels():
    labels = np.zeros((3, 1 << 20), np.uint8)  # worked on some rows at a time
    labels[0, 5:9], labels[1, 0], labels[1, 1], labels[2, -1] = 7, 3, 4, 2
    assert numbers_of(labels).tolist() == [2, 3, 4, 7]
    assert numbers_of(np.zeros((2, 2), int)).size == 0


def test_labels_and_their_catalogue_have_no_empty_pixels(tmp_path):
    """A derivative slice over the published domain marks the rim of what was not observed."""
    crop = image()
    mask = disks(crop)
    mask |= crop.empty
    labels = label_mask(mask)
    table = measure_labels(crop, labels, aperture=APERTURE)
    write_labels(tmp_path / "labels.fits", labels, crop)
    written = crop_of(fits.getdata(tmp_path / "labels.fits", "SCI"))
    assert not written[crop.empty].any()
    assert list(table["area"]) == [np.count_nonzero(written == label) for label in table["label"]]
    assert fits.getheader(tmp_path / "labels.fits")["NLABELS"] == len(table) == len(STARS)


def test_sources_without_a_position_match_nothing():
    crop = image()
    labels = label_mask(disks(crop))
    there = measure_labels(crop, labels, aperture=APERTURE)
    sources = Table(
        {"id": ["lost", "found"], "ra": [np.nan, there["ra"][0]], "dec": [1, there["dec"][0]]}
    )
    table = measure_labels(
        crop, labels, aperture=APERTURE, sources=sources, match_radius_arcsec=0.2
    )
    assert list(table["match_id"]) == ["found", "", ""]


def crop_of(plane):
    return plane[slice(*ROWS), slice(*COLUMNS)]
