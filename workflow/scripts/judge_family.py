"""Judge one family at its tuned levels: side_by_side/{judged,stars}/<family>.csv.

`rate` is the false rate that a level was tuned to, empty for the published level.
"""

import numpy as np
import pandas as pd
from compared import family_on, scenes
from evaluated import write_csv
from job import script
from mirimask.evaluation.curves import curve_and_stars
from mirimask.masks.registry import published_level
from mirimask.table_files import read_table


def main(job):
    name = job.wildcards.family
    tuned = read_table(job.input.levels)
    published = published_level(name, job.params.detectors)
    judged, stars = [], []
    for image, crop, scene, magnitudes in scenes(job):
        own = tuned[tuned["image"] == image].dropna(subset="level")
        rates = [*own["rate"], np.nan]
        levels = [*own["level"], published]
        table, found = curve_and_stars(family_on(crop, name, levels, job.params), scene)
        table["family"] = name
        table.insert(0, "image", image)
        table.insert(2, "rate", rates)
        judged.append(table.assign(reached=[*own["reached"], True], simulated=crop.simulated))
        for rate, flags in zip(rates, found, strict=True):
            stars.append(
                pd.DataFrame(
                    {
                        "image": image,
                        "rate": rate,
                        "star": np.arange(flags.size),
                        "ab_mag": magnitudes,
                        "found": flags.astype(int),
                    }
                )
            )
    write_csv(job.output.judged, pd.concat(judged, ignore_index=True))
    write_csv(job.output.stars, pd.concat(stars, ignore_index=True))


if "snakemake" in globals():
    script(main, snakemake)
