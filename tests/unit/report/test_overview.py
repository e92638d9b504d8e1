"""The first screen: sentences and rows against numbers worked out by hand."""

import base64
import json
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from mirimask.job_logs import Warned
from mirimask.report.overview import Overview, own_answer, paper_answer
from mirimask.report.pictures import quick_look, smaller, thumbnail
from PIL import Image

MEASURES = pd.DataFrame(
    {
        "image": ["A", "B"],
        "method": "recommended",
        "simulated": False,
        "n_sources": [1200, 34],
        "masked_share": [0.0213, 0.083],
        "depth_ab": [24.126, 25.8],
    }
)
FALSE = pd.DataFrame(
    {
        "image": ["A", "B", "All"],
        "n_blank": [3, 0, 3],
        "false_per_arcmin2": [1234.5, 0, 0.75],
        "false_low": [1001.2, 0, 0.155],
        "false_high": [1500.7, 1.9, 2.19],
    }
)


def test_the_answer_for_own_images():
    depths = pd.DataFrame({"image": ["A", "B"], "m80": [23.0, 23.456], "beyond": False})
    assert own_answer(MEASURES, FALSE, depths, [Warned("A", ("peaks",), "x")]) == [
        "The recommended mask marks 1,234 sources in the 2 images and covers 2.1 to 8.3 % of the "
        "pixels.",
        "A point source of 24.13 to 25.80 AB is 5 sigma of the sky between the sources; of stars "
        "that were added, 80 % are found to 23.00 to 23.46.",
        "Where nothing is real, the cores of the recommended mask mark 0.75 [0.15, 2.2] false "
        "spots per square arcminute; 1 warning.",
    ]


def test_a_depth_that_not_every_image_has_says_of_how_many_it_is():
    depths = pd.DataFrame({"image": ["A", "B"], "m80": [np.nan, 25.27], "beyond": False})
    one_deep = MEASURES.assign(depth_ab=[24.126, np.nan])
    assert own_answer(one_deep, FALSE, depths, [])[1] == (
        "A point source of 24.13 AB is 5 sigma of the sky between the sources (in 1 of the 2 "
        "images); of stars that were added, 80 % are found to 25.27 (in 1 of the 2 images)."
    )


def test_images_deeper_than_all_added_stars_are_in_the_answer():
    depths = pd.DataFrame({"image": ["A", "B"], "m80": [24.5, np.nan], "beyond": [False, True]})
    assert own_answer(MEASURES, FALSE, depths, [])[1].endswith(
        "of stars that were added, 80 % are found to 24.50 (in 1 of the 2 images), and 80 % of the "
        "faintest are found too (in 1 of the 2 images)."
    )
    depths = depths.assign(m80=np.nan, beyond=True)
    assert own_answer(MEASURES, FALSE, depths, [])[1].endswith(
        "sources; of stars that were added, 80 % of the faintest are found too."
    )


def test_the_areas_of_slices_are_spots():
    one = MEASURES.iloc[:1].assign(method="value_4.6", n_sources=1)
    assert own_answer(one, FALSE, None, [])[0].startswith(
        "The mask Img Top 4.6 % marks 1 spot in image A"
    )


def test_a_mask_of_nearly_all_pixels_covers_100_percent():
    one = MEASURES.iloc[:1].assign(masked_share=0.9961)
    assert "covers 100 % of the pixels" in own_answer(one, FALSE, None, [])[0]


def test_the_answer_for_one_image_that_little_was_measured_of():
    one = MEASURES.iloc[:1].assign(depth_ab=np.nan)
    assert own_answer(one, FALSE.iloc[:0], None, []) == [
        "The recommended mask marks 1,200 sources in image A and covers 2.1 % of the pixels.",
        "No warning.",
    ]


def table3(**successes):
    rows = [("A", name, n, 10) for name, n in successes.items()]
    return pd.DataFrame(rows, columns=["image", "method", "success", "sources"])


COUNTS = {"value_1": 4, "derivative_10": 9, "segmentation": 6, "recommended": 8}


