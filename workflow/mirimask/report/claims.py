"""The paper's claims, answered from its tables: the printed ones, or the ones computed here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mirimask.errors import MaskError
from mirimask.intervals import mean_interval
from mirimask.masks.names import leaves, method_label
from mirimask.report.tables import as_markdown, circle_notes, rate_words

__all__ = ["CLAIMS", "NOTES", "Answer", "Claim", "answer_claims", "claims_page", "claims_table"]

Evidence = Mapping[str, pd.DataFrame]

HOLDS, TIE, FAILS, OPEN = "holds", "holds with a tie", "fails", "not testable here"
PART, UNDECIDED = "holds in part", "undecided"
_IMAGES = tuple(f"Img{number}" for number in range(1, 8))
_DERIVATIVES = ("derivative_0.3", "derivative_4.6", "derivative_10")
_PAPER_MASKS = ("value_0.3", "value_1", "value_4.6", *_DERIVATIVES, "segmentation")
_SWEPT = ("derivative", "value", "segmentation")  # the families whose added stars decide
NOTES = (
    "read strictly: 'better' is more successes in each image named; equal counts make it 'holds "
    "with a tie'",
    "'not testable here': the tables do not hold what the claim is about; the computed answers use "
    "the evaluation as well, with slices over the crop, but the chance rates of C1, which are "
    "those of Table 3's slices",
    "'undecided': the difference is within its 95 % interval, or only ties decide; 'holds in "
    "part': in some of the cases named, not in all",
)


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
    (chance, reliability, structure, depths, compared and, where the truth is known,
    false_rates), an empty mapping where there are none. It is asked where all masks that it `needs`
    are in Table 3, and all `images` that it is about.
    """

    id: str
    text: str
    decide: Callable[[pd.DataFrame, pd.DataFrame, Evidence], Answer]
    needs: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


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

    def recall(self, method: str) -> pd.Series:
        return self.successes[method] / self.sources

    def flag(self, image: str, method: str) -> bool:
        row = self.table[(self.table["image"] == image) & (self.table["method"] == method)]
        return bool(row["needs_processing"].iloc[0])


def _against(mine: pd.Series, other: pd.Series) -> str:
    return ", ".join(f"{i} {int(mine[i])} against {int(other[i])}" for i in mine.index)


def _chance_rates(chance: pd.DataFrame, methods: list[str]) -> str:
    """Pooled chance rates by both scorers, in words; of the slices of Table 3, which come first."""
    own = chance[(chance["image"] == "All") & (chance["positions"] == "random")]
    own = own.drop_duplicates(["method", "scorer"]).set_index(["method", "scorer"])
    rates, domains = own["chance_success"], own["domain"]

    def over(method: str) -> str:
        domain = domains[method, "peaks"]  # '' for a mask that is no slice
        return f" over the {domain} domain" if domain else ""

    return ", ".join(
        f"{100 * rates[name, 'peaks']:.1f} % for {method_label(name)}{over(name)} "
        f"({100 * rates[name, 'pixels']:.1f} % when any mask pixel counts)"
        for name in methods
    )


def _strictly_more(mine: pd.Series, other: "pd.Series | float") -> str:
    if (mine > other).all():
        return HOLDS
    return TIE if (mine >= other).all() else FAILS


def _more_in_parts(mine: pd.Series, other: "pd.Series | float") -> str:
    """As `_strictly_more`, and in part where some are more and some are less."""
    verdict = _strictly_more(mine, other)
    return PART if verdict == FAILS and (mine > other).any() else verdict


def _by_signs(signs: list[int]) -> str:
    """A verdict from comparisons: 1 for the claim, -1 against it, 0 within the errors."""
    if 1 not in signs:
        return FAILS if -1 in signs else UNDECIDED
    return HOLDS if set(signs) == {1} else PART


def _apart(low: float, high: float, other_low: float, other_high: float) -> int:
    """1 where an interval lies above the other, -1 where below, 0 where they overlap."""
    return int(low > other_high) - int(high < other_low)


def _derivative_always_better(table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence) -> Answer:
    counts = _Counts(table3)
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
    if len(counts.successes.columns) < 2:
        return Answer(OPEN, "needs another of the paper's masks beside Img Top 4.6 %")
    parts, ahead, numbers = [], [], []
    for image in images:
        row = counts.successes.loc[image]
        best = row.drop("value_4.6").max()
        flagged = counts.flag(image, "value_4.6")
        parts += [row["value_4.6"] >= best, flagged]
        ahead.append(row["value_4.6"] > best)
        numbers.append(
            f"{image} {int(row['value_4.6'])}, best other {int(best)}, "
            f"{'flagged' if flagged else 'not flagged'}"
        )
    if not all(parts):
        return Answer(PART if any(parts) else FAILS, "; ".join(numbers))
    return Answer(HOLDS if all(ahead) else TIE, "; ".join(numbers))


