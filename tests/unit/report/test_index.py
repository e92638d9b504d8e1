"""The page that is opened first: what it says in words, with the numbers of its tables."""

import html
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mirimask.job_logs import Warned
from mirimask.report import index
from mirimask.report.index import EVALUATION, Pictures, index_page, products_page
from mirimask.report.overview import Overview
from mirimask.report.pictures import quick_look, smaller, thumbnail
from PIL import Image

TWO_METHODS = ["value_1", "segmentation"]


def table3(*rows):
    """Table 3 as data from (image, method, success, near, failure)."""
    table = pd.DataFrame(rows, columns=["image", "method", "success", "near", "failure"])
    return table.assign(
        sources=table[["success", "near", "failure"]].sum(axis=1),
        clutter=0.0,
        needs_processing=False,
        bold=False,
        simulated=False,
    )


COUNTS = table3(
    ("A", "value_1", 3, 0, 1),
    ("A", "segmentation", 2, 1, 1),
    ("B", "value_1", 1, 0, 5),
    ("B", "segmentation", 5, 1, 0),
)


def depths(**by_image):
    rows = [(image, "value_1", m80) for image, m80 in by_image.items()]
    table = pd.DataFrame(rows, columns=["image", "method", "m80"])
    return table.assign(beyond=False, chance=0.01)


def test_depths_are_the_median_of_the_images():
    """As the sentence above them says; that of all together is near the worst image's."""
    table = depths(A=22.0, B=23.0, C=22.4, all=21.9)
    assert dict(index.depths({"injection_depths": table})) == {"value_1": "22.40"}
    never = table.assign(method="value_4.6", m80=[np.nan, 22.0, np.nan, 22.0])
    deeper = table.assign(method="cores", m80=np.nan, beyond=[True, True, False, False])
    found = index.depths({"injection_depths": pd.concat([table, never, deeper])})
    assert dict(found) == {"value_1": "22.40", "value_4.6": "nowhere", "cores": "beyond all"}


def test_depths_of_the_only_image():
    assert dict(index.depths({"injection_depths": depths(A=22.0)})) == {"value_1": "22.00"}


def test_depths_of_no_image():
    assert "In no image" in index.said(
        "injection", {"injection": depths(A=1.0), "injection_depths": depths(A=np.nan, B=np.nan)}
    )


def chance():
    rows = [
        # image, method, domain, positions, scorer, corrected, chance_success
        ("All", "value_1", "crop", "random", "peaks", 0.123, 0.4),
        ("All", "value_1", "published", "random", "peaks", 0.9, 0.9),
        ("All", "value_1", "crop", "shifted", "peaks", 0.8, 0.8),
        ("All", "value_1", "crop", "random", "pixels", 0.7, 0.7),
        ("A", "value_1", "crop", "random", "peaks", 0.6, 0.6),
        ("All", "segmentation", np.nan, "random", "peaks", 0.5, 0.05),
    ]
    columns = ["image", "method", "domain", "positions", "scorer", "corrected", "chance_success"]
    return pd.DataFrame(rows, columns=columns)


def test_worth_has_one_row_a_mask_and_no_number_that_was_not_measured():
    significance = pd.DataFrame(
        {
            "method": "value_1",
            "scorer": ["peaks", "pixels"],
            "recall": [0.5, 0.9],
            "recall_low": [0.25, 0.8],
            "recall_high": [0.75, 1.0],
        }
    )
    assert index.said("significance", {"significance": significance}) == "Recall: Img Top 1 % 0.50."
    table = index.worth({"chance": chance(), "significance": significance})
    assert list(table.columns) == ["Mask", "Recall [95 %]", "Beyond chance"]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["Img Top 1 %", "0.50 [0.25, 0.75]", "0.12"],
        ["Orig. Segm.", "", "0.50"],
    ]


def test_worth_leaves_out_the_row_of_all_masks():
    agreement = pd.DataFrame(
        {"image": "All", "method": ["All", "value_1"], "agreement": [0.9, np.nan]}
    )
    table = index.worth({"agreement": agreement})
    assert [[cell.text for cell in row] for row in table.rows] == [["Img Top 1 %", ""]]


