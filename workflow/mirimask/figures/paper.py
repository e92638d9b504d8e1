"""Figures 1 to 5: arrays, positions and verdicts in, figures out; nothing is measured."""

import math
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from astropy.io import fits
from astropy.visualization.wcsaxes import WCSAxes
from astropy.wcs import WCS
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from mirimask.figures.style import SIMULATED, default_style, shortened
from mirimask.image.levels import Histogram, percentile_limits, percentile_words
from mirimask.image.wcs import pixel_to_sky, sky_to_pixel
from mirimask.masks.names import method_label

__all__ = [
    "VERDICT_STYLES",
    "Panel",
    "draw_frame",
    "draw_histograms",
    "draw_panels",
    "image_panel",
    "mask_panel",
]

# Colours of Paul Tol's high-contrast scheme: told apart by colour-blind eyes and in grey.
VERDICT_STYLES: dict[str, dict[str, Any]] = {
    "success": {"edgecolor": "#004488", "linestyle": "solid"},
    "near": {"edgecolor": "#DDAA33", "linestyle": (0, (4, 1.6))},
    "failure": {"edgecolor": "#BB5566", "linestyle": (0, (1, 1.1))},
}

# Values run from light grey to black, so that neither white nor a hue can be read as a value.
_LEVELS = 96  # more cannot be told apart, and make the files larger
_GREYS = LinearSegmentedColormap.from_list("greys", ["#cdcdcd", "black"], N=_LEVELS)
_NOT_KEPT, _EMPTY = "#ffffff", "#f0dfb4"
_SMALL_INCH = 0.08  # radius of a circle below which its line is thinner
_MAX_NUMBERED, _MAX_RINGS = 80, 60  # more numbers and outer rings than this hide the image


@dataclass(frozen=True)
class Panel:
    """One panel of `draw_panels`.

    `image` is (ny, nx), in `unit`; `limits` are the values drawn lightest and darkest. `kept` is
    (ny, nx) bool, or None where the whole image is shown. `verdicts` has one of `VERDICT_STYLES`
    for each source, or is None where there is nothing to judge. `note` is a line below the title.
    """

    title: str
    image: NDArray[np.floating]
    limits: tuple[float, float]
    unit: str
    note: str
    kept: NDArray[np.bool_] | None = None
    verdicts: Sequence[str] | None = None


# What the percentage of a slice is of: of the values, or of the derivative (masks.thresholds).
_DOMAINS = {
    ("published", False): "the frame, empty pixels as 0",
    ("published", True): "the frame, 0 outside the crop",
    ("crop", False): "the seen pixels of the crop",
    ("crop", True): "the derivative in the crop",
}
_SHOWN = (80, 99)  # percentiles drawn lightest and darkest, as the paper's published script has it
_UNIT = "MJy/sr"


def image_panel(image: NDArray[np.floating]) -> Panel:
    """The panel of an image (ny, nx) in MJy/sr, NaN where nothing was observed."""
    low, high = _SHOWN
    note = f"grey from the {low}th\nto the {high}th percentile"
    return Panel("Original", image, percentile_limits(image, _SHOWN), _UNIT, note)


def mask_panel(
    image: NDArray[np.floating],
    kept: NDArray[np.bool_],
    header: fits.Header,
    verdicts: Sequence[str],
    *,
    slope: NDArray[np.floating] | None = None,
) -> Panel:
    """The panel of a mask: the pixels that it marks of what it cuts.

    That is the `image` (ny, nx), or its `slope`, in MJy/sr/px, where one is given. `kept` and
    `header` are what `mirimask.image.files.read_mask` gives.
    """
    unit = _UNIT if slope is None else f"{_UNIT}/px"
    shown = image if slope is None else slope
    note = f"{header['NKEPT']:,} px marked, {100 * header['NKEPT'] / kept.size:.3g} % of the crop"
    if "PERCENT" in header:
        of = _DOMAINS[header["DOMAIN"], slope is not None]
        note = f"top {header['PERCENT']:g} % of {of}\n{note}"
    if "THRESH" in header:
        note += f"\nabove {header['THRESH']:.4g} {unit}"
    return Panel(
        method_label(header["METHOD"]),
        shown,
        percentile_limits(shown, _SHOWN),
        unit,
        note,
        kept,
        list(verdicts),
    )


