"""A person's own catalogue of sources, whatever program or archive wrote it.

What a file is, is decided by what is in it: ECSV, VOTable, FITS, CSV and other tables of text,
SExtractor's and IPAC's, plain or compressed. Texts, names above all, stay as they are written:
`001`, `NA` and `1e5` are names. What cannot be used is a MaskError that names the file and the
remedy.
"""

import bz2
import csv
import gzip
import io
import logging
import lzma
import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import Angle, SkyCoord
from astropy.io import fits
from astropy.io.votable import parse as parse_votable
from astropy.table import Column, MaskedColumn, Table
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.votables import notes_of

__all__ = ["KNOWN_COLUMNS", "MissingColumn", "read_catalogue"]

_logger = logging.getLogger("mirimask.sources.own_catalogues")

# Names of columns in use, the first that a table has counting where none is asked for.
KNOWN_COLUMNS = {
    "id": tuple(["objID", "id", "ID", "source_id", "SOURCE_ID", "name", "NAME", "label", "NUMBER"]),
    "ra": tuple(["RAJ2000", "ra", "RA", "RA_ICRS", "ALPHA_J2000", "raj2000"]),
    "dec": tuple(["DEJ2000", "dec", "DEC", "Dec", "DE_ICRS", "DELTA_J2000", "dej2000"]),
}
_SETTINGS = {key: f"catalogue.{key}" for key in KNOWN_COLUMNS}
_ANGLES = {"ra": "right ascension", "dec": "declination"}
# Systems of coordinates that are read as ICRS: they agree to 0.03 arcsec.
_SYSTEMS = re.compile(r"ICRS.*|(EQ_)?FK5( J?2000(\.0*)?)?", re.IGNORECASE)
_LARGEST = 2**30  # bytes of a table, unpacked: some million rows, more than any image needs
_FORMATS = (
    "Give an ECSV, CSV, VOTable or FITS table, or text with the names of the columns in its first "
    "line."
)


@dataclass(frozen=True)
class _Found:
    """A table of a file: what it is called there, and whether all its cells are texts.

    `systems` has the coordinate system by column, where the file says it.
    """

    table: Table
    name: str
    of_text: bool = False
    systems: Mapping[str, str] = field(default_factory=dict)


class MissingColumn(MaskError):
    """A table that can be read, and lacks a column that the settings name."""


