"""Figures of the evaluation: texts apart, values in their places, one style a method."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from mirimask.evaluation.agreement import CutOut
from mirimask.evaluation.side_by_side import OTHERS
from mirimask.figures.curves import draw_completeness, draw_curves
from mirimask.figures.evaluation import draw_agreement, draw_cut_outs, draw_sensitivity
from mirimask.figures.evaluation import draw_completeness as draw_true_completeness
from mirimask.figures.paper import mask_panel
from mirimask.figures.side_by_side import draw_verdict
from mirimask.figures.style import method_style, method_styles, save_figure
from mirimask.masks.registry import DETECTORS
from PIL import Image

METHODS = ["value_0.3", "value_4.6", "derivative_4.6", "value_1_or_derivative_4.6", "segmentation"]


def boxes(figure, texts):
    """Where texts stand in the figure, those that are seen."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    shown = [text for text in texts if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in shown]


def overlapping(found):
    return [(a, b) for (a, one), (b, other) in combinations(found, 2) if one.overlaps(other)]


def curves():
    """Families whose marked points lie on top of each other, and on the axis."""
    rows = []
    for family, unit, marked in (
        ("value", "%", (0.3, 1, 4.6)),
        ("derivative", "%", (0.3, 4.6, 10)),
        ("union", "%", (4.6,)),
        ("segmentation", "sigma", (3,)),
        ("cores", "sigma", (5,)),
    ):
        for setting in (0.3, 1, 3, 4.6, 5, 10):
            at = 0.001 * setting if family == "union" else 0.00101 * setting
            rows.append(
                {
                    "image": "A",
                    "family": family,
                    "setting": float(setting),
                    "unit": unit,
                    "working": setting in marked,
                    "false_per_arcmin2": 1000 * at,
                    "area": at,
                    "completeness": 0.0 if family == "segmentation" else setting / 10,
                    "n_stars": 100,
                    "n_false": 1.0,
                }
            )
    return pd.DataFrame(rows)


def test_labels_of_curves_are_on_no_other_and_within_their_axes():
    figure = draw_curves(curves(), pooled="all", magnitudes=(23.5, 25.5), simulated=True)
    for axes in figure.axes:
        labels = [text for text in axes.texts if text.get_text().endswith(("%", "sigma"))]
        found = boxes(figure, labels)
        assert {"0.3 %", "1 %", "4.6 %", "10 %", "3 sigma", "5 sigma"} <= {
            text for text, _ in found
        }
        assert overlapping(found) == []
        frame = axes.get_window_extent()
        for _, box in found:
            assert frame.x0 <= box.x0 <= box.x1 <= frame.x1
            assert frame.y0 <= box.y0 <= box.y1 <= frame.y1


def sensitivity():
    rows = [
        ("as configured", "", 0.5),
        ("verdict radius [px]", "9", 0.1),
        ("verdict radius [px]", "30", 0.9),
        ("verdict radius [px]", "12", 0.2),
        ("scorer", "any mask pixel", 0.7),
    ]
    return pd.DataFrame(
        [
            {"setting": s, "value": v, "method": m, "sources": 100, "success": round(100 * share)}
            for s, v, share in rows
            for m in ("value_1", "recommended")
        ]
    )


def test_the_configured_value_is_in_its_place_and_categories_are_not_joined():
    configured = {"verdict radius [px]": "18", "scorer": "bright peak"}
    figure = draw_sensitivity(sensitivity(), configured=configured, simulated=False)
    radius, scorer = figure.axes
    assert [label.get_text() for label in radius.get_xticklabels()] == [
        *("9", "12", "18\nas configured", "30")
    ]
    for line in radius.lines:
        np.testing.assert_allclose(line.get_ydata(), [0.1, 0.2, 0.5, 0.9])
        assert line.get_linestyle() != "None"
    assert [label.get_text() for label in scorer.get_xticklabels()] == [
        *("bright peak\nas configured", "any mask pixel")
    ]
    assert [line.get_linestyle() for line in scorer.lines] == ["None", "None"]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["Img Top 1 %", "recommended"]


