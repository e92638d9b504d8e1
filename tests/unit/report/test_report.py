"""Pages and pictures without a browser."""

import base64
import hashlib
import re
from io import BytesIO

import jinja2
import numpy as np
import pandas as pd
import pytest
from mirimask.report.page import bold, frame_table, link, paired_table, render_page
from mirimask.report.pictures import cut_out, grey_levels, grey_png, mask_png, shrink, shrink_mask
from PIL import Image

HOSTILE = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)>{{ 7 * 7 }}'


def browser_page(**changed):
    content = {
        "title": HOSTILE,
        "study": HOSTILE,
        "simulated": True,
        "question": HOSTILE,
        "radius": "18 px",
        "near": "25 px",
        "of_a_spot": True,
        "scaled": HOSTILE,
        "data": {"images": [{"name": HOSTILE}]},
    }
    return render_page("browser", **(content | changed))


def test_nothing_breaks_out_of_a_page():
    page = browser_page()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("<script") == 2
    assert page.count("</script>") == 2


def test_the_policy_names_exactly_the_page_s_own_code():
    page = browser_page()
    policy = re.search(r'Security-Policy" content="([^"]+)"', page)[1].replace("&#39;", "'")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_equal_content_gives_equal_pages_and_a_gap_is_an_error():
    assert browser_page() == browser_page()
    assert "SIMULATED" not in browser_page(simulated=False)
    with pytest.raises(jinja2.UndefinedError):
        render_page("browser", title="", study="", simulated=False)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", ""])
def test_links_stay_below_the_page(path):
    with pytest.raises(ValueError, match="below the page"):
        link(path)


def test_links_are_quoted():
    assert link('masks/A/value_1@crop".fits') == "./masks/A/value_1%40crop%22.fits"
    assert link("javascript:alert(1)") == "./javascript%3Aalert%281%29"


def test_tables():
    frame = pd.DataFrame({"Image": ["A"], "Img S": [bold("1/2")], "Img F": [np.nan]})
    table = paired_table(frame, caption="c")
    assert table.groups == [("Img", 2)]
    assert table.columns == ["Image", "S", "F"]
    assert [(cell.text, cell.strong) for cell in table.rows[0]] == [
        ("A", False),
        ("1/2", True),
        ("", False),
    ]
    assert frame_table(frame, caption="c").columns == ["Image", "Img S", "Img F"]


def test_grey_levels():
    image = np.linspace(0, 1, 10000).reshape(100, 100)
    image[3, 4] = np.nan
    levels = grey_levels(image)
    assert levels[3, 4] == 0
    assert levels[0, 0] == 16
    assert levels[-1, -1] == 255
    assert (np.diff(levels[50].astype(int)) >= 0).all()
    assert not grey_levels(np.full((3, 3), np.nan)).any()
    assert (grey_levels(np.ones((3, 3))) == 16).all()


def test_pictures_have_the_first_row_at_the_bottom():
    levels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert (np.array(Image.open(BytesIO(grey_png(levels)))) == levels[::-1]).all()
    mask = np.array([[True, False, False], [False, False, True]])
    data = mask_png(mask, (255, 140, 0))
    picture = np.array(Image.open(BytesIO(data)).convert("RGBA"))[::-1]
    assert ((picture[..., 3] == 255) == mask).all()
    assert (picture[mask] == [255, 140, 0, 255]).all()
    assert data[24] == 1  # bits a pixel


def test_shrinking_loses_no_spot():
    mask = np.zeros((7, 5), bool)
    mask[6, 4] = True
    assert shrink_mask(mask, 3).tolist() == [[0, 0], [0, 0], [0, 1]]
    image = np.arange(35.0).reshape(7, 5)
    image[0, 0] = np.nan
    small = shrink(image, 3)
    assert small.shape == (3, 2)
    assert small[0, 0] == pytest.approx(np.nanmean(image[:3, :3]))
    assert small[2, 1] == pytest.approx(image[6, 3:].mean())
    assert np.isnan(shrink(np.full((2, 2), np.nan), 2)).all()


def test_a_cut_out_beyond_the_rim():
    image = np.arange(12).reshape(3, 4)
    assert cut_out(image, 0, 0, 2, -1).tolist() == [[-1, -1], [-1, 0]]
    assert cut_out(image, 1, 1, 2, -1).tolist() == [[0, 1], [4, 5]]
    assert (cut_out(image, 90, 90, 4, -1) == -1).all()
