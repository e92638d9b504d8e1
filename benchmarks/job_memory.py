"""Peak memory of every job of one frame.

    python benchmarks/job_memory.py

runs the simulated study of two images once more from its archive in a temporary folder, one job at
a time, and has each process note the most memory that was resident (Linux's VmHWM) while a script's
`main` ran: libraries, and what earlier jobs of the process left behind, count. Of a script's jobs,
the largest is taken. The bar is for a job of one frame: what simulates several exposures of it is
printed beside, without a bar; the archive's own simulation is not run.
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

BAR = 500  # MB
SEVERAL_EXPOSURES = ["super_background"]
# Put where every Python process of the run imports it: notes the peak of each `main`.
NOTING = r"""
import inspect
import os
try:
    import job
except ImportError:
    job = None

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

if job:
    logged = job.logged

    def noting(main, given):
        def measured(given):
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")  # the peak starts again from here
            main(given)
            own = inspect.unwrap(main)  # some have a function of job.py around them
            with open(os.environ["NOTES"], "a") as notes:
                notes.write(f"{own.__module__},{own.__code__.co_filename},{peak()}\n")
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
    # a script in a process of its own is called __main__, from a copy with another name
    names = table["file"].str.extract(r"([a-z][a-z_0-9]*)\.py$")[0]
    table["script"] = table["module"].where(table["module"] != "__main__", names)
    every = table.groupby("script")["kilobytes"].max() * 1.024e-3
    every = every.sort_values(ascending=False)
    most = every.drop(SEVERAL_EXPOSURES, errors="ignore")
    each = ", ".join(f"{name} {megabytes:.0f}" for name, megabytes in every.items())
    record(
        "job_memory",
        [
            {
                "what": "peak memory of a job outside the simulation of exposures, largest: "
                f"{most.index[0]}",
                "bar": f"<= {BAR} MB",
                "figure": f"{most.iloc[0]:.0f} MB",
                "reached": bool(most.iloc[0] <= BAR),
                "how": f"libraries included; {(most > BAR).sum()} of {len(most)} scripts are above "
                f"the bar; the largest of each script's jobs in MB, with the one that "
                f"simulates exposures: {each}",
            }
        ],
    )


if __name__ == "__main__":
    main()
