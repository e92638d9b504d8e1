"""What masks do to added sources: known answers on constructed scenes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from frames import frame_with
from mirimask.evaluation.added import (
    COLUMNS,
    AddedSource,
    StarAperture,
    added_image,
    added_magnitudes,
    added_sources,
    measure_added,
    near_and_far,
    near_pixels,
    photometry,
    pool_added,
)
from mirimask.image.psf import Psf
from mirimask.report.use import added_page, good_masks, who_matters

SHAPE = (200, 240)
NOTHING = np.zeros(SHAPE, bool)
FWHM = 2.5


def _sky(level=5.0, noise=0.0):
    rng = np.random.default_rng(1)
    return (level + noise * rng.standard_normal(SHAPE)).astype(np.float32)


def _square(kind, x, y, *, half=2, total=25.0, ab_mag=24.0):
    """A source whose light is spread evenly over a square."""
    side = 2 * half + 1
    part = np.s_[y - half : y + half + 1, x - half : x + half + 1]
    return AddedSource(kind, ab_mag, x, y, part, np.full((side, side), total / side**2, np.float32))


def _psf():
    y, x = np.indices((121, 121)) - 60
    data = np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)
    return Psf(data.astype(np.float32), 1, "F770W")


def test_a_stars_flux_is_right_on_an_even_sky_and_without_a_mask():
    star = _square("faint", 100, 90)
    aperture = StarAperture(star, SHAPE, fwhm_px=FWHM)
    # the square of 5 px, 1 MJy/sr each, lies in the circle of 3.75 px
    assert aperture.true == pytest.approx(25)
    image = added_image(_sky(), [star])
    (error,) = photometry(image, NOTHING, NOTHING, [aperture])
    assert error["ring"] == pytest.approx(0, abs=1e-5)
    # clipping takes the star out of its box
    assert error["box_50"] == pytest.approx(0, abs=1e-3)


def test_light_in_the_ring_is_taken_for_sky_unless_it_is_masked():
    """The sky is 0.1 higher all over the ring: area x 0.1 are missing."""
    star = _square("faint", 100, 90)
    aperture = StarAperture(star, SHAPE, fwhm_px=FWHM)
    image = _sky()
    rows, columns = np.indices(SHAPE)
    ring = np.hypot(rows - 90, columns - 100)
    around = (ring > 8) & (ring < 22)
    half = around & (columns > 100)
    image[half] += 0.1
    image = added_image(image, [star])
    area = np.pi * (1.5 * FWHM) ** 2
    (hidden,) = photometry(image, half, NOTHING, [aperture])
    assert hidden["ring"] == pytest.approx(0, abs=1e-5)
    image[around & ~half] += 0.1
    (error,) = photometry(image, NOTHING, NOTHING, [aperture])
    assert error["ring"] == pytest.approx(-0.1 * area / aperture.true, rel=1e-3)
    (lost,) = photometry(image, around, NOTHING, [aperture])
    assert np.isnan(lost["ring"])


def test_boxes_full_of_light_have_a_higher_sky_unless_it_is_masked():
    """0.05 MJy/sr in half of all pixels, near none of the star's."""
    star = _square("faint", 74, 75)
    aperture = StarAperture(star, SHAPE, fwhm_px=FWHM)
    image = added_image(_sky(noise=0.01), [star])
    bright = NOTHING.copy()
    for column in range(5, SHAPE[1], 25):
        bright[:, column : column + 13] = True
    image[bright] += np.float32(0.05)
    (unmasked,), (masked,) = (
        photometry(image, mask, NOTHING, [aperture]) for mask in (NOTHING, bright)
    )
    area = np.pi * (1.5 * FWHM) ** 2
    assert -0.05 * area / 25 < unmasked["box_50"] < -0.02 * area / 25
    assert abs(masked["box_50"]) < 0.005


def test_a_star_on_empty_pixels_and_a_mask_of_everything_say_nothing():
    star = _square("faint", 100, 90)
    aperture = StarAperture(star, SHAPE, fwhm_px=FWHM)
    image, empty = added_image(_sky(), [star]), NOTHING.copy()
    empty[90, 101] = True
    (error,) = photometry(image, NOTHING, empty, [aperture])
    assert np.isnan(list(error.values())).all()
    (error,) = photometry(image, ~NOTHING, NOTHING, [aperture])
    assert np.isnan(list(error.values())).all()


