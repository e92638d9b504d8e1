"""The paper's claims, answered from its tables: the printed ones, or the ones computed here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mirimask.report.tables import as_markdown, circle_notes

__all__ = ["CLAIMS", "Answer", "Claim", "answer_claims", "claims_page", "claims_table"]

Evidence = Mapping[str, pd.DataFrame]

HOLDS, TIE, FAILS, OPEN = "holds", "holds with a tie", "fails", "not testable here"


@dataclass(frozen=True)
class Answer:
    """A verdict and the numbers that decide it."""

    verdict: str
    numbers: str


@dataclass(frozen=True)
class Claim:
    """A claim of the paper: its text with the section it stands in, and what answers it.

    `decide` takes Table 3 (image, method, success, near, failure, needs_processing and, where it
    was computed, clutter), Table 2 (image and moments) and the tables of the evaluation by name
    (chance, reliability, structure, depths, compared), an empty mapping where there are none.
    """

    id: str
    text: str
    decide: Callable[[pd.DataFrame, pd.DataFrame, Evidence], Answer]


class _Counts:
    """Table 3 by cell."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self.images = list(dict.fromkeys(table["image"]))
        self.successes = table.pivot(index="image", columns="method", values="success")
        self.sources = (
            table.assign(n=table["success"] + table["near"] + table["failure"])
            .groupby("image")["n"]
            .median()
        )

    def needs(self, *methods: str) -> bool:
        return set(methods) <= set(self.successes.columns)

    def recall(self, method: str) -> pd.Series:
        return self.successes[method] / self.sources

    def flag(self, image: str, method: str) -> bool:
        row = self.table[(self.table["image"] == image) & (self.table["method"] == method)]
        return bool(row["needs_processing"].iloc[0])


def _against(mine: pd.Series, other: pd.Series) -> str:
    return ", ".join(f"{i} {int(mine[i])} against {int(other[i])}" for i in mine.index)


def _chance_rates(chance: pd.DataFrame, methods: list[str]) -> str:
    """Pooled chance rates by both scorers, in words."""
    own = chance[(chance["image"] == "All") & (chance["positions"] == "random")]
    own = own.drop_duplicates(["method", "scorer"]).set_index(["method", "scorer"])
    rates = own["chance_success"]
    return ", ".join(
        f"{100 * rates[name, 'peaks']:.1f} % for {name} "
        f"({100 * rates[name, 'pixels']:.1f} % when any mask pixel counts)"
        for name in methods
    )


def _strictly_more(mine: pd.Series, other: pd.Series) -> str:
    if (mine > other).all():
        return HOLDS
    return TIE if (mine >= other).all() else FAILS


def _derivative_always_better(table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence) -> Answer:
    counts = _Counts(table3)
    if not counts.needs("derivative_10", "segmentation"):
        return Answer(OPEN, "needs derivative_10 and segmentation")
    mine, other = counts.successes["derivative_10"], counts.successes["segmentation"]
    numbers = f"successes: {_against(mine, other)}"
    if "chance" in evidence:
        numbers += "; a random position succeeds in " + _chance_rates(
            evidence["chance"], ["derivative_10", "segmentation"]
        )
    return Answer(_strictly_more(mine, other), numbers)


def _value_best_for_three(table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence) -> Answer:
    counts = _Counts(table3)
    images = ["Img3", "Img4", "Img5"]
    if not counts.needs("value_4.6"):
        return Answer(OPEN, "needs value_4.6")
    verdicts, numbers = [], []
    for image in images:
        row = counts.successes.loc[image]
        best = row.drop("value_4.6").max()
        flagged = counts.flag(image, "value_4.6")
        verdicts.append(
            FAILS
            if row["value_4.6"] < best or not flagged
            else (TIE if row["value_4.6"] == best else HOLDS)
        )
        numbers.append(
            f"{image} {int(row['value_4.6'])}, best other {int(best)}, "
            f"{'flagged' if flagged else 'not flagged'}"
        )
    worst = max(verdicts, key=[HOLDS, TIE, FAILS].index)
    return Answer(worst, "; ".join(numbers))


def _value_better_in_img1(table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence) -> Answer:
    row = _Counts(table3).successes.loc["Img1"]
    slices = [name for name in row.index if name.startswith("value_") and "@" not in name]
    better = [name for name in slices if row[name] > row["segmentation"]]
    verdict = HOLDS if len(better) == len(slices) else (FAILS if not better else "holds in part")
    numbers = ", ".join(f"{name} {int(row[name])}" for name in slices)
    return Answer(
        verdict,
        f"{len(better)} of {len(slices)} slices have more successes than the segmentation's "
        f"{int(row['segmentation'])}: {numbers}",
    )


