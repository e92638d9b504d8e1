"""What masks leave in the sky, as a page."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from mirimask.evaluation.added import added_magnitudes
from mirimask.evaluation.background import wings_limit
from mirimask.masks.names import leaves, method_label
from mirimask.report.tables import SIMULATED, number_words

__all__ = ["added_page", "good_masks", "use_page", "use_table", "who_matters"]

_COLUMNS = {
    "area": ("area, %", 100, 1),
    "sky_median": ("sky left: median", 1, 3),
    "sky_mean": ("mean", 1, 3),
    "ideal_mean": ("ideal's mean", 1, 3),
    "light_mean": ("sources' light alone", 1, 3),
    "ideal_light": ("ideal's", 1, 3),
    "sky_worst": ("worst box", 1, 2),
    "stars_left": ("light left, stars, %", 100, 1),
    "ideal_stars": ("ideal's", 100, 1),
    "galaxies_left": ("galaxies, %", 100, 1),
    "ideal_galaxies": ("ideal's", 100, 1),
    "wings_left": ("bright stars' wings, %", 100, 0),
    "spikes_left": ("spikes, %", 100, 0),
    "waste": ("waste", 1, 2),
}
_AROUND = {
    "stars_around": ("sky raised around stars, sigma", 1, 2),
    "galaxies_around": ("galaxies", 1, 2),
    "near_far": ("sky near sources less far, sigma", 1, 3),
}
_SUPER = {
    "mean": ("mean, sigma", 1, 3),
    "scatter": ("scatter", 1, 3),
    "worst": ("worst box", 1, 2),
    "noise": ("noise", 1, 2),
    "unknown": ("unknown, %", 100, 1),
}
_SKIES = {"ring": "ring", "box_25": "Background2D, 25 px", "box_50": "Background2D, 50 px"}


_GOOD = 0.2  # of their light: what a good source mask leaves of stars and of galaxies, at most


def good_masks(added: pd.DataFrame, use: pd.DataFrame | None = None) -> list[str]:
    """Which value and derivative slices are good source masks: the answer in sentences.

    `added` is the table of `evaluation.added.pool_added`, `use` that of `evaluation.background`
    where the truth is known, which then decides. A good one leaves at most a fifth of the light of
    stars and of galaxies outside, of the kind that there was room for where it is one. Empty where
    no image had room for added sources.
    """
    rows = added if use is None else use[use["image"] == "All"]
    if rows.empty:
        return []
    what = "added " if use is None else ""
    of = {kind: f"{what}{_followed(rows, kind)}" for kind in ("stars", "galaxies")}
    mean = "mean of" if use is None else "mean over the images of the means over their"
    rows = rows.set_index("method")
    rows = rows[rows.index != "none"]
    # a small image may have room for no star, or for no galaxy
    placed = [kind for kind in ("stars", "galaxies") if rows[f"{kind}_left"].notna().any()]
    if not placed:
        return []
    most = rows[[f"{kind}_left" for kind in placed]].max(axis=1)
    kinds = {
        kind: most[[_is_slice(str(name), kind) for name in most.index]].sort_values()
        for kind in ("value", "derivative")
    }
    slices = pd.concat(list(kinds.values()))
    if slices.empty:
        return []
    good = [method_label(str(name)) for name, left in slices.items() if left <= _GOOD]
    verdict = (
        f"good source masks are {', '.join(good)}: at most a fifth of the light of "
        f"{' and of '.join(placed)} stays outside"
        if good
        else "no value or derivative slice is a good source mask: each leaves more than a fifth of "
        f"the light of {' or of '.join(placed)} outside"
    )
    named = [(f"the best {kind} slice, ", own.index[0]) for kind, own in kinds.items() if len(own)]
    named += [("", name) for name in ("segmentation", "recommended") if name in rows.index]
    return [
        f"**Which value and derivative slices are good source masks?** By what they leave of the "
        f"sources' light, {verdict} ({mean} {', '.join(of[kind] for kind in placed)}"
        f"{_not_counted(added) if use is None else ''}).",
        "Left outside: "
        + "; ".join(
            f"{words}{method_label(name)}: {_left(rows.loc[name])}" for words, name in named
        )
        + ".",
    ]


def _ranges(rows: pd.DataFrame, kind: str) -> list[tuple[str, str]]:
    """The ranges of magnitude that a table has columns of, such as stars_18_20, brightest first."""
    found = (re.fullmatch(rf"{kind}_(-?[\d.]+)_(-?[\d.]+)", name) for name in rows.columns)
    return [(one[1], one[2]) for one in found if one]


def _followed(rows: pd.DataFrame, kind: str) -> str:
    """The sources whose light is followed, in words: 'stars of 18 to 22 AB'."""
    ranges = _ranges(rows, kind)
    return f"{kind} of {ranges[0][0]} to {ranges[-1][1]} AB" if ranges else kind


def _not_counted(added: pd.DataFrame) -> str:
    names = added["not_counted"].iloc[0] if "not_counted" in added else ""
    return f"; not counted, without room or too shallow for them: {names}" if names else ""


def _is_slice(method: str, kind: str) -> bool:
    parts = list(leaves(method))
    return len(parts) == 1 and parts[0].method == kind


def _left(row: pd.Series) -> str:
    text = ", ".join(
        f"{100 * row[f'{kinds}_left']:.0f} % of a {kind}'s light"
        for kind, kinds in (("star", "stars"), ("galaxy", "galaxies"))
        if np.isfinite(row[f"{kinds}_left"])
    )
    if "waste" in row:
        text += f", with {100 * row['waste']:.0f} % of its area where no source shines"
    return text


def use_page(table: pd.DataFrame, *, middle_ab: float) -> str:
    """The table of `evaluation.background.use_row` of all images in Markdown.

    `middle_ab` as there. For every image and for all of them the masks in the order of the light
    that they leave.
    """
    lines = [
        "# What masks leave in the sky",
        "",
        f"**{SIMULATED}**",
        "",
        "Unmasked pixels against the true sky, in units of the noise of a pixel; ideal: the mask "
        "of the same area in which there is most light. Light left outside: mean over "
        f"{_followed(table, 'stars')} and {_followed(table, 'galaxies')}; wings and spikes of "
        f"stars of {wings_limit(middle_ab):g} AB and brighter. Sources' light alone: the mean of "
        "the unmasked pixels without the noise, which a mask of the brightest pixels takes with "
        "it; masks stand in its order. Waste: the share of the mask with less than 0.1 sigma of "
        "light. `docs/method.md` has the definitions.",
    ]
    images = ["All", *(image for image in table["image"].unique() if image != "All")]
    for image in images:
        title = "All images, mean" if image == "All" else image
        lines += ["", f"## {title}", "", *use_table(table[table["image"] == image])]
    return "\n".join(lines) + "\n"


def use_table(rows: pd.DataFrame) -> list[str]:
    """Rows of that table as lines of Markdown, by the light that is left."""
    return _table(rows.sort_values("light_mean"), _COLUMNS)


def added_page(
    pooled: pd.DataFrame,
    dithered: pd.DataFrame,
    *,
    middle_ab: float,
    too_faint: Sequence[str],
    without: Mapping[str, str] = MappingProxyType({}),
    simulated: bool,
) -> str:
    """The table of `evaluation.added.pool_added` in Markdown, and that of the super-background.

    `pooled` has near_far besides, `middle_ab` is that of the added sources; `too_faint`: images
    that are not counted, as they are too shallow for them, `without` those that could not be
    measured, each with the reason; `dithered` the rows of
    `simulation.super_background` with image, method and domain, none where no image is simulated.
    The masks stand in the order of the light of stars and galaxies together that they leave.
    """
    lines = ["# What masks do in use", ""]
    if simulated:
        lines += [f"**{SIMULATED}**", ""]
    *_, faintest = added_magnitudes("star", middle_ab)
    faint = added_magnitudes("faint", middle_ab)
    for image, why in without.items():
        lines += [f"Not counted: {image}, {why}.", ""]
    if too_faint:
        lines += [
            f"Not counted: {', '.join(too_faint)}. There no mask finds 80 % of added stars of "
            f"{faintest:g} AB, the faintest whose light is followed; "
            "evaluation.curve_magnitudes, about the depth of the images, sets which are added.",
            "",
        ]
    if pooled.empty:
        why = "is deep enough for" if too_faint else "had room for"
        return "\n".join([*lines, f"No image {why} added sources."]) + "\n"
    order = pooled[["stars_left", "galaxies_left"]].sum(axis=1)
    pooled = pooled.loc[order.sort_values(kind="stable").index]
    lines += [
        "Stars and galaxies of known light are added to each image and every mask is made anew. "
        "`docs/method.md` has the definitions.",
        "",
        "## Light of added sources that is left outside",
        "",
        *_table(pooled, _added_columns(pooled)),
        "",
        f"## Flux of faint stars ({int(pooled['faint'].max())} of {faint[0]:g} to "
        f"{faint[-1]:g} AB)",
        "",
        "Relative error by where the sky under them comes from, %. Moved: the bias less that "
        "without a mask, of the same stars; 95 % interval. Lost: stars without such a sky.",
        "",
        *(f"- {sentence}" for sentence in who_matters(pooled)),
        "",
        "| mask | "
        + " | ".join(
            f"{name}: {what}"
            for name in _SKIES.values()
            for what in ("bias", "scatter", "moved", "lost")
        )
        + " |",
        "|---" * (1 + 4 * len(_SKIES)) + "|",
    ]
    for row in pooled.to_dict("records"):
        cells = []
        for sky in _SKIES:
            low, high = (
                number_words(100 * row[f"{sky}_moved_{end}"], "+z.1f") for end in ("low", "high")
            )
            cells += [
                number_words(100 * row[f"{sky}_bias"], "+z.1f"),
                number_words(100 * row[f"{sky}_scatter"], ".1f"),
                f"{number_words(100 * row[f'{sky}_moved'], '+z.1f')} [{low}, {high}]",
                number_words(100 * row[f"{sky}_lost"], ".0f"),
            ]
        lines.append(f"| {_name(row['method'])} | {' | '.join(cells)} |")
    if len(dithered):
        lines += [
            "",
            "## A super-background: the mean of six exposures, dithered by up to 54 px",
            "",
            "Against the true background of the same exposures, in units of the noise of a pixel "
            "of the mean of all. Scatter and worst: of means in boxes of 16 px. Noise: with fewer "
            "exposures a pixel. Unknown: pixels masked in every exposure.",
        ]
        for image in dithered["image"].unique():
            own = dithered[dithered["image"] == image]
            lines += ["", f"### {image}", "", *_table(own.sort_values("scatter"), _SUPER)]
    return "\n".join(lines) + "\n"


def _added_columns(pooled: pd.DataFrame) -> dict[str, tuple[str, int, int]]:
    columns = {}
    for kind in ("stars", "galaxies"):
        columns[f"{kind}_left"] = (f"{kind}, %", 100, 1)
        for low, high in _ranges(pooled, kind):
            columns[f"{kind}_{low}_{high}"] = (f"{low}-{high} AB", 100, 1)
    return columns | _AROUND


def who_matters(pooled: pd.DataFrame) -> list[str]:
    """By how much masks move the flux of faint stars, in words, and whether that is much.

    `pooled` is the table of `evaluation.added.pool_added`; nothing is said of an empty one.
    """
    sentences: list[str] = []
    if pooled.empty:
        return sentences
    stars = int(pooled["faint"].max())
    if stars < _FEWEST:
        return [f"{stars} faint stars could be added, too few to tell."]
    for sky, name in _SKIES.items():
        own = pooled[(pooled["method"] != "none") & pooled[f"{sky}_moved"].notna()]
        if own.empty:
            continue
        most = own.loc[own[f"{sky}_moved"].abs().idxmax()]
        moved, low, high, scatter = (
            most[f"{sky}_{what}"] for what in ("moved", "moved_low", "moved_high", "scatter")
        )
        share = abs(moved) / scatter if scatter > 0 else float("inf")
        verdict = "matters little for one star" if share < _LITTLE else "matters"
        sentences.append(
            f"Sky from {'a ring' if sky == 'ring' else name}: the mask {verdict}; the one that "
            f"changes most ({_plain(most['method'])}) moves the median flux by "
            f"{100 * moved:+z.1f} % [{100 * low:+z.1f}, {100 * high:+z.1f}], beside a scatter of "
            f"{100 * scatter:.0f} % from star to star."
        )
    if sentences:
        sentences.append(
            "In the median of many stars the scatter shrinks, what is moved stays"
            f"{_not_counted(pooled)}."
        )
    return sentences


_FEWEST = 10  # stars: of fewer a median and its interval say next to nothing
_LITTLE = 0.25  # of the scatter of a star: what a mask may move and yet matter little


def _plain(method: str) -> str:
    return "no mask" if method == "none" else method_label(method)


def _name(method: str) -> str:
    return f"**{_plain(method)}**" if method == "recommended" else _plain(method)


def _table(rows: pd.DataFrame, columns: dict[str, tuple[str, int, int]]) -> list[str]:
    """Rows as lines of Markdown: of each column its name, factor and digits."""
    lines = ["| mask | " + " | ".join(name for name, *_ in columns.values()) + " |"]
    lines.append("|---" * (1 + len(columns)) + "|")
    for row in rows.to_dict("records"):
        cells = [
            number_words(scale * row[key], f"z.{digits}f")
            for key, (_, scale, digits) in columns.items()
        ]
        lines.append(f"| {_name(row['method'])} | {' | '.join(cells)} |")
    return lines
