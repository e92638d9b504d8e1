"""The verdict on all masks side by side, as a page."""

import numpy as np
import pandas as pd

from mirimask.evaluation.side_by_side import BEST, ordered

__all__ = ["verdict_page"]


def verdict_page(
    table: pd.DataFrame, *, rate: float, magnitudes: tuple[float, float], simulated: bool
) -> str:
    """The verdict as a page in Markdown: all families at one false rate, a table for each group.

    `table` is that of `verdict_table`; with `simulated`, the page says that images are.
    """
    text = ["# Masks side by side", ""]
    if simulated:
        text += ["**SIMULATED** images are among these; their numbers are of no real sky.", ""]
    text += [
        f"Share of added stars of {magnitudes[0]:g} to {magnitudes[1]:g} AB that each mask finds, "
        f"its level tuned to {rate:g} false spots per square arcminute on images that it is not "
        "judged on. Behind: what the cores find more of the same stars; in bold where "
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
        for row in ordered(own, rate).itertuples():
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
