"""Sweep every family of masks over its settings on one image: evaluation/curves/<image>.csv."""

import numpy as np
import pandas as pd
from astropy.table import Table
from evaluated import area_arcmin2, seed_of, write_csv
from inject_stars import FREE_FWHM, SEPARATION_FWHM, pixel_area_sr, stamps_for
from job import script
from mirimask.curves import Truth, full_curve
from mirimask.families import LEVELS, PERCENTS, family_of
from mirimask.frame import pixels, read_crop
from mirimask.injection import ab_to_mjy_sr, draw_positions, free_pixels, inject
from mirimask.peaks import background_meshes
from mirimask.recommended import DEFAULT
from mirimask.segmentation import SegmentationSettings

# what the paper, the pipeline and this project use: points on the curves
WORKING = {
    "value": [0.3, 1.0, 4.6],
    "derivative": [0.3, 4.6, 10.0],
    "union": [4.6],
    "intersection": [4.6],
    "recommended": [DEFAULT.seed],
}
REALISATIONS = 2


def stars_added(job, crop, allowed, rng):
    """Realisations of the image with stars: list of (image, positions)."""
    stamps = stamps_for(job, crop)
    low, high = job.params.magnitudes
    made = []
    for _ in range(REALISATIONS):
        positions = draw_positions(
            allowed,
            job.params.stars // REALISATIONS,
            separation_px=SEPARATION_FWHM * crop.fwhm_px,
            rng=rng,
        )
        flux = ab_to_mjy_sr(rng.uniform(low, high, len(positions)), pixel_area_sr(crop))
        made.append(
            (inject(crop.masked, positions[:, 0], positions[:, 1], flux, stamps), positions)
        )
    return made


def truth_of(job, crop):
    """The true sources of a simulated image; those of the asked magnitudes are the wanted ones."""
    truth = Table.read(job.input.truth)
    xy = [np.asarray(truth[a], float) - crop.primary[f"CROP{a.upper()}0"] for a in "xy"]
    magnitude, size = np.asarray(truth["ab_mag"], float), np.asarray(truth["half_light_radius"])
    low, high = job.params.magnitudes
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
    background, _ = background_meshes(filled, crop.empty, box_px=box_px)
    return np.where(crop.empty, np.nan, 2 * background - filled).astype(np.float32)


def main(job):
    crop = read_crop(job.input.frame)
    options = dict(job.params.segmentation)
    segmentation = SegmentationSettings.for_jwst(options.pop("jwst_version"), **options)
    truth = truth_of(job, crop) if job.input.get("truth") else None
    peaks = pd.read_csv(job.input.peaks)
    free = free_pixels(
        crop.empty,
        peaks["x"].to_numpy(),
        peaks["y"].to_numpy(),
        distance_px=FREE_FWHM * crop.fwhm_px,
    )
    made = stars_added(job, crop, free, np.random.default_rng(seed_of(job, 12)))
    turned = inverted(crop, round(pixels(job.params.background_box, crop.pixel_scale)))
    tables = []
    for name in job.params.families:
        working = WORKING.get(name, [segmentation.snr])
        levels = LEVELS if name in ("segmentation", "recommended") else PERCENTS
        family = family_of(
            name,
            crop.empty,
            fwhm_px=crop.fwhm_px,
            segmentation=segmentation,
            settings=np.unique(np.concatenate([levels, working])),
        )
        table = full_curve(
            family,
            crop.masked,
            made,
            inverted=turned,
            free=free,
            truth=truth,
            tolerance_px=crop.fwhm_px,
            area_arcmin2=area_arcmin2(crop),
        )
        table.insert(0, "image", job.wildcards.image)
        table["working"] = table["setting"].isin(working)
        tables.append(table)
    write_csv(job.output.csv, pd.concat(tables, ignore_index=True).assign(simulated=crop.simulated))


if "snakemake" in globals():
    script(main, snakemake)
