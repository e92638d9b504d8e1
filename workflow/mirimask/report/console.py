"""Table 3 on the terminal."""

import pandas as pd

from mirimask.report.tables import SIMULATED, paper_layout

__all__ = ["table3_lines"]


def table3_lines(table: pd.DataFrame) -> list[str]:
    """Table 3, as `count_verdicts` gives it, narrow enough for a terminal."""
    if table.empty:
        return ["Table 3: no image has catalogue sources, nothing was scored"]
    layout = paper_layout(table, bold=lambda text: f"*{text}").set_index("Image")
    short = pd.DataFrame(
        {
            label.removesuffix(" S")
            .replace(" Top", "")
            .replace(" %", "%")
            .replace("Orig. ", ""): layout[label] + " - " + layout[label.removesuffix("S") + "F"]
            for label in layout.columns[::2]
        }
    )
    return [
        "Table 3: successes/near misses - failures",
        "* better than the segmentation   ! needs further processing",
        *([SIMULATED] if table["simulated"].any() else []),
        short.rename_axis(None).to_string(),
    ]
