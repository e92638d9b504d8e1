"""Sources of the recommended mask at the rim of frames, beside the truth: docs/recommended.md.

    python benchmarks/rim.py results/fresh

At the rim of what was observed a mosaic has fewer exposures, and more noise. For the simulated
images of a study, the frame with its empty pixels: sources whose middle lies within 3 pixels of the
rim, how many of them have no true source brighter than 26.5 AB within 10 pixels, and as many of
those further inside than 10 pixels.
"""

import argparse
from pathlib import Path

from measured import ROOT

import numpy as np  # isort: skip
from astropy.table import Table  # isort: skip
from mirimask import open_image  # isort: skip
from mirimask.masks.make import numbered_sources  # isort: skip
from scipy.ndimage import center_of_mass, distance_transform_edt  # isort: skip
from scipy.spatial import cKDTree  # isort: skip

RIM_PX, INSIDE_PX, NEAR_PX, FAINTEST = 3, 10, 10, 26.5


def counted(folder: Path) -> tuple[int, int, int, int]:
    """Sources, those at the rim, of these without a true one, and such further inside."""
    image = open_image(folder / "i2d.fits")
    found = numbered_sources(image, "recommended")
    labels = np.arange(1, found.count + 1)
    middles = np.array(center_of_mass(found.sources > 0, found.sources, labels))
    observed = np.pad(~image.empty, 1)  # what is beyond the frame was not
    to_rim = distance_transform_edt(observed)[1:-1, 1:-1][tuple(np.rint(middles).astype(int).T)]
    truth = Table.read(folder / "truth.ecsv", format="ascii.ecsv")
    truth = truth[truth["ab_mag"] < FAINTEST]
    distance, _ = cKDTree(np.column_stack([truth["y"], truth["x"]])).query(middles)
    at_rim, inside, false = to_rim <= RIM_PX, to_rim > INSIDE_PX, distance >= NEAR_PX
    return found.count, at_rim.sum(), (at_rim & false).sum(), (inside & false).sum()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path, nargs="?", default=ROOT / "results" / "fresh")
    study = parser.parse_args().study
    print("| | sources | at the rim | of these without a true source | such inside |")
    print("|---|---|---|---|---|")
    numbers = {path.parent.name: counted(path.parent) for path in study.glob("archive/*/i2d.fits")}
    for image in sorted(numbers):
        print(f"| {image} | {' | '.join(map(str, numbers[image]))} |")
    print(f"| all | {' | '.join(map(str, np.sum(list(numbers.values()), axis=0)))} |")


if __name__ == "__main__":
    main()
