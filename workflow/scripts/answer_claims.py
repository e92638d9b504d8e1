"""Answer the paper's claims from its printed tables and from the computed ones: claims.md, .csv."""

import pandas as pd
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.report.claims import answer_claims, claims_page, claims_table
from mirimask.report.use import good_masks
from mirimask.table_files import read_table


def main(job):
    table2, table3 = read_table(job.input.table2), read_table(job.input.table3)
    simulated = bool(table3["simulated"].any())
    answers = {}
    if job.input.get("published"):
        published2, published3 = (
            read_table(path, by_hand=True).rename(columns={"code": "image"})
            for path in job.input.published
        )
        answers["printed tables"] = answer_claims(published3, published2)
    names = ("chance", "reliability", "depths", "compared", "false_rates")
    evidence = {name: read_table(job.input[name]) for name in names if job.input.get(name)}
    evidence["structure"] = pd.concat(map(read_table, job.input.structure), ignore_index=True)
    computed = "computed" + (" (SIMULATED)" if simulated else "")
    answers[computed] = answer_claims(table3, table2, evidence)
    table = claims_table(answers)
    with replacing(job.output.csv) as temporary:
        table.to_csv(temporary, index=False)
    use = read_table(job.input.use) if job.input.get("use") else None
    page = claims_page(
        table,
        read_table(job.input.circles),
        simulated=simulated,
        first=good_masks(read_table(job.input.added), use),
    )
    write_text(job.output.md, page)


if "snakemake" in globals():
    script(main, snakemake)
