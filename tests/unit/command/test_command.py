"""`mirimask` on the command line: what it writes, and what it says when it cannot."""

import gzip
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from conftest import ROOT, make_image
from mirimask import __version__, open_image
from mirimask.command import processes
from mirimask.command import run as command
from mirimask.command.outputs import stem_of
from mirimask.command.processes import several_at_a_time
from mirimask.errors import MaskError
from mirimask.masks.make import make_mask, make_masks
from mirimask.masks.registry import METHODS
from photutils.segmentation import SegmentationImage
from PIL import Image
from regions import Regions
from scipy import ndimage


@pytest.fixture
def i2d(tmp_path):
    make_image(tmp_path, "A", seed=1)
    return tmp_path / "A_i2d.fits"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in the test's folder; gives status, standard output and error."""
    monkeypatch.chdir(tmp_path)

    def ran(*arguments):
        status = command.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return ran


def one_error(answer, status, *says):
    """The answer is an error of one line that says what it should."""
    assert answer[0] == status
    assert answer[1] == ""
    assert answer[2].count("\n") == 1
    assert "error:" in answer[2]
    for text in says:
        assert text in answer[2]


### mask ###########################################################################################


def test_mask_and_its_files(i2d, run, tmp_path):
    status, out, err = run(
        *("mask", i2d, "-o", "m.fits", "--labels", "l.fits", "--catalogue", "c.ecsv"),
        *("--regions", "r.reg", "--sources", "A.ecsv"),
    )
    assert (status, out) == (0, "")
    assert "recommended:" in err
    mask = fits.getdata("m.fits", "MASK")
    labels = fits.getdata("l.fits", "SCI")
    assert mask.shape == labels.shape == (150, 140)
    assert mask.dtype == np.uint8
    assert labels.dtype == np.uint32
    np.testing.assert_array_equal(mask > 0, labels > 0)
    cores = fits.getdata("l.fits", "DETECTIONS")
    assert set(np.unique(cores)) == set(np.unique(labels))
    np.testing.assert_array_equal(labels[cores > 0], cores[cores > 0])
    table = Table.read("c.ecsv")
    assert len(table) == SegmentationImage(labels).n_labels > 3
    assert (table["match_id"] != "").sum() > 3
    assert table.meta["catalogue"] == "A.ecsv"
    assert len(Regions.read("r.reg")) == len(table) + 9
    assert fits.getheader("m.fits")["METHOD"] == "recommended"


@pytest.mark.parametrize(
    "method", ["value_1", "derivative_4.6", "segmentation", "value_1_or_derivative_4.6"]
)
def test_every_method(i2d, run, method):
    assert run("mask", i2d, "--method", method, "-o", "m.fits")[0] == 0
    assert 0 < fits.getdata("m.fits", "MASK").sum() < 5000


def test_one_mask_whatever_else_is_made(i2d, run):
    """The segmentation leaves pixels without an error out, in a combination too."""
    with fits.open(i2d, mode="update") as hdus:
        bright = hdus["SCI"].data > np.nanpercentile(hdus["SCI"].data, 97)
        hdus.append(fits.ImageHDU(np.where(bright, np.nan, 1).astype("f4"), name="ERR"))
    for name, more in (("alone", ()), ("beside", ("--catalogue",))):
        asked = ("--method", "segmentation_or_value_0.1", "-o", f"{name}.fits", *more)
        assert run("mask", i2d, *asked)[0] == 0
    alone, beside = (fits.getdata(f"{name}.fits", "MASK") for name in ("alone", "beside"))
    np.testing.assert_array_equal(alone, beside)


@pytest.mark.parametrize(
    ("method", "called"),
    [("value_4.6_or_derivative_4.6", "spots"), ("value_4.6_or_cores", "spots")],
)
def test_the_labels_of_slices_are_spots(i2d, run, method, called):
    err = run("mask", i2d, "--method", method, "-o", "m.fits")[2]
    assert re.search(rf"; \d+ {called};", err)
    shutil.copy(i2d, "B_i2d.fits")
    _, out, _ = run("mask", i2d, "B_i2d.fits", "--method", method, "-o", "out/")
    assert called in out.splitlines()[0].split()


@pytest.mark.parametrize("kind", ["value_4.6", "derivative_4.6"])
def test_the_domain_behind_a_method(i2d, run, kind):
    """As by the option, and the header says it."""
    crop = ("--crop", "20:120,30:130")
    assert run("mask", i2d, *crop, "--method", f"{kind}@published", "-o", "name.fits")[0] == 0
    option = ("--method", kind, "--domain", "published")
    assert run("mask", i2d, *crop, *option, "-o", "option.fits")[0] == 0
    for name in ("name", "option"):
        assert fits.getheader(f"{name}.fits")["DOMAIN"] == "published"
    name, option = (fits.getdata(f"{name}.fits", "MASK") for name in ("name", "option"))
    np.testing.assert_array_equal(name, option)
    # and of a mask's labels, as those of a study, what it was cut at
    run("mask", i2d, "--method", kind, "--labels", "labels.fits")
    header = fits.getheader("labels.fits")
    assert (header["METHOD"], header["DOMAIN"], header["PERCENT"]) == (kind, "crop", 4.6)
    assert header["THRESH"] == make_masks(open_image(i2d), [kind])[kind].threshold
    assert run("mask", i2d, "--method", f"cores_or_{kind}", "-o", "both.fits")[0] == 0
    assert fits.getheader("both.fits")["DOMAIN"] == "crop"


def test_crop_keeps_the_shape_of_the_image(i2d, run):
    """The mask goes onto the image it was made from, whatever part of it was looked at."""
    assert (
        run("mask", i2d, "--method", "value_1", "--crop", "20:120,30:130", "-o", "m.fits")[0] == 0
    )
    mask = fits.getdata("m.fits", "MASK")
    assert mask.shape == (150, 140)
    assert mask.sum() == 100
    assert mask[20:120, 30:130].sum() == 100


EYE = ("--smallest-spot", "0.495 arcsec")  # as a study counts


def test_the_same_mask_as_in_a_study(study, run):
    """And the same labels, catalogue and verdicts: one image, two ways."""
    wanted = ["labels/A/value_1.fits", "catalogue/A/value_1.ecsv", "verdicts/A/value_1.csv"]
    study.config |= {"slice_domain": "crop", "crop": {"rows": [10, 140], "columns": [5, 135]}}
    done = study.run(*[f"results/small/{path}" for path in wanted])
    assert done.returncode == 0, done.stdout
    crop = ["--crop", "10:140,5:135"]
    status, _, err = run(
        *("mask", "A_i2d.fits", "--method", "value_1", "--labels", "l.fits", *crop),
        *("--catalogue", "c.ecsv", "--sources", "A.ecsv"),
    )
    assert status == 0, err
    ours, theirs = (
        fits.getdata(path, "SCI") for path in ("l.fits", study.results / "labels/A/value_1.fits")
    )
    np.testing.assert_array_equal(ours, theirs)
    assert ours.any()
    ours = Table.read("c.ecsv")
    theirs = Table.read(study.results / "catalogue/A/value_1.ecsv")
    assert ours.colnames == theirs.colnames
    for name in ("point_flux", "isophotal_flux_err", "x_frame", "match_separation"):
        np.testing.assert_array_equal(ours[name], theirs[name])
    status, _, _ = run(
        "score", "A_i2d.fits", "A.ecsv", "--method", "value_1", *crop, *EYE, "-o", "v.csv"
    )
    ours = Table.read("v.csv")
    theirs = Table.read(study.results / "verdicts/A/value_1.csv")
    assert list(ours["verdict"]) == list(theirs["verdict"])
    np.testing.assert_allclose(ours["distance_px"], theirs["distance_px"], rtol=1e-6)


