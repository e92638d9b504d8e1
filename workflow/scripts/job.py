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
    """The processes that a run keeps for its jobs: as many as there were jobs at a time.

    `number` of them are started at once, before there is a job, and import the scripts that are
    named: they do so while Snakemake builds its graph, on a core that would do nothing.
    """

    def __init__(self, number=0, scripts=()):
        self.idle = SimpleQueue()
        if number:
            for worker in _start(number, scripts):
                self.idle.put(worker)

    def run(self, script, parts):
        """`main` of a script in one of the processes; raises what it raises."""
        job = pickle.dumps((script, {name: _plain(part) for name, part in parts.items()}))
        try:
            worker = self.idle.get_nowait()
        except Empty:
            (worker,) = _start(1)
        jobs, answers = worker
        try:
            jobs.write(job)
            jobs.flush()
            error = pickle.load(answers)
        except (EOFError, BrokenPipeError):
            raise RuntimeError(
                f"{script}: its process was ended, as one without memory is"
            ) from None
        self.idle.put(worker)
        if error:
            raise error[0](error[1])


def _start(number, scripts=()):
    """The pipes for jobs and for answers of new processes, forks of one that has the imports."""
    if sys.platform != "linux":
        number = 1  # elsewhere a fork is not safe after the imports; the others follow when needed
    ends = [(*os.pipe(), *os.pipe()) for _ in range(number)]
    theirs = [(jobs, answers) for jobs, _, _, answers in ends]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", f"import job; job.serve({theirs}, {list(scripts)})"],
        stdin=subprocess.DEVNULL,
        stdout=2,  # what a library prints is no answer
        pass_fds=sum(theirs, ()),
    )
    for end in sum(theirs, ()):
        os.close(end)
    workers = [(os.fdopen(jobs, "wb"), os.fdopen(answers, "rb")) for _, jobs, answers, _ in ends]
    atexit.register(_end, process, workers)
    return workers


def _end(process, workers):
    for jobs, _ in workers:
        with suppress(OSError):  # of one that has died
            jobs.close()  # a process ends where its jobs do
    process.terminate()  # it may still be importing for a run that had nothing to do
    process.wait()


def serve(pipes, scripts=()):
    """Import scripts; then, in a process for each pair of pipes, run the jobs until they end."""
    for name in scripts:
        with suppress(Exception, KeyboardInterrupt):  # the job that needs it will say so
            importlib.import_module(name)
    own = next((pair for pair in pipes[1:] if not os.fork()), pipes[0])
    for end in set(sum(pipes, ())) - set(own):
        os.close(end)
    jobs, answers = os.fdopen(own[0], "rb"), os.fdopen(own[1], "wb")
    with suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        while True:
            pickle.dump(_answer(*pickle.load(jobs)), answers)
            answers.flush()
    sys.stdout.flush()
    os._exit(0)  # all is written and closed: to take down what was imported takes 0.3 s


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
