"""Table 3, the comparison and the claims, on the paper's own printed tables."""

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from mirimask.errors import MaskError
from mirimask.masks.names import method_label
from mirimask.report.claims import CLAIMS, OPEN, answer_claims, claims_page, claims_table
from mirimask.report.comparison import (
    compare_identity,
    compare_statistics,
    compare_verdicts,
    comparison_page,
    summarise,
)
from mirimask.report.tables import (
    all_variants,
    as_latex,
    as_markdown,
    check_same_sources,
    circle_notes,
    count_verdicts,
    paper_layout,
    rate_words,
    statistics_notes,
    table3_latex,
    table3_page,
    table3_variants,
    together,
)

PUBLISHED = ROOT / "config" / "published"


def _published(number, **options):
    return pd.read_csv(PUBLISHED / f"table{number}.csv", **options)


@pytest.fixture
def verdicts():
    """The printed Table 3 turned back into one verdict a source."""
    rows = []
    for row in _published(3).to_dict("records"):
        for verdict in ("success", "near", "failure"):
            rows += [{"image": row["code"], "method": row["method"], "verdict": verdict}] * row[
                verdict
            ]
    return pd.DataFrame(rows).assign(verdict_pixels="success")


@pytest.fixture
def clutter():
    table = _published(3).rename(columns={"code": "image"})
    return table.set_index(["image", "method"])["needs_processing"].astype(float)


def test_masks_of_an_image_are_judged_by_the_same_sources():
    verdicts = pd.DataFrame(
        {
            "image": ["A", "A", "A", "A", "B"],
            "method": ["value_1", "value_1", "segmentation", "segmentation", "value_1"],
            "id": ["s1", "s2", "s1", "s2", "t1"],
        }
    )
    check_same_sources(verdicts)
    says = "verdicts/A: segmentation.csv has 1 sources, value_1.csv 2"
    with pytest.raises(MaskError, match=says):
        check_same_sources(verdicts.drop(index=3))


def test_counts_flags_and_bold_of_the_printed_table(verdicts, clutter):
    table = count_verdicts(verdicts, clutter, clutter_limit=0.5, scorer="peaks")
    published = _published(3)
    for column in ("success", "near", "failure", "needs_processing"):
        np.testing.assert_array_equal(table[column], published[column])
    # bold by the definition: Img1, segmentation 7/0 13
    assert list(table[table["bold"] & (table["image"] == "Img1")]["method"]) == [
        "derivative_0.3",
        "value_4.6",
        "derivative_4.6",
        "value_1",
        "derivative_10",
    ]
    assert not table[(table["image"] == "Img7")]["bold"].any()  # 42/1 0 is only a tie
    literal = count_verdicts(verdicts, clutter, clutter_limit=0.5, scorer="pixels")
    assert (literal["success"] == literal["sources"]).all()


def test_layout_is_the_papers(verdicts, clutter):
    table = count_verdicts(verdicts, clutter, clutter_limit=0.5, scorer="peaks")
    layout = paper_layout(table, bold=lambda text: f"**{text}**").set_index("Image")
    assert layout.loc["Img1", "Diff Top 0.3 % S"] == "**12/3**"
    assert layout.loc["Img1", "Diff Top 4.6 % S"] == "**20** !"
    assert layout.loc["Img5", "Orig. Segm. S"] == "13/2"
    assert layout.loc["Img5", "Orig. Segm. F"] == "2"
    assert layout.loc["All", "Orig. Segm. S"] == "138/6"
    assert list(layout.columns[:4]) == [
        "Img Top 0.3 % S",
        "Img Top 0.3 % F",
        "Diff Top 0.3 % S",
        "Diff Top 0.3 % F",
    ]


def test_image_without_sources_counts_nothing(verdicts, clutter):
    clutter.loc[("Img8", "segmentation")] = 0.1
    table = count_verdicts(verdicts, clutter, clutter_limit=0.5, scorer="peaks")
    assert table[table["image"] == "Img8"]["sources"].item() == 0


