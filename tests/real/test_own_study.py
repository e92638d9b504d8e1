"""The recipe of docs/own-images.md, on a table that mixes what images there may be.

Two pixel scales of one sky, an archive product of nebula, which has no catalogue, and a stamp of
77 px: three filters.
"""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ONE_OTHER, ROOT, Study
from mixed import mixed_rows

WITH, WITHOUT = ["uds80", "uds40", "lens"], ["orion"]


def recipe():
    """The configuration that the page shows, with the columns of the catalogue used here."""
    text = (ROOT / "docs" / "own-images.md").read_text()
    config = yaml.safe_load(re.search(r"```yaml\n(.+?)```", text, re.DOTALL)[1])
    return config | {"catalogue": {"name": "own", "id": "id", "ra": "ra", "dec": "dec"}}


@pytest.fixture(scope="module")
def own(real, tmp_path_factory):
    """The finished study; with fewer stars and draws than usual, to be done in a minute or two."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "data").mkdir()
    study = Study(folder)
    study.config = recipe() | {
        "images": "images.tsv",
        "also_other_domain": False,
        "methods": ["value_1", "derivative_4.6", "segmentation"],
        "evaluation": {
            "methods": ["value_1", "derivative_4.6", "segmentation", "recommended"],
            "positions": 200,
            "bootstrap": 100,
            "stars": 20,
            "magnitudes": [20, 21.5, 23, 24.5, 26],
            "realisations": 1,
            "depth_draws": 20,
            "curve_families": ["value", "segmentation"],
            "sensitivity": ONE_OTHER | {"radii": ["0.3 arcsec"], "segmentations": []},
        },
        "simulation": {"psf": {"wavelengths": 1}},
        "figures": {
            "figure3": {"methods": ["value_1", "derivative_4.6"]},
            "figure4": ["value_1", "derivative_4.6"],
            "figure5": ["value_1", "derivative_4.6"],
        },
    }
    study.images = mixed_rows(real, folder / "data")
    done = study.run()
    assert done.returncode == 0, done.stdout[-3000:]
    return study


def statistics(own, image):
    return json.loads((own.results / "statistics" / f"{image}.json").read_text())


def test_it_runs_to_its_end(own):
    for name in ("index.html", "browser.html", "by_eye/score.html"):
        assert (own.results / name).stat().st_size > 10_000
    page = (own.results / "index.html").read_text()
    assert all(f"figures/figure4/{image}.png" in page for image in [*WITH, *WITHOUT])
    assert "nan" not in (own.results / "evaluation" / "README.md").read_text()


def test_images_without_a_catalogue_have_no_row_and_are_named(own):
    table = pd.read_csv(own.results / "tables" / "table3.csv")
    assert list(dict.fromkeys(table["image"])) == WITH
    assert (table["sources"] > 0).all()
    note = f"left out, no catalogue is given: {', '.join(WITHOUT)}"
    for path in ("tables/table3.md", "tables/table3_chance.md", "index.html"):
        text = (own.results / path).read_text()
        assert note in text
        assert "| orion |" not in text
    conclusions = pd.read_csv(own.results / "evaluation" / "conclusions.csv")
    assert len(conclusions)


def test_circles_follow_the_psf(own):
    circles = pd.read_csv(own.results / "tables" / "circles.csv").set_index("image")
    assert circles["radius_px"]["uds80"] == pytest.approx(0.269 / 0.08, rel=1e-4)
    assert circles["radius_px"]["uds40"] == pytest.approx(0.269 / 0.04, rel=1e-4)
    assert circles["radius_px"]["lens"] == pytest.approx(0.207 / 0.11082, rel=1e-3)
    # the same circles on the same sky
    assert circles["covered"]["uds40"] == pytest.approx(circles["covered"]["uds80"], rel=0.1)
    assert circles["sources"].to_dict() == {
        "uds80": 118,
        "uds40": 118,
        "lens": 4,
    } | dict.fromkeys(WITHOUT, 0)


def test_two_pixel_scales_of_one_sky_give_the_same_peaks_and_verdicts(own):
    peaks = {i: pd.read_csv(own.results / "peaks" / f"{i}.csv") for i in ("uds80", "uds40")}
    bright = {i: table[table["snr"] > 30] for i, table in peaks.items()}
    assert len(bright["uds80"]) == pytest.approx(len(bright["uds40"]), abs=2)
    for _, row in bright["uds80"].iterrows():
        there = 2 * row["x"] + 0.5, 2 * row["y"] + 0.5
        found = bright["uds40"]
        assert np.hypot(found["x"] - there[0], found["y"] - there[1]).min() <= 2
    scores = pd.read_csv(own.results / "tables" / "table3.csv").set_index(["image", "method"])
    counts = scores["success"]
    assert counts["uds80", "value_1"] == pytest.approx(counts["uds40", "value_1"], rel=0.25)
    page = (own.results / "by_eye" / "score.html").read_text()
    assert {int(side) for side in re.findall(r'"side": ?(\d+)', page)} == {66, 134, 36}


def test_empty_pixels_do_not_count(own):
    """Of the nebula in F1130W 7.4 % are empty and 0; the faintest seen pixel is far from it."""
    row = statistics(own, "orion")
    assert row["n_empty"] > 0.05 * row["n_pixels"]
    assert row["min"] > 1000
    medians = [statistics(own, image)["median"] for image in ("uds80", "uds40")]
    assert medians[0] == pytest.approx(medians[1], abs=1e-4)
    note = (own.results / "tables" / "table2.md").read_text()
    assert re.search(r"orion: \d+ of 17673 pixels of the crop are empty, all of them", note)


def test_an_image_in_which_no_star_is_found_decides_nothing(own):
    depths = pd.read_csv(own.results / "evaluation" / "injection_depths.csv")
    at = depths.set_index(["image", "method"])["m80"]
    assert np.isfinite(at["uds80", "value_1"])
    assert np.isnan(at["orion", "recommended"])
    pooled = depths[depths["image"] == "all"].set_index("method")["n"]
    counted = depths[~depths["image"].isin(["all", "orion"]) & (depths["method"] == "value_1")]
    assert pooled["value_1"] <= counted["n"].sum()
    text = (own.results / "evaluation" / "README.md").read_text()
    assert re.search(r"Not counted, .* but by chance: orion", text)


def test_the_paper_s_frames_are_no_measure_for_others(own):
    for log in (own.results / "logs").rglob("*.log"):
        assert "the paper's" not in log.read_text()
