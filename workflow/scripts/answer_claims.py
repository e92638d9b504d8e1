"""Answer the paper's claims from its printed tables and from the computed ones: claims.md, .csv."""

import pandas as pd
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.report.claims import CLAIMS, answer_claims
from mirimask.report.tables import as_markdown, circle_notes
from mirimask.table_files import read_table


def read_evidence(job):
    """The tables of the evaluation by name."""
    structure = [read_table(path) for path in job.input.structure]
    return {
        "structure": pd.concat(structure, ignore_index=True),
        **{
            name: read_table(job.input[name])
            for name in ("chance", "reliability", "depths", "compared")
        },
    }


def main(job):
    table2, table3 = read_table(job.input.table2), read_table(job.input.table3)
    simulated = bool(table3["simulated"].any())
    answers = {}
    if job.input.get("published"):
        published2, published3 = (
            read_table(path).rename(columns={"code": "image"}) for path in job.input.published
        )
        answers["printed tables"] = answer_claims(published3, published2)
    answers["computed" + (" (SIMULATED)" if simulated else "")] = answer_claims(
        table3, table2, read_evidence(job)
    )
    rows = []
    for claim in CLAIMS:
        row = {"id": claim.id, "claim (section)": claim.text}
        for source, given in answers.items():
            row[source] = given[claim.id].verdict
            row[f"{source}: numbers"] = given[claim.id].numbers
        rows.append(row)
    table = pd.DataFrame(rows)
    with replacing(job.output.csv) as temporary:
        table.to_csv(temporary, index=False)
    notes = [
        "read strictly: 'better' is more successes in each image named; equal counts make it "
        "'holds with a tie'",
        "'not testable here': the tables do not hold what the claim is about; the computed answers "
        "use the evaluation as well, with slices over the crop",
    ]
    notes += circle_notes(read_table(job.input.circles))
    write_text(
        job.output.md,
        as_markdown(table, title="The paper's claims", notes=notes, simulated=simulated),
    )


if "snakemake" in globals():
    script(main, snakemake)
