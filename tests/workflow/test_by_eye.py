"""Scoring by eye, from the page in a real browser to Table 3."""

import json
import re

import pandas as pd
import pytest
from chromium import chromium, requested, wait_for

PAGE = "results/small/by_eye/score.html"
WORDS = {"s": "success", "n": "near", "f": "failure", "u": "unsure"}
TWENTY = "snfusnfsssffnnusnfss"


@pytest.fixture
def page(again):
    return again.folder / PAGE


def start(browser, page, name):
    browser.get(page.as_uri())
    browser.find_element("id", "scorer").clear()
    browser.find_element("id", "scorer").send_keys(name)
    browser.find_element("css selector", "#who button").click()


def press(browser, keys):
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def count(browser):
    return browser.find_element("id", "count").text


def shown(browser):
    """The pixels of both canvases, as the scorer sees them."""
    return browser.execute_script(
        "return ['left', 'right'].map((id) => document.getElementById(id).toDataURL())"
    )


def saved(browser, folder, name):
    path = folder / "saved" / "verdicts_by_eye.csv"
    path.unlink(missing_ok=True)
    browser.find_element("id", "export").click()
    wait_for(lambda: path.exists() and path.stat().st_size > 0)
    return path.rename(folder / name)


def test_twenty_by_keyboard_to_table3(again, page, tmp_path):
    key = pd.read_csv(again.results / "by_eye" / "key.csv", dtype=str)
    text = page.read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    total = len(data["items"])
    assert total == len(key) == 2 * 3 * 9
    with chromium(tmp_path) as browser:
        start(browser, page, "EK")
        assert count(browser) == f"Cut-out 1 of {total}"
        press(browser, TWENTY)
        assert count(browser) == f"Cut-out 21 of {total}"
        # blind: neither in what is read nor in the elements
        elements = browser.execute_script(
            "const copy = document.body.cloneNode(true);"
            "copy.querySelectorAll('script').forEach((s) => s.remove()); return copy.innerHTML"
        )
        for given_away in ("value_1", "derivative", "segmentation", "A-", "B-", *key["item"]):
            assert given_away not in elements
        assert not re.search("value_|derivative|segmentation|slice", json.dumps(data["items"]))

        before = shown(browser)
        browser.refresh()
        assert browser.find_element("id", "scorer").get_attribute("value") == "EK"
        start(browser, page, "EK")
        assert count(browser) == f"Cut-out 21 of {total}"  # nothing is lost
        wait_for(lambda: shown(browser) == before)

        press(browser, "z")
        assert count(browser) == f"Cut-out 20 of {total}"
        press(browser, ["\ue003"])  # Backspace
        assert count(browser) == f"Cut-out 19 of {total}"
        press(browser, "f")
        browser.find_element("css selector", "[data-verdict=unsure]").click()
        given = TWENTY[:18] + "fu"
        first = saved(browser, tmp_path, "EK.csv")

        # another scorer: another order, and the same pages for both
        start(browser, page, 'Ö, "2"')
        assert count(browser) == f"Cut-out 1 of {total}"
        press(browser, "s" * total)
        assert count(browser) == f"All {total} cut-outs are scored"
        second = saved(browser, tmp_path, "other.csv")

        # a file is taken up again in an empty browser
        browser.execute_script("localStorage.clear()")
        browser.get(page.as_uri())
        browser.find_element("id", "import").send_keys(str(first))
        wait_for(lambda: count(browser) == f"Cut-out 21 of {total}")
        assert saved(browser, tmp_path, "again.csv").read_text() == first.read_text()
        assert set(requested(browser)) == {page.as_uri()}
        assert browser.get_log("browser") == []

    mine = pd.read_csv(first, dtype=str)
    assert list(mine["verdict"]) == [WORDS[k] for k in given]
    assert (mine["scorer"] == "EK").all()
    named = mine.merge(key, on="item", suffixes=("", "_key"))
    assert len(named) == 20
    for column in ("image", "method", "id"):
        assert (named[column] == named[f"{column}_key"]).all()
    theirs = pd.read_csv(second, dtype=str)
    assert (theirs["scorer"] == 'Ö, "2"').all()
    assert sorted(theirs["item"]) == sorted(key["item"])
    assert list(theirs["item"][:20]) != list(mine["item"])
    assert list(theirs["method"]) != sorted(theirs["method"])

    again.config["by_eye"] = {"files": [str(first), str(second)]}
    done = again.run("results/small/by_eye/table3_by_eye.csv")
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(again.results / "by_eye" / "table3_by_eye.csv")
    counted = mine.groupby(["image", "method", "verdict"]).size()
    own = table[table["scorer"] == "EK"].set_index(["image", "method"])
    assert len(own) == 6
    for (image, method), row in own.iterrows():
        for verdict in WORDS.values():
            assert row[verdict] == counted.get((image, method, verdict), 0)
    assert own["sources"].sum() == 20
    assert (table[table["scorer"] == 'Ö, "2"']["success"] == 9).all()
    agreement = pd.read_csv(again.results / "by_eye" / "agreement.csv").set_index(
        ["first", "second", "method"]
    )
    both = agreement.loc[("EK", 'Ö, "2"', "All")]
    assert both["compared"] == 20 - given.count("u")
    assert both["unsure"] == given.count("u")
    assert both["agree"] == given.count("s")
    rule = agreement.loc[('Ö, "2"', "automatic (peaks)", "All")]
    automatic = pd.read_csv(again.results / "verdicts" / "A" / "value_1.csv")["verdict"]
    assert rule["compared"] == total
    assert 0 < rule["agree"] <= total
    of_method = agreement.loc[('Ö, "2"', "automatic (peaks)", "value_1")]
    other = pd.read_csv(again.results / "verdicts" / "B" / "value_1.csv")["verdict"]
    assert of_method["agree"] == (automatic == "success").sum() + (other == "success").sum()
    markdown = (again.results / "by_eye" / "table3_by_eye.md").read_text()
    assert "20 of 54 cut-outs scored" in markdown
