"""What a mask leaves in the sky: known answers on constructed scenes."""

import numpy as np
import pandas as pd
import pytest
from mirimask.evaluation.background import (
    SourceStamp,
    TrueSky,
    bright_star_parts,
    ideal_mask,
    light_left,
    pool_use,
    sky_left,
    source_stamps,
    true_sky,
    use_row,
)
from mirimask.image.psf import Psf, on_image
from mirimask.report.use import use_page

SHAPE = (100, 150)


def _scene(light=None, excess=None, observed=None):
    light = np.zeros(SHAPE, np.float32) if light is None else light
    excess = light if excess is None else excess
    observed = np.ones(SHAPE, bool) if observed is None else observed
    return TrueSky(excess, light, observed, 1.0)


def _square(value=10.0):
    """A source of 10 x 10 pixels."""
    light = np.zeros(SHAPE, np.float32)
    light[20:30, 60:70] = value
    return light


def _psf(side=81, over=1):
    """A PSF that is a Gaussian of 1 px."""
    y, x = np.indices((side, side)) - side // 2
    data = np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)
    return Psf(data.astype(np.float32), over, "F770W")


def test_the_true_sky_is_taken_off_and_the_noise_is_the_unit():
    rng = np.random.default_rng(1)
    sky = np.linspace(5, 9, SHAPE[1]) * np.ones(SHAPE)
    light, empty = 3 * _square(), np.zeros(SHAPE, bool)
    empty[:, :20] = True
    data = sky + light + 0.7 + rng.normal(0, 0.5, SHAPE)
    data[:, :20] = np.nan
    true = true_sky(data, light, sky, empty)
    assert true.sigma == pytest.approx(0.5, rel=0.05)
    # the pedestal of 0.7 is sky
    assert np.nanmedian(true.excess[light == 0]) == pytest.approx(0, abs=0.05)
    assert true.excess[20:30, 60:70].mean() == pytest.approx(60, rel=0.05)
    assert true.light[25, 65] == pytest.approx(60, rel=0.05)
    assert not true.observed[:, :20].any()


def test_sky_left_by_hand():
    """100 pixels of 10 in 15000: 1000 / 15000 in all, 1000 / 2500 in the box they are in."""
    true = _scene(_square())
    nothing = np.zeros(SHAPE, bool)
    found = sky_left(true, nothing)
    assert found["sky_mean"] == pytest.approx(1000 / 15000)
    assert found["sky_median"] == 0
    assert found["sky_worst"] == pytest.approx(1000 / 2500)
    half = nothing.copy()
    half[20:30, 60:65] = True
    found = sky_left(true, half)
    assert found["sky_mean"] == pytest.approx(500 / 14950)
    assert found["sky_worst"] == pytest.approx(500 / 2450)
    assert sky_left(true, _square() > 0) == {"sky_median": 0, "sky_mean": 0, "sky_worst": 0}


def test_a_box_of_which_little_is_left_is_no_box():
    true = _scene(_square())
    mask = np.zeros(SHAPE, bool)
    mask[:50, 50:100] = True
    mask[20:30, 60:70] = False  # 4 % of its box
    assert sky_left(true, mask)["sky_worst"] == 0
    assert sky_left(true, mask)["sky_mean"] == pytest.approx(1000 / (15000 - 2400))


def test_everything_masked_leaves_nothing_to_measure():
    found = sky_left(_scene(_square()), np.ones(SHAPE, bool))
    assert np.isnan(list(found.values())).all()


def test_the_ideal_mask_takes_the_brightest_pixels():
    light = np.arange(SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)
    observed = np.ones(SHAPE, bool)
    observed[-1] = False  # the brightest are empty
    ideal = ideal_mask(_scene(light, observed=observed), 300)
    assert ideal.sum() == 300
    assert ideal[-3:-1].all()
    assert not ideal_mask(_scene(light), 0).any()


