"""Slices keep the share they say, and cut where numpy's percentile does."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from frames import frame_with
from mirimask.errors import MaskError
from mirimask.image.files import read_gradient, write_gradient
from mirimask.masks.gradient import derivative, gradient
from mirimask.masks.make import combined_mask, make_masks
from mirimask.masks.names import DOMAINS, check_methods, parse_method
from mirimask.masks.thresholds import slice_domain, thresholds, top_slice

PERCENTS = [0.02, 0.3, 1, 4.6, 10, 25, 99.9]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 2, 7, 1000, 98_765])
def test_thresholds_are_numpys_percentiles(size, dtype):
    values = np.random.default_rng(size).normal(size=size).astype(dtype)
    expected = [np.percentile(values, np.float64(100) - percent) for percent in PERCENTS]
    np.testing.assert_array_equal(thresholds(values, PERCENTS), expected)


@pytest.mark.parametrize("kind", ["sorted", "one bright corner", "ties", "infinite", "with zeros"])
@pytest.mark.parametrize("percents", [[0.3, 1, 4.6], [0.001], [10.0], [0.3, 99.9]])
def test_thresholds_are_numpys_wherever_the_highest_values_are(kind, percents):
    """The values are sampled to know which to sort: a bad sample must not change the result."""
    values = np.random.default_rng(1).normal(10, 1, 300_000).astype(np.float32)
    if kind == "sorted":
        values.sort()
    elif kind == "one bright corner":
        values[1:40] += 100  # between the first two that are looked at
    elif kind == "ties":
        values = np.round(values)
    elif kind == "infinite":
        values[::7], values[5], values[6] = np.nan, np.inf, -np.inf
    else:
        values[: values.size // 2] = 0
    seen = values[np.isfinite(values)]
    expected = [np.percentile(seen, np.float64(100) - percent) for percent in percents]
    np.testing.assert_array_equal(thresholds(values.reshape(300, 1000), percents), expected)


@pytest.mark.parametrize("domain", ["crop", "published"])
def test_several_slices_at_once_are_those_made_one_by_one(domain):
    rng = np.random.default_rng(5)
    frame = rng.normal(6, 1, (120, 130)).astype(np.float32)
    crop = _crop(frame[10:90, 20:120], frame_shape=frame.shape)
    names = ["value_4.6", "derivative_10", "value_0.3", "derivative_0.3", "value_1"]
    together = make_masks(crop, names, domain=domain, frame=frame)
    assert list(together) == names
    for name, (mask, threshold) in together.items():
        alone = make_masks(crop, [name], domain=domain, frame=frame)[name]
        np.testing.assert_array_equal(mask, alone.mask)
        assert threshold == alone.threshold


@pytest.mark.parametrize("percent", PERCENTS)
def test_a_slice_keeps_its_share_of_the_finite_pixels(percent):
    data = np.random.default_rng(3).normal(size=(200, 300))
    data[:20] = np.nan
    kept = top_slice(data, thresholds(data, [percent])[0])
    assert abs(kept.sum() - percent / 100 * 180 * 300) <= 1
    assert not kept[:20].any()


def test_ties_at_the_threshold_are_left_out():
    data = np.array([[0.0, 1, 1, 1, 2]])
    assert top_slice(data, thresholds(data, [40])[0]).sum() == 1


def test_thresholds_of_nothing_is_an_error():
    with pytest.raises(MaskError, match="no pixel has a value"):
        thresholds(np.full(4, np.nan), [1])


def test_derivative_of_a_ramp_is_constant_and_signed():
    ramp = 3.0 * np.arange(50)[:, None] + np.zeros((50, 8))
    np.testing.assert_allclose(derivative(ramp), 3)
    np.testing.assert_allclose(derivative(-ramp), -3)
    np.testing.assert_array_equal(derivative(ramp.T), 0)  # along y only


def _crop(data, *, frame_shape, empty=None):
    return frame_with(data, empty, frame_shape=frame_shape)


def _slice(crop, name, domain, frame=None):
    return make_masks(crop, [name], domain=domain, frame=frame)[name].mask


def test_published_domain_of_a_derivative_is_the_whole_frame():
    """The crop fills a quarter of the frame: the top 5 % of the frame are 20 % of the crop."""
    data = np.random.default_rng(1).normal(size=(100, 100)).astype(np.float32)
    crop = _crop(data, frame_shape=(200, 200))
    mask = _slice(crop, "derivative_5", "published")
    assert mask.sum() == 2000
    mask = _slice(crop, "derivative_5", "crop")
    assert mask.sum() == 500


def test_published_domain_of_values_counts_empty_pixels_as_zero():
    """Whether the product fills empty pixels with 0 or NaN, the published slice is the same."""
    rng = np.random.default_rng(2)
    frame = rng.uniform(5, 6, (100, 100)).astype(np.float32)
    frame[:50] = 0
    with_nan = np.where(frame == 0, np.float32(np.nan), frame)
    masks = []
    for whole in (frame, with_nan):
        crop = _crop(whole[40:], frame_shape=(100, 100), empty=~(whole[40:] > 0))
        masks.append(_slice(crop, "value_10", "published", frame=whole))
    np.testing.assert_array_equal(*masks)
    assert masks[0].sum() == 1000  # 10 % of 100 x 100, all of them in the half that is not empty
    mask = _slice(crop, "value_10", "crop")
    assert mask.sum() == 500  # 10 % of the 50 x 100 that were seen


@pytest.mark.parametrize("left_over", [400, np.inf])
def test_what_is_left_in_empty_pixels_is_zero_in_the_published_domain(left_over):
    """Of an exposure's edge, say, where nothing weighs anything: 3 % of the frame."""
    data = np.random.default_rng(2).normal(5, 1, (100, 100)).astype(np.float32)
    data[30:33, 20:50] = 50
    empty = np.zeros(data.shape, bool)
    empty[:, :3] = True
    data[:, 0] = left_over
    frames = [frame_with(data, empty), frame_with(np.where(empty, np.float32(0), data), empty)]
    for name in ("value_1", "derivative_4.6"):
        as_read, zeros = (
            make_masks(frame, [name], domain="published", frame=frame.masked)[name]
            for frame in frames
        )
        assert as_read.threshold == zeros.threshold
        np.testing.assert_array_equal(as_read.mask, zeros.mask)
    value = make_masks(frames[0], ["value_1"], domain="published", frame=frames[0].masked)
    assert not value["value_1"].mask[empty].any()


