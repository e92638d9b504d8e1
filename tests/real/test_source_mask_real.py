"""The source mask on real images that no setting was chosen on (../shared/real)."""

import numpy as np
import pytest
from astropy.io import fits
from mirimask.masks.cores import core_mask
from mirimask.masks.source_mask import DEFAULT, source_labels
from scipy.ndimage import binary_dilation, gaussian_filter, sum_labels

LENSES = 11  # with a table of their images' positions


def _open(path):
    if not path.exists():
        pytest.skip(f"no {path.name}: the folder ../shared/real is not whole")
    return fits.open(path)


def _uds(real):
    with _open(real / "images" / "mophongo_uds1_f770w_80mas_sci.fits") as hdus:
        data = hdus[0].data.astype(np.float32)
    with _open(real / "images" / "mophongo_uds1_f770w_80mas_wht.fits") as hdus:
        return data, hdus[0].data == 0, 0.269 / 0.08


def test_little_that_is_bright_is_left_of_the_uds_field(real):
    """Of the pixels above 5 sigma, smoothed by 2.5 px: 3 % at most; the cores leave half."""
    data, empty, fwhm_px = _uds(real)
    seen = ~empty & ~binary_dilation(empty, iterations=8)  # the rim of the gap is not sky
    found = source_labels(data, empty, fwhm_px=fwhm_px)
    smooth = gaussian_filter(np.where(empty, 0, data), 2.5)
    sky = smooth[seen & (found.sources == 0)]
    middle = np.median(sky)
    sigma = 1.4826 * np.median(np.abs(sky - middle))
    bright = seen & (smooth > middle + 5 * sigma)
    assert bright.sum() > 3000
    assert (bright & (found.sources == 0)).sum() <= 0.03 * bright.sum()
    cores = core_mask(data, empty, fwhm_px=fwhm_px)
    assert (bright & ~cores).sum() > 0.3 * bright.sum()
    assert (found.sources > 0).mean() < 0.14


def test_the_images_of_lensed_quasars_are_sources_of_their_own(real):
    """85 % and more of those with published positions, and the light around them is covered."""
    apart = lenses = 0
    for path in sorted((real / "images" / "lenses").glob("*.fits.gz")):
        with fits.open(path) as hdus:
            tables = [hdu.data for hdu in hdus if "QSO" in hdu.name]
            data = next(
                h.data for h in hdus if h.is_image and h.data is not None and h.header["NAXIS"] == 2
            )
        if not tables:
            continue
        lenses += 1
        found = source_labels(data.astype(np.float32), ~np.isfinite(data), fwhm_px=0.207 / 0.111)
        names = tables[0].names
        x, y = (np.rint(tables[0][name]).astype(int) for name in names[:2])
        labels = found.detections[y, x]
        apart += len(set(labels[labels > 0].tolist()))
        assert (found.sources[y, x] > 0).all(), path.name
        light = np.clip(data - np.median(data[found.sources == 0]), 0, None)
        assert light[found.sources > 0].sum() > 0.95 * light.sum(), path.name
    assert lenses == LENSES
    assert apart >= 0.85 * 4 * lenses


@pytest.mark.parametrize(
    ("name", "fwhm_arcsec", "sources"),
    [
        ("jw01288015001_26101_00003_mirimage_i2d", 0.269, 0),
        ("jw01288015001_04101_00001_mirimage_i2d", 0.375, 1),
    ],
)
def test_the_orion_bar_is_no_source_and_its_star_is(real, name, fwhm_arcsec, sources):
    with _open(real / "images" / f"{name}.fits.gz") as hdus:
        data, empty = hdus["SCI"].data, hdus["WHT"].data == 0
    found = source_labels(data, empty, fwhm_px=fwhm_arcsec / 0.11)
    assert found.count == sources
    assert (found.sources > 0).mean() < 0.02
    if sources:
        assert found.detections[24, 48] == 1


def test_what_nircam_sees_in_the_uds_field_is_masked_and_little_else(real):
    """F444W is deeper and sharper: its segments are the sources, on pixels half as large.

    What is beyond them is the margin by which the mask is widened, and 3 pixels.
    """
    data, empty, fwhm_px = _uds(real)
    with _open(real / "nircam" / "mophongo_uds1_LW_seg_40mas.fits.gz") as hdus:
        segments = hdus[0].data
    ny, nx = data.shape
    segments = segments[: 2 * ny, : 2 * nx].reshape(ny, 2, nx, 2).max(axis=(1, 3))
    mask = source_labels(data, empty, fwhm_px=fwhm_px).sources > 0
    sky = data[~empty & ~mask & (segments == 0)]
    light = np.where(empty, 0, data - np.median(sky))
    sigma = 1.4826 * np.median(np.abs(sky - np.median(sky)))
    number = np.arange(1, segments.max() + 1)
    flux, left = (sum_labels(values, segments, number) for values in (light, light * ~mask))
    pixels = sum_labels(np.ones(data.shape), segments, number)
    shown = flux > 5 * sigma * np.sqrt(np.maximum(pixels, 1))
    assert shown.sum() > 40
    assert left[shown].sum() < 0.1 * flux[shown].sum()
    cores = core_mask(data, empty, fwhm_px=fwhm_px)
    without = sum_labels(light * ~cores, segments, number)
    assert without[shown].sum() > 0.25 * flux[shown].sum()
    margin = 3 + round(DEFAULT.growth * fwhm_px)
    assert (mask & ~binary_dilation(segments > 0, iterations=margin)).sum() < 0.1 * mask.sum()
