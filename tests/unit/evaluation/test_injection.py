"""Injection and recovery: light is conserved, curves give back what they were made from."""

import numpy as np
import pandas as pd
import pytest
from frames import frame_with
from mirimask.errors import MaskError
from mirimask.evaluation.completeness_fit import bootstrap_depths, fit_completeness, logistic
from mirimask.evaluation.recovery import (
    measurable_images,
    pool_recovery,
    recover,
    recovery_by_magnitude,
    summarize_recovery,
)
from mirimask.evaluation.stars import (
    StarStamps,
    ab_to_mjy_sr,
    draw_positions,
    free_pixels,
    inject,
)
from mirimask.image.psf import Psf
from mirimask.masks.make import make_masks
from mirimask.sources.spots import brightest_pixels, has_match
from scipy.optimize import curve_fit

PIXAR_SR = 2.84404e-13
MAGNITUDES = np.arange(21, 27.1, 0.5)


@pytest.fixture(scope="module")
def stamps():
    y, x = np.mgrid[-80:81, -80:81] / 4
    return StarStamps(
        Psf(np.exp(-0.5 * (x**2 + y**2) / 1.02**2).astype(np.float32), 4, "F770W"),
        pixel_scale_arcsec=0.11,
        half=20,
    )


def _sky(shape=(300, 320), seed=3):
    return np.random.default_rng(seed).normal(6, 0.05, shape).astype(np.float32)


@pytest.mark.parametrize("magnitude", [20.0, 24.3])
def test_the_added_light_is_the_flux(stamps, magnitude):
    image = np.zeros((200, 200), np.float32)
    added = inject(
        image, [80.3, 120.0], [99.6, 61.4], np.full(2, ab_to_mjy_sr(magnitude, PIXAR_SR)), stamps
    )
    jansky = added.sum() * 1e6 * PIXAR_SR
    assert jansky == pytest.approx(2 * 10 ** ((8.90 - magnitude) / 2.5), rel=2e-3)
    assert not image.any(), "the image given is left as it was"


@pytest.mark.parametrize("scale", [0.11, 0.08])
def test_light_is_conserved_at_any_pixel_scale(scale):
    y, x = np.mgrid[-80:81, -80:81] / 4
    psf = Psf(np.exp(-0.5 * (x**2 + y**2)).astype(np.float32), 4, "F770W")
    star = StarStamps(psf, pixel_scale_arcsec=scale, half=24)
    assert star.of(0.0, 0.0).sum() == pytest.approx(1, rel=6e-3)
    assert star.of(0.37, -0.5).sum() == pytest.approx(1, rel=6e-3)


def test_a_star_is_where_it_is_asked_for(stamps):
    added = inject(np.zeros((60, 60), np.float32), [30.25], [22.75], [1.0], stamps)
    y, x = np.indices(added.shape)
    assert (added * x).sum() / added.sum() == pytest.approx(30.25, abs=0.01)
    assert (added * y).sum() / added.sum() == pytest.approx(22.75, abs=0.01)


def test_stars_at_the_rim_and_on_nan(stamps):
    image = np.zeros((40, 40), np.float32)
    image[10, 10] = np.nan
    added = inject(image, [0.0, 10.0, 200.0], [0.0, 10.0, 200.0], [1.0, 1.0, 1.0], stamps)
    assert np.isnan(added[10, 10])
    assert np.isnan(added).sum() == 1
    assert added[0, 0] > 0


def test_positions_keep_their_distance_and_are_the_same_again():
    allowed = np.zeros((100, 120), bool)
    allowed[20:80, 30:90] = True
    first, again = (
        draw_positions(allowed, 30, separation_px=8, rng=np.random.default_rng(4)) for _ in range(2)
    )
    assert np.array_equal(first, again)
    assert len(first) > 15
    distance = np.hypot(*(first[:, None] - first[None]).transpose(2, 0, 1))
    assert distance[~np.eye(len(first), dtype=bool)].min() >= 8
    column, row = np.rint(first.T).astype(int)
    assert allowed[row, column].all()


