"""How good the automatic verdict is: agreement with truth, disagreements and their cut-outs."""

from pathlib import Path

import numpy as np
from astropy.table import Table
from evaluated import read_tables, write_csv
from job import script
from mirimask.evaluation.agreement import agreement_table
from mirimask.figures.evaluation import CutOut, draw_agreement, draw_cut_outs
from mirimask.figures.style import save_figure
from mirimask.image.files import read_crop, read_mask
from mirimask.image.frame import pixels
from mirimask.table_files import read_table

LARGEST = 24  # cut-outs on the sheet


def by_image(paths):
    """Paths by the image that their folder or their own name says."""
    return {Path(path).stem: path for path in paths}


def cut_outs(disagreements, job):
    """One cut-out for each source that any method's verdict disagrees about."""
    frames, peaks = by_image(job.input.frames), by_image(job.input.peaks)
    truths = {Path(path).parent.name: path for path in job.input.truths}
    chosen = disagreements.groupby(["image", "id"], sort=False)
    for (image, source), rows in list(chosen)[:LARGEST]:
        crop = read_crop(frames[image], planes=False)
        bright = read_table(peaks[image])
        truth = Table.read(truths[image], format="ascii.ecsv").to_pandas()
        first = rows.iloc[0]
        column, row = round(first["x"]), round(first["y"])
        radius, near = (
            pixels(size, crop.pixel_scale, fwhm_px=crop.fwhm_px)
            for size in (job.params.radius, job.params.near)
        )
        # some sky around the ring: 50 px for the paper's circle
        half = round(max(7 / 6 * (radius + near), 10 * crop.fwhm_px))
        x0, y0 = column - half, row - half
        size = 2 * half + 1
        padded = np.pad(crop.masked, half, constant_values=np.nan)
        inside = np.s_[row : row + size, column : column + size]
        lines = [
            f"{given}, truth {true}: {', '.join(dict.fromkeys(group['method']))}"
            for (given, true), group in rows.groupby(["verdict", "truth_verdict"], sort=False)
        ]
        mask, _ = read_mask(job.input.masks[masks_at(job, image, first["method"])])
        mask = np.pad(mask, half)[inside]
        yield CutOut(
            title=f"{image}, {source}",
            lines=lines,
            image=padded[inside],
            mask=mask,
            mask_name=first["method"],
            radii=(radius, radius + near),
            peaks=bright[["x", "y"]].to_numpy(float) - [x0, y0],
            truth=truth[["x", "y"]].to_numpy(float) - [crop.origin[1] + x0, crop.origin[0] + y0],
            magnitudes=truth["ab_mag"].to_numpy(float),
        )


def masks_at(job, image, method):
    """Where among the masks the image's by that method is."""
    own = [i for i, path in enumerate(job.input.masks) if Path(path).parent.name == image]
    return own[[name for name, _ in job.params.masks].index(method)]


def main(job):
    judged = read_tables(job.input.csv)
    table = agreement_table(judged)
    disagreements = judged[judged["verdict"] != judged["truth_verdict"]]
    write_csv(job.output.agreement, table.assign(simulated=True))
    write_csv(job.output.disagreements, disagreements.assign(simulated=True))
    save_figure(draw_agreement(table), png=job.output.png, pdf=job.output.pdf)
    sheet = draw_cut_outs(list(cut_outs(disagreements, job)))
    save_figure(sheet, png=job.output.sheet_png, pdf=job.output.sheet_pdf)


if "snakemake" in globals():
    script(main, snakemake)
