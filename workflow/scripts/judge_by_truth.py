"""Every mask of a simulated image against its truth: completeness, purity and verdicts."""

from dataclasses import replace

import numpy as np
import pandas as pd
from astropy.table import Table
from evaluated import area_arcmin2, labelled, named_masks, seed_of, write_csv
from job import script
from mirimask.evaluation.agreement import truth_verdicts
from mirimask.evaluation.completeness import (
    completeness_rows,
    expected_snr,
    purity_row,
    truth_in_crop,
)
from mirimask.image.files import read_crop
from mirimask.image.frame import pixels
from mirimask.table_files import read_table


def true_sources(path, crop):
    """The truth on the crop, with the signal-to-noise ratio each source should have."""
    table = Table.read(path, format="ascii.ecsv").to_pandas()
    truth = truth_in_crop(table, crop.empty, x0=crop.origin[1], y0=crop.origin[0])
    noise = crop.error[truth["row"].to_numpy(), truth["column"].to_numpy()]
    truth["expected_snr"] = expected_snr(
        truth["flux"].to_numpy(float),
        truth["half_light_radius"].to_numpy(float),
        noise,
        fwhm_px=crop.fwhm_px,
        pixel_area_sr=crop.pixel_area_sr,
    )
    return truth


def main(job):
    crop = read_crop(job.input.frame)
    peaks = read_table(job.input.peaks)
    truth = true_sources(job.input.truth, crop)
    crop = replace(crop, error=None, weight=None)  # of no use to what follows
    seen = truth[truth["expected_snr"] >= job.params.seen_snr].reset_index(drop=True)
    real = truth[truth["expected_snr"] >= job.params.real_snr].reset_index(drop=True)
    tolerance_px = job.params.tolerance_fwhm * crop.fwhm_px
    circle = {
        "radius_px": pixels(job.params.radius, crop.pixel_scale, fwhm_px=crop.fwhm_px),
        "near_px": pixels(job.params.near, crop.pixel_scale, fwhm_px=crop.fwhm_px),
    }
    low, high, step = job.params.magnitudes
    edges = np.arange(low, high + step / 2, step)
    completeness, purity, judged = [], [], []
    masks = named_masks(job.input.masks, job.params.masks)
    for path, (method, domain, mask) in zip(job.input.verdicts, masks, strict=True):
        keys = {"image": job.wildcards.image, "method": method, "domain": domain}
        spots = labelled(mask, peaks, job, crop)
        rows = completeness_rows(
            spots,
            truth,
            crop.empty,
            edges=edges,
            tolerance_px=tolerance_px,
            positions=job.params.positions,
            seed=seed_of(job, 2),
        )
        completeness.append(rows.assign(**keys)[[*keys, *rows.columns]])
        row = purity_row(
            spots,
            real,
            crop.empty,
            tolerance_px=tolerance_px,
            area_arcmin2=area_arcmin2(crop),
            seed=seed_of(job, 3),
        )
        purity.append(keys | row)
        given = read_table(path)
        true = truth_verdicts(
            given["x"].to_numpy(float),
            given["y"].to_numpy(float),
            seen,
            spots.labels,
            tolerance_px=tolerance_px,
            **circle,
        )
        given = given[["id", "x", "y", "verdict", "distance_px", "peak_snr"]]
        judged.append(pd.concat([given, true], axis=1).assign(**keys))
    write_csv(job.output.completeness, pd.concat(completeness, ignore_index=True))
    write_csv(job.output.purity, pd.DataFrame(purity))
    table = pd.concat(judged, ignore_index=True)
    write_csv(job.output.verdicts, table[["image", "method", "domain", *table.columns[:-3]]])


if "snakemake" in globals():
    script(main, snakemake)
