"""False detections without a truth: the same mask made from the inverted image."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.evaluation.scene import area_arcmin2, inverted
from mirimask.image.frame import Frame
from mirimask.intervals import count_interval, ratio_interval
from mirimask.masks.make import make_masks
from mirimask.masks.names import is_antisymmetric
from mirimask.masks.registry import Options
from mirimask.masks.segmentation import SegmentationSettings, segment

__all__ = [
    "Inverted",
    "false_spots",
    "flank_pixels",
    "invert",
    "pool_reliability",
    "reliability_row",
    "reliability_rows",
]


@dataclass(frozen=True)
class Inverted:
    """An inverted crop, its segmentation, and the crop as it was.

    `masks` are made at the thresholds of the crop as it was: if a percentage were taken again, the
    inverted mask would be as large by construction.
    """

    image: Frame
    segmentation: NDArray[np.bool_]
    upright: Frame

    def masks(
        self, names: Sequence[str], options: Options | None = None
    ) -> dict[str, NDArray[np.bool_]]:
        """The masks that methods make of the inverted crop, by name; see `make_masks`."""
        made = make_masks(
            self.image,
            names,
            segmentation=self.segmentation,
            options=options,
            levels_of=self.upright,
        )
        return {name: one.mask for name, one in made.items()}


def invert(
    frame: Frame,
    crop: Frame,
    *,
    background_box_px: int,
    settings: SegmentationSettings,
) -> Inverted:
    """Turn a frame around its background, 2 B - data, and cut the window of `crop` out of it.

    B is the clipped median in boxes of `background_box_px`, as for the reference peaks, not the
    median of the frame. A slice at a fixed level takes a bright side of the background as source;
    around a local B that side stays bright and is counted as the false detection it is, around one
    median it would become a dark side and be missed. The segmentation is that of the inverted
    frame (`segment`, same settings), which subtracts a background of its own.
    """
    turned = inverted(frame.data, frame.empty, box_px=background_box_px)
    unseen = crop.cut(frame.empty | ~np.isfinite(frame.data))
    image = replace(crop, data=crop.cut(turned).copy(), empty=unseen, error=None, weight=None)
    if frame.error is not None:
        turned[np.isnan(frame.error)] = np.nan
    return Inverted(image, crop.cut(segment(turned, settings=settings)) > 0, crop)


def flank_pixels(
    peaks: pd.DataFrame, shape: tuple[int, int], tolerance_px: float
) -> NDArray[np.bool_]:
    """The pixels within `tolerance_px` of a reference peak, (ny, nx) bool.

    The derivative of a real star falls as steeply on one flank as it rises on the other, so every
    star leaves a spot in the inverted derivative that is no false detection. Of a method whose
    score is antisymmetric (`masks.names.is_antisymmetric`), a spot of the inverted image counts
    only if it marks no reference peak: what remains are noise and background, and sources too faint
    for a reference peak, which make the false rate an upper limit.
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


def reliability_rows(
    turned: Inverted,
    peaks: pd.DataFrame,
    masks: Iterable[tuple[str, str, NDArray[np.bool_]]],
    *,
    min_pixels: int,
    tolerance_fwhm: float,
    options: Options | None = None,
) -> pd.DataFrame:
    """The `reliability_row` of each mask of an image, with method and domain.

    `turned` is the image inverted, `masks` are its masks with method and domain, `peaks` its
    reference peaks. Of an antisymmetric method's inverted mask, spots within `tolerance_fwhm` FWHM
    of a reference peak do not count (`flank_pixels`).
    """
    masks, crop = list(masks), turned.upright
    twins = turned.masks([method for method, _, _ in masks], options)
    flanks = flank_pixels(peaks, crop.data.shape, tolerance_fwhm * crop.fwhm_px)
    rows = []
    for method, domain, mask in masks:
        excluded = flanks if is_antisymmetric(method) else None
        positive = false_spots(mask, None, min_pixels=min_pixels)
        negative = false_spots(twins[method], excluded, min_pixels=min_pixels)
        row = reliability_row(positive, negative, area_arcmin2(crop))
        rows.append({"method": method, "domain": domain, **row})
    return pd.DataFrame(rows)


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
