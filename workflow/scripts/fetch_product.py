"""Fetch an image's level-3 product from MAST: i2d.fits, segm.fits, cat.ecsv and product.tsv.

MAST may list the i2d alone: what it lists not is made here.
"""

import logging

from job import script
from mirimask.archive import (
    KINDS,
    Archive,
    cached_product,
    check_reachable,
    copy_out,
    fetch_product,
    shown,
)
from mirimask.atomic import replacing
from mirimask.export.pipeline_catalogue import catalogue_of
from mirimask.image.files import frame_of
from mirimask.image.instrument import light_radii_px
from mirimask.image.manifest import product_row, write_manifest
from mirimask.image.own_files import (
    read_image,
    read_segmentation,
    segmentation_hdus,
    write_hdus,
)
from mirimask.image.product import frame_notes, opened
from mirimask.masks.segmentation import SegmentationSettings, segment

log = logging.getLogger("mirimask.fetch_product")

PLANES = {"error": "ERR", "weight": "WHT"}


def main(job):
    image, params = job.wildcards.image, job.params
    archive = Archive(**params.archive)
    observation = {
        "program": int(params.image["program"]),
        "observation": int(params.image["observation"]),
        "filter_name": params.image["filter"],
    }
    if cached_product(archive, **observation) is None:
        check_reachable(archive.mast_server)  # says within seconds what each try would say anew
    found = fetch_product(
        archive,
        **observation,
        observation_id=params.image["observation_id"],
        progress=shown(image),
    )
    notes = {"i2d": "; ".join(frame_notes(found["i2d"].path)) if params.paper else ""}
    for kind, fetched in found.items():
        copy_out(fetched, job.output[kind])
    if len(found) < len(KINDS):
        notes |= make_missing(job.output, found, params.segmentation, image)
    rows = []
    for kind in KINDS:
        if notes.get(kind):
            log.warning("%s: %s", image, notes[kind])
        primary = {}
        if kind != "cat":
            with opened(job.output[kind]) as hdus:
                primary = hdus[0].header
        rows.append(
            product_row(
                image,
                kind,
                job.output[kind],
                uri=found[kind].uri if kind in found else "",
                header=primary,
                retrieved=found[kind].retrieved if kind in found else "",
                note=notes.get(kind, ""),
            )
        )
    write_manifest(job.output.rows, rows)


def make_missing(output, found, wanted, image):
    """Make the segmentation and the catalogue that MAST does not list, as of a local image."""
    version = wanted["jwst_version"]
    other = {key: value for key, value in wanted.items() if key != "jwst_version"}
    settings = SegmentationSettings.for_jwst(version, **other)
    i2d = read_image(found["i2d"].path, image=image)
    data, frame = i2d["SCI"].data, frame_of(i2d, what=f"{image}: i2d")
    planes = {key: i2d[name].data for key, name in PLANES.items() if name in i2d}
    made = f"made here with the settings of jwst {version}"
    made += "".join(f", {key} {value}" for key, value in other.items())
    notes = {"cat": "MAST lists no cat: made here from the segm"}
    if "segm" in found:
        labels = read_segmentation(found["segm"].path, data.shape, image=image)
    else:
        labels = segment(data, **planes, settings=settings)
        write_hdus(output.segm, segmentation_hdus(labels, i2d))
        notes["segm"] = f"MAST lists no segm: {made}"
    if "cat" in found:
        return {"segm": notes["segm"]}
    catalogue = catalogue_of(
        data,
        labels,
        frame.wcs,
        frame.pixel_area_sr,
        **planes,
        settings=settings,
        apertures_px=light_radii_px(i2d[0].header.get("FILTER") or "F770W", frame.pixel_scale),
    )
    with replacing(output.cat) as temporary:
        catalogue.write(temporary, format="ascii.ecsv")
    return notes


if "snakemake" in globals():
    script(main, snakemake)