def _new_figure(
    width: float, height: float, *, dpi: float, title: str, simulated: bool, below: bool = False
) -> Figure:
    """An empty figure of that size in inches with its title, SIMULATED beside or below it."""
    figure = Figure(figsize=(width, height), dpi=dpi)
    FigureCanvasAgg(figure)
    room = width - 0.5 - (3.3 if simulated and not below else 0)
    top = 1 - 0.12 / height
    figure.text(
        0.25 / width,
        top,
        shortened(title, int(room / 0.13)),
        fontsize=14,
        fontweight="bold",
        va="top",
        parse_math=False,
    )
    if simulated:
        figure.text(
            1 - 0.25 / width,
            top - (0.36 / height if below else 0),
            SIMULATED,
            fontsize=13,
            fontweight="bold",
            color="white",
            va="top",
            ha="right",
            bbox={"facecolor": "#a00028", "edgecolor": "none", "pad": 3},
        )
    return figure


_PALETTE = np.rint(
    255
    * np.vstack([_GREYS(np.arange(_LEVELS)), mpl.colors.to_rgba_array([_NOT_KEPT, _EMPTY])])[:, :3]
).astype(np.uint8)


def _indices(
    image: NDArray[np.floating],
    limits: tuple[float, float],
    kept: NDArray[np.bool_] | None,
    empty: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """(ny, nx) entries of `_PALETTE`: values in grey, then what was not kept, what was empty."""
    low, high = limits
    shown = (~empty if kept is None else kept) & ~np.isnan(image)
    scaled = (image[shown] - low) / (high - low if high > low else 1) * (_LEVELS - 1)
    index = np.full(image.shape, _LEVELS, dtype=np.uint8)
    index[empty] = _LEVELS + 1
    index[shown] = np.clip(scaled, 0, _LEVELS - 1).astype(np.uint8)
    return index


def _show(axes: Axes, index: NDArray[np.uint8], zoom: float) -> None:
    """Draw an image of entries of `_PALETTE`, as it is where a pixel is a whole number of dots."""
    whole = zoom >= 1 and abs(zoom - round(zoom)) < 1e-6
    axes.imshow(_PALETTE[index], origin="lower", interpolation="none" if whole else "auto")


def _zoom(n: int, inches: float) -> tuple[float, float]:
    """Dots an image pixel is drawn with along an axis of n pixels, and the dots per inch for it."""
    low, high, otherwise = 130, 290, 160.0
    zoom = math.ceil(low * inches / n)
    dpi = zoom * n / inches
    return (float(zoom), dpi) if dpi <= high else (otherwise * inches / n, otherwise)


### sky coordinates ################################################################################

_RA_STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
_DEC_STEPS_ARCSEC = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)


def _edge_ranges(wcs: WCS, nx: int, ny: int) -> NDArray[np.float64]:
    """By how many degrees each coordinate changes along the lower and the left edge: (2, 2)."""
    corners = wcs.all_pix2world([[0, 0], [nx - 1, 0], [0, ny - 1]], 0)
    change = corners[1:] - corners[0]
    longitude = wcs.wcs.lng
    change[:, longitude] = (change[:, longitude] + 180) % 360 - 180
    return np.abs(change)


