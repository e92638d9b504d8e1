"""Meshes made one row of boxes at a time are those of photutils, to the last bit."""

import numpy as np
import pytest
from astropy.stats import SigmaClip
from mirimask.image.background import background, background_meshes, scatter
from photutils.background import Background2D, MADStdBackgroundRMS, MedianBackground


def by_photutils(image, mask, box):
    box = min(box, *(length - 1 for length in image.shape))
    found = Background2D(
        np.pad(image, box, mode="reflect", reflect_type="odd"),
        box,
        mask=np.pad(mask, box, mode="reflect") | np.pad(mask, box, mode="edge"),
        filter_size=3,
        exclude_percentile=75,
        sigma_clip=SigmaClip(3, maxiters=5),
        bkg_estimator=MedianBackground(),
        bkg_rms_estimator=MADStdBackgroundRMS(),
    )
    inside = np.s_[box:-box, box:-box]
    return found.background[inside], found.background_rms[inside]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    ("shape", "box"), [((96, 72), 24), ((101, 58), 24), ((49, 120), 25), ((40, 31), 1000)]
)
@pytest.mark.parametrize("empty", ["none", "some", "a corner"])
def test_same_bits_as_photutils(dtype, shape, box, empty):
    rng = np.random.default_rng(1)
    image = rng.normal(5, 1, shape) + 0.05 * np.arange(shape[0])[:, None]
    image[rng.random(shape) < 0.01] += 50
    image, mask = image.astype(dtype), np.zeros(shape, bool)
    if empty == "some":
        mask = rng.random(shape) < 0.02
    elif empty == "a corner":
        mask[: shape[0] // 2, : shape[1] // 2] = True
    image[mask] = 0
    made, expected = background_meshes(image, mask, box_px=box), by_photutils(image, mask, box)
    for ours, theirs in zip(made, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.tobytes() == np.ascontiguousarray(theirs).tobytes()
    assert np.array_equal(background(image, mask, box_px=box), made[0])
    assert np.array_equal(scatter(image, mask, box_px=box), made[1])
