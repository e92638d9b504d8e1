"""Table 3 by eye from the scorers' files, and how far they agree."""

from job import any_simulated, script
from mirimask.atomic import write_text
from mirimask.errors import MaskError
from mirimask.report.by_eye import agreement_by_eye, read_verdicts, rule_verdicts, tables_by_eye
from mirimask.table_files import read_by_mask, read_texts, write_csv


def main(job):
    key = read_texts(job.input.key)
    verdicts = read_verdicts(job.input.files, key)
    if verdicts.empty:
        raise MaskError("by_eye.files: no verdict in them belongs to this study's cut-outs.")
    simulated = any_simulated(job.input.statistics)
    table, page, latex = tables_by_eye(
        verdicts, key, images=job.params.images, methods=job.params.methods, simulated=simulated
    )
    write_csv(job.output.csv, table)
    write_text(job.output.md, page)
    write_text(job.output.tex, latex)
    by_rule = rule_verdicts(read_by_mask(job.input.verdicts))
    write_csv(job.output.agreement, agreement_by_eye(verdicts, by_rule).assign(simulated=simulated))


if "snakemake" in globals():
    script(main, snakemake)
