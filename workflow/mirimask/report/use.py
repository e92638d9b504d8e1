"""What masks leave in the sky, as a page."""

import pandas as pd

from mirimask.masks.names import method_label
from mirimask.report.tables import SIMULATED

__all__ = ["use_page", "use_table"]

_COLUMNS = {
    "area": ("area, %", 100, 1),
    "sky_median": ("sky left: median", 1, 3),
    "sky_mean": ("mean", 1, 3),
    "ideal_mean": ("ideal's mean", 1, 3),
    "sky_worst": ("worst box", 1, 2),
    "stars_left": ("light left, stars, %", 100, 1),
    "ideal_stars": ("ideal's", 100, 1),
    "galaxies_left": ("galaxies, %", 100, 1),
    "ideal_galaxies": ("ideal's", 100, 1),
    "waste": ("waste", 1, 2),
}


def use_page(table: pd.DataFrame) -> str:
    """The table of `evaluation.background.use_row` of all images in Markdown.

    For every image and for all of them the masks in the order of the mean sky left.
    """
    lines = [
        "# What masks leave in the sky",
        "",
        f"**{SIMULATED}**",
        "",
        "Unmasked pixels against the true sky, in units of the noise of a pixel; ideal: the mask "
        "of the same area in which there is most light. Light left outside: mean over stars of 18 "
        "to 22 AB and galaxies of 18 to 23 AB. Waste: the share of the mask with less than 0.1 "
        "sigma of light. `docs/method.md` has the definitions.",
    ]
    images = ["All", *(image for image in table["image"].unique() if image != "All")]
    for image in images:
        title = "All images, mean" if image == "All" else image
        lines += ["", f"## {title}", "", *use_table(table[table["image"] == image])]
    return "\n".join(lines) + "\n"


def use_table(rows: pd.DataFrame) -> list[str]:
    """Rows of that table as lines of Markdown, by the mean sky left."""
    lines = ["| mask | " + " | ".join(name for name, *_ in _COLUMNS.values()) + " |"]
    lines.append("|---" * (1 + len(_COLUMNS)) + "|")
    for row in rows.sort_values("sky_mean").to_dict("records"):
        cells = [f"{scale * row[key]:.{digits}f}" for key, (_, scale, digits) in _COLUMNS.items()]
        name = method_label(row["method"])
        name = f"**{name}**" if row["method"] == "recommended" else name
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines
