"""Table 3 under other settings: which of its conclusions depend on a choice."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from astropy.table import Table
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.image.background import background_meshes
from mirimask.image.frame import Frame, pixels
from mirimask.masks.filters import matched_filter
from mirimask.masks.segmentation import SegmentationSettings, smoothed, sources_above
from mirimask.sizes import size_parts
from mirimask.sources.catalogue import locate_sources
from mirimask.sources.conditions import check_condition, fulfilled
from mirimask.sources.peaks import reference_peaks, within_fwhm_px
from mirimask.sources.spots import Spots, label_spots
from mirimask.sources.verdicts import literal_verdicts, peak_verdicts, smallest_spot_px

__all__ = [
    "CONCLUSIONS",
    "CUTS",
    "conclusions",
    "count_masks",
    "count_variants",
    "kept_by_cuts",
    "of_every_image",
    "other_peaks",
    "other_radii",
    "other_segmentations",
    "other_smallest",
    "pool_variants",
    "spot_text",
    "survival",
    "tried_settings",
    "vary_settings",
    "with_effect",
]

_logger = logging.getLogger("mirimask.evaluation.sensitivity")

# scorers of a study (verdict.scorer), in the words of study.inputs.configured
_SCORERS = {"peaks": "bright peak", "pixels": "any mask pixel"}
# conditions that are tried on a catalogue, by its name
CUTS = {"unwise": ("FW1 > 20 * e_FW1", "fFW1 > 0.7", "q_W1 > 0.9")}
_RADII_SIXTHS = (3, 4, 8, 10)  # of the radius: 9, 12, 24 and 30 px where it is 18 px
_SMALLEST, _MIRI_PX = (1, 9, 12, 25), 0.11  # pixels of the smallest spot, of so many arcseconds
_ROW = "row of the catalogue"


def other_radii(radius: str) -> list[str]:
    """Half, two thirds, four and five thirds of a size such as '18 px' or '1 fwhm'."""
    number, unit = size_parts(radius)
    return [f"{float(number) * sixths / 6:.4g} {unit}" for sixths in _RADII_SIXTHS]


def other_smallest(pixel_scale: float) -> dict[str, int]:
    """Pixels of the smallest spot, 1, 9, 12 and 25 of MIRI's 0.11 arcsec, by that number.

    Where a pixel has another size (`pixel_scale`, arcseconds), as large a piece of the sky; 1 at
    least.
    """
    share = (_MIRI_PX / pixel_scale) ** 2
    return {f"{n}": max(1, round(n * share)) for n in _SMALLEST}


def spot_text(size: str | None) -> str:
    """A smallest spot (`verdict.smallest_spot`) as `other_smallest` counts them, in whole pixels.

    As it is written where it depends on the image; None, where every spot counts with all of its
    peaks, is 'all peaks'.
    """
    if size is None:
        return "all peaks"
    if size_parts(size)[1] != "arcsec":
        return size
    return f"{round(np.pi / 4 * pixels(size, _MIRI_PX) ** 2)}"


def vary_settings(
    frame: Frame,
    crop: Frame,
    sources: Table,
    catalogue: Table,
    masks: Mapping[str, NDArray[np.bool_]],
    other_masks: Mapping[str, NDArray[np.bool_]],
    *,
    standard: Mapping[str, Any],
    variants: Mapping[str, Mapping[str, float]],
    background_box: str,
    other_domain: str,
    segmentation: Mapping[str, Any],
    segmentations: Sequence[Mapping[str, Any]],
    catalogue_settings: Mapping[str, Any],
    cuts: Sequence[str] | None,
) -> pd.DataFrame:
    """The successes of the masks of one image with one setting changed at a time.

    `masks` and `other_masks` are those of the study and those with slices over the `other_domain`
    (none: it is not tried). `standard` and `variants` as from `tried_settings`; reference peaks are
    found on background in boxes of `background_box`. For the others see `other_peaks`,
    `other_segmentations` (left out where no mask is the segmentation) and `kept_by_cuts`. Columns
    as of `count_variants`.
    """
    box_px = round(crop.length_px(background_box))
    peaks = reference_peaks(
        crop.data,
        crop.empty,
        fwhm_px=crop.fwhm_px,
        snr=min([standard["snr"], *variants["snr"].values()]),
        background_box_px=box_px,
    )
    where = np.asarray(sources["x"], float), np.asarray(sources["y"], float)
    at = peaks, *where
    subsets = kept_by_cuts(crop, sources, catalogue, settings=catalogue_settings, cuts=cuts)
    tables = [count_variants(masks, *at, standard=standard, variants=variants, subsets=subsets)]
    finders = (
        other_peaks(crop, snr=standard["snr"], background_box_px=box_px)
        if standard["scorer"] == "peaks"
        else {}
    )
    tables += [
        count_masks(masks, own, *where, standard=standard, setting="peak finder", value=name)
        for name, own in finders.items()
    ]
    others = [("slice domain", other_domain, other_masks)] if other_masks else []
    if "segmentation" in masks:
        made = other_segmentations(frame, crop, segmentations, settings=segmentation)
        others += [
            ("segmentation", name, {**masks, "segmentation": mask}) for name, mask in made.items()
        ]
    for setting, value, changed in others:
        tables.append(count_masks(changed, *at, standard=standard, setting=setting, value=value))
    return pd.concat(tables)


_FINE_MESH_FWHM = 6.5  # 16 px in F770W


def other_peaks(crop: Frame, *, snr: float, background_box_px: int) -> dict[str, pd.DataFrame]:
    """Bright points by other finders, by their names, as from `reference_peaks`.

    The reference peaks and the cores share an operator, nearly: a difference of two widths. These
    do not. photutils' `DAOStarFinder` on the image less its background in boxes, above `snr` times
    the local rms; and the local maxima of a matched filter (the PSF alone, a Gaussian) above `snr`
    in a fine mesh. Every one is above the limit, whatever its own measure: their snr is infinite.
    They are sorted by brightness, as of a spot the first one counts.
    """
    from photutils.detection import DAOStarFinder, find_peaks
    from photutils.utils.exceptions import NoDetectionsWarning

    hidden, fwhm_px = crop.empty | ~np.isfinite(crop.data), crop.fwhm_px
    image = np.where(hidden, 0, crop.data)
    level, rms = background_meshes(image, hidden, box_px=background_box_px)
    finder = DAOStarFinder(
        snr * np.where(rms > 0, rms, np.inf), fwhm_px, sharpness_range=(0.2, 1.5)
    )  # sharp as photutils' page advises for a PSF of few pixels
    family = matched_filter(
        crop.empty,
        fwhm_px=fwhm_px,
        levels=np.array([snr]),
        box_px=round(_FINE_MESH_FWHM * fwhm_px),
    )
    scores = family.scores(crop.masked)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)
        stars = finder.find_stars(np.where(hidden, 0, image - level), mask=hidden)
        maxima = find_peaks(scores[0], snr, box_size=within_fwhm_px(fwhm_px)) if scores else None
    return {
        name: _peaks_at(crop, found, columns)
        for name, found, columns in (
            ("DAOStarFinder", stars, ("x_centroid", "y_centroid")),
            ("matched filter", maxima, ("x_peak", "y_peak")),
        )
    }


def _peaks_at(crop: Frame, found: Table | None, columns: tuple[str, str]) -> pd.DataFrame:
    """The positions of a finder's table as reference peaks, those on empty pixels left out."""
    ny, nx = crop.data.shape
    if found is None:
        x = y = np.zeros(0, int)
    else:
        x, y = (
            np.rint(np.asarray(found[name], float)).astype(int).clip(0, n - 1)
            for name, n in zip(columns, (nx, ny), strict=True)
        )
    seen = ~crop.empty[y, x]
    x, y = x[seen], y[seen]
    peaks = pd.DataFrame({"x": x, "y": y, "value": crop.data[y, x], "snr": np.inf})
    return peaks.sort_values("value", ascending=False, kind="stable", ignore_index=True)


