"""All masks at equal false rates: the figure of the verdict, and their curves."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mirimask.evaluation.side_by_side import BEST, ordered
from mirimask.figures.style import SIMULATED, default_style, titled_figure
from mirimask.masks.registry import METHODS

__all__ = ["draw_all_curves", "draw_verdict"]

_GROUPS = {"own": "this project", "peer": "in use elsewhere", "future": "paper's future work"}
_COLOURS = {"own": "#000000", "peer": "#0072B2", "future": "#D55E00"}
_MARKERS = {"own": "o", "peer": "s", "future": "^"}


def _point(row: Any, rate: float) -> dict[str, Any]:
    """How a family's completeness is drawn: the marker tells of its false rate too.

    Open where the interval of that rate lies above the `rate` asked for; a cross where it is not
    known and the family is not ranked.
    """
    if row.limit:
        return {"marker": "x", "ms": 5, "color": _COLOURS[row.kind]}
    look = {"marker": _MARKERS[row.kind], "ms": 5, "color": _COLOURS[row.kind]}
    if row.family == BEST:
        look |= {"marker": "*", "ms": 11}
    return look | {"mfc": "white"} if row.false_low > rate else look


def _keys(rows: pd.DataFrame, rate: float) -> list[mpl.lines.Line2D]:
    """What colours and markers mean; of those that say something of the false rate, what is drawn.

    `rows` are those that are drawn.
    """
    looks: list[tuple[dict[str, Any], str]]
    looks = [({"color": _COLOURS[k], "marker": _MARKERS[k]}, text) for k, text in _GROUPS.items()]
    grey = {"color": "0.35"}
    if (rows["false_low"] > rate).any():
        text = f"open: more than {rate:g} false spots, by their 95 % interval"
        looks.append((grey | {"marker": "o", "mfc": "white"}, text))
    if rows["limit"].fillna("").ne("").any():
        looks.append((grey | {"marker": "x"}, "false spots not known: not ranked"))
    return [mpl.lines.Line2D([], [], ls="", label=text, **look) for look, text in looks]


@default_style
def draw_verdict(table: pd.DataFrame, *, rate: float, magnitudes: tuple[float, float]) -> Figure:
    """Every family's completeness at one false rate, a column for each group of images.

    `table` is that of `verdict_table`. Where only some groups are simulated, their panels say so.
    """
    groups = list(dict.fromkeys(table["group"]))
    rows = ordered(table, rate)
    families = list(dict.fromkeys(rows["family"]))
    labels = 2.75
    panel, gap, times, head, foot = 2.6, 0.25, 1.0, 1.2, 1.15
    everywhere = bool(table["simulated"].all())
    width = labels + len(groups) * (panel + gap) + times
    height = head + 0.26 * len(families) + foot
    figure = titled_figure(
        width,
        height,
        title=f"Stars of {magnitudes[0]:g} to {magnitudes[1]:g} AB found at {rate:g} false spots "
        "per arcmin²",
        simulated=everywhere,
    )
    place = {name: i for i, name in enumerate(families)}
    for i, group in enumerate(groups):
        left = labels + i * (panel + gap)
        axes = figure.add_axes(
            (left / width, foot / height, panel / width, (height - head - foot) / height)
        )
        own = rows[rows["group"] == group]
        best = own.loc[own["family"] == BEST, "completeness"]
        if len(best):
            axes.axvline(float(best.iloc[0]), color="0.6", lw=1, zorder=0)
        for row in own.itertuples():
            y = place[row.family]
            if row.needs or np.isnan(row.completeness):
                text = "not installed" if row.needs else "no level"
                axes.text(0.02, y, text, fontsize=8, color="0.4", va="center")
                continue
            axes.plot([row.low, row.high], [y, y], color=_COLOURS[row.kind], lw=1.6)
            axes.plot(row.completeness, y, **_point(row, rate))
        axes.set_ylim(len(families) - 0.5, -0.5)
        axes.set_xlim(-0.04, 1.04)
        axes.grid(axis="x", color="0.9", lw=0.7)
        axes.set_axisbelow(True)
        axes.set_title(f"{group} ({own['images'].iloc[0]})", fontsize=10)
        if own["simulated"].any() and not everywhere:
            axes.annotate(
                SIMULATED.partition(":")[0], (0.5, 1), (0, 21), xycoords="axes fraction",
                textcoords="offset points", ha="center", va="bottom", fontsize=8, color="white",
                weight="bold", bbox={"facecolor": "#a00028", "edgecolor": "none", "pad": 2},
            )  # fmt: skip
        names = [str(rows.loc[rows["family"] == name, "label"].iloc[0]) for name in families]
        axes.set_yticks(range(len(families)), names if i == 0 else [""] * len(families), fontsize=9)
        axes.set_xticks(
            np.arange(0, 1.1, 0.2), ["0", "0.2", "0.4", "0.6", "0.8", "1"], fontsize=8.5
        )
        axes.tick_params(axis="y", length=0)
        if i == len(groups) - 1:
            for name, y in place.items():
                spent = rows.loc[rows["family"] == name, "median_ms"].iloc[0]
                if np.isfinite(spent):
                    axes.text(
                        1.08, y, f"{spent:,.0f} ms", fontsize=8.5, va="center",
                        transform=axes.get_yaxis_transform(),
                    )  # fmt: skip
    figure.text(
        (labels + len(groups) * (panel + gap) / 2) / width,
        0.7 / height,
        "share of the added stars found, with 95 % interval",
        ha="center",
        fontsize=10,
    )
    figure.legend(
        handles=_keys(rows, rate), loc="lower center", ncols=3, frameon=False, fontsize=9,
        bbox_to_anchor=(0.5, 0.0),
    )  # fmt: skip
    return figure


_GROUP_STYLES: tuple[dict[str, Any], ...] = (
    {"color": "#0072B2", "ls": "-"},
    {"color": "#D55E00", "ls": "--"},
    {"color": "#009E73", "ls": ":"},
    {"color": "#CC79A7", "ls": "-."},
)


@default_style
def draw_all_curves(
    pooled: pd.DataFrame, *, magnitudes: tuple[float, float], simulated: bool
) -> Figure:
    """A panel for each family: stars found against false spots, beside the cores'.

    `pooled`: rows of `pool_curves`, its image column naming the group of images.
    """
    families = list(dict.fromkeys(pooled["family"]))
    groups = dict(zip(dict.fromkeys(pooled["image"]), _GROUP_STYLES * 5, strict=False))
    columns = min(6, len(families))
    rows = -(-len(families) // columns)
    size, gap, rise, head, foot = 1.85, 0.12, 0.42, 0.95, 0.75
    total = max(0.75 + columns * (size + gap), 7.5)
    height = head + rows * (size * 0.8 + rise) + foot
    figure = titled_figure(
        total,
        height,
        title=f"Stars of {magnitudes[0]:g} to {magnitudes[1]:g} AB found against false spots",
        simulated=simulated,
    )
    for i, family in enumerate(families):
        row, column = divmod(i, columns)
        axes = figure.add_axes(
            (
                (0.65 + column * (size + gap)) / total,
                1 - (head + row * (size * 0.8 + rise) + size * 0.8) / height,
                size / total,
                size * 0.8 / height,
            )
        )
        for group, style in groups.items():
            for name, width, alpha in ((BEST, 3.2, 0.25), (family, 1.5, 1.0)):
                own = pooled[(pooled["image"] == group) & (pooled["family"] == name)]
                own = own.sort_values("setting")
                axes.plot(
                    own["false_per_arcmin2"].clip(lower=0.3),
                    own["completeness"],
                    lw=width,
                    alpha=alpha,
                    **style,
                )
        axes.set_xscale("log")
        axes.set_xlim(0.3, 100)
        axes.set_ylim(0, 1.02)
        axes.set_title(METHODS[family].label, fontsize=8.5, loc="left", pad=2)
        axes.tick_params(labelsize=7.5)
        axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"] if column == 0 else ["", "", ""])
        if i + columns < len(families):
            axes.set_xticklabels([])
        axes.grid(color="0.92", lw=0.6)
    figure.text(0.5, 0.36 / height, "false spots per arcmin²", ha="center", fontsize=10)
    figure.text(
        0.12 / total, 0.5, "share of the added stars found", rotation=90, va="center", fontsize=10
    )
    of_groups = pooled.groupby("image")["simulated"].any()
    some = of_groups.any() and not of_groups.all()
    handles = [
        mpl.lines.Line2D(
            [], [], label=f"{name}, SIMULATED" if some and of_groups[name] else name, **style
        )
        for name, style in groups.items()
    ]
    handles.append(mpl.lines.Line2D([], [], color="0.6", lw=4, label="the cores"))
    figure.legend(
        handles=handles, loc="lower center", ncols=len(handles), frameon=False, fontsize=9
    )
    return figure