def test_no_place_is_said():
    with pytest.raises(MaskError, match="no place"):
        draw_positions(np.zeros((9, 9), bool), 3, separation_px=2, rng=np.random.default_rng(0))


def test_free_pixels_keep_off_sources_rim_and_holes():
    empty = np.zeros((60, 60), bool)
    empty[:, 50:] = True
    free = free_pixels(empty, np.array([20.0, 500.0]), np.array([30.0, 5.0]), distance_px=5)
    assert not free[30, 20]
    assert not free[30, 24]
    assert free[30, 25]
    assert not free[3, 10]
    assert free[4, 10]  # the rim lies at -1
    assert not free[30, 46]
    assert not free[:, 50:].any()


### the fit ########################################################################################


@pytest.mark.parametrize(("c0", "m50", "w"), [(1.0, 24.6, 0.25), (0.85, 23.9, 0.4)])
def test_a_noiseless_curve_gives_its_parameters_back(c0, m50, w):
    n = np.full(MAGNITUDES.size, 1e6)
    fit = fit_completeness(MAGNITUDES, n * logistic(MAGNITUDES, c0, m50, w), n)
    assert (fit.c0, fit.m50, fit.w) == pytest.approx((c0, m50, w), abs=2e-3)
    assert fit.m80 == pytest.approx(m50 + w * np.log(c0 / 0.8 - 1), abs=5e-3)
    assert logistic(fit.m80, fit.c0, fit.m50, fit.w) == pytest.approx(0.8, abs=1e-6)


def test_fits_are_those_of_least_squares_where_the_plateau_is_all_stars():
    """The plateau ends at 1: there it may stay, and the other two go on to their best."""
    rng = np.random.default_rng(3)
    n = np.full(MAGNITUDES.size, 60)
    for m50, w in rng.uniform([23.0, 0.1], [25.5, 0.5], (30, 2)):
        k = rng.binomial(60, logistic(MAGNITUDES, 1.0, m50, w))
        sigma = np.sqrt((k + 1) / 62 * (61 - k) / 62 / 60)
        found, _ = curve_fit(
            logistic,
            MAGNITUDES,
            k / n,
            p0=(0.95, m50, w),
            sigma=sigma,
            bounds=([0, MAGNITUDES[0] - 1, 0.02], [1, MAGNITUDES[-1] + 1, 3]),
        )
        fit = fit_completeness(MAGNITUDES, k, n)
        assert (fit.c0, fit.m50, fit.w) == pytest.approx(tuple(found), abs=2e-3)


@pytest.mark.parametrize("last", [0, 24])
def test_where_a_fall_lies_between_two_magnitudes_is_not_known_better(last):
    """Of the magnitude after the last that is complete none are found, or an eighth."""
    n = np.full(MAGNITUDES.size, 200)
    at = np.flatnonzero(MAGNITUDES > 24.2)[0]
    k = np.where(MAGNITUDES < 24.2, 200, 0)
    k[at] = last
    limits = bootstrap_depths(MAGNITUDES, k, n, draws=50, rng=np.random.default_rng(1))
    for name in ("m50", "m80"):
        ends = limits[f"{name}_low"], limits[f"{name}_high"]
        assert ends == (MAGNITUDES[at - 1], MAGNITUDES[at])


def test_a_fall_that_ends_above_a_half_has_a_depth_where_it_crosses_80_percent():
    """Of the faintest 70 % are found: between 90 % and that a line crosses 80 % in the middle."""
    n, share = np.full(MAGNITUDES.size, 1000), np.ones(MAGNITUDES.size)
    share[-2:] = 0.9, 0.7
    fit = fit_completeness(MAGNITUDES, n * share, n)
    assert np.isnan([fit.c0, fit.m50, fit.w]).all()
    assert fit.m80 == pytest.approx(MAGNITUDES[-2:].mean())
    limits = bootstrap_depths(MAGNITUDES, n * share, n, draws=200, rng=np.random.default_rng(1))
    assert MAGNITUDES[-2] < limits["m80_low"] < fit.m80 < limits["m80_high"] < MAGNITUDES[-1]
    assert np.isnan([limits["m50_low"], limits["m50_high"]]).all()
    share[-1] = 0.85  # the faintest are found too
    assert np.isnan(fit_completeness(MAGNITUDES, n * share, n).m80)


