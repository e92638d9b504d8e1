"""Count Table 3 of one image with other settings: evaluation/sensitivity/<image>.csv."""

import numpy as np
import pandas as pd
from astropy.table import Table
from job import script
from mirimask.evaluation.sensitivity import (
    count_masks,
    count_variants,
    kept_by_cuts,
    other_segmentations,
    tried_settings,
)
from mirimask.image.frame import read_crop, read_frame, read_mask
from mirimask.sources.peaks import reference_peaks
from mirimask.table_files import write_csv


def read_masks(paths, names):
    return {name: read_mask(path)[0] for name, path in zip(names, paths, strict=True)}


def main(job):
    crop, p = read_crop(job.input.frame, planes=False), job.params
    sources = Table.read(job.input.sources, format="ascii.ecsv")
    catalogue = Table.read(job.input.catalogue, format="ascii.ecsv")
    masks = read_masks(job.input.masks, p.methods)
    own = {"radius": p.radius, "near": p.near, "snr": p.peaks["snr"]}
    spots = {"min_pixels": p.min_pixels, "tolerance_fwhm": p.tolerance_fwhm}
    standard, variants = tried_settings(
        crop, **own, **spots, radii=p.radii, snrs=p.snrs, smallest=p.smallest
    )
    peaks = reference_peaks(
        crop.data,
        crop.empty,
        fwhm_px=crop.fwhm_px,
        snr=min(p.peaks["snr"], *p.snrs),
        background_box_px=round(crop.length_px(p.peaks["background_box"])),
    )
    at = peaks, np.asarray(sources["x"], float), np.asarray(sources["y"], float)
    subsets = kept_by_cuts(crop, sources, catalogue, settings=p.catalogue, cuts=p.cuts)
    tables = [count_variants(masks, *at, standard=standard, variants=variants, subsets=subsets)]
    others = []
    if job.input.get("other_masks"):
        changed = read_masks(job.input.other_masks, p.methods)
        others.append(("slice domain", p.other_domain, changed))
    if "segmentation" in masks:
        frame = read_frame(job.input.i2d)
        made = other_segmentations(frame, crop, p.segmentations, settings=p.segmentation)
        others += [("segmentation", n, masks | {"segmentation": one}) for n, one in made.items()]
    for setting, value, changed in others:
        tables.append(count_masks(changed, *at, standard=standard, setting=setting, value=value))
    write_csv(job.output.csv, pd.concat(tables).assign(image=job.wildcards.image))


if "snakemake" in globals():
    script(main, snakemake)
