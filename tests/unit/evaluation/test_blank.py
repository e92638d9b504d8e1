"""Blank images: what of an image stays in them, and what does not."""

import numpy as np
import pandas as pd
import pytest
from mirimask.errors import MaskError
from mirimask.evaluation.blank import (
    _bright_stars,
    blank_images,
    correlated_noise,
    sharp_events,
    spectral_lines,
)
from mirimask.evaluation.stars import StarStamps, inject
from mirimask.image.psf import Psf
from scipy.ndimage import gaussian_filter

SHAPE = (240, 260)
FWHM = 2.445
NOWHERE = np.zeros(SHAPE, bool)
STARS = [(60, 60), (180, 80), (110, 170)]


@pytest.fixture(scope="module")
def stamps():
    y, x = np.mgrid[-160:161, -160:161] / 4
    light = np.exp(-0.5 * (x**2 + y**2) / 0.9**2) + 2e-3 * np.exp(-np.hypot(x, y) / 8)
    return StarStamps(Psf(light.astype(np.float32), 4, "F770W"), pixel_scale_arcsec=0.11, half=38)


def _sky(seed=0, scatter=0.1, correlation=0.6):
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), correlation)
    return (6 + scatter * noise / noise.std()).astype(np.float32)


def _blank(data, stamps, empty=NOWHERE, number=1, seed=1):
    return blank_images(
        data, empty, fwhm_px=FWHM, stamps=stamps, number=number, rng=np.random.default_rng(seed)
    )


def _scatter(image):
    return 1.4826 * np.nanmedian(np.abs(image - np.nanmedian(image)))


def _lag(image, dy, dx):
    """Autocorrelation at a lag, without what varies slowly."""
    flat = image - gaussian_filter(image, 8)
    ny, nx = flat.shape
    return np.corrcoef(flat[dy:, dx:].ravel(), flat[: ny - dy, : nx - dx].ravel())[0, 1]


def test_noise_keeps_its_scatter_and_its_correlation(stamps):
    image = _sky()
    first, second = _blank(image, stamps, number=2).images
    for blank in (first, second):
        assert _scatter(blank) == pytest.approx(_scatter(image), rel=0.06)
        for lag in ((0, 1), (1, 0), (1, 1), (0, 2), (0, 4)):
            assert _lag(blank, *lag) == pytest.approx(_lag(image, *lag), abs=0.06)
    # drawn again: what they share with the image and each other is its smoothed sky alone
    for one, other in ((first, image), (first, second)):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] < 0.5


