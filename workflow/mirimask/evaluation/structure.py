"""Where a mask's pixels go that are no source: onto bright background, into spikes and wings."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.image.background import background
from mirimask.image.frame import Frame
from mirimask.sources.spots import label_spots
from mirimask.sources.verdicts import smallest_spot_px

__all__ = ["background_share", "structure_rows", "wing_excess"]


def background_share(
    mask: NDArray[np.bool_],
    bright: NDArray[np.bool_],
    background: NDArray[np.floating],
    empty: NDArray[np.bool_],
) -> float:
    """Share of a mask's clutter on the quarter of the image with the brightest background.

    Clutter are the pixels of `mask` that are not on `bright` spots. A mask that does not see the
    background has 0.25; one that follows it, up to 1. All arrays are (ny, nx); empty pixels do not
    count. NaN without clutter.
    """
    clutter = mask & ~bright & ~empty
    if not clutter.any():
        return float("nan")
    limit = np.percentile(background[~empty], 75)
    return float((background[clutter] > limit).mean())


def wing_excess(
    mask: NDArray[np.bool_],
    peaks: pd.DataFrame,
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    snr: float,
    inner: float = 3.0,
    outer: float = 16.0,
) -> tuple[float, int]:
    """Mask pixels in the spikes and wings of bright stars, beyond what lies there anyway.

    Around each peak of at least `snr`: mask pixels between `inner` and `outer` FWHM of it, in
    excess of the mask's density between `outer` and 1.5 `outer` FWHM. Returns the mean excess in
    pixels for each such star (NaN without any), and the number of stars.
    """
    stars = peaks[peaks["snr"] >= snr]
    # one bright star has many peaks in its spikes: those within reach of a brighter one are its own
    kept: list[tuple[float, float]] = []
    for x, y in stars[["x", "y"]].to_numpy(float):
        if all(np.hypot(x - i, y - j) > outer * fwhm_px for i, j in kept):
            kept.append((x, y))
    rows, columns = np.indices(mask.shape)
    distances = [np.hypot(columns - x, rows - y) / fwhm_px for x, y in kept]
    cores = empty.copy()
    for distance in distances:
        cores |= distance <= inner
    excess = []
    for distance in distances:
        ring = (distance <= outer) & ~cores
        beyond = (distance > outer) & (distance <= 1.5 * outer) & ~cores
        density = mask[beyond].mean() if beyond.any() else 0.0
        excess.append(mask[ring].sum() - density * ring.sum())
    return (float(np.mean(excess)) if excess else float("nan")), len(kept)


def structure_rows(
    crop: Frame,
    peaks: pd.DataFrame,
    masks: Iterable[tuple[str, str, NDArray[np.bool_]]],
    *,
    background_box: str,
    bright_snr: float,
    smallest_spot: str | None,
    min_pixels: int,
    tolerance_fwhm: float,
) -> pd.DataFrame:
    """Where the pixels of each mask of an image go.

    `masks` with method and domain; `peaks` are the reference peaks, spots are joined to them as for
    the verdicts (`min_pixels`, `tolerance_fwhm` FWHM). The background is that of boxes of
    `background_box`, clutter counts spots of `smallest_spot` and more, bright stars have a peak of
    at least `bright_snr`. Columns: method, domain, mask_pixels, clutter,
    clutter_on_bright_background (`background_share`), bright_stars and wing_excess_px
    (`wing_excess`), simulated.
    """
    box_px = round(crop.length_px(background_box))
    level = background(np.where(crop.empty, 0, crop.data), crop.empty, box_px=box_px)
    rows = []
    for method, domain, mask in masks:
        spots = label_spots(
            mask, peaks, min_pixels=min_pixels, tolerance_px=tolerance_fwhm * crop.fwhm_px
        )
        bright = np.isin(spots.labels, spots.bright) if spots.bright.size else np.zeros_like(mask)
        excess, stars = wing_excess(mask, peaks, crop.empty, fwhm_px=crop.fwhm_px, snr=bright_snr)
        rows.append(
            {
                "method": method,
                "domain": domain,
                "mask_pixels": int(mask.sum()),
                "clutter": spots.clutter(smallest_spot_px(smallest_spot, crop)),
                "clutter_on_bright_background": background_share(mask, bright, level, crop.empty),
                "bright_stars": stars,
                "wing_excess_px": excess,
                "simulated": crop.simulated,
            }
        )
    return pd.DataFrame(rows)
