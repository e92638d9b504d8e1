"""The computed tables against the published ones: comparison/table{1,2,3}.csv and summary.md."""

from job import script
from mirimask.atomic import replacing, write_text
from mirimask.report.comparison import (
    compare_identity,
    compare_statistics,
    compare_verdicts,
    summarise,
)
from mirimask.report.tables import as_markdown
from mirimask.table_files import read_table, read_texts


def main(job):
    table1, table2, table3 = map(read_table, job.input.tables)
    published1, published2 = map(read_texts, job.input.published[:2])  # as printed
    simulated = bool(table3["simulated"].any())
    identity = compare_identity(published1, table1)
    statistics = compare_statistics(published2, table2)
    verdicts = compare_verdicts(read_table(job.input.published[2]), table3)
    for cells, path in zip((identity, statistics, verdicts), job.output.cells, strict=True):
        with replacing(path) as temporary:
            cells.assign(simulated=simulated).to_csv(temporary, index=False)
    pooled = verdicts.groupby("method", sort=False)[["success_published", "success_computed"]].sum()
    notes = [
        "table 1 and 2: a cell agrees when it is equal to the last printed digit",
        "table 3: a cell is one image and method, and agrees when successes, near misses and "
        "failures all do",
        "successes in all images, published and computed: "
        + ", ".join(f"{name} {row.iloc[0]} and {row.iloc[1]}" for name, row in pooled.iterrows()),
        f"the flag for further processing agrees in {int(verdicts['flag_agrees'].sum())} of "
        f"{len(verdicts)} cells",
        "the archive reprocesses: see the notes under table 2 and cal_ver in manifest.tsv before "
        "reading a difference as an error",
    ]
    summary = summarise(identity, statistics, verdicts)
    write_text(
        job.output.summary,
        as_markdown(summary, title="Computed against published", notes=notes, simulated=simulated),
    )


if "snakemake" in globals():
    script(main, snakemake)