def read_catalogue(
    path: str | Path | None,
    *,
    id_: str | Sequence[str],
    ra: str | Sequence[str],
    dec: str | Sequence[str],
    image: str = "",
    settings: Mapping[str, str] = _SETTINGS,
) -> Table:
    """Read a catalogue of sources with at least the columns `id_` (text), `ra`, `dec` (degrees).

    Each column is a name, or several, of which the first that the table has is taken. The format
    follows the content: ECSV, VOTable, FITS (LDAC too), CSV with commas, semicolons or tabs,
    VizieR's tab-separated tables, SExtractor's ASCII_HEAD, IPAC tables, and plain text with the
    names in its first line (`# id ra dec`); each also compressed by gzip, bzip2 or xz. Of several
    tables in a file the first with the columns is taken, and a warning says so. All other columns
    of numbers and texts are kept, a SkyCoord column, `sky_centroid` of a pipeline catalogue before
    others, gives `ra` and `dec` where they are missing, and rows are numbered from 1 where `id_`
    is. Coordinates are in the unit of their column, in degrees where it has none; those that are
    missing or not finite stay so. The table's meta holds nothing but `columns`, the names of id, ra
    and dec. No path: a table without rows; a file without rows is one with a warning. `settings`
    says how whoever asks names those columns, for messages.

    MaskError: no such file, not readable, no RA or Dec (with the columns there are), coordinates
    that are not numbers, of a unit that is no angle, of which none is what an angle can be, or in
    another system than ICRS or FK5 J2000, where a VOTable says so.
    """
    wanted = {
        key: (given,) if isinstance(given, str) else tuple(given)
        for key, given in (("id", id_), ("ra", ra), ("dec", dec))
    }
    if path is None or str(path) == "":
        names = {key: given[0] for key, given in wanted.items()}
        columns = [Column([], name=names["id"], dtype="U1")]
        columns += [Column([], name=names[key], dtype=float, unit=u.deg) for key in _ANGLES]
        return Table(columns, meta={"columns": names})
    what = f"{image}: catalogue '{path}'" if image else f"catalogue '{path}'"
    found = _chosen(_tables_of(Path(path), what), wanted, what, settings)
    table = found.table
    if not len(table):
        _logger.warning("%s has no row: no source is scored or matched.", what)
    names = {
        key: next((name for name in given if name in table.colnames), given[0])
        for key, given in wanted.items()
    }
    sky = _sky_of(table, wanted)
    if sky is not None:
        name, at = sky
        names |= {key: f"{name}.{key}" for key in _ANGLES if names[key] == name}
        table[names["ra"]], table[names["dec"]] = at.ra.deg * u.deg, at.dec.deg * u.deg
    for key in _ANGLES:
        system = found.systems.get(names[key], "ICRS")
        if not _SYSTEMS.fullmatch(system):
            raise MaskError(
                f"{what}: column '{names[key]}' is in the system {system} (its COOSYS), not in "
                f"ICRS or FK5 J2000. Convert it to ICRS, or set {settings[key]} to a column that "
                "is in it."
            )
        table[names[key]] = _degrees(table, names[key], key, what, settings)
    if names["id"] in table.colnames:
        table[names["id"]] = _ids(table[names["id"]], what)
    else:
        _logger.warning(
            "%s has no column '%s' (%s): its rows are numbered from 1.",
            *(what, names["id"], settings["id"]),
        )
        table.add_column([str(i + 1) for i in range(len(table))], name=names["id"], index=0)
    for name in [name for name in table.colnames if name not in names.values()]:
        _keep_or_drop(table, name, what, of_text=found.of_text)
    for column in table.itercols():
        column.info.format = None  # of a display, to which ECSV would round
        column.info.meta = None
    table.meta = {"columns": names}  # no cards and elements that ECSV cannot hold
    return table


def _sky_of(table: Table, wanted: Mapping[str, Sequence[str]]) -> tuple[str, SkyCoord] | None:
    """The column that holds both angles, and the positions in ICRS; None: no such is needed.

    A SkyCoord, that of the name `sky_centroid` before others, as photutils calls its own; in a CSV
    astropy writes it as texts, '80.5,-69.4'. Columns that are asked for by name come first.
    """
    named = {name for key in _ANGLES for name in wanted[key]}
    columns = {name: table[name] for name in table.colnames}
    if all(
        any(name in columns and not isinstance(columns[name], SkyCoord) for name in wanted[key])
        for key in _ANGLES
    ):
        return None
    for name in sorted(columns, key=lambda name: (name not in named, name != "sky_centroid")):
        if isinstance(columns[name], SkyCoord):
            return name, columns[name].icrs
        if name == "sky_centroid":
            parts = [str(text).split(",") for text in columns[name]]
            if parts and all(len(one) == 2 and all(map(_NUMBER.fullmatch, one)) for one in parts):
                return name, SkyCoord(np.array(parts, float), unit="deg")
    return None


