"""The step inside the official pipeline, offline: where `.venv-jwst` is (make .venv-jwst/stamp).

pytest tests/pipeline
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import exposures
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from conftest import ROOT
from mirimask import make_mask, open_image
from mirimask.image.wcs import read_wcs, sky_to_pixel
from mirimask.simulation.exposures import detector_to_mosaic

BIN = ROOT / ".venv-jwst" / "bin"
STEPS = Path(__file__).with_name("steps.py")
PRODUCT = "jw01386-o014_t004_miri_f770w"
# what asks the calibration server for files, and does not change where sources are
OFFLINE = [
    *(f"--steps.{name}.skip=true" for name in ("tweakreg", "skymatch", "outlier_detection")),
    "--steps.source_catalog.override_apcorr=apcorr.fits",
    "--steps.source_catalog.override_abvegaoffset=abvegaoffset.asdf",
]

pytestmark = pytest.mark.skipif(
    not (ROOT / ".venv-jwst" / "stamp").exists(),
    reason="the jwst package is not here: make .venv-jwst/stamp (858 MB)",
)


def ran(*command, folder):
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "workflow"),
        "CRDS_PATH": str(folder / "crds"),
        "CRDS_SERVER_URL": "http://127.0.0.1:9",
        "STPIPE_DISABLE_CRDS_STEPPARS": "true",
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def documented(beginning):
    """The arguments of the line of docs/in-the-pipeline.md that begins so."""
    page = (ROOT / "docs" / "in-the-pipeline.md").read_text()
    line = next(line for line in page.splitlines() if line.startswith(beginning))
    return shlex.split(line, comments=True)[1:]


@pytest.fixture(scope="module")
def observation(tmp_path_factory):
    """Three dithered exposures of 60 stars with the pipeline's WCS, and their association."""
    folder = tmp_path_factory.mktemp("observation")
    x, y = exposures.stars()
    columns, rows = np.meshgrid(np.linspace(0, 1031, 25), np.linspace(0, 1023, 25))
    at, mosaic = (columns.ravel(), rows.ravel()), []
    for number, offset in enumerate(exposures.OFFSETS):
        path = folder / f"jw0138601400{number}_mirimage_sip.fits"
        exposures.write_exposure(path, offset, x, y, seed=number)
        mosaic.append(detector_to_mosaic(*at, offset))
    wcs = exposures.mosaic_wcs()
    header = wcs.to_header()
    for i in (1, 2):
        for j in (1, 2):
            header[f"CD{i}_{j}"] = wcs.wcs.cd[i - 1, j - 1]
    np.savez(
        folder / "mapping.npz", x=at[0], y=at[1], mosaic=np.array(mosaic), header=header.tostring()
    )
    ran(BIN / "python", STEPS, "exposures", folder, folder=folder)
    return folder


@pytest.fixture(scope="module")
def hooked(observation):
    """calwebb_image3 on them with the step as source_catalog's post-hook."""
    line = documented("strun calwebb_image3")
    ran(BIN / "strun", *line, *OFFLINE, "--output_dir=out", folder=observation)
    return observation / "out"


def test_beside_the_pipelines_own(hooked):
    """Labels, a mask and a catalogue of this mask; the pipeline's image and catalogue are there."""
    there = {path.name.removeprefix(f"{PRODUCT}_") for path in hooked.glob(f"{PRODUCT}_*")}
    assert there == {"i2d.fits", "cat.ecsv", "segm.fits", "mask.fits", "sources.ecsv"}
    i2d = hooked / f"{PRODUCT}_i2d.fits"
    mask = fits.getdata(hooked / f"{PRODUCT}_mask.fits", "MASK") > 0
    np.testing.assert_array_equal(mask, make_mask(open_image(i2d), "recommended"))
    with fits.open(hooked / f"{PRODUCT}_segm.fits") as hdus:
        assert hdus[0].header["DATAMODL"] == "SegmentationMapModel"
        assert hdus[0].header["FILTER"] == "F770W"
        labels = hdus["SCI"].data
        assert labels.dtype == np.uint32
        np.testing.assert_array_equal(labels > 0, mask)
        assert "ASDF" in hdus  # its GWCS
    table = Table.read(hooked / f"{PRODUCT}_sources.ecsv")
    np.testing.assert_array_equal(table["label"], np.unique(labels)[1:])
    assert len(table) == labels.max()  # no number is left out
    pipeline = Table.read(hooked / f"{PRODUCT}_cat.ecsv", format="ascii.ecsv")
    assert len(pipeline) > 30


