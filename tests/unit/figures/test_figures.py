"""Figures: what could lead a reader to another conclusion than the numbers do."""

import gc
import os
import re
import weakref
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pkgutil import iter_modules

import mirimask.figures
import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from mirimask.figures.paper import (
    VERDICT_STYLES,
    Panel,
    draw_frame,
    draw_histograms,
    draw_panels,
    image_panel,
    mask_panel,
)
from mirimask.figures.quick_look import quick_look
from mirimask.figures.style import DPI, SIMULATED, in_two_lines, save_figure, shortened
from mirimask.figures.use import LeftOutside, MaskedImage, draw_left_outside, draw_masked_images
from mirimask.image.levels import Histogram
from PIL import Image

NY, NX = 98, 59
RADIUS, NEAR = 6.0, 8.0
HOSTILE = r"$\frac{a}{$ V_01^2 %d <b>&amp; \n" + "long_" * 60


def sky(nx=NX, ny=NY, *, roll=0.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = 83.6, -69.1
    wcs.wcs.crpix = nx / 2, ny / 2
    wcs.wcs.cdelt = -0.11 / 3600, 0.11 / 3600
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    wcs.wcs.pc = [[cos, -sin], [sin, cos]]
    return wcs


def panel(**changes):
    image = np.zeros((NY, NX))
    return replace(Panel("Img Top 1 %", image, (0, 1), "MJy/sr", "a note"), **changes)


def panels(
    x, y, verdicts, *, title="Img1", simulated=False, roll=0.0, empty=None, drawn=None, **more
):
    """Four panels of an image of zeros, or those of `drawn`."""
    kept = np.zeros((NY, NX), dtype=bool)
    masks = [panel(kept=kept, verdicts=verdicts) for _ in range(3)]
    drawn = drawn or [panel(title="Original"), *masks]
    return draw_panels(
        drawn,
        wcs=sky(roll=roll),
        empty=np.zeros((NY, NX), dtype=bool) if empty is None else empty,
        x=np.asarray(x, dtype=float),
        y=np.asarray(y, dtype=float),
        radius_px=RADIUS,
        near_px=NEAR,
        pixel_scale=0.11,
        title=title,
        simulated=simulated,
        **more,
    )


def image_axes(figure):
    return [axes for axes in figure.axes if axes.images]


def circles(axes, colour):
    """(x, y, radius) in data units of all circles of a colour on a panel."""
    found = []
    for collection in axes.collections:
        assert isinstance(collection, PatchCollection)
        if tuple(collection.get_edgecolor()[0]) == to_rgba(colour):
            assert collection.get_transform().contains_branch(axes.transData)
            for path in collection.get_paths():
                box = path.get_extents()
                assert box.width == pytest.approx(box.height)
                found.append(((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, box.width / 2))
    return sorted(found)


def texts(figure):
    found = [*figure.texts]
    for axes in figure.axes:
        found += axes.texts
        if axes.get_legend() is not None:
            found += axes.get_legend().get_texts()
    return [text.get_text() for text in found]


def saved(figure, folder, name="figure"):
    png, pdf = folder / f"{name}.png", folder / f"{name}.pdf"
    save_figure(figure, png=png, pdf=pdf)
    return png, pdf


def rgb_at(png, figure, axes, x, y):
    """The colour a reader sees at an image's pixel (x, y)."""
    seen = np.asarray(Image.open(png).convert("RGB"))
    column, up = axes.transData.transform((x, y))
    return seen[int(seen.shape[0] - up), int(column)]


def test_circles_are_at_the_positions_and_to_scale():
    figure = panels([10.25, 40, 30], [12, 80.5, 50], ["success", "near", "failure"])
    original, *masks = image_axes(figure)
    everywhere = [(10.25, 12, RADIUS), (30, 50, RADIUS), (40, 80.5, RADIUS)]
    assert circles(original, "black") == [pytest.approx(c) for c in everywhere]
    for axes in masks:
        assert circles(axes, VERDICT_STYLES["success"]["edgecolor"]) == [
            pytest.approx((10.25, 12, RADIUS))
        ]
        for verdict, x, y in (("near", 40, 80.5), ("failure", 30, 50)):
            assert circles(axes, VERDICT_STYLES[verdict]["edgecolor"]) == [
                pytest.approx((x, y, RADIUS)),
                pytest.approx((x, y, RADIUS + NEAR)),
            ]


@pytest.mark.parametrize("roll", [0, 38, 100, -135])
def test_a_pixel_is_drawn_where_its_circle_is(tmp_path, roll):
    """Rows count from below, whatever the roll: the y axis of the image is not turned over."""
    kept = np.zeros((NY, NX), dtype=bool)
    kept[70:73, 20:23] = True
    image = np.where(kept, 10.0, 0.0)
    original, mask = panel(image=image), panel(image=image, kept=kept, verdicts=["success"])
    figure = panels([21], [71], [], roll=roll, drawn=[original, mask])
    png, _ = saved(figure, tmp_path)
    for axes in image_axes(figure):
        assert axes.get_ylim() == (-0.5, NY - 0.5)
        assert axes.get_xlim() == (-0.5, NX - 0.5)
        assert tuple(rgb_at(png, figure, axes, 21, 71)) == (0, 0, 0)
        assert rgb_at(png, figure, axes, 21, NY - 71).min() > 150


def test_what_is_kept_left_out_and_empty_cannot_be_confused(tmp_path):
    kept = np.zeros((NY, NX), dtype=bool)
    kept[10:20] = True  # of the lowest value there is: it must not look like a pixel left out
    empty = np.zeros_like(kept)
    empty[50:60] = True
    figure = panels([], [], [], empty=empty, drawn=[panel(), panel(kept=kept, verdicts=[])])
    png, _ = saved(figure, tmp_path)
    original, mask = image_axes(figure)
    value, left_out, nothing = (rgb_at(png, figure, mask, 30, y).astype(int) for y in (15, 80, 55))
    assert np.ptp(value) == 0
    assert value.max() < 215
    assert tuple(left_out) == (255, 255, 255)
    assert np.ptp(nothing) > 40  # a hue: values have none
    assert tuple(rgb_at(png, figure, original, 30, 15)) == tuple(value)
    assert tuple(rgb_at(png, figure, original, 30, 55)) == tuple(nothing)


def test_nan_that_a_mask_keeps_is_drawn_as_left_out(tmp_path):
    image = np.full((NY, NX), np.nan)
    mask = panel(image=image, kept=np.ones((NY, NX), dtype=bool), verdicts=[])
    figure = panels([], [], [], drawn=[mask])
    png, _ = saved(figure, tmp_path)
    assert tuple(rgb_at(png, figure, image_axes(figure)[0], 30, 30)) == (255, 255, 255)


def test_verdicts_differ_in_colour_and_in_line():
    assert list(VERDICT_STYLES) == ["success", "near", "failure"]
    for key in ("edgecolor", "linestyle"):
        assert len({str(style[key]) for style in VERDICT_STYLES.values()}) == 3


def test_legends_count_the_verdicts():
    figure = panels(range(6), range(6), ["near", "success", "near", "failure", "near", "success"])
    for axes in image_axes(figure)[1:]:
        shown = [text.get_text() for text in axes.get_legend().get_texts()]
        assert shown == ["2 success", "3 near", "1 failure"]


def test_panels_are_aligned_and_equal_in_size():
    figure = panels([], [], [])
    boxes = [axes.get_position() for axes in image_axes(figure)]
    assert len(boxes) == 4
    width, height = figure.get_size_inches()
    for box in boxes:
        assert (box.y0, box.y1) == pytest.approx((boxes[0].y0, boxes[0].y1))
        assert box.width * width / (box.height * height) == pytest.approx(NX / NY)
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


@pytest.mark.parametrize(("ny", "nx"), [(980, 590), (410, 500), (1028, 1032), (64, 60)])
def test_a_pixel_is_a_whole_number_of_dots(ny, nx):
    image = np.zeros((ny, nx))
    figure = draw_panels(
        [Panel("t", image, (0, 1), "MJy/sr", "n")] * 4,
        wcs=sky(nx, ny),
        empty=image > 0,
        x=np.array([]),
        y=np.array([]),
        radius_px=18,
        near_px=25,
        pixel_scale=0.11,
        title="t",
        simulated=False,
    )
    for axes in image_axes(figure):
        dots = axes.get_window_extent().width / nx
        assert dots == pytest.approx(round(dots), abs=1e-6)
        assert axes.get_window_extent().x0 == pytest.approx(
            round(axes.get_window_extent().x0), abs=1e-6
        )


def test_colour_bars_name_the_unit_of_each_scale_once():
    slope = panel(unit="MJy/sr/px", limits=(0.1, 0.5))
    figure = panels([], [], [], drawn=[panel(), panel(), slope, panel()])
    assert [axes.get_xlabel() for axes in figure.axes if not axes.images] == [
        "MJy/sr",
        "MJy/sr/px",
    ]


def test_same_bytes_in_two_runs(tmp_path):
    pairs = [saved(panels([10], [20], ["near"], simulated=True), tmp_path, name) for name in "ab"]
    for first, second in zip(*pairs, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert b"CreationDate" not in pairs[0][1].read_bytes()


def test_the_dots_of_a_saved_figure_are_let_go(tmp_path, monkeypatch):
    """A process that draws many figures would else keep each until Python looks for rings."""
    drawn = []

    class Watched(FigureCanvasAgg):
        def draw(self):
            super().draw()
            drawn.append(weakref.ref(self.get_renderer()))

    monkeypatch.setattr("mirimask.figures.style.FigureCanvasAgg", Watched)
    figure = panels([10], [12], ["near"], roll=23)  # labels that no other test has
    gc.collect()
    gc.disable()
    try:
        saved(figure, tmp_path)
        assert [dots() for dots in drawn] == [None]
    finally:
        gc.enable()


def test_hostile_texts_are_drawn_as_they_are(tmp_path):
    figure = panels(
        [10], [20], [], title=HOSTILE, simulated=True,
        drawn=[panel(title=HOSTILE, verdicts=["success"])] * 4,
    )  # fmt: skip
    saved(figure, tmp_path)
    title = figure.texts[0]
    assert title.get_text().startswith(r"$\frac{a}{$ V_01^2 %d <b>&amp;")
    assert not title.get_parse_math()
    right = title.get_window_extent().x1
    assert right < figure.texts[1].get_window_extent().x0  # SIMULATED is not hidden
    histogram = Histogram(HOSTILE, HOSTILE, np.ones(3, int), np.arange(4.0), 1.0, 2.0, 95.4, 1.0)
    saved(draw_histograms([histogram], unit="MJy/sr", title=HOSTILE, simulated=True), tmp_path)


def test_no_source_is_a_figure_too(tmp_path):
    figure = panels([], [], [])
    png, pdf = saved(figure, tmp_path)
    assert png.stat().st_size > 0
    assert pdf.stat().st_size > 0
    assert "no catalogue source lies here" in texts(figure)
    assert not any(axes.collections for axes in image_axes(figure))


def test_without_a_catalogue_nothing_is_said_of_its_sources():
    words = texts(panels([], [], [], catalogue=False))
    assert "no catalogue is given" in words
    assert "no catalogue source lies here" not in words


def test_an_image_of_one_level_is_drawn(tmp_path):
    """A mostly constant image has its 80th and 99th percentile at the same value."""
    saved(panels([], [], [], drawn=[panel(limits=(0, 0))]), tmp_path)


def test_many_sources_are_not_numbered():
    assert "1" in texts(panels([10, 20], [20, 30], ["near", "near"]))
    many = np.linspace(0, 50, 200)
    assert "1" not in texts(panels(many, many, ["success"] * 200))


def frame_figure(*, simulated):
    data = np.random.default_rng(1).normal(size=(100, 80))
    return draw_frame(
        data,
        empty=data > 2,
        wcs=sky(80, 100),
        rows=(20, 90),
        columns=(30, 70),
        limits=(-1, 1),
        unit="MJy/sr",
        title="Img3",
        simulated=simulated,
    )


def histogram_figure(count=1, *, simulated=False):
    counts, edges = np.histogram(np.random.default_rng(2).normal(size=1000), bins=100)
    panels_ = [Histogram(f"I{i}", "", counts, edges, 1.5, 99.0, 95.4, 1.0) for i in range(count)]
    return draw_histograms(panels_, unit="MJy/sr", title="Histograms", simulated=simulated)


@pytest.mark.parametrize(
    "draw",
    [lambda simulated: panels([], [], [], simulated=simulated), None, frame_figure],
    ids=["panels", "histograms", "frame"],
)
@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_is_on_the_face_of_a_figure(draw, simulated):
    figure = (draw or histogram_figure)(simulated=simulated)
    assert (SIMULATED in texts(figure)) == simulated


def test_crop_rectangle_surrounds_the_cropped_pixels():
    axes = image_axes(frame_figure(simulated=False))[0]
    rectangles = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert rectangles
    for patch in rectangles:
        assert patch.get_bbox().extents == pytest.approx((29.5, 19.5, 69.5, 89.5))


@pytest.mark.parametrize(("count", "grid"), [(1, (1, 1)), (3, (1, 3)), (5, (2, 3)), (7, (2, 4))])
def test_histograms_are_in_a_grid_that_fits_their_number(count, grid):
    figure = histogram_figure(count)
    assert len(figure.axes) == count
    boxes = [axes.get_position() for axes in figure.axes]
    assert (len({box.y0 for box in boxes}), len({box.x0 for box in boxes})) == grid


def test_histogram_lines_are_at_their_levels_and_named_with_them():
    axes = histogram_figure().axes[0]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["mean + 2 s.d. = 1.5", "95.4th percentile = 99 →"]
    (line,) = axes.lines  # 99 is beyond the histogram: an arrow, and no line at the rim
    assert line.get_xdata() == [1.5, 1.5]
    assert to_rgba(line.get_color()) == to_rgba("#cc0000")


def test_pdf_holds_the_image_at_its_own_resolution(tmp_path):
    _, pdf = saved(panels([], [], []), tmp_path)
    images = re.findall(rb"/Width (\d+)", pdf.read_bytes())
    assert images.count(str(NX).encode()) == 4


def masked_figure(names=("Img1", "Img2"), shape=(NY, NX), mask=None, image=None):
    image = np.random.default_rng(1).normal(5, 0.1, shape) if image is None else image
    mask = image > 5.2 if mask is None else mask
    shown = [MaskedImage(name, image, mask, (4.8, 5.5)) for name in names]
    return draw_masked_images(shown, method="recommended", simulated=True)


def left_figure(light=None, mask=None):
    light = np.abs(np.random.default_rng(1).normal(size=(NY, NX))) if light is None else light
    left = LeftOutside("value_1", light > 1 if mask is None else mask, 0.1)
    return draw_left_outside([left], light, image="Img1")


@pytest.mark.parametrize(
    "draw", [lambda: panels([10], [20], ["near"]), histogram_figure, masked_figure, left_figure]
)
def test_a_persons_matplotlibrc_changes_nothing(tmp_path, draw):
    import matplotlib as mpl

    before = saved(draw(), tmp_path, "a")
    own = {"font.size": 30, "image.origin": "lower", "text.color": "red"}
    own |= {"axes.titlecolor": "white", "axes.edgecolor": "red", "lines.linewidth": 9}
    with mpl.rc_context(own):
        after = saved(draw(), tmp_path, "b")
        assert mpl.rcParams["font.size"] == 30
    for first, second in zip(before, after, strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_every_function_that_draws_is_free_of_a_persons_matplotlibrc():
    modules = [
        import_module(f"mirimask.figures.{found.name}")
        for found in iter_modules(mirimask.figures.__path__)
    ]
    functions = {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in modules
        for name in module.__all__
        if name.startswith("draw_") or name.endswith("figure") or name == "quick_look"
    }
    assert len(functions) >= 20
    # what `default_style` has wrapped
    assert [name for name, draw in functions.items() if not hasattr(draw, "__wrapped__")] == []


def test_no_source_is_left_out_where_an_image_has_more_pixels_than_dots():
    shape, places = (1180, 1090), [(y, x) for y in range(5, 60) for x in range(7, 62)]
    image, mask = np.zeros(shape), np.zeros(shape, bool)
    for y, x in places[::57]:  # at every distance from the begin of a block
        image[y * 19, x * 17] = mask[y * 19, x * 17] = True
    count = int(mask.sum())
    figure = masked_figure(names=["A"], mask=mask, image=image)
    (original,), (_, over) = (axes.images for axes in figure.axes)
    for drawn in (original, over):
        assert (drawn.get_array().filled(0) > 0).sum() == count
        assert drawn.get_array().shape[1] <= drawn.axes.get_window_extent().width
    everything, other = (axes.images for axes in left_figure(100 * image, mask).axes)
    floor = everything[0].get_array().min()
    assert (everything[0].get_array() > floor).sum() == count
    assert (other[0].get_array() > floor).sum() == 0  # all of it is masked
    assert (other[1].get_alpha() > 0).sum() == count
    assert other[1].get_alpha().sum() * 25 == pytest.approx(count)  # of blocks of 5 x 5 pixels


LONG = ["jw01386-o014_t004_miri_f770w", "jw02107-c1018_t001_miri_f770w-sub256_abc", "x" * 100, "A"]


def inside(texts, frame):
    return all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in map(extent, texts))


def extent(text):
    return Text.get_window_extent(text)


def test_long_names_are_legible():
    counts, edges = np.histogram(np.arange(100.0), bins=10)
    notes = ["V01386014001P0000000003106", "V" + "0" * 59, "note", LONG[3]]
    shown = [
        Histogram(name, note, counts, edges, 10.0, 20.0, 95.4, 1.0)
        for name, note in zip(LONG, notes, strict=True)
    ]
    figure = draw_histograms(shown, unit="MJy/sr", title="t", simulated=False)
    figure.draw_without_rendering()
    for axes in figure.axes:
        name, note = axes.texts
        assert inside([name, note], axes.get_window_extent())
        assert not note.get_text() or not extent(name).overlaps(extent(note))
        assert extent(name).y1 < extent(figure.texts[0]).y0
    assert figure.axes[3].texts[1].get_text() == ""  # it is the name
    figure = masked_figure(LONG)
    figure.draw_without_rendering()
    titles = [axes.title for axes in figure.axes[::2]]
    assert titles[0].get_text() == "jw01386-o014_t004_miri_\nf770w"
    for axes in figure.axes[::2]:
        assert inside([axes.title], axes.get_window_extent())
        assert extent(axes.title).y1 < extent(figure.texts[0]).y0


@pytest.mark.parametrize(
    ("text", "letters", "short", "two"),
    [
        ("Img1", 4, "Img1", "Img1"),
        ("a \n b", 5, "a b", "a b"),
        ("abcdefghij", 5, "ab…ij", "abcde\nfghij"),
        ("ab_cdefgh", 7, "ab_…fgh", "ab_\ncdefgh"),
        ("abcdefghijkl", 5, "ab…kl", "abcd…\nhijkl"),
    ],
)
def test_a_name_is_shortened_in_its_middle(text, letters, short, two):
    assert shortened(text, letters) == short
    assert in_two_lines(text, letters) == two


def test_the_panel_of_a_mask_shows_what_it_cuts():
    image = np.arange(200.0).reshape(10, 20)
    kept = image > 149
    header = fits.Header({"METHOD": "derivative_4.6", "NKEPT": 50, "THRESH": 1.23456})
    own = mask_panel(image, kept, header, ["near"])
    assert own.image is image
    assert own.note == "50 px marked, 25 % of the crop\nabove 1.235 MJy/sr"
    assert own.limits == image_panel(image).limits == (0.8 * 199, 0.99 * 199)
    slope = mask_panel(image, kept, header, ["near"], slope=image / 10)
    assert slope.limits == pytest.approx((15.92, 19.701))
    assert (slope.unit, slope.title) == ("MJy/sr/px", "Diff Top 4.6 %")
    del header["THRESH"]
    assert "above" not in mask_panel(image, kept, header, ["near"]).note


def test_the_percentile_is_named_as_it_was_asked_for():
    counts, edges = np.histogram([1.0, 2.0], bins=2)
    figure = draw_histograms(
        [Histogram("A", "", counts, edges, 1.5, 1.7, 92, 1.0)],
        unit="MJy/sr",
        title="t",
        simulated=False,
    )
    assert "92nd percentile = 1.7" in texts(figure)


def test_a_quick_look_at_an_image_larger_than_the_picture(tmp_path):
    """Its mask is where it was, a pixel of three among the kept ones; its size is a screen's."""
    data = np.random.default_rng(1).normal(size=(2301, 1200)).astype(np.float32)
    data[:300] = np.nan
    mask = np.zeros(data.shape, bool)
    mask[1000, 600] = mask[2000:2300, 900:1100] = True
    figure = quick_look(data, mask, title="x" * 60, numbers="n", limits=(-2.0, 2.0), simulated=True)
    (axes,) = figure.axes
    assert "SIMULATED. n; blue: not observed" in texts(figure)
    assert axes.get_ylim() == (-0.5, 2300.5)
    picture = np.asarray(axes.images[0].get_array())
    left, right, bottom, top = axes.images[0].get_extent()
    orange = (picture[..., 0] > 0.9) & (picture[..., 2] < 0.2)
    rows, columns = np.nonzero(orange)
    y = bottom + (rows + 0.5) * (top - bottom) / picture.shape[0]
    x = left + (columns + 0.5) * (right - left) / picture.shape[1]
    assert np.hypot(x - 600, y - 1000).min() < 2.2
    inside = np.hypot(x - 600, y - 1000) > 10
    assert (x[inside].min(), x[inside].max()) == pytest.approx((900, 1099), abs=2)
    assert (y[inside].min(), y[inside].max()) == pytest.approx((2000, 2299), abs=2)
    save_figure(figure, png=tmp_path / "q.png")
    with Image.open(tmp_path / "q.png") as opened:
        assert max(opened.size) < 1300
    assert os.listdir(tmp_path) == ["q.png"]


@pytest.mark.parametrize("side", [900, 995, 1000, 1985])
def test_no_row_of_an_outline_falls_between_those_of_the_picture(side):
    """There are no more rows of pixels than the picture has of its own."""
    data = np.random.default_rng(1).normal(size=(side, side // 2)).astype(np.float32)
    figure = quick_look(data, data > 5, title="x", numbers="n", limits=(-2.0, 2.0), simulated=False)
    (axes,) = figure.axes
    drawn = axes.get_window_extent().height * DPI / figure.dpi
    assert np.asarray(axes.images[0].get_array()).shape[0] <= round(drawn)


def test_a_name_with_dollars_is_no_formula(tmp_path):
    figure = quick_look(
        np.zeros((60, 60)),
        np.zeros((60, 60), bool),
        title="f_$1_$2.fits",
        numbers="of $a$",
        limits=(0, 1),
        simulated=False,
    )
    saved(figure, tmp_path)
    assert [text.get_text() for text in figure.texts] == ["f_$1_$2.fits", "of $a$"]


def test_histograms_of_many_images_have_a_picture_that_can_be_opened(monkeypatch):
    monkeypatch.setattr("mirimask.figures.paper._MOST_DOTS", 1e6)
    figure = histogram_figure(9)
    assert np.prod(figure.canvas.get_width_height()) == pytest.approx(1e6, rel=0.01)


def test_the_numbers_below_a_narrow_quick_look_are_not_cut_off():
    numbers = (
        "value_1_or_derivative_4.6: 1729700 pixels, 10.8 % of the image; 10184 sources; "
        "sky -0.0002041 MJy/sr; 5 sigma at 25.46 AB"
    )
    figure = quick_look(
        np.zeros((600, 120)),
        np.zeros((600, 120), bool),
        title="t",
        numbers=numbers,
        limits=(0, 1),
        simulated=True,
    )
    figure.draw_without_rendering()
    line = figure.texts[-1]
    assert line.get_text().replace("\n", " ") == f"SIMULATED. {numbers}"
    box = line.get_window_extent()
    assert 0 < box.x0 < box.x1 < figure.bbox.x1
    assert box.y1 < figure.axes[0].xaxis.label.get_window_extent().y0