def _chosen(
    tables: list[_Found],
    wanted: Mapping[str, Sequence[str]],
    what: str,
    settings: Mapping[str, str],
) -> _Found:
    """The first table with a column of right ascension and one of declination."""

    def lacks(found: _Found) -> list[str]:
        there = set(found.table.colnames)
        if _sky_of(found.table, wanted) is not None:
            return []
        return [key for key in _ANGLES if not there & set(wanted[key])]

    chosen = next((found for found in tables if not lacks(found)), None)
    if chosen is None:
        there = "; ".join(
            f"{f'{found.name}: ' if len(tables) > 1 else ''}{_listed(found.table.colnames)}"
            for found in tables[:5]
        )
        key = lacks(tables[0])[0]
        hint = ""
        if any(_NUMBER.fullmatch(name) for name in tables[0].table.colnames):
            hint = " Its first line holds numbers: write the names of the columns above it."
        missing = " or ".join(f"'{name}'" for name in wanted[key])
        raise MissingColumn(
            f"{what} has no column {missing}; it has {there}.{hint} Set {settings[key]} "
            f"to the one with the {_ANGLES[key]} in degrees."
        )
    if len(tables) > 1:
        others = ", ".join(found.name for found in tables if found is not chosen)
        _logger.warning(
            "%s has %d tables: %s is used, not %s.", what, len(tables), chosen.name, others
        )
    return chosen


def _listed(names: Sequence[str]) -> str:
    """Names of columns in a message: the first ones, each of a length that can be read."""
    shown = ", ".join(" ".join(name.split())[:60] for name in names[:40])
    return shown + (f" and {len(names) - 40} more" if len(names) > 40 else "")


### what a file is #################################################################################

_PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_OTHER = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"PAR1": "Parquet",
    b"\x89HDF": "HDF5",
    b"%PDF": "a PDF",
}


