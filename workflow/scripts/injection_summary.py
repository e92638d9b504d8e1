"""Completeness curves of all images, alone and pooled: evaluation/injection.csv, depths, figure."""

from dataclasses import asdict

import numpy as np
import pandas as pd
from evaluated import read_tables, write_csv
from job import script
from mirimask.figures import save_figure
from mirimask.injection import bootstrap_depths, fit_completeness
from mirimask.injection_figures import draw_completeness
from mirimask.intervals import wilson

POOLED = "all"


def pooled(table):
    """The counts of all images added up, as one more image."""
    counts = table.groupby(["method", "magnitude"], sort=False, as_index=False)[
        ["n", "n_covered", "n_recovered"]
    ].sum()
    counts["completeness"] = counts["n_recovered"] / counts["n"]
    counts["low"], counts["high"] = wilson(counts["n_recovered"], counts["n"])
    dark = counts[np.isinf(counts["magnitude"])].set_index("method")
    counts["chance"] = counts["method"].map(dark["n_covered"] / dark["n"])
    return counts.assign(image=POOLED, simulated=bool(table["simulated"].any()))[table.columns]


def main(job):
    table = read_tables(job.input.csv)
    if table["image"].nunique() > 1:
        table = pd.concat([table, pooled(table)], ignore_index=True)
    depths = []
    for (image, method), rows in table.groupby(["image", "method"], sort=False):
        lit = rows[np.isfinite(rows["magnitude"])]
        counts = (lit["magnitude"], lit["n_recovered"], lit["n"])
        rng = np.random.default_rng([job.params.seed, 11])
        depths.append(
            {"image": image, "method": method, "n": int(lit["n"].sum())}
            | asdict(fit_completeness(*counts))
            | bootstrap_depths(*counts, draws=job.params.draws, rng=rng)
            | {"chance": rows["chance"].iloc[0], "simulated": rows["simulated"].iloc[0]}
        )
    depths = pd.DataFrame(depths)
    write_csv(job.output.csv, table)
    write_csv(job.output.depths, depths)
    figure = draw_completeness(
        table[np.isfinite(table["magnitude"])],
        depths,
        pooled=POOLED,
        simulated=bool(table["simulated"].any()),
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
