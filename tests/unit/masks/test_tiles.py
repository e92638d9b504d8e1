"""Percentiles and backgrounds of tiles: a slice that a gradient does not lead."""

import numpy as np
import pytest
from mirimask.errors import MaskError
from mirimask.image.background import between_tiles, tile_edges
from mirimask.masks.slices import slice_family
from mirimask.masks.tiles import tiled_background, tiled_percentile
from scipy.ndimage import gaussian_filter

FWHM = 2.5
SHAPE = (260, 325)  # 4 x 5 tiles of 26 FWHM
TILE = 65
STARS = [(40, 60), (150, 30), (100, 170), (220, 200), (300, 100)]


def _noise(seed=0):
    return np.random.default_rng(seed).normal(6, 0.1, SHAPE).astype(np.float32)


def _with_stars(image, flux=6.0):
    points = np.zeros(SHAPE)
    for x, y in STARS:
        points[y, x] = flux
    return (image + gaussian_filter(points, FWHM / 2.355)).astype(np.float32)


def _masks(function, image, levels, **settings):
    family = function(~np.isfinite(image), fwhm_px=FWHM, levels=np.array(levels), **settings)
    scores = family.scores(image)
    return [family.cut(scores, row) for row in family.thresholds(scores)]


def test_each_tile_keeps_its_percentage():
    image = _noise()
    image[:, :130] = 6 + 3 * (image[:, :130] - 6)  # two columns of tiles in five
    for percent, mask in zip((1.0, 10.0), _masks(tiled_percentile, image, [1, 10]), strict=True):
        tiles = mask.reshape(4, TILE, 5, TILE).mean(axis=(1, 3))
        # but for tiles at the step, whose thresholds are between those of both sides
        assert tiles[:, [0, 3, 4]].mean() == pytest.approx(percent / 100, rel=0.1)


def test_one_tile_is_the_value_slice():
    image = _noise()
    tiled = _masks(tiled_percentile, image, [4.6], tile=1000)[0]
    family = slice_family("value", np.array([4.6]))
    plain = family.cut((image,), family.thresholds((image,))[0])
    assert (tiled != plain).mean() < 1e-4  # thresholds are rounded to the image's float32


@pytest.mark.parametrize("function", [tiled_percentile, tiled_background])
def test_a_gradient_does_not_lead_the_slice(function):
    ramp = np.linspace(0, 20, SHAPE[1]) * np.ones(SHAPE)
    image = _with_stars(_noise() + ramp)
    mask = _masks(function, image, [0.5])[0]
    found = sum(mask[y, x] for x, y in STARS)
    family = slice_family("value", np.array([0.5]))
    plain = family.cut((image,), family.thresholds((image,))[0])
    assert plain[:, :250].sum() < 20  # only the bright side
    assert found >= 4
    assert mask[:, :160].sum() > 0.2 * mask.sum()


@pytest.mark.parametrize("function", [tiled_percentile, tiled_background])
def test_holes(function):
    image = _with_stars(_noise())
    image[:, :140] = np.nan  # two columns of tiles and some of the third
    mask = _masks(function, image, [2.0])[0]
    assert not mask[:, :140].any()
    assert mask[:, 140:].mean() == pytest.approx(0.02, rel=0.15)
    assert mask[:, 140:143].mean() < 0.06
    few = np.full(SHAPE, np.nan, np.float32)
    few[100:102, 100:110] = np.arange(20).reshape(2, 10)
    assert _masks(tiled_percentile, few, [10.0])[0].sum() == 2


def test_scatter_makes_tiles_of_other_noise_equal():
    image = _noise()
    image[:, 160:] = 6 + 5 * (image[:, 160:] - 6)
    plain = _masks(tiled_background, image, [2.0])[0]
    scaled = _masks(tiled_background, image, [2.0], by_scatter=True)[0]
    assert plain[:, :130].mean() < 0.001
    assert scaled[:, :130].mean() == pytest.approx(0.02, rel=0.3)


def test_between_tiles_is_linear_between_their_middles():
    edges = tile_edges((40, 60), 20)
    assert [list(each) for each in edges] == [[0, 20, 40], [0, 20, 40, 60]]
    values = np.array([[0.0, 1, 2], [10, 11, 12]])
    found = between_tiles(values, edges, (40, 60))
    assert found.shape == (40, 60)
    assert found[0, 0] == 0
    assert found[-1, -1] == 12
    middle = (19 - 9.5) / 20 * 10 + (29 - 9.5) / 20
    assert found[19, 29] == pytest.approx(middle)
    beyond = between_tiles(values, edges, (40, 60), beyond=True)
    assert beyond[19, 29] == pytest.approx(middle)
    assert beyond[0, 0] == pytest.approx(-9.5 / 20 * 11)
    one = between_tiles(np.ones((1, 1)), tile_edges((4, 4), 9), (4, 4), beyond=True)
    assert one == pytest.approx(1)


def test_thresholds_of_another_image():
    family = tiled_percentile(np.zeros(SHAPE, bool), fwhm_px=FWHM, levels=np.array([1.0]))
    with pytest.raises(MaskError, match="another shape"):
        family.cut((np.zeros((50, 50), np.float32),), np.zeros(20))
