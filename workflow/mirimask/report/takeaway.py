"""What a reader should take away from the evaluation, in sentences with the numbers in them."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mirimask.evaluation.recovery import measurable_images
from mirimask.masks.names import method_label
from mirimask.report.tables import (
    SIMULATED,
    as_markdown,
    circle_notes,
    number_words,
    rate_words,
    together,
)
from mirimask.report.use import good_masks, who_matters

__all__ = [
    "evaluation_page",
    "false_rates_page",
    "finder_notes",
    "findings_page",
    "not_measured",
    "takeaways",
]

_FILES = {
    "chance.csv": "rate of success at random and shifted positions, and what it leaves",
    "reliability.csv": "false spots of blank images",
    "false_rates.csv, false_rates.md": "false rates, blank images and truth (simulated images)",
    "completeness.csv, purity.csv": "against truth (simulated images)",
    "use.csv, use.md": "what masks leave in the sky (simulated images)",
    "added.csv, added.md": "what masks do to added sources, photometry, a super-background",
    "injection.csv, injection_depths.csv": "added stars: recovered shares, fits",
    "curves.csv, curves_compared.csv": "completeness against false spots and area",
    "mcnemar.csv, significance.csv": "each method against the segmentation",
    "sensitivity.csv, sensitivity.md": "Table 3 with other settings",
    "structure/": "clutter on bright background, mask in the spikes of stars (with `claims.md`)",
    "agreement.csv, disagreements.csv": "automatic verdict against truth (simulated images)",
}
_LITTLE = 5.0  # % of random positions: what next to none have succeeded by
_AT_RATE = 10.0  # false spots per square arcminute, one of those that the curves are read at


def _label(name: str) -> str:
    ours = {"recommended": "the recommended mask", "cores": "the cores of the recommended mask"}
    return ours.get(name, method_label(name))


def _before(name: str) -> str:
    """A mask before its numbers; labels end in numbers themselves."""
    return f"{method_label(name)}:"


def _chance(table: pd.DataFrame) -> list[str]:
    own = table.query("image == 'All' and positions == 'random' and domain != 'published'")
    if not own["sources"].max() > 0:
        return ["There is no catalogue source: recall and chance cannot be compared."]
    cells = own.set_index(["method", "scorer"])
    methods = list(dict.fromkeys(own["method"]))
    worst = max(methods, key=lambda m: cells["chance_success"][m, "pixels"])
    by_letter, by_peak = (100 * cells["chance_success"][worst, s] for s in ("pixels", "peaks"))
    by_peaks = own[own["scorer"] == "peaks"].sort_values("corrected", ascending=False)
    ranking = ", ".join(
        f"{_before(row.method)} {row.corrected:z.2f} [{row.corrected_low:z.2f}, "
        f"{row.corrected_high:z.2f}]"
        if np.isfinite(row.corrected)  # chance leaves less than one source to fail
        else f"{_before(row.method)} not known"
        for row in by_peaks.itertuples()
    )
    worth = "A count of successes alone decides nothing."
    if max(by_letter, by_peak) < _LITTLE:
        worth = "Next to no success is by chance."
    return [
        f"**{worth}** With the rule 'any mask pixel in the "
        f"circle', a random position succeeds in {rate_words(by_letter, 2)} % of cases for "
        f"{_label(worst)}; when a bright spot's peak has to lie there, in "
        f"{rate_words(by_peak, 2)} %.",
        f"**Successes beyond chance** (1 is all, 0 is what chance gives; "
        f"{int(own['sources'].max())} sources; the intervals take these as independent and the "
        f"images as they are): {ranking}.",
    ]


def _false(table: pd.DataFrame) -> str:
    own = table.query("image == 'All'").sort_values("false_per_arcmin2")
    rates = ", ".join(
        f"{_before(row.method)} {rate_words(row.false_per_arcmin2)} [{rate_words(row.false_low)}, "
        f"{rate_words(row.false_high)}]"
        for row in own.itertuples()
    )
    return (
        "**False detections** (spots of blank images of the same sky and noise per square "
        f"arcminute): {rates}."
    )


def _false_by_truth(rates: pd.DataFrame) -> str:
    own = rates.sort_values("truth_false_per_arcmin2")
    cells = ", ".join(
        f"{_before(row.method)} {rate_words(row.truth_false_per_arcmin2)} "
        f"[{rate_words(row.false_low)}, {rate_words(row.false_high)}]{_by_image(row)} "
        f"({_blank_rate(row)})"
        for row in own.itertuples()
    )
    served, open_ = (int((rates["says"] == what).sum()) for what in ("rate", "undecided"))
    text = (
        "**False detections** (spots on no true source per square arcminute, all images together; "
        "in brackets those of blank images, which are all that images without a truth have): "
        f"{cells}. The two are within a factor of 1.5 for {served} of {len(rates)} masks"
        f"{f', undecided for {open_}' if open_ else ''}"
    )
    if (rates["images"] > 1).any():
        text += (
            f"; of single images {int(rates['images_off'].sum())} of {int(rates['images'].sum())} "
            "rates are further apart. The intervals are of the spots of these images; how images "
            "differ is not in them"
        )
    return f"{text}."


def _by_image(row: Any) -> str:
    one = row.images == 1
    return "" if one else f", by image {rate_words(row.least)} to {rate_words(row.most)}"


def _blank_rate(row: Any) -> str:
    limit = f", {row.says}" if "limit" in row.says else ""
    return f"{rate_words(row.blank_per_arcmin2)}{limit}"


def false_rates_page(rates: pd.DataFrame) -> str:
    """The table of `compare_rates` as a page in Markdown."""

    def between(value: float, low: float, high: float) -> str:
        words = f"{rate_words(value)} [{rate_words(low)}, {rate_words(high)}]"
        return words if np.isfinite(value) else ""

    own = rates.sort_values("truth_false_per_arcmin2")
    shown = pd.DataFrame(
        {
            "mask": own["method"].map(method_label),
            "by truth": [
                between(row.truth_false_per_arcmin2, row.false_low, row.false_high)
                for row in own.itertuples()
            ],
            "of single images": [
                f"{rate_words(row.least)} to {rate_words(row.most)}" for row in own.itertuples()
            ],
            "blank images": own["blank_per_arcmin2"].map(rate_words),
            "blank / truth": [
                between(row.ratio, row.ratio_low, row.ratio_high) for row in own.itertuples()
            ],
            "which is": own["says"],
            "a limit in": [f"{row.images_off} of {row.images} images" for row in own.itertuples()],
        }
    )
    return as_markdown(
        shown,
        title="False spots per square arcminute, by truth and without it",
        notes=[
            "a spot is false where no true source of an expected signal-to-noise ratio of "
            "evaluation.real_snr lies on it or within one FWHM; in a blank image, no bright star",
            "intervals: 95 %, Poisson; of the ratio MOVER-R",
            "a limit: off by more than a factor of 1.5, the whole interval too, at 1 per square "
            "arcminute by truth or more; no ranking uses it. undecided: off by more than "
            "that, but not all of the interval, or of fewer false spots",
        ],
        simulated=True,
    )


def _truth(purity: pd.DataFrame) -> str:
    own = purity.query("image == 'All'").sort_values("purity", ascending=False)
    shares = ", ".join(f"{_before(row.method)} {row.purity:.2g}" for row in own.itertuples())
    return f"**Purity** (share of spots on a true source): {shares}."


def _depths(table: pd.DataFrame) -> str:
    single = table[table["image"] != "all"] if (table["image"] != "all").any() else table
    images, measured = list(dict.fromkeys(single["image"])), measurable_images(single)
    what = "**Depth** (AB magnitude at which 80 % of added stars are found"
    if not measured:
        return f"{what}): in no image does a mask find 80 % of them but by chance."
    single, many = single[single["image"].isin(measured)], len(measured) > 1
    known, some, never = [], [], []
    # an image whose faintest stars are found too is deeper than all
    single = single.assign(m80=single["m80"].mask(single["beyond"], np.inf))
    for method, alone in single.groupby("method", sort=False)["m80"]:
        reached = alone.dropna()
        if not len(reached):
            never.append(method_label(method))
        elif 2 * len(reached) <= len(alone):
            some.append(f"{_before(method)} {len(reached)} (at best {_magnitude(reached.max())})")
        else:
            # an image of whose stars 80 % are never found is brighter than all
            middle = np.median(alone.fillna(-np.inf))
            without = len(alone) - len(reached)
            least = f"never in {without}" if without else _magnitude(reached.min())
            most = _magnitude(reached.max())
            spread = f"({least} to {most})" if many else _limits(single, method)
            known.append((-middle, f"{_before(method)} {_magnitude(middle)} {spread}".rstrip()))
    text = f"{what}{', median of the images, with the least and most' if many else ''}): "
    text += ", ".join(words for _, words in sorted(known)) or "in most images for no mask"
    if some:
        text += f"; in half of the {len(measured)} images or fewer: {', '.join(some)}"
    if never:
        text += f"; never 80 %: {', '.join(never)}"
    return f"{text}.{_left_out(images, measured)}"


def _magnitude(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "beyond all"


def _limits(single: pd.DataFrame, method: str) -> str:
    """The interval of the depth in the one image that there is."""
    row = single[single["method"] == method].iloc[0]
    if np.isinf(row["m80"]):
        return ""
    # a limit beyond the magnitudes of the stars, or of a plateau below 80 %
    ends = (row["m80_low"], row["m80_high"])
    return f"[{', '.join(f'{end:.2f}' if np.isfinite(end) else 'not known' for end in ends)}]"


def _left_out(images: list[str], measured: list[str]) -> str:
    """The images that are not in what was said of all together."""
    rest = [image for image in images if image not in measured]
    return (
        f" Not counted, for no mask finds 80 % of its stars but by chance: {', '.join(rest)}."
        if rest
        else ""
    )


def _equal_rate(table: pd.DataFrame) -> list[str]:
    own = together(table).query("at == 'false_per_arcmin2'")
    own = own.astype({"limit": float})
    lines = []
    for found, words in (
        (
            own[(own["of"] == "given") & np.isclose(own["limit"], _AT_RATE)],
            f"**At the same false rate**, {_AT_RATE:g} per square arcminute",
        ),
        (own[own["of"] == "segmentation"], "At the false rate of the segmentation itself"),
    ):
        if len(found):
            ranking = ", ".join(
                f"{row.family} {row.completeness:.2f} [{row.low:.2f}, {row.high:.2f}]"
                for row in found.sort_values("completeness", ascending=False).itertuples()
            )
            lines.append(f"{words}, the share of added faint stars that is found: {ranking}.")
    return lines


def _order_at_rates(table: pd.DataFrame) -> str:
    """The families by what they find at each false rate; those within their errors are a tie."""
    own = together(table).query("at == 'false_per_arcmin2' and of == 'given'")
    parts = []
    for limit, rows in own.astype({"limit": float}).groupby("limit"):
        groups: list[list[Any]] = []
        for row in rows.sort_values("completeness", ascending=False).itertuples():
            if groups and row.high >= groups[-1][0].low:
                groups[-1].append(row)
            else:
                groups.append([row])
        order = ", then ".join(
            " and ".join(
                f"{row.family} {row.completeness:.2f} [{row.low:.2f}, {row.high:.2f}]"
                for row in group
            )
            + (" (a tie)" if len(group) > 1 else "")
            for group in groups
        )
        parts.append(f"at {limit:g} {order}")
    return (
        "**At the same false rate**, by the share of added faint stars that is found, false spots "
        f"per square arcminute: {'; '.join(parts)}. A tie: the interval reaches into that of the "
        "first named."
    )


def _significance(tests: pd.DataFrame, recalls: pd.DataFrame) -> str:
    rows = tests.query("image == 'All' and scorer == 'peaks'").set_index("method")
    differences = recalls.query("scorer == 'peaks'").set_index("method")
    parts = [
        f"{_before(name)} {differences['difference'][name]:+z.2f} "
        f"[{differences['difference_low'][name]:+z.2f}, "
        f"{differences['difference_high'][name]:+z.2f}], p {rows['p_holm'][name]:.1g}"
        for name in rows.index
        if name in differences.index and np.isfinite(differences["difference"][name])
    ]
    if not parts:
        return "Nothing could be tested against the segmentation."
    return (
        "**Recall against the segmentation's** (difference, 95 % interval, McNemar's p after Holm; "
        f"chance is not taken off): {'; '.join(parts)}."
    )


def _sensitivity(variants: pd.DataFrame) -> str:
    held = {
        words: int((variants["verdict"] == verdict).sum())
        for verdict, words in (
            ("survives", "under all of them"),
            ("depends on the settings", "under some"),
            ("fails throughout", "under none"),
        )
    }
    return (
        f"**Settings**, changed one at a time: of {len(variants)} conclusions that Table 3 "
        "suggests, there hold "
        + ", ".join(f"{n} {words}" for words, n in held.items())
        + " ([sensitivity.md](sensitivity.md))."
    )


def finder_notes(pooled: pd.DataFrame) -> list[str]:
    """How far the successes of all images depend on the finder of the reference peaks, in words.

    `pooled` is the table of `evaluation.sensitivity.pool_variants`; a note for each other finder.
    """
    usual = pooled[pooled["setting"] == "as configured"].set_index("method")["success"]
    notes = []
    for name, own in pooled[pooled["setting"] == "peak finder"].groupby("value", sort=False):
        success = own.set_index("method")["success"]
        cells = ", ".join(f"{_before(m)} {usual[m]} to {success[m]}" for m in success.index)
        before, after = (
            np.sign(np.subtract.outer(own, own))
            for own in (usual[success.index].to_numpy(), success.to_numpy())
        )
        order = "another order" if (before * after < 0).any() else "the same order"
        if order == "the same order" and (before != after).any():
            order += " but for ties"
        notes.append(
            f"with reference peaks of {name} successes go from {cells}; the masks are in {order}"
        )
    return notes


def _agreement(table: pd.DataFrame) -> str:
    everything = table.query("image == 'All' and method == 'All'").iloc[0]
    images = table.query("image != 'All' and method == 'All'").set_index("image")["agreement"]
    kappa = number_words(everything["kappa"], "z.2f")
    return (
        f"**The automatic verdict** agrees with the truth in {100 * everything['agreement']:.1f} % "
        f"of {int(everything['sources'])} cases (kappa {kappa}); the worst "
        f"image is {images.idxmin()} with {100 * images.min():.1f} %."
    )


def takeaways(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Sentences in Markdown, each with its numbers.

    `tables` are those of the evaluation by name: chance, reliability, depths, compared, mcnemar,
    significance, conclusions and, where there are any, circles (of `circle_notes`), purity,
    false_rates, agreement, added and use.
    """
    lines = []
    answer = good_masks(tables["added"], tables.get("use")) if "added" in tables else []
    if "added" in tables and tables["added"].empty:
        answer.append(
            "**Light of added sources and flux of faint stars** are not measured: no image had "
            "room for such sources, or none is deep enough (`added.md`)."
        )
    if answer:
        matter = who_matters(tables["added"])
        lines.append(" ".join([*answer, *(["Flux of faint stars:", *matter] if matter else [])]))
    lines += _chance(tables["chance"])
    if "circles" in tables:
        circles = tables["circles"]
        if notes := circle_notes(circles[circles["catalogue"].astype(bool)]):
            lines.append(f"**The catalogue's circles**: {'; '.join(notes)}.")
    by_truth = "false_rates" in tables and len(tables["false_rates"])
    lines.append(
        _false_by_truth(tables["false_rates"]) if by_truth else _false(tables["reliability"])
    )
    if "purity" in tables:
        lines.append(_truth(tables["purity"]))
    lines.append(_depths(tables["depths"]))
    lines += _equal_rate(tables["compared"])
    lines.append(_significance(tables["mcnemar"], tables["significance"]))
    if len(tables["conclusions"]):
        lines.append(_sensitivity(tables["conclusions"]))
    if "agreement" in tables and tables["agreement"]["sources"].any():
        lines.append(_agreement(tables["agreement"]))
    return lines


