"""The bars of simulated fields against the paper's Table 3, on tables made by hand."""

import pandas as pd
import pytest
from mirimask.simulation.checks import table3_checks


def _table(successes, marks=(False, False, True), images=("A", "B")):
    methods = ("value_1", "derivative_10", "segmentation")
    rows = [
        {
            "image": image,
            "method": method,
            "success": success,
            "near": 0,
            "failure": 20 - success,
            "needs_processing": mark,
        }
        for image, own in zip(images, successes, strict=True)
        for method, success, mark in zip(methods, own, marks, strict=True)
    ]
    return pd.DataFrame(rows)


PRINTED = _table([(10, 16, 20), (12, 14, 18)])


def _by_name(found):
    return {check.quantity: check for check in table3_checks(found, PRINTED)}


def test_the_printed_table_reaches_every_bar():
    checks = _by_name(PRINTED)
    assert all(check.passed for check in checks.values())
    assert checks["successes of value_1"].value == 22
    assert checks["rank correlation of the cells"].value == pytest.approx(1)
    assert checks["cells within the range of the printed share"].value == 6
    assert checks["pairs of methods in the printed order"].value == 3


def test_what_differs_is_counted():
    """20 of 20 in the printed cell has the range [16.8, 20], 10 of 20 has [5.99, 14.01]."""
    found = _table([(15, 16, 16), (12, 14, 9)], marks=(True, False, True))
    checks = _by_name(found)
    assert checks["successes of value_1"].passed  # 27 for 22
    assert not checks["successes of segmentation"].passed  # 25 for 38
    # printed 22 < 30 < 38; found 27 < 30 but 25
    assert checks["pairs of methods in the printed order"].value == 1
    # value_1 of A: 15 > ceil(14.01) = 15 is not more; segmentation: 16 = floor(16.8), 9 < 13
    assert checks["cells within the range of the printed share"].value == 5
    assert checks["exclamation marks that agree"].value == 4


def test_a_cell_that_is_missing_is_an_error():
    with pytest.raises(ValueError, match="lacks cells"):
        table3_checks(PRINTED.iloc[1:], PRINTED)
