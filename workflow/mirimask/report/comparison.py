"""Computed tables against the published ones, cell by cell."""

from decimal import Decimal

import numpy as np
import pandas as pd

from mirimask.image.statistics import IDENTITY, MOMENTS
from mirimask.report.tables import as_markdown
from mirimask.sources.verdicts import VERDICTS

__all__ = [
    "compare_identity",
    "compare_statistics",
    "compare_verdicts",
    "comparison_page",
    "summarise",
]


def _same_name(published: str, computed: str) -> bool:
    """'Gillian Wright' and 'Wright, Gillian S.': the same words, initials aside."""

    def words(name: str) -> set[str]:
        parts = name.replace(",", " ").replace(".", " ").casefold().split()
        return {part for part in parts if len(part) > 1}

    one, other = words(published), words(computed)
    return bool(one) and (one <= other or other <= one)


def _as_printed(published: str, computed: object) -> bool:
    """Does a number, rounded to as many decimals as were printed, equal what was printed?"""
    try:
        value = Decimal(repr(float(computed)))  # type: ignore[arg-type]
        return value.quantize(Decimal(published)) == Decimal(published)
    except (ArithmeticError, TypeError, ValueError):
        return False


def _cells(published: pd.DataFrame, computed: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """One row a cell of the images in both; `published` holds texts as printed."""
    by_image = computed.set_index("image")
    rows = [
        {
            "image": row["code"],
            "column": column,
            "published": row[column],
            "computed": by_image.loc[row["code"], column],
        }
        for row in published.to_dict("records")
        if row["code"] in by_image.index
        for column in columns
    ]
    return pd.DataFrame(rows, columns=["image", "column", "published", "computed"])


def compare_identity(published: pd.DataFrame, computed: pd.DataFrame) -> pd.DataFrame:
    """Table 1: names by their words, numbers as printed, the rest letter by letter."""
    cells = _cells(published, computed, list(IDENTITY))

    def agrees(row: pd.Series) -> bool:
        if row["column"] == "principal_investigator":
            return _same_name(row["published"], str(row["computed"]))
        if row["column"] in ("effective_exposure_s", "guide_star_ra_deg", "guide_star_dec_deg"):
            return _as_printed(row["published"], row["computed"])
        return row["published"] == str(row["computed"])

    cells["agrees"] = cells.apply(agrees, axis=1) if len(cells) else []
    return cells


def compare_statistics(published: pd.DataFrame, computed: pd.DataFrame) -> pd.DataFrame:
    """Table 2: `agrees` means equal to the last printed digit; `relative` is the difference."""
    cells = _cells(published, computed, list(MOMENTS))
    if len(cells) == 0:
        return cells.assign(relative=[], agrees=[])
    printed = cells["published"].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        cells["relative"] = (cells["computed"].astype(float) - printed) / printed.abs()
    cells["agrees"] = [
        _as_printed(p, c) for p, c in zip(cells["published"], cells["computed"], strict=True)
    ]
    return cells


def compare_verdicts(published: pd.DataFrame, computed: pd.DataFrame) -> pd.DataFrame:
    """Table 3: a row for each image and method in both, with the difference of each count."""
    both = published.rename(columns={"code": "image"}).merge(
        computed, on=["image", "method"], suffixes=("_published", "_computed")
    )
    for name in VERDICTS:
        both[f"{name}_difference"] = both[f"{name}_computed"] - both[f"{name}_published"]
    both["agrees"] = (both[[f"{name}_difference" for name in VERDICTS]] == 0).all(axis=1)
    both["flag_agrees"] = both["needs_processing_published"] == both["needs_processing_computed"]
    first = ["image", "method", "agrees", "flag_agrees"]
    kinds = ("published", "computed", "difference")
    numbers = [f"{name}_{kind}" for name in VERDICTS for kind in kinds]
    flags = [f"needs_processing_{kind}" for kind in ("published", "computed")]
    return both[first + numbers + flags]


def summarise(
    identity: pd.DataFrame, statistics: pd.DataFrame, verdicts: pd.DataFrame
) -> pd.DataFrame:
    """How many cells of each table agree, and the largest difference, in words."""
    rows = []
    for number, cells in ((1, identity), (2, statistics)):
        wrong = cells[~cells["agrees"].astype(bool)]
        worst = ""
        if number == 2 and len(wrong):
            row = wrong.loc[wrong["relative"].abs().idxmax()]
            worst = (
                f"{row['image']} {row['column']}: {row['published']} became {row['computed']:.6g}"
            )
        elif len(wrong):
            worst = "; ".join(
                f"{r['image']} {r['column']}: {r['published']} became {r['computed']}"
                for r in wrong.head(3).to_dict("records")
            )
        rows.append(
            {
                "table": number,
                "cells": len(cells),
                "agree": int(cells["agrees"].sum()),
                "worst": worst,
            }
        )
    worst = ""
    if len(verdicts) and not verdicts["agrees"].all():
        off = verdicts.loc[~verdicts["agrees"], [f"{name}_difference" for name in VERDICTS]].abs()
        at = off.max(axis=1).idxmax()
        row, name = verdicts.loc[at], off.loc[at].idxmax().removesuffix("_difference")
        worst = (
            f"{row['image']} {row['method']}: {name} {row[f'{name}_published']} became "
            f"{row[f'{name}_computed']}"
        )
    rows.append(
        {"table": 3, "cells": len(verdicts), "agree": int(verdicts["agrees"].sum()), "worst": worst}
    )
    return pd.DataFrame(rows)


def comparison_page(
    identity: pd.DataFrame, statistics: pd.DataFrame, verdicts: pd.DataFrame, *, simulated: bool
) -> str:
    """What `summarise` says of the three tables' cells, in Markdown, with how to read it."""
    pooled = verdicts.groupby("method", sort=False)[["success_published", "success_computed"]].sum()
    notes = [
        "table 1 and 2: a cell agrees when it is equal to the last printed digit",
        "table 3: a cell is one image and method, and agrees when successes, near misses and "
        "failures all do",
        "successes in all images, published and computed: "
        + ", ".join(f"{name} {row.iloc[0]} and {row.iloc[1]}" for name, row in pooled.iterrows()),
        f"the flag for further processing agrees in {int(verdicts['flag_agrees'].sum())} of "
        f"{len(verdicts)} cells",
        "the archive reprocesses: see the notes under table 2 and cal_ver in manifest.tsv before "
        "reading a difference as an error",
    ]
    summary = summarise(identity, statistics, verdicts)
    return as_markdown(
        summary, title="Computed against published", notes=notes, simulated=simulated
    )
