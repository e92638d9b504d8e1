"""The table of images: a row an image, every cell a text."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from mirimask.errors import MaskError

from study.schema import columns, unknown_names, wrong_cells

__all__ = ["FILES", "PAPER_IMAGES", "Row", "read_images", "read_table"]

Row = dict[str, str]

PAPER_IMAGES = tuple(f"Img{number}" for number in range(1, 8))
FILES = ("i2d", "err", "wht", "segm", "catalogue")  # columns that name a file
_SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars", " ": "blanks"}


def read_table(path: str | Path, *, what: str) -> list[Row]:
    """The rows of a table of text, tab-separated (.tsv) or else comma-separated.

    A dictionary each, '' where a cell is empty or not there; blanks around a cell are not part of
    it. Lines that start with `#`, and empty ones, are comments. The text is UTF-8, with or without
    a byte-order mark. Raises MaskError, with `what` the table is for, where it cannot be read.

    By csv and not pandas, whose import would be a fifth of the time of a run with nothing to do.
    """
    where = f"{what}: the table '{path}'"
    separator = "\t" if Path(path).suffix.lower() == ".tsv" else ","
    text = _text(path, where)
    kept = (
        line
        for line in io.StringIO(text, newline=None)
        if line.strip() and not line.startswith("#")
    )
    try:
        lines = list(csv.reader(kept, delimiter=separator, strict=True))
    except csv.Error as error:
        raise MaskError(f"{where} cannot be read: {error}.") from None
    if not lines:
        raise MaskError(f"{where} cannot be read: it is empty.")
    header, *cells = ([cell.strip() for cell in line] for line in lines)
    while header and not header[-1]:  # a spreadsheet ends its lines with separators
        header.pop()
    _check_header(header, separator, where)
    rows = []
    for line in cells:
        if any(line[len(header) :]):
            raise MaskError(
                f"{where} cannot be read: the row '{line[0]}' has more cells than the header."
            )
        if any(line):
            rows.append(dict.fromkeys(header, "") | dict(zip(header, line, strict=False)))
    return rows


def _text(path: str | Path, where: str) -> str:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise MaskError(f"{where} cannot be read: {error.strerror or error}.") from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:1000]:
        raise MaskError(f"{where} is text in UTF-16, or no text; save it as UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise MaskError(f"{where} is not text in UTF-8 (line {line}); save it as UTF-8.") from None


def _check_header(header: list[str], separator: str, where: str) -> None:
    other = next((s for s in _SEPARATORS if s != separator and s in "".join(header)), None)
    if len(header) == 1 and other:
        ending = {"\t": ", or name it .tsv", ",": ", or name it .csv"}.get(other, "")
        raise MaskError(
            f"{where} is separated by {_SEPARATORS[other]}; it is read as separated by "
            f"{_SEPARATORS[separator]}. Save it so{ending}."
        )
    if "" in header:
        raise MaskError(f"{where} cannot be read: column {header.index('') + 1} has no name.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise MaskError(f"{where} has the column {', '.join(twice)} more than once.")


def read_images(paths: Sequence[str | Path]) -> dict[str, Row]:
    """The rows of the tables of images by their code, with every column that there is.

    Raises MaskError for a table that cannot be read or has no rows, columns and cells that the
    schema does not know, a code that is there twice (or differs from another in case only, which
    some file systems take for the same), and the code `all`, which tables have for the sum.
    """
    tables = ", ".join(map(str, paths))
    images: dict[str, Row] = {}
    for path in paths:
        rows = read_table(path, what="images")
        known = columns()
        for row in rows[:1]:
            strange = [name for name in row if name not in known]
            if strange:
                raise MaskError(
                    f"images: the table '{path}': {unknown_names(strange, known, 'column')}."
                )
        for row in rows:
            problem = wrong_cells(row, f"{path}, row '{row.get('image', '')}'")
            if problem:
                raise MaskError(problem)
            if row["image"] in images:
                raise MaskError(f"images: '{tables}' has {row['image']} more than once.")
            images[row["image"]] = dict.fromkeys(known, "") | row
    if not images:
        raise MaskError(f"images: '{tables}' has no row.")
    _check_codes(list(images), tables)
    return images


def _check_codes(codes: list[str], tables: str) -> None:
    first: dict[str, str] = {}
    for code in codes:
        if code.lower() == "all":
            raise MaskError(
                f"images: '{tables}' has an image '{code}', as tables call the sum of all images; "
                "give it another code."
            )
        same = first.setdefault(code.lower(), code)
        if same != code:
            raise MaskError(
                f"images: '{tables}' has '{same}' and '{code}': some file systems take their files "
                "for the same; give one of them another code."
            )
