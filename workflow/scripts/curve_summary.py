"""Curves of all images, alone and pooled, and what they say at equal cost; evaluation/curves.*."""

import numpy as np
from job import script
from mirimask.evaluation.curves import COLUMNS, compare_curves, with_all
from mirimask.evaluation.recovery import POOLED, measurable_images
from mirimask.figures.curves import draw_curves
from mirimask.figures.style import save_figure
from mirimask.table_files import read_table, read_tables, write_csv


def main(job):
    curves = read_tables(job.input.csv, COLUMNS)
    measurable = measurable_images(read_table(job.input.depths))
    table = with_all(curves, measurable)
    write_csv(job.output.csv, table)
    write_csv(
        job.output.compared,
        compare_curves(
            table,
            rates=job.params.rates,
            areas=job.params.areas,
            draws=job.params.draws,
            rng=np.random.default_rng([job.params.seed, 15]),
        ),
    )
    figure = draw_curves(
        table,
        pooled=POOLED,
        together=[image for image in dict.fromkeys(curves["image"]) if image in measurable],
        magnitudes=job.params.magnitudes,
        simulated=bool(table["simulated"].any()),
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
