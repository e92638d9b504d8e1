"""The cores of the sources: stars on noise, gradients and clouds; holes, NaN and nothing at all."""

import numpy as np
import pytest
from mirimask.errors import MaskError
from mirimask.masks.cores import (
    CoreSettings,
    core_labels,
    core_mask,
    curvature_snr,
    grow,
    widened,
)
from mirimask.masks.curvature import _box_mean, _gaussian, _smoothed, _with_rim
from mirimask.masks.names import parse_method
from scipy.ndimage import binary_dilation, gaussian_filter, uniform_filter
from scipy.ndimage import label as label_image

FWHM = 2.445
SHAPE = (260, 300)
STARS = [(40, 60), (150, 30), (100, 170), (220, 200)]


def _image(stars=STARS, flux=6.0, seed=0):
    rng = np.random.default_rng(seed)
    noise = gaussian_filter(rng.normal(0, 1, SHAPE), 0.6)
    points = np.zeros(SHAPE)
    for x, y in stars:
        points[y, x] = flux
    image = 6 + 0.1 * noise / noise.std() + gaussian_filter(points, FWHM / 2.355)
    return image.astype(np.float32)


def _none(shape=SHAPE):
    return np.zeros(shape, bool)


def _marked(mask):
    return {(x, y) for x, y in STARS if mask[y - 1 : y + 2, x - 1 : x + 2].all()}


def test_stars_and_nothing_else():
    labels, count = core_labels(_image(), _none(), fwhm_px=FWHM)
    assert count == len(STARS)
    assert _marked(labels > 0) == set(STARS)
    assert labels.dtype == np.int32
    assert sorted(np.unique(labels)) == list(range(count + 1))
    assert (labels > 0).mean() < 0.01


@pytest.mark.parametrize("slope", ["vertical", "horizontal", "cloud"])
def test_a_gradient_and_a_cloud_change_nothing(slope):
    ramp = np.linspace(0, 20, SHAPE[0])[:, None] * np.ones(SHAPE)
    if slope == "horizontal":
        ramp = np.linspace(0, 20, SHAPE[1])[None] * np.ones(SHAPE)
    if slope == "cloud":
        y, x = np.indices(SHAPE)
        ramp = 20 * np.exp(-((x - 150) ** 2 + (y - 130) ** 2) / (2 * 40**2))
    labels, count = core_labels((_image() + ramp).astype(np.float32), _none(), fwhm_px=FWHM)
    assert _marked(labels > 0) == set(STARS)
    assert count <= len(STARS) + 1


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_empty_pixels_make_no_spots_whatever_fills_them(fill):
    image, empty = _image(), _none()
    empty[:80, :90] = True  # takes the first star with it
    empty[150, 200:240] = True
    image[empty] = fill
    labels, count = core_labels(image, empty, fwhm_px=FWHM)
    assert count == 3
    assert not labels[empty].any()
    assert np.isfinite(curvature_snr(image, empty, fwhm_px=FWHM)).all()


def test_nan_count_as_empty():
    image = _image()
    image[:80, :90] = np.nan
    assert np.array_equal(
        core_mask(image, _none(), fwhm_px=FWHM),
        core_mask(image, np.isnan(image), fwhm_px=FWHM),
    )


@pytest.mark.parametrize("image", [np.full(SHAPE, np.nan), np.full(SHAPE, 6.0), np.zeros((3, 3))])
def test_nothing_gives_nothing(image):
    empty = np.isnan(image)
    assert not core_mask(image.astype(np.float32), empty, fwhm_px=FWHM).any()


def test_noise_is_measured_in_its_own_units():
    snr = curvature_snr(_image([]), _none(), fwhm_px=FWHM, settings=CoreSettings(share=0.0))
    assert snr.std() == pytest.approx(1, rel=0.05)
    scaled = curvature_snr(1000 * _image(), _none(), fwhm_px=FWHM)
    assert np.allclose(scaled, curvature_snr(_image(), _none(), fwhm_px=FWHM), atol=2e-2)


def test_a_noisier_half_needs_brighter_stars():
    image = _image([])
    image[:, 150:] = 6 + 8 * (image[:, 150:] - 6)
    assert core_labels(image, _none(), fwhm_px=FWHM)[1] <= 1


def test_the_smoothing_is_scipys():
    image, weights = _image(), _gaussian(1.59)
    padded = np.pad(image, len(weights) - 1, mode="symmetric")
    expected = gaussian_filter(image, 1.59, truncate=3.01)
    line, smooth = _smoothed(padded, None, weights)
    assert np.allclose(smooth, expected, atol=1e-4)
    assert np.shares_memory(line, smooth)


