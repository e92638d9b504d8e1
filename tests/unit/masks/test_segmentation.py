import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.wcs import WCS
from mirimask.errors import MaskError
from mirimask.export.pipeline_catalogue import catalogue_of
from mirimask.masks.segmentation import SegmentationSettings, background_of, segment

PIXAR_SR = 2.84404e-13
SETTINGS = SegmentationSettings.for_jwst("1.12.5")


def star_field(stars, *, shape=(200, 220), noise=0.02, level=5.0, seed=1):
    """Gaussian stars (x, y, flux in MJy/sr pixels) of FWHM 2.6 px on a flat background."""
    y, x = np.indices(shape)
    image = level + np.random.default_rng(seed).normal(0, noise, shape)
    sigma = 2.6 / 2.355
    for sx, sy, flux in stars:
        image += (
            flux
            / (2 * np.pi * sigma**2)
            * np.exp(-((x - sx) ** 2 + (y - sy) ** 2) / (2 * sigma**2))
        )
    return image


STARS = [(40.3, 50.8, 10.0), (120.0, 60.5, 30.0), (170.2, 150.4, 20.0)]


@pytest.fixture(scope="module")
def field():
    return star_field(STARS)


def test_eras_of_the_pipeline():
    assert SegmentationSettings.for_jwst("1.5.3") == SegmentationSettings(100, 2.0, 3, 5, False)
    for version in ("1.6.0", "1.12.5", "2.1.0"):
        assert SegmentationSettings.for_jwst(version) == SegmentationSettings(1000, 2, 3, 25, False)
    for newest in ("3.0.0", "3.0", "3", 3.0):  # YAML's 3.0 is a number
        assert SegmentationSettings.for_jwst(newest) == SegmentationSettings(1000, 2, 3, 25, True)
    assert SegmentationSettings.for_jwst("1.6") == SegmentationSettings.for_jwst("1.6.0")
    assert SegmentationSettings.for_jwst("1.12.5", snr=5).snr == 5


@pytest.mark.parametrize("version", ["", "latest", "v1", "-1.2.3"])
def test_version_that_is_none(version):
    with pytest.raises(MaskError, match="not a jwst version"):
        SegmentationSettings.for_jwst(version)


def test_settings_that_are_impossible():
    with pytest.raises(MaskError, match="n_pixels"):
        SegmentationSettings(n_pixels=0)
    with pytest.raises(MaskError, match="unknown setting n_pixel"):
        SegmentationSettings.for_jwst("1.12.5", n_pixel=3)


def test_each_star_is_one_label_on_its_place(field):
    labels = segment(field, settings=SETTINGS)
    assert labels.dtype == np.uint32
    assert labels.shape == field.shape
    assert labels.max() == len(STARS)
    assert len({labels[round(y), round(x)] for x, y, _ in STARS} - {0}) == len(STARS)


def test_labels_do_not_depend_on_the_level_or_the_unit(field):
    labels = segment(field, settings=SETTINGS)
    np.testing.assert_array_equal(segment(field + 100, settings=SETTINGS), labels)
    np.testing.assert_array_equal(segment(1000 * field, settings=SETTINGS), labels)


def test_higher_threshold_marks_a_part_of_the_lower(field):
    low = segment(field, settings=SegmentationSettings(n_pixels=5)) > 0
    high = segment(field, settings=SegmentationSettings(n_pixels=5, snr=10)) > 0
    assert high.any()
    assert high.sum() < low.sum()
    assert not (high & ~low).any()


def test_deblending_parts_a_pair():
    pytest.importorskip("skimage", reason="deblending needs scikit-image")
    image = star_field([(80.0, 100.0, 30.0), (86.0, 100.0, 30.0)])
    # n_pixels is also the smallest child
    assert segment(image, settings=SegmentationSettings.for_jwst("1.12.5", n_pixels=5)).max() == 1
    assert segment(image, settings=SegmentationSettings.for_jwst("3.0.0", n_pixels=5)).max() == 2


def test_deblending_without_its_package_says_what_to_install(field, monkeypatch):
    monkeypatch.setattr("mirimask.masks.segmentation.find_spec", lambda name: None)
    with pytest.raises(MaskError, match="scikit-image"):
        segment(field, settings=SegmentationSettings.for_jwst("3.0.0"))


