"""A super-background of dithered exposures: known answers."""

from dataclasses import replace

import numpy as np
import pytest
from mirimask.simulation.exposures import Exposure
from mirimask.simulation.super_background import super_background_errors, widely_dithered

SHAPE = (96, 128)


def _exposures(shifts, source=0.0, noise=1.0):
    """A source of 8 x 8 px of the mosaic's rows 40-47, columns 60-67, in shifted exposures."""
    rows, columns = np.indices(SHAPE)
    rng = np.random.default_rng(4)
    background = (5 + 0.1 * np.sin(columns)).astype(np.float32)
    found = []
    for shift in shifts:
        y, x = rows + 0.2, columns + shift - 0.2
        lit = (rows >= 40) & (rows < 48) & (columns + shift >= 60) & (columns + shift < 68)
        image = background + source * lit + noise * rng.standard_normal(SHAPE)
        found.append(Exposure(image, background, source * lit, np.ones(SHAPE, bool), x, y))
    return found


def _mask():
    mask = np.zeros((SHAPE[0], SHAPE[1] + 40), bool)
    mask[40:48, 60:68] = True
    return mask


def test_a_mask_of_the_source_leaves_the_pattern_alone():
    exposures = _exposures([0, 10, 20, 30], source=1000.0)
    nothing = np.zeros_like(_mask())
    bare = super_background_errors(exposures, nothing, origin=(0, 0))
    found = super_background_errors(exposures, _mask(), origin=(0, 0))
    # the source is in a quarter of the exposures of each of 4 x 64 pixels; noise of the mean: 0.5
    assert bare["mean"] == pytest.approx(4 * 64 * 250 / 0.5 / (96 * 128), rel=0.05)
    assert abs(found["mean"]) < 0.1
    assert found["worst"] < 0.5 < 50 < bare["worst"]
    assert found["unknown"] == bare["unknown"] == 0
    assert bare["noise"] == 1
    # 4 x 64 pixels have three of four exposures
    share = 4 * 64 / (96 * 128)
    assert found["noise"] == pytest.approx(np.sqrt(1 + share * (4 / 3 - 1)))


def test_the_unit_is_the_noise_whatever_the_sources_are():
    """Sources on most pixels, in every exposure elsewhere, are no noise."""
    lit = np.zeros(SHAPE)
    lit[::2] = np.linspace(0, 40, SHAPE[1])
    bare, crowded = _exposures([0, 10]), _exposures([0, 10])
    crowded = [replace(one, image=one.image + lit, light=lit) for one in crowded]
    mask = np.zeros_like(_mask())
    quiet, loud = (super_background_errors(each, mask, origin=(0, 0)) for each in (bare, crowded))
    noise = 1 / np.sqrt(2)  # of the mean of two
    assert loud["mean"] - quiet["mean"] == pytest.approx(lit.mean() / noise, rel=0.02)


def test_what_is_masked_in_every_exposure_is_unknown():
    found = super_background_errors(_exposures([0, 0], source=10.0), _mask(), origin=(0, 0))
    assert found["unknown"] == pytest.approx(64 / (96 * 128))


def test_only_pixels_that_all_see_within_the_crop_count():
    exposures = _exposures([0, 10])
    crop = _mask()[8:, 20:]
    found = super_background_errors(exposures, crop, origin=(8, 20))
    assert found["unknown"] == 0
    everything = super_background_errors(exposures, ~np.zeros_like(crop), origin=(8, 20))
    assert everything["unknown"] == 1
    assert np.isnan(everything["mean"])


def test_wide_dithers_change_nothing_else():
    field = {"seed": 3, "exposures": 4, "dither_px": 1.5, "mesh": None}
    wide = widely_dithered(field)
    assert wide["dither_px"] > 20
    assert wide["exposures"] == 6
    assert wide["seed"] == 3
    assert field["exposures"] == 4
