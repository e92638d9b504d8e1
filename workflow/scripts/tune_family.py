"""The levels of a family at equal false rates, from images it is not judged on."""

from evaluated import read_tables, write_csv
from job import script
from mirimask.evaluation.tuning import tuned_levels


def main(job):
    levels = tuned_levels(
        read_tables([job.input.csv]),
        rates=job.params.rates,
        images=job.params.images,
        tuned_on=job.params.tuned_on,
    )
    levels.insert(0, "family", job.wildcards.family)
    write_csv(job.output.csv, levels)


if "snakemake" in globals():
    script(main, snakemake)
