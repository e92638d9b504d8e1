"""A short `make fuzz`: no traceback, no hang, nothing silently wrong among so many cases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT


@pytest.mark.parametrize(("part", "count"), [("images", 60), ("catalogues", 30)])
def test_no_case_is_bad(part, count, tmp_path):
    script = Path(__file__).with_name(f"{part}.py")
    done = subprocess.run(
        [sys.executable, str(script), "--count", str(count), "--seed", "11"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")},
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert f"{count} tried" in done.stdout
    assert done.returncode == 0, done.stdout
