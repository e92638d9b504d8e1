"""Chance rates against areas that can be computed, corrections against numbers done by hand."""

import numpy as np
import pandas as pd
import pytest
from astropy.stats import binom_conf_interval
from frames import frame_with
from mirimask.evaluation.chance import (
    binomial_p,
    chance_layout,
    chance_row,
    chance_rows,
    corrected_success,
    pool_chance,
    random_positions,
    shifted_catalogue,
)
from mirimask.evaluation.scene import seed_for
from mirimask.intervals import count_interval, mean_interval, ratio_interval, wilson
from mirimask.report.chance import chance_latex, chance_pages, chance_parts
from mirimask.sources.verdicts import literal_verdicts
from scipy import stats

CIRCLE = {"radius_px": 18, "near_px": 25}


def test_chance_of_far_single_pixels_is_the_area_of_their_circles():
    mask = np.zeros((400, 500), bool)
    mask[[100, 100, 300], [100, 300, 200]] = True  # circles neither overlap nor leave the image
    at = random_positions(np.zeros(mask.shape, bool), 20000, seed=1)
    tried = literal_verdicts(at.x, at.y, mask, **CIRCLE)
    row = chance_row(tried, at.group, np.array(["success"]))
    analytic = 3 * np.pi * 18**2 / mask.size
    assert row["chance_low"] < analytic < row["chance_high"]
    assert row["chance_success"] == pytest.approx(analytic, rel=0.1)
    assert row["chance_near"] == pytest.approx(3 * np.pi * (43**2 - 18**2) / mask.size, rel=0.1)
    assert row["n_effective"] == 20000


def test_no_random_position_where_all_is_empty():
    assert random_positions(np.ones((3, 4), bool), 5, seed=1).x.size == 0


def test_random_positions_avoid_empty_pixels_and_repeat():
    empty = np.zeros((50, 60), bool)
    empty[:, :30] = True
    at = random_positions(empty, 500, seed=2)
    assert at.x.min() >= 29.5
    assert at.x.max() <= 59.5
    assert at.y.min() >= -0.5
    assert at.y.max() <= 49.5
    assert np.array_equal(at.x, random_positions(empty, 500, seed=2).x)


def test_shifted_catalogue_keeps_separations_and_leaves_home():
    x, y = np.array([10.0, 13.0, 80.0]), np.array([20.0, 24.0, 90.0])
    empty = np.zeros((200, 150), bool)
    at = shifted_catalogue(x, y, empty, n=2000, smallest_px=30, seed=3)
    sx, sy = at.x.reshape(-1, 3), at.y.reshape(-1, 3)
    assert at.x.size >= 2000
    gap = np.mod(sx[:, 1] - sx[:, 0], 150), np.mod(sy[:, 1] - sy[:, 0], 200)
    assert np.allclose(gap[0], 3)
    assert np.allclose(gap[1], 4)
    dx, dy = np.mod(sx[:, 0] - x[0], 150), np.mod(sy[:, 0] - y[0], 200)
    assert np.hypot(np.minimum(dx, 150 - dx), np.minimum(dy, 200 - dy)).min() > 30
    nothing = shifted_catalogue(x[:0], y[:0], empty, n=2000, smallest_px=30, seed=3)
    assert nothing.x.size == 0


def test_positions_of_one_shift_count_as_one_where_they_always_agree():
    group = np.repeat(np.arange(100), 10)
    tried = np.where(np.arange(100)[group] < 30, "success", "failure")
    row = chance_row(tried, group, np.array(["success"] * 5))
    assert row["n_effective"] == pytest.approx(99, rel=0.02)
    assert row["p_shifts"] == pytest.approx(31 / 101)


def test_success_at_the_chance_rate_is_worth_nothing():
    value, low, high = corrected_success(30, 100, 0.3, 2000)
    assert value == pytest.approx(0)
    assert low < 0 < high
    assert corrected_success(100, 100, 0.3, 2000)[0] == 1
    assert corrected_success(60, 100, 0.2, 1e9)[0] == pytest.approx(0.5)
    # p0 known exactly: the limits are those of S/N, put into the formula
    low, high = wilson(60, 100)
    assert corrected_success(60, 100, 0.2, 1e12)[1:] == pytest.approx(
        ((low - 0.2) / 0.8, (high - 0.2) / 0.8), abs=1e-5
    )
    assert np.isnan(corrected_success(0, 0, 0.3, 2000)).all()
    assert np.isnan(corrected_success(5, 10, 1.0, 2000)).all()
    # by chance one of a hundred sources fails, or less than one
    assert np.isfinite(corrected_success(100, 100, 0.99, 2000)).all()
    assert np.isfinite(corrected_success(10, 10, 0.9, 2000)).all()
    assert np.isnan(corrected_success(100, 100, 0.992, 2000)).all()


