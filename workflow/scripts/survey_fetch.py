"""Fetch one image of a survey into the downloads: survey/fetched/<image>.json says where it is.

What MAST does not give is said there too, and the survey goes on. Where another time may do
better, the failures are counted in a file of their own, which makes the next run try again.
"""

import csv
import json
import logging

from job import count_failure, script
from mirimask.archive import Archive, FetchError, fetch_image, shown
from mirimask.atomic import write_text

log = logging.getLogger("mirimask.survey_fetch")


def main(job):
    image = job.wildcards.product
    with open(job.input.products, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t")
        uri = next(row["uri"] for row in rows if row["image"] == image)
    result = {"image": image, "uri": uri}
    try:
        found = fetch_image(Archive(**job.params.archive), uri, progress=shown(image))
        result |= {
            "path": str(found.path),
            "bytes": found.bytes,
            "sha256": found.sha256,
            "retrieved": found.retrieved,
        }
    except FetchError as error:
        log.warning("%s: %s", image, error)
        result["failure"] = error.reason
        if error.again:
            count_failure(job.params.failures)
    write_text(job.output.fetched, json.dumps(result, indent=1) + "\n")


if "snakemake" in globals():
    script(main, snakemake)