def test_empty_rim_makes_no_derivative_in_the_crop_domain():
    data = np.random.default_rng(4).normal(10, 0.1, (60, 60)).astype(np.float32)
    data[:20] = 0
    crop = _crop(data, frame_shape=(60, 60), empty=data == 0)
    published = _slice(crop, "derivative_1", "published")
    own = _slice(crop, "derivative_1", "crop")
    assert published[19:21].sum() == 36  # 1 % of 3600, all on the rim
    assert not own[:21].any()


def test_a_single_empty_pixel_has_no_derivative_and_is_in_no_slice():
    """Its neighbours above and below are known, so that their difference would be."""
    column = np.array([[0.0], [10], [np.nan], [50], [80], [90]], np.float32)
    expected = [10, np.nan, np.nan, np.nan, 20, 10]
    np.testing.assert_array_equal(derivative(column).ravel(), expected)
    data = np.random.default_rng(1).normal(6, 1, (60, 70)).astype(np.float32)
    empty = np.zeros(data.shape, bool)
    empty[3::6, 2::5] = True
    crop = frame_with(data, empty)
    assert np.isnan(gradient(crop, "crop")[empty]).all()
    (mask, _) = make_masks(crop, ["derivative_25"], domain="crop")["derivative_25"]
    assert mask.any()
    assert not mask[empty].any()


def test_a_value_slice_of_the_published_domain_needs_its_frame():
    crop = _crop(np.ones((5, 5), np.float32), frame_shape=(9, 9))
    with pytest.raises(MaskError, match="whole frame"):
        make_masks(crop, ["value_1"], domain="published")


def test_slice_domain_size():
    assert slice_domain(np.ones((3, 4)), 100).sum() == 12
    assert slice_domain(np.ones((3, 4)), 100).shape == (100,)


def test_combinations():
    one, other = np.array([[True, True, False]]), np.array([[False, True, False]])
    np.testing.assert_array_equal(combined_mask([one, other], "union"), one)
    np.testing.assert_array_equal(combined_mask([one, other], "intersection"), other)


