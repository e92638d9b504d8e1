"""The simulation beside real data and STPSF: skipped, saying so, where these are not."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "real"
GRID = REAL / "psf" / "stpsf_F770W_9pos_os4_292px.fits"
GRID_PIXEL = 0.11091 / 4  # arcsec
MOSAIC = REAL / "images" / "mophongo_uds1_f770w_80mas_sci.fits"
APCORR = REAL / "psf" / "jwst_miri_apcorr_0014.fits"

needs_poppy = pytest.mark.skipif(
    importlib.util.find_spec("poppy") is None, reason="poppy is not installed"
)


def real(path):
    if not path.is_file():
        pytest.skip(f"no real data: {path} is missing")
    return fits.getdata(path).astype(float)


@pytest.fixture(scope="module")
def psf():
    pytest.importorskip("poppy")
    from mirimask.image.psf import PsfSettings, make_psf

    return make_psf("F770W", PsfSettings(size_arcsec=12))


def test_psf_is_that_of_stpsf(psf):
    from mirimask.simulation.checks import psf_checks

    checks = psf_checks(psf, real(GRID), GRID_PIXEL)
    assert len(checks) == 4
    missed = [(c.quantity, c.value, c.reference) for c in checks if not c.passed]
    assert not missed


def test_psf_is_turned_as_stpsf(psf):
    """The pattern of the outer PSF agrees best at no further rotation, and not mirrored."""
    from scipy.ndimage import rotate

    reference = real(GRID)[4][25:266, 25:266]
    middle = psf.data.shape[0] // 2
    ours = psf.data[middle - 120 : middle + 121, middle - 120 : middle + 121].astype(float)
    wings = np.hypot(*(np.indices(ours.shape) - 120)) > 14

    def likeness(image):
        pair = [np.log(np.maximum(i[wings], 1e-6)) for i in (image, reference)]
        return np.corrcoef(*pair)[0, 1]

    turned = {a: likeness(rotate(ours, a, reshape=False, order=1)) for a in (-3, 0, 3)}
    assert max(turned, key=turned.get) == 0
    assert turned[0] > 0.95
    assert likeness(ours[::-1]) < turned[0]


@needs_poppy
def test_pupil_is_that_of_jwst():
    """The analytic pupil of `make_psf` against the measured one: as much light, in its place."""
    import astropy.units as u
    import poppy

    measured = real(REAL / "psf" / "JWST_pupil.fits")
    pupil = poppy.CompoundAnalyticOptic(
        [
            poppy.MultiHexagonAperture(rings=2, flattoflat=1.3165, gap=0.007, center=False),
            poppy.AsymmetricSecondaryObscuration(
                secondary_radius=0.0, support_angle=(0, 150, 210), support_width=0.12
            ),
        ]
    )
    wave = poppy.Wavefront(npix=measured.shape[0], diam=6.603464 * u.m)
    ours = pupil.get_transmission(wave)
    assert ours.sum() == pytest.approx(measured.sum(), rel=0.005)
    assert np.abs(ours - measured).sum() / measured.sum() < 0.03


def test_noise_is_correlated_as_in_a_real_mosaic(psf):
    """Exposures resampled to the real mosaic's 80 mas; both images treated alike."""
    import yaml
    from mirimask.simulation.checks import autocorrelation_checks, residual_noise
    from mirimask.simulation.exposures import observe
    from mirimask.simulation.field import PIXAR_SR
    from mirimask.simulation.sky import Diffuse, draw_sources
    from snakemake.utils import validate

    empty = real(Path(str(MOSAIC).replace("_sci", "_wht"))) == 0
    noise = residual_noise(0.0665 * real(MOSAIC), empty)
    config = yaml.safe_load((ROOT / "config" / "simulated.yaml").read_text())
    validate(config, ROOT / "workflow" / "schemas" / "config.schema.yaml")
    simulation = config["simulation"]
    field = simulation["fields"]["Img5"] | {"mesh": None}  # which the real mosaic has not
    mosaic = observe(
        Diffuse(field["background"], field["nebula"], field["seed"]),
        draw_sources(field, field["seed"], 0.11),
        psf,
        field=field,
        detector=simulation["detector"],
        exposure_s=1640,
        pixar_sr=PIXAR_SR,
        seed=field["seed"],
        shape=(1413, 1419),
        scale=0.08 / 0.11,
    )
    patch = mosaic.sci[660:1070, 880:1380]
    simulated = residual_noise(patch, np.isnan(patch))
    checks = autocorrelation_checks(simulated, noise)
    assert [c.quantity for c in checks if not c.passed] == []
    assert np.nanstd(simulated) == pytest.approx(np.nanstd(noise), rel=0.15)


@pytest.mark.parametrize("deblend", [False, True])
def test_segmentation_is_that_of_the_official_step(deblend, tmp_path):
    """Opt-in: runs where `jwst` is installed (envs/requirements-jwst.in), on real sky."""
    pytest.importorskip("jwst", reason="jwst is not installed (envs/requirements-jwst.in)")
    from dataclasses import replace

    from mirimask.masks.segmentation import SegmentationSettings, segment

    sys.path.insert(0, str(ROOT / "benchmarks"))
    from official_segmentation import official_labels

    data = (0.0665 * real(MOSAIC)).astype(np.float32)
    weight = real(Path(str(MOSAIC).replace("_sci", "_wht"))).astype(np.float32)
    error = np.where(weight > 0, 0.0155, np.nan).astype(np.float32)
    science = fits.ImageHDU(data, header=fits.getheader(MOSAIC), name="SCI")
    primary = fits.PrimaryHDU()
    primary.header["FILTER"], primary.header["DATE-OBS"] = "F770W", "2023-01-01"
    path = tmp_path / "i2d.fits"
    hdus = [primary, science, fits.ImageHDU(error, name="ERR"), fits.ImageHDU(weight, name="WHT")]
    fits.HDUList(hdus).writeto(path)
    settings = replace(SegmentationSettings.for_jwst("1.12.5"), deblend=deblend)
    official, _ = official_labels(path, APCORR, settings=settings, folder=tmp_path)
    ours = segment(data, error=error, weight=weight, settings=settings)
    assert official.max() > 5
    assert ours.max() == official.max()
    np.testing.assert_array_equal(ours > 0, official > 0)