def test_every_star_is_in_the_mask_of_the_mosaic(hooked):
    with fits.open(hooked / f"{PRODUCT}_mask.fits") as hdus:
        mask = hdus["MASK"].data > 0
        wcs = read_wcs(hdus["MASK"].header, mask.shape, what="mask")
    x, y = exposures.stars()
    sky = exposures.mosaic_wcs().pixel_to_world(x, y)
    column, row = (np.rint(v).astype(int) for v in sky_to_pixel(wcs, sky.ra.deg, sky.dec.deg))
    inside = (column > 5) & (row > 5) & (column < mask.shape[1] - 5) & (row < mask.shape[0] - 5)
    assert inside.sum() > 55
    assert mask[row[inside], column[inside]].all()


def test_as_a_hook_of_resample_from_python(observation, hooked):
    """The pipeline's own labels come after it, and stay; its image is untouched."""
    own = (hooked / f"{PRODUCT}_mask.fits").read_bytes()
    (hooked / f"{PRODUCT}_mask.fits").unlink()
    ran(BIN / "python", STEPS, "image3", observation, "resample", folder=observation)
    again = fits.getdata(hooked / f"{PRODUCT}_mask.fits", "MASK")
    (observation / "first.fits").write_bytes(own)
    np.testing.assert_array_equal(again, fits.getdata(observation / "first.fits", "MASK"))
    labels = fits.getdata(hooked / f"{PRODUCT}_segm.fits", "SCI")
    assert not np.array_equal(labels > 0, again > 0)
    assert fits.getheader(hooked / f"{PRODUCT}_i2d.fits")["FILENAME"] == f"{PRODUCT}_i2d.fits"


def test_strun(hooked, tmp_path):
    i2d = hooked / f"{PRODUCT}_i2d.fits"
    shutil.copy(i2d, tmp_path / "X_i2d.fits")
    line = documented("strun mirimask.SourceMaskStep")
    options = ["--output_dir=alone", "--method=value_1", "--suffix=brightest"]
    ran(BIN / "strun", *line, *options, folder=tmp_path)
    there = {path.name for path in (tmp_path / "alone").iterdir()}
    assert there == {"X_brightest.fits", "X_mask.fits", "X_sources.ecsv"}
    mask = fits.getdata(tmp_path / "alone" / "X_mask.fits", "MASK")
    assert mask.sum() == pytest.approx(0.01 * np.isfinite(fits.getdata(i2d, "SCI")).sum(), rel=0.01)


def test_projected_by_the_pipelines_own_wcs(observation, hooked, tmp_path):
    """GWCS and SIP say the same: the pipeline's SIP is good to a hundredth of a pixel."""
    mask = hooked / f"{PRODUCT}_mask.fits"
    made = {}
    for kind in ("cal", "sip"):
        image = observation / f"jw01386014001_mirimage_{kind}.fits"
        out = tmp_path / f"{kind}.fits"
        command = ["-m", "mirimask", "project", mask, "--onto", image, "-o", out, "--json"]
        said = ran(BIN / "python", *command, folder=tmp_path)
        assert (
            json.loads(said[said.index("{") :])["wcs"]
            == {
                "cal": "GWCS",
                "sip": "FITS, SIP",
            }[kind]
        )
        made[kind] = fits.getdata(out, "MASK") > 0
    assert made["cal"].sum() > 1000
    differ = (made["cal"] != made["sip"]).sum()
    assert differ < 0.01 * made["cal"].sum()


def test_the_sky_is_matched_without_the_sources(observation, hooked, tmp_path):
    """Flagged so, they are not in skymatch's sky, a plain mean here: 6 MJy/sr was put in."""
    mask = hooked / f"{PRODUCT}_mask.fits"
    images = sorted(observation.glob("*_cal.fits"))
    (tmp_path / "flagged").mkdir()
    command = ["-m", "mirimask", "project", mask, "--onto", *images, "-o", "flagged", "--dq"]
    ran(BIN / "python", *command, folder=tmp_path)
    shutil.copy(observation / "asn.json", tmp_path / "flagged")
    options = ["--skymethod=local", "--skystat=mean", "--nclip=0"]
    *line, bits = documented("strun skymatch")
    assert bits == "--dqbits=~DO_NOT_USE+NON_SCIENCE+MSA_FAILED_OPEN"
    skies = []
    for dq in (bits.removesuffix("+MSA_FAILED_OPEN"), bits):
        said = ran(BIN / "strun", *line, *options, dq, folder=tmp_path)
        skies.append([float(sky) for sky in re.findall(r"Sky background: ([\d.]+)", said)])
    with_sources, without = np.array(skies)
    assert len(without) == 3
    # 0.1 MJy/sr of noise in 10^6 pixels: 0.0001
    np.testing.assert_allclose(without, 6, atol=5e-4)
    assert (with_sources > 6.02).all()
