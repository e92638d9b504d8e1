"""Sums over labels, circles and rings, made for all sources at once, are those of photutils."""

import tracemalloc
import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.stats import SigmaClip
from mirimask.export.apertures import circle_sums, clipped, ring_sky
from mirimask.export.moments import label_sums
from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture
from photutils.segmentation import SegmentationImage, SourceCatalog
from scipy import ndimage

RNG = np.random.default_rng(17)
SHAPE = (150, 161)


@pytest.fixture(scope="module")
def field():
    """Data with tails on one side, errors, and hidden pixels that are NaN: a hole and an edge."""
    data = RNG.normal(5, 0.1, SHAPE) + (RNG.random(SHAPE) < 0.05) * RNG.exponential(3, SHAPE)
    error = RNG.uniform(0.05, 0.2, SHAPE).astype(np.float32)
    error[100, 100] = np.nan
    hidden = RNG.random(SHAPE) < 0.05
    hidden[:30] = hidden[60:70, 80:95] = True
    return np.where(hidden, np.nan, data).astype(np.float32), error, hidden


def test_rings_are_those_of_photutils(field):
    data, _, hidden = field
    x, y = RNG.integers(-4, 2 * SHAPE[1], 200) / 2, RNG.integers(-4, 2 * SHAPE[0], 200) / 2
    inner = RNG.choice([5.0, 8.92, 31.0], 200)
    level, scatter, number = ring_sky(data, hidden, x, y, inner, 5.72)
    for radius in np.unique(inner):
        of = inner == radius
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = ApertureStats(
                np.where(hidden, 0, data).astype(float),
                CircularAnnulus(np.column_stack([x[of], y[of]]), radius, radius + 5.72),
                mask=hidden,
                sigma_clip=SigmaClip(3),
                sum_method="center",
            )
            median, std, area = theirs.median, theirs.std, theirs.center_aper_area
        np.testing.assert_array_equal(level[of], median)
        np.testing.assert_allclose(scatter[of], std, rtol=1e-12)
        np.testing.assert_array_equal(number[of], np.nan_to_num(u.Quantity(area).value))
    assert (number == 0).any()
    assert np.isnan(level[number == 0]).all()


def test_clipping_is_astropys():
    values = RNG.normal(0, 1, (300, 41)) ** RNG.choice([1, 3, 5], (300, 1))
    values[RNG.random(values.shape) < 0.1] = np.nan
    values[0], values[1, 1:] = np.nan, np.nan
    values[1, 0], values[2] = 7, 3
    level, scatter, number = clipped(values)
    for row, *found in zip(values[1:], level[1:], scatter[1:], number[1:], strict=True):
        kept = SigmaClip(3)(row[np.isfinite(row)]).compressed()
        assert found == pytest.approx([np.median(kept), kept.std(), kept.size], rel=1e-9)
    assert np.isnan([level[0], scatter[0]]).all()
    assert number[0] == 0


def test_circles_are_those_of_photutils(field):
    data, error, hidden = field
    x, y = RNG.uniform(-3, SHAPE[1] + 2, 200), RNG.uniform(-3, SHAPE[0] + 2, 200)
    circle = CircularAperture(np.column_stack([x, y]), 2.75)
    error = np.nan_to_num(error)
    held, noise = circle.do_photometry(
        np.where(hidden, 0, data).astype(float), error=error, mask=hidden
    )
    area = circle.area_overlap(np.ones(SHAPE), mask=hidden)
    theirs = (np.nan_to_num(each) for each in (held, noise, area))  # NaN beyond the image
    for own, other in zip(circle_sums(data, error, hidden, x, y, 2.75), theirs, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-6)


@pytest.mark.parametrize("none", [np.inf, np.nan, 0, -1])
def test_an_error_that_is_none_is_no_small_one(none):
    """NaN where a pixel that is summed has it; not where it is hidden, or beyond the circle.

    By hand: four pixels of error 2 have 4, a circle 2 sqrt(pi) times its radius.
    """
    data, hidden = np.ones((20, 60)), np.zeros((20, 60), bool)
    error = np.full((20, 60), 2.0, np.float32)
    labels = np.zeros((20, 60), np.int32)
    for number, x in enumerate((10, 20, 30, 40), 1):
        labels[10:12, x : x + 2] = number
    error[10, 10], error[11, 21], error[10, 33] = none, none, none
    error[10, 40], hidden[10, 40] = np.nan, True
    labels[hidden] = 0
    middle = np.array([[10.5, x + 0.5] for x in (10, 20, 30, 40)])
    own = label_sums(data, error, labels, middle, np.zeros(4))
    np.testing.assert_allclose(own.flux_err, [np.nan, np.nan, 4, 2 * np.sqrt(3)])
    np.testing.assert_allclose(own.flux, [4, 4, 4, 3])
    held, noise, area = circle_sums(data, error, hidden, middle[:, 1], middle[:, 0], 1.5)
    np.testing.assert_allclose(noise, [np.nan, np.nan, 3 * np.sqrt(np.pi), 2 * np.sqrt(area[3])])
    np.testing.assert_array_equal(held, area)


def test_circles_of_any_radius_have_their_area():
    """The root of the square of a radius, less that of the radius, is 0 whatever its digits."""
    flat, x, y = np.ones((40, 40)), np.array([20, 20.5]), np.array([20, 20.2])
    for radius in np.linspace(2.75 - 1e-10, 2.75 + 1e-10, 400).tolist():
        held, _, area = circle_sums(flat, None, flat == 0, x, y, radius)
        np.testing.assert_allclose(area, np.pi * radius**2, rtol=1e-9)
        np.testing.assert_array_equal(held, area)


