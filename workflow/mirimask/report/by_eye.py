"""Scoring by eye: what a scorer is shown, and what their files say."""

import base64
import hashlib
import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import Table
from numpy.typing import NDArray

from mirimask.errors import DamagedFile, MaskError
from mirimask.evaluation.agreement import cohen_kappa, share_interval
from mirimask.image.frame import Frame
from mirimask.report.page import render_page, size_words
from mirimask.report.pictures import cut_out, data_uri, grey_levels, grey_png, mask_png
from mirimask.report.tables import (
    BOLD_NOTE,
    TITLE3,
    as_latex,
    as_markdown,
    count_verdicts,
    latex_bold,
    markdown_bold,
    paper_layout,
)
from mirimask.sources.verdicts import VERDICT_COLUMNS, VERDICTS
from mirimask.table_files import read_texts

__all__ = [
    "BY_EYE",
    "KEY_COLUMNS",
    "ScoredImage",
    "agreement_by_eye",
    "cut_out_side",
    "layout_by_eye",
    "majority",
    "read_verdicts",
    "rule_verdicts",
    "score_data",
    "score_page",
    "scored_image",
    "table_by_eye",
    "tables_by_eye",
]

log = logging.getLogger(__name__)

BY_EYE = (*VERDICTS, "unsure")
KEY_COLUMNS = ("image", "method", "id")
_COLUMNS = ("scorer", *KEY_COLUMNS, "verdict")
_MAJORITY = "majority"
_TITLE = TITLE3.replace("Table 3", "Table 3 by eye")
_NOTES = [
    "scored blind to method and image; S: a bright spot of the mask within the circle, where the "
    "image has a bright point too; behind the slash: within the ring around it; F: neither",
    "?n: the scorer was unsure of n more",
    f"{BOLD_NOTE}; nowhere where not as many cut-outs of both are scored",
]


@dataclass(frozen=True)
class ScoredImage:
    """An image to be scored by eye.

    `levels` (ny, nx) uint8 grey levels; `masks` (ny, nx) bool by method; `ids`, `x` and `y` (n) of
    its sources in pixels; `radius` and `near`: of the circle, and how much farther the ring is;
    `side` of its cut-outs in pixels.
    """

    name: str
    levels: NDArray[np.uint8]
    masks: dict[str, NDArray[np.bool_]]
    ids: Sequence[str]
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    radius: float
    near: float
    side: int


def cut_out_side(
    asked_px: float | None, *, radius_px: float, near_px: float, fwhm_px: float
) -> int:
    """Side of a cut-out in whole pixels: as asked, but never so small that the ring is cut off.

    None: three times the radius with the ring, so that some sky is seen, as an even number of
    pixels (128 for the paper's 18 px and 25 px), and 20 FWHM of the PSF at least.
    """
    if asked_px is None:
        return 2 * int(max(3 * (radius_px + near_px), 20 * fwhm_px) / 2)
    return max(round(asked_px), math.ceil(2 * (radius_px + near_px)))


def scored_image(
    crop: Frame,
    masks: dict[str, NDArray[np.bool_]],
    sources: Table,
    *,
    radius: str,
    near: str,
    cutout: str | None,
) -> ScoredImage:
    """A crop, its masks by method and its sources (id, x, y) as they are scored by eye.

    The sizes are texts as in the configuration ("18 px", "1.98 arcsec"); a `cutout` that the ring
    does not fit into is made larger, with a warning. None: see `cut_out_side`.
    """
    name, radius_px, near_px = crop.primary["IMAGE"], crop.length_px(radius), crop.length_px(near)
    asked = crop.length_px(cutout) if cutout else None
    side = cut_out_side(asked, radius_px=radius_px, near_px=near_px, fwhm_px=crop.fwhm_px)
    if asked and side > round(asked):
        log.warning(
            "%s: cut-outs of %s would cut off the ring; they are %d px wide", name, cutout, side
        )
    ids, at = list(map(str, sources["id"])), (sources["x"], sources["y"])
    return ScoredImage(name, grey_levels(crop.masked), masks, ids, *at, radius_px, near_px, side)


