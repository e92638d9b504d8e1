"""Place the catalogue's sources on the crop: sources/<image>.ecsv."""

from job import script
from mirimask.errors import MaskError
from mirimask.image.files import read_crop
from mirimask.sources.catalogue import locate_sources
from mirimask.table_files import read_ecsv, write_ecsv


def main(job):
    crop = read_crop(job.input.frame, planes=False)
    settings = job.params.catalogue
    try:
        sources = locate_sources(
            read_ecsv(job.input.catalogue),
            crop.wcs,
            crop.data.shape,
            id_column=settings["id"],
            ra_column=settings["ra"],
            dec_column=settings["dec"],
            keep=settings["keep"],
        )
    except MaskError as error:  # Snakemake does not say of which image a job was
        raise MaskError(f"{job.wildcards.image}: {error}") from None
    sources.meta["catalogue"] = settings["name"]
    write_ecsv(job.output.sources, sources)


if "snakemake" in globals():
    script(main, snakemake)