def test_a_setting_that_is_not_known_is_named_as_configured():
    figure = draw_sensitivity(sensitivity(), configured={}, simulated=False)
    assert figure.axes[0].get_xticklabels()[0].get_text() == "as configured"


def recovered(methods):
    magnitudes = np.arange(22.0, 27)
    table = pd.DataFrame(
        [
            {"image": "A", "method": m, "magnitude": x, "n": 20, "completeness": (27 - x) / 5}
            for m in methods
            for x in magnitudes
        ]
    )
    table = table.assign(low=table["completeness"], high=table["completeness"])
    nan = dict.fromkeys(("c0", "m50", "w", "m80"), np.nan) | {"beyond": False}
    depths = pd.DataFrame([{"image": "A", "method": m, "chance": 0.0, **nan} for m in methods])
    return table, depths


@pytest.mark.parametrize("surveyed", [True, False])
def test_depths_of_a_survey_are_drawn_where_they_apply_only(surveyed):
    figure = draw_completeness(
        *recovered(METHODS), pooled="all", simulated=False, surveyed=surveyed
    )
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert any("COSMOS-Web" in text for text in said) == surveyed


def test_a_method_has_one_style_in_every_figure():
    """Colours of the figures of stars and of settings, by the labels of their legends."""
    colours = []
    for figure in (
        draw_completeness(*recovered(["segmentation", "value_4.6"]), pooled="all", simulated=False),
        draw_completeness(*recovered(METHODS), pooled="all", simulated=False),
    ):
        handles = figure.legends[0].get_lines()
        labels = [text.get_text().split("\n")[0] for text in figure.legends[0].get_texts()]
        colours.append({k: line.get_color() for k, line in zip(labels, handles, strict=True)})
    few, all_of_them = colours
    assert few.items() <= all_of_them.items()
    styles = [method_style(name) for name in METHODS]
    assert len({style["color"] for style in styles}) == len(METHODS)
    # in grey: by dash or marker
    assert len({(style["linestyle"], style["marker"]) for style in styles}) == len(METHODS)
    assert method_style("value_4.6@crop") == method_style("value_4.6")
    assert method_style("recommended") == method_style("cores")


def test_no_two_methods_of_a_figure_look_alike():
    alike = ["value_1_or_derivative_4.6", "value_4.6_or_derivative_10", "sep", "sep_4", "cores"]
    styles = method_styles([*METHODS, *alike, "recommended", *list(DETECTORS)[:15]])
    looks = {(style["linestyle"], style["marker"]) for style in styles.values()}
    assert len(looks) == len(styles)
    assert styles["value_4.6"] == method_style("value_4.6")


def test_chance_is_that_of_each_magnitude():
    table = true_completeness().query("method == @METHODS[0]")
    both = table.drop_duplicates("ab_low").assign(kind="all", chance=[0.1, 0.4])
    (axes, *_) = draw_true_completeness(pd.concat([table, both])).axes
    dotted = [line for line in axes.lines if line.get_linestyle() == ":"]
    assert [line.get_ydata().tolist() for line in dotted] == [[0.1, 0.4]]
    assert dotted[0].get_xdata().tolist() == [18.25, 20.25]


def true_completeness():
    return pd.DataFrame(
        [
            {
                **{"method": m, "kind": kind, "ab_low": x, "ab_high": x + 0.5, "n_sources": 9},
                **{"completeness": 0.5, "completeness_low": 0.2, "completeness_high": 0.8},
                "chance": 0.1,
            }
            for m in METHODS
            for kind in ("star", "galaxy")
            for x in (18.0, 20.0)
        ]
    )


def test_titles_and_legend_of_the_completeness_are_apart():
    figure = draw_true_completeness(true_completeness())
    titles = [axes.title for axes in figure.axes]
    assert overlapping(boxes(figure, [*titles, *figure.legends[0].get_texts()])) == []


