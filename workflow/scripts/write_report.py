"""The page that a reader opens first: results/<study>/index.html."""

import html
import json
import platform
import re
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import yaml
from job import script
from mirimask.atomic import write_text
from mirimask.evaluation.chance import chance_layout
from mirimask.image.statistics import IDENTITY, MOMENTS
from mirimask.masks.names import method_label
from mirimask.masks.source_mask import SourceSettings
from mirimask.report.page import bold, frame_table, paired_table, render_page, size_words
from mirimask.report.pictures import data_uri
from mirimask.report.tables import circle_notes, paper_layout, printable_statistics
from mirimask.table_files import read_table, read_texts
from PIL import Image

QUESTION = (
    "Does a mask that keeps only the brightest pixels of a MIRI image, or of its derivative, "
    "mark known sources better than the pipeline's own segmentation?"
)
PACKAGES = (
    *("snakemake", "numpy", "scipy", "pandas", "astropy", "astroquery", "photutils"),
    *("matplotlib", "poppy", "drizzle", "jinja2"),
)
INLINED_BYTES = 9_000_000  # of pictures: base64 and the rest keep the page below 15 MB
TWO = "{:.2f}".format
EVALUATION = {
    "chance": (
        "Success by chance",
        "How often a random position counts as a success, for each mask.",
    ),
    "significance": (
        "Recall against the segmentation",
        "Share of the catalogue's sources with success, and the difference from the segmentation.",
    ),
    "reliability": (
        "False detections",
        "Spots on bright points of the image and of the inverted image, where nothing is real.",
    ),
    "completeness": (
        "Completeness against the truth",
        "Share of the true sources that are covered, by magnitude.",
    ),
    "purity": ("Purity against the truth", "Share of the spots that lie on a true source."),
    "agreement": (
        "Automatic verdict and truth",
        "How often the automatic verdict is the one that knowledge of the sky gives.",
    ),
    "disagreements": (
        "Where verdict and truth differ",
        "Cut-outs of sources that the automatic verdict and the truth judge differently.",
    ),
    "injection": ("Depth from added stars", "Share of added stars that are found, by magnitude."),
    "curves": (
        "Masks at equal cost",
        "Completeness of each family of masks against false spots and against masked area.",
    ),
    "sensitivity": (
        "Other settings",
        "What Table 3 becomes when one setting is changed at a time.",
    ),
}


class Pictures:
    """Figures for the page, inlined as long as there is room."""

    def __init__(self, folder):
        self.folder, self.room = folder, INLINED_BYTES

    def __call__(self, png, title, caption, alt):
        png = Path(png)
        data = png.read_bytes()
        self.room -= len(data)
        with Image.open(png) as image:
            width, height = image.size
        name = png.relative_to(self.folder)
        files = [name.as_posix(), name.with_suffix(".pdf").as_posix()]
        uri = data_uri(data) if self.room >= 0 else ""
        return {
            "title": title,
            "caption": caption,
            "alt": alt,
            "uri": uri,
            "width": width,
            "height": height,
            "files": files,
        }


def listed(pairs):
    return ", ".join(f"{name} {value}" for name, value in pairs)


def labels(methods):
    return [method_label(name) for name in methods]


def answer(table3):
    """The successes of all images added up, best first."""
    totals = table3.groupby("method", sort=False)[["success", "sources"]].sum()
    if totals.empty:
        return "No catalogue source lies on the images of this study: nothing could be scored."
    sources = int(totals["sources"].max())
    ranked = totals.sort_values("success", ascending=False, kind="stable")["success"]
    named = listed(zip(labels(ranked.index), ranked, strict=True))
    return (
        f"Successes out of {sources} sources in {table3['image'].nunique()} images: {named}. "
        "What of that is chance, and what each mask costs in false detections, stands below."
    )


def together(table):
    """All images together; the only one; no rows where images could not be pooled."""
    pooled = table[table["image"] == "all"]
    return pooled if len(pooled) or table["image"].nunique() > 1 else table


def depths(tables):
    """Where half of the added stars are found, as text by method; all images, or the only one."""
    own = together(tables["injection_depths"])
    return own.set_index("method")["m50"].map(TWO)