def test_defaults_are_those_of_a_study():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    settings = schema["properties"]
    options = command.parser().parse_args(["score", "i", "c"])
    assert settings["verdict"]["properties"]["radius"]["default"] == "catalogue"
    assert settings["verdict"]["properties"]["near"]["default"] == "catalogue"
    assert (options.radius, options.near) == (None, None)
    assert options.smallest_spot is None  # a mask in use is not looked at on a figure
    by_eye = command.parser().parse_args(["score", "i", "c", "--smallest-spot", "0.495 arcsec"])
    assert by_eye.smallest_spot == settings["verdict"]["properties"]["smallest_spot"]["default"]
    peaks = settings["peaks"]["properties"]
    assert options.snr == peaks["snr"]["default"]
    assert f"{command.BACKGROUND_BOX_FWHM} fwhm" == peaks["background_box"]["default"]
    assert settings["spots"]["properties"]["min_pixels"]["default"] == 1
    assert settings["spots"]["properties"]["tolerance_fwhm"]["default"] == 1


def test_segm_of_ones_own(i2d, run):
    labels = np.zeros((150, 140), np.uint32)
    labels[10:20, 10:20], labels[10:20, 20:30] = 5, 9
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(labels, name="SCI")]).writeto("segm.fits")
    answer = run(
        "mask", i2d, "--method", "segmentation", "--segm", "segm.fits", "--labels", "l.fits"
    )
    assert answer[0] == 0, answer[2]
    np.testing.assert_array_equal(fits.getdata("l.fits", "SCI"), labels)
    union = "segmentation_or_value_1"
    assert run("mask", i2d, "--method", union, "--segm", "segm.fits", "-o", "m.fits")[0] == 0
    assert fits.getdata("m.fits", "MASK")[labels > 0].all()
    assert run("score", i2d, "A.ecsv", "--segm", "segm.fits", "--json")[0] == 0  # by default
    assert run("score", i2d, "A.ecsv", "--segm", "segm.fits", "--method", union)[0] == 0


def test_a_mask_is_no_segmentation_without_a_word(i2d, run):
    """Of several spots with one number; a label of another number may be one source."""
    labels = np.zeros((150, 140), np.uint8)
    labels[10:20, 10:20], labels[60:70, 20:30] = 1, 1
    own = ("--method", "segmentation", "--segm", "s.fits", "--labels", "l.fits")
    for number, said in ((1, True), (2, False)):
        fits.PrimaryHDU(labels * np.uint8(number)).writeto("s.fits", overwrite=True)
        status, _, err = run("mask", i2d, *own, "--overwrite")
        assert status == 0, err
        assert ("all its 200 marked pixels have the number 1" in err) == said


def test_labels_where_nothing_was_observed_are_taken_off(i2d, run):
    """Of 150 rows of 140 pixels, 15 are empty: 2100 pixels, one label wholly among them."""
    with fits.open(i2d, mode="update") as hdus:
        hdus["SCI"].data[:15] = np.nan
    labels = np.full((150, 140), 5, np.uint32)
    labels[:10, :70] = 3
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(labels, name="SCI")]).writeto("segm.fits")
    files = ("-o", "m.fits", "--labels", "l.fits", "--catalogue", "c.ecsv", "--regions", "r.reg")
    own = ("--method", "segmentation", "--segm", "segm.fits")
    status, out, err = run("mask", i2d, *own, *files, "--json")
    assert status == 0, err
    row = json.loads(out)
    assert row["n_masked"] == 135 * 140
    assert row["masked_share"] == 1
    assert row["n_sources"] == 1
    said = "the mask segmentation marks 2100 pixels where nothing was observed; they are taken off."
    assert row["warnings"] == [f"'{i2d}': {said}"]
    labels[:15] = 0
    np.testing.assert_array_equal(fits.getdata("l.fits", "SCI"), labels)
    np.testing.assert_array_equal(fits.getdata("m.fits", "MASK") > 0, labels > 0)
    assert fits.getheader("m.fits")["NKEPT"] == 135 * 140
    assert fits.getheader("l.fits")["NLABELS"] == 1
    table = Table.read("c.ecsv")
    assert list(table["label"]) == [5]
    assert list(table["area"]) == [135 * 140]
    assert len(Regions.read("r.reg")) == 1
    # of a combination too, whose spots are numbered without what was taken off
    union = ("--method", "segmentation_or_value_1", "--segm", "segm.fits", "-o", "u.fits")
    assert json.loads(run("mask", i2d, *union, "--json")[1])["n_masked"] == 135 * 140


@pytest.mark.parametrize("method", ["recommended", "segmentation", "value_1", "derivative_4.6"])
def test_masks_made_here_mark_nothing_that_was_not_observed(i2d, run, method):
    with fits.open(i2d, mode="update") as hdus:
        hdus["SCI"].data[:15] = np.nan
    status, out, _ = run("mask", i2d, "--method", method, "-o", "m.fits", "--json")
    assert status == 0
    assert json.loads(out)["warnings"] == []
    assert not fits.getdata("m.fits", "MASK")[:15].any()


### many images ##################################################################################


@pytest.fixture
def three(tmp_path):
    """Two images, and between them a file that is none."""
    make_image(tmp_path, "A", seed=1)
    make_image(tmp_path, "B", seed=2)
    (tmp_path / "bad_i2d.fits").write_text("not FITS")
    return ["A_i2d.fits", "bad_i2d.fits", "B_i2d.fits"]


def test_a_failure_is_a_row_and_not_the_end(three, run, tmp_path):
    status, out, err = run("mask", *three, "-o", "out", "--plot", "--catalogue", "--regions")
    assert status == 1
    assert sorted(os.listdir("out")) == sorted(
        f"{code}{ending}"
        for code in ("A", "B")
        for ending in ("_mask.fits", "_mask.png", "_sources.ecsv", "_sources.reg")
    )
    lines = out.splitlines()
    assert lines[0].split("  ")[0] == "image"
    assert [line.split()[0] for line in lines[1:4]] == three
    assert "failed" in lines[2]
    assert "bad_i2d.fits: failed: i2d 'bad_i2d.fits': not a FITS file" in lines[4]
    assert err.count("not a FITS file") == 1
    assert "1 of 3 images failed" in err
    mask = fits.getdata("out/A_mask.fits", "MASK")
    share = float(lines[1].split()[1])
    assert share == pytest.approx(100 * mask.mean(), abs=0.01)
    assert int(lines[1].split()[2]) == len(Table.read("out/A_sources.ecsv"))


