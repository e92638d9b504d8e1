"""An image made ready for judging masks on: stars added, the image inverted, the truth about it."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import Table
from numpy.typing import NDArray

from mirimask.evaluation.stars import StarStamps, ab_to_mjy_sr, draw_positions, free_pixels, inject
from mirimask.image.background import background
from mirimask.image.files import read_crop, read_mask
from mirimask.image.frame import Frame
from mirimask.image.psf import Psf, make_psf, read_psf
from mirimask.table_files import read_table

__all__ = [
    "Scene",
    "SceneSettings",
    "Truth",
    "area_arcmin2",
    "free_of_sources",
    "inverted",
    "named_masks",
    "psf_for",
    "read_scene",
    "scene_of",
    "seed_for",
    "stamps_for",
    "truth_of",
]


@dataclass(frozen=True)
class Truth:
    """Real sources: positions (n, 2: x, y in pixels), matching radius (n) in pixels.

    `wanted` (n, bool) marks those whose completeness is asked for; all of them count as no false.
    """

    positions: NDArray[np.float64]
    radius_px: NDArray[np.float64]
    wanted: NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """An image to judge masks on, with everything that is needed for it.

    `image` and `inverted` (2 x background - image) are (ny, nx; NaN where empty), `added` are
    images with stars added and their positions (n, 2: x, y), `magnitudes` those of all added stars,
    in the order of `added`. `free` (ny, nx, bool) are the pixels without a source, `truth` the real
    sources where they are known. A star is found where a spot's brightest pixel lies within
    `tolerance_px` of it.
    """

    image: NDArray[np.floating]
    added: list[tuple[NDArray[np.floating], NDArray[np.float64]]]
    magnitudes: NDArray[np.float64]
    inverted: NDArray[np.floating]
    free: NDArray[np.bool_]
    truth: Truth | None
    tolerance_px: float
    area_arcmin2: float


@dataclass(frozen=True)
class SceneSettings:
    """How images are made ready, as a configuration says it under `evaluation`.

    `stars` in all, of AB magnitudes between the two `magnitudes`, in `realisations` images of them,
    `separation_fwhm` FWHM of the PSF apart and `free_fwhm` from every source. The image is turned
    around its background in boxes of `background_box` (such as '64 px').
    """

    magnitudes: tuple[float, float]
    stars: int
    realisations: int
    separation_fwhm: float
    free_fwhm: float
    background_box: str
    seed: int


def read_scene(
    image: str,
    settings: SceneSettings,
    *,
    frame: str | Path,
    peaks: str | Path,
    psf: str | Path,
    truth: str | Path | None = None,
) -> tuple[Frame, Scene]:
    """The crop of an image and its scene, from the study's files; `truth` of a simulated one."""
    crop = read_crop(frame, planes=False)
    true_sources = None if truth is None else truth_of(Table.read(truth), crop, settings.magnitudes)
    return crop, scene_of(
        crop, image, read_table(peaks), stamps_for(psf, crop), settings, truth=true_sources
    )


def scene_of(
    crop: Frame,
    image: str,
    peaks: pd.DataFrame,
    stamps: StarStamps,
    settings: SceneSettings,
    *,
    truth: Truth | None = None,
) -> Scene:
    """The scene of a crop: stars added where it has no reference peak, and the crop inverted.

    The name of the `image` and the seed say which stars: they are the same for every method.
    MaskError where there is no room for a star.
    """
    free = free_of_sources(crop, peaks, settings.free_fwhm)
    rng = np.random.default_rng(seed_for(settings.seed, image, 12))
    added, magnitudes = [], []
    for _ in range(settings.realisations):
        positions = draw_positions(
            free,
            settings.stars // settings.realisations,
            separation_px=settings.separation_fwhm * crop.fwhm_px,
            rng=rng,
        )
        magnitudes.append(rng.uniform(*settings.magnitudes, len(positions)))
        flux = ab_to_mjy_sr(magnitudes[-1], crop.pixel_area_sr)
        stars = inject(crop.masked, positions[:, 0], positions[:, 1], flux, stamps)
        added.append((stars, positions))
    return Scene(
        crop.masked,
        added,
        np.concatenate(magnitudes),
        inverted=inverted(
            crop.data, crop.empty, box_px=round(crop.length_px(settings.background_box))
        ),
        free=free,
        truth=truth,
        tolerance_px=crop.fwhm_px,
        area_arcmin2=area_arcmin2(crop),
    )


