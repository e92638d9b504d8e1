"""All masks at equal false rates: side_by_side/verdict.{csv,md,png,pdf}."""

import pandas as pd
from evaluated import read_tables, write_csv
from job import script
from mirimask.atomic import write_text
from mirimask.evaluation.side_by_side import draw_verdict, verdict_page, verdict_table
from mirimask.figures.style import save_figure
from mirimask.table_files import read_table


def main(job):
    judged = read_tables(job.input.judged)
    tables = [
        read_table(path).assign(family=family)
        for family, path in zip(job.params.families, job.input.stars, strict=True)
    ]
    rate, magnitudes = job.params.main_rate, job.params.magnitudes
    simulated = bool(judged["simulated"].any())
    table = verdict_table(
        judged,
        pd.concat(tables, ignore_index=True),
        read_table(job.input.times),
        groups=job.params.groups,
        not_installed=job.params.not_installed,
        draws=job.params.draws,
        seed=job.params.seed,
    )
    write_csv(job.output.csv, table.assign(simulated=simulated))
    page = verdict_page(table, rate=rate, magnitudes=magnitudes)
    note = "**SIMULATED** images are among these; their numbers are of no real sky.\n\n"
    head, _, body = page.partition("\n\n")
    write_text(job.output.md, f"{head}\n\n{note if simulated else ''}{body}")
    figure = draw_verdict(table, rate=rate, magnitudes=magnitudes, simulated=simulated)
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
