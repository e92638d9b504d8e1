"""Take a simulated field in wide dithers and mask its exposures' mean with every mask:
evaluation/super_background/<image>.csv.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from job import method_options, script
from mirimask.errors import MaskError
from mirimask.image.files import read_crop
from mirimask.image.instrument import PIXEL_SCALE_ARCSEC
from mirimask.image.psf import read_psf
from mirimask.masks.make import make_masks
from mirimask.simulation.exposures import observe
from mirimask.simulation.field import PIXAR_SR
from mirimask.simulation.sky import Diffuse, draw_sources
from mirimask.simulation.super_background import super_background_errors, widely_dithered
from mirimask.table_files import write_csv


def main(job):
    crop, p, psf = read_crop(job.input.frame, planes=False), job.params, read_psf(job.input.psf)
    field, seed = widely_dithered(p.field), int(p.field["seed"])
    exposures = []
    try:
        mosaic = observe(
            Diffuse(field["background"], field["nebula"], seed),
            draw_sources(field, seed, PIXEL_SCALE_ARCSEC, filter_name=psf.filter),
            psf,
            field=field,
            detector=p.detector,
            exposure_s=float(p.observation["effective_exposure_s"]),
            pixar_sr=PIXAR_SR,
            seed=seed,
            keep=exposures.append,
        )
    except MaskError as error:  # the wide dithers reach further than the field's own
        raise MaskError(f"simulation.fields.{job.wildcards.image}: {error}") from None
    sci, wht, err = (crop.cut(plane) for plane in (mosaic.sci, mosaic.wht, mosaic.err))
    seen = replace(crop, data=np.nan_to_num(sci), empty=wht == 0, error=err, weight=wht)
    made = make_masks(seen, [name for name, _ in p.masks], options=method_options(p))
    nothing = ("none", "", np.zeros(crop.data.shape, bool))
    masks = [nothing, *((name, domain, made[name].mask) for name, domain in p.masks)]
    rows = [
        {"image": job.wildcards.image, "method": name, "domain": domain}
        | super_background_errors(exposures, mask, origin=crop.origin)
        for name, domain, mask in masks
    ]
    write_csv(job.output.csv, pd.DataFrame(rows).assign(simulated=True))


if "snakemake" in globals():
    script(main, snakemake)
