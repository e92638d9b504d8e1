"""False detections without a truth: the same mask made from the inverted image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.derivative import derivative
from mirimask.frame import Frame
from mirimask.intervals import count_interval, ratio_interval
from mirimask.mask_functions import function_mask
from mirimask.masks import combined_mask
from mirimask.memory import give_back
from mirimask.meshes import background
from mirimask.methods import Method, parse_method
from mirimask.segmentation import SegmentationSettings, segment
from mirimask.slicing import top_slice

__all__ = [
    "Inverted",
    "false_spots",
    "flank_pixels",
    "invert",
    "pool_reliability",
    "reliability_row",
]


@dataclass(frozen=True)
class Inverted:
    """The inverted crop, (ny, nx) MJy/sr with NaN in the empty pixels, and its segmentation.

    `fwhm_px` of the PSF is what other masks need, `upright` the crop as it was for those whose
    level is a percentage of it.
    """

    data: NDArray[np.floating]
    derivative: NDArray[np.floating]
    segmentation: NDArray[np.bool_]
    fwhm_px: float
    upright: NDArray[np.floating]

    def mask(
        self,
        method: Method,
        thresholds: dict[str, float],
        detectors: Mapping[str, Any] | None = None,
    ) -> NDArray[np.bool_]:
        """The mask that `method` makes of the inverted crop.

        `thresholds` has, for each slice (by name), the threshold of the real image's mask: the
        percentage is not taken again, or the inverted mask would be as large by construction.
        `detectors` are the settings of detectors by their names.
        """
        if method.parts:
            parts = [self.mask(parse_method(name), thresholds, detectors) for name in method.parts]
            return combined_mask(parts, method.kind)
        if method.kind == "segmentation":
            return self.segmentation
        if method.kind == "function":
            empty = np.isnan(self.data)
            return function_mask(
                method.name,
                self.data,
                empty,
                fwhm_px=self.fwhm_px,
                detectors=detectors,
                levels_of=self.upright,
            )
        image = self.data if method.kind == "value" else self.derivative
        return top_slice(image, thresholds[method.name])


def invert(
    frame: Frame,
    window: tuple[slice, slice],
    *,
    background_box_px: int,
    settings: SegmentationSettings,
    fwhm_px: float,
) -> Inverted:
    """Turn a frame around its background, 2 B - data, and cut the crop `window` out of it.

    B is the clipped median in boxes of `background_box_px`, as for the reference peaks, not the
    median of the frame. A slice at a fixed level takes a bright side of the background as source;
    around a local B that side stays bright and is counted as the false detection it is, around one
    median it would become a dark side and be missed. The segmentation is that of the inverted
    frame (`segment`, same settings), which subtracts a background of its own.
    """
    mask = frame.empty | ~np.isfinite(frame.data)
    filled = np.where(mask, 0, frame.data)
    level = background(filled, mask, box_px=background_box_px)
    inverted = (2 * level - filled).astype(np.float32)
    inverted[mask] = np.nan
    data, upright = inverted[window].copy(), frame.data[window].copy()
    if frame.error is not None:
        inverted[np.isnan(frame.error)] = np.nan
    del frame, mask, filled, level  # the segmentation needs room
    give_back()
    found = segment(inverted, settings=settings)[window] > 0
    return Inverted(data, derivative(data), found, fwhm_px, upright)


def flank_pixels(
    peaks: pd.DataFrame, shape: tuple[int, int], tolerance_px: float
) -> NDArray[np.bool_]:
    """The pixels within `tolerance_px` of a reference peak, (ny, nx) bool.

    The derivative of a real star falls as steeply on one flank as it rises on the other, so every
    star leaves a spot in the inverted derivative that is no false detection. A spot of the inverted
    derivative counts only if it marks no reference peak: what remains are noise and background,
    and sources too faint for a reference peak, which make the false rate an upper limit.
    """
    pixels = np.ones(shape, bool)
    pixels[peaks["y"].to_numpy(int), peaks["x"].to_numpy(int)] = False
    if pixels.all():
        return ~pixels
    return ndimage.distance_transform_edt(pixels) <= tolerance_px


def false_spots(
    mask: NDArray[np.bool_], excluded: NDArray[np.bool_] | None, *, min_pixels: int
) -> int:
    """Number of 8-connected spots of at least `min_pixels`, without those that touch `excluded`."""
    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    kept = np.bincount(labels.ravel(), minlength=count + 1) >= min_pixels
    kept[0] = False
    if excluded is not None:
        kept[np.unique(labels[excluded])] = False
    return int(kept.sum())


def reliability_row(positive: int, negative: int, area_arcmin2: float) -> dict[str, float]:
    """1 - N_neg / N_pos with 95 % limits, and false spots per square arcminute with theirs.

    Counts have exact Poisson intervals (Garwood), their ratio `ratio_interval` of the two. Spots of
    the inverted image can outnumber the real ones: then the reliability is negative, and says that
    noise and background explain the whole mask. No spots: NaN.
    """
    low, high = count_interval(np.array([negative, positive]))
    ratio = ratio_interval(
        negative, (float(low[0]), float(high[0])), positive, (float(low[1]), float(high[1]))
    )
    return {
        "n_positive": positive,
        "n_negative": negative,
        "area_arcmin2": area_arcmin2,
        "false_per_arcmin2": negative / area_arcmin2,
        "false_low": float(low[0]) / area_arcmin2,
        "false_high": float(high[0]) / area_arcmin2,
        "reliability": 1 - negative / positive if positive else float("nan"),
        "reliability_low": 1 - ratio[1],
        "reliability_high": 1 - ratio[0],
    }


def pool_reliability(table: pd.DataFrame) -> pd.DataFrame:
    """Rows for all images together (image = 'All'): counts and areas added up."""
    rows = []
    for (method, domain), group in table.groupby(["method", "domain"], sort=False):
        row = reliability_row(
            int(group["n_positive"].sum()),
            int(group["n_negative"].sum()),
            float(group["area_arcmin2"].sum()),
        )
        rows.append({"image": "All", "method": method, "domain": domain, **row})
    return pd.DataFrame(rows, columns=table.columns)
