"""What identifies an image and how its pixels are distributed (paper, Tables 1 and 2)."""

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from mirimask.image.frame import Frame

__all__ = ["IDENTITY", "MOMENTS", "describe", "identify", "summarize"]

# column of Table 1 -> keyword of the primary header
IDENTITY = {
    "principal_investigator": "PI_NAME",
    "observation_id": "OBS_ID",
    "obs_date": "DATE-OBS",
    "effective_exposure_s": "EFFEXPTM",
    "guide_star_id": "GDSTARID",
    "guide_star_ra_deg": "GS_RA",
    "guide_star_dec_deg": "GS_DEC",
}
MOMENTS = ("min", "max", "mean", "median", "variance", "skewness", "kurtosis")


def identify(primary: fits.Header) -> dict[str, object]:
    """The row of Table 1 from a primary header; None where a keyword is missing or has no value.

    A complex number is given as text.
    """
    values: dict[str, object] = {column: primary.get(key) for column, key in IDENTITY.items()}
    for column, value in values.items():
        if isinstance(value, fits.card.Undefined):
            values[column] = None
        elif isinstance(value, complex):
            values[column] = str(value)
    return values


def describe(data: NDArray[np.floating]) -> dict[str, float]:
    """The row of Table 2: moments of the finite pixels of `data`, in MJy/sr (variance squared).

    Variance is `numpy.var`, skewness and kurtosis are the biased ones of `scipy.stats`, kurtosis
    after Fisher (0 for a normal distribution), as in the paper's published script; in
    float64. No finite pixel gives NaN everywhere, one value gives NaN for the last two. Pixels that
    a masked array masks do not count.
    """
    data = np.ma.filled(np.ma.asarray(data, dtype=float), np.nan) if np.ma.isMA(data) else data
    seen = data[np.isfinite(data)].astype(np.float64)
    if seen.size == 0:
        return dict.fromkeys(MOMENTS, float("nan"))
    low, high, mean, middle = seen.min(), seen.max(), seen.mean(), np.median(seen)
    # scipy's digits in an eighth of its time
    seen -= mean
    squared = seen * seen
    variance = squared.mean()
    seen *= squared
    third = seen.mean()
    squared *= squared
    fourth = squared.mean()
    skewness = kurtosis = np.nan
    if variance > (np.finfo(np.float64).eps * mean) ** 2:  # as scipy has it
        skewness, kurtosis = third / variance**1.5, fourth / variance**2 - 3
    moments = (low, high, mean, middle, variance, skewness, kurtosis)
    return {name: float(value) for name, value in zip(MOMENTS, moments, strict=True)}


def summarize(crop: Frame, *, count_empty: bool) -> dict[str, object]:
    """What statistics/<image>.json says of a crop: rows of Tables 1 and 2, shapes, scale and PSF.

    With `count_empty`, empty pixels count in the moments with the value that fills them.
    """
    primary = crop.primary
    return {
        "image": primary["IMAGE"],
        "simulated": crop.simulated,
        **identify(primary),
        "filter": primary["FILTER"],
        "cal_ver": primary.get("CAL_VER"),
        "crds_ctx": primary.get("CRDS_CTX"),
        "frame_shape": list(crop.frame_shape),
        "crop_shape": list(crop.data.shape),
        "n_pixels": int(crop.data.size),
        "n_empty": int(crop.empty.sum()),
        **({} if count_empty else {"empty_left_out": True}),
        "n_not_finite": int((~np.isfinite(crop.data)).sum()),
        "pixel_scale_arcsec": crop.pixel_scale,
        "psf_fwhm_px": crop.fwhm_px,
        **describe(crop.data if count_empty else crop.masked),
    }
