"""One row for each image of a survey: survey.csv, a page about it, and a table for a study."""

import sys

from job import script
from mirimask.atomic import replacing, write_text
from mirimask.report.survey import images_for_a_study, masked, survey_page, survey_table
from mirimask.table_files import read_json, read_texts


def main(job):
    rows = [read_json(path) for path in job.input.rows]
    table = survey_table(read_texts(job.input.products, separator="\t"), rows)
    with replacing(job.output.table) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    images = images_for_a_study(table)
    write_text(job.output.images, images.to_csv(sep="\t", index=False, lineterminator="\n"))
    write_text(job.output.page, survey_page(table, job.params.survey))
    good = len(masked(table))
    said = f"survey: {good} of {len(table)} images"
    if good < len(table):
        said += f", {len(table) - good} failed: see {job.output.page}"
    print(said, file=sys.stderr, flush=True)


if "snakemake" in globals():
    script(main, snakemake)