def test_the_summary_as_json(three, run):
    status, out, _ = run("mask", *three, "--json")
    rows = json.loads(out)
    assert status == 1
    assert [row["image"] for row in rows] == three
    assert "not a FITS file" in rows[1]["error"]
    first = rows[0]
    data = fits.getdata("A_i2d.fits", "SCI")
    assert first["background"] == pytest.approx(np.median(data), abs=0.1)
    # 0.3 MJy/sr in each of 23.8 pixels, of which the smoothing by 0.6 px takes the variance of
    # 0.6 / sqrt(pi) times the rim of 17.3 px; times 1.6746: 5 sigma are 3.03 microjansky
    assert first["depth_ab"] == pytest.approx(22.70, abs=0.2)
    assert json.loads(run("mask", "A_i2d.fits", "--json")[1]) == first


def test_warnings_are_counted_with_their_image(three, run):
    for code in "AB":
        with fits.open(f"{code}_i2d.fits", mode="update") as hdus:
            hdus["SCI"].header["PIXAR_SR"] = 1e-13 if code == "B" else 2.844e-13
    _, out, err = run("mask", "A_i2d.fits", "B_i2d.fits", "-o", "out")
    lines = out.splitlines()
    assert [line.split()[-1] for line in lines[1:3]] == ["0", "1"]
    assert lines[3].startswith("B_i2d.fits: ")
    assert "PIXAR_SR" in lines[3]
    assert err.count("PIXAR_SR") == 1


def test_several_at_a_time_are_as_one_after_the_other(three, run):
    """The same files, table, errors and warnings, in the order of the command line."""
    with fits.open("B_i2d.fits", mode="update") as hdus:
        hdus["SCI"].header["PIXAR_SR"] = 1e-13  # a warning
    kinds = ("--labels", "--catalogue", "--regions")
    one = run("mask", *three, "-o", "one", *kinds)
    two = run("mask", *three, "-o", "two", *kinds, "--cores", 2)
    assert two == one
    assert one[0] == 1
    assert "PIXAR_SR" in one[2]
    names = sorted(os.listdir("one"))
    assert sorted(os.listdir("two")) == names
    assert len(names) == 8
    for name in names:
        assert Path("two", name).read_bytes() == Path("one", name).read_bytes(), name