def test_images_that_are_left_out_are_named():
    circles = pd.DataFrame(
        {
            "image": ["A", "B", "C", "D"],
            "catalogue": [True, False, True, True],
            "sources": [9, 0, 0, 400],
            "not_observed": [0, 0, 0, 30],
            "covered": [0.5, 0, 0, 0.93],
        }
    )
    absent, empty, beyond, crowded = circle_notes(circles)
    assert beyond.endswith("nothing was observed count as failures: 30 of 400 in D")
    assert absent == "left out, no catalogue is given: B"
    assert empty == "left out, no catalogue source lies on it: C"
    assert crowded.startswith("the circles cover 93 % of D:")
    (nothing,) = circle_notes(circles.assign(sources=0, not_observed=0, covered=0))
    assert nothing == "no catalogue source lies on any of the images: nothing was scored"
    (none_given,) = circle_notes(circles[1:2])
    assert none_given == "no catalogue is given for any of the images: nothing was scored"
    assert circle_notes(circles[:1]) == []


def test_a_table_without_images_is_one_without_rows(verdicts, clutter):
    none = count_verdicts(verdicts, clutter, clutter_limit=0.5, scorer="peaks")[:0]
    layout = paper_layout(none, bold=str)
    assert list(layout.columns) == ["Image"]
    assert layout.empty


def test_hostile_text_stays_in_its_cell():
    table = pd.DataFrame({"a": ["<script>x|y`\nz", "100 % & #_{}$"], "b": [None, np.nan]})
    markdown = as_markdown(table, title="T", notes=[], simulated=True)
    assert "<script>" not in markdown
    assert "SIMULATED" in markdown
    assert markdown.count("\n|") == 4
    latex = as_latex(table, title="T", label="t", simulated=False)
    assert r"100 \% \& \#\_\{\}\$" in latex
    assert "SIMULATED" not in latex


def test_labels():
    assert method_label("value_4.6") == "Img Top 4.6 %"
    assert method_label("derivative_10@crop") == "Diff Top 10 % (crop domain)"
    assert method_label("value_1_or_derivative_4.6") == "Img 1 % or Diff 4.6 %"


def test_the_published_tables_agree_with_themselves():
    texts = {"dtype": str, "keep_default_na": False}
    one, two, three = (_published(n).rename(columns={"code": "image"}) for n in (1, 2, 3))
    identity = compare_identity(_published(1, **texts), one)
    statistics = compare_statistics(_published(2, **texts), two)
    verdicts = compare_verdicts(_published(3), three)
    assert identity["agrees"].all()
    assert statistics["agrees"].all()
    assert verdicts["agrees"].all()
    summary = summarise(identity, statistics, verdicts)
    assert list(summary["cells"]) == [49, 49, 49]
    assert list(summary["agree"]) == [49, 49, 49]
    assert (summary["worst"] == "").all()


def test_differences_are_found_and_named():
    texts = {"dtype": str, "keep_default_na": False}
    one, two, three = (_published(n).rename(columns={"code": "image"}) for n in (1, 2, 3))
    one.loc[0, "principal_investigator"] = "Wright, Gillian S."
    one.loc[1, "observation_id"] = "V0"
    two.loc[2, "median"] = 10.6234  # prints 10.622 no more
    three.loc[3, "success"] = 19
    identity = compare_identity(_published(1, **texts), one)
    assert identity["agrees"].sum() == 48
    statistics = compare_statistics(_published(2, **texts), two)
    assert statistics[~statistics["agrees"]]["column"].tolist() == ["median"]
    verdicts = compare_verdicts(_published(3), three)
    assert verdicts[~verdicts["agrees"]]["success_difference"].tolist() == [-1]
    summary = summarise(identity, statistics, verdicts)
    assert list(summary["agree"]) == [48, 48, 48]
    assert "Img1 derivative_4.6: success 20 became 19" in summary["worst"].tolist()


