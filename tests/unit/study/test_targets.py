"""What a study ends with, and what rules take in."""

import pytest
from study import inputs, targets
from study.settings import Study


@pytest.fixture
def make(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def study(table="image\ti2d\nA\ta.fits\nB\tb.fits\n", **config):
        (tmp_path / "images.tsv").write_text(table)
        config = {"images": "images.tsv", "archive": {"source": "local"}} | config
        return Study({"methods": ["value_1", "segmentation"]} | config)

    return study


def test_a_study_of_own_images_ends_with(make):
    ends = targets.final(make(products={"methods": ["recommended"]}))
    assert len(ends) == len(set(ends))
    assert ends[-1] == "<results>/index.html"
    assert {
        "<results>/manifest.tsv",
        "<results>/tables/table3.tex",
        "<results>/figures/figure5/B.pdf",
        "<results>/labels/A/recommended.fits",
        "<results>/catalogue/B/recommended.ecsv",
        "<results>/regions/B/recommended.reg",
        "<results>/evaluation/injection_depths.csv",
        "<results>/by_eye/score.html",
    } <= set(ends)
    for absent in ("claims", "comparison", "purity", "agreement", "truth"):
        assert not [path for path in ends if absent in path]


def test_all_that_the_page_leads_to_is_asked_for(make):
    """Snakemake makes a file again that is gone if something asks for it by name."""
    study = make()
    ends = targets.final(study)
    assert set(targets.report_parts(study)["files"]) < set(ends)
    assert {
        "<results>/masks/A/value_1.fits",
        "<results>/peaks/B.csv",
        "<results>/overview/A.png",
    } <= set(ends)


def test_the_first_screen_shows_the_recommended_mask_or_the_first_product(make):
    study = make(products={"methods": ["segmentation", "recommended"]})
    assert (study.overview, study.overview_detections) == ("recommended", "cores")
    assert targets.overview_parts(study)["overview_false"] == [
        "<results>/overview/false/A.csv",
        "<results>/overview/false/B.csv",
    ]
    sliced = make(products={"methods": ["value_1"]}, slice_domain="published")
    assert (sliced.overview, sliced.overview_detections) == ("value_1", "value_1@crop")
    assert make(products={"methods": []}).overview == "recommended"


def test_scores_by_eye_are_tables_where_there_are_files(make):
    ends = targets.final(make(by_eye={"files": ["me.csv"]}))
    assert "<results>/by_eye/table3_by_eye.md" in ends
    assert "<results>/by_eye/agreement.csv" in ends


def test_the_page_to_score_by_eye_has_no_more_images_than_a_person_scores(make):
    rows = [f"A{number}\ta.fits" for number in range(30)]
    many = "\n".join(["image\ti2d", *rows, ""])
    assert make(many).by_eye_images == [f"A{number}" for number in range(20)]
    assert make(many, by_eye={"images": ["A25", "A3"]}).by_eye_images == ["A25", "A3"]


def test_a_survey_ends_with_its_own_table(make):
    study = make(survey={"program": "1837"})
    assert targets.final(study) == [
        "<results>/survey/products.tsv",
        "<results>/survey/survey.csv",
    ]


def test_the_paper_is_compared_and_its_claims_answered(make, monkeypatch):
    from conftest import ROOT

    monkeypatch.chdir(ROOT)
    study = Study({})
    ends = targets.final(study)
    assert {"<results>/comparison/summary.md", "<results>/claims.md"} <= set(ends)
    assert inputs.published(study, 2, 3) == [f"config/published/table{n}.csv" for n in (2, 3)]
    assert targets.report_parts(study)["claims"] == "<results>/claims.csv"


def test_claims_are_of_the_papers_images_and_of_no_others(make):
    """The paper's codes may be those of anyone's files, and a study may have more images."""
    rows = "".join(f"Img{n}\t{n}.fits\n" for n in range(1, 8))
    named = make("image\ti2d\n" + rows, archive={"source": "mast"})
    tables = {"images": ["config/images.tsv", "images.tsv"], "archive": {"source": "mast"}}
    eight = make("image\ti2d\nmine\tm.fits\n", **tables)
    assert eight.has_paper_images
    for study in (named, eight):
        assert "<results>/claims.md" not in targets.final(study)
    assert named.config["published"] is None


def test_the_page_leads_to_every_file_of_an_image(make):
    parts = targets.report_parts(make())
    assert parts["segmentation"] == [
        "<results>/verdicts/A/segmentation.csv",
        "<results>/verdicts/B/segmentation.csv",
    ]
    assert {
        "<results>/frame/A.fits",
        "<results>/gradient/B.fits",
        "<results>/archive/B/unwise.ecsv",
        "<results>/masks/B/value_1.fits",
        "<results>/verdicts/B/recommended.csv",
    } <= set(parts["files"])
    assert all(path.endswith(".png") for path in parts["figures"])
    assert len(parts["figures"]) == 3 + 2 * 2
    assert "claims" not in parts


def test_a_figure_shows_two_slices_and_the_segmentation(make):
    shown = inputs.shown_masks(make(), "A", ["value_1@published", "derivative_1"])
    assert shown["frame"] == "<results>/frame/A.fits"
    assert shown["masks"] == [
        f"<results>/masks/A/{name}.fits" for name in ("value_1", "derivative_1", "segmentation")
    ]
    assert [path.split("/")[1] for path in shown["verdicts"]] == ["verdicts"] * 3
    assert shown["gradient"] == "<results>/gradient/A.fits"
    assert "gradient" not in inputs.shown_masks(make(), "A", ["value_1", "value_2"])


def test_what_depends_on_the_method_and_the_image(make):
    study = make("image\ti2d\tfilter\nA\ta.fits\tF1130W\nB\tb.fits\t\n")
    whole = {"i2d": "<results>/archive/A/i2d.fits"}
    assert inputs.sliced(study, "A", "value_1") == whole
    assert inputs.sliced(study, "A", "value_1@crop") == {}
    derivative = {"gradient": "<results>/gradient/A.fits"}
    assert inputs.sliced(study, "A", "derivative_1") == derivative
    assert inputs.sliced(study, "A", "derivative_1@crop") == derivative
    assert inputs.pipeline_labels("A", "segmentation")["segm"].endswith("A/segm.fits")
    assert inputs.pipeline_labels("A", "recommended") == {}
    assert inputs.psf(study, "A") == "<results>/simulation/psf_F1130W.fits"
    assert inputs.psf(study, "B") == "<results>/simulation/psf_F770W.fits"
    assert inputs.truth(study, "A") == inputs.truth_tables(study) == {}
    assert inputs.published(study, 1) == []


def test_the_study_s_own_values_of_settings_that_are_varied(make):
    study = make(verdict={"radius": "18 px"}, catalogue={"keep": "FW1 > 2"}, slice_domain="crop")
    assert inputs.configured(study) == {
        "verdict radius [px]": "18",
        "peak S/N": "5",
        "catalogue": "FW1 > 2",
        "scorer": "bright peak",
        "slice domain": "crop",
    }


def test_depths_of_cosmos_web_are_for_its_images_alone(make):
    table = "image\tprogram\tobservation\tfilter\nA\t1727\t1\tF770W\nB\t{}\t2\tF770W\n"
    source = {"archive": {"source": "mast"}}
    assert make(table.format("01727"), **source).of_cosmos_web
    assert not make(table.format("1232"), **source).of_cosmos_web
    assert not make().of_cosmos_web
