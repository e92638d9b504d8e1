"""Files at addresses, for the command line: `https://`, `s3://`, and MAST's `mast:` names."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError

from astropy.utils.data import get_readable_fileobj

from mirimask.addresses import file_name
from mirimask.archive.mast import fetch_file_of
from mirimask.archive.network import Archive, FetchError, explain
from mirimask.atomic import replacing
from mirimask.errors import MaskError

__all__ = ["local_copies"]

TIMEOUT_S = 60.0


@contextmanager
def local_copies(
    addresses: Sequence[str], *, folder: str | Path | None = None
) -> Iterator[dict[str, str]]:
    """The path of a copy of each file, by its address.

    In `folder` they stay, and a MAST product that is there is not fetched again (its size and
    checksum are compared); without one they are gone at the end. `https://` and `s3://` are opened
    by astropy (a public bucket needs no account), `mast:` names by the archive's own client, with
    its retries and checks; of the others no byte for 60 s is an error, and their size has no limit.
    MaskError, with the address, where one cannot be had, and for a second file of one name in the
    folder.
    """
    names: dict[tuple[bool, str], str] = {}
    for address in addresses if folder else ():
        place = _of_mast(address), file_name(address)  # MAST's have a folder of their own
        if names.setdefault(place, address) != address:
            raise MaskError(
                f"'{address}': another address has a file of this name, and --downloads keeps "
                "one of a name. Leave --downloads out."
            )
    with tempfile.TemporaryDirectory(prefix="mirimask-") as temporary:
        found: dict[str, str] = {}
        for number, address in enumerate(dict.fromkeys(addresses)):
            kept = Path(folder) if folder else Path(temporary) / str(number)
            copied = _from_mast if _of_mast(address) else _opened
            found[address] = str(copied(address, kept))
        yield found


def _of_mast(address: str) -> bool:
    return address.startswith("mast:")


def _from_mast(address: str, folder: Path) -> Path:
    try:
        from astroquery.mast import conf
    except ModuleNotFoundError:
        raise MaskError(
            f"'{address}': mast: needs the Python package astroquery: pip install "
            "'mirimask[archive]'."
        ) from None
    archive = Archive(mast_server=conf.server, downloads=folder)
    try:
        return fetch_file_of(archive, address).path
    except FetchError as error:  # its own words are a study's
        raise MaskError(
            f"'{address}' could not be fetched from {conf.server}: {error.reason}. Correct the "
            "name, or try again later."
        ) from None


def _opened(address: str, folder: Path) -> Path:
    name = file_name(address)
    if not name:
        raise MaskError(f"'{address}': names no file.")
    options = {}
    if address.startswith("s3://"):
        options = {"use_fsspec": True, "fsspec_kwargs": {"anon": True}}
    try:
        with (
            get_readable_fileobj(
                address,
                encoding="binary",
                cache=False,
                show_progress=False,
                remote_timeout=TIMEOUT_S,
                **options,
            ) as file,
            replacing(folder / name) as part,
            open(part, "wb") as copy,
        ):
            shutil.copyfileobj(file, copy)
    except ModuleNotFoundError as error:
        raise MaskError(
            f"'{address}': s3:// needs the Python package {error.name}: pip install 'mirimask[s3]'."
        ) from None
    except Exception as error:  # of urllib, of S3's client, of the disk
        raise MaskError(
            f"'{address}' could not be fetched: {_cause(error)}. Correct the address, or try again "
            "later."
        ) from None
    return folder / name


def _cause(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"HTTP status {error.code} {error.reason}"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, URLError) and not isinstance(error.reason, BaseException):
        return str(error.reason).rstrip(".")
    return explain(error).rstrip(".")
