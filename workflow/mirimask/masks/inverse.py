"""The inverse mask (the paper's future work, section 6): what is not marked tells the background.

"[...] marking as many locations as possible to capture all sources with also [s]ome noises, then
using the inverse of this mask as non-source related phenomena and further working on that to
estimate actual sources in the previously estimated mask."
"""

import hashlib
import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.image.background import background, local_mean, smoothed
from mirimask.masks.family import Family
from mirimask.masks.thresholds import percent_family, thresholds

__all__ = ["Rest", "inverse_mask", "rest_of"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rest:
    """What an image has above the background of its unmarked pixels.

    `image` (ny, nx) float32, NaN where empty, in units of the unmarked pixels' scatter if that was
    asked for; `marked` (ny, nx) bool; `rounds`: how many were made; `changed`: pixels whose mark
    the last of them changed; `ended`: `still` where few enough changed, `cycle` where the marks
    were those of an earlier round, `limit` where neither came within the rounds allowed.
    """

    image: NDArray[np.float32]
    marked: NDArray[np.bool_]
    rounds: int
    changed: int
    ended: str


def rest_of(
    image: NDArray[np.floating],
    *,
    marked: float,
    box_px: int,
    sigma: float,
    by_scatter: bool,
    tolerance: float,
    limit: int,
) -> Rest:
    """Mark the top `marked` per cent, take off a model of the others, and again until at rest.

    `image` is (ny, nx), NaN where empty. The clipped median in boxes of `box_px` is taken off
    first (`background`): a slice of the image itself would mark the bright side of a
    gradient whole, and nothing would be left to tell the background there. What remains of it is
    the mean of the unmarked pixels (of all, at first) with Gaussian weights of `sigma` pixels.
    With `by_scatter` what is above that is divided by their scatter, with the same weights. At
    rest is what changes no more than the share `tolerance` of the pixels. Stops after `limit`
    rounds, and where a mask comes back that was there before: it would go round for ever. The
    logger then says so. MaskError where no box holds enough pixels.
    """
    known = np.isfinite(image)
    level = background(np.where(known, image, 0), ~known, box_px=box_px)
    flat = (image - level).astype(np.float32)
    mask = np.zeros(image.shape, bool)
    seen: set[bytes] = set()
    for rounds in range(1, limit + 1):
        inverse = known & ~mask
        rest = flat - local_mean(flat, inverse, sigma=sigma)
        if by_scatter:
            variance = local_mean(rest * rest, inverse, sigma=sigma)
            rest /= np.sqrt(np.where(variance > 0, variance, np.float32(np.inf)))
        now = rest > thresholds(rest, [marked])[0]
        changed, mask = int((now != mask).sum()), now
        if changed <= tolerance * known.sum():
            return Rest(rest, mask, rounds, changed, "still")
        key = hashlib.sha256(np.packbits(mask).tobytes()).digest()
        if key in seen:
            log.warning("inverse_mask: the marks repeat after %d rounds; stopped there.", rounds)
            return Rest(rest, mask, rounds, changed, "cycle")
        seen.add(key)
    log.warning("inverse_mask: %d pixels still change after %d rounds.", changed, limit)
    return Rest(rest, mask, limit, changed, "limit")


def inverse_mask(
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    levels: NDArray[np.float64],
    marked: float = 25.0,
    box: float = 26.0,
    sigma: float = 10.0,
    by_scatter: bool = False,
    smooth: float = 0.0,
    tolerance: float = 1e-4,
    limit: int = 60,
) -> Family:
    """Slices of what `rest_of` leaves of an image.

    `marked` per cent of the pixels are marked; a slice keeps fewer, so that it lies within the
    marks (MaskError else). `box`, `sigma` and `smooth`, the sigma of a Gaussian before all, are
    in FWHM of the PSF.
    """
    if levels.max() > marked:
        raise MaskError(
            f"inverse_mask: a slice of {levels.max():g} % is asked for, but only {marked:g} % are "
            "marked; raise inverse_mask.settings.marked (config/detectors.yaml)."
        )

    def score(image: NDArray[np.floating]) -> NDArray[np.floating]:
        return rest_of(
            smoothed(image, sigma=smooth * fwhm_px),
            marked=marked,
            box_px=max(3, round(box * fwhm_px)),
            sigma=sigma * fwhm_px,
            by_scatter=by_scatter,
            tolerance=tolerance,
            limit=limit,
        ).image

    return percent_family("inverse_mask", levels, score)
