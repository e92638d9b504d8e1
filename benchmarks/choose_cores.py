"""How the cores were chosen: candidates on some fields, judged on the others.

    python benchmarks/choose_cores.py results/simulated results/stress results/real

Each argument is a study's folder with frame/, peaks/ and, where the truth is known,
archive/<image>/truth.ecsv; the first must be the simulated study, whose PSF is used. Stars are
added to every image, each candidate's threshold is swept, and its completeness for the added stars
is read at equal rates of false spots: those on no true source or added star, or, where no truth is
known, the spots of a blank image. Writes candidates.csv (all figures) and prints the tables
that docs/cores.md quotes to benchmarks/results/cores/.
"""

import argparse
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import Table
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from mirimask.evaluation.blank import blank_images  # noqa: E402
from mirimask.evaluation.curves import at_false_rate, sweep  # noqa: E402
from mirimask.evaluation.scene import Truth  # noqa: E402
from mirimask.evaluation.stars import (  # noqa: E402
    StarStamps,
    ab_to_mjy_sr,
    draw_positions,
    free_pixels,
    inject,
)
from mirimask.image.background import background_meshes  # noqa: E402
from mirimask.image.files import read_crop  # noqa: E402
from mirimask.image.psf import read_psf  # noqa: E402
from mirimask.masks.cores import (  # noqa: E402
    CoreSettings,
    core_mask,
    curvature_snr,
    grow,
)
from mirimask.masks.family import Family  # noqa: E402
from mirimask.masks.segmentation import segmentation_family  # noqa: E402
from mirimask.masks.slices import slice_family  # noqa: E402
from mirimask.sources.spots import brightest_pixels, has_match  # noqa: E402

RATES = (1.0, 3.0, 10.0)  # false spots per square arcminute
PERCENTS = np.geomspace(0.03, 8, 14)
SIGMAS = np.geomspace(1.5, 14, 14)
MAGNITUDES = (23.5, 25.5)
STARS = 150


### candidates #####################################################################################


def filtered(kind, sigma, image, empty):
    """The image that a candidate cuts: `kind` of the image smoothed by `sigma` px (0: not)."""
    data = np.where(empty, np.float32(np.median(image[~empty])), image)
    smooth = ndimage.gaussian_filter(data, sigma, truncate=3) if sigma else data
    if kind == "value":
        out = smooth
    elif kind == "local value":
        out = smooth - ndimage.uniform_filter(data, 25)
    elif kind == "dy":
        out = np.gradient(smooth, axis=0)
    elif kind == "|dy|":
        out = np.abs(np.gradient(smooth, axis=0))
    elif kind == "|dx|+|dy|":
        out = sum(np.abs(part) for part in np.gradient(smooth))
    elif kind == "gradient":
        out = np.hypot(*np.gradient(smooth))
    else:
        out = -ndimage.laplace(smooth)
    return np.where(empty, np.nan, out)


def plain(name, kind, sigma, *, min_pixels=1, grown=1.0):
    """A slice by percentage, of spots of `min_pixels`, grown into the slice of `grown` x that."""

    def candidate(empty, fwhm_px):
        def levels(scores):
            values = scores[0][np.isfinite(scores[0])]
            return np.column_stack(
                [np.quantile(values, 1 - np.minimum(k * PERCENTS, 60) / 100) for k in (1, grown)]
            )

        def cut(scores, level):
            labels, _ = grow(scores[0], seed=level[0], down_to=level[1], min_pixels=min_pixels)
            return labels > 0

        return Family(
            name,
            "%",
            PERCENTS,
            lambda image: (filtered(kind, sigma, image, empty),),
            levels,
            cut,
        )

    return name, candidate


def joined(value_percent, kind):
    """Union or intersection with a value slice of a fixed percentage; the derivative is swept."""
    name = f"{kind} value {value_percent:g} %, dy swept"

    def candidate(empty, fwhm_px):
        base = slice_family(kind, PERCENTS)

        def levels(scores):
            found = base.thresholds(scores)
            values = scores[0][np.isfinite(scores[0])]
            found[:, 0] = np.quantile(values, 1 - value_percent / 100)
            return found

        return Family(name, "%", PERCENTS, base.scores, levels, base.cut)

    return name, candidate


def local_noise(name, settings, smooth=None):
    """A level in units of local noise: the curvature, or with `smooth` a matched filter."""

    def candidate(empty, fwhm_px):
        def scores(image):
            if smooth is None:
                return (curvature_snr(image, empty, fwhm_px=fwhm_px, settings=settings),)
            signal = np.nan_to_num(filtered("local value", smooth * fwhm_px, image, empty))
            mean, rms = background_meshes(signal, empty, box_px=round(settings.tile * fwhm_px))
            return ((signal - mean) / np.where(rms > 0, rms, np.inf),)

        def cut(scores, level):
            labels, _ = grow(
                scores[0],
                seed=level[0],
                down_to=min(settings.grow, level[0]),
                min_pixels=settings.min_pixels,
            )
            return labels > 0

        return Family(name, "sigma", SIGMAS, scores, lambda _: SIGMAS[:, None], cut)

    return name, candidate


