"""What a file at an address is called."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["file_name"]


def file_name(address: str) -> str:
    """The name of the file at an address; '' where it names none.

    The end of its path, without what follows, which may be a signature; where the path names no
    file, as in MAST's .../Download/file?uri=mast:JWST/product/..._i2d.fits, that of its query.
    """
    parts = urlsplit(address)
    name = Path(unquote(parts.path)).name
    return name if "." in name else Path(unquote(parts.query)).name or name
