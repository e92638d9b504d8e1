"""The main job: the simulated study, the paper study from a served archive, and the real image."""

import os

import numpy as np
import pandas as pd
import pytest
import yaml
from archive.server import serve
from astropy.io import fits
from conftest import ROOT, Study
from mirimask.image.background import smoothed
from mirimask.image.files import read_crop
from mirimask.masks.inverse import rest_of

FIGURES = [
    *(f"figure{number}.{form}" for number in (1, 2, 3) for form in ("png", "pdf")),
    *(
        f"figure{number}/Img{image}.{form}"
        for number in (4, 5)
        for image in range(1, 8)
        for form in ("png", "pdf")
    ),
]
TABLES = [f"table{number}.{form}" for number in (1, 2, 3) for form in ("csv", "md", "tex")]


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    """The archive files of the seven simulated fields."""
    study = Study(tmp_path_factory.mktemp("fields"))
    study.config = yaml.safe_load((ROOT / "config" / "simulated.yaml").read_text())
    study.images = _rows(ROOT / "config" / "images.tsv")
    study.config["images"] = "images.tsv"
    done = study.run("results/simulated/manifest.tsv")
    assert done.returncode == 0, done.stdout
    return study


def _rows(path):
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False).to_dict("records")


def test_the_simulated_study(fields):
    """All of it, with truth: the bars of the automatic verdict and of the recommended mask.

    Stars of few magnitudes are added; those of the curves, which the bar is about, are as usual.
    """
    fields.config["evaluation"] = {
        "magnitudes": [22, 23, 24, 25, 26],
        "stars_at_once": 20,
        "sensitivity": {"segmentations": [{"n_pixels": 5}]},
    }
    report = ["--report", "results/simulated/report.zip", "--report-after-run"]  # as make study
    done = fields.run(options=report)
    assert done.returncode == 0, done.stdout
    results = fields.results
    for name in ("index.html", "browser.html", "report.zip", "claims.md", "evaluation/README.md"):
        assert (results / name).stat().st_size > 1000, name
    for name in ("tables/table3.md", "tables/table3.tex", "claims.md", "evaluation/README.md"):
        assert "SIMULATED" in (results / name).read_text(), name
    assert not (results / "comparison").exists()
    assert "Nothing to be done" in fields.run().stdout

    agreement = pd.read_csv(results / "evaluation" / "agreement.csv").query("method == 'All'")
    everything = agreement.set_index("image").loc["All"]
    # an eye does not see small spots, so it misses what is marked; what it sees is there
    assert everything["false_success"] <= 0.01 * everything["sources"]
    assert everything["missed_success"] > 10 * everything["false_success"]
    assert everything["agreement"] >= 0.8

    compared = pd.read_csv(results / "evaluation" / "curves_compared.csv")
    at_its_rate = compared.query("at == 'false_per_arcmin2' and of == 'segmentation'")
    found = at_its_rate.pivot(index="image", columns="family", values="completeness")
    assert len(found) == 8  # seven images, and all of them
    assert (found["cores"] > found["segmentation"]).all(), found


def test_the_inverse_mask_comes_to_rest(fields):
    """With its settings as shipped, on each of the seven fields."""
    options = yaml.safe_load((ROOT / "config" / "detectors.yaml").read_text())["detectors"]
    given = options["inverse_mask"]["settings"]
    frames = [f"results/simulated/frame/Img{number}.fits" for number in range(1, 8)]
    assert fields.run(*frames).returncode == 0
    for frame in frames:
        crop = read_crop(fields.folder / frame)
        found = rest_of(
            smoothed(crop.masked, sigma=given["smooth"] * crop.fwhm_px),
            marked=given["marked"],
            box_px=round(given["box"] * crop.fwhm_px),
            sigma=given["sigma"] * crop.fwhm_px,
            by_scatter=given["by_scatter"],
            tolerance=given["tolerance"],
            limit=given["limit"],
        )
        assert found.ended == "still", frame


