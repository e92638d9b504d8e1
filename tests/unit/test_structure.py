"""Where clutter lies and what spikes add, on masks made by hand."""

import numpy as np
import pandas as pd
import pytest
from frames import frame_with
from mirimask.evaluation.structure import background_share, structure_rows, wing_excess

NONE = np.zeros((200, 200), bool)


def test_clutter_that_ignores_the_background_has_a_quarter():
    background = np.broadcast_to(np.arange(200.0), (200, 200))
    even = NONE.copy()
    even[::10, ::4] = True
    assert background_share(even, NONE, background, NONE) == pytest.approx(0.25, abs=0.02)
    right = NONE.copy()
    right[:, 190:] = True
    assert background_share(right, NONE, background, NONE) == 1
    assert np.isnan(background_share(right, right, background, NONE))  # all on bright spots


def _peaks(*rows):
    return pd.DataFrame(rows, columns=["x", "y", "snr"])


def test_wing_excess_counts_a_spike_and_not_the_grain():
    mask = NONE.copy()
    mask[::10, ::10] = True  # grain: 1 % everywhere
    assert wing_excess(mask, _peaks((105, 105, 900)), NONE, fwhm_px=2.5, snr=300)[0] == (
        pytest.approx(0, abs=10)
    )
    mask[101, 115:135] = True  # a spike of 20 px between 3 and 16 FWHM (7.5 and 40 px)
    excess, stars = wing_excess(mask, _peaks((105, 105, 900)), NONE, fwhm_px=2.5, snr=300)
    assert stars == 1
    assert excess == pytest.approx(20, abs=10)


def test_peaks_in_the_spikes_of_a_star_are_not_stars():
    peaks = _peaks((100, 100, 900), (120, 100, 400), (20, 20, 30))
    assert wing_excess(NONE, peaks, NONE, fwhm_px=2.5, snr=300) == (0, 1)
    excess, stars = wing_excess(NONE, peaks, NONE, fwhm_px=2.5, snr=5000)
    assert np.isnan(excess)
    assert stars == 0


def test_rows_of_masks():
    data = np.broadcast_to(np.arange(200, dtype=np.float32), (200, 200)).copy()
    mask = NONE.copy()
    mask[100, 100] = True  # on the peak
    mask[50, 190:194] = True  # clutter where the background is brightest
    crop = frame_with(data)
    (row,) = structure_rows(
        crop,
        _peaks((100, 100, 20)),
        iter([("value_1", "crop", mask)]),
        background_box="32 px",
        bright_snr=300,
        smallest_spot="1.1 px",
        min_pixels=1,
        tolerance_fwhm=1,
    ).to_dict("records")
    assert (row["method"], row["domain"]) == ("value_1", "crop")
    assert row["mask_pixels"] == 5
    assert row["clutter"] == pytest.approx(1 / 2)  # of two spots
    assert row["clutter_on_bright_background"] == 1
    assert row["bright_stars"] == 0
    assert np.isnan(row["wing_excess_px"])
    assert row["simulated"] is False
