"""Peak memory of every job outside the simulation, beyond its imports.

    python benchmarks/job_memory.py

runs the simulated study of two images once more from its archive in a temporary folder, one job at
a time, and has each process note by how much its resident memory rose at most (Linux's VmHWM)
while a script's `main` ran. Modules that `main` itself imports are no part of it: a copy of the
process runs `main` first and tells their names, and the process imports them before it measures.
What a job needs beyond that counts, such as fonts that are read for the first figure. Of a
script's jobs, the largest rise is taken. The unit is one frame: the SCI array of an i2d, float32.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from measured import ROOT, SNAKEMAKE, record, simulated_archive

import pandas as pd  # isort: skip
import yaml  # isort: skip
from mirimask.image.files import read_science  # isort: skip

BAR = 6
# Put where every Python process of the run imports it: notes the rise of each `main`.
NOTING = r"""
import ctypes, gc, importlib, os, pickle, sys
from contextlib import suppress
try:
    import job
except ImportError:
    job = None

def resident(key):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key))

def imported_by(main, given):
    # the modules that `main` imports, from a copy of this process that runs it
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            main(given)
        finally:  # an error is shown by the run that is measured
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(list(sys.modules), pipe)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        names = pickle.load(pipe)
    os.waitpid(child, 0)
    return [name for name in names if name not in sys.modules]

if job:
    logged = job.logged

    def noting(main, given):
        def measured(given):
            for name in imported_by(main, given):
                with suppress(Exception):
                    importlib.import_module(name)
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)  # what earlier jobs freed is not at hand
            before = resident("VmRSS:")
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")  # the peak starts again from here
            main(given)
            with open(os.environ["NOTES"], "a") as notes:
                notes.write(f"{main.__module__},{main.__code__.co_filename},"
                            f"{resident('VmHWM:') - before}\n")
        logged(measured, given)

    job.logged = noting
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", nargs="+", default=["Img5", "Img6"])
    parser.add_argument("--targets", nargs="+", default=["all"])
    options = parser.parse_args()
    archive = simulated_archive()
    with tempfile.TemporaryDirectory() as name:
        folder, notes = Path(name), Path(name) / "notes.csv"
        shutil.copytree(ROOT / "config", folder / "config")
        rows = (ROOT / "config" / "images.tsv").read_text().splitlines()
        chosen = [row for row in rows[1:] if row.split("\t")[0] in options.images]
        (folder / "images.tsv").write_text("\n".join([rows[0], *chosen]) + "\n")
        (folder / "images.yaml").write_text(yaml.safe_dump({"images": "images.tsv"}))
        for part in ("simulation", *(f"archive/{image}" for image in options.images)):
            shutil.copytree(archive / part, folder / "results" / "simulated" / part)
        (folder / "noting").mkdir()
        (folder / "noting" / "sitecustomize.py").write_text(NOTING)
        notes.touch()
        command = [
            *(*SNAKEMAKE, "--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--quiet", "all"),
            *("--workflow-profile", str(ROOT / "profiles" / "default"), "--configfile"),
            *("config/simulated.yaml", "images.yaml"),
        ]
        subprocess.run([*command, "--touch", "--", "simulated_archive"], cwd=folder, check=True)
        subprocess.run(
            [*command, "--", *options.targets],
            cwd=folder,
            check=True,
            env=os.environ | {"NOTES": str(notes), "PYTHONPATH": str(folder / "noting")},
        )
        table = pd.read_csv(notes, names=["module", "file", "kilobytes"])
        frame_mb = read_science(archive / "archive" / options.images[0] / "i2d.fits").nbytes / 1e6
    # a script in a process of its own is called __main__, from a copy with another name
    names = table["file"].str.extract(r"([a-z][a-z_0-9]*)\.py$")[0]
    table["script"] = table["module"].where(table["module"] != "__main__", names)
    frames = table.groupby("script")["kilobytes"].agg(["max", "count"])
    frames["frames"] = frames["max"] * 1.024e-3 / frame_mb
    frames = frames.drop(index=["simulate", "make_psf"], errors="ignore").sort_values("frames")
    above = frames[frames["frames"] > BAR]
    each = ", ".join(f"{name} {row.frames:.1f}" for name, row in frames[::-1].iterrows())
    record(
        "job_memory",
        [
            {
                "what": "peak memory of any job outside the simulation, beyond imports",
                "bar": f"<= {BAR} frames",
                "figure": f"{frames['frames'].max():.1f} frames",
                "reached": above.empty,
                "how": f"a frame is its SCI in float32, {frame_mb:.2f} MB; {len(above)} of "
                f"{len(frames)} scripts are above the bar; what `main` imports is imported "
                f"before; largest rise of each script's jobs in frames: {each}",
            }
        ],
    )


if __name__ == "__main__":
    main()