def test_claims_of_the_printed_tables():
    """What claims.md of the study says of the printed tables, read strictly."""
    two, three = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    answers = answer_claims(three, two)
    verdicts = {claim: answer.verdict for claim, answer in answers.items()}
    assert list(verdicts) == [claim.id for claim in CLAIMS]
    assert verdicts["C1"] == "holds with a tie"  # Img7 is 42 against 42
    assert "Img7 42 against 42" in answers["C1"].numbers
    assert verdicts["C2"] == "holds with a tie"
    assert verdicts["C4"] == "holds in part"  # that it blends, the counts do not tell
    assert verdicts["C11"] == "holds"
    assert verdicts["C12"] == "holds"
    assert verdicts["C13"] == "not testable here"
    assert verdicts["C14"] == "holds"


def test_a_claim_of_several_parts_of_which_some_hold_holds_in_part():
    """C2: the best in three images, and each of them flagged."""
    two, three = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    own = three["method"] == "value_4.6"
    of_three = own & three["image"].isin(["Img3", "Img4", "Img5"])

    def answer(**changes):
        return answer_claims(three.assign(**changes), two)["C2"].verdict

    flags = three["needs_processing"]
    assert answer(needs_processing=flags & ~(own & (three["image"] == "Img4"))) == "holds in part"
    assert answer(needs_processing=flags & ~of_three) == "holds in part"  # they are the best still
    nothing = {"needs_processing": flags & ~of_three, "success": three["success"] - 5 * of_three}
    assert answer(**nothing) == "fails"
    assert answer(success=three["success"] + of_three) == "holds"


def test_claims_are_answered_from_the_papers_masks():
    """A combination begins with the name of a slice, and is none; other masks win nothing."""
    two, three = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    best = three[three["method"] == "value_1"].assign(success=99)
    more = [best.assign(method=name) for name in ("value_1_or_derivative_10", "sep", "value_2")]
    assert answer_claims(pd.concat([three, *more]), two) == answer_claims(three, two)
    others = pd.concat([*more, three[three["method"] == "segmentation"]])
    assert answer_claims(others, two)["C3"].verdict == "not testable here"


def test_claims_about_masks_that_are_not_there_stay_open():
    """Whatever masks and parts of the evaluation a study has; none is answered from nothing."""
    two, three = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    for kept in (["recommended"], ["segmentation"], ["value_4.6"], ["value_1", "derivative_10"]):
        own = three.replace({"method": {"value_0.3": "recommended"}}).assign(clutter=0.1)
        own = own[own["method"].isin(kept)]
        answers = answer_claims(own, two, _evidence())
        open_ones = {name for name, answer in answers.items() if answer.verdict == OPEN}
        assert {"C1", "C2", "C8"} <= open_ones
        assert ("C10" in open_ones) == (kept in (["recommended"], ["segmentation"]))
        assert ("C12" in open_ones) == (len(kept) == 1)
        assert not any("no catalogue source" in answer.numbers for answer in answers.values())
    assert answers["C1"].numbers == "needs Diff Top 10 %, Orig. Segm. in Table 3"


def test_claims_about_images_without_sources_stay_open():
    """A claim of all seven is not answered from those that are left."""
    two, three = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    answers = answer_claims(three[three["image"] == "Img1"], two, _evidence())
    for name in ("C1", "C2", "C4", "C5", "C8", "C10", "C12"):
        assert answers[name].verdict == OPEN
    assert answers["C2"].numbers == "no catalogue source lies on Img3, Img4, Img5"
    assert answers["C3"].verdict != OPEN


