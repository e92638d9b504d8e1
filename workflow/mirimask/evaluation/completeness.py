"""Masks against a known truth: completeness, purity, merged and split sources."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.evaluation.agreement import truth_verdicts
from mirimask.evaluation.chance import random_positions, shifted_catalogue
from mirimask.evaluation.scene import area_arcmin2, expected_snr, false_spots, seed_for
from mirimask.image.frame import Frame
from mirimask.intervals import wilson
from mirimask.sources.spots import Spots, label_spots, labels_near, spots_around

__all__ = [
    "completeness_rows",
    "judge_by_truth",
    "magnitude_edges",
    "pool_completeness",
    "pool_purity",
    "purity_row",
    "true_sources",
    "truth_in_crop",
]

KINDS = ("all", "star", "galaxy")


def truth_in_crop(
    truth: pd.DataFrame, empty: NDArray[np.bool_], *, x0: int, y0: int
) -> pd.DataFrame:
    """The true sources on pixels of the crop that are not empty.

    `truth` has x, y in pixels of the frame; the result has them in pixels of the crop, which begins
    at (x0, y0), and the nearest pixel as `column`, `row`.
    """
    ny, nx = empty.shape
    x, y = truth["x"] - x0, truth["y"] - y0
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    moved = truth.assign(x=x, y=y, column=column, row=row)
    moved = moved[column.between(0, nx - 1) & row.between(0, ny - 1)].reset_index(drop=True)
    seen = ~empty[moved["row"].to_numpy(), moved["column"].to_numpy()]
    return moved[seen].reset_index(drop=True)


def true_sources(truth: pd.DataFrame, crop: Frame) -> pd.DataFrame:
    """The truth on a crop with its error image (`truth_in_crop`), with a column expected_snr.

    `truth` has x, y, flux (microjansky) and half_light_radius (pixels), as a truth.ecsv. ValueError
    for a crop that was read without its error image.
    """
    seen = truth_in_crop(truth, crop.empty, x0=crop.origin[1], y0=crop.origin[0])
    if crop.error is None:
        raise ValueError("the crop was read without its error image")
    return seen.assign(
        expected_snr=expected_snr(
            seen["flux"].to_numpy(float),
            seen["half_light_radius"].to_numpy(float),
            crop.error[seen["row"].to_numpy(), seen["column"].to_numpy()],
            fwhm_px=crop.fwhm_px,
            pixel_area_sr=crop.pixel_area_sr,
        )
    )


def judge_by_truth(
    crop: Frame,
    image: str,
    peaks: pd.DataFrame,
    truth: pd.DataFrame,
    judged: Iterable[tuple[str, str, NDArray[np.bool_], pd.DataFrame]],
    *,
    sources: NDArray[np.floating],
    radius: str,
    near: str,
    min_pixels: int,
    tolerance_fwhm: float,
    positions: int,
    seen_snr: float,
    real_snr: float,
    magnitudes: tuple[float, float, float],
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The masks of a simulated image against its truth: completeness, purity and verdicts.

    `judged`: method, domain, mask and the table of its verdicts. `sources` as from `real_sources`
    say which spots are false. `truth` as from `true_sources`:
    those of at least `real_snr` count for the purity, of at least `seen_snr` for the verdicts, all
    for the completeness, in bins of `magnitudes` (first, last, step). `radius` and `near` are sizes
    as the verdicts have them, and spots are joined to `peaks` as for these. Returns the rows of
    `completeness_rows`, of `purity_row` and of `truth_verdicts` beside the verdict given, all with
    method and domain first.
    """
    seen = truth[truth["expected_snr"] >= seen_snr].reset_index(drop=True)
    real = truth[truth["expected_snr"] >= real_snr].reset_index(drop=True)
    tolerance_px = tolerance_fwhm * crop.fwhm_px
    edges = magnitude_edges(*magnitudes)
    completeness, purity, verdicts = [], [], []
    for method, domain, mask, given in judged:
        spots = label_spots(mask, peaks, min_pixels=min_pixels, tolerance_px=tolerance_px)
        rows = completeness_rows(
            spots,
            truth,
            crop.empty,
            edges=edges,
            tolerance_px=tolerance_px,
            positions=positions,
            seed=seed_for(seed, image, 2),
        )
        row = purity_row(
            spots,
            real,
            crop.empty,
            sources=sources,
            tolerance_px=tolerance_px,
            area_arcmin2=area_arcmin2(crop),
            seed=seed_for(seed, image, 3),
        )
        true = truth_verdicts(
            given["x"].to_numpy(float),
            given["y"].to_numpy(float),
            seen,
            spots.labels,
            tolerance_px=tolerance_px,
            radius_px=crop.length_px(radius),
            near_px=crop.length_px(near),
        )
        given = given[["id", "x", "y", "verdict", "distance_px", "peak_snr"]]
        completeness.append(_of_mask(rows, method, domain))
        purity.append(_of_mask(pd.DataFrame([row]), method, domain))
        verdicts.append(_of_mask(pd.concat([given, true], axis=1), method, domain))
    return (
        pd.concat(completeness, ignore_index=True),
        pd.concat(purity, ignore_index=True),
        pd.concat(verdicts, ignore_index=True),
    )


