"""What a file at an address is called."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from mirimask.errors import MaskError

__all__ = ["file_name"]


def file_name(address: str) -> str:
    """The name of the file at an address; '' where it names none.

    The end of its path, without what follows, which may be a signature; where the path names no
    file, as in MAST's .../Download/file?uri=mast:JWST/product/..._i2d.fits, that of a value of its
    query. MaskError for what is no address.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise MaskError(f"'{address}': {error}; it is no address.") from None
    name = Path(unquote(parts.path)).name
    asked = (Path(value).name for _, value in parse_qsl(parts.query))
    return name if "." in name else next((one for one in asked if "." in one), name)
