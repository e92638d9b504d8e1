"""Sweep one family of masks over its levels on all images: side_by_side/curves/<family>.csv."""

import pandas as pd
from job import method_options, scene_files, script
from mirimask.evaluation.curves import method_curve
from mirimask.evaluation.scene import SceneSettings, read_scene
from mirimask.masks.registry import published_level
from mirimask.table_files import write_csv


def main(job):
    name, options = job.wildcards.family, method_options(job.params)
    settings = SceneSettings(**job.params.scene)
    working = [published_level(name, options)]
    tables = []
    for image, files in scene_files(job):
        crop, scene = read_scene(image, settings, **files)
        table = method_curve(name, crop, scene, working=working, options=options)
        table.insert(0, "image", image)
        tables.append(table)
    write_csv(job.output.csv, pd.concat(tables, ignore_index=True))


if "snakemake" in globals():
    script(main, snakemake)
