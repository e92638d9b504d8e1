"""Print what a slope of the sky changes in the recommended mask: docs/recommended.md.

    python benchmarks/slope.py results/fresh

Planes are added to the images of a simulated study, rising to the right and half as much upwards;
the mask is made anew, and compared with that of the image as it is.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from mirimask.image.files import open_image  # noqa: E402
from mirimask.masks.source_mask import source_mask  # noqa: E402

RISES = (0.0, 0.3, 1.0, 3.0)  # MJy/sr over 1000 pixels
RIM = 15  # pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path)
    options = parser.parse_args()
    print("| MJy/sr over 1000 px | mask, % | at the rim, % | more than without it, % | less, % |")
    print("|---|---|---|---|---|")
    rows = {rise: [] for rise in RISES}
    for path in sorted(options.study.glob("archive/*/i2d.fits")):
        image = open_image(path, keep=())
        y, x = np.indices(image.data.shape)
        seen = ~image.empty
        rim = seen & (ndimage.distance_transform_edt(np.pad(seen, 1))[1:-1, 1:-1] <= RIM)
        masks = {
            rise: source_mask(
                (image.data + rise * (x + y / 2) / 1000).astype(np.float32),
                image.empty,
                fwhm_px=image.fwhm_px,
            )
            for rise in RISES
        }
        plain = masks[0.0]
        for rise, mask in masks.items():
            new, lost = (np.count_nonzero(a & ~b) for a, b in ((mask, plain), (plain, mask)))
            rows[rise].append(
                [mask[seen].mean(), mask[rim].mean(), new / plain.sum(), lost / plain.sum()]
            )
    for rise, found in rows.items():
        shown = " | ".join(f"{100 * value:.1f}" for value in np.mean(found, axis=0))
        print(f"| {rise:g} | {shown} |")


if __name__ == "__main__":
    main()
