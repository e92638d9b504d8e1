"""The source mask: stars with their halos, galaxies, blends; holes, NaN and nothing at all."""

import numpy as np
import pytest
from frames import frame_with
from mirimask import make_mask
from mirimask.errors import MaskError
from mirimask.figures.use import MaskedImage, draw_masked_images
from mirimask.image.psf_profile import psf_profile
from mirimask.masks.cores import CoreSettings, core_mask
from mirimask.masks.make import numbered_sources
from mirimask.masks.source_mask import SourceSettings, _slopes, source_labels, source_mask
from scipy.ndimage import binary_dilation, gaussian_filter, label, maximum_filter
from skimage.segmentation import watershed

FWHM = 0.269 / 0.11  # F770W
SHAPE = (240, 288)
NOISE = 0.02  # MJy/sr
BOX = np.ones((3, 3))


def _sky(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).normal(6, NOISE, shape).astype(np.float32)


def _distance(x, y, shape=SHAPE):
    rows, columns = np.indices(shape)
    return np.hypot(rows - y, columns - x)


def _star(x, y, flux, shape=SHAPE):
    """Light of a star by the profile; `flux` is the sum of its pixels, MJy/sr."""
    profile = psf_profile(FWHM)
    return flux * np.interp(_distance(x, y, shape), profile.radius_px, profile.share, right=0)


def _galaxy(x, y, flux, half_light_px):
    """An exponential disc of that half-light radius, seen through the PSF's core."""
    light = np.exp(-_distance(x, y) / (half_light_px / 1.678))
    return gaussian_filter(flux * light / light.sum(), FWHM / 2.355)


def _none(shape=SHAPE):
    return np.zeros(shape, bool)


def _labels(image, empty=None, **settings):
    empty = _none(image.shape) if empty is None else empty
    return source_labels(image, empty, fwhm_px=FWHM, settings=SourceSettings(**settings))


def test_a_stars_halo_ends_where_it_no_longer_matters():
    """At 3.0 arcsec, 27.3 px, the table has 1.2738e-3 of the light a square arcsecond.

    0.18 x 0.02 MJy/sr are reached there by a star of 0.0036 / (1.2738e-3 x 0.11^2) = 233.6 MJy/sr.
    """
    flux = 233.6
    found = _labels(_sky() + _star(140, 120, flux).astype(np.float32), scales=(), halo=0.18)
    distance = _distance(140, 120)
    assert (found.sources[distance < 26] > 0).all()
    assert found.sources[distance < 26].min() == found.sources[120, 140]
    assert not found.sources[(distance > 30) & (distance < 60)].any()
    wider = _labels(_sky() + _star(140, 120, flux).astype(np.float32), scales=(), halo=0.05)
    assert (wider.sources > 0).sum() > 1.3 * (found.sources > 0).sum()


def test_a_galaxy_of_21_5_ab_is_one_source():
    """9.12 microjansky over pixels of 2.844e-13 sr are 32.07 MJy/sr in all."""
    flux = 32.07
    for radius in (6, 9):  # 0.7 and 1 arcsec
        image = _sky() + _galaxy(140, 120, flux, radius).astype(np.float32)
        found = _labels(image)
        own = found.sources == found.sources[120, 140]
        assert found.sources[120, 140] > 0
        light = _galaxy(140, 120, flux, radius)
        assert light[own].sum() > 0.85 * light.sum()
        # and no second source in it
        near = _distance(140, 120) < 1.5 * radius
        assert set(np.unique(found.sources[near])) == {found.sources[120, 140]}
        cores = core_mask(image, _none(), fwhm_px=FWHM)
        assert light[cores].sum() < 0.6 * light.sum()


def test_what_smoothed_images_show_is_widened_by_growth():
    """1.25 FWHM of 2.445 px are 3 pixels to each side."""
    image = (_sky() + _galaxy(140, 120, 32.07, 9)).astype(np.float32)
    narrow = _labels(image, growth=0, halo=1e3)
    wide = _labels(image, growth=1.25, halo=1e3)
    assert narrow.count == wide.count == 1
    whole = binary_dilation(narrow.sources > 0, BOX, iterations=3)
    assert np.array_equal(wide.sources > 0, whole)
    assert np.array_equal(wide.detections, narrow.detections)


