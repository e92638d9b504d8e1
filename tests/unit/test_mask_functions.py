"""Methods that are functions: found by name, and held to the shape of the image."""

import numpy as np
import pytest
from mirimask import mask_functions
from mirimask.mask_functions import function_mask, function_names
from mirimask.methods import parse_method
from mirimask.recommended import recommended_mask

IMAGE = np.random.default_rng(1).normal(6, 0.1, (60, 70)).astype(np.float32)
EMPTY = np.zeros(IMAGE.shape, bool)


def test_recommended_is_one_of_them():
    assert function_names() == ["recommended"]
    assert parse_method("recommended").kind == "function"
    IMAGE[30, 30:33] += 5
    np.testing.assert_array_equal(
        function_mask("recommended", IMAGE, EMPTY, fwhm_px=2.445),
        recommended_mask(IMAGE, EMPTY, fwhm_px=2.445),
    )


def test_a_mask_of_another_shape_is_refused(monkeypatch):
    monkeypatch.setattr(mask_functions, "odd", lambda d, e, *, fwhm_px: d[:5] > 0, raising=False)
    with pytest.raises(ValueError, match="odd has the shape"):
        function_mask("odd", IMAGE, EMPTY, fwhm_px=2.445)
