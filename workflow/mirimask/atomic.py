"""Files that appear whole or not at all."""

import errno
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = [
    "DISK_FAULTS",
    "ENDS",
    "NO_ROOM",
    "disk_fault",
    "partial_path",
    "replacing",
    "write_bytes",
    "write_text",
]


# a disk that is full, beyond a person's share of it, or of smaller files
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DISK_FAULTS = (*NO_ROOM, errno.EROFS, errno.EIO)  # or read-only, or failing
# How a scheduler, and a terminal that closes, end a process, which takes away what is half written
ENDS = (signal.SIGTERM, signal.SIGHUP)


def partial_path(path: str | Path, process: int) -> Path:
    """Where a process, given by its number, writes a file before it has the name `path`.

    The name keeps the end of that of `path`, in small letters: writers choose the format by its
    suffixes.
    """
    path = Path(path)
    return path.with_name(f".{process}.partial.{path.name.lower()[-200:]}")


def disk_fault(error: OSError) -> int | None:
    """Which of `DISK_FAULTS` an error is; None for others."""
    # numpy says "8000 requested and 0 written", without a number
    if error.errno is None and re.search(r"\d requested and \d+ written$", str(error)):
        return errno.ENOSPC
    return error.errno if type(error) is OSError and error.errno in DISK_FAULTS else None


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
        number = disk_fault(error)
        if number is None or error.filename is not None:
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
