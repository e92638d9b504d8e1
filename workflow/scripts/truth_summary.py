"""Completeness and purity against truth, all images: tables and figures of evaluation/."""

import pandas as pd
from job import script
from mirimask.evaluation.completeness import pool_completeness, pool_purity
from mirimask.figures.evaluation import draw_completeness, draw_purity
from mirimask.figures.style import save_figure
from mirimask.table_files import read_tables, write_csv


def main(job):
    completeness, purity = read_tables(job.input.completeness), read_tables(job.input.purity)
    pooled = pool_completeness(completeness), pool_purity(purity)
    write_csv(job.output.completeness, pd.concat([completeness, pooled[0]]).assign(simulated=True))
    write_csv(job.output.purity, pd.concat([purity, pooled[1]]).assign(simulated=True))
    save_figure(
        draw_completeness(pooled[0]),
        png=job.output.completeness_png,
        pdf=job.output.completeness_pdf,
    )
    save_figure(draw_purity(pooled[1]), png=job.output.purity_png, pdf=job.output.purity_pdf)


if "snakemake" in globals():
    script(main, snakemake)