def _value_better_in_img1(table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence) -> Answer:
    row = _Counts(table3).successes.loc["Img1"]
    slices = [name for name in row.index if name.startswith("value_")]
    if not slices:
        return Answer(OPEN, "needs a value slice of the paper's")
    better = int((row[slices] > row["segmentation"]).sum())
    numbers = ", ".join(f"{method_label(name)}: {int(row[name])}" for name in slices)
    return Answer(
        _more_in_parts(row[slices], row["segmentation"]),
        f"{better} of {len(slices)} slices have more successes than the segmentation's "
        f"{int(row['segmentation'])}: {numbers}",
    )


def _segmentation_loses_in_img1(
    table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence
) -> Answer:
    recall = _Counts(table3).recall("segmentation")
    lowest = recall.drop("Img1").min()
    numbers = (
        f"recall of the segmentation {recall['Img1']:.2f} in Img1, "
        f"{lowest:.2f} to {recall.drop('Img1').max():.2f} in the others"
    )
    if recall["Img1"] > lowest:
        return Answer(FAILS, numbers)
    loses = TIE if recall["Img1"] == lowest else PART
    own = evidence.get("chance", pd.DataFrame(columns=["method", "image"]))
    own = own.query("method == 'segmentation' and image != 'All'")
    if own.empty:
        return Answer(
            loses, f"{numbers}; whether it is blending that loses them, the counts do not tell"
        )
    own = own.drop_duplicates(["image", "scorer"]).set_index(["image", "scorer"])
    found = own["success"].unstack("scorer")
    lost = own["sources"].groupby("image").first() - found["peaks"]
    # by the letter any pixel of a spot will do: such an entry lies on a spot, whose peak is another
    blended = found["pixels"] - found["peaks"]
    numbers += (
        f"; of the {lost['Img1']:.0f} entries that it loses there {blended['Img1']:.0f} have a "
        f"spot in their circle, whose peak is not theirs, in the others "
        f"{blended.drop('Img1').sum():.0f} of {lost.drop('Img1').sum():.0f}"
    )
    if 2 * blended["Img1"] <= lost["Img1"]:
        return Answer(PART, f"{numbers}: it loses most there, but most of them not by blending")
    return Answer(HOLDS if loses == PART else TIE, numbers)


def _segmentation_through_gradients(
    table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence
) -> Answer:
    counts = _Counts(table3)
    recall = counts.recall("segmentation")
    others = [image for image in counts.images if image not in ("Img2", "Img7")]
    rest = counts.successes.loc[others, "segmentation"].sum() / counts.sources[others].sum()
    good = [image for image in ("Img2", "Img7") if recall[image] >= rest]
    verdict = {2: HOLDS, 1: PART, 0: FAILS}[len(good)]
    return Answer(
        verdict,
        f"recall {recall['Img2']:.2f} in Img2 and {recall['Img7']:.2f} in Img7, {rest:.2f} in the "
        "other images together",
    )