def worth(tables):
    """One row for each mask with what the parts of the evaluation say about it, over all images."""
    columns = {}
    if "significance" in tables:
        own = tables["significance"].set_index("method")
        columns["Recall [95 %]"] = {
            m: f"{r.recall:.2f} [{r.recall_low:.2f}, {r.recall_high:.2f}]"
            for m, r in own.iterrows()
        }
    for name, column, text, key in (
        ("chance", "corrected", "Beyond chance", {"positions": "random", "scorer": "peaks"}),
        ("reliability", "false_per_arcmin2", "False spots per arcmin²", {}),
        ("reliability", "reliability", "Reliability", {}),
        ("purity", "purity", "Purity (truth)", {}),
        ("agreement", "agreement", "Verdict agrees with truth", {}),
    ):
        if name in tables:
            own = tables[name]
            own = own[own["image"] == "All"]
            if "domain" in own:
                own = own[own["domain"].fillna("").isin(["crop", ""])]
            for where, value in key.items():
                own = own[own[where] == value]
            columns[text] = own[own["method"] != "All"].set_index("method")[column].map(TWO)
    if "injection_depths" in tables:
        columns["Half of added stars found to, AB mag"] = depths(tables)
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
            "Beyond chance: 0 is the success of random positions, 1 is every source",
            "Reliability: share of the spots that the inverted image does not show as well",
            "empty: not measured for that mask",
        ],
    )


def said(name, tables):
    """What a figure of the evaluation shows, in numbers, for those who do not see it."""
    table = tables.get(name)
    if name == "disagreements" and table is not None:
        return f"{len(table)} verdicts are not the ones that knowledge of the sky gives."
    if name == "sensitivity" and table is not None:
        return f"{len(table.drop_duplicates(['setting', 'value']))} settings are compared."
    if table is None or table.empty:
        return EVALUATION.get(name, (name, name))[1]
    if "image" in table:
        table = table[table["image"].isin(["All", "all"])]
    if "domain" in table:
        table = table[table["domain"].fillna("").isin(["crop", ""])]
    if "positions" in table:
        table = table[(table["positions"] == "random") & (table["scorer"] == "peaks")]
    for column, text in (
        ("chance_success", "Success of random positions"),
        ("recall", "Recall"),
        ("reliability", "Reliability"),
        ("purity", "Purity"),
    ):
        if column in table and len(table):
            values = zip(labels(table["method"]), table[column].map(TWO), strict=True)
            return f"{text}: {listed(values)}."
    if name == "agreement":
        row = table[table["method"] == "All"].iloc[0]
        return (
            f"{row['agree']:.0f} of {row['sources']:.0f} verdicts agree with the truth, "
            f"kappa {row['kappa']:.2f}."
        )
    if name == "completeness" and len(table):
        own = table[table["kind"] == table["kind"].iloc[0]]
        sums = own.groupby("method", sort=False)[["n_recovered", "n_sources"]].sum()
        shares = (sums["n_recovered"] / sums["n_sources"]).map(TWO)
        values = listed(zip(labels(sums.index), shares, strict=True))
        return f"True sources covered, all magnitudes: {values}."
    if name == "curves" and "curves_compared" in tables:
        own = together(tables["curves_compared"])
        own = own[(own["at"] == "false_per_arcmin2") & (own["of"] == "given")]
        if own.empty:
            return "In no image does any mask find the added stars."
        own = own[own["limit"] == own["limit"].max()]
        values = zip(own["family"], own["completeness"].map(TWO), strict=True)
        return f"Completeness at {own['limit'].max():g} false spots per arcmin²: {listed(values)}."
    if name == "injection" and "injection_depths" in tables:
        own = depths(tables)
        if own.empty:
            return "In no image does any mask find the added stars."
        values = zip(labels(own.index), own, strict=True)
        return f"AB magnitude at which half of the added stars are found: {listed(values)}."
    return EVALUATION.get(name, (name, name))[1]


