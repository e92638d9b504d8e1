"""What the command says beside its results: progress, warnings, errors, on standard error."""

import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Progress", "Said", "fault", "one_line"]


class Progress:
    """Says on standard error what is being done, where a person looks on.

    `prefix` stands before each line: which of several images it is.
    """

    def __init__(self, *, shown: bool) -> None:
        self.shown, self.prefix = shown, ""

    def done(self, what: str) -> None:
        """Says what was done where nobody saw it being done."""
        if self.shown:
            print(f"{self.prefix}{what}", file=sys.stderr, flush=True)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        if self.shown:
            print(f"{self.prefix}{what} ...", end="", file=sys.stderr, flush=True)
        try:
            yield
        finally:
            if self.shown:
                print(f" {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


def one_line(text: object) -> str:
    """A message without line breaks or control characters, which a file's name may hold.

    What a study calls `methods` is the option --method here.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return re.sub(r"^methods: ", "--method: ", line)


def fault(image: str, error: BaseException) -> str:
    """What is said of an error that no one foresaw: what it was, and with which file."""
    if isinstance(error, MemoryError):
        return f"'{one_line(image)}': there is too little memory for it."
    if isinstance(error, ModuleNotFoundError):
        return f"the Python package {error.name} is not installed: pip install {error.name}"
    cause = one_line(f"{type(error).__name__}: {error}")[:300]
    return (
        f"'{one_line(image)}' cannot be worked on ({cause}); this is a fault of mirimask, "
        "please report it"
    )


class Said(logging.Handler):
    """The library's warnings, one line each; those since the last `taken` are kept for a summary.

    `names` are what files are called that are copies of others, by their paths.
    """

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(logging.WARNING)
        self.quiet = quiet
        self.lines: list[str] = []
        self.names: dict[str, str] = {}

    def named(self, text: str) -> str:
        """A message with the names of files in place of the paths of their copies."""
        for path, name in self.names.items():
            text = text.replace(path, name)
        return text

    def emit(self, record: logging.LogRecord) -> None:
        line = one_line(self.named(record.getMessage()))
        self.lines.append(line)
        if not self.quiet:
            print(f"mirimask: {record.levelname.lower()}: {line}", file=sys.stderr)

    def taken(self) -> list[str]:
        """The warnings since this was asked last."""
        lines, self.lines = self.lines, []
        return lines
