"""Table 3 under other settings, on a mask whose counts are known."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from frames import frame_with
from mirimask.evaluation.sensitivity import (
    CONCLUSIONS,
    conclusions,
    count_masks,
    count_variants,
    kept_by_cuts,
    of_every_image,
    other_peaks,
    other_radii,
    other_segmentations,
    other_smallest,
    pool_variants,
    spot_text,
    survival,
    tried_settings,
    with_effect,
)
from mirimask.image.frame import crop_frame
from mirimask.masks.segmentation import SegmentationSettings, segment
from mirimask.sources.catalogue import locate_sources
from scipy.ndimage import gaussian_filter

STANDARD = {
    "scorer": "peaks",
    **{"radius_px": 18, "near_px": 25, "snr": 5, "smallest_px": None},
    **{"min_pixels": 1, "tolerance_px": 0},
}


def _table(scorer="peaks"):
    """Two peaks, of 10 and 4 sigma, each with a source 12 px away; spots of 1 and 4 pixels."""
    mask = np.zeros((120, 120), bool)
    mask[30, 30] = True
    mask[80:82, 80:82] = True
    peaks = pd.DataFrame({"x": [30, 80], "y": [30, 80], "value": 1.0, "snr": [10.0, 4.0]})
    x, y = np.array([42.0, 92.0]), np.array([30.0, 80.0])
    return count_variants(
        {"value_1": mask},
        peaks,
        x,
        y,
        standard=STANDARD | {"scorer": scorer},
        variants={"radius_px": {"9 px": 9}, "snr": {"3": 3}, "smallest_px": {"2": 2}},
        subsets={"first": np.array([True, False])},
    ).set_index("setting")


def test_one_setting_changes_at_a_time():
    table = _table()
    assert table["success"].to_dict() == {
        "as configured": 1,  # the fainter peak is below 5 sigma
        "verdict radius [px]": 0,
        "peak S/N": 2,
        "smallest spot [px]": 0,
        "catalogue": 1,
        "scorer": 2,
    }
    assert table.loc["catalogue", "sources"] == 1
    assert table.loc["verdict radius [px]", "near"] == 1


def test_the_study_is_counted_by_its_own_scorer():
    """Pixels of the mask are 12 px and 10 px away; peaks and their settings decide nothing."""
    table = _table("pixels")
    assert table["success"].to_dict() == {
        "as configured": 2,
        "verdict radius [px]": 0,
        "catalogue": 1,
        "scorer": 1,
    }
    assert table.loc["scorer", "value"] == "bright peak"


def test_conclusions():
    rows = [
        {"image": i, "setting": s, "value": "", "method": m, "sources": 10, "success": n}
        for s, counts in {"as configured": (7, 7), "scorer": (9, 7)}.items()
        for i in ("Img1", "Img2")
        for m, n in zip(("derivative_10", "segmentation"), counts, strict=True)
    ]
    found = conclusions(pd.DataFrame(rows)).set_index(["conclusion", "setting"])["holds"]
    first, second, *_ = CONCLUSIONS
    assert not found[first, "as configured"]
    assert found[first, "scorer"]
    assert found[second, "as configured"]
    assert not any("value" in text for text, _ in found.index)  # methods that are not there


def test_an_image_without_sources_decides_nothing():
    """All masks succeed equally, never, where there is nothing to mark."""
    rows = [
        {
            "image": i,
            "setting": "as configured",
            "value": "",
            "method": m,
            "sources": n,
            "success": s,
        }
        for i, n, counts in (("A", 10, (9, 7)), ("nebula", 0, (0, 0)))
        for m, s in zip(("derivative_10", "segmentation"), counts, strict=True)
    ]
    assert conclusions(pd.DataFrame(rows)).set_index("conclusion")["holds"][next(iter(CONCLUSIONS))]


def test_settings_that_change_no_count_say_nothing():
    rows = [
        ("as configured", "", 9, 7),
        ("segmentation jwst version", "1.12.5", 9, 7),  # the configured one by its name
        ("peak S/N", "3", 9, 8),
        ("catalogue", "x > 1", 9, 7),
    ]
    table = pd.DataFrame(
        [
            {"image": "A", "setting": setting, "value": value, "method": m, "sources": 10}
            | {"success": s, "near": 0, "failure": 10 - s}
            for setting, value, *counts in rows
            for m, s in zip(("derivative_10", "segmentation"), counts, strict=True)
        ]
    )
    fewer = table["setting"] == "catalogue"
    table.loc[fewer, ["sources", "failure"]] -= 1  # of fewer sources, which is another count
    kept, idle = with_effect(table)
    assert idle == ["segmentation jwst version 1.12.5"]
    assert kept["setting"].unique().tolist() == ["as configured", "peak S/N", "catalogue"]
    assert with_effect(table[:0])[1] == []


def test_other_settings_follow_the_radius_and_the_pixel():
    assert other_radii("18 px") == ["9 px", "12 px", "24 px", "30 px"]
    assert other_radii("1 fwhm") == ["0.5 fwhm", "0.6667 fwhm", "1.333 fwhm", "1.667 fwhm"]
    assert other_smallest(0.11) == {"1": 1, "9": 9, "12": 12, "25": 25}
    # half the pixel, four times as many in the same area
    assert other_smallest(0.055) == {"1": 4, "9": 36, "12": 48, "25": 100}
    assert other_smallest(5)["1"] == 1


def test_without_sources_nothing_is_concluded():
    table = pd.DataFrame(
        [{"image": "A", "setting": "as configured", "value": "", "method": "m", "sources": 0}]
    )
    assert conclusions(table).empty


def test_the_verdict_on_a_conclusion():
    settings = [("as configured", ""), ("peak S/N", "3"), ("peak S/N", "8"), ("catalogue", "x > 1")]
    answers = pd.DataFrame(
        [
            {"conclusion": text, "setting": setting, "value": value, "holds": holds}
            for text, given in {
                "always": (True, True, True, True),
                "never": (False, False, False, False),
                "only usually": (True, False, True, False),
                "not usually": (False, False, False, True),
            }.items()
            for (setting, value), holds in zip(settings, given, strict=True)
        ]
    )
    assert survival(answers).to_numpy().tolist() == [
        ["always", "holds", "3 of 3 other settings", "survives", "none"],
        ["never", "does not hold", "3 of 3 other settings", "fails throughout", "none"],
        [
            *("only usually", "holds", "1 of 3 other settings", "depends on the settings"),
            "peak S/N 3; catalogue x > 1",
        ],
        [
            *("not usually", "does not hold", "2 of 3 other settings", "depends on the settings"),
            "catalogue x > 1",
        ],
    ]
    assert survival(answers[:0]).empty
    assert "verdict" in survival(answers[:0])


def test_which_conclusions_survive_the_counts():
    """Img1 and Img2 with the segmentation ahead under one setting, in one image."""
    counts = {
        ("as configured", ""): {"Img1": (7, 5), "Img2": (6, 5)},
        ("peak S/N", "3"): {"Img1": (9, 5), "Img2": (4, 5)},  # 13 to 10 together
    }
    rows = [
        {"image": image, "setting": s, "value": v, "method": m, "sources": 10, "success": n}
        for (s, v), images in counts.items()
        for image, numbers in images.items()
        for m, n in zip(("derivative_10", "segmentation"), numbers, strict=True)
    ]
    found = survival(conclusions(pd.DataFrame(rows))).set_index("conclusion")["verdict"]
    everywhere, not_fewer, together, *_ = CONCLUSIONS
    assert found[everywhere] == found[not_fewer] == "depends on the settings"
    assert found[together] == "survives"


def test_counts_of_images_add_up():
    two = pd.concat([_table().reset_index()] * 2).assign(image="A")
    pooled = pool_variants(two).set_index("setting")
    assert pooled.loc["peak S/N", ["sources", "success", "near", "failure"]].tolist() == [
        4,
        4,
        0,
        0,
    ]
    assert pooled.loc["catalogue", "success"] == 2


def test_other_masks_are_counted_under_the_study_s_settings():
    peaks = pd.DataFrame({"x": [30], "y": [30], "value": 1.0, "snr": [10.0]})
    mask = np.zeros((60, 60), bool)
    mask[30, 30] = True
    at = peaks, np.array([42.0, 58.0]), np.array([30.0, 58.0])
    (row,) = count_masks(
        {"value_1": mask}, *at, standard=STANDARD, setting="slice domain", value="crop"
    ).to_dict("records")
    assert row == {
        **{"setting": "slice domain", "value": "crop", "method": "value_1", "sources": 2},
        **{"success": 1, "near": 1, "failure": 0},
    }


def test_settings_that_are_tried():
    crop = frame_with(np.ones((20, 20), np.float32))
    own = {
        "scorer": "peaks",
        "radius": "18 px",
        "near": "2.2 arcsec",
        "snr": 5,
        "smallest_spot": "2 px",
        "min_pixels": 2,
    }
    standard, variants = tried_settings(
        crop, **own, tolerance_fwhm=1, radii=None, snrs=[3, 8.5], smallest=[4]
    )
    assert standard["near_px"] == pytest.approx(20)
    assert standard["tolerance_px"] == pytest.approx(0.269 / 0.11)
    assert {key: standard[key] for key in ("radius_px", "snr", "min_pixels")} == {
        **{"radius_px": 18, "snr": 5, "min_pixels": 2}
    }
    assert standard["smallest_px"] == pytest.approx(np.pi)  # of a disc of 2 px
    assert variants["radius_px"] == {"9 px": 9, "12 px": 12, "24 px": 24, "30 px": 30}
    assert variants["snr"] == {"3": 3, "8.5": 8.5}
    assert variants["smallest_px"] == {"4": 4}
    given = {"radii": ["1.1 arcsec"], "snrs": [], "smallest": None}
    _, variants = tried_settings(crop, **own, tolerance_fwhm=1, **given)
    assert variants["radius_px"] == {"1.1 arcsec": pytest.approx(10)}
    assert variants["smallest_px"] == {"1": 1, "9": 9, "12": 12, "25": 25}


def test_sources_that_a_cut_keeps(caplog):
    crop = frame_with(np.ones((40, 40), np.float32))
    ra, dec = crop.wcs.all_pix2world([5, 20, 30, 30], [5, 20, 10, 10], 0)
    catalogue = Table(
        {"id": ["1", "2", "3", "3"], "ra": ra, "dec": dec, "q": [0.5, 0.9, 0.95, 0.2], "s": [9] * 4}
    )
    settings = {"name": "own", "id": "id", "ra": "ra", "dec": "dec", "keep": "q > 0.4"}
    columns = {"id_column": "id", "ra_column": "ra", "dec_column": "dec"}
    sources = locate_sources(catalogue, crop.wcs, crop.data.shape, keep="q > 0.4", **columns)
    with caplog.at_level(logging.WARNING, logger="mirimask"):
        kept = kept_by_cuts(
            crop, sources, catalogue, settings=settings, cuts=["q > 0.7", "flags == 0"]
        )
    assert {cut: found.tolist() for cut, found in kept.items()} == {"q > 0.7": [False, True, True]}
    assert "the cut 'flags == 0' is left out" in caplog.text
    # of two of one id the numbers behind it are not the same before the cut and after
    settings |= {"keep": ""}
    catalogue["q"] = [0.5, 0.9, 0.2, 0.95]
    sources = locate_sources(catalogue, crop.wcs, crop.data.shape, **columns)
    assert sources["id"].tolist() == ["1", "2", "3", "3 (2)"]
    kept = kept_by_cuts(crop, sources, catalogue, settings=settings, cuts=["q > 0.7"])
    assert kept["q > 0.7"].tolist() == [False, True, False, True]
    none = kept_by_cuts(crop, sources[:0], Table(), settings=settings, cuts=["q > 0.7"])
    assert none["q > 0.7"].shape == (0,)
    # those of the catalogue's name where none are given: an unknown catalogue has none
    assert kept_by_cuts(crop, sources, catalogue, settings=settings, cuts=None) == {}


def test_settings_that_some_images_lack():
    """By hand: the condition holds of A alone, where nothing changed; of B it was not asked."""
    rows = [
        {"image": i, "setting": setting, "value": value, "method": m, "sources": 5, "success": s}
        for i, setting, value, *counts in (
            ("A", "as configured", "", 5, 3),
            ("B", "as configured", "", 2, 4),
            ("A", "peak S/N", "3", 5, 3),
            ("B", "peak S/N", "3", 2, 4),
            ("A", "catalogue", "q > 0.7", 4, 2),
        )
        for m, s in zip(("derivative_10", "segmentation"), counts, strict=True)
    ]
    kept, left_out = of_every_image(pd.DataFrame(rows))
    assert left_out == ["catalogue q > 0.7"]
    found = survival(conclusions(kept)).set_index("conclusion")["verdict"]
    assert found[next(iter(CONCLUSIONS))] == "fails throughout"


def test_other_segmentations_are_of_the_whole_frame():
    """The first and the last share their background; the order stays."""
    rng = np.random.default_rng(2)
    data = rng.normal(6, 0.1, (120, 130)).astype(np.float32)
    for row, column in ((30, 40), (70, 80), (90, 100)):
        data[row - 4 : row + 5, column - 4 : column + 5] += 3
    frame = replace(frame_with(data), error=np.where(data < 5.7, np.nan, 0.1).astype(np.float32))
    crop = crop_frame(frame, rows=(20, 110), columns=(30, 120), image="A")
    found = other_segmentations(
        frame,
        crop,
        [{"snr": 9}, {"jwst_version": "1.5.3", "snr": 9}, {"snr": 2, "n_pixels": 5}],
        settings={"jwst_version": "1.12.5"},
    )
    expected = {
        "snr 9": SegmentationSettings.for_jwst("1.12.5", snr=9),
        "jwst version 1.5.3, snr 9": SegmentationSettings.for_jwst("1.5.3", snr=9),
        "snr 2, n pixels 5": SegmentationSettings.for_jwst("1.12.5", snr=2, n_pixels=5),
    }
    assert list(found) == list(expected)
    seen = np.where(np.isnan(frame.error), np.nan, data)
    for name, settings in expected.items():
        whole = segment(seen, settings=settings) > 0
        np.testing.assert_array_equal(found[name], whole[20:110, 30:120])
    assert found["snr 9"].any()
    assert (found["snr 9"] != found["snr 2, n pixels 5"]).any()


def test_other_finders_find_the_stars_and_no_clouds():
    rng = np.random.default_rng(0)
    stars = [(40, 30), (120, 90), (70, 140)]
    points = np.zeros((180, 160))
    for x, y in stars:
        points[y, x] = 8
    y, x = np.indices(points.shape)
    cloud = 3 * np.exp(-0.5 * ((x - 110) ** 2 + (y - 40) ** 2) / 15**2)
    data = 6 + cloud + rng.normal(0, 0.1, points.shape) + gaussian_filter(points, 1.04)
    data[150:, :20] = np.nan
    crop = frame_with(data.astype(np.float32), np.isnan(data))
    found = other_peaks(crop, snr=7, background_box_px=24)
    assert list(found) == ["DAOStarFinder", "matched filter"]
    for peaks in found.values():
        assert sorted(zip(peaks["x"], peaks["y"], strict=True)) == sorted(stars)
        assert np.isinf(peaks["snr"]).all()
        # the brightest first: of peaks that a mask runs together that one counts
        assert peaks["value"].is_monotonic_decreasing
    nothing = frame_with(np.full((60, 60), 6, np.float32))
    for peaks in other_peaks(nothing, snr=5, background_box_px=24).values():
        assert peaks.empty


def test_the_smallest_spot_in_whole_pixels():
    assert spot_text("0.495 arcsec") == "16"
    assert spot_text("1.84 fwhm") == "1.84 fwhm"  # as many as the filter and the pixels make of it
    assert spot_text("2 px") == "2 px"
    assert spot_text(None) == "all peaks"
