"""Table 3 under other settings, on a mask whose counts are known."""

import numpy as np
import pandas as pd
from mirimask.evaluation.sensitivity import (
    CONCLUSIONS,
    conclusions,
    count_variants,
    other_radii,
    other_smallest,
)

STANDARD = {"radius_px": 18, "near_px": 25, "snr": 5, "min_pixels": 1, "tolerance_px": 0}


def _table():
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
        standard=STANDARD,
        variants={"radius_px": {"9 px": 9}, "snr": {"3": 3}, "min_pixels": {"2": 2}},
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


def test_other_settings_follow_the_radius_and_the_psf():
    assert other_radii("18 px") == ["9 px", "12 px", "24 px", "30 px"]
    assert other_radii("1 fwhm") == ["0.5 fwhm", "0.6667 fwhm", "1.333 fwhm", "1.667 fwhm"]
    assert other_smallest(0.269 / 0.11) == {"3": 3, "5": 5, "9": 9, "25": 25}
    # half the pixel, four times as many in the same area
    assert other_smallest(0.269 / 0.055) == {"3": 12, "5": 20, "9": 36, "25": 100}
    assert other_smallest(0.5)["3"] == 1


def test_without_sources_nothing_is_concluded():
    table = pd.DataFrame(
        [{"image": "A", "setting": "as configured", "value": "", "method": "m", "sources": 0}]
    )
    assert conclusions(table).empty