def stamps_for(psf_file: str | Path, crop: Frame) -> StarStamps:
    """Stars as the image's filter shows them: a header knows it where the table of images may not.

    `psf_file` as from `image.psf.write_psf`; of another filter than the crop's, it is computed.
    """
    return StarStamps(psf_for(psf_file, crop), pixel_scale_arcsec=crop.pixel_scale)


def psf_for(psf_file: str | Path, crop: Frame) -> Psf:
    """The PSF of the image's filter: that of a file, or computed where it is of another one."""
    psf = read_psf(psf_file)
    if crop.primary["FILTER"].strip().upper() != psf.filter:
        psf = make_psf(crop.primary["FILTER"])
    return psf


def free_of_sources(crop: Frame, peaks: pd.DataFrame, free_fwhm: float) -> NDArray[np.bool_]:
    """The pixels at least `free_fwhm` FWHM from reference peaks, empty pixels and the rim."""
    return free_pixels(
        crop.empty,
        peaks["x"].to_numpy(),
        peaks["y"].to_numpy(),
        distance_px=free_fwhm * crop.fwhm_px,
    )


def truth_of(table: Table, crop: Frame, magnitudes: tuple[float, float]) -> Truth:
    """The true sources of a simulated image, of a truth.ecsv, in pixels of the crop.

    The wanted ones lie on pixels that are not empty and have an AB magnitude between the two
    `magnitudes`. A source is as large as the PSF's FWHM, or as its half-light radius.
    """
    y0, x0 = crop.origin
    x, y = np.asarray(table["x"], float) - x0, np.asarray(table["y"], float) - y0
    magnitude, size = (np.asarray(table[n], float) for n in ("ab_mag", "half_light_radius"))
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    ny, nx = crop.data.shape
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    inside[inside] = ~crop.empty[row[inside], column[inside]]
    low, high = magnitudes
    return Truth(
        np.column_stack([x, y]),
        np.maximum(crop.fwhm_px, size),
        inside & (magnitude >= low) & (magnitude <= high),
    )


def inverted(
    data: NDArray[np.floating], empty: NDArray[np.bool_], *, box_px: int
) -> NDArray[np.float32]:
    """An image turned around its background: what is a spot in it is none of the sky's.

    2 B - `data` (ny, nx), B the clipped median in boxes of `box_px`; NaN in the `empty` pixels and
    in those that are not finite.
    """
    unseen = empty | ~np.isfinite(data)
    filled = np.where(unseen, 0, data)
    level = background(filled, unseen, box_px=box_px)
    return np.where(unseen, np.nan, 2 * level - filled).astype(np.float32)


### what the measures share ########################################################################


def named_masks(
    paths: Sequence[str | Path], names: Sequence[Sequence[str]]
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """For each mask file: its method, the domain of its slices ('' for none), and the mask."""
    for path, (method, domain) in zip(paths, names, strict=True):
        yield method, domain, read_mask(path)[0]


def seed_for(seed: int, image: str, number: int) -> list[int]:
    """A seed for an image and for one of the uses, by `number`, that are made of random numbers."""
    return [seed, zlib.crc32(image.encode()), number]


def area_arcmin2(crop: Frame) -> float:
    """Area of the crop's pixels that are not empty, in square arcminutes."""
    return float(np.count_nonzero(~crop.empty)) * crop.pixel_scale**2 / 3600
