"""Levels at equal false rates, paired differences, and the table and figure of the verdict."""

import numpy as np
import pandas as pd
import pytest
from frames import frame_with
from mirimask import intervals
from mirimask.command.parser import methods as help_of_methods
from mirimask.errors import MaskError
from mirimask.evaluation.blank import Blank
from mirimask.evaluation.scene import Scene
from mirimask.evaluation.side_by_side import (
    factorial,
    judge_method,
    level_error,
    stratified_difference,
    time_methods,
    tuned_levels,
    verdict_table,
)
from mirimask.figures.side_by_side import draw_all_curves, draw_verdict
from mirimask.figures.style import SIMULATED
from mirimask.masks.names import check_methods, method_label, parse_method
from mirimask.masks.registry import DETECTORS, METHODS
from mirimask.report.side_by_side import curves_page, factorial_page, verdict_page


def _curve(image, false, found, settings=(1.0, 2.0, 3.0)):
    """A curve of one image of 1 arcmin^2 with 10 added stars."""
    return pd.DataFrame(
        {
            "image": image,
            "family": "log",
            "unit": "sigma",
            "setting": settings,
            "working": False,
            "n_spots": 0,
            "area": 0.01,
            "area_arcmin2": 1.0,
            "n_stars": 10,
            "n_found": found,
            "n_blank": false,
            "n_true": np.nan,
            "n_true_found": np.nan,
            "n_false": false,
            "blank_per_arcmin2": np.array(false, float),
            "completeness": np.array(found) / 10,
            "true_completeness": np.nan,
            "truth_false_per_arcmin2": np.array(false, float),
            "false_per_arcmin2": np.array(false, float),
            "simulated": True,
        }
    )


def test_an_image_has_no_say_in_its_own_level():
    curves = pd.concat(
        [
            _curve("a", [30, 6, 0], [10, 8, 5]),
            _curve("b", [10, 2, 0], [10, 8, 5]),
            _curve("c", [0, 0, 0], [10, 8, 5]),
        ]
    )
    levels = tuned_levels(curves, rates=[4.0], images=["a", "b", "c", "d"], tuned_on=["a", "b"])
    itself = levels[levels["chosen"] == "itself"].set_index("image")
    # a itself: 4 lies two thirds of the way from 0 (at 3) to 6 (at 2); d has no curve
    assert itself.loc["a", "level"] == pytest.approx(2 + 1 / 3)
    assert itself.loc["c", "level"] == 1
    assert np.isnan(itself.loc["d", "level"])
    levels = levels[levels["chosen"] == "others"]
    level = levels.set_index("image")["level"]
    # a is tuned on b alone: 4 per arcmin^2 lies a quarter of the way from 2 (at 2) to 10 (at 1)
    assert level["a"] == pytest.approx(1.75)
    # b on a alone: from 6 (at 2) to 0 (at 3), but completeness is higher towards 2
    assert level["b"] == pytest.approx(2 + 1 / 3)
    # c and d on both: 4 is the mean of 6 and 2
    assert level["c"] == level["d"] == pytest.approx(2.0)
    assert levels["reached"].all()


def test_a_rate_out_of_reach_gives_the_strictest_level():
    curves = pd.concat([_curve("a", [30, 20, 9], [9, 8, 7]), _curve("b", [30, 20, 9], [9, 8, 7])])
    others, itself = tuned_levels(
        curves, rates=[1.0], images=["a"], tuned_on=["a", "b"]
    ).itertuples()
    for row in (others, itself):
        assert row.level == 3
        assert not row.reached
    others, _ = tuned_levels(curves, rates=[1.0], images=["a"], tuned_on=["a"]).itertuples()
    assert np.isnan(others.level)


