"""Bring a person's own files into the archive's form: i2d, segm, cat, catalogue, manifest."""

import json
import logging
from pathlib import Path

from job import script
from mirimask.atomic import write_text
from mirimask.export.pipeline_catalogue import catalogue_of
from mirimask.image.files import frame_of
from mirimask.image.instrument import light_radii_px
from mirimask.image.manifest import product_row, write_manifest
from mirimask.image.own_files import segmentation_hdus, write_hdus
from mirimask.image.product import sha256
from mirimask.masks.segmentation import SegmentationSettings, segment
from mirimask.sources.own_image import read_own
from mirimask.table_files import write_ecsv

log = logging.getLogger("mirimask.import_local")


def state(path):
    """A file's size, date and content, by which another one in its place is noticed."""
    found = Path(path).stat()
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "sha256": sha256(path)}


def main(job):
    image, row, own = job.wildcards.image, job.params.image, job.input
    states = {path: state(path) for path in map(str, own)}  # of the files that are read now
    columns = job.params.catalogue
    given = read_own(own, row, columns, image=image)
    i2d, sources = given.i2d, given.catalogue
    del sources.meta["columns"]  # which the configuration says
    if own.get("catalogue") and not len(sources):
        log.warning("%s: its catalogue has no row: 0 sources will be scored", image)

    data, planes = i2d["SCI"].data, {hdu.name: hdu.data for hdu in i2d}
    planes = {"error": planes.get("ERR"), "weight": planes.get("WHT")}
    version = job.params.segmentation["jwst_version"]
    other = {k: v for k, v in job.params.segmentation.items() if k != "jwst_version"}
    settings = SegmentationSettings.for_jwst(version, **other)
    made = f"made here with the settings of jwst {version}"
    made += "".join(f", {key} {value}" for key, value in other.items())
    labels = given.labels
    if labels is None:
        labels = segment(data, **planes, settings=settings)
        log.info("%s: segmentation %s: %d sources", image, made, labels.max())
    frame = frame_of(i2d, what=f"{image}: i2d")
    catalogue = catalogue_of(
        data,
        labels,
        frame.wcs,
        frame.pixel_area_sr,
        **planes,
        settings=settings,
        apertures_px=light_radii_px(i2d[0].header.get("FILTER") or "F770W", frame.pixel_scale),
    )

    write_hdus(job.output.i2d, i2d)
    write_hdus(job.output.segm, segmentation_hdus(labels, i2d))
    for path, table in ((job.output.cat, catalogue), (job.output.catalogue, sources)):
        write_ecsv(path, table)
    primary = i2d[0].header
    write_manifest(
        job.output.manifest,
        [
            product_row(image, "i2d", job.output.i2d, uri=own.i2d, header=primary),
            product_row(
                image,
                "segm",
                job.output.segm,
                uri=own.get("segm", ""),
                header=primary,
                note="" if own.get("segm") else made,
            ),
            product_row(image, "cat", job.output.cat, uri="", note="made here from the segm"),
            product_row(
                image,
                columns["name"],
                job.output.catalogue,
                uri=own.get("catalogue", ""),
                note="" if len(sources) else "no sources" if own.get("catalogue") else "none given",
            ),
        ],
    )
    write_text(job.output.inputs, json.dumps(states, indent=1) + "\n")


if "snakemake" in globals():
    script(main, snakemake)