def test_the_light_left_and_what_it_raises_the_sky_by():
    """A square of 41 px at 100 sigma a pixel of which a value slice takes 1 %: 480 of 1681 px."""
    frame = frame_with(_sky(noise=0.1))
    source = _square("galaxy", 100, 90, half=20, total=10.0 * 41**2, ab_mag=20)
    table = measure_added(frame, [source], ["value_1"]).set_index("method")
    assert table.loc["none", "left"] == 1
    assert table.loc["value_1", "left"] == pytest.approx(1 - 480 / 1681, abs=0.001)
    near = int((np.hypot(*(np.indices((41, 41)) - 20)) <= 8 * frame.fwhm_px).sum())
    assert near < 41**2
    # all pixels near it have 10 MJy/sr; the noise is 0.1
    assert table.loc["none", "around"] == pytest.approx(100, rel=0.05)
    # in a nebula neighbours differ by far more than the noise, which ERR knows
    steep = replace(
        frame,
        data=frame.data + np.linspace(0, 300, SHAPE[1], dtype=np.float32),
        error=np.full(SHAPE, 0.1, np.float32),
    )
    (of_steep,) = measure_added(steep, [source], [])["around"]
    assert of_steep == pytest.approx(100, rel=0.001)
    assert np.isnan(table.loc["none", "ring"])


def test_light_is_spread_over_the_pixels_around_a_source_not_over_its_stamp():
    """25 sigma px of light in a stamp of 5 px, over all unmasked pixels within 8 FWHM."""
    frame = replace(frame_with(_sky(noise=0.1)), error=np.full(SHAPE, 0.1, np.float32))
    for x, y in ((100, 90), (0 + 2, 2)):  # in the middle, and in a corner
        source = _square("galaxy", x, y, total=2.5)
        (around,) = measure_added(frame, [source], [])["around"]
        rows, columns = np.indices(SHAPE)
        near = np.hypot(rows - y, columns - x) <= 8 * frame.fwhm_px
        assert around == pytest.approx(25 / near.sum(), rel=1e-4)


def test_added_sources_have_the_light_of_their_magnitudes():
    frame = frame_with(_sky(noise=0.1))
    allowed = np.ones(SHAPE, bool)
    sources = added_sources(frame, allowed, _psf(), middle_ab=24.5, rng=np.random.default_rng(3))
    assert {one.kind for one in sources} == {"star", "galaxy", "faint"}
    again = added_sources(frame, allowed, _psf(), middle_ab=24.5, rng=np.random.default_rng(3))
    assert [one[:4] for one in again] == [one[:4] for one in sources]
    for one in sources:
        whole = min(one.x, one.y, SHAPE[1] - one.x, SHAPE[0] - one.y) > 70
        if whole:
            microjansky = 1e6 * 3631 * 10 ** (-0.4 * one.ab_mag)
            flux = one.light.sum() * frame.pixel_area_sr * 1e12
            assert flux == pytest.approx(microjansky, rel=0.01)
    places = np.array([(one.x, one.y) for one in sources])
    apart = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    assert apart[apart > 0].min() >= 14 * frame.fwhm_px


def test_the_sky_near_sources_against_far():
    """Sources raise the sky by 3 sigma within 8 FWHM; a mask of half of that leaves as much."""
    frame = frame_with(_sky(noise=0.1))
    at = np.array([[60.0, 60.0], [180.0, 140.0]])
    rows, columns = np.indices(SHAPE)
    close = np.zeros(SHAPE, bool)
    for x, y in at:
        close |= np.hypot(rows - y, columns - x) <= 8 * frame.fwhm_px
    lit = frame_with(np.where(close, frame.data + np.float32(0.3), frame.data))
    near = near_pixels(lit, at)
    assert np.array_equal(near, close)
    found = near_and_far(lit, NOTHING, near)
    assert found["near"] == pytest.approx(3, rel=0.1)
    assert found["share"] == 1
    assert near_and_far(frame, NOTHING, near)["near"] == pytest.approx(0, abs=0.1)
    half = close & (columns % 2 == 0)
    assert near_and_far(lit, half, near)["near"] == pytest.approx(3, rel=0.1)
    assert np.isnan(near_and_far(lit, close, near)["near"])
    nowhere = near_pixels(lit, np.empty((0, 2)))
    assert np.isnan(near_and_far(lit, NOTHING, nowhere)["near"])


def _rows(method, errors, left=0.5):
    stars = [(method, "", "faint", 24.0, 0.0, 0.0, e, e, e) for e in errors]
    columns = ["method", "domain", "kind", "ab_mag", "left", "around", "ring", "box_25", "box_50"]
    nan = np.nan
    stars += [(method, "", "star", 19.0, left, 1.0, nan, nan, nan)]
    stars += [(method, "", "galaxy", 22.5, left, 2.0, nan, nan, nan)]
    return pd.DataFrame(stars, columns=columns)