def test_claims_open_without_what_decides_them():
    compared, chance = _evidence()["compared"], _evidence()["chance"]
    at_area = _answers(compared=compared[compared["at"] != "area"])["C6"]
    assert "of 2 costs" in at_area.numbers
    depths = "found: Img Top 4.6 %: 24.8, Img Top 0.3 %: none, Orig. Segm.: beyond all"
    assert at_area.numbers.endswith(depths)
    for less in (
        compared[compared["family"] != "segmentation"],
        compared.assign(image="Img1"),  # no curve of all images
    ):
        assert _answers(compared=less)["C6"].verdict == OPEN
    # of a value and of a derivative slice, and nothing else
    for name in ("cores_or_sep", "value_1_or_value_4.6", "value_1_and_sep"):
        renamed = chance.replace({"method": {"value_1_and_derivative_4.6": name}})
        assert _answers(chance=renamed)["C13"].verdict == OPEN


def test_claims_about_an_image_without_sources_stay_open():
    printed2, printed3 = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    answers = answer_claims(printed3[printed3["image"] != "Img1"], printed2)
    assert answers["C3"].verdict == "not testable here"
    assert answers["C3"].numbers == "no catalogue source lies on Img1"
    whole = answer_claims(printed3, printed2)
    assert answers["C11"] == whole["C11"]


def test_claims_are_of_seven_images():
    """'In all seven cases' is not answered from six of them."""
    two, three = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    with pytest.raises(MaskError, match="Img5 not among those of this study"):
        answer_claims(*(table[table["image"] != "Img5"] for table in (three, two)))


def test_claims_can_fail():
    two, three = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    three.loc[(three["image"] == "Img3") & (three["method"] == "derivative_10"), "success"] = 0
    two.loc[two["image"] == "Img1", ["mean", "kurtosis"]] = [5.234, 1e6]
    answers = answer_claims(three, two)
    assert answers["C1"].verdict == "fails"
    assert answers["C11"].verdict == "fails"


_NAN = [np.nan] * 2


def _evidence(**tables):
    """Tables of the evaluation; the derivative finds more at 10 a square arcminute, fewer at 3."""
    families = ["derivative", "value", "segmentation"]
    shares = {3.0: (0.04, 0.10, 0.01), 10.0: (0.27, 0.20, 0.05)}
    compared = [
        {"image": "all", "at": at, "of": "given", "limit": limit, "family": family}
        | {"completeness": share, "low": share - 0.02, "high": share + 0.02}
        for at, limit, found in (
            *(("false_per_arcmin2", rate, found) for rate, found in shares.items()),
            ("area", 0.046, (0.69, 0.48, 0.02)),
        )
        for family, share in zip(families, found, strict=True)
    ]
    depths = pd.DataFrame(
        {"image": "all", "method": ["value_4.6", "value_0.3", "segmentation"], "m80": [24.8, *_NAN]}
    ).assign(beyond=[False, False, True])
    names = ["segmentation", "value_1_and_derivative_4.6"]
    chance = pd.DataFrame({"method": names, "success": [125, 157], "sources": 168})
    chance = chance.assign(
        image="All", scorer="peaks", positions="random", domain="", chance_success=0.1
    )
    pixels = chance.assign(scorer="pixels")
    derivative = chance.assign(method="derivative_10")
    structure = pd.DataFrame(
        [
            {"image": f"Img{n}", "method": f"{kind}_{p}", "spike_excess": value + 0.01 * n}
            | {"clutter_on_bright_background": 0.5}
            for n in range(5)
            for p in ("0.3", "4.6")
            for kind, value in (("derivative", 0.3), ("value", 0.1 if p == "4.6" else 0.3))
        ]
    )
    reliability = pd.DataFrame({"image": "All", "method": names, "false_per_arcmin2": [1.0, 2.0]})
    given = {
        "compared": pd.DataFrame(compared),
        "depths": depths,
        "chance": pd.concat([chance, derivative, pixels, derivative.assign(scorer="pixels")]),
        "structure": structure,
        "reliability": reliability.assign(false_low=[0.5, 1.2], false_high=[1.9, 3.1]),
    }
    return given | tables


def _answers(**tables):
    two, three = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    return answer_claims(three, two, _evidence(**tables))


