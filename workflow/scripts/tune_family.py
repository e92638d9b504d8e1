"""The levels of a family at equal false rates, from images it is not judged on."""

from job import script
from mirimask.evaluation.side_by_side import tuned_levels
from mirimask.table_files import read_table, write_csv


def main(job):
    levels = tuned_levels(
        read_table(job.input.csv),
        rates=job.params.rates,
        images=job.params.images,
        tuned_on=job.params.tuned_on,
    )
    levels.insert(0, "family", job.wildcards.family)
    write_csv(job.output.csv, levels)


if "snakemake" in globals():
    script(main, snakemake)
