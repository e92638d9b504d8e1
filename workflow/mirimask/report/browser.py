"""The page to look at images and masks: what its pictures and points are."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.image.levels import shrink, shrink_mask
from mirimask.masks.names import method_label
from mirimask.report.page import render_page, size_words
from mirimask.report.pictures import (
    data_uri,
    grey_levels,
    grey_png,
    mask_png,
)

__all__ = ["BrowsedImage", "browser_page", "image_data", "largest_side"]

_LARGEST = 1600  # pixels along a side; larger images are drawn smaller
# of all images of a page together: with two pictures and eight masks of each, 50 MB
_PIXELS = 25_000_000
_NAMED = 7  # images drawn smaller
_MASK = (255, 140, 0)


@dataclass(frozen=True)
class BrowsedImage:
    """An image of the page.

    `image` and its `derivative` along y, (ny, nx), NaN where nothing was observed; by method,
    `masks` (ny, nx) bool and `verdicts`, tables with a row a source; `radius` and `near` in pixels:
    of the circle, and how much farther the ring is.
    """

    name: str
    image: NDArray[np.floating]
    derivative: NDArray[np.floating]
    masks: Mapping[str, NDArray[np.bool_]]
    verdicts: Mapping[str, pd.DataFrame]
    radius: float
    near: float


def largest_side(number: int) -> int:
    """Pixels along a side that an image of a page of so many may have: fewer on a page of many."""
    return min(_LARGEST, math.isqrt(_PIXELS // max(number, 1)))


def image_data(image: BrowsedImage, *, largest: int = _LARGEST) -> tuple[dict[str, Any], int]:
    """What the page's script gets of an image, and by which factor it is drawn smaller.

    Positions and radii are in pixels of what is drawn; `px` and `py` of a source in those of the
    image. `distance` and `snr` are None where the mask marks nothing.
    """
    ny, nx = image.image.shape
    factor = math.ceil(max(ny, nx) / largest)
    levels = grey_levels(shrink(image.image, factor))
    # what falls is black: slices are of what rises
    slope = grey_levels(shrink(image.derivative, factor), percentiles=(50, 99.7))
    sources = next(iter(image.verdicts.values()))
    return {
        "name": image.name,
        "nx": levels.shape[1],
        "ny": levels.shape[0],
        "pixels": int(np.isfinite(image.image).sum()),
        "radius": image.radius / factor,
        "near": image.near / factor,
        "uri": data_uri(grey_png(levels)),
        "derivative": data_uri(grey_png(slope)),
        "masks": [
            {
                "label": method_label(method),
                "uri": data_uri(mask_png(shrink_mask(mask, factor), _MASK)),
                "kept": int(mask.sum()),
                "verdicts": list(_given(image.verdicts[method])),
            }
            for method, mask in image.masks.items()
        ],
        "sources": [
            {
                "id": row.id,
                "ra": float(row.ra),
                "dec": float(row.dec),
                # the centre of pixel 0 of the smaller image is not that of the larger one
                "x": (float(row.x) + 0.5) / factor - 0.5,
                "y": (float(row.y) + 0.5) / factor - 0.5,
                "px": float(row.x),
                "py": float(row.y),
            }
            for row in sources.itertuples()
        ],
    }, factor


def _given(verdicts: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in verdicts.itertuples():
        yield {
            "verdict": row.verdict,
            "literal": row.verdict_pixels,
            "distance": _rounded(row.distance_px, 3),
            "snr": _rounded(row.peak_snr, 2),
        }


def _rounded(value: float, digits: int) -> float | None:
    return round(float(value), digits) if math.isfinite(float(value)) else None


def browser_page(
    images: Sequence[tuple[dict[str, Any], int]],
    *,
    study: str,
    simulated: bool,
    radius: str,
    near: str,
    of_a_spot: bool,
) -> str:
    """The page as text, from the `image_data` of each image. `radius` and `near` are settings.

    `of_a_spot`: verdicts are by the brightest peak of each spot alone.
    """
    return render_page(
        "browser",
        title=f"Images and masks: study {study}",
        study=study,
        simulated=simulated,
        question="What does each mask mark, pixels and sources?",
        radius=size_words(radius),
        near=size_words(near),
        of_a_spot=of_a_spot,
        scaled=_scaled([(data["name"], factor) for data, factor in images if factor > 1]),
        data={"images": [data for data, _ in images]},
    )


def _scaled(drawn: Sequence[tuple[str, int]]) -> str:
    """Which images are drawn smaller, by which factors; of many, how many."""
    if len(drawn) <= _NAMED:
        return ", ".join(f"{name} 1 of {factor}" for name, factor in drawn)
    number = Counter(factor for _, factor in drawn)
    return ", ".join(f"{of} images 1 of {factor}" for factor, of in sorted(number.items()))
