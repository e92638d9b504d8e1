"""All masks side by side, from two small images to the pages: the target side_by_side."""

import pandas as pd


def test_two_families_side_by_side(study):
    study.config["side_by_side"] = {
        "families": ["cores", "log"],
        "groups": {"both": ["A", "B"]},
        "runs": 1,
    }
    done = study.run("side_by_side")
    assert done.returncode == 0, done.stdout
    made = study.results / "side_by_side"
    table = pd.read_csv(made / "verdict.csv")
    assert set(table[table["needs"].isna()]["family"]) == {"cores", "log"}
    assert set(table["group"]) == {"both"}
    assert "| Laplacian of Gaussian | " in (made / "verdict.md").read_text()
    assert "| mask | A | B | **both** |" in (made / "curves.md").read_text()
    scored = (made / "table3.md").read_text()
    assert "cores" in scored
    assert "Laplacian of Gaussian" in scored
