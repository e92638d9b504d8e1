"""Fetch an image's level-3 product from MAST: i2d.fits, segm.fits, cat.ecsv and product.tsv."""

import logging
import sys
import time

from job import script
from manifest import product_row, write_manifest
from mirimask.archive import Archive, cached_product, check_reachable, copy_out, fetch_product
from mirimask.product import frame_notes, opened

log = logging.getLogger("mirimask.fetch_product")


EVERY_S = 3.0


def shown(image):
    """A function that says on the terminal how far a download is, every few seconds."""
    last = {}

    def progress(name, done, total):
        now = time.monotonic()
        if done == total or now - last.setdefault(name, now) >= EVERY_S:
            last[name] = now
            share = f" of {total / 1e3:,.0f} kB, {done / total:.0%}" if total else " kB"
            print(f"{image}: {name} {done / 1e3:,.0f}{share}", file=sys.stderr, flush=True)

    return progress


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
    notes = frame_notes(found["i2d"].path)
    for note in notes:
        log.warning("%s: %s", image, note)
    rows = []
    for kind, fetched in found.items():
        copy_out(fetched, job.output[kind])
        primary = {}
        if kind != "cat":
            with opened(fetched.path) as hdus:
                primary = hdus[0].header
        rows.append(
            product_row(
                image,
                kind,
                job.output[kind],
                uri=fetched.uri,
                header=primary,
                retrieved=fetched.retrieved,
                note="; ".join(notes) if kind == "i2d" else "",
            )
        )
    write_manifest(job.output.rows, rows)


if "snakemake" in globals():
    script(main, snakemake)
