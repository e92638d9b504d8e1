"""Sweep every family of masks over its settings on one image: evaluation/curves/<image>.csv."""

import numpy as np
import pandas as pd
from evaluated import or_why_not, write_csv
from job import script
from mirimask.curves import full_curve
from mirimask.families import LEVELS, PERCENTS, family_of
from mirimask.frame import read_crop
from mirimask.recommended import DEFAULT
from mirimask.segmentation import SegmentationSettings
from scenes import scene_of

# what the paper, the pipeline and this project use: points on the curves
WORKING = {
    "value": [0.3, 1.0, 4.6],
    "derivative": [0.3, 4.6, 10.0],
    "union": [4.6],
    "intersection": [4.6],
    "recommended": [DEFAULT.seed],
}


@or_why_not
def main(job):
    crop = read_crop(job.input.frame, planes=False)
    options = dict(job.params.segmentation)
    segmentation = SegmentationSettings.for_jwst(options.pop("jwst_version"), **options)
    scene, _ = scene_of(crop, job.wildcards.image, job.input, job.params)
    empty, fwhm_px, simulated = crop.empty, crop.fwhm_px, crop.simulated
    del crop  # the scene has its image
    tables = []
    for name in job.params.families:
        working = WORKING.get(name, [segmentation.snr])
        levels = LEVELS if name in ("segmentation", "recommended") else PERCENTS
        family = family_of(
            name,
            empty,
            fwhm_px=fwhm_px,
            segmentation=segmentation,
            settings=np.unique(np.concatenate([levels, working])),
        )
        table = full_curve(family, scene)
        table.insert(0, "image", job.wildcards.image)
        table["working"] = table["setting"].isin(working)
        tables.append(table)
    write_csv(job.output.csv, pd.concat(tables, ignore_index=True).assign(simulated=simulated))


if "snakemake" in globals():
    script(main, snakemake)
