"""Figures 3, 4 and 5: the crop, two slices and the segmentation, with the sources' circles."""

from job import script
from mirimask.figures.paper import draw_panels, image_panel, mask_panel
from mirimask.figures.style import save_figure
from mirimask.image.files import read_crop, read_gradient, read_mask
from mirimask.masks.names import parse_method
from mirimask.report.tables import CROWDED
from mirimask.sources.verdicts import VERDICT_COLUMNS, covered_share
from mirimask.table_files import read_table


def main(job):
    crop = read_crop(job.input.frame, planes=False)
    radius = crop.length_px(job.params.radius)
    panels, column = [image_panel(crop.masked)], VERDICT_COLUMNS[job.params.scorer]
    for mask, verdicts in zip(job.input.masks, job.input.verdicts, strict=True):
        (kept, header), sources = read_mask(mask), read_table(verdicts)
        slope = None
        if parse_method(header["METHOD"]).method == "derivative":
            slope = read_gradient(job.input.gradient, header["DOMAIN"])
        panels.append(mask_panel(crop.masked, kept, header, sources[column], slope=slope))
    x, y = (sources[axis].to_numpy(float) for axis in "xy")
    title = [f"{crop.primary['IMAGE']}", crop.primary.get("OBS_ID"), crop.primary.get("FILTER")]
    figure = draw_panels(
        panels,
        wcs=crop.wcs,
        empty=crop.empty,
        x=x,
        y=y,
        radius_px=radius,
        near_px=crop.length_px(job.params.near),
        crowded=covered_share(x, y, crop.empty, radius_px=radius) > CROWDED,
        pixel_scale=crop.pixel_scale,
        title=" · ".join(filter(None, [*title, f"study {job.params.study}"])),
        simulated=crop.simulated,
        catalogue=job.params.catalogue,
    )
    save_figure(figure, png=job.output.png, pdf=job.output.pdf)


if "snakemake" in globals():
    script(main, snakemake)
