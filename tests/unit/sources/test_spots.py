"""Spots: where each is, and whether one is near."""

import numpy as np
from mirimask.sources.spots import brightest_pixels, has_match, pixels_around


def test_spots_are_at_their_brightest_pixel():
    mask = np.zeros((20, 20), bool)
    mask[2:5, 2:5] = mask[10:12, 10:15] = mask[18, 18] = True
    image = np.zeros(mask.shape)
    image[3, 4], image[11, 10], image[18, 18] = 5, 7, 9
    assert {tuple(p) for p in brightest_pixels(mask, image)} == {(4, 3), (10, 11), (18, 18)}
    assert brightest_pixels(np.zeros_like(mask), image).shape == (0, 2)


def test_brightest_pixels_of_labels_and_of_equal_ones():
    image = np.array([[1, 3, 3, 0], [0, 0, -5, -7]], np.float32)
    labels = np.array([[2, 2, 2, 0], [0, 0, 7, 7]])  # touching, and numbers are left out
    assert brightest_pixels(labels, image).tolist() == [[2, 0], [2, 1]]  # the last of two threes
    assert brightest_pixels(labels > 0, image).tolist() == [[2, 0]]  # one spot


def test_has_match():
    positions = np.array([[0.0, 0.0], [10.0, 0.0]])
    assert has_match(positions, np.array([[0.0, 2.0]]), 2.0).tolist() == [True, False]
    assert has_match(positions, np.zeros((0, 2)), 2.0).tolist() == [False, False]


def test_pixels_around_positions():
    """Positions are rounded to a pixel; those off the image do not count."""
    found = pixels_around(np.array([[1.4, 0.6], [-1.0, 2.0], [9.0, 9.0]]), (4, 5), 1.0)
    assert found.astype(int).tolist() == [
        [0, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert not pixels_around(np.zeros((0, 2)), (4, 5), 3).any()