def test_worth_says_what_its_words_and_its_rates_are():
    found = pd.DataFrame(
        {"image": "A", "method": TWO_METHODS, "m80": np.nan, "beyond": [False, True], "chance": 0.0}
    )
    rates = by_method("false_per_arcmin2", 1.4, 3.23).assign(reliability=[-0.004, -0.006])
    table = index.worth({"injection_depths": found, "reliability": rates})
    assert list(table.columns) == [
        *("Mask", "False spots of blank images per arcmin²", "Reliability"),
        "80 % of added stars found to, AB mag",
    ]
    assert [[cell.text for cell in row[1:]] for row in table.rows] == [
        ["1.4", "0.00", "nowhere"],
        ["3.23", "-0.01", "beyond all"],
    ]
    (words,) = (note for note in table.notes if note.startswith("80 % of added stars"))
    assert "nowhere" in words
    assert "beyond all" in words
    assert "empty" not in words


def test_nothing_measured_is_worth_no_table():
    assert index.worth({}) is None


def by_method(column, *values, image="All"):
    return pd.DataFrame({"image": image, "method": TWO_METHODS, column: values})


COMPARED = pd.DataFrame(
    [
        ("all", "false_per_arcmin2", "given", "10.0", "value", 0.256),
        ("all", "false_per_arcmin2", "given", "3.0", "value", 0.1),
        ("all", "area", "given", "10.0", "value", 0.9),
        ("A", "false_per_arcmin2", "given", "10.0", "value", 0.9),
    ],
    columns=["image", "at", "of", "limit", "family", "completeness"],
).astype({"limit": float})


@pytest.mark.parametrize(
    ("name", "tables", "words"),
    [
        (
            "chance",
            {"chance": chance()},
            "Success of random positions: Img Top 1 % 0.40, Orig. Segm. 0.05.",
        ),
        (
            "significance",
            {"significance": by_method("recall", 0.256, 1).drop(columns="image")},
            "Recall: Img Top 1 % 0.26, Orig. Segm. 1.00.",
        ),
        (
            "reliability",
            {"reliability": by_method("reliability", 0.5, 0.75)},
            "Reliability: Img Top 1 % 0.50, Orig. Segm. 0.75.",
        ),
        (
            "purity",
            {"purity": by_method("purity", 0.5, 0.75)},
            "Purity: Img Top 1 % 0.50, Orig. Segm. 0.75.",
        ),
        (
            "completeness",
            {
                "completeness": pd.DataFrame(
                    [
                        ("All", "star", "value_1", 1, 4),
                        ("All", "star", "value_1", 2, 4),
                        ("All", "galaxy", "value_1", 9, 9),
                        ("A", "star", "value_1", 9, 9),
                    ],
                    columns=["image", "kind", "method", "n_recovered", "n_sources"],
                )
            },
            "True sources covered, all magnitudes: Img Top 1 % 0.38.",
        ),
        (
            "agreement",
            {
                "agreement": pd.DataFrame(
                    [("All", "All", 9, 10, 0.811), ("All", "value_1", 1, 2, 0.1)],
                    columns=["image", "method", "agree", "sources", "kappa"],
                )
            },
            "9 of 10 verdicts agree with the truth, kappa 0.81.",
        ),
        (
            "disagreements",
            {"disagreements": pd.DataFrame({"id": ["a", "b"]})},
            "2 verdicts are not the ones that knowledge of the sky gives.",
        ),
        (
            "sensitivity",
            {
                "sensitivity": pd.DataFrame(
                    {"setting": ["radius"] * 3, "value": ["1", "1", "2"], "method": list("abc")}
                    | {"sources": 7}
                )
            },
            "2 other settings are compared with those of the study.",
        ),
        (
            "curves",
            {"curves": by_method("x", 1, 2), "curves_compared": COMPARED},
            "Completeness at 10 false spots per arcmin²: value 0.26.",
        ),
        (
            "injection",
            {"injection": by_method("x", 1, 2), "injection_depths": depths(A=22.5, all=22.0)},
            "AB magnitude to which 80 % of the added stars are found, median of the images: Img "
            "Top 1 % 22.50.",
        ),
        (
            "injection",
            {
                "injection": by_method("x", 1, 2),
                "injection_depths": depths(A=float("nan"), all=22.0),
            },
            "In no image does any mask find the added stars.",
        ),
        (
            "reliability",
            {"reliability": by_method("reliability", float("nan"), 0.75)},
            "Reliability: Img Top 1 % not known, Orig. Segm. 0.75.",
        ),
        (
            "agreement",
            {
                "agreement": pd.DataFrame(
                    [("All", "All", 10, 10, float("nan"))],
                    columns=["image", "method", "agree", "sources", "kappa"],
                )
            },
            "10 of 10 verdicts agree with the truth, kappa not known.",
        ),
        ("purity", {}, "Share of the spots that lie on a true source; slices over the crop."),
        ("something_new", {}, "something_new"),
    ],
)
def test_a_figure_is_said_in_numbers(name, tables, words):
    assert index.said(name, tables) == words


