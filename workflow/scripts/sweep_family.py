"""Sweep one family of masks over its levels on all images: side_by_side/curves/<family>.csv."""

import pandas as pd
from compared import family_at, published_level, scenes, swept_levels
from evaluated import write_csv
from job import script
from mirimask.curves import full_curve


def main(job):
    name = job.wildcards.family
    levels = swept_levels(name, job.params.detectors)
    tables = []
    for image, crop, scene, _ in scenes(job):
        table = full_curve(family_at(name, crop, levels, job.params), scene)
        table["family"] = name
        table.insert(0, "image", image)
        table["working"] = table["setting"] == published_level(name, job.params.detectors)
        tables.append(table.assign(simulated=crop.simulated))
    write_csv(job.output.csv, pd.concat(tables, ignore_index=True))


if "snakemake" in globals():
    script(main, snakemake)
