"""Crop an image's frame and describe it: frame/<image>.fits and statistics/<image>.json."""

import json
import logging

from job import script
from mirimask.atomic import write_text
from mirimask.image.files import read_frame, write_crop
from mirimask.image.frame import crop_frame
from mirimask.image.product import frame_notes
from mirimask.image.statistics import summarize

log = logging.getLogger("mirimask.crop_frame")


def main(job):
    image = job.wildcards.image
    frame = read_frame(job.input.i2d)
    crop = crop_frame(frame, rows=job.params.rows, columns=job.params.columns, image=image)
    crop.primary["FILTER"] = job.params.filter or crop.primary.get("FILTER", "")
    if job.params.paper:
        for note in frame_notes(job.input.i2d):
            log.warning("%s: %s", image, note)
    write_crop(job.output.frame, crop)
    row = summarize(crop, count_empty=job.params.count_empty)
    write_text(job.output.statistics, json.dumps(row, indent=1) + "\n")


if "snakemake" in globals():
    script(main, snakemake)
