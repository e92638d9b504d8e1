"""Injection and recovery: how faint a star does a mask still mark?

Stars of known AB magnitude are added to an image, the mask is made again, and a star counts as
recovered where the mask then has a spot of its own for it (docs/method.md, "Evaluation: injection,
curves, recommended mask"). Works on any image, simulated or real.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.evaluation.completeness_fit import bootstrap_depths, fit_completeness
from mirimask.evaluation.stars import StarStamps, ab_to_mjy_sr, draw_positions, inject
from mirimask.image.frame import Frame
from mirimask.intervals import wilson
from mirimask.masks.make import make_masks
from mirimask.masks.names import leaves
from mirimask.masks.registry import Options
from mirimask.sources.spots import brightest_pixels, has_match

__all__ = [
    "COLUMNS",
    "POOLED",
    "measurable_images",
    "pool_recovery",
    "recover",
    "recovery_by_magnitude",
    "summarize_recovery",
]

POOLED = "all"  # in place of an image: all that can be measured, together
# of a table with an image column, in which no image could be measured
COLUMNS = [
    *("image", "method", "magnitude", "n", "n_covered", "n_recovered"),
    *("completeness", "low", "high", "chance", "simulated"),
]
_DEPTHS = [
    *("image", "method", "n", "c0", "m50", "w", "m80"),
    *("m50_low", "m50_high", "m80_low", "m80_high", "beyond", "chance", "simulated"),
]


def recovery_by_magnitude(recovered: pd.DataFrame) -> pd.DataFrame:
    """Counts and shares with 95 % Wilson intervals from one row an injected star and method.

    Columns in: method, magnitude (inf for stars without light), covered (bool: a spot is there,
    its own or not), recovered (bool: and none was there without the star). Columns out: method,
    magnitude, n, n_covered, n_recovered, completeness, low, high, chance: the share of the method's
    stars without light that a spot covers.
    """
    grouped = recovered.groupby(["method", "magnitude"], sort=False)
    table = grouped.agg(
        n=("recovered", "size"), n_covered=("covered", "sum"), n_recovered=("recovered", "sum")
    ).reset_index()
    table["completeness"] = table["n_recovered"] / table["n"]
    table["low"], table["high"] = wilson(table["n_recovered"], table["n"])
    dark = table[np.isinf(table["magnitude"])].set_index("method")
    table["chance"] = table["method"].map(dark["n_covered"] / dark["n"])
    return table


def measurable_images(depths: pd.DataFrame, *, as_faint_as: float = -np.inf) -> list[str]:
    """The images in which a mask finds 80 % of the added stars of some magnitude, not by chance.

    With `as_faint_as`: of stars of that AB magnitude or fainter ones.

    `depths` has image, method, m80 (NaN: at no magnitude 80 %), beyond (at the faintest magnitude
    still 80 %) and chance, the share of random positions that the method covers. A mask that covers
    more than 5 % of them (or than the least of its image's) does not count. On another image, all
    nebula say, no mask is judged by added stars: it would only pull down what all images say
    together.
    """
    depths = depths.astype({"m80": float, "chance": float})
    least = depths.groupby("image")["chance"].transform("min")
    quiet = depths["chance"] <= np.maximum(least, 0.05)
    found = np.isfinite(depths["m80"]) & (depths["m80"] >= as_faint_as) | depths["beyond"]
    return list(dict.fromkeys(depths[quiet & found]["image"]))


def pool_recovery(table: pd.DataFrame, *, name: str) -> pd.DataFrame:
    """Tables of `recovery_by_magnitude` of several images added up, as those of image `name`."""
    counts = table.groupby(["method", "magnitude"], sort=False, as_index=False)[
        ["n", "n_covered", "n_recovered"]
    ].sum()
    counts["completeness"] = counts["n_recovered"] / counts["n"]
    counts["low"], counts["high"] = wilson(counts["n_recovered"], counts["n"])
    dark = counts[np.isinf(counts["magnitude"])].set_index("method")
    counts["chance"] = counts["method"].map(dark["n_covered"] / dark["n"])
    pooled = counts.assign(image=name, simulated=bool(table["simulated"].any()))
    return pooled[table.columns]


def recover(
    image: Frame,
    methods: Sequence[str],
    stamps: StarStamps,
    *,
    options: Options | None = None,
    allowed: NDArray[np.bool_],
    magnitudes: list[float],
    stars: int,
    each: int,
    separation_px: float,
    tolerance_px: float,
    pixar_sr: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Add stars, make the masks again, and see which stars they mark.

    `methods` are names of masks, with slices over the crop, `options` their settings (both as in
    `make_masks`). At least `stars` stars of each of `magnitudes` (AB), and as many of no light
    (inf), `each` of each in one realisation, at random positions in `allowed`, `separation_px`
    apart. A star is
    covered where a spot's brightest pixel lies within `tolerance_px` of it, and recovered where it
    is and no spot's did without the stars. Where a small image has no room for all of a
    realisation's stars, there are more realisations with fewer. MaskError where there is no room at
    all, and for a slice over the published frame. Returns one row for each star and method: method,
    magnitude, covered, recovered.
    """
    for leaf in (leaf for name in methods for leaf in leaves(name)):
        if leaf.domain == "published":
            raise MaskError(
                f"evaluation: '{leaf.name}' has its percentage over the published frame; "
                "images with added stars are sliced over the crop. Leave the domain out."
            )

    def spots(pixels: NDArray[np.float32]) -> dict[str, NDArray[np.int64]]:
        made = make_masks(replace(image, data=pixels), methods, options=options)
        return {name: brightest_pixels(one.mask, pixels) for name, one in made.items()}

    data = image.masked
    before = spots(data)
    steps = np.append(np.asarray(magnitudes, float), np.inf)
    rows: list[pd.DataFrame] = []
    count = np.zeros(steps.size, int)
    while count.min() < stars:
        positions = draw_positions(allowed, each * steps.size, separation_px=separation_px, rng=rng)
        # what there is no room for is missed by the magnitudes in turn, not by the last ones
        level = (np.arange(len(positions)) + count.sum()) % steps.size
        count += np.bincount(level, minlength=steps.size)
        flux = ab_to_mjy_sr(steps[level], pixar_sr)
        added = inject(data, positions[:, 0], positions[:, 1], flux, stamps)
        for name, found in spots(added).items():
            covered = has_match(positions, found, tolerance_px)
            rows.append(
                pd.DataFrame(
                    {
                        "method": name,
                        "magnitude": steps[level],
                        "covered": covered,
                        "recovered": covered & ~has_match(positions, before[name], tolerance_px),
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


def summarize_recovery(
    table: pd.DataFrame, *, draws: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Recovery and depths of images, alone and together.

    `table` has the rows of `recovery_by_magnitude` with image and simulated. Returns the table with
    the rows of all `measurable_images` together (image `POOLED`, where there are several images);
    a fit of completeness for each image and method, with 95 % intervals from `draws` draws; and
    those images. Images in which no mask finds stars say nothing about the others.
    """
    depths = _depths(table, draws, seed)
    measured = measurable_images(depths)
    if table["image"].nunique() > 1 and measured:
        pooled = pool_recovery(table[table["image"].isin(measured)], name=POOLED)
        table = pd.concat([table, pooled], ignore_index=True)
        mixed = len(measured) > 1
        together = _depths(pooled, draws, seed, mixed=mixed)
        depths = pd.concat([depths, together], ignore_index=True)
    return table, depths, measured


def _depths(table: pd.DataFrame, draws: int, seed: int, *, mixed: bool = False) -> pd.DataFrame:
    """The depth of each image and method; of several images together (`mixed`) there is no fit."""
    fits: list[dict[str, Any]] = []
    for (image, method), rows in table.groupby(["image", "method"], sort=False):
        lit = rows[np.isfinite(rows["magnitude"])]
        counts = lit["magnitude"], lit["n_recovered"], lit["n"]
        rng = np.random.default_rng([seed, 11])
        fit = fit_completeness(*counts, mixed=mixed)
        faintest = lit.sort_values("magnitude").iloc[-1]
        found = bool(faintest["n_recovered"] >= 0.8 * faintest["n"] > 0)
        fits.append(
            {"image": image, "method": method, "n": int(lit["n"].sum())}
            | asdict(fit)
            | {"beyond": found and not np.isfinite(fit.m80)}
            | bootstrap_depths(*counts, draws=draws, rng=rng, mixed=mixed)
            | {"chance": rows["chance"].iloc[0], "simulated": rows["simulated"].iloc[0]}
        )
    return pd.DataFrame(fits, columns=_DEPTHS)