def takeaways(text):
    """The numbered points of a Markdown page, each split into plain and bold parts, in turns."""
    points = re.findall(r"^\d+\. (.+)$", text, re.M)
    links = r"\[([^\]]+)\]\([^)]*\)"
    plain = [html.unescape(point).replace("`", "") for point in points]
    return [re.sub(links, r"\1", point).split("**") for point in plain]


def evaluation(job, picture):
    tables = {
        Path(path).stem: read_table(path) for path in job.input.evaluation if path.endswith(".csv")
    }
    order = list(EVALUATION)
    pngs = [path for path in job.input.evaluation if path.endswith(".png")]
    pngs.sort(key=lambda p: order.index(Path(p).stem) if Path(p).stem in order else len(order))
    figures = []
    for path in pngs:
        name = Path(path).stem
        title, caption = EVALUATION.get(name, (name.replace("_", " ").capitalize(), ""))
        figures.append(picture(path, title, caption, said(name, tables)))
    pages = [path for path in job.input.evaluation if Path(path).name == "README.md"]
    points = takeaways(Path(pages[0]).read_text(encoding="utf-8")) if pages else []
    return {"points": points, "table": worth(tables), "figures": figures} if figures else None


def claims(path):
    table = read_texts(path)
    sources = [name for name in table.columns[2:] if not name.endswith(": numbers")]

    def kind(verdict):
        return {"holds": "holds", "fails": "fails", "not testable here": ""}.get(verdict, "partly")

    return {
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


def recommended(job, folder, column):
    """How often the recommended mask succeeds, beside the segmentation."""
    rows, files, kinds = [], [], ("success", "near", "failure")
    both = zip(job.input.recommended, job.input.segmentation, strict=True)
    for verdicts, mask in zip(both, job.input.recommended_mask, strict=True):
        given, own = (read_table(path)[column] for path in verdicts)
        image = Path(mask).parent.name
        if len(given):  # without sources there is nothing to count
            rows.append(
                [image, len(given)]
                + [int((verdict == kind).sum()) for verdict in (given, own) for kind in kinds]
            )
        files.append((image, Path(mask).relative_to(folder).as_posix()))
    table = pd.DataFrame(rows, columns=["Image", "sources", *kinds, *kinds])
    total = ["All", *table.iloc[:, 1:].sum()]
    settings = SourceSettings()
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
        ),
        "files": files,
    }


