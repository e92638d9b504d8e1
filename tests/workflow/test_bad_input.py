"""What is wrong in the configuration or a file is said in one message, and nothing is left half."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"metods": ["value_1"]}, "metods"),
        ({"methods": ["value_0", "segmentation"]}, "above 0 and below 100"),
        ({"methods": ["value_100"]}, "above 0 and below 100"),
        ({"methods": ["derivative_120"]}, "above 0 and below 100"),
        ({"methods": ["value_4,6"]}, "point for decimals"),
        ({"methods": ["value_1", "value_1.0"]}, "same mask"),
        ({"verdict": {"radius": "18"}}, "18"),
        ({"crop": {"rows": [20]}}, "crop"),
        ({"peaks": {"snr": -1}}, "peaks.snr"),
        ({"catalogue": {"name": "cat"}}, "catalogue.name"),
        ({"study": "../elsewhere"}, "elsewhere"),
        ({"images": "nowhere.tsv"}, "nowhere.tsv"),
        ({"figures": {"figure4": ["value_1", "vale_2"]}}, "figures.figure4: 'vale_2'"),
        ({"figures": {"figure1_image": "Orion"}}, "figures.figure1_image: 'Orion'"),
    ],
)
def test_configuration(study, change, says):
    study.config |= change
    done = study.run(options=["--dry-run"])
    assert done.returncode != 0
    assert says in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"image": "A"}, {"image": "A"}], "more than once"),
        ([{"image": "A/B"}], "A/B"),
        ([{"image": "A", "colour": "red"}], "colour"),
        ([{"image": "A", "filter": "F770W"}], "has no i2d"),
        ([{"image": "A", "i2d": "A_i2d.fits", "err": "e.fits", "segm": "s.fits"}], "err 'e.fits'"),
        ([{"image": "A", "i2d": "A_i2d.fits#1"}], "the i2d 'A_i2d.fits#1'"),
    ],
)
def test_table_of_images(study, rows, says):
    study.images = rows
    done = study.run(options=["--dry-run"])
    assert done.returncode != 0
    assert says in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("# a comment\n\n", "it is empty"),
        ("image\ti2d\nA\ta.fits\tmore\n", "the row 'A' has more cells than the header"),
        ("i2d\na.fits\n", "image"),
    ],
)
def test_text_that_is_no_table_of_images(study, text, says):
    study.images = [{"image": "A", "i2d": "a.fits"}]
    study.config |= {"images": "own.tsv"}
    (study.folder / "own.tsv").write_text(text)
    done = study.run(options=["--dry-run"])
    assert done.returncode != 0
    assert "own.tsv" in done.stdout
    assert says in done.stdout
    assert "Traceback" not in done.stdout


def _spoil(path, kind):
    if kind == "missing":
        path.unlink()
    elif kind == "not FITS":
        path.write_text("<html>502 Bad Gateway</html>")
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[:40_000])
    else:
        with fits.open(path, mode="update") as hdus:
            if kind == "no SCI":
                del hdus["SCI"], hdus["ERR"], hdus["WHT"]
            elif kind == "3-D":
                hdus["SCI"].data = np.stack([hdus["SCI"].data] * 2)
            elif kind == "no WCS":
                for key in ("CTYPE1", "CTYPE2"):
                    del hdus["SCI"].header[key]
            elif kind == "all NaN":
                hdus["SCI"].data[:] = np.nan
            elif kind == "constant":
                hdus["SCI"].data[:] = 3


@pytest.mark.parametrize(
    "kind", ["missing", "not FITS", "truncated", "no SCI", "3-D", "no WCS", "all NaN", "constant"]
)
def test_image(study, kind):
    study.images = study.images[:1]
    _spoil(study.folder / "A_i2d.fits", kind)
    done = study.run("results/small/frame/A.fits")
    assert done.returncode != 0
    assert "A_i2d.fits" in done.stdout
    if kind == "missing":
        assert "row 'A' names the i2d" in done.stdout
    else:
        assert "error: " in done.stdout
    assert "Traceback" not in done.stdout
    assert not (study.results / "frame" / "A.fits").exists()
    assert not list(study.results.rglob("*.partial.*"))


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
    assert "1 rows have no finite position" in log
