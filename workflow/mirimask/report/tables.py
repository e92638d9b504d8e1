"""Tables 1 to 3 as data and as text."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from mirimask.errors import MaskError
from mirimask.image.statistics import MOMENTS
from mirimask.masks.names import method_label
from mirimask.sources.verdicts import VERDICT_COLUMNS

__all__ = [
    "BOLD_NOTE",
    "CROWDED",
    "SCORERS",
    "SIMULATED",
    "TITLE1",
    "TITLE2",
    "TITLE3",
    "all_variants",
    "as_latex",
    "as_markdown",
    "check_same_sources",
    "circle_notes",
    "clutter_note",
    "count_verdicts",
    "latex_bold",
    "markdown_bold",
    "number_words",
    "paper_layout",
    "printable_statistics",
    "rate_words",
    "statistics_notes",
    "table3_latex",
    "table3_page",
    "table3_variants",
    "together",
]

TITLE1 = "Table 1: identification of the images"
TITLE2 = (
    "Table 2: statistics of the cropped images; levels in MJy/sr, variance in its square, skewness "
    "and kurtosis without a unit"
)
TITLE3 = "Table 3: success (S), near misses (behind the slash) and failures (F)"
BOLD_NOTE = "bold: better than the segmentation, by more successes, or as many and fewer failures"
SIMULATED = "SIMULATED: computed from simulated images, not from the sky."


def number_words(value: float, form: str, none: str = "-") -> str:
    """A number in a format (`.2f`), or what stands for one that is not known: NaN, infinite."""
    return format(value, form) if np.isfinite(value) else none


def rate_words(value: float, digits: int = 3) -> str:
    """A rate with that many digits and no exponent: '1.32', '6,480'; 'nan' where it is NaN."""
    text = f"{value:.{digits}g}"
    if "e-" in text:
        return np.format_float_positional(float(text))
    return f"{float(text):,.0f}" if "e+" in text else text


def check_same_sources(verdicts: pd.DataFrame) -> None:
    """MaskError where the masks of an image are not judged by the same sources.

    `verdicts` has image, method and id, one row a source: of tables that the study wrote, one that
    lost rows since.
    """
    for image, own in verdicts.groupby("image", sort=False):
        first, *others = own.groupby("method", sort=False)["id"].agg(tuple).items()
        for method, ids in others:
            if ids != first[1]:
                raise MaskError(
                    f"verdicts/{image}: {method}.csv has {len(ids)} sources, {first[0]}.csv "
                    f"{len(first[1])}, and they must have the same; remove both, and run again."
                )


def count_verdicts(
    verdicts: pd.DataFrame, clutter: pd.Series, *, clutter_limit: float, scorer: str
) -> pd.DataFrame:
    """Table 3 as data: a row for each image and method, in the order of `clutter`.

    `verdicts` has image, method and one row a source; `clutter` has one value a mask and is indexed
    by image and method (masks without sources count 0). `scorer` is 'peaks' (column verdict) or
    'pixels' (column verdict_pixels). `needs_processing` is the paper's exclamation mark: clutter
    above `clutter_limit`. `bold` is the paper's bold: better than the segmentation of the same
    image, that is more successes, or as many with fewer failures; nowhere where not as many
    sources were judged.
    """
    column = VERDICT_COLUMNS[scorer]
    rows = []
    for (image, method), share in clutter.items():
        given = verdicts[(verdicts["image"] == image) & (verdicts["method"] == method)][column]
        rows.append(
            {
                "image": image,
                "method": method,
                "success": int((given == "success").sum()),
                "near": int((given == "near").sum()),
                "failure": int((given == "failure").sum()),
                "sources": len(given),
                "clutter": share,
                "needs_processing": bool(share > clutter_limit),
            }
        )
    table = pd.DataFrame(rows)
    reference = table[table["method"] == "segmentation"].set_index("image")

    def better(row: pd.Series) -> bool:
        if row["image"] not in reference.index or row["method"] == "segmentation":
            return False
        its = reference.loc[row["image"]]
        if row["sources"] != its["sources"]:  # by eye, of a part of the cut-outs
            return False
        return bool(
            row["success"] > its["success"]
            or (row["success"] == its["success"] and row["failure"] < its["failure"])
        )

    table["bold"] = table.apply(better, axis=1)
    return table


def clutter_note(limit: float) -> str:
    """What the paper's exclamation mark says."""
    return (
        f"!: needs further processing, more than {100 * limit:g} % of the mask's visible spots "
        "mark nothing bright"
    )


