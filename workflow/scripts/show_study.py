"""Print a study's Table 3 and where its results are: `python show_study.py results/simulated`."""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mirimask.report.tables import SIMULATED, paper_layout
from mirimask.table_files import read_table


def main(folder):
    table = read_table(folder / "tables" / "table3.csv")
    if table.empty:
        print("\nTable 3: no catalogue source lies on any of the images, nothing was scored")
        print_places(folder)
        return
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
    print("\nTable 3: successes/near misses - failures")
    print("* better than the segmentation   ! needs further processing")
    if table["simulated"].any():
        print(SIMULATED)
    print(short.rename_axis(None).to_string())
    print_places(folder)


def print_places(folder):
    print("\nWhat was made:")
    places = {
        "index.html": "the report: open it first",
        "browser.html": "every image with every mask",
        "by_eye/score.html": "score by eye, blind to the method",
        "report.zip": "Snakemake's own report",
        "tables/": "Tables 1 to 3 as CSV, Markdown and LaTeX",
        "figures/": "Figures 1 to 5 as PNG and PDF",
        "claims.md": "the paper's claims, answered",
        "comparison/": "computed against published, cell by cell",
        "evaluation/": "what the masks are worth: chance, false detections, completeness",
        "masks/": "every mask, as FITS with WCS",
        "manifest.tsv": "the products used, with checksums",
    }
    for place, what in places.items():
        if (folder / place).exists():
            print(f"  {folder / place}  {what}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
