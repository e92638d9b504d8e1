"""What all figures share: how they are titled, drawn whatever a person's settings, and saved."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from mirimask.atomic import replacing

__all__ = ["SIMULATED", "default_style", "save_figure", "titled_figure"]

SIMULATED = "SIMULATED: not from the sky"


def default_style(function: Callable) -> Callable:
    """Run with matplotlib's own defaults: a person's matplotlibrc must not change a figure."""

    @wraps(function)
    def styled(*args: Any, **options: Any) -> Any:
        with mpl.rc_context():
            mpl.rcdefaults()
            return function(*args, **options)

    return styled


@default_style
def save_figure(figure: Figure, *, png: str | Path, pdf: str | Path | None = None) -> None:
    """Write a figure as PNG and, where named, PDF, whole or not at all; equal ones, equal bytes.

    The PNG has a palette: greys and lines keep their colours, only blends at the edges of lines are
    approximate, and it has less than half the bytes that it would have without.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    with replacing(png) as temporary:
        image.quantize(256, dither=Image.Dither.NONE).save(temporary, dpi=(figure.dpi, figure.dpi))
    if pdf is None:
        return
    with replacing(pdf) as temporary:
        figure.savefig(
            temporary, metadata={"CreationDate": None, "Creator": None, "Producer": None}
        )


@default_style
def titled_figure(width: float, height: float, *, title: str, simulated: bool) -> Figure:
    """A figure of that size in inches, with its title and SIMULATED above it."""
    figure = Figure(figsize=(width, height), dpi=110)
    FigureCanvasAgg(figure)
    figure.text(0.15 / width, 1 - 0.12 / height, title, fontsize=13, weight="bold", va="top")
    if simulated:
        figure.text(
            1 - 0.15 / width,
            1 - 0.12 / height,
            SIMULATED,
            fontsize=11,
            weight="bold",
            color="white",
            va="top",
            ha="right",
            bbox={"facecolor": "#a00028", "edgecolor": "none", "pad": 3},
        )
    return figure
