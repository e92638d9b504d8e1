"""Write benchmarks/results.md from the tables that the benchmarks left in benchmarks/results/.

    python benchmarks/write_results.py

`make bench` runs the benchmarks, then this.
"""

import argparse
import csv
import datetime
import os
import platform
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
TABLES = (
    *("paper_part", "six_masks", "time_recommended", "time_verdicts", "mosaic", "many_images"),
    *("study", "job_memory", "scaling_bars"),
)
PACKAGES = (
    *("snakemake", "numpy", "scipy", "astropy", "photutils", "pandas", "matplotlib", "sep"),
)


def machine() -> str:
    """Processor, cores, memory, system and Python."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{model or platform.machine()}, {cores} cores, {memory:.0f} GB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}"
    )


def cell(text: str) -> str:
    return text.replace("|", "&#124;")


def table(path: Path) -> list[str]:
    """A CSV as a Markdown table."""
    with open(path, newline="") as file:
        head, *rows = csv.reader(file)
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return lines + ["| " + " | ".join(map(cell, row)) + " |" for row in rows]


def main() -> None:
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    lines = [
        "# Benchmarks: results",
        "",
        "**SIMULATED images.** Written by `make bench`; every ratio is of one run of one command,",
        "both sides in turn.",
        "",
        f"- Machine: {machine()}",
        "- Packages: " + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        f"- Written on {datetime.date.today()}, load {load}; the commit measured is under How",
        "",
        "| what | before | bar | figure | |",
        "|---|---|---|---|---|",
    ]
    details = []
    for name in TABLES:
        path, script = RESULTS / f"{name}.csv", name.removesuffix("_bars")
        if not path.exists():
            lines.append(f"| `{script}.py` | | | not measured | |")
            continue
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                keys = ("what", "before", "bar", "figure", "reached")
                shown = [cell(row.get(key, "")) for key in keys]
                lines.append(f"| {' | '.join(shown)} |")
                details.append(
                    f"- **{row['what']}** (`{script}.py`, {row['commit']}): {row['how']}."
                )
    lines += ["", "## How", "", *details]
    scaling = RESULTS / "scaling.csv"
    if scaling.exists():
        picture = "![Wall time of an image in studies of 7, 70 and 700](results/scaling.png)"
        lines += ["", "## 7, 70 and 700 images (`scaling.py`)", "", *table(scaling), "", picture]
    (ROOT / "benchmarks" / "results.md").write_text("\n".join(lines) + "\n")
    print("benchmarks/results.md")


if __name__ == "__main__":
    main()
