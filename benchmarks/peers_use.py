"""Set the recommended mask beside other tools' at equal area: what is left in the sky.

    python benchmarks/peers_use.py results/fresh results/fresh_b

Each tool's level is searched until its mask has the area of the recommended one, in every simulated
image of the studies; what both leave there is compared image by image. The interval of the mean
difference is of 5000 bootstrap draws of the images. Prints the table of docs/recommended.md and
writes results/peers_use.csv with a row an image and tool; rows that are there are kept (delete the
file to begin anew). Tools that are not installed are left out, which is said.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from measured import RESULTS

import numpy as np  # isort: skip
import pandas as pd  # isort: skip
from photutils.segmentation import SegmentationImage  # isort: skip
from mirimask.atomic import replacing  # isort: skip
from mirimask.evaluation.background import ideal_mask, sky_left, true_sky  # isort: skip
from mirimask.image.files import read_crop  # isort: skip
from mirimask.image.product import opened  # isort: skip
from mirimask.masks.make import family_at, make_mask  # isort: skip
from mirimask.masks.registry import missing  # isort: skip

# Settings of the tools for large sources: the meshes of their defaults (those of the comparison
# of detections are finer), and no deblending, which changes no mask. `widened`: by so many pixels
# to each side, as photutils' make_source_mask does.
TOOLS = {
    "sep": ("sep", {"box_px": 64}, 0),
    "SExtractor": ("sextractor", {"box_px": 64}, 0),
    "NoiseChisel": (
        "noisechisel",
        {"detect": {"interpnumngb": 4, "meanmedqdiff": 0.05, "outliersigma": 10}},
        0,
    ),  # by how far its detections grow; its signal-to-noise ratio, 7, would drop whole sources
    "photutils SourceFinder": ("source_finder", {"box_px": 50, "contrast": 1}, 0),
    "SourceFinder, widened by 5 px": ("source_finder", {"box_px": 50, "contrast": 1}, 5),
    "jwst 3.0.0's detection": ("pipeline_3.0.0", {"jwst_version": "3.0.0", "deblend": False}, 0),
}
LEVELS = (0.2, 400.0)
STEPS, CLOSE = 12, 0.01  # of the search; as a share of the area
DRAWS = 5000

Masker = Callable[[float], np.ndarray]


def masker(crop, name: str, settings: dict, widened: int) -> Masker:
    """A tool's mask of an image by its level."""

    def family_of(settings: dict):
        options = {name: {"level": 3, "levels": [1, 9, 2], "settings": settings}}
        return family_at(name, crop.empty, [1.0], fwhm_px=crop.fwhm_px, options=options)

    family = family_of(settings)
    scores = family.scores(crop.masked)

    def at(level: float) -> np.ndarray:
        if name == "noisechisel":
            grown = {**settings["detect"], "detgrowquant": round(level / (1 + level), 5)}
            found = family_of({**settings, "detect": grown}).cut(scores, np.array([7.0]))
        else:
            found = family.cut(scores, np.array([level]))
        mask = np.asarray(found) > 0
        if widened and mask.any():
            labels = SegmentationImage(mask.astype(np.int32))
            mask = labels.make_source_mask(size=2 * widened + 1)
        return mask & ~crop.empty

    return at


def of_area(mask_at: Masker, pixels: int) -> tuple[np.ndarray, float]:
    """The mask nearest to an area among those of a bisection in the level, and its level."""
    low, high = np.log(LEVELS)
    best, best_level = np.zeros(0), np.nan
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        mask = mask_at(float(np.exp(middle)))
        if not best.size or abs(mask.sum() - pixels) < abs(best.sum() - pixels):
            best, best_level = mask, float(np.exp(middle))
        if abs(best.sum() - pixels) <= CLOSE * pixels:
            break
        low, high = (middle, high) if mask.sum() > pixels else (low, middle)
    return best, best_level


