"""Codes of images and names of sources that look like numbers or like nothing, through a study."""

import json

import pandas as pd
from conftest import make_image

CODES = ["001", "NA"]
NAMES = ["001", "NA", "1e5", "nan", "None", "#1", "=1+2", "a, b", 'é "x"']
ENDS = [
    *("tables/table1.csv", "tables/table3.csv", "tables/table3_chance.csv"),
    *("evaluation/chance.csv", "evaluation/mcnemar.csv", "evaluation/sensitivity.csv"),
    *("by_eye/key.csv", "browser.html"),
]


def texts(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_codes_and_names_pass_through_every_table(study):
    study.images = []
    for seed, code in enumerate(CODES):
        row = make_image(study.folder, code, seed=seed)
        table = study.folder / row["catalogue"]
        # as a spreadsheet writes it: a byte-order mark, quotes where they are needed
        columns = pd.read_csv(table, sep=" ", comment="#").assign(objID=NAMES)
        row["catalogue"] = f"{code}.csv"
        columns.to_csv(study.folder / row["catalogue"], index=False, encoding="utf-8-sig")
        study.images.append(row)
    study.config["evaluation"] |= {"methods": ["value_1", "segmentation"]}
    study.config["methods"] = ["value_1", "segmentation"]
    done = study.run(*(f"results/small/{path}" for path in ENDS))
    assert done.returncode == 0, done.stdout
    for path in ENDS[:-1]:
        codes = set(texts(study.results / path)["image"]) - {"All", "all"}
        assert codes == set(CODES), path
    for code in CODES:
        verdicts = texts(study.results / "verdicts" / code / "value_1.csv")
        assert verdicts["id"].tolist() == NAMES
        statistics = json.loads((study.results / "statistics" / f"{code}.json").read_text())
        assert statistics["image"] == code
    key = texts(study.results / "by_eye" / "key.csv")
    assert set(key["id"]) == set(NAMES)
    page = (study.results / "browser.html").read_text()
    assert all(f'"name": "{code}"' in page for code in CODES)