def test_points_are_split_into_plain_and_bold_parts():
    text = (
        "# Title\n\n1. **Bold** and `code`, a &#124;b&#124; and a [link](x.md).\n"
        "2. Plain.\n\nNot 3. a point\n"
    )
    assert index.points(text) == [["", "Bold", " and code, a |b| and a link."], ["Plain."]]


def test_claims_are_told_apart_by_their_verdicts():
    table = pd.DataFrame(
        {
            "id": ["C1", "C2", "C3", "C4"],
            "claim (section)": list("abcd"),
            "computed": ["holds", "fails", "not testable here", "holds with a tie"],
            "computed: numbers": list("1234"),
        }
    )
    shown = index.claims(table)
    assert shown["sources"] == ["computed"]
    kinds = [row["answers"][0]["kind"] for row in shown["rows"]]
    assert kinds == ["holds", "fails", "", "partly"]
    assert shown["rows"][3]["answers"] == [
        {"kind": "partly", "verdict": "holds with a tie", "numbers": "4"}
    ]


def test_the_recommended_mask_is_counted_beside_the_segmentation():
    given = ["success", "success", "near", "failure"]
    own = ["failure", "success", "failure", "failure"]
    verdicts = pd.DataFrame(
        {
            "image": "A",
            "method": ["recommended"] * 4 + ["segmentation"] * 4,
            "verdict": "near",
            "verdict_pixels": given + own,
        }
    )
    masks = {"A": "masks/A/recommended.fits", "B": "masks/B/recommended.fits"}
    shown = index.recommended(verdicts, masks, scorer="pixels", by_eye=True)
    rows = [[cell.text for cell in row] for row in shown["table"].rows]
    assert rows == [["A", "4", "2", "1", "1", "1", "0", "3"], ["All", *"4211103"]]
    assert shown["files"] == list(masks.items())
    assert shown["table"].notes == ["scored as in Table 3"]
    by_eye = index.recommended(verdicts, masks, scorer="peaks", by_eye=True)
    assert "of sources that a mask runs together one counts" in by_eye["table"].notes[1]


def test_what_the_masks_of_an_image_keep_is_said():
    assert index.masks_said(COUNTS, "B", ["value_1", "segmentation"]) == (
        "B: the crop, then what each mask marks of it, with circles around the catalogue's "
        "sources; Img Top 1 % 1 success, 0 near, 5 failure; Orig. Segm. 5 success, 1 near, "
        "0 failure."
    )
    assert index.masks_said(COUNTS, "C", ["value_1"]).endswith("no catalogue source lies here.")
    bare = index.masks_said(COUNTS, "C", ["value_1"], without_catalogue=["C"])
    assert bare == "C: the crop, then what each mask marks of it; no catalogue is given."
    # sources are there, but Table 3 counts other masks
    assert index.masks_said(COUNTS, "B", ["sep"]).endswith(
        "circles around the catalogue's sources; Table 3 has none of these masks."
    )
    assert index.panels_caption(["sep", "segmentation"]).startswith(
        "In this order: the crop, sep, Orig. Segm.; circles: solid"
    )