def test_a_curve_that_never_reaches_80_percent_has_no_m80():
    n = np.full(MAGNITUDES.size, 1e6)
    fit = fit_completeness(MAGNITUDES, n * logistic(MAGNITUDES, 0.6, 24, 0.3), n)
    assert np.isnan(fit.m80)
    assert fit.m50 == pytest.approx(24, abs=0.01)


def test_80_percent_before_the_brightest_stars_are_not_known():
    """Of the brightest stars 70 % are found: to say where 80 % are would be to guess."""
    n = np.full(MAGNITUDES.size, 200)
    first = MAGNITUDES[0]
    share = logistic(MAGNITUDES, 1.0, first + 0.3, 0.4)
    assert 0.6 < share[0] < 0.7
    assert np.isnan(fit_completeness(MAGNITUDES, n * share, n).m80)
    # of a curve just above, draws that never reach 80 % leave the brighter limit unknown
    share = logistic(MAGNITUDES, 0.82, 24.0, 0.3)
    rng = np.random.default_rng(1)
    limits = bootstrap_depths(MAGNITUDES, np.round(n * share), n, draws=200, rng=rng)
    assert np.isnan(limits["m80_low"])
    assert 22 < limits["m80_high"] < 24


def test_images_of_different_depth_have_no_common_curve():
    """Half of the stars are found to 23, half to 25.5: by hand, 80 % of all at 22.90."""
    n = np.full(MAGNITUDES.size, 100_000)
    each = [logistic(MAGNITUDES, 1.0, m50, 0.25) for m50 in (23.0, 25.5)]
    counts = np.round(n * np.mean(each, axis=0))
    # 1 / (1 + exp((m - 23) / 0.25)) is 0.6 where exp is 2 / 3, at 23 + 0.25 log(2 / 3) = 22.90
    truth = 23 + 0.25 * np.log(2 / 3)
    fit = fit_completeness(MAGNITUDES, counts, n, mixed=True)
    step = np.diff(MAGNITUDES).max()
    assert fit.m80 == pytest.approx(truth, abs=0.2 * step)
    assert np.isnan([fit.c0, fit.m50, fit.w]).all()
    rng = np.random.default_rng(1)
    limits = bootstrap_depths(MAGNITUDES, counts, n, draws=50, rng=rng, mixed=True)
    assert limits["m80_low"] <= fit.m80 <= limits["m80_high"]
    never = fit_completeness(MAGNITUDES, np.round(0.7 * n), n, mixed=True)
    always = fit_completeness(MAGNITUDES, n, n, mixed=True)
    assert np.isnan([never.m80, always.m80]).all()


@pytest.mark.parametrize("share", [0.0, 0.03, 1.0])
def test_a_curve_without_a_fall_is_not_fitted(share):
    n = np.full(MAGNITUDES.size, 200)
    assert np.isnan(fit_completeness(MAGNITUDES, n * share, n).m50)


