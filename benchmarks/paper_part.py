"""What Snakemake costs: the paper part of the simulated study beside one plain Python process.

    python benchmarks/paper_part.py

From the archive files to Tables 1 to 3 and Figures 1 to 5, through Snakemake on two cores and on
one, and by `plain_study.py`, one process with the same library; what they write is compared byte
for byte. Then one percentage is changed, and then nothing. All runs are of the same archive in a
temporary folder; the shortest of `--repeats` runs in turn counts. Processor time is that of every
process of a run: what it started, it has waited for when it ends.
"""

import argparse
import csv
import filecmp
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from measured import ROOT, SNAKEMAKE, record, simulated_archive

from mirimask.sources.catalogue import catalogue_settings  # isort: skip

MADE = (
    *("frame", "statistics", "gradient", "sources", "peaks", "masks", "verdicts", "spots"),
    *("tables", "figures", "manifest.tsv"),
)
OLD, NEW = "derivative_10", "derivative_9"  # the percentage that is changed


def settings(changed: bool) -> dict:
    """The study's configuration as the workflow sees it, with one percentage changed or not."""
    from snakemake.utils import update_config, validate

    config: dict = {}
    for name in ("config", "detectors", "simulated"):
        update_config(config, yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    validate(config, str(ROOT / "workflow" / "schemas" / "config.schema.yaml"))
    config["catalogue"] = catalogue_settings(config["catalogue"], ask=False)
    if changed:
        config["methods"] = [NEW if name == OLD else name for name in config["methods"]]
        config["figures"]["figure5"] = [
            NEW if name == OLD else name for name in config["figures"]["figure5"]
        ]
    return config


class Study:
    """The simulated study in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results = folder, folder / "results" / "simulated"
        shutil.copytree(ROOT / "config", folder / "config")
        for name in ("archive", "simulation"):
            shutil.copytree(simulated_archive() / name, self.results / name)
        self.images = sorted(path.parent.name for path in self.results.glob("archive/*/i2d.fits"))
        self.targets = [
            *(f"tables/table{n}.{form}" for n in (1, 2, 3) for form in ("csv", "md", "tex")),
            *(
                f"figures/{name}.{form}"
                for form in ("png", "pdf")
                for name in (
                    *(f"figure{n}" for n in (1, 2, 3)),
                    *(f"figure{n}/{image}" for n in (4, 5) for image in self.images),
                )
            ),
        ]
        # what was copied counts as made by this workflow
        self.snakemake("--touch", "--", "simulated_archive")

    def snakemake(self, *options: str, cores: int = 2, config: Path | None = None) -> str:
        files = ["config/simulated.yaml", *([str(config)] if config else [])]
        done = subprocess.run(
            [
                *(*SNAKEMAKE, "--snakefile", str(ROOT / "Snakefile"), "--cores", str(cores)),
                *("--workflow-profile", str(ROOT / "profiles" / "default")),
                *("--configfile", *files, *options),
            ],
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            sys.exit(f"{done.stdout}\nerror: snakemake ended with {done.returncode}")
        return done.stdout

    def paper_part(self, *options: str, cores: int = 2, config: Path | None = None) -> str:
        targets = [f"results/simulated/{name}" for name in self.targets]
        return self.snakemake(*options, "--", *targets, cores=cores, config=config)

    def clear(self) -> None:
        for name in MADE:
            path = self.results / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def plain(self, out: Path, config: Path, only: list[str] | None = None) -> dict[str, float]:
        """Run the plain process; the seconds of each of its parts, and `wall` from outside."""
        command = [sys.executable, str(ROOT / "benchmarks" / "plain_study.py")]
        command += [str(self.results / "archive"), str(out), "--config", str(config)]
        if only is not None:
            (self.folder / "only.txt").write_text("\n".join(only))
            command += ["--only", str(self.folder / "only.txt")]
        start = time.perf_counter()
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True)
        wall = time.perf_counter() - start
        parts = {name: float(seconds) for name, _, seconds in csv.reader(done.stdout.splitlines())}
        return parts | {"wall": wall}

    def differing(self, out: Path) -> tuple[int, list[str]]:
        """How many files the plain process wrote, and those that Snakemake's are unlike."""
        files = [path.relative_to(out) for path in out.rglob("*") if path.is_file()]
        _, unlike, absent = filecmp.cmpfiles(out, self.results, map(str, files), shallow=False)
        return len(files), sorted(unlike + absent)


def measured(function) -> tuple[float, float]:
    """Wall and processor seconds of what a function starts."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    function()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, sum(getattr(after, k) - getattr(before, k) for k in ("ru_utime", "ru_stime"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config, changed = folder / "plain.yaml", folder / "changed.yaml"
        config.write_text(yaml.safe_dump(settings(False)))
        new = settings(True)
        changed.write_text(yaml.safe_dump(new))
        overlay = folder / "overlay.yaml"
        overlay.write_text(
            yaml.safe_dump(
                {"methods": new["methods"], "figures": {"figure5": new["figures"]["figure5"]}}
            )
        )
        study, out = Study(folder / "study"), folder / "plain"
        runs: dict[str, list[tuple[float, float]]] = {"plain": [], "2 cores": [], "1 core": []}
        for _ in range(repeats):
            shutil.rmtree(out, ignore_errors=True)
            runs["plain"].append(measured(lambda: study.plain(out, config)))
            for cores in (1, 2):
                study.clear()
                runs["1 core" if cores == 1 else "2 cores"].append(
                    measured(lambda cores=cores: study.paper_part(cores=cores))
                )
        count, wrong = study.differing(out)
        if wrong:
            sys.exit(f"error: {len(wrong)} of {count} files differ: {', '.join(wrong[:5])}")
        rows = []
        plain, plain_cpu = map(min, zip(*runs["plain"], strict=True))
        for cores, bar in (("2 cores", 1.3), ("1 core", None)):
            wall, cpu = map(min, zip(*runs[cores], strict=True))
            rows.append(
                {
                    "what": f"paper part through Snakemake on {cores}, over one Python process",
                    "bar": f"<= {bar}" if bar else "",
                    "figure": f"{wall / plain:.2f}",
                    "reached": wall / plain <= bar if bar else None,
                    "how": f"{wall:.1f} s against {plain:.1f} s (processor time {cpu:.1f} s and "
                    f"{plain_cpu:.1f} s); {count} files, all byte for byte the same",
                }
            )
        nothing = min(measured(study.paper_part)[0] for _ in range(5))
        version = min(
            measured(lambda: subprocess.run([*SNAKEMAKE, "--version"], capture_output=True))[0]
            for _ in range(5)
        )
        bar = 1.5 * version + 1.5
        rows.append(
            {
                "what": "nothing to do",
                "bar": "<= 1.5 x `snakemake --version` + 1.5 s",
                "figure": f"{nothing:.2f} s",
                "reached": nothing <= bar,
                "how": f"`snakemake --version` {version:.2f} s: at most {bar:.2f} s",
            }
        )
        rows.append(one_percentage(study, folder, overlay, changed, repeats))
    record("paper_part", rows)


def one_percentage(study: Study, folder: Path, overlay: Path, changed: Path, repeats: int) -> dict:
    """The row on a changed percentage: wall time beyond its jobs' own, spread over two cores."""
    saved, out = folder / "saved", folder / "plain_changed"
    shutil.copytree(study.results, saved)
    walls, owns = [], []
    for repeat in range(repeats):
        if repeat:
            study.paper_part()  # back to what it was
        before = stamps(study.results)
        start = time.perf_counter()
        output = study.paper_part(config=overlay)
        walls.append(time.perf_counter() - start)
        ran = sum(line.startswith("[") and " %" in line for line in output.splitlines())
        written = sorted(
            name for name, at in stamps(study.results).items() if before.get(name) != at
        )
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(saved, out, ignore=shutil.ignore_patterns("archive", "simulation", "logs"))
        parts = study.plain(out, changed, only=written)
        owns.append(sum(parts[key] for key in parts if key not in ("imports", "total", "wall")))
        imports = parts["imports"]
        for name in written:
            if (out / name).read_bytes() != (study.results / name).read_bytes():
                sys.exit(f"error: {name} differs from the plain process's")
        for name in written:  # the next repeat makes them again
            (study.results / name).unlink()
    wall, own = min(walls), min(owns)
    return {
        "what": f"one percentage changed ({OLD} to {NEW}), figures included: beyond its jobs' time",
        "bar": "<= 4 s",
        "figure": f"{wall - own / 2:.2f} s",
        "reached": wall - own / 2 <= 4,
        "how": f"{ran} jobs, {wall:.1f} s on two cores; the same jobs in one process {own:.1f} s "
        f"without its {imports:.1f} s of imports, half of which each core has",
    }


def stamps(folder: Path) -> dict[str, int]:
    """Time of last change (ns) of what the paper part makes, by name."""
    return {
        str(path.relative_to(folder)): os.stat(path).st_mtime_ns
        for name in MADE
        for path in (folder / name).rglob("*")
        if path.is_file()
    }


if __name__ == "__main__":
    main()