def _tables_of(path: Path, what: str) -> list[_Found]:
    """The tables of a file, at least one; MaskError where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of units and headers off the standard
            content = _content(path, what)
            start = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
            if start.startswith((b"SIMPLE  =", b"XTENSION=")):
                tables = list(_fits_tables(content, what))
            elif start.startswith(b"<") and re.search(rb"<(\w+:)?VOTABLE", start):
                tables = list(_votables(content, what))
            else:
                tables = list(_text_tables(content, what))
    except MaskError:
        raise
    except (Exception, RecursionError) as error:  # each reader raises what its parser raises
        cause = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        if isinstance(error, AttributeError | LookupError | TypeError | RecursionError):
            cause = "it is damaged or cut off"  # their texts are for programmers
        raise MaskError(f"{what} cannot be read ({cause}). {_FORMATS}") from None
    if not tables:
        raise MaskError(f"{what} cannot be read (it holds no table). {_FORMATS}")
    return tables


def _content(path: Path, what: str) -> bytes:
    """The bytes of a file, unpacked where it is compressed."""
    if not path.is_file():
        if path.exists():
            raise MaskError(f"{what}: is no file; correct its path.")
        raise MaskError(f"{what}: there is no such file; correct its path.")
    with open(path, "rb") as file:
        start = file.read(8)
        file.seek(0)
        packed = next((of for magic, of in _PACKED.items() if start.startswith(magic)), None)
        try:
            content = (packed(file) if packed else file).read(_LARGEST + 1)
        except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
            raise MaskError(
                f"{what} cannot be read: its compressed content is cut off or damaged ({error}); "
                "fetch or copy it again."
            ) from None
    if len(content) > _LARGEST:
        raise MaskError(
            f"{what} has more than {_LARGEST // 2**20} MB; give the part of it around the image."
        )
    return bytes(content)


def _fits_tables(content: bytes, what: str) -> Iterator[_Found]:
    with fits.open(io.BytesIO(content), lazy_load_hdus=True) as hdus:
        number = 0
        while True:
            try:
                hdu = hdus[number]
            except IndexError:
                return
            sizes = [hdu.header.get(f"NAXIS{i + 1}", 0) for i in range(hdu.header.get("NAXIS", 0))]
            if any(not isinstance(n, int) or n < 0 or n > len(content) for n in sizes):
                raise MaskError(
                    f"{what}: its {hdu.name or 'extension'} is damaged or cut off: "
                    f"NAXIS1, NAXIS2 are {', '.join(map(str, sizes))}; fetch or copy it again."
                )
            if isinstance(hdu, fits.BinTableHDU | fits.TableHDU) and len(hdu.columns):
                yield _Found(Table.read(hdu), hdu.name or f"extension {number}")
            number += 1


def _votables(content: bytes, what: str) -> Iterator[_Found]:
    votable = parse_votable(io.BytesIO(content), verify="ignore", invalid="mask")
    notes = notes_of(votable)
    if notes.errors:
        raise MaskError(
            f"{what} is the answer to a query that failed: {notes.errors[0].rstrip('.')}. "
            "Ask for it again."
        )
    if notes.overflow:
        _logger.warning(
            "%s holds only the first rows of what was asked for (it is marked OVERFLOW): sources "
            "are missing. Ask for less at a time, or for more rows.",
            what,
        )
    for text in notes.warnings[:3]:
        _logger.warning("%s carries a warning: %s", what, text)
    systems = {
        each.ID: f"{each.system or 'ICRS'} {each.equinox or ''}".strip()
        for each in votable.iter_coosys()
    }
    for number, element in enumerate(votable.iter_tables(), start=1):
        if len(element.fields):
            names = [column.name for column in element.fields]
            table = element.to_table(use_names_over_ids=len(set(names)) == len(names))
            references = zip(table.colnames, [column.ref for column in element.fields], strict=True)
            yield _Found(
                table,
                str(element.name or element.ID or f"table {number}"),
                systems={name: systems[ref] for name, ref in references if ref in systems},
            )


### text ###########################################################################################

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_ANGLE = re.compile(r"[+-]?\d{1,3}[:hd]\d{1,2}([:m][\d.]+s?)?", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_MISSING = frozenset(["", "nan", "na", "n/a", "null", "none", "-", "--", "---", "...", "\\n"])
_RULE = re.compile(r"-+")
_BREAKS = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029\0]+")


def _text_tables(content: bytes, what: str) -> Iterator[_Found]:
    text = _decoded(content, what)
    start = text.lstrip()[:2000]
    lines = text.split("\n")
    if not start:
        raise MaskError(f"{what} cannot be read (it is empty). {_FORMATS}")
    if re.match(r"<(!doctype )?html", start, re.IGNORECASE):
        raise MaskError(
            f"{what} cannot be read: it is a web page, as a server sends in place of a table; open "
            "it in a browser for what it says, and download the table again."
        )
    if start.startswith("# %ECSV"):
        table, of_text = Table.read(lines, format="ascii.ecsv"), False
    elif re.match(r"#\s*1\s+\S.*\n#\s*\d+\s+\S", start):
        # its cells as they are written
        options = {"guess": False, "converters": {"*": str}, "fill_values": []}
        table, of_text = Table.read(lines, format="ascii.sextractor", **options), True
    elif start.startswith(("\\", "|")):
        table, of_text = Table.read(lines, format="ascii.ipac"), False  # its types are declared
    elif "Byte-by-byte Description" in text[:20000]:
        # by width: an empty line at the end would be a source
        table, of_text = Table.read(text.rstrip().split("\n"), format="ascii.mrt"), False
    else:
        table, of_text = _with_header(text, what), True
    if not text.endswith("\n") and len(table):
        _logger.warning(
            "%s: its last line has no end; if the file is cut off, its last source is wrong.", what
        )
    if len(table.colnames) < 2:
        raise MaskError(
            f"{what} cannot be read (it has a single column, {_listed(table.colnames)}). {_FORMATS}"
        )
    yield _Found(table, "its table", of_text)


def _decoded(content: bytes, what: str) -> str:
    """The text of a file with Unix line ends, without a byte-order mark."""
    kind = next((of for magic, of in _OTHER.items() if content.startswith(magic)), None)
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if kind is None and b"\0" in content[:4096] and not wide:
        kind = "binary, of no kind that is known here"
    if kind:
        raise MaskError(f"{what} cannot be read: it is {kind}. {_FORMATS}")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
        _logger.warning("%s is not UTF-8; it is read as Windows-1252.", what)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _with_header(text: str, what: str) -> Table:
    """A table of text with the names of its columns in the first line, a comment or not."""
    lines = text.split("\n")
    comments: list[str] = []
    while lines and (not lines[0].strip() or lines[0].lstrip().startswith("#")):
        line = lines.pop(0).strip().lstrip("#").strip()
        comments += [line] if line else []
    body, delimiter = "\n".join(lines), _delimiter(lines[0]) if lines else ""
    first = next(_rows(body, delimiter), [])
    values = any(_NUMBER.fullmatch(cell) or _ANGLE.fullmatch(cell) for cell in first)
    if comments and (not first or values):
        # the names are in a comment: the last one that has as many as there are cells
        fitting = [
            (line, names)
            for line in reversed(comments)
            for names in _rows(line, _delimiter(line))
            if not first or len(names) == len(first)
        ]
        if not fitting:
            raise MaskError(
                f"{what} cannot be read (no line above the first row has {len(first)} names). "
                f"{_FORMATS}"
            )
        header = fitting[0][1]
        rows = list(_rows(body, delimiter))
    else:
        header, *rows = _rows(body, delimiter)
    units = None
    if len(rows) > 1 and all(map(_RULE.fullmatch, rows[1])):  # VizieR's: units, then a rule
        units, rows = rows[0], rows[2:]
    names = [name or f"column {i + 1}" for i, name in enumerate(header)]
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise MaskError(f"{what} cannot be read (two columns are named '{twice[0]}').")
    if rows and len(rows[-1]) < len(names) and not text.endswith("\n"):
        raise MaskError(
            f"{what} cannot be read (its last row has {len(rows[-1])} of {len(names)} cells: it is "
            "cut off); fetch or copy it again."
        )
    short = 0
    for number, row in enumerate(rows, start=1):
        # where blanks part the cells, an empty one in the middle would shift those behind it
        short += len(row) < len(names)
        if any(row[len(names) :]) or (not delimiter and len(row) < len(names)):
            raise MaskError(
                f"{what} cannot be read (its row {number} has {len(row)} cells, its header "
                f"{len(names)} names). {_FORMATS}"
            )
        row += [""] * (len(names) - len(row))
    if short:
        _logger.warning(
            "%s: %d of %d rows have fewer cells than the header names; the last ones are taken as "
            "empty.",
            *(what, short, len(rows)),
        )
    cells = list(zip(*rows, strict=False))[: len(names)] if rows else [()] * len(names)
    table = Table(
        {name: np.array(column, dtype=str) for name, column in zip(names, cells, strict=True)}
    )
    for name, unit in zip(names, units or (), strict=False):
        table[name].unit = u.Unit(unit, parse_strict="silent") if unit.strip() else None
    return table


def _delimiter(line: str) -> str:
    """What stands between the cells of a line; '' for blanks."""
    return next((character for character in "\t,;|" if character in line), "")


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The cells of a text's rows, without blank lines and comments."""
    if delimiter:
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
        )
    else:
        lines = (line.replace("\t", " ").strip() for line in text.split("\n"))
        reader = csv.reader(lines, delimiter=" ", skipinitialspace=True, strict=True)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells) and not (cells[0].startswith("#") and (len(cells) == 1 or not delimiter)):
            yield cells


