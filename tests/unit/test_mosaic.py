"""A mosaic is worked on in parts; a source over a seam is the one that it is without it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from conftest import make_image
from mirimask.export import apertures, survey
from mirimask.export.photometry import measure_labels
from mirimask.image import own_files
from mirimask.image import parts as image_parts
from mirimask.image.files import open_image
from mirimask.image.frame import Frame, crop_frame
from mirimask.image.parts import parts
from mirimask.image.product import StoredPlane
from mirimask.masks import make
from mirimask.sources import peaks as source_peaks
from mirimask.sources.peaks import reference_peaks
from scipy.spatial import cKDTree

FRAME, COPIES, BORDER = 210, 3, 6  # pixels of a frame, frames beside each other, empty rim
FWHM = 2.445


@pytest.mark.parametrize(
    ("shape", "fwhm"), [((700, 5000), 2.4), ((100, 6000), 7.3), ((5000, 4096), 0.5)]
)
def test_parts_fill_an_image_once(shape, fwhm):
    seen, rim = np.zeros(shape, np.int8), int(np.ceil(40 * fwhm))
    for inside, wide, part in parts(shape, fwhm_px=fwhm):
        seen[inside] += 1
        for own, around, within, length in zip(inside, wide, part, shape, strict=True):
            assert around.start == max(own.start - rim, 0)
            assert around.stop == min(own.stop + rim, length)
            assert (within.start + around.start, within.stop + around.start) == (
                own.start,
                own.stop,
            )
    assert (seen == 1).all()


@pytest.fixture(scope="module")
def mosaic():
    """Frames with empty rims beside each other, and stars everywhere, also at their seams."""
    rng = np.random.default_rng(5)
    side = FRAME * COPIES
    data = rng.normal(6, 0.02, (side, side))
    y, x = np.mgrid[:side, :side]
    stars = rng.uniform(5, side - 5, (220, 2))
    # where the parts of the tests meet
    stars[:30, 0] = 210 + rng.uniform(-3, 3, 30)
    stars[30:60, 1] = 420 + rng.uniform(-3, 3, 30)
    for at_x, at_y in stars:
        squared = (x - at_x) ** 2 + (y - at_y) ** 2
        data += rng.uniform(1, 6) * np.exp(-4 * np.log(2) * squared / FWHM**2)
    empty = np.zeros(data.shape, bool)
    for at in range(0, side, FRAME):
        for rows in (empty, empty.T):
            rows[at : at + BORDER // 2] = True
            rows[at + FRAME - BORDER // 2 : at + FRAME] = True
    empty[:, 415:425] = False  # these frames overlap
    data[empty] = np.nan
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ("RA---TAN", "DEC--TAN"), (80.0, -69.5)
    wcs.wcs.cdelt = -0.11 / 3600, 0.11 / 3600
    return Frame(data.astype(np.float32), empty, None, None, fits.Header({"FILTER": "F770W"}), wcs)


@pytest.fixture
def in_parts(monkeypatch):
    """Parts of 210 pixels, for images of more than a few."""

    def begin():
        monkeypatch.setattr(image_parts, "_SIDE", 210)
        monkeypatch.setattr(image_parts, "_RIMS", 1)
        for module in (make, source_peaks):
            monkeypatch.setattr(module, "MOST_PIXELS", 1000)

    return begin


def common(mask, other):
    """Share of the pixels of two masks that are in both."""
    return (mask & other).sum() / (mask | other).sum()


def test_the_sources_are_those_of_the_whole(mosaic, in_parts):
    whole = make.numbered_sources(mosaic, "recommended")
    inner = crop_frame(mosaic, rows=(21, 630), columns=(21, 630), image="A")
    moved = make.numbered_sources(inner, "recommended")
    in_parts()
    assert len(list(parts(mosaic.data.shape, fwhm_px=mosaic.fwhm_px))) == 9
    made = make.numbered_sources(mosaic, "recommended")
    assert not made.sources[mosaic.empty].any()
    np.testing.assert_array_equal(np.unique(made.sources), np.arange(made.count + 1))
    np.testing.assert_array_equal(make.make_mask(mosaic, "recommended"), made.sources > 0)
    # outskirts end at a level in noise, which is that of tiles: they differ as much where an image
    # that begins elsewhere has its tiles elsewhere
    mask, other = whole.sources > 0, made.sources > 0
    assert common(mask, other) > common(mask[21:, 21:], moved.sources > 0)
    # cores are far above the noise: each is in both, and has one number in both
    cores = np.unique(whole.detections[whole.detections > 0])
    pairs = {
        number: np.unique(made.sources[(whole.detections == number) & (made.detections > 0)])
        for number in cores
    }
    found = [numbers.tolist() for numbers in pairs.values()]
    assert sum(len(numbers) == 1 and numbers[0] > 0 for numbers in found) >= 0.98 * len(found)
    one = [numbers[0] for numbers in found if len(numbers) == 1]
    assert len(set(one)) >= 0.98 * len(one)
    assert abs(made.count - cores.size) <= 0.02 * cores.size


def test_a_source_over_a_seam_has_one_number(mosaic, in_parts):
    in_parts()
    made = make.numbered_sources(mosaic, "recommended")
    left, right = made.sources[:, 419], made.sources[:, 420]
    both = (left > 0) & (right > 0) & made.detections[:, 419] & made.detections[:, 420]
    assert both.sum() > 20
    assert (left[both] == right[both]).mean() > 0.95


def test_the_peaks_are_those_of_the_whole(mosaic, in_parts):
    settings = {"fwhm_px": FWHM, "snr": 5.0, "background_box_px": 24}
    whole = reference_peaks(mosaic.data, mosaic.empty, **settings)
    in_parts()
    made = reference_peaks(mosaic.data, mosaic.empty, **settings)
    places, others = (set(zip(p["x"], p["y"], strict=True)) for p in (whole, made))
    assert len(places) > 100
    assert len(places & others) >= 0.98 * len(places | others)
    assert made["snr"].is_monotonic_decreasing
    # at a seam too each is there, once
    clear = whole[whole["snr"] > 6]
    near = cKDTree(made[["x", "y"]]).query_ball_point(clear[["x", "y"]], 2, p=np.inf)
    assert {len(peaks) for peaks in near} == {1}


@pytest.mark.parametrize("places", [(420, 419), (419, 420)])
def test_a_peak_that_two_parts_place_otherwise_is_there_once(monkeypatch, places):
    """Each part has the highest pixel on its own side of the seam, or on the other's."""
    monkeypatch.setattr(image_parts, "_SIDE", 420)
    monkeypatch.setattr(image_parts, "_RIMS", 1)
    monkeypatch.setattr(source_peaks, "MOST_PIXELS", 1000)
    answers = iter(zip(places, (0, 420 - 98), (9.0, 8.9), (100, 700), strict=True))

    def peaks(*_, **__):
        at_seam, begin, snr, alone = next(answers)
        at = {"x": [at_seam - begin, alone - begin], "y": [50, 50], "value": [1.0, 1.0]}
        return pd.DataFrame({**at, "snr": [snr, 7.0]})

    monkeypatch.setattr(source_peaks, "_peaks", peaks)
    image = np.zeros((400, 840))
    found = reference_peaks(image, image > 0, fwhm_px=FWHM, snr=5.0, background_box_px=24)
    assert found[["x", "snr"]].to_numpy().tolist() == [[places[0], 9.0], [100, 7.0], [700, 7.0]]


