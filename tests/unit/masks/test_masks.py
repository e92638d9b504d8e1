"""The registry of methods, and what comes from it: names, masks, sweeps, help, corrections."""

import sys
from dataclasses import replace

import detector_fields as fields
import numpy as np
import pytest
from astropy.io import fits
from conftest import make_image
from frames import frame_with
from mirimask.command import run as command
from mirimask.errors import MaskError
from mirimask.evaluation.blank import Blank
from mirimask.evaluation.curves import full_curve
from mirimask.evaluation.scene import Scene
from mirimask.masks.cores import DEFAULT, core_mask
from mirimask.masks.make import (
    combined_mask,
    family_at,
    levels_in_use,
    make_mask,
    make_masks,
    swept_levels,
)
from mirimask.masks.method import Method
from mirimask.masks.names import (
    curve_label,
    leaves,
    method_label,
    parse_method,
)
from mirimask.masks.registry import DETECTORS, METHODS, OWN, published_level
from mirimask.masks.thresholds import percent_family

FWHM = 2.445


def test_every_line_of_the_registry_is_whole():
    assert set(fields.OPTIONS) == set(DETECTORS)
    for name, method in METHODS.items():
        assert callable(method.load()), name
        assert method.unit in ("%", "sigma", "")
        assert "_or_" not in name
        assert "_and_" not in name
        if name in OWN:
            low, high, number = method.levels
            assert low < min(levels_in_use(name)) <= max(levels_in_use(name)) < high
            assert number > 10
    assert set(OWN) <= set(METHODS) - set(DETECTORS)
    assert METHODS["cores"].level == DEFAULT.seed


### a new method ###################################################################################


def brightness(empty, *, fwhm_px, levels, scale=1.0):
    return percent_family("brightness", levels, lambda image: scale * image)


def bright(data, empty, *, fwhm_px):
    return data > 10


@pytest.fixture
def _added(monkeypatch):
    """Two methods as a person adds them: a function and a line."""
    module = sys.modules[__name__]
    monkeypatch.setitem(sys.modules, "mirimask.masks.own_masks", module)
    for name, method in {
        "brightness": Method(
            "brightness of pixels", "own_masks.brightness", "%", level=1, levels=(0.1, 9, 20)
        ),
        "bright": Method("bright pixels", "own_masks.bright", unit="", about="above 10 MJy/sr"),
    }.items():
        monkeypatch.setitem(METHODS, name, method)


@pytest.mark.usefixtures("_added")
def test_a_new_method_has_names():
    assert parse_method("bright").level is None
    assert parse_method("brightness").level is None
    assert parse_method("brightness_2.5").level == 2.5
    assert parse_method("value_1_or_bright").parts == ("value_1", "bright")
    assert (
        method_label("brightness_2.5_and_bright") == "brightness of pixels at 2.5 and bright pixels"
    )
    assert curve_label("brightness") == "brightness of pixels, top p %"
    for wrong in ("bright_2", "brightness_101", "brightness_2@crop"):
        with pytest.raises(MaskError, match="bright"):
            parse_method(wrong)


@pytest.mark.usefixtures("_added")
def test_a_new_method_makes_masks():
    image = frame_with(fields.field())
    made = make_masks(image, ["brightness_4.6", "value_4.6", "bright", "bright_or_brightness"])
    np.testing.assert_array_equal(made["brightness_4.6"].mask, made["value_4.6"].mask)
    np.testing.assert_array_equal(made["bright"].mask, image.data > 10)
    np.testing.assert_array_equal(
        made["bright_or_brightness"].mask, (image.data > 10) | make_mask(image, "value_1")
    )
    # what a configuration says of it
    options = {"brightness": {"level": 4.6, "settings": {"scale": -1.0}}}
    dark = make_mask(image, "brightness", options=options)
    assert image.data[dark].max() < image.data[~dark].min()


@pytest.mark.usefixtures("_added")
def test_a_new_method_is_swept():
    image = frame_with(fields.field())
    levels = swept_levels("brightness", among=[published_level("brightness", {})])
    assert len(levels) == 21
    family = family_at("brightness", image.empty, levels, fwhm_px=FWHM)
    stars = [(image.data, fields.STARS)]
    magnitudes = np.zeros(len(fields.STARS))
    flat = np.full_like(image.data, 6)
    scene = Scene(flat, stars, magnitudes, Blank([flat], np.zeros((0, 2))), None, FWHM, 1.0)
    curve = full_curve(family, scene)
    assert curve["setting"].tolist() == levels.tolist()
    assert curve["completeness"].max() == 1


