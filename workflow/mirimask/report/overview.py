"""The first screen of a study's page: the question, the answer in sentences, and a row an image."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mirimask.evaluation.reliability import pool_reliability
from mirimask.job_logs import Warned, gathered_warnings
from mirimask.masks.names import leaves, method_label, parse_method, spots_or_sources
from mirimask.report.pictures import SHOWN_WIDTH, data_uri, smaller
from mirimask.report.tables import rate_words, together
from mirimask.report.use import good_masks
from mirimask.table_files import read_json, read_tables

__all__ = [
    "OWN_QUESTION",
    "PAPER_QUESTION",
    "ImageRow",
    "Overview",
    "mask_words",
    "own_answer",
    "paper_answer",
]

Tables = Mapping[str, pd.DataFrame]

PAPER_QUESTION = (
    "Does a mask that keeps only the brightest pixels of a MIRI image, or of its derivative, "
    "mark known sources better than the pipeline's own segmentation?"
)
OWN_QUESTION = (
    "How deep is each image, how many sources does it hold, and what is there to worry about?"
)
_RATE = ("false_per_arcmin2", "false_low", "false_high")
_RATES = ["image", "method", "domain", *_RATE]
_EQUAL_RATE = 10.0  # false spots per square arcminute, as the evaluation's own page takes them


@dataclass(frozen=True)
class ImageRow:
    """What the page says of an image; texts, '' where it was not measured.

    `thumbnail` is a data URI, `file` the path of the whole quick-look below the page.
    """

    name: str
    thumbnail: str
    file: str
    area: str
    sources: str
    depth: str
    found: str
    false: str
    warnings: Sequence[str]


def mask_words(method: str) -> str:
    """A mask as a sentence names it."""
    return "recommended mask" if method == "recommended" else f"mask {method_label(method)}"


def _short(value: float) -> str:
    return rate_words(value, 2)


def _magnitude(value: float) -> str:
    return f"{value:.2f}"


def _interval(row: Mapping[str, Any], *names: str, form: Callable[[float], str]) -> str:
    """A value with its two limits, by their names; '' where there is none."""
    value, low, high = (float(row.get(name, np.nan)) for name in names)
    if not np.isfinite(value):
        return ""
    limits = f" [{form(low)}, {form(high)}]" if np.isfinite([low, high]).all() else ""
    return form(value) + limits


def _found(depth: Mapping[str, Any]) -> str:
    """To which magnitude 80 % of the added stars are found; '' where it was not measured."""
    if not depth or depth["beyond"]:
        return "beyond all" if depth else ""
    return _interval(depth, "m80", "m80_low", "m80_high", form=_magnitude) or "nowhere"


def _percent(share: float) -> str:
    """A share in per cent, two digits."""
    percent = 100 * share
    return f"{percent:.0f}" if percent >= 10 else f"{percent:.2g}"


def _range(values: pd.Series, form: Callable[[float], str], unit: str = "") -> str:
    """The least and the most of values; one where they are written alike."""
    low, high = (form(end) for end in (values.min(), values.max()))
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def _of(table: pd.DataFrame | None, image: str) -> Mapping[str, Any]:
    """The row of an image; empty where it has none."""
    if table is None or table.empty:
        return {}
    own = table[table["image"] == image]
    return {} if own.empty else own.iloc[0].to_dict()


@dataclass(frozen=True)
class Overview:
    """What the first screen is made of.

    `measures` has a row an image: image, method (the mask), simulated, and the measures of
    `mirimask.export.survey.MEASURES`. `false` has the rates of false spots by image and of
    'All' (`mirimask.evaluation.reliability`). `looks` are the quick-looks' PNGs by image,
    `thumbnails` the small ones; `shown` is the image of the one large picture.
    """

    measures: pd.DataFrame
    false: pd.DataFrame
    looks: Mapping[str, Path]
    thumbnails: Mapping[str, Path]
    shown: str
    warned: Sequence[Warned]

    def rows(self, folder: Path, depths: pd.DataFrame | None) -> list[ImageRow]:
        """A row an image, with links from `folder`.

        `depths` says where 80 % of the added stars are found (image, m80, m80_low, m80_high); None
        where it was not measured.
        """
        rows = []
        for own in self.measures.itertuples():
            rate, depth = _of(self.false, own.image), _of(depths, own.image)
            rows.append(
                ImageRow(
                    name=own.image,
                    thumbnail=data_uri(self.thumbnails[own.image].read_bytes()),
                    file=self.looks[own.image].relative_to(folder).as_posix(),
                    area=f"{_percent(own.masked_share)} %",
                    sources=str(int(own.n_sources)),
                    depth=f"{own.depth_ab:.2f}" if np.isfinite(own.depth_ab) else "",
                    found=_found(depth),
                    false=_interval(rate, *_RATE, form=_short),
                    warnings=[one.text for one in self.warned if one.image == own.image],
                )
            )
        return rows

    def counted(self, slice_domain: str) -> str:
        """What false spots and added stars are counted of, as a sentence about the mask goes on.

        Both need images that are changed, in which all slices are over the crop.
        """
        method = self.measures["method"].iloc[0]
        if method == "recommended":
            return "its cores mark"
        slices = [leaf for leaf in leaves(method) if leaf.is_slice]
        if any((leaf.domain or slice_domain) != "crop" for leaf in slices):
            return "the same mask with its slices over the crop marks"
        return "the same mask marks"

    def picture(self, folder: Path) -> dict[str, Any]:
        """The one large picture."""
        path, method = self.looks[self.shown], mask_words(self.measures["method"].iloc[0])
        uri, width, height = smaller(path.read_bytes(), width=SHOWN_WIDTH)
        row = self.measures.set_index("image").loc[self.shown]
        return {
            "uri": uri,
            "width": width,
            "height": height,
            "file": path.relative_to(folder).as_posix(),
            "caption": f"{self.shown}, and with the outline of its {method}.",
            "alt": f"{self.shown} beside itself with the outline of its {method}: "
            f"{int(row['n_sources'])} {spots_or_sources(row['method'])} on "
            f"{_percent(row['masked_share'])} % of the pixels.",
        }

    @classmethod
    def read(
        cls,
        rows: Iterable[str],
        false: Iterable[str],
        looks: Iterable[str],
        thumbnails: Iterable[str],
        *,
        shown: str,
        logs: Path,
        masks: Collection[str],
    ) -> "Overview":
        """From the files of the images, all in one order, and the folder of the jobs' logs.

        Of these count the ones of the study's `masks`.
        """
        measures = pd.DataFrame(map(read_json, rows))
        images = list(measures["image"])
        rates = read_tables(false, columns=_RATES)
        return cls(
            measures,
            pd.concat([rates, pool_reliability(rates)], ignore_index=True),
            dict(zip(images, map(Path, looks), strict=True)),
            dict(zip(images, map(Path, thumbnails), strict=True)),
            shown,
            gathered_warnings(logs, images, masks),
        )


def _sources_sentence(overview: pd.DataFrame) -> str:
    images = len(overview)
    what = f"the {images} images" if images > 1 else f"image {overview['image'].iloc[0]}"
    share = _range(overview["masked_share"], _percent, " %")
    count, method = int(overview["n_sources"].sum()), overview["method"].iloc[0]
    return (
        f"The {mask_words(method)} marks {count:,} {spots_or_sources(method, count)} in {what} and "
        f"covers {share} of the pixels."
    )


def _of_how_many(measured: int, images: int) -> str:
    """Of how many images something is, where these are not all."""
    return "" if measured == images else f" (in {measured} of the {images} images)"


def _found_stars(depths: pd.DataFrame, images: int) -> list[str]:
    """To where 80 % of the added stars are found, and in how many of the images that is known."""
    known, beyond, found = depths["m80"].dropna(), int(depths["beyond"].sum()), []
    if len(known):
        of = _of_how_many(len(known), images)
        found.append(f"80 % are found to {_range(known, _magnitude)}{of}")
    if beyond:
        found.append(f"80 % of the faintest are found too{_of_how_many(beyond, images)}")
    return found


def _false_words(false: pd.DataFrame, method: str) -> str:
    all_images = _of(false, "All")
    if not all_images:
        return ""
    rate = _interval(all_images, *_RATE, form=_short)
    if not rate:
        return ""
    # of the recommended mask false rates are those of its cores; more of its sources may be false
    what = "the cores of the recommended mask mark" if method == "recommended" else "it marks"
    return f"where nothing is real, {what} {rate} false spots per square arcminute"


def own_answer(
    overview: pd.DataFrame,
    false: pd.DataFrame,
    depths: pd.DataFrame | None,
    warned: Sequence[Warned],
) -> list[str]:
    """Three sentences on images of one's own: sources and area, depth, what is to worry about."""
    deep = overview.dropna(subset=["depth_ab"])
    sentences = [_sources_sentence(overview)]
    if len(deep):
        text = (
            f"A point source of {_range(deep['depth_ab'], _magnitude)} AB is 5 sigma of the sky "
            f"between the sources{_of_how_many(len(deep), len(overview))}"
        )
        found = _found_stars(depths, len(overview)) if depths is not None else []
        if found:
            text += f"; of stars that were added, {', and '.join(found)}"
        sentences.append(f"{text}.")
    worry = _false_words(false, overview["method"].iloc[0])
    count = f"{len(warned)} warning{'' if len(warned) == 1 else 's'}" if warned else "no warning"
    text = f"{worry}; {count}." if worry else f"{count}."
    sentences.append(text[0].upper() + text[1:])
    return sentences


