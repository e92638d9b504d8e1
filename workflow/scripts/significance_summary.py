"""Differences between the methods: McNemar's tests, bootstrap of recalls, and their figure."""

from pathlib import Path

from job import any_simulated, script, with_simulated
from mirimask.evaluation.significance import compare_scorers
from mirimask.figures.evaluation import draw_significance
from mirimask.figures.style import save_figure
from mirimask.table_files import read_table, write_csv


def main(job):
    simulated = any_simulated(job.input.statistics)
    verdicts = (
        (Path(path).parent.name, method, read_table(path))
        for path, (method, _) in zip(job.input.verdicts, job.params.masks, strict=True)
    )
    tables = compare_scorers(verdicts, draws=job.params.bootstrap, seed=job.params.seed)
    tests, recalls = (with_simulated(table, job.input.statistics) for table in tables)
    write_csv(job.output.tests, tests)
    write_csv(job.output.recalls, recalls)
    # the rule of the sentences on the evaluation's page, whatever the study's own
    figure = draw_significance(
        recalls[recalls["scorer"] == "peaks"],
        tests[(tests["scorer"] == "peaks") & (tests["image"] == "All")],
        simulated=simulated,
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
