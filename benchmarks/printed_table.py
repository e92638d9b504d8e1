"""What makes the paper's printed Table 3: hypotheses on SIMULATED fields, by their likelihood.

    python benchmarks/printed_table.py --seeds 101 102
    python benchmarks/printed_table.py --seeds 5001 5002 5003 --only "as configured"

A hypothesis takes one thing away from config/simulated.yaml or from the scorer, or puts another in
its place. The seven fields are simulated with each of the seeds, and the mean successes of the 49
cells are compared with the printed ones: log-likelihood (binomial, of the printed successes with
the simulated share, half a source added on either side), and the quantities of
`mirimask.simulation.checks.table3_checks`. The fields were chosen on the seeds 101 to 103 and 4001
to 4003; others are a test. Writes benchmarks/results/printed_table_<first seed>.{csv,md}.
"""

import argparse
import copy
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from measured import RESULTS, ROOT, simulated_archive

import numpy as np  # isort: skip
import pandas as pd
import yaml
from mirimask.image.frame import Frame, crop_frame
from mirimask.image.instrument import PIXEL_SCALE_ARCSEC
from mirimask.image.psf import Psf, read_psf
from mirimask.image.wcs import sky_to_pixel
from mirimask.masks.make import make_masks
from mirimask.masks.segmentation import SegmentationSettings, segment
from mirimask.simulation.catalogue import simulated_catalogue
from mirimask.simulation.checks import table3_checks
from mirimask.simulation.field import simulate
from mirimask.sources.peaks import reference_peaks
from mirimask.sources.spots import label_spots
from mirimask.sources.verdicts import peak_verdicts, smallest_spot_px
from scipy.stats import binom, spearmanr
from snakemake.utils import update_config, validate

ROWS, COLUMNS = (20, 1000), (430, 1020)
USUAL = "as configured"
# What each hypothesis changes: of a field, of the catalogue or of the scorer.
FIELDS: dict[str, dict[str, Any]] = {
    "no structure outside the crop": {"glow": False},
    "no mesh": {"mesh": None},
    "galaxies of 0.25 arcsec": {"galaxies": {"radius_arcsec": 0.25}},
}
SCORERS: dict[str, dict[str, Any]] = {
    "every spot counts, with all of its peaks": {"size": None},
    "a spot of 1 px is seen": {"size": "1 px"},
    "a spot of 9 px is seen": {"size": "3.36 px"},
    "the smallest spot has 25 px": {"size": "5.62 px"},
    "no entry without a counterpart": {"without": 0},
    "twice the entries without one": {"without": 2},
    "catalogue shifted by 0.3 arcsec": {"shift": 0.3},
    "catalogue shifted by 0.8 arcsec": {"shift": 0.8},
    "catalogue shifted by 1.5 arcsec": {"shift": 1.5},
    "segmentation: 5 px": {"segmentation": {"n_pixels": 5}},
    "segmentation: 10 px": {"segmentation": {"n_pixels": 10}},
    "segmentation: box of 100 px": {"segmentation": {"box_px": 100}},
    "segmentation: FWHM 2.45 px": {"segmentation": {"kernel_fwhm_px": 2.45}},
    "segmentation: 5 sigma": {"segmentation": {"snr": 5.0}},
}


