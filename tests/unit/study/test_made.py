"""What a run ends with on the terminal."""

from math import inf

import pytest
from study.made import ended
from study.settings import Study


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images.tsv").write_text("image\ti2d\nA\ta.fits\n")
    return Study({"study": "mine", "images": "images.tsv", "archive": {"source": "local"}})


def test_only_what_is_there_is_named(study, tmp_path):
    assert ended(study, since=inf) == ""  # nothing was ever made
    results = tmp_path / "results" / "mine"
    (results / "logs").mkdir(parents=True)
    assert ended(study, since=inf) == ""
    (results / "tables").mkdir()
    (results / "products.html").touch()
    first, *places = ended(study, since=inf).splitlines()
    assert first == "What there is of study mine:"
    assert [place.split()[0] for place in places] == [
        *("results/mine/products.html", "results/mine/tables", "results/mine/warnings.md")
    ]
    assert "No job warned" in (results / "warnings.md").read_text()


def test_warnings_of_masks_that_are_no_longer_made_are_not_said(study, tmp_path):
    results = tmp_path / "results" / "mine"
    (results / "masks").mkdir(parents=True)
    log = results / "logs" / "function_mask" / "A" / "cores_90.log"
    log.parent.mkdir(parents=True)
    log.write_text("WARNING: A: marks no pixel\n")
    assert "1 warning" in ended(study, since=log.stat().st_mtime)  # asked for by its name just now
    ended(study, since=inf)
    assert "No job warned" in (results / "warnings.md").read_text()


def test_the_masks_of_a_study_are_those_of_its_figures_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images.tsv").write_text("image\ti2d\nA\ta.fits\n")
    study = Study(
        {
            "study": "mine",
            "images": "images.tsv",
            "archive": {"source": "local"},
            "methods": ["value_1"],
            "evaluation": {"methods": ["value_1_or_cores"]},
            "products": {"methods": ["recommended"]},
            "figures": {
                "figure3": {"methods": ["value_2", "derivative_2"]},
                "figure4": ["value_3", "cores_7"],
                "figure5": ["value_5", "derivative_7@crop"],
            },
        }
    )
    drawn = {"value_2", "derivative_2", "value_3", "cores_7", "value_5", "derivative_7@crop"}
    assert drawn | {"segmentation", "recommended", "value_1@crop_or_cores"} < set(study.every_mask)


def test_warnings_are_said_the_first_of_many(study, tmp_path):
    logs = tmp_path / "results" / "mine" / "logs" / "peaks"
    logs.mkdir(parents=True)
    (tmp_path / "results/mine/masks").mkdir()
    (logs / "A.log").write_text("".join(f"WARNING: A: number {n}\n" for n in range(7)))
    lines = ended(study, since=inf).splitlines()
    assert lines[-7:] == [
        "7 warnings, all in results/mine/warnings.md:",
        *(f"  A: number {n}" for n in range(5)),
        "  and 2 more",
    ]
    assert (tmp_path / "results/mine/warnings.md").read_text().count("\n- ") == 7
