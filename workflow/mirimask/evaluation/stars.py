"""Stars of known AB magnitude, added to an image where it is free of sources."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from mirimask.errors import MaskError
from mirimask.image.psf import Psf, add_stamp
from mirimask.units import ab_to_jansky, jansky_per_pixel

__all__ = ["StarStamps", "ab_to_mjy_sr", "draw_positions", "free_pixels", "inject"]

_REACH_ARCSEC = 4.4  # of an added star's wings


def ab_to_mjy_sr(magnitude: ArrayLike, pixar_sr: float) -> NDArray[np.float64]:
    """Light of a star of AB magnitude `magnitude`, summed over its pixels, in MJy/sr.

    `pixar_sr` is the solid angle of a pixel (steradian). A magnitude of infinity gives 0.
    """
    return ab_to_jansky(magnitude) / jansky_per_pixel(pixar_sr)


class StarStamps:
    """Stars on a resampled image's pixels, from a cache of sub-pixel positions.

    The detector's PSF is first widened by what resampling does to it on average: a convolution
    with an input pixel and with an output pixel (drizzle with a square kernel and pixfrac 1).

    Parameters: `psf`; `pixel_scale_arcsec` of the image; `half`, a stamp has 2 `half` + 1 pixels a
    side (None: 4.4 arcsec to each side, 40 px of 0.11 arcsec); `phases`, sub-pixel positions along
    an axis.
    """

    def __init__(
        self, psf: Psf, *, pixel_scale_arcsec: float, half: int | None = None, phases: int = 8
    ) -> None:
        self.half = round(_REACH_ARCSEC / pixel_scale_arcsec) if half is None else half
        self.phases = phases
        self.step = pixel_scale_arcsec / psf.pixel_scale_arcsec * psf.oversample
        data = np.asarray(psf.data, np.float32)
        for width in (psf.oversample, self.step):
            data = _boxed(data, width)
        # the share of the light in a pixel of the image, not of the detector
        self.data = data / data.sum() * self.step**2
        self.most = max(self.half, int(data.shape[0] // 2 / self.step))
        self.cache: dict[tuple[int, int, int], NDArray[np.float32]] = {}

    def of(self, fx: float, fy: float, *, half: int | None = None) -> NDArray[np.float32]:
        """Light of a star of flux 1 that lies (fx, fy) px off the stamp's centre.

        `half` in place of the stamps' own; the PSF itself reaches as far as `most`.
        """
        half = self.half if half is None else half
        key = (round(fx * self.phases), round(fy * self.phases), half)
        if key not in self.cache:
            axis = np.arange(-half, half + 1)
            middle = self.data.shape[0] // 2
            x, y = ((axis - phase / self.phases) * self.step + middle for phase in key[:2])
            self.cache[key] = ndimage.map_coordinates(
                self.data, np.meshgrid(y, x, indexing="ij"), order=1, output=np.float32
            )
        return self.cache[key]


def _boxed(data: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Convolve with a square of `width` samples, of any (not only whole) width."""
    reach = int(np.ceil(width / 2 + 0.5))
    offset = np.arange(-reach, reach + 1)
    weights = np.clip(width / 2 - np.abs(offset) + 0.5, 0, 1)
    for axis in (0, 1):
        data = ndimage.convolve1d(data, weights / weights.sum(), axis=axis, mode="constant")
    return data


def inject(
    image: NDArray[np.floating],
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    flux: NDArray[np.floating],
    stamps: StarStamps,
) -> NDArray[np.float32]:
    """A copy of `image` (ny, nx; MJy/sr) with stars at (x, y) of summed light `flux` (MJy/sr).

    NaN stay NaN; what falls beyond the rim is lost. Photon noise of the stars is not added: on
    MIRI's images the background's is larger for every star near the detection limit.
    """
    out = np.array(image, dtype=np.float32)
    for xi, yi, light in zip(x, y, flux, strict=True):
        if light <= 0:
            continue
        column, row = round(float(xi)), round(float(yi))
        stamp = stamps.of(float(xi) - column, float(yi) - row)
        add_stamp(out, np.float32(light) * stamp, row=row, column=column)
    return out


def free_pixels(
    empty: NDArray[np.bool_], x: NDArray[np.number], y: NDArray[np.number], *, distance_px: float
) -> NDArray[np.bool_]:
    """Pixels where a star may be added, (ny, nx) bool.

    Not empty, and at least `distance_px` from empty pixels, from the rim, and from the detected
    sources at (x, y): a star on another source could not be told from it.
    """
    taken = np.pad(empty, 1, constant_values=True)
    columns, rows = np.rint(x).astype(int) + 1, np.rint(y).astype(int) + 1
    inside = (rows > 0) & (rows < taken.shape[0]) & (columns > 0) & (columns < taken.shape[1])
    taken[rows[inside], columns[inside]] = True
    free = ndimage.distance_transform_edt(~taken) >= distance_px
    return np.asarray(free[1:-1, 1:-1])


def draw_positions(
    allowed: NDArray[np.bool_],
    number: int,
    *,
    separation_px: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Up to `number` random positions (n, 2: x, y) in allowed pixels, `separation_px` apart.

    Sub-pixel phases are uniform. Fewer come back where no more fit in 50 x `number` attempts.
    MaskError where no pixel is allowed.
    """
    rows, columns = np.nonzero(allowed)
    if rows.size == 0:
        raise MaskError(
            "injection: no place for a star; every pixel is empty, at the rim or on a source."
        )
    cell = max(separation_px, 1.0)
    taken: dict[tuple[int, int], list[tuple[float, float]]] = {}
    found: list[tuple[float, float]] = []
    for _ in range(50):
        pick = rng.integers(0, rows.size, number)
        shift = rng.uniform(-0.5, 0.5, (2, number))
        for x, y in zip(columns[pick] + shift[0], rows[pick] + shift[1], strict=True):
            i, j = int(x // cell), int(y // cell)
            near = (
                other
                for di in (-1, 0, 1)
                for dj in (-1, 0, 1)
                for other in taken.get((i + di, j + dj), ())
            )
            if all(np.hypot(x - ox, y - oy) >= separation_px for ox, oy in near):
                taken.setdefault((i, j), []).append((x, y))
                found.append((float(x), float(y)))
                if len(found) == number:
                    return np.array(found)
    return np.array(found).reshape(-1, 2)
