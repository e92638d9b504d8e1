"""Fourier filtering and singular spectrum analysis, against waves and images of known rank."""

import numpy as np
import pytest
from mirimask.errors import MaskError
from mirimask.masks.spectral import fourier, fourier_filtered, spectrum_components, ssa
from scipy.ndimage import gaussian_filter

FWHM = 2.445
LEVELS = np.array([4.6])
Y, X = np.mgrid[0:120, 0:150].astype(np.float64)
INSIDE = np.s_[20:-20, 20:-20]


def _star(x=70, y=60):
    points = np.zeros(X.shape)
    points[y, x] = 1
    return gaussian_filter(points, FWHM / 2.355)


def test_a_high_pass_takes_a_constant_and_a_slow_wave():
    slow = np.cos(np.pi * (Y + 0.5) / 120)  # as the mirror continues it
    left = fourier_filtered(7 + slow, longest=10)
    assert np.abs(left).max() < 0.02
    assert np.abs(fourier_filtered(np.full(X.shape, 7.0), longest=10)).max() < 1e-5
    assert np.abs(fourier_filtered(7 + slow, longest=10, sharp=True)[INSIDE]).max() < 0.05


@pytest.mark.parametrize(("length", "kept"), [(4, 1 - 2**-6.25), (10, 0.5), (20, 1 - 2**-0.25)])
def test_a_wave_keeps_the_share_that_the_formula_says(length, kept):
    wave = np.cos(2 * np.pi * X / length)
    found = fourier_filtered(wave, longest=10)[INSIDE]
    assert found.max() == pytest.approx(kept * wave[INSIDE].max(), rel=0.03)


def test_a_low_pass_takes_short_waves():
    wave = np.cos(2 * np.pi * X / 4)
    assert fourier_filtered(wave, longest=50, shortest=8)[INSIDE].max() < 0.08
    assert np.abs(fourier_filtered(wave, longest=50, shortest=8, sharp=True)[INSIDE]).max() < 0.1


def test_stripes_are_lines_of_the_spectrum_and_a_star_is_not():
    stripes = 0.5 * np.sign(np.sin(2 * np.pi * (X + 0.3) / 10))
    star = 10 * _star()
    found = fourier_filtered(stripes + star, longest=40, lines=100)
    assert np.abs(found[:40, 20:-20]).max() < 0.1
    assert found[60, 70] > 0.9 * fourier_filtered(star, longest=40)[60, 70]


def test_holes_make_no_sources():
    rng = np.random.default_rng(1)
    image = (5 + 0.02 * X + rng.normal(0, 0.05, X.shape)).astype(np.float32)
    image[:, :70] = np.nan
    empty = np.isnan(image)
    for family in (
        fourier(empty, fwhm_px=FWHM, levels=LEVELS),
        ssa(empty, fwhm_px=FWHM, levels=LEVELS, window=[5, 5]),
    ):
        scores = family.scores(image)
        mask = family.cut(scores, family.thresholds(scores)[0])
        assert not mask[empty].any()
        assert mask[:, 70:73].mean() < 2 * mask[:, 80:].mean()


def test_absolute_values_take_dark_pixels_too():
    image = -_star().astype(np.float32)
    empty = np.zeros(image.shape, bool)
    found = [
        fourier(empty, fwhm_px=FWHM, levels=LEVELS, absolute=absolute).scores(image)[0][60, 70]
        for absolute in (False, True)
    ]
    assert found[0] < 0 < found[1] == pytest.approx(-found[0])


def test_an_image_of_low_rank_leaves_nothing():
    # exp, and a cosine, a plane: rank 1, 2 and 2 in the sense of 2D-SSA
    x, y = X[:40, :50], Y[:40, :50]
    for image, rank in (
        (np.exp(0.01 * x + 0.02 * y), 1),
        (np.cos(0.3 * x), 2),
        (3 + 0.1 * x, 2),
        (3 + 0.1 * x + 0.2 * y, 2),
    ):
        rest = spectrum_components(image, window=(5, 5), first=rank + 1, last=25)
        assert np.abs(rest).max() < 1e-6 * np.abs(image).max()
        first = spectrum_components(image, window=(5, 5), first=1, last=rank)
        assert first == pytest.approx(image, rel=1e-6)


def test_all_components_are_the_image():
    image = np.random.default_rng(3).normal(0, 1, (40, 30))
    for window in ((5, 5), (5, 1), (1, 7)):
        size = window[0] * window[1]
        assert spectrum_components(image, window=window, first=1, last=size) == pytest.approx(image)


def test_components_are_those_of_the_trajectory_matrix():
    """Against a decomposition of the whole matrix and a mean over its windows, step by step."""
    image = np.random.default_rng(4).normal(0, 1, (12, 9)) + 3
    rows, columns = 3, 2
    windows = [
        (y, x)
        for y in range(image.shape[0] - rows + 1)
        for x in range(image.shape[1] - columns + 1)
    ]
    matrix = np.array([image[y : y + rows, x : x + columns].ravel() for y, x in windows])
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    part = (u[:, 1:3] * s[1:3]) @ v[1:3]
    total, count = np.zeros(image.shape), np.zeros(image.shape)
    for (y, x), row in zip(windows, part, strict=True):
        total[y : y + rows, x : x + columns] += row.reshape(rows, columns)
        count[y : y + rows, x : x + columns] += 1
    found = spectrum_components(image, window=(rows, columns), first=2, last=3)
    assert found == pytest.approx(total / count)


def test_windows_with_a_hole_are_left_out():
    image = np.exp(0.01 * X)
    image[30:40, 50:60] = np.nan
    image[:, :3] = np.nan
    image[35, 55] = 1  # in no whole window
    found = spectrum_components(image, window=(5, 5), first=1, last=1)
    known = np.isfinite(image)
    assert np.isnan(found[~known]).all()
    assert np.isnan(found[35, 55])
    known[35, 55] = False
    assert found[known] == pytest.approx(image[known])
    assert np.isnan(spectrum_components(image[:4], window=(5, 5), first=1, last=1)).all()


def test_components_that_do_not_exist():
    with pytest.raises(MaskError, match="which has 25"):
        ssa(np.zeros((9, 9), bool), fwhm_px=FWHM, levels=LEVELS, window=[5, 5], first=2, last=26)
