"""Count Table 3 of one image with other settings: evaluation/sensitivity/<image>.csv."""

import logging

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.table import Table
from job import script
from mirimask.atomic import replacing
from mirimask.errors import MaskError
from mirimask.evaluation.sensitivity import CUTS, count_variants, other_radii, other_smallest
from mirimask.image.files import read_crop, read_frame
from mirimask.image.frame import pixels
from mirimask.masks.segmentation import SegmentationSettings, segment
from mirimask.sources.catalogue import locate_sources
from mirimask.sources.peaks import reference_peaks

log = logging.getLogger("mirimask.vary_settings")


def read_masks(paths, names):
    return {name: fits.getdata(path, "MASK") > 0 for name, path in zip(names, paths, strict=True)}


def kept_by_cuts(job, crop, sources):
    """For each quality cut, which sources fulfil it; cuts of columns that are missing are left."""

    def which(table):
        return list(table["id", "x", "y"].iterrows())  # an id alone may be of several

    settings = job.params.catalogue
    catalogue = Table.read(job.input.catalogue, format="ascii.ecsv")
    subsets = {}
    for cut in CUTS.get(settings["name"], ()) if job.params.cuts is None else job.params.cuts:
        try:
            found = locate_sources(
                catalogue,
                crop.wcs,
                crop.data.shape,
                id_column=settings["id"],
                ra_column=settings["ra"],
                dec_column=settings["dec"],
                keep=f"({settings['keep']}) & ({cut})" if settings["keep"] else cut,
            )
        except MaskError as error:
            log.warning("the cut '%s' is left out: %s", cut, error)
            continue
        fulfil = set(which(found))
        subsets[cut] = np.array([one in fulfil for one in which(sources)], dtype=bool)
    return subsets


def main(job):
    crop, p = read_crop(job.input.frame, planes=False), job.params
    sources = Table.read(job.input.sources, format="ascii.ecsv")
    x, y = np.asarray(sources["x"], float), np.asarray(sources["y"], float)
    scale = crop.pixel_scale
    standard = {
        "radius_px": pixels(p.radius, scale, fwhm_px=crop.fwhm_px),
        "near_px": pixels(p.near, scale, fwhm_px=crop.fwhm_px),
        "snr": p.peaks["snr"],
        "min_pixels": p.min_pixels,
        "tolerance_px": p.tolerance_fwhm * crop.fwhm_px,
    }
    variants = {
        "radius_px": {
            size: pixels(size, scale, fwhm_px=crop.fwhm_px)
            for size in (other_radii(p.radius) if p.radii is None else p.radii)
        },
        "snr": {f"{snr:g}": snr for snr in p.snrs},
        "min_pixels": other_smallest(crop.fwhm_px)
        if p.smallest is None
        else {f"{n}": n for n in p.smallest},
    }
    peaks = reference_peaks(
        crop.data,
        crop.empty,
        fwhm_px=crop.fwhm_px,
        snr=min(p.peaks["snr"], *p.snrs),
        background_box_px=round(pixels(p.peaks["background_box"], scale, fwhm_px=crop.fwhm_px)),
    )
    subsets = kept_by_cuts(job, crop, sources)
    masks = read_masks(job.input.masks, p.methods)
    tables = [
        count_variants(masks, peaks, x, y, standard=standard, variants=variants, subsets=subsets)
    ]
    nothing = {"standard": standard, "variants": {key: {} for key in variants}, "subsets": {}}

    def only_judged(masks, setting, value):
        table = count_variants(masks, peaks, x, y, **nothing)
        tables.append(
            table[table["setting"] == "as configured"].assign(setting=setting, value=value)
        )

    if job.input.get("other_masks"):
        only_judged(read_masks(job.input.other_masks, p.methods), "slice domain", p.other_domain)
    frame = read_frame(job.input.i2d)
    data = frame.data
    data[frame.empty] = np.nan
    if frame.error is not None:
        data[np.isnan(frame.error)] = np.nan
    del frame  # its planes say nothing that is not in the data now
    y0, x0 = crop.origin
    ny, nx = crop.data.shape
    for other in p.segmentations if "segmentation" in masks else ():
        version = other.get("jwst_version", p.segmentation["jwst_version"])
        rest = {key: value for key, value in other.items() if key != "jwst_version"}
        settings = SegmentationSettings.for_jwst(version, **rest)
        mask = segment(data, settings=settings)[y0 : y0 + ny, x0 : x0 + nx] > 0
        name = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in other.items())
        only_judged(masks | {"segmentation": mask}, "segmentation", name)
    with replacing(job.output.csv) as temporary:
        pd.concat(tables).assign(image=job.wildcards.image).to_csv(temporary, index=False)


if "snakemake" in globals():
    script(main, snakemake)
