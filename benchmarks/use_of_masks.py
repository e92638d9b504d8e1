"""Print what masks leave in the sky, the mean over some images of a study: docs/recommended.md.

    python benchmarks/use_of_masks.py results/fresh --without Img1

From evaluation/use.csv, which the rule `evaluation_of_use` writes.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from mirimask.evaluation.background import pool_use  # noqa: E402
from mirimask.report.use import use_table  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--without", nargs="*", default=[], metavar="IMAGE")
    options = parser.parse_args()
    table = pd.read_csv(options.study / "evaluation" / "use.csv")
    table = table[~table["image"].isin(["All", *options.without])].drop(columns="simulated")
    print(f"Mean of {', '.join(table['image'].unique())}:\n")
    print("\n".join(use_table(pool_use(table))))


if __name__ == "__main__":
    main()
