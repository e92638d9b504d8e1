"""Sweep one family of masks over its levels on all images: side_by_side/curves/<family>.csv."""

import pandas as pd
from compared import family_on, scenes
from evaluated import write_csv
from job import script
from mirimask.evaluation.curves import full_curve
from mirimask.masks.make import swept_levels
from mirimask.masks.registry import published_level


def main(job):
    name = job.wildcards.family
    published = published_level(name, job.params.detectors)
    levels = swept_levels(name, job.params.detectors, among=[published])
    tables = []
    for image, crop, scene, _ in scenes(job):
        table = full_curve(family_on(crop, name, levels, job.params), scene)
        table["family"] = name
        table.insert(0, "image", image)
        table["working"] = table["setting"] == published
        tables.append(table.assign(simulated=crop.simulated))
    write_csv(job.output.csv, pd.concat(tables, ignore_index=True))


if "snakemake" in globals():
    script(main, snakemake)
