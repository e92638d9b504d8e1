import numpy as np
import pytest
from astropy.io import fits
from mirimask.errors import MaskError
from mirimask.image.instrument import PIXEL_SCALE_ARCSEC, psf_fwhm_arcsec
from mirimask.image.psf import (
    PsfSettings,
    encircled_energy,
    make_psf,
    measured_fwhm,
    read_psf,
    stamp,
    write_psf,
)

SMALL = PsfSettings(size_arcsec=6.0, wavelengths=3)
SAMPLE = PIXEL_SCALE_ARCSEC / SMALL.oversample


@pytest.fixture(scope="module")
def psf():
    return make_psf("F770W", SMALL)


def gaussian(sigma_arcsec, half=120):
    y, x = np.indices((2 * half + 1,) * 2) - half
    return np.exp(-(x**2 + y**2) * SAMPLE**2 / (2 * sigma_arcsec**2))


def test_measures_of_a_gaussian_are_those_of_theory():
    image = gaussian(0.2)
    assert measured_fwhm(image, SAMPLE) == pytest.approx(2.3548 * 0.2, rel=0.003)
    for radius, share in zip(
        (0.1, 0.3, 0.6), encircled_energy(image, SAMPLE, (0.1, 0.3, 0.6), 6.0), strict=True
    ):
        assert share == pytest.approx(1 - np.exp(-(radius**2) / (2 * 0.2**2)), abs=0.01)


def test_psf_is_centred_positive_and_holds_nearly_all_light(psf):
    middle = psf.data.shape[0] // 2
    assert psf.data.shape == (2 * middle + 1,) * 2
    assert np.unravel_index(psf.data.argmax(), psf.data.shape) == (middle, middle)
    assert psf.data.min() >= 0
    assert 0.85 < psf.data.sum() / psf.oversample**2 <= 1.0
    y, x = np.indices(psf.data.shape) - middle
    core = psf.data * (np.hypot(x, y) < 12)
    assert abs((core * x).sum() / core.sum()) < 0.1
    assert abs((core * y).sum() / core.sum()) < 0.1


@pytest.mark.parametrize(("band", "size", "bar"), [("F770W", 6, 0.03), ("F2550W", 12, 0.06)])
def test_width_is_that_of_flight(band, size, bar):
    # longer wavelengths come out a little wide: the band is a top hat
    made = make_psf(band, PsfSettings(size_arcsec=size, wavelengths=5))
    assert measured_fwhm(made.data, SAMPLE) == pytest.approx(psf_fwhm_arcsec(band), rel=bar)


def test_cruciform_is_seen_where_it_should_be_and_nowhere_else():
    with_cross = make_psf("F770W", SMALL).data
    without = make_psf("F770W", PsfSettings(size_arcsec=6.0, wavelengths=3, cruciform=0.0)).data
    middle, far = with_cross.shape[0] // 2, 18 * 4
    arm = np.s_[middle - 4 : middle + 5, middle + far - 8 : middle + far]
    off = np.s_[middle + 40 : middle + 49, middle + far - 8 : middle + far]
    assert with_cross[arm].mean() > 1.8 * without[arm].mean()
    assert with_cross[arm].mean() - without[arm].mean() > 5 * (
        with_cross[off].mean() - without[off].mean()
    )
    # light is moved, not made
    assert with_cross.sum() < without.sum()
    long_wave = [
        make_psf("F1800W", PsfSettings(size_arcsec=4, wavelengths=1, cruciform=c)).data
        for c in (None, 0.0)
    ]
    np.testing.assert_array_equal(*long_wave)


def test_same_settings_give_the_same_bytes(psf):
    assert make_psf("F770W", SMALL).data.tobytes() == psf.data.tobytes()


def test_stamp_keeps_the_light_and_follows_the_position(psf):
    coefficients = psf.spline()
    sums, centres = [], []
    for dx, dy in ((0, 0), (0.3, -0.4), (-0.5, 0.5)):
        light = stamp(coefficients, psf.oversample, dx, dy, 20)
        assert light.shape == (41, 41)
        y, x = np.indices(light.shape) - 20
        near = light * (np.hypot(x - dx, y - dy) < 5)
        centres.append((near * x).sum() / near.sum() - dx)
        centres.append((near * y).sum() / near.sum() - dy)
        sums.append(light.sum())
    np.testing.assert_allclose(sums, sums[0], rtol=2e-3)
    np.testing.assert_allclose(centres, 0, atol=0.06)


def test_file_keeps_everything(psf, tmp_path):
    write_psf(tmp_path / "psf.fits", psf)
    again = read_psf(tmp_path / "psf.fits")
    assert again.data.tobytes() == psf.data.tobytes()
    assert (again.filter, again.oversample, again.pixel_scale_arcsec) == ("F770W", 4, 0.11)
    assert fits.getheader(tmp_path / "psf.fits")["SIMULATD"]


def test_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "text").write_text("no PSF")
    fits.PrimaryHDU(np.ones((3, 3))).writeto(tmp_path / "image.fits")
    for name in ("text", "image.fits", "missing.fits"):
        with pytest.raises(MaskError, match="not a PSF"):
            read_psf(tmp_path / name)


def test_filter_that_miri_has_not():
    with pytest.raises(MaskError, match="F200W"):
        make_psf("F200W")
