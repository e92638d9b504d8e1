"""Figure 1: the whole frame with the rectangle that is cropped from it."""

from job import script
from mirimask.figures.paper import draw_frame
from mirimask.figures.style import save_figure
from mirimask.image.files import read_frame
from mirimask.image.levels import percentile_limits


def main(job):
    frame = read_frame(job.input.i2d, planes=False)
    ny, nx = frame.data.shape
    title = [job.params.image, frame.primary.get("OBS_ID"), frame.primary.get("FILTER")]
    figure = draw_frame(
        frame.data,
        empty=frame.empty,
        wcs=frame.wcs,
        rows=tuple(job.params.rows or (0, ny)),
        columns=tuple(job.params.columns or (0, nx)),
        limits=percentile_limits(frame.masked, (10, 99.5)),
        unit="MJy/sr, from the 10th to the 99.5th percentile",
        title=" · ".join(filter(None, [*title, f"study {job.params.study}"])),
        simulated=frame.simulated,
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