def test_table_3_says_how_it_was_scored():
    table = index.scores(
        COUNTS,
        ["a note"],
        domain="crop",
        scorer="pixels",
        radius="1 fwhm",
        near="2 px",
        clutter_limit=0.25,
    )
    assert table.notes[0] == (
        "percentages over the crop domain; scored by any pixel of the mask within 1 FWHM of the "
        "PSF of the source; near: within 2 px more"
    )
    assert "more than 25 % of the mask's visible spots" in table.notes[2]
    assert table.notes[-1] == "a note"


def test_sections_that_are_not_there_are_not_named():
    everything = index.sections({"claims": {}, "recommended": {"text": ""}, "evaluation": None})
    assert [name for name, _ in everything] == [
        *("images", "warnings", "tables", "recommended", "figures", "provenance", "files")
    ]


def test_files_are_grouped_by_folder_those_of_the_study_first():
    names = ["tables/a.csv", "claims.md", "masks/A/b.fits", "tables/a.csv", "tables/c.csv"]
    assert index.grouped(names) == [
        ("Study", ["claims.md"]),
        ("masks/", ["masks/A/b.fits"]),
        ("tables/", ["tables/a.csv", "tables/c.csv"]),
    ]


def png(folder, name, size=(4, 3)):
    path = folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size).save(path)
    return str(path)


def test_pictures_stand_in_the_page_as_long_as_there_is_room(tmp_path):
    path = png(tmp_path, "figures/a", (7, 5))
    inside = smaller(Path(path).read_bytes(), width=760)[0]
    picture = Pictures(tmp_path, room=len(inside))
    first, second = (picture(path, "t", "c", "alt") for _ in range(2))
    assert first["uri"] == inside
    assert second["uri"] == ""  # the link to the file stays
    assert (first["width"], first["height"]) == (7, 5)
    assert second["files"] == ["figures/a.png", "figures/a.pdf"]


def test_figures_of_the_evaluation_come_in_the_page_s_order(tmp_path):
    pngs = [png(tmp_path, name) for name in ("new_thing", "purity", "chance")]
    shown = index.evaluation({}, pngs, "1. Point.\n", Pictures(tmp_path), slice_domain="crop")
    assert [figure["title"] for figure in shown["figures"]] == [
        *("Success by chance", "Purity against the truth", "New thing")
    ]
    assert shown["points"] == [["Point."]]
    nothing = index.evaluation({}, [], "", Pictures(tmp_path), slice_domain="crop")
    assert nothing is None


def test_the_domain_of_the_slices_is_said_where_table_3_has_another(tmp_path):
    pngs = [png(tmp_path, "chance")]
    settings = {
        "study": "mine",
        "slice_domain": "published",
        "clutter_limit": 0.5,
        "verdict": {"scorer": "peaks", "radius": "18 px", "near": "25 px"},
        "figures": {"histogram_percentile": 91},
    }
    page = whole(tmp_path, measure_pngs=pngs, measures={"chance": chance()}, settings=settings)
    other = ", in Table 3 over the published domain"
    assert f"<p>Slices are taken over the crop here{other}; intervals are 95 %.</p>" in page
    settings["slice_domain"] = "crop"
    page = whole(tmp_path, measure_pngs=pngs, measures={"chance": chance()}, settings=settings)
    assert "<p>Slices are taken over the crop here; intervals are 95 %.</p>" in page


def test_figures_of_the_evaluation_say_the_domain_of_their_slices():
    """Those that are not of Table 3's own; its other settings are compared with its own domain."""
    said = {name: text.endswith("slices over the crop.") for name, (_, text) in EVALUATION.items()}
    assert [name for name, over_the_crop in said.items() if not over_the_crop] == ["sensitivity"]


@pytest.mark.parametrize("name", EVALUATION)
def test_snakemake_s_report_has_the_page_s_captions(name):
    """Of all figures of the evaluation, of which a rule names the caption."""
    workflow = Path(index.__file__).parents[2]
    caption = (workflow / "report" / f"{name}.rst").read_text()
    assert caption.startswith(EVALUATION[name][1] + " ")
    rules = "".join(path.read_text() for path in (workflow / "rules").glob("*.smk"))
    marked = f'report(\n            "<results>/evaluation/{name}.png",\n'
    assert f'{marked}            caption="../report/{name}.rst",\n' in rules


