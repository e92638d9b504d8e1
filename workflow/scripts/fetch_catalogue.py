"""Fetch the sources around an image from VizieR or IRSA, and close the image's manifest."""

import logging

from astropy.io import fits
from job import script
from mirimask.archive import (
    Archive,
    cached_catalogue,
    check_reachable,
    copy_out,
    fetch_catalogue,
)
from mirimask.image.manifest import product_row, write_manifest
from mirimask.sources.catalogue import note_of_overlap
from mirimask.table_files import read_ecsv, read_texts

log = logging.getLogger("mirimask.fetch_catalogue")


def main(job):
    image, settings = job.wildcards.image, job.params.catalogue
    header = fits.getheader(job.input.i2d, "SCI")
    archive, service = Archive(**job.params.archive), settings["service"]
    field = {
        "catalogue": settings["table"],
        "service": service,
        "ra": header["CRVAL1"],
        "dec": header["CRVAL2"],
        "box_deg": settings["box_deg"],
    }
    if cached_catalogue(archive, **field) is None:
        check_reachable("", **{f"{service}_server": archive.server_of(service)})
    fetched = fetch_catalogue(
        archive,
        **field,
        columns=[settings[key] for key in ("id", "ra", "dec")],
    )
    copy_out(fetched, job.output.catalogue)
    table = read_ecsv(fetched.path)
    notes = list(table.meta.get("notes", []))
    overlap = "" if settings["keep"] else note_of_overlap(table, settings["name"])
    notes += [overlap] if overlap else []
    for note in notes:
        log.warning("%s: %s", image, note)
    if len(table) == 0:
        notes.append(f"{settings['table']} has no row in this field")
        log.warning("%s: %s: 0 sources will be scored", image, notes[-1])
    rows = read_texts(job.input.rows, separator="\t")
    row = product_row(
        image,
        settings["name"],
        job.output.catalogue,
        uri=fetched.uri,
        retrieved=fetched.retrieved,
        note="; ".join(notes),
    )
    write_manifest(job.output.manifest, [*rows.to_dict("records"), row])


if "snakemake" in globals():
    script(main, snakemake)
