"""Figure 2: histograms of the crops, with mean + 2 standard deviations and a percentile."""

import json
import logging
from pathlib import Path

import numpy as np
from job import script
from mirimask.figures.paper import Histogram, draw_histograms, save_figure
from mirimask.image.files import read_crop
from mirimask.masks.thresholds import thresholds

log = logging.getLogger("mirimask.figure2")


def histogram(frame, statistics, params):
    """One image's panel; over its configured range, or the middle 99 % of what was observed.

    A range that most pixels lie outside of was made for another image of that code.
    """
    crop = read_crop(frame, planes=False)
    row = json.loads(Path(statistics).read_text())
    counted = crop.masked if row.get("empty_left_out") else crop.data
    values = counted[np.isfinite(counted)]
    (level,) = thresholds(values, [100 - params.percentile])
    seen = crop.data[~crop.empty]
    low, high = middle = thresholds(seen, [99.5, 0.5])
    if row["image"] in params.ranges:
        low, high = params.ranges[row["image"]]
        if np.mean((seen >= low) & (seen <= high)) < 0.5:
            log.warning(
                "figures.histogram_range: %g to %g holds less than half of the pixels of %s; "
                "drawn over the middle 99 %% instead",
                *(low, high, row["image"]),
            )
            low, high = middle
    counts, edges = np.histogram(values, bins=params.bins, range=(low, high))
    return Histogram(
        title=row["image"],
        note=row["observation_id"] or "",
        counts=counts,
        edges=edges,
        mean_2sd=row["mean"] + 2 * row["variance"] ** 0.5,
        percentile=float(level),
        shown=counts.sum() / values.size,
    ), crop.simulated


def main(job):
    panels, simulated = zip(
        *(
            histogram(frame, statistics, job.params)
            for frame, statistics in zip(job.input.frames, job.input.statistics, strict=True)
        ),
        strict=True,
    )
    figure = draw_histograms(
        panels,
        unit="MJy/sr",
        title=f"Pixel values of the crops · study {job.params.study}",
        simulated=any(simulated),
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
