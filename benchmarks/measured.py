"""What the benchmarks share: the simulated archive, timing in turn, and a table of bars each."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# One thread a process, as in the workflow's jobs: set before numpy is imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
STUDY = ROOT / "results" / "simulated"
COLUMNS = ("what", "before", "bar", "figure", "reached", "how", "commit")
SNAKEMAKE = (str(Path(sys.executable).parent / "snakemake"),)  # as users start it
sys.path.insert(0, str(ROOT / "workflow"))


def simulated_archive() -> Path:
    """The folder of the SIMULATED study with its archive, made by the workflow where it is not."""
    subprocess.run(
        [
            *(*SNAKEMAKE, "--cores", "2", "--quiet", "all", "--configfile"),
            *("config/simulated.yaml", "--", "simulated_archive"),
        ],
        cwd=ROOT,
        check=True,
    )
    return STUDY


def best(functions: Sequence[Callable[[], object]], *, seconds: float) -> list[float]:
    """Shortest processor time of each function (s), called in turn for `seconds` altogether.

    One thread works, so that this is the wall time of an idle machine; in turn, so that other load
    hits all alike. At least five times.
    """
    shortest, start, rounds = [float("inf")] * len(functions), time.perf_counter(), 0
    while rounds < 5 or time.perf_counter() - start < seconds:
        for i, function in enumerate(functions):
            begin = time.process_time()
            function()
            shortest[i] = min(shortest[i], time.process_time() - begin)
        rounds += 1
    return shortest


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()


def record(name: str, rows: Sequence[dict[str, object]]) -> None:
    """Print rows and write them to benchmarks/results/<name>.csv.

    Each row has `bar` (what must be), `figure` (what is), `reached` (bool, or None where a row has
    no bar of its own) and `how` (what the figure is made of); and, where it is known, `before`:
    what it was before what the bar is for was done. The commit is written with each row, and
    whether anything but results had changed since.
    """
    commit = _git("describe", "--always") or "no commit"
    if _git("status", "--porcelain", "--untracked-files=no", ".", ":!benchmarks/results*"):
        commit += " with changes"
    RESULTS.mkdir(parents=True, exist_ok=True)
    with open(RESULTS / f"{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            reached = {None: "", True: "reached", False: "MISSED"}[row["reached"]]
            writer.writerow({"before": "", **row, "reached": reached, "commit": commit})
            print(f"{row['what']}: {row['figure']} {reached} ({row['bar']}; {row['how']})")