STATISTICS = pd.DataFrame(
    [
        {
            "image": image,
            "simulated": simulated,
            "frame_shape": [100, 90],
            "crop_shape": [80, 70],
            "observation_id": "<script>",
            **dict.fromkeys(("principal_investigator", "obs_date", "guide_star_id"), ""),
            **dict.fromkeys(("effective_exposure_s", "guide_star_ra_deg", "guide_star_dec_deg"), 1),
            **dict.fromkeys(("min", "max", "variance", "skewness", "kurtosis"), 2.0),
            "mean": 5.5,
            "median": 5.25,
        }
        for image, simulated in (("A", False), ("B", True))
    ]
)


def given_tables():
    circles = {
        "image": ["A", "B"],
        "catalogue": True,
        "sources": [4, 6],
        "not_observed": 0,
        "covered": [0.1, 0.75],
    }
    return {
        "table3": COUNTS,
        "circles": pd.DataFrame(circles),
        "manifest": pd.DataFrame({"image": ["A"], "product": ["i2d"]}),
    }


def overview(folder):
    """The first screen of images A and B."""
    measures = pd.DataFrame(
        {
            "image": ["A", "B"],
            "method": "recommended",
            "simulated": [False, True],
            "n_sources": [3, 40],
            "masked_share": [0.021, 0.1],
            "depth_ab": [24.126, np.nan],
        }
    )
    rates = pd.DataFrame(
        {
            "image": ["A", "All"],
            "n_negative": [1, 1],
            "false_per_arcmin2": [0.5, 0.5],
            "false_low": 0.0127,
            "false_high": 2.79,
        }
    )
    looks = {image: Path(png(folder, f"overview/{image}")) for image in "AB"}
    warned = [Warned("B", ("peaks",), "<b>careful</b>"), Warned("", ("figure2",), "all")]
    return Overview(measures, rates, looks, looks, "B", warned)


def whole(folder, **changed):
    names = ("figure1", "figure2", "figure3", "figure4/A", "figure4/B", "figure5/A")
    given = {
        "settings": {
            "study": "mine",
            "slice_domain": "crop",
            "clutter_limit": 0.5,
            "verdict": {"scorer": "peaks", "radius": "18 px", "near": "25 px"},
            "figures": {"histogram_percentile": 91},
        },
        "shown": {
            "figure1": "A",
            "figure3": {"image": "B", "methods": TWO_METHODS},
            "figure4": ["value_1", "value_2", "segmentation"],
            "figure5": TWO_METHODS,
        },
        "overview": overview(folder),
        "statistics": STATISTICS,
        "tables": given_tables(),
        "recommended_mask": None,
        "measures": {},
        "measure_pngs": [],
        "measure_text": "",
        "pngs": [png(folder, f"figures/{name}") for name in names],
        "picture": Pictures(folder),
        "files": ["claims.md"],
        "revision": "",
        **changed,
    }
    return index_page(**given)


def test_the_whole_page(tmp_path):
    page = whole(tmp_path)
    assert index.OWN_QUESTION in page
    assert "marks 43 sources in the 2 images and covers 2.1 to 10 % of the pixels." in page
    assert "black: the 91st percentile" in page
    assert "Frame of A, 100 rows and 90 columns, with a rectangle of 80 rows" in page
    assert "A median 5.25, mean 5.5, variance 2" in page
    assert "levels in MJy/sr, variance in its square, skewness and kurtosis without" in page
    assert "lead to the files beside it, in results/mine/; in a copy elsewhere" in page
    assert "Figure 4: Img Top 1 % and Img Top 2 %" in page
    assert "the circles cover 75 % of B" in page
    assert "SIMULATED" in page  # one image is
    assert page.count("<script>") == 1  # the page's own: a header's is text
    for heading in ("The paper's claims", "What the masks are worth", "Recommended mask"):
        assert heading not in page
    assert page == whole(tmp_path)