def test_an_image_without_stars_is_not_pooled():
    """Of A and B half the stars, together with a nebula a third: only the first is right."""
    depths = pd.DataFrame(
        {
            "image": ["A", "A", "nebula", "nebula", "loud"],
            "method": ["m", "n", "m", "n", "n"],
            "m80": [24.0, np.nan, np.nan, 22.0, 22.0],
            "beyond": False,
            "chance": [0.05, 0.0, 0.0, 0.06, 0.6],  # 22.0 in the nebula is chance
        }
    )
    assert measurable_images(depths) == ["A", "loud"]
    assert measurable_images(depths[:0]) == []
    assert measurable_images(depths, as_faint_as=depths["m80"].max() + 0.1) == []
    # an image whose faintest stars are found too is the deepest of all
    deep = depths.assign(beyond=(depths["image"] == "nebula") & (depths["chance"] == 0))
    assert measurable_images(deep, as_faint_as=25) == ["nebula"]
    rows = [
        {"image": i, "method": "m", "magnitude": at, "n": 10, "n_covered": k, "n_recovered": k}
        | {"completeness": k / 10, "low": 0.0, "high": 1.0, "chance": 0.0, "simulated": False}
        for i, counts in (("A", (6, 1)), ("B", (4, 0)))
        for at, k in zip((24.0, np.inf), counts, strict=True)
    ]
    table = pd.DataFrame(rows)
    pooled = pool_recovery(table, name="all").set_index("magnitude")
    assert pooled.loc[24.0, ["n", "n_recovered", "completeness"]].to_list() == [20, 10, 0.5]
    assert pooled["chance"].to_list() == [0.05, 0.05]
    assert set(pooled["image"]) == {"all"}
    assert list(pool_recovery(table, name="all").columns) == list(table.columns)


def test_a_stamp_reaches_as_far_on_the_sky_at_any_pixel_scale():
    psf = Psf(np.ones((9, 9), np.float32), 4, "F770W")
    for scale, half in ((0.11, 40), (0.04, 110), (0.08, 55)):
        assert StarStamps(psf, pixel_scale_arcsec=scale).half == half


def test_bootstrap_interval_holds_the_truth():
    n = np.full(MAGNITUDES.size, 200)
    rng = np.random.default_rng(8)
    k = rng.binomial(n, logistic(MAGNITUDES, 0.97, 24.5, 0.3))
    limits = bootstrap_depths(MAGNITUDES, k, n, draws=100, rng=rng)
    assert limits["m50_low"] < 24.5 < limits["m50_high"]
    assert limits["m50_high"] - limits["m50_low"] < 0.3
    assert limits["m80_low"] < limits["m80_high"] < limits["m50_high"]


### recovery #######################################################################################


def _crop(image):
    return frame_with(image, ~np.isfinite(image))


def _recovered(stamps, image, methods, magnitudes, stars=40):
    empty = ~np.isfinite(image)
    return recover(
        _crop(image),
        methods,
        stamps,
        allowed=free_pixels(empty, np.zeros(0), np.zeros(0), distance_px=8),
        magnitudes=magnitudes,
        stars=stars,
        each=5,
        separation_px=25,
        tolerance_px=2.445,
        pixar_sr=PIXAR_SR,
        rng=np.random.default_rng(5),
    )


def test_bright_stars_are_recovered_and_dark_ones_only_by_chance(stamps):
    methods = ["value_1", "derivative_0.3", "cores", "value_1_and_derivative_0.3"]
    image = _sky()
    table = recovery_by_magnitude(_recovered(stamps, image, methods, [21.0, 28.0]))
    bright = table[table["magnitude"] == 21].set_index("method")
    # a star where a spot was before has none of its own
    assert (bright["completeness"] > 0.9 * (1 - bright["chance"]) - 0.05).all()
    assert bright.loc["cores", "completeness"] > 0.97
    dark = table[np.isinf(table["magnitude"])].set_index("method")
    # at zero flux, what is covered is what random positions find
    rng = np.random.default_rng(1)
    anywhere = rng.uniform(8, 290, (4000, 2))
    for name, (mask, _) in make_masks(_crop(image), methods).items():
        chance = has_match(anywhere, brightest_pixels(mask, image), 2.445).mean()
        n = dark.loc[name, "n"]
        assert dark.loc[name, "chance"] == pytest.approx(
            chance, abs=4 * np.sqrt(chance * (1 - chance) / n) + 0.03
        )
    assert (dark["n_recovered"] <= dark["n_covered"]).all()
    assert dark["completeness"].max() < 0.06


