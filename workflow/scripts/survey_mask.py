"""The recommended mask of one image of a survey, as a study's products have it, and its row."""

import json
import logging
from pathlib import Path

from job import count_failure, script
from mirimask.atomic import replacing, write_text
from mirimask.errors import MaskError
from mirimask.export.labels import write_labels
from mirimask.export.photometry import measure_labels, provenance
from mirimask.export.survey import measure_image
from mirimask.image.files import open_image, write_mask
from mirimask.image.instrument import point_aperture
from mirimask.image.product import sha256
from mirimask.masks.make import numbered_sources
from mirimask.table_files import read_json

log = logging.getLogger("mirimask.survey_mask")
METHOD = "recommended"


def main(job):
    image = job.wildcards.product
    folders = {name: Path(job.output[name]) for name in ("mask", "labels", "catalogue")}
    for folder in folders.values():  # of an image that fails they stay empty
        folder.mkdir(parents=True, exist_ok=True)
    row = read_json(job.input.fetched)
    if "failure" not in row:
        path = Path(row.pop("path"))
        try:
            if not path.is_file() or sha256(path) != row["sha256"]:
                count_failure(job.params.failures)
                raise MaskError(f"{path}: is gone, or not the file that was fetched; run again.")
            row |= measured(job, image, path, folders)
        except MaskError as error:
            log.warning("%s: %s", image, error)
            row["failure"] = str(error)
    write_text(job.output.row, json.dumps(row, indent=1) + "\n")


def measured(job, image, path, folders):
    """Write mask, labels and catalogue; what the summary says of the image."""
    crop = open_image(
        path,
        filter_name=job.params.filter,
        rows=job.params.rows,
        columns=job.params.columns,
        keep=("ERR",),
        in_file=True,
    )
    crop.primary["IMAGE"] = image
    own = numbered_sources(crop, METHOD)
    labels = own.sources
    mask = labels > 0
    aperture = point_aperture(crop.primary["FILTER"], crop.pixel_scale)
    sources = measure_labels(crop, labels, aperture=aperture, detections=own.detections)
    sources.meta |= provenance(crop, aperture, METHOD=METHOD)
    write_mask(folders["mask"] / f"{METHOD}.fits", mask, crop, method=METHOD)
    path = folders["labels"] / f"{METHOD}.fits"
    write_labels(path, labels, crop, detections=own.detections, METHOD=METHOD)
    with replacing(folders["catalogue"] / f"{METHOD}.ecsv") as temporary:
        sources.write(temporary, format="ascii.ecsv")
    return {
        "simulated": crop.simulated,
        "obs_id": crop.primary.get("OBS_ID", ""),
        "cal_ver": crop.primary.get("CAL_VER", ""),
        "crds_ctx": crop.primary.get("CRDS_CTX", ""),
        **measure_image(crop, labels, aperture=aperture),
    }


if "snakemake" in globals():
    script(main, snakemake)