def test_binomial_p_by_hand():
    assert binomial_p(2, 3, 0.5) == pytest.approx(0.5)
    assert binomial_p(0, 3, 0.5) == pytest.approx(1)
    # one coin of 1/2 and one of 1/4: both succeed in 1/8, at least one in 1 - 3/8
    assert binomial_p(2, np.array([1, 1]), np.array([0.5, 0.25])) == pytest.approx(1 / 8)
    assert binomial_p(1, np.array([1, 1]), np.array([0.5, 0.25])) == pytest.approx(5 / 8)
    assert binomial_p(0, 0, 0.5) == 1


def test_no_sources_and_no_positions():
    tried = np.array(["success", "failure"])
    row = chance_row(tried, np.arange(2), np.array([], str))
    assert row["chance_success"] == 0.5
    assert np.isnan(row["corrected"])
    assert row["p_value"] == 1
    row = chance_row(np.array([], str), np.array([], int), np.array([], str))
    assert np.isnan(row["chance_success"])
    assert row["n_positions"] == 0


def _table():
    rows = []
    for image, sources, success, rate in (("A", 10, 8, 0.2), ("B", 30, 15, 0.4), ("C", 0, 0, 0.9)):
        tried = np.where(np.arange(1000) < 1000 * rate, "success", "failure")
        given = np.where(np.arange(sources) < success, "success", "failure")
        keys = {"method": "value_1", "domain": "crop", "scorer": "peaks", "positions": "random"}
        rows.append({"image": image, **keys, **chance_row(tried, np.arange(1000), given)})
    return pd.DataFrame(rows)


def test_pooled_chance_weighs_images_by_their_sources():
    (row,) = pool_chance(_table()).to_dict("records")
    assert row["sources"] == 40
    assert row["success"] == 23
    assert row["chance_success"] == pytest.approx((10 * 0.2 + 30 * 0.4) / 40)
    assert row["corrected"] == pytest.approx((23 / 40 - 0.35) / 0.65)
    assert row["chance_low"] < 0.35 < row["chance_high"]
    assert pool_chance(_table().iloc[2:]).empty


def test_images_without_positions_are_not_pooled():
    """Their chance is not known: as 0 it would make the others' sources beat it."""
    table = _table().iloc[:1]
    none = chance_row(np.array([], str), np.array([], int), np.repeat("success", 10))
    (row,) = pool_chance(pd.concat([table, table.assign(image="D", **none)])).to_dict("records")
    assert row["sources"] == 10
    assert row["chance_success"] == pytest.approx(0.2)
    assert row["n_effective"] == pytest.approx(pool_chance(table)["n_effective"].item())


def test_positions_of_one_group_are_as_one():
    row = chance_row(np.array(["success", "failure"]), np.zeros(2, int), np.array(["success"]))
    assert row["n_effective"] == 1
    np.testing.assert_allclose([row["chance_low"], row["chance_high"]], wilson(0.5, 1))


def test_layout_has_a_row_an_image_and_shows_what_is_missing():
    table = _table()
    layout = chance_layout(
        pd.concat([table, pool_chance(table)]).reset_index(drop=True), bold=str.upper
    )
    assert list(layout["Image"]) == ["A", "B", "C", "All"]
    assert layout["Img Top 1 % S_c"][0].startswith("0.75 (")
    assert layout["Img Top 1 % S_c"][2] == "-"
    assert layout["Img Top 1 % p"][2] == "-"


def test_wilson_by_hand_and_as_astropy_has_it():
    low, high = wilson(5, 10)
    z2 = 1.959963984540054**2
    half = np.sqrt(z2 * (0.25 / 10 + z2 / 400)) / (1 + z2 / 10)
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half))
    k, n = np.array([0, 1, 17, 43]), np.array([7, 20, 43, 43])
    assert np.allclose(wilson(k, n), binom_conf_interval(k, n, 0.95, interval="wilson"))
    assert wilson(0, 0) == (0, 1)


def test_count_interval_holds_its_probability():
    low, high = count_interval(np.array([0, 4]))
    assert low[0] == 0
    assert high[0] == pytest.approx(-np.log(0.025))
    assert stats.poisson.sf(3, low[1]) == pytest.approx(0.025)
    assert stats.poisson.cdf(4, high[1]) == pytest.approx(0.025)
    # a mean of several images may be a fraction
    low, _ = count_interval([0.1, 0.25, 0.5])
    assert low.tolist() == pytest.approx((stats.gamma.ppf(0.025, [0.1, 0.25, 0.5])).tolist())
    assert np.isnan(count_interval(np.nan)).all()


