"""What a finished study says on the terminal."""

from pathlib import Path

import pandas as pd

from mirimask.report.tables import SIMULATED, paper_layout

__all__ = ["places_made", "table3_lines"]

_PLACES = {
    "index.html": "the report: open it first",
    "browser.html": "every image with every mask",
    "by_eye/score.html": "score by eye, blind to the method",
    "report.zip": "Snakemake's own report",
    "tables/": "Tables 1 to 3 as CSV, Markdown and LaTeX",
    "figures/": "Figures 1 to 5 as PNG and PDF",
    "claims.md": "the paper's claims, answered",
    "comparison/": "computed against published, cell by cell",
    "evaluation/": "what the masks are worth: chance, false detections, completeness",
    "masks/": "every mask, as FITS with WCS",
    "manifest.tsv": "the products used, with checksums",
}


def table3_lines(table: pd.DataFrame) -> list[str]:
    """Table 3, as `count_verdicts` gives it, narrow enough for a terminal."""
    if table.empty:
        return ["Table 3: no catalogue source lies on any of the images, nothing was scored"]
    layout = paper_layout(table, bold=lambda text: f"*{text}").set_index("Image")
    short = pd.DataFrame(
        {
            label.removesuffix(" S")
            .replace(" Top", "")
            .replace(" %", "%")
            .replace("Orig. ", ""): layout[label] + " - " + layout[label.removesuffix("S") + "F"]
            for label in layout.columns[::2]
        }
    )
    return [
        "Table 3: successes/near misses - failures",
        "* better than the segmentation   ! needs further processing",
        *([SIMULATED] if table["simulated"].any() else []),
        short.rename_axis(None).to_string(),
    ]


def places_made(folder: Path) -> list[str]:
    """What of a study's results there is in its folder, and what for."""
    made = [(folder / place, what) for place, what in _PLACES.items() if (folder / place).exists()]
    return ["What was made:", *(f"  {path}  {what}" for path, what in made)]
