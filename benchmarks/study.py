"""The simulated study as `make study` runs it, once, on two cores: its time, files and pages.

    python benchmarks/study.py

runs it in a temporary folder, set-up left out. Wall time wants a machine that does nothing else;
processor time stands beside it. What its pages and files are with more images is arithmetic: what
grows with an image is multiplied, what is bounded is not.
"""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from measured import ROOT, SNAKEMAKE, record

from mirimask.report.browser import largest_side  # isort: skip

BAR_S = 110 + 60  # the rules of then, and the measures of a mask's use that came since
IMAGES, MANY = 7, 700
URI = re.compile(r"data:[a-z/+-]+;base64,[A-Za-z0-9+/=]+")
DATA = re.compile(r'<script type="application/json"[^>]*>(.*?)</script>', re.DOTALL)


def run(folder: Path) -> tuple[float, float]:
    """Wall and processor seconds of the study, report included."""
    for name in ("Snakefile", "workflow", "config", "envs", "profiles"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [*SNAKEMAKE, "--cores", "2", "--quiet", "all"]
    command += ["--configfile", "config/simulated.yaml"]
    command += ["--report", "results/simulated/report.zip", "--report-after-run"]
    subprocess.run(command, cwd=folder, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, used


def pages(results: Path) -> list[dict[str, object]]:
    """What index.html and browser.html are with a hundred and with 700 images, in MB."""
    index = (results / "index.html").read_text(encoding="utf-8")
    pictures = sum(map(len, URI.findall(index)))
    image = (len(index) - pictures) / IMAGES  # too much: most of it is there once
    hundred, many = ((pictures + n * image) / 1e6 for n in (100, MANY))
    browser = (results / "browser.html").read_text(encoding="utf-8")
    drawn = json.loads(DATA.findall(browser)[-1])["images"]
    shown = sum(map(len, URI.findall(browser)))
    pixels = sum(of["nx"] * of["ny"] for of in drawn)
    rows = (len(browser) - shown) / IMAGES
    whole = (shown / pixels * MANY * largest_side(MANY) ** 2 + MANY * rows) / 1e6
    return [
        {
            "what": "index.html of a hundred images",
            "before": "1 MB an image",
            "bar": "<= 10 MB",
            "figure": f"{hundred:.1f} MB",
            "reached": hundred <= 10,
            "how": f"{pictures / 1e6:.1f} MB of pictures, which is their limit, and "
            f"{image / 1e3:.0f} kB an image at most; with {MANY} images {many:.0f} MB",
        },
        {
            "what": f"browser.html of {MANY} images",
            "before": "0.6 MB an image",
            "bar": "usable: <= 100 MB",
            "figure": f"{whole:.0f} MB",
            "reached": whole <= 100,
            "how": f"with {IMAGES} images {len(browser) / 1e6:.1f} MB: {shown / pixels:.2f} bytes "
            f"a pixel drawn, at most {MANY * largest_side(MANY) ** 2 / 1e6:.0f} Mpx of all images, "
            f"and {rows / 1e3:.0f} kB of verdicts an image",
        },
    ]


def files(folder: Path) -> dict[str, object]:
    """Files and records of Snakemake that an image has."""
    results = [path for path in (folder / "results").rglob("*") if path.is_file()]
    own = sum(re.search(r"Img\d", str(path.relative_to(folder))) is not None for path in results)
    records = sum(path.is_file() for path in (folder / ".snakemake" / "metadata").rglob("*"))
    return {
        "what": "files of an image of a whole study",
        "bar": "counted",
        "figure": f"{own / IMAGES:.0f}, and {records / IMAGES:.0f} records of Snakemake",
        "reached": None,
        "how": f"{len(results)} files and {records} records of {IMAGES} images; of files that are "
        f"of all images there are {len(results) - own}",
    }


def main() -> None:
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wall, used = run(folder)
        rows = [
            {
                "what": "`make study` on 2 cores, set-up left out",
                "before": "188 s, without the measures of use",
                "bar": f"<= {BAR_S} s",
                "figure": f"{wall:.0f} s",
                "reached": wall <= BAR_S,
                "how": f"{used:.0f} s of processor time, load {os.getloadavg()[0]:.1f}",
            },
            *pages(folder / "results" / "simulated"),
            files(folder),
        ]
    record("study", rows)


if __name__ == "__main__":
    main()
