"""The verdict on all masks side by side, as a page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mirimask.evaluation.side_by_side import (
    BEST,
    FACTORIAL,
    ITSELF,
    OTHERS,
    at_own_levels,
    ordered,
)
from mirimask.masks.registry import METHODS

__all__ = ["curves_page", "factorial_page", "verdict_page"]


def verdict_page(
    table: pd.DataFrame, *, rate: float, magnitudes: tuple[float, float], simulated: bool
) -> str:
    """The verdict as a page in Markdown: all families at one false rate, a table for each group.

    `table` is that of `verdict_table`; with `simulated`, the page says that images are.
    """
    text = ["# Masks side by side", ""]
    if simulated:
        text += ["**SIMULATED** images are among these; their numbers are of no real sky.", ""]
    text += [_WRITTEN.format("side_by_side/verdict.md"), "", *_standing(table), ""]
    text += [
        f"Share of added stars of {magnitudes[0]:g} to {magnitudes[1]:g} AB that each mask finds, "
        f"its level tuned to {rate:g} false spots per square arcminute on images that it is not "
        "judged on. Behind: what the cores find more of the same stars; in bold where "
        "its 95 % interval lies on one side of 0, else it is a tie. All intervals hold the Poisson "
        "error of the false spots and with it that of the level. On itself: with the level chosen "
        "on the image that is judged, and behind then; every mask is flattered by that. A limit: "
        "without a truth, blank images do not tell this mask's false spots within a factor of 1.5, "
        "and it is not ranked. Published: "
        "completeness and false spots at its authors' level. Time: one mask of one crop, median, "
        "in ms.",
        "",
    ]
    for group in dict.fromkeys(table["group"]):
        own = table[table["group"] == group]
        published = own[own["rate"].isna()].set_index("family")
        itself = ordered(own, rate, ITSELF).set_index("family")
        count = own["n_stars"].max()
        text += [
            f"## {group} ({own['images'].iloc[0]} images, {0 if np.isnan(count) else int(count)} "
            "stars)",
            "",
            "| mask | found | 95 % | false per arcmin² | behind | on itself | behind | published | "
            "ms |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for row in ordered(own, rate).itertuples():
            if row.needs:
                text.append(f"| {row.label} | not installed: {row.needs} | | | | | | | |")
                continue
            if np.isnan(row.completeness):
                text.append(f"| {row.label} | no level | | | | | | | |")
                continue
            usual, here = published.loc[row.family], itself.loc[row.family]
            text.append(
                f"| {row.label} | {row.completeness:.3f} | {row.low:.3f} to {row.high:.3f} | "
                f"{_rate(row)} | {_behind(row, row.family)} | {_at(here)} | "
                f"{_behind(here, row.family)} | {_at(usual)} | {row.median_ms:.0f} |"
            )
        text.append("")
    return "\n".join(text)


def _at(row: Any) -> str:
    return f"{row.completeness:.3f} at {row.false_per_arcmin2:.1f}"


def _rate(row: Any) -> str:
    limit = f", {row.limit}" if row.limit else ""
    return f"{row.false_per_arcmin2:.1f} ({row.false_low:.1f} to {row.false_high:.1f}){limit}"


def _behind(row: Any, family: str) -> str:
    """What the cores find more, in bold where its interval lies on one side of 0."""
    if family == BEST or row.limit or np.isnan(row.behind):  # NaN: without the cores
        return ""
    return f"**{_more(row)}**" if row.behind_low > 0 or row.behind_high < 0 else _more(row)


_WRITTEN = (
    "Written by the rule `side_by_side_summary` as `{}`; `make peers` runs it with every tool."
)
# the filters of others with the noise of the cores, and the cores with theirs: the factorial page's
_CROSSED = {"cores_tile", *(window for _, window in FACTORIAL.values())}


def _standing(table: pd.DataFrame) -> list[str]:
    """Where the cores are ahead, tied and behind: a line for each group, rate and way of choosing.

    A mask is tied where the 95 % interval of the paired difference holds 0. Masks that are not
    ranked (`limit`) are named.
    """
    text = [
        "## Where the cores are ahead, and where not",
        "",
        "Each cell: what the cores find more (less: negative) of the same stars, with its 95 % "
        "interval. The filters of others with the cores' noise, and the other way round, are not "
        "among these: they have a page of their own, *Filter and noise*.",
        "",
        "| images | false per arcmin² | levels chosen on | cores | ahead of the cores | ties | "
        "behind them | the nearest of these | not ranked |",
        "|---" * 9 + "|",
    ]
    tuned = table.dropna(subset=["rate", "completeness"])
    for group in dict.fromkeys(tuned["group"]):
        for rate in sorted(set(tuned["rate"])):
            for chosen in (OTHERS, ITSELF):
                own = ordered(tuned[tuned["group"] == group], rate, chosen)
                best = own[own["family"] == BEST]
                if best.empty:
                    continue
                rest = own[~own["family"].isin(_CROSSED)].sort_values("behind")
                ranked = rest[rest["behind"].notna()]
                ahead = ranked[ranked["behind_high"] < 0]
                after = ranked[ranked["behind_low"] > 0]
                ties = ranked.drop([*ahead.index, *after.index])
                cells = [
                    group,
                    f"{rate:g}",
                    {OTHERS: "others", ITSELF: "itself"}[chosen],
                    _share(next(best.itertuples())),
                    _named(ahead),
                    f"all {len(ties)}" if len(ties) == len(ranked) > 0 else _named(ties),
                    f"{len(after)} of {len(ranked)}",
                    _named(after.head(1)),
                    ", ".join(rest[rest["behind"].isna()]["label"]) or "none",
                ]
                text.append(f"| {' | '.join(cells)} |")
    return text


def _share(row: Any) -> str:
    return f"{row.completeness:.3f} ({row.low:.3f} to {row.high:.3f})"


def _named(rows: pd.DataFrame) -> str:
    """Masks with what the cores find more."""
    return "; ".join(f"{row.label} {_more(row)}" for row in rows.itertuples()) or "none"


def _more(row: Any) -> str:
    return f"{row.behind:+z.3f} ({row.behind_low:+z.3f} to {row.behind_high:+z.3f})"


_CHOSEN = {OTHERS: "levels chosen on other images", ITSELF: "levels chosen on each image itself"}


def factorial_page(
    table: pd.DataFrame, *, rate: float, magnitudes: tuple[float, float], simulated: bool
) -> str:
    """Each filter with the noise of its tile, and with that of a window too: where the gain is.

    `table` is that of `factorial`.
    """
    text = ["# Filter and noise", ""]
    if simulated:
        text += ["**SIMULATED** images are among these; their numbers are of no real sky.", ""]
    text += [
        _WRITTEN.format("side_by_side/factorial.md"),
        "",
        f"Share of added stars of {magnitudes[0]:g} to {magnitudes[1]:g} AB that filters find at "
        f"{rate:g} false spots per square arcminute, in units of the noise of a tile alone and of "
        "the same mixed with the mean absolute value in a window around each pixel: cell "
        "averaging, which keeps the rate of false alarms constant in a radar's clutter (CA-CFAR; "
        "Finn & Johnson 1968, RCA Review 29, 414). Window and mixture are those of the cores, for "
        "which they were chosen. 95 % intervals hold the error of the level.",
        "",
    ]
    own = table[np.isclose(table["rate"].astype(float), rate)]
    if own.empty:
        text += ["No filter was swept with both.", ""]
    for group, chosen in dict.fromkeys(zip(own["group"], own["chosen"], strict=True)):
        cells = own[(own["group"] == group) & (own["chosen"] == chosen)]
        text += [
            f"## {group}, {_CHOSEN[chosen]}",
            "",
            "| filter | tile | tile and window | cores less tile and window |",
            "|---|---|---|---|",
        ]
        for name in dict.fromkeys(cells["filter"]):
            tile, window = (
                cells[(cells["filter"] == name) & (cells["noise"] == noise)].iloc[0]
                for noise in ("tile", "tile and window")
            )
            found = " | ".join(
                f"{one.completeness:.3f} ({one.low:.3f} to {one.high:.3f}) at {_rate(one)}"
                for one in (tile, window)
            )
            text.append(f"| {name} | {found} | {_behind(window, window.family)} |")
        text.append("")
    return "\n".join(text)


def curves_page(
    curves: pd.DataFrame,
    *,
    groups: Mapping[str, Sequence[str]],
    rate: float,
    magnitudes: tuple[float, float],
    simulated: bool,
) -> str:
    """What each mask finds in each image at one false rate, with the level of that image itself.

    `curves` are rows of `full_curve` with family and image columns; the groups' columns are means
    of their images. Dashes where a mask has no curve of an image.
    """
    text = ["# Every mask in every image", ""]
    if simulated:
        text += ["**SIMULATED** images are among these; their numbers are of no real sky.", ""]
    text += [
        "Written by the rule `side_by_side_curves` as `side_by_side/curves.md`.",
        "",
        f"Share of added stars of {magnitudes[0]:g} to {magnitudes[1]:g} AB that each mask finds "
        f"at {rate:g} false spots per square arcminute, with the level of each image itself: what "
        "the image that is cut is worth, not what a level chosen elsewhere gives. Read along "
        "straight lines between the levels that were tried. In bold the mean of the group before "
        "it.",
        "",
    ]
    found = at_own_levels(curves, rate)
    parts = {group: found.reindex(columns=images) for group, images in groups.items()}
    head = [name for group, part in parts.items() for name in (*part, f"**{group}**")]
    text += [f"| mask | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for family in (name for name in METHODS if name in found.index):
        cells = [METHODS[family].label]
        for part in parts.values():
            row = part.loc[family]
            cells += [_two_digits(value) for value in row]
            cells.append(_two_digits(row.mean(), bold=True))
        text.append(f"| {' | '.join(cells)} |")
    return "\n".join([*text, ""])


def _two_digits(value: float, *, bold: bool = False) -> str:
    if np.isnan(value):
        return "-"
    return f"**{value:.2f}**" if bold else f"{value:.2f}"
