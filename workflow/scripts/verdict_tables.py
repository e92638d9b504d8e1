"""Table 3 from the verdicts, with the same by the other slice domain and the other scorer."""

import json
from pathlib import Path

import pandas as pd
from job import script
from mirimask.atomic import write_text
from mirimask.image.files import read_crop
from mirimask.image.frame import pixels
from mirimask.report.tables import all_variants, table3_latex, table3_page, table3_variants
from mirimask.sources.verdicts import covered_share
from mirimask.table_files import read_by_mask, write_csv


def circle_row(frame, verdicts, params):
    """An image's sources, and how much of it their circles cover."""
    crop = read_crop(frame, planes=False)
    image = crop.primary["IMAGE"]
    at = verdicts[verdicts["image"] == image]
    at = at[at["method"] == at["method"].iloc[0]] if len(at) else at
    radius = pixels(params.radius, crop.pixel_scale, fwhm_px=crop.fwhm_px)
    x, y = at["x"].to_numpy(float), at["y"].to_numpy(float)
    return {
        "image": image,
        "catalogue": image not in params.without_catalogue,
        "sources": len(at),
        "radius_px": radius,
        "covered": covered_share(x, y, crop.empty, radius_px=radius),
    }


def main(job):
    params, verdicts = job.params, read_by_mask(job.input.verdicts)
    rows = [json.loads(Path(path).read_text()) for path in job.input.statistics]
    simulated = any(row["simulated"] for row in rows)
    circles = pd.DataFrame([circle_row(path, verdicts, params) for path in job.input.frames])
    write_csv(job.output.circles, circles)
    variants = table3_variants(
        verdicts,
        read_by_mask(job.input.spots).set_index(["image", "method"])["clutter"],
        domains={params.domain: params.methods, params.other_domain: params.others},
        clutter_limit=params.clutter_limit,
    )
    first = (params.domain, params.scorer)
    write_csv(job.output.csv, variants[first].assign(simulated=simulated))
    write_csv(job.output.variants, all_variants(variants).assign(simulated=simulated))
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
