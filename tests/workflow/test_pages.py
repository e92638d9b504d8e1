"""The pages of a study: what they show, that nothing from outside runs in them, in a browser."""

import json
import re
import zipfile
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote

import pandas as pd
import pytest
from chromium import chromium, requested, wait_for
from conftest import HOSTILE, IMAGE, SCRIPT
from mirimask.report.index import EVALUATION


@pytest.fixture
def hostile(finished):
    """The finished study: headers and catalogue of one of its images want to run in the pages."""
    return finished


# Texts and pictures that reach beyond the page and that nothing scrolls to.
BEYOND = """
const beyond = [];
for (const one of document.querySelectorAll("p, li, h1, h2, td, th, img, summary, figcaption")) {
  const box = one.getBoundingClientRect();
  if (box.width && box.right > arguments[0] + 1 && box.left >= 0 && !one.closest(".scroll, pre"))
    beyond.push(one.tagName + " " + one.textContent.slice(0, 40));
}
return beyond;
"""


def set_width(browser, width):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )


class Page(HTMLParser):
    """The elements of a page, in order."""

    def __init__(self, path):
        super().__init__()
        self.elements = []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


PAGES = ("index.html", "browser.html", "by_eye/score.html")


@pytest.mark.parametrize("name", PAGES)
def test_nothing_from_outside_is_an_element(hostile, name):
    page = Page(hostile.results / name)
    scripts = page.all("script")
    assert len([one for one in scripts if one.get("type") != "application/json"]) == 1
    for tag, attributes in page.elements:
        assert not any(key.startswith("on") or key == "style" for key in attributes), tag
    inside = ("data:image/png;base64,", "data:image/webp;base64,")
    assert all(one["src"].startswith(inside) for one in page.all("img"))
    policy = next(m for m in page.all("meta") if "http-equiv" in m)["content"]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "SIMULATED" in (hostile.results / name).read_text()
    assert str(hostile.folder) not in (hostile.results / name).read_text()


def test_the_report_is_complete_and_accessible(hostile):
    path = hostile.results / "index.html"
    page = Page(path)
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings.count(1) == 1
    assert headings[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(headings))
    assert {"main", "header", "nav", "footer"} <= {tag for tag, _ in page.elements}
    assert next(iter(page.all("html")))["lang"] == "en"
    assert all(re.search(r"\d", one["alt"]) for one in page.all("img"))
    assert len(page.all("caption")) == len(page.all("table")) >= 6
    assert all(one.get("scope") in ("col", "row", "colgroup") for one in page.all("th"))
    rows = [json.loads((hostile.results / f"overview/{code}.json").read_text()) for code in "AB"]
    total = sum(row["n_sources"] for row in rows)
    assert f"The recommended mask marks {total} sources in the 2 images" in path.read_text()
    assert path.stat().st_size < 2.5e6


def test_links_lead_to_files_of_the_study(hostile):
    links = [one["href"] for one in Page(hostile.results / "index.html").all("a")]
    files = [link for link in links if not link.startswith("#")]
    assert all(link.startswith("./") for link in files)
    paths = [hostile.results / unquote(link) for link in files]
    assert [path for path in paths if not path.is_file()] == []
    assert all(path.resolve().is_relative_to(hostile.results.resolve()) for path in paths)
    linked = {path.relative_to(hostile.results).as_posix() for path in paths}
    assert {"tables/table3.tex", "masks/B/value_1.fits", "manifest.tsv"} <= linked


@pytest.mark.parametrize("name", ["tables/circles.csv", "by_eye/key.csv"])
def test_tables_say_which_images_are_simulated(hostile, name):
    table = pd.read_csv(hostile.results / name)
    statistics = {
        image: json.loads((hostile.results / f"statistics/{image}.json").read_text())["simulated"]
        for image in "AB"
    }
    assert dict(zip(table["image"], table["simulated"], strict=True)) == statistics


def test_hostile_names_reach_no_path(hostile):
    names = [str(path.relative_to(hostile.folder)) for path in hostile.folder.rglob("*")]
    assert not [name for name in names if "alert" in name or name.endswith("/x")]


def test_the_report_in_a_browser(hostile, tmp_path):
    index = hostile.results / "index.html"
    with chromium(tmp_path) as browser:
        browser.get(index.as_uri())
        text = browser.find_element("tag name", "main").get_attribute("textContent")
        assert SCRIPT in text  # it is shown
        assert IMAGE in text
        pictures = browser.execute_script(
            "for (const one of document.images) one.loading = 'eager';"
            "return Promise.all([...document.images].map((one) => one.decode())).then("
            "() => [...document.images].filter((one) => one.naturalWidth).length)"
        )
        assert pictures >= 7
        for width in (1400, 768, 390):
            set_width(browser, width)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
            # nothing is cut off: what is wider than the page scrolls in a region of its own
            assert browser.execute_script(BEYOND, width) == []
            row = browser.find_element("css selector", ".images tbody tr")
            assert row.find_element("tag name", "img").is_displayed()
        # on a phone, a name as the archive gives it
        browser.execute_script(
            "document.querySelector('.images th span').textContent = arguments[0]",
            "jw01288015001_26101_00003_mirimage_c1006",
        )
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
        assert browser.execute_script(BEYOND, 390) == []
        assert set(requested(browser)) == {index.as_uri()}
        assert browser.get_log("browser") == []


