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
import errno
import importlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import wraps
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace

from mirimask.atomic import disk_fault, partial_path, write_text
from mirimask.errors import DamagedFile, MaskError

AGAIN = "The same command again goes on from here"
# What only the machine can be blamed for, and what to do about it.
MACHINE = {
    errno.ENOSPC: f"Free some disk space. {AGAIN}.",
    errno.EDQUOT: f"Free some of your disk space. {AGAIN}.",
    errno.EFBIG: f"Its disk, or ulimit -f, allows no file so large. {AGAIN}.",
    errno.EROFS: "Run the study in a folder that can be written to.",
    errno.EACCES: "See who may read and write there.",
    errno.EPERM: "See who may read and write there.",
    errno.EEXIST: "Move it away: a folder has to be there.",
    errno.ENOTDIR: "Move away the file that stands where a folder has to be.",
    errno.EIO: "The disk, or the network that it is on, fails.",
}
# What most jobs need is imported by worker.py, once, in the server that the processes are forks of.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["worker"])
# multiprocessing runs the file of a command, as that of `snakemake`, again in each process, which
# would import all of Snakemake. It leaves a `__main__` alone that has the name of `python -m`'s.
MAIN = sys.modules["__main__"]
MAIN.__spec__ = MAIN.__spec__ or ModuleSpec("__main__", None)


class Workers:
    """The processes that a run keeps for its jobs: as many as there were jobs at a time.

    Each is a pool of its own, so that one that dies takes no other's job with it. The first job
    starts the first of them; they end with the run.
    """

    def __init__(self):
        self.idle = []

    def run(self, script, parts):
        """`main` of a script in one of the processes; raises what it raises."""
        job = {name: _plain(part) for name, part in parts.items()}
        try:
            pool, process = self.idle.pop()
        except IndexError:
            pool, process = _start()
        try:
            error = pool.submit(_work, script, job).exception()
        except BrokenProcessPool:  # it died while it had nothing to do
            return self.run(script, parts)
        if isinstance(error, BrokenProcessPool):
            pool.shutdown()  # it has waited for the process: its exit code is known
            for path in job["output"]:
                partial_path(path, process.pid).unlink(missing_ok=True)
            what = " ".join([script, *job.get("wildcards", [])])
            raise MaskError(f"{what}: its process {_how_it_ended(process.exitcode)}")
        self.idle.append((pool, process))
        if error:
            raise error from None
        return None


def _start():
    """A pool of one new process, and that process."""
    pool = ProcessPoolExecutor(1, mp_context=CONTEXT, initializer=_begin)
    try:
        pid, server = pool.submit(_who).result()
        (process,) = (child for child in multiprocessing.active_children() if child.pid == pid)
    except (BrokenProcessPool, OSError, EOFError, ValueError) as error:
        raise MaskError(
            f"no process can be started for the jobs of a run ({type(error).__name__}: {error}). "
            f"Where memory is short, fewer --cores need less. {AGAIN}."
        ) from None
    atexit.register(_end, server)
    return pool, process


def _begin():
    """First of all in a process of the run: it ends with the run, and removes unfinished files."""
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_follow, daemon=True).start()


def _stop(*_):
    sys.exit(128 + signal.SIGTERM)


def _follow():
    multiprocessing.parent_process().join()
    os.kill(os.getpid(), signal.SIGTERM)


def _who():
    return os.getpid(), os.getppid()


def _end(server):
    """End the server, whose processes have ended, and wait for it: so its time is the run's."""
    with suppress(ProcessLookupError, ChildProcessError):  # it is ended once
        os.kill(server, signal.SIGTERM)
        os.waitpid(server, 0)


def _work(script, job):
    """In a process of the run: `main` of a script; any exception as one that can be sent."""
    try:
        logged(importlib.import_module(script).main, SimpleNamespace(**job))
    except SystemExit as stopped:  # unfinished files have been removed
        os._exit(stopped.code)
    except MaskError as error:
        raise MaskError(str(error)) from None
    except Exception:
        raise RuntimeError(f"{script}:\n{traceback.format_exc()}") from None


