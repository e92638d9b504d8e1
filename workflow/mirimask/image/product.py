"""Files of a level-3 product: opening them, and saying what is wrong with one.

A product is an image (`i2d`: PRIMARY, SCI, ERR, WHT, ...), its segmentation (`segm`: PRIMARY, SCI)
and its catalogue (`cat`, ECSV).
"""

import bz2
import gzip
import hashlib
import logging
import lzma
import math
import os
import re
import shutil
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray

from mirimask.atomic import NO_ROOM
from mirimask.errors import DamagedFile, MaskError
from mirimask.image.wcs import WCS_CARD, read_wcs

__all__ = [
    "PAPER_SHAPE",
    "StoredPlane",
    "card_text",
    "check_area",
    "check_header",
    "check_image",
    "check_product",
    "frame_notes",
    "opened",
    "read_plane",
    "sha256",
    "stored_plane",
    "usable_planes",
]

_logger = logging.getLogger("mirimask.image.product")

PAPER_SHAPE = (1028, 1032)  # rows and columns of the frames of the paper (section 2.1)
AREA_TOLERANCE = 0.01  # share by which PIXAR_SR may differ from the pixel of the WCS


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def card_text(text: str) -> str:
    """A name as a FITS card can hold it: printable ASCII, `_` for every other character."""
    return re.sub(r"[^ -~]", "_", text)


@contextmanager
def opened(
    path: str | Path,
    *,
    what: str = "file",
    planes: tuple[str, ...] | None = None,
    written_here: bool = False,
) -> Iterator[fits.HDUList]:
    """Open a FITS file (plain or compressed) with its data in memory: the one way to do so.

    `what` names the file in messages; `planes` are the extensions that data are wanted of (None:
    all; the others' are had by `read_plane`). A header card that is not FITS is left out with a
    warning, for it could not be written again; a file `written_here` has none, and they are not
    looked for. MaskError where the file is missing, not FITS, truncated or damaged, or where such a
    card says how the pixels are stored or where they are.
    """
    path = Path(path)
    if not path.is_file():
        wrong = "there is no such file; correct its path"
        if path.exists():
            wrong = "is no file; name the FITS file itself"
        raise MaskError(f"{what} '{path}': {wrong}.")
    with _explained(path, what, written_here=written_here):
        file = _content(path, what)
        try:
            _check_sizes(file)
            file.seek(0)
            hdus = fits.open(file, memmap=False, lazy_load_hdus=False)
            for hdu in hdus:
                if not written_here:
                    _check_cards(hdu.header, f"{what} '{path}'")
                if planes is None or hdu.name.upper() in planes:
                    _ = hdu.data
        except BaseException:
            file.close()
            raise
    with file, hdus:
        yield hdus


@contextmanager
def _explained(path: str | Path, what: str, *, written_here: bool = False) -> Iterator[None]:
    """MaskError, with what the file is called, for whatever a damaged file leads astropy to.

    DamagedFile for one `written_here`.
    """
    damaged = "fetch, copy or make it again"
    another = "give the file that the archive or your reduction wrote"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of cards off the standard
            # astropy only warns of an end that is missing, and then gives what there is
            warnings.filterwarnings("error", message="File may have been truncated")
            warnings.filterwarnings("error", message="Error validating header")
            yield
    except MaskError:
        raise
    except Exception as error:  # astropy raises whatever a damaged file leads it to
        start = _first_bytes(Path(path))
        if isinstance(error, EOFError | zlib.error | AstropyUserWarning):
            why = f"truncated ({_first_line(error)})"
        elif start.startswith(b"SIMPLE"):
            why = f"truncated or damaged FITS ({_first_line(error)})"
        else:
            why, damaged = f"not a FITS file, it begins with {start[:24]!r}", another
        if written_here:
            raise DamagedFile(f"{what} '{path}': {why}; {DamagedFile.remedy}.", why) from None
        raise MaskError(f"{what} '{path}': {why}; {damaged}.") from None


_AT_A_TIME = 1 << 22  # pixels


