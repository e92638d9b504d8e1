"""Images of one's own that cannot be used: left out with a reason, and read once."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from conftest import make_image
from mirimask.errors import MaskError
from study import files, usable
from study.settings import Study


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A study of the images A and B, with a configuration that can be changed."""
    monkeypatch.chdir(tmp_path)
    rows = [make_image(tmp_path, code, seed=i) for i, code in enumerate("AB")]

    def study(*, images="AB", columns=("image", "i2d", "catalogue"), cells=None, **config):
        lines = ["\t".join(columns)]
        lines += [
            "\t".join(str((row | (cells or {})).get(key, "")) for key in columns)
            for row in rows
            if row["image"] in images
        ]
        Path("images.tsv").write_text("\n".join(lines) + "\n")
        config = {"study": "mine", "images": "images.tsv", "crop": None} | config
        return Study({"archive": {"source": "local"}} | config)

    return study


def change(name, **planes):
    with fits.open(name, mode="update") as hdus:
        for plane, data in planes.items():
            hdus[plane].data[:] = data


def test_images_that_can_be_used_are_all_in_the_study(make):
    study = make()
    assert list(study.images) == ["A", "B"]
    assert study.unusable == study.left_out == {}
    assert usable.notice(study) == ""


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda: change("B_i2d.fits", SCI=np.nan), "B_i2d.fits"),
        (lambda: Path("B.ecsv").write_text("no,positions\n1,2\n"), "B.ecsv"),
        (lambda: Path("B_i2d.fits").write_text("<html>502</html>"), "not a FITS file"),
    ],
)
def test_an_image_that_cannot_be_used_is_left_out_with_the_reason(make, spoil, says):
    spoil()
    study = make(leave_out=[])
    assert list(study.images) == ["A"]
    assert says in study.unusable["B"]
    assert study.left_out == study.unusable
    assert says in usable.notice(study)
    assert usable.notice(study).count("B: ") == 1


def test_a_disk_that_is_full_is_no_fault_of_an_image(make, monkeypatch):
    """And it is not noted: with room again the image is in the study."""

    def full(*_, **__):
        raise MaskError(f"B: i2d 'B_i2d.fits.gz': no room ({os.strerror(errno.ENOSPC)})")

    monkeypatch.setattr("mirimask.sources.own_image.read_own", full)
    assert list(make().images) == ["A", "B"]


def test_a_crop_without_data_is_found_too(make):
    with fits.open("B_i2d.fits", mode="update") as hdus:
        hdus["SCI"].data[:100] = np.nan
    study = make(crop={"rows": [0, 100], "columns": [0, 140]})
    assert "every pixel of the crop is empty" in study.unusable["B"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"crop": {"rows": [100, 50], "columns": [0, 99]}}, "^crop, rows: from 100 to 50 holds no"),
        (
            {"columns": ("image", "i2d", "crop"), "cells": {"crop": "0:99,90:40"}},
            "row 'A' of 'images.tsv': crop, columns: from 90 to 40 holds nothing; give the smaller",
        ),
    ],
)
def test_a_crop_that_is_reversed_is_no_fault_of_the_images(make, given, says):
    with pytest.raises(MaskError, match=says):
        make(**given)


def test_a_crop_outside_of_an_image_stops_the_study_as_ever(make):
    study = make(crop={"rows": [0, 151], "columns": [0, 140]})
    assert study.unusable == {}
    with pytest.raises(MaskError, match=r"row 'A': the crop of rows 0 to 151.*; row 'B'"):
        files.check_headers(study)


def test_a_filter_that_is_wrong_stops_the_study(make):
    """What the table asks for and the header has not, and what no one knows."""
    columns = ("image", "i2d", "filter", "catalogue")
    study = make(columns=columns, cells={"filter": "F1000W"})
    assert study.unusable == {}
    with pytest.raises(MaskError, match="row 'A' gives the filter F1000W, the header of"):
        files.check_headers(study)
    with pytest.raises(MaskError, match=r"row 'A' of .*: filter: 'F771W' is not a MIRI imaging"):
        make(columns=columns, cells={"filter": "F771W"})


def test_what_was_found_is_noted_until_a_file_or_its_row_changes(make, monkeypatch):
    read = []
    problem = usable._problem
    monkeypatch.setattr(usable, "_problem", lambda s, i: read.append(i) or problem(s, i))
    change("B_i2d.fits", SCI=np.nan)
    assert list(make().unusable) == ["B"]
    assert read == ["A", "B"]
    assert list(make().unusable) == ["B"]
    assert read == ["A", "B"]
    make_image(Path(), "B", seed=1)  # mended
    assert make().unusable == {}
    assert read == ["A", "B", "B"]
    columns, cells = ("image", "i2d", "pixel_unit"), {"pixel_unit": "mag"}
    with pytest.raises(MaskError, match=r"none can be used: .*'mag'.*'mag'"):
        make(columns=columns, cells=cells)
    assert read == ["A", "B", "B", "A", "B"]
    note = json.loads(Path("results/mine/own_images.json").read_text())
    assert set(note) == {"A", "B"}
    Path("results/mine/own_images.json").write_text("no JSON")
    assert make().unusable == {}


def test_it_is_not_asked_for_one_image_nor_where_it_is_not_wanted(make):
    change("B_i2d.fits", SCI=np.nan)
    assert list(make(images="B").images) == ["B"]
    assert list(make(unusable_images="stop").images) == ["A", "B"]
    assert not Path("results").exists()


def test_a_figure_of_an_image_that_is_left_out_shows_another(make):
    change("B_i2d.fits", SCI=np.nan)
    study = make(figures={"figure1_image": "B"})
    assert study.figure_image("B") == "A"


def test_what_the_configuration_leaves_out_is_said_too(make):
    assert make(leave_out=["B"]).left_out == {"B": "left out by the configuration (leave_out)"}
    with pytest.raises(MaskError, match=r"leave_out: 'C' is not in 'images\.tsv'"):
        make(leave_out=["B", "C"])
    with pytest.raises(MaskError, match="no image is left"):
        make(leave_out=["A", "B"])
