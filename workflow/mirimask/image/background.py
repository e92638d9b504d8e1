"""What an image has around its sources: background and scatter in boxes, and Gaussian means.

Four questions, each answered here alone: what Background2D of photutils says of an image without
a rim (`background_meshes`), any statistic of tiles and what lies between them (`of_tiles`,
`between_tiles`), how an image as a whole slopes (`slope`), and the mean around every pixel
(`local_mean`).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from mirimask.errors import MaskError
from mirimask.units import SIGMA_PER_MAD

if TYPE_CHECKING:
    from photutils.background import Background2D

__all__ = [
    "Edges",
    "background",
    "background_meshes",
    "between_boxes",
    "between_tiles",
    "box_scatters",
    "boxes_or_whole",
    "filled",
    "from_nearest",
    "local_mean",
    "median",
    "median_and_scatter",
    "of_tiles",
    "scatter",
    "scatter_around",
    "slope",
    "smoothed",
    "tile_edges",
    "upper_median",
]

Edges = tuple[NDArray[np.intp], NDArray[np.intp]]  # where tiles begin and end along y and x

### boxes ##########################################################################################

_EMPTIEST = 75  # % of a box's pixels; boxes with more are filled from those around them


def background(
    image: NDArray[np.floating], mask: NDArray[np.bool_], *, box_px: int
) -> NDArray[np.floating]:
    """The first of `background_meshes` alone."""
    found = _boxes(image, mask, box_px, _box_medians, _nothing)
    return _image_of(found.background_mesh, found, image.shape)


def scatter(
    image: NDArray[np.floating], mask: NDArray[np.bool_], *, box_px: int
) -> NDArray[np.floating]:
    """The second of `background_meshes` alone."""
    found = _boxes(image, mask, box_px, _nothing, box_scatters)
    return _image_of(found.background_rms_mesh, found, image.shape)


def background_meshes(
    image: NDArray[np.floating], mask: NDArray[np.bool_], *, box_px: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Clipped median and scatter of an image in boxes of `box_px`, two arrays of its shape.

    photutils' `Background2D` with 3 sigma clipping and scatter from the median absolute deviation,
    both median-filtered 3 x 3 and interpolated between the boxes. `image` is (ny, nx), finite where
    `mask` is False. Raises MaskError where no box holds enough pixels.
    """
    found = _boxes(image, mask, box_px, _box_medians, box_scatters)
    return (
        _image_of(found.background_mesh, found, image.shape),
        _image_of(found.background_rms_mesh, found, image.shape),
    )


def _boxes(
    image: NDArray[np.floating],
    mask: NDArray[np.bool_],
    box_px: int,
    level: Callable[..., Any],
    spread: Callable[..., Any],
) -> "Background2D":
    """The boxes of an image with a margin of one box around it, which `_image_of` leaves out.

    Meshes level off beyond the centres of the outermost boxes, which would leave the end of
    a gradient at the rim: continued by its odd reflection, an image has no rim.
    """
    from astropy.stats import SigmaClip
    from photutils.background import Background2D

    if box_px < 1:
        raise MaskError(
            f"the background's box is {box_px} px; set peaks.background_box to '10 fwhm'."
        )
    box = min(box_px, *(length - 1 for length in image.shape))
    if image.dtype.kind != "f":
        image = image.astype(np.float32)
    # an odd reflection is of two pixels along each axis, and without one of them about a fill value
    hidden = mask
    for around in ([(box, box), (0, 0)], [(0, 0), (box, box)]):
        hidden = np.pad(hidden, around, mode="reflect") | np.pad(hidden, around, mode="edge")
    try:
        return Background2D(
            np.pad(image, box, mode="reflect", reflect_type="odd"),
            box,
            mask=hidden,
            filter_size=1,
            exclude_percentile=_EMPTIEST,
            sigma_clip=SigmaClip(3, maxiters=5),
            bkg_estimator=level,
            bkg_rms_estimator=spread,
        )
    except ValueError:  # every box has too many empty pixels
        raise MaskError(
            f"no background in boxes of {box} px (no box has more than {100 - _EMPTIEST}% of its "
            "pixels observed); the crop is nearly empty."
        ) from None


# As photutils' MedianBackground and MADStdBackgroundRMS, of pixels in the last axis, NaN left out:
# without masked arrays these take a tenth of the time.
_PER_MAD = 1.482602218505602  # all digits, as they have it


