"""Ask MAST for the images of a survey: survey/products.tsv."""

import logging

import pandas as pd
from job import script
from mirimask.archive import Archive, find_images
from mirimask.atomic import write_text

log = logging.getLogger("mirimask.survey_products")


def main(job):
    asked = job.params.survey
    region = asked["region"] and tuple(asked["region"][key] for key in ("ra", "dec", "radius_deg"))
    rows = find_images(
        Archive(**job.params.archive),
        filter_name=asked["filter"],
        limit=asked["limit"],
        program=asked["program"] or "",
        region=region,
    )
    log.info("%d images, limit %d", len(rows), asked["limit"])
    table = pd.DataFrame(rows)
    write_text(job.output.products, table.to_csv(sep="\t", index=False, lineterminator="\n"))


if "snakemake" in globals():
    script(main, snakemake)
