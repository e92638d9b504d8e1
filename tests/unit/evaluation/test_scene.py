"""Images made ready for judging masks on: stars, blank images and truth where they have to be."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from frames import frame_with
from mirimask.errors import MaskError
from mirimask.evaluation.scene import (
    SceneSettings,
    area_arcmin2,
    false_spots,
    named_masks,
    read_scene,
    real_sources,
    scene_of,
    seed_for,
    truth_of,
)
from mirimask.image.files import write_crop, write_mask
from mirimask.image.psf import Psf, write_psf

SETTINGS = SceneSettings(
    magnitudes=(22.0, 24.0),
    stars=20,
    realisations=2,
    separation_fwhm=8,
    free_fwhm=6,
    blank_images=1,
    real_snr=2.5,
    seed=3,
)
PEAKS = pd.DataFrame({"x": [60, 150], "y": [70, 140]})


def _crop(shape=(220, 240)):
    rng = np.random.default_rng(1)
    data = rng.normal(6, 0.1, shape).astype(np.float32)
    empty = np.zeros(shape, bool)
    empty[:, :10] = True
    return frame_with(data, empty)


@pytest.fixture(scope="module")
def psf_file(tmp_path_factory):
    y, x = np.mgrid[-120:121, -120:121] / 4
    psf = Psf(np.exp(-0.5 * (x**2 + y**2) / 1.02**2).astype(np.float32), 4, "F770W")
    path = tmp_path_factory.mktemp("psf") / "psf_F770W.fits"
    write_psf(path, psf)
    return path


def test_added_stars_have_their_light_and_keep_their_distance(psf_file):
    crop = _crop()
    scene = scene_of(crop, "A", PEAKS, psf_file, SETTINGS)
    assert len(scene.added) == 2
    assert scene.magnitudes.size == sum(len(at) for _, at in scene.added)
    assert scene.magnitudes.min() >= 22
    assert scene.magnitudes.max() <= 24
    start = 0
    for image, at in scene.added:
        own = scene.magnitudes[start : start + len(at)]
        start += len(at)
        light = np.nansum(image.astype(float) - scene.image)
        pixel = (0.11 / 206264.80625) ** 2 * 1e6  # jansky of 1 MJy/sr in a pixel
        # what falls beyond the rim is lost: places are 6 FWHM inside it
        assert light == pytest.approx(np.sum(10 ** ((8.90 - own) / 2.5)) / pixel, rel=5e-3)
        for x, y in at:
            assert np.hypot(PEAKS["x"] - x, PEAKS["y"] - y).min() > 6 * crop.fwhm_px - 1
            others = np.hypot(at[:, 0] - x, at[:, 1] - y)
            assert np.sort(others)[1] >= 8 * crop.fwhm_px
    assert scene.tolerance_px == crop.fwhm_px
    assert scene.truth is None


def test_every_star_asked_for_is_added_where_the_images_do_not_divide_them(psf_file):
    settings = replace(SETTINGS, stars=5, realisations=3)
    scene = scene_of(_crop(), "A", PEAKS, psf_file, settings)
    assert [len(at) for _, at in scene.added] == [1, 2, 2]
    assert scene.magnitudes.size == 5


def test_stars_are_those_of_the_image_and_the_seed(psf_file):
    crop = _crop()
    first, again, other = (scene_of(crop, n, PEAKS, psf_file, SETTINGS) for n in ("A", "A", "B"))
    np.testing.assert_array_equal(first.magnitudes, again.magnitudes)
    np.testing.assert_array_equal(first.added[1][0], again.added[1][0])
    np.testing.assert_array_equal(first.blank.images[0], again.blank.images[0])
    assert not np.array_equal(first.magnitudes, other.magnitudes)
    assert seed_for(3, "A", 12) == seed_for(3, "A", 12) != seed_for(3, "A", 11)


def test_no_room_for_a_star(psf_file):
    crop = _crop((20, 40))
    with pytest.raises(MaskError, match="no place for a star"):
        scene_of(crop, "A", PEAKS, psf_file, SETTINGS)


def test_a_scene_from_files_is_the_same(tmp_path, psf_file):
    crop = _crop()
    crop = replace(crop, error=np.full(crop.data.shape, 0.1, np.float32))
    write_crop(tmp_path / "A.fits", crop)
    PEAKS.to_csv(tmp_path / "A.csv", index=False)
    truth = Table({"x": [80.0], "y": [90.0], "ab_mag": [23.0], "half_light_radius": [0.0]})
    truth["flux"] = 2.3
    truth.write(tmp_path / "truth.ecsv")
    files = {"frame": tmp_path / "A.fits", "peaks": tmp_path / "A.csv", "psf": psf_file}
    read, scene = read_scene("A", SETTINGS, **files, truth=tmp_path / "truth.ecsv")
    direct = scene_of(read, "A", PEAKS, psf_file, SETTINGS)
    np.testing.assert_array_equal(scene.added[0][0], direct.added[0][0])
    assert scene.truth.positions.tolist() == [[80.0, 90.0]]
    assert direct.truth is None
    assert read_scene("A", SETTINGS, **files)[1].truth is None


def test_truth_in_pixels_of_the_crop():
    empty = np.zeros((20, 30), bool)
    empty[8, 9] = True
    crop = frame_with(np.ones((20, 30), np.float32), empty, origin=(5, 10), frame_shape=(50, 60))
    crop = replace(crop, error=np.ones((20, 30), np.float32))
    truth = Table(
        {
            "x": [12.0, 12.4, 9.0, 19.0, 40.0, 39.4],
            "y": [6.0, 6.0, 6.0, 13.0, 10.0, 24.4],
            "ab_mag": [24.0, 24.1, 23.0, 23.0, 23.0, 22.0],
            "half_light_radius": [0.0, 10.0, 0.0, 0.0, 0.0, 0.0],
            "flux": [100.0, 0.01, 100.0, 100.0, 100.0, 100.0],
        }
    )
    found = truth_of(truth, crop, (22.0, 24.0), real_snr=2.5)
    assert found.positions[0].tolist() == [2.0, 1.0]
    # too faint, left of the crop, on an empty pixel, right of it; the last in its corner
    assert found.wanted.tolist() == [True, False, False, False, False, True]
    assert found.radius_px[1] == 10
    assert found.radius_px[0] == crop.fwhm_px
    # all that are bright enough, also beyond the rim and on the empty pixel
    assert found.real[:, 0].tolist() == [2.0, -1.0, 9.0, 30.0, 29.4]


def test_real_sources_need_the_noise():
    truth = pd.DataFrame({"x": [3.0], "y": [3.0], "flux": [1.0], "half_light_radius": [0.0]})
    with pytest.raises(ValueError, match="without its error image"):
        real_sources(truth, frame_with(np.ones((20, 30), np.float32)), 2.5)


def test_false_spots_are_those_on_no_source():
    mask = np.zeros((20, 20), bool)
    mask[2, 2] = mask[3, 3] = mask[10:12, 10:12] = mask[18, 1] = mask[0, 19] = True
    nowhere = np.zeros((0, 2))
    assert false_spots(mask, nowhere, tolerance_px=2) == 4
    assert false_spots(mask, nowhere, tolerance_px=2, min_pixels=2) == 2
    # on a spot, 2 px from one, 2.8 px from one, and beyond the rim
    assert false_spots(mask, np.array([[11.0, 11.0]]), tolerance_px=2) == 3
    assert false_spots(mask, np.array([[13.4, 11.0]]), tolerance_px=2) == 3
    assert false_spots(mask, np.array([[13.0, 13.0]]), tolerance_px=2) == 4
    assert false_spots(mask, np.array([[19.0, -2.0], [19.0, 500.0]]), tolerance_px=2) == 3
    # labels say themselves what one spot is
    labels = np.zeros((20, 20), np.int32)
    labels[5, 5:8], labels[5, 8:10] = 1, 4
    assert false_spots(labels, nowhere, tolerance_px=1) == 2
    assert false_spots(labels, np.array([[9.0, 5.0]]), tolerance_px=1) == 1
    assert false_spots(mask & False, nowhere, tolerance_px=1) == 0


def test_area_is_that_of_pixels_with_data():
    empty = np.zeros((20, 30), bool)
    empty[:4, :25] = True
    crop = frame_with(np.ones(empty.shape, np.float32), empty)
    assert area_arcmin2(crop) == pytest.approx(500 * 0.11**2 / 3600)


def test_masks_and_their_names(tmp_path):
    crop = _crop((20, 30))
    mask = np.zeros((20, 30), bool)
    mask[3, 4:7] = True
    paths = [tmp_path / "value_1.fits", tmp_path / "segmentation.fits"]
    for path, one in zip(paths, (mask, ~mask), strict=True):
        write_mask(path, one, crop)
    first, second = named_masks(paths, [["value_1", "crop"], ["segmentation", ""]])
    assert first[:2] == ("value_1", "crop")
    np.testing.assert_array_equal(first[2], mask)
    assert second[:2] == ("segmentation", "")
    np.testing.assert_array_equal(second[2], ~mask)
    with pytest.raises(ValueError, match="zip"):
        list(named_masks(paths, [["value_1", "crop"]]))
