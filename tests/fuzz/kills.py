"""Runs that are killed, and resumed: the bytes of an undisturbed run, and nothing left over.

    python tests/fuzz/kills.py --count 20 --seed 1

A study of one small image is run, gets a signal (KILL, TERM or INT; the run itself or one of its
processes) after a share of the time that an undisturbed run takes, is unlocked where it asks for
it, and run again.
"""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from functools import partial
from pathlib import Path

import harness
import numpy as np
from harness import Case, Failed, demand

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import SNAKEMAKE, Study, make_image

MARK = "MIRIMASK_FUZZ_RUN"
TARGETS = (
    *("tables/table3.md", "figures/figure4/A.png", "catalogue/A/value_1.ecsv"),
    *("regions/A/value_1.reg", "labels/A/segmentation.fits", "masks/A/recommended.fits"),
)
LONG = 240.0  # seconds; an undisturbed run takes about ten
LEAVE = 15.0  # seconds in which all processes of a run that got a signal must be gone
# files that tell of a run, or of the dates of a folder's files, not of the image
OF_THE_RUN = ("logs", "benchmarks", ".snakemake", "inputs.json", "own_images.json")


def start(mark: str, *options: str) -> subprocess.Popen:
    """Start Snakemake in this folder; its processes are known by `mark` in their environment."""
    command = [*SNAKEMAKE, "--cores", "2", "--configfile", "study.yaml"]
    targets = [f"results/small/{target}" for target in TARGETS]
    with open("run.txt", "ab") as log:
        return subprocess.Popen(
            [*command, *options, "--", *targets],
            env=os.environ | {MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def processes(mark: str) -> list[int]:
    """All that a run has started, by /proc; they keep its environment wherever they belong to."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            dead = (place / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
            if not dead and wanted in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


def ended(run: subprocess.Popen, mark: str, seconds: float, what: str) -> int:
    """The exit status of a run; Failed where it or one of its processes is still there."""
    try:
        status = run.wait(seconds)
    except subprocess.TimeoutExpired:
        _clear(mark)
        raise Failed("hang", f"{what} was not done after {seconds:g} s") from None
    end = time.monotonic() + LEAVE
    while processes(mark):
        if time.monotonic() > end:
            count = len(processes(mark))
            _clear(mark)
            raise Failed("wrong", f"{count} processes left {LEAVE:g} s after {what}")
        time.sleep(0.1)
    return status


def _clear(mark: str) -> None:
    for pid in processes(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def make_study() -> None:
    study = Study(Path.cwd())
    study.images = [make_image(Path.cwd(), "A", seed=1)]
    study.config["methods"] = ["value_1", "derivative_4.6", "segmentation", "recommended"]
    study.write()


def contents() -> dict[str, str]:
    """The SHA-256 of every file of the results that is of the image."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path("results").rglob("*"))
        if path.is_file() and not set(path.parts) & set(OF_THE_RUN)
    }


def undisturbed() -> tuple[dict[str, str], float]:
    """The files of a run that nothing happens to, and its seconds."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        before = Path.cwd()
        os.chdir(folder)
        try:
            make_study()
            began, mark = time.monotonic(), uuid.uuid4().hex
            run = start(mark)
            status = ended(run, mark, LONG, "an undisturbed run")
            took = time.monotonic() - began
            if status:
                raise SystemExit(f"error: the study itself fails:\n{Path('run.txt').read_text()}")
            return contents(), took
        finally:
            os.chdir(before)


def _target(run: subprocess.Popen, mark: str, which: str, rng: np.random.Generator) -> int:
    """The run, or one of the processes that it has started; the run where there is none."""
    others = [pid for pid in processes(mark) if pid != run.pid]
    return int(rng.choice(others)) if which == "a process of it" and others else run.pid


def killed(
    which: str, name: str, share: float, draw: int, expected: dict[str, str], seconds: float
) -> tuple[str, str]:
    make_study()
    mark = uuid.uuid4().hex
    run = start(mark)
    with suppress(subprocess.TimeoutExpired):
        run.wait(share * seconds)
    if run.poll() is None:
        number = signal.Signals[f"SIG{name}"]
        with suppress(ProcessLookupError):
            if which == "all of it":  # as Ctrl-C does
                os.killpg(run.pid, number)
            else:
                pid = _target(run, mark, which, np.random.default_rng(draw))
                which = which if pid != run.pid else "the run"
                os.kill(pid, number)
    what = f"{name} to {which}"
    status = ended(run, mark, LONG, what)
    text = Path("run.txt").read_text(errors="replace")
    if not (name == "KILL" and which != "a process of it") and status:
        demand("Traceback (most recent call last)" not in text, f"a traceback after {what}")
        # one that ended by the signal before Snakemake was there: the shell says it
        demand(text.strip() or status < 0, f"nothing was said after {what}")
    resume()
    found = contents()
    left = [
        str(p) for p in Path("results").rglob("*") if "partial" in p.name or p.suffix == ".part"
    ]
    demand(not left, f"left over after {what}: {_ending(left)}")
    demand(
        not set(expected) - set(found),
        f"not made after {what}: {_ending(set(expected) - set(found))}",
    )
    demand(
        not set(found) - set(expected),
        f"left over after {what}: {_ending(set(found) - set(expected))}",
    )
    other = [path for path in expected if found[path] != expected[path]]
    demand(not other, f"other bytes after {what}: {_ending(other)}")
    return "ok", ""


def _ending(paths) -> str:
    return min(paths, default="").removeprefix("results/small/")


def resume() -> None:
    """Run again, unlocked where the run says that it is locked."""
    for unlocked in (False, True):
        mark = uuid.uuid4().hex
        before = Path("run.txt").stat().st_size
        status = ended(start(mark, "--rerun-incomplete"), mark, LONG, "the run that resumes")
        text = Path("run.txt").read_text(errors="replace")[before:]
        if status == 0:
            return
        demand(not unlocked and "lock" in text.lower(), "the run that resumes fails")
        demand("--unlock" in text, "it is locked, and does not say what to do")
        mark = uuid.uuid4().hex
        demand(ended(start(mark, "--unlock"), mark, LONG, "--unlock") == 0, "--unlock fails")


def choose(count: int, seed: int, expected: dict[str, str], seconds: float) -> list[Case]:
    """Moments spread over the run, each with a signal to one or the other."""
    rng = np.random.default_rng(seed)
    ways = [
        (which, name)
        for name in ("KILL", "TERM", "INT")
        for which in ("the run", "a process of it", "all of it")
    ]
    chosen = []
    for number, way in enumerate(rng.permutation(count)):
        which, name = ways[number % len(ways)]
        share = float((way + rng.random()) / count)
        draw = int(rng.integers(2**31))
        chosen.append(
            Case(
                f"{name} to {which} after {100 * share:.0f} % of the time",
                partial(killed, which, name, share, draw, expected, seconds),
            )
        )
    return chosen


def main() -> int:
    options = harness.arguments("kills", __doc__.split("\n")[0], count=20, limit=4 * LONG)
    harness.MEMORY = resource.RLIM_INFINITY
    expected, seconds = ({}, 0.0) if options.list else undisturbed()
    if not options.list:
        print(f"an undisturbed run: {len(expected)} files, {seconds:.0f} s", flush=True)
    return harness.run(choose(options.count, options.seed, expected, seconds), options)


if __name__ == "__main__":
    sys.exit(main())