def _label_sky(
    axes: WCSAxes, shape: tuple[int, int], *, width: float, height: float, left: bool
) -> None:
    """Ticks for a field of any roll angle: each edge gets the coordinate that varies along it.

    The steps follow from the range along that edge and its length in inches.
    """
    import astropy.units as u

    ny, nx = shape
    change = _edge_ranges(axes.wcs, nx, ny)
    longitude, latitude = axes.wcs.wcs.lng, axes.wcs.wcs.lat
    squeeze = math.cos(math.radians(float(axes.wcs.wcs.crval[latitude])))
    swapped = bool(change[0, longitude] * squeeze < change[0, latitude])
    galactic = axes.wcs.wcs.ctype[longitude].startswith("GLON")
    names, system = (("l", "b"), "Galactic") if galactic else (("RA", "Dec"), None)
    system = system or axes.wcs.wcs.radesys or "ICRS"
    for index, coordinate in enumerate(axes.coords):
        is_longitude = index == longitude
        edge = int(is_longitude == swapped)  # 0: the lower edge, 1: the left one
        is_ra = is_longitude and not galactic
        steps = _RA_STEPS_S if is_ra else _DEC_STEPS_ARCSEC
        extent = change[edge, index] * (240 if is_ra else 3600)
        room = max(3, int(width / 1.25)) if edge == 0 else max(3, int(height / 0.75))
        step = next((step for step in steps if extent / step <= room), steps[-1])
        digits = "." + "s" * math.ceil(-math.log10(step)) if step < 1 else ""
        coordinate.set_ticks(spacing=step * (15 if is_ra else 1) * u.arcsec)
        coordinate.set_major_formatter(("hh:mm:ss" if is_ra else "dd:mm:ss") + digits)
        if is_ra:  # what parses mathtext would hold the drawn figure in memory
            coordinate.set_separator(("ʰ", "ᵐ", "ˢ"))
        side = "b" if edge == 0 else "l"
        coordinate.set_ticks_position(side)
        coordinate.set_ticklabel_position(side)
        coordinate.set_axislabel_position(side)
        coordinate.set_axislabel(
            f"{names[index != longitude]} ({system})",
            fontsize=11,
            minpad=0.5 if edge == 0 else 1.3,
        )
        coordinate.set_ticklabel(
            size=10, exclude_overlapping=True, rotation="vertical" if edge else "horizontal"
        )
        if edge == 1:
            coordinate.set_ticklabel(va="center")
            if not left:
                coordinate.set_ticklabel_visible(False)
                coordinate.set_axislabel("")
                coordinate.set_auto_axislabel(False)


def _compass(
    figure: Figure,
    wcs: WCS,
    shape: tuple[int, int],
    *,
    inch: float,
    centre: tuple[float, float],
    bar: tuple[float, float],
) -> None:
    """Arrows to the north and the east around `centre`, and a bar of round length ending at `bar`.

    Beside the image rather than on it, where they would hide sources. Positions are in inches of
    the figure, `inch` is the number of image pixels in one.
    """
    x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    sky = pixel_to_sky(wcs, x, y)
    ra, dec = float(sky.ra.deg), float(sky.dec.deg)
    scale = float(np.sqrt(np.abs(np.linalg.det(wcs.pixel_scale_matrix))))
    step = 10 * scale
    ends = sky_to_pixel(wcs, [ra, ra + step / math.cos(math.radians(dec))], [dec + step, dec])
    inches = figure.dpi_scale_trans
    for name, dx, dy in zip("NE", ends[0] - x, ends[1] - y, strict=True):
        along = np.array([dx, dy]) / math.hypot(dx, dy)
        figure.add_artist(
            FancyArrowPatch(
                centre, (centre[0] + 0.26 * along[0], centre[1] + 0.26 * along[1]), lw=1.3,
                transform=inches, arrowstyle="->", mutation_scale=9, shrinkA=0, shrinkB=0,
            )
        )  # fmt: skip
        figure.text(
            centre[0] + 0.36 * along[0], centre[1] + 0.36 * along[1], name, transform=inches,
            ha="center", va="center", fontsize=10, fontweight="bold",
        )  # fmt: skip
    lengths = (60, 30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1)
    arcsec = next((n for n in lengths if n / 3600 / scale < 0.85 * inch), lengths[-1])
    start = bar[0] - arcsec / 3600 / scale / inch
    figure.add_artist(Line2D([start, bar[0]], [bar[1]] * 2, transform=inches, color="black", lw=2))
    figure.text(
        (start + bar[0]) / 2, bar[1] + 0.04, f"{arcsec:g}″", transform=inches, ha="center",
        va="bottom", fontsize=10,
    )  # fmt: skip