@pytest.mark.parametrize(("more", "ahead"), [(3, False), (4, False), (12, True)])
def test_a_few_stars_more_are_a_tie(more, ahead):
    """Of 200; by McNemar's exact test 3 and 4 against none have p = 0.25 and 0.125."""
    first = np.arange(200) < 100 + more
    second = np.arange(200) < 100
    strata, rng = np.full(200, "A"), np.random.default_rng(2)
    _, low, high = stratified_difference(first, second, strata, draws=4000, rng=rng)
    assert (low > 0) == ahead
    newcombe = intervals.paired_difference(100, more, 0, 100 - more)
    assert (newcombe[0] > 0) == ahead
    assert (low, high) == pytest.approx(newcombe, abs=0.02)


def test_many_images_leave_the_difference_in_its_interval():
    """Of each of 40 images with 20 stars one finds 18 and the other 6."""
    first, second = (np.tile(np.arange(20) < n, 40) for n in (18, 6))
    strata, rng = np.repeat(np.arange(40), 20), np.random.default_rng(2)
    mean, low, high = stratified_difference(first, second, strata, draws=4000, rng=rng)
    assert low < mean < high
    # 12 of every image's 20: the binomial scatter of 480 of 800
    assert (high - low) / 2 == pytest.approx(1.96 * np.sqrt(0.6 * 0.4 / 800), rel=0.1)


def test_stratified_difference():
    rng = np.random.default_rng(0)
    first, second = np.zeros(400, bool), np.zeros(400, bool)
    first[:100] = second[60:120] = True
    strata = np.repeat([0, 1], 200)
    mean, low, high = stratified_difference(first, second, strata, draws=4000, rng=rng)
    assert mean == pytest.approx(0.1)
    # 60 found by the first alone, 20 by the second: sd of (b - c) / n, all in one stratum of 200
    sd = np.sqrt(200 * (80 / 200 - (40 / 200) ** 2)) / 400
    assert (high - low) / 2 == pytest.approx(1.96 * sd, rel=0.06)
    moved = rng.normal(0, 0.05, 4000)
    _, low, high = stratified_difference(first, second, strata, draws=4000, rng=rng, moved=moved)
    assert (high - low) / 2 == pytest.approx(1.96 * np.hypot(sd, 0.05), rel=0.06)
    # the same stars are not the same mask: some more would differ
    mean, low, high = stratified_difference(first, first, strata, draws=4000, rng=rng)
    assert mean == 0
    assert -0.02 < low < 0 < high < 0.02
    # the levels' errors reach no further than all of the stars
    moved = rng.normal(0, 2, 4000)
    _, low, high = stratified_difference(first, second, strata, draws=4000, rng=rng, moved=moved)
    assert (low, high) == (-1, 1)
    none = stratified_difference(first[:0], first[:0], strata[:0], draws=10, rng=rng)
    assert np.isnan(none).all()


def test_the_error_of_a_level_is_that_of_its_false_spots():
    """Completeness falls by 0.01 a spot: 16 +- 4 of them on others, 8 +- 2.8 on each of two."""
    counts = np.arange(60)
    curve = [_curve(image, counts, counts / 10, counts.astype(float)) for image in "ab"]
    curves = pd.concat(curve, ignore_index=True)
    options = {"rate": 8.0, "images": {"a": 10, "b": 10}, "tuned_on": ["a", "b"], "draws": 4000}
    for chosen in ("others", "itself"):
        rng = np.random.default_rng(0)
        moved = level_error(curves, chosen=chosen, rng=rng, **options)
        # two images of 1 arcmin^2: 0.005 a spot of both together
        assert moved.std() == pytest.approx(0.005 * 4, rel=0.1)
    none = level_error(
        curves, chosen="", rng=np.random.default_rng(0), **options | {"rate": np.nan}
    )
    assert not none.any()