### columns ########################################################################################


def _ids(column: Any, what: str) -> Column:
    """A column of names, each as it is written; 'row 7' where the seventh row has none."""
    texts = _texts(column, what)
    nameless = np.flatnonzero(np.asarray(texts) == "")
    if not nameless.size:
        return texts
    _logger.warning(
        "%s: %d of %d rows have no '%s'; they are called 'row %d' and so on.",
        *(what, nameless.size, len(texts), texts.name, nameless[0] + 1),
    )
    filled = [text or f"row {i + 1}" for i, text in enumerate(texts)]
    return Column(filled, name=texts.name)


def _texts(column: Any, what: str) -> Column:
    """A column as texts, each as it is written, '' where there is none.

    Blanks around a text and breaks of its line are left out: not every form of a table keeps them.
    """
    if getattr(column, "ndim", 1) != 1:
        raise MaskError(f"{what}: column '{column.info.name}' has more than one value a row.")
    missing = np.ma.getmaskarray(column) if isinstance(column, MaskedColumn) else None
    cells = column.data if isinstance(column, Column) else column
    texts = [
        cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in cells
    ]
    if _BREAKS.search("".join(texts)):
        texts = [_BREAKS.sub(" ", text) for text in texts]
    texts = [text.strip() for text in texts]
    if missing is not None:
        texts = ["" if gone else text for text, gone in zip(texts, missing, strict=True)]
    return Column(np.array(texts, dtype=str if texts else "U1"), name=column.info.name)