@pytest.mark.parametrize(
    ("number", "send", "end"),
    [
        (signal.SIGINT, os.killpg, (130, "", "mirimask: interrupted\n")),
        (signal.SIGTERM, os.kill, (143, "", "")),
    ],
)
def test_interrupted_while_several_are_made(tmp_path, number, send, end):
    """One line, no process left, no half-written file."""
    # where the tests run in the background of a shell, processes inherit that it is ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for seed in range(8):
        make_image(tmp_path, f"I{seed}", seed=seed, shape=(600, 600))
    images = sorted(path.name for path in tmp_path.glob("*_i2d.fits"))
    ask = [sys.executable, "-m", "mirimask", "mask", *images, "-o", "out", "--labels"]
    with subprocess.Popen(
        [*ask, "--cores", "2"],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        while process.poll() is None and not (tmp_path / "out").is_dir():
            time.sleep(0.05)
        send(process.pid, number)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the test fails, and does not wait for ever
            raise
    assert (process.returncode, out, err) == end
    left, ends = True, time.monotonic() + 20
    while left and time.monotonic() < ends:  # what watches over the processes ends after them
        try:
            os.killpg(process.pid, 0)
            time.sleep(0.05)
        except ProcessLookupError:
            left = False
    assert not left
    assert not list(tmp_path.glob("out/.*"))


def _stays(image):
    """Returns at once, or does not end when it is asked to."""
    while image == "B":
        with suppress(SystemExit):
            time.sleep(1)
    return image


def test_a_process_that_does_not_end_is_ended(monkeypatch):
    monkeypatch.setattr("mirimask.command.processes._PATIENCE", 0.1)
    made = several_at_a_time(_stays, [("A",), ("B",)], cores=2)
    assert next(made) == "A"
    made.close()  # as an error of the caller, or Ctrl-C, does
    ends = time.monotonic() + 20  # the pool waits for it too, and one of the two is told later
    while multiprocessing.active_children() and time.monotonic() < ends:
        time.sleep(0.05)
    assert not multiprocessing.active_children()


def _answer(number):
    return signal.getsignal(number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_between_two_images_the_system_ends_a_process(monkeypatch, number):
    """Python's own answer waits for a lock that may never come; in an image, it tidies up."""
    before = signal.signal(number, signal.SIG_DFL)
    try:
        assert processes._done(_answer, (number,)) is processes._end
        assert signal.getsignal(number) == signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN)  # `nohup`
        assert processes._done(_answer, (number,)) == signal.SIG_IGN
    finally:
        signal.signal(number, before)


def _dies(image):
    if image == "B":
        os.kill(os.getpid(), signal.SIGKILL)
    return image


def test_a_process_that_dies_is_said_for_its_image():
    made = list(several_at_a_time(_dies, [("B",), ("C",)], cores=1))
    assert all(isinstance(row, MaskError) for row in made)
    assert "for want of memory perhaps" in str(made[0])
    assert list(several_at_a_time(_dies, [("A",), ("C",)], cores=2)) == ["A", "C"]


def test_a_process_that_dies_while_there_is_more_to_hand_in(monkeypatch):
    submit, calls = ProcessPoolExecutor.submit, []

    def breaks(pool, *job):
        calls.append(job)
        if len(calls) > 1:
            raise BrokenProcessPool
        return submit(pool, *job)

    monkeypatch.setattr("mirimask.command.processes.ProcessPoolExecutor.submit", breaks)
    made = list(several_at_a_time(_dies, [("A",), ("C",), ("D",)], cores=2))
    assert made[0] == "A"
    assert [type(row) for row in made[1:]] == [MaskError, MaskError]


def test_ended_by_a_scheduler_while_it_writes(i2d, monkeypatch, tmp_path):
    """SIGTERM leaves no half-written file, as Ctrl-C does not."""
    monkeypatch.chdir(tmp_path)
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def ends(*_):
        os.kill(os.getpid(), signal.SIGTERM)
        yield np.s_[:]

    monkeypatch.setattr("mirimask.image.files.strips", ends)
    with pytest.raises(SystemExit) as end:
        command.main(["mask", str(i2d), "-o", "m.fits", "--quiet"])
    assert end.value.code == 143
    assert not list(tmp_path.glob("*m.fits"))
    assert signal.signal(signal.SIGTERM, before) == signal.SIG_DFL  # as it was


def test_ctrl_c_is_heard_where_no_process_can_be_started(monkeypatch):
    def fails(*_):
        raise OSError("no process can be started")

    monkeypatch.setattr("mirimask.command.processes.ProcessPoolExecutor.submit", fails)
    with pytest.raises(OSError, match="no process"):
        list(several_at_a_time(_dies, [("A",)], cores=1))
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_files_of_one_image_in_a_folder_and_beside_the_mask(i2d, run):
    assert run("mask", i2d, "-o", "out/", "--labels")[0] == 0  # made, as of many images
    assert run("project", "out/A_mask.fits", "--onto", i2d, "-o", "onto/")[0] == 0
    assert os.listdir("onto") == ["A_mask.fits"]
    assert run("mask", i2d, "-o", "m.fits.gz", "--plot", "--regions")[0] == 0
    assert run("mask", i2d, "--plot")[0] == 0
    assert sorted(os.listdir("out")) == ["A_labels.fits", "A_mask.fits"]
    for name in ("m.fits.gz", "m.png", "m_sources.reg", "A_mask.png"):
        assert Path(name).stat().st_size > 100


def test_images_of_one_name_do_not_share_a_file(i2d, run):
    os.mkdir("other")
    make_image(Path("other"), "A", seed=2)
    shared = (f"'{i2d}' and 'other/A_i2d.fits' would both be written to 'out/A_mask.fits'", "two")
    one_error(run("mask", i2d, "other/A_i2d.fits", "-o", "out"), 1, *shared)
    assert run("mask", i2d, "-o", "m.fits")[0] == 0
    arguments = ("project", "m.fits", "--onto", i2d)
    one_error(run(*arguments, "other/A_i2d.fits", "-o", "out"), 1, *shared)
    one_error(run(*arguments, i2d, "-o", "out"), 1, f"'{i2d}' is given twice")
    assert not Path("out").exists()


def test_an_image_behind_an_option_is_not_replaced(i2d, run, tmp_path):
    make_image(tmp_path, "B", seed=2)
    before = i2d.read_bytes()
    answer = run("mask", "B_i2d.fits", "--labels", i2d, "--overwrite")
    one_error(answer, 1, "no label image")
    assert i2d.read_bytes() == before


def test_standard_output(i2d, run):
    status, out, _ = run("mask", i2d, "--catalogue", "-")
    assert status == 0
    assert len(Table.read(out, format="ascii.ecsv")) > 3
    status, out, _ = run("mask", i2d, "--regions", "-", "-o", "m.fits")
    assert len(Regions.parse(out, format="ds9")) > 3
    status, out, _ = run("score", i2d, "A.ecsv", "-o", "-")
    assert out.splitlines()[0].startswith("id,")
    assert len(out.splitlines()) == 1 + 2 * 9
    status, out, _ = run("score", i2d, "A.ecsv", "--json", "--method", "value_1")
    answer = json.loads(out)
    assert answer["n_sources"] == len(answer["verdicts"]) == 9
    assert sum(answer["methods"]["value_1"].values()) == 9


def test_capitals_in_a_name_change_no_format(i2d, run):
    assert run("mask", i2d, "-o", "M.FITS.GZ", "--catalogue", "C.CSV")[0] == 0
    with open("M.FITS.GZ", "rb") as file:
        assert file.read(2) == b"\x1f\x8b"
    with open("C.CSV") as file:
        assert file.readline().startswith("label,")


def test_a_packed_file_has_no_time_and_no_name_of_its_making(i2d, run):
    for name in ("a.fits.gz", "b.fits.gz"):
        assert run("mask", i2d, "-o", name)[0] == 0
    with open("a.fits.gz", "rb") as one:
        content = one.read()
    assert content[3:8] == bytes(5)  # RFC 1952: no name, no time
    with gzip.open("a.fits.gz") as one, gzip.open("b.fits.gz") as other:
        assert one.read().replace(b"a.fits.gz", b"") == other.read().replace(b"b.fits.gz", b"")


def test_a_folder_that_cannot_be_written_to_is_said_before_the_work(i2d, run, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    one_error(run("mask", i2d, "-o", "m.fits"), 1, "-o 'm.fits': the folder '.' cannot be written")


def test_links_in_a_circle(i2d, run, tmp_path):
    (tmp_path / "a.fits").symlink_to("b.fits")
    (tmp_path / "b.fits").symlink_to("a.fits")
    one_error(run("mask", i2d, "-o", "a.fits"), 1, "'a.fits': its links lead in a circle")
    assert "fault of mirimask" not in run("mask", "a.fits", "-o", "m.fits")[2]


@pytest.mark.parametrize(
    ("address", "stem"),
    [
        ("https://a.org/x/jw_i2d.fits?X-Amz-Signature=abc%2Fdef&e=1", "jw"),
        ("https://m.edu/api/v0.1/Download/file?uri=mast:JWST/product/jw_i2d.fits", "jw"),
        ("s3://stpubdata/jwst/public/jw_i2d.fits", "jw"),
        ("mast:JWST/product/jw_i2d.fits", "jw"),
        ("data/what?_i2d.fits", "what?"),
        ("A_I2D.FITS", "A"),
        ("B_i2d.fits.fz", "B"),
    ],
)
def test_what_files_are_named_after(address, stem):
    assert stem_of(address) == stem


def test_regions_of_verdicts(i2d, run):
    run("score", i2d, "A.ecsv", "--method", "recommended", "--regions", "v.reg")
    assert len(Regions.read("v.reg")) == 9
    assert Path("v.reg").read_text().count("color=green") == 9


def test_the_picture_shows_image_and_outline(i2d, run):
    """As much line as the mask has rim."""
    assert run("mask", i2d, "-o", "m.fits", "--plot")[0] == 0
    with Image.open("m.png") as opened:
        pixels = np.asarray(opened.convert("RGB"), float)
    orange = (pixels[..., 0] > 200) & (pixels[..., 1] < 130) & (pixels[..., 2] < 90)
    mask = fits.getdata("m.fits", "MASK") > 0
    rim = mask & ~ndimage.binary_erosion(mask, border_value=1)
    # 150 rows are 990 pixels of the picture, 6.6 each; the line has a third of that
    assert orange.sum() / rim.sum() == pytest.approx(6.6 * 2.2, rel=0.3)
    assert 1000 < max(pixels.shape) < 1300


### methods and cameras ############################################################################


def test_the_methods_are_listed_with_what_they_need(run, monkeypatch):
    monkeypatch.setattr("mirimask.masks.method.find_spec", lambda module: None)
    monkeypatch.setenv("PATH", "")
    status, out, err = run("mask", "--method")
    assert (status, err) == (0, "")
    here, absent = out.split("cannot run here:")
    for name in METHODS:
        shown = f"  {name}" in out
        assert shown == (not METHODS[name].join), name
        needs = METHODS[name].module or METHODS[name].program or METHODS[name].python
        assert bool(needs) == bool(METHODS[name].get), name
    assert "recommended" in here
    assert "sep: needs the Python package sep: pip install sep" in absent
    assert "needs the program source-extractor: apt-get install source-extractor" in absent


@pytest.mark.parametrize("method", ["log", "dao_star_finder", "ssa", "pipeline_1.5.3", "log_9"])
def test_detectors_have_their_settings_from_the_package(i2d, run, method):
    assert run("mask", i2d, "--method", method, "-o", "m.fits")[0] == 0
    mask = fits.getdata("m.fits", "MASK") > 0
    options = yaml.safe_load((ROOT / "config/detectors.yaml").read_text())["detectors"]
    np.testing.assert_array_equal(mask, make_mask(open_image(i2d), method, options=options))
    assert mask.any()


def test_a_method_that_is_not_here(i2d, run, monkeypatch):
    monkeypatch.setenv("PATH", "")
    answer = run("mask", i2d, "--method", "sextractor", "-o", "m.fits")
    one_error(answer, 1, "sextractor needs the program source-extractor", "apt-get install")
    one_error(run("mask", i2d, "--method", "magic", "-o", "m.fits"), 1, "--method: 'magic'")


def test_other_cameras(i2d, run):
    """NIRCam's widths are known, by its pupil wheel too; of others --fwhm gives it."""
    with fits.open(i2d, mode="update") as hdus:
        hdus[0].header["INSTRUME"], hdus[0].header["FILTER"] = "NIRCAM", "F444W"
        hdus[0].header["PUPIL"] = "F405N"
    assert json.loads(run("stats", i2d, "--json")[1])["psf_fwhm_px"] == pytest.approx(
        0.136 / 0.11, rel=1e-4
    )
    with fits.open(i2d, mode="update") as hdus:
        hdus[0].header["INSTRUME"], hdus[0].header["FILTER"] = "NIRISS", "F200W"
    one_error(run("mask", i2d, "-o", "m.fits"), 1, "NIRISS 'F200W'", "--fwhm 0.15arcsec")
    status, _, err = run("mask", i2d, "-o", "m.fits", "--fwhm", "0.27arcsec", "--catalogue")
    assert status == 0
    assert "no aperture correction is known for its filter; there is no depth" in err
    table = Table.read("m_sources.ecsv")
    assert np.isnan(table["point_flux"]).all()
    assert (table["isophotal_flux"] > 0).any()
    assert 300 < (fits.getdata("m.fits", "MASK") > 0).sum() < 3000
    one_error(run("mask", i2d, "-o", "m.fits", "--fwhm", "0.27"), 2, "write 0.15arcsec")
    miri = run("mask", i2d, "-o", "n.fits", "--fwhm", "0.269arcsec")
    assert miri[0] == 0
    with fits.open(i2d, mode="update") as hdus:
        hdus[0].header["INSTRUME"], hdus[0].header["FILTER"] = "MIRI", "F770W"
    err = run("mask", i2d, "-o", "p.fits", "--fwhm", "0.5arcsec")[2]
    assert "no aperture correction is used with --fwhm, for that of F770W is of the filter's" in err
    run("mask", i2d, "-o", "o.fits")
    np.testing.assert_array_equal(fits.getdata("n.fits", "MASK"), fits.getdata("o.fits", "MASK"))


### score and stats ################################################################################


def test_score(i2d, run):
    status, out, err = run("score", i2d, "A.ecsv", "--method", "value_1", "--method", "recommended")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert "9 sources, circles of 18 px" in lines
    counted = next(line for line in lines if line.startswith("recommended:"))
    assert sum(int(word) for word in counted.split() if word.isdigit()) == 9
    assert sum(line.split()[0].startswith("A-") for line in lines if line) == 9


def test_score_of_other_columns_and_sizes(i2d, run):
    table = Table.read("A.ecsv")
    table.rename_columns(["objID", "RAJ2000", "DEJ2000"], ["NAME", "alpha", "delta"])
    table.write("mine.csv")
    one_error(run("score", i2d, "mine.csv"), 1, "RAJ2000", "alpha", "--ra")
    columns = ["--ra", "alpha", "--dec", "delta", "--id", "NAME"]
    status, out, _ = run("score", i2d, "mine.csv", *columns, "--radius", "1.98 arcsec")
    assert status == 0
    assert "A-3" in out
    for size in ("1.98arcsec", "198e-2 arcsec"):
        assert run("score", i2d, "mine.csv", *columns, "--radius", size)[:2] == (0, out)
    for size in ("inf px", "0 px", "-1 px", "nan arcsec"):
        one_error(run("score", i2d, "mine.csv", f"--radius={size}"), 2, "--radius", "not a size")


def test_circles_follow_the_catalogue_or_the_psf(i2d, run):
    """The sources lie 2 px off the stars: in unWISE's 18 px, but not within 0.25 FWHM."""
    status, out, _ = run("score", i2d, "A.ecsv", "--method", "recommended")
    assert "recommended: 9 success" in out
    table = Table.read("A.ecsv")
    names = {"objID": "id", "RAJ2000": "ra", "DEJ2000": "dec", "FW1": "flux"}
    table.rename_columns([*names], [*names.values()])
    table.write("mine.csv")
    counts = []
    for options in ([], ["--radius", "1 fwhm", "--near", "1.4 fwhm"], ["--radius", "0.25 fwhm"]):
        status, out, _ = run("score", i2d, "mine.csv", "--method", "recommended", *options)
        assert status == 0
        counts.append(next(line for line in out.splitlines() if line.startswith("recommended:")))
    assert counts[0] == counts[1]
    assert counts[0] != counts[2]


PAN_STARRS = {"FW1": "rmag"}  # VizieR II/349/ps1 has the other three names


@pytest.mark.parametrize(
    ("changes", "circle"),
    [
        ({}, "18"),
        (PAN_STARRS, "2.45"),  # 0.269 arcsec of F770W on 0.11 arcsec
        ({"objID": None}, "18"),
        ({"objID": None, "FW1": None}, "2.45"),
        ({"objID": "name"}, "18"),
    ],
)
def test_a_table_is_unwises_by_what_only_unwise_has(i2d, run, changes, circle):
    table = Table.read("A.ecsv")
    for name, other in changes.items():
        if other:
            table.rename_column(name, other)
        else:
            del table[name]
    table.write("mine.csv")
    status, out, _ = run("score", i2d, "mine.csv", "--method", "value_1")
    assert status == 0
    assert f"9 sources, circles of {circle} px" in out.splitlines()
    made = ("-o", "m.fits", "--catalogue", "c.ecsv", "--sources", "mine.csv")
    status, _, err = run("mask", i2d, "--method", "value_1", *made)
    assert status == 0
    radius = Table.read("c.ecsv").meta["match_radius_arcsec"]
    assert radius == pytest.approx(0.11 * float(circle), abs=0.001)
    assert f"; circles of {radius:.3g} arcsec" in err


def test_empty_pixels_count_only_if_asked(i2d, run):
    with fits.open(i2d, mode="update") as hdus:
        hdus["SCI"].data[:10], hdus["WHT"].data[:10] = 0, 0
        seen = np.median(hdus["SCI"].data[10:])
    assert json.loads(run("stats", i2d, "--json")[1])["min"] > 1
    assert json.loads(run("stats", i2d, "--json")[1])["median"] == pytest.approx(seen)
    assert json.loads(run("stats", i2d, "--json", "--count-empty")[1])["min"] == 0


def test_score_says_where_no_bright_point_is_left(i2d, run):
    status, out, err = run("score", i2d, "A.ecsv", "--method", "value_1", "--snr", "1e6")
    assert status == 0
    assert "9 failure" in out
    assert "no bright point of the image is above a S/N of 1e+06" in err
    assert "Give a lower --snr" in err


def test_positions_of_a_crop_are_those_of_the_frame_too(i2d, run):
    whole, part = (
        json.loads(run("score", i2d, "A.ecsv", "--method", "value_1", "--json", *crop)[1])
        for crop in ((), ("--crop", "5:145,10:135"))
    )
    at = {row["id"]: (row["x"], row["y"]) for row in whole["verdicts"]}
    assert part["verdicts"]
    for row in part["verdicts"]:
        assert at[row["id"]] == pytest.approx((row["x_frame"], row["y_frame"]), abs=1e-4)
        assert row["x_frame"] - row["x"] == pytest.approx(10)
        assert row["y_frame"] - row["y"] == pytest.approx(5)


def test_score_of_one_name_twice(i2d, run):
    table = Table.read("A.ecsv")
    table["objID"] = "same"
    table.write("same.csv")
    status, out, _ = run("score", i2d, "same.csv", "--method", "value_1")
    assert status == 0
    assert "9 sources" in out


def test_score_without_sources(i2d, run):
    Table({"id": ["x"], "ra": [10.0], "dec": [10.0]}).write("far.csv")
    status, out, err = run("score", i2d, "far.csv", "--method", "value_1")
    assert status == 0
    assert "0 sources" in out
    assert "no catalogue source" in err


def test_sources_around_which_nothing_was_observed_are_said(i2d, run):
    """The circle of 18 px around the first is empty, that of the second only in part."""
    with fits.open(i2d, mode="update") as hdus:
        hdus["SCI"].data[:60, :60] = np.nan
        wcs = WCS(hdus["SCI"].header)
    ra, dec = wcs.all_pix2world([20, 50], [20, 20], 0)
    Table({"id": ["x", "y"], "ra": ra, "dec": dec, "FW1": [1.0, 1.0]}).write("gap.csv")
    status, _, err = run("score", i2d, "gap.csv", "--method", "value_1")
    assert status == 0
    assert "around 1 of the 2 sources of 'gap.csv' nothing was observed; they count as" in err


def test_score_of_a_catalogue_without_rows(i2d, run):
    with open("empty.csv", "w") as file:
        file.write("id,ra,dec\n")
    status, out, err = run("score", i2d, "empty.csv", "--method", "value_1")
    assert status == 0
    assert "0 sources" in out
    assert err.count("warning") == 1
    assert "catalogue 'empty.csv' has no row" in err


def test_pixels_of_any_size_bring_no_warnings_of_the_code(i2d, run):
    with fits.open(i2d, mode="update") as hdus:
        hdus["SCI"].data[40, 40], hdus["SCI"].data[90:93, 70] = -3e38, 3e38
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for arguments in (["stats", i2d], ["score", i2d, "A.ecsv"]):
            status, _, err = run(*arguments)
            assert status == 0
            assert "overflow" not in err


def test_codes_and_names_are_texts(i2d, run):
    table = Table.read("A.ecsv")
    names = ["001", "NA", "1e5", "nan", "None", "#1", "=1", "a, b", 'é "x"']
    table["objID"] = names
    table.to_pandas().to_csv("names.csv", index=False, encoding="utf-8-sig")
    assert run("score", i2d, "names.csv", "--method", "value_1", "-o", "v.csv")[0] == 0
    assert pd.read_csv("v.csv", dtype=str, keep_default_na=False)["id"].tolist() == names


def test_stats(i2d, run):
    status, out, _ = run("stats", i2d)
    assert status == 0
    data = fits.getdata(i2d, "SCI")
    assert f"{np.median(data):.6f}"[:6] in out
    status, out, _ = run("stats", i2d, "--json", "--crop", "0:50,0:50")
    row = json.loads(out)
    assert row["shape"] == [50, 50]
    assert row["max"] == pytest.approx(data[:50, :50].max())
    assert row["principal_investigator"] is None


def test_simulated_is_said(i2d, run):
    with fits.open(i2d, mode="update") as hdus:
        hdus[0].header["SIMULATD"] = True
    assert "SIMULATED" in run("stats", i2d)[1]
    assert "SIMULATED" in run("score", i2d, "A.ecsv", "--method", "value_1")[1]
    run("mask", i2d, "-o", "m.fits", "--catalogue", "c.ecsv", "--regions", "r.reg")
    assert fits.getheader("m.fits")["SIMULATD"] is True
    assert "SIMULATED" in Path("c.ecsv").read_text()
    assert "SIMULATED" in Path("r.reg").read_text()


### what is wrong ##################################################################################


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND"),
        (["masc", "i.fits"], "masc"),
        (["mask", "i.fits"], "-o"),
        (["mask", "i.fits", "-o", "m.fits", "--crop", "1:2"], "ROW0:ROW1"),
        (["mask", "i.fits", "-o", "m.fits", "--crop", "5:2,1:2"], "end after"),
        (["score", "i.fits", "c.csv", "--radius", "18"], "18 px"),
        (["score", "i.fits", "c.csv", "--radius", "nan px"], "nan px"),
        (["score", "i.fits", "c.csv", "--snr", "-1"], "above 0"),
        (["stats"], "IMAGE"),
    ],
)
def test_usage(run, arguments, says):
    one_error(run(*arguments), 2, says, "--help")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["mask", "nowhere.fits", "-o", "m.fits"], "there is no such file"),
        (["mask", "A_i2d.fits", "-o", "m.fits", "--method", "value_0"], "above 0 and below 100"),
        (["mask", "A_i2d.fits", "-o", "m.fits", "--method", "magic"], "not a mask method"),
        (["mask", "A_i2d.fits", "-o", "m.fits", "--crop", "0:999,0:10"], "Set --crop, or"),
        (["mask", "A_i2d.fits", "-o", "m.fits", "--filter", "F560W"], "F770W"),
        (["mask", "A_i2d.fits", "-o", "no/m.fits"], "there is no folder 'no'"),
        (
            ["mask", "A_i2d.fits", "-o", "m.png"],
            "-o 'm.png': a mask is a FITS file; name it m.fits",
        ),
        (["mask", "A_i2d.fits", "-o", "m.png"], "for .png use --plot m.png"),
        (["mask", "A_i2d.fits", "-o", "mask"], "name it mask.fits, or mask/ for a folder"),
        (["mask", "A_i2d.fits", "-o", "-"], "not for a terminal"),
        (["mask", "A_i2d.fits", "--catalogue", "c.txt"], "name it c.ecsv"),
        (["mask", "A_i2d.fits", "--regions", "-", "--catalogue", "-"], "cannot both go to"),
        (["mask", "A_i2d.fits", "--json", "--regions", "-"], "--regions and --json cannot both"),
        (["mask", "A_i2d.fits", "B_i2d.fits", "-o", "m.fits"], "there are 2 images; name a folder"),
        (["mask", "A_i2d.fits", "A_i2d.fits", "-o", "m"], "given twice"),
        (["mask", "A_i2d.fits", "B_i2d.fits", "-o", "m", "--error", "e.fits"], "--error is of one"),
        (["mask", "A_i2d.fits", "B_i2d.fits", "-o", "no/such/m"], "there is no folder 'no/such'"),
        (["mask", "A_i2d.fits", "-o", "m.fits", "--plot", "p.jpg"], "name it p.png"),
        (
            ["mask", "A_i2d.fits", "-o", "m.fits", "--segm", "A_segm.fits"],
            "--segm 'A_segm.fits' is the mask of the method segmentation, and --method is "
            "recommended; give --method segmentation",
        ),
        (
            ["score", "A_i2d.fits", "A.ecsv", "--segm", "s.fits", "--method", "value_1"],
            "and --method is value_1;",
        ),
        (
            ["mask", "A_i2d.fits", "-o", "m.fits", "--plot", "--sources", "A.ecsv"],
            "--sources 'A.ecsv' is matched in --catalogue and drawn in --regions; add one",
        ),
        (
            ["mask", "A_i2d.fits", "-o", "m.fits", "--radius", "3 px"],
            "--radius is about the catalogue behind --sources, and there is none",
        ),
        (["mask", "A_i2d.fits", "--regions", "r.reg", "--ra", "x"], "--ra is about the catalogue"),
        (["mask", "A_i2d.fits", "-o", "A.ecsv/"], "-o 'A.ecsv/A_mask.fits': 'A.ecsv' is a file"),
        (["score", "A_i2d.fits", "A.ecsv", "-o", "v.txt"], "name it v.csv"),
        (["score", "A_i2d.fits", "A.ecsv", "-o", "v.fits"], "are a CSV table; name it v.csv.\n"),
        (["score", "A_i2d.fits", "A.ecsv", "-o", "v.reg"], "and for .reg use --regions v.reg"),
        (["score", "A_i2d.fits", "A.ecsv", "--regions", "v.csv"], "and for .csv use -o v.csv"),
        (["score", "A_i2d.fits", "A.ecsv", "-o", "v"], "are a CSV table; name it v.csv."),
        (["mask", "A_i2d.fits", "-o", "m.fits", "--fwhm", "0.0001arcsec"], "0.0001 arcsec wide"),
        (["mask", "A.ecsv", "-o", "m.fits"], "not a FITS file"),
        (["mask", "A_i2d.fits", "-o", "A_i2d.fits", "--overwrite"], "input"),
        (["mask", "A_i2d.fits", "-o", "m.fits", "--labels", "m.fits"], "the file of -o"),
        (["score", "A_i2d.fits", "nowhere.csv"], "there is no such file"),
        (["score", "A_i2d.fits", "A_i2d.fits"], "catalogue"),
        (["stats", "."], "is no file; name the FITS file"),
    ],
)
def test_bad_input(i2d, run, arguments, says):
    before = sorted(os.listdir())
    one_error(run(*arguments), 1, says)
    assert sorted(os.listdir()) == before


