"""`mirimask new-study`: its files are a study; images that cannot be used are left out and said."""

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
    assert f"products --configfile '{here}/my night/study.yaml'" in said.err
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


@pytest.mark.parametrize("name", ["1386", "2024-01-15", "on", "null", "0x1F", "1e3"])
def test_a_folder_may_be_called_what_yaml_takes_for_no_text(here, name):
    """As by the number of a programme, or by a night."""
    assert command.main(["new-study", name, "A_i2d.fits"]) == 0
    assert Study(yaml.safe_load((here / name / "study.yaml").read_text())).name == name


def test_a_filter_is_of_the_images_whose_header_has_none(here, capsys):
    """One command for images of several filters."""
    make_image(here, "B", seed=2)
    for name, band in (("A", "F1130W"), ("B", "")):
        with fits.open(f"{name}_i2d.fits", mode="update") as hdus:
            hdus[0].header["FILTER"] = band
    assert (
        command.main(
            [
                "new-study",
                "mine",
                *sorted(map(str, here.glob("[AB]_i2d.fits"))),
                "--filter",
                "F770W",
            ]
        )
        == 0
    )
    assert "left out" not in capsys.readouterr().err
    study = Study(yaml.safe_load((here / "mine" / "study.yaml").read_text()))
    assert {name: row["filter"] for name, row in study.images.items()} == {
        "A": "F1130W",
        "B": "F770W",
    }


@pytest.mark.parametrize("where", ["header", "option"])
def test_a_filter_in_small_letters(here, where):
    with fits.open("A_i2d.fits", mode="update") as hdus:
        hdus[0].header["FILTER"] = "f770w" if where == "header" else ""
    option = [] if where == "header" else ["--filter", "f770w"]
    assert command.main(["new-study", "mine", "A_i2d.fits", *option]) == 0
    study = Study(yaml.safe_load((here / "mine" / "study.yaml").read_text()))
    assert study.images["A"]["filter"] == "F770W"


def test_names_that_are_long_or_no_names_for_snakemake(here, capsys):
    long = f"{'N' * 150}_i2d.fits"
    shutil.copy("A_i2d.fits", long)
    shutil.copy("A_i2d.fits", "a{b}_i2d.fits")
    assert command.main(["new-study", "mine", long, "a{b}_i2d.fits"]) == 0
    assert "a{b}_i2d.fits': its name has a tab, a line break, a quote or a brace" in (
        capsys.readouterr().err
    )
    assert list(Study(yaml.safe_load((here / "mine" / "study.yaml").read_text())).images) == [
        "N" * 80
    ]


def test_the_segmentation_beside_a_link_or_a_packed_image(here):
    store = here / "store"
    store.mkdir()
    with fits.open("A_i2d.fits") as hdus:
        labels = fits.ImageHDU(np.zeros(hdus["SCI"].shape, np.uint32), hdus["SCI"].header, "SCI")
        for name in ("B_segm.fits", "C_segm.fits"):
            fits.HDUList([fits.PrimaryHDU(), labels]).writeto(here / name)
        hdus.writeto("C_i2d.fits.gz")
    (here / "A_i2d.fits").rename(store / "123.fits")
    (here / "B_i2d.fits").symlink_to(store / "123.fits")
    shutil.copy("B_segm.fits", store / "D_segm.fits")
    shutil.copy(store / "123.fits", store / "D_i2d.fits")
    (here / "E_i2d.fits").symlink_to(store / "D_i2d.fits")
    images = ["B_i2d.fits", "C_i2d.fits.gz", "E_i2d.fits"]
    assert command.main(["new-study", "mine", *images]) == 0
    study = Study(yaml.safe_load((here / "mine" / "study.yaml").read_text()))
    assert study.own_files("E")["segm"] == f"{store}/D_segm.fits"
    for code in "BC":
        assert study.own_files(code)["segm"] == f"{here}/{code}_segm.fits"


def test_what_a_study_cannot_do_is_not_advised(here, capsys):
    with fits.open("A_i2d.fits", mode="update") as hdus:
        del hdus[0].header["FILTER"]
    assert command.main(["new-study", "mine", "A_i2d.fits"]) == 1
    error = capsys.readouterr().err
    assert "name it (--filter F770W)" in error
    assert "=" not in error


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
def test_an_image_that_cannot_be_used_is_said_and_left_out(here, capsys, wrong):
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
    assert command.main(["new-study", "mine", "bad_i2d.fits"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "bad_i2d.fits" in error
    assert not (here / "mine").exists()
    assert ("other cameras" in error) == (wrong == "camera")
    assert command.main(["new-study", "mine", "bad_i2d.fits", "A_i2d.fits"]) == 0
    said = capsys.readouterr()
    assert "mine/images.tsv: 1 image\n" in said.out
    reason = error.removeprefix("mirimask: error: ")
    assert said.err.startswith(f"mirimask: warning: left out of the study: {reason}")
    assert list(Study(yaml.safe_load((here / "mine" / "study.yaml").read_text())).images) == ["A"]
    if wrong == "filter":
        arguments = ["new-study", "mine", "bad_i2d.fits", "--filter", "F770W", "--overwrite"]
        assert command.main(arguments) == 0
        assert "\tF770W\t" in (here / "mine" / "images.tsv").read_text()


def test_where_no_image_can_be_used_all_are_said_and_nothing_is_written(here, capsys, monkeypatch):
    (here / "bad_i2d.fits").write_text("no")

    def broken(name):
        raise RuntimeError("no way")

    monkeypatch.setattr("mirimask.image.instrument.imaging_filter", broken)
    assert command.main(["new-study", "mine", "A_i2d.fits", "bad_i2d.fits"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "'A_i2d.fits' cannot be worked on (RuntimeError: no way)" in error
    assert "i2d 'bad_i2d.fits': not a FITS file" in error
    assert not (here / "mine").exists()
