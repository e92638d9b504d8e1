"""Draw the floors of the house into docs/architecture.md, and list its parts: `make floors`.

Packages and modules in docs/modules.md, from which the site has a page of each; files in
workflow/files.txt, for a workflow that is deployed from a host (workflow/rules/common.smk).
"""

import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
from study.walls import WALLS, WORKFLOW, modules, room

PAGE = Path(__file__).with_name("architecture.md")
BEGIN, END = "<!-- floors -->\n```\n", "```\n<!-- /floors -->\n"
MODULES = PAGE.with_name("modules.md")
LISTED = WORKFLOW / "files.txt"
BESIDE = ("study", "job", "scripts", "worker", "front")


def floor(package):
    """How many floors are below a package: it stands on the highest of those that it may import."""
    below = [floor(other) for other in WALLS[package].split() if other != package]
    return 1 + max(below) if below else 0


def drawn():
    """The packages of the library with their modules, a floor below another."""
    inside = {}
    for name in sorted(modules()):
        inside.setdefault(room(name), []).append(name.rpartition(".")[2])
    floors = {}
    for package in WALLS:
        if package not in BESIDE:
            floors.setdefault(floor(package), []).append(package)
    parts = []
    for number in sorted(floors, reverse=True):
        for package in floors[number]:
            names = " ".join(name for name in inside[package] if name != package)
            parts += textwrap.wrap(
                names, 100, initial_indent=f"  {package:<12}", subsequent_indent=14 * " "
            )
        parts.append("=" * 100 if number == 0 else "-" * 100)
    return "\n".join(parts) + "\n"


def top():
    """The packages of the library, and its modules that are in none, as a directive lists them."""
    names = {name.split(".")[1] for name in modules() if name.startswith("mirimask.")}
    names -= {"__main__"}
    return "".join(f"   mirimask.{name}\n" for name in sorted(names))


def listed():
    """The files that code of the workflow imports or reads, a line each."""
    paths = (
        path.relative_to(WORKFLOW).as_posix()
        for folder in ("mirimask", "schemas", "scripts", "study")
        for path in (WORKFLOW / folder).rglob("*.*")
        if path.suffix not in (".pyc", ".pyo")
    )
    return "".join(f"{path}\n" for path in sorted(paths))


def main():
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + begin + drawn() + END + after, encoding="utf-8")
    before, begin, rest = MODULES.read_text(encoding="utf-8").partition(":recursive:\n\n")
    after = rest.partition("```")[2]
    MODULES.write_text(f"{before}{begin}{top()}```{after}", encoding="utf-8")
    LISTED.write_text(listed(), encoding="utf-8")


if __name__ == "__main__":
    main()
