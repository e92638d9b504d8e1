"""What all figures share: how they are titled, drawn whatever a person's settings, and saved."""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from mirimask.atomic import replacing
from mirimask.masks.names import parse_method
from mirimask.masks.registry import DETECTORS, METHODS

__all__ = [
    "DPI",
    "SIMULATED",
    "default_style",
    "in_two_lines",
    "method_style",
    "method_styles",
    "save_figure",
    "shortened",
    "titled_figure",
]

SIMULATED = "SIMULATED: not from the sky"
DPI = 110  # pixels an inch


# A hue for each method of the paper's, from its slices of few pixels (light) to those of many
# (dark); Okabe & Ito's and Tol's, told apart by colour-blind eyes. Marker (method) and dash (level)
# tell them apart in grey.
_HUES = {
    "value": (("#7cc4ee", "#002a4d"), "o", "-"),
    "derivative": (("#f2a241", "#5c1f00"), "s", "-"),
    "union": (("#00a678", "#00a678"), "X", "-."),
    "intersection": (("#cc79a7", "#cc79a7"), "P", ":"),
}
_LEVELS = (0.3, 12.0)  # per cent, of the ends of a hue
_LEVEL_DASHES = ((0.7, "-"), (3.0, "--"), (7.0, "-."), (np.inf, ":"))  # of slices up to a level
_OWN: dict[str, dict[str, Any]] = {
    "recommended": {"color": "black", "linestyle": "-", "marker": "*"},
    "cores": {"color": "black", "linestyle": "-", "marker": "*"},
    "segmentation": {"color": "#a00028", "linestyle": "-", "marker": "D"},
}
_OTHERS = ("#7f6000", "#6a51a3", "#117733", "#888888", "#b2457a", "#3d5a80")
_DASHES, _MARKERS = ("-", "--", "-.", ":"), "^v<>hd"


def method_style(name: str) -> dict[str, Any]:
    """How a method, or a family of masks, is drawn in every figure in which no other looks so.

    Colour, linestyle, marker, linewidth and markersize, as matplotlib's `plot` takes them.
    """
    parsed = None if name in METHODS else parse_method(name)
    key = parsed.method if parsed else name
    base = {"linewidth": 1.5, "markersize": 5.0}
    if key in ("recommended", "cores"):
        base = {"linewidth": 2.4, "markersize": 9.0}
    if key in _OWN:
        return base | _OWN[key]
    if key in _HUES:
        (light, dark), marker, dash = _HUES[key]
        level = parsed.level if parsed and parsed.level else 3.0
        if parsed and parsed.level:
            dash = next(dash for most, dash in _LEVEL_DASHES if level < most)
        low, high = np.log(_LEVELS)
        share = float(np.clip((np.log(level) - low) / (high - low), 0, 1))
        ends = mpl.colors.to_rgb(light), mpl.colors.to_rgb(dark)
        red, green, blue = (a + share * (b - a) for a, b in zip(*ends, strict=True))
        colour = mpl.colors.to_hex((red, green, blue))
        return base | {"color": colour, "linestyle": dash, "marker": marker}
    place = list(DETECTORS).index(key) if key in DETECTORS else 0
    return base | {
        "color": _OTHERS[place % len(_OTHERS)],
        "linestyle": _DASHES[place % len(_DASHES)],
        "marker": _MARKERS[place % len(_MARKERS)],
    }


def method_styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """How the methods of one figure are drawn, by their names.

    As `method_style` has it, but those whose marker and dash an earlier one has take the next that
    are free: unions, levels of a detector, and of the detectors those beyond the eleventh. (With
    more than 36 some are alike.)
    """
    free = [
        {"linestyle": dash, "marker": marker} for marker in _MARKERS + "opX" for dash in _DASHES
    ]
    styles: dict[str, dict[str, Any]] = {}
    taken: list[dict[str, Any]] = []
    for name in names:
        style = method_style(name)
        look = {key: style[key] for key in ("linestyle", "marker")}
        if look in taken:
            look = next((other for other in free if other not in taken), look)
        taken.append(look)
        styles[name] = style | look
    return styles


def shortened(text: object, letters: int) -> str:
    """A text from outside on one line of at most so many letters, its middle left out for that.

    The names of one programme's images begin alike, those of one filter end alike.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    tail = letters // 2
    first, last = line[: letters - tail - 1], line[len(line) - tail :]
    return line if len(line) <= letters else f"{first}…{last}"


def in_two_lines(text: object, letters: int) -> str:
    """The same on two lines of at most so many letters where one has not room, parted at a mark."""
    line = shortened(text, 2 * letters)
    if len(line) <= letters:
        return line
    places = range(len(line) - letters, letters + 1)
    at = max((place for place in places if line[place - 1] in "_- "), default=letters)
    return f"{line[:at]}\n{line[at:]}"


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

    The PNG has no palette: that would have half the bytes, and thin lines the colours of others.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    with replacing(png) as temporary:
        image.save(temporary, dpi=(figure.dpi, figure.dpi))
    if pdf is not None:
        with replacing(pdf) as temporary:
            figure.savefig(
                temporary, metadata={"CreationDate": None, "Creator": None, "Producer": None}
            )
    # figures refer to themselves and stay until Python looks for that: not with all of their dots
    figure.set_canvas(FigureCanvasBase(figure))


@default_style
def titled_figure(width: float, height: float, *, title: str, simulated: bool) -> Figure:
    """A figure of that size in inches, with its title and SIMULATED above it."""
    figure = Figure(figsize=(width, height), dpi=DPI)
    FigureCanvasAgg(figure)
    figure.text(
        0.15 / width, 1 - 0.12 / height, title, fontsize=13, weight="bold", va="top",
        parse_math=False,
    )  # fmt: skip
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
