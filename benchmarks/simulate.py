"""Wall time and peak memory of simulating all seven fields on two cores.

    python benchmarks/simulate.py

runs the rule `simulated_archive` into a temporary folder (so that nothing is there yet, the PSF
included) and prints seconds and the largest sum of resident memory over Snakemake and its jobs.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from measured import ROOT, SNAKEMAKE


def main() -> None:
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("Snakefile", "workflow", "config", "envs", "profiles"):
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, Path(folder) / name)
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        start = time.monotonic()
        run = subprocess.Popen(
            [
                *(*SNAKEMAKE, "--cores", "2", "simulated_archive"),
                *("--configfile", "config/simulated.yaml", "--quiet", "all"),
            ],
            cwd=folder,
            env=environment,
        )
        peak = 0

        def watch() -> None:
            nonlocal peak
            while run.poll() is None:
                total = 0
                try:
                    top = psutil.Process(run.pid)
                    for process in [top, *top.children(recursive=True)]:
                        total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
                peak = max(peak, total)
                time.sleep(0.1)

        watcher = threading.Thread(target=watch)
        watcher.start()
        status = run.wait()
        watcher.join()
        seconds = time.monotonic() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        images = len(list(Path(folder).glob("results/simulated/archive/*/i2d.fits")))
    if status:
        sys.exit(f"error: snakemake ended with status {status}")
    print(
        f"{images} fields on 2 cores: {seconds:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of "
        f"processor time), peak memory {peak / 1e9:.2f} GB"
    )


if __name__ == "__main__":
    main()