def test_a_column_without_data_does_not_end_a_galaxy():
    image, empty = (_sky() + _galaxy(140, 120, 64, 9)).astype(np.float32), _none()
    whole = _labels(image).sources > 0
    empty[:, 148:150] = True
    found = _labels(image, empty).sources > 0
    assert not found[:, 148:150].any()
    assert found[:, 150:].sum() == pytest.approx(whole[:, 150:].sum(), rel=0.25)
    assert whole[:, 150:].sum() > 100


def test_noise_around_a_hole_is_no_source():
    """What is smoothed into the hole is of few pixels; numbers have no gaps."""
    image, hole = _sky(seed=2), _distance(140, 120) < 40
    found = _labels(image, hole)
    assert found.count == found.sources.max() == len(np.unique(found.sources)) - 1
    assert found.count <= 1


@pytest.mark.parametrize("border", [0, 30])
def test_the_noise_of_few_exposures_at_a_rim_is_no_source(border):
    """Columns beside what nothing was observed of, or at the end of the image; cores set aside."""
    shape, found = (300, 300), 0
    for seed in range(8):
        image, empty = _sky(shape, seed), _none(shape)
        empty[:, :border] = True
        image[:, border : border + 3] += 2.5 * (_sky((300, 3), seed + 100) - 6)
        labels = _labels(image, empty, core=CoreSettings(seed=50))
        found += int((labels.sources[:, border : border + 6] > 0).any())
    assert found <= 1  # of 8; with the rim 4 and 7


def test_a_galaxy_cut_by_the_rim_is_a_source():
    image = _sky() + _galaxy(1, 120, 400, 5).astype(np.float32)
    assert _labels(image).sources[120, 0] > 0


def test_two_stars_in_one_core_are_two_sources():
    image = _sky() + sum(_star(x, 120, 60).astype(np.float32) for x in (138, 143))
    found = _labels(image.astype(np.float32))
    pair = found.detections[120, 138], found.detections[120, 143]
    assert 0 not in pair
    assert pair[0] != pair[1]
    assert found.sources[120, 130] == pair[0]
    assert found.sources[120, 151] == pair[1]


def test_a_blend_is_divided_in_its_valley():
    """Of two equal stars each has half of the pixels, and of a faint one what leads up to it."""
    image = (_sky() + _star(138, 120, 60) + _star(142, 120, 60)).astype(np.float32)
    cores = _labels(image).detections
    middle, beside = ((cores == cores[120, x]).sum() for x in (138, 142))
    assert abs(int(middle) - int(beside)) < 8
    assert set(np.nonzero(cores == cores[120, 138])[1]) <= set(range(141))
    image = (_sky() + _star(138, 120, 600) + _star(146, 120, 100)).astype(np.float32)
    cores = _labels(image).detections
    assert cores[120, 146] not in (0, cores[120, 138])
    assert np.nonzero(cores == cores[120, 146])[1].min() >= 142


def test_slopes_are_those_of_scikit_image():
    rng, (y, x) = np.random.default_rng(0), np.indices((60, 80))
    compared = 0
    for _ in range(20):
        score = rng.normal(0, 0.1, y.shape)
        for _ in range(3):
            at = (y - rng.uniform(10, 50)) ** 2 + (x - rng.uniform(10, 70)) ** 2
            score += 10 ** rng.uniform(1, 3) * np.exp(-at / 32)
        score = score.astype(np.float32)
        areas, _ = label(score > 1, BOX)
        own = areas == areas[np.unravel_index(score.argmax(), score.shape)]
        peaks = (score == maximum_filter(score, 5)) & own & (score > 5)
        markers, number = label(peaks, BOX)
        expected = watershed(-score, markers, mask=own, connectivity=2)
        np.testing.assert_array_equal(_slopes(score, markers, own), expected)
        compared += number > 1
    assert compared > 5


@pytest.mark.parametrize("hole", [1, 2, 3])
def test_a_saturated_star_is_one_source(hole):
    """What is left around its hole may be several cores."""
    image = (_sky() + _star(140, 120, 3000)).astype(np.float32)
    image[_distance(140, 120) <= hole] = np.nan
    found = _labels(image, np.isnan(image))
    near = found.sources[_distance(140, 120) < 15]
    assert np.unique(near[near > 0]).size == 1
    assert set(np.unique(found.sources)) == set(range(found.count + 1))


