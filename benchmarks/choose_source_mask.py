"""Settings of the source mask on fields that are there to choose them: docs/recommended.md.

    python benchmarks/choose_source_mask.py 1001 1101 1201

The fields of the simulated study with other seeds: Img1 has the number given, Img2 the next and so
on; they are simulated into results/seeds_<number> where they are not there. Prints for each
candidate, today's settings with those named changed, what the rule `source_mask_use` measures: the
mean of Img2 to Img7 over the draws. `--only` names candidates.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

from measured import ROOT, SNAKEMAKE

import pandas as pd  # isort: skip
import yaml  # isort: skip
from ideal_mask import MIDDLE_AB, scene  # isort: skip
from mirimask.evaluation.background import use_row  # isort: skip
from mirimask.image.files import read_crop  # isort: skip
from mirimask.masks.source_mask import SourceSettings, source_mask  # isort: skip

IMAGES = [f"Img{n}" for n in range(1, 8)]
CANDIDATES: dict[str, dict] = {
    "today": {},
    "before": {"scales": (0.5, 1, 2), "extent": 3.5, "growth": 0, "alone": 8, "halo": 0.18},
    "before, extent 2.5": {
        "scales": (0.5, 1, 2),
        "extent": 2.5,
        "growth": 0,
        "alone": 8,
        "halo": 0.18,
    },
    "growth 0.8, extent 3.2": {"growth": 0.8, "extent": 3.2},
    "growth 1.65, extent 5": {"growth": 1.65, "extent": 5},
    "halo 0.2": {"halo": 0.2},
    "halo 0.35": {"halo": 0.35},
    "scales 0.5, 1, 2": {"scales": (0.5, 1, 2)},
    "alone 8": {"alone": 8},
}


def simulated(first: int) -> Path:
    """The folder of the study with the seeds from `first` on, simulated where it is not there."""
    study = ROOT / "results" / f"seeds_{first}"
    frames = [study / "frame" / f"{image}.fits" for image in IMAGES]
    if not all(frame.exists() for frame in frames):
        fields = {image: {"seed": first + n} for n, image in enumerate(IMAGES)}
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"study": study.name, "simulation": {"fields": fields}}, file)
            file.flush()
            subprocess.run(
                [
                    *(*SNAKEMAKE, "--cores", "2", "--quiet", "all", "--configfile"),
                    *("config/simulated.yaml", file.name, "--"),
                    *(str(frame.relative_to(ROOT)) for frame in frames),
                ],
                cwd=ROOT,
                check=True,
            )
    return study


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--only", nargs="*", default=list(CANDIDATES), metavar="CANDIDATE")
    options = parser.parse_args()
    rows = []
    for first in options.seeds:
        study = simulated(first)
        for image in IMAGES[1:]:
            crop = read_crop(study / "frame" / f"{image}.fits", planes=False)
            true, stamps = scene(study, image)
            for name in options.only:
                settings = SourceSettings(**CANDIDATES[name])
                mask = source_mask(crop.masked, crop.empty, fwhm_px=crop.fwhm_px, settings=settings)
                row = use_row(true, mask, stamps, middle_ab=MIDDLE_AB)
                rows.append({"candidate": name, **row})
    table = pd.DataFrame(rows).groupby("candidate", sort=False).mean()
    print(
        "| settings | area, % | mean sky left, sigma | ideal's | stars' light left, % | ideal's "
        "| galaxies', % | ideal's | waste |\n|" + "---|" * 9
    )
    for row in table.reset_index().to_dict("records"):
        print(
            f"| {row['candidate']} | {100 * row['area']:.1f} | {row['sky_mean']:.3f} "
            f"| {row['ideal_mean']:.3f} | {100 * row['stars_left']:.1f} "
            f"| {100 * row['ideal_stars']:.1f} | {100 * row['galaxies_left']:.1f} "
            f"| {100 * row['ideal_galaxies']:.1f} | {row['waste']:.2f} |"
        )


if __name__ == "__main__":
    main()
