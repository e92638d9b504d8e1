"""Time of the recommended mask, labels included, beside sep's and the pipeline's.

    python benchmarks/time_recommended.py [i2d]

The same arrays, in turn: `source_labels`, its `core_labels` alone, sep's `Background` and
`extract` with its map of labels (1.5 sigma of the global noise, as sep's documentation has it), and
the six steps of the pipeline's segmentation; and, of the filters of the cores alone,
`curvature_snr` beside scipy's. For the frame as it is, with its empty pixels as sep's mask; for its
crop, which has next to none; and for the frame with its empty pixels filled with noise. The default
is Img3 of the simulated study. A FITS image with its SCI in the primary HDU can be given with
`--wht`.
"""

import argparse
from pathlib import Path

from measured import best, record, simulated_archive

import numpy as np  # isort: skip
import sep  # isort: skip
from astropy.io import fits  # isort: skip
from scipy import ndimage  # isort: skip
from mirimask.image.files import read_frame  # isort: skip
from mirimask.masks.cores import core_labels, curvature_snr  # isort: skip
from mirimask.masks.segmentation import SegmentationSettings, segment  # isort: skip
from mirimask.masks.source_mask import source_labels  # isort: skip


def with_sep(data: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Label image of sep's own way from an image to its sources."""
    background = sep.Background(data, mask=mask)
    _, labels = sep.extract(
        data - background, 1.5, err=background.globalrms, mask=mask, segmentation_map=True
    )
    return labels


def with_scipy(data: np.ndarray, fwhm_px: float) -> np.ndarray:
    """What `curvature_snr` filters, by scipy: the tiles' noise and empty pixels left out."""
    curvature = ndimage.laplace(ndimage.gaussian_filter(data, 0.65 * fwhm_px, truncate=3))
    return curvature / ndimage.uniform_filter(np.abs(curvature), round(6 * fwhm_px) | 1)


def arrays(options: argparse.Namespace) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], float]:
    """(data, empty) of each case by its name, and the width of the PSF in pixels."""
    if options.wht:
        data = fits.getdata(options.i2d).astype(np.float32)
        empty = fits.getdata(options.wht) == 0
        return {options.i2d.name: (np.where(empty, 0, data), empty)}, options.fwhm_px
    frame = read_frame(options.i2d)
    fwhm_px = frame.fwhm_px
    data, empty = np.where(frame.empty, np.float32(0), frame.data), frame.empty
    seen = data[~empty]
    noise = np.random.default_rng(1).normal(np.median(seen), 0.02, data.shape).astype(np.float32)
    window = np.s_[20:1000, 430:1020]
    whole = (np.where(empty, noise, data), np.zeros(data.shape, bool))
    crop = (np.ascontiguousarray(data[window]), empty[window].copy())
    return {"crop": crop, "frame": (data, empty), "frame without empty pixels": whole}, fwhm_px


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("i2d", nargs="?", type=Path)
    parser.add_argument("--wht", type=Path, help="weights; the image is then a primary HDU")
    parser.add_argument("--fwhm-px", type=float, default=2.445, help="of the PSF, with --wht")
    parser.add_argument("--seconds", type=float, default=15)
    options = parser.parse_args()
    named = options.i2d is not None
    options.i2d = options.i2d or simulated_archive() / "archive" / "Img3" / "i2d.fits"
    cases, fwhm_px = arrays(options)
    settings = SegmentationSettings.for_jwst("1.12.5")
    rows = []
    for name, (data, empty) in cases.items():
        mask = empty if empty.any() else None
        own, cores, other, pipeline, score, scipy_score = best(
            [
                lambda data=data, empty=empty: source_labels(data, empty, fwhm_px=fwhm_px),
                lambda data=data, empty=empty: core_labels(data, empty, fwhm_px=fwhm_px),
                lambda data=data, mask=mask: with_sep(data, mask),
                lambda data=data, empty=empty: segment(
                    data, weight=(~empty).astype(np.float32), settings=settings
                ),
                lambda data=data, empty=empty: curvature_snr(data, empty, fwhm_px=fwhm_px),
                lambda data=data: with_scipy(data, fwhm_px),
            ],
            seconds=options.seconds,
        )
        rows.append(
            {
                "what": f"recommended mask of one image, labels included, over sep: {name}",
                "bar": "< 1",
                "figure": f"{own / other:.2f}",
                "reached": own < other,
                "how": f"{data.shape[0]} x {data.shape[1]}, {100 * empty.mean():.0f} % empty: "
                f"{1e3 * own:.1f} ms, its cores {1e3 * cores:.1f} ms, sep {sep.__version__} "
                f"{1e3 * other:.1f} ms, the pipeline's segmentation {1e3 * pipeline:.1f} ms; "
                f"the score of the cores {1e3 * score:.1f} ms, "
                f"scipy's filters {1e3 * scipy_score:.1f} ms",
            }
        )
    if named:
        for row in rows:
            print(f"{row['what']}: {row['figure']} ({row['how']})")
    else:
        record("time_recommended", rows)


if __name__ == "__main__":
    main()
