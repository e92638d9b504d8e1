"""What the pages say of the project: every path, module, link, rule, method, setting is there."""

import re
import runpy
import shlex
from contextlib import suppress
from functools import cache

import mirimask
import pytest
import yaml
from conftest import ROOT
from mirimask.command.parser import parser
from packaging.requirements import Requirement
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
# a setting, the dots of its name from the outside in
SETTINGS = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())["properties"]
KEY = re.compile(
    rf"(?:{'|'.join(SETTINGS)})(?:\.(?!csv|ecsv|fits|html|md|png|py|smk|tsv|yaml)[a-z_*]+)+"
)
# what pages name of other programs, and examples of names of one's own
OF_OTHERS = {"my_images", "sacct", "sourcesegm", "tmux", "zscale", "TMPDIR", "e5"}
TAKE_ONE = {"--cores", "--workflow-profile", "--report", "--set-resources", "--resources"}
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


@cache
def words():
    """Every word of the project's code, settings and names of files."""
    folders = ("workflow", "config", "profiles", "benchmarks", "tests", "envs", ".github", ".ci")
    found = set(OF_OTHERS)
    for path in [
        ROOT / "Makefile",
        *(file for name in folders for file in (ROOT / name).rglob("*")),
    ]:
        if path.is_file() and path.suffix not in (".md", ".pyc", ".png", ".lock"):
            found.update(re.findall(r"\w+", path.name))
            if path.name != "test_docs.py":
                found.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return found


def is_name(name):
    """Whether code or settings know it; of a method at a level (value_4, value_P), the method."""
    return name in words() or re.sub(r"_(?:\d+|[pP])$", "", name) in words()


@cache
def schema(name):
    return yaml.safe_load((ROOT / "workflow" / "schemas" / name).read_text(encoding="utf-8"))


def is_setting(key):
    """Whether the schema has it; * is any name, and at the end all."""
    node = schema("config.schema.yaml")
    for part in key.removesuffix(".*").split("."):
        if "$ref" in node:
            file, _, name = node["$ref"].partition("#/$defs/")
            node = schema(file or "config.schema.yaml")["$defs"][name]
        own = node.get("properties", {})
        node = own[part] if part in own else node.get("additionalProperties")
        if not isinstance(node, dict):
            return False
    return True


@cache
def rules():
    text = "".join(path.read_text() for path in (ROOT / "workflow").rglob("*.smk"))
    return {"all", *re.findall(r"^(?:rule|checkpoint) (\w+)", text, re.MULTILINE)}


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
    text = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.MULTILINE | re.DOTALL)
    # what a page would not show: a browser takes it for a tag
    shown = re.sub(r"`[^`]*`|^    .*$", "", text, flags=re.MULTILINE)
    yield from (f"tag {tag}, without backquotes" for tag in re.findall(r"<[a-z]\w*>", shown))
    for quoted in re.findall(r"`([^`\n]+)`", text):
        names = re.findall(r"[A-Za-z]\w+", re.sub(r"<\w+>", "", quoted))
        yield from (f"name {name}" for name in names if not is_name(name))
        if KEY.fullmatch(quoted) and not is_setting(quoted):
            yield f"setting {quoted}"


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page):
    path = ROOT / page
    assert list(wrong(path.read_text(encoding="utf-8"), path.parent)) == []


