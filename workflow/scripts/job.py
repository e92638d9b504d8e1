"""What every script shares: its log file, its process, and errors that are meant for a person.

A script `NAME.py` has a function `main(job)`, where `job` has `input`, `output`, `params`,
`wildcards` and `log` as Snakemake's own `snakemake` object has. It can be imported and tested
without Snakemake, and runs

- in one of the processes that a run keeps for its jobs (`run: here("NAME", ...)`): what it imports
  is imported once, not by every job;
- or in a process of its own (`script:`), and then ends with

    if "snakemake" in globals():
        script(main, snakemake)
"""

import atexit
import importlib
import logging
import os
import pickle
import subprocess
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import SimpleNamespace

from mirimask.errors import MaskError


class Named(list):
    """A list, some items of which have names too: Snakemake's, without Snakemake."""

    def __init__(self, items, names):
        super().__init__(map(_plain, items))
        self.__dict__.update((name, _plain(item)) for name, item in names)

    def __getitem__(self, key):
        return self.__dict__[key] if isinstance(key, str) else super().__getitem__(key)

    def keys(self):
        return self.__dict__.keys()

    def items(self):
        return self.__dict__.items()

    def get(self, name, default=None):
        return self.__dict__.get(name, default)


def _plain(value):
    """Without the types of Snakemake's own, which a process would have to import Snakemake for."""
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "_names"):
        return Named(value, value.items())
    return value


class Workers:
    """The processes that a run keeps for its jobs: as many as there were jobs at a time."""

    def __init__(self):
        self.idle = SimpleQueue()

    def run(self, script, parts):
        """`main` of a script in one of the processes; raises what it raises."""
        job = pickle.dumps((script, {name: _plain(part) for name, part in parts.items()}))
        try:
            process = self.idle.get_nowait()
        except Empty:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", "import job; job.serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            atexit.register(_end, process)
        try:
            process.stdin.write(job)
            process.stdin.flush()
            error = pickle.load(process.stdout)
        except (EOFError, BrokenPipeError):
            raise RuntimeError(f"{script}: its process ended with {process.wait()}") from None
        self.idle.put(process)
        if error:
            raise error[0](error[1])


def _end(process):
    with suppress(OSError):  # of one that has died
        process.stdin.close()  # it ends where its input does
    process.wait()


def serve():
    """Run the jobs that come through standard input until it ends, with answers to its output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            pickle.dump(_answer(*pickle.load(sys.stdin.buffer)), answers)
            answers.flush()


def _answer(script, job):
    """The exception, as class and message, that a script's main ended with; or None."""
    try:
        logged(importlib.import_module(script).main, SimpleNamespace(**job))
    except MaskError as error:
        return MaskError, str(error)
    except Exception:
        return RuntimeError, f"{script}:\n{traceback.format_exc()}"
    return None


def logged(main, job):
    """Call `main(job)` with the messages of the library's loggers going to the job's log file."""
    log = Path(str(job.log[0]))
    log.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(log, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger = logging.getLogger("mirimask")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        main(job)
    except MaskError as error:
        logger.error("%s", error)
        raise
    finally:
        logger.removeHandler(handler)
        handler.close()


def script(main, job):
    """`logged` for a process of its own: a MaskError is shown alone, with exit status 1."""
    try:
        logged(main, job)
    except MaskError as error:
        sys.exit(f"error: {error}")