def test_nothing_is_overwritten(i2d, run, tmp_path):
    (tmp_path / "m.fits").write_text("mine")
    one_error(run("mask", i2d, "-o", "m.fits"), 1, "--overwrite")
    assert (tmp_path / "m.fits").read_text() == "mine"
    assert run("mask", i2d, "-o", "m.fits", "--overwrite")[0] == 0
    assert fits.getdata("m.fits", "MASK").any()


def test_an_image_without_a_filter(i2d, run):
    with fits.open(i2d, mode="update") as hdus:
        del hdus[0].header["FILTER"]
    one_error(run("mask", i2d, "-o", "m.fits"), 1, "--filter F770W")
    assert run("mask", i2d, "-o", "m.fits", "--filter", "F770W", "--catalogue", "c.ecsv")[0] == 0


def test_the_words_of_the_command_line(i2d, run):
    """No table of images, which there is none of."""
    with fits.open(i2d, mode="update") as hdus:
        del hdus["SCI"].header["BUNIT"]
    one_error(run("stats", i2d), 1, "A_i2d.fits'", "--pixel-unit")
    one_error(run("stats", i2d, "--pixel-unit", "mag(AB)"), 1, "--pixel-unit")
    answer = run("stats", i2d, "--filter", "F560W", "--pixel-unit", "MJy/sr")
    one_error(answer, 1, "you ask for 'F560W'")
    assert "table of images" not in answer[2]
    with fits.open(i2d, mode="update") as hdus:
        hdus[0].header["FILTER"] = "F814W"
    answer = run("stats", i2d, "--pixel-unit", "MJy/sr")
    one_error(answer, 1, "A_i2d.fits'", "F814W", "--fwhm 0.15arcsec")


