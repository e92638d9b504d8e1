"""The sources of a large image, part by part.

What numbers the sources of an image needs several times its memory; a source has its light near it.
So a mosaic is worked on in parts (`image.parts`), and what two of them have of one source gets one
number.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirimask.image.frame import Frame
from mirimask.image.parts import Window, parts

__all__ = ["labels_of_parts", "mask_of_parts"]


def _made(
    image: Frame, numbered: Callable[..., Any], settings: Mapping[str, Any]
) -> Iterator[tuple[Window, Window, Window, Any]]:
    """What `numbered` makes of each part that has pixels, with the windows of `parts`."""
    for inside, wide, part in parts(image.data.shape, fwhm_px=image.fwhm_px):
        empty = image.empty[wide]
        if not empty[part].all():
            # no name here holds what is made: it is gone before the next part is begun
            yield (
                inside,
                wide,
                part,
                numbered(
                    np.where(empty, np.float32(np.nan), image.data[wide]),
                    empty,
                    fwhm_px=image.fwhm_px,
                    **settings,
                ),
            )


def mask_of_parts(
    image: Frame, numbered: Callable[..., Any], settings: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Where `labels_of_parts` has a source, (ny, nx) bool: without their numbers."""
    mask = np.zeros(image.data.shape, bool)
    for inside, _, part, made in _made(image, numbered, settings):
        mask[inside] = made.sources[part] > 0
        del made
    return mask


def labels_of_parts(
    image: Frame, numbered: Callable[..., Any], settings: Mapping[str, Any], *, cores: bool = True
) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None, int]:
    """The sources of an image, the pixels of their cores, and how many sources there are.

    `numbered` is what makes `source_mask.SourceLabels` of data and empty pixels, with its
    `settings`. Returns the sources, (ny, nx) int32, 0 = background, numbered from 1, and the cores,
    (ny, nx) bool, or None without `cores`. A source has one number on both sides of a seam; what
    reaches further than the rim of 40 FWHM beyond the part that its core is in may be a source by
    itself there.
    """
    sources = np.zeros(image.data.shape, np.int32)
    detections = np.zeros(image.data.shape, bool) if cores else None
    count = 0
    for inside, wide, part, made in _made(image, numbered, settings):
        number = _joined(made.sources, sources[wide], made.count, count)
        count = max(count, int(number.max()))
        known = number[made.sources]
        sources[inside] = known[part]
        if detections is not None:
            detections[inside] = made.detections[part] > 0
        # what the parts to the right and below will know them by
        for rim in (np.s_[part[0], part[1].stop :], np.s_[part[0].stop :]):
            around = sources[wide][rim]
            np.copyto(around, known[rim], where=around == 0)
        del made, known
    return sources, detections, _renumber(sources)


def _joined(
    own: NDArray[np.int32], known: NDArray[np.int32], number_own: int, count: int
) -> NDArray[np.int32]:
    """The numbers that `own` labels, 0 to `number_own`, get where some pixels have `known` ones.

    Two labels are of one source where each shares more pixels with the other than with any third.
    Others are new, from `count` + 1 on.
    """
    both = (own > 0) & (known > 0)
    pairs, shared = np.unique(
        own[both].astype(np.int64) * (count + 1) + known[both], return_counts=True
    )
    labels = np.array(np.divmod(pairs, count + 1))[:, np.argsort(-shared, kind="stable")]
    firsts = [np.unique(of, return_index=True)[1] for of in labels]
    mutual = np.intersect1d(firsts[0], firsts[1])
    number = np.zeros(number_own + 1, np.int32)
    number[labels[0, mutual]] = labels[1, mutual]
    new = np.flatnonzero(number == 0)[1:]
    number[new] = count + 1 + np.arange(new.size)
    return number


def _renumber(labels: NDArray[np.int32]) -> int:
    """Number labels from 1 without gaps, in place, in the same order; how many there are."""
    used = np.zeros(labels.max() + 1, np.int32)
    for row in labels:
        used[row] = 1
    used[0] = 0
    number = np.cumsum(used, dtype=np.int32)
    for row in labels:
        row[...] = number[row]
    return int(number[-1])
