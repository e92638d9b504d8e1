"""How close the simulation comes to what it stands for: Table 2, STPSF, real sky."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from astropy.stats import mad_std
from numpy.typing import NDArray
from photutils.aperture import CircularAperture, aperture_photometry
from photutils.background import Background2D, MedianBackground
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.stats import spearmanr

from mirimask.image.psf import Psf, encircled_energy, measured_fwhm
from mirimask.intervals import wilson
from mirimask.units import SIGMA_PER_MAD, jansky_per_pixel, jansky_to_ab

__all__ = [
    "Check",
    "autocorrelation",
    "autocorrelation_checks",
    "catalogue_check",
    "depth_of_noise_ab",
    "psf_checks",
    "residual_noise",
    "statistics_checks",
    "table3_checks",
    "without_background",
]

UNWISE_IN_CROP = (20, 19, 13, 13, 17, 43, 43)  # sources scored in the paper's Table 3, Img1..Img7
_FACTORS = {"variance": 1.5, "max": 2.0, "skewness": 2.0, "kurtosis": 3.0}
_RADII_ARCSEC = (0.33, 0.5, 1.0)
_POOLED_WITHIN, _ORDER_BEYOND = 8, 5  # successes
_LEAST_RANK_CORRELATION, _LEAST_SHARE_OF_CELLS = 0.85, 0.89  # 44 of 49


@dataclass(frozen=True)
class Check:
    """A quantity of the simulation beside its reference; `passed` is None where there is no bar."""

    subject: str
    quantity: str
    value: float
    reference: float
    bar: str
    passed: bool | None


def statistics_checks(
    image: str, found: Mapping[str, float], published: Mapping[str, float]
) -> list[Check]:
    """The moments of a simulated crop (`statistics.describe`) against the paper's Table 2."""
    median, wanted = found["median"], published["median"]
    checks = [
        Check(image, "median", median, wanted, "within 1 %", abs(median / wanted - 1) <= 0.01)
    ]
    for name, factor in _FACTORS.items():
        ratio = found[name] / published[name]
        passed = 1 / factor <= ratio <= factor
        checks.append(
            Check(
                image, name, found[name], published[name], f"within a factor of {factor:g}", passed
            )
        )
    checks += [
        Check(image, name, found[name], published[name], "none", None) for name in ("min", "mean")
    ]
    return checks


def table3_checks(found: pd.DataFrame, published: pd.DataFrame) -> list[Check]:
    """The successes of simulated fields against the paper's Table 3.

    Both have image, method, success, near, failure and needs_processing (the exclamation mark), a
    row a cell; `found` may be means over fields of several seeds. The successes of all images by
    method, whether methods more than 5 apart in print have that order, the rank correlation of the
    cells' shares, how many lie in the 95 % range (Wilson, rounded outwards to whole sources) of the
    printed share, and how many marks agree.
    """
    keys = ["image", "method"]
    both = published.merge(found, on=keys, suffixes=("_printed", ""), validate="one_to_one")
    if len(both) != len(published):
        raise ValueError("the simulated table lacks cells of the printed one")
    pooled = both.groupby("method", sort=False)[["success", "success_printed"]].sum()
    checks = [
        Check(
            "Table 3",
            f"successes of {method}",
            row["success"],
            row["success_printed"],
            f"within {_POOLED_WITHIN}",
            bool(abs(row["success"] - row["success_printed"]) <= _POOLED_WITHIN),
        )
        for method, row in pooled.iterrows()
    ]
    simulated, printed = pooled["success"].to_numpy(float), pooled["success_printed"].to_numpy()
    apart = printed[:, None] - printed > _ORDER_BEYOND
    kept = int((simulated[:, None] > simulated)[apart].sum())
    checks.append(
        Check(
            "Table 3",
            "pairs of methods in the printed order",
            kept,
            int(apart.sum()),
            f"all that are more than {_ORDER_BEYOND} apart",
            kept == apart.sum(),
        )
    )
    total = (
        both["success_printed"] + both["near_printed"] + both["failure_printed"]
    )  # of the cell, as the paper counted it
    sources = total.groupby(both["image"]).transform("median").to_numpy()
    share = both["success_printed"] / sources
    correlation = float(spearmanr(both["success"] / sources, share).statistic)
    low, high = wilson(both["success_printed"], sources)
    inside = (both["success"] >= np.floor(low * sources)) & (
        both["success"] <= np.ceil(high * sources)
    )
    same = (both["needs_processing"] > 0.5) == both["needs_processing_printed"].astype(bool)
    least = int(np.ceil(_LEAST_SHARE_OF_CELLS * len(both)))
    return [
        *checks,
        Check(
            "Table 3",
            "rank correlation of the cells",
            correlation,
            1,
            f"{_LEAST_RANK_CORRELATION} or more",
            bool(correlation >= _LEAST_RANK_CORRELATION),
        ),
        Check(
            "Table 3",
            "cells within the range of the printed share",
            int(inside.sum()),
            len(both),
            f"{least} or more",
            bool(inside.sum() >= least),
        ),
        Check(
            "Table 3",
            "exclamation marks that agree",
            int(same.sum()),
            len(both),
            f"{least} or more",
            bool(same.sum() >= least),
        ),
    ]


