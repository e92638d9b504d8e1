"""Completeness curves of all images, alone and pooled: evaluation/injection.csv, depths, figure."""

from dataclasses import asdict

import numpy as np
import pandas as pd
from evaluated import read_tables, write_csv
from job import script
from mirimask.evaluation.recovery import (
    bootstrap_depths,
    fit_completeness,
    measurable_images,
    pool_recovery,
)
from mirimask.figures.curves import draw_completeness
from mirimask.figures.style import save_figure

POOLED = "all"
# of tables in which no image could be measured
COLUMNS = "image method magnitude n n_covered n_recovered completeness low high chance simulated"
DEPTHS = "image method n c0 m50 w m80 m50_low m50_high m80_low m80_high chance simulated"


def depth_rows(table, job):
    """The fits of each image and method."""
    for (image, method), rows in table.groupby(["image", "method"], sort=False):
        lit = rows[np.isfinite(rows["magnitude"])]
        counts = (lit["magnitude"], lit["n_recovered"], lit["n"])
        rng = np.random.default_rng([job.params.seed, 11])
        yield (
            {"image": image, "method": method, "n": int(lit["n"].sum())}
            | asdict(fit_completeness(*counts))
            | bootstrap_depths(*counts, draws=job.params.draws, rng=rng)
            | {"chance": rows["chance"].iloc[0], "simulated": rows["simulated"].iloc[0]}
        )


def main(job):
    table = read_tables(job.input.csv, COLUMNS.split())
    depths = pd.DataFrame(depth_rows(table, job), columns=DEPTHS.split())
    measured = measurable_images(depths)
    if table["image"].nunique() > 1 and measured:
        # images in which no mask finds stars say nothing about the others
        pooled = pool_recovery(table[table["image"].isin(measured)], name=POOLED)
        table = pd.concat([table, pooled], ignore_index=True)
        own = pd.DataFrame(depth_rows(pooled, job), columns=DEPTHS.split())
        depths = pd.concat([depths, own], ignore_index=True)
    write_csv(job.output.csv, table)
    write_csv(job.output.depths, depths)
    figure = draw_completeness(
        table[np.isfinite(table["magnitude"].astype(float))],
        depths,
        pooled=POOLED,
        together=measured,
        simulated=bool(table["simulated"].any()),
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