def compared(**shares):
    rows = [
        ("all", "false_per_arcmin2", "given", 10.0, name, share, share - 0.05, share + 0.05)
        for name, share in shares.items()
    ]
    columns = ["image", "at", "of", "limit", "family", "completeness", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def test_the_answer_to_the_paper_s_question():
    recalls = pd.DataFrame(
        {
            "method": ["value_1", "derivative_10", "segmentation", "recommended", "value_1"],
            "scorer": [*["peaks"] * 4, "pixels"],
            "difference_low": [-0.4, 0.1, np.nan, 0.1, 0.3],
            "difference_high": [-0.01, 0.5, np.nan, 0.4, 0.4],
        }
    )
    measures = {
        "significance": recalls,
        "curves_compared": compared(value=0.2, derivative=0.3, segmentation=0.1, cores=0.8),
    }
    counts, cost, ours = paper_answer(table3(**COUNTS), measures, MEASURES, FALSE, scorer="peaks")
    assert counts == (
        "By counts: of 10 catalogue sources the segmentation marks 6, the slices 4 to 9 (over "
        "the crop 1 of 2 slices more, 1 fewer, beyond their 95 % interval); chance is in these "
        "counts."
    )
    assert cost == (
        "At equal cost, 10 false spots per square arcminute, derivative slices find 0.30 [0.25, "
        "0.35] of the added faint stars and the segmentation 0.10 [0.05, 0.15]; the cores of the "
        "recommended mask find 0.80 [0.75, 0.85]."
    )
    assert ours.startswith("The recommended mask marks 1,234 sources")
    added = pd.DataFrame({"method": ["value_1"], "stars_left": [0.3], "galaxies_left": [0.1]})
    first = paper_answer(
        table3(**COUNTS), measures | {"added": added}, MEASURES, FALSE, scorer="peaks"
    )[0]
    assert first.startswith("By what they leave of the sources' light, no value or derivative")


def test_a_tie_is_called_a_tie():
    measures = {"curves_compared": compared(value=0.2, derivative=0.19, segmentation=0.12)}
    assert (
        "a tie within the intervals"
        in paper_answer(table3(**COUNTS), measures, MEASURES, FALSE, scorer="peaks")[1]
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (table3(), "There is no catalogue source in this study"),
        (table3(sep=3), "Successes out of 10 catalogue sources: sep 3."),
    ],
)
def test_the_answer_without_sources_or_without_slices(table, words):
    assert (
        paper_answer(table, {}, MEASURES, FALSE, scorer="peaks")[0]
        .lower()
        .startswith(words.lower())
    )


def image_and_mask(shape=(60, 40)):
    image = np.random.default_rng(1).normal(5, 1, shape)
    mask = np.zeros(shape, bool)
    mask[10:30, 10:20] = True
    return image, mask


def test_rows_read_from_files(tmp_path):
    image, mask = image_and_mask()
    for name, ending, made in (("look", "png", quick_look), ("thumb", "png", thumbnail)):
        for code in "AB":
            (tmp_path / f"{name}_{code}.{ending}").write_bytes(made(image, mask))
    paths = {"row": [], "false": []}
    for row in MEASURES.to_dict("records"):
        paths["row"].append(tmp_path / f"{row['image']}.json")
        paths["row"][-1].write_text(json.dumps(row | {"depth_ab": float("nan")}))
    for code, spots in (("A", 2), ("B", 0)):
        paths["false"].append(tmp_path / f"{code}.csv")
        paths["false"][-1].write_text(
            "image,method,domain,n_spots,n_blank,area_arcmin2,false_per_arcmin2,false_low,"
            f"false_high\n{code},cores,,9,{spots},2,{spots / 2},0.1,4\n"
        )
    log = tmp_path / "logs" / "peaks" / "B.log"
    log.parent.mkdir(parents=True)
    log.write_text("INFO: x\nWARNING: B: few peaks\n")
    overview = Overview.read(
        paths["row"],
        paths["false"],
        [tmp_path / f"look_{code}.png" for code in "AB"],
        [tmp_path / f"thumb_{code}.png" for code in "AB"],
        shown="A",
        logs=tmp_path / "logs",
        masks=[],
    )
    a, b = overview.rows(tmp_path, None)
    assert (a.found, b.found) == ("", "")  # not measured
    depths = pd.DataFrame(
        {"image": ["A", "B"], "m80": [23.456, np.nan], "m80_low": 23.4, "m80_high": 23.5}
    )
    for beyond, text in ((False, "nowhere"), (True, "beyond all")):
        depths["beyond"] = [False, beyond]
        found = [row.found for row in overview.rows(tmp_path, depths)]
        assert found == ["23.46 [23.40, 23.50]", text]
    assert (a.name, a.area, a.sources, a.depth, a.found) == ("A", "2.1 %", "1200", "", "")
    assert a.false == "1 [0.1, 4]"
    assert (b.warnings, a.warnings) == (["few peaks"], [])
    assert (a.file, a.thumbnail[:22]) == ("look_A.png", "data:image/png;base64,")
    both = overview.false.set_index("image").loc["All"]
    assert (both["n_blank"], both["false_per_arcmin2"]) == (2, 0.5)
    assert overview.picture(tmp_path)["caption"] == (
        "A, and with the outline of its recommended mask."
    )