def test_both_layers_have_the_same_numbers():
    rng = np.random.default_rng(3)
    image = _sky()
    for x, y, flux in zip(
        rng.uniform(0, 287, 40), rng.uniform(0, 239, 40), 10 ** rng.uniform(0, 3, 40), strict=True
    ):
        image = image + _star(x, y, flux).astype(np.float32)
    found = _labels(image)
    numbers = set(range(1, found.count + 1))
    assert found.count > 20
    assert set(np.unique(found.detections)) == set(np.unique(found.sources)) == numbers | {0}
    own = found.detections > 0
    assert np.array_equal(found.sources[own], found.detections[own])
    assert found.sources.dtype == found.detections.dtype == np.int32


def test_a_faint_star_in_the_halo_of_a_bright_one_keeps_its_core():
    image = (_sky() + _star(140, 120, 3000) + _star(160, 120, 30)).astype(np.float32)
    found = _labels(image)
    assert found.sources[120, 160] == found.detections[120, 160] != found.sources[120, 140]
    assert found.sources[120, 115] == found.sources[120, 140]


def test_a_saturated_star_has_its_halo():
    """Its middle has no data; without it the halo ends where it does with it."""
    image = (_sky() + _star(140, 120, 3000)).astype(np.float32)
    whole = _labels(image, scales=())
    image[_distance(140, 120) < 4] = np.nan
    found = _labels(image, scales=())
    radii = [_distance(140, 120)[labels > 0].max() for labels in (whole.sources, found.sources)]
    assert radii[0] > 45
    assert radii[1] == pytest.approx(radii[0], rel=0.15)


def test_numbers_of_saturated_stars_have_no_gaps():
    """The second has a core around its small hole, and keeps its number."""
    shape = (150, 420)
    image = np.random.default_rng(3).normal(0, 1, shape).astype(np.float32)
    for x, hole in ((75, 2.2), (225, 2.7), (345, 5.2)):
        image += _star(x, 75, 1e6, shape)
        image[_distance(x, 75, shape) < hole] = np.nan
    found = _labels(image, np.isnan(image))
    numbers = np.unique(found.sources[found.sources > 0])
    assert numbers.tolist() == list(range(1, found.count + 1))


def test_noise_alone_has_next_to_no_sources():
    counts = [_labels(_sky(seed=seed)).count for seed in range(8)]
    assert np.mean(counts) <= 1


def test_a_smooth_cloud_is_sky():
    cloud = 6 * np.exp(-(_distance(140, 120) ** 2) / (2 * 60**2))
    assert (_labels((_sky() + cloud).astype(np.float32)).sources > 0).mean() < 0.01


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_empty_pixels_are_in_no_source_whatever_fills_them(fill):
    image, empty = (_sky() + _star(140, 120, 300)).astype(np.float32), _none()
    empty[:, :60] = True
    empty[100:140, 145:148] = True
    image[empty] = fill
    found = _labels(image, empty)
    assert not found.sources[empty].any()
    assert found.sources[120, 140] > 0
    assert found.count <= 3
    if np.isnan(fill):
        told = _labels(image)
        assert np.array_equal(told.sources, found.sources)


@pytest.mark.parametrize(
    "image",
    [np.full(SHAPE, np.nan), np.full(SHAPE, 6.0), np.zeros((3, 3)), np.zeros((8, 200))],
    ids=["nan", "constant", "tiny", "narrow"],
)
def test_nothing_gives_nothing(image):
    found = _labels(image.astype(np.float32), np.isnan(image))
    assert found.count == 0
    assert found.sources.shape == image.shape
    assert not found.sources.any()


@pytest.mark.parametrize("fwhm_px", [0, -2.4, np.nan, np.inf, 1e4])
def test_a_width_that_no_image_has(fwhm_px):
    for function in (source_labels, core_mask):
        with pytest.raises(MaskError, match=r"fwhm_px is .*not larger than the image"):
            function(_sky(), _none(), fwhm_px=fwhm_px)