def test_method_names():
    method = parse_method("derivative_4.6@crop")
    assert (method.method, method.percent, method.domain) == ("derivative", 4.6, "crop")
    assert parse_method("value_1_or_derivative_4.6").parts == ("value_1", "derivative_4.6")
    assert parse_method("value_1_and_derivative_4.6").method == "intersection"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("value_0", "above 0 and below 100"),
        ("value_100", "above 0 and below 100"),
        ("derivative_120", "above 0 and below 100"),
        ("value_4,6", "a point for decimals"),
        ("value_4_6", "a point for decimals"),
        ("value_1_or_derivative_4_6", "a point for decimals"),
        ("sep_2_5", "a point for decimals"),
        ("value_nan", "above 0"),
        ("value_1e1", "a point for decimals"),
        ("sep_+2", "a point for decimals"),
        (["value_1"], "is not the name of a mask"),
        ("value_", "above 0"),
        ("top_5", "not a mask method"),
        ("value_1@frame", "domain"),
        ("value_1_or_top_5", "not a mask method"),
    ],
)
def test_wrong_method_names_say_what_would_be_right(name, says):
    with pytest.raises(MaskError, match=says):
        parse_method(name)


def test_two_names_of_the_same_mask():
    with pytest.raises(MaskError, match="same mask"):
        check_methods(["value_1", "value_1.0"])
    with pytest.raises(MaskError, match="same mask"):
        check_methods(["value_1.0_or_value_2", "value_1_or_value_2"])
    check_methods(["value_1_or_value_2", "value_2_or_value_1"])
    check_methods(["value_1", "value_1@crop", "derivative_1"])


@pytest.mark.parametrize("threshold", [1.1, 0.1, -2.3, 1.0])
def test_a_slice_compares_as_float64_does(threshold):
    """float32 pixels are not converted, but which of them are above the threshold is the same."""
    near = np.float32(threshold)
    data = np.array([near, np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9))])
    for level in (np.float64(threshold), threshold):
        np.testing.assert_array_equal(top_slice(data, level), data.astype(np.float64) > threshold)


@pytest.mark.parametrize("domain", ["crop", "published"])
def test_a_slice_of_the_derivative_in_its_file_is_that_of_the_image(domain, tmp_path):
    data = np.random.default_rng(4).normal(size=(60, 50)).astype(np.float32)
    empty = np.zeros(data.shape, bool)
    empty[20:25, :30] = True
    crop = _crop(np.where(empty, np.float32(np.nan), data), frame_shape=(90, 80), empty=empty)
    crop.primary["SIMULATD"] = True
    path = tmp_path / "A.fits"
    write_gradient(path, {name: gradient(crop, name) for name in DOMAINS}, crop)
    given = read_gradient(path, domain)
    assert given.dtype == np.dtype(np.float32)  # in the order of this machine
    np.testing.assert_array_equal(given, gradient(crop, domain))
    assert np.isnan(given[19:26, :30]).all() == (domain == "crop")
    plain, cut = (
        make_masks(crop, ["derivative_5"], domain=domain, gradient=made)["derivative_5"]
        for made in (None, {domain: given})
    )
    np.testing.assert_array_equal(cut.mask, plain.mask)
    assert cut.threshold == plain.threshold
    other = make_masks(crop, ["derivative_5"], domain=domain, gradient={domain: -given})
    assert not np.array_equal(other["derivative_5"].mask, plain.mask)


def test_the_file_of_derivatives_says_what_it_has(tmp_path):
    crop = _crop(np.eye(9, dtype=np.float32), frame_shape=(9, 9))
    crop.primary["SIMULATD"] = True
    write_gradient(tmp_path / "A.fits", {"crop": gradient(crop, "crop")}, crop)
    with fits.open(tmp_path / "A.fits") as hdus:
        assert hdus[0].header["SIMULATD"] is True
        header = hdus["CROP"].header
    unit = u.Unit(header["BUNIT"], format="fits")
    assert unit == u.Unit("MJy") / u.sr / u.pix
    assert WCS(header).pixel_to_world(3, 4).separation(crop.wcs.pixel_to_world(3, 4)).arcsec < 1e-6


def test_pixels_that_are_not_finite_are_in_no_slice():
    data = np.random.default_rng(2).normal(5, 1, (60, 70)).astype(np.float32)
    data[30, 40] = np.inf
    made = make_masks(frame_with(data), ["value_4.6", "derivative_4.6"])
    for one in made.values():
        assert not one.mask[29:32, 40].any()
        assert one.mask.sum() == pytest.approx(0.046 * data.size, abs=2)


def test_an_image_without_a_derivative_is_a_message():
    data = np.ones((8, 9), np.float32)
    empty = np.indices(data.shape).sum(axis=0) != 8
    with pytest.raises(MaskError, match="none has neighbours"):
        make_masks(frame_with(data, empty), ["derivative_10"])
