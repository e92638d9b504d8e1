"""What is wrong in the configuration or a file is said in one message, and nothing is left half."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from conftest import make_image

# That every mistake is found, and what is said of it, is in tests/unit/study.


@pytest.mark.parametrize(
    ("change", "says"),
    [({"metods": ["value_1"]}, "metods"), ({"images": "nowhere.tsv"}, "nowhere.tsv")],
)
def test_configuration(study, change, says):
    study.config |= change
    done = study.run(options=["--dry-run"])
    assert done.returncode != 0
    assert says in done.stdout
    assert "Traceback" not in done.stdout


def test_files_that_are_missing(study):
    study.images[0] |= {"err": "e.fits", "segm": "s.fits"}
    (study.folder / "A_i2d.fits").unlink()
    done = study.run("results/small/frame/A.fits")
    assert done.returncode != 0
    for named in ("i2d 'A_i2d.fits'", "err 'e.fits'", "segm 's.fits'"):
        assert f"row 'A' names the {named}" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (study.results / "archive").exists()


def test_images(study):
    """Each spoiled in another way; every one is said in a line of its own, and leaves nothing."""
    study.config["unusable_images"] = "stop"
    study.images = [make_image(study.folder, code, seed=1) for code in "ABC"]
    (study.folder / "A_i2d.fits").write_text("<html>502 Bad Gateway</html>")
    with fits.open(study.folder / "B_i2d.fits", mode="update") as hdus:
        hdus["SCI"].data = np.stack([hdus["SCI"].data] * 2)
    with fits.open(study.folder / "C_i2d.fits", mode="update") as hdus:
        hdus["SCI"].data[:] = 3
    frames = [f"results/small/frame/{row['image']}.fits" for row in study.images]
    done = study.run(*frames, options=["--keep-going"])
    assert done.returncode != 0
    said = done.stdout.partition("These images could not be used:\n")[2].splitlines()
    for row, line in zip(study.images, said[:3], strict=True):
        assert line.startswith(f"  {row['image']}: i2d '{row['i2d']}': "), line
    assert "Traceback" not in done.stdout
    assert not list(study.results.glob("frame/*.fits"))
    assert not list(study.results.rglob("*.partial.*"))
    assert "leave_out" not in done.stdout  # there are no others


def test_small_frame(study):
    """Said before the first job."""
    study.config["crop"] = {"rows": [20, 1000], "columns": [430, 1020]}
    done = study.run("results/small/frame/A.fits")
    assert done.returncode != 0
    assert "row 'A'" in done.stdout
    assert "150 rows and 140 columns" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (study.results / "archive").exists()


def test_segmentation_of_another_shape(study):
    fits.HDUList(
        [fits.PrimaryHDU(), fits.ImageHDU(np.zeros((9, 9), np.uint32), name="SCI")]
    ).writeto(study.folder / "segm.fits")
    study.images[0]["segm"] = "segm.fits"
    done = study.run("results/small/masks/A/segmentation.fits")
    assert done.returncode != 0
    assert "segm.fits" in done.stdout


def test_catalogue_without_positions(study):
    Table({"objID": [1], "x": [2.0]}).write(study.folder / "A.ecsv", overwrite=True)
    done = study.run("results/small/sources/A.ecsv")
    assert done.returncode != 0
    assert "RAJ2000" in done.stdout


def test_a_study_without_sources_is_legal_and_says_so(study):
    for code in "AB":
        table = Table.read(study.folder / f"{code}.ecsv")
        table["RAJ2000"][0] = np.nan
        table[:1].write(study.folder / f"{code}.ecsv", overwrite=True)
    done = study.run("results/small/tables/table3.md", "results/small/figures/figure4/A.png")
    assert done.returncode == 0, done.stdout
    assert "nothing was scored" in (study.results / "tables" / "table3.md").read_text()
    log = (study.results / "logs" / "sources" / "A.log").read_text()
    assert "1 rows have no position that can be one" in log