@pytest.mark.parametrize("box", [3, 7, 15])
def test_the_box_mean_is_scipys_and_leaves_empty_pixels_out(box):
    image, empty = _image(), _none()
    rim = box // 2
    padded = np.pad(image, rim, mode="symmetric")
    assert np.allclose(_box_mean(padded, None, box), uniform_filter(image, box), rtol=1e-5)
    empty[:, 100:160] = empty[77, 33] = True
    image[empty] = 0
    padded, hidden = (np.pad(each, rim, mode="symmetric") for each in (image, empty))
    mean = _box_mean(padded, hidden, box)
    y, x = 70, 30
    around = np.s_[y - box // 2 : y + box // 2 + 1, x - box // 2 : x + box // 2 + 1]
    assert mean[y, x] == pytest.approx(image[around][~empty[around]].mean(), rel=1e-5)
    assert not mean[:, 130 - 3 : 130 + 3].any()


@pytest.mark.parametrize("directions", [0.0, 0.4])
@pytest.mark.parametrize("block", [(17, 23), (1, 300), (400, 5)])
def test_blocks_leave_no_seam(monkeypatch, block, directions):
    image, empty = _image(), _none()
    empty[100:140, 20:60] = empty[:30] = empty[:, 290] = True
    settings = CoreSettings(directions=directions)
    whole = curvature_snr(image, empty, fwhm_px=FWHM, settings=settings)
    assert not whole[empty].any()
    monkeypatch.setattr("mirimask.masks.curvature._BLOCK", block)
    in_blocks = curvature_snr(image, empty, fwhm_px=FWHM, settings=settings)
    assert np.array_equal(in_blocks, whole)


@pytest.mark.parametrize("block", [np.s_[0:3, 5:8], np.s_[2:9, 0:8], np.s_[4:5, 3:4]])
def test_a_block_is_mirrored_where_the_image_ends(block):
    image = np.arange(72.0).reshape(9, 8)
    for reach in (1, 4, 11):  # 11: further than the image is large
        around = np.pad(image, reach, mode="symmetric")
        wide = tuple(slice(part.start, part.stop + 2 * reach) for part in block)
        assert np.array_equal(_with_rim(image, block, reach), around[wide])


def test_areas_grow_from_their_seeds():
    snr = np.zeros((9, 20))
    snr[4, 2:8] = [2.5, 3, 6, 3, 2.5, 1]
    snr[4, 12:16] = 3  # reaches no seed
    snr[1, 18] = 9  # too small
    labels, count = grow(snr, seed=5, down_to=2, min_pixels=2)
    assert count == 1
    assert np.flatnonzero(labels[4]).tolist() == [2, 3, 4, 5, 6]


def test_areas_are_widened_but_never_meet():
    labels = np.zeros((12, 20), np.int32)
    labels[5, 5], labels[5, 10], labels[0, 0] = 1, 2, 3
    wide = widened(labels, 2)
    assert (wide == 3).sum() == 9
    assert (wide[3:8, 4:7] == 1).all()
    assert wide[3, 3] == 0, "beside the third"
    for label in (1, 2):
        ring = binary_dilation(wide == label, np.ones((3, 3)))
        assert set(np.unique(wide[ring])) <= {0, label}
    assert wide[5, 5] == 1
    assert wide[5, 10] == 2
    assert np.array_equal(widened(labels, 0), labels)
    assert label_image(wide > 0, structure=np.ones((3, 3)))[1] == 3


def test_the_same_again_and_the_image_is_left_alone():
    image = _image()
    copy = image.copy()
    first = core_mask(image, _none(), fwhm_px=FWHM)
    assert np.array_equal(first, core_mask(image, _none(), fwhm_px=FWHM))
    assert np.array_equal(image, copy)


@pytest.mark.parametrize(
    "wrong", [{"seed": 0}, {"grow": 9.0}, {"share": 1.2}, {"min_pixels": 0}, {"margin": -1}]
)
def test_impossible_settings_are_said(wrong):
    with pytest.raises(MaskError, match="cores"):
        CoreSettings(**wrong)


def test_it_is_a_method():
    assert parse_method("cores").method == "cores"
    assert parse_method("cores_or_value_1").parts == ("cores", "value_1")


def test_no_two_areas_touch_however_they_lie():
    rng = np.random.default_rng(3)
    labels, _ = label_image(rng.random((60, 70)) < 0.04, structure=np.ones((3, 3)))
    wide = widened(labels.astype(np.int32), 3)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        beside = np.roll(wide, (-dy, -dx), (0, 1))[:-1, 1:-1]
        own = wide[:-1, 1:-1]
        assert not ((own != beside) & (own > 0) & (beside > 0)).any()
    assert ((wide == labels) | (labels == 0)).all()


def test_four_directions_tell_a_star_from_a_ridge():
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:120, :120]
    image = rng.normal(0, 1, (120, 120))
    image += 80 * np.exp(-0.5 * (x - 90) ** 2)  # a ridge along y
    image += 80 * np.exp(-0.5 * ((x - 40) ** 2 + (y - 60) ** 2))  # a star
    empty = np.zeros(image.shape, bool)
    plain = curvature_snr(image, empty, fwhm_px=2.445)
    all_four = curvature_snr(image, empty, fwhm_px=2.445, settings=CoreSettings(directions=1.0))
    assert all_four[60, 40] > 0.6 * plain[60, 40]
    assert np.median(all_four[:, 90]) < 0.2 * np.median(plain[:, 90])


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_scattered_empty_pixels_make_no_sources_of_noise(share):
    """Beside an empty pixel the curvature is not known; it is not zero noise."""
    rng = np.random.default_rng(0)
    data = rng.normal(10, 1, (400, 400)).astype(np.float32)
    empty = rng.random(data.shape) < share
    assert core_labels(data, empty, fwhm_px=FWHM)[1] == 0
    known = ~binary_dilation(empty)
    assert curvature_snr(data, empty, fwhm_px=FWHM)[known].std() == pytest.approx(1, abs=0.05)


def test_nothing_is_known_where_every_second_pixel_is_empty():
    empty = np.indices(SHAPE).sum(axis=0) % 2 == 0
    assert not curvature_snr(_image(), empty, fwhm_px=FWHM).any()
    # a block of whole pixels is known all the same
    empty[100:180, 100:180] = False
    snr = curvature_snr(_image(), empty, fwhm_px=FWHM)
    assert np.flatnonzero(snr.any(axis=1)).tolist() == list(range(100, 180))
