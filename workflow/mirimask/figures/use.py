"""The figure of what masks leave outside of the sources' light. Draws, computes not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mirimask.figures.evaluation import titled_figure
from mirimask.masks.names import method_label

__all__ = ["LeftOutside", "draw_left_outside"]

_MASKED = "#c6dbef"  # pale blue
_RANGE = (0.1, 30.0)  # sigma: what is shown as white and as black
_COLUMNS = 7


@dataclass(frozen=True)
class LeftOutside:
    """A mask, (ny, nx) bool, and the mean sky that it leaves, in sigma; no `method`: the ideal."""

    method: str
    mask: NDArray[np.bool_]
    sky_mean: float


def draw_left_outside(
    panels: Sequence[LeftOutside], light: NDArray[np.floating], *, image: str
) -> Figure:
    """The light of the sources (ny, nx; sigma) that is left outside of each mask.

    Black on white, the masks pale blue; from the mask that leaves most to that which leaves least.
    """
    none = LeftOutside("none", np.zeros(light.shape, bool), np.nan)
    ordered = [none, *sorted(panels, key=lambda panel: -panel.sky_mean)]
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
        shown = np.clip(light[::2, ::2], *_RANGE)
        axes.imshow(
            shown, origin="lower", cmap="Greys", norm=LogNorm(*_RANGE), interpolation="nearest"
        )
        masked = np.ma.masked_equal(panel.mask[::2, ::2], False)
        axes.imshow(masked, origin="lower", cmap=ListedColormap([_MASKED]), interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        own = panel.method == "recommended"
        title = _title(panel)
        axes.set_title(title, fontsize=8.5, weight="bold" if own else "normal", pad=3)
    figure.text(
        0.15 / total_width,
        0.18 / total_height,
        "Black: light of stars and galaxies that stays in the sky (10 % to 30 times the noise of a "
        "pixel). Blue: masked. Below each name: what the unmasked pixels are above the true sky.",
        fontsize=9,
    )
    return figure


def _title(panel: LeftOutside) -> str:
    if panel.method == "none":
        return "no mask\n"
    name = method_label(panel.method) if panel.method else "ideal of the recommended's area"
    return f"{name}\n{panel.sky_mean:.3f} sigma"
