"""False rates by blank images beside those by truth: evaluation/false_rates.{csv,md}."""

from job import script
from mirimask.atomic import write_text
from mirimask.evaluation.reliability import compare_rates
from mirimask.report.takeaway import false_rates_page
from mirimask.table_files import read_table, write_csv


def main(job):
    purity = read_table(job.input.purity)
    rates = compare_rates(read_table(job.input.reliability), purity[purity["image"] != "All"])
    write_csv(job.output.csv, rates.assign(simulated=True))
    write_text(job.output.md, false_rates_page(rates))


if "snakemake" in globals():
    script(main, snakemake)