def commands(page, program):
    """The words of each command of a page: a line of its own, or quoted."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    path = rf"(?:\S*/)?{program}"
    lines = re.findall(rf"^ *(?:{path})( [^`\n]*)$", text, re.MULTILINE)
    for words in [*lines, *re.findall(rf"`{path}( [^`\n]+)`", text)]:
        yield shlex.split(words, comments=True)


@pytest.mark.parametrize("page", PAGES)
def test_the_command_line_knows_what_a_page_types(page, capsys):
    """Subcommands, options and their values; a command in the text may leave out the image."""
    for words in commands(page, "mirimask"):
        said = what_is_said_of(words, capsys)
        open_ended = "COMMAND" in words or "arguments are required" in said
        assert not said or open_ended, (words, said)


def what_is_said_of(words, capsys):
    """What the command line answers to wrong usage; '' where it is right."""
    with suppress(SystemExit):
        parser().parse_args(words)
    return capsys.readouterr().err


@pytest.mark.parametrize("page", PAGES)
def test_what_snakemake_is_asked_for_is_a_rule_or_a_result(page):
    for words in commands(page, "snakemake"):
        asked = list(targets_of(words))
        unknown = [name for name in asked if name not in rules()]
        assert all(re.match(r"results/|\W", name) for name in unknown), (words, unknown)


def targets_of(words):
    values = 0
    for word in words:
        if word.startswith("-"):
            values = {"--configfile": 99, "--config": 99}.get(word, int(word in TAKE_ONE))
        elif values:
            values -= 1
        else:
            yield word


def test_the_api_page_has_every_public_name():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\.\. auto(?:function|class|exception):: (\w+)$", page, re.MULTILINE)
    assert sorted(shown) == sorted(mirimask._HOMES)


def test_the_page_of_modules_begins_with_every_package_and_module():
    page = (ROOT / "docs" / "modules.md").read_text(encoding="utf-8")
    top = runpy.run_path(str(ROOT / "docs" / "floors.py"))["top"]()
    assert f":recursive:\n\n{top}```" in page, "make floors lists them again"


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
        "the rule `gone_rule` makes it",
        "`methods: [value_1, gone_method_2.5]`",
        "set `evaluation.gone`",
        "see masks/<image>/cores.fits",
    ],
)
def test_what_is_gone_is_found(text):
    assert list(wrong(text, ROOT / "docs"))
    assert not list(wrong("`workflow/scripts/job.py`, `mirimask.masks.make.make_mask`", ROOT))


def test_the_picture_of_the_floors_is_that_of_the_table():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = runpy.run_path(str(ROOT / "docs" / "floors.py"))["drawn"]()
    assert f"```\n{drawn}```\n" in page, "make floors draws it again"


def test_the_environment_for_conda_has_the_versions_of_the_lock():
    """Of the Python that it names; the lock has other versions for a newer one."""
    asked = yaml.safe_load((ROOT / "envs" / "environment.yaml").read_text())["dependencies"]
    asked = dict(one.replace("snakemake-minimal", "snakemake").split("=") for one in asked)
    python = asked.pop("python")
    lock = (ROOT / "envs" / "requirements.lock").read_text(encoding="utf-8")
    pinned = [Requirement(line.rstrip(" \\")) for line in lock.splitlines() if line[:1].isalnum()]
    versions = {
        one.name: str(one.specifier).removeprefix("==")
        for one in pinned
        if not one.marker
        or one.marker.evaluate({"python_version": python, "python_full_version": f"{python}.9"})
    }
    for name, version in asked.items():
        assert f"{versions[name]}.".startswith(f"{version}."), name
    needed = (ROOT / "envs" / "requirements.in").read_text(encoding="utf-8")
    needed = {
        Requirement(line.partition("#")[0]).name
        for line in needed.splitlines()
        if line[:1].isalnum()
    }
    assert needed - set(asked) <= {"setuptools"}


def test_every_file_of_the_workflow_is_listed_for_who_deploys_it():
    listed = runpy.run_path(str(ROOT / "docs" / "floors.py"))["listed"]()
    assert (ROOT / "workflow" / "files.txt").read_text(encoding="utf-8") == listed, "make floors"


def test_a_hook_of_the_pipeline_is_given_as_a_list():
    """`strun` refuses a name without a comma; tests/pipeline runs the line where jwst is."""
    texts = [ROOT / page for page in PAGES] + [ROOT / "workflow/mirimask/pipeline/step.py"]
    hooks = [
        hook for path in texts for hook in re.findall(r'post_hooks="([^"]*)"', path.read_text())
    ]
    assert len(hooks) >= 4
    assert set(hooks) == {"mirimask.SourceMaskStep,"}