def _box_medians(pixels: NDArray[np.floating], axis: int | None) -> NDArray[np.floating]:
    if not pixels.size:  # a box in the corner, of which none are left
        return np.full((), np.nan, pixels.dtype)
    ordered = np.sort(pixels, axis=axis)
    last = np.isfinite(ordered).sum(axis=-1, keepdims=True) - 1  # NaN are at the end
    one, other = (np.take_along_axis(ordered, at, -1) for at in (last // 2, (last + 1) // 2))
    found: NDArray[np.floating] = ((one + other) / 2)[..., 0]
    return found


def box_scatters(pixels: NDArray[np.floating], axis: int | None) -> NDArray[np.floating]:
    """1.4826 times the median absolute deviation along the last axis, or (None) of one dimension.

    As `astropy.stats.mad_std` with `ignore_nan`. Infinite pixels are not among them.
    """
    middle = _box_medians(pixels, axis)
    apart = np.abs(pixels - (middle if axis is None else middle[..., None]))
    return _box_medians(apart, axis) * _PER_MAD


def _nothing(pixels: NDArray[np.floating], axis: int | None) -> NDArray[np.floating]:
    """In the place of what is not asked for."""
    return np.zeros(() if axis is None else pixels.shape[:-1], pixels.dtype)


def _image_of(
    mesh: NDArray[np.floating], found: "Background2D", shape: tuple[int, ...]
) -> NDArray[np.floating]:
    """A mesh of `_boxes` median-filtered 3 x 3 and interpolated: the image of `shape` inside.

    `Background2D`'s own filter calls a function for every box, half of the time of all.
    """
    around = np.pad(mesh.astype(np.float64), 1, constant_values=np.nan)
    windows = sliding_window_view(around, (3, 3)).reshape(*mesh.shape, 9)
    values = _box_medians(windows, axis=-1).astype(mesh.dtype)
    return between_boxes(values, found.box_size, shape, margin_px=found.box_size[0])


def between_boxes(
    mesh: NDArray[np.floating],
    box_px: Sequence[int],
    shape: tuple[int, ...],
    *,
    margin_px: int = 0,
) -> NDArray[np.floating]:
    """Values of boxes, (rows, columns of boxes), by cubic splines as an image of `shape`.

    What `Background2D.background` makes of its `background_mesh`, but for the last bits (a test
    compares both) and for what its coverage mask hides: a spline of two axes is one of each, and so
    takes a tenth of the time. `box_px` are a box's rows and columns; the image begins `margin_px`
    into the first box.
    """
    if np.ptp(mesh) == 0:
        return np.full(shape, mesh.min())
    rows, columns = (
        _spline_weights(n, box)[margin_px : margin_px + length]
        for n, box, length in zip(mesh.shape, box_px, shape, strict=True)
    )
    image = (rows @ mesh @ columns.T).astype(mesh.dtype, copy=False)
    return np.clip(image, mesh.min(), mesh.max(), out=image)


@lru_cache(maxsize=8)  # images of one size follow each other
def _spline_weights(n: int, box: int) -> NDArray[np.float64]:
    """The share of each of `n` boxes of `box` pixels in each of these, (n * box, n).

    As `scipy.ndimage.zoom`, by which photutils interpolates: what that makes of each box alone.
    """
    alone = np.identity(n)
    each = [ndimage.zoom(one, box, order=3, mode="reflect", grid_mode=True) for one in alone]
    return np.stack(each, axis=1)


def boxes_or_whole(data: NDArray[np.floating], box_px: int, **options: Any) -> "Background2D":
    """photutils' `Background2D`, of one box where all have too many pixels without data.

    `options` are its own, with a mask that leaves some pixel of `data` (ny, nx).
    """
    from photutils.background import Background2D

    try:
        return Background2D(data, box_px, **options)
    except ValueError:
        return Background2D(data, data.shape, **options | {"exclude_percentile": 100.0})


### tiles ##########################################################################################


def tile_edges(shape: tuple[int, ...], side: float) -> Edges:
    """Where tiles of about `side` pixels begin and end along y and x: they fill `shape` evenly."""
    y, x = (np.linspace(0, n, max(1, round(n / side)) + 1).astype(np.intp) for n in shape)
    return y, x


def of_tiles(
    image: NDArray[np.floating],
    seen: NDArray[np.bool_],
    edges: Edges,
    statistic: Callable[[NDArray[np.floating]], ArrayLike],
    *,
    fewest: float,
    number: int = 1,
    step: int = 1,
) -> NDArray[np.float64]:
    """What a statistic says of the `seen` pixels of each tile, (number, rows, columns of tiles).

    `statistic` makes `number` numbers of pixels in one dimension; with `step`, of every so many of
    a tile's rows and columns. NaN where a tile has fewer than `fewest` of them.
    """
    found = np.full((number, *(edge.size - 1 for edge in edges)), np.nan)
    for i, rows in enumerate(zip(edges[0], edges[0][1:], strict=False)):
        for j, columns in enumerate(zip(edges[1], edges[1][1:], strict=False)):
            tile = slice(*rows, step), slice(*columns, step)
            pixels = image[tile][seen[tile]]
            if pixels.size >= max(fewest, 1):
                found[:, i, j] = statistic(pixels)
    return found


def median(pixels: NDArray[np.floating]) -> np.floating:
    """The median of a tile's pixels, one or more, without NaN.

    For many small tiles: of 256 pixels in 5 us, where `numpy.median` takes 70.
    """
    ordered = np.sort(pixels)
    found: np.floating = (ordered[(pixels.size - 1) // 2] + ordered[pixels.size // 2]) / 2
    return found


def upper_median(pixels: NDArray[np.floating]) -> np.floating:
    """The median of a tile's pixels, one or more; of an even number the upper of the middle two."""
    middle = pixels.size // 2
    found: np.floating = np.partition(pixels, middle)[middle]
    return found


def from_nearest(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of tiles, (number, rows, columns), those that are NaN from the nearest tile.

    Unchanged where all are NaN.
    """
    poor = np.isnan(values[0])
    if not poor.any() or poor.all():
        return values
    nearest = ndimage.distance_transform_edt(poor, return_distances=False, return_indices=True)
    filled: NDArray[np.float64] = values[:, *nearest]
    return filled


def between_tiles(
    values: NDArray[np.floating], edges: Edges, shape: tuple[int, ...], *, beyond: bool = False
) -> NDArray[np.float32]:
    """Values of tiles (rows, columns of tiles), linear between their middles, (ny, nx) float32.

    Beyond the outermost middles they are level, or with `beyond` linear too. `shape` is that of the
    image; it is made in the precision of `values`.
    """
    rows, columns = (
        _weights((edge[1:] + edge[:-1] - 1) / 2, length, beyond).astype(values.dtype)
        for edge, length in zip(edges, shape, strict=True)
    )
    return (rows @ values @ columns.T).astype(np.float32, copy=False)


def median_and_scatter(
    image: NDArray[np.floating], hidden: NDArray[np.bool_], side: float, *, step: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Median of the pixels that are not `hidden`, and their scatter, around every pixel.

    In tiles of about `side` pixels, without clipping, from every `step`th pixel of every `step`th
    row; median-filtered 3 x 3 and interpolated. The scatter is 1.4826 times the median absolute
    deviation. Tiles with fewer than a tenth of their pixels, or than ten, get the values of the
    nearest that has more. NaN where none has. `image` is finite where it is not `hidden`.
    """
    middle, spread, edges = _medians_and_scatters(image, hidden, side, step)
    return (
        between_tiles(middle, edges, image.shape),
        between_tiles(spread, edges, image.shape),
    )


def scatter_around(
    image: NDArray[np.floating], hidden: NDArray[np.bool_], side: float, *, step: int = 1
) -> NDArray[np.float32]:
    """The second of `median_and_scatter` alone."""
    _, spread, edges = _medians_and_scatters(image, hidden, side, step)
    return between_tiles(spread, edges, image.shape)


def _medians_and_scatters(
    image: NDArray[np.floating], hidden: NDArray[np.bool_], side: float, step: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], Edges]:
    """As `median_and_scatter`, of the tiles, with where these begin and end.

    The tiles of a row are sorted together, a line each: numpy's overhead for a tile alone is
    several times the time of its sort.
    """
    edges = tile_edges(image.shape, side)
    widths = -(-np.diff(edges[1]) // step)
    # of each tile its columns; for those that are a column short the one of no pixel, `nx`
    nx = image.shape[1]
    columns = edges[1][:-1, None] + step * np.arange(widths.max())
    columns[np.arange(widths.max()) >= widths[:, None]] = nx
    found = np.full((2, edges[0].size - 1, widths.size), np.nan)
    most = widths.max() * (-(-np.diff(edges[0]).max() // step))
    fewest = max(10, 0.1 * most)
    for i, (top, bottom) in enumerate(zip(edges[0], edges[0][1:], strict=False)):
        rows = np.full((len(range(top, bottom, step)), nx + 1), np.inf, np.float32)
        np.copyto(rows[:, :nx], image[top:bottom:step], where=~hidden[top:bottom:step])
        tiles = rows[:, columns].swapaxes(0, 1).reshape(widths.size, -1)
        seen = np.isfinite(tiles).sum(axis=1)
        enough = np.flatnonzero(seen >= fewest)
        if not enough.size:
            continue
        tiles = tiles[enough]
        # the upper of the middle two; what is hidden is infinite and comes last
        at = np.arange(enough.size), seen[enough] // 2
        tiles.sort(axis=1)
        middle = tiles[at]
        tiles -= middle[:, None]
        np.abs(tiles, out=tiles)
        tiles.sort(axis=1)
        found[:, i, enough] = middle, tiles[at]
    middle, spread = from_nearest(found).astype(np.float32)
    spread = np.float32(SIGMA_PER_MAD) * spread
    middle, spread = (ndimage.median_filter(one, 3, mode="nearest") for one in (middle, spread))
    return middle, spread, edges


_MOST_TILES = 16  # along a side: so many neighbours tell a slope well enough
_FEWEST_STEPS = 5  # of them: of fewer the median may be that of one step in the image


def slope(
    image: NDArray[np.floating], hidden: NDArray[np.bool_], least_side: float
) -> NDArray[np.float32]:
    """The plane, 0 in the middle, that an image as a whole lies on, (ny, nx) float32.

    Along y and x it rises by the median of the steps between neighbouring tiles, and not at all
    where that is less than 1.4826 times their median absolute deviation from it: where steps are
    noise, or those of a nebula, there is no slope of the whole. A tile is the median of its pixels
    that are not `hidden`, every third of every third row, a tenth of them at least; there are 16
    along the longer side, or fewer of `least_side` pixels.
    """
    side = max(least_side, max(image.shape) / _MOST_TILES)
    edges, fewest = tile_edges(image.shape, side), 0.1 * (side / 3) ** 2
    tiles = of_tiles(image, ~hidden, edges, median, fewest=fewest, step=3)[0]
    along = []
    for axis, (edge, length) in enumerate(zip(edges, image.shape, strict=True)):
        steps = np.diff(tiles, axis=axis)
        steps = steps[np.isfinite(steps)]
        a_tile = 0.0
        if steps.size >= _FEWEST_STEPS:
            middle = np.median(steps)
            if abs(middle) > SIGMA_PER_MAD * np.median(np.abs(steps - middle)):
                a_tile = middle
        at = (np.arange(length) - (length - 1) / 2) / (length / (edge.size - 1))
        along.append((a_tile * at).astype(np.float32))
    return along[0][:, None] + along[1]


def _weights(middles: NDArray[np.float64], length: int, beyond: bool) -> NDArray[np.float64]:
    """The share of each of n middles in each of `length` pixels, (length, n)."""
    weights = np.zeros((length, middles.size))
    if middles.size == 1:
        return weights + 1
    at = np.arange(length, dtype=np.float64)
    if not beyond:
        at = at.clip(middles[0], middles[-1])
    after = np.searchsorted(middles[1:-1], at, side="right") + 1
    per_pixel = 1 / (middles[after] - middles[after - 1])
    pixel = np.arange(length)
    weights[pixel, after - 1] = per_pixel * (middles[after] - at)
    weights[pixel, after] = per_pixel * (at - middles[after - 1])
    return weights


### means ##########################################################################################

# Below this share of the Gaussian's weight on known pixels, the mean is that of the nearest pixel
# that has more: the far wing of a Gaussian knows nothing about the middle of a large hole.
_LEAST_WEIGHT = 1e-3


def local_mean(
    image: NDArray[np.floating], known: NDArray[np.bool_], *, sigma: float
) -> NDArray[np.float32]:
    """Gaussian mean of the known pixels around every pixel, (ny, nx) float32.

    Normalised convolution (Knutsson & Westin 1993): the filtered image over the filtered coverage,
    both mirrored at the rim. `image` is (ny, nx), finite where `known`; `sigma` in pixels. Where no
    known pixel is near, the nearest mean. NaN everywhere if no pixel is known.
    """
    if not known.any():
        return np.full(image.shape, np.nan, np.float32)
    level = np.float32(np.median(image[known][::7]))  # float32 keeps more digits of small numbers
    weight = ndimage.gaussian_filter(known.astype(np.float32), sigma, truncate=3)
    total = np.where(known, image - level, 0).astype(np.float32)
    total = ndimage.gaussian_filter(total, sigma, truncate=3)
    poor = weight < _LEAST_WEIGHT
    mean = total / np.where(poor, np.float32(1), weight) + level
    if poor.any():
        nearest = ndimage.distance_transform_edt(poor, return_distances=False, return_indices=True)
        mean = mean[tuple(nearest)]
    return mean


def smoothed(image: NDArray[np.floating], *, sigma: float) -> NDArray[np.floating]:
    """The image convolved with a Gaussian; NaN are left out of every sum and stay NaN.

    (ny, nx), float32, or the image itself for a `sigma` (pixels) of 0.
    """
    if sigma == 0:
        return image
    known = np.isfinite(image)
    if known.all():
        return ndimage.gaussian_filter(image.astype(np.float32, copy=False), sigma, truncate=3)
    return np.where(known, local_mean(image, known, sigma=sigma), np.float32(np.nan))


def filled(image: NDArray[np.floating], *, sigma: float) -> NDArray[np.floating]:
    """The image (ny, nx) with NaN replaced by the mean of what is around them (`local_mean`)."""
    known = np.isfinite(image)
    return image if known.all() else np.where(known, image, local_mean(image, known, sigma=sigma))
