"""Background and scatter in boxes and tiles: known answers, and what no rim and no hole changes."""

import numpy as np
import pytest
from astropy.stats import SigmaClip, mad_std
from mirimask.errors import MaskError
from mirimask.image.background import (
    background,
    background_meshes,
    between_boxes,
    between_tiles,
    box_scatters,
    boxes_or_whole,
    from_nearest,
    median,
    median_and_scatter,
    of_tiles,
    scatter,
    tile_edges,
    upper_median,
)
from photutils.background import Background2D, MADStdBackgroundRMS, MedianBackground


def _slope(shape, seed=1):
    rng = np.random.default_rng(seed)
    return 5 + 0.05 * np.arange(shape[0])[:, None] + rng.normal(0, 1, shape)


def test_the_scatter_of_boxes_is_that_of_astropy():
    boxes = np.random.default_rng(2).normal(3, 1, (40, 256))
    boxes[boxes > 4] = np.nan  # an odd number of pixels in some, an even one in others
    expected = mad_std(boxes, axis=1, ignore_nan=True)
    np.testing.assert_array_equal(box_scatters(boxes, axis=-1), expected)
    assert box_scatters(boxes[0], axis=None) == expected[0]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_slope_and_its_noise_up_to_the_rim(dtype):
    """Stars are clipped, and the slope does not level off beyond the outermost boxes."""
    image = _slope((240, 200)).astype(dtype)
    image[::40, ::40] += 500
    none = np.zeros(image.shape, bool)
    level, rms = background_meshes(image, none, box_px=40)
    expected = 5 + 0.05 * np.arange(240)
    assert level.dtype == rms.dtype == image.dtype
    assert abs(level.mean(axis=1) - expected).max() < 0.6  # a box that levels off: 1
    assert abs(level.mean(axis=1) - expected)[20:-20].max() < 0.2
    assert np.median(rms) == pytest.approx(np.hypot(1, 0.05 * 40 / np.sqrt(12)), rel=0.1)
    np.testing.assert_array_equal(background(image, none, box_px=40), level)
    np.testing.assert_array_equal(scatter(image, none, box_px=40), rms)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("box", [24, 7])
def test_boxes_are_those_of_background2d_but_for_the_last_bits(dtype, box):
    """Filter, statistics and interpolation are made here, for the sake of time."""
    image = _slope((130, 171), seed=4).astype(dtype)
    image[::30, ::30] += 500
    mask = np.random.default_rng(5).random(image.shape) < 0.1
    mask[:60, :50] = True  # boxes without pixels
    image[mask] = 0
    around = np.pad(np.where(mask, np.nan, image), box, mode="reflect", reflect_type="odd")
    theirs = Background2D(
        np.pad(image, box, mode="reflect", reflect_type="odd"),
        box,
        mask=np.isnan(around),  # whatever comes of one without data
        filter_size=3,
        exclude_percentile=75,
        sigma_clip=SigmaClip(3, maxiters=5),
        bkg_estimator=MedianBackground(),
        bkg_rms_estimator=MADStdBackgroundRMS(),
    )
    inside = np.s_[box:-box, box:-box]
    for own, other in zip(
        background_meshes(image, mask, box_px=box),
        (theirs.background, theirs.background_rms),
        strict=True,
    ):
        assert own.dtype == dtype
        np.testing.assert_allclose(own, other[inside], rtol=20 * np.finfo(dtype).eps)


@pytest.mark.parametrize(("shape", "box"), [((130, 171), (24, 17)), ((40, 60), (20, 30))])
def test_between_boxes_is_the_image_of_background2d(shape, box):
    """Without a margin, with boxes that are no squares, and as few as two along an axis."""
    theirs = Background2D(_slope(shape, seed=6), box, filter_size=1)
    own = between_boxes(theirs.background_mesh, theirs.box_size, shape)
    np.testing.assert_allclose(own, theirs.background, rtol=1e-13)
    even = between_boxes(np.full((1, 1), 7.0), shape, shape)
    np.testing.assert_array_equal(even, np.full(shape, 7.0))


def test_a_sliver_without_data_along_a_side_weighs_nothing():
    """In the corner beside it the reflection would be of its fill value along one axis."""
    rng = np.random.default_rng(0)
    image = rng.normal(30, 0.05, (300, 300))
    y, x = np.indices(image.shape)
    mask = (y < 0.03 * (x - 5)) | (x < 0.03 * (y - 5))
    level = background(np.where(mask, 0, image), mask, box_px=24)
    assert abs(level - 30)[~mask].max() < 0.02


