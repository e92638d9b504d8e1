"""What a survey of the archive comes to: a table, a page about it, and a table for a study."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from mirimask.export.survey import MEASURES
from mirimask.report.tables import number_words

__all__ = ["images_for_a_study", "masked", "survey_page", "survey_table"]

_ABOUT = ["program", "observation", "filter", "target", "ra", "dec", "exposure_s", "released"]
_FILE = ["obs_id", "uri", "bytes", "sha256", "cal_ver", "crds_ctx", "retrieved"]


def survey_table(products: pd.DataFrame, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A row for each product: what it is, its file, its `MEASURES`, and why it failed ('' if not).

    `products` are those that the archive found, `rows` what came of each of them.
    """
    columns = ["image", "simulated", *_FILE, *MEASURES, "failure"]
    found = pd.DataFrame(list(rows)).reindex(columns=columns)
    table = products[["image", *_ABOUT]].merge(found, on="image", how="left", validate="1:1")
    for name in ("bytes", "n_pixels", "n_empty", "n_sources"):
        table[name] = table[name].astype("Int64")  # whole, also where an image failed
    table["failure"] = table["failure"].astype(object).fillna("")
    return table


def masked(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `survey_table` of images that have a mask and a catalogue."""
    return table[table["failure"] == ""]


def images_for_a_study(table: pd.DataFrame) -> pd.DataFrame:
    """A table of images for a study, from `survey_table`.

    MAST is asked for a study's images by programme and observation: those that have several are
    left out, also where all but one of them failed.
    """
    alone = masked(table[~table.duplicated(["program", "observation"], keep=False)])
    return alone[["image", "program", "observation", "filter"]].assign(
        observation_id=alone["obs_id"]
    )


def survey_page(table: pd.DataFrame, asked: Mapping[str, Any]) -> str:
    """The page: what was asked, what came of it, and why images failed.

    `asked` has the filter, and the program or the region (ra, dec, radius_deg) or both.
    """
    good = masked(table)
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
            cells = (number_words(x, ".4g") for x in (values.median(), values.min(), values.max()))
            lines.append(f"| `{name}` | {' | '.join(cells)} | {what} |")
        lines += ["", f"{int(good['n_sources'].sum())} sources in all."]
    failed = table[table["failure"] != ""]
    if len(failed):
        lines += ["", "## Failed", ""]
        lines += [f"- `{row.image}`: {row.failure}" for row in failed.itertuples()]
    return "\n".join(lines) + "\n"
