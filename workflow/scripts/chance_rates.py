"""Chance success of every mask of an image: evaluation/chance/<image>.csv."""

import pandas as pd
from astropy.table import Table
from evaluated import labelled, named_masks, or_why_not, seed_of, write_csv
from job import script
from mirimask.evaluation.chance import chance_row, random_positions, shifted_catalogue
from mirimask.image.files import read_crop
from mirimask.image.frame import pixels
from mirimask.sources.spots import nearest_distance
from mirimask.sources.verdicts import literal_verdicts, verdict_of
from mirimask.table_files import read_table


@or_why_not
def main(job):
    crop = read_crop(job.input.frame, planes=False)
    peaks = read_table(job.input.peaks)
    sources = Table.read(job.input.sources, format="ascii.ecsv").to_pandas()
    radius_px = pixels(job.params.radius, crop.pixel_scale, fwhm_px=crop.fwhm_px)
    near_px = pixels(job.params.near, crop.pixel_scale, fwhm_px=crop.fwhm_px)
    circle = {"radius_px": radius_px, "near_px": near_px}
    n = job.params.positions
    tried = {
        "random": random_positions(crop.empty, n, seed=seed_of(job, 0)),
        "shifted": shifted_catalogue(
            sources["x"].to_numpy(float),
            sources["y"].to_numpy(float),
            crop.empty,
            n=n,
            smallest_px=radius_px + near_px,
            seed=seed_of(job, 1),
        ),
    }
    rows = []
    masks = named_masks(job.input.masks, job.params.masks)
    for verdicts, (method, domain, mask) in zip(job.input.verdicts, masks, strict=True):
        given = read_table(verdicts)
        marked = peaks[labelled(mask, peaks, job, crop).peak_labels > 0]
        for name, at in tried.items():
            distance = nearest_distance(at.x, at.y, marked["x"], marked["y"])
            scored = {
                "peaks": (verdict_of(distance, **circle), given["verdict"]),
                "pixels": (literal_verdicts(at.x, at.y, mask, **circle), given["verdict_pixels"]),
            }
            for scorer, (by_chance, of_sources) in scored.items():
                row = chance_row(by_chance, at.group, of_sources.to_numpy(str))
                keys = {"method": method, "domain": domain, "scorer": scorer, "positions": name}
                rows.append({"image": job.wildcards.image, **keys, **row})
    write_csv(job.output.csv, pd.DataFrame(rows))


if "snakemake" in globals():
    script(main, snakemake)
