"""What a mask marks that is no source: evaluation/structure/<image>.csv."""

from job import script
from mirimask.evaluation.scene import named_masks, stamps_for
from mirimask.evaluation.structure import structure_rows
from mirimask.image.files import read_crop
from mirimask.table_files import read_table, write_csv


def main(job):
    crop, p = read_crop(job.input.frame, planes=False), job.params
    table = structure_rows(
        crop,
        read_table(job.input.peaks),
        named_masks(job.input.masks, p.masks),
        stamps_for(job.input.psf, crop, bright=True),
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
