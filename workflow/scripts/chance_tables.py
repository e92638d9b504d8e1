"""Companion of Table 3: success beyond chance. Also all chance rates, and their figure."""

import pandas as pd
from job import any_simulated, script, with_simulated
from mirimask.atomic import write_text
from mirimask.evaluation.chance import pool_chance
from mirimask.figures.evaluation import draw_chance
from mirimask.figures.style import save_figure
from mirimask.report.chance import chance_latex, chance_pages, chance_parts
from mirimask.report.tables import circle_notes
from mirimask.table_files import read_table, read_tables, write_csv


def main(job):
    p, simulated = job.params, any_simulated(job.input.statistics)
    table = read_tables(job.input.csv)
    table = pd.concat([table, pool_chance(table)], ignore_index=True)
    write_csv(job.output.all, with_simulated(table, job.input.statistics))
    parts = list(chance_parts(table, domains=[p.domain, p.other_domain], scorer=p.scorer))
    (_, first), notes = parts[0], circle_notes(read_table(job.input.circles))
    write_csv(job.output.csv, with_simulated(first, job.input.statistics))
    write_text(job.output.md, chance_pages(parts, notes=notes, simulated=simulated))
    write_text(job.output.tex, chance_latex(first, simulated=simulated))
    shown = table[
        (table["image"] == "All")
        & (table["positions"] == "random")
        & table["domain"].isin([p.figure_domain, ""])
    ].sort_values("domain", key=lambda domain: domain == "", kind="stable")
    save_figure(draw_chance(shown, simulated=simulated), png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
