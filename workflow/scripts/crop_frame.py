"""Crop an image's frame and describe it: frame/<image>.fits and statistics/<image>.json."""

import json
import logging

import numpy as np
from job import script
from mirimask.atomic import write_text
from mirimask.image.files import read_frame, write_crop
from mirimask.image.frame import crop_frame
from mirimask.image.product import frame_notes
from mirimask.image.statistics import describe, identify

log = logging.getLogger("mirimask.crop_frame")


def main(job):
    image = job.wildcards.image
    frame = read_frame(job.input.i2d)
    crop = crop_frame(frame, rows=job.params.rows, columns=job.params.columns, image=image)
    band = job.params.filter or crop.primary.get("FILTER", "")
    crop.primary["FILTER"] = band
    if job.params.paper:
        for note in frame_notes(job.input.i2d):
            log.warning("%s: %s", image, note)
    write_crop(job.output.frame, crop)
    row = {
        "image": image,
        "simulated": crop.simulated,
        **identify(crop.primary),
        "filter": band,
        "cal_ver": crop.primary.get("CAL_VER"),
        "crds_ctx": crop.primary.get("CRDS_CTX"),
        "frame_shape": list(crop.frame_shape),
        "crop_shape": list(crop.data.shape),
        "n_pixels": int(crop.data.size),
        "n_empty": int(crop.empty.sum()),
        **({} if job.params.count_empty else {"empty_left_out": True}),
        "n_not_finite": int((~np.isfinite(crop.data)).sum()),
        "pixel_scale_arcsec": crop.pixel_scale,
        "psf_fwhm_px": crop.fwhm_px,
        **describe(crop.data if job.params.count_empty else crop.masked),
    }
    write_text(job.output.statistics, json.dumps(row, indent=1) + "\n")


if "snakemake" in globals():
    script(main, snakemake)
