"""A quick look at the mask of one image: what the command line draws beside a mask."""

import textwrap

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mirimask.figures.style import DPI, default_style, shortened, titled_figure
from mirimask.image.levels import shrink, shrink_mask

__all__ = ["quick_look"]

_SIDE = 9.0  # inches of the longer side of the image
# pixels of the longer side as it is drawn; of more, rows would fall between those of the picture
_LEAST, _MOST = 500, round(_SIDE * DPI)
_OUTLINE = (1.0, 0.35, 0.1)
_LETTER = 0.075  # inches of a letter of the numbers, more than the mean


@default_style
def quick_look(
    data: NDArray[np.floating],
    mask: NDArray[np.bool_],
    *,
    title: str,
    numbers: str,
    limits: tuple[float, float],
    simulated: bool,
) -> Figure:
    """An image in greys with the outline of its mask, and a line of numbers below.

    `data` (ny, nx) is NaN where nothing was observed, which is drawn blue; `mask` has its shape;
    `limits` are the values of black and white. Beyond 990 pixels a pixel of the picture is the
    mean of several, and of the mask where one of them is.
    """
    longer = max(data.shape)
    step = -(-longer // _MOST)
    times = max(1, _LEAST // longer)
    grey = np.repeat(np.repeat(shrink(data, step), times, 0), times, 1)
    marked = np.repeat(np.repeat(shrink_mask(mask, step), times, 0), times, 1)
    low, high = limits
    shade = np.clip((grey - low) / (high - low if high > low else 1), 0, 1)
    picture = np.repeat(shade[:, :, None], 3, 2)
    picture[~np.isfinite(grey)] = (0.75, 0.82, 0.95)
    picture[_rim(marked)] = _OUTLINE
    ny, nx = data.shape
    width, height = _SIDE * nx / longer, _SIDE * ny / longer
    wide = max(width, 5.0)
    text = f"SIMULATED. {numbers}" if simulated else numbers
    if not np.isfinite(data).all():
        text += "; blue: not observed"
    lines = textwrap.wrap(text, int((wide + 0.5) / _LETTER))
    top, bottom = 0.5, 0.6 + 0.15 * len(lines)
    figure = titled_figure(
        wide + 0.8,
        height + top + bottom,
        title=shortened(title, 45),
        simulated=False,
    )
    whole = height + top + bottom
    axes = figure.add_axes(
        (
            (wide + 0.8 - width + 0.4) / 2 / (wide + 0.8),
            bottom / whole,
            width / (wide + 0.8),
            height / whole,
        )
    )
    rows, columns = (side * step / times - 0.5 for side in marked.shape)  # of whole blocks
    axes.imshow(
        picture, origin="lower", extent=(-0.5, columns, -0.5, rows), interpolation="nearest"
    )
    axes.set_xlim(-0.5, nx - 0.5)
    axes.set_ylim(-0.5, ny - 0.5)
    axes.set_xlabel("x (pixels)", fontsize=8, labelpad=1)
    axes.set_ylabel("y (pixels)", fontsize=8, labelpad=1)
    axes.tick_params(labelsize=7)
    figure.text(
        0.15 / (wide + 0.8), 0.12 / whole, "\n".join(lines), fontsize=8.5, va="bottom",
        parse_math=False,
    )  # fmt: skip
    return figure


def _rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask that have a neighbour (of four) outside it."""
    wide = np.pad(mask, 1, mode="edge")
    inside = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    return mask & ~inside
