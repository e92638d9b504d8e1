"""The page of a run that ends with masks and their files: results/<study>/products.html."""

from pathlib import Path

from job import script
from mirimask.atomic import write_text
from mirimask.report.index import products_page
from mirimask.report.overview import Overview
from mirimask.table_files import read_texts


def main(job):
    folder = Path(job.output.page).parent
    page = products_page(
        settings=job.params.settings,
        overview=Overview.read(
            job.input.overview_row,
            job.input.overview_false,
            job.input.overview_look,
            job.input.overview_thumbnail,
            shown=job.params.image,
            logs=folder / "logs",
            masks=job.params.masks,
        ),
        manifest=read_texts(job.input.manifest, separator="\t"),
        folder=folder,
        files=[Path(path).relative_to(folder).as_posix() for path in job.input.files],
        revision=job.params.revision,
        left_out=job.params.left_out,
    )
    write_text(job.output.page, page)


if "snakemake" in globals():
    script(main, snakemake)
