"""Tables in files: how a study's own CSV, ECSV and JSON are read and written.

A text is a text: the image `001`, the source `1e5` and the name `NA` come out of a file as they
went in, whatever they look like. Which columns hold texts is said here, once.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mirimask.atomic import replacing, write_text
from mirimask.errors import DamagedFile, MaskError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = [
    "TEXTS",
    "as_csv",
    "read_by_mask",
    "read_ecsv",
    "read_json",
    "read_table",
    "read_tables",
    "read_texts",
    "reasons",
    "write_csv",
    "write_ecsv",
    "write_reason",
]

# Columns that hold texts in whichever of the study's tables they stand.
TEXTS = frozenset(
    {
        *("image", "code", "method", "domain", "family", "scorer", "kind", "unit"),
        *("id", "item", "truth_id", "verdict", "verdict_pixels", "truth_verdict", "conclusion"),
        *("observation_id", "principal_investigator", "obs_date", "guide_star_id"),
        "not_counted",
    }
)
_POSITIONS = ("ra", "dec")  # columns in degrees
_NO_NUMBER = ["", "nan", "NaN"]  # what writes a missing number
_NOT_MEASURED = "not_measured"  # column of a table in place of one that could not be made


@contextmanager
def _of_file(path: str | Path, kind: str) -> Iterator[None]:
    """DamagedFile, with the path, for whatever a damaged file leads its reader to."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # each reader raises what its parsers do
        why = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")
        raise DamagedFile(
            f"'{path}': damaged, it is no {kind} ({why}); {DamagedFile.remedy}.",
            why,
        ) from None


def _check_end(path: str | Path) -> None:
    """ValueError for a file that is cut off: readers take half a row for one with empty cells."""
    with open(path, "rb") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read() != b"\n":
                raise ValueError("it ends within a line")


def read_table(
    path: str | Path, *, texts: Iterable[str] = (), by_hand: bool = False
) -> pd.DataFrame:
    """Read a CSV table with the columns of TEXTS, and further `texts`, as texts ('' where empty).

    Every other column has the type of its cells, NaN where one is empty. A byte-order mark before
    the first name does not count. DamagedFile for a file that is no table, or is cut off within a
    line, which one written `by_hand` may be.
    """
    with _of_file(path, "CSV table"):
        if not by_hand:
            _check_end(path)
        columns = pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns
        as_text = [name for name in columns if name in TEXTS or name in texts]
        return pd.read_csv(
            path,
            dtype=dict.fromkeys(as_text, str),
            keep_default_na=False,
            na_values={name: _NO_NUMBER for name in columns if name not in as_text},
            encoding="utf-8-sig",
        )


def read_ecsv(path: str | Path) -> "Table":
    """Read an ECSV table. DamagedFile for a file that is none, or is cut off within a line."""
    from astropy.table import Table

    with _of_file(path, "ECSV table"):
        _check_end(path)
        return Table.read(path, format="ascii.ecsv")


def read_json(path: str | Path) -> Any:
    """What a JSON file holds. DamagedFile for a file that is none."""
    with _of_file(path, "JSON"):
        return json.loads(Path(path).read_text(encoding="utf-8"))


def read_by_mask(paths: Iterable[str | Path]) -> pd.DataFrame:
    """The tables <image>/<mask>.csv below each other, with both names as columns image, method."""
    tables = [
        read_table(path).assign(image=path.parent.name, method=path.name.removesuffix(".csv"))
        for path in map(Path, paths)
    ]
    return pd.concat(tables, ignore_index=True)


def read_texts(path: str | Path, *, separator: str = ",") -> pd.DataFrame:
    """Read a table of which every cell is a text, '' where it is empty; as `read_table` else."""
    with _of_file(path, "table"):
        return pd.read_csv(
            path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )


def read_tables(paths: Iterable[str | Path], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Tables of one form below each other; one without rows only gives its columns.

    Images that could not be measured (`write_reason`) are not in it. Where none could be, it has no
    rows but `columns`; a MaskError where these are not given. DamagedFile for one without a column
    that others have.
    """
    paths = list(paths)
    tables = [read_table(path) for path in paths]
    measured = [table for table in tables if _NOT_MEASURED not in table]
    if not measured and columns is None:
        said = "; ".join(f"{image}: {why}" for image, why in list(reasons(paths).items())[:1])
        raise MaskError(f"no image could be measured; {said}" if said else "there is no image.")
    if not measured:
        return pd.DataFrame(columns=columns)
    filled = [table for table in measured if len(table)] or measured[:1]
    joined = pd.concat(filled, ignore_index=True)
    for path, table in zip(paths, tables, strict=True):
        lost = [name for name in joined if name not in table]
        if lost and len(table) and _NOT_MEASURED not in table:
            why = f"it has no column {lost[0]}, which others of its kind have"
            raise DamagedFile(f"'{path}': damaged, {why}; {DamagedFile.remedy}.", why)
    return joined


def reasons(paths: Iterable[str | Path]) -> dict[str, str]:
    """Why images could not be measured, by image: from the tables that `write_reason` wrote."""
    return {
        row["image"]: row[_NOT_MEASURED]
        for table in map(read_texts, paths)
        if _NOT_MEASURED in table
        for row in table.to_dict("records")
    }


def write_reason(path: str | Path, image: str, why: str) -> None:
    """In place of a table of an image: why it could not be measured."""
    write_csv(path, pd.DataFrame([{"image": image, _NOT_MEASURED: why}]))


def as_csv(table: pd.DataFrame, *, digits: int = 6) -> str:
    """A table as CSV, numbers with `digits` digits, positions on the sky with ten.

    Ten digits of a position in degrees are less than a milliarcsecond, a hundredth of a pixel; six
    would be arcseconds.
    """
    numbers = table.select_dtypes("float").columns.intersection(_POSITIONS)
    texts = {name: table[name].map("{:.10g}".format, na_action="ignore") for name in numbers}
    return table.assign(**texts).to_csv(index=False, float_format=f"%.{digits}g")


def write_csv(path: str | Path, table: pd.DataFrame, *, digits: int = 6) -> None:
    """Write a table as CSV (`as_csv`), whole or not at all."""
    write_text(path, as_csv(table, digits=digits))


def write_ecsv(path: str | Path, table: "Table") -> None:
    """Write a table as ECSV, whole or not at all.

    Readers take a row that begins with `#` for a comment and leave it out: where a text of the
    first column does so, another column is put first.
    """

    def comments(name: str) -> bool:
        cells = np.ma.getdata(table[name])
        return cells.dtype.kind == "U" and bool(np.char.startswith(cells, "#").any())

    names = table.colnames
    first = next((name for name in names if not comments(name)), names[0])
    with replacing(path) as temporary:
        ordered = table if first == names[0] else table[[first, *(n for n in names if n != first)]]
        ordered.write(temporary, format="ascii.ecsv")