def test_parts_of_the_report_unfold_and_figures_lead_to_the_whole(hostile, tmp_path):
    index = hostile.results / "index.html"
    with chromium(tmp_path) as browser:
        set_width(browser, 390)
        browser.get(index.as_uri())
        assert not browser.find_element("id", "figures").get_attribute("open")
        browser.find_element("css selector", 'a[href="#figures"]').click()
        wait_for(lambda: browser.find_element("id", "figures").get_attribute("open"))
        picture = browser.find_element("css selector", "#figures figure img")
        wait_for(picture.is_displayed)
        assert browser.execute_script(BEYOND, 390) == []
        shown = picture.size["width"]
        browser.execute_script("arguments[0].click()", picture)
        wait_for(lambda: browser.current_url.endswith("/figures/figure1.png"))
        whole = browser.execute_script("return document.images[0].naturalWidth")
        assert whole > 2 * shown
        # the keyboard opens a part as a mouse does
        browser.get(index.as_uri())
        browser.find_element("css selector", "#warnings > summary").send_keys("\n")
        wait_for(lambda: browser.find_element("id", "warnings").get_attribute("open"))


def test_the_report_follows_the_preference_for_dark(hostile, tmp_path):
    with chromium(tmp_path) as browser:
        seen = {}
        for scheme in ("light", "dark"):
            feature = {"name": "prefers-color-scheme", "value": scheme}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
            browser.get((hostile.results / "index.html").as_uri())
            seen[scheme] = browser.execute_script(
                "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
                ".map((c) => c.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 3)"
            )
        for (ink, paper), order in ((seen["light"], 1), (seen["dark"], -1)):
            assert order * (paper - ink) > 150


def test_the_image_browser(hostile, tmp_path):
    path = hostile.results / "browser.html"
    verdicts = pd.read_csv(hostile.results / "verdicts" / "A" / "derivative_4.6.csv", dtype=str)
    with chromium(tmp_path) as browser:
        browser.get(path.as_uri())

        def text(name):
            return browser.find_element("id", name).text

        def pixels():
            return browser.execute_script("return document.getElementById('canvas').toDataURL()")

        empty = browser.execute_script(
            "const c = document.createElement('canvas'), of = document.getElementById('canvas');"
            "c.width = of.width; c.height = of.height; return c.toDataURL()"
        )
        wait_for(lambda: pixels() != empty)
        assert text("summary").startswith("A, recommended: ")
        canvas = browser.find_element("id", "canvas")
        canvas.send_keys("]")
        assert text("summary").startswith("A, Img Top 1 %: ")
        first = pixels()
        canvas.send_keys("]")
        counts = verdicts["verdict"].value_counts()
        assert text("summary").startswith(
            f"A, Diff Top 4.6 %: {counts.get('success', 0)} success, {counts.get('near', 0)} near"
        )
        wait_for(lambda: pixels() != first)
        below, seen = browser.find_element("id", "below"), []
        for shown in ("derivative along y", "nothing"):
            seen.append(pixels())
            below.find_element("xpath", f"option[. = '{shown}']").click()
            wait_for(lambda: pixels() not in seen)
        # nothing below, the mask has its strength too, and m returns to it
        slider, stronger = browser.find_element("id", "strength"), pixels()
        give = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
        browser.execute_script(give, slider, 40)
        weaker = pixels()
        assert weaker != stronger
        canvas.send_keys("m")
        assert pixels() not in (stronger, weaker)
        canvas.send_keys("m")
        assert slider.get_property("value") == "40"
        assert pixels() == weaker
        browser.execute_script(give, slider, 60)
        below.find_element("xpath", "option[. = 'image']").click()
        wait_for(lambda: pixels() == seen[0])
        # a source by the keyboard, and by a click on its circle in the middle of the view
        canvas.send_keys("n")
        assert text("status").startswith(f"{verdicts['id'][0]}: {verdicts['verdict'][0]}")
        browser.find_element("css selector", "#rows tr:nth-child(3) button").click()
        assert text("status").startswith(f"{verdicts['id'][2]}: ")
        zoomed = pixels()
        canvas.send_keys("+")
        assert pixels() != zoomed
        canvas.send_keys(">")
        assert text("summary").startswith("B, Diff Top 4.6 %: ")
        browser.find_element("css selector", "#rows tr button").click()
        assert text("status").startswith("B-0: ")
        browser.execute_script("arguments[0].focus()", canvas)
        canvas.send_keys("<")
        assert HOSTILE[0] in text("rows")
        canvas.click()  # the middle of the whole image; whatever is there, nothing breaks
        assert set(requested(browser)) == {path.as_uri()}
        assert browser.get_log("browser") == []


def test_snakemakes_report(again, tmp_path):
    """It is written after a run, opens, and knows nothing of where it was made."""
    report, opened = again.results / "report.zip", tmp_path / "opened"
    done = again.run(options=["--report", str(report), "--report-after-run"])
    assert done.returncode == 0, done.stdout
    with zipfile.ZipFile(report) as archive:
        archive.extractall(opened)
    (start,) = opened.glob("*/report.html")
    text = start.read_text()
    figures = [*again.results.glob("evaluation/*.png")]
    assert figures
    for path in figures:
        assert EVALUATION[path.stem][1] in text, path.stem
    for path in opened.rglob("*"):
        if path.is_file():
            assert str(again.folder).encode() not in path.read_bytes(), path
    with chromium(tmp_path) as browser:
        browser.get(start.as_uri())
        wait_for(lambda: "Figures" in browser.find_element("tag name", "body").text)
        body = browser.find_element("tag name", "body").text
        assert "Pages" in body
        assert "Tables" in body
        assert [url for url in requested(browser) if not url.startswith("file:")] == []
        assert not [one for one in browser.get_log("browser") if one["level"] == "SEVERE"]
