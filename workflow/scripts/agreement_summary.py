"""How good the automatic verdict is: agreement with truth, disagreements and their cut-outs."""

from pathlib import Path

from job import script
from mirimask.evaluation.agreement import agreement_table, cut_out, spread_over_images
from mirimask.figures.evaluation import draw_agreement, draw_cut_outs
from mirimask.figures.style import save_figure
from mirimask.image.files import read_crop, read_mask
from mirimask.table_files import read_ecsv, read_table, read_tables, write_csv

MOST = 24  # cut-outs on the sheet


def cut_outs(sources, job):
    """One cut-out for each of `sources`, the rows of what verdicts disagree about."""
    frames, peaks = (
        {Path(path).stem: path for path in paths} for paths in (job.input.frames, job.input.peaks)
    )
    truths = {Path(path).parent.name: path for path in job.input.truths}
    methods = [method for method, _ in job.params.masks] * len(frames)  # of image after image
    masks = {
        (Path(path).parent.name, method): path
        for path, method in zip(job.input.masks, methods, strict=True)
    }
    for rows in sources:
        image = rows["image"].iloc[0]
        yield cut_out(
            read_crop(frames[image], planes=False),
            rows,
            read_mask(masks[image, rows["method"].iloc[0]])[0],
            read_table(peaks[image]),
            read_ecsv(truths[image]).to_pandas(),
            radius=job.params.radius,
            near=job.params.near,
        )


def main(job):
    judged = read_tables(job.input.csv)
    table = agreement_table(judged)
    disagreements = judged[judged["verdict"] != judged["truth_verdict"]]
    write_csv(job.output.agreement, table.assign(simulated=True))
    write_csv(job.output.disagreements, disagreements.assign(simulated=True))
    save_figure(draw_agreement(table), png=job.output.png, pdf=job.output.pdf)
    pieces = list(cut_outs(spread_over_images(disagreements, MOST), job))
    n_sources = len(disagreements[["image", "id"]].drop_duplicates())
    sheet = draw_cut_outs(pieces, n_sources=n_sources)
    save_figure(sheet, png=job.output.sheet_png, pdf=job.output.sheet_pdf)


if "snakemake" in globals():
    script(main, snakemake)
