"""Many images in one call of `mirimask mask`: two at a time beside one after the other.

    python benchmarks/many_images.py

The images are the seven SIMULATED fields of `make study`, each twice and each eight times; with
labels, catalogues and regions. The process's own start is not shared among the cores: of few
images it is a part that counts. Wall times want a machine that does nothing else: beside them
stands how much of a core the runs had.
"""

import argparse
import filecmp
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measured import record, simulated_archive

COPIES, ROUNDS, BAR = (2, 8), 3, 1.7
MIRIMASK = str(Path(sys.executable).parent / "mirimask")
KINDS = ("--labels", "--catalogue", "--regions", "--overwrite", "--quiet")


def run(images: list[Path], folder: Path, cores: int) -> tuple[float, float]:
    """Wall and processor seconds of all masks, by so many processes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [MIRIMASK, "mask", *map(str, images), "-o", str(folder), *KINDS]
    subprocess.run(
        [*command, "--cores", str(cores)],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, used


def row(fields: list[Path], copies: int) -> dict[str, object]:
    """Masks of so many copies of each field, one after the other and two at a time, in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder, images = Path(name), []
        for copy in range(copies):
            for field in fields:
                images.append(folder / f"{field.parent.name}_{copy}_i2d.fits")
                images[-1].symlink_to(field)
        times: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        for _ in range(ROUNDS):
            for cores in times:
                times[cores].append(run(images, folder / str(cores), cores))
        files = sorted(path.name for path in (folder / "1").iterdir())
        _, differ, missing = filecmp.cmpfiles(folder / "1", folder / "2", files, shallow=False)
    other = len(differ + missing)
    (one, one_cpu), (two, two_cpu) = (min(times[cores]) for cores in (1, 2))
    return {
        "what": f"`mirimask mask` of {len(images)} images, with `--cores 2`: how much "
        "faster than one after the other, the same bytes",
        "bar": f">= {BAR} x",
        "figure": f"{one / two:.2f} x; {other} of {len(files)} files differ",
        "reached": one / two >= BAR and not other,
        "how": f"{one:.1f} s against {two:.1f} s (processor time {one_cpu:.1f} s and "
        f"{two_cpu:.1f} s: {one_cpu / one:.2f} and {two_cpu / two:.2f} cores were had)",
    }


def main() -> None:
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    fields = sorted(simulated_archive().glob("archive/*/i2d.fits"))
    record("many_images", [row(fields, copies) for copies in COPIES])


if __name__ == "__main__":
    main()
