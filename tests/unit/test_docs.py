"""What the pages say of the project's files: every path, module and link of theirs is there."""

import re
import runpy
from functools import cache

import pytest
from conftest import ROOT
from study.walls import modules

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *(page for page in ROOT.glob("*.md") if page.name != "CHANGELOG.md"),  # tells what was
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "config").glob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
        *(ROOT / "tests").rglob("*.md"),
    )
)
FOLDERS = "benchmarks|config|docs|envs|profiles|tests|workflow"
# a path from the project's own folder, or the name or end of one that is code
PATH = re.compile(rf"(?<![\w./>-])(?:(?:{FOLDERS})/[\w./*-]*[\w*/]|[\w/]*\w\.(?:py|smk))(?![\w<])")
MODULE = re.compile(r"(?<![\w./])(mirimask(?:\.[a-z_]\w*)+)")
# a command, at the beginning of a line or quoted, with settings before the target or without
MAKE = re.compile(r"(?:^|`)make (?:[A-Z_]+=\S+ )*([a-z-]+)(?=`|\s*$|\s+#|\s[A-Z_]+=)", re.M)


@cache
def targets():
    return re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


@cache
def project():
    left_out = {".venv", ".venv-jwst", ".git", ".snakemake", "results", "__pycache__"}
    return [
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*")
        if not left_out & set(path.relative_to(ROOT).parts)
    ]


def is_there(path):
    path = path.rstrip("/")
    return any(ROOT.glob(path)) or any(name.endswith(f"/{path}") for name in project())


def is_module(name):
    """Whether it is a module or a package, or a name in one."""
    above, _, last = name.rpartition(".")
    if name in modules():
        return True
    return above in modules() and bool(
        re.search(rf"\b{last}\b", modules()[above].read_text(encoding="utf-8"))
    )


def wrong(text, folder):
    """What a page names of the project and is not there."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target and not (folder / target).exists():
            yield f"link to {target}"
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"https?://\S+", "", text)
    yield from (f"path {path}" for path in PATH.findall(text) if not is_there(path))
    yield from (f"module {name}" for name in MODULE.findall(text) if not is_module(name))
    yield from (f"make {name}" for name in MAKE.findall(text) if name not in targets())


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page):
    path = ROOT / page
    assert list(wrong(path.read_text(encoding="utf-8"), path.parent)) == []


@pytest.mark.parametrize(
    "text",
    [
        "see [slices](../workflow/mirimask/slices_gone.py)",
        "`workflow/scripts/gone.py`",
        "`python benchmarks/gone.py --all`",
        "the rules in `workflow/rules/gone.smk`",
        "`study/gone.py` has it",
        "`gone.py` too",
        "`mirimask.gone.thing`",
        "run `make COUNT=3 gone`",
        "`mirimask.masks.make.gone_function`",
    ],
)
def test_what_is_gone_is_found(text):
    assert len(list(wrong(text, ROOT / "docs"))) == 1
    assert not list(wrong("`workflow/scripts/job.py`, `mirimask.masks.make.make_mask`", ROOT))


def test_the_picture_of_the_floors_is_that_of_the_table():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = runpy.run_path(str(ROOT / "docs" / "floors.py"))["drawn"]()
    assert f"```\n{drawn}```\n" in page, "make floors draws it again"