def test_the_paper_from_a_served_archive(fields, tmp_path):
    """Real astroquery, MAST's and VizieR's protocols, distractors; then again without a server."""
    study = Study(tmp_path)
    study.images = _rows(ROOT / "config" / "images.tsv")
    targets = [
        *(f"results/paper/tables/{name}" for name in TABLES),
        *(f"results/paper/figures/{name}" for name in FIGURES),
        "results/paper/comparison/summary.md",
        "results/paper/claims.md",
        "results/paper/manifest.tsv",
    ]
    with serve(fields.results / "archive", ROOT / "config" / "images.tsv") as served:
        study.config = {
            "study": "paper",
            "archive": {"mast_server": served.mast_url, "vizier_server": served.vizier_host},
        }
        environment = os.environ | {"REQUESTS_CA_BUNDLE": str(served.ca_bundle)}
        done = study.run(*targets, env=environment)
        assert done.returncode == 0, done.stdout
        asked = len(served.requests_log)
        again = study.run(*targets, env=environment)
        assert "Nothing to be done" in again.stdout
        assert len(served.requests_log) == asked
    gone = study.run(*targets, env=environment)
    assert gone.returncode == 0, gone.stdout
    assert "Nothing to be done" in gone.stdout

    for target in targets:
        assert (tmp_path / target).stat().st_size > 100, target
    manifest = pd.read_csv(study.results / "manifest.tsv", sep="\t")
    assert len(manifest) == 4 * 7
    assert manifest.groupby("product").size().to_dict() == {
        "cat": 7,
        "i2d": 7,
        "segm": 7,
        "unwise": 7,
    }
    assert manifest["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert (manifest["bytes"] > 0).all()
    assert manifest[["uri", "retrieved"]].notna().all(axis=None)

    summary = (study.results / "comparison" / "summary.md").read_text()
    assert "SIMULATED" in summary  # the served products are, and everything after them says so
    identity = pd.read_csv(study.results / "comparison" / "table1.csv")
    assert identity["agrees"].all(), identity[~identity["agrees"]]
    table3 = pd.read_csv(study.results / "tables" / "table3.csv")
    sources = table3.groupby("image")["sources"].unique()
    assert [list(n) for n in sources] == [[20], [19], [13], [13], [17], [43], [43]]
    assert table3["simulated"].all()
    claims = pd.read_csv(study.results / "claims.csv")
    assert list(claims["id"]) == [f"C{number}" for number in range(1, 15)]

    # the archive's way in changes nothing: the same table as from the fields themselves
    study.config = {
        "study": "direct",
        "images": "images.tsv",
        "published": None,
        "archive": {"source": "local"},
    }
    archive = fields.results / "archive"
    study.images = [
        {
            "image": row["image"],
            "filter": "F770W",
            "i2d": archive / row["image"] / "i2d.fits",
            "segm": archive / row["image"] / "segm.fits",
            "catalogue": archive / row["image"] / "unwise.ecsv",
        }
        for row in study.images
    ]
    done = study.run("results/direct/tables/table3.csv")
    assert done.returncode == 0, done.stdout
    pd.testing.assert_frame_equal(
        pd.read_csv(study.results / "tables" / "table3.csv"), table3, check_like=True
    )


def test_the_real_image(real, tmp_path):
    """Sizes in arcseconds, SCI in the PRIMARY, weight apart, no segm, a plain text catalogue."""
    study = Study(tmp_path)
    study.config |= {
        "study": "uds1",
        "methods": [f"{k}_{p}" for k in ("value", "derivative") for p in (0.3, 4.6)]
        + ["segmentation"],
        "slice_domain": "crop",
        "catalogue": {
            "name": "nircam",
            "id": "id",
            "ra": "ra",
            "dec": "dec",
            "keep": "flux_1 > 20",
        },
        "verdict": {"radius": "1.98 arcsec", "near": "2.75 arcsec"},
    }
    images, catalogues = real / "images", real / "catalogues"
    study.images = [
        {
            "image": "uds1",
            "filter": "F770W",
            "i2d": images / "mophongo_uds1_f770w_80mas_sci.fits",
            "wht": images / "mophongo_uds1_f770w_80mas_wht.fits",
            "catalogue": catalogues / "mophongo_uds1_photometry_a.cat",
        }
    ]
    done = study.run()
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(study.results / "tables" / "table3.csv").set_index("method")
    assert (table["sources"] == 94).all()
    assert not table["simulated"].any()
    assert table.loc["value_4.6", "success"] > table.loc["value_0.3", "success"]
    with fits.open(study.results / "masks" / "uds1" / "value_4.6.fits") as hdus:
        mask = hdus["MASK"].data > 0
    weight = fits.getdata(images / "mophongo_uds1_f770w_80mas_wht.fits")
    assert abs(mask.sum() - 0.046 * (weight > 0).sum()) <= 1
    assert not mask[weight == 0].any()
    assert "SIMULATED" not in (study.results / "tables" / "table3.md").read_text()
    statistics = pd.read_csv(study.results / "tables" / "table2.csv")
    assert np.isclose(statistics["median"].item(), 0, atol=0.01)  # MJy/sr; the unit was converted