def _segmentation_loses_in_img1(
    table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence
) -> Answer:
    recall = _Counts(table3).recall("segmentation")
    lowest = recall.drop("Img1").min()
    verdict = HOLDS if recall["Img1"] < lowest else (TIE if recall["Img1"] == lowest else FAILS)
    return Answer(
        verdict,
        f"recall of the segmentation {recall['Img1']:.2f} in Img1, "
        f"{lowest:.2f} to {recall.drop('Img1').max():.2f} in the others; whether it is blending "
        "that loses them, the counts alone do not tell",
    )


def _segmentation_through_gradients(
    table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence
) -> Answer:
    counts = _Counts(table3)
    recall = counts.recall("segmentation")
    others = [image for image in counts.images if image not in ("Img2", "Img7")]
    rest = counts.successes.loc[others, "segmentation"].sum() / counts.sources[others].sum()
    good = [image for image in ("Img2", "Img7") if recall[image] >= rest]
    verdict = {2: HOLDS, 1: "holds in part", 0: FAILS}[len(good)]
    return Answer(
        verdict,
        f"recall {recall['Img2']:.2f} in Img2 and {recall['Img7']:.2f} in Img7, {rest:.2f} in the "
        "other images together",
    )


def _derivative_for_faint(_: object, __: object, evidence: Evidence) -> Answer:
    if not {"depths", "compared"} <= set(evidence):
        return Answer(OPEN, "needs sources of known brightness: no flux stands in Table 3")
    depths = evidence["depths"].query("image == 'all'").set_index("method")["m50"]
    compared = evidence["compared"].query("image == 'all' and of == 'given'")
    cases, better = [], 0
    for at, limit, words in (
        ("false_per_arcmin2", 10, "at 10 false spots per square arcminute"),
        ("area", 0.046, "at 4.6 % of the area"),
    ):
        found = compared[(compared["at"] == at) & np.isclose(compared["limit"], limit)]
        share = found.set_index("family")["completeness"]
        others = max(share["value"], share["segmentation"])
        better += bool(share["derivative"] > others)
        cases.append(
            f"{words} derivative {share['derivative']:.2f}, value {share['value']:.2f}, "
            f"segmentation {share['segmentation']:.2f}"
        )
    limits = ", ".join(
        f"{name} {depths[name]:.1f}" if np.isfinite(depths[name]) else f"{name} none"
        for name in depths.index
        if name in ("derivative_0.3", "derivative_4.6", "value_0.3", "value_4.6", "segmentation")
    )
    return Answer(
        {2: HOLDS, 1: "holds in part", 0: FAILS}[better],
        f"completeness of added faint stars, {'; '.join(cases)}; AB magnitude of 50 %: {limits}",
    )


def _pairs(structure: pd.DataFrame, column: str) -> list[tuple[str, float, float]]:
    """For each percentage that both slices have: its name, the derivative's and the value's mean.

    Over the images where both are finite.
    """
    table = structure.pivot_table(index="image", columns="method", values=column)
    pairs = []
    for percent in ("0.3", "4.6"):
        names = [f"derivative_{percent}", f"value_{percent}"]
        if set(names) <= set(table.columns):
            both = table[names].dropna()
            if len(both):
                pairs.append((percent, both[names[0]].mean(), both[names[1]].mean()))
    return pairs


def _spikes_weigh_more(_: object, __: object, evidence: Evidence) -> Answer:
    pairs = _pairs(evidence["structure"], "wing_excess_px") if "structure" in evidence else []
    if not pairs:
        return Answer(OPEN, "needs the masked area inside the spikes of bright stars")
    more = sum(derivative > value for _, derivative, value in pairs)
    numbers = "; ".join(
        f"top {percent} %: derivative {derivative:.0f} px, value {value:.0f} px"
        for percent, derivative, value in pairs
    )
    return Answer(
        HOLDS if more == len(pairs) else ("holds in part" if more else FAILS),
        f"mask pixels in the spikes and wings of a bright star, mean over images: {numbers}",
    )


def _grain_grows(table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence) -> Answer:
    names = ["derivative_0.3", "derivative_4.6", "derivative_10"]
    own = table3[table3["method"].isin(names)]
    if set(own["method"]) != set(names):
        return Answer(OPEN, f"needs {', '.join(names)}")
    flags = own.groupby("method")["needs_processing"].sum()[names]
    numbers = "flagged images: " + ", ".join(f"{name} {int(flags[name])}" for name in names)
    measure = flags
    if "clutter" in own:
        measure = own.groupby("method")["clutter"].mean()[names]
        numbers += "; mean clutter: " + ", ".join(f"{name} {measure[name]:.2f}" for name in names)
    steps = np.diff(measure.to_numpy(float))
    verdict = HOLDS if (steps > 0).all() else (TIE if (steps >= 0).all() else FAILS)
    return Answer(verdict, numbers)