def test_json_stands_alone(i2d, run):
    """Also where astropy has something to say of the header."""
    with fits.open(i2d, mode="update") as hdus:
        hdus["SCI"].header["A_ORDER"] = hdus["SCI"].header["B_ORDER"] = 2
        hdus["SCI"].header["A_2_0"] = 1e-6
        hdus["SCI"].header["PIXAR_SR"] = 1e-13
    status, out, err = run("stats", i2d, "--json")
    assert status == 0
    assert json.loads(out)["psf_fwhm_px"] == pytest.approx(0.269 / 0.11, rel=1e-3)
    assert [line.split(": ")[1] for line in err.splitlines()] == ["warning", "warning"]
    assert "SIP" in err
    assert "PIXAR_SR" in err


def test_nothing_is_written_where_a_part_fails(i2d, run, monkeypatch):
    """And a fault of the program is one line, with the file."""

    def broken(*arguments, **options):
        raise RuntimeError("no\nway")

    monkeypatch.setattr("mirimask.export.photometry.measure_labels", broken)
    answer = run("mask", i2d, "-o", "m.fits", "--labels", "l.fits", "--catalogue", "c.ecsv")
    one_error(answer, 1, "A_i2d.fits' cannot be worked on (RuntimeError: no way)")
    assert sorted(os.listdir()) == ["A.ecsv", "A_i2d.fits"]