def test_ratio_interval_is_fiellers_for_symmetric_intervals():
    low, high = ratio_interval(6, (4, 8), 3, (2, 4))
    # (6 - 3 r)^2 = 2^2 + r^2 at the limits
    for r in (low, high):
        assert (6 - 3 * r) ** 2 == pytest.approx(4 + r**2)
    assert ratio_interval(1, (0, 2), 1, (0, 2)) == (0, np.inf)
    # a denominator of few has an upper limit above twice its value, and the ratio a lower one: 30
    # of 30 + 3 are a share of at least 0.757 (Clopper & Pearson), which is 3.1 to 1
    few = [count_interval(np.array([n])) for n in (30, 3)]
    limits = [(low[0], high[0]) for low, high in few]
    assert ratio_interval(30, limits[0], 3, limits[1])[0] == pytest.approx(3.14, abs=0.01)
    assert np.isnan(ratio_interval(1, (0, 2), 0, (0, 2))).all()


def test_rows_of_a_mask_by_both_scorers_and_positions():
    """A spot without a peak: any pixel of it is a success, by peaks nothing is."""
    mask = np.zeros((200, 250), bool)
    mask[100, 100] = True
    crop = frame_with(np.ones(mask.shape, np.float32))
    peaks = pd.DataFrame({"x": [20], "y": [20], "snr": [9.0]})
    sources = pd.DataFrame({"x": [100.0, 30.0], "y": [110.0, 30.0]})
    given = pd.DataFrame(
        {"verdict": ["failure", "failure"], "verdict_pixels": ["success", "failure"]}
    )
    settings = {"radius": "18 px", "near": "25 px", "min_pixels": 1, "tolerance_fwhm": 1}
    settings["smallest_spot"] = None
    table = chance_rows(
        crop, "A", peaks, sources, [("value_1", "crop", mask, given)],
        **settings, positions=4000, seed=5,
    )  # fmt: skip
    keys = [("peaks", "random"), ("pixels", "random"), ("peaks", "shifted"), ("pixels", "shifted")]
    assert list(zip(table["scorer"], table["positions"], strict=True)) == keys
    rows = table.set_index(["scorer", "positions"])
    assert rows.loc[("peaks", "random"), "chance_success"] == 0
    assert rows["success"].tolist() == [0, 1, 0, 1]
    circle, around = np.pi * np.array([18, 43]) ** 2 / mask.size
    # shifted, the source beside the spot cannot meet it: no shift is that short
    for positions, expected in (("random", circle), ("shifted", circle / 2 / (1 - around))):
        row = rows.loc[("pixels", positions)]
        assert row["chance_success"] == pytest.approx(expected, rel=0.2)
        assert row["n_positions"] >= 4000
    at = random_positions(crop.empty, 4000, seed=seed_for(5, "A", 0))
    share = (literal_verdicts(at.x, at.y, mask, **CIRCLE) == "success").mean()
    assert rows.loc[("pixels", "random"), "chance_success"] == share


def test_the_study_s_own_table_of_chance_comes_first():
    table = pd.concat(
        [
            _table().assign(domain=domain, scorer=scorer, positions=positions)
            for domain in ("crop", "published")
            for scorer in ("peaks", "pixels")
            for positions in ("random", "shifted")
        ],
        ignore_index=True,
    )
    parts = list(chance_parts(table, domains=["published", "crop"], scorer="pixels"))
    assert len(parts) == 8
    title, rows = parts[0]
    assert title.endswith(
        "over the published domain, any pixel of the mask in the circle, p0 at random positions"
    )
    assert set(rows["domain"]) == {"published"}
    assert rows["image"].tolist() == ["A", "B"]  # C has no sources
    page = chance_pages(parts, notes=["circles of 18 px"], simulated=False)
    assert page.count("circles of 18 px") == 1
    assert page.index("circles of 18 px") < page.index(parts[1][0])
    assert "textbf" in chance_latex(rows, simulated=False)
    # of masks without a domain the study's own comes first too, and none is named
    bare = table[table["domain"] == "crop"].assign(domain="")
    title, rows = next(chance_parts(bare, domains=["crop", "published"], scorer="pixels"))
    assert set(rows["scorer"]) == {"pixels"}
    assert title.endswith("p0); any pixel of the mask in the circle, p0 at random positions")
    slices = table[table["domain"] == "crop"]
    assert len(list(chance_parts(slices, domains=["published", "crop"], scorer="peaks"))) == 4


def test_mean_interval_by_hand():
    mean, low, high = mean_interval(np.array([1.0, 2.0, 3.0, 4.0]))
    # Student's t of 3 degrees of freedom, 3.182, times 1.291 / 2
    assert (mean, low, high) == pytest.approx((2.5, 2.5 - 2.054, 2.5 + 2.054), abs=1e-3)
    assert mean_interval(np.array([2.0])) == (2.0, -np.inf, np.inf)
    assert np.isnan(mean_interval(np.array([]))).all()
