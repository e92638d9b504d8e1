"""How much of a source's flux `isophotal_flux` of the recommended mask has: docs/products.md.

    python benchmarks/isophotal_flux.py results/fresh

For the simulated images of a study, by the truth: sources alone in their label, in which no other
true source has more than a twentieth of their flux. Prints, for stars and galaxies by magnitude,
the median and the middle 68 % of what the catalogue's `isophotal_flux` has of the true flux.
"""

import argparse
from pathlib import Path

from measured import ROOT

import numpy as np  # isort: skip
import pandas as pd  # isort: skip
from astropy.table import Table  # isort: skip
from mirimask import measure_labels, point_aperture  # isort: skip
from mirimask.evaluation.completeness import truth_in_crop  # isort: skip
from mirimask.image.files import read_crop  # isort: skip
from mirimask.masks.make import numbered_sources  # isort: skip

OTHERS = 0.05  # most that other true sources in a label have, of its own source's flux
MAGNITUDES = (-np.inf, 18, 20, 22, 23, 24, 25, np.inf)
FEWEST = 5  # sources in a row of the table


def measured(study: Path, image: str) -> pd.DataFrame:
    """True sources that are alone in a label, with `kind`, `ab_mag` and `share` of their flux."""
    crop = read_crop(study / "frame" / f"{image}.fits")
    found = numbered_sources(crop, "recommended")
    catalogue = measure_labels(
        crop,
        found.sources,
        aperture=point_aperture(crop.primary["FILTER"], crop.pixel_scale),
        detections=found.detections,
    )
    flux = pd.Series(np.asarray(catalogue["isophotal_flux"], float), np.asarray(catalogue["label"]))
    truth = Table.read(study / "archive" / image / "truth.ecsv", format="ascii.ecsv").to_pandas()
    truth = truth_in_crop(truth, crop.empty, x0=crop.origin[1], y0=crop.origin[0])
    truth = truth.assign(label=found.sources[truth["row"], truth["column"]])
    truth = truth[truth["label"] > 0]
    all_of = truth.groupby("label")["flux"].transform("sum")
    alone = truth[all_of - truth["flux"] <= OTHERS * truth["flux"]]
    return alone.assign(share=flux.loc[alone["label"]].to_numpy() / alone["flux"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path, nargs="?", default=ROOT / "results" / "fresh")
    study = parser.parse_args().study
    images = sorted(path.stem for path in (study / "frame").glob("*.fits"))
    sources = pd.concat([measured(study, image) for image in images], ignore_index=True)
    print("| | magnitude (AB) | sources | share of the true flux, median | middle 68 % |")
    print("|---|---|---|---|---|")
    bins = pd.cut(sources["ab_mag"], list(MAGNITUDES), right=False)
    for (kind, magnitudes), group in sources.groupby(["kind", bins], observed=True):
        if len(group) >= FEWEST:
            low, middle, high = group["share"].quantile([0.16, 0.5, 0.84])
            print(
                f"| {kind} | {magnitudes.left:g} to {magnitudes.right:g} | {len(group)} "
                f"| {middle:.2f} | {low:.2f} to {high:.2f} |"
            )


if __name__ == "__main__":
    main()