def _how_it_ended(code):
    """The truth about a process that has ended, from its exit code."""
    number = -code if code < 0 else code - 128
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"ended with exit code {code}. {AGAIN}."
    if name == "SIGKILL":
        return (
            "was ended by SIGKILL: by the system, where memory was short, or by someone (kill -9). "
            f"{AGAIN}; fewer --cores need less memory."
        )
    return f"was ended by {name}. {AGAIN}."


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


def logged(main, job):
    """Call `main(job)` with the messages of the library's loggers going to the job's log file.

    MaskError, in one sentence, where the machine is to blame: a full disk, no memory, a folder that
    cannot be written to.
    """
    logging.raiseExceptions = False  # a full disk is said once, not for each message too
    logger = logging.getLogger("mirimask")
    handler = logging.NullHandler()
    try:
        log = Path(str(job.log[0]))
        log.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(log, mode="w", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        main(job)
    except Exception as error:
        told = error if isinstance(error, MaskError) else _blame(error, job)
        if told is None:
            raise
        logger.error("%s", told)
        raise told from None
    finally:
        logger.removeHandler(handler)
        with suppress(OSError):
            handler.close()


def _blame(error, job):
    """The MaskError for an error that is the machine's; None for a mistake."""
    if isinstance(error, MemoryError):
        return MaskError(f"{job.output[0]}: there is too little memory; fewer --cores need less.")
    while isinstance(error, OSError):  # libraries raise their own from the system's
        number = disk_fault(error) or error.errno
        if number in MACHINE:
            path = error.filename or job.output[0]
            return MaskError(f"{path}: {os.strerror(number)}. {MACHINE[number]}")
        error = error.__cause__ or error.__context__
    return None


def _quiet(kind, error, trace):
    """Ctrl-C while a script's process still imports is no fault to be shown."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _quiet


def script(main, job):
    """`logged` for a process of its own: a MaskError is shown alone, with exit status 1."""
    signal.signal(signal.SIGTERM, _stop)  # so that unfinished files are removed
    try:
        logged(main, job)
    except MaskError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


### what scripts share #############################################################################


def or_why_not(write_reason):
    """For the main of a script that measures one image: a table that says why will do.

    Where it cannot be measured (too small for an added star, say), the other images' report must
    not be lost with it. `write_reason` is that of mirimask.table_files.
    """

    def measuring(main):
        @wraps(main)
        def measured(job):
            try:
                main(job)
            except DamagedFile:  # says nothing of the image
                raise
            except MaskError as error:
                image = job.wildcards.image
                logger = logging.getLogger("mirimask.job")
                logger.warning("%s is left out of this measure: %s", image, error)
                write_reason(job.output.csv, image, str(error))

        return measured

    return measuring


def count_failure(counter):
    """Count a download that failed and is worth another try.

    The number is a parameter of the rule that fetches (study.failed_before): the next run tries.
    """
    path = Path(counter)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = int(path.read_text()) if path.exists() else 0
    write_text(path, f"{before + 1}\n")


def any_simulated(paths):
    """Whether any of the images' statistics is of a simulated one."""
    return any(_simulated(paths).values())


def _simulated(paths):
    from mirimask.table_files import read_json

    return {Path(path).stem: read_json(path)["simulated"] for path in paths}


def with_simulated(table, paths):
    """A table with the column `simulated`: an image's own; of all images, whether any is."""
    own = _simulated(paths)
    every = any(own.values())
    images = table["image"] if "image" in table else [""] * len(table)
    return table.assign(simulated=[own.get(image, every) for image in images])


def method_options(params):
    """Level and settings of methods by their names, as the library wants them."""
    options = {"segmentation": {"settings": dict(params.segmentation)}}
    return {**params.get("detectors", {}), **options}


def scene_files(job):
    """Each image of a job on all images, with the files that its scene is read from."""
    truths = dict(zip(job.params.with_truth, job.input.truths, strict=True))
    files = zip(job.params.images, job.input.frames, job.input.peaks, job.input.psfs, strict=True)
    for image, frame, peaks, psf in files:
        yield image, {"frame": frame, "peaks": peaks, "psf": psf, "truth": truths.get(image)}
