"""Figure 2: histograms of the crops, with mean + 2 standard deviations and a percentile."""

import logging

from job import script
from mirimask.figures.paper import draw_histograms
from mirimask.figures.style import save_figure
from mirimask.image.files import read_crop
from mirimask.image.levels import histogram, histogram_range
from mirimask.table_files import read_json

log = logging.getLogger("mirimask.figure2")


def main(job):
    panels, simulated = [], False
    for frame, statistics in zip(job.input.frames, job.input.statistics, strict=True):
        crop, row = read_crop(frame, planes=False), read_json(statistics)
        simulated |= crop.simulated
        wanted = job.params.ranges.get(row["image"])
        within = histogram_range(crop.data[~crop.empty], wanted)
        if wanted and within != tuple(wanted):
            log.warning(
                "figures.histogram_range: %g to %g holds less than half of the pixels of %s; "
                "drawn over the middle 99 %% instead",
                *(*wanted, row["image"]),
            )
        panels.append(
            histogram(
                crop.masked if row.get("empty_left_out") else crop.data,
                within,
                bins=job.params.bins,
                percentile=job.params.percentile,
                moments=row,
                title=row["image"],
                note=row["observation_id"] or "",
            )
        )
    figure = draw_histograms(
        panels,
        unit="MJy/sr",
        title=f"Pixel values of the crops · study {job.params.study}",
        simulated=simulated,
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
