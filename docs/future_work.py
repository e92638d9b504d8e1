"""Draw the picture of docs/future-work.md: `make picture` makes what it reads first.

    python docs/future_work.py

reads crops and masks of results/stress and results/simulated, SIMULATED fields, and writes
docs/images/future-work.png.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from mirimask.figures.style import default_style, save_figure
from mirimask.image.files import read_crop, read_mask
from mirimask.image.levels import percentile_limits

ROOT = Path(__file__).resolve().parents[1]
METHODS = ("value", "tiled_background", "inverse_mask", "fourier", "second_derivatives")
# corners of crops: rows and columns
CORNERS = {
    ("stress", "gradient"): np.s_[700:960, 330:590],
    ("simulated", "Img2"): np.s_[0:260, 0:260],
}


@default_style
def draw() -> Figure:
    figure = Figure(figsize=(9, 3.5))
    axes = figure.subplots(len(CORNERS), 1 + len(METHODS))
    for row, ((study, image), corner) in zip(axes, CORNERS.items(), strict=True):
        results = ROOT / "results" / study
        crop = read_crop(results / "frame" / f"{image}.fits", planes=False)
        low, high = percentile_limits(crop.masked[corner], (1.0, 99.5))
        pictures = {"image": np.clip(crop.masked[corner], low, high)}
        for method in METHODS:
            mask, _ = read_mask(results / "masks" / image / f"{method}_1.fits")
            pictures[f"{method}_1"] = ~mask[corner]
        row[0].set_ylabel(f"{image} (SIMULATED)", fontsize=8)
        for one, (name, picture) in zip(row, pictures.items(), strict=True):
            one.imshow(picture, origin="lower", cmap="gray", interpolation="nearest")
            one.set_title(name, fontsize=8)
            one.set_xticks([])
            one.set_yticks([])
    figure.subplots_adjust(left=0.03, right=0.995, bottom=0.01, top=0.94, wspace=0.05, hspace=0.12)
    return figure


if __name__ == "__main__":
    save_figure(draw(), png=ROOT / "docs" / "images" / "future-work.png")
