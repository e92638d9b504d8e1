"""Hashes of code: a stage changes with what it imports, however written, and with no more."""

import pytest
from study import code as module
from study.code import code, used_modules

FILES = {
    "scripts/job.py": "import os\n",
    "scripts/draw.py": "from job import script\nfrom mirimask.image.frame import read\n",
    "scripts/cut.py": (
        "from job import script\n\n\ndef main(job):\n    from mirimask.masks import (  # late\n"
        "        slices,\n        make as other,\n    )\n"
    ),
    "scripts/face.py": "import mirimask\nfrom mirimask import errors, open_image\n",
    "scripts/plain.py": "import json, mirimask.units as units\n",
    "scripts/far.py": "from mirimask.masks import \\\n    make\n",
    "mirimask/__init__.py": "__version__ = '1'\n",
    "mirimask/errors.py": "",
    "mirimask/units.py": "from mirimask.errors import MaskError\n",
    "mirimask/image/__init__.py": '"""Images."""\n',
    "mirimask/image/frame.py": "from ..units import ab\nfrom . import wcs\n",
    "mirimask/image/wcs.py": "from .frame import Frame  # of each other\nTABLE = 'scales.csv'\n",
    "mirimask/image/scales.csv": "1\n",
    "mirimask/image/other.csv": "1\n",
    "mirimask/masks/__init__.py": "from .listing import METHODS\n",
    "mirimask/masks/listing.py": "",
    "mirimask/masks/slices.py": "",
    "mirimask/masks/make.py": "import numpy as np\nfrom mirimask.masks.slices import cut\n",
}


@pytest.fixture
def workflow(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield tmp_path
    for cached in (module.code, module._imports, module._tables, module.modules):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("name", "uses"),
    [
        ("draw", "draw job mirimask.errors mirimask.image mirimask.image.frame mirimask.image.wcs "
                 "mirimask.units"),
        ("cut", "cut job mirimask.masks mirimask.masks.listing mirimask.masks.make "
                "mirimask.masks.slices"),
        ("face", "face mirimask.errors"),
        ("plain", "mirimask.errors mirimask.units plain"),
        ("far", "far mirimask.masks mirimask.masks.listing mirimask.masks.make "
                "mirimask.masks.slices"),
        ("mirimask.masks", "mirimask.masks mirimask.masks.listing"),
    ],
)  # fmt: skip
def test_what_a_script_uses(workflow, name, uses):
    assert list(used_modules(name, workflow)) == uses.split()


@pytest.mark.parametrize(
    ("changed", "others"),
    [
        ("scripts/job.py", {"draw", "cut"}),
        ("mirimask/units.py", {"draw", "plain"}),
        ("mirimask/masks/listing.py", {"cut", "far"}),
        ("mirimask/image/__init__.py", {"draw"}),
        ("mirimask/__init__.py", set()),
        ("mirimask/image/scales.csv", {"draw"}),
        ("mirimask/image/other.csv", set()),
    ],
)
def test_the_hash_changes_with_what_is_used_and_with_nothing_else(workflow, changed, others):
    names = ["draw", "cut", "face", "plain", "far"]
    before = {name: code(name, workflow) for name in names}
    (workflow / changed).write_text((workflow / changed).read_text() + "# edited\n")
    code.cache_clear()
    assert {name for name in names if code(name, workflow) != before[name]} == others


def test_every_script_of_the_project_has_a_hash():
    scripts = [path.stem for path in (module.WORKFLOW / "scripts").glob("*.py")]
    assert len({code(name) for name in scripts}) == len(scripts) > 40
    assert "mirimask.sources.verdicts" in used_modules("give_verdicts")


def test_a_script_that_is_not_there(workflow):
    with pytest.raises(KeyError):
        code("nothing", workflow)
