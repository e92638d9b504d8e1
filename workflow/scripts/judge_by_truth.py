"""Every mask of a simulated image against its truth: completeness, purity and verdicts."""

from job import script
from mirimask.evaluation.completeness import judge_by_truth, true_sources
from mirimask.evaluation.scene import named_masks, real_sources
from mirimask.image.files import read_crop
from mirimask.table_files import read_ecsv, read_table, write_csv


def main(job):
    crop, p, image = read_crop(job.input.frame), job.params, job.wildcards.image
    truth = read_ecsv(job.input.truth).to_pandas()
    masks = named_masks(job.input.masks, p.masks)
    tables = judge_by_truth(
        crop,
        image,
        read_table(job.input.peaks),
        true_sources(truth, crop),
        [(*mask, read_table(path)) for mask, path in zip(masks, job.input.verdicts, strict=True)],
        sources=real_sources(truth, crop, p.real_snr),
        radius=p.radius,
        near=p.near,
        min_pixels=p.min_pixels,
        tolerance_fwhm=p.tolerance_fwhm,
        positions=p.positions,
        seen_snr=p.seen_snr,
        real_snr=p.real_snr,
        magnitudes=p.magnitudes,
        seed=p.seed,
    )
    for name, table in zip(("completeness", "purity", "verdicts"), tables, strict=True):
        table.insert(0, "image", image)
        write_csv(job.output[name], table)


if "snakemake" in globals():
    script(main, snakemake)
