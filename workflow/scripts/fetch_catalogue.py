"""Fetch the sources around an image from VizieR or IRSA, and close the image's manifest."""

import logging

import pandas as pd
from astropy.io import fits
from astropy.table import Table
from job import script
from manifest import product_row, write_manifest
from mirimask.archive import (
    Archive,
    cached_catalogue,
    check_reachable,
    copy_out,
    fetch_catalogue,
)

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
    n_rows = len(Table.read(fetched.path, format="ascii.ecsv"))
    note = ""
    if n_rows == 0:
        note = f"{settings['table']} has no row in this field"
        log.warning("%s: %s: 0 sources will be scored", image, note)
    rows = pd.read_csv(job.input.rows, sep="\t", dtype=str, keep_default_na=False)
    row = product_row(
        image,
        settings["name"],
        job.output.catalogue,
        uri=fetched.uri,
        retrieved=fetched.retrieved,
        note=note,
    )
    write_manifest(job.output.manifest, [*rows.to_dict("records"), row])


if "snakemake" in globals():
    script(main, snakemake)
