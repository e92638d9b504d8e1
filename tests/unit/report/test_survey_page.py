"""What a survey comes to: its table, the table for a study, its page."""

import pandas as pd
import pytest
from mirimask.export.survey import MEASURES
from mirimask.report.survey import images_for_a_study, survey_page, survey_table


def products(*pairs):
    """What the archive found: an image for each (programme, observation)."""
    return pd.DataFrame(
        [
            {
                **dict.fromkeys(["target", "ra", "dec", "exposure_s", "released"], ""),
                "image": f"I{n}",
                "program": program,
                "observation": observation,
                "filter": "F770W",
            }
            for n, (program, observation) in enumerate(pairs)
        ]
    )


def row(image, **changes):
    return {
        "image": image,
        "simulated": False,
        "obs_id": f"jw_{image}",
        **dict.fromkeys(MEASURES, 2),
        **changes,
    }


@pytest.fixture
def table():
    found = products(("1", "1"), ("1", "2"), ("1", "2"), ("2", "1"))
    rows = [row("I0", n_sources=10), row("I1"), row("I2", noise=4.0)]
    return survey_table(found, [*rows, {"image": "I3", "failure": "no SCI | in it"}])


def test_a_row_for_each_product(table):
    assert table["image"].tolist() == ["I0", "I1", "I2", "I3"]
    assert table["failure"].tolist() == ["", "", "", "no SCI | in it"]
    assert table["n_sources"].tolist()[:3] == [10, 2, 2]
    assert table["n_sources"].isna().tolist() == [False, False, False, True]


def test_a_study_gets_images_that_it_can_ask_for(table):
    images = images_for_a_study(table)
    assert images.to_dict("records") == [
        {
            "image": "I0",
            "program": "1",
            "observation": "1",
            "filter": "F770W",
            "observation_id": "jw_I0",
        }
    ]


def test_the_page_says_what_was_asked_and_what_failed(table):
    region = {"ra": 10.0, "dec": -5.0, "radius_deg": 0.5}
    page = survey_page(table, {"filter": "F770W", "program": 1, "region": region})
    assert (
        "F770W images of programme 1 and 0.5 deg around 10.0, -5.0: 4; "
        "3 with a mask and a catalogue, 1 failed." in page
    )
    assert "| `noise` | 2 | 2 | 4 |" in page
    assert "14 sources in all." in page
    assert "- `I3`: no SCI | in it" in page
    assert "SIMULATED" not in page


def test_simulated_images_are_said():
    table = survey_table(products(("1", "1")), [row("I0", simulated=True)])
    assert "SIMULATED" in survey_page(table, {"filter": "F770W", "program": 1, "region": None})


def test_every_image_failed():
    table = survey_table(products(("1", "1")), [{"image": "I0", "failure": "too dark"}])
    page = survey_page(table, {"filter": "F770W", "program": 1, "region": None})
    assert "0 with a mask and a catalogue, 1 failed" in page
    assert "| median |" not in page
    assert images_for_a_study(table).empty


def test_an_image_whose_twin_failed_is_left_out_too():
    # MAST has both, whatever became of one of them here: a study that asks for either finds two
    found = products(("1", "1"), ("1", "2"), ("1", "2"))
    rows = [row("I0"), row("I1"), {"image": "I2", "failure": "too dark"}]
    assert images_for_a_study(survey_table(found, rows))["image"].tolist() == ["I0"]