def _page(pooled, *, too_faint=(), simulated=True, **without):
    other = {"middle_ab": 24.5, "too_faint": too_faint, "simulated": simulated} | without
    return added_page(pooled, pd.DataFrame(), **other)


def test_what_is_added_follows_the_depth_of_the_images():
    """Five magnitudes shallower images have all of it five magnitudes brighter, and say so."""
    frame, allowed = frame_with(_sky(noise=0.1)), np.ones(SHAPE, bool)
    found = {}
    for middle in (24.5, 19.5):
        rng = np.random.default_rng(3)
        sources = added_sources(frame, allowed, _psf(), middle_ab=middle, rng=rng)
        found[middle] = [(one.kind, one.ab_mag) for one in sources]
    assert [(kind, ab - 5) for kind, ab in found[24.5]] == found[19.5]
    assert {ab for kind, ab in found[24.5] if kind == "faint"} == {24, 24.5, 25}
    assert added_magnitudes("star", 19.5) == [13, 14, 15, 16, 17]
    table = pd.concat([_rows("none", [0.1, 0.2], 1.0), _rows("value_1", [0.1, 0.2], 0.1)])
    # 21.1 - 6.5 is 14.600000000000001, a table that was written has 14.6
    other = table.assign(ab_mag=np.where(table["kind"] == "star", 14.6, table["ab_mag"]))
    pooled = pool_added(other, middle_ab=21.1, draws=5, seed=1)
    assert list(pooled["stars_14.6_16.6"]) == [1.0, 0.1]
    table["ab_mag"] -= 5
    pooled = pool_added(table, middle_ab=19.5, draws=5, seed=1)
    assert list(pooled["stars_13_15"]) == [1.0, 0.1]
    verdict, _ = good_masks(pooled.assign(not_counted="A, B"))
    assert verdict.endswith(
        "(mean of added stars of 13 to 17 AB, added galaxies of 14 to 18 AB; not counted, without "
        "room or too shallow for them: A, B)."
    )
    other = {"middle_ab": 19.5, "too_faint": [], "simulated": True}
    page = added_page(pooled.assign(near_far=0.1), pd.DataFrame(), **other)
    assert "## Flux of faint stars (2 of 19 to 20 AB)" in page
    assert "| 13-15 AB | 16-17 AB |" in page


def test_what_a_mask_changes_is_counted_star_by_star():
    rng = np.random.default_rng(2)
    errors = rng.normal(0.02, 0.3, 400)
    table = pd.concat([_rows("none", errors, 1.0), _rows("cores", errors + 0.05)])
    table.loc[(table["method"] == "cores") & (table.index < 4), "ring"] = np.nan
    pooled = pool_added(table, middle_ab=24.5, draws=200, seed=1).set_index("method")
    assert pooled.loc["none", "ring_bias"] == pytest.approx(np.median(errors))
    assert pooled.loc["none", "ring_scatter"] == pytest.approx(0.3, rel=0.1)
    # the scatter of the stars, 0.3, is not in what the mask changes
    own = pooled.loc["cores"]
    assert own["box_25_moved"] == pytest.approx(0.05)
    assert own["box_25_moved_high"] - own["box_25_moved_low"] < 1e-6
    assert own["ring_lost"] == pytest.approx(0.01)
    assert own["stars_left"] == own["stars_18_20"] == 0.5
    assert np.isnan(own["stars_21_22"])
    assert own["galaxies_around"] == 2


def test_a_mask_that_changes_less_than_half_of_the_stars_moves_their_median():
    """Six of eleven stars are as they were: the median of the differences would be 0."""
    without = np.array([-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5]) / 100
    errors = without + np.array([0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 0]) / 100
    table = pd.concat([_rows("none", without, 1.0), _rows("cores", errors)])
    own = pool_added(table, middle_ab=24.5, draws=200, seed=1).set_index("method").loc["cores"]
    assert own["ring_moved"] == pytest.approx(0.02)  # the sixth of 11 was at 0 and is at 0.02
    assert own["ring_moved_low"] <= 0.02 <= own["ring_moved_high"]
    assert own["ring_moved_high"] > own["ring_moved_low"]
    # the scatter beside it is the mask's own, not the least of all
    table.loc[table["method"] == "none", "ring"] *= 0.1
    pooled = pool_added(table, middle_ab=24.5, draws=50, seed=1).assign(near_far=0.1)
    page = _page(pooled)
    spread = 1.4826 * np.median(np.abs(errors - np.median(errors)))
    assert f"beside a scatter of {100 * spread:.0f} % from star to star" in page


