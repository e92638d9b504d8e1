"""A study of one's own: one image that cannot be used does not take the others' tables with it."""

import re

import pandas as pd
from astropy.table import Table
from conftest import make_image


def test_one_run_makes_the_report_of_the_others_and_says_what_it_lacks(finished, again):
    # before the first job, and at the end
    start, end = re.split(r"^\[ *\d+ %", finished.said, maxsplit=1, flags=re.MULTILINE)
    for part in (start, end):
        assert "These images cannot be used; the study goes on without them:" in part
        line = next(line for line in part.splitlines() if line.startswith("  C: "))
        assert "C_i2d.fits" in line
        assert "truncated" in line
    page = (again.results / "index.html").read_text(encoding="utf-8")
    assert re.search(r"<li><strong>C</strong>: .*C_i2d.fits.*truncated", page)
    assert set(pd.read_csv(again.results / "tables" / "table3.csv")["image"]) == {"A", "B"}

    # mended, it belongs to the study
    make_image(again.folder, "C", seed=2)
    jobs = again.planned("results/small/tables/table3.csv")
    assert jobs["import_local"] == 1
    assert jobs["verdict_tables"] == 1


def test_where_it_is_asked_for_an_unusable_image_stops_the_study(study):
    study.config["unusable_images"] = "stop"
    broken = study.folder / "B_i2d.fits"
    broken.write_bytes(broken.read_bytes()[:30_000])
    table3 = "results/small/tables/table3.csv"
    done = study.run(table3, options=["--keep-going"])
    assert done.returncode == 1
    assert "These images could not be used:" in done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("  B: "))
    assert "truncated" in line
    assert "--config 'leave_out=[B]'" in done.stdout
    assert (study.results / "verdicts" / "A" / "value_1.csv").is_file()
    assert not (study.folder / table3).exists()


def test_an_image_without_a_catalogue_has_no_row_and_is_named(study):
    del study.images[1]["catalogue"]
    nameless = Table.read(study.folder / "A.ecsv")
    del nameless["FW1"]
    nameless.write(study.folder / "A.ecsv", overwrite=True)
    done = study.run("results/small/tables/table3.md", "results/small/tables/circles.csv")
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(study.results / "tables" / "table3.csv")
    assert set(table["image"]) == {"A"}
    text = (study.results / "tables" / "table3.md").read_text()
    assert "- left out, no catalogue is given: B" in text
    circles = pd.read_csv(study.results / "tables" / "circles.csv").set_index("image")
    assert circles["sources"].to_dict() == {"A": 9, "B": 0}
    # unWISE's circle of 1.98 arcsec, on 0.11 arcsec
    assert abs(circles["radius_px"]["A"] - 18) < 1e-3
    assert 0 < circles["covered"]["A"] < 1
    log = (study.results / "logs" / "crop" / "A.log").read_text()
    assert "the paper's" not in log
    said = {i: (study.results / "logs" / "import_local" / f"{i}.log").read_text() for i in "AB"}
    assert "A: its catalogue has no FW1, as unWISE's has, and is taken for it" in said["A"]
    assert "FW1" not in said["B"]