### figures 3, 4 and 5 #############################################################################


def _clip(artist: Artist, axes: Axes) -> None:
    """Clip at the rectangle of the axes: for the path of WCSAxes, Agg masks the whole canvas."""
    artist.set_clip_path(None)
    artist.set_clip_box(axes.bbox)


def _circles(
    axes: Axes,
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    radius: float,
    *,
    width: float,
    zorder: float,
    **style: Any,
) -> None:
    """Circles to scale, in pixels of the image."""
    if len(x):
        circles = [Circle(centre, radius) for centre in zip(x, y, strict=True)]
        drawn = PatchCollection(
            circles, facecolor="none", linewidth=width, capstyle="butt", zorder=zorder, **style
        )
        _clip(axes.add_collection(drawn, autolim=False), axes)


def _mark_sources(
    axes: Axes,
    panel: Panel,
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    *,
    radius_px: float,
    near_px: float,
    inch: float,
    crowded: bool,
    catalogue: bool,
) -> list[Line2D]:
    """Circles and their legend; where a verdict is not a success, the outer limit of `near` too.

    All white lines lie below all coloured ones: seen on black, and hiding no neighbour's line.
    `crowded` circles, which would hide the image, are thin and have neither white nor a ring; lines
    of small circles are thin too, not to hide what is in them.
    """
    if panel.verdicts is not None and not len(x):
        return []
    part = 0.33 if crowded else min(1.0, radius_px / inch / _SMALL_INCH)
    if not crowded:
        _circles(axes, x, y, radius_px, width=3.5 * part, zorder=3, edgecolor="white")
    if panel.verdicts is None:
        _circles(axes, x, y, radius_px, width=1.3 * part, zorder=4, edgecolor="black")
        if len(x) <= _MAX_NUMBERED and not crowded:
            halo = [withStroke(linewidth=2.5, foreground="white")]
            ny, nx = panel.image.shape
            for number, (xi, yi) in enumerate(zip(x, y, strict=True), start=1):
                out = radius_px * 0.78 + 0.05 * inch
                left, down = xi + out > nx - 0.2 * inch, yi + out > ny - 0.2 * inch
                text = axes.text(
                    xi + (-out if left else out), yi + (-out if down else out), str(number),
                    fontsize=9, ha="center", va="center", path_effects=halo, clip_on=True,
                )  # fmt: skip
                _clip(text, axes)
        word = "source" if len(x) == 1 else "sources"
        none = "no catalogue source lies here" if catalogue else "no catalogue is given"
        label = f"{len(x)} catalogue {word}" if len(x) else none
        line = {"color": "black", "lw": 1.3} if len(x) else {"color": "none"}
        return [Line2D([], [], label=label, **line)]
    verdicts = np.asarray(panel.verdicts, dtype=str)
    counts = Counter(verdicts.tolist())
    handles = []
    for verdict, style in VERDICT_STYLES.items():
        chosen = verdicts == verdict
        if verdict != "success" and len(x) <= _MAX_RINGS and not crowded:
            _circles(axes, x[chosen], y[chosen], radius_px + near_px, width=0.7, zorder=4, **style)
        _circles(axes, x[chosen], y[chosen], radius_px, width=1.8 * part, zorder=5, **style)
        handles.append(
            Line2D(
                [], [], color=style["edgecolor"], linestyle=style["linestyle"], lw=1.9,
                label=f"{counts[verdict]} {verdict}",
            )
        )  # fmt: skip
    return handles


def _as_vectors(bar: Colorbar) -> None:
    """A colour bar without a canvas of its own in a PDF, and without gaps between its colours."""
    if bar.solids is not None:
        bar.solids.set_rasterized(False)
        bar.solids.set_edgecolor("face")


