"""All masks at equal false rates in one table and one figure."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mirimask.evaluation.tuning import paired_difference
from mirimask.figures.evaluation import titled_figure
from mirimask.intervals import wilson
from mirimask.masks.registry import METHODS

__all__ = [
    "GROUPS",
    "draw_all_curves",
    "draw_verdict",
    "verdict_page",
    "verdict_table",
]

BEST = "cores"
GROUPS = {"own": "this project", "peer": "in use elsewhere", "future": "paper's future work"}
_COLOURS = {"own": "#000000", "peer": "#0072B2", "future": "#D55E00"}
_MARKERS = {"own": "o", "peer": "s", "future": "^"}


def verdict_table(
    judged: pd.DataFrame,
    stars: pd.DataFrame,
    times: pd.DataFrame,
    *,
    groups: dict[str, list[str]],
    not_installed: dict[str, str],
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """One row for each group of images, false rate and family.

    `judged` and `stars`: the tables of all families below each other, with family, image and rate
    (NaN: the published level). `times`: family, median_ms. Columns: group, images, rate, family,
    label, kind, n_stars, n_found, completeness with its 95 % Wilson limits, false_per_arcmin2 (what
    the levels came to), inverted_per_arcmin2, area, tuned (share of the images for which a level
    reached the rate), behind: completeness of the cores less the family's for the same
    stars, with its 95 % limits (`paired_difference`), median_ms, times_cores, needs: what is
    not installed (such families have no numbers).
    """
    spent = times.set_index("family")["median_ms"]
    rows: list[dict[str, Any]] = []
    own_stars = dict(tuple(stars.groupby("family", sort=False)))
    for group, images in groups.items():
        for rate in [*sorted(judged["rate"].dropna().unique()), np.nan]:
            best = _found(own_stars.get(BEST), images, rate)
            for family in [*own_stars, *not_installed]:
                row = {
                    "group": group,
                    "images": len(images),
                    "rate": rate,
                    "family": family,
                    "label": METHODS[family].label,
                    "kind": METHODS[family].group,
                    "needs": not_installed.get(family, ""),
                }
                rows.append(row)
                if family in not_installed:
                    continue
                found = _found(own_stars[family], images, rate)
                table = judged[
                    (judged["family"] == family)
                    & judged["image"].isin(images)
                    & _same_rate(judged["rate"], rate)
                ]
                if found is None or table.empty:
                    continue
                flags = found["found"].to_numpy(bool)
                low, high = wilson(flags.sum(), flags.size)
                area = table["area_arcmin2"]
                row |= {
                    "n_stars": flags.size,
                    "n_found": int(flags.sum()),
                    "completeness": flags.mean(),
                    "low": float(low),
                    "high": float(high),
                    "false_per_arcmin2": float((table["false_per_arcmin2"] * area).sum())
                    / area.sum(),
                    "inverted_per_arcmin2": float((table["inverted_per_arcmin2"] * area).sum())
                    / area.sum(),
                    "area": float((table["area"] * area).sum()) / area.sum(),
                    "tuned": float(table["reached"].mean()),
                    "median_ms": spent.get(family, np.nan),
                    "times_cores": spent.get(family, np.nan) / spent.get(BEST, np.nan),
                }
                if best is not None:
                    rng = np.random.default_rng(seed)
                    strata = found["image"].to_numpy(str)
                    row |= dict(
                        zip(
                            ("behind", "behind_low", "behind_high"),
                            paired_difference(
                                best["found"].to_numpy(bool), flags, strata, draws=draws, rng=rng
                            ),
                            strict=True,
                        )
                    )
    columns = [
        "group",
        "images",
        "rate",
        "family",
        "label",
        "kind",
        "n_stars",
        "n_found",
        "completeness",
        "low",
        "high",
        "false_per_arcmin2",
        "inverted_per_arcmin2",
        "area",
        "tuned",
        "behind",
        "behind_low",
        "behind_high",
        "median_ms",
        "times_cores",
        "needs",
    ]
    return pd.DataFrame(rows).reindex(columns=columns)


def _same_rate(rates: pd.Series, rate: float) -> pd.Series:
    return rates.isna() if np.isnan(rate) else np.isclose(rates, rate)


def _found(stars: pd.DataFrame | None, images: list[str], rate: float) -> pd.DataFrame | None:
    """The stars of some images at one rate, in an order that all families share."""
    if stars is None:
        return None
    own = stars[stars["image"].isin(images) & _same_rate(stars["rate"], rate)]
    return own.sort_values(["image", "star"]) if len(own) else None


def _ordered(table: pd.DataFrame, rate: float) -> pd.DataFrame:
    """The rows at one rate, families from the most complete of the first group to the least."""
    own = table[_same_rate(table["rate"], rate)]
    first = own[own["group"] == own["group"].iloc[0]].set_index("family")["completeness"]
    return own.assign(order=own["family"].map(first).fillna(-1)).sort_values(
        "order", ascending=False, kind="stable"
    )


def verdict_page(table: pd.DataFrame, *, rate: float, magnitudes: tuple[float, float]) -> str:
    """The verdict as a page in Markdown: all families at one false rate, a table for each group."""
    text = [
        "# Masks side by side",
        "",
        f"Share of added stars of {magnitudes[0]:g} to {magnitudes[1]:g} AB that each mask finds, "
        f"its level tuned to {rate:g} false spots per square arcminute on images that it is not "
        "judged on. Behind: what the cores finds more of the same stars; in bold where "
        "its 95 % interval lies on one side of 0. At its own level: completeness and false spots "
        "at the published level. Time: one mask of one crop, median, in ms.",
        "",
    ]
    for group in dict.fromkeys(table["group"]):
        own = table[table["group"] == group]
        published = own[own["rate"].isna()].set_index("family")
        count = own["n_stars"].max()
        text += [
            f"## {group} ({own['images'].iloc[0]} images, {0 if np.isnan(count) else int(count)} "
            "stars)",
            "",
            "| mask | found | 95 % | false per arcmin² | behind | at its own level | ms |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in _ordered(own, rate).itertuples():
            if row.needs:
                text.append(f"| {row.label} | not installed: {row.needs} | | | | | |")
                continue
            if np.isnan(row.completeness):
                text.append(f"| {row.label} | no level | | | | | |")
                continue
            behind = f"{row.behind:+.3f} ({row.behind_low:+.3f} to {row.behind_high:+.3f})"
            if row.family == BEST:
                behind = ""
            elif row.behind_low > 0 or row.behind_high < 0:
                behind = f"**{behind}**"
            usual = published.loc[row.family]
            text.append(
                f"| {row.label} | {row.completeness:.3f} | {row.low:.3f} to {row.high:.3f} | "
                f"{row.false_per_arcmin2:.1f} | {behind} | {usual['completeness']:.3f} at "
                f"{usual['false_per_arcmin2']:.1f} | {row.median_ms:.0f} |"
            )
        text.append("")
    return "\n".join(text)


def draw_verdict(
    table: pd.DataFrame, *, rate: float, magnitudes: tuple[float, float], simulated: bool
) -> Figure:
    """Every family's completeness at one false rate, a column for each group of images."""
    with mpl.rc_context():
        mpl.rcdefaults()
        return _draw_verdict(table, rate, magnitudes, simulated)


