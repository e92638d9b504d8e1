"""Where clutter lies and how much of spikes is masked, on masks made by hand."""

import numpy as np
import pandas as pd
import pytest
from frames import frame_with
from mirimask.evaluation.stars import StarStamps
from mirimask.evaluation.structure import (
    background_share,
    bright_stars,
    spike_excess,
    spikes_of,
    structure_rows,
)
from mirimask.image.psf import Psf

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


def _cross():
    """A star with four spikes along rows and columns, and a faint halo."""
    y, x = np.mgrid[-180:181, -180:181] / 4
    halo = np.exp(-np.hypot(x, y) / 10)
    spikes = 10 * halo * ((np.abs(x) <= 1) | (np.abs(y) <= 1))
    light = (1e3 * np.exp(-0.5 * (x**2 + y**2)) + halo + spikes).astype(np.float32)
    return StarStamps(Psf(light, 4, "F770W"), pixel_scale_arcsec=0.11, half=44)


def test_spikes_are_where_the_psf_has_them():
    on, between = spikes_of(_cross(), 2.5)
    assert on[44, 44 + 20]
    assert on[44 - 20, 44]
    assert between[44 + 15, 44 + 15]
    assert not (on & between).any()
    # from 3 to 16 FWHM: not the core, not the corners
    assert not (on | between)[44, 44 + 7]
    assert not (on | between)[44, 44 + 41]
    assert on.sum() < 0.25 * between.sum()


def test_a_mask_on_spikes_counts_and_grain_does_not():
    spikes = spikes_of(_cross(), 2.5)
    star = np.array([[105, 105]])
    grain = np.random.default_rng(0).uniform(size=NONE.shape) < 0.2
    assert spike_excess(grain, star, NONE, spikes)[0] == pytest.approx(0, abs=0.08)
    mask = NONE.copy()
    mask[104:107, 113:150] = mask[104:107, 60:97] = True  # two of the four
    excess, stars = spike_excess(mask, star, NONE, spikes)
    assert stars == 1
    assert excess == pytest.approx(0.5, abs=0.1)
    # a ring around the star covers both alike
    y, x = np.indices(NONE.shape)
    ring = np.abs(np.hypot(x - 105, y - 105) - 20) < 3
    assert spike_excess(ring, star, NONE, spikes)[0] == pytest.approx(0, abs=0.05)


def test_peaks_in_the_spikes_of_a_star_are_not_stars():
    peaks = _peaks((100, 100, 900), (120, 100, 400), (20, 20, 30))
    assert bright_stars(peaks, fwhm_px=2.5, snr=300).tolist() == [[100, 100]]
    assert bright_stars(peaks, fwhm_px=1, snr=300).tolist() == [[100, 100], [120, 100]]
    none = bright_stars(peaks, fwhm_px=2.5, snr=5000)
    assert none.shape == (0, 2)
    excess, stars = spike_excess(NONE, none, NONE, spikes_of(_cross(), 2.5))
    assert np.isnan(excess)
    assert stars == 0


def _row(mask, peaks):
    """The row of a mask of an image that rises along x."""
    (row,) = structure_rows(
        frame_with(np.broadcast_to(np.arange(200, dtype=np.float32), (200, 200)).copy()),
        peaks,
        iter([("value_1", "crop", mask)]),
        _cross(),
        background_box="32 px",
        bright_snr=300,
        smallest_spot="1.1 px",
        min_pixels=1,
        tolerance_fwhm=1,
    ).to_dict("records")
    return row


def test_the_core_of_a_star_is_on_no_spike_of_another():
    """The mask is on the core alone, which lies in a spike of the brighter star."""
    y, x = np.indices(NONE.shape)
    core = np.hypot(x - 105, y - 145) <= 7
    row = _row(core, _peaks((105, 105, 900), (105, 145, 400)))
    assert row["bright_stars"] == 2
    assert row["spike_excess"] == 0


def test_rows_of_masks():
    mask = NONE.copy()
    mask[100, 100] = True  # on the peak
    mask[50, 190:194] = True  # clutter where the background is brightest
    row = _row(mask, _peaks((100, 100, 20)))
    assert (row["method"], row["domain"]) == ("value_1", "crop")
    assert row["mask_pixels"] == 5
    assert row["clutter"] == pytest.approx(1 / 2)  # of two spots
    assert row["clutter_on_bright_background"] == 1
    assert row["bright_stars"] == 0
    assert np.isnan(row["spike_excess"])
    assert row["simulated"] is False
