"""Which catalogue scores masks of F2550W images best: unWISE, CatWISE2020, MIPSGAL or SEIP?

    python benchmarks/catalogues.py [--cores 2] [--folder FOLDER]

runs config/f2550w.yaml (SIMULATED fields) as a study for each catalogue, with the circle of its
resolution; SEIP once more in unWISE's circle, and once with all its rows, not only those of 24 um.
Writes benchmarks/results/catalogues/: `successes.csv`, a row for each catalogue, image and mask
(successes S of N sources, the chance rate p0 of a random position, S_c beyond it), and
`summary.md`. A source is *visible* if one of the true sources behind it has an expected
signal-to-noise ratio of 5 above the noise (clouds do not count); no peak and no mask is asked. The
studies stay in FOLDER, otherwise they are removed.
"""

import argparse
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import Table
from measured import ROOT, SNAKEMAKE
from mirimask.evaluation.completeness import expected_snr, truth_in_crop
from mirimask.image.files import read_crop
from mirimask.image.frame import pixels
from mirimask.sources.catalogue import CATALOGUES, circle_sizes

RESULTS = ROOT / "benchmarks" / "results" / "catalogues"
CONFIG = "config/f2550w.yaml"
SEEN_SNR = 5  # evaluation.seen_snr
VARIANTS = {  # name: the catalogue, whose circle, and what else its study has
    **{name: (name, name, "") for name in CATALOGUES},
    "seip, 1.98 arcsec": ("seip", "unwise", ""),
    "seip, all rows": ("seip", "seip", 'keep: ""'),
}
FIELDS = ("plane", "deep", "cloud")
MASKS = ["value_0.3", "derivative_0.3", "value_4.6", "derivative_4.6", "value_1", "derivative_10"]
MASKS += ["segmentation", "cores"]


def study_of(name: str) -> tuple[str, list[str]]:
    """The study of a variant, and what it has other than config/f2550w.yaml."""
    catalogue, circle, other = VARIANTS[name]
    sizes = circle_sizes(CATALOGUES[circle].resolution_arcsec)
    own = ", ".join(filter(None, [f"name: {catalogue}", other]))
    verdict = f"verdict={{radius: {sizes['radius']}, near: {sizes['near']}}}"
    return "f2550w_" + re.sub(r"\W+", "_", name), [f"catalogue={{{own}}}", verdict]


def run(folder: Path, name: str, cores: int) -> None:
    """Run a catalogue's study up to the chance-corrected Table 3."""
    study, changes = study_of(name)
    command = [*SNAKEMAKE, "--snakefile", str(ROOT / "Snakefile")]
    command += ["--workflow-profile", str(ROOT / "profiles" / "default"), "--cores", str(cores)]
    command += ["--configfile", CONFIG, "--config", f"study={study}", *changes]
    target = f"results/{study}/evaluation/chance.csv"
    subprocess.run([*command, "--", target], cwd=folder, check=True)


def sources_of(results: Path, catalogue: str, radius: str) -> pd.DataFrame:
    """For each source: is it visible, and how far is the nearest reference peak?"""
    rows = []
    for path in sorted((results / "sources").glob("*.ecsv")):
        image = path.stem
        crop, sources = read_crop(results / "frame" / f"{image}.fits"), Table.read(path)
        peaks = pd.read_csv(results / "peaks" / f"{image}.csv")
        truth = truth_in_crop(
            Table.read(results / "archive" / image / "truth.ecsv").to_pandas(),
            crop.empty,
            x0=crop.origin[1],
            y0=crop.origin[0],
        )
        snr = expected_snr(
            truth["flux"].to_numpy(float),
            truth["half_light_radius"].to_numpy(float),
            crop.error[truth["row"].to_numpy(), truth["column"].to_numpy()],
            fwhm_px=crop.fwhm_px,
            pixel_area_sr=crop.pixel_area_sr,
        )
        best = pd.Series(snr).groupby(truth[f"{catalogue}_id"].fillna("").astype(str)).max()
        for source in sources:
            distance = np.hypot(peaks["x"] - source["x"], peaks["y"] - source["y"]).min()
            rows.append(
                {
                    "image": image,
                    "visible": bool(best.get(str(source["id"]), 0) >= SEEN_SNR),
                    "distance_px": distance,
                    "peak": distance <= pixels(radius, crop.pixel_scale),
                }
            )
    return pd.DataFrame(rows, columns=["image", "visible", "distance_px", "peak"])