def _colour_bar(figure: Figure, box: tuple[float, float, float, float], panel: Panel) -> None:
    axes = figure.add_axes(box)
    bar = figure.colorbar(
        ScalarMappable(Normalize(*panel.limits), _GREYS),
        cax=axes,
        orientation="horizontal",
        extend="both",
        ticks=MaxNLocator(4),
    )
    _as_vectors(bar)
    axes.tick_params(labelsize=10)
    axes.xaxis.get_offset_text().set_fontsize(9)
    bar.set_label(panel.unit, fontsize=11, labelpad=2)


@default_style
def draw_panels(
    panels: Sequence[Panel],
    *,
    wcs: WCS,
    empty: NDArray[np.bool_],
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    radius_px: float,
    near_px: float,
    pixel_scale: float,
    title: str,
    simulated: bool,
    crowded: bool = False,
    catalogue: bool = True,
) -> Figure:
    """Figures 3, 4 and 5: an image and masks of it beside each other, with the sources' circles.

    Parameters
    ----------
    panels : of images of one shape (ny, nx)
    wcs : the celestial WCS of the images
    empty : (ny, nx) bool, True where nothing was observed
    x, y : 0-based pixel positions of the sources; empty where there are none
    radius_px, near_px : radius of the circles, and the width of the ring for near misses
    pixel_scale : arcsec
    crowded : the circles cover most of the image and are drawn thin
    catalogue : one was given for the image

    Returns
    -------
    Figure
        Panels of equal size in the aspect of the images, in one row; in two columns where the
        images are more than 1.6 times as wide as high. A pixel is a whole number of dots if the
        image is not too large for it.
    """
    ny, nx = empty.shape
    columns = len(panels) if nx <= 1.6 * ny else min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    width = min(3.75 if columns > 2 else 7.0, 9.0 * nx / ny)
    height = width * ny / nx
    zoom, dpi = _zoom(nx, width)
    pitch_x, head, foot = max(width, 3.7) + 0.2, 1.16, 1.35
    left, right, top = 0.85, 0.2, 0.35
    pitch_y = head + height + foot
    total = (left + columns * pitch_x + right, top + rows * pitch_y + 0.05)
    figure = _new_figure(*total, dpi=dpi, title=title, simulated=simulated)
    scaled: list[tuple] = []
    for i, panel in enumerate(panels):
        row, column = divmod(i, columns)
        # on whole dots, so that no row or column of pixels is doubled or lost
        x0 = round((left + column * pitch_x) * dpi) / dpi
        y0 = round((total[1] - top - row * pitch_y - head - height) * dpi) / dpi
        box = (x0 / total[0], y0 / total[1], width / total[0], height / total[1])
        axes = figure.add_axes(WCSAxes(figure, box, wcs=wcs))
        _show(axes, _indices(panel.image, panel.limits, panel.kept, empty), zoom)
        handles = _mark_sources(
            axes, panel, x, y, radius_px=radius_px, near_px=near_px, inch=nx / width,
            crowded=crowded, catalogue=catalogue,
        )  # fmt: skip
        _label_sky(axes, (ny, nx), width=width, height=height, left=column == 0)
        if i == 0:
            _compass(
                figure,
                wcs,
                (ny, nx),
                inch=nx / width,
                centre=(x0 + max(width, 3.7) - 0.45, y0 + height + 0.46),
                bar=(x0 + max(width, 3.7) - 1.0, y0 + height + 0.32),
            )
        axes.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False,
            fontsize=10.5, borderpad=0.25, borderaxespad=0, handlelength=2.1, columnspacing=1.0,
            handletextpad=0.5,
        )  # fmt: skip
        wrapped = textwrap.wrap(shortened(panel.title, 70), 36)[:2]
        for lines, size, at, weight in (
            (panel.note, 10, 0.81, "normal"),
            ("\n".join(wrapped), 13 if len(wrapped) < 2 else 10.5, 0.83, "bold"),
        ):
            figure.text(
                x0 / total[0], (y0 + height + at) / total[1], lines, fontsize=size,
                va="bottom" if weight == "bold" else "top", fontweight=weight, parse_math=False,
                linespacing=1.05,
            )  # fmt: skip
        scale = (panel.unit, panel.limits)
        if scale not in scaled:
            scaled.append(scale)
            _colour_bar(figure, (box[0], (y0 - 0.9) / total[1], box[2], 0.13 / total[1]), panel)
    keys = [
        Patch(facecolor=_NOT_KEPT, edgecolor="#808080", label="not marked by the mask"),
        Patch(facecolor=_EMPTY, edgecolor="#808080", label="not observed"),
    ]
    figure.legend(
        handles=keys, loc="upper right", ncols=2, frameon=False, fontsize=11, borderpad=0,
        bbox_to_anchor=((x0 + max(width, 3.7)) / total[0], (y0 - 0.72) / total[1]), borderaxespad=0,
        columnspacing=1.4, handletextpad=0.5,
    )  # fmt: skip
    circles = f"circles: radius {radius_px:.4g} px = {radius_px * pixel_scale:.3g}″"
    if crowded:
        circles += "\nthin, for they cover most of the image"
    elif len(x) <= _MAX_RINGS:
        more = f"thin: limit of near, {radius_px + near_px:.4g} px"
        # beside the colour bar of the panel before there is room for so many characters
        circles += ("; " if len(circles + more) < 56 else "\n") + more
    if not len(x):
        circles = ""
    figure.text(
        (x0 + max(width, 3.7)) / total[0], (y0 - 1.03) / total[1], circles, fontsize=10, va="top",
        ha="right", parse_math=False,
    )  # fmt: skip
    return figure


