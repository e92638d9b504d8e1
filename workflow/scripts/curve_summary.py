"""Curves of all images, alone and pooled, and what they say at equal cost; evaluation/curves.*."""

import pandas as pd
from evaluated import read_tables, write_csv
from job import script
from mirimask.curves import compare_curves, pool_curves
from mirimask.figures import save_figure
from mirimask.injection_figures import draw_curves

POOLED = "all"


def main(job):
    table = read_tables(job.input.csv)
    if table["image"].nunique() > 1:
        table = pd.concat([table, pool_curves(table, name=POOLED)], ignore_index=True)
    compared = compare_curves(table, rates=job.params.rates, areas=job.params.areas)
    write_csv(job.output.csv, table)
    write_csv(job.output.compared, compared)
    figure = draw_curves(
        table,
        pooled=POOLED,
        magnitudes=job.params.magnitudes,
        simulated=bool(table["simulated"].any()),
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