def _numbers(column: Any) -> MaskedColumn | None:
    """A column of texts as numbers, masked where none is written; None where one is no number."""
    texts = np.char.strip(np.ma.getdata(column).astype(str))
    missing = np.ma.getmaskarray(column) | np.isin(np.char.lower(texts), list(_MISSING))
    written = texts[~missing].tolist()
    if not written or not all(map(_NUMBER.fullmatch, written)):
        return None
    whole = all(map(_INTEGER.fullmatch, written))
    values: NDArray[Any] = np.zeros(len(texts), dtype=np.int64 if whole else np.float64)
    values[~missing] = [
        int(text) if whole else float(text.lower().replace("d", "e")) for text in written
    ]
    return MaskedColumn(values, mask=missing, name=column.info.name, unit=column.info.unit)


def _is_number(text: str) -> bool:
    return text.lower() in _MISSING or bool(_NUMBER.fullmatch(text))


def _keep_or_drop(table: Table, name: str, what: str, *, of_text: bool) -> None:
    """Numbers of a table of text become numbers; what is neither number nor text is dropped."""
    column = table[name]
    if not isinstance(column, Column):
        return  # of an ECSV table, which is written as it was read
    if of_text:
        found = _numbers(column)
        if found is None:
            found = _texts(column, what)
            if {text.lower() for text in found} <= {"", "nan", "--"}:
                # of which kind it would be nobody knows: missing in every row
                found = MaskedColumn(np.full(len(found), np.nan), mask=True, name=name)
        table[name] = found
    elif column.dtype.kind in "SOU":
        cells = np.ma.getdata(column)[~np.ma.getmaskarray(column)]
        if column.ndim == 1 and all(isinstance(cell, str | bytes) for cell in cells.ravel()):
            table[name] = _texts(column, what)
        elif column.dtype.kind == "O":
            _logger.info("%s: column '%s' holds no single values and is left.", what, name)
            del table[name]
    elif column.dtype.kind not in "biufU":
        _logger.info("%s: column '%s' holds neither numbers nor texts and is left.", what, name)
        del table[name]


# Spellings of units, without case, full stops and blanks around.
_DEGREES = {"", "-", "--", "---", "none", "null", "d", "deg", "degs", "degree", "degrees", "°"}
_DEGREES |= {"decimal degrees", "decimal degree", "degr", "º"}
_HOURS = {"h", "hr", "hrs", "hour", "hours", "hourangle", "hour angle", "decimal hours"}
_RADIANS = {"rad", "rads", "radian", "radians"}
_SEXAGESIMAL = {
    "ra": ({"h:m:s", "hms", "hh:mm:ss", "h m s", "hh mm ss", "hh:mm:ss.s", *_HOURS}, u.hourangle),
    "dec": ({"d:m:s", "dms", "dd:mm:ss", "d m s", "dd mm ss", "dd:mm:ss.s"}, u.deg),
}