def tried_settings(
    crop: Frame,
    *,
    scorer: str,
    radius: str,
    near: str,
    snr: float,
    smallest_spot: str | None,
    min_pixels: int,
    tolerance_fwhm: float,
    radii: Sequence[str] | None,
    snrs: Sequence[float],
    smallest: Sequence[int] | None,
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """The study's own settings in pixels of a crop, and those that are tried in their place.

    The first seven are the study's own; the `scorer` is peaks or pixels. `radii` (sizes), `snrs`
    and `smallest` (pixels) are tried in place of radius, snr and smallest_spot; None: `other_radii`
    and `other_smallest`. Returns `standard` and `variants` as `count_variants` wants them.
    """
    standard: dict[str, Any] = {
        "scorer": scorer,
        "radius_px": crop.length_px(radius),
        "near_px": crop.length_px(near),
        "snr": snr,
        "smallest_px": smallest_spot_px(smallest_spot, crop),
        "min_pixels": min_pixels,
        "tolerance_px": tolerance_fwhm * crop.fwhm_px,
    }
    if smallest is None:
        spots: Mapping[str, float] = other_smallest(crop.pixel_scale)
    else:
        spots = {f"{n}": n for n in smallest}
    variants = {
        "radius_px": {
            size: crop.length_px(size) for size in (other_radii(radius) if radii is None else radii)
        },
        "snr": {f"{other:g}": other for other in snrs},
        "smallest_px": dict(spots),
    }
    return standard, variants


def kept_by_cuts(
    crop: Frame,
    sources: Table,
    catalogue: Table,
    *,
    settings: Mapping[str, Any],
    cuts: Sequence[str] | None,
) -> dict[str, NDArray[np.bool_]]:
    """Which of the sources on a crop fulfil a further condition on the catalogue, (n,) bool each.

    `sources` as from `locate_sources` on the `catalogue`; `settings` are the catalogue's name, the
    columns ra and dec, and the condition `keep` of the study. `cuts` are conditions; None:
    those of `CUTS` for the catalogue. One of columns that are missing is left out, with a warning.
    """
    cuts = CUTS.get(settings["name"], ()) if cuts is None else cuts
    if not len(sources):  # nor may the catalogue have columns
        return dict.fromkeys(cuts, np.zeros(0, bool))
    numbered = Table(catalogue, copy=False)
    numbered[_ROW] = np.arange(len(numbered))
    found = locate_sources(
        numbered,
        crop.wcs,
        crop.data.shape,
        id_column=_ROW,
        ra_column=settings["ra"],
        dec_column=settings["dec"],
        keep=settings["keep"],
    )
    rows = found["id"].astype(int)  # of the same sources, in the same order
    subsets = {}
    for cut in cuts:
        try:
            check_condition(cut)
            subsets[cut] = fulfilled(cut, catalogue)[rows]
        except MaskError as error:
            _logger.warning("the cut '%s' is left out: %s", cut, error)
    return subsets


def other_segmentations(
    frame: Frame,
    crop: Frame,
    others: Sequence[Mapping[str, Any]],
    *,
    settings: Mapping[str, Any],
) -> dict[str, NDArray[np.bool_]]:
    """The pipeline's segmentation with other settings, on the crop of a frame, by their names.

    `others` are settings that replace those of the study, `settings`; the segmentation is made of
    the whole frame, as the pipeline does it.
    """
    data = frame.masked
    if frame.error is not None:
        data[np.isnan(frame.error)] = np.nan
    chosen: dict[str, SegmentationSettings] = {}
    alike: dict[tuple[int, float], list[str]] = {}  # those with one background and kernel
    for other in others:
        changed = dict(other)
        version = changed.pop("jwst_version", settings["jwst_version"])
        name = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in other.items())
        own = chosen[name] = SegmentationSettings.for_jwst(version, **changed)
        alike.setdefault((own.box_px, own.kernel_fwhm_px), []).append(name)
    found = {}
    for names in alike.values():
        smooth, rms, mask = smoothed(data, settings=chosen[names[0]])
        for name in names:
            own = chosen[name]
            labels = sources_above(smooth, own.snr * rms, mask, settings=own)
            found[name] = crop.cut(labels) > 0
    return {name: found[name] for name in chosen}


