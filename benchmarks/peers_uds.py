"""The masks on a real F770W image, of the UDS field, against what NIRCam sees there.

    python benchmarks/peers_uds.py ../shared/real

The recommended mask and other tools' at its area (as benchmarks/peers_use.py), and the cores. Of
each: the share of the pixels above 5 sigma, smoothed by 2.5 px, that it leaves; the highest
background in boxes of 50 px, in sigma of a pixel above the median; of the sources of the F444W
segmentation that F770W shows (5 sigma in their segments), the share of the F770W light in their
segments that it leaves; and the share of the mask further than 3 px from any of them. The
recommended mask with all F444W segments and 3 px around them shows what is there without sources.
Prints a table and writes results/peers_uds.csv. The images are GO-1837's (PRIMER), cut out by
others.
"""

import argparse
import warnings
from pathlib import Path

from measured import RESULTS

import numpy as np  # isort: skip
import pandas as pd  # isort: skip
from astropy.io import fits  # isort: skip
from astropy.wcs import WCS  # isort: skip
from scipy.ndimage import binary_dilation, gaussian_filter, sum_labels  # isort: skip
from mirimask.atomic import replacing  # isort: skip
from mirimask.image.background import boxes_or_whole  # isort: skip
from mirimask.image.frame import Frame  # isort: skip
from mirimask.masks.make import make_mask  # isort: skip
from mirimask.masks.registry import missing  # isort: skip
from peers_use import TOOLS, masker, of_area  # isort: skip

SMOOTH, BRIGHT, BOX, NEAR = 2.5, 5.0, 50, 3


def read(folder: Path) -> tuple[Frame, np.ndarray]:
    """The F770W image and, on its pixels, the numbers of the F444W segments: 2 x 2 of theirs."""
    image = folder / "images" / "mophongo_uds1_f770w_80mas_sci.fits"
    with fits.open(image) as hdus:
        data, wcs = hdus[0].data.astype(np.float32), WCS(hdus[0].header).celestial
    empty = fits.getdata(str(image).replace("_sci", "_wht")) == 0
    segments = fits.getdata(folder / "nircam" / "mophongo_uds1_LW_seg_40mas.fits.gz")
    ny, nx = data.shape
    # a segment has a pixel where it has one of the four
    fine = segments[: 2 * ny, : 2 * nx].reshape(ny, 2, nx, 2).max(axis=(1, 3)).astype(np.int32)
    primary = fits.Header({"FILTER": "F770W"})
    return Frame(data, empty, None, None, primary, wcs), fine


def measures(crop: Frame, segments: np.ndarray, mask: np.ndarray, sky: np.ndarray) -> dict:
    """What a mask leaves; `sky` are the pixels that noise is measured in, the same for all."""
    seen = ~crop.empty & ~binary_dilation(crop.empty, iterations=8)  # the rim of a gap is no sky
    smooth = gaussian_filter(np.where(crop.empty, 0, crop.data), SMOOTH)
    middle, sigma = scatter(smooth[seen & sky])
    bright = seen & (smooth > middle + BRIGHT * sigma)
    level, noise = scatter(crop.data[seen & sky])
    data = np.where(crop.empty, 0, crop.data - level)
    found = boxes_or_whole(
        data,
        BOX,
        mask=mask & ~crop.empty,
        coverage_mask=crop.empty,
        exclude_percentile=90.0,
        filter_size=1,
    )
    mesh = np.asarray(found.background_mesh)
    number = np.arange(1, segments.max() + 1)
    inside = (segments > 0) & seen
    pixels, flux, left = (
        sum_labels(values, np.where(inside, segments, 0), number)
        for values in (np.ones(data.shape), data, np.where(mask, 0, data))
    )
    shown = flux > BRIGHT * noise * np.sqrt(np.maximum(pixels, 1))
    return {
        "area": mask[~crop.empty].mean(),
        "bright_left": (bright & ~mask).sum() / bright.sum(),
        "background_worst": float(np.nanmax(mesh) - np.nanmedian(mesh)) / noise,
        "sources": int(shown.sum()),
        "light_left": float((left[shown] / flux[shown]).mean()),
        "light_left_pooled": float(left[shown].sum() / flux[shown].sum()),
        "far": float((mask & ~near(segments)).sum() / max(1, mask.sum())),
    }


def near(segments: np.ndarray) -> np.ndarray:
    """The segments and what is not further than `NEAR` pixels from them."""
    return binary_dilation(segments > 0, iterations=NEAR)


def scatter(values: np.ndarray) -> tuple[float, float]:
    middle = float(np.median(values))
    return middle, 1.4826 * float(np.median(np.abs(values - middle)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("real", type=Path, help="the folder of real data")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    crop, segments = read(options.real)
    own = make_mask(crop, "recommended")
    masks = {"recommended": own, "cores": make_mask(crop, "cores"), "none": np.zeros_like(own)}
    masks["recommended and all F444W segments"] = own | near(segments)
    for label, (name, settings, widened) in TOOLS.items():
        if missing(name, {name: {"settings": settings}}):
            print(f"{label} is not installed and left out.")
            continue
        at = masker(crop, name, settings, widened)
        masks[label] = of_area(at, int(own[~crop.empty].sum()))[0]
    sky = ~own & (segments == 0)
    rows = [{"tool": name, **measures(crop, segments, mask, sky)} for name, mask in masks.items()]
    table = pd.DataFrame(rows)
    with replacing(RESULTS / "peers_uds.csv") as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
    print(
        f"| mask | area, % | pixels above {BRIGHT:g} sigma left, % | highest background, {BOX} px, "
        f"sigma | F770W light left in {rows[0]['sources']} F444W sources, %: mean | pooled "
        f"| mask further than {NEAR} px from any, % |\n|" + "---|" * 7
    )
    for row in table.sort_values("bright_left").itertuples():
        print(
            f"| {row.tool} | {100 * row.area:.1f} | {100 * row.bright_left:.1f} "
            f"| {row.background_worst:.2f} | {100 * row.light_left:.0f} "
            f"| {100 * row.light_left_pooled:.0f} | {100 * row.far:.0f} |"
        )


if __name__ == "__main__":
    main()
