"""A person's own files: named where they are missing, and noticed where they are replaced."""

import errno
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from mirimask.errors import MaskError
from study import files
from study.settings import Study


@pytest.fixture
def make(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files._sha256.cache_clear()

    def study(table="image\ti2d\tcatalogue\nA\ta.fits\ta.csv\nB\tb.fits\t\n", **config):
        Path("images.tsv").write_text(table)
        config = {"study": "mine", "images": "images.tsv", "crop": None} | config
        config = {"unusable_images": "stop"} | config
        return Study({"archive": {"source": "local"}} | config)

    return study


def test_all_files_that_are_missing_are_named(make):
    Path("b.fits").mkdir()
    with pytest.raises(MaskError) as error:
        files.check_files(make())
    said = str(error.value)
    for row in (
        "row 'A' names the i2d 'a.fits'",
        "row 'A' names the catalogue 'a.csv'",
        "row 'B' names the i2d 'b.fits'",
        "images.tsv",
    ):
        assert row in said
    assert "\n" not in said


def test_files_that_are_there(make):
    for name in ("a.fits", "a.csv", "b.fits"):
        Path(name).touch()
    files.check_files(make())
    with pytest.raises(MaskError, match=r"by_eye.files: no such file: mine.csv"):
        files.check_files(make(by_eye={"files": ["a.csv", "mine.csv"]}))


def image(name, *, primary=(), science=(), shape=(20, 30), as_primary=False):
    data = np.zeros(shape, np.float32)
    first = fits.PrimaryHDU(data if as_primary else None, fits.Header(list(primary)))
    hdus = [first]
    if not as_primary:
        hdus.append(fits.ImageHDU(data, fits.Header(list(science)), name="SCI"))
    fits.HDUList(hdus).writeto(name)


BAND = ("FILTER", "F770W")


def test_a_path_with_a_brace_is_told(make):
    """Snakemake would say that it cannot determine a wildcard."""
    image("a_{b}.fits", primary=[BAND])
    with pytest.raises(MaskError, match=r"'a_\{b\}.fits' has a brace in its name"):
        files.check_files(make("image\ti2d\nA\ta_{b}.fits\n"))


def test_headers_that_are_right(make):
    image("a.fits", primary=[BAND])
    image("b.fits", science=[BAND])
    files.check_headers(make())
    files.check_headers(make(crop={"rows": [0, 20], "columns": [0, 30]}))


@pytest.mark.parametrize(
    ("made", "row", "says"),
    [
        ({}, "", "row 'A' gives no filter.*'a.fits'"),
        ({"primary": [("FILTER", " ")]}, "", "row 'A' gives no filter"),
        ({"primary": [("FILTER", "F1065C")]}, "", "row 'A' .'a.fits'.: filter: 'F1065C' is not"),
        ({"primary": [BAND]}, "F1000W", "filter F1000W, the header of 'a.fits' has F770W"),
        ({}, "F770W\t0:21,0:30", "rows 0 to 21 .* 20 rows and 30 columns"),
        ({"as_primary": True}, "F770W\t0:20,5:31", "columns 5 to 31 .* 20 rows and 30 columns"),
    ],
)
def test_headers_that_show_that_an_image_cannot_be_used(make, made, row, says):
    image("a.fits", **made)
    with pytest.raises(MaskError, match=says):
        files.check_headers(make(f"image\ti2d\tfilter\tcrop\nA\ta.fits\t{row}\n"))


def test_every_image_that_cannot_be_used_is_named_until_it_is_imported(make):
    """Then the crop alone, which may have been changed since: no file is read again."""
    image("a.fits")
    image("b.fits", shape=(5, 5))
    table = "image\ti2d\tfilter\nA\ta.fits\t\nB\tb.fits\tF770W\n"
    study = make(table, crop={"rows": [0, 9], "columns": [0, 8]})
    with pytest.raises(MaskError, match=r"row 'A' gives no filter.*; row 'B': the crop of rows"):
        files.check_headers(study)
    for code in "AB":
        record = Path(f"results/mine/archive/{code}/inputs.json")
        record.parent.mkdir(parents=True)
        record.write_text(json.dumps({f"{code.lower()}.fits": {"shape": [20, 30]}}))
        Path(f"{code.lower()}.fits").unlink()
    files.check_headers(study)
    study = make(table, crop={"rows": [0, 9], "columns": [0, 31]})
    with pytest.raises(MaskError, match=r"row 'A': the crop .* of 20 rows and 30 columns; .* 'B'"):
        files.check_headers(study)


def test_what_an_earlier_run_failed_on_is_not_said(make):
    study = make("image\ti2d\nA\ta.fits\nB\tb.fits\n", unusable_images="stop")
    for code, problem in (("A", "is damaged"), ("B", f"a.fits: {os.strerror(errno.ENOSPC)}")):
        log = Path(f"results/mine/logs/import_local/{code}.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"ERROR: {code}: {problem}\n")
    then = log.stat().st_mtime
    said = files.left_behind(study, since=then - 60)
    assert "  A: is damaged\n" in said
    assert "leave_out=[A]" in said
    assert "  B: " not in said  # of the machine
    assert files.left_behind(study, since=then + 60) == ""


def test_a_damaged_file_is_left_to_its_import(make):
    Path("a.fits").write_text("<html>502 Bad Gateway</html>")
    files.check_headers(make("image\ti2d\nA\ta.fits\n"))
    image("b.fits", primary=[BAND])
    Path("b.csv").write_bytes(bytes(range(256)))
    files.check_headers(make("image\ti2d\tcatalogue\nB\tb.fits\tb.csv\n"))


def test_a_catalogue_without_the_columns_of_the_configuration(make, caplog):
    image("a.fits", primary=[BAND])
    Path("a.csv").write_text("name,RA,Dec,flag\nx,80,-20,\n")
    study = make("image\ti2d\tcatalogue\nA\ta.fits\ta.csv\n")
    with pytest.raises(MaskError, match=r"row 'A': .*no column 'RAJ2000'; it has name, RA, Dec"):
        files.check_headers(study)
    own = {"name": "own", "id": "name", "ra": "RA", "dec": "Dec"}
    files.check_headers(make("image\ti2d\tcatalogue\nA\ta.fits\ta.csv\n", catalogue=own))
    own["keep"] = "snr > 10"
    with pytest.raises(MaskError, match=r"'A': .*'a.csv': catalogue.keep: 'snr > 10': there is no"):
        files.check_headers(make("image\ti2d\tcatalogue\nA\ta.fits\ta.csv\n", catalogue=own))


def test_checksums_follow_the_content(make):
    Path("a.fits").write_bytes(b"first")
    study = make("image\ti2d\tcatalogue\nA\ta.fits\ta.csv\n")
    first = hashlib.sha256(b"first").hexdigest()
    assert files.own_contents(study, "A") == {"i2d": first, "catalogue": ""}
    # what the import noted is taken for a file of that size and date, and for no other
    state = os.stat("a.fits")
    noted = {"size": state.st_size, "mtime_ns": state.st_mtime_ns, "sha256": "noted"}
    record = Path("results/mine/archive/A/inputs.json")
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"a.fits": noted}))
    assert files.own_contents(study, "A")["i2d"] == "noted"
    os.utime("a.fits", (1, 1))
    assert files.own_contents(study, "A")["i2d"] == first
    Path("a.fits").write_bytes(b"older")
    os.utime("a.fits", ns=(1, state.st_mtime_ns - 10**12))
    files._sha256.cache_clear()
    assert files.own_contents(study, "A")["i2d"] == hashlib.sha256(b"older").hexdigest()
    assert files.contents(["a.fits", "none"]) == [hashlib.sha256(b"older").hexdigest(), ""]
    record.write_text("not JSON")
    assert files.own_contents(study, "A")["i2d"] == hashlib.sha256(b"older").hexdigest()
