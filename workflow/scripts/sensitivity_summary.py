"""Which conclusions of Table 3 survive other settings: evaluation/sensitivity.*."""

import json
from pathlib import Path

import pandas as pd
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.evaluation.sensitivity import conclusions
from mirimask.figures.evaluation import draw_sensitivity
from mirimask.figures.style import save_figure
from mirimask.report.tables import as_markdown
from mirimask.table_files import read_table


def main(job):
    variants = pd.concat([read_table(path, texts=("setting", "value")) for path in job.input.csv])
    simulated = any(json.loads(Path(p).read_text())["simulated"] for p in job.input.statistics)
    pooled = (
        variants.groupby(["setting", "value", "method"], sort=False)[
            ["sources", "success", "near", "failure"]
        ]
        .sum()
        .reset_index()
    )
    with replacing(job.output.csv) as temporary:
        pd.concat([variants, pooled.assign(image="all")]).assign(simulated=simulated).to_csv(
            temporary, index=False
        )
    answers = conclusions(variants)
    rows = []
    for text, given in answers.groupby("conclusion", sort=False):
        usual = given[given["setting"] == "as configured"]["holds"].item()
        others = given[given["setting"] != "as configured"]
        turned = others[others["holds"] != usual]
        steady = "survives" if usual else "fails throughout"
        where = "; ".join(f"{r.setting} {r.value}" for r in turned.itertuples())
        rows.append(
            {
                "conclusion": text,
                "as configured": "holds" if usual else "does not hold",
                "the same with": f"{len(others) - len(turned)} of {len(others)} other settings",
                "verdict": steady if turned.empty else "depends on the settings",
                "not the same with": where or "none",
            }
        )
    verdicts = pd.DataFrame(
        rows,
        columns=["conclusion", "as configured", "the same with", "verdict", "not the same with"],
    )
    with replacing(job.output.conclusions) as temporary:
        verdicts.assign(simulated=simulated).to_csv(temporary, index=False)
    notes = [
        "one setting is changed at a time, the others stay as configured",
        "a conclusion about the counts of Table 3 that survives may still be worth little: see "
        "the chance rates",
    ]
    if not rows:
        notes.append("no catalogue source lies on any of the images, or no method to compare")
    write_text(
        job.output.md,
        as_markdown(
            verdicts,
            title="Which conclusions of Table 3 survive other settings",
            notes=notes,
            simulated=simulated,
        ),
    )
    figure = draw_sensitivity(pooled, simulated=simulated)
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
