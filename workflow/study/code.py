"""Hashes of code: Snakemake sees a change in a script, and not in what it imports.

What a script may import stands in the table of `study/walls.py`; what it does import is less, and
only that is in its hash: an edited figure draws itself again and no other.
"""

import hashlib
import re
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

from study.walls import WORKFLOW, modules

# Of the list of methods each mask has its own line as a parameter: a new one changes no other.
_LISTED_APART = frozenset(["mirimask.masks.registry"])

__all__ = ["code", "revision", "templates", "used_modules"]

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|.*)|import[ \t]+(.*))$",
    re.MULTILINE,
)


@cache
def _imports(name: str, workflow: Path) -> frozenset[str]:
    """The project's own modules that one of them imports itself.

    Not the library's own __init__, which has its version and its public names and runs nothing.
    """
    own = modules(workflow)
    package = name if own[name].name == "__init__.py" else name.rpartition(".")[0]
    names: set[str] = set()
    # read as text: to parse all modules would take longer than to build the graph of jobs
    text = own[name].read_text(encoding="utf-8").replace("\\\n", " ")
    for module, parts, plain in _IMPORT.findall(text):
        if module.startswith("."):
            module = resolve_name(module, package)
        names |= {module, *re.findall(r"[\w.]+", plain)}
        names |= {f"{module}.{part}" for part in re.findall(r"\w+", parts)}
    found = names & own.keys()
    found |= {above for module in found for above in _packages(module)}
    return frozenset(found - {"mirimask"})


def _packages(module: str) -> Iterable[str]:
    """The packages inside the library that a module is in: their __init__ runs before it."""
    parts = module.split(".")
    return (".".join(parts[:n]) for n in range(2, len(parts)))


def used_modules(name: str, workflow: Path = WORKFLOW) -> dict[str, Path]:
    """A script (`make_mask`) or module (`mirimask.units`) and all own ones that it imports."""
    used, new = set[str](), {name}
    while new:
        used |= new
        new = set().union(*(_imports(module, workflow) for module in new)) - used - _LISTED_APART
    return {module: modules(workflow)[module] for module in sorted(used)}


def _digest(files: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, file in files:
        content = file.read_bytes()
        tables = (table for table in _tables(file.parent) if table.name.encode() in content)
        for part in (name.encode(), content, *(table.read_bytes() for table in tables)):
            digest.update(part)
    return digest.hexdigest()[:16]


@cache
def _tables(folder: Path) -> list[Path]:
    """Tables beside a module: those that it names, it reads."""
    return sorted(folder.glob("*.csv"))


@cache
def code(name: str, workflow: Path = WORKFLOW) -> str:
    """Hash of a script, or of a module of the library, and of all own modules that it imports.

    And of the tables (`*.csv`) beside these that they name. As a parameter of a rule it makes
    Snakemake see a change in imported code. KeyError where there is no such script or module.
    """
    return _digest(used_modules(name, workflow).items())


@cache
def templates(workflow: Path = WORKFLOW) -> str:
    """Hash of the pages' templates, styles and scripts."""
    files = sorted(workflow.glob("mirimask/**/templates/*"))
    return _digest((file.name, file) for file in files)


@cache
def revision(workflow: Path = WORKFLOW) -> str:
    """The commit of the workflow, with '-dirty' where files differ from it; '' without git."""
    here = ["git", "-C", str(workflow)]
    asked = (
        ["rev-parse", "--show-toplevel"],
        ["describe", "--always", "--dirty", "--abbrev=40"],
    )
    try:
        top, name = (
            subprocess.run(
                [*here, *question], capture_output=True, text=True, check=True
            ).stdout.strip()
            for question in asked
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    # a copy of the workflow inside some other repository has no revision of its own
    return name if Path(top).resolve() == workflow.parent.resolve() else ""
