"""An image made ready for judging masks on: stars added, its blank images, the truth about it."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import Table
from numpy.typing import NDArray

from mirimask.evaluation.blank import Blank, blank_images
from mirimask.evaluation.stars import StarStamps, ab_to_mjy_sr, draw_positions, free_pixels, inject
from mirimask.image.files import read_crop, read_mask
from mirimask.image.frame import Frame
from mirimask.image.psf import Psf, make_psf, read_psf
from mirimask.sources.spots import spot_labels, spots_around
from mirimask.table_files import read_ecsv, read_table
from mirimask.units import microjansky_per_pixel

__all__ = [
    "FILTER_EFFICIENCY",
    "Scene",
    "SceneSettings",
    "Truth",
    "area_arcmin2",
    "expected_snr",
    "false_spots",
    "free_of_sources",
    "named_masks",
    "psf_for",
    "read_scene",
    "real_sources",
    "scene_of",
    "seed_for",
    "stamps_for",
    "truth_of",
]

_REACH_PX = 100  # of a bright star's image; within the 24 arcsec that the PSF is computed on


@dataclass(frozen=True)
class Truth:
    """Real sources: positions (n, 2: x, y in pixels), matching radius (n) in pixels.

    `wanted` (n, bool) marks those whose completeness is asked for, `real` (m, 2) are the positions
    of those that make a spot no false one (`real_sources`).
    """

    positions: NDArray[np.float64]
    radius_px: NDArray[np.float64]
    wanted: NDArray[np.bool_]
    real: NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """An image to judge masks on, with everything that is needed for it.

    `image` is (ny, nx; NaN where empty), `added` are images with stars added and their positions
    (n, 2: x, y), `magnitudes` those of all added stars, in the order of `added`. `blank` are the
    blank images, `truth` the real sources where they are known. A star is found where a spot's
    brightest pixel lies within `tolerance_px` of it; a spot is false where no source lies on it or
    that near to it.
    """

    image: NDArray[np.floating]
    added: list[tuple[NDArray[np.floating], NDArray[np.float64]]]
    magnitudes: NDArray[np.float64]
    blank: Blank
    truth: Truth | None
    tolerance_px: float
    area_arcmin2: float


@dataclass(frozen=True)
class SceneSettings:
    """How images are made ready, as a configuration says it under `evaluation`.

    `stars` in all, of AB magnitudes between the two `magnitudes`, in `realisations` images of them,
    `separation_fwhm` FWHM of the PSF apart and `free_fwhm` from every source. False spots are those
    of `blank_images` blank images and, where the truth is known, those on no true source of an
    expected signal-to-noise ratio of `real_snr`.
    """

    magnitudes: tuple[float, float]
    stars: int
    realisations: int
    separation_fwhm: float
    free_fwhm: float
    blank_images: int
    real_snr: float
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
    crop = read_crop(frame, planes=truth is not None)
    known = None
    if truth is not None:
        known = truth_of(read_ecsv(truth), crop, settings.magnitudes, real_snr=settings.real_snr)
    return crop, scene_of(crop, image, read_table(peaks), psf, settings, truth=known)


def scene_of(
    crop: Frame,
    image: str,
    peaks: pd.DataFrame,
    psf: str | Path,
    settings: SceneSettings,
    *,
    truth: Truth | None = None,
) -> Scene:
    """The scene of a crop: stars added where it has no reference peak, and its blank images.

    `psf` as in `stamps_for`. The name of the `image` and the seed say which stars and which noise:
    they are the same for every method. MaskError where there is no room for a star.
    """
    stamps = stamps_for(psf, crop)
    free = free_of_sources(crop, peaks, settings.free_fwhm)
    rng = np.random.default_rng(seed_for(settings.seed, image, 12))
    added, magnitudes = [], []
    for number in range(settings.realisations):
        positions = draw_positions(
            free,
            (settings.stars + number) // settings.realisations,  # all stars, where it is no divisor
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
        blank=blank_images(
            crop.data,
            crop.empty,
            fwhm_px=crop.fwhm_px,
            stamps=stamps_for(psf, crop, bright=True),
            number=settings.blank_images,
            rng=np.random.default_rng(seed_for(settings.seed, image, 13)),
        ),
        truth=truth,
        tolerance_px=crop.fwhm_px,
        area_arcmin2=area_arcmin2(crop),
    )


def stamps_for(psf_file: str | Path, crop: Frame, *, bright: bool = False) -> StarStamps:
    """Stars as the image's filter shows them: a header knows it where the table of images may not.

    `psf_file` as from `image.psf.write_psf`; of another filter than the crop's, it is computed.
    With `bright`, as far out as a bright star can be seen, 100 px to each side.
    """
    half = _REACH_PX if bright else None
    return StarStamps(psf_for(psf_file, crop), pixel_scale_arcsec=crop.pixel_scale, half=half)


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


def truth_of(
    table: Table, crop: Frame, magnitudes: tuple[float, float], *, real_snr: float
) -> Truth:
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
        real_sources(table.to_pandas(), crop, real_snr),
    )


### what is false ##################################################################################

# What a Gaussian matched filter makes of flux over noise: the noise of neighbouring pixels of a
# resampled image is correlated (0.4 between neighbours: a factor of 1.7), and the error image does
# not know; and a fifth to a quarter of a star's light lies outside the core of its image. Median of
# the ratio of measured to uncorrelated for the stars of a simulated field without a nebula.
FILTER_EFFICIENCY = 0.45


def expected_snr(
    flux: NDArray[np.floating],
    half_light_px: NDArray[np.floating],
    noise: NDArray[np.floating],
    *,
    fwhm_px: float,
    pixel_area_sr: float,
) -> NDArray[np.float64]:
    """Signal-to-noise ratio with which a true source would be detected, from truth alone.

    Flux over the noise of the matched filter, `FILTER_EFFICIENCY` F sqrt(sum P^2) / s, with P the
    image of the source, taken as a Gaussian: sum P^2 = 1 / (4 pi sigma^2), sigma^2 = the PSF's plus
    (half-light radius / 1.1774)^2. `flux` in microjansky, `half_light_px` in pixels (0 for a star),
    `noise` s in MJy/sr a pixel (the error image at the source: photon noise of the source and of
    its neighbours included). Noise of 0 or NaN gives 0.
    """
    sigma2 = (fwhm_px**2) / (8 * np.log(2)) + (np.nan_to_num(half_light_px) / 1.17741) ** 2
    surface = flux / microjansky_per_pixel(pixel_area_sr)  # in one pixel, MJy/sr
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = FILTER_EFFICIENCY * surface / (noise * np.sqrt(4 * np.pi * sigma2))
    return np.where(np.isfinite(ratio), ratio, 0.0)


def real_sources(truth: pd.DataFrame, crop: Frame, real_snr: float) -> NDArray[np.float64]:
    """The true sources that make a spot real, (n, 2: x, y) in pixels of the crop.

    Those of a truth.ecsv with an `expected_snr` of at least `real_snr`, also beyond the rim and on
    empty pixels: their light reaches into the image. There the noise is the crop's median.
    ValueError for a crop that was read without its error image.
    """
    if crop.error is None:
        raise ValueError("the crop was read without its error image")
    x, y = (truth[n].to_numpy(float) - at for n, at in zip("xy", crop.origin[::-1], strict=True))
    ny, nx = crop.data.shape
    rows, columns = np.rint(y).astype(int).clip(0, ny - 1), np.rint(x).astype(int).clip(0, nx - 1)
    noise = np.where(crop.empty, np.nan, crop.error)
    own = noise[rows, columns]
    outside = (np.rint(x) != columns) | (np.rint(y) != rows) | ~np.isfinite(own)
    usual = np.nanmedian(noise) if np.isfinite(noise).any() else np.nan
    ratio = expected_snr(
        truth["flux"].to_numpy(float),
        truth["half_light_radius"].to_numpy(float),
        np.where(outside, usual, own),
        fwhm_px=crop.fwhm_px,
        pixel_area_sr=crop.pixel_area_sr,
    )
    return np.column_stack([x, y])[ratio >= real_snr]


def false_spots(
    mask: NDArray[np.generic],
    sources: NDArray[np.floating],
    *,
    tolerance_px: float,
    min_pixels: int = 1,
) -> int:
    """Number of spots that no source lies on or within `tolerance_px` of: the false ones.

    `mask` (ny, nx) is bool, its spots 8-connected, or has labels, each a spot; those of fewer than
    `min_pixels` are none. `sources` (n, 2: x, y) may lie beyond the rim.
    """
    labels = spot_labels(mask)
    kept = np.bincount(labels[labels > 0], minlength=1) >= max(min_pixels, 1)
    kept[0] = False
    rim = int(tolerance_px) + 1
    at = np.rint(np.asarray(sources, float)).astype(int) + rim
    wide = np.pad(labels, rim)
    inside = ((at >= 0) & (at < wide.shape[::-1])).all(axis=1)
    x, y = at[inside].T
    kept[spots_around(wide, x, y, tolerance_px)] = False
    return int(kept.sum())


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
