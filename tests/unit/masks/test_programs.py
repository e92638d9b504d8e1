"""Programs as detectors: each on a small field, where it is installed."""

import detector_fields as fields
import numpy as np
import pytest
from mirimask.errors import MaskError
from mirimask.masks.programs import _run
from mirimask.masks.registry import missing

# a level at which each marks the stars and not the noise
LEVELS = {"sextractor": 3, "noisechisel": 10}


@pytest.fixture(params=list(LEVELS))
def name(request):
    if fields.lacks(request.param):
        pytest.skip(fields.lacks(request.param))
    return request.param


def test_stars_are_found_and_noise_is_not(name):
    fields.check_stars_found_and_not_noise(name, LEVELS[name])


def test_a_higher_level_marks_less(name):
    low = LEVELS[name]
    wide, narrow = fields.masks(name, fields.field(), [low, 6 * low])
    assert np.count_nonzero(wide) > np.count_nonzero(narrow)


def test_empty_pixels_and_nan(name):
    fields.check_empty_pixels(name, LEVELS[name])


def test_nothing_to_see(name):
    fields.check_nothing_to_see(name, LEVELS[name])


def test_the_official_step_is_what_the_library_repeats():
    if fields.lacks("jwst_source_catalog"):
        pytest.skip(fields.lacks("jwst_source_catalog"))
    image, empty = fields.field(), np.zeros(fields.SHAPE, bool)
    empty[100:140, 40:80] = True
    official, ours = (
        fields.masks(name, image, [1.5, 2.5], empty)
        for name in ("jwst_source_catalog", "pipeline_3.0.0")
    )
    assert fields.on_stars(official[0]) == len(fields.STARS) - 1
    assert 0 < np.count_nonzero(official[1]) < np.count_nonzero(official[0])
    for step, own in zip(official, ours, strict=True):
        assert np.array_equal(step > 0, own > 0)


def test_what_a_program_says_when_it_fails(tmp_path):
    with pytest.raises(MaskError, match=r"sh ended with an error: no such setting"):
        _run(["sh", "-c", "echo no such setting >&2; exit 3"], tmp_path)


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("mirimask.masks.method.shutil.which", lambda program: None)
    options = {"sextractor": fields.options_of("sextractor")}
    assert missing("sextractor", options) == "the program source-extractor"
    options = {"jwst_source_catalog": {"settings": {"python": "nowhere/bin/python"}}}
    assert missing("jwst_source_catalog", options) == "the Python environment nowhere/bin/python"
