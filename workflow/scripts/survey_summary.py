"""One row for each image of a survey: survey.csv, a page about it, and a table for a study."""

import json
import sys
from pathlib import Path

import pandas as pd
from job import script
from mirimask.atomic import replacing, write_text
from mirimask.export.survey import MEASURES
from mirimask.table_files import read_texts

ABOUT = ["program", "observation", "filter", "target", "ra", "dec", "exposure_s", "released"]
FILE = ["obs_id", "uri", "bytes", "sha256", "cal_ver", "crds_ctx", "retrieved"]


def main(job):
    products = read_texts(job.input.products, separator="\t")
    rows = [json.loads(Path(path).read_text(encoding="utf-8")) for path in job.input.rows]
    found = pd.DataFrame(rows).reindex(columns=["image", "simulated", *FILE, *MEASURES, "failure"])
    table = products[["image", *ABOUT]].merge(found, on="image", how="left", validate="1:1")
    for name in ("bytes", "n_pixels", "n_empty", "n_sources"):
        table[name] = table[name].astype("Int64")  # whole, also where an image failed
    table["failure"] = table["failure"].fillna("")
    with replacing(job.output.table) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")

    good = table[table["failure"] == ""]
    # MAST is asked for a study's images by programme and observation: these must be of one each
    alone = good[~good.duplicated(["program", "observation"], keep=False)]
    images = alone[["image", "program", "observation", "filter"]].assign(
        observation_id=alone["obs_id"]
    )
    write_text(job.output.images, images.to_csv(sep="\t", index=False, lineterminator="\n"))
    write_text(job.output.page, page(table, good, job.params.survey))
    said = f"survey: {len(good)} of {len(table)} images"
    if len(good) < len(table):
        said += f", {len(table) - len(good)} failed: see {job.output.page}"
    print(said, file=sys.stderr, flush=True)


def page(table, good, asked):
    """The page: what was asked, what came of it, and why images failed."""
    lines = ["# Survey", ""]
    if good["simulated"].any():
        lines += ["**SIMULATED**: images that are simulated are among these.", ""]
    places = [f"programme {asked['program']}"] if asked["program"] else []
    if asked["region"]:
        places.append("{radius_deg} deg around {ra}, {dec}".format(**asked["region"]))
    lines += [
        f"Public level-3 {asked['filter']} images of {' and '.join(places)}: {len(table)}; "
        f"{len(good)} with a mask and a catalogue, {len(table) - len(good)} failed. "
        "A row for each in `survey.csv`.",
        "",
    ]
    if len(good):
        lines += ["| | median | least | most | |", "|---|---|---|---|---|"]
        for name, what in MEASURES.items():
            values = good[name].astype(float)
            middle, least, most = values.median(), values.min(), values.max()
            lines.append(f"| `{name}` | {middle:.4g} | {least:.4g} | {most:.4g} | {what} |")
        lines += ["", f"{int(good['n_sources'].sum())} sources in all."]
    failed = table[table["failure"] != ""]
    if len(failed):
        lines += ["", "## Failed", ""]
        lines += [f"- `{row.image}`: {row.failure}" for row in failed.itertuples()]
    return "\n".join(lines) + "\n"


if "snakemake" in globals():
    script(main, snakemake)