def _degrees(
    table: Table, name: str, key: str, what: str, settings: Mapping[str, str]
) -> MaskedColumn:
    """A column of angles as float64 degrees, masked where there is none."""
    column = table[name]
    written = str(column.info.unit if column.info.unit is not None else "")
    unit = " ".join(written.strip().strip("\"'").lower().replace(".", "").split())
    if isinstance(column, u.Quantity):
        column = MaskedColumn(np.asarray(column.value), name=name)
    if getattr(column, "ndim", 1) != 1:
        raise MaskError(f"{what}: column '{name}' has more than one value a row.")
    numbers = column
    if column.dtype.kind in "SUO":
        numbers = _numbers(_texts(column, what))
    sexagesimal = numbers is None
    if sexagesimal and not any(_texts(column, what)):
        numbers, sexagesimal = MaskedColumn(np.full(len(column), np.nan), mask=True), False
    spellings, of_texts = _SEXAGESIMAL[key]
    if sexagesimal and unit in spellings:
        texts = np.asarray(_texts(column, what))
        given = ~np.isin(np.char.lower(np.char.strip(texts)), list(_MISSING))
        values = np.full(len(texts), np.nan)
        try:
            values[given] = Angle(texts[given].tolist(), unit=of_texts).deg
        except ValueError as error:
            cause = str(error).splitlines()[0][:100]
            raise MaskError(
                f"{what}: column '{name}' ({written}) cannot be read as an angle: {cause}."
            ) from None
        factor = 1.0
    elif sexagesimal or numbers.dtype.kind not in "iuf":
        texts = _texts(column, what).tolist()
        wrong = next((text for text in texts if not _is_number(text)), texts[0])
        others = _angles_beside(table, name, key)
        raise MaskError(
            f"{what}: column '{name}' (unit {written or 'none'}, value '{wrong[:40]}') is "
            "not an angle as a number. Give decimal degrees"
            + (f": set {settings[key]} to one of {others}." if others else ".")
        )
    else:
        values = np.ma.filled(np.ma.MaskedArray(numbers, copy=True).astype(float), np.nan)
        factor = _in_degrees(unit, written, key)
        if np.isnan(factor):
            raise MaskError(
                f"{what}: column '{name}' has the unit '{written}', which is no angle"
                f"{' of a declination' if key == 'dec' and unit in _HOURS else ''}. Give decimal "
                "degrees."
            )
    with np.errstate(over="ignore"):  # 1e308 radian
        values = values * factor
    finite = np.isfinite(values)
    largest = 90.0 if key == "dec" else 540.0  # around 0 h they may go on above 360
    if finite.any() and (np.abs(values[finite]) > largest).all():
        raise MaskError(
            f"{what}: no value of column '{name}' is a {_ANGLES[key]}: they go from "
            f"{values[finite].min():.6g} to {values[finite].max():.6g} degrees. Give decimal "
            "degrees."
        )
    return MaskedColumn(values, mask=np.isnan(values), name=name, unit=u.deg)


def _in_degrees(unit: str, written: str, key: str) -> float:
    """How many degrees a unit is; NaN where it is no angle."""
    if unit in _DEGREES:
        return 1.0
    if unit in _HOURS:
        return 15.0 if key == "ra" else np.nan
    if unit in _RADIANS:
        return float(u.rad.to(u.deg))
    for text in (written, unit, unit.removesuffix("s")):
        try:
            factor = float(u.Unit(text).to(u.deg))
            return factor if 0 < factor < np.inf else np.nan  # '-1 deg'
        except (ValueError, TypeError, u.UnitConversionError):
            continue
    return np.nan


def _angles_beside(table: Table, name: str, key: str) -> str:
    """Other columns of numbers that may be the right ascension or declination, for a message."""
    pattern = re.compile({"ra": r"_?ra|.*alpha", "dec": r"_?de|.*delta"}[key], re.IGNORECASE)
    others = []
    for other in table.colnames:
        column = table[other]
        if other == name or getattr(column, "ndim", 1) != 1 or not pattern.match(other):
            continue
        kind = getattr(column, "dtype", np.dtype("O")).kind
        if kind in "iuf" or (kind == "U" and _numbers(column) is not None):
            others.append(other)
    return ", ".join(others[:6])
