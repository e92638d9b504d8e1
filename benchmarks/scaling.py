"""How the cost of a study grows with its number of images.

    python benchmarks/scaling.py

imports seven local images (cut-outs of 96 x 96 pixels of the SIMULATED fields of `make study`),
makes studies of 7, 70 and 700 copies of them, and runs each from the archive's files to Tables 1 to
3 (masks and verdicts, no figures). The time of the graph of jobs is that until the first of them is
chosen. Then a `--dry-run`, which also forms the groups of jobs that a cluster would have, and a
run with nothing to do. Writes benchmarks/results/scaling.csv and scaling.png. The frames are small
on purpose: what is measured is what an image costs beside its arithmetic. Wall times are worth
something on a machine that does nothing else; seconds of processor time stand beside them.
"""

import argparse
import math
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pandas as pd
import yaml
from astropy.io import fits
from astropy.table import Table
from measured import RESULTS, ROOT, SNAKEMAKE, record, simulated_archive

SIDE = 96  # pixels
ARCHIVE = "results/scaling/archive"
TABLES = [f"results/scaling/tables/table{number}.csv" for number in (1, 2, 3)]
YTICKS = [20, 50, 100, 200, 500, 1000]  # of the figure, ms
BATCHES = 10  # of the images, as `--batch` takes them
BAR = 1.3  # growth of the cost of an image from the second size to the third