def read_plane(
    hdu: fits.PrimaryHDU | fits.ImageHDU, path: str | Path, *, what: str = "file"
) -> NDArray:
    """The pixels of an image of an open file in the machine's byte order, of the dtype in the file.

    They are read a strip at a time and are the caller's: of a mosaic, no second copy is in memory.
    MaskError, with `what` the file at `path` is called, where they cannot be read.
    """
    with _explained(path, what):
        if len(hdu.shape) != 2 or isinstance(hdu, fits.CompImageHDU):
            data = np.asarray(hdu.data)
            return data.astype(data.dtype.newbyteorder("="), copy=False)
        rows = max(1, _AT_A_TIME // max(hdu.shape[1], 1))
        first = hdu.section[:rows]
        pixels = np.empty(hdu.shape, first.dtype.newbyteorder("="))
        pixels[:rows] = first
        for top in range(rows, hdu.shape[0], rows):
            pixels[top : top + rows] = hdu.section[top : top + rows]
        return pixels


class StoredPlane:
    """A plane of float32 that stays in its file: `plane[rows]` reads these, an array of float32.

    Of an image of `shape` (rows, columns), times a `factor`. For what is looked at once, row after
    row.
    """

    def __init__(self, path: str | Path, shape: tuple[int, int], begin: int, factor: float) -> None:
        self.path, self.shape, self._begin = path, shape, begin
        self._factor = np.float32(factor)

    def __getitem__(self, rows: slice | tuple[slice, ...]) -> NDArray[np.float32]:
        if isinstance(rows, tuple):
            return self[rows[0]][:, *rows[1:]]
        first, last, step = rows.indices(self.shape[0])
        width = self.shape[1]
        read = np.fromfile(
            self.path, ">f4", max(last - first, 0) * width, offset=self._begin + 4 * first * width
        )
        return read.reshape(-1, width)[::step].astype(np.float32) * self._factor


def stored_plane(
    hdu: fits.PrimaryHDU | fits.ImageHDU, path: str | Path, factor: float
) -> StoredPlane | None:
    """The plane of an open file where it can stay there: plain pixels of float32; else None."""
    with open(path, "rb") as file:
        plain = _opener(file) is None and not isinstance(hdu, fits.CompImageHDU)
    scaled = hdu.header.get("BSCALE", 1) != 1 or hdu.header.get("BZERO", 0) != 0
    if not plain or scaled or hdu.header["BITPIX"] != -32 or len(hdu.shape) != 2:
        return None
    return StoredPlane(path, hdu.shape, hdu.fileinfo()["datLoc"], factor)


_COMPRESSED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_MOST_COMPRESSED = 5000  # no tile-compressed image is smaller than its pixels by more than that


def _content(path: Path, what: str) -> IO[bytes]:
    """The file as it is without its compression: unpacked once, into a temporary file.

    MaskError where there is no room for that.
    """
    file = open(path, "rb")  # noqa: SIM115 - the caller's
    opener = _opener(file)
    if opener is None:
        return file
    try:
        with file, opener(file) as packed, tempfile.TemporaryFile() as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 22)
            unpacked.seek(0)
            # astropy reads no file that is open for writing
            return open(os.dup(unpacked.fileno()), "rb")
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise MaskError(
            f"{what} '{path}': it cannot be unpacked in '{tempfile.gettempdir()}' "
            f"({os.strerror(error.errno)}); set TMPDIR to a folder with more room, or unpack it "
            "yourself."
        ) from None


def _opener(file: IO[bytes]) -> Callable[..., Any] | None:
    """What unpacks an open file; None: it is plain."""
    start = file.read(6)
    file.seek(0)
    return next((how for magic, how in _COMPRESSED.items() if start.startswith(magic)), None)


def _first_bytes(path: Path) -> bytes:
    """The first 80 bytes, of the content where the file is compressed."""
    with open(path, "rb") as file:
        opener = _opener(file)
        if opener is not None:
            try:
                return bytes(opener(file).read(80))
            except (OSError, EOFError, zlib.error, lzma.LZMAError):
                file.seek(0)
        return file.read(80)


def _check_sizes(file: IO[bytes]) -> None:
    """Read a file's headers, and see that it is as long as they say.

    astropy believes a header: it waits for ever on a negative length, and asks for the memory that
    is announced. ValueError or EOFError say what is wrong.
    """
    length = file.seek(0, os.SEEK_END)
    number = ends = 0
    while ends < length or number == 0:
        file.seek(ends)
        begins = file.read(80)
        if not begins:
            raise ValueError("it is empty")
        if not begins.startswith(b"XTENSION" if number else b"SIMPLE"):
            raise ValueError(f"HDU {number} does not begin as one")
        file.seek(ends)
        header = fits.Header.fromfile(file, endcard=True, padding=True)
        size = _data_size(header, f"HDU {number}")
        ends = file.tell() + size
        if ends > length:
            raise EOFError(f"HDU {number}: {ends - length} of {size} bytes are missing")
        number += 1


