"""Reference peaks: what an eye would call a bright point of the original image."""

import logging
import math
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.image.background import background, scatter
from mirimask.image.frame import check_width, plain
from mirimask.image.parts import MOST_PIXELS, Window, parts

__all__ = ["LEAST_BOX_FWHM", "reference_peaks", "within_fwhm_px"]

log = logging.getLogger(__name__)


# Width of the surroundings that a peak must rise above, in units of the PSF's.
_SURROUNDINGS = 3
# Boxes of fewer widths of the PSF take the light of a star for background.
LEAST_BOX_FWHM = 6


def _matched(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    background_box_px: int,
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """The background-subtracted image, and that of the signal-to-noise of PSF-like signals.

    The background (`background.background`) is taken off, the rest convolved with a Gaussian of the
    PSF's width (the matched filter of a Gaussian PSF) minus one three times as wide, and divided by
    the clipped scatter of the convolved image in the same boxes, so that correlated noise needs no
    model. Without the wide Gaussian, clouds of a nebula count as peaks, and their scatter hides
    the stars between them. Empty and NaN pixels weigh nothing and come back as 0. Raises MaskError
    where no box holds enough pixels.
    """
    from scipy.ndimage import gaussian_filter

    data, mask = plain(data, empty)
    signal = np.where(mask, 0, data)
    signal = signal - background(signal, mask, box_px=background_box_px)
    signal[mask] = 0
    sigma = fwhm_px / np.sqrt(8 * np.log(2))

    def smooth(width: float) -> NDArray[np.float64]:
        # dividing by the filtered coverage keeps the level beside empty pixels and at the rim
        coverage = gaussian_filter((~mask).astype(float), width, mode="constant")
        return gaussian_filter(signal, width, mode="constant") / np.maximum(coverage, 0.1)

    matched = smooth(sigma) - smooth(_SURROUNDINGS * sigma)
    with np.errstate(divide="ignore", invalid="ignore"):
        matched /= scatter(matched, mask, box_px=background_box_px)
    matched[mask | ~np.isfinite(matched)] = 0
    return signal, matched.astype(np.float32)


def _check_box(fwhm_px: float, background_box_px: int) -> None:
    if background_box_px < LEAST_BOX_FWHM * fwhm_px:
        log.warning(
            "the background's box, %d px, is %.1f widths of the PSF: it takes light of stars for "
            "background. Set peaks.background_box to '10 fwhm'.",
            background_box_px,
            background_box_px / fwhm_px,
        )


# Of the share that a star's eight neighbours have of its centre, what a noisy star still has.
_STAR_LIKE = 0.6


def _spiky(
    signal: NDArray[np.floating], x: NDArray[np.intp], y: NDArray[np.intp], fwhm_px: float
) -> NDArray[np.bool_]:
    """Which peaks are one bright pixel (hot pixel, cosmic ray) rather than an image of a star.

    The mean of the eight neighbours of the brightest pixel of a peak, over that pixel, is
    compared with that of a Gaussian of the PSF's width, as Stetson's (1987) sharpness does.
    """
    dy, dx = (step.ravel() for step in np.mgrid[-1:2, -1:2])
    rows = np.clip(y[:, None] + dy, 0, signal.shape[0] - 1)
    columns = np.clip(x[:, None] + dx, 0, signal.shape[1] - 1)
    brightest = np.arange(len(x)), signal[rows, columns].argmax(axis=1)
    rows, columns = rows[brightest], columns[brightest]
    value = signal[rows, columns]
    around = np.pad(signal, 1)[rows[:, None] + 1 + dy, columns[:, None] + 1 + dx]
    neighbours = (around.sum(axis=1) - value) / 8
    one_px = np.exp(-4 * np.log(2) / fwhm_px**2)
    expected = (one_px + one_px**2) / 2  # four neighbours at 1, four at the root of 2
    return neighbours < _STAR_LIKE * expected * value


def within_fwhm_px(fwhm_px: float) -> int:
    """Side of the box in which a maximum is the highest pixel within one FWHM: odd, 3 at least."""
    return max(3, 2 * math.ceil(fwhm_px) - 1)


def reference_peaks(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    snr: float,
    background_box_px: int,
) -> pd.DataFrame:
    """Local maxima of the signal-to-noise image above `snr`, brightest first.

    A maximum is the highest pixel within one FWHM; single bright pixels are left out. Columns: x, y
    (int, 0-based pixels), value (of `data`), snr. No maximum gives a table without rows. MaskError
    for a width that is not above 0 or above the image's.
    """
    check_width(fwhm_px, np.shape(data))
    _check_box(fwhm_px, background_box_px)
    of = partial(_peaks, fwhm_px=fwhm_px, snr=snr, background_box_px=background_box_px)
    if np.size(data) <= MOST_PIXELS:
        peaks = of(data, empty)
    else:
        reach = within_fwhm_px(fwhm_px) // 2
        found, failure = [], None
        for inside, wide, _ in parts(data.shape, fwhm_px=fwhm_px):
            try:
                found.append(_within(of(data[wide], empty[wide]), inside, wide, reach))
            except MaskError as error:  # a part with next to no pixels has no background
                failure = error
        if failure and not found:
            raise failure
        peaks = _highest(pd.concat(found, ignore_index=True), reach)
    return peaks.sort_values(["snr", "y", "x"], ascending=[False, True, True], ignore_index=True)


def _within(peaks: pd.DataFrame, inside: Window, wide: Window, reach: int) -> pd.DataFrame:
    """Those of the peaks of the window `wide` that lie `inside` another, or `reach` beyond it.

    Parts measure a peak at their seam each a little otherwise, and may not agree on which side of
    it the highest pixel is: both have it, and `_highest` takes one.
    """
    peaks = peaks.assign(y=peaks["y"] + wide[0].start, x=peaks["x"] + wide[1].start)
    rows, columns = inside
    return peaks[
        peaks["y"].between(rows.start - reach, rows.stop - 1 + reach)
        & peaks["x"].between(columns.start - reach, columns.stop - 1 + reach)
    ]


def _highest(peaks: pd.DataFrame, reach: int) -> pd.DataFrame:
    """The peaks without those that have a higher one within `reach` rows and columns."""
    from scipy.spatial import cKDTree

    peaks = peaks.sort_values(["snr", "y", "x"], ascending=[False, True, True], ignore_index=True)
    pairs = cKDTree(peaks[["y", "x"]]).query_pairs(reach, p=np.inf, output_type="ndarray")
    return peaks.drop(index=np.unique(pairs.max(axis=1)) if len(pairs) else [])


def _peaks(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    snr: float,
    background_box_px: int,
) -> pd.DataFrame:
    """The peaks of `reference_peaks`, in any order."""
    from photutils.detection import find_peaks

    signal, ratio = _matched(data, empty, fwhm_px=fwhm_px, background_box_px=background_box_px)
    found = None
    if ratio.max() > snr:
        found = find_peaks(ratio, snr, box_size=within_fwhm_px(fwhm_px))
    if found is None:
        return pd.DataFrame({"x": [], "y": [], "value": [], "snr": []}).astype({"x": int, "y": int})
    x, y = np.asarray(found["x_peak"], dtype=int), np.asarray(found["y_peak"], dtype=int)
    spiky = _spiky(signal, x, y, fwhm_px)
    x, y = x[~spiky], y[~spiky]
    value = np.ma.getdata(data)[y, x]
    value = value.astype(value.dtype.newbyteorder("="))  # pandas has no other
    return pd.DataFrame({"x": x, "y": y, "value": value, "snr": ratio[y, x]})