def pipeline(empty, fwhm_px):
    return segmentation_family(empty, fwhm_px=fwhm_px, levels=np.geomspace(0.7, 20, 16))


def candidates():
    made = [("segmentation", pipeline)]
    for kind, sigma in product(("value", "dy"), (0, 1.0)):
        for pixels in (1, 4):
            made.append(
                plain(f"{kind}, smooth {sigma:g}, >= {pixels} px", kind, sigma, min_pixels=pixels)
            )
    made += [
        plain(f"{kind}, smooth {sigma:g}, >= 4 px", kind, sigma, min_pixels=4)
        for kind in ("|dy|", "|dx|+|dy|", "gradient", "local value")
        for sigma in (0, 1.0)
    ]
    made += [
        plain(f"{kind}, hysteresis x {k}", kind, 0, min_pixels=4, grown=k)
        for kind in ("value", "dy")
        for k in (3, 10)
    ]
    made += [
        joined(percent, kind)
        for kind, percent in product(("union", "intersection"), (0.1, 0.3, 1.0, 4.6, 15.0))
    ]
    made += [
        plain(f"curvature by percentage, smooth {s:g}, >= 4 px", "curvature", s, min_pixels=4)
        for s in (1.0, 1.6)
    ]
    made.append(
        local_noise(
            "matched filter, local background and noise",
            CoreSettings(min_pixels=4, grow=3.0),
            smooth=1 / 2.355,
        )
    )
    for smooth, share, window in product((0.5, 0.65, 0.8), (0.0, 0.4, 0.6, 0.75), (6.0,)):
        settings = CoreSettings(smooth=smooth, share=share, window=window, min_pixels=4)
        made.append(local_noise(_label(settings), settings))
    for change in (
        {"window": 4.5},
        {"window": 9.0},
        {"tile": 13.0},
        {"min_pixels": 1},
        {"min_pixels": 8},
        {"grow": 1.5},
        {"grow": 3.0},
    ):
        settings = CoreSettings(**{"min_pixels": 4, **change})
        made.append(local_noise(_label(settings), settings))
    return made


def _label(s):
    return (
        f"curvature, smooth {s.smooth:g}, share {s.share:g}, window {s.window:g}, "
        f"tile {s.tile:g}, grow {s.grow:g}, >= {s.min_pixels} px"
    )


### fields #########################################################################################


def field(folder, path, psf):
    """An image with stars added, the truth about it, and its blank image where none is known."""
    crop = read_crop(path)
    image = path.stem
    peaks = pd.read_csv(folder / "peaks" / f"{image}.csv")
    rng = np.random.default_rng([7, *image.encode()])
    allowed = free_pixels(
        crop.empty, peaks["x"].to_numpy(), peaks["y"].to_numpy(), distance_px=3 * crop.fwhm_px
    )
    positions = draw_positions(allowed, STARS, separation_px=8 * crop.fwhm_px, rng=rng)
    flux = ab_to_mjy_sr(
        rng.uniform(*MAGNITUDES, len(positions)), (crop.pixel_scale / 206264.806) ** 2
    )
    stamps = StarStamps(psf, pixel_scale_arcsec=crop.pixel_scale)
    data = inject(crop.masked, *positions.T, flux, stamps)
    radius = np.full(len(positions), crop.fwhm_px)
    wanted = np.ones(len(positions), bool)
    truth_file = folder / "archive" / image / "truth.ecsv"
    blank = None
    if truth_file.exists():
        truth = Table.read(truth_file)
        x, y = (
            np.asarray(truth[axis], float) - start
            for axis, start in zip("xy", crop.origin[::-1], strict=True)
        )
        positions = np.vstack([positions, np.column_stack([x, y])])
        radius = np.concatenate(
            [radius, np.maximum(crop.fwhm_px, np.asarray(truth["half_light_radius"], float))]
        )
        wanted = np.concatenate([wanted, np.zeros(len(x), bool)])
    else:
        blank = blank_images(
            crop.data,
            crop.empty,
            fwhm_px=crop.fwhm_px,
            stamps=StarStamps(psf, pixel_scale_arcsec=crop.pixel_scale, half=100),
            number=1,
            rng=rng,
        )
    area = (~crop.empty).sum() * (crop.pixel_scale / 60) ** 2
    return crop, data, Truth(positions, radius, wanted, positions), blank, area


