"""A headless Chromium without a network, for the pages of a study."""

import json
import shutil
import time
from contextlib import contextmanager

import pytest

# what a page holds itself, and the new-tab page that the browser starts with
INSIDE = ("data:", "blob:", "chrome:", "chrome-untrusted:")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium(folder, *, width=1280, height=900):
    """A driven browser with an empty profile below `folder`; downloads go to `folder`/saved."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("no chromium and chromedriver: on Debian, packages chromium, chromium-driver")
    selenium = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    options = selenium.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--window-size={width},{height}", f"--user-data-dir={folder}/profile"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = selenium.ChromeService(driver)
    browser = selenium.Chrome(options=options, service=service)
    try:
        saved = folder / "saved"
        saved.mkdir(exist_ok=True)
        behaviour = {"behavior": "allow", "downloadPath": str(saved)}
        browser.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
        yield browser
    finally:
        browser.quit()


def requested(browser):
    """The URLs that pages asked for since the last call, other than those inside the page."""
    urls = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            urls.append(message["params"]["request"]["url"])
    return [url for url in urls if not url.startswith(INSIDE)]


def wait_for(condition, *, seconds=20):
    """Return what `condition()` gives as soon as it is true; fail after that many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {condition}")
