"""`pip install .`: what is in the package, what it needs, and that nothing of it stays behind."""

import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import mirimask
import numpy as np
import pytest
from astropy.io import fits
from conftest import ROOT, make_image
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LIBRARY = ROOT / "workflow" / "mirimask"


def run(*command, **options):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel made from a copy of the project's files, and what git says of the copy after it."""
    folder = tmp_path_factory.mktemp("package")
    copy = folder / "mirimask"
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git repository: which files are the project's is not known")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    run("git", "init", "--quiet", copy)
    run("git", "-C", copy, "add", "--all")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    run(*pip, "--no-index", "--disable-pip-version-check", "--wheel-dir", folder / "wheels", copy)
    (wheel,) = (folder / "wheels").iterdir()
    return wheel, run("git", "-C", copy, "status", "--porcelain").splitlines()


@pytest.fixture(scope="module")
def metadata(built):
    with zipfile.ZipFile(built[0]) as wheel:
        (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_bytes(wheel.read(name))


def test_nothing_is_left_in_the_project(built):
    assert [line for line in built[1] if not line.startswith("A ")] == []


def test_metadata(metadata):
    assert metadata["Name"] == "mirimask"
    assert metadata["Version"] == mirimask.__version__
    assert metadata["Author"] == "The mirimask developers"
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Paper, https://arxiv.org/abs/2401.15779" in metadata.get_all("Project-URL")
    assert "Topic :: Scientific/Engineering :: Astronomy" in metadata.get_all("Classifier")
    assert metadata["Description-Content-Type"] == "text/markdown"
    text = metadata.get_payload(decode=True).decode()
    assert text.strip() == (ROOT / "README.md").read_text(encoding="utf-8").strip()


def test_every_module_and_every_file_of_data_is_in_it(built):
    with zipfile.ZipFile(built[0]) as wheel:
        inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    folders = (LIBRARY, LIBRARY.parent / "snakemake_logger_plugin_mirimask")
    found = (path for folder in folders for path in folder.rglob("*.*"))
    files = {path for path in found if path.parent.name != "__pycache__"}
    assert inside == {path.relative_to(LIBRARY.parent).as_posix() for path in files}
    assert "mirimask/report/templates/index.html" in inside


def required(metadata, extra=""):
    """The distributions that the package asks for with an extra, and what they ask for, and so on.

    None where one of them is not installed here.
    """
    names, new = set(), [Requirement(text) for text in metadata.get_all("Requires-Dist")]
    extras = {"mirimask": extra}
    new = [need for need in new if not need.marker or need.marker.evaluate({"extra": extra})]
    while new:
        need = new.pop()
        name = canonicalize_name(need.name)
        if name in names:
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:
            return None
        assert need.specifier.contains(found.version, prereleases=True), need
        names.add(name)
        extras[name] = need.extras
        for text in found.requires or ():
            more = Requirement(text)
            asked = [{"extra": one} for one in (*need.extras, "")]
            if not more.marker or any(more.marker.evaluate(one) for one in asked):
                new.append(more)
    return names


def linked(folder, names):
    """A folder with the packages of these distributions and no others."""
    folder.mkdir()
    for name in names:
        files = distribution(name).files
        for top in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
            if not (folder / top).exists():
                (folder / top).symlink_to(distribution(name).locate_file(top))
    return folder


def modules_of(*packages):
    """The names of the modules in these packages; '' for those in none."""
    for package in packages:
        for path in sorted((LIBRARY / package).glob("*.py")):
            if path.stem not in ("__main__", "__init__"):
                yield ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts)


def test_the_command_in_an_empty_environment(built, metadata, tmp_path):
    """With what the package asks for and nothing else: all that a person types works."""
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    packages = Path(run(python, "-c", "import site; print(site.getsitepackages()[0])").strip())
    (packages / "needed.pth").write_text(str(linked(tmp_path / "needed", required(metadata))))
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", built[0])

    def typed(*arguments):
        return run(python.with_name("mirimask"), *arguments, cwd=tmp_path, env={"PATH": ""})

    make_image(tmp_path, "A", seed=1)
    assert "Source masks for JWST MIRI images" in typed("--help")
    typed("mask", "A_i2d.fits", "-o", "mask.fits", "--labels", "labels.fits")
    mask = fits.getdata(tmp_path / "mask.fits", "MASK")
    assert mask.shape == fits.getdata(tmp_path / "A_i2d.fits", "SCI").shape
    assert 0 < mask.sum() < 0.5 * mask.size
    assert np.array_equal(fits.getdata(tmp_path / "labels.fits", "SCI") > 0, mask > 0)
    told = typed("score", "A_i2d.fits", "A.ecsv")
    assert "recommended: " in told
    assert "segmentation: " in told


@pytest.mark.parametrize(
    ("extra", "packages"),
    [
        ("", ["", "image", "sources", "masks", "evaluation", "export", "command"]),
        *((name, [name]) for name in ("archive", "figures", "report", "simulation")),
    ],
)
def test_a_package_imports_with_what_its_extra_asks_for(built, metadata, tmp_path, extra, packages):
    folder = linked(tmp_path / "needed", required(metadata, extra))
    code = f"import {', '.join(modules_of(*packages))}"
    if extra == "report":
        code += "; print(mirimask.report.page._environment().list_templates())"
    told = run(
        *(sys.executable, "-S", "-c", code),
        cwd=tmp_path,
        env={"PYTHONPATH": f"{folder}:{built[0]}"},
    )
    assert ("'index.html'" in told) == (extra == "report")


def test_the_example_of_the_library_runs_and_every_name_is_explained(tmp_path, monkeypatch):
    page = mirimask.__doc__
    lines = [line[4:] for line in page.splitlines() if line.startswith("    ")]
    make_image(tmp_path, "A", seed=1)
    (name,) = re.findall(r'open_image\("(.*)"\)', page)
    (tmp_path / "A_i2d.fits").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    made = {}
    exec("\n".join(lines), made)
    assert made["mask"].shape == made["labels"].shape == made["image"].data.shape
    assert made["mask"].any()
    assert np.array_equal(made["labels"] > 0, made["mask"])
    unnamed = [name for name in mirimask._HOMES if f"`{name}`" not in page]
    assert not unnamed


def test_the_step_without_the_pipeline_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "jwst", None)
    monkeypatch.setitem(sys.modules, "jwst.stpipe", None)
    monkeypatch.delitem(sys.modules, "mirimask.pipeline.step", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'mirimask\[jwst\]'"):
        mirimask.SourceMaskStep  # noqa: B018


def test_the_extra_that_is_too_large_to_install(metadata):
    assert set(metadata.get_all("Provides-Extra")) == {
        *("archive", "s3", "figures", "report", "simulation", "jwst")
    }
    assert any(text.startswith("jwst") for text in metadata.get_all("Requires-Dist"))