def test_light_left_by_hand():
    light = np.full((11, 11), 1 / 121, np.float32)
    stamps = [
        SourceStamp("star", 19.0, 9.0, np.s_[10:21, 30:41], light),
        SourceStamp("galaxy", 22.0, 1.0, np.s_[50:61, 30:41], light),
    ]
    covered = np.zeros(SHAPE, bool)
    covered[10:21, 30:40] = True  # all of the star but one column of 11
    seen = np.ones(SHAPE, bool)
    left = light_left(stamps, covered, seen)
    assert left["left"].to_list() == pytest.approx([1 / 11, 1])
    seen[10:21, 30:35] = False  # of 6 observed columns of the star 1 is outside, whatever is masked
    seen[50:61, 30:41] = False  # nothing of the galaxy
    assert light_left(stamps, covered, seen)["left"].to_list() == pytest.approx([1 / 6])
    assert light_left(stamps, covered & seen, seen)["left"].to_list() == pytest.approx([1 / 6])
    row = use_row(_scene(_square()), covered, stamps, middle_ab=24.5)
    assert row["stars_left"] == pytest.approx(1 / 11)
    assert row["galaxies_left"] == pytest.approx(1)
    assert row["stars_18_20"] == pytest.approx(1 / 11)
    assert np.isnan(row["stars_20_22"])
    assert row["galaxies_21_23"] == pytest.approx(1)
    two = [*stamps, SourceStamp("star", 21.0, 1.0, np.s_[50:61, 80:91], light)]
    row = use_row(_scene(_square()), covered, two, middle_ab=24.5)
    assert row["stars_left"] == pytest.approx((1 / 11 + 1) / 2)
    assert row["stars_pooled"] == pytest.approx((9 / 11 + 1) / 10)
    edge = [SourceStamp("star", 20.0, 1.0, np.s_[50:61, 80:91], light)]  # of the second alone
    row = use_row(_scene(_square()), covered, edge, middle_ab=24.5)
    assert np.isnan(row["stars_18_20"])
    assert row["stars_20_22"] == pytest.approx(1)


def test_waste_and_area_by_hand():
    mask = np.zeros(SHAPE, bool)
    mask[20:30, 60:80] = True  # half of it on the source
    observed = np.ones(SHAPE, bool)
    observed[:, :50] = False
    row = use_row(_scene(_square(), observed=observed), mask, [], middle_ab=24.5)
    assert row["waste"] == pytest.approx(0.5)
    assert row["area"] == pytest.approx(200 / 10000)
    assert row["ideal_mean"] == 0
    assert np.isnan(use_row(_scene(_square()), np.zeros(SHAPE, bool), [], middle_ab=24.5)["waste"])


def test_stamps_are_the_light_of_the_sources():
    truth = pd.DataFrame(
        {
            "kind": ["star", "galaxy", "star", "star"],
            "ab_mag": [19.0, 20.0, 23.0, 18.5],
            "flux": [90.0, 40.0, 2.0, 140.0],
            "x": [60.25, 100.0, 20.0, 0.0],
            "y": [40.5, 60.0, 20.0, 50.0],
            "half_light_radius": [0, 4.0, 0, 0],
            "sersic_n": [0, 1.0, 0, 0],
            "axis_ratio": [1, 0.5, 1, 1],
            "position_angle": [0, 90.0, 0, 0],
        }
    )
    stamps = source_stamps(truth, _psf(), SHAPE, middle_ab=24.5)
    assert [one.kind for one in stamps] == ["star", "galaxy", "star"]  # 23 AB: too faint
    brighter = source_stamps(
        truth.assign(ab_mag=truth["ab_mag"] - 5), _psf(), SHAPE, middle_ab=19.5
    )
    assert [one.kind for one in brighter] == ["star", "galaxy", "star"]
    assert {"stars_13_15", "galaxies_16_18"} <= set(
        use_row(_scene(_square()), np.zeros(SHAPE, bool), brighter, middle_ab=19.5)
    )
    for one in stamps:
        assert one.light.shape == tuple(side.stop - side.start for side in one.part)
        assert one.light.sum() == pytest.approx(1, rel=1e-3)
    rows, columns = np.indices(SHAPE)
    star = stamps[0]
    for axis, centre in ((rows, 40.5), (columns, 60.25)):
        assert (axis[star.part] * star.light).sum() == pytest.approx(centre, abs=0.02)
    galaxy = stamps[1]
    spread = [
        ((axis[galaxy.part] - centre) ** 2 * galaxy.light).sum()
        for axis, centre in ((rows, 60), (columns, 100))
    ]
    assert spread[0] > 2 * spread[1]  # it is long in y
    assert stamps[2].part[1].start == 0