def test_counts_and_intervals(stamps):
    table = recovery_by_magnitude(_recovered(stamps, _sky(), ["value_1"], [22.0, 25.0]))
    assert (table["n"] >= 40).all()
    assert (table["low"] <= table["completeness"]).all()
    assert (table["completeness"] <= table["high"]).all()


def test_the_same_again(stamps):
    one, two = (_recovered(stamps, _sky(), ["value_1"], [24.0], stars=10) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


def test_empty_corners_take_no_stars(stamps):
    image = _sky()
    image[:150] = np.nan
    table = _recovered(stamps, image, ["value_1", "segmentation", "cores"], [21.0], stars=10)
    lit = table[np.isfinite(table["magnitude"])]
    assert lit.groupby("method")["recovered"].mean().loc["cores"] > 0.9


def test_the_published_domain_is_refused(stamps):
    with pytest.raises(MaskError, match="published frame"):
        _recovered(stamps, _sky(), ["value_1_or_derivative_1@published"], [22.0])


def _recovery(image, c0, m50=24.5):
    """Rows of an image in which c0 of the bright stars are found, and no star without light."""
    magnitudes = np.append(MAGNITUDES, np.inf)
    share = np.append(logistic(MAGNITUDES, c0, m50, 0.25), 0.0)
    found = np.round(1000 * share).astype(int)
    return pd.DataFrame(
        {"image": image, "method": "m", "magnitude": magnitudes, "n": 1000, "n_covered": found}
        | {"n_recovered": found, "completeness": found / 1000, "low": 0.0, "high": 1.0}
        | {"chance": 0.0, "simulated": True}
    )


def test_an_image_deeper_than_all_stars_is_measured():
    _, depths, measured = summarize_recovery(_recovery("A", 1.0, 40.0), draws=20, seed=1)
    assert measured == ["A"]
    assert np.isnan(depths["m80"].item())
    assert depths["beyond"].item()
    assert not summarize_recovery(_recovery("A", 1.0), draws=20, seed=1)[1]["beyond"].item()


def test_depths_of_images_and_of_those_that_can_be_measured_together():
    table = pd.concat([_recovery("A", 1.0), _recovery("B", 1.0, 25.0), _recovery("nebula", 0.3)])
    summed, depths, measured = summarize_recovery(table, draws=50, seed=1)
    assert measured == ["A", "B"]
    assert depths["image"].tolist() == ["A", "B", "nebula", "all"]
    m80 = depths.set_index("image")["m80"]
    # 1 / (1 + exp((m - m50) / w)) is 0.8 at m50 - w log 4
    assert m80["A"] == pytest.approx(24.5 - 0.25 * np.log(4), abs=0.02)
    assert m80["A"] < m80["all"] < m80["B"]
    assert np.isnan(m80["nebula"])
    assert depths.set_index("image")["n"].tolist() == [13000, 13000, 13000, 26000]
    together = summed[summed["image"] == "all"]
    assert together["n"].tolist() == [2000] * 14


def test_the_only_image_that_can_be_measured_has_one_depth():
    """Of all images together it is that of the image, not another one by another way."""
    table = pd.concat([_recovery("A", 1.0), _recovery("nebula", 0.3)])
    _, depths, measured = summarize_recovery(table, draws=50, seed=1)
    assert measured == ["A"]
    own, together = (depths[depths["image"] == i].iloc[0] for i in ("A", "all"))
    columns = ["m50", "m80", "m50_low", "m50_high", "m80_low", "m80_high"]
    assert own[columns].tolist() == together[columns].tolist()


def test_one_image_is_not_pooled_and_none_has_no_depths():
    summed, depths, measured = summarize_recovery(_recovery("A", 1.0), draws=20, seed=1)
    assert (set(summed["image"]), depths["image"].tolist(), measured) == ({"A"}, ["A"], ["A"])
    nothing, depths, measured = summarize_recovery(_recovery("A", 1.0)[:0], draws=20, seed=1)
    assert nothing.empty
    assert depths.empty
    assert "m80_low" in depths
    assert measured == []
