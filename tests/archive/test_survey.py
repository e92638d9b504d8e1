"""A survey: one query, every image that MAST has, one row each, and failures that stop nothing."""

import csv
import os

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table

pytest.importorskip("cryptography", reason="makes the server's certificate")
from archive.server import serve  # the folder tests/archive
from conftest import ROOT, Study, make_image
from mirimask.archive import Archive, find_images, mast
from mirimask.errors import MaskError

N_IMAGES = 8
TABLE = "survey/survey.csv"
BROKEN = {  # image number: what is wrong with its file, and what the table says of it
    4: ("truncated", "truncated"),
    5: ("no SCI", "has no SCI extension"),
    6: ("all NaN", "none of its 7488 pixels is finite"),
    7: ("another filter", "FILTER of the header is 'F1000W'"),
}


def make_products(folder, number):
    """`number` small products of one programme, a few of them broken; the rows of what is served.

    Their positions are on a line, 0.01 degrees apart.
    """
    rows = []
    for i in range(1, number + 1):
        place = folder / f"P{i}"
        place.mkdir(parents=True)
        make_image(place, "P", seed=i, shape=(96, 78), n_stars=4)
        path = place / "i2d.fits"
        (place / "P_i2d.fits").rename(path)
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["SIMULATD"] = True
            hdus["SCI"].header["CRVAL1"] = 80.0 + 0.01 * i
            kind = BROKEN.get(i, ("",))[0]
            if kind == "no SCI":
                del hdus["SCI"]
            elif kind == "all NaN":
                hdus["SCI"].data[:] = np.nan
            elif kind == "another filter":
                hdus[0].header["FILTER"] = "F1000W"
        if kind == "truncated":
            path.write_bytes(path.read_bytes()[: 3 * 2880 + 1000])
        row = {"image": f"P{i}", "program": "9001", "observation": str(i), "filter": "F770W"}
        # two targets of one observation
        rows.append(row | {"ra": 80.0 + 0.01 * i, "dec": -20.0, "target": "1"})
    rows[1] |= {"observation": "1", "target": "2"}
    return rows


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """The files of a programme, and their rows."""
    folder = tmp_path_factory.mktemp("products")
    return folder, make_products(folder, N_IMAGES)


@pytest.fixture
def survey(tmp_path):
    """The survey of config/survey.example.yaml, of the programme that is served."""
    study = Study(tmp_path)
    study.config = yaml.safe_load((ROOT / "config" / "survey.example.yaml").read_text())
    study.config["survey"]["program"] = "9001"
    study.config["study"] = "survey"
    return study


def use(study, served):
    """Make a survey ask a server; gives the environment that trusts it."""
    study.config["archive"] = {
        "mast_server": served.mast_url,
        "vizier_server": served.vizier_host,
    }
    return os.environ | {"REQUESTS_CA_BUNDLE": str(served.ca_bundle)}


def table_of(study):
    with open(study.results / TABLE, newline="") as file:
        return {row["image"]: row for row in csv.DictReader(file)}


def name_of(number):
    return f"jw09001-o{number:03d}_t001_miri_f770w"


def downloads(served):
    return served.count("GET /api/v0.1/Download/file")