def test_mesh_follows_a_gradient_that_one_box_does_not():
    ramp = np.linspace(0, 6, 220)
    image = star_field(STARS) + ramp
    assert segment(image, settings=SETTINGS).max() == 0
    meshed = segment(image, settings=SegmentationSettings(box_px=20, n_pixels=5))
    assert all(meshed[round(y), round(x)] for x, y, _ in STARS)


def test_a_masked_array_is_as_one_with_nan(field):
    hidden = np.zeros(field.shape, bool)
    hidden[:60] = True
    settings = SegmentationSettings(box_px=50)
    masked = segment(np.ma.array(field, mask=hidden), settings=settings)
    np.testing.assert_array_equal(
        masked, segment(np.where(hidden, np.nan, field), settings=settings)
    )
    assert masked.any()
    assert not masked[hidden].any()


def test_empty_pixels_are_never_labelled_and_change_nothing_elsewhere(field):
    whole = segment(field, settings=SETTINGS)
    holed, weight = field.copy(), np.ones(field.shape)
    holed[:30], weight[-20:] = np.nan, 0
    error = np.full(field.shape, 0.02)
    error[:, :10] = np.nan
    labels = segment(holed, error=error, weight=weight, settings=SETTINGS)
    empty = np.isnan(holed) | (weight == 0) | np.isnan(error)
    assert not labels[empty].any()
    inside = np.zeros(field.shape, bool)
    inside[40:-30, 20:] = True
    # the background is estimated from fewer pixels: edges of sources may move by a few
    assert ((labels > 0) != (whole > 0))[inside].sum() < 15


def test_nothing_found_is_no_error(field):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        labels = segment(star_field([]), settings=SETTINGS)
    assert labels.dtype == np.uint32
    assert not labels.any()
    table = catalogue_of(field, labels, None, PIXAR_SR)
    assert len(table) == 0
    assert (
        table.colnames
        == catalogue_of(field, segment(field, settings=SETTINGS), None, PIXAR_SR).colnames
    )
    assert table["isophotal_flux"].unit == u.Jy


@pytest.mark.parametrize("empty", [{"weight": 0.0}, {"error": np.nan}, {}])
def test_image_without_data_is_refused(empty):
    shape = (50, 60)
    data = np.full(shape, 1.0 if empty else np.nan)
    extra = {name: np.full(shape, value) for name, value in empty.items()}
    for call in (
        lambda: segment(data, settings=SETTINGS, **extra),
        lambda: background_of(data, settings=SETTINGS, **extra),
        lambda: catalogue_of(data, np.zeros(shape, int), None, PIXAR_SR, **extra),
    ):
        with pytest.raises(MaskError, match="no pixel of the image has data"):
            call()


def test_arrays_of_other_shapes_are_refused(field):
    with pytest.raises(MaskError, match="same shape"):
        segment(field, weight=np.ones((3, 3)), settings=SETTINGS)
    with pytest.raises(MaskError, match="2"):
        segment(field[0], settings=SETTINGS)
    with pytest.raises(MaskError, match="differ"):
        catalogue_of(field, np.zeros((3, 3)), None, PIXAR_SR)


def test_catalogue_gives_positions_and_fluxes_of_the_stars(field):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [83.6, -69.1], [110.0, 100.0]
    wcs.wcs.cdelt = [-0.11 / 3600, 0.11 / 3600]
    labels = segment(field, settings=SETTINGS)
    table = catalogue_of(field, labels, wcs, PIXAR_SR, error=np.full(field.shape, 0.02))
    assert len(table) == len(STARS)
    for x, y, flux in STARS:
        row = table[np.argmin(np.hypot(table["xcentroid"].value - x, table["ycentroid"].value - y))]
        assert row["xcentroid"].value == pytest.approx(x, abs=0.1)
        assert row["ycentroid"].value == pytest.approx(y, abs=0.1)
        jansky = flux * 1e6 * PIXAR_SR
        assert row["isophotal_flux"].to_value("Jy") == pytest.approx(jansky, rel=0.1)
        assert row["isophotal_abmag"] == pytest.approx(8.9 - 2.5 * np.log10(jansky), abs=0.12)
        assert row["aper30_flux"] < row["aper50_flux"] < row["aper70_flux"]
        assert row["isophotal_flux_err"] > 0 * u.Jy
        ra, dec = wcs.pixel_to_world_values(x, y)
        assert abs(row["sky_centroid"].dec.deg - dec) < 1e-5
        assert abs(row["sky_centroid"].ra.deg - ra) < 3e-5