@pytest.fixture
def i2d(tmp_path):
    make_image(tmp_path, "A", seed=1)
    return tmp_path / "A_i2d.fits"


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_the_errors_of_a_mosaic_stay_in_their_file(i2d, monkeypatch, ending):
    """And its catalogue is that of errors in memory; a compressed file cannot be read in rows."""
    with fits.open(i2d) as hdus:
        hdus["SCI"].header["BUNIT"] = "10*nJy"
        hdus["ERR"].data *= np.random.default_rng(2).uniform(0.5, 2, hdus["ERR"].shape)
        path = f"{i2d}.new{ending}"
        hdus.writeto(path)
    monkeypatch.setattr(own_files, "MOST_PIXELS", 1000)
    monkeypatch.setattr(apertures, "_AT_A_TIME", 500)
    known, stored = (open_image(path, in_file=in_file) for in_file in (False, True))
    assert isinstance(known.error, np.ndarray)
    assert isinstance(stored.error, np.ndarray if ending else StoredPlane)
    np.testing.assert_array_equal(stored.error[3:40:2], known.error[3:40:2])
    made = make.numbered_sources(known, "recommended")
    tables = [
        measure_labels(frame, made.sources, aperture=frame.point_aperture)
        for frame in (known, stored)
    ]
    assert len(tables[0]) > 3
    assert (tables[0]["point_flux_err"] > 0).all()
    assert tables[0].pformat(max_lines=-1) == tables[1].pformat(max_lines=-1)
    cut, other = (
        open_image(path, rows=(20, 120), columns=(30, 130), in_file=in_file)
        for in_file in (False, True)
    )
    np.testing.assert_array_equal(other.error, cut.error)
    masks = [make.make_mask(frame, "segmentation") for frame in (known, stored)]
    np.testing.assert_array_equal(*masks)


def test_the_summary_is_the_same_in_strips(mosaic, monkeypatch):
    """Depth from the same empty places; only the noise is of a part of the rows."""
    labels = make.numbered_sources(mosaic, "recommended").sources
    aperture = mosaic.point_aperture
    whole = survey.measure_image(mosaic, labels, aperture=aperture)
    for module, pixels in ((survey, 20_000), (image_parts, 5000), (apertures, 3000)):
        monkeypatch.setattr(module, "_AT_A_TIME", pixels)
    strips = survey.measure_image(mosaic, labels, aperture=aperture)
    assert strips == whole
    assert whole["n_sources"] > 100
    monkeypatch.setattr(survey, "MOST_PIXELS", mosaic.data.size // 3)
    some = survey.measure_image(mosaic, labels, aperture=aperture)
    assert some["noise"] == pytest.approx(whole["noise"], rel=0.02)
    assert some["depth_ab"] == whole["depth_ab"]


def test_the_noise_of_a_mosaic_is_that_of_its_fields(mosaic, monkeypatch):
    """Wherever they lie among empty pixels, though not every row is looked at."""
    monkeypatch.setattr(survey, "MOST_PIXELS", 40_000)
    rng = np.random.default_rng(3)
    data = np.full((3000, 200), np.nan, np.float32)
    for top, sigma in ((20, 0.02), (2000, 0.1)):
        data[top : top + 100] = rng.normal(6, sigma, (100, 200))
    frame = replace(mosaic, data=data, empty=np.isnan(data), frame_shape=data.shape)
    row = survey.measure_image(frame, np.zeros(data.shape, int), aperture=mosaic.point_aperture)
    assert 0.02 < row["noise"] < 0.1
    assert row["background"] == pytest.approx(6, abs=0.01)
