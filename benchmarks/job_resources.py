"""Time and memory of the jobs of a study: what the profiles for a cluster ask for.

    python benchmarks/job_resources.py [Img7]

runs the simulated study of the images named (of one with most sources if none is) into a temporary
folder. Then it runs one job of every rule and image again, each in a Snakemake of its own as a
cluster would, and all jobs of an image, and of the study as a whole, one after the other on one
core as a group of jobs. Prints the largest figures of each rule (wall and processor
time with the start of Snakemake; memory: the sum of resident memory over Snakemake and what it
starts) and writes them to benchmarks/results/job_resources.csv.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import pandas as pd
import psutil
import yaml

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "benchmarks" / "results" / "job_resources.csv"
EVERY_S = 0.02
SETTINGS = ["--workflow-profile", "none", "--configfile", "study.yaml"]


def study(folder: Path, images: list[str]) -> None:
    """The simulated study of some images, run to its end in `folder`."""
    for name in ("Snakefile", "workflow", "config", "envs", "profiles"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    settings = yaml.safe_load((ROOT / "config" / "simulated.yaml").read_text())
    rows = (ROOT / "config" / "images.tsv").read_text().splitlines()
    chosen = [row for row in rows[1:] if row.split("\t")[0] in images]
    (folder / "images.tsv").write_text("\n".join([rows[0], *chosen]) + "\n")
    (folder / "study.yaml").write_text(yaml.safe_dump(settings | {"images": "images.tsv"}))
    measured(folder, "--cores", str(os.cpu_count()), "--configfile", "study.yaml")


def measured(folder: Path, *options: str) -> dict[str, float]:
    """Run Snakemake in `folder`; its wall and processor seconds and its peak memory in MB."""
    start = time.monotonic()
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--quiet", "all", *options], cwd=folder
    )
    top, peak = psutil.Process(run.pid), 0
    while True:
        ended, status, used = os.wait4(run.pid, os.WNOHANG)
        if ended:
            break
        total = 0
        for process in [top, *top.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak = max(peak, total)
        time.sleep(EVERY_S)
    wall = time.monotonic() - start
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        sys.exit(f"error: snakemake {' '.join(options)} ended with status {run.returncode}")
    return {
        "wall_s": wall,
        "cpu_s": used.ru_utime + used.ru_stime,
        "memory_mb": max(peak, used.ru_maxrss * 1024) / 1e6,
    }


def outputs(folder: Path) -> list[tuple[str, str]]:
    """Every output file of the study with its rule."""
    lines = subprocess.run(
        [sys.executable, "-m", "snakemake", *SETTINGS, "--cores", "1", "--summary"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    header, *rows = (line.split("\t") for line in lines)
    columns = header.index("output_file"), header.index("rule")
    return [(row[columns[0]], row[columns[1]]) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("images", nargs="*", default=["Img7"], help="of the simulated study")
    images: list[str] = parser.parse_args().images
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        study(folder, images)
        jobs: dict[tuple[str, str], str] = {}
        groups: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for path, rule in outputs(folder):
            image = next((i for i in images if re.search(rf"\b{re.escape(i)}\b", path)), "")
            jobs[rule, image] = path  # one of them: the last
            if rule != "make_psf":
                groups[image]["rules"].add(rule)
                groups[image]["files"].add(path)
        one_core = ["--cores", "1", "--nolock", *SETTINGS]
        for (rule, image), path in sorted(jobs.items()):
            alone = [*one_core, "--force-use-threads", "--force"]  # a group of jobs has no threads
            own = measured(folder, *alone, "--allowed-rules", rule, "--", path)
            found.append({"job": rule, "of": "image" if image else "study", **own})
        for image, group in sorted(groups.items()):
            rules, files = sorted(group["rules"]), sorted(group["files"])
            own = measured(folder, *one_core, "--forceall", "--allowed-rules", *rules, "--", *files)
            found.append({"job": "all jobs", "of": "image" if image else "study", **own})
    table = pd.DataFrame(found).groupby(["of", "job"], as_index=False).max()
    table = table.round({"wall_s": 1, "cpu_s": 1, "memory_mb": 0})
    TABLE.parent.mkdir(exist_ok=True)
    table.to_csv(TABLE, index=False)
    print(f"simulated images {', '.join(images)}")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