def test_where_no_level_has_few_enough_its_error_is_around_the_strictest():
    """Found .9 to .6 of the stars; of 9 false spots where 3 are allowed, no draw has fewer."""
    options = {"rate": 3.0, "images": {"a": 10}, "tuned_on": ["a"], "draws": 2000}
    far, near = _curve("a", [40, 20, 9], [9, 8, 6]), _curve("a", [40, 20, 3], [9, 8, 6])
    for chosen in ("others", "itself"):
        rng = np.random.default_rng(0)
        moved = level_error(far, chosen=chosen, rng=rng, **options)
        assert np.percentile(moved, [2.5, 50]).tolist() == [0, 0]
        assert moved.max() < 0.3
        # where 3 are reached just so, half of the draws have more: the strictest level is taken
        moved = level_error(near, chosen=chosen, rng=rng, **options)
        assert moved.min() == 0
        assert (moved == 0).mean() == pytest.approx(0.54, abs=0.05)  # Gamma(3.5) above 3
        # no false spot at any level: where their rate is too high, so may it be at the second
        none = _curve("a", [0, 0, 0], [9, 8, 6])
        moved = level_error(none, chosen=chosen, rng=rng, **options | {"rate": 1.0})
        assert np.unique(moved.round(9)).tolist() == [-0.3, 0]
        assert (moved < 0).mean() == pytest.approx(0.157, abs=0.03)  # Gamma(0.5) above 1


def _tables():
    stars, judged = [], []
    for family, share in (("cores", 0.8), ("log", 0.5), ("log_window", 0.7)):
        for rate, chosen in ((3.0, "others"), (3.0, "itself"), (np.nan, "")):
            for image in ("a", "b"):
                found = (np.arange(50) < 50 * share).astype(int)
                stars.append(
                    pd.DataFrame(
                        {"image": image, "rate": rate, "star": np.arange(50), "found": found}
                    ).assign(family=family, chosen=chosen)
                )
                judged.append(
                    _curve(image, [3], [8], [2.0]).assign(
                        family=family, rate=rate, chosen=chosen, reached=True
                    )
                )
    times = pd.DataFrame({"family": ["cores", "log"], "median_ms": [20.0, 30.0]})
    curves = [
        _curve(image, [30, 3, 0], [9, 8, 6]).assign(family=family)
        for family in ("cores", "log", "log_window")
        for image in ("a", "b")
    ]
    return pd.concat(judged), pd.concat(stars), times, pd.concat(curves)


def test_verdict_names_what_is_not_installed():
    judged, stars, times, curves = _tables()
    table = verdict_table(
        judged, stars, times, curves,
        groups={"both": ["a", "b"]}, tuned_on=["a", "b"],
        not_installed={"sep": "the Python package sep"},
        draws=200, seed=1,
    )  # fmt: skip
    assert table["chosen"].unique().tolist() == ["others", "itself", ""]
    at = table[(table["rate"] == 3) & (table["chosen"] == "others")].set_index("family")
    assert at.loc["log", "completeness"] == 0.5
    assert at.loc["log", "behind"] == pytest.approx(0.3)
    assert at.loc["log", "behind_low"] > 0
    assert at.loc["log", "times_cores"] == 1.5
    assert at.loc["log", "false_per_arcmin2"] == 3
    assert at.loc["log", "false_low"] == pytest.approx(2.202 / 2, rel=1e-3)  # Garwood's of 6
    # stars alone: 30 of 100 found by the cores only
    stars_alone = 1.96 * np.sqrt(0.3 * 0.7 / 100)
    assert at.loc["log", "behind"] - at.loc["log", "behind_low"] > stars_alone
    assert at.loc["log", "completeness"] - at.loc["log", "low"] > 0.098
    assert np.isnan(at.loc["sep", "completeness"])
    page = verdict_page(table, rate=3, magnitudes=(23.5, 25.5), simulated=True)
    assert page.splitlines()[2].startswith("**SIMULATED** images")
    assert "SIMULATED" not in verdict_page(table, rate=3, magnitudes=(23.5, 25.5), simulated=False)
    assert "| sep | not installed: the Python package sep |" in page
    ranked = page[page.index("| mask |") :]
    assert ranked.index("| cores") < ranked.index("| Laplacian")
    assert (table["limit"].dropna() == "").all()
    # blank images of a show a tenth of the 30 false spots of log, and there is no truth about b
    less = judged.assign(n_false=30.0, n_blank=np.where(judged["family"] == "log", 3.0, 30.0))
    less.loc[less["image"] == "b", "n_false"] = np.nan
    told = verdict_table(
        less, stars, times, curves,
        groups={"a": ["a"], "b": ["b"]}, tuned_on=["a"], not_installed={}, draws=20, seed=1,
    )  # fmt: skip
    limits = told[told["rate"].notna()].groupby(["group", "family"])["limit"].first()
    assert limits["b", "log"] == "lower limit"
    assert (limits.drop(("b", "log")) == "").all()
    assert told[(told["group"] == "b") & (told["family"] == "log")]["behind"].isna().all()
    assert ", lower limit |" in verdict_page(told, rate=3, magnitudes=(23, 25), simulated=True)
    crossed = factorial(table)
    assert crossed["filter"].unique().tolist() == ["Laplacian of Gaussian"]
    page = factorial_page(crossed, rate=3, magnitudes=(23.5, 25.5), simulated=True)
    assert "| Laplacian of Gaussian | 0.500 (" in page
    assert page.count("## both, levels chosen on") == 2
    assert "No filter" in factorial_page(crossed[:0], rate=3, magnitudes=(1, 2), simulated=False)
    figure = draw_verdict(table, rate=3, magnitudes=(23.5, 25.5))
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "not installed" in texts
    assert "30 ms" in texts
    pooled = judged[judged["rate"].notna()]
    assert draw_all_curves(pooled, magnitudes=(23.5, 25.5), simulated=False).axes


