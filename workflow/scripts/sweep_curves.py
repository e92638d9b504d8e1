"""Sweep every family of masks over its settings on one image: evaluation/curves/<image>.csv."""

import pandas as pd
from compared import family_on
from evaluated import method_options, or_why_not, write_csv
from job import script
from mirimask.evaluation.curves import full_curve
from mirimask.image.files import read_crop
from mirimask.masks.make import levels_in_use, swept_levels
from scenes import scene_of


@or_why_not
def main(job):
    crop = read_crop(job.input.frame, planes=False)
    options = method_options(job.params)
    scene, _ = scene_of(crop, job.wildcards.image, job.input, job.params)
    tables = []
    for name in job.params.families:
        working = levels_in_use(name, options)
        levels = swept_levels(name, options, among=working)
        family = family_on(crop, name, levels, job.params)
        table = full_curve(family, scene)
        table.insert(0, "image", job.wildcards.image)
        table["working"] = table["setting"].isin(working)
        tables.append(table)
    write_csv(job.output.csv, pd.concat(tables, ignore_index=True).assign(simulated=crop.simulated))


if "snakemake" in globals():
    script(main, snakemake)
