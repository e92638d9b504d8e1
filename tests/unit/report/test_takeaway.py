"""The sentences to take away hold the numbers of the tables, and survive empty ones."""

import numpy as np
import pandas as pd
import pytest
from mirimask.evaluation.agreement import agreement_table
from mirimask.report.takeaway import (
    evaluation_page,
    false_rates_page,
    finder_notes,
    findings_page,
    not_measured,
    takeaways,
)

METHODS = ["derivative_10", "segmentation"]


@pytest.fixture
def tables():
    chance = [
        {
            "image": "All",
            "method": method,
            "domain": "crop",
            "scorer": scorer,
            "positions": "random",
            "chance_success": chance,
            "sources": 168,
            "corrected": corrected,
            "corrected_low": 0.1,
            "corrected_high": 0.9,
        }
        for method, corrected in zip(METHODS, (0.5, 0.7), strict=True)
        for scorer, chance in (("peaks", 0.25), ("pixels", 0.97))
    ]
    return {
        "chance": pd.DataFrame(chance),
        "reliability": pd.DataFrame(
            {
                "image": "All",
                "method": METHODS,
                "false_per_arcmin2": [12304.9, 0.955],
                "false_low": [12245.0, 0.51],
                "false_high": [12365.0, 1.63],
            }
        ),
        "depths": pd.DataFrame(
            {
                "image": "all",
                "method": METHODS,
                "m80": [24.57, np.nan],
                "m80_low": [24.5, np.nan],
                "m80_high": [24.6, np.nan],
                "beyond": False,
                "chance": [0.0, 0.0],
            }
        ),
        "compared": pd.DataFrame(
            [
                {
                    "image": "all",
                    "at": "false_per_arcmin2",
                    "of": "given",
                    "limit": 10.0,
                    "family": "derivative",
                    "completeness": 0.25,
                    "low": 0.23,
                    "high": 0.27,
                }
            ]
        ),
        "mcnemar": pd.DataFrame(
            [{"image": "All", "method": "derivative_10", "scorer": "peaks", "p_holm": 4e-7}]
        ),
        "significance": pd.DataFrame(
            [
                {
                    "method": "derivative_10",
                    "scorer": "peaks",
                    "difference": 0.19,
                    "difference_low": 0.06,
                    "difference_high": 0.38,
                }
            ]
        ),
        "conclusions": pd.DataFrame({"verdict": ["survives", "depends on the settings"]}),
    }


def test_numbers_are_in_the_sentences(tables):
    text = "\n".join(takeaways(tables))
    for words in (
        "succeeds in 97 %",
        "in 25 %",
        "Orig. Segm.: 0.70 [0.10, 0.90], Diff Top 10 %: 0.50",  # best first
        "Orig. Segm.: 0.955 [0.51, 1.63], Diff Top 10 %: 12,300",
        "Diff Top 10 %: 24.57 [24.50, 24.60]; never 80 %: Orig. Segm.",
        "derivative 0.25 [0.23, 0.27]",
        "Diff Top 10 %: +0.19 [+0.06, +0.38], p 4e-07",
        "of 2 conclusions",
        "there hold 1 under all of them, 1 under some, 0 under none",
    ):
        assert words in text
    assert "truth" not in text
    assert "derivative_10" not in text  # masks are called as Table 3 and the figures call them


def test_no_number_is_a_negative_zero(tables):
    tables["chance"]["corrected"] = tables["chance"]["corrected_low"] = -0.004
    tables["significance"]["difference"] = -0.004
    text = "\n".join(takeaways(tables))
    assert "Diff Top 10 %: 0.00 [0.00, 0.90]" in text
    assert "Diff Top 10 %: +0.00 [+0.06, +0.38]" in text


def test_where_chance_leaves_nothing_to_fail_no_number_is_said(tables):
    unknown = tables["chance"]["method"] == "derivative_10"
    tables["chance"].loc[unknown, ["corrected", "corrected_low", "corrected_high"]] = np.nan
    text = "\n".join(takeaways(tables))
    assert "Orig. Segm.: 0.70 [0.10, 0.90], Diff Top 10 %: not known." in text


