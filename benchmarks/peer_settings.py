"""Settings of the other detectors that their documentation leaves to the user, tried out.

    cd results && python ../benchmarks/peer_settings.py simulated/Img2 simulated/Img7 stress/crowded

Each argument is <a study's folder>/<image>, a simulated one with frame/, peaks/, archive/ and
simulation/. Prints the completeness for added stars of 23.5 to 25.5 AB at 1, 3 and 10 false spots
per square arcminute, the mean of the images, as a table (docs/peers.md).
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from mirimask.evaluation.curves import at_false_rate, full_curve  # noqa: E402
from mirimask.evaluation.scene import SceneSettings, read_scene  # noqa: E402
from mirimask.masks.make import family_at  # noqa: E402
from mirimask.masks.registry import missing  # noqa: E402

RATES = (1, 3, 10)
MESHES = [{"box_px": box} for box in (16, 32, 64)]
TRIED = {
    "source_finder": [*MESHES, {"n_pixels": 10}],
    "dao_star_finder": [*MESHES, {"sharpness": [0.2, 1.0]}],
    "sep": [*MESHES, {"deblend_contrast": 1e-5}, {"min_area": 3}],
    "sextractor": MESHES,
    "dog": MESHES,
    "starlet": [{"scales": [2]}, {"scales": [2, 3]}, {"scales": [1, 2, 3]}],
    "matched_filter": MESHES,
}


SETTINGS = SceneSettings(
    magnitudes=(23.5, 25.5),
    stars=200,
    realisations=2,
    separation_fwhm=10,
    free_fwhm=3,
    blank_images=1,
    real_snr=2.5,
    seed=1,
)


def scene(path):
    """An image with added stars, and its crop."""
    study, image = path.parent, path.name
    return read_scene(
        image,
        SETTINGS,
        frame=study / "frame" / f"{image}.fits",
        peaks=study / "peaks" / f"{image}.csv",
        psf=next((study / "simulation").glob("psf_*.fits")),
        truth=study / "archive" / image / "truth.ecsv",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--detectors", nargs="+", default=list(TRIED), choices=list(TRIED))
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    configured = yaml.safe_load((ROOT / "config" / "detectors.yaml").read_text())["detectors"]
    images = [scene(path.resolve()) for path in options.images]
    print("SIMULATED:", ", ".join(map(str, options.images)))
    rates = " | ".join(f"{rate} /arcmin2" for rate in RATES)
    print(f"| detector | settings | {rates} | s |\n|---|---|---|---|---|---|")
    for name in options.detectors:
        if missing(name, configured):
            continue
        for tried in TRIED[name]:
            settings = {**configured[name], "settings": {**configured[name]["settings"], **tried}}
            levels = np.geomspace(*settings["levels"][:2], 9)
            start = time.perf_counter()
            found = []
            for crop, with_stars in images:
                family = family_at(
                    name, crop.empty, levels, fwhm_px=crop.fwhm_px, options={name: settings}
                )
                curve = full_curve(family, with_stars)
                found.append([at_false_rate(curve, rate)[0] for rate in RATES])
            shares = " | ".join(f"{share:.2f}" for share in np.mean(found, axis=0))
            seconds = time.perf_counter() - start
            words = ", ".join(f"{key} {value}" for key, value in tried.items())
            print(f"| {name} | {words} | {shares} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
