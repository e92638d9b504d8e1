"""Tables 1 and 2 from the images' statistics, as CSV, Markdown and LaTeX."""

import json
from pathlib import Path

import pandas as pd
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.image.statistics import IDENTITY, MOMENTS
from mirimask.report.tables import as_latex, as_markdown, printable_statistics
from mirimask.table_files import read_texts

TITLE1 = "Table 1: identification of the images"
TITLE2 = "Table 2: statistics of the cropped images, in MJy/sr"


def main(job):
    images = pd.DataFrame([json.loads(Path(path).read_text()) for path in job.input.statistics])
    simulated = bool(images["simulated"].any())
    table1 = images[["image", *IDENTITY]]
    counts = ["n_pixels", "n_empty", "n_not_finite"]
    table2 = images[["image", *MOMENTS, *counts]]
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
    if job.input.get("manifest"):
        products = read_texts(job.input.manifest, separator="\t")
        noted = products[(products["product"] == "i2d") & (products["note"] != "")]
        notes += [f"{row.image}: {row.note}" for row in noted.itertuples()]
    for table, shown, title, own_notes, name in (
        (table1, table1, TITLE1, [], "table1"),
        (table2, printable_statistics(table2[["image", *MOMENTS]]), TITLE2, notes, "table2"),
    ):
        with replacing(job.output[f"{name}_csv"]) as temporary:
            table.assign(simulated=simulated).to_csv(temporary, index=False)
        markdown = as_markdown(shown, title=title, notes=own_notes, simulated=simulated)
        write_text(job.output[f"{name}_md"], markdown)
        latex = as_latex(shown, title=title, label=f"tab:{name}", simulated=simulated)
        write_text(job.output[f"{name}_tex"], latex)


if "snakemake" in globals():
    script(main, snakemake)
