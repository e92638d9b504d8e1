"""`snakemake products`: masks, their files, a page; nothing of the paper's."""

import json

import pandas as pd
from astropy.io import fits
from mirimask.image.product import sha256


def test_masks_their_files_and_a_page(study):
    with fits.open(study.folder / "A_i2d.fits", mode="update") as hdus:
        hdus["ERR"].data[:] = float("nan")  # of which the import warns
    study.config["products"] = {"methods": ["recommended"]}
    done = study.run("products")
    assert done.returncode == 0, done.stdout
    results = study.results
    for code in "AB":
        for name in ("masks/{}/recommended.fits", "labels/{}/recommended.fits"):
            assert (results / name.format(code)).is_file()
        assert (results / f"regions/{code}/recommended.reg").is_file()
        assert (results / f"overview/{code}.png").is_file()
        row = json.loads((results / f"overview/{code}.json").read_text())
        labels = fits.getdata(results / f"labels/{code}/recommended.fits", "SCI")
        assert row["n_sources"] == len(set(labels[labels > 0].tolist())) > 0
        false = pd.read_csv(results / f"overview/false/{code}.csv")
        assert list(false["method"]) == ["cores"]
    # nothing of the paper's: no slice, no table, no figure
    assert {path.name for path in (results / "masks/A").iterdir()} == {
        *("recommended.fits", "cores.fits")
    }
    for absent in ("tables", "figures", "evaluation", "gradient", "index.html"):
        assert not (results / absent).exists()
    page = (results / "products.html").read_text()
    assert "ERR is above 0 nowhere" in page
    assert "ERR is above 0 nowhere" in (results / "warnings.md").read_text()
    # the run says a line a job, what there is, and the warning
    lines = done.stdout.splitlines()
    assert any(line.endswith("] A recommended: verdicts") for line in lines)
    assert "[100 %] products" in lines
    assert any("results/small/products.html" in line for line in lines)
    assert any("all in results/small/warnings.md" in line for line in lines)
    assert study.planned("products") == {}
    # the manifest is of a person's own files
    listed = pd.read_csv(results / "manifest.tsv", sep="\t").set_index(["image", "product"])
    path = study.folder / "A_i2d.fits"
    row = listed.loc["A", "i2d"]
    assert (row["bytes"], row["sha256"]) == (path.stat().st_size, sha256(path))
    # the page follows a whole run too, for one that asked for it once may look at it
    assert "products_page" not in study.planned()
    study.config["leave_out"] = ["B"]
    assert study.planned()["products_page"] == 1


def test_what_each_target_is_for_is_said(study):
    said = study.run(options=["--list-rules"]).stdout
    for target in ("all", "products", "survey", "side_by_side", "simulated_archive", "claims"):
        assert f"\n{target} (" in f"\n{said}", target
