"""What the first screen of the page shows of an image: overview/<image>.json and pictures."""

import json

from job import script
from mirimask.atomic import write_bytes, write_text
from mirimask.export.survey import measure_image
from mirimask.image.files import read_crop, read_mask
from mirimask.image.instrument import point_aperture
from mirimask.image.own_files import read_segmentation
from mirimask.report.pictures import quick_look, thumbnail


def main(job):
    image = job.wildcards.image
    crop = read_crop(job.input.frame, planes=False)
    mask, _ = read_mask(job.input.mask)
    labels = crop.cut(read_segmentation(job.input.labels, crop.frame_shape, image=image))
    aperture = point_aperture(crop.primary["FILTER"], crop.pixel_scale)
    about = {
        "image": image,
        "method": job.params.method,
        "filter": crop.primary["FILTER"],
        "simulated": crop.simulated,
    }
    row = about | measure_image(crop, labels, aperture=aperture)
    write_text(job.output.row, json.dumps(row, indent=1) + "\n")
    write_bytes(job.output.png, quick_look(crop.masked, mask))
    write_bytes(job.output.thumbnail, thumbnail(crop.masked, mask))


if "snakemake" in globals():
    script(main, snakemake)
