"""Completeness and purity against truth, all images: tables and figures of evaluation/."""

import pandas as pd
from evaluated import read_tables, write_csv
from job import script
from mirimask.evaluation.completeness import pool_completeness, pool_purity
from mirimask.figures.evaluation import draw_completeness, draw_purity
from mirimask.figures.style import save_figure


def main(job):
    completeness, purity = read_tables(job.input.completeness), read_tables(job.input.purity)
    completeness = pd.concat([completeness, pool_completeness(completeness)], ignore_index=True)
    purity = pd.concat([purity, pool_purity(purity)], ignore_index=True)
    write_csv(job.output.completeness, completeness.assign(simulated=True))
    write_csv(job.output.purity, purity.assign(simulated=True))
    save_figure(
        draw_completeness(completeness[completeness["image"] == "All"]),
        png=job.output.completeness_png,
        pdf=job.output.completeness_pdf,
    )
    save_figure(
        draw_purity(purity[purity["image"] == "All"]),
        png=job.output.purity_png,
        pdf=job.output.purity_pdf,
    )


if "snakemake" in globals():
    script(main, snakemake)
