"""Figures of injection and recovery and of whole curves: tables in, figures out. Draws only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from mirimask.evaluation.completeness_fit import logistic
from mirimask.figures.style import default_style, method_styles, shortened, titled_figure
from mirimask.masks.names import curve_label, method_label

__all__ = ["draw_completeness", "draw_curves"]

_ROW_GAP = 0.55  # inches between rows of small panels
# Ling et al. (2022), COSMOS-Web in F770W
_PUBLISHED = ((25.14, "80 % complete, 25.14"), (25.51, "5 sigma depth, 25.51"))


def _panels(
    figure: Figure, images: list[str], *, columns: int, size: tuple[float, float], head: float
) -> dict[str, Axes]:
    """Equal panels in rows below the first `head` inches of the figure."""
    width, height = figure.get_size_inches()
    axes = {}
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        x = 0.75 + column * (size[0] + 0.25)
        y = height - head - (row + 1) * size[1] - row * _ROW_GAP
        axes[image] = figure.add_axes((x / width, y / height, size[0] / width, size[1] / height))
    return axes


def _nothing_measured(simulated: bool) -> Figure:
    figure = titled_figure(9, 2.5, title="Added stars", simulated=simulated)
    text = "No image has room for an added star: nothing was measured."
    figure.text(0.5, 0.45, text, ha="center", va="center", fontsize=12)
    return figure


def _named(single: list[str], together: Sequence[str]) -> str:
    """The images that are shown as one."""
    if together and len(together) < len(single):
        word = "image" if len(together) == 1 else "images"
        return f"{len(together)} {word} of {len(single)}, those where stars are found, together"
    return f"{len(single)} images together"


@default_style
def draw_completeness(
    table: pd.DataFrame,
    depths: pd.DataFrame,
    *,
    pooled: str,
    simulated: bool,
    together: Sequence[str] = (),
    surveyed: bool = False,
) -> Figure:
    """Recovered share of added stars against magnitude, all methods: large for all images together.

    `table`: rows of `recovery_by_magnitude` with image, finite magnitudes. `depths`: image, method,
    c0, m50, w, m80. `pooled` is the name of all images together (absent where there is one image),
    `together` are those that it is made of (none given: all of them). `surveyed`: the images are
    of the survey whose published depths are then drawn, and of its exposure.
    """
    if table.empty:
        return _nothing_measured(simulated)
    images = list(dict.fromkeys(table["image"]))
    single = [image for image in images if image != pooled]
    main = pooled if pooled in images else images[0]
    small = [image for image in single if image != main]
    styles = method_styles(dict.fromkeys(table["method"]))
    rows = -(-len(small) // 4)
    width, size = 13.0, (2.8, 1.9)
    height = 6.1 + rows * (size[1] + _ROW_GAP) + (0.15 if rows else 0)
    figure = titled_figure(
        width,
        height,
        title="Which added stars get a spot of their own?",
        simulated=simulated,
    )
    axes = figure.add_axes((0.75 / width, (height - 5.5) / height, 7.6 / width, 4.9 / height))
    _completeness_panel(axes, table, depths, main, styles, small=False, surveyed=surveyed)
    counts = table.loc[table["image"] == main, "n"]
    what = _named(single, together) if main == pooled else main
    axes.set_title(
        f"{what}: {counts.min():.0f} stars of each magnitude; bars: 95 %"
        + ("; dashed lines: the survey's published depths" if surveyed else ""),
        fontsize=10.5,
        loc="left",
    )
    handles = []
    at = depths[depths["image"] == main].set_index("method")
    for name, style in styles.items():
        row = at.loc[name]
        none = "80 % of all" if row["beyond"] else "nowhere 80 %"
        depth = f"80 % at {row['m80']:.2f}" if np.isfinite(row["m80"]) else none
        label = f"{method_label(name)}\n{depth}; by chance {100 * row['chance']:.1f} %"
        handles.append(Line2D([], [], label=label, **style))
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(8.6 / width, (height - 0.55) / height),
        fontsize=9,
        frameon=False,
        labelspacing=0.7,
    )
    panels = _panels(figure, small, columns=4, size=size, head=6.2)
    for i, (image, panel) in enumerate(panels.items()):
        _completeness_panel(panel, table, depths, image, styles, small=True, surveyed=surveyed)
        panel.set_title(shortened(image, 32), fontsize=10, loc="left", pad=3)
        panel.set_xlabel("AB magnitude", fontsize=8.5, labelpad=1)
        if i % 4:
            panel.set_yticklabels([])
    return figure


def _completeness_panel(
    axes: Axes,
    table: pd.DataFrame,
    depths: pd.DataFrame,
    image: str,
    styles: dict[str, dict[str, Any]],
    *,
    small: bool,
    surveyed: bool,
) -> None:
    rows = table[table["image"] == image]
    fits = depths[depths["image"] == image].set_index("method")
    low, high = rows["magnitude"].min(), rows["magnitude"].max()
    fine = np.linspace(low, high, 200)
    shift = np.linspace(-0.06, 0.06, len(styles))  # so that bars do not hide each other
    for offset, (name, style) in zip(shift, styles.items(), strict=True):
        own = rows[rows["method"] == name]
        line = {key: style[key] for key in ("color", "linestyle", "linewidth")}
        if np.isfinite(fits.loc[name, "m50"]):
            axes.plot(fine, logistic(fine, *fits.loc[name, ["c0", "m50", "w"]]), **line)
        else:
            axes.plot(own["magnitude"], own["completeness"], **line)
        if not small:
            share = own["completeness"].to_numpy()
            axes.errorbar(
                own["magnitude"] + offset,
                share,
                yerr=np.clip([share - own["low"], own["high"] - share], 0, None),
                color=style["color"],
                linestyle="none",
                marker=style["marker"],
                markersize=style["markersize"],
                elinewidth=0.8,
            )
    for depth, what in _PUBLISHED if surveyed else ():
        if not rows["magnitude"].min() <= depth <= rows["magnitude"].max():
            continue
        axes.axvline(depth, color="0.45", linewidth=0.9, linestyle=(0, (6, 3)))
        if not small:
            axes.annotate(
                f"COSMOS-Web: {what}",
                (depth, 0.985),
                xycoords=("data", "axes fraction"),
                xytext=(-3, 0),
                textcoords="offset points",
                rotation=90,
                ha="right",
                va="top",
                fontsize=7.5,
                color="0.3",
            )
    axes.set_xlim(low - 0.15, high + 0.15)
    axes.set_ylim(-0.02, 1.04)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8 if small else 10)
    if not small:
        axes.set_xlabel("AB magnitude of the added star", fontsize=11)
        axes.set_ylabel("share with a spot of its own", fontsize=11)


@default_style
def draw_curves(
    table: pd.DataFrame,
    *,
    pooled: str,
    magnitudes: tuple[float, float],
    simulated: bool,
    together: Sequence[str] = (),
) -> Figure:
    """Completeness against false spots and against masked area, and against false spots by image.

    `table`: rows of `full_curve` with image and working (a point that is in use). `magnitudes`:
    range of the added stars. `pooled` and `together` as in `draw_completeness`.
    """
    if table.empty:
        return _nothing_measured(simulated)
    images = list(dict.fromkeys(table["image"]))
    main = pooled if pooled in images else images[0]
    single = [image for image in images if image != pooled]
    small = [image for image in single if image != main]
    styles = method_styles(dict.fromkeys(table["family"]))
    rows = -(-len(small) // 4)
    width, size = 13.0, (2.8, 1.9)
    height = 6.6 + rows * (size[1] + _ROW_GAP) + (0.15 if rows else 0)
    figure = titled_figure(
        width,
        height,
        title=f"Stars of {magnitudes[0]:g} to {magnitudes[1]:g} AB found, and what that costs",
        simulated=simulated,
    )
    own = table[table["image"] == main]
    by_truth = own["n_false"].notna().any()
    false = "false spots per arcmin²" + (
        " (on no true source)" if by_truth else " (spots of blank images)"
    )
    columns = (("false_per_arcmin2", false), ("area", "share of the pixels in the mask"))
    for i, (column, label) in enumerate(columns):
        axes = figure.add_axes(
            ((0.75 + i * 6.2) / width, (height - 4.85) / height, 5.7 / width, 4.1 / height)
        )
        _curve_panel(axes, own, column, styles, small=False)
        axes.set_xlabel(label, fontsize=11)
        if i == 0:
            axes.set_ylabel("share of the added stars found", fontsize=11)
        what = _named(single, together) if main == pooled else main
        axes.set_title(f"{what}, {own['n_stars'].iloc[0]:.0f} stars", fontsize=10.5, loc="left")
    handles = [Line2D([], [], label=curve_label(name), **style) for name, style in styles.items()]
    figure.legend(
        handles=handles,
        title="lines: a family swept over p or n; markers: the settings in use",
        loc="upper center",
        bbox_to_anchor=(0.5, (height - 5.35) / height),
        ncols=3,
        fontsize=9.5,
        title_fontsize=9.5,
        frameon=False,
    )
    panels = _panels(figure, small, columns=4, size=size, head=6.7)
    for i, (image, panel) in enumerate(panels.items()):
        _curve_panel(panel, table[table["image"] == image], "false_per_arcmin2", styles, small=True)
        panel.set_title(shortened(image, 32), fontsize=10, loc="left", pad=3)
        panel.set_xlabel("false spots per arcmin²", fontsize=8.5, labelpad=1)
        if i % 4:
            panel.set_yticklabels([])
    return figure


def _curve_panel(
    axes: Axes,
    table: pd.DataFrame,
    column: str,
    styles: dict[str, dict[str, Any]],
    *,
    small: bool,
) -> None:
    floor = 0.3 if column == "false_per_arcmin2" else 1e-4
    labels: list[tuple[float, float, str, str]] = []
    for name, style in styles.items():
        own = table[table["family"] == name].sort_values("setting")
        x = own[column].clip(lower=floor)
        axes.plot(
            x,
            own["completeness"],
            **{key: style[key] for key in ("color", "linestyle", "linewidth")},
        )
        used = own["working"].to_numpy(bool)
        axes.plot(
            x[used],
            own["completeness"][used],
            linestyle="none",
            color=style["color"],
            marker=style["marker"],
            markersize=style["markersize"] + (0 if small else 3),
            markeredgecolor="white",
            markeredgewidth=0.6,
        )
        for _, point in own[used].iterrows() if not small else ():
            sign = "%" if point["unit"] == "%" else "sigma"
            labels.append(
                (
                    max(point[column], floor),
                    point["completeness"],
                    f"{point['setting']:g} {sign}",
                    style["color"],
                )
            )
    axes.set_xscale("log")
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlim(left=floor * 0.85)
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8 if small else 10)
    _place_labels(axes, labels)
    if column == "false_per_arcmin2" and not small:
        axes.annotate(
            "left edge: 0.3 or fewer",
            (0.01, 0.985),
            xycoords="axes fraction",
            fontsize=7.5,
            va="top",
            color="0.35",
        )


_AROUND = [(1, -1), (1, 1), (-1, 1), (-1, -1), (0, 1), (0, -1)]  # beside a marker, then over it


def _place_labels(axes: Axes, labels: Sequence[tuple[float, float, str, str]]) -> None:
    """Write (x, y, text, colour) beside their markers: within the axes, on no other and no marker.

    Tried are the places around a marker, nearest first. One that fits nowhere is left out: its
    marker's colour and form, and the other labels, say what it is.
    """
    figure = axes.get_figure()
    assert figure is not None
    dots = figure.dpi / 72
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    inside = axes.get_window_extent(renderer)
    taken = []
    for x, y, *_ in labels:
        px, py = axes.transData.transform((x, y))
        taken.append(Bbox.from_extents(*(at + s * 5 * dots for s in (-1, 1) for at in (px, py))))
    markers = len(taken)
    for i, (x, y, text, colour) in enumerate(labels):
        same = any(taken[i].overlaps(taken[j]) and labels[j][2] == text for j in range(i))
        if same:  # two methods in one place with one setting: said once
            continue
        for away in (6, 14, 24, 36):
            for right, up in _AROUND:
                label = axes.annotate(
                    text,
                    (x, y),
                    xytext=(right * away, up * (away if away > 6 or not right else 7)),
                    textcoords="offset points",
                    fontsize=8,
                    color=colour,
                    path_effects=[withStroke(linewidth=2.5, foreground="white")],
                    zorder=5,
                    ha={1: "left", 0: "center", -1: "right"}[right],
                    va="center" if right else "bottom" if up > 0 else "top",
                    arrowprops=None
                    if away == 6
                    else {"arrowstyle": "-", "color": colour, "lw": 0.6, "shrinkA": 0},
                )
                label.update_positions(renderer)
                box = Text.get_window_extent(label, renderer)  # without its line
                others = [b for j, b in enumerate(taken) if j != i or j >= markers]
                fits = inside.x0 < box.x0 and box.x1 < inside.x1
                fits &= inside.y0 < box.y0 and box.y1 < inside.y1
                if fits and not any(box.overlaps(other) for other in others):
                    taken.append(box)
                    break
                label.remove()
            else:
                continue
            break
