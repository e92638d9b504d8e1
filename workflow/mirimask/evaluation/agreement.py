"""The automatic verdict against the truth of simulated images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mirimask.image.frame import Frame
from mirimask.intervals import wilson
from mirimask.masks.names import method_label
from mirimask.sources.spots import labels_near
from mirimask.sources.verdicts import verdict_of

__all__ = [
    "CutOut",
    "agreement_table",
    "cohen_kappa",
    "cut_out",
    "share_interval",
    "spread_over_images",
    "truth_verdicts",
]


def truth_verdicts(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    truth: pd.DataFrame,
    labels: NDArray[np.integer],
    *,
    tolerance_px: float,
    radius_px: float,
    near_px: float,
) -> pd.DataFrame:
    """The verdict that knowledge of the sky gives to each catalogue position (x, y).

    `truth` holds the true sources bright enough to be seen (the caller's limit, from flux and noise
    alone) as from `truth_in_crop`. One is covered if a spot of the mask (`labels`, 0 for none) lies
    on it or within `tolerance_px`: the same reach as for reference peaks, as it is a property of
    the masks. `success` where a covered true source lies within `radius_px` of the position, `near`
    within the next `near_px`, else `failure`. Reference peaks have no part in it. Columns:
    truth_verdict, truth_distance_px, truth_id, truth_ab_mag of the nearest covered source (inf, ''
    and NaN for none), and visible_px, the distance to the nearest source, covered or not.
    """
    covered = labels_near(labels, truth["column"], truth["row"], tolerance_px) > 0
    none = pd.DataFrame(
        {
            "truth_distance_px": np.full(len(x), np.inf),
            "truth_id": np.full(len(x), "", dtype=object),
            "truth_ab_mag": np.full(len(x), np.nan),
            "visible_px": np.full(len(x), np.inf),
        }
    )
    if len(x) and len(truth):
        distance = np.hypot(
            np.asarray(x)[:, None] - truth["x"].to_numpy(float),
            np.asarray(y)[:, None] - truth["y"].to_numpy(float),
        )
        none["visible_px"] = distance.min(axis=1)
        if covered.any():
            nearest = np.where(covered, distance, np.inf).argmin(axis=1)
            none["truth_distance_px"] = distance[np.arange(len(x)), nearest]
            none["truth_id"] = truth["id"].to_numpy(object)[nearest]
            none["truth_ab_mag"] = truth["ab_mag"].to_numpy(float)[nearest]
    verdict = verdict_of(none["truth_distance_px"].to_numpy(), radius_px=radius_px, near_px=near_px)
    none.insert(0, "truth_verdict", verdict)
    return none


def cohen_kappa(first: ArrayLike, second: ArrayLike) -> float:
    """Cohen's kappa (1960): agreement beyond what the two scorers' own rates would give.

    (p_o - p_e) / (1 - p_e), p_e = sum over classes of the product of both shares. NaN for no
    verdicts, or where both gave one and the same class throughout.
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.size == 0:
        return float("nan")
    classes = np.union1d(a, b)
    observed = float((a == b).mean())
    expected = float(sum((a == c).mean() * (b == c).mean() for c in classes))
    return (observed - expected) / (1 - expected) if expected < 1 else float("nan")


def agreement_table(judged: pd.DataFrame) -> pd.DataFrame:
    """Agreement of `verdict` and `truth_verdict` for each image and method, and over them.

    `judged` has a row for each image, method and source. Rows for each image and method, each image
    (method 'All'), each method (image 'All') and everything. Columns: image, method, sources,
    agree, agreement with Wilson limits (verdicts of the same source under several masks count for
    as many as their scatter from source to source allows), kappa (success, near, failure),
    agree_success, agreement_success, kappa_success (success or not), false_success (the automatic
    verdict is success, the truth is not) and missed_success.
    """
    rows = []
    number = judged.groupby(["image", "method"]).cumcount()  # of a source, the same for every mask
    judged = judged.assign(source=judged["image"] + " " + number.astype(str))

    def add(image: str, method: str, own: pd.DataFrame) -> None:
        given, true = own["verdict"].to_numpy(str), own["truth_verdict"].to_numpy(str)
        n, agree = len(own), int((given == true).sum())
        low, high = share_interval(own["verdict"] == own["truth_verdict"], own["source"])
        success, true_success = given == "success", true == "success"
        same = int((success == true_success).sum())
        rows.append(
            {
                "image": image,
                "method": method,
                "sources": n,
                "agree": agree,
                "agreement": agree / n if n else float("nan"),
                "agreement_low": low,
                "agreement_high": high,
                "kappa": cohen_kappa(given, true),
                "agree_success": same,
                "agreement_success": same / n if n else float("nan"),
                "kappa_success": cohen_kappa(success, true_success),
                "false_success": int((success & ~true_success).sum()),
                "missed_success": int((~success & true_success).sum()),
            }
        )

    for (image, method), own in judged.groupby(["image", "method"], sort=False):
        add(image, method, own)
    for image, own in judged.groupby("image", sort=False):
        add(image, "All", own)
    for method, own in judged.groupby("method", sort=False):
        add("All", method, own)
    add("All", "All", judged)
    return pd.DataFrame(rows)


