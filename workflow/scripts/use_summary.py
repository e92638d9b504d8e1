"""What masks leave in the sky, all images: use.csv, a page of it and, of one image, its figure."""

import pandas as pd
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.evaluation.background import ideal_mask, pool_use, true_sky
from mirimask.figures.style import save_figure
from mirimask.figures.use import LeftOutside, draw_left_outside
from mirimask.image.files import read_crop, read_mask
from mirimask.image.product import opened
from mirimask.report.use import use_page
from mirimask.table_files import read_table


def main(job):
    table = pd.concat([read_table(path) for path in job.input.csv], ignore_index=True)
    table = pd.concat([table, pool_use(table)], ignore_index=True).assign(simulated=True)
    with replacing(job.output.csv) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
    write_text(job.output.md, use_page(table, middle_ab=job.params.middle_ab))
    if job.output.get("png"):
        draw(job, table)


def draw(job, table):
    crop = read_crop(job.input.frame, planes=False)
    with opened(job.input.light) as hdus:
        light, sky = (crop.cut(hdus[name].data) for name in ("LIGHT", "SKY"))
    true = true_sky(crop.data, light, sky, crop.empty)
    own = table[table["image"] == job.params.image]
    masks = [read_mask(path)[0] for path in job.input.masks]
    panels = [
        LeftOutside(row.method, mask, row.light_mean)
        for mask, row in zip(masks, own.itertuples(), strict=True)
    ]
    best = next(panel for panel in panels if panel.method == "recommended")
    ideal = ideal_mask(true, int((best.mask & true.observed).sum()))
    mean = own.loc[own["method"] == "recommended", "ideal_light"].item()
    panels.append(LeftOutside("", ideal, mean))
    save_figure(
        draw_left_outside(panels, true.light, image=job.params.image),
        png=job.output.png,
        pdf=job.output.pdf,
    )


if "snakemake" in globals():
    script(main, snakemake)
