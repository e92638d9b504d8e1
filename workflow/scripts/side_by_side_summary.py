"""All masks at equal false rates: side_by_side/verdict.{csv,md,png,pdf}, factorial.{csv,md}."""

import pandas as pd
from job import script
from mirimask.atomic import write_text
from mirimask.evaluation.side_by_side import factorial, verdict_table
from mirimask.figures.side_by_side import draw_verdict
from mirimask.figures.style import save_figure
from mirimask.report.side_by_side import factorial_page, verdict_page
from mirimask.table_files import read_table, read_tables, write_csv


def main(job):
    judged = read_tables(job.input.judged)
    stars = [
        read_table(path).assign(family=family)
        for family, path in zip(job.params.families, job.input.stars, strict=True)
    ]
    table = verdict_table(
        judged,
        pd.concat(stars, ignore_index=True),
        read_table(job.input.times),
        read_tables(job.input.curves),
        groups=job.params.groups,
        tuned_on=job.params.tuned_on,
        not_installed=job.params.not_installed,
        draws=job.params.draws,
        seed=job.params.seed,
    )
    shown = {"rate": job.params.main_rate, "magnitudes": job.params.magnitudes}
    simulated = bool(judged["simulated"].any())
    write_csv(job.output.csv, table)
    write_text(job.output.md, verdict_page(table, **shown, simulated=simulated))
    crossed = factorial(table)
    write_csv(job.output.factorial, crossed)
    write_text(job.output.factorial_md, factorial_page(crossed, **shown, simulated=simulated))
    save_figure(draw_verdict(table, **shown), png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
