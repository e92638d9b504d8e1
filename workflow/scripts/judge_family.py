"""Judge one family at its tuned levels: side_by_side/{judged,stars}/<family>.csv.

`rate` is the false rate that a level was tuned to, empty for the published level.
"""

import pandas as pd
from job import method_options, scene_files, script
from mirimask.evaluation.scene import SceneSettings, read_scene
from mirimask.evaluation.side_by_side import judge_method
from mirimask.table_files import read_table, write_csv


def main(job):
    name, options = job.wildcards.family, method_options(job.params)
    tuned, settings = read_table(job.input.levels), SceneSettings(**job.params.scene)
    judged, stars = [], []
    for image, files in scene_files(job):
        crop, scene = read_scene(image, settings, **files)
        levels = tuned[tuned["image"] == image]
        found = judge_method(name, crop, scene, levels, options=options)
        for tables, table in zip((judged, stars), found, strict=True):
            table.insert(0, "image", image)
            tables.append(table)
    write_csv(job.output.judged, pd.concat(judged, ignore_index=True))
    write_csv(job.output.stars, pd.concat(stars, ignore_index=True))


if "snakemake" in globals():
    script(main, snakemake)
