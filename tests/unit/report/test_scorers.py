"""Scoring by eye without a browser: what is shown, what files say, how far scorers agree."""

import base64
import json
import logging
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from frames import frame_with
from mirimask.errors import MaskError
from mirimask.intervals import wilson
from mirimask.report.by_eye import (
    ScoredImage,
    agreement_by_eye,
    cut_out_side,
    layout_by_eye,
    majority,
    read_verdicts,
    rule_verdicts,
    score_data,
    score_page,
    scored_image,
    table_by_eye,
    tables_by_eye,
)
from PIL import Image


def image(**changed):
    rng = np.random.default_rng(5)
    settings = {
        "name": "A",
        "levels": rng.integers(16, 255, (40, 50)).astype(np.uint8),
        "masks": {
            "value_1": rng.random((40, 50)) > 0.7,
            "segmentation": rng.random((40, 50)) > 0.9,
        },
        "ids": ["one", 'two, "2"'],
        "x": np.array([20.3, 1.2]),
        "y": np.array([25.6, 39.0]),
        "radius": 4.0,
        "near": 3.0,
        "side": 16,
    }
    return ScoredImage(**(settings | changed))


def decoded(uri):
    picture = Image.open(BytesIO(base64.b64decode(uri.partition(",")[2])))
    return np.array(picture.convert("RGBA"))[::-1]  # rows upwards again


def test_items_show_what_the_key_says():
    """Each cut-out is that of its source and mask, and the circle's centre is the source."""
    own = image()
    data, key = score_data([own], study="s")
    assert [item["item"] for item in data["items"]] == sorted(key["item"])
    names = key.set_index("item")
    for item in data["items"]:
        row = names.loc[item["item"]]
        assert json.loads(base64.b64decode(item["key"])) == [row["image"], row["method"], row["id"]]
        at = own.ids.index(row["id"])
        original = data["originals"][item["original"]]
        x0, y0 = own.x[at] - original["x"], own.y[at] - original["y"]
        assert (round(x0), round(y0)) == (pytest.approx(x0, abs=1e-3), pytest.approx(y0, abs=1e-3))
        x0, y0 = round(x0), round(y0)
        grey, mask = decoded(original["uri"])[..., 0], decoded(item["mask"])[..., 3] > 0
        for y in range(16):
            for x in range(16):
                inside = 0 <= x0 + x < 50 and 0 <= y0 + y < 40
                expected = own.levels[y0 + y, x0 + x] if inside else 0
                assert grey[y, x] == expected
                expected = own.masks[row["method"]][y0 + y, x0 + x] if inside else False
                assert mask[y, x] == expected


def test_an_item_changes_with_what_it_shows():
    _, key = score_data([image()], study="s")
    own = image()
    own.masks["value_1"][25, 20] ^= True
    _, changed = score_data([own], study="s")
    same = (key["item"] == changed["item"]).to_numpy()
    assert not same[(key["method"] == "value_1") & (key["id"] == "one")].any()
    assert same[key["method"] == "segmentation"].all()


def test_cut_outs_show_the_ring_at_any_pixel_scale():
    paper = {"radius_px": 18, "near_px": 25, "fwhm_px": 2.445}
    assert cut_out_side(None, **paper) == 128
    # 0.04": 237 px hold the ring of 1.98" and 2.75"
    fine = {"radius_px": 1.98 / 0.04, "near_px": 2.75 / 0.04, "fwhm_px": 6.725}
    assert cut_out_side(None, **fine) == 354
    assert cut_out_side(128, **fine) == 237
    assert cut_out_side(128, **paper) == 128
    # a small circle still has sky around it
    assert cut_out_side(None, radius_px=2.4, near_px=3.4, fwhm_px=2.445) == 48


def test_a_cut_out_that_the_ring_does_not_fit_into_is_made_larger_and_said(caplog):
    crop = frame_with(np.arange(2500, dtype=np.float32).reshape(50, 50))
    crop.primary["IMAGE"] = "A"
    sources = Table({"id": [7], "x": [12.0], "y": [30.5]})
    masks = {"value_1": crop.data > 2000}
    sizes = {"radius": "18 px", "near": "2.75 arcsec"}  # 25 px
    image = scored_image(crop, masks, sources, cutout="60 px", **sizes)
    assert image.side == 86
    assert image.near == pytest.approx(25)
    assert image.ids == ["7"]
    assert "A: cut-outs of 60 px would cut off the ring; they are 86 px wide" in caplog.text
    caplog.clear()
    assert scored_image(crop, masks, sources, cutout=None, **sizes).side == 128
    assert caplog.text == ""


