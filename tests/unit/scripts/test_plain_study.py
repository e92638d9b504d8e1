"""The plain process that benchmarks set beside Snakemake gives each script what it asks for."""

import re
import sys
from pathlib import Path

import pytest
from conftest import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"


@pytest.fixture
def jobs(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.delitem(sys.modules, "plain_study", raising=False)
    from paper_part import settings
    from plain_study import jobs

    return jobs(settings(changed=False), Path("archive"), Path("out"), ["Img1", "Img3"])


def test_no_script_asks_for_a_parameter_that_it_does_not_get(jobs):
    assert {"crop_frame", "make_mask", "give_verdicts", "four_panels"} <= {job[0] for job in jobs}
    for script, parts in jobs:
        source = (SCRIPTS / f"{script}.py").read_text()
        asked = set(re.findall(r"job\.params\.(\w+)", source)) - {"get", "items"}
        assert asked <= set(parts.get("params", ())), script
