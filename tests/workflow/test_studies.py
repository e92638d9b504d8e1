"""The main job: the simulated study, the paper study from a served archive, and the real image."""

import os

import numpy as np
import pandas as pd
import pytest
import yaml
from archive.server import serve
from astropy.io import fits
from conftest import QUICK, ROOT, Study
from mirimask.evaluation.curves import compare_curves, with_all
from mirimask.image.background import smoothed
from mirimask.image.files import read_crop
from mirimask.masks.inverse import rest_of

FIGURES = [
    f"{name}.{form}"
    for name in ("figure1", "figure2", "figure3", "figure4/Img3", "figure5/Img3")
    for form in ("png", "pdf")
]
TABLES = [f"table{number}.{form}" for number in (1, 2, 3) for form in ("csv", "md", "tex")]
# what the paper's claims are answered with
SWEPT = ["value", "derivative", "segmentation"]
PAPER = [
    *(f"value_{percent}" for percent in (0.3, 1, 4.6)),
    *(f"derivative_{percent}" for percent in (0.3, 4.6, 10)),
    "segmentation",
]
CLAIMS = [f"C{number}" for number in range(1, 15)]


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


def test_verdicts_and_the_recommended_mask_by_the_truth(fields):
    """The bars of the automatic verdict and of the recommended mask, on each of the seven fields.

    The stars of the curves are as usual; only the curves of the two masks compared are made.
    """
    fields.config["evaluation"] = {"curve_families": ["segmentation", "cores"]}
    curves = [f"results/simulated/evaluation/curves/{row['image']}.csv" for row in fields.images]
    done = fields.run("results/simulated/evaluation/agreement.csv", *curves)
    assert done.returncode == 0, done.stdout
    judged = pd.read_csv(fields.results / "evaluation" / "agreement.csv")
    everything = judged.query("method == 'All'").set_index("image").loc["All"]
    # an eye does not see small spots, so it misses what is marked; what it sees is there
    assert everything["false_success"] <= 0.01 * everything["sources"]
    assert everything["missed_success"] > 10 * everything["false_success"]
    assert everything["agreement"] >= 0.8

    swept = pd.concat(pd.read_csv(fields.folder / curve) for curve in curves)
    table = with_all(swept, [row["image"] for row in fields.images])
    compared = compare_curves(
        table, rates=[], areas=[], draws=QUICK["bootstrap"], rng=np.random.default_rng(1)
    )
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
            "evaluation": QUICK | {"methods": PAPER, "curve_families": SWEPT, "stars_at_once": 20},
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
    assert list(claims["id"]) == CLAIMS
    assert "SIMULATED" in (study.results / "claims.md").read_text()
    assert fields.planned("results/simulated/claims.md")["claims"] == 1  # with the truth besides

    # the archive's way in changes nothing: the same table as from the fields themselves, and of
    # an image from its files
    done = fields.run("results/simulated/tables/table3.csv")
    assert done.returncode == 0, done.stdout
    simulated = pd.read_csv(fields.results / "tables" / "table3.csv")
    pd.testing.assert_frame_equal(simulated, table3, check_like=True)
    study.config = {
        "study": "direct",
        "images": "images.tsv",
        "published": None,
        "archive": {"source": "local"},
    }
    archive = fields.results / "archive" / "Img2"
    study.images = [
        {
            "image": "Img2",
            "filter": "F770W",
            "i2d": archive / "i2d.fits",
            "segm": archive / "segm.fits",
            "catalogue": archive / "unwise.ecsv",
        }
    ]
    done = study.run("results/direct/tables/table3.csv")
    assert done.returncode == 0, done.stdout
    direct = pd.read_csv(study.results / "tables" / "table3.csv")
    expected = table3[table3["image"] == "Img2"].reset_index(drop=True)
    pd.testing.assert_frame_equal(direct, expected, check_like=True, check_dtype=False)


def test_the_simulated_study(fields):
    """All that `make study` makes of a quiet and of a crowded field; the claims are of seven."""
    study = Study(fields.folder)
    study.config = fields.config | {"evaluation": QUICK | {"stars_at_once": 20}}
    study.images = [row for row in fields.images if row["image"] in ("Img3", "Img7")]
    report = ["--report", "results/simulated/report.zip", "--report-after-run"]  # as make study
    done = study.run(options=report)
    assert done.returncode == 0, done.stdout
    results = study.results
    for name in ("index.html", "browser.html", "report.zip", "evaluation/README.md"):
        assert (results / name).stat().st_size > 1000, name
    for name in ("tables/table3.md", "tables/table3.tex", "evaluation/README.md"):
        assert "SIMULATED" in (results / name).read_text(), name
    assert not (results / "comparison").exists()
    assert "Nothing to be done" in study.run().stdout


def test_the_real_image(real, tmp_path):
    """Sizes in arcseconds, SCI in the PRIMARY, weight apart, no segm, a plain text catalogue.

    The whole of a study of it runs in tests/real/test_own_study.py.
    """
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
    done = study.run(*(f"results/uds1/tables/{name}" for name in TABLES))
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