def together(table: pd.DataFrame) -> pd.DataFrame:
    """All images together ('all'); the only one; no rows where images could not be pooled.

    `table` has rows by image, in its column of that name.
    """
    pooled = table[table["image"] == "all"]
    return pooled if len(pooled) or table["image"].nunique() > 1 else table


SCORERS = {
    "peaks": "a bright spot's peak in the circle",
    "pixels": "any pixel of the mask in the circle",
}
Variants = dict[tuple[str, str], pd.DataFrame]


def table3_variants(
    verdicts: pd.DataFrame,
    clutter: pd.Series,
    *,
    domains: Mapping[str, Sequence[str]],
    clutter_limit: float,
) -> Variants:
    """Table 3 by the domain of its slices and by its scorer, without images that have no source.

    `verdicts` and `clutter` as `count_verdicts` takes them; `domains` has the masks of each domain,
    whose names lose it: it is the key. A domain without masks has no table.
    """
    images = clutter.index.unique("image")
    variants = {}
    for domain, methods in domains.items():
        cells = pd.MultiIndex.from_product([images, methods], names=["image", "method"])
        for scorer in SCORERS if len(cells) else ():
            counts = count_verdicts(
                verdicts, clutter.reindex(cells), clutter_limit=clutter_limit, scorer=scorer
            )
            counts["method"] = [name.replace(f"@{domain}", "") for name in counts["method"]]
            variants[domain, scorer] = counts[counts["sources"] > 0]
    return variants


def all_variants(variants: Variants) -> pd.DataFrame:
    """The variants below each other, with their domain and scorer in columns."""
    return pd.concat(
        [table.assign(domain=domain, scorer=scorer) for (domain, scorer), table in variants.items()]
    )


def table3_page(
    variants: Variants,
    first: tuple[str, str],
    *,
    circles: pd.DataFrame,
    clutter_limit: float,
    simulated: bool,
) -> str:
    """Table 3 in Markdown, the variant `first` with notes, then the others."""
    notes = [
        "S: a reference peak that the mask marks lies within the circle; behind the slash: in "
        "the ring around it; F: neither",
        BOLD_NOTE,
        clutter_note(clutter_limit),
        *circle_notes(circles),
    ]
    return "\n".join(
        as_markdown(
            paper_layout(variants[key], bold=markdown_bold),
            title=f"{TITLE3}; percentages over the {key[0]} domain, {SCORERS[key[1]]}",
            notes=notes if key == first else [],
            simulated=simulated,
        )
        for key in sorted(variants, key=lambda key: key != first)
    )


def table3_latex(table: pd.DataFrame, *, simulated: bool) -> str:
    """Table 3, as `count_verdicts` gives it, in LaTeX."""
    layout = paper_layout(table, bold=latex_bold)
    return as_latex(layout, title=TITLE3, label="tab:table3", simulated=simulated)


# circles that cover more of an image than this leave more to chance than to the mask
CROWDED = 0.5


def circle_notes(circles: pd.DataFrame) -> list[str]:
    """What has to be said of images without sources, of sources that nothing was observed of, and
    where circles cover most of an image.

    `circles` has a row an image: image, catalogue (bool: one was given), sources, not_observed of
    these, and covered, the share of the image within the circle of a source. No note where there is
    nothing to say.
    """
    none = circles[circles["sources"] == 0]
    absent, empty = none[~none["catalogue"]]["image"], none[none["catalogue"]]["image"]
    notes = []
    if len(none) == len(circles):
        what = "source lies on any" if len(empty) else "is given for any"
        notes.append(f"no catalogue {what} of the images: nothing was scored")
    else:
        if len(absent):
            notes.append(f"left out, no catalogue is given: {', '.join(absent)}")
        if len(empty):
            notes.append(f"left out, no catalogue source lies on it: {', '.join(empty)}")
    beyond = circles[circles["not_observed"] > 0]
    if len(beyond):
        counts = ", ".join(
            f"{row.not_observed} of {row.sources} in {row.image}" for row in beyond.itertuples()
        )
        notes.append(f"sources around which nothing was observed count as failures: {counts}")
    crowded = circles[circles["covered"] > CROWDED]
    if len(crowded):
        shares = ", ".join(
            f"{100 * row.covered:.0f} % of {row.image}" for row in crowded.itertuples()
        )
        notes.append(
            f"the circles cover {shares}: there chance decides more than the mask; a smaller "
            "verdict.radius, or a catalogue with fewer sources, would tell"
        )
    return notes


def markdown_bold(text: str) -> str:
    """The text of a cell in bold type, in Markdown."""
    return f"**{text}**"


