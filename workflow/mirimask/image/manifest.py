"""What the files of an image are and where they came from: the rows of manifest.tsv."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mirimask.atomic import write_text
from mirimask.image.product import sha256

__all__ = ["COLUMNS", "product_row", "write_manifest"]

COLUMNS = [
    "image",
    "product",
    "uri",
    "bytes",
    "sha256",
    "cal_ver",
    "crds_ctx",
    "retrieved",  # UTC, empty for what was made here
    "note",
]


def product_row(
    image: str,
    product: str,
    path: str | Path,
    *,
    uri: str,
    header: Mapping[str, Any] | None = None,
    retrieved: str = "",
    note: str = "",
) -> dict[str, Any]:
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


def write_manifest(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as a tab-separated manifest, in their order."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_text(path, table.to_csv(sep="\t", index=False, lineterminator="\n"))