def test_of_one_image_nothing_is_pooled(tables):
    for name in ("depths", "compared"):
        tables[name]["image"] = "NGC1"
    text = "\n".join(takeaways(tables))
    assert "Diff Top 10 %: 24.57" in text
    assert "derivative 0.25 [0.23, 0.27]" in text


def test_depths_are_medians_of_the_images_for_every_mask_alike(tables):
    """A nebula in which no mask finds stars takes nothing from the other images' depths."""
    depths = [
        ("A", "derivative_10", 24.0),
        ("A", "segmentation", 23.0),
        ("A", "value_1", np.nan),
        ("B", "derivative_10", 25.0),
        ("B", "segmentation", np.nan),
        ("B", "value_1", 24.8),
        ("C", "derivative_10", 24.2),
        ("C", "segmentation", np.nan),
        ("C", "value_1", 24.6),
        ("nebula", "derivative_10", np.nan),
        ("nebula", "segmentation", np.nan),
        ("nebula", "value_1", np.nan),
        # where the shares of all stars together cross 80 %: of the worst image, and not said
        ("all", "derivative_10", 23.5),
        ("all", "segmentation", np.nan),
        ("all", "value_1", np.nan),
    ]
    tables["depths"] = pd.DataFrame(
        [
            {"image": i, "method": m, "m80": v, "m80_low": v, "m80_high": v, "chance": 0.0}
            for i, m, v in depths
        ]
    ).assign(beyond=False)
    text = "\n".join(takeaways(tables))
    assert (
        "found, median of the images, with the least and most): Img Top 1 %: 24.60 (never in "
        "1 to 24.80), Diff Top 10 %: 24.20 (24.00 to 25.00); in half of the 3 images or fewer: "
        "Orig. Segm.: 1 (at best 23.00)."
    ) in text
    assert "Not counted, for no mask finds 80 % of its stars but by chance: nebula." in text
    assert "never 80 %" not in text


def test_stars_that_are_all_found_are_no_stars_that_are_never(tables):
    tables["depths"] = tables["depths"].assign(beyond=tables["depths"]["m80"].isna())
    text = "\n".join(takeaways(tables))
    assert "Orig. Segm.: beyond all" in text
    assert "never 80 %" not in text


def test_a_depth_without_an_interval_is_none(tables):
    tables["depths"].loc[0, ["m80_low", "m80_high"]] = np.nan
    assert "nan" not in "\n".join(takeaways(tables))


def test_light_that_no_image_could_be_asked_for_is_said_to_be_missing(tables):
    for added in (pd.DataFrame(), pd.DataFrame(columns=["method", "stars_left"])):
        first = takeaways({**tables, "added": added})[0]
        assert first.startswith("**Light of added sources and flux of faint stars** are not")
        assert first.endswith("(`added.md`).")


def test_where_no_image_can_be_measured_nothing_is_pooled(tables):
    tables["depths"] = tables["depths"].assign(image="nebula", m80=np.nan)
    two = [tables["compared"].assign(image=image) for image in ("nebula", "cloud")]
    tables["compared"] = pd.concat(two)
    text = "\n".join(takeaways(tables))
    assert "in no image does a mask find 80 %" in text
    assert "same false rate" not in text


def test_crowded_circles_are_said(tables):
    tables["circles"] = pd.DataFrame(
        {
            "image": ["A", "B"],
            "catalogue": True,
            "sources": [300, 3],
            "not_observed": 0,
            "covered": [0.86, 0.1],
        }
    )
    assert "the circles cover 86 % of A: there chance decides" in "\n".join(takeaways(tables))