def magnitude_edges(low: float, high: float, step: float) -> NDArray[np.float64]:
    """Where bins of `step` begin and end, from `low` to `high`; the last may be narrower."""
    return np.append(np.arange(low, high - step / 1000, step), high)


def _of_mask(table: pd.DataFrame, method: str, domain: str) -> pd.DataFrame:
    table.insert(0, "method", method)
    table.insert(1, "domain", domain)
    return table


def _completeness(recovered: int, sources: int, chance: float) -> dict[str, float]:
    low, high = wilson(recovered, sources)
    share = recovered / sources if sources else float("nan")
    return {
        "n_sources": sources,
        "n_recovered": recovered,
        "completeness": share,
        "completeness_low": float(low),
        "completeness_high": float(high),
        "chance": chance,
        "corrected": (share - chance) / (1 - chance) if chance < 1 else float("nan"),
    }


def completeness_rows(
    spots: Spots,
    truth: pd.DataFrame,
    empty: NDArray[np.bool_],
    *,
    edges: NDArray[np.floating],
    tolerance_px: float,
    positions: int,
    seed: int | Sequence[int],
) -> pd.DataFrame:
    """Completeness in magnitude bins, by kind of source.

    A true source is recovered if a spot lies on it or within `tolerance_px`. `truth` as from
    `truth_in_crop`, with ab_mag and kind; `edges` (n + 1,) are magnitudes AB. Columns: kind (all,
    star, galaxy), ab_low, ab_high, n_sources, n_recovered, completeness with Wilson limits (NaN
    and 0..1 where a bin is empty), chance: the share of `positions` random positions that would
    count as recovered, corrected = (C - chance) / (1 - chance).
    """
    tried = random_positions(empty, positions, seed=seed)
    columns, rows = np.rint(tried.x).astype(int), np.rint(tried.y).astype(int)
    ny, nx = empty.shape
    columns, rows = np.clip(columns, 0, nx - 1), np.clip(rows, 0, ny - 1)
    chance = float((labels_near(spots.labels, columns, rows, tolerance_px) > 0).mean())
    found = labels_near(spots.labels, truth["column"], truth["row"], tolerance_px) > 0
    magnitude, kind = truth["ab_mag"].to_numpy(float), truth["kind"].to_numpy(str)
    table = []
    for name in KINDS:
        chosen = np.ones(len(truth), bool) if name == "all" else kind == name
        for low, high in pairwise(edges):
            inside = chosen & (magnitude >= low) & (magnitude < high)
            table.append(
                {"kind": name, "ab_low": low, "ab_high": high}
                | _completeness(int(found[inside].sum()), int(inside.sum()), chance)
            )
    return pd.DataFrame(table)


def pool_completeness(table: pd.DataFrame) -> pd.DataFrame:
    """All images together (image = 'All'): counts added up, chance weighted by sources."""
    rows = []
    keys = ["method", "domain", "kind", "ab_low", "ab_high"]
    for key, group in table.groupby(keys, sort=False):
        sources = int(group["n_sources"].sum())
        weights = group["n_sources"] if sources else None
        chance = float(np.average(group["chance"], weights=weights))
        row = _completeness(int(group["n_recovered"].sum()), sources, chance)
        rows.append({"image": "All", **dict(zip(keys, key, strict=True)), **row})
    return pd.DataFrame(rows, columns=table.columns)


