"""Write the radial profile of the PSF that the source mask draws its halos with.

    python benchmarks/psf_profile.py

From the workflow's own model of the PSF (`mirimask.image.psf`, computed with poppy) in F770W, to
workflow/mirimask/image/psf_profile.csv.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from mirimask.image.psf import make_psf  # noqa: E402
from mirimask.image.psf_profile import PROFILE_FILTER, radial_profile  # noqa: E402

# fine where the profile is steep; beyond 10.5 arcsec the model's square fades
RADII = np.round(np.concatenate([np.arange(0, 1, 0.05), np.arange(1, 10.45, 0.1)]), 2)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    share = radial_profile(make_psf(PROFILE_FILTER), RADII)
    lines = ["radius_arcsec,share_per_arcsec2"]
    lines += [f"{r:.2f},{s:.4e}" for r, s in zip(RADII, share, strict=True)]
    path = ROOT / "workflow/mirimask/image/psf_profile.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {RADII.size} radii out to {RADII[-1]} arcsec")


if __name__ == "__main__":
    main()
