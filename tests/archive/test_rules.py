"""The rules that bring images in, run by snakemake: what is shown, kept, and not done again."""

import csv
import shutil
import time

import numpy as np
import pytest
from astropy.io import fits

pytest.importorskip("cryptography", reason="makes the server's certificate")
from archive.server import serve  # the folder tests/archive
from archive.test_archive import ROW, free_port, make_field

MANIFEST = "results/{}/manifest.tsv"


def made(folder):
    """The files of all studies and the downloads, without logs."""
    return sorted(
        str(path.relative_to(folder / "results"))
        for path in (folder / "results").rglob("*")
        if path.is_file() and "logs" not in path.parts
    )


@pytest.fixture
def archived(study):
    """A study of one image of the archive."""
    study.images = [dict(ROW)]
    study.config["archive"] = {"source": "mast", "downloads": "results/downloads"}
    return study


@pytest.fixture
def served(archived, monkeypatch):
    """A server for that image, which the study uses."""
    make_field(archived.folder / "fields" / "Img3")
    with serve(archived.folder / "fields", [ROW]) as served:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca_bundle))
        archived.config["archive"] |= {
            "mast_server": served.mast_url,
            "vizier_server": served.vizier_host,
        }
        yield served


def test_an_archive_out_of_reach_is_said_at_once(archived):
    archived.config["archive"] |= {
        "mast_server": f"http://127.0.0.1:{free_port()}",
        "vizier_server": f"localhost:{free_port()}",
    }
    begin = time.monotonic()
    done = archived.run(MANIFEST.format("small"))
    assert done.returncode != 0
    assert time.monotonic() - begin < 60  # most of it is the start of snakemake
    assert "MAST at http://127.0.0.1:" in done.stdout
    assert "connection refused" in done.stdout
    assert "snakemake --cores 8 --configfile config/simulated.yaml" in done.stdout
    assert "Traceback" not in done.stdout
    assert made(archived.folder) == []


def test_what_would_be_downloaded_is_said_and_nothing_is(archived, served):
    archived.images.append({**ROW, "image": "Gone", "observation": "99", "observation_id": ""})
    done = archived.run("archive_check")
    assert done.returncode != 0
    lines = done.stdout.splitlines()
    field = archived.folder / "fields" / "Img3"
    megabytes = f"{(field / 'i2d.fits').stat().st_size / 1e6:.1f} MB"
    name = "Img3: jw01386-o014_t002_miri_f770w"
    assert f"{name}_i2d.fits: {megabytes}, pipeline 1.12.5, jwst_1140.pmap" in lines
    assert [line for line in lines if line.startswith(f"{name}_segm.fits: ")]
    assert [line for line in lines if line.startswith(f"{name}_cat.ecsv: ")]
    assert "Img3: II/363/unwise: 77 rows" in lines  # of 80, three lie outside of the box
    assert [line for line in lines if line.startswith("Gone: MAST has no level-3 MIRI image")]
    assert any(line.startswith("To download: 3 files, ") for line in lines)
    assert "1 of 2 images: see above." in done.stdout
    assert "Traceback" not in done.stdout
    assert made(archived.folder) == []
    downloads = [one for one in served.requests_log if "Download" in one]
    assert [one.partition(" bytes=")[2] for one in downloads] == ["0-299999"]

    # what is fetched is said to be here, and not asked for again
    archived.images.pop()
    assert archived.run(MANIFEST.format("small")).returncode == 0
    before = made(archived.folder)
    done = archived.run("archive_check")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(", here already") == 4
    assert "To download: 0 files, 0.0 MB" in done.stdout
    assert made(archived.folder) == before


def test_nothing_is_asked_for_local_images(study):
    done = study.run("archive_check")
    assert done.returncode == 0, done.stdout
    assert "No image of this study is from MAST" in done.stdout


