"""Medians of an image in tiles, and between them."""

import numpy as np
import pytest
from mirimask.image.tile_levels import median_and_scatter, scatter, tile_medians, tile_values


def test_the_values_of_a_tile_are_its_pixels():
    image = np.arange(6 * 9, dtype=np.float32).reshape(6, 9)
    hidden = np.zeros(image.shape, bool)
    hidden[0, 0] = True
    values, used, (rows, columns) = tile_values(image, hidden, 3)
    assert rows.tolist() == [0, 3, 6]
    assert columns.tolist() == [0, 3, 6, 9]
    assert values.shape == used.shape == (2, 3, 9)
    assert sorted(values[1, 2]) == sorted(image[3:, 6:].ravel())
    assert not used[0, 0, 0]
    medians, number = tile_medians(values, used)
    assert number[0, 0] == 8
    assert medians[1, 2] == np.median(image[3:, 6:])


def test_a_ramp_with_noise_is_followed():
    rng = np.random.default_rng(2)
    ramp = np.linspace(0, 10, 200) * np.ones((120, 1))
    image = (ramp + rng.normal(0, 0.3, ramp.shape)).astype(np.float32)
    hidden = np.zeros(image.shape, bool)
    hidden[40:60, 80:110] = True
    image[hidden] = 1e6
    sky, noise = median_and_scatter(image, hidden, 20)
    inner = np.s_[:, 15:-15]
    np.testing.assert_allclose(sky[inner], ramp[inner], atol=0.25)
    # a tile's scatter has its slope, 1 from side to side
    assert np.median(noise) == pytest.approx(np.hypot(0.3, 1 / np.sqrt(12)), rel=0.15)
    np.testing.assert_array_equal(noise, scatter(image, hidden, 20))


def test_tiles_without_pixels_get_the_nearest():
    image = np.full((60, 60), 3, np.float32)
    image[:, 30:] = 5
    hidden = np.zeros(image.shape, bool)
    hidden[:, 45:] = True
    sky, noise = median_and_scatter(image, hidden, 15)
    assert (sky[:, 50:] == 5).all()
    assert (noise == 0).all()
    sky, _ = median_and_scatter(image, np.ones_like(hidden), 15)
    assert np.isnan(sky).all()