def test_a_claim_that_depends_on_the_rate_holds_in_part():
    answer = _answers()["C6"]
    assert answer.verdict == "holds in part"
    assert "better at 2, worse at 1 of 3 costs" in answer.numbers
    assert "up to 3 false spots per square arcminute derivative 0.04 [0.02, 0.06]" in answer.numbers
    wide = _evidence()["compared"].assign(low=0.0, high=1.0)
    assert _answers(compared=wide)["C6"].verdict == "undecided"


def test_clutter_on_bright_background_is_compared_within_its_errors():
    """Of both slices as much: neither; of the value slices 0.5 and more, of the others 0.1."""
    assert _answers()["C9"].verdict == "undecided"
    structure = _evidence()["structure"]
    value = structure["method"].str.startswith("value")
    clear = structure.assign(clutter_on_bright_background=np.where(value, 0.5, 0.1))
    assert _answers(structure=clear)["C9"].verdict == "holds"
    # a mean above, of which one image alone is the cause
    noisy = clear.assign(clutter_on_bright_background=0.1)
    noisy.loc[value & (noisy["image"] == "Img0"), "clutter_on_bright_background"] = 0.95
    answer = _answers(structure=noisy)["C9"]
    assert answer.verdict == "undecided"
    assert "value 0.27 [0.00, 0.74], derivative 0.10, difference +0.17 [-0.30, " in answer.numbers


def test_spikes_are_compared_within_their_errors():
    """The same for 0.3 %, more by 0.2 in each image for 4.6 %."""
    answer = _answers()["C7"]
    assert answer.verdict == "holds in part"
    assert "difference +0.200 [+0.200, +0.200] in 5 images" in answer.numbers
    structure = _evidence()["structure"]
    derivative = structure["method"].str.startswith("derivative")
    hardly = structure.assign(spike_excess=np.where(derivative, 0.1, 0.1004))
    assert "difference +0.000 [+0.000, +0.000]" in _answers(structure=hardly)["C7"].numbers
    none = structure.assign(spike_excess=0.1)
    assert _answers(structure=none)["C7"].verdict == "undecided"


def test_blending_is_told_from_entries_on_a_spot_of_another():
    """Img1 loses 13 of its 20 entries; by the letter 7 of these have a pixel of a spot."""
    three = _published(3).rename(columns={"code": "image"}).query("method == 'segmentation'")
    rows = three.assign(sources=three[["success", "near", "failure"]].sum(axis=1), domain="")
    rows = rows.assign(positions="random", chance_success=0.1)
    in_img1 = rows["image"] == "Img1"
    own = _evidence()["chance"]
    for more, verdict in ((7, "holds"), (6, "holds in part")):
        pixels = rows.assign(scorer="pixels", success=rows["success"] + more * in_img1)
        answer = _answers(chance=pd.concat([own, rows.assign(scorer="peaks"), pixels]))["C4"]
        assert answer.verdict == verdict
        assert f"of the 13 entries that it loses there {more} have a spot" in answer.numbers
        assert "in the others 0 of 17" in answer.numbers
    assert "most of them not by blending" in answer.numbers


def test_ties_decide_nothing():
    two, three = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    three["success"] = 10
    assert answer_claims(three, two)["C12"].verdict == "undecided"
    assert answer_claims(three, two)["C3"].verdict == "holds with a tie"
    assert answer_claims(three.assign(clutter=0.5), two)["C10"].verdict == "holds with a tie"
    three.loc[three["method"] == "value_1", "success"] = 11
    assert answer_claims(three, two)["C12"].verdict == "fails"
    assert answer_claims(three, two)["C3"].verdict == "holds with a tie"
    three.loc[three["method"] == "value_0.3", "success"] = 9
    assert answer_claims(three, two)["C3"].verdict == "holds in part"
    chance = _evidence()["chance"].assign(success=100)
    assert _answers(chance=chance)["C13"].verdict == "undecided"


