"""What a figure shows of an image's values."""

import numpy as np
import pytest
from mirimask.image.levels import (
    histogram,
    histogram_range,
    percentile_limits,
    percentile_words,
)

VALUES = np.arange(101.0)


def test_limits_are_percentiles_of_what_is_finite():
    image = np.append(VALUES, [np.nan, np.inf])
    assert percentile_limits(image, (10, 99.5)) == (10.0, 99.5)
    assert percentile_limits(image.astype(np.float32), (80, 99)) == (80.0, 99.0)


def test_an_image_without_a_finite_pixel_has_no_limits():
    with pytest.raises(ValueError, match="no pixel is finite"):
        percentile_limits(np.full((2, 2), np.nan), (10, 90))


def test_a_range_of_another_image_is_not_taken():
    assert histogram_range(VALUES) == (0.5, 99.5)
    assert histogram_range(VALUES, [40, 200]) == (40, 200)  # 61 of 101
    assert histogram_range(VALUES, [60, 200]) == (0.5, 99.5)  # 41 of 101


def test_the_histogram_counts_what_is_finite_and_within():
    found = histogram(
        np.array([[0.0, 1.0, 1.5], [np.nan, 3.0, 10.0]]),
        (0, 4),
        bins=4,
        percentile=50,
        moments={"mean": 3.0, "variance": 4.0},
        title="A",
        note="",
    )
    assert found.counts.tolist() == [1, 2, 0, 1]
    assert found.edges.tolist() == [0, 1, 2, 3, 4]
    assert found.shown == 4 / 5
    assert found.mean_2sd == 7.0
    assert (found.percent, found.percentile) == (50, 1.5)


@pytest.mark.parametrize(
    ("percent", "words"),
    [(95.4, "95.4th"), (90, "90th"), (91, "91st"), (92.0, "92nd"), (93, "93rd"), (11, "11th"),
     (12.1, "12.1th")],
)  # fmt: skip
def test_percentiles_in_words(percent, words):
    assert percentile_words(percent) == f"{words} percentile"
