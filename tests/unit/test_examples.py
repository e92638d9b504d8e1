"""The examples of the pages run, as they stand there, on a small image."""

import ast
import re
import shlex
from importlib import import_module
from shutil import copy

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table
from conftest import ROOT, make_image
from mirimask.command.run import main
from study.schema import complete

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LARGE = ("jwst", "stpipe", "gwcs")  # optional
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    """The code of a page in a language, one block after another."""
    for margin, name, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if name == language:
            yield re.sub(rf"^{margin}", "", text, flags=re.MULTILINE)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that examples name, and where they write."""
    make_image(tmp_path, "A", seed=1)
    image = (tmp_path / "A_i2d.fits").read_bytes()
    for name in ("i2d.fits", "jw..._i2d.fits", "images/A_i2d.fits"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(image)
    table = Table.read(tmp_path / "A.ecsv")
    table.rename_columns(["objID", "RAJ2000", "DEJ2000"], ["id", "ra", "dec"])
    table.write(tmp_path / "sources.csv")
    (tmp_path / "catalogues").mkdir()
    study = tmp_path / "results" / "simulated"
    (study / "frame").mkdir(parents=True)
    (study / "masks" / "Img1").mkdir(parents=True)
    sky = fits.getdata(tmp_path / "i2d.fits", "SCI")
    planes = {"frame/Img1": {"SCI": sky, "EMPTY": np.zeros(sky.shape, np.uint8)}}
    planes["masks/Img1/recommended"] = {"MASK": (sky > np.percentile(sky, 90)).astype(np.uint8)}
    for name, arrays in planes.items():
        hdus = [fits.ImageHDU(array, name=key) for key, array in arrays.items()]
        fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(study / f"{name}.fits")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["example", "0", "1"])  # of a job array
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if list(blocks(page, "python"))])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_python_of_a_page_runs(page, folder):
    made = {}
    for code in blocks(page, "python"):
        try:
            exec(compile(code, page.name, "exec"), made)
        except ModuleNotFoundError as missing:
            if missing.name not in LARGE:
                raise
            pytest.skip(f"{missing.name} is not installed")
    for name in ("mask", "labels"):
        assert np.any(made.get(name, True)), name


def test_the_first_steps_in_python(folder, capsys):
    test_the_python_of_a_page_runs(ROOT / "docs" / "first-steps.md", folder)
    said = capsys.readouterr().out
    assert re.match(r"\d+\.\d% masked, the mean of the sky is 6\.0\d MJy/sr\n", said)
    assert "point_abmag" in said
    assert re.search(r"^success +\d", said, re.MULTILINE)
    assert "'recomended' is not a mask method" in said


def test_a_job_array_writes_its_catalogues(folder):
    test_the_python_of_a_page_runs(ROOT / "docs" / "scaling.md", folder)
    table = Table.read(folder / "catalogues" / "A_i2d.ecsv")
    assert len(table) > 5
    assert not list(folder.glob("catalogues/*.part"))


def test_the_first_steps_in_a_shell(folder):
    """Each line that begins with mirimask, in order; a table of sources as a person has it."""
    page = ROOT / "docs" / "first-steps.md"
    lines = [line for code in blocks(page, "sh") for line in code.splitlines()]
    typed = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("mirimask")]
    assert len(typed) > 5
    for words in typed:
        if "--help" not in words:
            assert main(words) == 0, words
    for name in ("mask.fits", "mask.reg", "top.fits", "segm.fits", "labels.fits", "found.ecsv"):
        assert (folder / name).stat().st_size, name


@pytest.mark.parametrize("page", [*PAGES, ROOT / "config" / "README.md"])
def test_the_settings_of_a_page_are_settings(page):
    for text in blocks(page, "yaml"):
        complete(yaml.safe_load(text))


def test_the_study_of_own_images_can_be_typed(study):
    """Its table and its settings, with the files that they name: the run is planned."""
    page = ROOT / "docs" / "own-images.md"
    (table,) = (text for text in blocks(page, "") if text.startswith("image\t"))
    (settings,) = blocks(page, "yaml")
    (study.folder / "my_images.tsv").write_text(table)
    (study.folder / "data").mkdir()
    study.config = yaml.safe_load(settings)
    columns = study.config["catalogue"]
    catalogue = Table.read(study.folder / "A.ecsv")
    catalogue.rename_columns(
        ["objID", "RAJ2000", "DEJ2000"], [columns[key] for key in ("id", "ra", "dec")]
    )
    head, *lines = table.splitlines()
    for line in lines:
        row = dict(zip(head.split("\t"), line.split("\t"), strict=False))
        for name in filter(lambda cell: "/" in cell, row.values()):
            if name.endswith("csv"):
                catalogue.write(study.folder / name)
            else:
                copy(study.folder / "A_i2d.fits", study.folder / name)
                fits.setval(study.folder / name, "FILTER", value=row["filter"])
            if name == row.get("segm"):
                with fits.open(study.folder / name, mode="update") as hdus:
                    hdus["SCI"].data = np.zeros(hdus["SCI"].shape, np.uint32)
    done = study.run(options=["--dry-run", "--quiet", "rules"])
    assert done.returncode == 0, done.stdout
    assert re.search(r"import_local +2\n", done.stdout), done.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda p: p.stem)
def test_what_a_benchmark_takes_from_the_library_is_there(path):
    """They run for an hour, and no other test runs them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mirimask"):
            library = import_module(node.module)
            assert [name.name for name in node.names if not hasattr(library, name.name)] == []
