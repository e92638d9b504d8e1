"""False detections without a truth: the same mask made from blank images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.evaluation.blank import blank_images
from mirimask.evaluation.scene import area_arcmin2, false_spots
from mirimask.evaluation.stars import StarStamps
from mirimask.image.frame import Frame
from mirimask.intervals import count_interval, ratio_interval
from mirimask.masks.make import make_masks
from mirimask.masks.registry import Options
from mirimask.masks.segmentation import SegmentationSettings, segment

__all__ = [
    "BlankCrops",
    "blank_crops",
    "compare_rates",
    "limit_of",
    "pool_reliability",
    "reliability_row",
    "reliability_rows",
]


@dataclass(frozen=True)
class BlankCrops:
    """Blank images of a crop, the segmentation of each, their sources, and the crop as it is.

    `sources` (n, 2: x, y) are in pixels of the crop, some of them beyond its rim.
    """

    images: list[Frame]
    segmentations: list[NDArray[np.bool_]]
    sources: NDArray[np.float64]
    image: Frame

    def masks(
        self, names: Sequence[str], options: Options | None = None
    ) -> list[dict[str, NDArray[np.bool_]]]:
        """The masks that methods make of each blank image, by name; see `make_masks`.

        They are made at the thresholds of the crop as it is: if a percentage were taken again, the
        mask of a blank image would be as large by construction.
        """
        return [
            {
                name: one.mask
                for name, one in make_masks(
                    blank, names, segmentation=labels, options=options, levels_of=self.image
                ).items()
            }
            for blank, labels in zip(self.images, self.segmentations, strict=True)
        ]


def blank_crops(
    frame: Frame,
    crop: Frame,
    stamps: StarStamps,
    *,
    number: int,
    settings: SegmentationSettings,
    rng: np.random.Generator,
) -> BlankCrops:
    """`number` blank images of a frame (`blank_images`), cut to the window of `crop`.

    The segmentation is that of the whole blank frame (`segment`), as the pipeline's is.
    """
    blank = blank_images(
        frame.data, frame.empty, fwhm_px=crop.fwhm_px, stamps=stamps, number=number, rng=rng
    )
    empty = crop.cut(frame.empty | ~np.isfinite(frame.data))
    seen = (~frame.empty).astype(np.float32)
    return BlankCrops(
        [
            replace(crop, data=crop.cut(image).copy(), empty=empty, error=None, weight=None)
            for image in blank.images
        ],
        [
            crop.cut(segment(image, error=frame.error, weight=seen, settings=settings)) > 0
            for image in blank.images
        ],
        blank.sources - crop.origin[::-1],
        crop,
    )


def reliability_row(spots: int, blank: float, area_arcmin2: float) -> dict[str, float]:
    """1 - N_blank / N with 95 % limits, and false spots per square arcminute with theirs.

    N_blank, `blank`, is the mean number of false spots of a blank image. Counts have exact Poisson
    intervals (Garwood), that of N_blank as of one image: clouds, stars and cosmic rays are the same
    in all. Their ratio has the `ratio_interval` of the two. There can be more spots in a blank
    image: then the reliability is negative, and says that noise and sky explain the whole mask. No
    spots: NaN.
    """
    low, high = count_interval(np.array([blank, spots]))
    ratio = ratio_interval(
        blank, (float(low[0]), float(high[0])), spots, (float(low[1]), float(high[1]))
    )
    return {
        "n_spots": spots,
        "n_blank": blank,
        "area_arcmin2": area_arcmin2,
        "false_per_arcmin2": blank / area_arcmin2,
        "false_low": float(low[0]) / area_arcmin2,
        "false_high": float(high[0]) / area_arcmin2,
        "reliability": 1 - blank / spots if spots else float("nan"),
        "reliability_low": 1 - ratio[1],
        "reliability_high": 1 - ratio[0],
    }


def reliability_rows(
    blank: BlankCrops,
    masks: Iterable[tuple[str, str, NDArray[np.bool_]]],
    *,
    min_pixels: int,
    tolerance_fwhm: float,
    options: Options | None = None,
) -> pd.DataFrame:
    """The `reliability_row` of each mask of an image, with method and domain.

    `blank` are the image's blank crops, `masks` its masks with method and domain. A spot of a blank
    image is false where none of its sources lies on it or within `tolerance_fwhm` FWHM.
    """
    masks, crop = list(masks), blank.image
    found = blank.masks([method for method, _, _ in masks], options)
    nowhere = np.zeros((0, 2))
    rows = []
    for method, domain, mask in masks:
        spots = false_spots(mask, nowhere, tolerance_px=0, min_pixels=min_pixels)
        false = [
            false_spots(
                own[method],
                blank.sources,
                tolerance_px=tolerance_fwhm * crop.fwhm_px,
                min_pixels=min_pixels,
            )
            for own in found
        ]
        row = reliability_row(spots, float(np.mean(false)), area_arcmin2(crop))
        rows.append({"method": method, "domain": domain, **row})
    return pd.DataFrame(rows)


def pool_reliability(table: pd.DataFrame) -> pd.DataFrame:
    """Rows for all images together (image = 'All'): counts and areas added up."""
    rows = []
    for (method, domain), group in table.groupby(["method", "domain"], sort=False):
        row = reliability_row(
            int(group["n_spots"].sum()),
            float(group["n_blank"].sum()),
            float(group["area_arcmin2"].sum()),
        )
        rows.append({"image": "All", "method": method, "domain": domain, **row})
    return pd.DataFrame(rows, columns=table.columns)


# Blank images tell the false rate within this factor; where they do not, it is a limit.
_FACTOR = 1.5
_LEAST_RATE = 1.0  # per square arcminute; fewer false spots decide nothing


def _ratio(blank: float, false: float) -> tuple[float, float, float]:
    """Blank over truth with its 95 % limits; NaN without false spots."""
    low, high = (limit.tolist() for limit in count_interval(np.array([blank, false])))
    limits = ratio_interval(blank, (low[0], high[0]), false, (low[1], high[1]))
    return (blank / false if false else float("nan")), *limits


def limit_of(blank: float, false: float, area_arcmin2: float) -> str:
    """'' where blank images may tell the false rate, else `lower limit` or `upper limit`.

    They do not where the ratio of the two counts is off by more than a factor of 1.5 and its 95 %
    interval as well, at 1 false spot by truth per square arcminute or more.
    """
    ratio, low, high = _ratio(blank, false)
    if false < _LEAST_RATE * area_arcmin2 or (low <= _FACTOR and high >= 1 / _FACTOR):
        return ""
    return "lower limit" if ratio < 1 else "upper limit"


def compare_rates(reliability: pd.DataFrame, purity: pd.DataFrame) -> pd.DataFrame:
    """The false rate by blank images beside the one by truth, all images with a truth together.

    `reliability` has the rows of `reliability_row` with image, method and domain, `purity` those of
    `purity_row`. Columns: method, domain, n_blank, n_false (by truth), area_arcmin2,
    blank_per_arcmin2, truth_false_per_arcmin2 with its 95 % Poisson limits false_low and
    false_high, ratio (blank over truth, 95 % limits), and says: `rate` where the ratio is within a
    factor of 1.5, what `limit_of` says, else `undecided`. By image: least and most, the lowest and
    the highest rate by truth of the `images`, and images_off, those where `limit_of` says a limit.
    """
    keys = ["image", "method", "domain"]
    false = purity.assign(n_false=purity["n_spots"] - purity["n_true_spots"])
    both = reliability[reliability["image"] != "All"].merge(false[[*keys, "n_false"]], on=keys)
    rows = []
    for (method, domain), group in both.groupby(["method", "domain"], sort=False):
        blank, false_ = float(group["n_blank"].sum()), float(group["n_false"].sum())
        area = float(group["area_arcmin2"].sum())
        few, many = map(float, count_interval(false_))
        ratio, low, high = _ratio(blank, false_)
        near = 1 / _FACTOR <= ratio <= _FACTOR
        alone = group["n_false"] / group["area_arcmin2"]
        counts = group[["n_blank", "n_false", "area_arcmin2"]].astype(float)
        rows.append(
            {
                "method": method,
                "domain": domain,
                "n_blank": blank,
                "n_false": false_,
                "area_arcmin2": area,
                "blank_per_arcmin2": blank / area,
                "truth_false_per_arcmin2": false_ / area,
                "false_low": few / area,
                "false_high": many / area,
                "ratio": ratio,
                "ratio_low": low,
                "ratio_high": high,
                "says": "rate" if near else limit_of(blank, false_, area) or "undecided",
                "images": len(group),
                "least": alone.min(),
                "most": alone.max(),
                "images_off": sum(bool(limit_of(*own)) for own in counts.to_numpy().tolist()),
            }
        )
    return pd.DataFrame(rows, columns=_RATES.split())


_RATES = (
    "method domain n_blank n_false area_arcmin2 blank_per_arcmin2 truth_false_per_arcmin2 "
    "false_low false_high ratio ratio_low ratio_high says images least most images_off"
)