def star_depths(results: Path) -> np.ndarray:
    """Flux (microjansky) of 5 sigma by each star of the deep fields that is a reference peak."""
    depths = []
    for path in sorted((results / "peaks").glob("deep*.csv")):
        peaks, crop = pd.read_csv(path), read_crop(results / "frame" / f"{path.stem}.fits")
        truth = Table.read(results / "archive" / path.stem / "truth.ecsv")
        for peak in peaks.itertuples():
            x, y = peak.x + crop.origin[1], peak.y + crop.origin[0]
            distance = np.hypot(truth["x"].value - x, truth["y"].value - y)
            if distance.min() < 1 and truth["kind"][distance.argmin()] == "star":
                depths.append(5 * truth["flux"][distance.argmin()] / peak.snr)
    return np.array(depths, float)


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def cell(row: pd.Series) -> str:
    """Successes, chance rate and success beyond chance of a mask."""
    if not row["sources"]:
        return "-"
    limits = f"{row['corrected_low']:.2f} to {row['corrected_high']:.2f}"
    chance = f"{100 * row['chance_success']:.1f} %"
    return f"{row['success']:.0f}/{row['sources']:.0f}, {chance}, {row['corrected']:.2f} ({limits})"


def write(table: pd.DataFrame, seen: pd.DataFrame, depths: np.ndarray) -> None:
    """Write successes.csv and summary.md."""
    kind = seen["image"].str.rstrip("12")
    seen = pd.concat([seen.assign(field=kind), seen.assign(field="all")])
    lines = [
        "# Catalogues for F2550W images, SIMULATED",
        "",
        "Made by `python benchmarks/catalogues.py`. *Visible*: a true source behind the entry has",
        f"an expected signal-to-noise ratio of {SEEN_SNR} above the noise, clouds left aside.",
        "*Peak*: a reference peak lies in the circle. *Offset*: median distance of that peak.",
        "",
        f"Depth of the deep fields, 5 sigma of a star: {np.median(depths):.1f} uJy (median of "
        f"{depths.size} stars, {depths.min():.1f} to {depths.max():.1f}).",
        "",
        "| catalogue | circle | fields | sources | visible | peak | offset |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in table["catalogue"].unique():
        radius = table.loc[table["catalogue"] == name, "radius"].iloc[0]
        for field in (*FIELDS, "all"):
            own = seen[(seen["catalogue"] == name) & (seen["field"] == field)]
            offset = own.loc[own["peak"], "distance_px"].median()
            cells = [name, radius, field, len(own), percent(own["visible"].sum(), len(own))]
            cells += [percent(own["peak"].sum(), len(own))]
            cells += [f"{offset:.1f} px" if own["peak"].any() else "-"]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += [
        "",
        "Successes of all fields: S/N, chance rate p0 of a random position, S_c = (S/N - p0) /",
        "(1 - p0) with its 95 % interval.",
        "",
    ]
    pooled = table[table["image"] == "All"]
    names = list(table["catalogue"].unique())
    lines += ["| mask | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for method in MASKS:
        rows = pooled[pooled["method"] == method].set_index("catalogue")
        cells = [cell(rows.loc[name]) if name in rows.index else "-" for name in names]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    RESULTS.mkdir(parents=True, exist_ok=True)
    columns = ["catalogue", "radius", "image", "method", "sources", "success", "chance_success"]
    columns += ["corrected", "corrected_low", "corrected_high", "p_value"]
    shown = table[table["method"].isin(MASKS)][columns]
    shown.assign(simulated=True).to_csv(
        RESULTS / "successes.csv", index=False, float_format="%.4g", lineterminator="\n"
    )
    (RESULTS / "summary.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def gather(folder: Path) -> None:
    """Sum up the studies in a folder."""
    tables, seen = [], []
    for name, (catalogue, circle, _) in VARIANTS.items():
        results = folder / "results" / study_of(name)[0]
        radius = circle_sizes(CATALOGUES[circle].resolution_arcsec)["radius"]
        table = pd.read_csv(results / "evaluation" / "chance.csv")
        table = table[(table["scorer"] == "peaks") & (table["positions"] == "random")]
        tables.append(table.assign(catalogue=name, radius=radius))
        seen.append(sources_of(results, catalogue, radius).assign(catalogue=name))
    depths = star_depths(folder / "results" / study_of("seip")[0])
    write(pd.concat(tables, ignore_index=True), pd.concat(seen, ignore_index=True), depths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the studies are made, and kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        shutil.copytree(ROOT / "config", folder / "config", dirs_exist_ok=True)
        for name in VARIANTS:
            run(folder, name, options.cores)
        gather(folder)


if __name__ == "__main__":
    main()
