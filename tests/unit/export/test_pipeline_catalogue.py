"""What the pipeline makes of an image besides it, where an archive or a person gives none."""

import numpy as np
import pytest
from conftest import make_image
from mirimask.errors import MaskError
from mirimask.export.pipeline_catalogue import pipeline_products
from mirimask.image.own_files import read_image
from mirimask.masks.segmentation import SegmentationSettings, segment


@pytest.fixture
def i2d(tmp_path):
    return read_image(tmp_path / make_image(tmp_path, "A", seed=1)["i2d"])


def test_labels_are_those_of_the_settings_which_are_said(i2d):
    made = pipeline_products(
        i2d, None, {"jwst_version": "1.12.5", "snr": 1, "n_pixels": 5}, image="A"
    )
    settings = SegmentationSettings.for_jwst("1.12.5", snr=1, n_pixels=5)
    planes = {"error": i2d["ERR"].data, "weight": i2d["WHT"].data}
    expected = segment(i2d["SCI"].data, **planes, settings=settings)
    np.testing.assert_array_equal(made.labels, expected)
    assert expected.max() > 3
    assert list(made.catalogue["label"]) == list(range(1, expected.max() + 1))
    assert made.settings == "settings of jwst 1.12.5, snr 1, n_pixels 5"


def test_zeros_of_a_file_without_err_and_wht_are_no_sky(i2d):
    """A fifth of the image: as sky they would be its scatter, and nothing stand above it."""
    data = i2d["SCI"].data
    data[:, -data.shape[1] // 5 :] = 0
    del i2d["ERR"], i2d["WHT"]
    settings = {"snr": 1, "n_pixels": 5}
    made = pipeline_products(i2d, None, {"jwst_version": "1.12.5", **settings}, image="A")
    chosen = SegmentationSettings.for_jwst("1.12.5", **settings)
    seen = (data != 0).astype(np.float32)
    np.testing.assert_array_equal(made.labels, segment(data, weight=seen, settings=chosen))
    assert made.labels.max() > 3 > segment(data, settings=chosen).max()


def test_given_labels_are_kept_and_measured(i2d):
    labels = np.zeros(i2d["SCI"].data.shape, np.uint32)
    labels[40:50, 60:70] = 3
    made = pipeline_products(i2d, labels, {"jwst_version": "3.0.0"}, image="A")
    assert made.labels is labels
    assert list(made.catalogue["label"]) == [3]
    assert made.catalogue["isophotal_area"][0].value == 100
    with pytest.raises(MaskError, match=r"unknown setting box"):
        pipeline_products(i2d, labels, {"jwst_version": "3.0.0", "box": 3}, image="A")