### figure 1 #######################################################################################


@default_style
def draw_frame(
    data: NDArray[np.floating],
    *,
    empty: NDArray[np.bool_],
    wcs: WCS,
    rows: tuple[int, int],
    columns: tuple[int, int],
    limits: tuple[float, float],
    unit: str,
    title: str,
    simulated: bool,
) -> Figure:
    """Figure 1: the whole frame (ny, nx) with the rectangle of the crop `data[rows, columns]`.

    `limits` are the values drawn lightest and darkest; `empty` is True where nothing was observed.
    """
    ny, nx = data.shape
    width = 6.6 if nx >= ny else 6.6 * nx / ny
    height = width * ny / nx
    zoom, dpi = _zoom(nx, width)
    total = (max(width + 2.35, 7.0), height + (1.9 if simulated else 1.6))
    figure = _new_figure(*total, dpi=dpi, title=title, simulated=simulated, below=True)
    x0, y0 = round(0.95 * dpi) / dpi, round(0.75 * dpi) / dpi
    box = (x0 / total[0], y0 / total[1], width / total[0], height / total[1])
    axes = figure.add_axes(WCSAxes(figure, box, wcs=wcs))
    _show(axes, _indices(data, limits, None, empty), zoom)
    _label_sky(axes, (ny, nx), width=width, height=height, left=True)
    _compass(
        figure,
        wcs,
        (ny, nx),
        inch=nx / width,
        centre=(x0 + width + 0.65, y0 + height - 0.3),
        bar=(x0 + width + 1.1, y0 + height - 1.1),
    )
    corner = (columns[0] - 0.5, rows[0] - 0.5)
    size = (columns[1] - columns[0], rows[1] - rows[0])
    for line, colour in ((5.0, "white"), (2.4, "#BB5566")):
        axes.add_patch(
            Rectangle(corner, *size, fill=False, lw=line, edgecolor=colour, clip_on=False)
        )
    label = (
        f"crop: rows {rows[0]} to {rows[1] - 1}, columns {columns[0]} to {columns[1] - 1} "
        f"({size[0]} by {size[1]} px)"
    )
    handles = [
        Line2D([], [], color="#BB5566", lw=2.4, label=label),
        Patch(facecolor=_EMPTY, edgecolor="#808080", label="not observed"),
    ]
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False,
        fontsize=10, borderaxespad=0.2, borderpad=0.2, handlelength=1.6, columnspacing=1.2,
    )  # fmt: skip
    bar_axes = figure.add_axes(
        ((x0 + width + 0.2) / total[0], box[1], 0.17 / total[0], (height - 1.4) / total[1])
    )
    bar = figure.colorbar(ScalarMappable(Normalize(*limits), _GREYS), cax=bar_axes, extend="both")
    _as_vectors(bar)
    bar_axes.tick_params(labelsize=10)
    bar.set_label(unit, fontsize=11)
    return figure