def _value_follows_background(_: object, __: object, evidence: Evidence) -> Answer:
    column = "clutter_on_bright_background"
    pairs = _pairs(evidence["structure"], column) if "structure" in evidence else []
    if not pairs:
        return Answer(OPEN, "needs the clutter against the structure of the background")
    prone = [value > derivative and value > 0.25 for _, derivative, value in pairs]
    numbers = "; ".join(
        f"top {percent} %: value {value:.2f}, derivative {derivative:.2f}"
        for percent, derivative, value in pairs
    )
    return Answer(
        HOLDS if all(prone) else ("holds in part" if any(prone) else FAILS),
        "share of the clutter on the quarter of the image with the brightest background (0.25 "
        f"where a mask does not follow it), mean over images: {numbers}",
    )


def _errors_in_img5(table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence) -> Answer:
    if "clutter" not in table3:
        flagged = table3[(table3["image"] == "Img5") & table3["needs_processing"]]
        others = table3[(table3["image"] != "Img5") & table3["needs_processing"]]
        most = others.groupby("image").size().max()
        verdict = HOLDS if len(flagged) > most else (TIE if len(flagged) == most else FAILS)
        return Answer(
            verdict, f"{len(flagged)} slices flagged in Img5, at most {most} in another image"
        )
    clutter = table3.pivot(index="image", columns="method", values="clutter")
    names = [n for n in ("value_4.6", "derivative_4.6", "derivative_10") if n in clutter]
    usual = clutter.drop("Img5").median()
    more = [n for n in names if clutter.loc["Img5", n] > usual[n]]
    verdict = HOLDS if len(more) == len(names) else (FAILS if not more else "holds in part")
    numbers = ", ".join(
        f"{n} {clutter.loc['Img5', n]:.2f} against a median of {usual[n]:.2f}" for n in names
    )
    return Answer(verdict, f"clutter in Img5: {numbers}")


def _img1_stands_out(_: pd.DataFrame, table2: pd.DataFrame, evidence: Evidence) -> Answer:
    table = table2.set_index("image").astype(float)
    shift = (table["mean"] - table["median"]).abs() / table["median"]
    first = shift.idxmax() == "Img1"
    lowest = table["kurtosis"].idxmin() == "Img1"
    verdict = HOLDS if first and lowest else ("holds in part" if first or lowest else FAILS)
    return Answer(
        verdict,
        f"|mean - median| / median {shift['Img1']:.3f} in Img1, at most "
        f"{shift.drop('Img1').max():.3f} elsewhere; kurtosis {table.loc['Img1', 'kurtosis']:.0f}, "
        f"at least {table['kurtosis'].drop('Img1').min():.0f} elsewhere",
    )


def _no_method_best_everywhere(table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence) -> Answer:
    successes = _Counts(table3).successes
    best = successes.eq(successes.max(axis=1), axis=0)
    wins = best.sum().sort_values(ascending=False, kind="stable")
    numbers = ", ".join(f"{name} {int(n)}" for name, n in wins.items())
    verdict = FAILS if best.all().any() else HOLDS
    return Answer(
        verdict, f"images in which a method has the most successes, ties included: {numbers}"
    )


def _combination(_: object, __: object, evidence: Evidence) -> Answer:
    if not {"chance", "reliability"} <= set(evidence):
        return Answer(
            OPEN, "no combination is in Table 3, and nothing in it measures a false positive"
        )
    chance, reliability = evidence["chance"], evidence["reliability"]
    pooled = chance.query(
        "image == 'All' and scorer == 'peaks' and positions == 'random' and domain != 'published'"
    ).set_index("method")
    false = reliability.query("image == 'All'").drop_duplicates("method").set_index("method")
    names = [n for n in pooled.index if "_or_" in n or "_and_" in n]
    if not names or not pooled["sources"].max():
        return Answer(OPEN, "no combination is evaluated, or nothing to score")
    fulfilled = [
        pooled["success"][name] > pooled["success"]["segmentation"]
        and false["false_low"][name] <= false["false_high"]["segmentation"]
        for name in names
    ]
    numbers = "; ".join(
        f"{name} {int(pooled['success'][name])} successes of {int(pooled['sources'][name])}, "
        f"{false['false_per_arcmin2'][name]:.3g} false spots per square arcminute, "
        f"{100 * pooled['chance_success'][name]:.0f} % by chance"
        for name in [*names, "segmentation"]
    )
    verdict = HOLDS if all(fulfilled) else ("holds in part" if any(fulfilled) else FAILS)
    return Answer(verdict, f"{numbers} (false spots: of the inverted image)")