def curve(candidate, crop, data, truth, blank, area):
    family = candidate(crop.empty, crop.fwhm_px)
    start = time.process_time()
    family.scores(data)
    seconds = time.process_time() - start
    cost = {"area_arcmin2": area, "tolerance_px": crop.fwhm_px}
    table = sweep(family, data, truth, **cost)
    if blank is not None:
        nothing = Truth(np.zeros((0, 2)), np.zeros(0), np.zeros(0, bool), blank.sources)
        levels = family.thresholds(family.scores(data))
        (image,) = blank.images
        table["false_per_arcmin2"] = sweep(family, image, nothing, thresholds=levels, **cost)[
            "false_per_arcmin2"
        ]
    return table, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "studies", nargs="+", type=Path, help="results/<study>, the simulated first"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/results/cores")
    options = parser.parse_args()
    psf = read_psf(options.studies[0] / "simulation" / "psf_F770W.fits")
    rows = []
    for folder in options.studies:
        for path in sorted((folder / "frame").glob("*.fits")):
            given = field(folder, path, psf)
            for name, candidate in candidates():
                table, seconds = curve(candidate, *given)
                rows.append(
                    {"study": folder.name, "image": path.stem, "candidate": name}
                    | {f"at_{rate:g}": at_false_rate(table, rate)[0] for rate in RATES}
                    | {"cpu_s": seconds}
                )
            print(f"{folder.name}/{path.stem}", file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    options.output.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.output / "candidates.csv", index=False, float_format="%.4g")
    report(table)
    galaxies(options.studies[0])


def galaxies(folder):
    """True galaxies that settings of the cores find at 5 sigma: added stars are no test
    of sources larger than the PSF, which a small window takes for clouds."""
    rows = []
    for change in ({}, {"window": 4.5}, {"window": 9.0}, {"share": 0.75}, {"share": 0.4}):
        settings = CoreSettings(**change)
        found = {}
        for path in sorted((folder / "frame").glob("*.fits")):
            crop = read_crop(path)
            truth = Table.read(folder / "archive" / path.stem / "truth.ecsv").to_pandas()
            x, y = truth["x"] - crop.origin[1], truth["y"] - crop.origin[0]
            ny, nx = crop.data.shape
            inside = (truth["kind"] == "galaxy") & x.between(5, nx - 6) & y.between(5, ny - 6)
            mask = core_mask(crop.data, crop.empty, fwhm_px=crop.fwhm_px, settings=settings)
            spots = brightest_pixels(mask, crop.data)
            for low, high in ((18, 21), (21, 23), (23, 24), (24, 25)):
                own = inside & truth["ab_mag"].between(low, high)
                radius = np.maximum(crop.fwhm_px, truth.loc[own, "half_light_radius"].to_numpy())
                marked = has_match(np.column_stack([x[own], y[own]]), spots, radius)
                k, n = found.get((low, high), (0, 0))
                found[low, high] = (k + int(marked.sum()), n + len(marked))
        rows.append(
            {"settings": str(change or "as they are")}
            | {f"{low}-{high} AB": f"{k}/{n}" for (low, high), (k, n) in found.items()}
        )
    print("\nTrue galaxies found at 5 sigma in the simulated fields:\n")
    print(pd.DataFrame(rows).to_string(index=False))


def report(table):
    """Mean completeness by candidate, and what is chosen when each image is left out in turn."""
    shown = [f"at_{rate:g}" for rate in RATES]
    table["image"] = table["study"] + "/" + table["image"]
    simulated = table["image"].str.split("/").str[0] == table["study"].iloc[0]
    table["score"] = table[shown].mean(axis=1)
    wide = table.pivot(index="candidate", columns="image", values="score")
    fields = sorted(table.loc[simulated, "image"].unique())
    others = [name for name in wide.columns if name not in fields]
    print("Completeness of added stars of", "{:g} to {:g} AB".format(*MAGNITUDES), "\n")
    summary = table[simulated].groupby("candidate")[[*shown, "cpu_s"]].mean()
    summary["mean"] = summary[shown].mean(axis=1)
    for name in others:
        summary[name] = wide[name]
    print("Means over the simulated fields at 1, 3, 10 false spots per arcmin^2; the other images'")
    print("columns are their means over the three rates.\n")
    print(summary.sort_values("mean", ascending=False).round(3).to_string())
    print(
        "\nLeave one image out: the best candidate on the other simulated fields, judged on it.\n"
    )
    chosen = []
    for left in fields:
        best = wide[[name for name in fields if name != left]].mean(axis=1).idxmax()
        chosen.append(
            {
                "left out": left,
                "chosen on the others": best,
                "its score there": wide.loc[best, left],
                "best possible": wide[left].max(),
                "segmentation": wide.loc["segmentation", left],
            }
        )
    print(pd.DataFrame(chosen).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