def paper_answer(
    table3: pd.DataFrame,
    measures: Tables,
    overview: pd.DataFrame,
    false: pd.DataFrame,
    *,
    scorer: str,
) -> list[str]:
    """The paper's question: as source masks, by counts, at equal cost, and the recommended mask.

    `table3` is Table 3 as data, `measures` the tables of the evaluation by the names of their
    files; `scorer` is that of Table 3. What was not measured is not said.
    """
    recalls = measures.get("significance")
    if recalls is not None:
        recalls = recalls[recalls["scorer"] == scorer]
    sentences = []
    if "added" in measures:
        use = measures.get("use")
        # without the question that the sentence answers, since the page has its own
        sentences += [text.split("** ")[-1] for text in good_masks(measures["added"], use)[:1]]
    sentences.append(_by_counts(table3, recalls))
    if "curves_compared" in measures:
        sentences.append(_at_equal_cost(measures["curves_compared"]))
    last = _sources_sentence(overview).rstrip(".")
    worry = _false_words(false, overview["method"].iloc[0])
    sentences.append(f"{last}; {worry}." if worry else f"{last}.")
    return [sentence for sentence in sentences if sentence]


def _is_slice(method: str) -> bool:
    return parse_method(method).is_slice


def _by_counts(table3: pd.DataFrame, recalls: pd.DataFrame | None) -> str:
    if table3.empty or not table3["sources"].sum():
        return "There is no catalogue source in this study: nothing could be scored."
    totals = table3.groupby("method", sort=False)[["success", "sources"]].sum()
    sources = int(totals["sources"].max())
    slices = totals[[_is_slice(str(name)) for name in totals.index]]["success"]
    if slices.empty or "segmentation" not in totals.index:
        named = ", ".join(f"{method_label(str(m))} {n}" for m, n in totals["success"].items())
        return f"Successes out of {sources} catalogue sources: {named}."
    text = (
        f"By counts: of {sources} catalogue sources the segmentation marks "
        f"{totals['success']['segmentation']}, the slices {_range(slices, str)}"
    )
    if recalls is not None:
        own = recalls[[_is_slice(str(name)) for name in recalls["method"]]]
        own = own.dropna(subset=["difference_low", "difference_high"])
        more, fewer = (own["difference_low"] > 0).sum(), (own["difference_high"] < 0).sum()
        if len(own):
            text += (
                f" (over the crop {more} of {len(own)} slices more, {fewer} fewer, beyond their "
                "95 % interval)"
            )
    return f"{text}; chance is in these counts."


def _at_equal_cost(compared: pd.DataFrame) -> str:
    own = together(compared)
    own = own[(own["at"] == "false_per_arcmin2") & (own["of"] == "given")]
    own = own[np.isclose(own["limit"].astype(float), _EQUAL_RATE)].dropna(subset=["completeness"])
    rows = own.set_index("family")
    slices = own[own["family"].isin(["value", "derivative"])].sort_values(
        "completeness", ascending=False
    )
    if slices.empty or "segmentation" not in rows.index:
        return ""

    def share(row: pd.Series) -> str:
        return f"{row['completeness']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"

    best, other = slices.iloc[0], rows.loc["segmentation"]
    text = (
        f"At equal cost, {_EQUAL_RATE:g} false spots per square arcminute, {best['family']} slices "
        f"find {share(best)} of the added faint stars and the segmentation {share(other)}"
    )
    if best["low"] <= other["high"] and other["low"] <= best["high"]:
        text += ", a tie within the intervals"
    ours = next((name for name in ("cores", "recommended") if name in rows.index), "")
    if ours:
        text += f"; the cores of the recommended mask find {share(rows.loc[ours])}"
    return f"{text}."