def latex_bold(text: str) -> str:
    """The text of a cell in bold type, in LaTeX."""
    return rf"\textbf{{{text}}}"


def paper_layout(table: pd.DataFrame, bold: Callable[[str], str]) -> pd.DataFrame:
    """Table 3 as the paper prints it: `S/near`, ` !` and F for each method, bold where better.

    Adds a row with the totals of all images; a table without rows stays one.
    """
    if table.empty:
        return pd.DataFrame({"Image": []})
    methods = list(dict.fromkeys(table["method"]))
    totals = table.groupby("method", sort=False)[["success", "near", "failure"]].sum()
    layout: dict[str, list[str]] = {"Image": [*dict.fromkeys(table["image"]), "All"]}
    by_cell = table.set_index(["image", "method"])
    for method in methods:
        label = method_label(method)
        successes, failures = [], []
        for image in layout["Image"]:
            row = totals.loc[method] if image == "All" else by_cell.loc[(image, method)]
            text = f"{row['success']}/{row['near']}" if row["near"] else f"{row['success']}"
            if image != "All":
                text = bold(text) if row["bold"] else text
                text += " !" if row["needs_processing"] else ""
            successes.append(text)
            failures.append(f"{row['failure']}")
        layout[f"{label} S"], layout[f"{label} F"] = successes, failures
    return pd.DataFrame(layout)


def printable_statistics(table: pd.DataFrame) -> pd.DataFrame:
    """Table 2 with seven significant digits for levels, four for the moments."""
    shown = table.copy()
    for column in MOMENTS:
        digits = 7 if column in ("min", "max", "mean", "median") else 4
        shown[column] = [f"{value:.{digits}g}" for value in table[column]]
    return shown


def statistics_notes(images: pd.DataFrame, products: pd.DataFrame | None = None) -> list[str]:
    """What has to be said of the pixels and products behind Table 2.

    `images` has a row an image: n_empty of its n_pixels are empty, n_not_finite not finite, and
    where `empty_left_out` is True none of the empty ones counts. `products` is the manifest.
    """
    notes = [
        f"{row.image}: {row.n_empty} of {row.n_pixels} pixels of the crop are empty, "
        + (
            "all of them left out"
            if getattr(row, "empty_left_out", None) is True
            else f"{row.n_not_finite} of them not finite and left out"
        )
        for row in images.itertuples()
        if row.n_empty or row.n_not_finite
    ]
    if products is not None:
        noted = products[(products["product"] == "i2d") & (products["note"] != "")]
        notes += [f"{row.image}: {row.note}" for row in noted.itertuples()]
    return notes


def _clean(value: object) -> str:
    return "" if value is None or value != value else str(value)


def as_markdown(
    table: pd.DataFrame,
    *,
    title: str,
    notes: Sequence[str],
    simulated: bool,
    first: Sequence[str] = (),
) -> str:
    """A Markdown page with the table; no text of a header can break out of its cell.

    `first`: sentences, in Markdown, that stand above it.
    """

    def cell(value: object) -> str:
        text = " ".join(_clean(value).split())
        for character in "\\`|<>[]":
            text = text.replace(character, f"&#{ord(character)};")
        return text

    lines = [f"# {title}", ""]
    if simulated:
        lines += [f"**{SIMULATED}**", ""]
    if first:
        lines += [" ".join(first), ""]
    lines.append("| " + " | ".join(map(cell, table.columns)) + " |")
    lines.append("|" + "---|" * len(table.columns))
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in table.itertuples(index=False)]
    lines += ["", *(f"- {note}" for note in notes)] if notes else []
    return "\n".join(lines) + "\n"


_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
)


def as_latex(table: pd.DataFrame, *, title: str, label: str, simulated: bool) -> str:
    """A LaTeX table; cells may hold \\textbf{...} around text without special characters."""

    def cell(value: object) -> str:
        text = _clean(value)
        if text.startswith(r"\textbf{"):
            inner, _, rest = text.removeprefix(r"\textbf{").partition("}")
            return rf"\textbf{{{inner.translate(_LATEX)}}}{rest.translate(_LATEX)}"
        return text.translate(_LATEX)

    caption = f"{SIMULATED} {title}" if simulated else title
    lines = [
        r"\begin{table*}",
        rf"\caption{{{caption.translate(_LATEX)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
        r"\hline",
        " & ".join(map(cell, table.columns)) + r" \\",
        r"\hline",
        *(" & ".join(map(cell, row)) + r" \\" for row in table.itertuples(index=False)),
        r"\hline",
        r"\end{tabular}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"