def test_without_sources(tables):
    tables["chance"]["sources"] = 0
    tables["significance"]["difference"] = np.nan
    tables["conclusions"] = tables["conclusions"][:0]
    nothing = pd.DataFrame(columns=["image", "method", "verdict", "truth_verdict"])
    tables["agreement"] = agreement_table(nothing)
    text = "\n".join(takeaways(tables))
    assert "There is no catalogue source: recall and chance" in text
    assert "Nothing could be tested" in text
    assert "nan" not in text


def test_what_was_not_measured_is_said_once_for_each_reason():
    missing = [("chance", "A", "too small."), ("curves", "A", "too small."), ("chance", "B", "x")]
    assert not_measured(missing) == "A (chance, curves): too small; B (chance): x"
    assert not_measured([]) == ""


def test_the_page_numbers_its_points(tables):
    tables["chance"]["simulated"] = True
    page = evaluation_page(tables, [("chance", "A", "too small")])
    lines = page.splitlines()
    assert lines[2].startswith("**SIMULATED")
    numbers = [line.split(".")[0] for line in lines if line[:1].isdigit()]
    assert numbers == [str(n) for n in range(1, len(takeaways(tables)) + 2)]
    assert f"{numbers[-1]}. **Not measured**: A (chance): too small." in lines
    tables["chance"]["simulated"] = False
    page = evaluation_page(tables)
    assert "SIMULATED" not in page
    assert "Not measured" not in page


def test_false_rates_by_truth_say_which_are_limits(tables):
    rates = pd.DataFrame(
        {
            "method": METHODS,
            "truth_false_per_arcmin2": [12304.9, 3.0],
            "false_low": [12245.0, 2.2],
            "false_high": [12365.0, 4.1],
            "blank_per_arcmin2": [12600.0, 1.5],
            "ratio": [1.02, 0.5],
            "ratio_low": [1.01, 0.3],
            "ratio_high": [1.03, 0.8],
            "says": ["rate", "lower limit"],
            "images": 7,
            "least": [9000.0, 0.0],
            "most": [13000.0, 12.86],
            "images_off": [3, 0],
        }
    )
    text = "\n".join(takeaways({**tables, "false_rates": rates}))
    assert "Orig. Segm.: 3 [2.2, 4.1], by image 0 to 12.9 (1.5, lower limit)" in text
    assert "for 1 of 2 masks; of single images 3 of 14 rates are further apart." in text
    alone = rates.assign(images=1, images_off=0)
    text = "\n".join(takeaways({**tables, "false_rates": alone}))
    assert "Orig. Segm.: 3 [2.2, 4.1] (1.5, lower limit)" in text
    assert "for 1 of 2 masks." in text
    assert "blank images of the same sky" not in text
    page = false_rates_page(rates)
    assert "| Orig. Segm. | 3 &#91;2.2, 4.1&#93; | 0 to 12.9 | 1.5 |" in page
    assert "| 3 of 7 images |" in page
    assert "SIMULATED" in page


def test_another_finder_is_said_in_numbers():
    rows = [
        ("as configured", "", "value_1", 10),
        ("as configured", "", "segmentation", 8),
        ("peak finder", "DAOStarFinder", "value_1", 9),
        ("peak finder", "DAOStarFinder", "segmentation", 8),
        ("peak finder", "matched filter", "value_1", 7),
        ("peak finder", "matched filter", "segmentation", 8),
        ("scorer", "any mask pixel", "value_1", 12),
    ]
    first, second = finder_notes(
        pd.DataFrame(rows, columns=["setting", "value", "method", "success"])
    )
    assert "Img Top 1 %: 10 to 9, Orig. Segm.: 8 to 8" in first
    assert "in the same order" in first
    assert "in another order" in second
    rows[3] = ("peak finder", "DAOStarFinder", "segmentation", 9)
    first, _ = finder_notes(pd.DataFrame(rows, columns=["setting", "value", "method", "success"]))
    assert "in the same order but for ties" in first


