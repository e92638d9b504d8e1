"""What a study's products are and where they came from: manifest.tsv of an image and of all."""

from pathlib import Path

import pandas as pd
from job import script
from mirimask.atomic import write_text
from mirimask.image.product import sha256
from mirimask.table_files import read_texts

COLUMNS = [
    "image",
    "product",
    "uri",
    "bytes",
    "sha256",
    "cal_ver",
    "crds_ctx",
    "retrieved",
    "note",
]  # retrieved: UTC, empty for what was made here


def product_row(image, product, path, *, uri, header=None, retrieved="", note=""):
    """A row of the manifest for a file of the archive; `header` is its primary header."""
    header = header or {}
    return {
        "image": image,
        "product": product,
        "uri": uri,
        "bytes": Path(path).stat().st_size,
        "sha256": sha256(path),
        "cal_ver": header.get("CAL_VER", ""),
        "crds_ctx": header.get("CRDS_CTX", ""),
        "retrieved": retrieved,
        "note": note,
    }


def write_manifest(path, rows):
    """Write rows as a manifest, in their order."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_text(path, table.to_csv(sep="\t", index=False, lineterminator="\n"))


def main(job):
    parts = [read_texts(p, separator="\t") for p in job.input]
    whole = pd.concat(parts).reindex(columns=COLUMNS, fill_value="")
    write_manifest(job.output.manifest, whole.to_dict("records"))


if "snakemake" in globals():
    script(main, snakemake)
