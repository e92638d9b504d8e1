"""What jobs warned of, gathered from their logs."""

import re

from conftest import ROOT
from mirimask.job_logs import _OF_STUDY, Warned, gathered_warnings, warnings_page


def write(folder, path, text):
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_warnings_are_gathered_by_image(tmp_path):
    write(tmp_path, "peaks/B.log", "WARNING: B: few\nand far\nINFO: x\nWARNING: second\n")
    write(tmp_path, "verdicts/A.1/value_4.6.log", "WARNING: same\n")
    write(tmp_path, "verdicts/A.1/sep_2.5.log", "INFO: WARNING: no\nWARNING: same\n")
    write(tmp_path, "figure2.log", "WARNING: of all\nERROR: not this\n")
    write(tmp_path, "make_psf/F770W.log", "WARNING: no table\n")
    write(tmp_path, "sweep_family/sep.log", "WARNING: marks nothing\n")
    write(tmp_path, "peaks/gone.log", "WARNING: of an image that was removed\n")
    write(tmp_path, "function_mask/B/cores_90.log", "WARNING: of a mask that was removed\n")
    found = gathered_warnings(tmp_path, ["A.1", "B"], ["value_4.6", "sep_2.5"])
    assert found == [
        Warned("A.1", ("verdicts sep_2.5", "verdicts value_4.6"), "same"),
        Warned("B", ("peaks",), "few and far"),
        Warned("B", ("peaks",), "second"),
        Warned("", ("figure2",), "of all"),
        Warned("", ("make_psf F770W",), "no table"),
        Warned("", ("sweep_family sep",), "marks nothing"),
    ]
    assert warnings_page(found) == (
        "# Warnings\n\n## A.1\n\n- same (verdicts sep_2.5, verdicts value_4.6)\n\n"
        "## B\n\n- few and far (peaks)\n- second (peaks)\n\n"
        "## The whole study\n\n- of all (figure2)\n- no table (make_psf F770W)\n"
        "- marks nothing (sweep_family sep)\n"
    )


def test_no_folder_and_no_warning(tmp_path):
    assert gathered_warnings(tmp_path / "none", ["A"], []) == []
    assert warnings_page([]) == "# Warnings\n\nNo job warned of anything.\n"


def test_logs_that_are_named_by_something_else_than_an_image_are_known():
    """A survey has a page of its own for what went wrong with each product."""
    rules = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    named = set(re.findall(r"<logs>/(\w+)/\{(\w+)\}", rules))
    assert {rule for rule, by in named if by not in ("image", "product")} == set(_OF_STUDY)
