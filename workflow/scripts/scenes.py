"""An image made ready for judging masks on: stars added, the image inverted, the truth about it."""

import numpy as np
from astropy.table import Table
from evaluated import area_arcmin2, seed_for
from inject_stars import stamps_for
from mirimask.evaluation.curves import Scene, Truth
from mirimask.evaluation.recovery import ab_to_mjy_sr, draw_positions, free_pixels, inject
from mirimask.image.background import background
from mirimask.image.frame import pixels
from mirimask.table_files import read_table


def scene_of(crop, image, files, params):
    """The scene of a crop and the magnitudes of its added stars.

    `files` has peaks, psf and, of a simulated image, truth; `params` magnitudes, stars, free_fwhm,
    separation_fwhm, realisations, background_box and seed of the evaluation.
    """
    peaks = read_table(files.peaks)
    free = free_pixels(
        crop.empty,
        peaks["x"].to_numpy(),
        peaks["y"].to_numpy(),
        distance_px=params.free_fwhm * crop.fwhm_px,
    )
    stamps, (low, high) = stamps_for(files.psf, crop), params.magnitudes
    rng = np.random.default_rng(seed_for(params.seed, image, 12))
    image_data, added, magnitudes = crop.masked, [], []
    for _ in range(params.realisations):
        positions = draw_positions(
            free,
            params.stars // params.realisations,
            separation_px=params.separation_fwhm * crop.fwhm_px,
            rng=rng,
        )
        magnitudes.append(rng.uniform(low, high, len(positions)))
        flux = ab_to_mjy_sr(magnitudes[-1], crop.pixel_area_sr)
        stars = inject(image_data, positions[:, 0], positions[:, 1], flux, stamps)
        added.append((stars, positions))
    scene = Scene(
        image_data,
        added,
        inverted=inverted(
            crop, round(pixels(params.background_box, crop.pixel_scale, fwhm_px=crop.fwhm_px))
        ),
        free=free,
        truth=truth_of(files.truth, crop, params.magnitudes) if files.get("truth") else None,
        tolerance_px=crop.fwhm_px,
        area_arcmin2=area_arcmin2(crop),
    )
    return scene, np.concatenate(magnitudes)


def truth_of(path, crop, magnitudes):
    """The true sources of a simulated image; those of the asked magnitudes are the wanted ones."""
    truth = Table.read(path)
    xy = [np.asarray(truth["xy"[i]], float) - crop.origin[1 - i] for i in (0, 1)]
    magnitude, size = np.asarray(truth["ab_mag"], float), np.asarray(truth["half_light_radius"])
    low, high = magnitudes
    column, row = (np.rint(axis).astype(int) for axis in xy)
    ny, nx = crop.data.shape
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    inside[inside] = ~crop.empty[row[inside], column[inside]]
    return Truth(
        np.column_stack(xy),
        np.maximum(crop.fwhm_px, np.asarray(size, float)),
        inside & (magnitude >= low) & (magnitude <= high),
    )


def inverted(crop, box_px):
    """The image turned around its background: what is a spot in it is none of the sky's."""
    filled = np.where(crop.empty, 0, crop.data)
    level = background(filled, crop.empty, box_px=box_px)
    return np.where(crop.empty, np.nan, 2 * level - filled).astype(np.float32)
