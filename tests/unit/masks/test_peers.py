"""Python packages as detectors: what each finds with its shipped settings, and their discs."""

import detector_fields as fields
import numpy as np
import pytest
from mirimask.errors import MaskError
from mirimask.masks.finders import discs
from mirimask.masks.registry import missing
from mirimask.masks.segmentation import SegmentationSettings, segment

STARS_ONLY = ["dao_star_finder", "iraf_star_finder", "star_finder"]
AREAS = ["pipeline_1.5.3", "pipeline_1.12.5", "pipeline_3.0.0", "source_finder", "sep"]


@pytest.fixture(params=STARS_ONLY + AREAS)
def name(request):
    if fields.lacks(request.param):
        pytest.skip(fields.lacks(request.param))
    return request.param


# Where the published level is not one for faint stars alone in noise: 25 px of a star so small are
# above 1 sigma only, and sep's 1.5 is of the filtered image.
LEVELS = {"pipeline_1.12.5": 1.5, "pipeline_3.0.0": 1.5, "sep": 5}


def test_stars_are_found_and_noise_is_not(name):
    fields.check_stars_found_and_not_noise(name, LEVELS.get(name))


def test_a_higher_level_marks_less(name):
    wide, middle, narrow = fields.masks(name, fields.field(), [1.5, 4, 8])
    assert ((middle > 0) <= (wide > 0)).all() or name in STARS_ONLY
    assert np.count_nonzero(wide) >= np.count_nonzero(middle) >= np.count_nonzero(narrow)
    assert np.count_nonzero(wide) > np.count_nonzero(narrow)


def test_empty_pixels_and_nan(name):
    fields.check_empty_pixels(name, 1.5 if name.startswith("pipeline") else 5)


def test_nothing_to_see(name):
    fields.check_nothing_to_see(name, 3)


@pytest.mark.parametrize("version", ["1.5.3", "1.12.5", "3.0.0"])
def test_the_pipeline_is_that_of_its_module(version):
    image = fields.field()
    (labels,) = fields.masks(f"pipeline_{version}", image)
    own = segment(image, settings=SegmentationSettings.for_jwst(version))
    assert np.array_equal(labels, own)


def test_discs_share_their_overlap_by_distance():
    labels = discs(np.array([10.0, 13.0]), np.array([10.0, 10.0]), radius_px=2.5, shape=(20, 20))
    assert labels[10, 8] == 1
    assert labels[10, 11] == 1
    assert labels[10, 12] == 2
    assert labels[10, 15] == 2
    assert labels[10, 16] == 0
    assert np.count_nonzero(labels == 1) == np.count_nonzero(labels == 2)


def test_discs_at_the_rim_and_nowhere():
    labels = discs(np.array([0.0, np.nan]), np.array([0.0, 5.0]), radius_px=1, shape=(6, 7))
    assert np.argwhere(labels).tolist() == [[0, 0], [0, 1], [1, 0]]
    nothing = discs(np.zeros(0), np.zeros(0), radius_px=2, shape=(6, 7))
    assert nothing.shape == (6, 7)
    assert not nothing.any()


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("mirimask.masks.method.find_spec", lambda module: None)
    assert missing("sep", {"sep": fields.options_of("sep")}) == "the Python package sep"
    with pytest.raises(MaskError, match=r"sep needs the Python package sep.*pip install sep"):
        fields.masks("sep", fields.field())


def test_an_array_in_the_order_of_fortran(name):
    image = fields.field()
    empty = np.zeros(image.shape, bool)
    own, turned = (
        fields.masks(name, order(image), empty=order(empty))[0]
        for order in (np.ascontiguousarray, np.asfortranarray)
    )
    np.testing.assert_array_equal(own > 0, turned > 0)
