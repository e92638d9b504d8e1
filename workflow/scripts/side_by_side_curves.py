"""The curves of all masks, pooled over the groups of images: side_by_side/curves.*."""

import pandas as pd
from job import script
from mirimask.atomic import write_text
from mirimask.evaluation.curves import pool_curves
from mirimask.figures.side_by_side import draw_all_curves
from mirimask.figures.style import save_figure
from mirimask.report.side_by_side import curves_page
from mirimask.table_files import read_tables, write_csv


def main(job):
    curves = read_tables(job.input.csv)
    pooled = [
        pool_curves(curves[curves["image"].isin(images)], name=group)
        for group, images in job.params.groups.items()
    ]
    write_csv(job.output.csv, pd.concat([curves, *pooled], ignore_index=True))
    shown = {
        "magnitudes": job.params.magnitudes,
        "simulated": bool(curves["simulated"].any()),
    }
    page = curves_page(curves, groups=job.params.groups, rate=job.params.main_rate, **shown)
    write_text(job.output.md, page)
    figure = draw_all_curves(pd.concat(pooled, ignore_index=True), **shown)
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