def _derivative_for_faint(_: object, __: object, evidence: Evidence) -> Answer:
    if not {"depths", "compared"} <= set(evidence):
        return Answer(OPEN, "needs sources of known brightness: no flux stands in Table 3")
    together = evidence["depths"].query("image == 'all'").set_index("method")
    depths = together["m80"].map("{:.1f}".format).where(together["m80"].notna(), "none")
    depths = depths.mask(together["beyond"].astype(bool), "beyond all")
    compared = evidence["compared"].query("image == 'all' and of == 'given'")
    if not set(_SWEPT) <= set(compared["family"]):
        # by evaluation.curve_families, or where stars can be measured on no image
        return Answer(OPEN, f"needs curves of added stars of {', '.join(_SWEPT)}")
    points = [
        ("false_per_arcmin2", limit, f"up to {limit:g} false spots per square arcminute")
        for limit in sorted(compared.query("at == 'false_per_arcmin2'")["limit"].unique())
    ]
    if np.isclose(compared.query("at == 'area'")["limit"], 0.046).any():
        points.append(("area", 0.046, "up to 4.6 % of the area"))
    cases, signs = [], []
    for at, limit, words in points:
        own = compared[(compared["at"] == at) & np.isclose(compared["limit"], limit)]
        found = own.set_index("family")[["completeness", "low", "high"]]
        rivals = found.loc[["value", "segmentation"]]
        best = rivals.loc[rivals["completeness"].idxmax()]
        mine = found.loc["derivative"]
        signs.append(_apart(mine["low"], mine["high"], best["low"], best["high"]))
        cells = ", ".join(
            f"{name} {found['completeness'][name]:.2f} [{found['low'][name]:.2f}, "
            f"{found['high'][name]:.2f}]"
            for name in _SWEPT
        )
        cases.append(f"{words} {cells}")
    limits = ", ".join(
        f"{method_label(name)}: {depths[name]}"
        for name in depths.index
        if name in ("derivative_0.3", "derivative_4.6", "value_0.3", "value_4.6", "segmentation")
    )
    words = f"better at {signs.count(1)}, worse at {signs.count(-1)} of {len(signs)} costs"
    return Answer(
        _by_signs(signs),
        f"{words}; completeness of added faint stars {'; '.join(cases)}; AB magnitude to which "
        f"80 % of the stars of all images together are found: {limits}",
    )


def _pairs(structure: pd.DataFrame, column: str) -> list[tuple[str, pd.Series, pd.Series]]:
    """For each percentage that both slices have: its name, the derivative's values and the value's.

    Of the images in which both are finite.
    """
    table = structure.pivot_table(index="image", columns="method", values=column)
    pairs = []
    for percent in ("0.3", "4.6"):
        names = [f"derivative_{percent}", f"value_{percent}"]
        if set(names) <= set(table.columns):
            both = table[names].dropna()
            if len(both):
                pairs.append((percent, both[names[0]], both[names[1]]))
    return pairs


def _spikes_weigh_more(_: object, __: object, evidence: Evidence) -> Answer:
    pairs = _pairs(evidence["structure"], "spike_excess") if "structure" in evidence else []
    if not pairs:
        return Answer(OPEN, "needs the masked area on the spikes of bright stars")
    signs, cells = [], []
    for percent, derivative, value in pairs:
        mean, low, high = mean_interval((derivative - value).to_numpy())
        signs.append(_apart(low, high, 0, 0))
        cells.append(
            f"top {percent} %: derivative {derivative.mean():+z.3f}, value {value.mean():+z.3f}, "
            f"difference {mean:+z.3f} [{low:+z.3f}, {high:+z.3f}] in {len(value)} images"
        )
    return Answer(
        _by_signs(signs),
        "share of a bright star's spikes that is masked less that of what lies between them at the "
        f"same distance, mean over images: {'; '.join(cells)}",
    )


def _grain_grows(table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence) -> Answer:
    names = list(_DERIVATIVES)
    own = table3[table3["method"].isin(names)]
    flags = own.groupby("method")["needs_processing"].sum()[names]
    numbers = "flagged images: " + ", ".join(
        f"{method_label(name)}: {int(flags[name])}" for name in names
    )
    measure = flags
    if "clutter" in own:
        measure = own.groupby("method")["clutter"].mean()[names]
        numbers += "; mean clutter: " + ", ".join(
            f"{method_label(name)}: {measure[name]:.2f}" for name in names
        )
    steps = np.diff(measure.to_numpy(float))
    verdict = HOLDS if (steps > 0).all() else (TIE if (steps >= 0).all() else FAILS)
    return Answer(verdict, numbers)


