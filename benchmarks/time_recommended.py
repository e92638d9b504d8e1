"""Time of the recommended mask, labels included, beside the pipeline's segmentation.

    python benchmarks/time_recommended.py results/simulated/archive/Img3/i2d.fits

The same frame, the two in turn, the best of `--repeats`; with the frame as it is and with its crop,
which has no empty columns.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from mirimask.frame import read_frame
from mirimask.instrument import psf_fwhm_px
from mirimask.recommended import recommended_labels
from mirimask.segmentation import SegmentationSettings, segment


def best(functions, repeats):
    """Smallest wall time of each function (s), called in turn so that load hits all alike."""
    times = np.full((repeats, len(functions)), np.inf)
    for row in times:
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            row[i] = time.perf_counter() - start
    return times.min(axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("i2d", type=Path)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    frame = read_frame(options.i2d)
    fwhm_px = psf_fwhm_px(frame.primary["FILTER"], frame.pixel_scale)
    settings = SegmentationSettings.for_jwst("1.12.5")
    for name, window in (("frame", np.s_[:, :]), ("crop", np.s_[20:1000, 430:1020])):
        data, empty = np.ascontiguousarray(frame.data[window]), frame.empty[window].copy()
        weight = (~empty).astype(np.float32)
        functions = [
            lambda data=data, empty=empty: recommended_labels(data, empty, fwhm_px=fwhm_px),
            lambda data=data, weight=weight: segment(data, weight=weight, settings=settings),
        ]
        own, pipeline = best(functions, options.repeats)
        print(
            f"{name} {data.shape[0]} x {data.shape[1]}, {100 * empty.mean():.0f} % empty: "
            f"recommended {1e3 * own:.0f} ms, segmentation {1e3 * pipeline:.0f} ms, "
            f"ratio {own / pipeline:.2f}"
        )


if __name__ == "__main__":
    main()
