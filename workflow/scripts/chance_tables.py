"""Companion of Table 3: success beyond chance. Also all chance rates, and their figure."""

import json
from pathlib import Path

import pandas as pd
from evaluated import read_tables, write_csv
from job import script
from mirimask.atomic import write_text
from mirimask.evaluation.chance import chance_layout, pool_chance
from mirimask.figures.evaluation import draw_chance
from mirimask.figures.style import save_figure
from mirimask.report.tables import as_latex, as_markdown, circle_notes
from mirimask.table_files import read_table

TITLE = "Table 3, chance-corrected: S_c = (S/N - p0) / (1 - p0)"
SCORERS = {
    "peaks": "a bright spot's peak in the circle",
    "pixels": "any pixel of the mask in the circle",
}
POSITIONS = {"random": "random positions", "shifted": "the shifted catalogue"}


def main(job):
    table = read_tables(job.input.csv)
    table = pd.concat([table, pool_chance(table)], ignore_index=True)
    simulated = any(
        json.loads(Path(path).read_text())["simulated"] for path in job.input.statistics
    )
    write_csv(job.output.all, table.assign(simulated=simulated))

    notes = [
        "S_c with its 95 % interval: 0 is the success of random positions, 1 is every source; -: "
        "no sources, or chance always succeeds",
        "p: probability of as many successes by chance alone (binomial), on its own",
        "bold: p below 0.05 after Holm's correction for all cells of the table",
        *circle_notes(read_table(job.input.circles)),
    ]
    domains = [d for d in (job.params.domain, job.params.other_domain) if d in set(table["domain"])]
    pages = []
    first = (job.params.domain, job.params.scorer, "random")
    keys = [(d, s, p) for d in domains or [""] for s in SCORERS for p in POSITIONS]
    for domain, scorer, positions in sorted(keys, key=lambda key: key != first):
        own = table[
            table["domain"].isin([domain, ""])
            & (table["scorer"] == scorer)
            & (table["positions"] == positions)
            & (table["sources"] > 0)
        ]
        title = (
            f"{TITLE}; percentages over the {domain} domain, {SCORERS[scorer]}, p0 at "
            f"{POSITIONS[positions]}"
        )
        main_page = not pages
        layout = chance_layout(own, bold=lambda text: f"**{text}**")
        pages.append(
            as_markdown(layout, title=title, notes=notes if main_page else [], simulated=simulated)
        )
        if main_page:
            write_csv(job.output.csv, own.assign(simulated=simulated))
            layout = chance_layout(own, bold=lambda text: rf"\textbf{{{text}}}")
            write_text(
                job.output.tex,
                as_latex(layout, title=TITLE, label="tab:table3_chance", simulated=simulated),
            )
    write_text(job.output.md, "\n".join(pages))
    shown = table[
        (table["image"] == "All")
        & (table["positions"] == "random")
        & table["domain"].isin([job.params.figure_domain, ""])
    ]
    shown = shown.sort_values("domain", key=lambda d: d == "", kind="stable")
    save_figure(draw_chance(shown, simulated=simulated), png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
