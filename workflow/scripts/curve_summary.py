"""Curves of all images, alone and pooled, and what they say at equal cost; evaluation/curves.*."""

import pandas as pd
from evaluated import read_tables, write_csv
from job import script
from mirimask.evaluation.curves import compare_curves, pool_curves
from mirimask.evaluation.recovery import measurable_images
from mirimask.figures.curves import draw_curves
from mirimask.figures.style import save_figure
from mirimask.table_files import read_table

POOLED = "all"
# of a table in which no image could be measured
COLUMNS = (
    "image family unit setting n_spots area area_arcmin2 n_stars n_found n_inverted "
    "inverted_per_arcmin2 n_true n_true_found n_false completeness true_completeness "
    "truth_false_per_arcmin2 false_per_arcmin2 working simulated"
)


def main(job):
    table = read_tables(job.input.csv, COLUMNS.split())
    depths = read_table(job.input.depths)
    measured = table[table["image"].isin(measurable_images(depths))]
    if table["image"].nunique() > 1 and len(measured):
        # images in which no mask finds stars say nothing about the others
        table = pd.concat([table, pool_curves(measured, name=POOLED)], ignore_index=True)
    compared = compare_curves(table, rates=job.params.rates, areas=job.params.areas)
    write_csv(job.output.csv, table)
    write_csv(job.output.compared, compared)
    figure = draw_curves(
        table,
        pooled=POOLED,
        together=list(dict.fromkeys(measured["image"])),
        magnitudes=job.params.magnitudes,
        simulated=bool(table["simulated"].any()),
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
