"""Files of a level-3 product: opening them, and saying what is wrong with one.

A product is an image (`i2d`: PRIMARY, SCI, ERR, WHT, ...), its segmentation (`segm`: PRIMARY, SCI)
and its catalogue (`cat`, ECSV).
"""

import gzip
import hashlib
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning

from mirimask.errors import MaskError

__all__ = [
    "PAPER_SHAPE",
    "check_header",
    "check_image",
    "check_product",
    "frame_notes",
    "opened",
    "sha256",
]

PAPER_SHAPE = (1028, 1032)  # rows and columns of the frames of the paper (section 2.1)


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def opened(path: str | Path, *, what: str = "file") -> Iterator[fits.HDUList]:
    """Open a FITS file (plain or .gz) with all its data in memory.

    `what` names the file in messages. MaskError where it is missing, not FITS, or truncated.
    """
    path = Path(path)
    if not path.is_file():
        raise MaskError(f"{what} '{path}': there is no such file; correct its path.")
    try:
        with warnings.catch_warnings():
            # astropy only warns of an end that is missing, and then gives what there is
            warnings.filterwarnings("error", message="File may have been truncated")
            warnings.filterwarnings("error", message="Error validating header")
            _read_through(path)
            hdus = fits.open(path, memmap=False, lazy_load_hdus=False)
            for hdu in hdus:
                _ = hdu.data
    except (EOFError, zlib.error, AstropyUserWarning) as error:
        raise MaskError(f"{what} '{path}': truncated ({error}); fetch or copy it again.") from None
    except (OSError, ValueError, TypeError, IndexError, fits.VerifyError) as error:
        start = _first_bytes(path)
        if start.startswith(b"SIMPLE"):
            raise MaskError(
                f"{what} '{path}': truncated or damaged FITS ({error}); fetch or copy it again."
            ) from None
        raise MaskError(
            f"{what} '{path}': not a FITS file, it begins with {start[:24]!r}; "
            "give the file that the archive or your reduction wrote."
        ) from None
    with hdus:
        yield hdus


def _read_through(path: Path) -> None:
    """Read a compressed file to its end: astropy takes one that was cut for a shorter one."""
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    if compressed:
        with gzip.open(path) as content:
            while content.read(1 << 22):
                pass


def _first_bytes(path: Path) -> bytes:
    """The first 80 bytes, of the content where the file is compressed."""
    try:
        with gzip.open(path) as file:
            return file.read(80)
    except (OSError, EOFError, zlib.error):
        with open(path, "rb") as file:
            return file.read(80)


def check_image(data: np.ndarray, *, what: str) -> None:
    """MaskError where an image has no finite pixel, or one value only."""
    finite = data[np.isfinite(data)]
    if finite.size == 0:
        raise MaskError(f"{what}: none of its {data.size} pixels is finite; there is no image.")
    if finite.min() == finite.max():
        raise MaskError(f"{what}: all its pixels are {finite[0]}; there is no image.")


def check_product(path: str | Path, kind: str) -> fits.Header | None:
    """Check that a file holds what a product of its kind must; MaskError where it does not.

    `kind` is `i2d` (a 2-D SCI with a celestial WCS that is not empty), `segm` (a 2-D SCI of
    integers) or `cat` (an ECSV table). Gives the primary header of a FITS file.
    """
    if kind == "cat":
        try:
            Table.read(path, format="ascii.ecsv")
        except Exception as error:  # the reader raises whatever its parsers raise
            raise MaskError(f"'{path}': not an ECSV table ({_first_line(error)}).") from None
        return None
    from astropy.wcs import WCS

    with opened(path) as hdus:
        names = [hdu.name for hdu in hdus]
        if "SCI" not in names:
            raise MaskError(f"'{path}': has no SCI extension, only {', '.join(names)}.")
        data = hdus["SCI"].data
        if data is None or data.ndim != 2:
            raise MaskError(f"'{path}': its SCI is not a 2-D image.")
        if kind == "segm":
            if data.dtype.kind not in "iu":
                raise MaskError(f"'{path}': its SCI holds {data.dtype}, not labels (integers).")
        else:
            check_image(data, what=f"'{path}'")
            if not WCS(hdus["SCI"].header).has_celestial:
                raise MaskError(f"'{path}': its SCI has no celestial WCS.")
        return hdus[0].header.copy()


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0][:200]


def check_header(
    header: fits.Header, *, observation_id: str = "", filter_name: str = "", what: str
) -> None:
    """MaskError where OBS_ID or FILTER of a primary header is not the one asked for ('': any)."""
    for key, wanted in (("OBS_ID", observation_id), ("FILTER", filter_name)):
        found = str(header.get(key, ""))
        if wanted and found != wanted:
            raise MaskError(
                f"{what}: {key} of the header is '{found}', the table of images asks for "
                f"'{wanted}'. Correct the table, or find out which observation is meant."
            )


def frame_notes(path: str | Path) -> list[str]:
    """In what an i2d differs from the frames that the paper used, one sentence each.

    Shape (1028, 1032), empty pixels filled with 0, made with jwst 1.1x (1.10 to 1.14: the archive
    of the paper's time). Later products fill with NaN (since jwst 1.15.0).
    """
    notes = []
    with fits.open(path) as hdus:  # not `opened`, which has all the planes in memory at once
        data, version = hdus["SCI"].data, str(hdus[0].header.get("CAL_VER", "unknown"))
    if data.shape != PAPER_SHAPE:
        notes.append(
            "frame of {} x {} pixels, the paper's had {} x {}".format(*data.shape, *PAPER_SHAPE)
        )
    empty = int((~np.isfinite(data)).sum())
    if empty:
        notes.append(f"{empty} empty pixels are not finite, the paper's were 0")
    if not re.match(r"1\.1[0-4](\.|$)", version):
        notes.append(f"made with jwst {version}, the paper's with 1.10 to 1.14")
    return notes
