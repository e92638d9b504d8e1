"""What masks do in use, all images: evaluation/added.csv and a page, with the super-background."""

import pandas as pd
from job import script
from mirimask.atomic import write_text
from mirimask.evaluation.added import COLUMNS, NEAR_COLUMNS, added_magnitudes, pool_added
from mirimask.evaluation.recovery import measurable_images
from mirimask.report.use import added_page
from mirimask.table_files import read_table, read_tables, reasons, write_csv


def main(job):
    p = job.params
    table = read_tables(job.input.csv, COLUMNS)
    simulated = bool(table["simulated"].any())
    *_, faintest = added_magnitudes("star", p.middle_ab)
    measured = measurable_images(read_table(job.input.depths), as_faint_as=faintest)
    too_faint = [image for image in table["image"].unique() if image not in measured]
    table = table[table["image"].isin(measured)]
    near = read_tables(job.input.near, NEAR_COLUMNS)
    near = near[near["image"].isin(measured)]
    pooled = pool_added(table, middle_ab=p.middle_ab, draws=p.draws, seed=p.seed)
    # of a nebula's image it says how sources and nebula go together: the median leaves that out
    middle = near.groupby(["method", "domain"], sort=False)["near"].median().rename("near_far")
    pooled = pooled.merge(middle.reset_index(), on=["method", "domain"], how="left")
    pooled.insert(0, "image", "All")
    without = reasons(job.input.csv)
    pooled["not_counted"] = ", ".join([*without, *too_faint])
    write_csv(job.output.csv, pooled.assign(simulated=simulated))
    dithered = read_tables(job.input.dithered, []) if p.dithered else pd.DataFrame()
    page = added_page(
        *(pooled, dithered),
        middle_ab=p.middle_ab,
        too_faint=too_faint,
        without=without,
        simulated=simulated,
    )
    write_text(job.output.md, page)


if "snakemake" in globals():
    script(main, snakemake)