def rows_of(study: Path, image: str, tools: dict, known: set[str]) -> Iterator[dict]:
    """What every tool leaves in the sky of an image, at the area of the recommended mask.

    Tools that are `known` are left out.
    """
    crop = read_crop(study / "frame" / f"{image}.fits", planes=False)
    with opened(study / "archive" / image / "truth.fits") as hdus:
        light, sky = (crop.cut(hdus[name].data) for name in ("LIGHT", "SKY"))
    true = true_sky(crop.data, light, sky, crop.empty)
    own = make_mask(crop, "recommended") & true.observed
    pixels = int(own.sum())
    masks = {"recommended": (own, np.nan), "ideal": (ideal_mask(true, pixels), np.nan)}
    for label, (name, settings, widened) in tools.items():
        if label not in known:
            masks[label] = of_area(masker(crop, name, settings, widened), pixels)
    for label, (mask, level) in masks.items():
        if label in known:
            continue
        left = true.observed & ~mask
        yield {
            "study": study.name,
            "image": image,
            "tool": label,
            "level": level,
            "area": mask.sum() / true.observed.sum(),
            "wanted": pixels / true.observed.sum(),
            "light_mean": float(true.light[left].mean(dtype=float)),
            **sky_left(true, mask),
        }


def compared(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Each tool's mean, and the mean of its differences from the recommended mask's."""
    wide = table.pivot_table(index=["study", "image"], columns="tool", values=measure, sort=False)
    rng, found = np.random.default_rng(1), []
    for tool in wide.columns:
        difference = (wide[tool] - wide["recommended"]).dropna().to_numpy()
        drawn = difference[rng.integers(0, difference.size, (DRAWS, difference.size))].mean(axis=1)
        low, high = np.percentile(drawn, [2.5, 97.5])
        found.append(
            {
                "tool": tool,
                "mean": wide[tool].mean(),
                "more": difference.mean(),
                "low": low,
                "high": high,
                "ahead": int((difference > 0).sum()),
                "images": difference.size,
            }
        )
    return pd.DataFrame(found).set_index("tool")


def cells(row: pd.Series) -> str:
    if row.name == "recommended":
        return f"{row['mean']:.3f} | |"
    return f"{row['mean']:.3f} | {row['more']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}] |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("studies", type=Path, nargs="+")
    parser.add_argument("--without", nargs="*", default=[], metavar="IMAGE")
    options = parser.parse_args()
    here = {
        label: tool
        for label, tool in TOOLS.items()
        if not missing(tool[0], {tool[0]: {"settings": tool[1]}})
    }
    for label in TOOLS.keys() - here.keys():
        print(f"{label} is not installed and left out.")
    warnings.simplefilter("ignore")
    path = RESULTS / "peers_use.csv"
    kept = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["study", "image", "tool"])
    for study in options.studies:
        for frame in sorted((study / "frame").glob("*.fits")):
            if frame.stem not in options.without:
                own = kept[(kept["study"] == study.name) & (kept["image"] == frame.stem)]
                rows = pd.DataFrame(rows_of(study, frame.stem, here, set(own["tool"])))
                kept = pd.concat([kept, rows], ignore_index=True) if len(kept) else rows
                with replacing(path) as temporary:
                    kept.to_csv(temporary, index=False, float_format="%.6g")
                print(f"{study.name} {frame.stem}", flush=True)
    kept = kept[kept["study"].isin([study.name for study in options.studies])]
    show(kept[~kept["image"].isin(options.without)])


def show(table: pd.DataFrame) -> None:
    """The table in Markdown, and the images in which a tool leaves less."""
    # below the true sky is as wrong as above: faint noise that a low level has left
    table = table.assign(sky_off=table["sky_mean"].abs())
    measures = ("light_mean", "sky_off", "sky_mean", "sky_worst")
    light, off, sky, worst = (compared(table, measure) for measure in measures)
    area = table.groupby("tool")["area"].mean()
    print(
        "\n| mask | area, % | sources' light left, sigma | more than the recommended "
        "| sky off the true one | more | mean sky left | more | worst box | more "
        "| fields in which it leaves less light |\n|" + "---|" * 11
    )
    for tool in light["mean"].sort_values().index:
        own = table[table["tool"] == tool].set_index(["study", "image"])["light_mean"]
        base = table[table["tool"] == "recommended"].set_index(["study", "image"])["light_mean"]
        better = own.index[(own < base.loc[own.index]).to_numpy()]
        where = ", ".join(f"{study} {image}" for study, image in better) or "none"
        if tool in ("ideal", "recommended"):
            where = ""
        print(
            f"| {tool} | {100 * area[tool]:.1f} | {cells(light.loc[tool])} {cells(off.loc[tool])} "
            f"{cells(sky.loc[tool])} {cells(worst.loc[tool])} {where} |"
        )
    far = table[(table["area"] / table["wanted"] - 1).abs() > 5 * CLOSE]
    for row in far.itertuples():
        print(
            f"{row.tool}, {row.study} {row.image}: no level has that area; {100 * row.area:.1f} %"
        )


if __name__ == "__main__":
    main()
