"""Sweep every family of masks over its settings on one image: evaluation/curves/<image>.csv."""

import pandas as pd
from job import method_options, or_why_not, script
from mirimask.evaluation.curves import method_curve
from mirimask.evaluation.scene import SceneSettings, read_scene
from mirimask.masks.make import levels_in_use
from mirimask.table_files import write_csv, write_reason


@or_why_not(write_reason)
def main(job):
    options, image = method_options(job.params), job.wildcards.image
    crop, scene = read_scene(image, SceneSettings(**job.params.scene), **dict(job.input.items()))
    curves = [
        method_curve(name, crop, scene, working=levels_in_use(name, options), options=options)
        for name in job.params.families
    ]
    table = pd.concat(curves, ignore_index=True)
    table.insert(0, "image", image)
    write_csv(job.output.csv, table)


if "snakemake" in globals():
    script(main, snakemake)
