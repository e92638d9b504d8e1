"""The walls of the house: every import is one that the table in `study/walls.py` allows."""

import ast
from graphlib import TopologicalSorter
from importlib.util import resolve_name

import mirimask
import pytest
from mirimask.masks.registry import METHODS
from study import code
from study.walls import KNOW_THE_TRUTH, OUTSIDE, REACHES_NOTHING, WALLS, WORKFLOW, modules, room

HOMES = {name: f"mirimask.{home}" for name, home in mirimask._HOMES.items()}
# Who imports by a name that is made while it runs, and what: the face, the registry's methods, and
# the script that a rule names.
COMPUTED = {
    "mirimask": set(HOMES.values()),
    "mirimask.masks.method": {
        f"mirimask.masks.{method.file}" for method in METHODS.values() if method.function
    },
    "job": set(),
}


def text_of(node):
    """The text of a string as far as it stands in the code: `f"mirimask.masks.{x}"` to the dot."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) else ""


def written_imports(name, workflow=WORKFLOW):
    """(module or module.name, line) of what a module imports, wherever in it that stands."""
    path = modules(workflow)[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and name not in COMPUTED:
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__"):
                yield text_of(node.args[0]) or "a name that is not written there", node.lineno


def may_import(imported):
    """The packages that may import what is not the project's."""

    def begins(name):
        return imported == name or imported.startswith(f"{name}.")

    if not any(map(begins, REACHES_NOTHING)):
        for rooms, names in OUTSIDE.items():
            if any(map(begins, names.split())):
                return rooms
    return " ".join(WALLS) if not imported.startswith("a name") else "nobody"


def module_of(imported, own):
    """The module that a name is imported from, where it is an own one."""
    above, _, name = imported.rpartition(".")
    if imported not in own and above == "mirimask" and name in HOMES:
        return HOMES[name]  # through the face
    return above if imported not in own and above in own else imported


def broken_walls(workflow=WORKFLOW):
    """A sentence for each import that the table does not allow."""
    own, broken = modules(workflow), []
    for name, path in own.items():
        here = room(name, workflow)
        computed = ((module, 0) for module in COMPUTED.get(name, ()))
        for imported, line in [*written_imports(name, workflow), *computed]:
            if imported == "mirimask.__version__":
                continue
            module = module_of(imported, own)
            there = room(module, workflow)
            if there and there not in WALLS[here].split():
                reason = f"{here} may import {WALLS[here]}"
            elif not there and here not in may_import(module).split():
                reason = f"only {may_import(module)} may"
            else:
                continue
            broken.append(f"{path.relative_to(workflow)}:{line} imports {imported}: {reason}")
    return sorted(broken)


def speaks_of_truth(name, workflow=WORKFLOW):
    """The lines where a module's code, not its comments and docstrings, has the word."""
    for node in ast.walk(ast.parse(modules(workflow)[name].read_text(encoding="utf-8"))):
        words = (getattr(node, key, None) for key in ("id", "arg", "attr", "name", "value"))
        if any(isinstance(word, str) and word.lower() == "truth" for word in words):
            yield node.lineno


def test_no_import_goes_through_a_wall():
    broken = broken_walls()
    assert not broken, "\n".join(["", *broken])


def test_every_package_stands_in_the_table_and_no_two_import_each_other():
    assert {room(name) for name in modules()} == set(WALLS)
    assert len(modules()) > 130
    TopologicalSorter(
        {name: set(allowed.split()) - {name} for name, allowed in WALLS.items()}
    ).prepare()  # CycleError


def test_what_makes_and_judges_masks_knows_no_truth():
    above = {"simulation", "figures", "report", "study", "job", "scripts", "worker", "front"}
    speak = {name: list(speaks_of_truth(name)) for name in modules() if room(name) not in above}
    assert {name for name, lines in speak.items() if lines} <= KNOW_THE_TRUTH


def test_the_hashes_of_code_see_every_import():
    """`study/code.py` reads imports as text, for speed: the parser of Python finds the same."""
    for name in modules():
        imports = [imported for imported, _ in written_imports(name)]
        found = {*imports, *(imported.rpartition(".")[0] for imported in imports)} & set(modules())
        found |= {package for module in found for package in code._packages(module)}
        assert code._imports(name, WORKFLOW) == found - {"mirimask"}, name


HOUSE = {
    "mirimask/__init__.py": "__version__ = '1'\n",
    "mirimask/errors.py": "import os\n",
    "mirimask/image/frame.py": "import numpy\nfrom scipy import ndimage\nfrom ..errors import E\n",
    "mirimask/masks/make.py": "from urllib.parse import quote\nfrom mirimask.image import frame\n",
    "mirimask/sources/peaks.py": "from mirimask import __version__\n",
    "mirimask/evaluation/curves.py": "from mirimask.masks.make import make_mask\n",
    "mirimask/simulation/sky.py": "",
    "mirimask/figures/paper.py": "import matplotlib\nfrom mirimask.evaluation import curves\n",
    "mirimask/archive/network.py": "import requests\nimport urllib.request\n",
    "study/settings.py": "from mirimask.masks.make import make_mask\nfrom study import settings\n",
    "scripts/job.py": "import importlib\n",
    "scripts/make_mask.py": "from job import script\nfrom mirimask.masks.make import make_mask\n",
    "scripts/worker.py": "import make_mask\n",
}


def built(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("mirimask/errors.py", "from mirimask.image.frame import Frame"),
        ("mirimask/image/frame.py", "import study.settings"),
        ("mirimask/image/frame.py", "def f():\n    import make_mask"),
        ("mirimask/image/frame.py", "from snakemake.utils import validate"),
        ("mirimask/masks/make.py", "if TYPE_CHECKING:\n    from ..sources import peaks"),
        ("mirimask/masks/make.py", "from mirimask import locate_sources"),  # through the face
        ("mirimask/masks/make.py", "import mirimask"),
        ("mirimask/masks/make.py", "importlib.import_module(f'mirimask.sources.{name}')"),
        ("mirimask/masks/make.py", "import_module(name)"),
        ("mirimask/masks/make.py", "from urllib.request import urlopen"),
        ("mirimask/sources/peaks.py", "import requests as r"),
        ("mirimask/evaluation/curves.py", "from mirimask.figures.paper import save_figure"),
        ("mirimask/evaluation/curves.py", "from mirimask.simulation import sky"),
        ("mirimask/evaluation/curves.py", "from mirimask.archive.network import Archive"),
        ("mirimask/figures/paper.py", "from scipy.stats import norm"),
        ("mirimask/figures/paper.py", "from mirimask.simulation.sky import draw"),
        ("scripts/make_mask.py", "import matplotlib.pyplot as plt"),
        ("scripts/make_mask.py", "from locate_sources import main"),
        ("scripts/job.py", "from make_mask import main"),
        ("study/settings.py", "from mirimask.evaluation.curves import full_curve"),
    ],
)
def test_a_hole_in_a_wall_is_found(tmp_path, place, line):
    house = built(tmp_path, HOUSE | {"scripts/locate_sources.py": ""})
    assert broken_walls(house) == []
    modules.cache_clear()
    built(house, {place: HOUSE[place] + line + "\n"})
    found = broken_walls(house)
    assert len(found) == 1, found
    assert found[0].startswith(f"{place}:")