def _words(figure):
    legends = (text for legend in figure.legends for text in legend.get_texts())
    return [text.get_text() for text in (*figure.texts, *legends)]


def test_simulated_is_said_of_the_groups_that_are():
    judged, stars, times, curves = _tables()
    judged["simulated"] = judged["image"] == "a"
    table = verdict_table(
        judged, stars, times, curves, groups={"fields": ["a"], "real": ["b"], "both": ["a", "b"]},
        tuned_on=["a"], not_installed={"sep": "sep"}, draws=20, seed=1,
    )  # fmt: skip
    of = table.groupby("group")["simulated"]
    assert of.nunique().eq(1).all()
    assert of.first().to_dict() == {"fields": True, "real": False, "both": True}
    assert set(factorial(table).groupby("group")["simulated"].first().items()) == {
        ("fields", True), ("real", False), ("both", True),
    }  # fmt: skip
    figure = draw_verdict(table, rate=3, magnitudes=(23.5, 25.5))
    assert SIMULATED not in _words(figure)
    marked = {
        axes.get_title(): any("SIMULATED" in text.get_text() for text in axes.texts)
        for axes in figure.axes
    }
    assert marked == {"fields (1)": True, "real (1)": False, "both (2)": True}
    all_of_it = draw_verdict(table[table["group"] != "real"], rate=3, magnitudes=(23.5, 25.5))
    assert SIMULATED in _words(all_of_it)
    pooled = judged[judged["rate"].notna()]
    drawn = draw_all_curves(pooled, magnitudes=(23.5, 25.5), simulated=True)
    assert _words(drawn)[-3:] == ["a, SIMULATED", "b", "the cores"]