def test_a_mask_without_a_pixel_is_said(i2d, run):
    with fits.open(i2d, mode="update") as hdus:
        hdus["SCI"].data[:] = 5
        hdus["SCI"].data[:100] = -9999
    status, _, err = run("mask", i2d, "-o", "m.fits")
    assert status == 0
    assert "the value -9999 fills 67 % of its pixels" in err
    assert "'" + str(i2d) + "': the mask recommended marks no pixel" in err


def test_a_width_with_which_next_to_all_is_masked_or_nothing_is_said(i2d, run):
    with fits.open(i2d, mode="update") as hdus:
        y, x = np.indices(hdus["SCI"].shape)
        hdus["SCI"].data[:] += 100 * np.exp(-((y - 75) ** 2 + (x - 75) ** 2) / 50)
    assert "--fwhm" not in run("mask", i2d, "-o", "m.fits")[2]
    status, _, err = run("mask", i2d, "-o", "m.fits", "--overwrite", "--fwhm", "1.1arcsec")
    assert status == 0
    said = (
        r"leaves 1?\d % of the observed pixels for the sky; its PSF is 10 pixels wide, see whether"
    )
    assert re.search(said, err)
    # what a slice marks is what was asked for
    err = run("mask", i2d, "-o", "v.fits", "--method", "value_90", "--fwhm", "1.1arcsec")[2]
    assert "for the sky" not in err
    err = run("mask", i2d, "-o", "w.fits", "--fwhm", "0.02arcsec")[2]
    assert "the mask recommended marks no pixel; its PSF is 0.182 pixels wide, see whether" in err


