"""Sizes with a unit: one reading by the command, the configuration and the library."""

import re

import pytest
import yaml
from conftest import ROOT
from mirimask.command import run as command
from mirimask.errors import MaskError
from mirimask.image.frame import pixels
from mirimask.sizes import size_parts

SIZES = {
    "18 px": 18,
    "18px": 18,
    ".5 arcsec": 5,
    "0.3arcsec": 3,
    "1e0 fwhm": 4,
    "2.fwhm": 8,
    "25e-2 arcsec": 2.5,
    "20.0 px": 20,
}
NO_SIZES = ("18", "px", "inf px", "nan px", "-1 px", "0 px", "0.0arcsec", "0e5 px", "1e999 px")
NO_SIZES += ("1 m", "1e px", ". px", " 1 px", "1,5 px", "1 px 2")


def schema_patterns():
    text = (ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
    definitions = yaml.safe_load(text)["$defs"]
    return [definitions[name]["pattern"] for name in ("box", "circle")]


@pytest.mark.parametrize(("size", "expected"), SIZES.items())
def test_a_size_in_pixels(size, expected):
    """Of 0.1 arcsec, with a PSF of 4."""
    assert pixels(size, 0.1, fwhm_px=4) == pytest.approx(expected)
    assert all(re.search(pattern, size) for pattern in schema_patterns())
    options = command.parser().parse_args(["score", "i", "c", "--radius", size])
    assert options.radius == size


@pytest.mark.parametrize("size", NO_SIZES)
def test_what_is_no_size(size, capsys):
    with pytest.raises(MaskError, match="is not a size above 0; write '18 px'"):
        size_parts(size)
    assert not any(re.search(pattern, size) for pattern in schema_patterns())
    for option in ("--radius", "--near", "--smallest-spot"):
        assert command.main(["score", "i.fits", "c.csv", f"{option}={size}"]) == 2
        assert f"argument {option}: '{size}' is not a size above 0" in capsys.readouterr().err


@pytest.mark.parametrize("width", ["0.15arcsec", ".15 arcsec", "15e-2arcsec", '0.15"', ' 0.15 "'])
def test_a_width_of_the_psf(width):
    options = command.parser().parse_args(["stats", "i", "--fwhm", width])
    assert options.fwhm == pytest.approx(0.15)


@pytest.mark.parametrize("width", ["0arcsec", "inf arcsec", "61 arcsec", "2 px", "1 fwhm", "0.15"])
def test_what_is_no_width(width, capsys):
    assert command.main(["stats", "i.fits", f"--fwhm={width}"]) == 2
    assert f"argument --fwhm: '{width}' is not a width; write 0.15arcsec" in capsys.readouterr().err


def test_widths_where_the_psf_is_not_known():
    with pytest.raises(MaskError, match="width of the PSF is not known"):
        pixels("1 fwhm", 0.1)