def catalogue_check(image: str, found: int, wanted: int) -> Check:
    """Number of catalogue sources in the crop against the paper's."""
    return Check(image, "unWISE sources in the crop", found, wanted, "exactly", found == wanted)


def psf_checks(psf: Psf, grid: NDArray, grid_pixel_arcsec: float) -> list[Check]:
    """The PSF against a cube of PSFs of the same kind at several detector positions.

    The reference is the mean over the positions; light is counted within a square that both have.
    """
    pixel = psf.pixel_scale_arcsec / psf.oversample
    side = 0.98 * grid.shape[-1] * grid_pixel_arcsec
    widths = [measured_fwhm(plane, grid_pixel_arcsec) for plane in grid]
    width, mean = measured_fwhm(psf.data, pixel), float(np.mean(widths))
    checks = [
        Check("PSF", "FWHM (arcsec)", width, mean, "within 3 %", abs(width / mean - 1) <= 0.03)
    ]
    energies = encircled_energy(psf.data, pixel, _RADII_ARCSEC, side)
    references = np.mean(
        [encircled_energy(p, grid_pixel_arcsec, _RADII_ARCSEC, side) for p in grid], axis=0
    )
    for radius, value, reference in zip(_RADII_ARCSEC, energies, references, strict=True):
        checks.append(
            Check(
                "PSF",
                f'encircled energy at {radius}"',
                value,
                float(reference),
                "within 0.03",
                bool(abs(value - reference) <= 0.03),
            )
        )
    return checks


def without_background(
    data: NDArray, empty: NDArray[np.bool_], box_px: int = 32
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """An image less its background (median in boxes of `box_px`), and where its sources are.

    Sources are what stands 2.5 sigma out of the image smoothed by 1.2 px, grown by 3 px, and single
    pixels beyond 5 sigma. `empty` pixels are 0 and count as sources.
    """
    mask = empty.copy()
    filled = np.where(empty, 0, data).astype(float)
    residual = filled
    for _ in range(3):
        background = Background2D(
            filled,
            box_px,
            filter_size=3,
            mask=mask & ~empty,
            coverage_mask=empty,
            bkg_estimator=MedianBackground(),
            exclude_percentile=80,
        ).background
        residual = np.where(empty, 0, filled - background)
        smooth = gaussian_filter(residual, 1.2)
        spread = SIGMA_PER_MAD * np.median(np.abs(residual[~mask]))
        smooth_spread = SIGMA_PER_MAD * np.median(np.abs(smooth[~mask]))
        mask = (
            empty
            | binary_dilation(smooth > 2.5 * smooth_spread, iterations=3)
            | (np.abs(residual) > 5 * spread)
        )
    return residual - np.median(residual[~mask]), mask


def residual_noise(
    data: NDArray, empty: NDArray[np.bool_], box_px: int = 32
) -> NDArray[np.float64]:
    """`without_background` with sources and empty pixels NaN."""
    residual, mask = without_background(data, empty, box_px)
    return np.where(mask, np.nan, residual)


def autocorrelation(noise: NDArray, lags: Sequence[int]) -> list[float]:
    """Autocorrelation of an image with NaN where it is masked, mean of both axes."""
    variance = np.nanmean(noise**2)
    return [
        float(
            0.5
            * (
                np.nanmean(noise[:, lag:] * noise[:, :-lag])
                + np.nanmean(noise[lag:] * noise[:-lag])
            )
            / variance
        )
        for lag in lags
    ]


def autocorrelation_checks(simulated: NDArray, real: NDArray) -> list[Check]:
    """Lags 1, 2, 3 px of two residual images of the same pixel scale."""
    lags = (1, 2, 3)
    pairs = zip(lags, autocorrelation(simulated, lags), autocorrelation(real, lags), strict=True)
    return [
        Check(
            "noise",
            f"autocorrelation at {lag} px",
            value,
            reference,
            "within 0.1",
            abs(value - reference) <= 0.1,
        )
        for lag, value, reference in pairs
    ]


def depth_of_noise_ab(
    noise: NDArray,
    pixel_area_sr: float,
    pixel_arcsec: float,
    *,
    share: float,
    radius_arcsec: float = 0.3,
) -> float:
    """5 sigma depth of a point source (AB) from empty apertures of `radius_arcsec`.

    `noise`: MJy/sr with NaN where it is masked; apertures with a masked pixel are left out.
    `share`: of a point source's light in the aperture.
    """
    radius = radius_arcsec / pixel_arcsec
    step = int(np.ceil(2.2 * radius))
    y, x = np.mgrid[step : noise.shape[0] - step : step, step : noise.shape[1] - step : step]
    apertures = CircularAperture(np.column_stack([x.ravel(), y.ravel()]), radius)
    sums = np.asarray(aperture_photometry(noise, apertures)["aperture_sum"], float)
    sums = sums[np.isfinite(sums)]
    sigma = mad_std(sums)
    return float(jansky_to_ab(5 * sigma / share * jansky_per_pixel(pixel_area_sr)))
