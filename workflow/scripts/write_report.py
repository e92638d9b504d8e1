"""The page that a reader opens first: results/<study>/index.html."""

from pathlib import Path

import pandas as pd
from job import script
from mirimask.atomic import write_text
from mirimask.report.index import Pictures, index_page, recommended
from mirimask.report.overview import Overview
from mirimask.table_files import read_by_mask, read_json, read_table, read_texts


def main(job):
    folder = Path(job.output.page).parent

    def read_text(path):
        return Path(path).read_text(encoding="utf-8")

    def below(path):
        return Path(path).relative_to(folder).as_posix()

    tables = {"manifest": read_texts(job.input.manifest, separator="\t")}
    tables |= {name: read_table(job.input[name]) for name in ("table3", "circles")}
    if job.input.get("chance"):
        tables["chance"] = read_table(job.input.chance)
    if job.input.get("claims"):
        tables["claims"] = read_texts(job.input.claims)
    masks = {Path(path).parent.name: below(path) for path in job.input.recommended_mask}
    verdicts = read_by_mask([*job.input.recommended, *job.input.segmentation])
    verdict = job.params.settings["verdict"]
    statistics = [read_json(path) for path in job.input.statistics]
    measures = {
        kind: [path for path in job.input.evaluation if path.endswith(kind)]
        for kind in (".csv", ".png", "README.md")
    }
    page = index_page(
        settings=job.params.settings,
        shown=job.params.shown,
        overview=Overview.read(
            job.input.overview_row,
            job.input.overview_false,
            job.input.overview_look,
            job.input.overview_thumbnail,
            shown=job.params.shown["figure3"]["image"],
            logs=folder / "logs",
            masks=job.params.masks,
        ),
        statistics=pd.DataFrame(statistics),
        tables=tables,
        recommended_mask=recommended(
            verdicts, masks, scorer=verdict["scorer"], by_eye=verdict["smallest_spot"] is not None
        ),
        measures={Path(path).stem: read_table(path) for path in measures[".csv"]},
        measure_pngs=measures[".png"],
        measure_text="".join(map(read_text, measures["README.md"])),
        pngs=job.input.figures,
        picture=Pictures(folder),
        files=map(below, job.input.files),
        revision=job.params.revision,
        left_out=job.params.left_out,
    )
    write_text(job.output.page, page)


if "snakemake" in globals():
    script(main, snakemake)
