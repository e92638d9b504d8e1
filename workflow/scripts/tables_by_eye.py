"""Table 3 by eye from the scorers' files, and how far they agree."""

import json
from pathlib import Path

import pandas as pd
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.errors import MaskError
from mirimask.report.by_eye import (
    agreement_by_eye,
    layout_by_eye,
    majority,
    read_verdicts,
    table_by_eye,
)
from mirimask.report.tables import as_latex, as_markdown
from mirimask.table_files import read_table, read_texts

MAJORITY = "majority"
TITLE = "Table 3 by eye: success (S), near misses (behind the slash) and failures (F)"
NOTES = [
    "scored blind to method and image; S: a bright spot of the mask within the circle, where the "
    "image has a bright point too; behind the slash: within the ring around it; F: neither",
    "?n: the scorer was unsure of n more",
    "bold: better than the segmentation, by more successes, or as many and fewer failures",
]


def write_csv(path, table):
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")


def main(job):
    key = read_texts(job.input.key)
    verdicts = read_verdicts(job.input.files, key)
    if verdicts.empty:
        raise MaskError("by_eye.files: no verdict in them belongs to this study's cut-outs.")
    simulated = any(
        json.loads(Path(path).read_text())["simulated"] for path in job.input.statistics
    )
    given = {scorer: own for scorer, own in verdicts.groupby("scorer", sort=False)}
    if len(given) > 1:
        given = {f"{MAJORITY} of {len(given)}": majority(verdicts, name=MAJORITY)} | given
    # where no source lies there is nothing to score
    images = [image for image in job.params.images if (key["image"] == image).any()]
    tables, pages = [], []
    for scorer, own in given.items():
        table = table_by_eye(own, images=images, methods=job.params.methods)
        tables.append(table.assign(scorer=scorer, simulated=simulated))
        layout = layout_by_eye(table, bold=lambda text: f"**{text}**")
        scored = f"{len(own)} of {len(key)} cut-outs scored"
        notes = [scored, *NOTES] if not pages else [scored]
        # the scorer's own text stands in a heading, where Markdown and HTML would be read
        name = "".join(c if c.isalnum() or c in " .-" else "_" for c in scorer)
        pages.append(
            as_markdown(layout, title=f"{TITLE}; {name}", notes=notes, simulated=simulated)
        )
        if len(pages) == 1:
            layout = layout_by_eye(table, bold=lambda text: rf"\textbf{{{text}}}")
            latex = as_latex(layout, title=TITLE, label="tab:table3_by_eye", simulated=simulated)
    write_csv(job.output.csv, pd.concat(tables))
    write_text(job.output.md, "\n".join(pages))
    write_text(job.output.tex, latex)

    automatic = pd.concat(
        [
            read_table(path).assign(
                image=Path(path).parent.name, method=Path(path).name.removesuffix(".csv")
            )
            for path in job.input.verdicts
        ]
    )
    by_rule = {
        f"automatic ({scorer})": automatic.assign(verdict=automatic[column])
        for scorer, column in (("peaks", "verdict"), ("pixels", "verdict_pixels"))
    }
    write_csv(job.output.agreement, agreement_by_eye(verdicts, by_rule).assign(simulated=simulated))


if "snakemake" in globals():
    script(main, snakemake)