def share_interval(agrees: "pd.Series[bool]", source: "pd.Series[str]") -> tuple[float, float]:
    """95 % Wilson limits of the share of verdicts that agree, several of them of the same source.

    They count for as many independent trials as have the scatter of the mean of the sources'
    shares; where all shares are the same, for a trial a source. 0 and 1 without verdicts.
    """
    shares = agrees.groupby(source.to_numpy()).mean()
    variance = shares.var(ddof=0) / len(shares) if len(shares) else 0.0
    mean = agrees.mean() if len(agrees) else 0.0
    trials = min(len(agrees), mean * (1 - mean) / variance) if variance > 0 else len(shares)
    low, high = wilson(mean * trials, trials)
    return float(low), float(high)


@dataclass(frozen=True)
class CutOut:
    """A piece of an image around a catalogue position, which is its centre.

    `image` and `mask` are (n, n); `radii` in pixels: of success and of near; `peaks` and `truth`
    (k, 2) positions in pixels of the piece, `magnitudes` (k,) AB of the true sources.
    """

    title: str
    lines: Sequence[str]
    image: NDArray[np.floating]
    mask: NDArray[np.bool_]
    mask_name: str
    radii: tuple[float, float]
    peaks: NDArray[np.floating]
    truth: NDArray[np.floating]
    magnitudes: NDArray[np.floating]


def spread_over_images(judged: pd.DataFrame, most: int) -> list[pd.DataFrame]:
    """The rows of each of at most `most` sources (columns image and id).

    In turns: the first source of each image, then the second of each, and so on.
    """
    sources = judged[["image", "id"]].drop_duplicates()
    turns = sources.groupby("image", sort=False).cumcount().sort_values(kind="stable")
    rows = dict(list(judged.groupby(["image", "id"], sort=False)))
    chosen = sources.loc[turns.index[:most]]
    return [rows[source] for source in chosen.itertuples(index=False, name=None)]


def cut_out(
    crop: Frame,
    rows: pd.DataFrame,
    mask: NDArray[np.bool_],
    peaks: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    radius: str,
    near: str,
) -> CutOut:
    """The piece of a crop around one source that methods' verdicts and the truth disagree about.

    `rows`: image, id, x, y, method, verdict and truth_verdict, one a method; `mask` is the first
    one's. `peaks` has x and y in pixels of the crop, `truth` in those of its frame, and ab_mag.
    `radius` and `near` are sizes as the verdicts have them. Beyond the crop there is NaN.
    """
    first = rows.iloc[0]
    radii = crop.length_px(radius), crop.length_px(near)
    # some sky around the ring: 50 px for the paper's circle
    half = round(max(7 / 6 * sum(radii), 10 * crop.fwhm_px))
    column, row = round(first["x"]), round(first["y"])
    start, size = np.array([column - half, row - half]), 2 * half + 1
    inside = np.s_[row : row + size, column : column + size]
    return CutOut(
        title=f"{first['image']}, {first['id']}",
        lines=[
            f"{given}, truth {true}: {', '.join(map(method_label, dict.fromkeys(group['method'])))}"
            for (given, true), group in rows.groupby(["verdict", "truth_verdict"], sort=False)
        ],
        image=np.pad(crop.masked, half, constant_values=np.nan)[inside],
        mask=np.pad(mask, half)[inside],
        mask_name=first["method"],
        radii=(radii[0], sum(radii)),
        peaks=peaks[["x", "y"]].to_numpy(float) - start,
        truth=truth[["x", "y"]].to_numpy(float) - (np.array(crop.origin[::-1]) + start),
        magnitudes=truth["ab_mag"].to_numpy(float),
    )
