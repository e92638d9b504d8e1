"""Wall time of each mask on one crop, labels included: side_by_side/times.csv.

One after the other in one process, the best and the median of a few runs. External programs pay
for their files too, as their users do.
"""

import time

import numpy as np
import pandas as pd
from compared import family_on
from evaluated import write_csv
from job import script
from mirimask.image.files import read_crop
from mirimask.masks.registry import published_level


def main(job):
    crop = read_crop(job.input.frame)
    rows = []
    for name in job.params.families:
        level = published_level(name, job.params.detectors)
        family = family_on(crop, name, [level], job.params)
        spent = []
        for _ in range(job.params.runs + 1):
            start = time.perf_counter()
            scores = family.scores(crop.masked)
            family.cut(scores, family.levels(scores)[0])
            spent.append(time.perf_counter() - start)
        spent = 1000 * np.array(spent[1:])  # the first pays for imports and caches
        rows.append({"family": name, "median_ms": np.median(spent), "best_ms": spent.min()})
    write_csv(job.output.csv, pd.DataFrame(rows).assign(n_pixels=crop.data.size))


if "snakemake" in globals():
    script(main, snakemake)
