"""False detections without a truth, all images: evaluation/reliability.csv and its figure."""

import pandas as pd
from job import any_simulated, script, with_simulated
from mirimask.evaluation.reliability import pool_reliability
from mirimask.figures.evaluation import draw_reliability
from mirimask.figures.style import save_figure
from mirimask.table_files import read_tables, write_csv


def main(job):
    table, simulated = read_tables(job.input.csv), any_simulated(job.input.statistics)
    table = pd.concat([table, pool_reliability(table)], ignore_index=True)
    write_csv(job.output.csv, with_simulated(table, job.input.statistics))
    figure = draw_reliability(table, simulated=simulated)
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
