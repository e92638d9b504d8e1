"""Files for other software as the study makes them, and the example of their page."""

import re
import subprocess
import sys

import numpy as np
from astropy.io import fits
from astropy.table import Table
from conftest import ROOT
from regions import Regions


def _targets(*methods, forms=("labels/{}.fits", "catalogue/{}.ecsv", "regions/{}.reg")):
    return [
        f"results/small/{form.replace('/', f'/{image}/').format(method)}"
        for form in forms
        for method in methods
        for image in "AB"
    ]


def test_products_of_a_study(again):
    methods = ["recommended", "segmentation"]
    assert again.run(*_targets(*methods)).returncode == 0
    for method in methods:
        labels = fits.getdata(again.results / f"labels/A/{method}.fits", "SCI")
        mask = fits.getdata(again.results / f"masks/A/{method}.fits", "MASK")
        table = Table.read(again.results / f"catalogue/A/{method}.ecsv")
        verdicts = Table.read(again.results / f"verdicts/A/{method}.csv")
        np.testing.assert_array_equal(labels > 0, mask > 0)
        assert list(table["label"]) == list(np.unique(labels[labels > 0]))
        assert table.meta["catalogue"] == "unwise"
        regions = Regions.read(again.results / f"regions/A/{method}.reg")
        tags = [region.meta["tag"] for region in regions]
        assert tags.count(["label"]) == len(table) > 2
        assert [tag[1] for tag in tags if tag[0] == "source"] == list(verdicts["verdict"])
    own = fits.getdata(again.results / "archive/A/segm.fits", "SCI")
    np.testing.assert_array_equal(labels, own)

    # only what changed is made again
    again.config["verdict"] = {"radius": "20 px"}
    assert again.planned(*_targets("recommended")) == {"verdicts": 2, "export_mask": 2}
    # regions have the verdicts that Table 3 counts
    again.config["verdict"] = {"scorer": "pixels"}
    assert again.planned(*_targets("recommended")) == {"export_mask": 2}
    assert again.run(*_targets("recommended")).returncode == 0
    regions = Regions.read(again.results / "regions/A/recommended.reg")
    tags = [tag[1] for tag in (region.meta["tag"] for region in regions) if tag[0] == "source"]
    verdicts = Table.read(again.results / "verdicts/A/recommended.csv")
    assert tags == list(verdicts["verdict_pixels"])
    assert tags != list(verdicts["verdict"])
    again.config.pop("verdict")
    edited = again.folder / "workflow" / "mirimask" / "export" / "photometry.py"
    edited.write_text(edited.read_text() + "\n# edited\n")
    assert again.planned(*_targets(*methods)) == {"export_mask": 4}
    assert again.planned(*_targets("value_3", *methods)) == {
        "slice": 2,
        "verdicts": 2,
        "export_mask": 6,
    }

    # the example of the page runs as it stands there
    page = (ROOT / "docs" / "products.md").read_text()
    (example,) = re.findall(r"```python\n(from astropy.*?)```", page, re.DOTALL)
    example = example.replace("results/simulated", "results/small").replace("Img1", "A")
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=again.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"sources is [+-]\d\.\d{3} MJy/sr higher", done.stdout)


def test_columns_of_the_page_are_those_of_the_catalogue():
    from mirimask.export.photometry import _COLUMNS

    page = (ROOT / "docs" / "products.md").read_text()
    rows = page.partition("| column |")[2].partition("\n\n")[0].splitlines()[2:]
    named = []
    for row in rows:
        names = re.findall(r"`(\w+)`", row.split("|")[1])
        named += [names[0] + name if name.startswith("_") else name for name in names]
    assert sorted(named) == sorted(_COLUMNS)