def test_the_first_point_is_which_slices_are_good_source_masks(tables):
    """Where sources were added; the truth decides where it is known."""
    added = pd.DataFrame(
        {"method": ["none", "value_1"], "stars_left": [1.0, 0.3], "galaxies_left": [1.0, 0.4]}
    ).assign(faint=40)
    for sky in ("ring", "box_25", "box_50"):
        added[f"{sky}_moved"], added[f"{sky}_scatter"] = [0.0, 0.01], [0.2, 0.3]
        added[f"{sky}_moved_low"], added[f"{sky}_moved_high"] = [0.0, -0.01], [0.0, 0.03]
    first = takeaways(tables | {"added": added})[0]
    assert first.startswith("**Which value and derivative slices are good source masks?**")
    assert "no value or derivative slice is a good source mask: each leaves more" in first
    assert "Flux of faint stars: Sky from a ring: the mask matters little for one star" in first
    assert "moves the median flux by +1.0 % [-1.0, +3.0], beside a scatter of 30 %" in first
    use = pd.DataFrame(
        {"image": ["All"], "method": "value_1", "stars_left": 0.1, "galaxies_left": 0.2, "waste": 0}
    )
    first = takeaways(tables | {"added": added, "use": use})[0]
    assert "good source masks are Img Top 1 %: at most a fifth of the light" in first
    assert not takeaways(tables)[0].startswith("**Which")


def test_findings_name_ties_and_hold_the_claims(tables):
    rows = [
        ("cores", 0.77, 0.75, 0.80),
        ("union", 0.25, 0.23, 0.27),
        ("derivative", 0.24, 0.22, 0.26),
        ("value", 0.15, 0.13, 0.16),
    ]
    compared = pd.DataFrame(rows, columns=["family", "completeness", "low", "high"]).assign(
        image="all", at="false_per_arcmin2", of="given", limit="10"
    )
    claims = pd.DataFrame(
        {
            "id": ["C1", "C4", "C6", "C7", "C12", "C13"],
            "claim (section)": "says so (5)",
            "computed (SIMULATED)": ["holds", "fails", "undecided", "holds", "fails", "holds"],
            "computed (SIMULATED): numbers": ["n1", "n4", "n6", "n7", "n12", "n13"],
        }
    )
    left = pd.DataFrame(
        {
            "image": "All",
            "method": ["value_4.6", "recommended"],
            "stars_left": [0.3, 0.09],
            "galaxies_left": [0.5, 0.18],
            "faint": 40,
        }
    )
    moved = {
        f"{sky}_{what}": 0.01
        for sky in ("ring", "box_25", "box_50")
        for what in ("moved", "moved_low", "moved_high")
    }
    scatter = {f"{sky}_scatter": 0.3 for sky in ("ring", "box_25", "box_50")}
    false = pd.DataFrame(
        {
            "method": ["value_1"],
            "truth_false_per_arcmin2": [16.0],
            "false_low": [14.0],
            "false_high": [18.0],
            "blank_per_arcmin2": [15.0],
            "says": ["rate"],
            "images": [1],
            "least": [16.0],
            "most": [16.0],
            "images_off": [0],
        }
    )
    page = findings_page(
        {
            **tables,
            "added": left.assign(**moved, **scatter),
            "use": left,
            "compared": compared,
            "false_rates": false,
        },
        claims,
        study="fresh",
        command="snakemake findings",
    )
    assert (
        "at 10 cores 0.77 [0.75, 0.80], then union 0.25 [0.23, 0.27] and derivative 0.24 "
        "[0.22, 0.26] (a tie), then value 0.15 [0.13, 0.16]." in page
    )
    assert "is a good source mask: each leaves more than a fifth" in page
    assert "**C4**, 'says so (5)': **fails**. n4." in page
    assert "**C1**" not in page
    assert "\n    snakemake findings\n" in page
    assert page.count("\n11. ") == 1


def test_a_chance_of_next_to_nothing_is_said_as_such(tables):
    tables["chance"]["chance_success"] = 0.002
    first = takeaways(tables)[0]
    assert first.startswith("**Next to no success is by chance.**")
    assert first.count("0.2 %") == 2