def test_a_survey(survey, products):
    """All of it: interrupted by an archive that fails, gone on with, and again without a server."""
    folder, rows = products
    with serve(folder, rows, survey=True) as served:
        env = use(survey, served)
        # the archive breaks off one image again and again
        gone = served.faults["half"] = [["i2d"], None]
        done = survey.run("survey", options=["--until", "survey_products"], env=env)
        assert done.returncode == 0, done.stdout
        assert downloads(served) == 0
        only = f"results/survey/survey/rows/{name_of(3)}.json"
        done = survey.run(only, env=env)
        assert done.returncode == 0, done.stdout
        assert "the connection broke" in (survey.folder / only).read_text()
        gone[1] = 0

        before = downloads(served)
        done = survey.run("survey", env=env)
        assert done.returncode == 0, done.stdout
        failed = len(BROKEN)
        assert f"survey: {N_IMAGES - failed} of {N_IMAGES} images, {failed} failed" in done.stdout
        # a whole file that is of no use is not asked for again
        assert downloads(served) - before == N_IMAGES
        assert served.count("COUNT_BIG") == 1
        assert served.count("Mast.Caom.Filtered") == 2
        assert served.count("Mast.Caom.Products") == 0

        table = table_of(survey)
        assert len(table) == N_IMAGES
        assert {image for image, row in table.items() if row["failure"]} == set(
            map(name_of, BROKEN)
        )
        for number, (_, says) in BROKEN.items():
            assert says in table[name_of(number)]["failure"]
            assert not list((survey.results / "labels" / name_of(number)).glob("*.fits"))
        row = table[name_of(3)]
        assert row["uri"] == f"mast:JWST/product/{name_of(3)}_i2d.fits"
        assert (row["cal_ver"], row["n_pixels"], row["n_empty"]) == ("1.12.5", "7488", "0")
        assert (row["obs_id"], row["simulated"]) == (f"V{3:025d}", "True")
        assert float(row["background"]) == pytest.approx(6, abs=0.1)
        assert 0 < float(row["masked_share"]) < 0.3
        labels = fits.getdata(survey.results / "labels" / name_of(3) / "recommended.fits", "SCI")
        mask = fits.getdata(survey.results / "masks" / name_of(3) / "recommended.fits", "MASK")
        catalogue = Table.read(survey.results / "catalogue" / name_of(3) / "recommended.ecsv")
        np.testing.assert_array_equal(labels > 0, mask > 0)
        assert labels.max() == len(catalogue) == int(row["n_sources"]) > 0
        page = (survey.results / "survey" / "survey.md").read_text()
        assert "SIMULATED" in page
        assert f"`{name_of(7)}`: " in page
        with open(survey.results / "survey" / "images.tsv", newline="") as file:
            images = [r["image"] for r in csv.DictReader(file, delimiter="\t")]
        assert name_of(3) in images
        assert name_of(1) not in images  # two targets of this observation
        assert len(images) == N_IMAGES - failed - 2

        asked = len(served.requests_log)
        assert "Nothing to be done" in survey.run("survey", env=env).stdout
        # a lost list is asked for again, and nothing else is
        (survey.results / "survey" / "products.tsv").unlink()
        done = survey.run("survey", env=env)
        assert done.returncode == 0, done.stdout
        assert "Masking" not in done.stdout
        assert downloads(served) == before + N_IMAGES
        assert len(served.requests_log) > asked

        # the downloads are shared, and may be cleaned up: the survey goes on, and fetches again
        next(survey.folder.rglob(f"downloads/*/{name_of(3)}_i2d.fits")).unlink()
        survey.config["spots"] = {"min_pixels": 2}
        done = survey.run(only, env=env)
        assert done.returncode == 0, done.stdout
        assert "is gone, or not the file that was fetched" in (survey.folder / only).read_text()
        done = survey.run(only, env=env)
        assert done.returncode == 0, done.stdout
        assert downloads(served) == before + N_IMAGES + 1
        assert "failure" not in (survey.folder / only).read_text()
    del survey.config["spots"]
    assert survey.run("survey", env=env).returncode == 0
    assert "Nothing to be done" in survey.run("survey", env=env).stdout


def test_more_than_the_limit(survey, products):
    folder, rows = products
    survey.config["survey"]["limit"] = N_IMAGES - 1
    with serve(folder, rows, survey=True) as served:
        done = survey.run("survey", env=use(survey, served))
        assert done.returncode != 0
        assert f"MAST has {N_IMAGES} public level-3 F770W images of programme 9001" in done.stdout
        assert f"Set survey.limit to {N_IMAGES} or more" in done.stdout
        assert "Traceback" not in done.stdout
        assert downloads(served) == 0


def test_what_is_asked(survey):
    """Neither a programme nor a region."""
    del survey.config["survey"]["program"]
    done = survey.run("survey")
    assert done.returncode != 0
    assert "neither survey.program nor survey.region is set" in done.stdout


def test_a_region(products, tmp_path, monkeypatch, caplog):
    """A circle, alone and with a programme; what has nothing in it is an error."""
    folder, rows = products
    with serve(folder, rows, survey=True) as served:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca_bundle))
        archive = Archive(served.mast_url, served.vizier_host, tmp_path, pause_s=0)
        region = (80.06, -20.0, 0.0203)
        found = find_images(archive, filter_name="F770W", limit=9, region=region)
        assert [row["image"] for row in found] == [name_of(i) for i in range(4, 9)]
        assert found[0]["ra"] == "80.04"
        both = {"program": "9001", "region": region}
        assert find_images(archive, filter_name="F770W", limit=9, **both) == found
        with pytest.raises(MaskError, match=r"MAST has no public level-3 F770W images .*7.* and"):
            find_images(archive, filter_name="F770W", limit=9, program="7", region=region)

        # names that are not those of level-3 images are left out, and said
        client_of = mast.client_of

        def renaming(first):
            def made(archive):
                client = client_of(archive)
                query = client.query_criteria

                def renamed(**asked):
                    table = query(**asked)
                    table["obs_id"][:first] = [name.upper() for name in table["obs_id"][:first]]
                    return table

                client.query_criteria = renamed
                return client

            return made

        monkeypatch.setattr(mast, "client_of", renaming(2))
        kept = find_images(archive, filter_name="F770W", limit=9, region=region)
        assert [row["image"] for row in kept] == [name_of(i) for i in range(6, 9)]
        assert "2 of 5 public level-3 F770W images within" in caplog.text
        assert name_of(4).upper() in caplog.text
        monkeypatch.setattr(mast, "client_of", renaming(5))
        with pytest.raises(MaskError, match=r"5 of 5 public .* No image is left for the survey"):
            find_images(archive, filter_name="F770W", limit=9, region=region)