_PURITY_COUNTS = [
    "n_spots",
    "n_true_spots",
    "n_sources",
    "n_recovered",
    "n_merged_spots",
    "n_merged_sources",
    "n_split_sources",
]


def _purity(counts: dict[str, int], chance: float, area_arcmin2: float) -> dict[str, float]:
    low, high = wilson(counts["n_true_spots"], counts["n_spots"])
    spots = counts["n_spots"]
    return {
        **counts,
        "purity": counts["n_true_spots"] / spots if spots else float("nan"),
        "purity_low": float(low),
        "purity_high": float(high),
        "chance_purity": chance,
        "area_arcmin2": area_arcmin2,
        "false_per_arcmin2": (spots - counts["n_true_spots"]) / area_arcmin2,
    }


def purity_row(
    spots: Spots,
    truth: pd.DataFrame,
    empty: NDArray[np.bool_],
    *,
    sources: NDArray[np.floating],
    tolerance_px: float,
    area_arcmin2: float,
    seed: int | Sequence[int],
) -> dict[str, float]:
    """How many spots are sources, and how many sources share a spot or have several.

    A spot is true if one of `sources` (n, 2: x, y) lies on it or within `tolerance_px`
    (`false_spots`). `truth` holds those on the crop as from `truth_in_crop`; `chance_purity` is the
    share that would be with it shifted as a whole (20 shifts). A source belongs to its nearest
    spot; a spot with two or more is merged. A source with two or more spots within `tolerance_px`
    is split.
    """

    def true_spots(columns: NDArray, rows: NDArray) -> int:
        around = np.unique(spots_around(spots.labels, columns, rows, tolerance_px))
        return int((around > 0).sum())

    columns, rows = truth["column"].to_numpy(int), truth["row"].to_numpy(int)
    around = np.sort(spots_around(spots.labels, columns, rows, tolerance_px), axis=1)
    several = ((np.diff(around, axis=1) > 0) & (around[:, 1:] > 0)).sum(axis=1)
    several += around[:, 0] > 0
    own = labels_near(spots.labels, columns, rows, tolerance_px)
    sharing = np.bincount(own[own > 0]) if (own > 0).any() else np.zeros(1, int)
    counts = {
        "n_spots": spots.count,
        "n_true_spots": spots.count - false_spots(spots.labels, sources, tolerance_px=tolerance_px),
        "n_sources": len(truth),
        "n_recovered": int((own > 0).sum()),
        "n_merged_spots": int((sharing >= 2).sum()),
        "n_merged_sources": int(sharing[sharing >= 2].sum()),
        "n_split_sources": int((several >= 2).sum()),
    }
    chance = float("nan")
    if spots.count and len(truth):
        n_shifts = 20
        moved = shifted_catalogue(
            columns, rows, empty, n=0, smallest_px=4 * tolerance_px, seed=seed, shifts=n_shifts
        )
        ny, nx = empty.shape
        x = np.clip(np.rint(moved.x).astype(int), 0, nx - 1)
        y = np.clip(np.rint(moved.y).astype(int), 0, ny - 1)
        each = [true_spots(x[moved.group == g], y[moved.group == g]) for g in range(n_shifts)]
        chance = float(np.mean(each) / spots.count)
    return _purity(counts, chance, area_arcmin2)


def pool_purity(table: pd.DataFrame) -> pd.DataFrame:
    """All images together (image = 'All'): counts and areas added up, chance weighted by spots."""
    rows = []
    for (method, domain), group in table.groupby(["method", "domain"], sort=False):
        counts = {name: int(group[name].sum()) for name in _PURITY_COUNTS}
        known = group[group["chance_purity"].notna()]
        chance = float("nan")
        if len(known):
            chance = float(np.average(known["chance_purity"], weights=known["n_spots"]))
        row = _purity(counts, chance, float(group["area_arcmin2"].sum()))
        rows.append({"image": "All", "method": method, "domain": domain, **row})
    return pd.DataFrame(rows, columns=table.columns)
