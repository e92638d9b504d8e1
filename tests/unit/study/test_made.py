"""What a run ends with on the terminal."""

import pytest
from study.made import ended
from study.settings import Study


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images.tsv").write_text("image\ti2d\nA\ta.fits\n")
    return Study({"study": "mine", "images": "images.tsv", "archive": {"source": "local"}})


def test_only_what_is_there_is_named(study, tmp_path):
    assert ended(study) == ""  # nothing was ever made
    results = tmp_path / "results" / "mine"
    (results / "logs").mkdir(parents=True)
    assert ended(study) == ""
    (results / "tables").mkdir()
    (results / "products.html").touch()
    first, *places = ended(study).splitlines()
    assert first == "What there is of study mine:"
    assert [place.split()[0] for place in places] == [
        *("results/mine/products.html", "results/mine/tables", "results/mine/warnings.md")
    ]
    assert "No job warned" in (results / "warnings.md").read_text()


def test_warnings_of_masks_that_are_no_longer_made_are_not_said(study, tmp_path):
    logs = tmp_path / "results" / "mine" / "logs"
    (tmp_path / "results" / "mine" / "masks").mkdir(parents=True)
    for mask in (*study.every_mask, "cores_90"):
        log = logs / "verdicts" / "A" / f"{mask}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"WARNING: A: of {mask}\n")
    ended(study)
    page = (tmp_path / "results" / "mine" / "warnings.md").read_text()
    assert page.count("\n- of ") == len(study.every_mask)
    assert {"recommended", "value_1", "derivative_4.6@crop"} < set(study.every_mask)
    assert "cores_90" not in page


def test_warnings_are_said_the_first_of_many(study, tmp_path):
    logs = tmp_path / "results" / "mine" / "logs" / "peaks"
    logs.mkdir(parents=True)
    (tmp_path / "results/mine/masks").mkdir()
    (logs / "A.log").write_text("".join(f"WARNING: A: number {n}\n" for n in range(7)))
    lines = ended(study).splitlines()
    assert lines[-7:] == [
        "7 warnings, all in results/mine/warnings.md:",
        *(f"  A: number {n}" for n in range(5)),
        "  and 2 more",
    ]
    assert (tmp_path / "results/mine/warnings.md").read_text().count("\n- ") == 7
