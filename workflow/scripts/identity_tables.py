"""Tables 1 and 2 from the images' statistics, as CSV, Markdown and LaTeX."""

import pandas as pd
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.image.statistics import IDENTITY, MOMENTS
from mirimask.report.tables import (
    TITLE1,
    TITLE2,
    as_latex,
    as_markdown,
    printable_statistics,
    statistics_notes,
)
from mirimask.table_files import read_json, read_texts


def main(job):
    images = pd.DataFrame([read_json(path) for path in job.input.statistics])
    simulated = bool(images["simulated"].any())
    products = job.input.get("manifest") and read_texts(job.input.manifest, separator="\t")
    table1 = images[["image", *IDENTITY]]
    table2 = images[["image", *MOMENTS, "n_pixels", "n_empty", "n_not_finite"]]
    shown = printable_statistics(images[["image", *MOMENTS]])
    notes = statistics_notes(images, products)
    for name, table, printed, title, own in (
        ("table1", table1, table1, TITLE1, []),
        ("table2", table2, shown, TITLE2, notes),
    ):
        with replacing(job.output[f"{name}_csv"]) as temporary:
            table.assign(simulated=images["simulated"]).to_csv(temporary, index=False)
        markdown = as_markdown(printed, title=title, notes=own, simulated=simulated)
        write_text(job.output[f"{name}_md"], markdown)
        latex = as_latex(printed, title=title, label=f"tab:{name}", simulated=simulated)
        write_text(job.output[f"{name}_tex"], latex)


if "snakemake" in globals():
    script(main, snakemake)