def _circle_covers_pixel(*_: object) -> Answer:
    diagonal = 25 * np.sqrt(2)
    verdict = HOLDS if diagonal <= 36 else FAILS
    return Answer(verdict, f"the diagonal of 25 x 25 px is {diagonal:.1f} px, the diameter 36 px")


CLAIMS = (
    Claim(
        "C1",
        "Retaining only the top 10 % of the derivative image captured sources better than the "
        "original segmentation in all seven cases (5)",
        _derivative_always_better,
    ),
    Claim(
        "C2",
        "Retaining 4.6 % of the values gave the best results for Img3, Img4 and Img5, and all "
        "three need further processing (5)",
        _value_best_for_three,
    ),
    Claim(
        "C3",
        "Value slicing behaves better than the standard segmentation on bright, continuous "
        "sources such as Img1 (5)",
        _value_better_in_img1,
    ),
    Claim(
        "C4",
        "The original segmentation loses most in Img1 because it blends (5)",
        _segmentation_loses_in_img1,
    ),
    Claim(
        "C5",
        "The original segmentation extracts sources through gradient-like backgrounds in Img2 "
        "and Img7 (5)",
        _segmentation_through_gradients,
    ),
    Claim(
        "C6",
        "The derivative is the better choice for small and faint objects (5)",
        _derivative_for_faint,
    ),
    Claim("C7", "Diffraction spikes weigh more in the derivative images (5)", _spikes_weigh_more),
    Claim(
        "C8",
        "The higher the retained percentage of the derivative, the grainier the scene (5)",
        _grain_grows,
    ),
    Claim(
        "C9",
        "Value slices are prone to mesh-like and gradient errors (5)",
        _value_follows_background,
    ),
    Claim(
        "C10",
        "Img5's low variance makes the derivative and value slices catch errors (5)",
        _errors_in_img5,
    ),
    Claim(
        "C11",
        "Img1 stands out in its statistics: mean against median, low kurtosis (5)",
        _img1_stands_out,
    ),
    Claim("C12", "No method is best everywhere (5)", _no_method_best_everywhere),
    Claim(
        "C13",
        "The combined use of a value slice and a derivative slice detects more catalogued sources "
        "than the original segmentation, without spuriously detecting false positives (abstract)",
        _combination,
    ),
    Claim(
        "C14",
        "A circle of 36 px diameter covers the 25 x 25 px footprint of one unWISE pixel (3)",
        _circle_covers_pixel,
    ),
)


def answer_claims(
    table3: pd.DataFrame, table2: pd.DataFrame, evidence: Evidence | None = None
) -> dict[str, Answer]:
    """An answer to each of `CLAIMS` by its id; both tables hold the paper's seven images.

    An image without sources is not in `table3`: what is claimed of it stays open.
    Without `evidence`, the tables of the evaluation, the claims that need them stay open.
    """
    missing = [image for image in table2["image"] if not (table3["image"] == image).any()]
    answers = {}
    for claim in CLAIMS:
        try:
            answers[claim.id] = claim.decide(table3, table2, evidence or {})
        except (KeyError, IndexError):
            if not missing:
                raise
            text = f"no catalogue source lies on {', '.join(missing)}"
            answers[claim.id] = Answer(OPEN, text)
    return answers


def claims_table(answers: Mapping[str, Mapping[str, Answer]]) -> pd.DataFrame:
    """A row for each of `CLAIMS`: id, its text and, for each source of answers, two columns.

    `answers` has those of `answer_claims` by what they were answered from.
    """
    rows = []
    for claim in CLAIMS:
        row = {"id": claim.id, "claim (section)": claim.text}
        for source, given in answers.items():
            row[source] = given[claim.id].verdict
            row[f"{source}: numbers"] = given[claim.id].numbers
        rows.append(row)
    return pd.DataFrame(rows)


def claims_page(
    table: pd.DataFrame, circles: pd.DataFrame, *, simulated: bool, first: Sequence[str] = ()
) -> str:
    """`claims_table` in Markdown; `circles` as `mirimask.report.tables.circle_notes` takes them.

    `first`: sentences that stand above it.
    """
    notes = [
        "read strictly: 'better' is more successes in each image named; equal counts make it "
        "'holds with a tie'",
        "'not testable here': the tables do not hold what the claim is about; the computed answers "
        "use the evaluation as well, with slices over the crop",
        *circle_notes(circles),
    ]
    return as_markdown(
        table, title="The paper's claims", notes=notes, simulated=simulated, first=first
    )
