"""`mirimask new-study`: its files are a study; images that cannot be used are said before."""

import shutil

import numpy as np
import pytest
import yaml
from astropy.io import fits
from conftest import make_image
from mirimask.command import run as command
from study.settings import Study


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_image(tmp_path, "A", seed=1)
    return tmp_path


def test_the_two_files_are_a_study(here, capsys):
    other = here / "b"
    other.mkdir()
    shutil.copy("A_i2d.fits", other / "a_i2d.fits")  # a name that differs by capitals only
    shutil.copy("A_i2d.fits", here / "all.fits")
    with fits.open("A_i2d.fits") as hdus:
        labels = fits.ImageHDU(np.zeros(hdus["SCI"].shape, np.uint32), hdus["SCI"].header, "SCI")
        fits.HDUList([fits.PrimaryHDU(), labels]).writeto(here / "A_segm.fits")
    images = ["A_i2d.fits", "b/a_i2d.fits", "all.fits"]
    assert command.main(["new-study", "my night", *images]) == 0
    said = capsys.readouterr()
    assert "my night/images.tsv: 3 images" in said.out
    assert f"products --configfile {here}/my night/study.yaml" in said.err
    config = yaml.safe_load((here / "my night" / "study.yaml").read_text())
    study = Study(config)
    assert study.name == "my_night"
    assert list(study.images) == ["A", "a-2", "all-2"]
    assert {study.source_of(image) for image in study.images} == {"local"}
    assert study.own_files("A") == {"i2d": f"{here}/A_i2d.fits", "segm": f"{here}/A_segm.fits"}
    assert study.own_files("a-2") == {"i2d": f"{other}/a_i2d.fits"}
    assert study.crop_of("A", "rows") is None
    assert study.other_methods == []
    assert study.overview == "recommended"


def test_nothing_is_replaced_unasked(here, capsys):
    assert command.main(["new-study", "mine", "A_i2d.fits"]) == 0
    before = (here / "mine" / "study.yaml").read_text()
    (here / "mine" / "study.yaml").write_text("mine: edited")
    assert command.main(["new-study", "mine", "A_i2d.fits"]) == 1
    assert "add --overwrite" in capsys.readouterr().err
    assert (here / "mine" / "study.yaml").read_text() == "mine: edited"
    assert command.main(["new-study", "mine", "A_i2d.fits", "--overwrite"]) == 0
    assert (here / "mine" / "study.yaml").read_text() == before


@pytest.mark.parametrize("wrong", ["absent", "filter", "camera", "damaged"])
def test_an_image_that_cannot_be_used_is_said_and_nothing_is_written(here, capsys, wrong):
    shutil.copy("A_i2d.fits", "bad_i2d.fits")
    if wrong == "absent":
        (here / "bad_i2d.fits").unlink()
    elif wrong == "filter":
        with fits.open("bad_i2d.fits", mode="update") as hdus:
            del hdus[0].header["FILTER"]
    elif wrong == "camera":
        with fits.open("bad_i2d.fits", mode="update") as hdus:
            hdus[0].header.update(INSTRUME="NIRCAM", FILTER="F444W")
    else:
        (here / "bad_i2d.fits").write_bytes((here / "A_i2d.fits").read_bytes()[:9000])
    assert command.main(["new-study", "mine", "A_i2d.fits", "bad_i2d.fits"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "bad_i2d.fits" in error
    assert not (here / "mine").exists()
    assert ("other cameras" in error) == (wrong == "camera")
    if wrong == "filter":
        assert command.main(["new-study", "mine", "bad_i2d.fits", "--filter", "F770W"]) == 0
        assert "\tF770W\t" in (here / "mine" / "images.tsv").read_text()