def not_measured(missing: Iterable[tuple[str, str, str]]) -> str:
    """The measures that images are missing in, and why; '' where none is.

    `missing` has a measure, an image and the reason for each.
    """
    measures: dict[tuple[str, str], list[str]] = {}
    for measure, image, why in missing:
        measures.setdefault((image, why), []).append(measure)
    return "; ".join(
        f"{image} ({', '.join(names)}): {why.rstrip('.')}"
        for (image, why), names in measures.items()
    )


def evaluation_page(
    tables: Mapping[str, pd.DataFrame], missing: Iterable[tuple[str, str, str]] = ()
) -> str:
    """What to take away from the evaluation, as a page in Markdown.

    `tables` as `takeaways`, `missing` as `not_measured` takes them.
    """
    lines = ["# What the masks are worth", ""]
    if tables["chance"]["simulated"].any():
        lines += [f"**{SIMULATED}**", ""]
    texts = takeaways(tables)
    if left_out := not_measured(missing):
        texts.append(f"**Not measured**: {left_out}.")
    lines += [f"{n}. {text}" for n, text in enumerate(texts, start=1)]
    lines += [
        "",
        "Slices are taken over the crop here; intervals are 95 %. Every formula is in "
        "`docs/method.md`, the choice of the recommended mask in `docs/recommended.md`.",
        "",
        *(f"- `{name}`: {what}" for name, what in _FILES.items()),
    ]
    return "\n".join(lines) + "\n"


