"""How often would a mask succeed by chance, and what is left of a success rate without that."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from mirimask.evaluation.scene import seed_for
from mirimask.evaluation.significance import holm
from mirimask.image.frame import Frame
from mirimask.intervals import ratio_interval, wilson
from mirimask.masks.names import method_label
from mirimask.sources.spots import label_spots, nearest_distance
from mirimask.sources.verdicts import (
    VERDICTS,
    literal_verdicts,
    smallest_spot_px,
    verdict_of,
)

__all__ = [
    "Positions",
    "binomial_p",
    "chance_layout",
    "chance_row",
    "chance_rows",
    "corrected_success",
    "pool_chance",
    "random_positions",
    "shifted_catalogue",
]


@dataclass(frozen=True)
class Positions:
    """Positions at which a mask is tried: `x`, `y` (n,) in 0-based pixels.

    `group` (n,) int tells which positions were drawn together (a shift of the whole catalogue);
    positions drawn one by one have a group each.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    group: NDArray[np.intp]


def random_positions(empty: NDArray[np.bool_], n: int, *, seed: int | Sequence[int]) -> Positions:
    """`n` positions, uniform over the area of the pixels that are not `empty` (ny, nx).

    None where all pixels are empty.
    """
    rng = np.random.default_rng(seed)
    seen = np.flatnonzero(~empty)
    n = n if seen.size else 0
    rows, columns = np.divmod(seen[rng.integers(max(1, seen.size), size=n)], empty.shape[1])
    dx, dy = rng.uniform(-0.5, 0.5, (2, n))
    return Positions(columns + dx, rows + dy, np.arange(n))