def _count(verdicts: NDArray[np.str_] | pd.Series) -> dict[str, int]:
    return {name: int((verdicts == name).sum()) for name in ("success", "near", "failure")}


def count_variants(
    masks: Mapping[str, NDArray[np.bool_]],
    peaks: pd.DataFrame,
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    *,
    standard: Mapping[str, Any],
    variants: Mapping[str, Mapping[str, float]],
    subsets: Mapping[str, NDArray[np.bool_]],
) -> pd.DataFrame:
    """Successes of each mask with one setting changed at a time.

    Parameters
    ----------
    masks : masks of one image by method, (ny, nx) bool
    peaks : reference peaks down to the lowest signal-to-noise ratio of `variants["snr"]`
    x, y : positions of the sources in pixels
    standard : the study's own scorer ("peaks", or "pixels", the literal rule), radius_px, near_px,
        snr, smallest_px, min_pixels and tolerance_px
    variants : other values of radius_px, snr and smallest_px, each by the text that stands for it:
        "9 px" for a radius, "3" for the others
    subsets : chosen sources by the name of the choice, (n,) bool

    Returns
    -------
    Columns setting, value, method, sources, success, near, failure. The study's own settings are
    the rows with the setting "as configured"; the other scorer's those with "scorer". What only
    the peaks have, snr and smallest_px, is not varied for the literal rule.
    """
    rows: list[dict[str, str | int]] = []

    def judge(
        spots: Spots,
        own: pd.DataFrame,
        radius_px: float,
        smallest_px: float | None = standard["smallest_px"],
    ) -> pd.Series:
        circle = {"radius_px": radius_px, "near_px": standard["near_px"]}
        return peak_verdicts(x, y, spots, own, **circle, smallest_px=smallest_px)["verdict"]

    def brighter(snr: float) -> pd.DataFrame:
        return peaks[peaks["snr"] > snr].reset_index(drop=True)

    by_peaks = standard["scorer"] == "peaks"
    for method, mask in masks.items():

        def spots_of(own: pd.DataFrame, min_pixels: float, mask: NDArray[np.bool_] = mask) -> Spots:
            return label_spots(
                mask, own, min_pixels=int(min_pixels), tolerance_px=standard["tolerance_px"]
            )

        def literal(radius_px: float, mask: NDArray[np.bool_] = mask) -> NDArray[np.str_]:
            circle = {"radius_px": radius_px, "near_px": standard["near_px"]}
            return np.asarray(literal_verdicts(x, y, mask, **circle))

        def add(setting: str, value: object, verdicts: object, method: str = method) -> None:
            counts = _count(np.asarray(verdicts))
            named = {"setting": setting, "value": str(value), "method": method}
            rows.append({**named, "sources": sum(counts.values()), **counts})

        own, usual_radius = brighter(standard["snr"]), standard["radius_px"]
        spots = spots_of(own, standard["min_pixels"])

        def judged(radius_px: float, spots: Spots = spots, own: pd.DataFrame = own) -> NDArray:
            return np.asarray(judge(spots, own, radius_px))

        usual, other = (judged, literal) if by_peaks else (literal, judged)
        as_configured = usual(usual_radius)
        add("as configured", "", as_configured)
        for text, radius in variants["radius_px"].items():
            number, unit = size_parts(text)
            add(f"verdict radius [{unit}]", number, usual(radius))
        for text, snr in variants["snr"].items() if by_peaks else ():
            others = brighter(snr)
            again = spots_of(others, standard["min_pixels"])
            add("peak S/N", text, judge(again, others, usual_radius))
        for text, smallest_px in variants["smallest_px"].items() if by_peaks else ():
            add("smallest spot [px]", text, judge(spots, own, usual_radius, smallest_px))
        for name, chosen in subsets.items():
            add("catalogue", name, as_configured[chosen])
        add("scorer", _SCORERS["pixels" if by_peaks else "peaks"], other(usual_radius))
    return pd.DataFrame(rows)