### figure 2 #######################################################################################


# of a PNG of histograms: those of some hundred images would be more than Pillow opens
_MOST_DOTS = 60e6
_NAME_INCH, _NOTE_INCH = 0.12, 0.085  # of a letter of a panel's name, and of its note


@default_style
def draw_histograms(
    histograms: Sequence[Histogram], *, unit: str, title: str, simulated: bool
) -> Figure:
    """Figure 2: a histogram for each image, with the two levels a threshold could be set at.

    Up to four panels a row, as few empty places as that allows. A level beyond the histogram is
    named in the legend and pointed at from the rim.
    """
    rows = math.ceil(len(histograms) / 4)
    columns = math.ceil(len(histograms) / rows)
    width, height, gap_x, gap_y = 3.5, 2.75, 0.85, 1.05
    total = (
        max(0.95 + columns * (width + gap_x) - gap_x + 0.2, 7.6 if simulated else 0),
        0.5 + rows * (height + gap_y) - 0.1,
    )
    dpi = min(150, math.sqrt(_MOST_DOTS / (total[0] * total[1])))
    figure = _new_figure(*total, dpi=dpi, title=title, simulated=simulated)
    for i, panel in enumerate(histograms):
        row, column = divmod(i, columns)
        x0 = 0.95 + column * (width + gap_x)
        y0 = total[1] - 0.5 - row * (height + gap_y) - 0.38 - height
        axes = figure.add_axes((x0 / total[0], y0 / total[1], width / total[0], height / total[1]))
        axes.stairs(panel.counts, panel.edges, fill=True, color="#8aa4bf")
        low, high = float(panel.edges[0]), float(panel.edges[-1])
        axes.set_xlim(low, high)
        axes.set_ylim(0, 1.32 * max(int(np.max(panel.counts)), 1))
        handles: list[Line2D] = []
        for level, colour, name in (
            (panel.mean_2sd, "#cc0000", "mean + 2 s.d."),
            (panel.percentile, "black", percentile_words(panel.percent)),
        ):
            label = f"{name} = {level:.5g}"
            if low <= level <= high:
                axes.axvline(level, ymax=0.79, color=colour, ls=(0, (5, 3)), lw=1.7)
            else:
                beyond = level > high
                label += " →" if beyond else " ←"
                at = 0.62 if handles else 0.7
                axes.annotate(
                    "", (1 if beyond else 0, at), (0.9 if beyond else 0.1, at),
                    xycoords="axes fraction",
                    arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.7, "ls": "dashed"},
                )  # fmt: skip
            handles.append(Line2D([], [], color=colour, ls=(0, (5, 3)), lw=1.7, label=label))
        axes.legend(
            handles=handles, loc="upper right", fontsize=9.5, frameon=False, handlelength=2.6,
            borderaxespad=0.25, labelspacing=0.25,
        )  # fmt: skip
        name = shortened(panel.title, 30)
        note = "" if panel.note == panel.title else shortened(panel.note, 42)
        together = len(name) * _NAME_INCH + len(note) * _NOTE_INCH < width
        axes.text(
            0, 1.02 if together or not note else 1.08, name, transform=axes.transAxes, fontsize=12,
            fontweight="bold", parse_math=False,
        )  # fmt: skip
        axes.text(
            1 if together else 0, 1.02, note, transform=axes.transAxes, fontsize=9,
            ha="right" if together else "left", parse_math=False,
        )  # fmt: skip
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.tick_params(labelsize=9.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel(f"{unit} ({100 * panel.shown:.4g} % of the pixels shown)", fontsize=10)
        if column == 0:
            axes.set_ylabel("pixels per bin", fontsize=10)
    return figure