def test_the_page_says_whether_the_mask_matters():
    rng = np.random.default_rng(2)
    errors = rng.normal(0, 0.3, 400)
    table = pd.concat([_rows("none", errors, 1.0), _rows("cores", errors + 0.02)])
    pooled = pool_added(table, middle_ab=24.5, draws=50, seed=1).assign(near_far=0.1)
    page = _page(pooled)
    assert "Sky from a ring: the mask matters little for one star; the one that changes" in page
    assert "moves the median flux by +2.0 % [+2.0, +2.0], beside a scatter of 3" in page
    table = pd.concat([_rows("none", errors, 1.0), _rows("cores", errors + 0.2)])
    page = _page(pool_added(table, middle_ab=24.5, draws=50, seed=1).assign(near_far=0.1))
    assert "Sky from a ring: the mask matters; " in page
    assert "what is moved stays." in page
    said = who_matters(pooled.assign(not_counted="A, B"))[-1]
    end = "what is moved stays; not counted, without room or too shallow for them: A, B."
    assert said.endswith(end)
    few = pd.concat([_rows("none", errors[:1], 1.0), _rows("cores", errors[:1] + 0.2)])
    pooled = pool_added(few, middle_ab=24.5, draws=50, seed=1).assign(near_far=0.1)
    assert pooled["ring_scatter"].isna().all()
    assert who_matters(pooled) == ["1 faint stars could be added, too few to tell."]
    page = _page(pooled, without={"T": "no place for a star"})
    assert "Not counted: T, no place for a star." in page
    assert "nan" not in page
    assert page.index("| cores |") < page.index("| no mask |")
    none = pool_added(pd.DataFrame(columns=[*COLUMNS]), middle_ab=24.5, draws=5, seed=1)
    nothing = _page(none, simulated=False)
    assert "No image had room" in nothing
    assert "SIMULATED" not in nothing
    nothing = _page(none, too_faint=["A", "B"])
    assert "Not counted: A, B. There no mask finds 80 % of added stars of 22 AB" in nothing
    assert "No image is deep enough for added sources." in nothing


def _use(rows):
    columns = ["method", "stars_left", "galaxies_left", "waste"]
    ranges = dict.fromkeys(["stars_18_20", "stars_21_22", "galaxies_19_21", "galaxies_22_23"], 0.1)
    return pd.DataFrame(rows, columns=columns).assign(image="All", **ranges)


def test_which_slices_are_good_source_masks():
    rows = [
        ("value_4.6", 0.3, 0.15, 0.5),
        ("value_1", 0.25, 0.5, 0.2),
        ("derivative_10", 0.6, 0.1, 0.7),
        ("value_1_or_derivative_4.6", 0.1, 0.1, 0.6),  # no slice
        ("segmentation", 0.4, 0.6, 0.2),
        ("recommended", 0.05, 0.1, 0.1),
    ]
    verdict, left = good_masks(pd.DataFrame(), _use(rows))
    assert "no value or derivative slice is a good source mask: each leaves more" in verdict
    assert "the best value slice, Img Top 4.6 %: 30 % of a star's light, 15 % of a galaxy's" in left
    assert "with 50 % of its area where no source shines" in left
    assert "the best derivative slice, Diff Top 10 %: 60 %" in left
    rows[0] = ("value_4.6", 0.2, 0.15, 0.5)
    verdict, _ = good_masks(pd.DataFrame(), _use(rows))
    assert "good source masks are Img Top 4.6 %: at most a fifth of the light" in verdict
    # without a truth, by the added sources
    added = _use(rows).drop(columns=["waste", "image"])
    verdict, left = good_masks(added)
    assert "mean of added stars" in verdict
    assert "area where" not in left
    # room for galaxies alone, and for none
    verdict, left = good_masks(added.assign(stars_left=np.nan))
    assert "good source masks are Img Top 4.6 %, Diff Top 10 %: at most a fifth of" in verdict
    assert "of the light of galaxies stays outside" in verdict
    assert verdict.endswith("(mean of added galaxies of 19 to 23 AB).")
    assert "nan" not in left
    assert good_masks(added.assign(stars_left=np.nan, galaxies_left=np.nan)) == []
    assert good_masks(pd.DataFrame()) == []
    assert good_masks(added[added["method"] == "recommended"]) == []
