"""The cores of the sources: a slice of the second derivative, at a level of the local noise.

What the paper's derivative slice does for a gradient, the curvature of the image does for slopes
of every direction: it vanishes on them and is largest on what is as small as the PSF.
docs/cores.md tells how it was chosen, against what, and what did not help. The light around the
cores is the source mask's (`source_mask`).
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mirimask.errors import MaskError
from mirimask.image.frame import check_width, plain
from mirimask.masks.curvature import curvature_in_noise
from mirimask.masks.family import Family, Scores, sigma_family

__all__ = [
    "DEFAULT",
    "CoreSettings",
    "core_labels",
    "core_mask",
    "cores_family",
    "cores_of",
    "curvature_snr",
    "grow",
    "widened",
]

_BOX = np.ones((3, 3), bool)  # 8-connected


@dataclass(frozen=True)
class CoreSettings:
    """Settings of the cores; lengths in FWHM of the PSF, levels in sigma.

    `smooth`: sigma of the Gaussian. `tile`: side of the tiles in which the noise is measured.
    `window`: side of the box in which the fluctuation around a pixel is measured; `share`, its
    share in the noise (the tile has the rest). `seed`: level that a spot must reach;
    `grow`: level down to which it extends; `min_pixels`: smallest spot. `margin`: by how much
    every spot is then widened, since curvature ends where a star's flank turns, inside its light.
    `directions`: share of the smallest of the curvatures in four directions, 0 in `cores`
    (docs/future-work.md, 1).
    """

    smooth: float = 0.65
    tile: float = 26.0
    window: float = 6.0
    share: float = 0.6
    seed: float = 5.0
    grow: float = 2.0
    min_pixels: int = 5
    margin: float = 1.0
    directions: float = 0.0

    def __post_init__(self) -> None:
        for name in ("smooth", "tile", "window", "seed", "grow", "min_pixels"):
            if not getattr(self, name) > 0:
                raise MaskError(f"cores: {name} is {getattr(self, name)}; it must be > 0.")
        if not self.margin >= 0:
            raise MaskError(f"cores: margin is {self.margin}; it must be 0 or more.")
        for name in ("share", "directions"):
            if not 0 <= getattr(self, name) <= 1:
                raise MaskError(f"cores: {name} is {getattr(self, name)}; it must be from 0 to 1.")
        if self.grow > self.seed:
            raise MaskError(f"cores: grow {self.grow} is above seed {self.seed}.")


DEFAULT = CoreSettings()


def curvature_snr(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    settings: CoreSettings = DEFAULT,
) -> NDArray[np.float32]:
    """Curvature of the smoothed image in units of its noise.

    C = -laplace(G * data), G a Gaussian of `settings.smooth` FWHM. The noise is
    (1 - share) x 1.4826 median|C| in the tile + share x 1.2533 mean|C| in the window: the first
    alone is the noise of the sky, the second follows nebulosity, diffraction rings and spikes.

    `data` is (ny, nx), any unit; `empty` the pixels without observation (NaN count as such):
    they weigh nothing and come back as 0, as does an image without other pixels or noise. MaskError
    for an `empty` of another shape, and a width that is not above 0 or above the image's.
    """
    data, empty = plain(data, empty)
    check_width(fwhm_px, data.shape)
    return curvature_in_noise(
        data,
        empty,
        sigma_px=settings.smooth * fwhm_px,
        tile_px=settings.tile * fwhm_px,
        box_px=max(3, round(settings.window * fwhm_px) | 1),
        share=settings.share,
        directions=settings.directions,
    )


def grow(
    snr: NDArray[np.floating], *, seed: float, down_to: float, min_pixels: int
) -> tuple[NDArray[np.int32], int]:
    """Label the areas above `down_to` that reach `seed`: 8-connected, 1 to n, and their number.

    Areas of fewer than `min_pixels` are left out. NaN belong to none.
    """
    above = snr > down_to
    labels, count = ndimage.label(above, structure=_BOX)
    flat, at = labels.ravel(), np.flatnonzero(above)
    own = flat[at]
    kept = np.zeros(count + 1, bool)
    kept[own[snr.ravel()[at] > seed]] = True
    if min_pixels > 1:
        kept &= np.bincount(own, minlength=count + 1) >= min_pixels
    flat[at] = np.where(kept, np.cumsum(kept), 0)[own]
    return labels, int(kept.sum())


def widened(labels: NDArray[np.int32], steps: int) -> NDArray[np.int32]:
    """Widen every area by `steps` pixels, (ny, nx) int32, and leave a gap where two would meet.

    A pixel joins an area whose pixels touch it (8 neighbours) if no other area does.
    """
    if steps < 1:
        return labels
    wide = np.pad(labels, 1, constant_values=-1)
    flat, row = wide.ravel(), wide.shape[1]
    around = np.array([dy * row + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx])
    around = around[:, None]
    edge = np.flatnonzero(flat > 0)
    for _ in range(steps):
        met = np.zeros(flat.shape, bool)
        met[edge + around] = True
        edge = np.flatnonzero(met & (flat == 0))
        joined = _only(flat[edge + around])
        flat[edge] = joined
        edge = edge[joined > 0]
        touching = (flat[edge + around] > flat[edge]).any(axis=0)
        flat[edge[touching]] = 0
        edge = edge[~touching]
    return wide[1:-1, 1:-1]


def _only(neighbours: NDArray[np.int32]) -> NDArray[np.int32]:
    """The label among the neighbours (8, n) of each pixel, 0 where there are several."""
    highest = neighbours.max(axis=0)
    one = ((neighbours <= 0) | (neighbours == highest)).all(axis=0)
    return highest * one


def core_labels(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    settings: CoreSettings = DEFAULT,
) -> tuple[NDArray[np.int32], int]:
    """Label image of the cores, (ny, nx) int32, 0 = background, and its sources' number.

    Areas above `settings.grow` in `curvature_snr` that reach `settings.seed` (hysteresis), widened
    by `settings.margin`; a gap of background stays between sources.
    """
    data, empty = plain(data, empty)
    snr = curvature_snr(data, empty, fwhm_px=fwhm_px, settings=settings)
    return cores_of(snr, empty, fwhm_px=fwhm_px, settings=settings)


def cores_of(
    snr: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    settings: CoreSettings = DEFAULT,
) -> tuple[NDArray[np.int32], int]:
    """As `core_labels`, of the score that `curvature_snr` gave."""
    labels, count = grow(
        snr, seed=settings.seed, down_to=settings.grow, min_pixels=settings.min_pixels
    )
    labels = widened(labels, round(settings.margin * fwhm_px))
    np.copyto(labels, 0, where=empty)
    return labels, count


def core_mask(
    data: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    fwhm_px: float,
    settings: CoreSettings = DEFAULT,
) -> NDArray[np.bool_]:
    """The cores, (ny, nx) bool: where `core_labels` has a source."""
    labels, _ = core_labels(data, empty, fwhm_px=fwhm_px, settings=settings)
    return labels > 0


def cores_family(
    empty: NDArray[np.bool_], *, fwhm_px: float, levels: NDArray[np.float64], **settings: Any
) -> Family:
    """The cores by their seed level; they grow to `grow`, or less far.

    `settings` replace some of `CoreSettings`; MaskError for one that is none of these.
    """
    strange = set(settings) - {field.name for field in fields(CoreSettings)}
    if strange:
        raise MaskError(f"cores: unknown setting {', '.join(sorted(strange))}.")
    chosen = CoreSettings(**settings)

    def cut(images: Scores, level: float) -> NDArray[np.bool_]:
        labels, _ = grow(
            images[0],
            seed=level,
            down_to=min(chosen.grow, level),
            min_pixels=chosen.min_pixels,
        )
        return (widened(labels, round(chosen.margin * fwhm_px)) > 0) & (images[1] > 0)

    def scores(image: NDArray[np.floating]) -> Scores:
        snr = curvature_snr(image, empty, fwhm_px=fwhm_px, settings=chosen)
        return snr, ~empty & np.isfinite(image)

    return sigma_family("cores", levels, scores, cut)