def test_an_empty_corner_weighs_nothing():
    image = 100 + _slope((240, 200), seed=2)
    mask = np.zeros(image.shape, bool)
    mask[:100, :90] = True
    whole = background(image, np.zeros_like(mask), box_px=30)
    level = background(np.where(mask, 0, image), mask, box_px=30)
    assert abs(level - whole)[~mask].max() < 2


def test_boxes_larger_than_the_image_and_boxes_without_pixels():
    image = _slope((40, 31), seed=3)
    assert background(image, np.zeros(image.shape, bool), box_px=1000).shape == image.shape
    with pytest.raises(MaskError, match="no box has more than 25% of its pixels"):
        background(image, np.ones(image.shape, bool), box_px=10)


def test_one_box_where_all_are_too_empty():
    """One pixel of three is seen: no box has enough, the whole image has."""
    image = np.full((30, 30), 7.0)
    seen = np.zeros(image.shape, bool)
    seen[::2, ::2] = True
    image[~seen] = 100
    found = boxes_or_whole(image, 10, mask=~seen, exclude_percentile=10)
    assert found.background == pytest.approx(7)


def test_tiles_fill_the_image_and_have_a_statistic_each():
    edges = tile_edges((10, 23), 5)
    assert [list(edge) for edge in edges] == [[0, 5, 10], [0, 4, 9, 13, 18, 23]]
    image = np.arange(230.0).reshape(10, 23)
    seen = np.ones(image.shape, bool)
    seen[:5, :4] = False
    both = of_tiles(image, seen, edges, lambda p: (p.min(), p.max()), fewest=20, number=2)
    assert both.shape == (2, 2, 5)
    assert np.isnan(both[:, 0, 0]).all()
    assert np.isnan(both[:, 1, 0]).sum() == 0
    assert list(both[:, 1, 4]) == [image[5, 18], image[9, 22]]
    (every,) = of_tiles(image, seen, edges, np.size, fewest=1, step=3)
    assert list(every[1]) == [4, 4, 4, 4, 4]
    near = from_nearest(both)
    assert list(near[:, 0, 0]) in ([both[0, 1, 0], both[1, 1, 0]], [both[0, 0, 1], both[1, 0, 1]])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_plane_between_tiles(dtype):
    y, x = np.mgrid[:60, :90]
    plane = (2 + 0.5 * y - 0.25 * x).astype(dtype)
    edges = tile_edges(plane.shape, 20)
    means = of_tiles(plane, np.ones(plane.shape, bool), edges, np.mean, fewest=1)[0].astype(dtype)
    whole = between_tiles(means, edges, plane.shape, beyond=True)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, plane, atol=1e-4)
    level = between_tiles(means, edges, plane.shape)
    np.testing.assert_allclose(level[10:50, 12:78], plane[10:50, 12:78], atol=1e-4)
    np.testing.assert_allclose(level[:9, 45], level[9, 45], atol=1e-4)
    one = between_tiles(np.full((1, 1), 3.0), tile_edges((9, 9), 20), (9, 9))
    np.testing.assert_array_equal(one, np.full((9, 9), 3, np.float32))


@pytest.mark.parametrize("number", [1, 2, 7, 256])
def test_median_is_that_of_numpy(number):
    values = np.random.default_rng(number).normal(size=number).astype("f4")
    assert median(values) == np.median(values)
    assert upper_median(values) == np.sort(values)[number // 2]


def test_median_and_scatter_of_noise_with_stars_and_a_hole():
    rng = np.random.default_rng(5)
    image = rng.normal(10, 2, (200, 160)).astype("f4")
    image[::10, ::10] += 1000
    hidden = np.zeros(image.shape, bool)
    hidden[:70, :70] = True
    image[hidden] = 0
    for step in (1, 3):
        level, spread = median_and_scatter(image, hidden, 40, step=step)
        assert level.dtype == spread.dtype == np.float32
        assert abs(level - 10).max() < 0.6
        assert abs(spread - 2).max() < 0.6
    nothing = median_and_scatter(image, np.ones(image.shape, bool), 40)
    assert np.isnan(nothing).all()
