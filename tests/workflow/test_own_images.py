"""A study of one's own: one image that cannot be used does not take the others' tables with it."""

import pandas as pd


def test_a_damaged_image_is_named_with_the_way_to_the_others_tables(study):
    broken = study.folder / "B_i2d.fits"
    broken.write_bytes(broken.read_bytes()[:30_000])
    table3 = "results/small/tables/table3.csv"
    done = study.run(table3, options=["--keep-going"])
    assert done.returncode == 1
    assert "These images could not be used:" in done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("  B: "))
    assert "B_i2d.fits" in line
    assert "truncated" in line
    assert "--config 'leave_out=[B]'" in done.stdout
    assert (study.results / "verdicts" / "A" / "value_1.csv").is_file()

    study.config["leave_out"] = ["B"]
    done = study.run(table3)
    assert done.returncode == 0, done.stdout
    assert set(pd.read_csv(study.folder / table3)["image"]) == {"A"}
    study.config["leave_out"] = ["B", "C"]
    done = study.run(table3)
    assert "leave_out: 'C' is not in 'images.tsv'" in done.stdout
    study.config["leave_out"] = ["A", "B"]
    assert "no image is left" in study.run(table3).stdout


def test_an_image_without_a_catalogue_has_no_row_and_is_named(study):
    del study.images[1]["catalogue"]
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
