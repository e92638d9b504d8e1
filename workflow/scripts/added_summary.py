"""What masks do in use, all images: evaluation/added.csv and a page, with the super-background."""

import pandas as pd
from job import script
from mirimask.atomic import write_text
from mirimask.evaluation.added import COLUMNS, NEAR_COLUMNS, pool_added
from mirimask.report.use import added_page
from mirimask.table_files import read_tables, write_csv


def main(job):
    table = read_tables(job.input.csv, COLUMNS)
    near = read_tables(job.input.near, NEAR_COLUMNS)
    pooled = pool_added(table, draws=job.params.draws, seed=job.params.seed)
    # of a nebula's image it says how sources and nebula go together: the median leaves that out
    middle = near.groupby(["method", "domain"], sort=False)["near"].median().rename("near_far")
    pooled = pooled.merge(middle.reset_index(), on=["method", "domain"], how="left")
    pooled.insert(0, "image", "All")
    simulated = bool(table["simulated"].any())
    write_csv(job.output.csv, pooled.assign(simulated=simulated))
    dithered = read_tables(job.input.dithered, []) if job.params.dithered else pd.DataFrame()
    write_text(job.output.md, added_page(pooled, dithered, simulated=simulated))


if "snakemake" in globals():
    script(main, snakemake)