@pytest.mark.usefixtures("_added")
def test_a_new_method_is_on_the_command_line(tmp_path, capsys):
    assert command.main(["mask", "--help"]) == 0
    text = capsys.readouterr().out
    assert "bright              above 10 MJy/sr" in text
    assert "brightness          brightness of pixels" in text
    assert "value_P             the brightest P %" in text
    assert "sep" not in text.split("examples:")[0].split("methods:")[1].split()
    make_image(tmp_path, "A", seed=1)
    out = tmp_path / "mask.fits"
    arguments = ["mask", str(tmp_path / "A_i2d.fits"), "--method", "bright", "-o", str(out)]
    assert command.main(arguments) == 0
    np.testing.assert_array_equal(
        fits.getdata(out, "MASK") > 0, fits.getdata(tmp_path / "A_i2d.fits", "SCI") > 10
    )


def test_a_mask_of_another_shape_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "mirimask.masks.own_masks", sys.modules[__name__])
    monkeypatch.setitem(METHODS, "odd", Method("odd", "own_masks.odd", unit=""))
    with pytest.raises(ValueError, match="odd has the shape"):
        make_mask(frame_with(fields.field()), "odd")


def odd(data, empty, *, fwhm_px):
    return data[:5] > 0


### the way to masks ###############################################################################


def test_labels_of_another_shape_are_refused():
    image = frame_with(np.zeros((20, 30), np.float32))
    with pytest.raises(MaskError, match=r"image is \(20, 30\), its labels \(30, 20\)"):
        make_masks(image, ["segmentation"], segmentation=np.zeros((30, 20), int))


def test_a_frame_of_another_shape_is_refused():
    image = frame_with(np.random.default_rng(1).normal(size=(60, 70)))
    with pytest.raises(MaskError, match="frame= has the shape"):
        make_masks(image, ["value_1"], domain="published", frame=image.masked[:50])
    assert list(make_masks(image, (name for name in ["value_1", "cores"]))) == ["value_1", "cores"]


def test_cores_are_the_core_mask():
    data, empty = fields.field(), np.zeros(fields.SHAPE, bool)
    empty[:30, :50] = True
    data[100, 100] = np.nan  # not told to be empty
    np.testing.assert_array_equal(
        make_mask(frame_with(data, empty), "cores"),
        core_mask(data, empty, fwhm_px=FWHM),
    )
    lower = make_mask(frame_with(data, empty), "cores_3.5")
    assert lower.sum() > make_mask(frame_with(data, empty), "cores").sum()


def test_combinations_of_combinations():
    image = frame_with(fields.field())
    name = "value_1_or_derivative_10_and_recommended"
    assert [leaf.name for leaf in leaves(name)] == ["value_1", "derivative_10", "recommended"]
    made = make_masks(image, ["value_1", "derivative_10", "recommended", name])
    both = combined_mask([made["derivative_10"].mask, made["recommended"].mask], "intersection")
    np.testing.assert_array_equal(made[name].mask, made["value_1"].mask | both)


def test_settings_that_are_not_given_are_asked_for():
    """A configuration without a detector's is not filled in; without one they are at hand."""
    image = frame_with(fields.field())
    with pytest.raises(MaskError, match=r"detectors\.log"):
        make_mask(image, "log", options={})
    own = make_mask(image, "log", options={"log": fields.options_of("log")})
    np.testing.assert_array_equal(make_mask(image, "log"), own)


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("dog", {"foo": 1}, r"detectors\.dog\.settings: 'foo' is none of its settings: .*box_px"),
        ("cores_tile", {"foo": 1}, "cores: unknown setting foo"),
        ("log", {"box_pc": 64}, r"detectors\.log\.settings: 'box_pc' is none of its settings"),
        (
            "jwst_source_catalog",
            {},
            r"jwst_source_catalog needs the Python environment that has it",
        ),
    ],
)
def test_settings_that_a_method_has_not(name, settings, says):
    options = {name: {"level": 3.0, "settings": settings}}
    with pytest.raises(MaskError, match=says):
        make_mask(frame_with(fields.field()), name, options=options)


def test_a_psf_wider_than_the_image_is_said():
    image = replace(frame_with(fields.field()), psf_arcsec=269.0)
    for name in ("log", "source_finder", "recommended", "value_1"):
        with pytest.raises(MaskError, match=r"fwhm_px is .*not larger than the image"):
            make_mask(image, name)


def test_thresholds_of_another_image():
    """A blank image is cut where the image is, whatever the method's percentage is of."""
    image = frame_with(fields.field())
    brighter = replace(image, data=image.data + 1)
    names = ["value_1", "derivative_1"]
    made = make_masks(brighter, names, levels_of=image)
    assert made["value_1"].mask.all()
    own = make_masks(image, names)
    assert made["value_1"].threshold == own["value_1"].threshold
    # rounding apart, a derivative does not see the constant
    assert abs(int(made["derivative_1"].mask.sum()) - int(own["derivative_1"].mask.sum())) < 5