@pytest.mark.parametrize(("images", "limit"), [(7, 2.5e6), (100, 10e6)])
def test_the_page_is_small_enough_to_be_mailed(tmp_path, images, limit):
    """Of noise, which no format makes small, in pictures of the size that a study has them."""
    rng = np.random.default_rng(1)
    path = tmp_path / "figures" / "figure1.png"
    path.parent.mkdir()
    Image.fromarray(rng.integers(0, 256, (405, 760), np.uint8)).save(path)
    mask = np.zeros((980, 590), bool)
    mask[::40, ::40] = True
    noise = rng.normal(size=mask.shape)
    thumb, look = tmp_path / "thumb.png", tmp_path / "look.png"
    thumb.write_bytes(thumbnail(noise, mask))
    look.write_bytes(quick_look(noise, mask))
    names = [f"Img{n}" for n in range(images)]
    first = overview(tmp_path)
    row, rate = first.measures.iloc[[0]], first.false.iloc[[0]]
    many = Overview(
        pd.concat([row.assign(image=name) for name in names]),
        pd.concat([rate.assign(image=name) for name in [*names, "All"]]),
        dict.fromkeys(names, look),
        dict.fromkeys(names, thumb),
        names[0],
        [Warned(name, ("peaks",), "a warning of some length " * 4) for name in names],
    )
    pngs = [png(tmp_path, f"figures/{name}") for name in ("figure1x", "figure2", "figure3")]
    pngs[0] = str(path)
    per_image = [tmp_path / f"figures/figure{n}/{name}.png" for n in (4, 5) for name in names]
    for one in per_image:
        one.parent.mkdir(exist_ok=True)
        one.symlink_to(path)
    page = whole(
        tmp_path,
        overview=many,
        statistics=pd.concat([STATISTICS.iloc[[0, 1]].assign(image=["A", "B"])]),
        pngs=[*pngs, *map(str, per_image)],
        files=[f"masks/{name}/value_{n}.fits" for name in names for n in range(40)],
    )
    assert len(page.encode()) < limit
    assert page.count("<figure>") == 1 + 3 + 2 * images
    assert page.count('class="simulated"') == 1


def test_a_page_of_the_sky_is_not_simulated(tmp_path):
    assert "SIMULATED" not in whole(tmp_path, statistics=STATISTICS.assign(simulated=False))


def test_the_paper_s_question_where_its_claims_are_answered(tmp_path):
    claims = pd.DataFrame(
        {"id": ["C1"], "claim (section)": ["c"], "x": ["holds"], "x: numbers": [""]}
    )
    tables = {**given_tables(), "claims": claims}
    page = html.unescape(whole(tmp_path, tables=tables))
    assert index.PAPER_QUESTION in page
    assert "with slices over the crop, but the chance rates of C1" in page


@pytest.mark.parametrize(
    ("method", "domain", "words"),
    [
        ("recommended", "published", "its cores mark"),
        ("value_1", "crop", "the same mask marks"),
        ("value_1", "published", "the same mask with its slices over the crop marks"),
        ("sep_or_value_1@crop", "published", "the same mask marks"),
        ("sep", "published", "the same mask marks"),
    ],
)
def test_what_false_spots_are_counted_of_is_said(tmp_path, method, domain, words):
    first = overview(tmp_path)
    first.measures["method"] = method
    assert first.counted(domain) == words


def test_the_page_of_the_products(tmp_path):
    page = products_page(
        settings={"study": "mine", "slice_domain": "crop"},
        overview=overview(tmp_path),
        manifest=pd.DataFrame({"image": ["A"], "product": ["i2d"]}),
        folder=tmp_path,
        files=["masks/A/recommended.fits"],
        revision="",
    )
    assert index.OWN_QUESTION in page
    for absent in ("Table 3", "The paper", "80 % of added stars", "browser.html"):
        assert absent not in page
    assert "<li>&lt;b&gt;careful&lt;/b&gt;</li>" in page  # of image B, in its row
    assert "Warnings (2)" in page
    assert "./masks/A/recommended.fits" in page
