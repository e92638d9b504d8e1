"""Wall time of each mask on one crop, labels included: side_by_side/times.csv."""

from job import method_options, script
from mirimask.evaluation.side_by_side import time_methods
from mirimask.image.files import read_crop
from mirimask.table_files import write_csv


def main(job):
    times = time_methods(
        read_crop(job.input.frame),
        job.params.families,
        runs=job.params.runs,
        options=method_options(job.params),
    )
    write_csv(job.output.csv, times)


if "snakemake" in globals():
    script(main, snakemake)
