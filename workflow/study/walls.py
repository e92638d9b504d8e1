"""The walls of the house, in one table: which package may import which.

`tests/unit/test_walls.py` reads every import of the library, of `study` and of the scripts, also
those inside functions, and fails on any that is not here. A module belongs to the package that it
is in; the library's modules that are in none are its ground.
"""

from functools import cache
from pathlib import Path

__all__ = ["KNOW_THE_TRUTH", "OUTSIDE", "REACHES_NOTHING", "WALLS", "modules", "room"]

WORKFLOW = Path(__file__).resolve().parents[1]

_BELOW = "ground image sources masks"
_LIBRARY = f"{_BELOW} archive evaluation export simulation figures report"

# a package: what it may import, itself included where its modules may import each other
WALLS = {
    "ground": "ground",  # errors, whole files, units, sizes, intervals, reading of tables
    "image": "ground image",
    "archive": "ground image archive",
    "sources": "ground image sources",
    "masks": "ground image masks",
    "evaluation": f"{_BELOW} evaluation",
    "export": f"{_BELOW} export",
    "simulation": f"{_BELOW} evaluation export simulation",
    "figures": f"{_BELOW} evaluation export figures",
    "report": f"{_BELOW} evaluation export report",
    "pipeline": f"{_BELOW} export pipeline",
    "command": f"{_BELOW} archive evaluation export figures pipeline command",
    "front": f"{_BELOW} export command pipeline",  # `import mirimask` and `python -m mirimask`
    "study": f"{_BELOW} study",
    "job": "ground",  # what every script shares
    "scripts": f"{_LIBRARY} job",
    "worker": "scripts",  # imported once for all processes of a run
}

_COMPUTE = "ground image sources masks evaluation export simulation"

# packages, and what of others than the project only they may import
OUTSIDE = {
    # a network
    "archive": "astropy.utils.data astroquery ftplib http pyvo requests smtplib socket ssl urllib "
    "urllib3 aiohttp httpx",
    # pictures and pages
    "figures": "matplotlib astropy.visualization.wcsaxes",
    "figures report": "PIL",
    "report": "jinja2 markupsafe",
    # arithmetic: figures and report draw and say what was computed, scripts join
    _COMPUTE: "astropy.convolution astropy.modeling astropy.stats drizzle photutils poppy scipy "
    "sep skimage",
    "scripts": "snakemake",
    "masks pipeline": "jwst stdatamodels stpipe gwcs",  # masks: a program that jwst's Python runs
}
REACHES_NOTHING = frozenset(["urllib.parse"])

# Where true sources may be spoken of in what makes and judges masks: added stars and the sources
# of simulated images. Figures and pages are given tables; the simulation makes the truth.
KNOW_THE_TRUTH = frozenset(
    f"mirimask.{name}"
    for name in (
        "evaluation.background",
        "evaluation.scene",
        "evaluation.completeness",
        "evaluation.agreement",
        "evaluation.curves",  # counts the spots on the true sources of the scene it is given
    )
)


@cache
def modules(workflow: Path = WORKFLOW) -> dict[str, Path]:
    """All own modules, by the names that they are imported by: library, study and scripts."""
    found: dict[str, Path] = {}
    for folder, pattern in (
        (workflow, "mirimask/**/*.py"),
        (workflow, "study/*.py"),
        (workflow / "scripts", "*.py"),
    ):
        for file in folder.glob(pattern):
            parts = file.relative_to(folder).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def room(module: str, workflow: Path = WORKFLOW) -> str:
    """The package, as `WALLS` has it, of an own module; '' for one that is not the project's."""
    parts = module.split(".")
    if module in ("mirimask", "mirimask.__main__"):
        return "front"
    if parts[0] == "mirimask":
        inside = (workflow / "mirimask" / parts[1]).is_dir()
        return parts[1] if inside else "ground"
    if parts[0] == "study":
        return "study"
    if module in modules(workflow):
        return module if module in ("job", "worker") else "scripts"
    return ""
