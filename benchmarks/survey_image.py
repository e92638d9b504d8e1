"""Processor time and memory of the mask of one image of a survey, from a frame to a large mosaic.

    python benchmarks/survey_image.py results/simulated/archive/Img3/i2d.fits

does what the rule `survey_mask` does (checksum, mask, labels, catalogue, depth, the files written)
for the image, and for mosaics of 2 x 2 and 4 x 4 copies of it, each in a process of its own. The
first image of a process is not counted: it pays for what is loaded on first use.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from astropy.io import fits

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "workflow" / "scripts")]


class Outputs(dict):
    """Outputs by name, as Snakemake has them."""

    __getattr__ = dict.__getitem__


def mosaic(source: Path, path: Path, copies: int) -> None:
    """Write `copies` x `copies` of an image beside each other."""
    with fits.open(source, memmap=False) as hdus:
        for hdu in hdus[1:]:
            if hdu.is_image and hdu.data is not None:
                hdu.data = np.tile(hdu.data, (1,) * (hdu.data.ndim - 2) + (copies, copies))
        hdus.writeto(path)


def mask_once(image: Path, folder: Path) -> dict[str, float]:
    """The rule's own function on one image."""
    import survey_mask
    from mirimask.image.product import sha256

    fetched = {"image": "image", "path": str(image), "sha256": sha256(image)}
    (folder / "fetched.json").write_text(json.dumps(fetched))
    names = {"mask": "m", "labels": "l", "catalogue": "c", "row": "row.json"}
    job = SimpleNamespace(
        wildcards=SimpleNamespace(product="image"),
        input=SimpleNamespace(fetched=str(folder / "fetched.json")),
        output=Outputs({key: folder / name for key, name in names.items()}),
        params=SimpleNamespace(filter="F770W", rows=None, columns=None, min_pixels=1),
    )
    start = time.process_time()
    survey_mask.main(job)
    row = json.loads((folder / "row.json").read_text())
    if "failure" in row:
        sys.exit(row["failure"])
    return row | {"cpu_s": time.process_time() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("--only", action="store_true", help="this image, in this process")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.only:
            mask_once(options.image, folder)
            row = mask_once(options.image, folder)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            size = options.image.stat().st_size / 1e6
            print(
                f"{row['n_pixels'] / 1e6:6.2f} Mpx, file {size:5.0f} MB, {row['n_sources']:5d} "
                f"sources: {row['cpu_s']:5.2f} s of processor time, {peak:5.0f} MB"
            )
            return
        for copies in (1, 2, 4):
            path = folder / f"{copies}.fits"
            mosaic(options.image, path, copies)
            subprocess.run([sys.executable, "-W", "ignore", __file__, path, "--only"], check=True)


if __name__ == "__main__":
    main()
