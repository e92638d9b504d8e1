"""The figures of source masks: what they leave outside, and the mask on every image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mirimask.figures.style import default_style, in_two_lines, titled_figure
from mirimask.image.levels import shrink, shrink_mask
from mirimask.masks.names import method_label

__all__ = ["LeftOutside", "MaskedImage", "draw_left_outside", "draw_masked_images"]

_MASKED, _OVER = "#c6dbef", "#4292c6"  # pale blue; blue
_EMPTY = "#f0dfb4"
_RANGE = (0.1, 30.0)  # sigma: what is shown as white and as black
_COLUMNS = 7
_LETTERS = 23  # of a name above an image


@dataclass(frozen=True)
class LeftOutside:
    """A mask, (ny, nx) bool, and the mean light that it leaves (sigma); no `method`: the ideal."""

    method: str
    mask: NDArray[np.bool_]
    light_mean: float


@dataclass(frozen=True)
class MaskedImage:
    """An image (ny, nx), NaN where it is empty, with its mask, and the values shown as its ends."""

    name: str
    image: NDArray[np.floating]
    mask: NDArray[np.bool_]
    limits: tuple[float, float]


def _step(axes: Axes, shape: tuple[int, ...]) -> int:
    """Pixels of an image (ny, nx) along a dot of its panel, rounded up, that all are drawn."""
    box = axes.get_window_extent()
    return max(1, math.ceil(max(shape[0] / box.height, shape[1] / box.width) - 1e-6))


@default_style
def draw_masked_images(
    images: Sequence[MaskedImage], *, method: str, more: int = 0, simulated: bool
) -> Figure:
    """Every image, and below it the same with its mask in blue; bright is dark.

    `more`: how many images are not shown.
    """
    columns = min(_COLUMNS, len(images))
    rows = -(-len(images) // columns)
    tallest = max(one.image.shape[0] / one.image.shape[1] for one in images)
    width = 1.9
    height = width * min(tallest, 2.5)
    names = [in_two_lines(one.name, _LETTERS) for one in images]
    head = 0.42 if "\n" not in "".join(names) else 0.56
    title = f"{method_label(method)[0].upper()}{method_label(method)[1:]} mask"
    figure = titled_figure(
        max(columns * (width + 0.08) + 0.2, 7.0),
        rows * (2 * height + head) + 0.55,
        title=title + (f" (and {more} images more)" if more else ""),
        simulated=simulated,
    )
    total_width, total_height = figure.get_size_inches()
    for number, one in enumerate(images):
        row, column = divmod(number, columns)
        for part in (0, 1):
            bottom = 0.15 + (rows - 1 - row) * (2 * height + head) + (1 - part) * (height + 0.08)
            axes = figure.add_axes(
                (
                    (0.1 + column * (width + 0.08)) / total_width,
                    bottom / total_height,
                    width / total_width,
                    height / total_height,
                )
            )
            step = _step(axes, one.image.shape)
            axes.imshow(
                shrink(one.image, step),
                origin="lower",
                cmap="Greys",
                vmin=one.limits[0],
                vmax=one.limits[1],
                interpolation="nearest",
            )
            if part == 0:
                axes.set_title(names[number], fontsize=9, pad=3)
            else:
                mask = np.ma.masked_equal(shrink_mask(one.mask, step), False)
                axes.imshow(
                    mask, origin="lower", cmap=ListedColormap([_OVER]), interpolation="nearest"
                )
            axes.set_facecolor(_EMPTY)
            axes.set_xticks([])
            axes.set_yticks([])
    return figure


@default_style
def draw_left_outside(
    panels: Sequence[LeftOutside], light: NDArray[np.floating], *, image: str
) -> Figure:
    """The light of the sources (ny, nx; sigma) that is left outside of each mask.

    Black on white, the masks pale blue; from the mask that leaves most to that which leaves least.
    """
    none = LeftOutside("none", np.zeros(light.shape, bool), np.nan)
    ordered = [none, *sorted(panels, key=lambda panel: -panel.light_mean)]
    columns = min(_COLUMNS, len(ordered))
    rows = -(-len(ordered) // columns)
    ny, nx = light.shape
    width = 2.1
    height = width * ny / nx
    figure = titled_figure(
        columns * (width + 0.1) + 0.2,
        rows * (height + 0.5) + 0.95,
        title=f"What masks leave of the sources' light ({image})",
        simulated=True,
    )
    total_width, total_height = figure.get_size_inches()
    for number, panel in enumerate(ordered):
        row, column = divmod(number, columns)
        axes = figure.add_axes(
            (
                (0.15 + column * (width + 0.1)) / total_width,
                (0.5 + (rows - 1 - row) * (height + 0.5)) / total_height,
                width / total_width,
                height / total_height,
            )
        )
        step = _step(axes, light.shape)
        left = shrink(np.where(panel.mask, 0, light), step)
        axes.imshow(
            np.clip(left, *_RANGE), origin="lower", cmap="Greys", norm=LogNorm(*_RANGE),
            interpolation="nearest",
        )  # fmt: skip
        share = shrink(panel.mask.astype(float), step)  # any pixel of a block: most would be blue
        axes.imshow(
            np.ones(share.shape), origin="lower", cmap=ListedColormap([_MASKED]), alpha=share,
            interpolation="nearest",
        )  # fmt: skip
        axes.set_xticks([])
        axes.set_yticks([])
        own = panel.method == "recommended"
        title = _title(panel)
        axes.set_title(title, fontsize=8.5, weight="bold" if own else "normal", pad=3)
    figure.text(
        0.15 / total_width,
        0.18 / total_height,
        "Black: light of stars and galaxies that stays in the sky (10 % to 30 times the noise of a "
        "pixel). Blue: masked. Below each name: the mean of that light in the unmasked pixels.",
        fontsize=9,
    )
    return figure


def _title(panel: LeftOutside) -> str:
    if panel.method == "none":
        return "no mask\n"
    name = method_label(panel.method) if panel.method else "ideal of the recommended's area"
    return f"{name}\n{panel.light_mean:.3f} sigma"