def shifted_catalogue(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    n: int,
    smallest_px: float,
    seed: int | Sequence[int],
    shifts: int = 200,
) -> Positions:
    """The catalogue (x, y) shifted as a whole, which keeps its clustering.

    Shifts are uniform over the crop, wrap around its rim (a torus), and are longer than
    `smallest_px` (or than a quarter of the crop's smaller side where that is less), so that no
    source meets its own counterpart. There are at least `shifts` of them and at least `n`
    positions, less those that fall on empty pixels. An empty catalogue gives no positions.
    """
    ny, nx = empty.shape
    if len(x) == 0:
        return Positions(np.zeros(0), np.zeros(0), np.zeros(0, np.intp))
    rng = np.random.default_rng(seed)
    count = max(shifts, -(-n // len(x)))
    smallest = min(smallest_px, min(nx, ny) / 4)
    dx, dy = np.zeros((2, 0))
    while dx.size < count:
        tx, ty = rng.uniform(0, nx, count), rng.uniform(0, ny, count)
        far = np.hypot(np.minimum(tx, nx - tx), np.minimum(ty, ny - ty)) > smallest
        dx, dy = np.append(dx, tx[far]), np.append(dy, ty[far])
    # pixel 0 reaches from -0.5 to 0.5
    sx = np.mod(np.asarray(x) + dx[:count, None] + 0.5, nx) - 0.5
    sy = np.mod(np.asarray(y) + dy[:count, None] + 0.5, ny) - 0.5
    columns = np.clip(np.rint(sx).astype(int), 0, nx - 1)
    rows = np.clip(np.rint(sy).astype(int), 0, ny - 1)
    seen = ~empty[rows, columns]
    group = np.broadcast_to(np.arange(count)[:, None], seen.shape)
    return Positions(sx[seen], sy[seen], group[seen])


def _effective(success: NDArray[np.bool_], group: NDArray[np.intp]) -> float:
    """How many independent positions tell as much about the rate as these grouped ones.

    p (1 - p) over the variance of the mean, from the scatter between groups (the ratio estimator
    of cluster sampling, Cochran 1977, section 3.12); never more than there are positions. One
    group alone has no scatter, and is one position.
    """
    n, p = success.size, success.mean()
    sizes = np.bincount(group)
    sizes, sums = sizes[sizes > 0], np.bincount(group, weights=success)[sizes > 0]
    if sizes.size == 1:
        return 1.0
    if sizes.size == n or p in (0, 1):
        return float(n)
    variance = sizes.size / (sizes.size - 1) * np.sum((sums - p * sizes) ** 2) / n**2
    return float(min(n, p * (1 - p) / variance)) if variance > 0 else float(n)


def corrected_success(
    success: float, sources: float, chance: float, chance_trials: float
) -> tuple[float, float, float]:
    """Chance-corrected success S_c = (S/N - p0) / (1 - p0), with its 95 % limits.

    S_c = 1 - (1 - S/N) / (1 - p0) is one minus a ratio of two failure rates. Each has a Wilson
    interval (p0 from `chance_trials` effective positions), and `ratio_interval` turns the two into
    one. NaN where chance leaves less than one of the sources to fail (or there are none): what
    is beyond chance is then beyond any number.
    """
    if not sources * (1 - chance) >= 1 - 1e-9:  # 10 * (1 - 0.9) is less than 1
        return (float("nan"),) * 3
    fail, fail0 = 1 - success / sources, 1 - chance
    low, high = (float(v) for v in wilson(sources - success, sources))
    low0, high0 = (float(v) for v in wilson(fail0 * chance_trials, chance_trials))
    ratio = ratio_interval(fail, (low, high), fail0, (low0, high0))
    return 1 - fail / fail0, 1 - ratio[1], 1 - ratio[0]


def binomial_p(success: int, sources: NDArray | int, chance: NDArray | float) -> float:
    """P(X >= success) when each of `sources` succeeds by chance alone.

    With arrays (one value an image), X is the sum of the images' binomial counts; its distribution
    is the convolution of theirs.
    """
    distribution = np.ones(1)
    for n, p in zip(np.atleast_1d(sources), np.atleast_1d(chance), strict=True):
        distribution = np.convolve(distribution, stats.binom.pmf(np.arange(n + 1), n, p))
    return float(min(distribution[success:].sum(), 1.0))


def chance_row(
    tried: NDArray[np.str_], group: NDArray[np.intp], given: NDArray[np.str_]
) -> dict[str, float]:
    """What the verdicts `tried` at chance positions say about those `given` to the sources.

    Returns n_positions, n_effective, chance_success (p0) with its Wilson limits, chance_near,
    success, sources, rate, corrected (S_c) with its limits, p_value (binomial; p0 is taken as
    (k + 1) / (n + 1), so that a finite number of positions cannot prove that chance never
    succeeds), and p_shifts, the share of shifts of the catalogue that do as well as the catalogue
    (NaN where each position is a group, drawn one by one or of one source). No positions: p0 is
    NaN and all that follows from it.
    """
    succeeded = tried == VERDICTS[0]
    n, sources = tried.size, given.size
    success = int((given == VERDICTS[0]).sum())
    chance = float(succeeded.mean()) if n else float("nan")
    effective = _effective(succeeded, group) if n else 0.0
    low, high = wilson(chance * effective if n else 0, effective)
    corrected = corrected_success(success, sources, chance, effective)
    p_shifts = float("nan")
    sizes = np.bincount(group) if n else np.zeros(0, int)
    if sources and sizes.size < n:
        rates = np.bincount(group, weights=succeeded)[sizes > 0] / sizes[sizes > 0]
        p_shifts = (np.sum(rates >= success / sources) + 1) / (rates.size + 1)
    adjusted = (succeeded.sum() + 1) / (n + 1)
    return {
        "n_positions": n,
        "n_effective": effective,
        "chance_success": chance,
        "chance_low": float(low),
        "chance_high": float(high),
        "chance_near": float((tried == VERDICTS[1]).mean()) if n else float("nan"),
        "success": success,
        "sources": sources,
        "rate": success / sources if sources else float("nan"),
        "corrected": corrected[0],
        "corrected_low": corrected[1],
        "corrected_high": corrected[2],
        "p_value": binomial_p(success, sources, adjusted) if n else float("nan"),
        "p_shifts": float(p_shifts),
    }


def chance_rows(
    crop: Frame,
    image: str,
    peaks: pd.DataFrame,
    sources: pd.DataFrame,
    judged: Iterable[tuple[str, str, NDArray[np.bool_], pd.DataFrame]],
    *,
    radius: str,
    near: str,
    smallest_spot: str | None,
    min_pixels: int,
    tolerance_fwhm: float,
    positions: int,
    seed: int,
) -> pd.DataFrame:
    """The `chance_row` of each mask of an image, at random positions and at the shifted catalogue.

    `judged`: method, domain, mask and the table of its verdicts (columns verdict and
    verdict_pixels). `peaks` are the reference peaks and `sources` the catalogue's, x and y in
    pixels of the crop. `radius`, `near` and `smallest_spot` are sizes as the verdicts have them;
    spots are joined to peaks as for these. At least `positions` positions of each kind, the same
    for all masks. Columns: method, domain, scorer ('peaks' or 'pixels'), positions ('random' or
    'shifted'), and those of `chance_row`.
    """
    circle = {"radius_px": crop.length_px(radius), "near_px": crop.length_px(near)}
    tried = {
        "random": random_positions(crop.empty, positions, seed=seed_for(seed, image, 0)),
        "shifted": shifted_catalogue(
            sources["x"].to_numpy(float),
            sources["y"].to_numpy(float),
            crop.empty,
            n=positions,
            smallest_px=sum(circle.values()),
            seed=seed_for(seed, image, 1),
        ),
    }
    smallest_px = smallest_spot_px(smallest_spot, crop)
    rows = []
    for method, domain, mask, given in judged:
        spots = label_spots(
            mask, peaks, min_pixels=min_pixels, tolerance_px=tolerance_fwhm * crop.fwhm_px
        )
        marked = peaks[spots.seen_peaks(peaks["snr"].to_numpy(float), smallest_px)]
        for name, at in tried.items():
            distance = nearest_distance(at.x, at.y, marked["x"], marked["y"])
            scored = {
                "peaks": (verdict_of(distance, **circle), given["verdict"]),
                "pixels": (literal_verdicts(at.x, at.y, mask, **circle), given["verdict_pixels"]),
            }
            for scorer, (by_chance, of_sources) in scored.items():
                row = chance_row(by_chance, at.group, of_sources.to_numpy(str))
                keys = {"method": method, "domain": domain, "scorer": scorer, "positions": name}
                rows.append(keys | row)
    return pd.DataFrame(rows)


def pool_chance(table: pd.DataFrame) -> pd.DataFrame:
    """Rows for all images together, image = 'All', from rows of `chance_row` with image and keys.

    p0 is the mean over sources (each image weighs as it has sources), its effective number of
    positions follows from the variance of that mean. Images without sources, or where no position
    could be tried, do not count.
    """
    keys = ["method", "domain", "scorer", "positions"]
    pooled = []
    counted = table[(table["sources"] > 0) & (table["n_positions"] > 0)]
    for key, rows in counted.groupby(keys, sort=False):
        weight = rows["sources"] / rows["sources"].sum()
        p, n = rows["chance_success"], rows["n_effective"]
        chance = float((weight * p).sum())
        # (1 - p) p / n with the Wilson centre for p, so that an image at 0 or 1 is not exact
        centre = (p * n + 2) / (n + 4)
        variance = float((weight**2 * centre * (1 - centre) / n).sum())
        mixed = float((weight * centre).sum())
        effective = mixed * (1 - mixed) / variance
        success, sources = int(rows["success"].sum()), int(rows["sources"].sum())
        corrected = corrected_success(success, sources, chance, effective)
        low, high = wilson(chance * effective, effective)
        adjusted = (p * rows["n_positions"] + 1) / (rows["n_positions"] + 1)
        pooled.append(
            {
                "image": "All",
                **dict(zip(keys, key, strict=True)),
                "n_positions": int(rows["n_positions"].sum()),
                "n_effective": effective,
                "chance_success": chance,
                "chance_low": float(low),
                "chance_high": float(high),
                "chance_near": float((weight * rows["chance_near"]).sum()),
                "success": success,
                "sources": sources,
                "rate": success / sources,
                "corrected": corrected[0],
                "corrected_low": corrected[1],
                "corrected_high": corrected[2],
                "p_value": binomial_p(success, rows["sources"].to_numpy(), adjusted.to_numpy()),
                "p_shifts": float("nan"),
            }
        )
    return pd.DataFrame(pooled, columns=table.columns)


def chance_layout(table: pd.DataFrame, bold: Callable[[str], str]) -> pd.DataFrame:
    """S_c and p in the layout of Table 3: a row for each image, two columns for each method.

    `table` has a row of `chance_row` for each image (last 'All') and method. Bold where p, after
    Holm's correction for all images and methods, is below 0.05; 'All' is corrected on its own. A
    table without rows stays one.
    """
    if table.empty:
        return pd.DataFrame({"Image": []})
    images = [image for image in dict.fromkeys(table["image"]) if image != "All"]
    images += ["All"] if (table["image"] == "All").any() else []
    parts = (table["image"] == "All", table["image"] != "All")
    significant = pd.concat(
        [
            pd.Series(holm(rows["p_value"].fillna(1)), rows.index)
            for rows in (table[p] for p in parts)
        ]
    )
    cells = table.assign(significant=significant < 0.05).set_index(["image", "method"])
    layout: dict[str, list[str]] = {"Image": images}
    for method in dict.fromkeys(table["method"]):
        label = method_label(method)
        values, ps = [], []
        for image in images:
            row = cells.loc[(image, method)]
            if np.isnan(row["corrected"]):
                text = "-"
            else:
                limits = f"{row['corrected_low']:z.2f}, {row['corrected_high']:z.2f}"
                text = f"{row['corrected']:z.2f} ({limits})"
            values.append(bold(text) if row["significant"] else text)
            ps.append(f"{row['p_value']:.1g}" if row["sources"] else "-")
        layout[f"{label} S_c"], layout[f"{label} p"] = values, ps
    return pd.DataFrame(layout)
