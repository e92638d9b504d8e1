"""Set false spots by blank images beside those by truth, over all simulated fields of studies.

    python benchmarks/false_rates.py results/simulated results/fresh results/stress

Of each image with a truth, the masks of Table 3, the combinations, the recommended one, its cores
and some of the other tools (those that are installed) are made, at their published levels, and of
its blank image, the one that the rule `false_detections` has. Prints the table of all fields
together, and writes it to results/false_rates.md; results/false_rates.csv has each study too.
"""

import argparse
import sys
import warnings
from pathlib import Path

from measured import RESULTS, ROOT

import numpy as np  # isort: skip
import pandas as pd  # isort: skip
import yaml  # isort: skip
from astropy.table import Table  # isort: skip
from mirimask.atomic import replacing, write_text  # isort: skip
from mirimask.evaluation.reliability import (  # isort: skip
    blank_crops,
    compare_rates,
    reliability_rows,
)
from mirimask.evaluation.scene import false_spots, real_sources, seed_for, stamps_for  # isort: skip
from mirimask.image.files import read_crop, read_frame  # isort: skip
from mirimask.masks.make import make_masks  # isort: skip
from mirimask.masks.registry import missing, published_options  # isort: skip
from mirimask.masks.segmentation import SegmentationSettings  # isort: skip
from mirimask.report.takeaway import false_rates_page  # isort: skip

TOOLS = ["sep", "sextractor", "dao_star_finder", "matched_filter"]


def rows_of(
    study: Path, image: str, names: list[str], config: dict
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of `reliability_row` and what is needed of `purity_row`, one for each mask."""
    settings, spots = config["evaluation"], config["spots"]
    archive = study / "archive" / image
    crop = read_crop(study / "frame" / f"{image}.fits")
    pipeline = dict(config["segmentation"])
    blank = blank_crops(
        read_frame(archive / "i2d.fits"),
        crop,
        stamps_for(study / "simulation" / "psf_F770W.fits", crop, bright=True),
        number=settings["blank_images"],
        settings=SegmentationSettings.for_jwst(pipeline.pop("jwst_version"), **pipeline),
        rng=np.random.default_rng(seed_for(settings["seed"], image, 14)),
    )
    made = make_masks(crop, names, segmentation=archive / "segm.fits")
    masks = [(name, "", made[name].mask) for name in names]
    reliability = reliability_rows(blank, masks, options=published_options(), **spots)
    truth = Table.read(archive / "truth.ecsv", format="ascii.ecsv").to_pandas()
    true = real_sources(truth, crop, settings["real_snr"])
    tolerance_px = spots["tolerance_fwhm"] * crop.fwhm_px
    false = [
        false_spots(mask, true, tolerance_px=tolerance_px, min_pixels=spots["min_pixels"])
        for _, _, mask in masks
    ]
    purity = reliability[["method", "domain", "n_spots"]].assign(
        n_true_spots=reliability["n_spots"] - false
    )
    where = f"{study.name} {image}"
    return reliability.assign(image=where), purity.assign(image=where)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("studies", type=Path, nargs="+")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    tools = [name for name in TOOLS if not missing(name, published_options())]
    for name in set(TOOLS) - set(tools):
        print(f"{name} is not installed and left out.", file=sys.stderr)
    names = list(
        dict.fromkeys([*config["methods"], *config["evaluation"]["methods"], "recommended", *tools])
    )
    both, parts = [], []
    for study in options.studies:
        images = sorted(path.parent.name for path in study.glob("archive/*/truth.ecsv"))
        own = [rows_of(study, image, names, config) for image in images]
        both += own
        rates = compare_rates(*map(pd.concat, zip(*own, strict=True)))
        parts.append(rates.assign(fields=study.name, n_fields=len(own)))
        print(f"{study.name}: {len(own)} fields", file=sys.stderr, flush=True)
    pooled = compare_rates(*map(pd.concat, zip(*both, strict=True)))
    table = pd.concat([pooled.assign(fields="all", n_fields=len(both)), *parts])
    with replacing(RESULTS / "false_rates.csv") as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
    page = false_rates_page(pooled)
    write_text(RESULTS / "false_rates.md", page)
    print(page)


if __name__ == "__main__":
    main()