def score_data(
    images: Iterable[ScoredImage], *, study: str
) -> tuple[dict[str, object], pd.DataFrame]:
    """What the scoring page holds, and the key to it.

    Every source of every image under every method gives an item: a cut-out. Its name is a hash of
    what it is and shows, so that verdicts on a mask that has changed since are told apart; items
    stand in the order of their names, which says nothing. The key: columns item, image, method, id.
    """
    originals: list[dict[str, object]] = []
    items: list[dict[str, object]] = []
    key: list[dict[str, str]] = []
    for image in images:
        side = image.side
        for source, x, y in zip(image.ids, image.x, image.y, strict=True):
            grey = grey_png(cut_out(image.levels, x, y, side, 0))
            originals.append(
                {
                    "uri": data_uri(grey),
                    "x": round(float(x) - (round(x) - side // 2), 3),
                    "y": round(float(y) - (round(y) - side // 2), 3),
                    "radius": round(image.radius, 4),
                    "near": round(image.near, 4),
                    "side": side,
                }
            )
            for method, mask in image.masks.items():
                shown = mask_png(cut_out(mask, x, y, side, False), (255, 255, 255))
                names = json.dumps([image.name, method, str(source)])
                item = hashlib.sha256(b"\0".join([names.encode(), grey, shown])).hexdigest()[:16]
                items.append(
                    {
                        "item": item,
                        "original": len(originals) - 1,
                        "mask": data_uri(shown),
                        "key": base64.b64encode(names.encode()).decode("ascii"),
                    }
                )
                key.append({"item": item, "image": image.name, "method": method, "id": str(source)})
    items.sort(key=lambda item: str(item["item"]))
    content = hashlib.sha256("".join(str(item["item"]) for item in items).encode()).hexdigest()
    data: dict[str, object] = {
        "study": study,
        "content": content[:16],
        "originals": originals,
        "items": items,
    }
    return data, pd.DataFrame(key, columns=["item", *KEY_COLUMNS])


def score_page(
    data: dict[str, object], *, study: str, simulated: bool, radius: str, near: str
) -> str:
    """The page to score by eye as text, from `score_data`; `radius` and `near` are settings."""
    items = data["items"]
    assert isinstance(items, list)
    return render_page(
        "score",
        title="Score by eye",
        study=study,
        simulated=simulated,
        number=len(items),
        radius=size_words(radius),
        near=size_words(near),
        data=data,
    )


def read_verdicts(paths: Sequence[str | Path], key: pd.DataFrame) -> pd.DataFrame:
    """Verdicts of scorers: columns scorer, image, method, id, verdict.

    `key` is that of `score_data`. Rows of cut-outs that have changed since they were scored are
    left out with a warning; a file without the column `item` is taken at its word. Raises
    MaskError, with file and row, for a file that is no such table, an unknown verdict or source, a
    verdict that is given twice, and a scorer in two files.
    """
    known = set(map(tuple, key[list(KEY_COLUMNS)].itertuples(index=False)))
    items = set(key["item"])
    tables: list[pd.DataFrame] = []
    whose: dict[str, str | Path] = {}
    for path in paths:
        try:
            table = read_texts(path)
        except (OSError, DamagedFile) as error:
            why = error.why if isinstance(error, DamagedFile) else error
            raise MaskError(f"{path}: verdicts by eye cannot be read: {why}") from None
        missing = [name for name in _COLUMNS if name not in table]
        if missing:
            raise MaskError(
                f"{path}: no column {', '.join(missing)}. A file of verdicts by eye is what the "
                "page by_eye/score.html saves."
            )
        changed = np.zeros(len(table), bool)
        if "item" in table:
            changed = ~table["item"].isin(items).to_numpy()
        seen: dict[tuple[str, ...], int] = {}
        for number, row in enumerate(table.to_dict("records"), start=2):
            what = f"{path}, row {number}"
            one = tuple(row[name] for name in KEY_COLUMNS)
            if not row["scorer"].strip():
                raise MaskError(f"{what}: no scorer is named.")
            if row["verdict"] not in BY_EYE:
                raise MaskError(
                    f"{what}: '{row['verdict']}' is not a verdict; one of {', '.join(BY_EYE)} is."
                )
            if changed[number - 2]:
                continue
            if one not in known:
                raise MaskError(
                    f"{what}: this study does not score source '{one[2]}' of image '{one[0]}' under"
                    f" '{one[1]}'. Does the file belong to another study?"
                )
            given = (row["scorer"], *one)
            if given in seen:
                raise MaskError(f"{what}: the same verdict is in row {seen[given]} already.")
            seen[given] = number
        for scorer in dict.fromkeys(table["scorer"]):
            if scorer in whose:
                raise MaskError(f"{path}: scorer '{scorer}' is in {whose[scorer]} too; keep one.")
            whose[scorer] = path
        if changed.any():
            log.warning(
                "%s: %d of %d verdicts are left out: their cut-outs have changed since.",
                *(path, changed.sum(), len(table)),
            )
        tables.append(table.loc[~changed, list(_COLUMNS)])
    if not tables:
        return pd.DataFrame(columns=list(_COLUMNS), dtype=str)
    return pd.concat(tables, ignore_index=True)


def majority(verdicts: pd.DataFrame, *, name: str) -> pd.DataFrame:
    """One verdict for each source and mask: the one most scorers gave, `unsure` for a tie.

    A scorer who is unsure has no vote; a source that all are unsure of is unsure. `name` stands
    as the scorer.
    """
    rows = []
    for what, own in verdicts.groupby(list(KEY_COLUMNS), sort=False):
        votes = Counter(own["verdict"][own["verdict"] != "unsure"]).most_common(2)
        clear = votes and (len(votes) == 1 or votes[0][1] > votes[1][1])
        rows.append((name, *what, votes[0][0] if clear else "unsure"))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def table_by_eye(
    verdicts: pd.DataFrame, *, images: Sequence[str], methods: Sequence[str]
) -> pd.DataFrame:
    """Table 3 by one scorer: as `tables.count_verdicts`, without clutter and its flag.

    `unsure` verdicts count apart; `sources` holds all that were scored, the unsure too.
    """
    cells = pd.MultiIndex.from_product([images, methods], names=["image", "method"])
    none = pd.Series(0.0, cells)
    table = count_verdicts(verdicts, none, clutter_limit=1.0, scorer="peaks")
    unsure = verdicts[verdicts["verdict"] == "unsure"].groupby(["image", "method"]).size()
    table.insert(5, "unsure", unsure.reindex(cells, fill_value=0).to_numpy())
    return table.drop(columns=["clutter", "needs_processing"])


def layout_by_eye(table: pd.DataFrame, bold: Callable[[str], str]) -> pd.DataFrame:
    """`table_by_eye` as the paper prints it, with `?n` behind the failures for n unsure ones.

    `bold` turns the text of a cell into bold type.
    """
    layout = paper_layout(table.assign(needs_processing=False), bold=bold)
    columns = [name for name in layout.columns if name.endswith(" F")]
    for column, method in zip(columns, dict.fromkeys(table["method"]), strict=True):
        own = table[table["method"] == method]
        unsure = [*own["unsure"], own["unsure"].sum()]
        layout[column] = [
            f"{text} ?{n}" if n else text for text, n in zip(layout[column], unsure, strict=True)
        ]
    return layout


def tables_by_eye(
    verdicts: pd.DataFrame,
    key: pd.DataFrame,
    *,
    images: Sequence[str],
    methods: Sequence[str],
    simulated: bool,
) -> tuple[pd.DataFrame, str, str]:
    """Table 3 by eye as data, in Markdown and in LaTeX: a table for each scorer.

    `verdicts` are those of `read_verdicts`, `key` is that of `score_data`; of several scorers the
    majority comes first, and is the table in LaTeX. Images in which no source lies are left out.
    """
    given = {scorer: own for scorer, own in verdicts.groupby("scorer", sort=False)}
    if len(given) > 1:
        both = majority(verdicts, name=_MAJORITY)
        given = {f"{_MAJORITY} of {len(given)}": both} | given
    scored = [image for image in images if (key["image"] == image).any()]
    tables: list[pd.DataFrame] = []
    pages: list[str] = []
    latex = ""
    for scorer, own in given.items():
        table = table_by_eye(own, images=scored, methods=methods)
        tables.append(table.assign(scorer=scorer, simulated=simulated))
        notes = [f"{len(own)} of {len(key)} cut-outs scored", *([] if pages else _NOTES)]
        # the scorer's own text stands in a heading, where Markdown and HTML would be read
        name = "".join(c if c.isalnum() or c in " .-" else "_" for c in scorer)
        if not pages:
            layout = layout_by_eye(table, bold=latex_bold)
            latex = as_latex(layout, title=_TITLE, label="tab:table3_by_eye", simulated=simulated)
        layout = layout_by_eye(table, bold=markdown_bold)
        pages.append(
            as_markdown(layout, title=f"{_TITLE}; {name}", notes=notes, simulated=simulated)
        )
    return pd.concat(tables), "\n".join(pages), latex


def rule_verdicts(automatic: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The verdicts of each rule by name, as `agreement_by_eye` takes them.

    `automatic` has image, method, id, and a column of `VERDICT_COLUMNS` for each rule.
    """
    return {
        f"automatic ({rule})": automatic.assign(verdict=automatic[column])
        for rule, column in VERDICT_COLUMNS.items()
    }


def agreement_by_eye(verdicts: pd.DataFrame, automatic: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """How far scorers agree with each other and with the automatic verdicts.

    `automatic` has, by name, tables with image, method, id and verdict. For each pair, over all
    methods ('All') and for each: `compared`, what both judged and neither was unsure of; `unsure`,
    what either was unsure of and is left out; `agree`, its share with its limits
    (`agreement.share_interval`), Cohen's kappa of the three verdicts, and the share and kappa of
    success or not. Shares and kappa are NaN where nothing was compared.
    """
    scorers = list(dict.fromkeys(verdicts["scorer"]))
    tables = {name: verdicts[verdicts["scorer"] == name] for name in scorers}
    pairs = [(tables[a], tables[b], a, b) for a, b in combinations(scorers, 2)]
    pairs += [(tables[a], table, a, name) for a in scorers for name, table in automatic.items()]
    columns = list(KEY_COLUMNS)
    rows = []
    for own, other, first, second in pairs:
        both = own[[*columns, "verdict"]].merge(other[[*columns, "verdict"]], on=columns)
        for method in ["All", *dict.fromkeys(own["method"])]:
            part = both if method == "All" else both[both["method"] == method]
            sure = part[(part["verdict_x"] != "unsure") & (part["verdict_y"] != "unsure")]
            a, b = sure["verdict_x"].to_numpy(str), sure["verdict_y"].to_numpy(str)
            n, agree = len(sure), int((a == b).sum())
            same = int(((a == "success") == (b == "success")).sum())
            source = sure["image"] + " " + sure["id"]
            low, high = share_interval(sure["verdict_x"] == sure["verdict_y"], source)
            rows.append(
                {
                    "first": first,
                    "second": second,
                    "method": method,
                    "compared": n,
                    "unsure": len(part) - n,
                    "agree": agree,
                    "agreement": agree / n if n else float("nan"),
                    "agreement_low": low,
                    "agreement_high": high,
                    "kappa": cohen_kappa(a, b),
                    "agreement_success": same / n if n else float("nan"),
                    "kappa_success": cohen_kappa(a == "success", b == "success"),
                }
            )
    return pd.DataFrame(rows)
