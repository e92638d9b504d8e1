"""Where a mask's pixels go that are no source: onto bright background, onto spikes."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.evaluation.stars import StarStamps
from mirimask.image.background import background
from mirimask.image.frame import Frame
from mirimask.sources.spots import label_spots, pixels_around
from mirimask.sources.verdicts import smallest_spot_px

__all__ = ["background_share", "bright_stars", "spike_excess", "spikes_of", "structure_rows"]

# of a bright star, in FWHM: its core is within the first, its spikes end at the second
_INNER, _OUTER = 3.0, 16.0


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


def spikes_of(stamps: StarStamps, fwhm_px: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The pixels of a star's spikes, and those between them, two (n, n) bool around the star.

    Both lie between 3 and 16 FWHM. A pixel is on a spike where the PSF has twice the median at its
    distance (rings of 1 px).
    """
    image, half = stamps.of(0.0, 0.0), stamps.half
    y, x = np.indices(image.shape) - half
    distance = np.hypot(x, y)
    ring = np.rint(distance).astype(int)
    usual = np.array([np.median(image[ring == r]) for r in range(ring.max() + 1)])
    around = (distance > _INNER * fwhm_px) & (distance <= min(_OUTER * fwhm_px, half))
    on = around & (image > 2 * usual[ring])
    return on, around & ~on


def bright_stars(peaks: pd.DataFrame, *, fwhm_px: float, snr: float) -> NDArray[np.intp]:
    """The peaks of at least `snr` that are stars, (n, 2: x, y), brightest first as in `peaks`.

    One bright star has many peaks in its spikes: those within 16 FWHM of a brighter one are its
    own.
    """
    kept: list[tuple[int, int]] = []
    for x, y in peaks[peaks["snr"] >= snr][["x", "y"]].to_numpy(int).tolist():
        if all(np.hypot(x - i, y - j) > _OUTER * fwhm_px for i, j in kept):
            kept.append((x, y))
    return np.array(kept, np.intp).reshape(-1, 2)


def spike_excess(
    mask: NDArray[np.bool_],
    stars: NDArray[np.intp],
    unseen: NDArray[np.bool_],
    spikes: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> tuple[float, int]:
    """By how much more of a bright star's spikes a mask covers than of what lies between them.

    Around each of `stars` (n, 2: x, y): the masked share of the pixels on its spikes less that of
    those between, `spikes` as from `spikes_of`; `unseen` pixels do not count. Returns the mean over
    the stars that have both (NaN without any), and their number.
    """
    half = spikes[0].shape[0] // 2
    wide, hidden = np.pad(mask, half), np.pad(unseen, half, constant_values=True)
    excess = []
    for x, y in stars.tolist():
        window = np.s_[y : y + 2 * half + 1, x : x + 2 * half + 1]
        on, between = (wide[window][part & ~hidden[window]] for part in spikes)
        if on.size and between.size:
            excess.append(on.mean() - between.mean())
    return (float(np.mean(excess)) if excess else float("nan")), len(excess)


def structure_rows(
    crop: Frame,
    peaks: pd.DataFrame,
    masks: Iterable[tuple[str, str, NDArray[np.bool_]]],
    stamps: StarStamps,
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
    `background_box`, clutter counts spots of `smallest_spot` and more. `bright_stars` are those of
    `bright_snr`, with the spikes of `stamps`; their cores count for no star. Columns: method,
    domain, mask_pixels, clutter, clutter_on_bright_background (`background_share`), bright_stars
    and spike_excess (`spike_excess`), simulated.
    """
    box_px = round(crop.length_px(background_box))
    level = background(np.where(crop.empty, 0, crop.data), crop.empty, box_px=box_px)
    spikes = spikes_of(stamps, crop.fwhm_px)
    stars = bright_stars(peaks, fwhm_px=crop.fwhm_px, snr=bright_snr)
    # a bright star's core is on no spike, its own or another's
    unseen = crop.empty | pixels_around(stars, crop.data.shape, _INNER * crop.fwhm_px)
    rows = []
    for method, domain, mask in masks:
        spots = label_spots(
            mask, peaks, min_pixels=min_pixels, tolerance_px=tolerance_fwhm * crop.fwhm_px
        )
        bright = np.isin(spots.labels, spots.bright) if spots.bright.size else np.zeros_like(mask)
        excess, n_stars = spike_excess(mask, stars, unseen, spikes)
        rows.append(
            {
                "method": method,
                "domain": domain,
                "mask_pixels": int(mask.sum()),
                "clutter": spots.clutter(smallest_spot_px(smallest_spot, crop)),
                "clutter_on_bright_background": background_share(mask, bright, level, crop.empty),
                "bright_stars": n_stars,
                "spike_excess": excess,
                "simulated": crop.simulated,
            }
        )
    return pd.DataFrame(rows)
