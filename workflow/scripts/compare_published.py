"""The computed tables against the published ones: comparison/table{1,2,3}.csv and summary.md."""

from job import script
from mirimask.atomic import replacing, write_text
from mirimask.report.comparison import (
    compare_identity,
    compare_statistics,
    compare_verdicts,
    comparison_page,
)
from mirimask.table_files import read_table, read_texts


def main(job):
    table1, table2, table3 = map(read_table, job.input.tables)
    published1, published2 = map(read_texts, job.input.published[:2])  # as printed
    simulated = bool(table3["simulated"].any())
    compared = (
        compare_identity(published1, table1),
        compare_statistics(published2, table2),
        compare_verdicts(read_table(job.input.published[2], by_hand=True), table3),
    )
    for cells, path in zip(compared, job.output.cells, strict=True):
        with replacing(path) as temporary:
            cells.assign(simulated=simulated).to_csv(temporary, index=False)
    write_text(job.output.summary, comparison_page(*compared, simulated=simulated))


if "snakemake" in globals():
    script(main, snakemake)