def _draw_verdict(
    table: pd.DataFrame, rate: float, magnitudes: tuple[float, float], simulated: bool
) -> Figure:
    groups = list(dict.fromkeys(table["group"]))
    rows = _ordered(table, rate)
    families = list(dict.fromkeys(rows["family"]))
    labels = 2.75
    panel, gap, times, head, foot = 2.6, 0.25, 1.0, 1.0, 0.95
    width = labels + len(groups) * (panel + gap) + times
    height = head + 0.26 * len(families) + foot
    figure = titled_figure(
        width,
        height,
        title=f"Stars of {magnitudes[0]:g} to {magnitudes[1]:g} AB found at {rate:g} false spots "
        "per arcmin²",
        simulated=simulated,
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
            axes.plot(
                row.completeness,
                y,
                marker="*" if row.family == BEST else _MARKERS[row.kind],
                ms=11 if row.family == BEST else 5,
                color=_COLOURS[row.kind],
            )
        axes.set_ylim(len(families) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.grid(axis="x", color="0.9", lw=0.7)
        axes.set_axisbelow(True)
        axes.set_title(f"{group} ({own['images'].iloc[0]})", fontsize=10)
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
        0.5 / height,
        "share of the added stars found, with 95 % interval",
        ha="center",
        fontsize=10,
    )
    handles = [
        mpl.lines.Line2D([], [], color=_COLOURS[kind], marker=_MARKERS[kind], ls="", label=label)
        for kind, label in GROUPS.items()
    ]
    figure.legend(
        handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=9,
        bbox_to_anchor=(0.5, 0.0),
    )  # fmt: skip
    return figure


_GROUP_STYLES: tuple[dict[str, Any], ...] = (
    {"color": "#0072B2", "ls": "-"},
    {"color": "#D55E00", "ls": "--"},
    {"color": "#009E73", "ls": ":"},
    {"color": "#CC79A7", "ls": "-."},
)


def draw_all_curves(
    pooled: pd.DataFrame, *, magnitudes: tuple[float, float], simulated: bool
) -> Figure:
    """A panel for each family: stars found against false spots, beside the cores's.

    `pooled`: rows of `pool_curves`, its image column naming the group of images.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        return _draw_all_curves(pooled, magnitudes, simulated)


def _draw_all_curves(
    pooled: pd.DataFrame, magnitudes: tuple[float, float], simulated: bool
) -> Figure:
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
    handles = [mpl.lines.Line2D([], [], label=name, **style) for name, style in groups.items()]
    handles.append(mpl.lines.Line2D([], [], color="0.6", lw=4, label="the cores"))
    figure.legend(
        handles=handles, loc="lower center", ncols=len(handles), frameon=False, fontsize=9
    )
    return figure
