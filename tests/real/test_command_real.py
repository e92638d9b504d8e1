"""`mirimask` on real JWST images (../shared/real)."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from mirimask.command import run as command
from photutils.segmentation import SegmentationImage
from regions import Regions


@pytest.fixture
def uds(real):
    """A drizzled mosaic of the UDS field in units of 10 nJy, and how it is read."""
    path = real / "images" / "mophongo_uds1_f770w_80mas_sci.fits"
    weight = str(path).replace("sci", "wht")
    return [str(path), "--weight", weight, "--filter", "F770W", "--pixel-unit", "10*nJy"]


@pytest.fixture
def catalogue(real):
    return str(real / "catalogues" / "mophongo_uds1_photometry_a.cat")


def test_mask_of_a_mosaic(uds, catalogue, tmp_path, capsys):
    made = {name: str(tmp_path / name) for name in ("m.fits", "l.fits", "c.ecsv", "r.reg")}
    status = command.main(
        [
            *("mask", *uds, "-o", made["m.fits"], "--labels", made["l.fits"]),
            *("--catalogue", made["c.ecsv"], "--regions", made["r.reg"]),
            *("--sources", catalogue, "--radius", "0.5 arcsec"),
        ]
    )
    assert status == 0, capsys.readouterr().err
    labels, table = fits.getdata(made["l.fits"], "SCI"), Table.read(made["c.ecsv"])
    assert labels.shape == fits.getdata(uds[0]).shape
    assert len(table) == SegmentationImage(labels).n_labels > 10
    # what is bright in F770W is in a NIRCam catalogue, at its place
    bright = table[table["isophotal_abmag"] < 24.5]
    matched = bright[bright["match_id"] != ""]
    assert len(matched) >= 0.9 * len(bright) > 5
    assert np.median(matched["match_separation"]) < 0.15
    # the catalogue's own F770W fluxes (unit not documented) go with ours
    theirs = Table.read(catalogue, format="ascii.commented_header")
    flux = dict(zip(theirs["id"].astype(str), theirs["flux_1"], strict=True))
    pairs = np.array([(row["point_flux"], flux[row["match_id"]]) for row in matched])
    assert np.corrcoef(np.log(pairs[(pairs > 0).all(axis=1)].T))[0, 1] > 0.7
    assert len(Regions.read(made["r.reg"])) > len(table)


def test_score_of_a_mosaic(uds, catalogue, capsys):
    assert command.main(["score", uds[0], catalogue, *uds[1:], "--radius", "0.3 arcsec"]) == 0
    shown = capsys.readouterr()
    assert "recommended:" in shown.out
    assert "2 rows have no position that can be one" in shown.err


def test_an_archive_product(real, tmp_path, capsys):
    """Orion Bar: nothing to mask, and no trouble with it."""
    path = str(real / "images" / "jw01288015001_26101_00003_mirimage_i2d.fits.gz")
    assert command.main(["stats", path]) == 0
    assert "Berne" in capsys.readouterr().out
    output = str(tmp_path / "c.ecsv")
    assert command.main(["mask", path, "--catalogue", output]) == 0
    assert "point_flux" in Table.read(output).colnames
