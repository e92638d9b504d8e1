"""Differences between the methods: McNemar's tests, bootstrap of recalls, and their figure."""

import json
from pathlib import Path

import pandas as pd
from evaluated import write_csv
from job import script
from mirimask.evaluation.significance import compare_methods, recall_differences
from mirimask.figures.evaluation import draw_significance
from mirimask.figures.style import save_figure
from mirimask.table_files import read_table

COLUMNS = {"peaks": "verdict", "pixels": "verdict_pixels"}


def successes(paths, names, column):
    """Indexed by image and source, a bool column for each method."""
    tables = []
    for path, (method, _) in zip(map(Path, paths), names, strict=True):
        given = read_table(path)
        tables.append(
            pd.DataFrame(
                {
                    "image": path.parent.name,
                    "source": range(len(given)),
                    "method": method,
                    "success": given[column].to_numpy() == "success",
                }
            )
        )
    order = list(dict.fromkeys(method for method, _ in names))
    table = pd.concat(tables, ignore_index=True)
    wide = table.pivot(index=["image", "source"], columns="method", values="success")
    return wide.reindex(columns=order).astype(bool)


def main(job):
    simulated = any(
        json.loads(Path(path).read_text())["simulated"] for path in job.input.statistics
    )
    tests, recalls = [], []
    for scorer, column in COLUMNS.items():
        success = successes(job.input.verdicts, job.params.masks, column)
        tests.append(compare_methods(success).assign(scorer=scorer))
        recalls.append(
            recall_differences(success, draws=job.params.bootstrap, seed=job.params.seed).assign(
                scorer=scorer
            )
        )
    tests = pd.concat(tests, ignore_index=True).assign(simulated=simulated)
    recalls = pd.concat(recalls, ignore_index=True).assign(simulated=simulated)
    write_csv(job.output.tests, tests)
    write_csv(job.output.recalls, recalls)
    scorer = job.params.scorer
    figure = draw_significance(
        recalls[recalls["scorer"] == scorer],
        tests[(tests["scorer"] == scorer) & (tests["image"] == "All")],
        simulated=simulated,
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