def _value_follows_background(_: object, __: object, evidence: Evidence) -> Answer:
    column = "clutter_on_bright_background"
    pairs = _pairs(evidence["structure"], column) if "structure" in evidence else []
    if not pairs:
        return Answer(OPEN, "needs the clutter against the structure of the background")
    signs, cells = [], []
    for percent, derivative, value in pairs:
        mean, low, high = mean_interval((value - derivative).to_numpy())
        beyond = mean_interval(value.to_numpy() - 0.25)
        signs.append(min(_apart(low, high, 0, 0), _apart(beyond[1], beyond[2], 0, 0)))
        ends = np.clip(np.add(beyond[1:], 0.25), 0, 1)  # of a share
        cells.append(
            f"top {percent} %: value {value.mean():.2f} [{ends[0]:.2f}, {ends[1]:.2f}], "
            f"derivative {derivative.mean():.2f}, difference {mean:+z.2f} "
            f"[{low:+z.2f}, {high:+z.2f}] in {len(value)} images"
        )
    return Answer(
        _by_signs(signs),
        "share of the clutter on the quarter of the image with the brightest background (0.25 "
        f"where a mask does not follow it), mean over images: {'; '.join(cells)}",
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
    if not names:
        return Answer(
            OPEN, "needs a slice of the top 4.6 %, or the top 10 % of the derivative, in Table 3"
        )
    usual = clutter.drop("Img5").median()
    numbers = ", ".join(
        f"{method_label(n)}: {clutter.loc['Img5', n]:.2f} against a median of {usual[n]:.2f}"
        for n in names
    )
    verdict = _more_in_parts(clutter.loc["Img5", names], usual[names])
    return Answer(verdict, f"clutter in Img5: {numbers}")


def _img1_stands_out(_: pd.DataFrame, table2: pd.DataFrame, evidence: Evidence) -> Answer:
    table = table2.set_index("image").astype(float)
    shift = (table["mean"] - table["median"]).abs() / table["median"]
    first = shift.idxmax() == "Img1"
    lowest = table["kurtosis"].idxmin() == "Img1"
    verdict = HOLDS if first and lowest else (PART if first or lowest else FAILS)
    return Answer(
        verdict,
        f"|mean - median| / median {shift['Img1']:.3f} in Img1, at most "
        f"{shift.drop('Img1').max():.3f} elsewhere; kurtosis {table.loc['Img1', 'kurtosis']:.0f}, "
        f"at least {table['kurtosis'].drop('Img1').min():.0f} elsewhere",
    )


def _no_method_best_everywhere(table3: pd.DataFrame, _: pd.DataFrame, evidence: Evidence) -> Answer:
    successes = _Counts(table3).successes
    if len(successes.columns) < 2:
        return Answer(OPEN, "needs two of the paper's masks in Table 3")
    best = successes.eq(successes.max(axis=1), axis=0)
    wins, alone = best.sum(), best[best.sum(axis=1) == 1].sum()
    wins = wins.sort_values(ascending=False, kind="stable")
    numbers = "images in which a method has the most successes (alone): " + ", ".join(
        f"{method_label(name)}: {int(n)} ({int(alone[name])})" for name, n in wins.items()
    )
    everywhere = best.all()[best.all()].index
    if len(everywhere):
        # one that leads nowhere alone is not shown to be better than those it ties with
        verdict = FAILS if alone[everywhere].max() > 0 else UNDECIDED
        return Answer(verdict, numbers + "; " + _by_cost(evidence))
    return Answer(HOLDS, numbers + "; " + _by_cost(evidence))


def _by_cost(evidence: Evidence) -> str:
    """Which family finds most added stars in each image, at equal false rates, in words."""
    if "compared" not in evidence:
        return "sources of known brightness are not in the table"
    table = evidence["compared"].query("at == 'false_per_arcmin2' and of == 'given'")
    table = table[(table["image"] != "all") & table["family"].isin(_SWEPT)]
    parts = []
    for limit, own in table.groupby("limit"):
        ahead: dict[str, int] = {}
        for _, image in own.groupby("image"):
            rows = image.sort_values("completeness", ascending=False)
            clear = len(rows) > 1 and rows["low"].iloc[0] > rows["high"].iloc[1:].max()
            name = rows["family"].iloc[0] if clear else "a tie"
            ahead[name] = ahead.get(name, 0) + 1
        words = ", ".join(f"{name} {n}" for name, n in sorted(ahead.items()))
        parts.append(f"at {limit:g} false spots per square arcminute {words}")
    return "by added stars, images in which a method is ahead of the others: " + "; ".join(parts)


def _combination(_: object, __: object, evidence: Evidence) -> Answer:
    if not {"chance", "reliability"} <= set(evidence):
        return Answer(
            OPEN, "no combination is in Table 3, and nothing in it measures a false positive"
        )
    pooled = (
        evidence["chance"]
        .query(
            "image == 'All' and scorer == 'peaks' and positions == 'random' "
            "and domain != 'published'"
        )
        .set_index("method")
    )
    false, source = _false_rates(evidence)
    names = [n for n in pooled.index if _of_both(n)]
    if not names or not pooled["sources"].max() or "segmentation" not in pooled.index:
        return Answer(
            OPEN,
            "no value slice combined with a derivative slice is evaluated beside the segmentation, "
            "or nothing to score",
        )
    rival = false.loc["segmentation"]
    signs = []
    for name in names:
        own = false.loc[name]
        cleaner = _apart(rival["low"], rival["high"], own["low"], own["high"])
        more = int(np.sign(pooled["success"][name] - pooled["success"]["segmentation"]))
        signs.append(-1 if cleaner < 0 else more)
    numbers = "; ".join(
        f"{method_label(name)}: {int(pooled['success'][name])} successes of "
        f"{int(pooled['sources'][name])}, "
        f"{rate_words(false['rate'][name])} [{rate_words(false['low'][name])}, "
        f"{rate_words(false['high'][name])}] false "
        f"spots per square arcminute, {100 * pooled['chance_success'][name]:.0f} % by chance"
        for name in [*names, "segmentation"]
    )
    return Answer(_by_signs(signs), f"{numbers} (false spots: {source})")


def _of_both(name: str) -> bool:
    """Whether a mask combines a value slice and a derivative slice, and nothing else."""
    return sorted(leaf.method for leaf in leaves(name)) == ["derivative", "value"]


def _false_rates(evidence: Evidence) -> tuple[pd.DataFrame, str]:
    """False rates of all images with their limits (rate, low, high), by truth where it is known."""
    if len(evidence.get("false_rates", ())):
        table = evidence["false_rates"].drop_duplicates("method")
        rate, source = "truth_false_per_arcmin2", "on no true source"
    else:
        table = evidence["reliability"].query("image == 'All'").drop_duplicates("method")
        rate, source = "false_per_arcmin2", "of blank images"
    names = {rate: "rate", "false_low": "low", "false_high": "high"}
    return table.set_index("method")[list(names)].rename(columns=names), source


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
        needs=("derivative_10", "segmentation"),
        images=_IMAGES,
    ),
    Claim(
        "C2",
        "Retaining 4.6 % of the values gave the best results for Img3, Img4 and Img5, and all "
        "three need further processing (5)",
        _value_best_for_three,
        needs=("value_4.6",),
        images=("Img3", "Img4", "Img5"),
    ),
    Claim(
        "C3",
        "Value slicing behaves better than the standard segmentation on bright, continuous "
        "sources such as Img1 (5)",
        _value_better_in_img1,
        needs=("segmentation",),
        images=("Img1",),
    ),
    Claim(
        "C4",
        "The original segmentation loses most in Img1 because it blends (5)",
        _segmentation_loses_in_img1,
        needs=("segmentation",),
        images=_IMAGES,
    ),
    Claim(
        "C5",
        "The original segmentation extracts sources through gradient-like backgrounds in Img2 "
        "and Img7 (5)",
        _segmentation_through_gradients,
        needs=("segmentation",),
        images=_IMAGES,
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
        needs=_DERIVATIVES,
        images=_IMAGES,
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
        images=_IMAGES,
    ),
    Claim(
        "C11",
        "Img1 stands out in its statistics: mean against median, low kurtosis (5)",
        _img1_stands_out,
    ),
    Claim("C12", "No method is best everywhere (5)", _no_method_best_everywhere, images=_IMAGES),
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

    Of the masks in `table3` the paper's seven count, others say nothing of its claims. A claim
    about masks that are not there stays open, and so does one about an image without sources,
    which is not in `table3`. Without `evidence`, the tables of the evaluation, the claims that need
    them stay open. MaskError where an image of the paper is not in `table2`.
    """
    absent = [image for image in _IMAGES if not (table2["image"] == image).any()]
    if absent:
        raise MaskError(
            f"the paper's claims are of its seven images; {', '.join(absent)} not among those of "
            "this study: the tables and the evaluation can be asked for without claims.md."
        )
    scored = set(table3["image"])
    table3 = table3[table3["method"].isin(_PAPER_MASKS)]
    answers = {}
    methods = set(table3["method"])
    for claim in CLAIMS:
        if not methods.issuperset(claim.needs):
            text = f"needs {', '.join(map(method_label, claim.needs))} in Table 3"
            answers[claim.id] = Answer(OPEN, text)
            continue
        missing = [image for image in claim.images if image not in scored]
        if missing:
            text = f"no catalogue source lies on {', '.join(missing)}"
            answers[claim.id] = Answer(OPEN, text)
            continue
        answers[claim.id] = claim.decide(table3, table2, evidence or {})
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
    return as_markdown(
        table,
        title="The paper's claims",
        notes=[*NOTES, *circle_notes(circles)],
        simulated=simulated,
        first=first,
    )