def test_the_same_seed_gives_the_same_noise(stamps):
    image = _sky()
    first, again, other = (_blank(image, stamps, seed=seed).images[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_faint_sources_go_and_bright_stars_stay(stamps):
    x, y = np.array(STARS, float).T
    faint = np.array([[30.0, 200.0], [210.0, 200.0], [130.0, 40.0]])
    image = inject(_sky(), x, y, np.full(3, 150.0), stamps)
    image = inject(image, *faint.T, np.full(3, 5.0), stamps)  # 8 sigma in the brightest pixel
    blank = _blank(image, stamps)
    (found,) = blank.images
    bright = blank.sources[[tuple(at) in STARS for at in blank.sources.astype(int)]]
    assert len(bright) == 3
    for column, row in STARS:
        part = np.s_[row - 8 : row + 9, column - 8 : column + 9]
        light, own = image[part].sum() - 289 * 6, found[part].sum() - 289 * 6
        assert own == pytest.approx(light, rel=0.1)
    for column, row in faint.astype(int):
        assert image[row, column] > 6.6
        assert found[row, column] < 6.4


def test_clouds_stay_down_to_the_width_of_the_psf(stamps):
    y, x = np.indices(SHAPE)
    cloud = 2 * np.exp(-0.5 * ((x - 120) ** 2 + (y - 100) ** 2) / 14**2)
    (found,) = _blank((_sky() + cloud).astype(np.float32), stamps).images
    assert found[95:106, 115:126].mean() == pytest.approx(7.9, abs=0.15)


def test_cosmic_rays_are_sharper_than_stars(stamps):
    image = _sky()
    image[50, 50] += 1.2  # one pixel of 12 sigma
    image[150:152, 100:102] += 1.2  # one detector pixel on four of the image's
    image = inject(image, np.array([200.0]), np.array([90.0]), np.array([7.0]), stamps)
    events = sharp_events(image - 6, np.full(SHAPE, 0.1), fwhm_px=FWHM)
    assert events[50, 50]
    assert events[150:152, 100:102].any()
    assert not events[87:94, 197:204].any()
    (found,) = _blank(image, stamps).images
    np.testing.assert_array_equal(found[48:53, 48:53], image[48:53, 48:53])
    np.testing.assert_array_equal(found[150:152, 100:102], image[150:152, 100:102])


def test_empty_pixels_stay_empty_and_weigh_nothing(stamps):
    empty = NOWHERE.copy()
    empty[:, :40] = True
    image = _sky()
    image[empty] = 0
    image[100, 100] = np.nan
    (found,) = _blank(image, stamps, empty).images
    assert np.isnan(found[empty]).all()
    assert np.isnan(found).sum() == empty.sum() + 1
    assert np.nanmedian(found[:, 40:44]) == pytest.approx(6, abs=0.05)


def test_no_noise_gives_none():
    rng = np.random.default_rng(0)
    (still,) = correlated_noise(
        np.zeros((30, 40)), np.ones((30, 40), bool), reach_px=5, smoothed_px=2, number=1, rng=rng
    )
    assert not still.any()


def test_white_noise_stays_white():
    rng = np.random.default_rng(0)
    white = rng.normal(size=SHAPE)
    (drawn,) = correlated_noise(white, ~NOWHERE, reach_px=12, smoothed_px=0, number=1, rng=rng)
    assert drawn.std() == pytest.approx(1, rel=0.03)
    assert _lag(drawn, 0, 1) == pytest.approx(0, abs=0.03)


def test_a_mesh_stays_where_it_is(stamps):
    """Drawn again it would be noise of many amplitudes, and reach further than the mesh does."""
    y, x = np.indices(SHAPE)
    mesh = 0.15 * (np.sin(2 * np.pi * x / 10) + np.sin(2 * np.pi * y / 10))
    noise = _sky() - 6
    lines = spectral_lines((noise + mesh) / 0.1, ~NOWHERE, reach_px=12)
    assert np.corrcoef(lines.ravel(), mesh.ravel())[0, 1] > 0.95
    assert lines.std() == pytest.approx(mesh.std() / 0.1, rel=0.25)
    assert not spectral_lines(noise / 0.1, ~NOWHERE, reach_px=12).any()
    # a frame of which a corner is known, with a period that is no whole part of it: the same mesh
    known = (y < 170) & (x < 150)
    mesh_7 = 0.15 * (np.sin(2 * np.pi * x / 7.3) + np.sin(2 * np.pi * y / 7.3))
    lines = spectral_lines(np.where(known, noise + mesh_7, 0) / 0.1, known, reach_px=12)
    assert lines[known].std() == pytest.approx(mesh_7[known].std() / 0.1, rel=0.15)
    assert (lines - mesh_7 / 0.1)[known].std() < 0.5  # of the scatter of the noise
    (found,) = _blank((6 + noise + mesh).astype(np.float32), stamps).images
    assert np.corrcoef((found - noise).ravel(), mesh.ravel())[0, 1] > 0.5
    assert _scatter(found) == pytest.approx(_scatter(noise + mesh), rel=0.1)


def test_an_image_full_of_sources_says_so(stamps):
    image = np.full((24, 24), 6, np.float32)
    image += np.random.default_rng(0).normal(0, 0.1, image.shape).astype(np.float32)
    empty = np.ones(image.shape, bool)
    with pytest.raises(MaskError):
        _blank(image, stamps, empty)


def test_a_peak_with_nothing_above_the_sky_is_no_star(stamps):
    """On steep clouds the filtered image can have a peak where the image lies below its sky."""
    peaks = pd.DataFrame({"x": [30, 60], "y": [30, 60], "snr": [900.0, 800.0]})
    excess = np.full((90, 90), -0.5, np.float32)
    excess[60, 60] = 40
    stars, real = _bright_stars(
        excess, peaks, stamps, empty=np.zeros(excess.shape, bool), bright=300
    )
    assert real.tolist() == [[60, 60]]
    assert np.isfinite(stars).all()


def test_a_star_without_a_middle_is_put_back_by_the_light_around(stamps):
    """The pixels beside the empty ones are too low, as some exposures were saturated there."""
    data = _sky() + inject(np.zeros(SHAPE, np.float32), [130.3], [110.2], [3e5], stamps)
    y, x = np.indices(SHAPE)
    away = np.hypot(x - 130.3, y - 110.2)
    data[away < 6] *= 0.5
    empty = (away < 4) | (np.hypot(x - 60, y - 50) < 4)  # and a cluster of dead pixels
    stars, real = _bright_stars(
        data - 6, pd.DataFrame(columns=["x", "y", "snr"]), stamps, empty=empty, bright=50
    )
    assert real == pytest.approx(np.array([[130.3, 110.2]]), abs=0.3)
    assert stars.sum() == pytest.approx(3e5 * stamps.of(0, 0, half=stamps.most).sum(), rel=0.1)
    assert not stars[:, :80].any()