def test_each_image_has_cut_outs_of_its_own_size():
    data, _ = score_data([image(), image(name="B", side=20)], study="s")
    sides = [original["side"] for original in data["originals"]]
    assert sides == [16, 16, 20, 20]
    assert decoded(data["originals"][2]["uri"]).shape == (20, 20, 4)


def test_nothing_to_score():
    data, key = score_data([image(ids=[], x=np.array([]), y=np.array([]))], study="s")
    assert data["items"] == []
    assert list(key.columns) == ["item", "image", "method", "id"]
    assert key.empty


KEY = pd.DataFrame(
    [("i1", "A", "value_1", "1"), ("i2", "A", "value_1", "2"), ("i3", "A", "segmentation", "1")],
    columns=["item", "image", "method", "id"],
)
HEAD = "scorer,image,method,id,verdict,item\n"


def written(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "cannot be read"),
        ("scorer,image,method,verdict\n", "no column id"),
        (HEAD + "E,A,value_1,1,success,i1\nE,A,value_1,2,perhaps,i2\n", "row 3: 'perhaps'"),
        (HEAD + "E,B,value_1,1,success,i1\n", "row 2: this study does not score"),
        (HEAD + "E,A,value_1,1,near,i1\nE,A,value_1,1,near,i1\n", "row 3: the same verdict"),
        (HEAD + " ,A,value_1,1,near,i1\n", "row 2: no scorer"),
        ('scorer,image\n"E\n', "cannot be read"),
    ],
)
def test_malformed_files(tmp_path, text, problem):
    path = written(tmp_path, "eye.csv", text)
    with pytest.raises(MaskError) as error:
        read_verdicts([path], KEY)
    assert str(error.value).startswith(str(path))
    assert problem in str(error.value)


def test_a_file_that_a_spreadsheet_has_saved(tmp_path):
    path = tmp_path / "eye.csv"
    path.write_text(HEAD + "E,A,value_1,1,near,i1\n", encoding="utf-8-sig")
    assert read_verdicts([path], KEY)["scorer"].tolist() == ["E"]


def test_a_binary_file_and_a_missing_one(tmp_path):
    path = tmp_path / "eye.csv"
    path.write_bytes(b"\xff\xfe\x00\x01" * 20)
    for given in (path, tmp_path / "none.csv"):
        with pytest.raises(MaskError, match="cannot be read"):
            read_verdicts([given], KEY)


def test_one_scorer_in_two_files(tmp_path):
    a = written(tmp_path, "a.csv", HEAD + "E,A,value_1,1,success,i1\n")
    b = written(tmp_path, "b.csv", HEAD + "E,A,value_1,2,success,i2\n")
    with pytest.raises(MaskError, match=r"b\.csv: scorer 'E' is in .*a\.csv too"):
        read_verdicts([a, b], KEY)


def test_verdicts_on_a_changed_mask_are_left_out(tmp_path, caplog):
    path = written(tmp_path, "a.csv", HEAD + "E,A,value_1,1,success,i1\nE,A,value_1,2,near,old\n")
    with caplog.at_level(logging.WARNING):
        verdicts = read_verdicts([path], KEY)
    assert list(verdicts["id"]) == ["1"]
    assert "1 of 2 verdicts are left out" in caplog.text
    hand_made = "scorer,image,method,id,verdict\nE,A,value_1,2,near\n"
    assert len(read_verdicts([written(tmp_path, "b.csv", hand_made)], KEY)) == 1


def given(scorer, *verdicts, method="value_1"):
    rows = [(scorer, "A", method, str(i), verdict) for i, verdict in enumerate(verdicts)]
    return pd.DataFrame(rows, columns=["scorer", "image", "method", "id", "verdict"])


def test_majority():
    table = pd.concat(
        [
            given("a", "success", "near", "unsure", "unsure", "success"),
            given("b", "success", "failure", "near", "unsure", "success"),
            given("c", "near", "unsure", "unsure", "unsure", "failure"),
        ]
    )
    ruled = majority(table, name="m")
    assert list(ruled["verdict"]) == ["success", "unsure", "near", "unsure", "success"]
    assert set(ruled["scorer"]) == {"m"}


def test_table_and_layout():
    verdicts = pd.concat(
        [
            given("a", "success", "success", "near", "unsure"),
            given("a", "success", *["failure"] * 3, method="segmentation"),
        ]
    )
    table = table_by_eye(verdicts, images=["A", "B"], methods=["value_1", "segmentation"])
    rows = table.set_index(["image", "method"])
    columns = ["success", "near", "failure", "unsure", "sources"]
    assert list(rows.loc[("A", "value_1"), columns]) == [2, 1, 0, 1, 4]
    assert list(rows.loc[("A", "segmentation"), columns]) == [1, 0, 3, 0, 4]
    assert list(rows.loc[("B", "value_1"), columns]) == [0, 0, 0, 0, 0]
    assert list(rows["bold"]) == [True, False, False, False]
    layout = layout_by_eye(table, bold=lambda text: f"*{text}*").set_index("Image")
    assert list(layout.loc["A"]) == ["*2/1*", "0 ?1", "1", "3"]
    assert list(layout.loc["All"]) == ["2/1", "0 ?1", "1", "3"]