def test_false_spots_of_combinations_are_those_by_truth():
    rates = pd.DataFrame(
        {
            "method": ["segmentation", "value_1_and_derivative_4.6"],
            "truth_false_per_arcmin2": [3.0, 33.0],
            "false_low": [2.2, 30.0],
            "false_high": [4.1, 36.0],
        }
    )
    blank, truth = _answers()["C13"], _answers(false_rates=rates)["C13"]
    assert (blank.verdict, truth.verdict) == ("holds", "fails")
    assert "33 [30, 36] false" in truth.numbers
    assert "on no true source" in truth.numbers
    assert "of blank images" in blank.numbers
    # masks are called as Table 3 and the figures call them
    assert "Img 1 % and Diff 4.6 %: 157 successes of 168" in truth.numbers
    assert not any("value_" in answer.numbers for answer in _answers().values())


def test_chance_rates_name_the_domain_of_their_slices():
    """Those of Table 3's slices, which come first; the segmentation has none."""
    chance = _evidence()["chance"]
    slices = chance["method"] == "derivative_10"
    chance.loc[slices, "domain"] = "published"
    crop = chance[slices].assign(domain="crop", chance_success=0.9)
    assert _answers(chance=pd.concat([chance, crop]))["C1"].numbers.endswith(
        "a random position succeeds in 10.0 % for Diff Top 10 % over the published domain (10.0 % "
        "when any mask pixel counts), 10.0 % for Orig. Segm. (10.0 % when any mask pixel counts)"
    )


def test_claims_are_tabulated_by_what_they_were_answered_from():
    two, three = (_published(n).rename(columns={"code": "image"}) for n in (2, 3))
    answers = answer_claims(three, two)
    table = claims_table({"printed tables": answers, "computed": answers})
    assert list(table.columns) == [
        *("id", "claim (section)", "printed tables", "printed tables: numbers"),
        *("computed", "computed: numbers"),
    ]
    row = table.set_index("id").loc["C1"]
    assert row["printed tables"] == "holds with a tie"
    assert row["computed: numbers"] == answers["C1"].numbers
    circles = pd.DataFrame(
        {
            "image": ["Img1"],
            "catalogue": [True],
            "sources": [20],
            "not_observed": 0,
            "covered": [0.75],
        }
    )
    page = claims_page(table, circles, simulated=True)
    assert "SIMULATED" in page
    assert "the circles cover 75 % of Img1" in page
    assert "read strictly" in page


def test_the_comparison_adds_up_the_successes_of_all_images():
    one, two, three = (_published(n).rename(columns={"code": "image"}) for n in (1, 2, 3))
    three.loc[0, "success"] -= 1
    verdicts = compare_verdicts(_published(3), three)
    page = comparison_page(
        compare_identity(_published(1, dtype=str), one.assign(effective_exposure_s=0.0)),
        compare_statistics(_published(2, dtype=str), two),
        verdicts,
        simulated=False,
    )
    method, printed = three.loc[0, "method"], _published(3)
    total = printed[printed["method"] == method]["success"].sum()
    assert f"{method} {total} and {total - 1}" in page
    assert f"agrees in {len(three)} of {len(three)} cells" in page


def sources(image, method, *verdicts):
    return pd.DataFrame({"verdict": verdicts}).assign(
        image=image, method=method, verdict_pixels="success"
    )


@pytest.fixture
def variants():
    """Table 3 of an image with three sources and of one without, in two domains."""
    verdicts = pd.concat(
        [
            sources("A", "value_1", "success", "near", "failure"),
            sources("A", "segmentation", "failure", "failure", "failure"),
            sources("A", "value_1@published", "near", "near", "near"),
        ]
    )
    masks = ["value_1", "segmentation", "value_1@published"]
    cells = pd.MultiIndex.from_product([["A", "B"], masks], names=["image", "method"])
    return table3_variants(
        verdicts,
        pd.Series(0.3, cells),
        domains={"crop": masks[:2], "published": [masks[2]]},
        clutter_limit=0.2,
    )


