"""What to take away from the evaluation, with its numbers: evaluation/README.md."""

from pathlib import Path

from job import script
from mirimask.atomic import write_text
from mirimask.report.takeaway import evaluation_page
from mirimask.table_files import read_table, reasons


def main(job):
    tables = {name: read_table(path) for name, path in job.input.items() if name != "measures"}
    missing = [
        (Path(path).parent.name, image, why)
        for path in job.input.measures
        for image, why in reasons([path]).items()
    ]
    write_text(job.output.md, evaluation_page(tables, missing))


if "snakemake" in globals():
    script(main, snakemake)
