"""Table 3 under other settings: which of its conclusions depend on a choice."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mirimask.sources.spots import Spots, label_spots
from mirimask.sources.verdicts import literal_verdicts, peak_verdicts

__all__ = ["CONCLUSIONS", "CUTS", "conclusions", "count_variants", "other_radii", "other_smallest"]

# conditions that are tried on a catalogue, by its name
CUTS = {"unwise": ("FW1 > 20 * e_FW1", "fFW1 > 0.7", "q_W1 > 0.9")}
_RADII_SIXTHS = (3, 4, 8, 10)  # of the radius: 9, 12, 24 and 30 px where it is 18 px
# pixels of the smallest spot in F770W at 0.11 arcsec, where the PSF has an FWHM of 2.445 px
_SMALLEST, _SMALLEST_FWHM_PX = (3, 5, 9, 25), 0.269 / 0.11


def other_radii(radius: str) -> list[str]:
    """Half, two thirds, four and five thirds of a size such as '18 px' or '1 fwhm'."""
    number, unit = radius.split()
    return [f"{float(number) * sixths / 6:.4g} {unit}" for sixths in _RADII_SIXTHS]


def other_smallest(fwhm_px: float) -> dict[str, int]:
    """Pixels of the smallest spot, 3, 5, 9 and 25 in F770W at 0.11 arcsec, by that number.

    Where the PSF is wider or narrower than there, `fwhm_px`, as large a share of its area; 1 at
    least.
    """
    share = (fwhm_px / _SMALLEST_FWHM_PX) ** 2
    return {f"{n}": max(1, round(n * share)) for n in _SMALLEST}


SCORERS = ("peaks", "pixels")


def _count(verdicts: NDArray[np.str_] | pd.Series) -> dict[str, int]:
    return {name: int((verdicts == name).sum()) for name in ("success", "near", "failure")}


def count_variants(
    masks: Mapping[str, NDArray[np.bool_]],
    peaks: pd.DataFrame,
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    *,
    standard: Mapping[str, float],
    variants: Mapping[str, Mapping[str, float]],
    subsets: Mapping[str, NDArray[np.bool_]],
) -> pd.DataFrame:
    """Successes of each mask with one setting changed at a time.

    Parameters
    ----------
    masks : masks of one image by method, (ny, nx) bool
    peaks : reference peaks down to the lowest signal-to-noise ratio of `variants["snr"]`
    x, y : positions of the sources in pixels
    standard : the study's own radius_px, near_px, snr, min_pixels and tolerance_px
    variants : other values of radius_px, snr and min_pixels, each by the text that stands for it:
        "9 px" for a radius, "3" for the others
    subsets : chosen sources by the name of the choice, (n,) bool

    Returns
    -------
    Columns setting, value, method, sources, success, near, failure. The study's own settings are
    the rows with the setting "as configured"; the literal rule those with "scorer".
    """
    rows: list[dict[str, str | int]] = []

    def judge(spots: Spots, own: pd.DataFrame, radius_px: float) -> pd.Series:
        circle = {"radius_px": radius_px, "near_px": standard["near_px"]}
        return peak_verdicts(x, y, spots, own, **circle)["verdict"]

    def brighter(snr: float) -> pd.DataFrame:
        return peaks[peaks["snr"] > snr].reset_index(drop=True)

    for method, mask in masks.items():

        def spots_of(own: pd.DataFrame, min_pixels: float, mask: NDArray[np.bool_] = mask) -> Spots:
            return label_spots(
                mask, own, min_pixels=int(min_pixels), tolerance_px=standard["tolerance_px"]
            )

        def add(setting: str, value: object, verdicts: object, method: str = method) -> None:
            counts = _count(np.asarray(verdicts))
            named = {"setting": setting, "value": str(value), "method": method}
            rows.append({**named, "sources": sum(counts.values()), **counts})

        own = brighter(standard["snr"])
        spots = spots_of(own, standard["min_pixels"])
        usual = judge(spots, own, standard["radius_px"])
        add("as configured", "", usual)
        for text, radius in variants["radius_px"].items():
            number, _, unit = text.partition(" ")
            add(f"verdict radius [{unit}]", number, judge(spots, own, radius))
        for text, snr in variants["snr"].items():
            others = brighter(snr)
            again = spots_of(others, standard["min_pixels"])
            add("peak S/N", text, judge(again, others, standard["radius_px"]))
        for text, min_pixels in variants["min_pixels"].items():
            again = spots_of(own, min_pixels)
            add("smallest spot [px]", text, judge(again, own, standard["radius_px"]))
        for name, chosen in subsets.items():
            add("catalogue", name, usual[chosen])
        circle = {"radius_px": standard["radius_px"], "near_px": standard["near_px"]}
        add("scorer", "any mask pixel", literal_verdicts(x, y, mask, **circle))
    return pd.DataFrame(rows)


def _all_images(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for _, one in table.groupby("image", sort=False):
        yield one.set_index("method")["success"]


def _derivative_10_above_segmentation(table: pd.DataFrame) -> bool:
    return all(one["derivative_10"] > one["segmentation"] for one in _all_images(table))


def _derivative_10_not_below_segmentation(table: pd.DataFrame) -> bool:
    return all(one["derivative_10"] >= one["segmentation"] for one in _all_images(table))


def _pooled(table: pd.DataFrame) -> pd.Series:
    return table.groupby("method")["success"].sum()


def _pooled_above(method: str, other: str, table: pd.DataFrame) -> bool:
    return bool(_pooled(table)[method] > _pooled(table)[other])


def _no_method_best_everywhere(table: pd.DataFrame) -> bool:
    best = [set(one[one == one.max()].index) for one in _all_images(table)]
    return not set.intersection(*best)


# what a reader may have taken from Table 3, and whether a table bears it out
CONCLUSIONS = {
    "derivative 10 % has more successes than the segmentation in every image (C1)": (
        _derivative_10_above_segmentation
    ),
    "derivative 10 % has no fewer than the segmentation in any image": (
        _derivative_10_not_below_segmentation
    ),
    "derivative 10 % has more than the segmentation in all images together": (
        lambda table: _pooled_above("derivative_10", "segmentation", table)
    ),
    "derivative 4.6 % has more than value 4.6 % in all images together": (
        lambda table: _pooled_above("derivative_4.6", "value_4.6", table)
    ),
    "value 1 % has more than the segmentation in all images together": (
        lambda table: _pooled_above("value_1", "segmentation", table)
    ),
    "value 0.3 % has fewer than the segmentation in all images together": (
        lambda table: _pooled_above("segmentation", "value_0.3", table)
    ),
    "no method is best in every image (C12)": _no_method_best_everywhere,
}


def conclusions(variants: pd.DataFrame) -> pd.DataFrame:
    """Whether each of `CONCLUSIONS` holds under each setting.

    `variants` are tables of `count_variants` with a column `image`; an image without sources says
    nothing. Returns columns conclusion, setting, value, holds. A conclusion about a method that is
    not there, or without sources, is left out.
    """
    rows = []
    variants = variants[variants["sources"] > 0]
    for (setting, value), table in variants.groupby(["setting", "value"], sort=False):
        for text, holds in CONCLUSIONS.items():
            try:
                answer = holds(table)
            except KeyError:
                continue
            rows.append({"conclusion": text, "setting": setting, "value": value, "holds": answer})
    return pd.DataFrame(rows, columns=["conclusion", "setting", "value", "holds"])
