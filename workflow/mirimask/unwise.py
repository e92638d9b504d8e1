"""The unWISE catalogue (Schlafly et al. 2019) of a simulated sky: what a 6" beam makes of it."""

from collections.abc import Mapping
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.wcs import WCS
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mirimask.errors import MaskError
from mirimask.sky import CROP

__all__ = ["BEAM_ARCSEC", "unwise_catalogue"]

BEAM_ARCSEC = 6.1  # FWHM in W1
_WISE_PIXEL_ARCSEC = 2.75
_BLEND_ARCSEC = 0.65 * BEAM_ARCSEC  # closer pairs are one source to the catalogue's modelling
_POSITION_FLOOR_ARCSEC = 0.05


def unwise_catalogue(
    truth: QTable,
    wcs: WCS,
    *,
    settings: Mapping[str, Any],
    box_deg: float,
    pixel_scale_arcsec: float,
    seed: int,
) -> tuple[QTable, NDArray[np.str_]]:
    """Catalogue in a box of `box_deg` around CRVAL, and for each row of `truth` its objID or "".

    Sources of `truth` (columns x, y, w1_vega, w2_vega, ab_mag) closer than 0.65 beams to a brighter
    one are merged into it, at the centroid of their W1 light; positions scatter by the beam over
    2.35 S/N. The depth limit is where `settings["sources_in_crop"]` remain in the crop, of which
    `settings["without_counterpart"]` are no source of the truth: artefacts, or (where
    `settings["on"]` gives positions) knots of diffuse light that the beam takes for a source.
    MaskError where the sky has too few sources for that number.
    """
    rng = np.random.default_rng([seed, 30])
    wanted = int(settings["sources_in_crop"])
    spurious = int(settings["without_counterpart"])
    w1 = np.asarray(truth["w1_vega"], float)
    flux1, flux2 = 10 ** ((22.5 - w1) / 2.5), 10 ** ((22.5 - np.asarray(truth["w2_vega"])) / 2.5)
    x, y = np.asarray(truth["x"], float), np.asarray(truth["y"], float)

    # merge: the brightest first takes what the beam does not separate from it
    tree = cKDTree(np.column_stack([x, y]))
    owner = np.full(x.size, -1)
    for i in np.argsort(-flux1, kind="stable"):
        if owner[i] < 0:
            near = np.array(tree.query_ball_point((x[i], y[i]), _BLEND_ARCSEC / pixel_scale_arcsec))
            owner[near[owner[near] < 0]] = i
    _, group = np.unique(owner, return_inverse=True)
    sum1 = np.bincount(group, flux1)
    sum2 = np.bincount(group, flux2)
    gx, gy = np.bincount(group, flux1 * x) / sum1, np.bincount(group, flux1 * y) / sum1

    # positions scatter by the beam over the S/N at the depth of the survey
    snr = sum1 / (10 ** ((22.5 - settings["w1_5sigma"]) / 2.5) / 5)
    scatter = np.hypot(BEAM_ARCSEC / 2.355 / np.maximum(snr, 3), _POSITION_FLOOR_ARCSEC)
    gx = gx + rng.standard_normal(gx.size) * scatter / pixel_scale_arcsec
    gy = gy + rng.standard_normal(gy.size) * scatter / pixel_scale_arcsec

    in_box = _in_box(gx, gy, wcs, box_deg)
    in_crop = in_box & _in_crop(gx, gy)
    order = np.argsort(-sum1, kind="stable")
    ranked = order[in_crop[order]]
    real = wanted - spurious
    if ranked.size < real:
        raise MaskError(
            f"simulation: only {ranked.size} sources of the sky can be in the unWISE catalogue "
            f"inside the crop, {real} are wanted: more stars or galaxies are needed."
        )
    limit = sum1[ranked[real - 1]] if real else np.inf
    kept = np.flatnonzero(in_box & (sum1 >= limit))

    sx, sy = _artefacts(rng, spurious, truth, wcs, box_deg, settings.get("on"))
    sflux = limit * 10 ** (0.4 * rng.uniform(0, 0.7, spurious)) if real else np.full(spurious, 60.0)
    px, py = np.r_[gx[kept], sx], np.r_[gy[kept], sy]
    pf1, pf2 = np.r_[sum1[kept], sflux], np.r_[sum2[kept], sflux * 1.1]

    shuffled = np.argsort(py, kind="stable")  # the archive's order says nothing of brightness
    px, py, pf1, pf2 = px[shuffled], py[shuffled], pf1[shuffled], pf2[shuffled]
    table = _columns(rng, px, py, pf1, pf2, wcs, settings, pixel_scale_arcsec)
    ids = np.full(x.size, "", dtype="U16")
    row_of = {int(k): int(np.flatnonzero(shuffled == n)[0]) for n, k in enumerate(kept)}
    for i, g in enumerate(group):
        if int(g) in row_of:
            ids[i] = table["objID"][row_of[int(g)]]
    table.meta["w1_limit_vega"] = float(np.round(22.5 - 2.5 * np.log10(limit), 2)) if real else None
    return table, ids


def _in_crop(x: NDArray, y: NDArray) -> NDArray[np.bool_]:
    rows, columns = CROP
    return (
        (x >= columns.start - 0.5)
        & (x < columns.stop - 0.5)
        & (y >= rows.start - 0.5)
        & (y < rows.stop - 0.5)
    )


def _in_box(x: NDArray, y: NDArray, wcs: WCS, box_deg: float) -> NDArray[np.bool_]:
    ra, dec = wcs.pixel_to_world_values(x, y)
    ra0, dec0 = wcs.wcs.crval
    east = (np.asarray(ra) - ra0 + 180) % 360 - 180
    return (np.abs(east * np.cos(np.deg2rad(dec0))) <= box_deg / 2) & (
        np.abs(np.asarray(dec) - dec0) <= box_deg / 2
    )