def main(job):
    folder = Path(job.output.page).parent
    picture = Pictures(folder)
    statistics = pd.DataFrame([json.loads(Path(path).read_text()) for path in job.input.statistics])
    simulated = bool(statistics["simulated"].any())
    table3 = read_table(job.input.table3)
    notes = circle_notes(read_table(job.input.circles))
    scorer = job.params.scorer
    column = {"peaks": "verdict", "pixels": "verdict_pixels"}[scorer]
    table_3 = paired_table(
        paper_layout(table3, bold=bold),
        caption="Table 3: success (S), near misses (behind the slash) and failures (F)",
        notes=[
            f"percentages over the {job.params.domain} domain; scored by "
            + {"peaks": "a bright spot's peak", "pixels": "any pixel of the mask"}[scorer]
            + f" within {size_words(job.params.radius)} of the source; near: within "
            f"{size_words(job.params.near)} more",
            "bold: better than the segmentation, by more successes, or as many and fewer failures",
            f"!: needs further processing, more than {100 * job.params.clutter_limit:g} % of the "
            "mask's pixels lie on no bright spot",
            *notes,
        ],
    )
    chance = None
    if job.input.get("chance"):
        chance = paired_table(
            chance_layout(read_table(job.input.chance), bold=bold),
            caption="Table 3, chance-corrected, with 95 % intervals and the probability of as many "
            "successes by chance",
            notes=[
                "bold: p below 0.05 after Holm's correction for all cells of the table",
                *notes,
            ],
        )

    counts = table3.set_index(["image", "method"])

    def masks_said(image, methods):
        parts = []
        for name in methods:
            if (image, name) in counts.index:
                row = counts.loc[(image, name)]
                parts.append(
                    f"{method_label(name)} {row['success']} success, {row['near']} near, "
                    f"{row['failure']} failure"
                )
        text = f"{image}: the crop, then what each mask keeps of it"
        if not parts:
            return f"{text}; no catalogue source lies here."
        return f"{text}, with circles around the catalogue's sources; {'; '.join(parts)}."

    by_image = statistics.set_index("image")
    one, three = job.params.figure1, job.params.figure3
    shape, crop = by_image.loc[one, "frame_shape"], by_image.loc[one, "crop_shape"]
    means = "; ".join(
        f"{row.image} median {row.median:.4g}, mean {row.mean:.4g}, variance {row.variance:.3g}"
        for row in statistics.itertuples()
    )
    panels = (
        "From the left: the crop, two slices and the segmentation. Circles: solid for success, "
        "dashed for near, dotted for failure."
    )
    png = {Path(path).stem: path for path in job.input.figures}
    figures = [
        picture(
            png["figure1"],
            "Figure 1: the crop",
            f"The frame of {one} with the rectangle that is worked on.",
            f"Frame of {one}, {shape[0]} rows and {shape[1]} columns, with a rectangle of "
            f"{crop[0]} rows and {crop[1]} columns.",
        ),
        picture(
            png["figure2"],
            "Figure 2: histograms",
            "Pixel values of each crop; red: mean plus two standard deviations, black: the 95.4th "
            "percentile.",
            f"Histograms of the pixel values in MJy/sr. {means}.",
        ),
        picture(
            png["figure3"],
            f"Figure 3: {three['image']}",
            panels,
            masks_said(three["image"], three["methods"]),
        ),
    ]
    groups = []
    for number in (4, 5):
        methods = getattr(job.params, f"figure{number}")
        own = [path for path in job.input.figures if Path(path).parent.name == f"figure{number}"]
        groups.append(
            {
                "title": f"Figure {number}: {' and '.join(labels(methods[:2]))}",
                "figures": [
                    picture(path, Path(path).stem, panels, masks_said(Path(path).stem, methods))
                    for path in own
                ],
            }
        )

    products = read_texts(job.input.manifest, separator="\t")
    packages = pd.DataFrame(
        [("Python", platform.python_version()), *((name, version(name)) for name in PACKAGES)],
        columns=["Package", "Version"],
    )
    files = {}
    for path in dict.fromkeys(map(str, job.input.files)):
        name = Path(path).relative_to(folder).as_posix()
        files.setdefault(name.partition("/")[0] + "/" if "/" in name else "Study", []).append(name)
    judged = evaluation(job, picture)
    answered = claims(job.input.claims) if job.input.get("claims") else None
    best = recommended(job, folder, column) if job.input.get("recommended") else None
    sections = [("scores", "Table 3")]
    sections += [("claims", "The paper's claims")] if answered else []
    sections += [("recommended", "Recommended mask")] if best else []
    sections += [("evaluation", "What the masks are worth")] if judged else []
    sections += [("figures", "Figures"), ("images", "Images"), ("provenance", "Provenance")]
    sections += [("files", "Files")]
    page = render_page(
        "index",
        title=f"Source masks of MIRI images: study {job.params.study}",
        study=job.params.study,
        simulated=simulated,
        question=QUESTION,
        answer=answer(table3),
        sections=sections,
        table3=table_3,
        chance=chance,
        claims=answered,
        recommended=best,
        evaluation=judged,
        figures=figures,
        figure_groups=groups,
        table1=frame_table(
            statistics[["image", *IDENTITY]].rename(columns=lambda name: name.replace("_", " ")),
            caption="Table 1: identification of the images",
        ),
        table2=frame_table(
            printable_statistics(statistics[["image", *MOMENTS]]),
            caption="Table 2: statistics of the crops, in MJy/sr",
        ),
        products=frame_table(products, caption="Products of the study"),
        packages=frame_table(packages, caption="Packages that computed it"),
        settings=yaml.safe_dump(job.params.settings, sort_keys=False, allow_unicode=True),
        revision=job.params.revision,
        files=sorted(files.items(), key=lambda item: (item[0] != "Study", item[0])),
    )
    write_text(job.output.page, page)


if "snakemake" in globals():
    script(main, snakemake)