def _data_size(header: fits.Header, what: str) -> int:
    """Bytes of an HDU's data with their padding; ValueError where its cards make no sense."""

    def number(key: str, default: int | None = None, most: int = 1 << 50) -> int:
        value = header.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise ValueError(f"{what}: {key} is {value}")
        return value

    names = [card.keyword for card in header.cards if _STORED.fullmatch(card.keyword)]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(f"{what}: {twice[0]} stands in it more than once")
    if header.get("BITPIX") not in (8, 16, 32, 64, -32, -64):
        raise ValueError(f"{what}: BITPIX is {header.get('BITPIX')}")
    lengths = [number(f"NAXIS{axis}") for axis in range(1, number("NAXIS", most=999) + 1)]
    if header.get("GROUPS") is True and lengths[:1] == [0]:
        lengths = lengths[1:]
    elements = number("PCOUNT", 0) + (math.prod(lengths) if lengths else 0)
    size = abs(header["BITPIX"]) // 8 * number("GCOUNT", 1) * elements
    if header.get("ZIMAGE") is True:
        sides = [number(f"ZNAXIS{axis}") for axis in range(1, number("ZNAXIS", most=999) + 1)]
        if math.prod(sides) > _MOST_COMPRESSED * max(size, 1):
            raise ValueError(f"{what}: ZNAXIS1, ... are {sides}, of {size} bytes of data")
        tiles = [number(f"ZTILE{i + 1}", side if i == 0 else 1) for i, side in enumerate(sides)]
        if math.prod(tiles) > max(math.prod(sides), 1):
            raise ValueError(f"{what}: ZTILE1, ... are {tiles} in an image of {sides}")
    return -(-size // 2880) * 2880


# A card of these that cannot be read changes the pixels, or where they are.
_STORED = re.compile(
    r"XTENSION|BSCALE|BZERO|BLANK|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|T(FORM|ZERO|SCAL)\d+"
)


def _check_cards(header: fits.Header, what: str) -> None:
    """Leave out cards that cannot be written again, with a warning."""
    broken = []
    for index, card in enumerate(header.cards):
        text = card.image.strip()
        try:
            card.verify("silentfix+exception")  # a keyword in lower case is one
            value, _ = card.value, card.comment
            card.value = value  # a name without '=' takes none
            good = not isinstance(value, float | complex) or bool(np.isfinite(value))
        except Exception:  # VerifyError, and what astropy's parser lets through
            good = False
        if not good:
            broken.append((index, card.keyword, text))
    for index, name, text in reversed(broken):
        text = "".join(c if c.isprintable() else "?" for c in text)
        if WCS_CARD.fullmatch(name) or _STORED.fullmatch(name):
            raise MaskError(f"{what}: its header card '{text}' is not FITS; correct {name}.")
        _logger.warning("%s: its header card '%s' is not FITS, and is left out.", what, text)
        del header[index]


def check_image(data: np.ndarray, *, what: str) -> None:
    """MaskError where an image has no finite pixel, or one value only."""
    finite = np.isfinite(data)
    if not finite.any():
        raise MaskError(f"{what}: none of its {data.size} pixels is finite; there is no image.")
    one = data.flat[finite.argmax()]  # of the kind of the pixels: whole numbers have no infinity
    low, high = data.min(where=finite, initial=one), data.max(where=finite, initial=one)
    if low == high:
        raise MaskError(f"{what}: all its pixels are {low}; there is no image.")


def check_product(path: str | Path, kind: str) -> fits.Header | None:
    """Check that a file holds what a product of its kind must; MaskError where it does not.

    `kind` is `i2d` (a 2-D SCI with a celestial WCS that is not empty), `segm` (a 2-D SCI of
    integers) or `cat` (an ECSV table). Gives the primary header of a FITS file.
    """
    if kind == "cat":
        from astropy.table import Table

        try:
            Table.read(path, format="ascii.ecsv")
        except Exception as error:  # the reader raises whatever its parsers raise
            raise MaskError(f"'{path}': not an ECSV table ({_first_line(error)}).") from None
        return None
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
            read_wcs(hdus["SCI"].header, data.shape, what=f"'{path}'")
        return hdus[0].header.copy()


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0][:200]


def check_header(
    header: fits.Header,
    *,
    observation_id: str = "",
    filter_name: str = "",
    what: str,
    table: bool = True,
) -> None:
    """MaskError where OBS_ID or FILTER of a primary header is not the one asked for ('': any).

    Asked by the table of images, or (not `table`) by an option.
    """
    for key, wanted in (("OBS_ID", observation_id), ("FILTER", filter_name)):
        found = str(header.get(key) or "").strip()
        if wanted and found.upper() != wanted.strip().upper():
            asks = "the table of images asks for" if table else "you ask for"
            correct = "the table" if table else "that"
            raise MaskError(
                f"{what}: {key} of the header is '{found}', {asks} "
                f"'{wanted}'. Correct {correct}, or find out which observation is meant."
            )


def frame_notes(path: str | Path) -> list[str]:
    """In what an i2d differs from the frames that the paper used, one sentence each.

    Shape (1028, 1032), empty pixels filled with 0, made with jwst 1.1x (1.10 to 1.14: the archive
    of the paper's time). Later products fill with NaN (since jwst 1.15.0).
    """
    notes = []
    with opened(path, planes=("SCI",)) as hdus:
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


def usable_planes(
    error: NDArray[np.float32] | None, weight: NDArray[np.float32] | None, *, what: str
) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Error and weight, None with a warning where a plane says nothing.

    An error or a weight that is above 0 nowhere says of an image with pixels that it is wrong.
    """
    if error is not None and not (error > 0).any():
        _logger.warning("%s: its ERR is above 0 nowhere, and is left out.", what)
        error = None
    if weight is not None and not (weight > 0).any():
        _logger.warning("%s: its WHT is above 0 nowhere, and is left out.", what)
        weight = None
    return error, weight


def check_area(given: object, area_sr: float, *, what: str) -> None:
    """A warning where PIXAR_SR is given and is not `area_sr`, the pixel of the WCS."""
    if given is None:
        return
    if not isinstance(given, int | float) or abs(given / area_sr - 1) > AREA_TOLERANCE:
        _logger.warning(
            "%s: its PIXAR_SR is %s, a pixel of its WCS has %.5g sr; the WCS is used.",
            *(what, given, area_sr),
        )
