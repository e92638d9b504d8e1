"""What the pages that a reader opens first say: results/<study>/index.html and products.html.

Tables of the study in, the page's text out; only pictures are read from their files, for they stand
in the page.
"""

import html
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from mirimask.evaluation.chance import chance_layout
from mirimask.evaluation.recovery import measurable_images
from mirimask.image.levels import percentile_words
from mirimask.image.statistics import IDENTITY, MOMENTS
from mirimask.masks.names import method_label, spots_or_sources
from mirimask.masks.source_mask import SourceSettings
from mirimask.report.chance import BOLD
from mirimask.report.claims import NOTES
from mirimask.report.overview import (
    OWN_QUESTION,
    PAPER_QUESTION,
    Overview,
    mask_words,
    own_answer,
    paper_answer,
)
from mirimask.report.page import (
    PageTable,
    bold,
    frame_table,
    paired_table,
    render_page,
    size_words,
)
from mirimask.report.pictures import SHOWN_WIDTH, smaller
from mirimask.report.tables import (
    BOLD_NOTE,
    TITLE1,
    TITLE2,
    TITLE3,
    circle_notes,
    clutter_note,
    number_words,
    paper_layout,
    printable_statistics,
    rate_words,
    together,
)
from mirimask.sources.verdicts import VERDICT_COLUMNS, VERDICTS

__all__ = ["Pictures", "index_page", "products_page"]

Tables = Mapping[str, pd.DataFrame]

PACKAGES = (
    *("snakemake", "numpy", "scipy", "pandas", "astropy", "astroquery", "photutils"),
    *("matplotlib", "poppy", "drizzle", "jinja2"),
)
BLANK_SPOTS = "False spots of blank images per arcmin²"
INLINED_BYTES = 2_000_000  # of figures, as base64: with the rest a study of seven has 2.5 MB
EVALUATION = {
    "chance": (
        "Success by chance",
        "How often a random position counts as a success, for each mask; slices over the crop.",
    ),
    "significance": (
        "Recall against the segmentation",
        "Share of the catalogue's sources with success, and the difference from the segmentation; "
        "slices over the crop.",
    ),
    "reliability": (
        "False detections",
        "Spots of the image and of blank images of the same sky and noise, where nothing is real; "
        "slices over the crop.",
    ),
    "completeness": (
        "Completeness against the truth",
        "Share of the true sources that are covered, by magnitude; slices over the crop.",
    ),
    "purity": (
        "Purity against the truth",
        "Share of the spots that lie on a true source; slices over the crop.",
    ),
    "agreement": (
        "Automatic verdict and truth",
        "How often the automatic verdict is the one that knowledge of the sky gives; slices over "
        "the crop.",
    ),
    "disagreements": (
        "Where verdict and truth differ",
        "Cut-outs of sources that the automatic verdict and the truth judge differently; slices "
        "over the crop.",
    ),
    "use": (
        "What masks leave of the sources' light",
        "Light of stars and galaxies outside each mask, on one image, with what is ideal; slices "
        "over the crop.",
    ),
    "injection": (
        "Depth from added stars",
        "Share of added stars that are found, by magnitude; slices over the crop.",
    ),
    "curves": (
        "Masks at equal cost",
        "Completeness of each family of masks against false spots, on no true source where the "
        "truth is known, and against masked area; slices over the crop.",
    ),
    "sensitivity": (
        "Other settings",
        "What Table 3 becomes when one setting is changed at a time.",
    ),
}


