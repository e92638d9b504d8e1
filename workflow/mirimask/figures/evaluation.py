"""Figures of the evaluation: tables in, matplotlib figures out. Draws, computes not."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from mirimask.evaluation.agreement import CutOut
from mirimask.figures.style import default_style, method_styles, shortened, titled_figure
from mirimask.masks.names import method_label

__all__ = [
    "draw_agreement",
    "draw_chance",
    "draw_completeness",
    "draw_cut_outs",
    "draw_purity",
    "draw_reliability",
    "draw_sensitivity",
    "draw_significance",
]

# Paul Tol's high-contrast colours: told apart by colour-blind eyes and in grey.
_BLUE, _YELLOW, _RED = "#004488", "#DDAA33", "#BB5566"


def _axes(
    figure: Figure, columns: int, *, rows: int = 1, left: float, **options: float
) -> list[Axes]:
    """Panels side by side below the title; `left`, `bottom`, `top`, `gap`, `rise` in inches."""
    width, height = figure.get_size_inches()
    space = {"bottom": 0.6, "top": 0.85, "gap": 0.3, "rise": 0.3, "right": 0.2} | options
    w = (width - left - space["right"] - (columns - 1) * space["gap"]) / columns
    h = (height - space["bottom"] - space["top"] - (rows - 1) * space["rise"]) / rows
    return [
        figure.add_axes(
            (
                (left + c * (w + space["gap"])) / width,
                (space["bottom"] + (rows - 1 - r) * (h + space["rise"])) / height,
                w / width,
                h / height,
            )
        )
        for r in range(rows)
        for c in range(columns)
    ]


def _method_axis(axes: Axes, methods: Sequence[str], *, named: bool) -> None:
    """Methods from top to bottom."""
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.set_yticks(range(len(methods)), map(method_label, methods) if named else [])
    for y in range(1, len(methods), 2):
        axes.axhspan(y - 0.5, y + 0.5, color="0.95", zorder=0)
    axes.tick_params(axis="y", length=0)


def _points(
    axes: Axes,
    table: pd.DataFrame,
    name: str,
    low: str,
    high: str,
    *,
    shift: float,
    **style: object,
) -> None:
    """Values with their intervals, one below the other."""
    y = np.arange(len(table)) + shift
    axes.hlines(y, table[low], table[high], color=str(style.get("color", "black")), lw=1.4)
    axes.plot(table[name], y, linestyle="none", **{"markersize": 7, **style})  # type: ignore[arg-type]


def _message(figure: Figure, text: str) -> Figure:
    figure.text(0.5, 0.45, text, ha="center", va="center", fontsize=12)
    return figure


def _legend(figure: Figure, handles: list[Line2D]) -> None:
    height = figure.get_size_inches()[1]
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.01, 1 - 0.36 / height),
        ncols=len(handles),
        frameon=False,
        fontsize=9.5,
        columnspacing=1.4,
        handletextpad=0.4,
    )


@default_style
def draw_chance(table: pd.DataFrame, *, simulated: bool) -> Figure:
    """Success of each method beside its chance success, one panel a scorer.

    `table`: rows of `chance.pool_chance` for one kind of positions.
    """
    methods = list(dict.fromkeys(table["method"]))
    figure = titled_figure(
        11.5, 1.9 + 0.42 * len(methods), title="Success beyond chance", simulated=simulated
    )
    if not len(table):
        return _message(figure, "There is no catalogue source.")
    scorers = {"peaks": "a bright spot's peak in the circle", "pixels": "any mask pixel in it"}
    for i, (axes, (scorer, name)) in enumerate(
        zip(_axes(figure, 2, left=2.0, right=1.3, gap=1.35), scorers.items(), strict=True)
    ):
        own = table[table["scorer"] == scorer].set_index("method").loc[methods].reset_index()
        _method_axis(axes, methods, named=i == 0)
        own = own.assign(observed_low=own["rate"], observed_high=own["rate"])
        for y, (chance, rate) in enumerate(zip(own["chance_success"], own["rate"], strict=True)):
            axes.hlines(y, chance, rate, color="0.6", lw=1)
        _points(
            axes, own, "chance_success", "chance_low", "chance_high",
            shift=0, color="black", marker="o", markerfacecolor="white",
        )  # fmt: skip
        axes.plot(own["rate"], range(len(own)), "s", color=_BLUE, markersize=7)
        for y, row in enumerate(own.itertuples()):
            text = "-" if np.isnan(row.corrected) else (
                f"{row.corrected:z.2f} [{row.corrected_low:z.2f}, {row.corrected_high:z.2f}]"
            )  # fmt: skip
            axes.text(1.04, y, text, va="center", fontsize=9)
        axes.text(1.04, -0.62, "S_c [95 %]", va="bottom", fontsize=9)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("share of positions that succeed")
        axes.set_title(name, fontsize=10.5)
    sources = int(table["sources"].iloc[0])
    _legend(
        figure,
        [
            Line2D([], [], color=_BLUE, marker="s", ls="", label=f"{sources} catalogue sources"),
            Line2D([], [], color="black", marker="o", markerfacecolor="white", ls="",
                   label="random positions (chance)"),
        ],
    )  # fmt: skip
    return figure


@default_style
def draw_reliability(table: pd.DataFrame, *, simulated: bool) -> Figure:
    """False spots of each method, and the reliability that follows.

    `table`: rows of `reliability_row` for each image and for all together.
    """
    pooled = table[table["image"] == "All"]
    methods = list(pooled["method"])
    figure = titled_figure(
        11.5,
        1.9 + 0.42 * len(methods),
        title="False spots of blank images, and the reliability that follows",
        simulated=simulated,
    )
    left, right = _axes(figure, 2, left=2.0)
    _method_axis(left, methods, named=True)
    _method_axis(right, methods, named=False)
    for y, method in enumerate(methods):
        own = table[(table["method"] == method) & (table["image"] != "All")]
        floor = 0.5 / own["area_arcmin2"]  # where none was found: half a spot
        left.plot(
            np.maximum(own["false_per_arcmin2"], floor), np.full(len(own), y), "|",
            color="0.5", markersize=11,
        )  # fmt: skip
        right.plot(own["reliability"], np.full(len(own), y), "|", color="0.5", markersize=11)
    floor = 0.5 / pooled["area_arcmin2"]
    shown = pooled.assign(
        false_per_arcmin2=np.maximum(pooled["false_per_arcmin2"], floor),
        false_low=np.maximum(pooled["false_low"], floor),
        reliability_low=pooled["reliability_low"].clip(lower=-5),
    )
    _points(left, shown, "false_per_arcmin2", "false_low", "false_high",
            shift=0, color=_BLUE, marker="s")  # fmt: skip
    _points(right, shown, "reliability", "reliability_low", "reliability_high",
            shift=0, color=_BLUE, marker="s")  # fmt: skip
    left.set_xscale("log")
    left.set_xlabel("false spots per square arcminute (none: drawn at half a spot)")
    right.set_xlabel("reliability, 1 - N$_{blank}$ / N$_{image}$")
    right.axvline(0, color="black", lw=0.8)
    low = np.nanmin([*table["reliability"].fillna(0), 0])
    right.set_xlim(max(low - 0.1, -1.5), 1.05)
    _legend(
        figure,
        [
            Line2D([], [], color=_BLUE, marker="s", label="all images, 95 % interval"),
            Line2D([], [], color="0.5", marker="|", ls="", markersize=11, label="each image"),
        ],
    )
    return figure


@default_style
def draw_completeness(table: pd.DataFrame) -> Figure:
    """Completeness against magnitude, a panel a method. `table`: rows of one image or of all."""
    methods = list(dict.fromkeys(table["method"]))
    columns = min(4, len(methods))
    rows = -(-len(methods) // columns)
    figure = titled_figure(
        12, 1.7 + 2.5 * rows, title="True sources that the mask marks", simulated=True
    )
    kinds = {"star": (_BLUE, "o", "-"), "galaxy": (_YELLOW, "s", "--")}
    panels = _axes(figure, columns, rows=rows, left=0.7, rise=0.4, gap=0.15, top=1.1)
    counted = table[table["n_sources"] > 0]
    faintest, brightest = counted["ab_high"].max(), counted["ab_low"].min()
    for i, axes in enumerate(panels):
        if i >= len(methods):
            axes.set_axis_off()
            continue
        own = counted[counted["method"] == methods[i]]
        for shift, (kind, (color, marker, line)) in zip((-0.05, 0.05), kinds.items(), strict=True):
            part = own[own["kind"] == kind]
            x = (part["ab_low"] + part["ab_high"]) / 2 + shift
            axes.vlines(x, part["completeness_low"], part["completeness_high"], color=color, lw=1)
            axes.plot(x, part["completeness"], marker=marker, color=color, ls=line, lw=1, ms=4)
        if len(own):
            chance = own[own["kind"] == "all"].sort_values("ab_low")
            middle = (chance["ab_low"] + chance["ab_high"]) / 2
            axes.plot(middle, chance["chance"], color="black", ls=":", lw=1.2)
            axes.set_xlim(brightest - 0.2, faintest + 0.2)
        axes.set_ylim(-0.03, 1.03)
        axes.set_title(method_label(methods[i]), fontsize=10)
        axes.tick_params(
            labelleft=i % columns == 0, labelbottom=i + columns >= len(methods), labelsize=9
        )
        if i % columns == 0:
            axes.set_ylabel("completeness")
        if i + columns >= len(methods):
            axes.set_xlabel("AB magnitude")
    _legend(
        figure,
        [
            *(
                Line2D([], [], color=color, marker=marker, ls=line, label=f"{kind}, 95 % interval")
                for kind, (color, marker, line) in kinds.items()
            ),
            Line2D([], [], color="black", ls=":", label="chance: random positions marked as well"),
        ],
    )
    return figure


@default_style
def draw_purity(table: pd.DataFrame) -> Figure:
    """Purity of each method, and the shares of merged and split sources."""
    methods = list(table["method"])
    figure = titled_figure(
        11.5, 1.9 + 0.42 * len(methods), title="Spots that are true sources", simulated=True
    )
    left, right = _axes(figure, 2, left=2.0)
    _method_axis(left, methods, named=True)
    _method_axis(right, methods, named=False)
    _points(left, table, "purity", "purity_low", "purity_high", shift=0, color=_BLUE, marker="s")
    y = np.arange(len(methods))
    left.plot(table["chance_purity"], y, "o", color="black", markerfacecolor="white")
    left.set_xlim(-0.02, 1.02)
    left.set_xlabel("purity: share of spots on a true source")
    shares = {
        "n_merged_sources": ("v", _RED, "share a spot (merged)"),
        "n_split_sources": ("^", _YELLOW, "have several spots (split)"),
    }
    sources = table["n_sources"].replace(0, np.nan)
    for name, (marker, color, _) in shares.items():
        right.plot(table[name] / sources, y, marker, color=color, markersize=8)
    right.set_xlabel("share of true sources")
    right.set_xlim(left=-0.01)
    _legend(
        figure,
        [
            Line2D([], [], color=_BLUE, marker="s", label="purity, 95 % interval"),
            Line2D([], [], color="black", marker="o", markerfacecolor="white", ls="",
                   label="by chance (truth shifted)"),
            *(
                Line2D([], [], color=color, marker=marker, ls="", label=label)
                for marker, color, label in shares.values()
            ),
        ],
    )  # fmt: skip
    return figure


@default_style
def draw_significance(recalls: pd.DataFrame, tests: pd.DataFrame, *, simulated: bool) -> Figure:
    """Forest plot: difference of each method's recall from the segmentation's."""
    shown = recalls[recalls["method"] != "segmentation"].reset_index(drop=True)
    methods = list(shown["method"])
    figure = titled_figure(
        11.5,
        1.95 + 0.42 * max(len(methods), 2),
        title="Recall against the segmentation's",
        simulated=simulated,
    )
    if not len(shown) or shown["difference"].isna().all():
        return _message(figure, "Nothing to compare: no sources, or no segmentation.")
    (axes,) = _axes(figure, 1, left=2.0, right=4.1, top=0.8, bottom=0.85)
    _method_axis(axes, methods, named=True)
    axes.axvline(0, color="black", lw=1)
    _points(axes, shown, "difference", "difference_low", "difference_high",
            shift=0, color=_BLUE, marker="s")  # fmt: skip
    axes.set_xlabel("recall minus the segmentation's, 95 % interval")
    by_method = tests.set_index("method")
    heads = (1.03, "alone\n(+ / -)"), (1.24, "p (McNemar)"), (1.52, "p (Holm)")
    for x, text in heads:
        axes.text(x, 1.02, text, transform=axes.transAxes, fontsize=9, va="bottom")
    for y, method in enumerate(methods):
        row = by_method.loc[method]
        cells = (
            f"{row['method_only']} / {row['segmentation_only']}",
            f"{row['p_value']:.2g}" + (" exact" if row["exact"] else ""),
            f"{row['p_holm']:.2g}",
        )
        for (x, _), text in zip(heads, cells, strict=True):
            axes.text(x, y, text, transform=axes.get_yaxis_transform(), fontsize=9.5, va="center")
    figure.text(
        1 - 0.2 / 11.5, 0.06 / figure.get_size_inches()[1],
        f"{shown['sources'].iloc[0]} sources in {shown['images'].iloc[0]} images; "
        "alone: sources that only the method / only the segmentation marks",
        fontsize=8.5, ha="right",
    )  # fmt: skip
    return figure


@default_style
def draw_agreement(table: pd.DataFrame) -> Figure:
    """Agreement of verdict and truth for each image and method, in per cent, with the counts."""
    images = [*[i for i in dict.fromkeys(table["image"]) if i != "All"], "All"]
    methods = [*[m for m in dict.fromkeys(table["method"]) if m != "All"], "All"]
    names = [shortened(image, 40) for image in images]
    left = max(0.9, 0.25 + 0.09 * max(map(len, names)))
    figure = titled_figure(
        max(2.3 + left + 1.15 * len(methods), 7.5),
        2.0 + 0.5 * len(images),
        title="Verdicts that agree with the truth",
        simulated=True,
    )
    (axes,) = _axes(figure, 1, left=left, bottom=1.0, top=0.65, right=1.6)
    cells = table.set_index(["image", "method"])
    shares = np.array(
        [[cells["agreement"].get((i, m), np.nan) for m in methods] for i in images], float
    )
    shown = axes.imshow(
        100 * shares, cmap="Greys_r", vmin=80, vmax=100, aspect="auto", interpolation="nearest"
    )
    for y, image in enumerate(images):
        for x, method in enumerate(methods):
            if np.isnan(shares[y, x]):
                continue
            row = cells.loc[(image, method)]
            axes.text(
                x, y, f"{100 * shares[y, x]:.1f} %\n{int(row['agree'])} of {int(row['sources'])}",
                ha="center", va="center", fontsize=8,
                color="black" if shares[y, x] > 0.88 else "white",
            )  # fmt: skip
    broken = [m if m == "All" else method_label(m).replace(" Top ", "\nTop ") for m in methods]
    labels = ["\n".join(textwrap.fill(line, 12) for line in name.split("\n")) for name in broken]
    axes.set_xticks(range(len(methods)), labels, fontsize=9)
    axes.set_yticks(range(len(images)), names)
    for colour, width in (("white", 4.5), ("black", 1.5)):  # seen between black cells too
        axes.axhline(len(images) - 1.5, color=colour, lw=width)
        axes.axvline(len(methods) - 1.5, color=colour, lw=width)
    width, height = figure.get_size_inches()
    bar = figure.add_axes((1 - 1.3 / width, 1.0 / height, 0.2 / width, 1 - 1.65 / height))
    figure.colorbar(shown, cax=bar, extend="min", label="agreement (%)")
    everything = cells.loc[("All", "All")]
    text = (
        f"all together: kappa {everything['kappa']:z.2f} for success, near, failure; "
        f"{100 * everything['agreement_success']:.1f} % and kappa "
        f"{everything['kappa_success']:z.2f} for success or not"
    )
    text = textwrap.fill(text, int(12 * width))
    figure.text(0.15 / width, 0.1 / height, text, fontsize=9.5)
    return figure


@default_style
def draw_cut_outs(pieces: Sequence[CutOut], *, n_sources: int) -> Figure:
    """A sheet of the sources that verdict and truth disagree about, or of some of `n_sources`."""
    columns = 4
    rows = max(-(-len(pieces) // columns), 1)
    title = "Where verdict and truth disagree"
    if n_sources > len(pieces):
        title += f": {len(pieces)} of {n_sources} sources"
    figure = titled_figure(12.5, 1.0 + 3.75 * rows, title=title, simulated=True)
    if not pieces:
        return _message(figure, "Nowhere: all verdicts agree with the truth.")
    widths = sorted({len(piece.image) for piece in pieces})
    panels = _axes(
        figure, columns, rows=rows, left=0.15, bottom=0.1, top=1.45, gap=0.15, rise=0.95, right=0.15
    )
    for axes in panels[len(pieces) :]:
        axes.set_axis_off()
    for axes, piece in zip(panels, pieces, strict=False):
        n = len(piece.image)
        finite = piece.image[np.isfinite(piece.image)]
        low, high = np.percentile(finite, [1, 99.7]) if finite.size else (0, 1)
        axes.set_facecolor("#f0dfb4")  # of empty pixels
        axes.imshow(piece.image, origin="lower", cmap="Greys", vmin=low, vmax=high)
        if piece.mask.any():
            axes.contour(piece.mask, [0.5], colors=_YELLOW, linewidths=0.8)
        for radius, line in zip(piece.radii, ("-", "--"), strict=True):
            axes.add_patch(
                Circle((n // 2, n // 2), radius, fill=False, color=_BLUE, lw=1.1, ls=line)
            )
        axes.plot(*piece.peaks.T, "+", color=_RED, ms=9, mew=1.6)
        for (x, y), magnitude in zip(piece.truth, piece.magnitudes, strict=True):
            if 0 <= x < n and 0 <= y < n and magnitude < 26:
                axes.plot(x, y, "o", mec=_BLUE, mfc="none", ms=8, mew=1)
                axes.text(x + 2.5, y + 2, f"{magnitude:.1f}", fontsize=7, color=_BLUE, clip_on=True)
        axes.set(xlim=(-0.5, n - 0.5), ylim=(-0.5, n - 0.5), xticks=[], yticks=[])
        text = "\n".join(line for text in piece.lines for line in textwrap.wrap(text, 54))
        axes.set_title(f"{piece.title}\n{text}", fontsize=7.5, loc="left")
    _legend(
        figure,
        [
            Line2D([], [], color=_BLUE, label="success"),
            Line2D([], [], color=_BLUE, ls="--", label="near"),
            Line2D([], [], color=_RED, marker="+", ls="", mew=1.6, label="reference peak"),
            Line2D([], [], color=_BLUE, marker="o", mfc="none", ls="",
                   label="true source (AB < 26)"),
            Line2D([], [], color=_YELLOW, label="mask of the first method named"),
            Line2D([], [], ls="", label=f"{' or '.join(map(str, widths))} px wide"),
        ],
    )  # fmt: skip
    return figure


@default_style
def draw_sensitivity(
    pooled: pd.DataFrame, *, configured: Mapping[str, str], simulated: bool
) -> Figure:
    """Recall of each method in all images together: a panel a setting.

    `pooled` has setting, value, method, sources and success; the setting "as configured" is drawn
    into each panel, in the place of the value that `configured` has for the setting. Numbers are in
    order and joined by lines; other values are not, for nothing lies between them.
    """
    settings = [name for name in dict.fromkeys(pooled["setting"]) if name != "as configured"]
    title = "Recall of Table 3 when one setting is changed"
    if not settings or not pooled["sources"].sum():
        return _message(
            titled_figure(9, 2.5, title=title, simulated=simulated),
            "No sources: nothing was scored.",
        )
    columns = 2
    rows = -(-len(settings) // columns)
    height = 1.6 + 2.8 * rows
    figure = titled_figure(13, height, title=title, simulated=simulated)
    panels = _axes(
        figure, columns, rows=rows, left=0.75, right=2.2, bottom=1.15, gap=0.75, rise=0.95
    )
    methods = list(dict.fromkeys(pooled["method"]))
    styles = method_styles(methods)
    recall = pooled.assign(recall=pooled["success"] / pooled["sources"].clip(lower=1))
    usual = recall[recall["setting"] == "as configured"].set_index("method")["recall"]
    lowest = max(0.0, np.floor(10 * recall["recall"].min()) / 10 - 0.05)
    for axes, setting in zip(panels, settings, strict=False):
        own = recall[recall["setting"] == setting]
        values, at, ordered = _placed(list(dict.fromkeys(own["value"])), configured.get(setting))
        axes.axvspan(at - 0.5, at + 0.5, color="0.94", zorder=0)
        apart = np.linspace(-0.3, 0.3, len(methods)) if not ordered else np.zeros(len(methods))
        for shift, method in zip(apart, methods, strict=True):
            style = styles[method] | {"linewidth": 1.3, "markersize": 5.5}
            one = own[own["method"] == method].set_index("value")["recall"]
            shares = [one.get(value, np.nan) for value in values]
            shares[at] = usual[method]
            if not ordered:
                style["linestyle"] = "none"
            axes.plot(np.arange(len(values)) + shift, shares, **style)
        labels = list(values)
        crowded = sum(map(len, values)) > 60
        labels[at] = f"{values[at]}\nas configured".strip()
        axes.set_xticks(range(len(values)), labels, fontsize=8)
        axes.set_xlim(-0.5, len(values) - 0.5)
        if crowded:
            axes.tick_params(axis="x", rotation=30)
            for label in axes.get_xticklabels():
                label.set_horizontalalignment("right")
        axes.set_title(setting, fontsize=10.5, weight="bold", loc="left")
        axes.set_ylabel("recall, all images")
        axes.set_ylim(lowest, 1.03)
        axes.grid(axis="y", lw=0.4, color="0.8")
    for axes in panels[len(settings) :]:
        axes.set_axis_off()
    handles = [
        Line2D(
            [],
            [],
            label=textwrap.fill(method_label(name), 24),
            **styles[name] | {"linewidth": 1.3},
        )
        for name in methods
    ]
    figure.legend(
        handles=handles, loc="upper right", bbox_to_anchor=(0.995, 1 - 0.8 / height),
        fontsize=9, frameon=False,
    )  # fmt: skip
    return figure


def _placed(values: list[str], configured: str | None) -> tuple[list[str], int, bool]:
    """All values with the configured one in its place, that place, and whether they are numbers."""
    try:
        numbers = {value: float(value) for value in [*values, configured or ""]}
    except ValueError:
        return [configured or "", *values], 0, False
    every = sorted(numbers, key=lambda value: numbers[value])
    return every, every.index(configured or ""), True
