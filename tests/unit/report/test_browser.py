"""What the page to look at images and masks gets of an image."""

import base64
import json
import re
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from mirimask.report.browser import BrowsedImage, browser_page, image_data, largest_side
from PIL import Image

NY, NX = 6, 10


def browsed(**changes):
    mask = np.zeros((NY, NX), bool)
    mask[1, 2:5] = True
    verdicts = pd.DataFrame(
        {
            "id": ["001", "</script>"],
            "ra": [10.0, 11.0],
            "dec": [-1.0, -2.0],
            "x": [2.25, 7.0],
            "y": [1.0, 4.0],
            "verdict": ["success", "failure"],
            "verdict_pixels": ["success", "near"],
            "distance_px": [0.12345, np.inf],
            "peak_snr": [7.128, np.nan],
        }
    )
    given = {
        "name": "A",
        "image": np.arange(NY * NX, dtype=float).reshape(NY, NX),
        "derivative": np.full((NY, NX), 10.0),
        "masks": {"value_1": mask},
        "verdicts": {"value_1": verdicts},
        "radius": 4.0,
        "near": 6.0,
    }
    return BrowsedImage(**given | changes)


def size(uri):
    return Image.open(BytesIO(base64.b64decode(uri.partition(",")[2]))).size


def test_an_image_as_it_is():
    data, factor = image_data(browsed())
    assert factor == 1
    assert (data["nx"], data["ny"], data["pixels"]) == (NX, NY, NX * NY)
    assert size(data["uri"]) == size(data["masks"][0]["uri"]) == (NX, NY)
    assert size(data["derivative"]) == (NX, NY)
    (mask,) = data["masks"]
    assert (mask["label"], mask["kept"]) == ("Img Top 1 %", 3)
    assert mask["verdicts"] == [
        {"verdict": "success", "literal": "success", "distance": 0.123, "snr": 7.13},
        {"verdict": "failure", "literal": "near", "distance": None, "snr": None},
    ]
    assert [source["id"] for source in data["sources"]] == ["001", "</script>"]
    assert (data["sources"][0]["x"], data["sources"][0]["px"]) == (2.25, 2.25)


def test_a_large_image_is_drawn_smaller_and_its_circles_with_it():
    """Pixel 0 of the smaller image has its centre between pixels 0 and 1 of the larger one."""
    data, factor = image_data(browsed(), largest=5)
    assert factor == 2
    assert (data["nx"], data["ny"], data["pixels"]) == (5, 3, NX * NY)
    assert (data["radius"], data["near"]) == (2.0, 3.0)
    assert data["sources"][0]["x"] == pytest.approx(2.75 / 2 - 0.5)
    assert data["sources"][0]["px"] == 2.25
    assert data["masks"][0]["kept"] == 3


def test_the_page_holds_its_data_and_says_what_is_drawn_smaller():
    small, large = image_data(browsed()), image_data(browsed(name="B"), largest=5)
    page = browser_page(
        [small, large], study="s", simulated=False, radius="1 fwhm", near="25 px", of_a_spot=True
    )
    assert "B 1 of 2" in page
    assert "A 1 of" not in page
    assert "inner 1 FWHM of the PSF, outer 25 px beyond it" in page
    assert "of sources that a mask runs together one counts" in page
    text = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S).group(1)
    assert [image["name"] for image in json.loads(text)["images"]] == ["A", "B"]
    assert json.loads(text)["images"][0]["sources"][1]["id"] == "</script>"


def test_the_images_of_a_page_of_many_are_small_together():
    """The paper's seven, of 1000 pixels, are drawn as they are; 700 are 25 Mpx."""
    assert largest_side(0) == largest_side(7) == 1600
    assert largest_side(25) == 1000
    assert 700 * largest_side(700) ** 2 <= 25_000_000 < 700 * (largest_side(700) + 1) ** 2
    many = [image_data(browsed(), largest=5) for _ in range(9)]
    page = browser_page(
        many, study="s", simulated=False, radius="1 fwhm", near="25 px", of_a_spot=True
    )
    assert "9 images 1 of 2" in page
    assert "A 1 of" not in page
