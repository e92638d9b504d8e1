"""What a simulated study found, for the documents to quote: findings.md."""

from job import script
from mirimask.atomic import write_text
from mirimask.report.takeaway import findings_page
from mirimask.table_files import read_table


def main(job):
    tables = {name: read_table(path) for name, path in job.input.items()}
    page = findings_page(
        tables, tables.pop("claims"), study=job.params.study, command=job.params.command
    )
    write_text(job.output.md, page)


if "snakemake" in globals():
    script(main, snakemake)