def test_more_successes_of_more_cutouts_are_not_better():
    """The scorer has seen four cut-outs of the one mask and two of the other."""
    both = [
        given("a", *["success"] * n, method=m) for n, m in ((4, "value_1"), (2, "segmentation"))
    ]
    table = table_by_eye(pd.concat(both), images=["A"], methods=["value_1", "segmentation"])
    assert not table["bold"].any()


def test_agreement_and_kappa():
    """Cohen's kappa by hand: p_o = 3/4; p_e = 1/2 x 3/4 + 1/2 x 1/4 = 1/2; kappa = 1/2."""
    a = given("a", "success", "success", "failure", "failure", "unsure", "near")
    b = given("b", "success", "success", "failure", "success", "near", "unsure")
    automatic = {"rule": given("", "success", "near", "failure", "failure", "near", "near")}
    table = agreement_by_eye(pd.concat([a, b]), automatic).set_index(["first", "second", "method"])
    row = table.loc[("a", "b", "All")]
    assert (row["compared"], row["unsure"], row["agree"]) == (4, 2, 3)
    assert row["kappa"] == pytest.approx(0.5)
    assert row["kappa_success"] == pytest.approx(0.5)
    assert row["agreement_low"] < 0.75 < row["agreement_high"]
    row = table.loc[("a", "rule", "value_1")]
    assert (row["compared"], row["unsure"], row["agree"]) == (5, 1, 4)
    assert ("b", "rule", "All") in table.index


def test_masks_of_one_source_are_not_independent_scorings():
    """Ten sources under four masks, alike for each source: the interval is that of ten."""
    verdicts = ["success" if number % 2 else "failure" for number in range(10)]
    masks = [f"value_{level}" for level in (1, 2, 3, 4)]
    own = pd.concat([given("a", *verdicts, method=mask) for mask in masks])
    rule = pd.concat([given("", *["success"] * 10, method=mask) for mask in masks])
    row = agreement_by_eye(own, {"rule": rule}).set_index("method").loc["All"]
    assert (row["compared"], row["agreement"]) == (40, 0.5)
    limits = row["agreement_low"], row["agreement_high"]
    assert limits == pytest.approx(tuple(map(float, wilson(5, 10))))


def test_the_majority_stands_first_and_in_latex():
    verdicts = pd.concat(
        [
            given("Ann *", "success", "success"),
            given("b", "success", "failure"),
            given("c", "near", "success"),
        ]
    )
    table, page, latex = tables_by_eye(
        verdicts, KEY, images=["A", "B"], methods=["value_1"], simulated=True
    )
    assert list(table["scorer"]) == ["majority of 3", "Ann *", "b", "c"]
    assert list(table["success"]) == [2, 2, 1, 1]
    titles = [line for line in page.splitlines() if line.startswith("#")]
    assert [title.rpartition("; ")[2] for title in titles] == ["majority of 3", "Ann _", "b", "c"]
    assert "6 of 3 cut-outs" not in page
    assert page.count("2 of 3 cut-outs scored") == 4
    assert page.count("scored blind to method and image") == 1
    assert "A & 2 & 0" in latex
    assert "B" not in set(table["image"])  # no source of it was to be scored


def test_one_scorer_is_no_majority():
    table, *_ = tables_by_eye(
        given("a", "near"), KEY, images=["A"], methods=["value_1"], simulated=False
    )
    assert list(table["scorer"]) == ["a"]


def test_both_rules_are_compared_with():
    automatic = pd.DataFrame({"id": ["1"], "verdict": ["near"], "verdict_pixels": ["success"]})
    rules = rule_verdicts(automatic)
    assert {name: list(table["verdict"]) for name, table in rules.items()} == {
        "automatic (peaks)": ["near"],
        "automatic (pixels)": ["success"],
    }


def test_the_page_says_how_many_and_within_what():
    data, _ = score_data([image()], study="s")
    page = score_page(data, study="s", simulated=False, radius="2 fwhm", near="25 px")
    assert f"You will see {len(data['items'])} pairs" in page
    assert "2 FWHM of the PSF in radius; the outer ring lies 25 px farther out" in page