def _artefacts(
    rng: np.random.Generator,
    number: int,
    truth: QTable,
    wcs: WCS,
    box_deg: float,
    on: list[list[float]] | None,
) -> tuple[NDArray, NDArray]:
    """Positions in the crop without a source: those of `on`, the rest at random.

    Of 400 random positions the emptiest are taken: the farthest from any source above 24.5 AB.
    """
    x = np.array([point[0] for point in on or []][:number], float)
    y = np.array([point[1] for point in on or []][:number], float)
    missing = number - x.size
    if missing:
        rows, columns = CROP
        tx = rng.uniform(columns.start + 20, columns.stop - 20, 400)
        ty = rng.uniform(rows.start + 20, rows.stop - 20, 400)
        inside = _in_box(tx, ty, wcs, box_deg)
        tx, ty = tx[inside], ty[inside]
        bright = np.asarray(truth["ab_mag"]) < 24.5
        seen = np.column_stack([truth["x"][bright], truth["y"][bright]])
        distance = (
            cKDTree(seen).query(np.column_stack([tx, ty]))[0] if len(seen) else np.ones(tx.size)
        )
        for i in np.argsort(-distance, kind="stable"):
            if missing and (x.size == 0 or np.hypot(x - tx[i], y - ty[i]).min() > 60):
                x, y, missing = np.r_[x, tx[i]], np.r_[y, ty[i]], missing - 1
    return x, y


def _columns(
    rng: np.random.Generator,
    x: NDArray,
    y: NDArray,
    flux1: NDArray,
    flux2: NDArray,
    wcs: WCS,
    settings: Mapping[str, Any],
    pixel_scale_arcsec: float,
) -> QTable:
    """The columns of VizieR II/363/unwise. Fluxes are Vega nanomaggies, without a unit."""
    n = x.size
    ra, dec = (np.asarray(v, float) for v in wcs.pixel_to_world_values(x, y))
    ra0, dec0 = wcs.wcs.crval
    coadd = f"{round(ra0 * 10):04d}{'m' if dec0 < 0 else 'p'}{round(abs(dec0) * 10):03d}"
    number = np.sort(rng.choice(60000, n, replace=False))
    wise_x = 1024 + (x - wcs.wcs.crpix[0]) * pixel_scale_arcsec / _WISE_PIXEL_ARCSEC
    wise_y = 1024 + (y - wcs.wcs.crpix[1]) * pixel_scale_arcsec / _WISE_PIXEL_ARCSEC
    table = QTable()
    table["objID"] = np.array([f"{coadd}o{k:07d}" for k in number], dtype="U16")
    table["RAJ2000"] = ra * u.deg
    table["DEJ2000"] = dec * u.deg
    bands = {}
    for band, flux, depth in (
        ("W1", flux1, settings["w1_5sigma"]),
        ("W2", flux2, settings["w2_5sigma"]),
    ):
        error = 10 ** ((22.5 - depth) / 2.5) / 5 * rng.uniform(0.9, 1.2, n)
        error = np.hypot(error, 0.003 * flux)
        measured = flux + error * rng.standard_normal(n)
        faint = (measured < 3 * error) & (band == "W2")
        bands[band] = (np.where(faint, 0, measured), error, faint)
    for name, make in {
        "XposW{}": lambda f, e: wise_x + rng.normal(0, 0.05, n),
        "YposW{}": lambda f, e: wise_y + rng.normal(0, 0.05, n),
        "FW{}": lambda f, e: f,
        "e_FW{}": lambda f, e: e,
        "q_W{}": lambda f, e: rng.uniform(0.9, 1.0, n),
        "rchi2W{}": lambda f, e: rng.uniform(0.7, 1.6, n),
        "fFW{}": lambda f, e: rng.uniform(0.5, 1.0, n),
        "FW{}lbs": lambda f, e: f * rng.normal(1, 0.03, n),
        "e_FW{}lbs": lambda f, e: e * 1.1,
        "fwhmW{}": lambda f, e: np.full(n, BEAM_ARCSEC / _WISE_PIXEL_ARCSEC),
        "skyW{}": lambda f, e: rng.normal(5, 2, n),
    }.items():
        for band in "12":
            flux, error, faint = bands[f"W{band}"]
            values = np.asarray(make(flux, error), float)
            if name != "FW{}" and not name.startswith("e_F"):
                values = np.where(faint, 0.0, values)
            unit = u.pix if name[:4] in ("Xpos", "Ypos", "fwhm") else None
            table[name.format(band)] = (values * unit if unit else values).astype(np.float64)
    for band in "12":
        faint = bands[f"W{band}"][2]
        offset = rng.normal(0, 0.02 / 3600, (2, n))
        table[f"RAW{band}deg"] = np.where(faint, 0, ra + offset[0]) * u.deg
        table[f"DEW{band}deg"] = np.where(faint, 0, dec + offset[1]) * u.deg
    table["coaddID"] = np.full(n, coadd, dtype="U8")
    for band in "12":
        table[f"detIDW{band}"] = np.array(
            [
                "" if off else f"{coadd}w{band}o{k:07d}r1"
                for k, off in zip(number, bands[f"W{band}"][2], strict=True)
            ],
            dtype="U20",
        )
        table[f"nmW{band}"] = rng.integers(60, 200, n)
    table["Prim"] = np.ones(n, np.int16)
    for band in "12":
        table[f"FlagsW{band}"] = np.zeros(n, np.int32)
        table[f"f_FlagsW{band}"] = np.zeros(n, np.int32)
    return table