def test_sums_of_labels_are_those_of_photutils(field, monkeypatch):
    """Labels of one pixel, of a line of pixels and of many; in one strip and in several."""
    data, error, hidden = field
    labels, _ = ndimage.label(ndimage.gaussian_filter(RNG.normal(size=SHAPE), 2) > 0.1)
    labels[:, 90:] = 0
    labels[40, 100], labels[50, 100:110], labels[52:60, 100] = 801, 805, 807
    labels[hidden] = 0
    boxes = ndimage.find_objects(labels)
    numbers = np.unique(labels)[1:]
    middle = np.array([[(s.start + s.stop - 1) / 2 for s in boxes[n - 1]] for n in numbers])
    level = RNG.normal(4.9, 0.1, numbers.size)
    at = np.searchsorted(numbers, labels)
    light = np.where(labels > 0, data - level[at.clip(0, numbers.size - 1)], 0)
    theirs = SourceCatalog(light, SegmentationImage(labels), error=np.nan_to_num(error))
    for pixels in (1 << 21, 1000):
        monkeypatch.setattr("mirimask.export.moments._AT_A_TIME", pixels)
        own = label_sums(data, error, np.where(labels > 0, at + 1, 0), middle, level)
        for name, other in {
            "area": "area",
            "flux": "segment_flux",
            "flux_err": "segment_flux_err",
            "x": "x_centroid",
            "y": "y_centroid",
        }.items():
            value = u.Quantity(getattr(theirs, other)).value
            np.testing.assert_allclose(getattr(own, name), value, rtol=1e-6, atol=1e-9)
        for name, other in {
            "semimajor_sigma": "semimajor_axis",
            "semiminor_sigma": "semiminor_axis",
            "orientation": "orientation",
            "ellipticity": "ellipticity",
        }.items():
            value = u.Quantity(getattr(theirs, other)).value
            np.testing.assert_allclose(own.shape[name], value, rtol=1e-5, atol=1e-6)


def test_a_core_gives_the_position(field):
    data, _, hidden = field
    labels, cores = np.zeros((2, *SHAPE), np.int32)
    labels[100:110, 100:120], cores[102:105, 103:108] = 1, 9
    labels[120:124, 100:104] = 2
    labels[hidden], cores[hidden] = 0, 0
    middle = np.array([[104.5, 109.5], [121.5, 101.5]])
    own = label_sums(data, None, labels, middle, np.array([4.0, 4.0]), cores)
    light = np.where(labels > 0, data - 4.0, 0)
    assert (own.y[0], own.x[0]) == pytest.approx(ndimage.center_of_mass(light, cores, 9))
    assert (own.y[1], own.x[1]) == pytest.approx(
        ndimage.center_of_mass(np.maximum(light, 0), labels, 2)
    )
    assert (own.flux_err == 0).all()


def test_faint_pixels_of_a_core_draw_nothing():
    """Light of 3, 1 and -4 has its middle a quarter of a pixel from the first, not at infinity."""
    data, cores = np.zeros((9, 9)), np.zeros((9, 9), np.int32)
    data[4, 2:5], cores[4, 2:5] = (3, 1, -4), 1
    data[7, 5:8], cores[7, 5:8] = (-1, -2, -9), 2
    labels = cores.copy()
    labels[7, 8], data[7, 8] = 2, 50  # a neighbour's, in the label alone
    middle = np.array([[4.0, 3.0], [7.0, 6.5]])
    own = label_sums(data, None, labels, middle, np.zeros(2), cores)
    np.testing.assert_allclose(own.x, [2.25, 6])
    np.testing.assert_allclose(own.y, [4, 7])


def test_a_line_of_pixels_has_a_shape_whatever_is_rounded():
    """Of two pixels a step of (2, 1) apart, and of light that no float holds exactly.

    By hand: with w of the light in the second, w (1 - w) times 5 along the line, 0 across, and 1/12
    of a pixel to both in each direction. Rounding made the determinant negative in half of 50.
    """
    rng = np.random.default_rng(4)
    for _ in range(50):
        data = np.zeros((9, 9))
        data[2, 3], data[3, 5] = light = rng.uniform(0.1, 1, 2)
        labels = np.zeros((9, 9), np.int32)
        labels[2:7, 3:6] = 1
        own = label_sums(data, None, labels, np.array([[4.0, 4.0]]), np.zeros(1))
        along = 5 * light.prod() / light.sum() ** 2
        assert own.shape["semimajor_sigma"][0] == pytest.approx(np.sqrt(along + 1 / 12))
        assert own.shape["semiminor_sigma"][0] == pytest.approx(np.sqrt(1 / 12))
        assert own.shape["orientation"][0] == pytest.approx(np.degrees(np.arctan2(1, 2)))


def test_a_ring_around_all_of_the_image_and_beyond_has_no_pixels(field):
    data, _, hidden = field
    middle = np.array([80.0, 80.0]), np.array([75.0, 75.0])
    level, _, number = ring_sky(data, hidden, *middle, np.array([300.0, 60.0]), 5.0)
    assert number[0] == 0
    assert np.isnan(level[0])
    assert number[1] > 0


def test_the_ring_of_a_label_across_the_image_ends_with_the_image():
    data = np.zeros((700, 700), np.float32)
    tracemalloc.start()
    try:
        ring_sky(data, data > 0, *np.full((2, 1), 349.5), np.array([500.0]), 5.7)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * data.size  # all of the ring's square would be 33