def test_pooling_and_the_page():
    rows = [
        {"image": image, "method": method, "domain": np.nan}
        | use_row(
            _scene(_square(value)),
            _square() > (0 if method == "recommended" else 99),
            [],
            middle_ab=24.5,
        )
        for image, value in (("A", 10.0), ("B", 20.0))
        for method in ("value_1", "recommended")
    ]
    pooled = pool_use(pd.DataFrame(rows)).set_index("method")
    assert pooled.loc["value_1", "sky_mean"] == pytest.approx(1500 / 15000)
    assert pooled.loc["recommended", "sky_mean"] == 0
    table = pd.concat([pd.DataFrame(rows), pool_use(pd.DataFrame(rows))])
    page = use_page(table, middle_ab=24.5)
    assert page.index("**recommended**") < page.index("Img Top 1 %")
    assert "mean over stars of 18 to 22 AB and galaxies of 18 to 23 AB; wings and spikes" in page
    assert "spikes of stars of 18.5 AB and brighter" in page
    assert "| Img Top 1 % | 0.0 | 0.000 | 0.100 |" in page


def test_wings_and_spikes_of_a_bright_star_by_hand():
    """A Gaussian, and along the row and the column a light of 1e-4 from 3 FWHM to 30 px."""
    y, x = np.indices((141, 141)) - 70
    data = np.exp(-(x**2 + y**2) / 2) / (2 * np.pi) + 1e-6
    arms = ((x == 0) | (y == 0)) & (np.hypot(x, y) <= 30)
    data[arms] += 1e-4
    psf = Psf(data.astype(np.float32), 1, "F770W")
    truth = pd.DataFrame(
        {"kind": ["star", "star"], "ab_mag": [17.0, 20.0], "flux": 1.0, "x": 75.0, "y": 50.0}
    )
    parts = bright_star_parts(truth, psf, SHAPE, middle_ab=24.5, fwhm_px=2.5)
    assert [part.kind for part in parts] == ["spikes", "wings"]  # of the bright star alone
    covered = np.zeros(SHAPE, bool)
    covered[50, :] = True  # the row, one of the two arms
    left = light_left(parts, covered, np.ones(SHAPE, bool)).set_index("kind")["left"]
    assert left["spikes"] == pytest.approx(0.5, abs=0.01)
    assert left["wings"] > 0.98
    row = use_row(_scene(_square()), covered, parts, middle_ab=24.5)
    assert row["spikes_left"] == pytest.approx(left["spikes"])
    assert row["wings_left"] == pytest.approx(left["wings"])
    assert np.isnan(row["stars_left"])


def test_the_light_alone_has_no_noise_in_it():
    rng = np.random.default_rng(3)
    light = _square(0.5)
    true = _scene(light, excess=(light + rng.standard_normal(SHAPE)).astype(np.float32))
    brightest = true.excess > 1.5
    row = use_row(true, brightest, [], middle_ab=24.5)
    assert row["sky_mean"] < -0.05
    assert row["light_mean"] == pytest.approx(light[~brightest].mean())
    assert row["ideal_light"] == 0  # the ideal mask of that area has all light


@pytest.mark.parametrize("top", [-300, -121, 100, 300])
def test_a_stamp_beside_the_image_has_no_pixel_on_it(top):
    part, inside = on_image(top, 20, (121, 121), SHAPE)
    assert np.zeros(SHAPE)[part].shape == np.zeros((121, 121))[inside].shape == (0, 121)
    part, inside = on_image(-20, 100, (121, 121), SHAPE)
    assert (part, inside) == (np.s_[0:100, 100:150], np.s_[20:120, 0:50])


def test_a_source_beside_the_image_is_not_followed():
    truth = pd.DataFrame(
        {"kind": "star", "ab_mag": 20.0, "flux": 1.0, "x": [75.0, -300.0, 500.0], "y": 50.0}
    )
    stamps = source_stamps(truth, _psf(), SHAPE, middle_ab=24.5)
    assert len(stamps) == 1
