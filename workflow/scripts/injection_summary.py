"""Completeness curves of all images, alone and pooled: evaluation/injection.csv, depths, figure."""

import numpy as np
from job import script
from mirimask.evaluation.recovery import COLUMNS, POOLED, summarize_recovery
from mirimask.figures.curves import draw_completeness
from mirimask.figures.style import save_figure
from mirimask.table_files import read_tables, write_csv


def main(job):
    table, depths, measured = summarize_recovery(
        read_tables(job.input.csv, COLUMNS), draws=job.params.draws, seed=job.params.seed
    )
    write_csv(job.output.csv, table)
    write_csv(job.output.depths, depths)
    figure = draw_completeness(
        table[np.isfinite(table["magnitude"].astype(float))],
        depths,
        pooled=POOLED,
        together=measured,
        surveyed=job.params.surveyed,
        simulated=bool(table["simulated"].any()),
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