def test_a_quick_look_shows_the_image_and_its_outline(tmp_path):
    image, mask = image_and_mask()
    path = tmp_path / "look.png"
    path.write_bytes(quick_look(image, mask))
    shown = np.asarray(Image.open(path).convert("RGB"))[::-1]  # first row below
    assert shown.shape == (60, 40 + 8 + 40, 3)
    orange = (shown == (255, 140, 0)).all(axis=-1)
    assert not orange[:, :48].any()
    assert orange[10:30, 58:68].sum() == 20 * 10 - 16 * 6  # two pixels wide
    assert orange.sum() == orange[10:30, 58:68].sum()


def test_a_small_spot_is_seen_in_the_thumbnail(tmp_path):
    image = np.zeros((2000, 1000))
    mask = np.zeros(image.shape, bool)
    mask[1500, 500] = True
    path = tmp_path / "thumb.png"
    path.write_bytes(thumbnail(image, mask))
    shown = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert max(shown.shape) <= 220
    y, x = np.unravel_index((shown[..., 0] - shown[..., 2]).argmax(), shown.shape[:2])
    assert (shown.shape[0] - 1 - y, x) == (150, 50)
    assert shown[y, x, 0] > shown[y, x, 2] + 30


def test_figures_are_made_smaller_not_larger(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.arange(200 * 100, dtype=np.uint32).reshape(100, 200).astype(np.uint8)).save(
        path
    )
    assert smaller(path.read_bytes(), width=50)[1:] == (50, 25)
    assert smaller(path.read_bytes(), width=500)[1:] == (200, 100)


def test_a_thin_line_keeps_its_colour_when_it_is_made_smaller(tmp_path):
    picture = np.full((600, 1520, 3), 255, np.uint8)
    picture[:, :, :] -= np.random.default_rng(1).integers(0, 40, (600, 1, 1), dtype=np.uint8)
    picture[300:304] = (213, 94, 0)
    path = tmp_path / "a.png"
    Image.fromarray(picture).save(path)
    uri, width, _ = smaller(path.read_bytes(), width=760)
    assert width == 760
    data = base64.b64decode(uri.partition(",")[2])
    shown = np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(int)
    assert abs(shown[150:152, 100:600] - (213, 94, 0)).max() < 45  # WebP has half the dots of hue


def test_what_is_made_smaller_keeps_its_greys_and_can_be_very_tall(tmp_path):
    picture = np.repeat(np.arange(0, 256, 3, dtype=np.uint8), 400)[None].repeat(30, 0).T
    path = tmp_path / "a.png"
    Image.fromarray(picture).save(path)
    uri, width, height = smaller(path.read_bytes(), width=900)
    assert (width, height) == (14, 16383)
    data = base64.b64decode(uri.partition(",")[2])
    shown = np.asarray(Image.open(BytesIO(data)).convert("RGB")).astype(int)
    assert shown.shape == (height, width, 3)
    assert np.ptp(shown, axis=2).max() <= 2
    assert (shown[0].max(), shown[-1].min()) == pytest.approx((0, 255), abs=2)