def test_points_with_too_many_false_spots_and_those_that_are_not_ranked_look_so():
    judged, stars, times, curves = _tables()
    table = verdict_table(
        judged, stars, times, curves, groups={"both": ["a", "b"]}, tuned_on=["a"],
        not_installed={}, draws=20, seed=1,
    )  # fmt: skip
    at = {"false_low": 2.0, "limit": ""}
    log, window = (table["family"] == name for name in ("log", "log_window"))
    table = table.assign(**at)
    table.loc[log, "false_low"] = 3.1  # its interval lies above the rate of 3
    table.loc[window, "limit"] = "upper limit"
    figure = draw_verdict(table, rate=3, magnitudes=(23.5, 25.5))
    (axes,) = figure.axes
    points = {line.get_ydata()[0]: line for line in axes.lines if line.get_marker() != "None"}
    names = [label.get_text() for label in axes.get_yticklabels()]
    look = {names[int(y)]: (p.get_marker(), p.get_markerfacecolor()) for y, p in points.items()}
    assert look["cores"] == ("*", "#000000")
    assert look["Laplacian of Gaussian"] == ("s", "white")
    assert look["Laplacian of Gaussian, window"][0] == "x"
    words = _words(figure)
    assert "open: more than 3 false spots, by their 95 % interval" in words
    assert "false spots not known: not ranked" in words
    # nothing is explained that is not there
    plain = _words(draw_verdict(table.assign(**at), rate=3, magnitudes=(23.5, 25.5)))
    assert not any("open" in text or "ranked" in text for text in plain)


def test_the_cores_without_a_window_are_this_project_s_own():
    assert METHODS["cores_tile"].group == "own"
    assert {"cores_tile", "log", "ssa"} <= set(DETECTORS)  # what the configuration has levels of
    assert not {"cores", "value", "recommended"} & set(DETECTORS)
    assert "cores_tile" not in help_of_methods()  # the short list is as it was


def test_the_page_says_where_the_cores_are_ahead_tied_and_behind():
    """Each family's line of the verdict by hand; one that is not ranked is named as such."""
    columns = ["family", "label", "completeness", "behind", "behind_low", "behind_high"]
    rows = [
        ("cores", "cores", 0.7, 0.0, 0.0, 0.0),
        ("cores_directions", "cores, 4 directions", 0.75, -0.05, -0.07, -0.03),
        ("iraf_star_finder", "IRAFStarFinder", 0.69, 0.01, -0.01, 0.03),
        ("sep", "sep", 0.5, 0.2, 0.1, 0.3),
        ("log", "Laplacian", 0.6, 0.1, 0.05, 0.15),
        ("log_window", "Laplacian, window", 0.8, -0.1, -0.12, -0.08),
        ("value", "value slice", 0.1, np.nan, np.nan, np.nan),
    ]
    table = pd.DataFrame(rows, columns=columns).assign(
        group="fields", images=2, rate=3.0, chosen="others", low=0.6, high=0.8, n_stars=100.0,
        false_per_arcmin2=3.0, false_low=2.0, false_high=4.0, limit="", median_ms=1.0, needs="",
    )  # fmt: skip
    table.loc[table["family"] == "value", "limit"] = "lower limit"
    table = pd.concat(
        [
            table,
            table.assign(chosen="itself", limit="", behind=0.0, behind_low=-0.1, behind_high=0.1),
            table.assign(chosen="", rate=np.nan),
        ]
    )
    page = verdict_page(table, rate=3, magnitudes=(23.5, 25.5), simulated=False)
    assert (
        "| fields | 3 | others | 0.700 (0.600 to 0.800) | "
        "cores, 4 directions -0.050 (-0.070 to -0.030) | "
        "IRAFStarFinder +0.010 (-0.010 to +0.030) | 2 of 4 | "
        "Laplacian +0.100 (+0.050 to +0.150) | value slice |"
    ) in page
    (own,) = (line for line in page.splitlines() if line.startswith("| fields | 3 | itself |"))
    assert "| none | all 5 | 0 of 5 | none |" in own
    assert own.endswith("| 0 of 5 | none | none |")
    # judged without the cores
    page = verdict_page(
        table[table["family"] != "cores"].assign(behind=np.nan), rate=3, magnitudes=(23.5, 25.5),
        simulated=False,
    )  # fmt: skip
    assert "nan" not in page


