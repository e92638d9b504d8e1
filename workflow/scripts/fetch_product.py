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
    mixed_versions,
    shown,
)
from mirimask.image.manifest import product_row, write_manifest
from mirimask.image.own_files import (
    read_image,
    read_segmentation,
    segmentation_hdus,
    write_hdus,
)
from mirimask.image.product import frame_notes, opened
from mirimask.table_files import write_ecsv

log = logging.getLogger("mirimask.fetch_product")


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
    mixed = mixed_versions(found)
    if mixed:
        notes["segm"] = f"{mixed}: MAST may be reprocessing, and they may not belong together"
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
    # rare, and photutils takes more than a second to import
    from mirimask.export.pipeline_catalogue import pipeline_products

    i2d, labels, notes = read_image(found["i2d"].path, image=image), None, {}
    if "segm" in found:
        labels = read_segmentation(found["segm"].path, i2d["SCI"].data.shape, image=image)
    made = pipeline_products(i2d, labels, wanted, image=image)
    if "segm" not in found:
        write_hdus(output.segm, segmentation_hdus(made.labels, i2d))
        notes["segm"] = f"MAST lists no segm: made here with the {made.settings}"
    if "cat" not in found:
        notes["cat"] = "MAST lists no cat: made here from the segm"
        write_ecsv(output.cat, made.catalogue)
    return notes


if "snakemake" in globals():
    script(main, snakemake)
