"""Families: the masks of a method at its levels, with what they share made once.

A method with a level (`mirimask.masks.registry`) is a function that returns one of these.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Family", "Scores", "sigma_family", "tool_family"]

Scores = tuple[NDArray[np.floating], ...]


@dataclass(frozen=True)
class Family:
    """The masks of a method at its levels.

    `unit`: that of the levels, "%" or "sigma". `scores` makes the images that are cut from an image
    (ny, nx; NaN where empty). `thresholds` turns such scores into one row for each level, a
    threshold a score. `cut` makes a mask from scores and one row: bool, or int labels where the
    detector itself says which pixels are one source.
    """

    name: str
    unit: str
    levels: NDArray[np.float64]
    scores: Callable[[NDArray[np.floating]], Scores]
    thresholds: Callable[[Scores], NDArray[np.float64]]
    cut: Callable[[Scores, NDArray[np.float64]], NDArray[np.generic]]


def sigma_family(
    name: str,
    levels: NDArray[np.float64],
    scores: Callable[[NDArray[np.floating]], Scores],
    cut: Callable[[Scores, float], NDArray[np.generic]],
) -> Family:
    """A family whose level is the threshold itself, in units of a noise that it measures.

    `scores` makes from an image (ny, nx; NaN where empty) what does not depend on the level,
    `cut` from that and one level the mask (bool) or labels (int).
    """
    return Family(
        name,
        "sigma",
        levels,
        scores,
        lambda _: levels[:, None],
        lambda images, row: cut(images, float(row[0])),
    )


def tool_family(
    name: str,
    levels: NDArray[np.float64],
    empty: NDArray[np.bool_],
    prepare: Callable[[NDArray[np.floating], NDArray[np.bool_]], Scores],
    find: Callable[[Scores, float], NDArray[np.generic]],
    *,
    unit: str = "sigma",
) -> Family:
    """A family of a detector that cannot work on an image without data or of one value.

    `prepare(data, seen)` makes what does not depend on the level from an image (ny, nx; 0 where it
    has no data) and the pixels with data (bool); `find` makes a mask or labels from that, with
    `seen` as its last array, and a level. Pixels without data are never marked, and where there are
    none, or all are equal, nothing is.
    """

    def scores(image: NDArray[np.floating]) -> Scores:
        seen = np.isfinite(image) & ~empty
        data = np.where(seen, image, 0)
        if not seen.any() or np.ptp(image[seen]) == 0:
            return ()
        return (*prepare(data, seen), seen)

    def cut(images: Scores, row: NDArray[np.float64]) -> NDArray[np.generic]:
        if not images:
            return np.zeros(empty.shape, bool)
        found = find(images, float(row[0]))
        return np.where(images[-1], found, found.dtype.type(0))

    return Family(name, unit, levels, scores, lambda _: levels[:, None], cut)
