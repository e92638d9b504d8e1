"""Bring a person's own files into the archive's form: i2d, segm, cat, catalogue, manifest."""

import json
import logging
from pathlib import Path

from mirimask.atomic import write_text
from mirimask.export.pipeline_catalogue import pipeline_products
from mirimask.image.manifest import product_row, write_manifest
from mirimask.image.own_files import segmentation_hdus, write_hdus
from mirimask.image.product import sha256
from mirimask.sources.catalogue import CATALOGUES, is_unwise
from mirimask.sources.own_image import read_own
from mirimask.table_files import write_ecsv

log = logging.getLogger("mirimask.import_local")


def state(path):
    """A file's size, date and content, by which another one in its place is noticed."""
    found = Path(path).stat()
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "sha256": sha256(path)}


def main(job):
    image, row = job.wildcards.image, job.params.image
    own = {key: path for key, path in job.input.items() if path}
    states = {path: state(path) for path in own.values()}  # of the files that are read now
    given = read_own(own, row, job.params.catalogue, image=image)
    i2d, sources = given.i2d, given.catalogue
    states[own["i2d"]]["shape"] = i2d["SCI"].shape  # which a crop must lie in
    del sources.meta["columns"]  # which the configuration says
    if job.params.catalogue["name"] == "unwise" and len(sources) and not is_unwise(sources):
        log.warning(
            "%s: its catalogue has no %s, as unWISE's has, and is taken for it: name another in "
            "catalogue.name, and circles are of the image's PSF",
            *(image, CATALOGUES["unwise"].flux),
        )

    products = pipeline_products(i2d, given.labels, job.params.segmentation, image=image)
    labels, made = products.labels, f"made here with the {products.settings}"
    if given.labels is None:
        log.info("%s: segmentation %s: %d sources", image, made, labels.max())

    write_hdus(job.output.i2d, i2d)
    write_hdus(job.output.segm, segmentation_hdus(labels, i2d))
    for path, table in ((job.output.cat, products.catalogue), (job.output.catalogue, sources)):
        write_ecsv(path, table)
    primary = i2d[0].header
    write_manifest(
        job.output.manifest,
        [
            # of a person's own files, which are not those of the archive's form
            *(
                product_row(image, key, own[key], uri=own[key], header=primary)
                for key in ("i2d", "err", "wht")
                if key in own
            ),
            product_row(
                image,
                "segm",
                own.get("segm", job.output.segm),
                uri=own.get("segm", ""),
                header=primary,
                note="" if own.get("segm") else made,
            ),
            product_row(image, "cat", job.output.cat, uri="", note="made here from the segm"),
            product_row(
                image,
                job.params.catalogue["name"],
                own.get("catalogue", job.output.catalogue),
                uri=own.get("catalogue", ""),
                note="" if len(sources) else "no sources" if own.get("catalogue") else "none given",
            ),
        ],
    )
    write_text(job.output.inputs, json.dumps(states, indent=1) + "\n")
