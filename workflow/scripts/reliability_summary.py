"""False detections without a truth, all images: evaluation/reliability.csv and its figure."""

import json
from pathlib import Path

import pandas as pd
from evaluated import read_tables, write_csv
from job import script
from mirimask.evaluation.reliability import pool_reliability
from mirimask.figures.evaluation import draw_reliability
from mirimask.figures.style import save_figure


def main(job):
    table = read_tables(job.input.csv)
    table = pd.concat([table, pool_reliability(table)], ignore_index=True)
    simulated = any(
        json.loads(Path(path).read_text())["simulated"] for path in job.input.statistics
    )
    write_csv(job.output.csv, table.assign(simulated=simulated))
    save_figure(
        draw_reliability(table, simulated=simulated), png=job.output.png, pdf=job.output.pdf
    )


if "snakemake" in globals():
    script(main, snakemake)
