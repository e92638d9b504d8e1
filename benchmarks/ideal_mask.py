"""What even the ideal mask leaves of the sources, by its area: docs/recommended.md.

    python benchmarks/ideal_mask.py results/fresh --areas 14 20 30

The ideal mask of an area has the pixels in which the sources' true light is highest. Prints, for
every simulated image of a study, the mean sky that it leaves and the light of stars and galaxies
outside (as the rule `source_mask_use` measures them), and the area that it needs to leave 4 % of
each.
"""

import argparse
from pathlib import Path

from measured import ROOT

import numpy as np  # isort: skip
from astropy.table import Table  # isort: skip
from mirimask.evaluation.background import (  # isort: skip
    TrueSky,
    ideal_mask,
    light_left,
    sky_left,
    source_stamps,
    true_sky,
)
from mirimask.evaluation.completeness import truth_in_crop  # isort: skip
from mirimask.image.files import read_crop  # isort: skip
from mirimask.image.product import opened  # isort: skip
from mirimask.image.psf import read_psf  # isort: skip

LEAST, STEPS = 0.04, 10
MIDDLE_AB = 24.5  # of evaluation.curve_magnitudes


def scene(study: Path, image: str) -> tuple[TrueSky, list]:
    """The truth of an image and the light of its sources."""
    crop = read_crop(study / "frame" / f"{image}.fits", planes=False)
    archive = study / "archive" / image
    with opened(archive / "truth.fits") as hdus:
        light, sky = (crop.cut(hdus[name].data) for name in ("LIGHT", "SKY"))
    truth = Table.read(archive / "truth.ecsv", format="ascii.ecsv").to_pandas()
    truth = truth_in_crop(truth, crop.empty, x0=crop.origin[1], y0=crop.origin[0])
    psf = read_psf(next((study / "simulation").glob("psf*.fits")))
    stamps = source_stamps(truth, psf, crop.data.shape, middle_ab=MIDDLE_AB)
    return true_sky(crop.data, light, sky, crop.empty), stamps


def left(true: TrueSky, stamps: list, area: float) -> tuple[np.ndarray, dict[str, float]]:
    """The ideal mask of an area (a share of the observed pixels), and what it leaves by kind."""
    mask = ideal_mask(true, round(area * true.observed.sum()))
    table = light_left(stamps, mask, true.observed)
    return mask, table.groupby("kind")["left"].mean().to_dict()


def needed(true: TrueSky, stamps: list, kind: str) -> float:
    """The smallest area at which the ideal mask leaves no more than `LEAST` of a kind's light."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        enough = left(true, stamps, middle)[1].get(kind, 0) <= LEAST
        low, high = (low, middle) if enough else (middle, high)
    return high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path, nargs="?", default=ROOT / "results" / "fresh")
    parser.add_argument("--areas", type=float, nargs="+", default=[14.0, 20.0, 30.0], metavar="%")
    options = parser.parse_args()
    of = [f"{area:g} %: mean sky, sigma | stars, % | galaxies, %" for area in options.areas]
    print(f"| image | {' | '.join(of)} | 4 % of the stars' light left at | of the galaxies' at |")
    print("|---" * (3 * len(options.areas) + 3) + "|")
    rows = []
    for frame in sorted((options.study / "frame").glob("*.fits")):
        true, stamps = scene(options.study, frame.stem)
        row: list[float] = []
        for area in options.areas:
            mask, light = left(true, stamps, area / 100)
            row += [sky_left(true, mask)["sky_mean"]]
            row += [100 * light.get(kind, np.nan) for kind in ("star", "galaxy")]
        row += [100 * needed(true, stamps, kind) for kind in ("star", "galaxy")]
        rows.append((frame.stem, row))
    without = [row for image, row in rows if image != "Img1"]
    for image, row in [*rows, ("mean without Img1", np.nanmean(without, axis=0).tolist())]:
        cells = [
            f"{v:.3f}" if i % 3 == 0 and i < len(row) - 2 else f"{v:.1f}" for i, v in enumerate(row)
        ]
        print(f"| {image} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