def test_a_method_is_judged_at_its_tuned_levels_and_at_its_own():
    """Two stars of 9 pixels: the brightest 1 % of 900 marks one of them, 3 % both."""
    data = np.random.default_rng(0).normal(6, 0.01, (30, 30)).astype(np.float32)
    data[:, 0] = 6
    with_stars = data.copy()
    with_stars[4:7, 4:7] += 9
    with_stars[19:22, 24:27] += 5
    with_stars[5, 5] += 1
    with_stars[20, 25] += 1
    positions = np.array([[5.0, 5.0], [25.0, 20.0]])
    magnitudes = np.array([22.5, 23.5])
    blank = Blank([12 - data], np.zeros((0, 2)))
    scene = Scene(data, [(with_stars, positions)], magnitudes, blank, None, 2.4, 0.5)
    levels = pd.DataFrame(
        {"rate": [1.0, 3.0, 9.0], "level": [1.0, np.nan, 3.0], "reached": [True, False, False]}
    ).assign(chosen="others")
    judged, stars = judge_method(
        "value", frame_with(data), scene, levels, options={"value": {"level": 1.0}}
    )
    assert judged["setting"].tolist() == [1.0, 3.0, 1.0]
    assert judged["rate"].fillna(-1).tolist() == [1.0, 9.0, -1]
    assert judged["reached"].tolist() == [True, False, True]
    assert judged["chosen"].tolist() == ["others", "others", ""]
    assert judged["n_found"].tolist() == [1, 2, 1]
    assert stars["found"].tolist() == [1, 0, 1, 1, 1, 0]
    assert stars["ab_mag"].tolist() == [22.5, 23.5] * 3
    assert stars["star"].tolist() == [0, 1] * 3
    assert stars["rate"].fillna(-1).tolist() == [1.0, 1.0, 9.0, 9.0, -1, -1]


def test_every_method_has_its_time():
    crop = frame_with(np.random.default_rng(0).normal(6, 0.1, (64, 72)).astype(np.float32))
    table = time_methods(crop, ["value", "recommended"], runs=3)
    assert table["family"].tolist() == ["value", "recommended"]
    assert (table["best_ms"] > 0).all()
    assert (table["best_ms"] <= table["median_ms"]).all()
    assert table["n_pixels"].tolist() == [64 * 72] * 2


def test_a_detector_with_a_level_is_a_method():
    for name, method, level in (
        ("sep", "sep", None),
        ("sep_2.5", "sep", 2.5),
        ("pipeline_1.12.5", "pipeline_1.12.5", None),
        ("pipeline_1.12.5_4", "pipeline_1.12.5", 4.0),
    ):
        parsed = parse_method(name)
        assert (parsed.method, parsed.level) == (method, level)
    assert method_label("sep_2.5") == "sep at 2.5"
    check_methods([*DETECTORS, "sep_2.5"])
    with pytest.raises(MaskError, match="same mask"):
        check_methods(["sep_2.5", "sep_2.50"])
    for wrong in ("sep_0", "sep_x", "sep_-1"):
        with pytest.raises(MaskError, match="level"):
            parse_method(wrong)


def test_page_of_every_mask_in_every_image():
    """A curve that has half of the stars where it first exceeds the rate, and one image without."""
    curve = pd.DataFrame(
        {
            "family": "log", "setting": [3.0, 4.0], "completeness": [0.75, 0.25],
            "false_per_arcmin2": [5.0, 1.0],
        }
    )  # fmt: skip
    curves = pd.concat([curve.assign(image="a"), curve.assign(image="b", completeness=[0.5, 0.0])])
    page = curves_page(
        curves, groups={"both": ["a", "b"], "rest": ["c"]},
        rate=3, magnitudes=(23.5, 25.5), simulated=True,
    )  # fmt: skip
    assert "| mask | a | b | **both** | c | **rest** |" in page
    assert "| Laplacian of Gaussian | 0.50 | 0.25 | **0.38** | - | - |" in page
    assert "SIMULATED" in page