def count_masks(
    masks: Mapping[str, NDArray[np.bool_]],
    peaks: pd.DataFrame,
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    *,
    standard: Mapping[str, Any],
    setting: str,
    value: str,
) -> pd.DataFrame:
    """The rows of `count_variants` for other masks, under the study's own settings.

    The masks differ by the `setting`, which has the `value` for them.
    """
    none: dict[str, dict[str, float]] = {"radius_px": {}, "snr": {}, "smallest_px": {}}
    table = count_variants(masks, peaks, x, y, standard=standard, variants=none, subsets={})
    own = table[table["setting"] == "as configured"]
    return own.assign(setting=setting, value=value)


def pool_variants(variants: pd.DataFrame) -> pd.DataFrame:
    """Tables of `count_variants` of several images added up."""
    counts = ["sources", "success", "near", "failure"]
    keys = ["setting", "value", "method"]
    return variants.groupby(keys, sort=False)[counts].sum().reset_index()


def of_every_image(variants: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The settings that were tried on every image, and the names of the others.

    `variants` are tables of `count_variants` with a column `image`. Fewer images, as where one
    catalogue has not the columns of a cut, are another count whatever the setting does.
    """
    of = variants.groupby(["setting", "value"], sort=False)["image"].nunique()
    fewer = of[of < variants["image"].nunique()].index
    at = pd.MultiIndex.from_frame(variants[["setting", "value"]]).isin(fewer)
    return variants[~at], [f"{setting} {value}" for setting, value in fewer]


def with_effect(variants: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The settings that change a count, with the one as configured, and the names of the others.

    `variants` are tables of `count_variants` with a column `image`. What changes no count of any
    image and mask, as the value that is configured itself, says nothing of a conclusion.
    """
    counts = ["sources", "success", "near", "failure"]
    usual = variants[variants["setting"] == "as configured"]
    usual = usual.set_index(["image", "method"])[counts]
    idle = []
    for (setting, value), own in variants.groupby(["setting", "value"], sort=False):
        rows = own.set_index(["image", "method"])[counts]
        if setting != "as configured" and rows.equals(usual.reindex(rows.index)):
            idle.append((setting, value))
    at = pd.MultiIndex.from_frame(variants[["setting", "value"]]).isin(idle)
    return variants[~at], [f"{setting} {value}" for setting, value in idle]


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


def survival(answers: pd.DataFrame) -> pd.DataFrame:
    """Which conclusions survive other settings: the `conclusions`, one row for each of them.

    Columns: conclusion; as configured ('holds' or 'does not hold'); the same with (how many of the
    other settings say so too); verdict: 'survives' where it holds under every setting, 'fails
    throughout' where it holds under none, else 'depends on the settings'; not the same with (the
    settings that say otherwise, or 'none').
    """
    rows = []
    for text, given in answers.groupby("conclusion", sort=False):
        own = given["setting"] == "as configured"
        usual, others = given[own]["holds"].item(), given[~own]
        turned = others[others["holds"] != usual]
        steady = "survives" if usual else "fails throughout"
        where = "; ".join(f"{row.setting} {row.value}" for row in turned.itertuples())
        rows.append(
            (
                text,
                "holds" if usual else "does not hold",
                f"{len(others) - len(turned)} of {len(others)} other settings",
                steady if turned.empty else "depends on the settings",
                where or "none",
            )
        )
    columns = ["conclusion", "as configured", "the same with", "verdict", "not the same with"]
    return pd.DataFrame(rows, columns=columns)