# of the paper's claims, those that its tables alone cannot answer
_BY_TRUTH = ("C4", "C6", "C7", "C12", "C13")


def findings_page(
    tables: Mapping[str, pd.DataFrame], claims: pd.DataFrame, *, study: str, command: str
) -> str:
    """What a simulated study found, as a page in Markdown that documents quote.

    `tables` has added, use, chance, depths, compared and false_rates as `takeaways` takes them,
    `claims` is `claims_table`'s; `command` makes the page of the `study` again.
    """
    answer = next(name for name in claims.columns if name.startswith("computed"))
    own, matter = claims.set_index("id"), who_matters(tables["added"])
    lines = [
        " ".join(good_masks(tables["added"], tables["use"])),
        " ".join(["**Flux of faint stars.**", *(matter or ["Not measured."])]),
        _chance(tables["chance"])[0],
        _order_at_rates(tables["compared"]),
        _depths(tables["depths"]),
        _false_by_truth(tables["false_rates"]),
        *(
            f"**{name}**, '{own['claim (section)'][name]}': **{own[answer][name]}**. "
            f"{own[f'{answer}: numbers'][name]}."
            for name in _BY_TRUTH
        ),
    ]
    text = [
        f"# What the study `{study}` found",
        "",
        f"**{SIMULATED}**",
        "",
        f"Written by the rule `findings` as `results/{study}/findings.md`; again by",
        "",
        f"    {command}",
        "",
        "Slices are taken over the crop; intervals are 95 %.",
        "",
        *(f"{n}. {line}" for n, line in enumerate(lines, start=1)),
    ]
    return "\n".join(text) + "\n"