def test_an_image_is_fetched_once_and_then_needs_no_server(archived, served):
    done = archived.run(MANIFEST.format("small"))
    assert done.returncode == 0, done.stdout
    assert "Img3: jw01386-o014_t002_miri_f770w_i2d.fits" in done.stdout
    assert "100%" in done.stdout
    rows = list(csv.DictReader((archived.results / "manifest.tsv").open(), delimiter="\t"))
    assert [row["product"] for row in rows] == ["i2d", "segm", "cat", "unwise"]
    assert rows[0]["uri"] == "mast:JWST/product/jw01386-o014_t002_miri_f770w_i2d.fits"
    assert (rows[0]["cal_ver"], rows[0]["crds_ctx"]) == ("1.12.5", "jwst_1140.pmap")
    assert rows[0]["note"] == "frame of 60 x 50 pixels, the paper's had 1028 x 1032"
    assert all(row["retrieved"].endswith("Z") and len(row["sha256"]) == 64 for row in rows)
    log = (archived.results / "logs" / "fetch_product" / "Img3.log").read_text()
    assert log == f"WARNING: Img3: {rows[0]['note']}\n"

    # another study with the same image asks the server nothing
    asked = len(served.requests_log)
    first = (archived.results / "manifest.tsv").read_text()
    archived.config["study"] = "second"
    done = archived.run(MANIFEST.format("second"))
    assert done.returncode == 0, done.stdout
    assert (archived.results / "manifest.tsv").read_text() == first
    assert len(served.requests_log) == asked
    assert archived.planned(MANIFEST.format("second")) == {}


def test_what_mast_does_not_list_is_made_as_of_a_local_image(archived, served):
    """The same files come of the same image as a local one: of Img3 the i2d alone is listed."""
    folder = archived.folder / "fields"
    field = folder / "Img3"
    bright = fits.getdata(field / "i2d.fits", "SCI") + np.float32(0)
    bright[20:28, 20:28] += 50
    fits.update(field / "i2d.fits", bright, fits.getheader(field / "i2d.fits", "SCI"), "SCI")
    for name in ("i2d.fits", "segm.fits"):
        shutil.copy(field / name, archived.folder / name)
    shutil.copytree(field, folder / "Img4")
    for lacking in ("Img3/segm.fits", "Img3/cat.ecsv", "Img4/cat.ecsv"):
        (folder / lacking).unlink()
    rows = [ROW, {**ROW, "image": "Img4", "observation": "15", "observation_id": ""}]
    local = [{"image": "L3", "i2d": "i2d.fits"}, {"image": "L4", "i2d": "i2d.fits"}]
    local[1]["segm"] = "segm.fits"
    archived.images = [*rows, *local]
    names = ["i2d.fits", "segm.fits", "cat.ecsv"]
    wanted = [f"results/small/archive/{row['image']}/{n}" for row in archived.images for n in names]
    with serve(folder, rows) as again:
        archived.config["archive"] |= {"mast_server": again.mast_url}
        done = archived.run(*wanted)
    assert done.returncode == 0, done.stdout
    made = "MAST lists no segm: made here with the settings of jwst 1.12.5"
    for number, segm, lacking in (("3", made, ["segm", "cat"]), ("4", "", ["cat"])):
        mast, own = (archived.results / "archive" / f"{kind}{number}" for kind in ("Img", "L"))
        labels = fits.getdata(mast / "segm.fits", "SCI")
        np.testing.assert_array_equal(labels, fits.getdata(own / "segm.fits", "SCI"))
        assert labels.max() > 0
        assert (mast / "cat.ecsv").read_text() == (own / "cat.ecsv").read_text()
        listed = list(csv.DictReader((mast / "product.tsv").open(), delimiter="\t"))
        notes = {row["product"]: row["note"] for row in listed}
        assert notes["cat"] == "MAST lists no cat: made here from the segm"
        assert notes["segm"] == segm
        assert [row["product"] for row in listed if not row["uri"]] == lacking
        log = (archived.results / "logs" / "fetch_product" / f"Img{number}.log").read_text()
        assert f"WARNING: Img{number}: {notes['cat']}" in log


def test_another_observation_in_the_header_stops_the_image(archived, served):
    archived.images[0]["observation_id"] = "V01386014001P0000000000001"
    done = archived.run(MANIFEST.format("small"), options=["--retries", "0"])
    assert done.returncode != 0
    assert "error: jw01386-o014_t002_miri_f770w_i2d.fits: OBS_ID of the header" in done.stdout
    assert made(archived.folder) == []


def test_local_files_are_imported(finished):
    """That they are again when they change, and only then, is in tests/workflow/test_dag.py."""
    folder = finished.results / "archive" / "B"
    assert {path.name for path in folder.iterdir()} == {
        "cat.ecsv",
        "i2d.fits",
        "inputs.json",
        "manifest.tsv",
        "segm.fits",
        "unwise.ecsv",
    }
    labels = fits.getdata(folder / "segm.fits", "SCI")
    assert labels.shape == fits.getdata(folder / "i2d.fits", "SCI").shape
    assert labels.max() > 0
    assert "made here with the settings of jwst 1.12.5" in (folder / "manifest.tsv").read_text()
