"""Files that appear whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["partial_path", "replacing", "write_bytes", "write_text"]


def partial_path(path: str | Path, process: int) -> Path:
    """Where a process, given by its number, writes a file before it has the name `path`.

    The name keeps the suffixes of `path`, in small letters: writers choose the format by them.
    """
    path = Path(path)
    return path.with_name(f".{process}.partial.{path.name.lower()}")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well.

    When the block raises, the temporary file is removed and `path` is left as it was. An OSError
    that does not say of which file it is, as that of a full disk, gets its name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = partial_path(path, os.getpid())
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        # numpy says "8000 requested and 0 written", without the number of the error
        number = errno.ENOSPC if str(error).endswith(" written") else error.errno
        if error.filename is not None or number is None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8 with Unix line ends, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write `data`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)
