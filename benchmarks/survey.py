"""A survey of 200 products from a server that speaks MAST's protocol, and once more without it.

    python benchmarks/survey.py

serves 200 small SIMULATED products (96 x 78 pixels; a truncated one, one without SCI, one all NaN,
one of another filter among them), runs config/survey.example.yaml on them, and prints seconds,
what was asked of the server, and what the summary says. The products are small, so that the time
is that of the workflow and of four failures, with the pauses between their tries.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from measured import ROOT, SNAKEMAKE

sys.path.insert(0, str(ROOT / "tests"))

from archive.server import serve
from archive.test_survey import make_products


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--products", type=int, default=200)
    parser.add_argument("--cores", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = yaml.safe_load((ROOT / "config" / "survey.example.yaml").read_text())
        config["study"], config["survey"]["program"] = "survey", "9001"
        config["images"] = str(ROOT / "config" / "images.tsv")
        with serve(
            folder / "served", make_products(folder / "served", options.products), survey=True
        ) as served:
            config["archive"] = {"mast_server": served.mast_url}
            (folder / "study.yaml").write_text(yaml.safe_dump(config))
            run(folder, options.cores, os.environ | {"REQUESTS_CA_BUNDLE": str(served.ca_bundle)})
            asked = {
                "queries": served.count("/api/v0/invoke"),
                "downloads": served.count("GET /api/v0.1/Download/file"),
            }
            print(", ".join(f"{count} {what}" for what, count in asked.items()))
        run(folder, options.cores, dict(os.environ))
        print((folder / "results" / "survey" / "survey" / "survey.md").read_text())


def run(folder: Path, cores: int, environment: dict[str, str]) -> None:
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [
            *(*SNAKEMAKE, "--snakefile", str(ROOT / "Snakefile")),
            *("--workflow-profile", str(ROOT / "profiles" / "default")),
            *("--configfile", "study.yaml", "--cores", str(cores), "survey"),
        ],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        sys.exit(f"error:\n{done.stdout}")
    said = [line for line in done.stdout.splitlines() if line.startswith(("survey:", "Nothing"))]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    wall = time.monotonic() - start
    print(f"{wall:.1f} s, {cpu:.1f} s of processor time: {' '.join(said)}", flush=True)


if __name__ == "__main__":
    main()
