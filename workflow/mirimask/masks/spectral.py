"""Fourier filtering and singular spectrum analysis before a slice (the paper's future work)."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft

from mirimask.errors import MaskError
from mirimask.image.background import filled, local_mean
from mirimask.masks.family import Family
from mirimask.masks.thresholds import percent_family
from mirimask.units import SIGMA_PER_MAD

__all__ = ["fourier", "fourier_filtered", "spectrum_components", "ssa"]

_FILL_FWHM = 4.0  # sigma of the local background that stands in empty pixels
_CLIP = 3.0  # scatters; a line through a star is not a stripe


### Fourier ########################################################################################


def fourier_filtered(
    image: NDArray[np.floating],
    *,
    longest: float,
    shortest: float = 0.0,
    sharp: bool = False,
    lines: float = 0.0,
) -> NDArray[np.float32]:
    """What an image has on scales between two lengths, by a Fourier filter: (ny, nx) float32.

    `image` is (ny, nx) and finite; lengths in pixels. A wave of length `longest` keeps half of its
    amplitude, longer ones less, 1 - 2^-(longest / length)^2, and the mean nothing; a wave of
    `shortest` keeps half too, shorter ones less (0: all stay). With `sharp`, all or
    nothing instead (Hatipoglu 2023a cuts a disc out of the spectrum). With `lines`, what runs along
    rows or columns for longer than that is removed then (0: nothing is), measured on the image cut
    off at 3 scatters. The image is mirrored at its rim, so that opposite sides do not meet.
    """
    ny, nx = image.shape
    reach = min(int(np.ceil(longest)), ny, nx)
    padded = np.pad(image.astype(np.float32, copy=False), reach, mode="symmetric")
    shape = tuple(fft.next_fast_len(n, real=True) for n in padded.shape)
    padded = np.pad(
        padded, [(0, n - m) for n, m in zip(shape, padded.shape, strict=True)], mode="symmetric"
    )
    fy, fx = fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None]
    square = fy**2 + fx**2
    if sharp:
        kept = square * longest**2 >= 1
        if shortest:
            kept &= square * shortest**2 <= 1
    else:
        kept = (1 - 2.0 ** -(square * longest**2)) * 2.0 ** -(square * shortest**2)

    def back(spectrum: NDArray[np.complexfloating]) -> NDArray[np.float32]:
        return fft.irfft2(spectrum, s=shape)

    found = back(fft.rfft2(padded) * kept.astype(np.float32))
    if lines:
        top = _CLIP * SIGMA_PER_MAD * np.median(np.abs(found[::3, ::3]))
        along = (np.abs(fx) * lines < 1) | (np.abs(fy) * lines < 1)
        found -= back(fft.rfft2(np.clip(found, -top, top)) * along.astype(np.float32))
    return found[reach : reach + ny, reach : reach + nx]


def fourier(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    longest: float = 10.0,
    shortest: float = 0.0,
    sharp: bool = False,
    lines: float = 0.0,
    absolute: bool = False,
) -> Family:
    """Value slices of `fourier_filtered`, its lengths in FWHM of the PSF.

    Empty pixels are filled with the local background before and NaN after. `absolute`: of the
    absolute value, as the author's published code has it.
    """

    def score(image: NDArray[np.floating]) -> NDArray[np.floating]:
        found = fourier_filtered(
            filled(image, sigma=_FILL_FWHM * fwhm_px),
            longest=longest * fwhm_px,
            shortest=shortest * fwhm_px,
            sharp=sharp,
            lines=lines * fwhm_px,
        )
        return np.where(np.isfinite(image), np.abs(found) if absolute else found, np.nan)

    return percent_family("fourier", levels, score)


### singular spectrum analysis #####################################################################


def spectrum_components(
    image: NDArray[np.floating],
    *,
    window: tuple[int, int],
    first: int,
    last: int,
) -> NDArray[np.float64]:
    """The sum of the components `first` to `last` (from 1) of a singular spectrum analysis.

    2D-SSA (Golyandina & Usevich 2010): every `window` (rows, columns) of the image is a row of the
    trajectory matrix; of its singular vectors, ordered by their singular values, those asked for
    are kept, and every pixel is the mean over the windows that hold it. A window of one column is
    the classical analysis of the columns one after another, without windows across their ends.
    Windows with a NaN are left out ("shaped" SSA, Shlemov & Golyandina 2014). `image` (ny, nx)
    float64; NaN come back where no whole window is.
    """
    ny, nx = image.shape
    rows, columns = window
    known = np.isfinite(image)
    found = np.full(image.shape, np.nan)
    if rows > ny or columns > nx:
        return found
    whole: NDArray[np.bool_] = np.all(sliding_window_view(known, window), axis=(2, 3))
    if not whole.any():
        return found
    values = np.where(known, image, 0).astype(np.float64)
    size = rows * columns
    # a strip of rows at a time: all windows at once would be `size` times the image
    strips = [slice(y, min(y + 64, whole.shape[0])) for y in range(0, whole.shape[0], 64)]

    def windows_in(strip: slice) -> NDArray[np.float64]:
        part = sliding_window_view(values[strip.start : strip.stop + rows - 1], window)
        flat = part.reshape(-1, size)
        return flat * whole[strip].reshape(-1, 1)

    covariance = np.zeros((size, size))
    for strip in strips:
        part = windows_in(strip)
        covariance += part.T @ part
    _, vectors = np.linalg.eigh(covariance)
    kept = vectors[:, ::-1][:, first - 1 : last]
    projection = kept @ kept.T
    total, count = np.zeros(image.shape), np.zeros(image.shape)
    for strip in strips:
        part = (windows_in(strip) @ projection).reshape(*whole[strip].shape, rows, columns)
        for dy in range(rows):
            for dx in range(columns):
                at = np.s_[strip.start + dy : strip.stop + dy, dx : dx + whole.shape[1]]
                total[at] += part[:, :, dy, dx]
                count[at] += whole[strip]
    np.divide(total, count, out=found, where=count > 0)
    return found


def ssa(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    window: list[int],
    first: int = 2,
    last: int = 6,
    background: float = 0.0,
) -> Family:
    """Value slices of `spectrum_components`: what singular spectrum analysis finds in an image.

    `window` [rows, columns] in pixels. With `background` (sigma in FWHM of the PSF; 0: none) the
    local mean is taken off before. MaskError where there are no such components.
    """
    rows, columns = window
    if not 1 <= first <= last <= rows * columns:
        raise MaskError(
            f"ssa: components {first} to {last} of a window of {rows} x {columns} pixels, which "
            f"has {rows * columns}; correct ssa.settings (config/detectors.yaml)."
        )

    def score(image: NDArray[np.floating]) -> NDArray[np.floating]:
        if background:
            known = np.isfinite(image)
            image = image - local_mean(image, known, sigma=background * fwhm_px)
        return spectrum_components(image, window=(rows, columns), first=first, last=last)

    return percent_family("ssa", levels, score)