def test_empty_pixels_of_another_shape():
    with pytest.raises(MaskError, match=r"empty has the shape \(3, 3\), the image \(240, 288\)"):
        source_mask(_sky(), _none((3, 3)), fwhm_px=FWHM)


@pytest.mark.parametrize("edge", [0, 37])
def test_a_slope_is_sky_up_to_the_rim(edge):
    """One sigma a tile, with a frame of empty pixels around it and without."""
    rows, columns = np.indices(SHAPE)
    slope = (NOISE / (10 * FWHM) * (columns + rows)).astype(np.float32)
    empty = np.ones(SHAPE, bool)
    empty[edge : SHAPE[0] - edge, edge : SHAPE[1] - edge] = False
    for image in (_sky() + slope, _sky() - slope):
        assert source_mask(image, empty, fwhm_px=FWHM).mean() < 0.01


def test_small_images_are_no_trouble():
    for shape in ((8, 8), (9, 31), (31, 9)):
        image = _sky(shape) + _star(4, 4, 100, shape).astype(np.float32)
        found = _labels(image)
        assert found.sources.shape == shape


def test_without_noise_there_are_cores_alone():
    image = np.full(SHAPE, 6, np.float32)
    image[116:125, 136:145] += _star(140, 120, 30)[116:125, 136:145].astype(np.float32)
    found = _labels(image)
    assert np.array_equal(found.sources, found.detections)
    assert found.sources[120, 140] > 0


def test_the_mask_of_a_mirrored_image_is_mirrored():
    """But for a few at the rims: the pixels that noise is measured on begin at one side."""
    rng = np.random.default_rng(5)
    image = _sky()
    for x, y in zip(rng.uniform(0, 287, 12), rng.uniform(0, 239, 12), strict=True):
        image = image + _star(x, y, 100).astype(np.float32)
    mask = source_mask(image, _none(), fwhm_px=FWHM)
    for axis in (0, 1):
        turned = source_mask(np.flip(image, axis), _none(), fwhm_px=FWHM)
        assert (np.flip(turned, axis) ^ mask).sum() < 0.02 * mask.sum()


def test_units_do_not_matter():
    image = (_sky() + _star(140, 120, 300)).astype(np.float32)
    mask = source_mask(image, _none(), fwhm_px=FWHM)
    scaled = source_mask(1000 * image, _none(), fwhm_px=FWHM)
    assert (mask ^ scaled).sum() < 0.01 * mask.sum()


def test_it_is_what_the_name_gives():
    image = (_sky() + _star(140, 120, 300)).astype(np.float32)
    frame = frame_with(image)
    found = numbered_sources(frame, "recommended")
    assert np.array_equal(make_mask(frame, "recommended"), found.sources > 0)
    assert numbered_sources(frame, "cores") is None
    # all of a source hangs together here, the one star
    assert label(found.sources > 0, BOX)[1] == found.count


def test_an_image_without_a_pixel_has_no_mask():
    with pytest.raises(MaskError, match="no pixel"):
        source_mask(np.zeros((0, 5), np.float32), np.zeros((0, 5), bool), fwhm_px=2.445)


@pytest.mark.parametrize(
    "wrong", [{"tile": 0}, {"halo": -1.0}, {"growth": -1.0}, {"scales": (0.5, 0)}]
)
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(MaskError, match=next(iter(wrong))):
        SourceSettings(**wrong)


def test_the_figure_has_every_image_with_its_mask():
    rng = np.random.default_rng(1)
    images = [
        MaskedImage(f"A{n}", rng.normal(6, 1, (60, 40)), rng.uniform(size=(60, 40)) > 0.9, (5, 8))
        for n in range(9)
    ]
    figure = draw_masked_images(images, method="recommended", more=2, simulated=True)
    assert [axes.get_title() for axes in figure.axes[::2]] == [one.name for one in images]
    assert len(figure.axes) == 18
    assert len(figure.axes[0].images) == 1
    shown = figure.axes[1].images[1].get_array()
    assert np.array_equal(~shown.mask, images[0].mask)
    texts = [text.get_text() for text in figure.texts]
    assert "Recommended mask (and 2 images more)" in texts
    assert any("SIMULATED" in text for text in texts)
