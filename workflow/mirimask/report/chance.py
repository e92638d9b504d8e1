"""The companion of Table 3: what is left of its successes beyond chance, as pages."""

from collections.abc import Iterator, Sequence

import pandas as pd

from mirimask.evaluation.chance import chance_layout
from mirimask.report.tables import SCORERS, as_latex, as_markdown

__all__ = ["BOLD", "chance_latex", "chance_pages", "chance_parts"]

TITLE = "Table 3, chance-corrected: S_c = (S/N - p0) / (1 - p0)"
POSITIONS = {"random": "random positions", "shifted": "the shifted catalogue"}
BOLD = (
    "bold: p below 0.05 after Holm's correction for all cells of single images; the row All is "
    "corrected on its own"
)
NOTES = (
    "S_c with its 95 % interval: 0 is the success of random positions, 1 is every source; -: "
    "chance leaves less than one source to fail",
    "p: probability of as many successes by chance alone (binomial), on its own; in the row All "
    "each image by its own p0, where the interval takes all sources alike",
    BOLD,
)


def chance_parts(
    table: pd.DataFrame, *, domains: Sequence[str], scorer: str
) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables that chance rates are shown as, each with its title.

    `table` has the rows of `chance_row` of all images. There is one for each domain of the slices,
    each scorer and each kind of positions; the first is the study's own: the first of the
    `domains`, its `scorer`, at random positions. Masks of slices over both domains are in
    each. Images without sources are left out.
    """
    seen = [domain for domain in domains if domain in set(table["domain"])] or [""]
    first = (seen[0], scorer, "random")
    keys = [(d, s, p) for d in seen for s in SCORERS for p in POSITIONS]
    for domain, own_scorer, positions in sorted(keys, key=lambda key: key != first):
        rows = table[
            table["domain"].isin([domain, "", "mixed"])
            & (table["scorer"] == own_scorer)
            & (table["positions"] == positions)
            & (table["sources"] > 0)
        ]
        of = [f"percentages over the {domain} domain"] if domain else []
        of += [SCORERS[own_scorer], f"p0 at {POSITIONS[positions]}"]
        title = f"{TITLE}; {', '.join(of)}"
        yield title, rows


def chance_pages(
    parts: Sequence[tuple[str, pd.DataFrame]], *, notes: Sequence[str], simulated: bool
) -> str:
    """The tables of `chance_parts` in Markdown, below each other; the first with the notes."""
    pages = [
        as_markdown(
            chance_layout(rows, bold=lambda text: f"**{text}**"),
            title=title,
            notes=[] if number else [*NOTES, *notes],
            simulated=simulated,
        )
        for number, (title, rows) in enumerate(parts)
    ]
    return "\n".join(pages)


def chance_latex(rows: pd.DataFrame, *, simulated: bool) -> str:
    """One of the tables of `chance_parts` in LaTeX."""
    layout = chance_layout(rows, bold=lambda text: rf"\textbf{{{text}}}")
    return as_latex(layout, title=TITLE, label="tab:table3_chance", simulated=simulated)