class Pictures:
    """Figures for the page: small ones stand in it as long as there is room, and lead to the whole.

    `folder` is the page's own: a picture's files are linked from there.
    """

    def __init__(self, folder: Path, room: int = INLINED_BYTES) -> None:
        self.folder, self.room = folder, room

    def __call__(self, png: str | Path, title: str, caption: str, alt: str) -> dict[str, Any]:
        """A PNG, beside which is a PDF; `alt` says in numbers what it shows."""
        png = Path(png)
        uri, width, height = "", 0, 0
        if self.room > 0:
            uri, width, height = smaller(png.read_bytes(), width=SHOWN_WIDTH)
            self.room -= len(uri)
        name = png.relative_to(self.folder)
        return {
            "title": title,
            "caption": caption,
            "alt": alt,
            "uri": uri if self.room >= 0 else "",
            "width": width,
            "height": height,
            "files": [name.as_posix(), name.with_suffix(".pdf").as_posix()],
        }


def _of_peaks(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the evaluation's own scorer, where a table has those of both."""
    return table[table["scorer"] == "peaks"] if "scorer" in table else table


def two(value: float, none: str = "not known") -> str:
    """A number with two digits, or words where there is none."""
    return number_words(value, "z.2f", none)


def listed(pairs: Iterable[tuple[object, object]]) -> str:
    """Names and values in a row."""
    return ", ".join(f"{name} {value}" for name, value in pairs)


def labels(methods: Iterable[str]) -> list[str]:
    """Methods as a reader knows them."""
    return [method_label(name) for name in methods]


def depths(tables: Tables) -> pd.Series:
    """Where 80 % of the added stars are found, as text by method: the median of the images.

    Of those that can be measured (`recovery.measurable_images`); one in which 80 % are never found
    is brighter than all others. No rows where there is none.
    """
    table = tables["injection_depths"]
    single = table[table["image"].isin(measurable_images(table[table["image"] != "all"]))]
    reached = single["m80"].fillna(-np.inf).mask(single["beyond"], np.inf)
    middle = reached.groupby(single["method"], sort=False).median()
    return middle.map(partial(two, none="nowhere")).mask(middle == np.inf, "beyond all")


def depths_of(measures: Tables, method: str) -> pd.DataFrame | None:
    """Where 80 % of the added stars are found by a method, a row an image; None: not measured."""
    if "injection_depths" not in measures:
        return None
    table = measures["injection_depths"]
    same = table["method"] == method.removesuffix("@crop")
    return table[same & (table["image"] != "all")]


def worth(tables: Tables) -> PageTable | None:
    """One row for each mask with what the parts of the evaluation say about it, over all images.

    `tables` are those of the evaluation by the names of their files; None where none says anything.
    """
    columns: dict[str, Mapping[str, str]] = {}
    if "significance" in tables:
        own = _of_peaks(tables["significance"]).set_index("method")
        columns["Recall [95 %]"] = {
            m: f"{r.recall:.2f} [{r.recall_low:.2f}, {r.recall_high:.2f}]"
            for m, r in own.iterrows()
        }
    by_peaks = {"positions": "random", "scorer": "peaks"}
    for name, column, text, key, none in (
        ("chance", "corrected", "Beyond chance", by_peaks, "not known"),
        ("reliability", "false_per_arcmin2", BLANK_SPOTS, {}, ""),
        ("reliability", "reliability", "Reliability", {}, ""),
        ("purity", "purity", "Purity (truth)", {}, ""),
        ("agreement", "agreement", "Verdict agrees with truth", {}, ""),
    ):
        if name in tables:
            own = tables[name]
            own = own[own["image"] == "All"]
            if "domain" in own:
                own = own[own["domain"].fillna("").isin(["crop", ""])]
            for where, value in key.items():
                own = own[own[where] == value]
            form = rate_words if column == "false_per_arcmin2" else partial(two, none=none)
            columns[text] = own[own["method"] != "All"].set_index("method")[column].map(form)
    if "injection_depths" in tables:
        columns["80 % of added stars found to, AB mag"] = depths(tables)
    if not columns:
        return None
    order = list(dict.fromkeys(m for values in columns.values() for m in dict(values)))
    table = pd.DataFrame({"Mask": labels(order)})
    for text, values in columns.items():
        table[text] = [str(dict(values).get(m, "")).replace("nan", "") for m in order]
    return frame_table(
        table,
        caption="What each mask is worth, over all images; slices over the crop",
        notes=[
            "Recall and chance are of spots with a peak of their own (peaks), as in the evaluation",
            "Beyond chance: 0 is the success of random positions, 1 is every source; not known, "
            "where chance leaves less than one source to fail",
            "Blank images: of the same sky and noise, where nothing is real; points and curves "
            "count the spots on no true source where the truth is known",
            "Reliability: 1 less the spots of a blank image over those of the image",
            "80 % of added stars: median of the images; nowhere, where no magnitude has as many "
            "in half of them; beyond all, where the faintest have",
            "empty: not measured for that mask",
        ],
    )


def said(name: str, tables: Tables) -> str:
    """What a figure of the evaluation shows, in numbers, for those who do not see it.

    `name` is that of the figure's file, `tables` are those of the evaluation by theirs. Where they
    have no number for it, its caption is said.
    """
    table = tables.get(name)
    if name == "disagreements" and table is not None:
        return f"{len(table)} verdicts are not the ones that knowledge of the sky gives."
    if name == "sensitivity" and table is not None:
        others = table[table["setting"] != "as configured"].drop_duplicates(["setting", "value"])
        if not table["sources"].sum():
            return "No source was scored."
        return f"{len(others)} other settings are compared with those of the study."
    if table is None or table.empty:
        return EVALUATION.get(name, (name, name))[1]
    if "image" in table:
        table = table[table["image"].isin(["All", "all"])]
    if "domain" in table:
        table = table[table["domain"].fillna("").isin(["crop", ""])]
    table = _of_peaks(table)
    if "positions" in table:
        table = table[table["positions"] == "random"]
    for column, text in (
        ("chance_success", "Success of random positions"),
        ("recall", "Recall"),
        ("reliability", "Reliability"),
        ("purity", "Purity"),
    ):
        if column in table and len(table):
            values = zip(labels(table["method"]), table[column].map(two), strict=True)
            return f"{text}: {listed(values)}."
    if name == "agreement":
        row = table[table["method"] == "All"].iloc[0]
        return (
            f"{row['agree']:.0f} of {row['sources']:.0f} verdicts agree with the truth, "
            f"kappa {two(row['kappa'])}."
        )
    if name == "completeness" and len(table):
        own = table[table["kind"] == table["kind"].iloc[0]]
        sums = own.groupby("method", sort=False)[["n_recovered", "n_sources"]].sum()
        shares = (sums["n_recovered"] / sums["n_sources"]).map(two)
        covered = listed(zip(labels(sums.index), shares, strict=True))
        return f"True sources covered, all magnitudes: {covered}."
    if name == "curves" and "curves_compared" in tables:
        own = together(tables["curves_compared"])
        own = own[(own["at"] == "false_per_arcmin2") & (own["of"] == "given")]
        if own.empty:
            return "In no image does any mask find the added stars."
        own = own[own["limit"] == own["limit"].max()]
        shares = listed(zip(own["family"], own["completeness"].map(two), strict=True))
        return f"Completeness at {own['limit'].max():g} false spots per arcmin²: {shares}."
    if name == "injection" and "injection_depths" in tables:
        own = depths(tables)
        if own.empty:
            return "In no image does any mask find the added stars."
        values = zip(labels(own.index), own, strict=True)
        return (
            "AB magnitude to which 80 % of the added stars are found, median of the images: "
            f"{listed(values)}."
        )
    return EVALUATION.get(name, (name, name))[1]


def points(text: str) -> list[list[str]]:
    """The numbered points of a page in Markdown, each split into plain and bold parts, in turns."""
    numbered = re.findall(r"^\d+\. (.+)$", text, re.M)
    links = r"\[([^\]]+)\]\([^)]*\)"
    plain = [html.unescape(point).replace("`", "") for point in numbered]
    return [re.sub(links, r"\1", point).split("**") for point in plain]


def evaluation(
    tables: Tables, pngs: Iterable[str], text: str, picture: Pictures, *, slice_domain: str
) -> dict[str, Any] | None:
    """What the masks are worth: points of `text`, a table, figures; None where there are none.

    `tables` and `pngs` are of the evaluation, `text` is its page in Markdown ('' for none);
    `slice_domain` is that of the study's own tables.
    """
    others = "" if slice_domain == "crop" else f", in Table 3 over the {slice_domain} domain"
    order = list(EVALUATION)

    def place(path: str) -> int:
        return order.index(Path(path).stem) if Path(path).stem in order else len(order)

    figures = []
    for path in sorted(pngs, key=place):
        name = Path(path).stem
        title, caption = EVALUATION.get(name, (name.replace("_", " ").capitalize(), ""))
        figures.append(picture(path, title, caption, said(name, tables)))
    if not figures:
        return None
    return {
        "slices": f"Slices are taken over the crop here{others}; intervals are 95 %.",
        "points": points(text),
        "table": worth(tables),
        "figures": figures,
    }


def claims(table: pd.DataFrame) -> dict[str, Any]:
    """The answers to the paper's claims, from `mirimask.report.claims.claims_table`."""
    sources = [name for name in table.columns[2:] if not name.endswith(": numbers")]

    def kind(verdict: str) -> str:
        told = {"holds": "holds", "fails": "fails", "not testable here": "", "undecided": ""}
        return told.get(verdict, "partly")

    return {
        "notes": NOTES,
        "sources": sources,
        "rows": [
            {
                "id": row["id"],
                "text": row["claim (section)"],
                "answers": [
                    {
                        "kind": kind(row[source]),
                        "verdict": row[source],
                        "numbers": row[f"{source}: numbers"],
                    }
                    for source in sources
                ],
            }
            for row in table.to_dict("records")
        ],
    }


def recommended(
    verdicts: pd.DataFrame, masks: Mapping[str, str], *, scorer: str, by_eye: bool
) -> dict[str, Any]:
    """How often the recommended mask succeeds, beside the segmentation.

    `verdicts` has image, method ('recommended' and 'segmentation') and one row a source, `masks`
    the paths of the recommended masks below the page, by image. `by_eye`: of a spot the verdicts
    see one peak.
    """
    counts = verdicts.groupby(["image", "method", VERDICT_COLUMNS[scorer]]).size()
    rows = []
    for image in masks:
        both = [
            [int(counts.get((image, method, kind), 0)) for kind in VERDICTS]
            for method in ("recommended", "segmentation")
        ]
        if sum(both[0]):  # without sources there is nothing to count
            rows.append([image, sum(both[0]), *both[0], *both[1]])
    table = pd.DataFrame(rows, columns=["Image", "sources", *VERDICTS, *VERDICTS])
    total = ["All", *table.iloc[:, 1:].sum()]
    settings = SourceSettings()
    notes = ["scored as in Table 3"]
    if by_eye and scorer == "peaks":
        notes.append(
            "as an eye sees spots on a printed panel: of sources that a mask runs together one "
            "counts, which costs a mask that takes their halos too; verdict.smallest_spot: null "
            "counts every peak that a mask marks"
        )
    return {
        "text": (
            "All light of the sources. Their cores are areas in which the curvature of the image "
            f"reaches {settings.core.seed:g} times its local noise; around each, the halo of a "
            f"star of its brightness down to {settings.halo:g} of the noise of a pixel, and what "
            "images smoothed by several widths of the PSF show of it above "
            f"{settings.faintest:g} of that noise. Structure of the background is left out."
        ),
        "table": frame_table(
            pd.DataFrame([*rows, total], columns=table.columns),
            caption="The recommended mask beside the pipeline's segmentation",
            groups=[("Catalogue", 1), ("Recommended", 3), ("Segmentation", 3)],
            notes=notes,
        ),
        "files": list(masks.items()),
    }


def scores(
    table3: pd.DataFrame,
    notes: Sequence[str],
    *,
    domain: str,
    scorer: str,
    radius: str,
    near: str,
    clutter_limit: float,
) -> PageTable:
    """Table 3 with what has to be known to read it; the other arguments are settings."""
    rule = {"peaks": "a bright spot's peak", "pixels": "any pixel of the mask"}[scorer]
    return paired_table(
        paper_layout(table3, bold=bold),
        caption=TITLE3,
        notes=[
            f"percentages over the {domain} domain; scored by {rule} within {size_words(radius)} "
            f"of the source; near: within {size_words(near)} more",
            BOLD_NOTE,
            clutter_note(clutter_limit),
            *notes,
        ],
    )


def chance_scores(chance: pd.DataFrame, notes: Sequence[str]) -> PageTable:
    """Table 3 with what chance gives taken off."""
    return paired_table(
        chance_layout(chance, bold=bold),
        caption="Table 3, chance-corrected, with 95 % intervals and the probability of as many "
        "successes by chance",
        notes=[BOLD, *notes],
    )


def masks_said(
    table3: pd.DataFrame,
    image: str,
    methods: Sequence[str],
    *,
    without_catalogue: Iterable[str] = (),
) -> str:
    """What a figure of an image and its masks shows, in numbers.

    `without_catalogue` are the images that none was given for.
    """
    counts = table3.set_index(["image", "method"])
    parts = []
    for name in methods:
        if (image, name) in counts.index:
            row = counts.loc[(image, name)]
            parts.append(
                f"{method_label(name)} {row['success']} success, {row['near']} near, "
                f"{row['failure']} failure"
            )
    text = f"{image}: the crop, then what each mask marks of it"
    if image in without_catalogue:
        return f"{text}; no catalogue is given."
    if not (table3["image"] == image).any():
        return f"{text}; no catalogue source lies here."
    counted = "; ".join(parts) or "Table 3 has none of these masks"
    return f"{text}, with circles around the catalogue's sources; {counted}."


def panels_caption(methods: Sequence[str]) -> str:
    """What the panels of a figure of an image and its masks are."""
    return (
        f"In this order: {', '.join(['the crop', *labels(methods)])}; circles: solid for success, "
        "dashed for near, dotted for failure."
    )


def paper_figures(
    png: Mapping[str, str],
    statistics: pd.DataFrame,
    table3: pd.DataFrame,
    picture: Pictures,
    *,
    figure1: str,
    figure3: Mapping[str, Any],
    percentile: float,
    without_catalogue: Iterable[str],
) -> list[dict[str, Any]]:
    """Figures 1 to 3. `png` are their files by name; the last arguments are settings."""
    by_image = statistics.set_index("image")
    shape, crop = by_image.loc[figure1, "frame_shape"], by_image.loc[figure1, "crop_shape"]
    means = "; ".join(
        f"{row.image} median {row.median:.4g}, mean {row.mean:.4g}, variance {row.variance:.3g}"
        for row in statistics.itertuples()
    )
    return [
        picture(
            png["figure1"],
            "Figure 1: the crop",
            f"The frame of {figure1} with the rectangle that is worked on.",
            f"Frame of {figure1}, {shape[0]} rows and {shape[1]} columns, with a rectangle of "
            f"{crop[0]} rows and {crop[1]} columns.",
        ),
        picture(
            png["figure2"],
            "Figure 2: histograms",
            "Pixel values of each crop; red: mean plus two standard deviations, black: the "
            f"{percentile_words(percentile)}.",
            f"Histograms of the pixel values in MJy/sr. {means}.",
        ),
        picture(
            png["figure3"],
            f"Figure 3: {figure3['image']}",
            panels_caption(figure3["methods"]),
            masks_said(
                table3,
                figure3["image"],
                figure3["methods"],
                without_catalogue=without_catalogue,
            ),
        ),
    ]


def figure_group(
    number: int,
    methods: Sequence[str],
    pngs: Iterable[str],
    table3: pd.DataFrame,
    picture: Pictures,
    *,
    without_catalogue: Iterable[str],
) -> dict[str, Any]:
    """Figure 4 or 5: one figure for each image, which its file is named after."""
    caption = panels_caption(methods)

    def shown(path: str) -> dict[str, Any]:
        image = Path(path).stem
        text = masks_said(table3, image, methods, without_catalogue=without_catalogue)
        return picture(path, image, caption, text)

    return {
        "title": f"Figure {number}: {' and '.join(labels(methods[:2]))}",
        "figures": [shown(path) for path in pngs if Path(path).parent.name == f"figure{number}"],
    }


def grouped(names: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Files below the page by the folder they are in, those beside the page ("Study") first."""
    files: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        files.setdefault(name.partition("/")[0] + "/" if "/" in name else "Study", []).append(name)
    return sorted(files.items(), key=lambda item: (item[0] != "Study", item[0]))


def sections(parts: Mapping[str, object]) -> list[tuple[str, str]]:
    """The parts of the page that there are, in order, with their headings."""
    headings = {
        "images": "Images",
        "warnings": "Warnings",
        "tables": "Tables",
        "claims": "The paper's claims",
        "recommended": "Recommended mask",
        "evaluation": "What the masks are worth",
        "figures": "Figures",
        "provenance": "Provenance",
        "files": "Files",
    }
    return [(name, text) for name, text in headings.items() if parts.get(name, True)]


def provenance(
    settings: Mapping[str, Any], manifest: pd.DataFrame, revision: str
) -> dict[str, Any]:
    """Products, packages, settings and the revision of the workflow ('' where it is not known)."""
    packages = pd.DataFrame(
        [("Python", platform.python_version()), *((name, version(name)) for name in PACKAGES)],
        columns=["Package", "Version"],
    )
    return {
        "products": frame_table(manifest, caption="Products of the study"),
        "packages": frame_table(packages, caption="Packages that computed it"),
        "settings": yaml.safe_dump(settings, sort_keys=False, allow_unicode=True),
        "revision": revision,
    }


def first_screen(
    overview: Overview,
    folder: Path,
    depths: pd.DataFrame | None,
    answer: Sequence[str],
    *,
    slice_domain: str,
) -> dict[str, Any]:
    """The answer, the one picture, a row an image, and every warning."""
    return {
        "answer": answer,
        "look": overview.picture(folder),
        "rows": overview.rows(folder, depths),
        "found": depths is not None,
        "counted": overview.counted(slice_domain),
        "mask": mask_words(overview.measures["method"].iloc[0]),
        "areas": spots_or_sources(overview.measures["method"].iloc[0]),
        "warned": [
            (one.image or "whole study", one.text, ", ".join(one.jobs)) for one in overview.warned
        ],
    }


def products_page(
    *,
    settings: Mapping[str, Any],
    overview: Overview,
    manifest: pd.DataFrame,
    folder: Path,
    files: Iterable[str],
    revision: str,
    left_out: Mapping[str, str] | None = None,
) -> str:
    """The page of a run that ends with masks and their files, as text.

    The arguments are those of `index_page`; `folder` is the page's own.
    """
    study = settings["study"]
    answer = own_answer(overview.measures, overview.false, None, overview.warned)
    absent = dict.fromkeys(("tables", "claims", "recommended", "evaluation", "figures"))
    return render_page(
        "index",
        title=f"Source masks: study {study}",
        study=study,
        simulated=bool(overview.measures["simulated"].any()),
        left_out=left_out,
        question=OWN_QUESTION,
        actions=[],
        sections=sections(absent),
        **absent,
        **first_screen(overview, folder, None, answer, slice_domain=settings["slice_domain"]),
        **provenance(settings, manifest, revision),
        files=grouped(files),
    )


def index_page(
    *,
    settings: Mapping[str, Any],
    shown: Mapping[str, Any],
    overview: Overview,
    statistics: pd.DataFrame,
    tables: Tables,
    recommended_mask: dict[str, Any] | None,
    measures: Tables,
    measure_pngs: Iterable[str],
    measure_text: str,
    pngs: Sequence[str],
    picture: Pictures,
    files: Iterable[str],
    revision: str,
    left_out: Mapping[str, str] | None = None,
) -> str:
    """The page as text.

    Parameters
    ----------
    settings : the study's configuration, complete
    shown : figure1, the image; figure3, its image and methods; figure4 and figure5, their methods
    overview : the first screen
    statistics : a row an image, of Tables 1 and 2 and the shapes of frame and crop
    tables : table3, circles, manifest and, where there are any, chance and claims
    recommended_mask : of `recommended`; None where there is none
    measures, measure_pngs, measure_text : the evaluation's, as `evaluation` takes them
    pngs : the files of Figures 1 to 5
    picture : takes the figures into the page, the paper's first
    files : paths below the page that it links
    left_out : the images that the table has and the study has not, each with the reason
    """
    table3, study, verdict = tables["table3"], settings["study"], settings["verdict"]
    notes, circles = circle_notes(tables["circles"]), tables["circles"]
    without_catalogue = list(circles.loc[~circles["catalogue"], "image"])
    figures = paper_figures(
        {Path(path).stem: path for path in pngs if Path(path).parent.name == "figures"},
        statistics,
        table3,
        picture,
        figure1=shown["figure1"],
        figure3=shown["figure3"],
        percentile=settings["figures"]["histogram_percentile"],
        without_catalogue=without_catalogue,
    )
    groups = [
        figure_group(
            number,
            shown[f"figure{number}"],
            pngs,
            table3,
            picture,
            without_catalogue=without_catalogue,
        )
        for number in (4, 5)
    ]
    scored = scores(
        table3,
        notes,
        domain=settings["slice_domain"],
        scorer=verdict["scorer"],
        radius=verdict["radius"],
        near=verdict["near"],
        clutter_limit=settings["clutter_limit"],
    )
    parts = {
        "tables": {
            "table3": scored,
            "chance": chance_scores(tables["chance"], notes) if "chance" in tables else None,
            "table1": frame_table(
                statistics[["image", *IDENTITY]].rename(
                    columns=lambda name: name.replace("_", " ")
                ),
                caption=TITLE1,
            ),
            "table2": frame_table(
                printable_statistics(statistics[["image", *MOMENTS]]),
                caption=TITLE2,
            ),
        },
        "claims": claims(tables["claims"]) if "claims" in tables else None,
        "recommended": recommended_mask,
        "evaluation": evaluation(
            measures,
            measure_pngs,
            measure_text,
            picture,
            slice_domain=settings["slice_domain"],
        ),
        "figures": {"single": figures, "groups": groups},
    }
    method = overview.measures["method"].iloc[0]
    depths = depths_of(measures, "cores" if method == "recommended" else method)
    answer = (
        paper_answer(table3, measures, overview.measures, overview.false, scorer=verdict["scorer"])
        if parts["claims"]
        else own_answer(overview.measures, overview.false, depths, overview.warned)
    )
    return render_page(
        "index",
        title=f"Source masks of MIRI images: study {study}",
        study=study,
        simulated=bool(statistics["simulated"].any()),
        left_out=left_out,
        question=PAPER_QUESTION if parts["claims"] else OWN_QUESTION,
        actions=[
            ("browser.html", "Look at the images and masks"),
            ("by_eye/score.html", "Score by eye, blind to the method"),
        ],
        sections=sections(parts),
        **parts,
        **first_screen(
            overview, picture.folder, depths, answer, slice_domain=settings["slice_domain"]
        ),
        **provenance(settings, tables["manifest"], revision),
        files=grouped(files),
    )
