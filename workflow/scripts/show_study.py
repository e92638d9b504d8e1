"""Print a study's Table 3: `python show_study.py results/simulated`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mirimask.report.console import table3_lines
from mirimask.table_files import read_table


def main(folder):
    table = read_table(folder / "tables" / "table3.csv")
    print("", *table3_lines(table), sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
