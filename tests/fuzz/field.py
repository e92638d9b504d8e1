"""A small good image with stars at known places of the sky, made from formulas alone.

90 rows and 96 columns of 0.11", 25 degrees from north, eight Gaussian stars. Sky positions are
worked out here, not by astropy's WCS, which is under test with the project.
"""

import io

import numpy as np
from astropy.io import fits

SHAPE = (90, 96)
SCALE = 0.11 / 3600  # degrees
ANGLE = 25.0  # degrees, of the y axis from north
CRPIX = np.array([48.5, 45.5])
CRVAL = np.array([84.675, -69.1])
SIGMA_PX = 1.04
X = np.array([14.2, 40.7, 70.1, 84.6, 18.3, 55.8, 80.4, 35.1])
Y = np.array([12.6, 20.3, 14.9, 40.2, 47.7, 50.4, 76.1, 74.5])
FLUX = np.array([60.0, 25, 120, 40, 80, 33, 55, 200])  # sum of the pixels, MJy/sr
IDS = [f"s{i}" for i in range(len(X))]
AREA_SR = np.radians(SCALE) ** 2
MIDDLE = (SHAPE[1] / 2, SHAPE[0] / 2)


def matrix(angle: float = ANGLE) -> np.ndarray:
    """CD matrix in degrees a pixel of north at `angle` from the y axis, east to the left of it."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return SCALE * np.array([[-c, s], [s, c]])


def deprojected(xi: np.ndarray, eta: np.ndarray, centre: np.ndarray = CRVAL):
    """Longitude and latitude (degrees) of gnomonic coordinates (degrees) about `centre`."""
    xi, eta = np.radians(xi), np.radians(eta)
    a0, d0 = np.radians(centre)
    below = np.cos(d0) - eta * np.sin(d0)
    longitude = a0 + np.arctan2(xi, below)
    latitude = np.arctan2(np.sin(d0) + eta * np.cos(d0), np.hypot(xi, below))
    return np.degrees(longitude) % 360, np.degrees(latitude)


def sky(x=X, y=Y, *, cd: np.ndarray | None = None, crval: np.ndarray = CRVAL):
    """Longitude and latitude (degrees) of 0-based pixels."""
    xi, eta = (matrix() if cd is None else cd) @ (np.array([x, y]) + 1 - CRPIX[:, None])
    return deprojected(xi, eta, crval)


def pixels(seed: int = 7) -> np.ndarray:
    """The image: (90, 96) float32, MJy/sr."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(SHAPE)
    data = 6 + 0.01 * columns + rng.normal(0, 0.12, SHAPE)
    for x, y, flux in zip(X, Y, FLUX, strict=True):
        square = (columns - x) ** 2 + (rows - y) ** 2
        data += flux / (2 * np.pi * SIGMA_PX**2) * np.exp(-square / (2 * SIGMA_PX**2))
    return data.astype(np.float32)


def image() -> fits.HDUList:
    """The good image as a level-3 product has it: PRIMARY, SCI, ERR, WHT."""
    primary = fits.Header()
    for key, value in {
        "TELESCOP": "JWST",
        "INSTRUME": "MIRI",
        "FILTER": "F770W",
        "OBS_ID": "V01234005006P0000000003101",
        "PI_NAME": "Nobody",
        "TARGPROP": "FIELD",
        "DATE-OBS": "2022-09-08",
        "EFFEXPTM": 532.8,
        "GS_RA": 84.6,
        "GS_DEC": -69.2,
        "CAL_VER": "1.12.5",
        "CRDS_CTX": "jwst_1140.pmap",
    }.items():
        primary[key] = value
    header = fits.Header()
    cd = matrix() / SCALE
    ra, dec = sky(np.array([0, 0, 95, 95]), np.array([0, 89, 89, 0]))
    for key, value in {
        "BUNIT": "MJy/sr",
        "PHOTMJSR": 0.5,
        "PIXAR_SR": AREA_SR,
        "PIXAR_A2": 0.0121,
        "WCSAXES": 2,
        "CRPIX1": CRPIX[0],
        "CRPIX2": CRPIX[1],
        "CRVAL1": CRVAL[0],
        "CRVAL2": CRVAL[1],
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CUNIT1": "deg",
        "CUNIT2": "deg",
        "CDELT1": SCALE,
        "CDELT2": SCALE,
        "PC1_1": cd[0, 0],
        "PC1_2": cd[0, 1],
        "PC2_1": cd[1, 0],
        "PC2_2": cd[1, 1],
        "RADESYS": "ICRS",
        "S_REGION": "POLYGON ICRS "
        + " ".join(f"{value:.7f}" for pair in zip(ra, dec, strict=True) for value in pair),
        "VPARITY": -1,
        "VELOSYS": -1234.5,
    }.items():
        header[key] = value
    data = pixels()
    return fits.HDUList(
        [
            fits.PrimaryHDU(header=primary),
            fits.ImageHDU(data, header, name="SCI"),
            fits.ImageHDU(np.full_like(data, 0.12), name="ERR"),
            fits.ImageHDU(np.full_like(data, 532.8), name="WHT"),
        ]
    )


def as_bytes(hdus: fits.HDUList) -> bytes:
    """The file."""
    buffer = io.BytesIO()
    hdus.writeto(buffer, output_verify="ignore")
    return buffer.getvalue()


def catalogue(ra: np.ndarray, dec: np.ndarray, *, far: bool = True) -> str:
    """The stars as CSV, with three rows that are far from the image."""
    rows = [f"{i},{a:.10f},{d:.10f}" for i, a, d in zip(IDS, ra, dec, strict=True)]
    if far:
        rows += [f"far{n},{a:.8f},{d:.8f}" for n, (a, d) in enumerate(far_from(ra[0], dec[0]))]
    return "\n".join(["id,ra,dec", *rows]) + "\n"


def far_from(ra: float, dec: float) -> list[tuple[float, float]]:
    """Three positions that are not on an image around this one, one of them behind it."""
    centre = np.array([ra, dec])
    outside = [deprojected(np.array(x), np.array(y), centre) for x, y in ((1.5, 0.3), (-0.2, -3))]
    return [(float(a), float(d)) for a, d in [*outside, ((ra + 180) % 360, -dec)]]
