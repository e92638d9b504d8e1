"""Only what changed recomputes: the exact jobs that a change leads to."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from conftest import make_image


def test_nothing_changed_nothing_runs(again):
    done = again.run(options=["--dry-run"])
    assert "Nothing to be done" in done.stdout, done.stdout
    assert "cach" not in done.stdout  # where no cache is wanted, no word of it at each start


def test_touched_but_unchanged_files(again):
    for path in (again.folder / "A_i2d.fits", again.results / "archive" / "A" / "i2d.fits"):
        os.utime(path)
    assert again.planned() == {}


def test_an_own_image_too_large_for_checksums_is_touched(again):
    """Its content is a parameter of the import: a date alone changes nothing."""
    os.utime(again.folder / "A_i2d.fits")
    done = again.run(options=["--dry-run", "--max-checksum-file-size", "1000"])
    assert "Nothing to be done" in done.stdout, done.stdout


def test_own_files_replaced_by_older_ones(again):
    """As `cp -p`, `rsync -a` or an unpacked archive do; the other image stays."""

    def replaced(name, by):
        old = (again.folder / name).stat()
        os.replace(again.folder / by, again.folder / name)
        os.utime(again.folder / name, ns=(old.st_atime_ns, old.st_mtime_ns - 10**12))

    make_image(again.folder, "new", seed=5)
    frames = [again.results / "frame" / f"{image}.fits" for image in "AB"]
    targets = ["results/small/manifest.tsv"]
    targets += [f"results/small/frame/{image}.fits" for image in "AB"]
    before = [frame.read_bytes() for frame in frames]
    replaced("A_i2d.fits", "new_i2d.fits")
    assert again.planned(*targets) == {"import_local": 1, "manifest": 1, "crop": 1}
    replaced("B.ecsv", "new.ecsv")
    done = again.run(*targets)
    assert done.returncode == 0, done.stdout
    assert frames[0].read_bytes() != before[0]
    assert frames[1].read_bytes() == before[1]
    assert "new-0" in (again.results / "archive" / "B" / "unwise.ecsv").read_text()
    assert again.planned(*targets) == {}


def test_scores_by_eye_replaced_by_older_ones(again):
    """And what is no verdict among them is said."""
    text = "scorer,image,method,id,verdict\nEK,A,value_1,A-6,success\nEK,A,value_1,A-7,{}\n"
    mine, target = again.folder / "mine.csv", "results/small/by_eye/agreement.csv"
    mine.write_text(text.format("success"))
    again.config["by_eye"] = {"files": ["mine.csv"]}
    done = again.run(target)
    assert done.returncode == 0, done.stdout
    assert again.planned(target) == {}
    old = mine.stat()
    mine.write_text(text.format("maybe"))
    os.utime(mine, ns=(old.st_atime_ns, old.st_mtime_ns - 10**12))
    done = again.run(target)
    assert done.returncode != 0
    assert "mine.csv, row 3: 'maybe' is not a verdict" in done.stdout


def test_another_percentage(again):
    """The new slice in both domains, on both images; the figures that show it; Table 3."""
    again.config["methods"] = ["value_2", "derivative_4.6", "segmentation"]
    again.config["figures"]["figure5"] = ["value_2", "derivative_4.6"]
    jobs = again.planned("results/small/tables/table3.csv", *_figures(5))
    assert jobs == {"slice": 4, "verdicts": 4, "verdict_tables": 1, "figure5": 2}


def test_the_masks_of_a_figure_in_another_order(again):
    """The same files in another order are no change to Snakemake by themselves."""
    again.config["figures"]["figure4"].reverse()
    assert again.planned(*_figures(4)) == {"figure4": 2}


def test_another_radius(again):
    """No mask is made again; every verdict is, and what shows verdicts and circles."""
    again.config["verdict"] = {"radius": "20 px"}
    jobs = again.planned("results/small/tables/table3.csv", *_figures(4))
    assert jobs == {"verdicts": 10, "verdict_tables": 1, "figure4": 2}


def test_another_clutter_limit(again):
    again.config["clutter_limit"] = 0.1
    assert again.planned(*_tables(), *_figures(4)) == {"verdict_tables": 1}


def test_one_more_image(again):
    again.images.append(make_image(again.folder, "D", seed=7))
    jobs = again.planned(*_tables(), *_figures(4), "results/small/figures/figure4/D.png")
    assert jobs == {
        "import_local": 1,
        "manifest": 1,
        "crop": 1,
        "sources": 1,
        "peaks": 1,
        "gradient": 1,
        "slice": 4,
        "segmentation": 1,
        "verdicts": 5,
        "identity_tables": 1,
        "verdict_tables": 1,
        "figure4": 1,
    }


def test_a_new_mask_method_is_a_function_and_a_line(again):
    """As docs/how-to-add.md says; what was there is not made again."""
    masks = again.folder / "workflow" / "mirimask" / "masks"
    function = "def bright(data, empty, *, fwhm_px):\n    return data > 10\n"
    (masks / "own_masks.py").write_text(function)
    line = '    "bright": Method("bright pixels", "own_masks.bright", unit=""),\n'
    registry, start = masks / "registry.py", "METHODS: dict[str, Method] = {\n"
    registry.write_text(registry.read_text().replace(start, start + line))
    again.config["methods"] = ["value_1", "derivative_4.6", "bright", "segmentation"]
    targets = ["results/small/tables/table3.csv"]
    assert again.planned(*targets) == {"function_mask": 2, "verdicts": 2, "verdict_tables": 1}
    again.config["evaluation"] |= {"methods": ["bright", "segmentation"]}
    stars = "results/small/evaluation/injection/A.csv"
    done = again.run(*targets, stars)
    assert done.returncode == 0, done.stdout
    assert "bright" in set(pd.read_csv(again.folder / stars)["method"])
    with fits.open(again.results / "masks" / "A" / "bright.fits") as hdus:
        mask = hdus["MASK"].data > 0
    with fits.open(again.results / "frame" / "A.fits") as hdus:
        np.testing.assert_array_equal(mask, hdus["SCI"].data > 10)
    table = pd.read_csv(again.results / "tables" / "table3.csv")
    assert list(dict.fromkeys(table["method"])) == again.config["methods"]


def test_an_edited_library_module(again):
    """Snakemake does not see imported code: the parameter `code` does."""
    module = again.folder / "workflow" / "mirimask" / "sources" / "verdicts.py"
    module.write_text(module.read_text() + "\n# edited\n")
    jobs = again.planned("results/small/tables/table3.csv", *_figures(4))
    assert jobs == {"verdicts": 10, "verdict_tables": 1, "figure4": 2}


def test_an_edited_module_deep_below(again):
    """`thresholds` is used by the masks through `make`, and by nothing before them."""
    module = again.folder / "workflow" / "mirimask" / "masks" / "thresholds.py"
    module.write_text(module.read_text() + "\n# edited\n")
    jobs = again.planned("results/small/tables/table3.csv")
    assert jobs == {"slice": 8, "segmentation": 2, "verdicts": 10, "verdict_tables": 1}


def test_the_edited_module_of_a_method(again):
    """`slices` is imported by the registry's line: of the masks of that line alone it is code."""
    module = again.folder / "workflow" / "mirimask" / "masks" / "slices.py"
    module.write_text(module.read_text() + "\n# edited\n")
    jobs = again.planned("results/small/tables/table3.csv")
    assert jobs == {"slice": 8, "verdicts": 8, "verdict_tables": 1}


def test_results_do_not_depend_on_cores(finished, again):
    """B and all that is of both again on one core: the same bytes, of the pages too."""
    for path in again.results.rglob("*"):
        parts = path.relative_to(again.results).parts
        kept = parts[0] in ("archive", "simulation") or "A" in (*parts, path.stem)
        if path.is_file() and not kept:
            path.unlink()
    done = again.run(cores=1)
    assert done.returncode == 0, done.stdout
    files = [path for path in Path(finished.results).rglob("*") if path.is_file()]
    compared = 0
    for path in files:
        relative = path.relative_to(finished.results)
        if relative.parts[0] in ("logs", "report.zip"):
            continue
        assert (again.results / relative).read_bytes() == path.read_bytes(), relative
        compared += 1
    assert compared > 60


def _tables():
    return [f"results/small/tables/table{number}.csv" for number in (1, 2, 3)]


def _figures(number):
    return [f"results/small/figures/figure{number}/{image}.png" for image in "AB"]
