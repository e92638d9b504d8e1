"""Print what a slope of the sky changes in the recommended mask: docs/recommended.md.

    python benchmarks/slope.py results/fresh

Planes are added to the images of a simulated study, rising to the right and half as much upwards;
the mask is made anew, and compared with that of the image as it is.
"""

import argparse
from pathlib import Path

from measured import ROOT

import numpy as np  # isort: skip
from mirimask.image.files import open_image  # isort: skip
from mirimask.masks.source_mask import source_mask  # isort: skip
from scipy import ndimage  # isort: skip

RISES = (0.0, 0.3, 1.0, 3.0)  # MJy/sr over 1000 pixels
RIM = 15  # pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path, nargs="?", default=ROOT / "results" / "fresh")
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
