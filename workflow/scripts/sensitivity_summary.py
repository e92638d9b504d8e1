"""Which conclusions of Table 3 survive other settings: evaluation/sensitivity.*."""

import pandas as pd
from job import any_simulated, script, with_simulated
from mirimask.atomic import write_text
from mirimask.evaluation.sensitivity import (
    conclusions,
    of_every_image,
    pool_variants,
    spot_text,
    survival,
    with_effect,
)
from mirimask.figures.evaluation import draw_sensitivity
from mirimask.figures.style import save_figure
from mirimask.report.tables import as_markdown
from mirimask.report.takeaway import finder_notes
from mirimask.table_files import read_table, write_csv

TITLE = "Which conclusions of Table 3 survive other settings"
NOTES = [
    "one setting is changed at a time, the others stay as configured",
    "a conclusion about the counts of Table 3 that survives may still be worth little: see "
    "the chance rates",
]
NOTHING = "there is no catalogue source, or no method to compare"


def main(job):
    tried = pd.concat([read_table(path, texts=("setting", "value")) for path in job.input.csv])
    simulated = any_simulated(job.input.statistics)
    variants, some = of_every_image(tried)
    # the conclusions are about the masks of Table 3; the recommended one is shown beside these
    judged, idle = with_effect(variants[variants["method"].isin(job.params.methods)])
    pooled, table = pool_variants(variants), survival(conclusions(judged))
    every = pd.concat([tried, pooled.assign(image="all")])
    write_csv(job.output.csv, with_simulated(every, job.input.statistics))
    write_csv(job.output.conclusions, table.assign(simulated=simulated))
    notes = [*NOTES, *([NOTHING] if table.empty else []), *finder_notes(pooled)]
    if idle:
        notes.insert(1, f"left out, for they change no count of these masks: {'; '.join(idle)}")
    if some:
        notes.insert(1, f"left out, for not every image has what they ask for: {'; '.join(some)}")
    page = as_markdown(table, title=TITLE, notes=notes, simulated=simulated)
    write_text(job.output.md, page)
    configured = job.params.configured
    configured["smallest spot [px]"] = spot_text(job.params.smallest_spot)
    figure = draw_sensitivity(pooled, configured=configured, simulated=simulated)
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
