"""Bring a person's own files into the archive's form: i2d, segm, cat, catalogue, manifest."""

import logging
import math

from job import script
from manifest import product_row, write_manifest
from mirimask.atomic import replacing
from mirimask.instrument import light_radii_px
from mirimask.local import (
    celestial_wcs,
    pixel_area_sr,
    read_catalogue,
    read_image,
    read_segmentation,
    segmentation_hdus,
    write_hdus,
)
from mirimask.segmentation import SegmentationSettings, catalogue_of, segment

log = logging.getLogger("mirimask.import_local")


def main(job):
    image, row, own = job.wildcards.image, job.params.image, job.input
    i2d = read_image(
        own.i2d,
        error_path=own.get("err"),
        weight_path=own.get("wht"),
        pixel_unit=row["pixel_unit"],
        filter_name=row["filter"],
        observation_id=row["observation_id"],
        image=image,
    )
    columns = job.params.catalogue
    sources = read_catalogue(
        own.get("catalogue"), id_=columns["id"], ra=columns["ra"], dec=columns["dec"], image=image
    )
    if own.get("catalogue") and not len(sources):
        log.warning("%s: its catalogue has no row: 0 sources will be scored", image)

    data, planes = i2d["SCI"].data, {hdu.name: hdu.data for hdu in i2d}
    planes = {"error": planes.get("ERR"), "weight": planes.get("WHT")}
    version = job.params.segmentation["jwst_version"]
    other = {k: v for k, v in job.params.segmentation.items() if k != "jwst_version"}
    settings = SegmentationSettings.for_jwst(version, **other)
    made = f"made here with the settings of jwst {version}"
    made += "".join(f", {key} {value}" for key, value in other.items())
    if own.get("segm"):
        labels = read_segmentation(own.segm, data.shape, image=image)
    else:
        labels = segment(data, **planes, settings=settings)
        log.info("%s: segmentation %s: %d sources", image, made, labels.max())
    header = i2d["SCI"].header
    scale = pixel_area_sr(header) ** 0.5 * 180 / math.pi * 3600
    catalogue = catalogue_of(
        data,
        labels,
        celestial_wcs(header),
        pixel_area_sr(header),
        **planes,
        settings=settings,
        apertures_px=light_radii_px(i2d[0].header.get("FILTER") or "F770W", scale),
    )

    write_hdus(job.output.i2d, i2d)
    write_hdus(job.output.segm, segmentation_hdus(labels, i2d))
    for path, table in ((job.output.cat, catalogue), (job.output.catalogue, sources)):
        with replacing(path) as temporary:
            table.write(temporary, format="ascii.ecsv")
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


if "snakemake" in globals():
    script(main, snakemake)