def test_variants_of_table_3(variants):
    assert list(variants) == [
        *(("crop", "peaks"), ("crop", "pixels"), ("published", "peaks"), ("published", "pixels"))
    ]
    table = variants["crop", "peaks"]
    assert table["image"].tolist() == ["A", "A"]  # B has no source
    assert table["success"].tolist() == [1, 0]
    assert table["needs_processing"].all()
    assert variants["crop", "pixels"]["success"].tolist() == [3, 3]
    other = variants["published", "peaks"]
    assert other[["method", "near"]].values.tolist() == [["value_1", 3]]
    everything = all_variants(variants)
    assert len(everything) == 6
    assert everything["scorer"].tolist() == ["peaks"] * 2 + ["pixels"] * 2 + ["peaks", "pixels"]


def test_a_domain_without_masks_has_no_table():
    cells = pd.MultiIndex.from_tuples([("A", "value_1")], names=["image", "method"])
    given = table3_variants(
        sources("A", "value_1", "near"),
        pd.Series([0.1], cells),
        domains={"crop": ["value_1"], "published": []},
        clutter_limit=0.5,
    )
    assert {domain for domain, _ in given} == {"crop"}


def test_the_page_of_table_3_begins_with_the_study_s_own(variants):
    circles = pd.DataFrame(
        {
            "image": ["A", "B"],
            "catalogue": True,
            "sources": [3, 0],
            "not_observed": 0,
            "covered": 0.0,
        }
    )
    page = table3_page(
        variants, ("published", "peaks"), circles=circles, clutter_limit=0.2, simulated=False
    )
    titles = [line for line in page.splitlines() if line.startswith("#")]
    assert len(titles) == 4
    assert titles[0].endswith("over the published domain, a bright spot's peak in the circle")
    assert page.count("left out, no catalogue source lies on it: B") == 1
    assert "more than 20 % of the mask's visible spots" in page
    assert r"\textbf{1/1}" in table3_latex(variants["crop", "peaks"], simulated=False)


def test_pixels_that_are_left_out_are_noted():
    images = pd.DataFrame(
        [("A", 100, 7, 5, False), ("B", 100, 7, 5, True), ("C", 100, 0, 0, True)],
        columns=["image", "n_pixels", "n_empty", "n_not_finite", "empty_left_out"],
    )
    products = pd.DataFrame(
        [("A", "i2d", "reprocessed"), ("A", "segm", "other"), ("B", "i2d", "")],
        columns=["image", "product", "note"],
    )
    assert statistics_notes(images, products) == [
        "A: 7 of 100 pixels of the crop are empty, 5 of them not finite and left out",
        "B: 7 of 100 pixels of the crop are empty, all of them left out",
        "A: reprocessed",
    ]


def test_what_is_said_of_all_images_together():
    both = pd.DataFrame({"image": ["A", "B", "all"], "n": [1, 2, 3]})
    assert together(both)["n"].tolist() == [3]
    assert together(both[:1])["n"].tolist() == [1]
    assert together(both[:2]).empty  # they could not be pooled


def test_the_answer_stands_above_the_claims():
    table = pd.DataFrame({"id": ["C1"], "claim (section)": ["a"], "computed": ["holds"]})
    circles = pd.DataFrame(
        {"image": ["A"], "catalogue": [True], "sources": [9], "not_observed": 0, "covered": [0.1]}
    )
    page = claims_page(table, circles, simulated=True, first=["**Which?** None.", "Left: all."])
    assert (
        page.index("SIMULATED") < page.index("**Which?** None. Left: all.") < page.index("| C1 |")
    )


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (1.318, "1.32"),
        (0.0126, "0.0126"),
        (6479.6, "6,480"),
        (999.7, "1,000"),
        (0, "0"),
        (4.224e-5, "0.0000422"),
    ],
)
def test_a_rate_has_three_digits_and_no_exponent(rate, words):
    assert rate_words(rate) == words
    assert rate_words(float("nan")) == "nan"