def cut_out(source: Path, folder: Path) -> dict[str, str]:
    """Write a cut-out of a field's image and segmentation around one of its catalogue's sources."""
    catalogue = Table.read(source / "unwise.ecsv")
    row = {"image": source.name}
    with fits.open(source / "i2d.fits") as hdus:
        from mirimask.image.wcs import read_wcs, sky_to_pixel

        ny, nx = hdus["SCI"].shape
        wcs = read_wcs(hdus["SCI"].header, what=source.name)
        x, y = sky_to_pixel(wcs, catalogue["RAJ2000"], catalogue["DEJ2000"])
        inside = (x > 500) & (x < nx - SIDE) & (y > SIDE) & (y < ny - SIDE)
        x0, y0 = (int(axis[inside][0]) - SIDE // 2 for axis in (x, y))
        catalogue[inside][:1].write(folder / f"{source.name}.ecsv")
        row["catalogue"] = str(folder / f"{source.name}.ecsv")
    for kind in ("i2d", "segm"):
        with fits.open(source / f"{kind}.fits") as hdus:
            kept = fits.HDUList([hdus[0].copy()])
            for hdu in hdus[1:]:
                if hdu.name in ("SCI", "ERR", "WHT"):
                    header = hdu.header.copy()
                    for key, first in (("CRPIX1", x0), ("CRPIX2", y0)):
                        if key in header:
                            header[key] -= first
                    cut = hdu.data[y0 : y0 + SIDE, x0 : x0 + SIDE]
                    kept.append(fits.ImageHDU(cut, header, name=hdu.name))
            path = folder / f"{source.name}_{kind}.fits"
            kept.writeto(path)
            row[kind] = str(path)
    return row


class Watched:
    """Run a command; its seconds, processor time with its children's, own peak memory, output.

    `chosen_s`: seconds until Snakemake chose its first job.
    """

    def __init__(self, command: list[str], folder: Path) -> None:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        self.peak_mb = 0.0
        with subprocess.Popen(
            command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            status = Path(f"/proc/{process.pid}/status")

            def watch() -> None:
                while process.poll() is None:
                    try:
                        high = re.search(r"VmHWM:\s*(\d+)", status.read_text())
                    except OSError:
                        return
                    if high:
                        self.peak_mb = max(self.peak_mb, int(high[1]) / 1024)
                    time.sleep(0.2)

            watcher = threading.Thread(target=watch)
            watcher.start()
            self.output, self.chosen_s = "", float("nan")
            for line in process.stdout or ():
                if math.isnan(self.chosen_s) and line.startswith("Provided cores"):
                    self.chosen_s = time.monotonic() - start
                self.output += line
            process.wait()
            watcher.join()
        self.wall_s = time.monotonic() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu_s = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        if process.returncode:
            sys.exit(f"error: {' '.join(command)}\n{self.output}")


def command(cores: int) -> list[str]:
    return [
        *(*SNAKEMAKE, "--snakefile", str(ROOT / "Snakefile")),
        *("--workflow-profile", str(ROOT / "profiles" / "default")),
        *("--configfile", "study.yaml", "--cores", str(cores)),
    ]


def make_study(folder: Path, images: list[dict[str, str]]) -> None:
    folder.mkdir()
    pd.DataFrame(images).to_csv(folder / "images.tsv", sep="\t", index=False)
    config = {
        "study": "scaling",
        "images": "images.tsv",
        "archive": {"source": "local"},
        "crop": None,
        "slice_domain": "crop",
        "also_other_domain": False,
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(config))


def measure(
    number: int, rows: list[dict[str, str]], archive: Path, folder: Path, cores: int
) -> dict[str, float]:
    """A study of `number` images that are in `archive`: its graph of jobs, then its run."""
    images = [
        rows[i % len(rows)] | {"image": f"{rows[i % len(rows)]['image']}_{i:04d}"}
        for i in range(number)
    ]
    make_study(folder, images)
    for i, row in enumerate(images):
        name, place = rows[i % len(rows)]["image"], folder / ARCHIVE / row["image"]
        shutil.copytree(archive / name, place)
        manifest = place / "manifest.tsv"
        manifest.write_text(manifest.read_text().replace(f"{name}\t", f"{row['image']}\t"))
    # the first start of all reads every image, to see that it can be used
    Watched([*command(cores), "--dry-run", "--quiet", "all", "--", TABLES[0]], folder)
    looked = Watched([*command(cores), "--dry-run", "--quiet", "rules", "--", *TABLES], folder)
    jobs = int(re.findall(r"^total\s+(\d+)", looked.output, flags=re.MULTILINE)[0])
    if re.search(r"^import_local\s+\d", looked.output, flags=re.MULTILINE):
        sys.exit(f"error: imported images are imported again\n{looked.output}")
    batch = ["--batch", f"verdict_tables=1/{BATCHES}"]
    part = Watched([*command(cores), "--dry-run", "--quiet", *batch, "--", TABLES[2]], folder)
    ran = Watched([*command(cores), "--", *TABLES], folder)
    again = Watched([*command(cores), "--", *TABLES], folder)
    if "Nothing to be done" not in again.output:
        sys.exit(f"error: the finished study of {number} images is not finished\n{again.output}")
    return {
        "n_images": number,
        "n_jobs": jobs,
        "dag_s": ran.chosen_s,
        "wall_s": ran.wall_s,
        "dag_s_per_image": ran.chosen_s / number,
        "wall_s_per_image": ran.wall_s / number,
        "peak_mb": ran.peak_mb,
        "cpu_s": ran.cpu_s,
        "dry_run_s": looked.wall_s,
        "dry_run_cpu_s": looked.cpu_s,
        "batch_cpu_s": part.cpu_s,
        "again_s": again.wall_s,
        "n_files": _files(folder / "results" / "scaling"),
        "n_records": _files(folder / ".snakemake" / "metadata"),
        "wall_ms_per_job": 1000 * ran.wall_s / jobs,
        "cpu_ms_per_job": 1000 * ran.cpu_s / jobs,
    }


def _files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def draw(table: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axes = figure.subplots()
    for column, label in (
        ("wall_s_per_image", "run"),
        ("dag_s_per_image", "graph of jobs"),
        ("again_s", "nothing to do"),
    ):
        values = table[column] / (table["n_images"] if column == "again_s" else 1)
        axes.loglog(table["n_images"], 1000 * values, "o-", label=label)
    axes.set_xticks(table["n_images"], map(str, table["n_images"]))
    axes.set_yticks(YTICKS, map(str, YTICKS))
    axes.minorticks_off()
    axes.set(xlabel="images in the study", ylabel="wall time per image [ms]")
    axes.set_title("Cost of an image, SIMULATED frames of 96 x 96 pixels", fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center right")
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[7, 70, 700])
    parser.add_argument("--cores", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args()
    fields = sorted(path.parent for path in simulated_archive().glob("archive/*/i2d.fits"))
    done = []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "fields").mkdir()
        rows = [cut_out(field, Path(folder) / "fields") for field in fields]
        make_study(Path(folder) / "imported", rows)
        target = ["--", "results/scaling/manifest.tsv"]
        imported = Watched([*command(options.cores), *target], Path(folder) / "imported")
        print(f"{len(rows)} images imported in {imported.wall_s:.1f} s", flush=True)
        archive = Path(folder) / "imported" / ARCHIVE
        for number in options.sizes:
            place = Path(folder) / str(number)
            done.append(measure(number, rows, archive, place, options.cores))
            print(", ".join(f"{key} {value:.4g}" for key, value in done[-1].items()), flush=True)
    table = pd.DataFrame(done)
    RESULTS.mkdir(parents=True, exist_ok=True)
    table.to_csv(RESULTS / "scaling.csv", index=False, float_format="%.4g")
    draw(table, RESULTS / "scaling.png")
    small, large = table.iloc[-2], table.iloc[-1]
    rows = []
    for column, what in (("wall_s", "wall time"), ("dag_s", "time of the graph of jobs")):
        grown = large[f"{column}_per_image"] / small[f"{column}_per_image"]
        rows.append(
            {
                "what": f"{what} of an image, from {small['n_images']:.0f} to "
                f"{large['n_images']:.0f} images",
                "bar": f"<= {BAR} x",
                "figure": f"{grown:.2f} x",
                "reached": grown <= BAR,
                "how": f"{small[column]:.1f} s and {large[column]:.1f} s for "
                f"{small['n_jobs']:.0f} and {large['n_jobs']:.0f} jobs",
            }
        )
    grown = large["dry_run_cpu_s"] / large["n_images"] * small["n_images"] / small["dry_run_cpu_s"]
    rows.append(
        {
            "what": f"dry run with groups, of an image, from {small['n_images']:.0f} to "
            f"{large['n_images']:.0f} images",
            "before": "10 s and 127 s for 70 and 700",
            "bar": f"<= {BAR} x",
            "figure": f"{grown:.2f} x",
            "reached": grown <= BAR,
            "how": f"{small['dry_run_cpu_s']:.1f} s and {large['dry_run_cpu_s']:.1f} s of "
            f"processor time; the first of {BATCHES} batches of the {large['n_images']:.0f} "
            f"{large['batch_cpu_s']:.1f} s",
        }
    )
    rows.append(
        {
            "what": f"files of an image of a study of {large['n_images']:.0f}, to Tables 1 to 3",
            "bar": "counted",
            "figure": f"{large['n_files'] / large['n_images']:.0f}, and "
            f"{large['n_records'] / large['n_images']:.0f} records of Snakemake",
            "reached": None,
            "how": f"{large['n_files']:.0f} files and {large['n_records']:.0f} records",
        }
    )
    record("scaling_bars", rows)


if __name__ == "__main__":
    main()
