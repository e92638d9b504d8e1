"""What a mask marks that is no source: evaluation/structure/<image>.csv."""

from job import script
from mirimask.evaluation.scene import named_masks
from mirimask.evaluation.structure import structure_rows
from mirimask.image.files import read_crop
from mirimask.table_files import read_table, write_csv


def main(job):
    p = job.params
    table = structure_rows(
        read_crop(job.input.frame, planes=False),
        read_table(job.input.peaks),
        named_masks(job.input.masks, p.masks),
        background_box=p.background_box,
        bright_snr=p.bright_snr,
        smallest_spot=p.smallest_spot,
        min_pixels=p.min_pixels,
        tolerance_fwhm=p.tolerance_fwhm,
    )
    table.insert(0, "image", job.wildcards.image)
    write_csv(job.output.csv, table)


if "snakemake" in globals():
    script(main, snakemake)
