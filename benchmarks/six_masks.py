"""All six masks of one image in memory: one derivative and two small sorts.

    python benchmarks/six_masks.py [i2d ...]

`make_masks` of the library beside numpy's `gradient` and one `percentile` for each mask, on the
same arrays, in turn; the crops of the simulated study where no image is named. Beside them one
pass over the pixels, a sum and a comparison: nothing that looks at every pixel is faster.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from measured import best, record, simulated_archive

import numpy as np  # isort: skip
from mirimask.image.files import read_frame  # isort: skip
from mirimask.image.frame import Frame, crop_frame  # isort: skip
from mirimask.masks.make import make_masks  # isort: skip
from mirimask.masks.names import parse_method  # isort: skip
from mirimask.masks.gradient import derivative  # isort: skip

METHODS = ["value_4.6", "value_1", "value_0.3", "derivative_10", "derivative_4.6", "derivative_0.3"]
BAR = 3


def with_numpy(data: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """The same masks by the textbook's calls."""
    images = {"value": data, "derivative": np.gradient(data, axis=0)}
    made = []
    for method in map(parse_method, METHODS):
        image = images[method.method]
        # a percentage of float64: for one of Python, numpy rounds the threshold to float32
        threshold = np.percentile(image, np.float64(100) - method.percent)
        made.append((image > threshold, threshold))
    return made


def masks_of(crop: Frame) -> list[tuple[np.ndarray, float]]:
    """The same masks by the library."""
    return [tuple(made) for made in make_masks(crop, METHODS).values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("i2d", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    paths = options.i2d or sorted(simulated_archive().glob("archive/*/i2d.fits"))
    slowest: dict | None = None
    for path in paths:
        frame = read_frame(path)
        ny, nx = frame.data.shape
        rows, columns = ((20, 1000), (430, 1020)) if (ny, nx) == (1028, 1032) else (None, None)
        crop = crop_frame(frame, rows=rows, columns=columns, image=path.parent.name)
        if crop.empty.any():
            continue  # numpy's calls would count empty pixels
        data = np.ascontiguousarray(crop.data)
        crop = replace(crop, data=data, error=None, weight=None)
        ours, theirs = masks_of(crop), with_numpy(data)
        same = all(
            a[1] == b[1] and np.array_equal(a[0], b[0]) for a, b in zip(ours, theirs, strict=True)
        )
        if not same:
            raise SystemExit(f"error: {path}: thresholds or masks differ from numpy's")
        level = ours[0][1]
        own, numpy, passed, slope, numpy_slope = best(
            [
                lambda crop=crop: masks_of(crop),
                lambda data=data: with_numpy(data),
                lambda data=data, level=level: (data.sum(), data > level),
                lambda data=data: derivative(data),
                lambda data=data: np.gradient(data, axis=0),
            ],
            seconds=options.seconds,
        )
        ratio = numpy / own
        row = {
            "what": "all six masks of one image, in memory: how much faster than numpy's calls",
            "bar": f">= {BAR} x, thresholds identical",
            "figure": f"{ratio:.1f} x",
            "reached": ratio >= BAR,
            "how": f"crop of {path.parent.name}, {data.shape[0]} x {data.shape[1]}: "
            f"{1e3 * own:.2f} ms against {1e3 * numpy:.2f} ms; one pass over the pixels (sum and "
            f"comparison) {1e3 * passed:.2f} ms, the derivative {1e3 * slope:.2f} ms, numpy's "
            f"gradient {1e3 * numpy_slope:.2f} ms; thresholds and masks identical",
            "ratio": ratio,
        }
        if slowest is None or ratio < slowest["ratio"]:
            slowest = row
    if slowest is None:
        raise SystemExit("error: no image without empty pixels in its crop")
    slowest.pop("ratio")
    record("six_masks", [slowest])


if __name__ == "__main__":
    main()
