"""Figure 1: the whole frame with the rectangle that is cropped from it."""

from job import script
from mirimask.figures.paper import draw_frame, save_figure
from mirimask.image.files import read_frame
from mirimask.masks.thresholds import thresholds


def drawn(job):
    """The figure; what it was drawn from is no longer at hand when it is saved."""
    frame = read_frame(job.input.i2d, planes=False)
    ny, nx = frame.data.shape
    low, high = thresholds(frame.masked, [90.0, 0.5])
    title = [job.params.image, frame.primary.get("OBS_ID"), frame.primary.get("FILTER")]
    return draw_frame(
        frame.data,
        empty=frame.empty,
        wcs=frame.wcs,
        rows=tuple(job.params.rows or (0, ny)),
        columns=tuple(job.params.columns or (0, nx)),
        limits=(float(low), float(high)),
        unit="MJy/sr, from the 10th to the 99.5th percentile",
        title=" · ".join(filter(None, [*title, f"study {job.params.study}"])),
        simulated=frame.simulated,
    )


def main(job):
    save_figure(drawn(job), png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