@pytest.mark.parametrize("methods", [METHODS[:1], METHODS])
@pytest.mark.parametrize("name", ["Img1", "jw01386-o014_t004_miri_f770w", "x" * 100])
def test_texts_of_the_agreement_do_not_overlap(methods, name):
    rows = [
        {
            **{"image": image, "method": method, "agreement": 0.99, "agree": 1667, "sources": 1680},
            **{"kappa": 0.9, "agreement_success": 0.99, "kappa_success": 0.9},
        }
        for image in (name, "All")
        for method in (*methods, "All")
    ]
    figure = draw_agreement(pd.DataFrame(rows))
    axes = figure.axes[0]
    texts = [*figure.texts, *axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]
    found = boxes(figure, texts)
    assert overlapping(found) == []
    for text, box in found:
        assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1, text
    # what sets "All" off is seen on black cells and on white ones
    assert [line.get_color() for line in axes.lines] == ["white", "white", "black", "black"]
    assert axes.lines[0].get_linewidth() > axes.lines[2].get_linewidth()


@pytest.mark.parametrize(
    ("domain", "slope", "of"),
    [
        ("published", False, "the frame, empty pixels as 0"),
        ("published", True, "the frame, 0 outside the crop"),
        ("crop", False, "the seen pixels of the crop"),
        ("crop", True, "the derivative in the crop"),
    ],
)
def test_a_panel_says_what_its_percentage_is_of(domain, slope, of):
    image = np.arange(200.0).reshape(10, 20)
    header = fits.Header({"METHOD": "value_4.6", "NKEPT": 50, "PERCENT": 4.6, "DOMAIN": domain})
    panel = mask_panel(image, image > 149, header, [], slope=image if slope else None)
    assert panel.note == f"top 4.6 % of {of}\n50 px marked, 25 % of the crop"


def cut_outs(count=8):
    """Noise of many greys, in which the mask's outline and the marks have few dots."""
    rng = np.random.default_rng(1)
    mask = np.zeros((101, 101), bool)
    mask[70:80, 60:64] = True
    at, peak = np.array([[20.0, 30.0]]), np.array([[50.0, 55.0]])
    return [
        CutOut(
            "Img1, a", ["near, truth success: value_1"], rng.lognormal(size=mask.shape), mask,
            "value_1", (18.0, 43.0), peak, at, np.array([24.0]),
        )
        for _ in range(count)
    ]  # fmt: skip


def test_a_png_has_the_colours_of_its_legend(tmp_path):
    figure = draw_cut_outs(cut_outs(), n_sources=8)
    save_figure(figure, png=tmp_path / "a.png")
    seen = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).reshape(-1, 3).astype(int)
    lines = [line for line in figure.legends[0].get_lines() if line.get_linestyle() != "None"]
    assert len(lines) == 3
    for line in lines:
        colour = np.rint(255 * np.array(to_rgb(line.get_color()))).astype(int)
        assert (seen == colour).all(axis=1).sum() > 20, line.get_label()
    # what has no hue in the figure has none in the file
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., :3].reshape(-1, 3)
    grey = np.ptp(drawn, axis=1) == 0
    assert abs(seen[grey] - drawn[grey]).max() <= 3


def test_markers_of_all_and_none_found_are_whole():
    """Their centres lie as far from the rim as they are wide."""
    row = {"group": "a", "kind": "own", "images": 2, "needs": "", "limit": "", "simulated": False}
    row |= {"rate": 3.0, "chosen": OTHERS, "false_low": 1.0, "median_ms": 30.0}
    shares = {"cores": 1.0, "value": 0.0}
    table = pd.DataFrame(
        [
            row | {"family": name, "label": name, "completeness": at, "low": at, "high": at}
            for name, at in shares.items()
        ]
    )
    figure = draw_verdict(table, rate=3, magnitudes=(23.5, 25.5))
    (axes,) = figure.axes
    frame = axes.get_window_extent()
    points = [line for line in axes.lines if line.get_marker() not in ("None", "")]
    assert len(points) == 2
    for line in points:
        at = axes.transData.transform((line.get_xdata()[0], 0))[0]
        radius = line.get_markersize() / 2 * figure.dpi / 72
        assert frame.x0 <= at - radius
        assert at + radius <= frame.x1
    assert [text.get_text() for text in axes.get_xticklabels()][::5] == ["0", "1"]