def test_pixels_too_coarse_for_what_is_known_of_a_filter_are_said(i2d, run):
    """Of 0.55 arcsec: a PSF of half a pixel, and a circle of 2.75 x 0.11 / 0.55 pixels."""
    with fits.open(i2d, mode="update") as hdus:
        hdus["SCI"].data[:] = np.random.default_rng(1).normal(5, 1, hdus["SCI"].shape)
        for key in [key for key in hdus["SCI"].header if re.match(r"CD\d_\d|CDELT\d", key)]:
            hdus["SCI"].header[key] *= 5
        hdus["SCI"].header.remove("PIXAR_SR", ignore_missing=True)
        hdus["SCI"].header.remove("PIXAR_A2", ignore_missing=True)
    status, _, err = run("mask", i2d, "-o", "m.fits")
    assert status == 0, err
    assert "its PSF is 0.489 pixels wide, see whether its filter and its pixels are right" in err
    assert "used in pixels of 0.55 arcsec, for the circle of F770W has a radius below 1.25" in err


@pytest.mark.parametrize(
    "name", ["a b'c;$(x).fits", "-o.fits", "line\nbreak.fits", "ü\x1b[31m.fits"]
)
def test_hostile_names(i2d, run, tmp_path, name):
    i2d.rename(tmp_path / name)
    path = tmp_path / name
    assert run("mask", path, "-o", "m.fits", "--regions", "r.reg")[0] == 0
    assert len(Regions.read("r.reg")) > 3
    path.unlink()
    answer = run("mask", path, "-o", "n.fits")
    one_error(answer, 1, "no such file")
    assert "\x1b" not in answer[2]


def test_names_that_no_fits_card_holds(i2d, run, tmp_path):
    """Of the image, of what is written, and of a filter of another camera."""
    with fits.open(i2d, mode="update") as hdus:
        del hdus[0].header["FILTER"]
    i2d.rename(tmp_path / "größe_i2d.fits")
    (tmp_path / "A.ecsv").rename(tmp_path / "ä.ecsv")
    options = ("--filter", "ö", "--fwhm", "0.27arcsec", "--sources", "ä.ecsv")
    made = ("-o", "ö.fits", "--labels", "--catalogue", "--regions")
    status, _, err = run("mask", "größe_i2d.fits", *made, *options)
    assert status == 0, err
    assert fits.getheader("ö.fits")["IMAGE"] == "gr__e_i2d.fits"
    assert fits.getheader("ö.fits")["FILTER"] == "_"
    assert fits.getheader("ö_labels.fits")["FILENAME"] == "__labels.fits"
    assert Table.read("ö_sources.ecsv").meta["catalogue"] == "ä.ecsv"


### as a program ###################################################################################


def program(*arguments, cwd, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    return subprocess.run(
        [sys.executable, "-m", "mirimask", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_program(i2d, tmp_path):
    done = program("mask", "A_i2d.fits", "-o", "m.fits", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.glob(".*"))  # no partial file stays
    assert program("--version", cwd=tmp_path).stdout == f"mirimask {__version__}\n"
    for sub in ("mask", "score", "stats"):
        shown = program(sub, "--help", cwd=tmp_path)
        assert shown.returncode == 0
        assert f"mirimask {sub} " in shown.stdout
        assert "example" in shown.stdout


def test_help_does_not_wait_for_heavy_imports(tmp_path):
    code = (
        "import sys, mirimask.command.run as c; c.main(['--help']); "
        "print([m for m in ('numpy', 'astropy', 'photutils', 'pandas') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    started = time.monotonic()
    shown = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines()[-1] == "[]"
    assert time.monotonic() - started < 5


def in_a_shell(command, cwd):
    return subprocess.run(
        f"{sys.executable} -m mirimask {command}",
        shell=True,
        executable="/bin/bash",
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_closed_pipe_is_no_error(i2d, tmp_path):
    done = in_a_shell("stats A_i2d.fits | true; echo ${PIPESTATUS[0]}", tmp_path)
    assert done.stdout.strip() == "0"
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize(("closed", "status"), [(">&-", 0), ("2>&-", 0), ("--catalogue - >&-", 1)])
def test_an_output_that_is_closed(i2d, tmp_path, closed, status):
    done = in_a_shell(f"mask A_i2d.fits -o m.fits {closed}", tmp_path)
    assert done.returncode == status
    assert "fault" not in done.stderr
    assert ("standard output is closed; name a file" in done.stderr) == (status == 1)
    assert (tmp_path / "m.fits").is_file() == (status == 0)


def test_all_files_are_there_where_the_reader_of_standard_output_ends(i2d, tmp_path):
    in_a_shell("mask A_i2d.fits --catalogue - --plot p.png -o m.fits | true", tmp_path)
    assert (tmp_path / "p.png").is_file()


def test_a_width_that_is_none(i2d):
    from mirimask import open_image

    for width in (-0.3, 0, np.nan):
        with pytest.raises(MaskError, match=r"no mask can be made .fwhm_arcsec=0.15"):
            open_image(i2d, fwhm_arcsec=width)


def test_the_librarys_names():
    import mirimask

    for name in mirimask.__all__:
        assert getattr(mirimask, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = mirimask.nothing


def test_three_lines(i2d):
    from mirimask import make_mask, open_image

    image = open_image(i2d)
    mask = make_mask(image, "recommended")
    assert mask.shape == image.data.shape
    assert mask.dtype == bool
    assert mask.any()