def configuration() -> dict[str, Any]:
    config: dict[str, Any] = {}
    for name in ("config", "simulated"):
        update_config(config, yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    validate(config, str(ROOT / "workflow" / "schemas" / "config.schema.yaml"))
    return config


def changed_field(field: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A field's settings with a change of `FIELDS`."""
    new = copy.deepcopy(dict(field))
    for key, value in change.items():
        if key == "glow":
            inside = [glow for glow in new["background"]["glows"] if glow["x"] >= COLUMNS[0]]
            new["background"]["glows"] = inside
        elif isinstance(value, dict):
            new[key] |= value
        else:
            new[key] = value
    return new


def judged(
    image: str,
    seed: int,
    name: str,
    scorers: Mapping[str, Mapping[str, Any]],
    config: dict,
    psf: Psf,
    row: pd.Series,
) -> list[dict]:
    """The cells of one image under the field `name`, for each of the scorers."""
    field = changed_field(config["simulation"]["fields"][image], FIELDS.get(name, {}))
    field["seed"] = seed
    settings = dict(config["segmentation"])
    version = settings.pop("jwst_version")
    made = simulate(
        image,
        psf,
        field=field,
        detector=config["simulation"]["detector"],
        observation=row,
        segmentation=SegmentationSettings.for_jwst(version, **settings),
        jwst_version=version,
        box_deg=0.03,
    )
    mosaic = made.mosaic
    data = np.where(mosaic.wht > 0, mosaic.sci, np.float32(0))
    frame = Frame(data, mosaic.wht == 0, mosaic.err, mosaic.wht, made.primary, made.wcs)
    crop = crop_frame(frame, rows=ROWS, columns=COLUMNS, image=image)
    peaks = reference_peaks(
        crop.data,
        crop.empty,
        fwhm_px=crop.fwhm_px,
        snr=config["peaks"]["snr"],
        background_box_px=round(crop.length_px(config["peaks"]["background_box"])),
    )
    names = list(config["methods"])
    cells = []
    for scorer, change in scorers.items():
        labels = made.labels
        if "segmentation" in change:
            other = SegmentationSettings.for_jwst(version, **change["segmentation"])
            labels = segment(mosaic.sci, error=mosaic.err, weight=mosaic.wht, settings=other)
        masks = make_masks(
            crop, names, domain="published", frame=data, segmentation=crop.cut(labels)
        )
        listing = dict(field["unwise"])
        listing["without_counterpart"] *= change.get("without", 1)
        listed, _ = simulated_catalogue(
            "unwise",
            made.truth,
            made.wcs,
            settings=listing,
            box_deg=0.03,
            pixel_scale_arcsec=PIXEL_SCALE_ARCSEC,
            seed=seed,
        )
        x, y = sky_to_pixel(made.wcs, listed["RAJ2000"], listed["DEJ2000"])
        x, y = x - COLUMNS[0], y - ROWS[0]
        inside = (x >= -0.5) & (x < crop.data.shape[1] - 0.5)
        inside &= (y >= -0.5) & (y < crop.data.shape[0] - 0.5)
        x, y = x[inside] + change.get("shift", 0) / PIXEL_SCALE_ARCSEC, y[inside]
        size = smallest_spot_px(change.get("size", config["verdict"]["smallest_spot"]), crop)
        for method in names:
            spots = label_spots(masks[method].mask, peaks, min_pixels=1, tolerance_px=crop.fwhm_px)
            verdict = peak_verdicts(x, y, spots, peaks, radius_px=18, near_px=25, smallest_px=size)[
                "verdict"
            ]
            cells.append(
                {
                    "hypothesis": scorer,
                    "image": image,
                    "seed": seed,
                    "method": method,
                    "success": int((verdict == "success").sum()),
                    "near": int((verdict == "near").sum()),
                    "failure": int((verdict == "failure").sum()),
                    "needs_processing": spots.clutter(size) > config["clutter_limit"],
                }
            )
    return cells


def job(task: tuple) -> list[dict]:
    return judged(*task)


def likelihood(found: pd.DataFrame, printed: pd.DataFrame) -> float:
    """Logarithm of the probability of the printed successes, given the simulated shares."""
    both = printed.merge(found, on=["image", "method"], suffixes=("_printed", ""))
    sources = both["success_printed"] + both["near_printed"] + both["failure_printed"]
    share = (both["success"] + 0.5) / (sources + 1)
    return float(binom.logpmf(both["success_printed"], sources, share).sum())


def compared(cells: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """A row for each hypothesis: how near the mean over the seeds comes to the printed table."""
    rows = []
    for name, own in cells.groupby("hypothesis", sort=False):
        mean = own.groupby(["image", "method"], sort=False, as_index=False).mean(numeric_only=True)
        checks = {check.quantity: check for check in table3_checks(mean, printed)}
        pooled = [check for quantity, check in checks.items() if quantity.startswith("successes")]
        rows.append(
            {
                "hypothesis": name,
                "log_likelihood": likelihood(mean, printed),
                "rank_correlation": checks["rank correlation of the cells"].value,
                "cells_in_range": checks["cells within the range of the printed share"].value,
                "marks": checks["exclamation marks that agree"].value,
                **{check.quantity.removeprefix("successes of "): check.value for check in pooled},
            }
        )
    return pd.DataFrame(rows)


def chance_correlation(cells: pd.DataFrame) -> tuple[float, float, float]:
    """Rank correlation of the mean shares with one draw of them: median and 95 % range.

    What the printed cells would have, were the simulated shares the true ones: each is a count of
    13 to 43 sources (binomial, 2000 draws).
    """
    own = cells.groupby(["image", "method"], sort=False)[["success", "near", "failure"]].mean()
    sources = own.sum(axis=1).round().to_numpy(int)
    share = (own["success"] / own.sum(axis=1)).to_numpy()
    draws = np.random.default_rng(1).binomial(sources, share, (2000, share.size)) / sources
    ranks = [spearmanr(draw, share).statistic for draw in draws]
    low, median, high = np.percentile(ranks, [2.5, 50, 97.5])
    return float(median), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--only", choices=[USUAL, *SCORERS, *FIELDS], help="one hypothesis")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    config = configuration()
    published = ROOT / "config" / "published"
    observations = pd.read_csv(published / "table1.csv", dtype=str).set_index("code")
    printed = pd.read_csv(published / "table3.csv").rename(columns={"code": "image"})
    psf = read_psf(simulated_archive() / "simulation" / "psf_F770W.fits")
    scorers = {USUAL: {USUAL: {}, **SCORERS}, **{name: {name: {}} for name in FIELDS}}
    if options.only in FIELDS:
        scorers = {options.only: scorers[options.only]}
    elif options.only:
        scorers = {USUAL: {options.only: scorers[USUAL][options.only]}}
    tasks = [
        (image, seed, name, own, config, psf, observations.loc[image])
        for name, own in scorers.items()
        for seed in options.seeds
        for image in config["simulation"]["fields"]
    ]
    with ProcessPoolExecutor(options.processes) as pool:
        cells = pd.DataFrame([cell for part in pool.map(job, tasks) for cell in part])
    table = compared(cells, printed)
    stem = RESULTS / f"printed_table_{options.seeds[0]}"
    RESULTS.mkdir(parents=True, exist_ok=True)
    cells.to_csv(stem.with_suffix(".csv"), index=False)
    seeds = ", ".join(map(str, options.seeds))
    lines = [
        f"SIMULATED fields, seeds {seeds}; printed successes: "
        + ", ".join(
            f"{method} {n}"
            for method, n in printed.groupby("method", sort=False)["success"].sum().items()
        )
        + ".",
        "",
        "| " + " | ".join(column.replace("_", " ") for column in table) + " |",
        "|" + "---|" * len(table.columns),
    ]
    for row in table.itertuples(index=False):
        shown = [f"{v:.2f}" if isinstance(v, float) and abs(v) < 1 else v for v in row]
        cellsof = [f"{v:.1f}" if isinstance(v, float) else str(v) for v in shown]
        lines.append("| " + " | ".join(cellsof) + " |")
    first = cells["hypothesis"] == cells["hypothesis"].iloc[0]
    median, low, high = chance_correlation(cells[first])
    lines += [
        "",
        "Were the shares of the first row the true ones, one table of such counts would have a "
        f"rank correlation of {median:.2f} with them (95 % of the draws: {low:.2f} to {high:.2f}).",
    ]
    stem.with_suffix(".md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
