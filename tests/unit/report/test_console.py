"""Table 3 on the terminal."""

import pandas as pd
from mirimask.report.console import table3_lines

COUNTS = pd.DataFrame(
    [
        ("A", "value_4.6", 3, 1, 0, True, True),
        ("A", "segmentation", 2, 0, 2, False, False),
    ],
    columns=["image", "method", "success", "near", "failure", "needs_processing", "bold"],
)


def test_the_table_is_narrow():
    title, legend, table = table3_lines(COUNTS.assign(simulated=False))
    assert title == "Table 3: successes/near misses - failures"
    assert "further processing" in legend
    assert [line.split() for line in table.splitlines()] == [
        ["Img", "4.6%", "Segm."],
        ["A", "*3/1", "!", "-", "0", "2", "-", "2"],
        ["All", "3/1", "-", "0", "2", "-", "2"],
    ]


def test_simulated_is_said():
    assert any("SIMULATED" in line for line in table3_lines(COUNTS.assign(simulated=True)))


def test_nothing_was_scored():
    (line,) = table3_lines(COUNTS.iloc[:0].assign(simulated=[]))
    assert "nothing was scored" in line
