"""Table 3 from the verdicts, with the same by the other slice domain and the other scorer."""

import pandas as pd
from job import any_simulated, script, with_simulated
from mirimask.atomic import write_text
from mirimask.image.files import read_crop
from mirimask.report.tables import (
    all_variants,
    check_same_sources,
    table3_latex,
    table3_page,
    table3_variants,
)
from mirimask.sources.verdicts import circle_row
from mirimask.table_files import read_by_mask, write_csv


def main(job):
    params, verdicts = job.params, read_by_mask(job.input.verdicts)
    check_same_sources(verdicts)
    simulated = any_simulated(job.input.statistics)
    rows = []
    for crop in (read_crop(path, planes=False) for path in job.input.frames):
        image, radius = crop.primary["IMAGE"], crop.length_px(params.radius)
        known = image not in params.without_catalogue
        row = circle_row(verdicts, crop.empty, image=image, catalogue=known, radius_px=radius)
        rows.append(row)
    circles = pd.DataFrame(rows)
    write_csv(job.output.circles, with_simulated(circles, job.input.statistics))
    variants = table3_variants(
        verdicts,
        read_by_mask(job.input.spots).set_index(["image", "method"])["clutter"],
        domains={params.domain: params.methods, params.other_domain: params.others},
        clutter_limit=params.clutter_limit,
    )
    first = (params.domain, params.scorer)
    write_csv(job.output.csv, with_simulated(variants[first], job.input.statistics))
    write_csv(job.output.variants, with_simulated(all_variants(variants), job.input.statistics))
    page = table3_page(
        variants,
        first,
        circles=circles,
        clutter_limit=params.clutter_limit,
        simulated=simulated,
    )
    write_text(job.output.md, page)
    write_text(job.output.tex, table3_latex(variants[first], simulated=simulated))


if "snakemake" in globals():
    script(main, snakemake)
