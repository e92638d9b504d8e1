"""Catalogues of a simulated sky: what the beam and the depth of a survey make of its sources.

One way for all surveys: sources that a beam does not separate are one, positions scatter by the
beam over the signal-to-noise ratio, and what is too faint is left out. `SURVEYS` has what differs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.wcs import WCS
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mirimask.errors import MaskError
from mirimask.image.wcs import pixel_to_sky
from mirimask.simulation.sky import CROP

__all__ = ["SURVEYS", "Band", "simulated_catalogue"]

_BLEND_BEAMS = 0.65  # closer pairs are one source to a catalogue's modelling
_WISE_PIXEL_ARCSEC = 2.75
_W1_ZERO_UJY = 306.682e6  # of 0 mag Vega (Jarrett et al. 2011)


@dataclass(frozen=True)
class Band:
    """A band in which a survey detects sources.

    `flux` gives the truth's fluxes in the units of `sigma`, the noise of a point source by a
    field's settings; `beam_arcsec` is the FWHM, `floor_arcsec` the error of a bright source's
    position, `least_snr` that of the faintest source that is listed.
    """

    flux: Callable[[QTable], NDArray]
    sigma: Callable[[Mapping[str, Any]], float]
    beam_arcsec: float
    floor_arcsec: float
    least_snr: float


def _nanomaggies(vega: NDArray) -> NDArray:
    return 10 ** ((22.5 - np.asarray(vega, float)) / 2.5)


# docs/simulation.md says where the numbers come from
_W1 = Band(
    lambda truth: _nanomaggies(truth["w1_vega"]),
    lambda settings: 10 ** ((22.5 - settings["w1_5sigma"]) / 2.5) / 5,
    beam_arcsec=6.1,
    floor_arcsec=0.05,
    least_snr=5,
)
_MIPSGAL_24 = Band(
    lambda truth: np.asarray(truth["s24_ujy"], float),
    lambda settings: settings["s24_sigma_ujy"],
    beam_arcsec=6.0,
    floor_arcsec=0.3,
    least_snr=5,
)
_SEIP_24 = Band(
    _MIPSGAL_24.flux, _MIPSGAL_24.sigma, beam_arcsec=6.0, floor_arcsec=0.3, least_snr=10
)
_SEIP_I1 = Band(  # IRAC's 3.6 um, taken for W1
    lambda truth: _W1_ZERO_UJY * 10 ** (-0.4 * np.asarray(truth["w1_vega"], float)),
    lambda settings: settings["i1_sigma_ujy"],
    beam_arcsec=1.66,
    floor_arcsec=0.15,
    least_snr=10,
)


@dataclass(frozen=True)
class _Listed:
    """Sources of a band: positions (pixels), flux, and for each of the truth its row here or -1."""

    x: NDArray
    y: NDArray
    flux: NDArray
    row: NDArray[np.intp]
    limit: float | None


def simulated_catalogue(
    name: str,
    truth: QTable,
    wcs: WCS,
    *,
    settings: Mapping[str, Any],
    box_deg: float,
    pixel_scale_arcsec: float,
    seed: int,
) -> tuple[QTable, NDArray[np.str_]]:
    """Catalogue `name` in a box of `box_deg` around CRVAL; for each row of `truth` its id or "".

    Sources of `truth` (columns x, y, w1_vega, w2_vega, s24_ujy, ab_mag) closer than 0.65 beams to
    a brighter one are merged into it, at the centroid of their light in the survey's band;
    positions scatter by the beam over 2.35 S/N. The catalogue ends at the survey's signal-to-noise
    ratio, or, with `settings["sources_in_crop"]`, where that number remains in the crop, of which
    `settings["without_counterpart"]` are no source of the truth: artefacts, or (where
    `settings["on"]` gives positions) knots of diffuse light that the beam takes for a source.
    MaskError where the sky has too few sources for that number, where those without a counterpart
    do not fit or lie outside, or for an unknown survey.
    """
    if name not in SURVEYS:
        raise MaskError(
            f"catalogue.name: no catalogue '{name}' can be simulated, only {', '.join(SURVEYS)}."
        )
    rng = np.random.default_rng([seed, 30 + list(SURVEYS).index(name)])  # errors of its own
    sky = _Sky(truth, wcs, box_deg, pixel_scale_arcsec)
    return SURVEYS[name](rng, sky, settings)


@dataclass(frozen=True)
class _Sky:
    """What every survey looks at."""

    truth: QTable
    wcs: WCS
    box_deg: float
    pixel_scale_arcsec: float

    def position(self, x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
        sky = pixel_to_sky(self.wcs, x, y)
        ra, dec = sky.ra.deg, sky.dec.deg
        return ra, dec


def _listed(
    rng: np.random.Generator, sky: _Sky, band: Band, settings: Mapping[str, Any]
) -> _Listed:
    """The sources that a survey lists in a band, in an order that says nothing of brightness."""
    truth, scale = sky.truth, sky.pixel_scale_arcsec
    flux = band.flux(truth)
    x, y = np.asarray(truth["x"], float), np.asarray(truth["y"], float)

    # merge: the brightest first takes what the beam does not separate from it
    tree = cKDTree(np.column_stack([x, y]))
    blend_px = _BLEND_BEAMS * band.beam_arcsec / scale
    owner = np.full(x.size, -1)
    for i in np.argsort(-flux, kind="stable"):
        if owner[i] < 0:
            near = np.array(tree.query_ball_point((x[i], y[i]), blend_px))
            owner[near[owner[near] < 0]] = i
    _, group = np.unique(owner, return_inverse=True)
    total = np.bincount(group, flux)
    gx, gy = np.bincount(group, flux * x) / total, np.bincount(group, flux * y) / total

    # positions scatter by the beam over the S/N at the depth of the survey
    sigma = band.sigma(settings)
    scatter = np.hypot(band.beam_arcsec / 2.355 / np.maximum(total / sigma, 3), band.floor_arcsec)
    gx = gx + rng.standard_normal(gx.size) * scatter / scale
    gy = gy + rng.standard_normal(gy.size) * scatter / scale

    in_box = _in_box(gx, gy, sky.wcs, sky.box_deg)
    wanted, spurious = settings["sources_in_crop"], int(settings["without_counterpart"])
    limit: float | None = band.least_snr * sigma
    if wanted is not None:
        if int(wanted) < spurious:
            raise MaskError(
                f"simulation: sources_in_crop is {wanted}, without_counterpart {spurious}: of the "
                "sources of a catalogue there cannot be fewer than of those without a counterpart."
            )
        order = np.argsort(-total, kind="stable")
        ranked = order[(in_box & _in_crop(gx, gy))[order]]
        real = int(wanted) - spurious
        if ranked.size < real:
            raise MaskError(
                f"simulation: only {ranked.size} sources of the sky can be in the catalogue "
                f"inside the crop, {real} are wanted: more stars or galaxies are needed."
            )
        limit = total[ranked[real - 1]] if real else None
    kept = np.flatnonzero(in_box & (total >= (np.inf if limit is None else limit)))

    sx, sy = _artefacts(rng, spurious, sky.wcs, sky.box_deg, settings["on"])
    faint = band.least_snr * sigma if limit is None else limit
    sflux = faint * 10 ** (0.4 * rng.uniform(0, 0.7, spurious))
    px, py, pflux = np.r_[gx[kept], sx], np.r_[gy[kept], sy], np.r_[total[kept], sflux]
    shuffled = np.argsort(py, kind="stable")  # the archive's order says nothing of brightness
    row = np.full(total.size, -1)
    row[kept] = np.argsort(shuffled)[: kept.size]
    return _Listed(px[shuffled], py[shuffled], pflux[shuffled], row[group], limit)


def _ids(names: NDArray[np.str_], row: NDArray[np.intp]) -> NDArray[np.str_]:
    """For each source of the truth the name of its row, "" where it has none (-1)."""
    return np.where(row >= 0, names[row], "") if names.size else np.full(row.size, "", "U1")


def _summed(values: NDArray, row: NDArray[np.intp], size: int, spurious: NDArray) -> NDArray:
    """Values of the truth's sources summed by row; `spurious` where a row has no source."""
    some = row >= 0
    total = np.bincount(row[some], values[some], minlength=size)
    return np.where(np.bincount(row[some], minlength=size) > 0, total, spurious)


def _in_crop(x: NDArray, y: NDArray) -> NDArray[np.bool_]:
    rows, columns = CROP
    return (
        (x >= columns.start - 0.5)
        & (x < columns.stop - 0.5)
        & (y >= rows.start - 0.5)
        & (y < rows.stop - 0.5)
    )


def _in_box(x: NDArray, y: NDArray, wcs: WCS, box_deg: float) -> NDArray[np.bool_]:
    sky = pixel_to_sky(wcs, x, y)
    ra, dec = sky.ra.deg, sky.dec.deg
    ra0, dec0 = wcs.wcs.crval
    east = (np.asarray(ra) - ra0 + 180) % 360 - 180
    return (np.abs(east * np.cos(np.deg2rad(dec0))) <= box_deg / 2) & (
        np.abs(np.asarray(dec) - dec0) <= box_deg / 2
    )


def _artefacts(
    rng: np.random.Generator,
    number: int,
    wcs: WCS,
    box_deg: float,
    on: list[list[float]] | None,
) -> tuple[NDArray, NDArray]:
    """Positions in the crop that no source is behind: those of `on`, the rest at random.

    They know nothing of the image, so that a source may lie beside one by chance; from each other
    they are more than 60 px apart.
    """
    on = on or []
    if len(on) > number:
        raise MaskError(
            f"simulation: without_counterpart is {number}, but 'on' gives {len(on)} positions of "
            "such entries; make them agree."
        )
    x = np.array([point[0] for point in on], float)
    y = np.array([point[1] for point in on], float)
    for point, inside in zip(on, _in_crop(x, y) & _in_box(x, y, wcs, box_deg), strict=True):
        if not inside:
            raise MaskError(
                f"simulation: on: {list(point)} does not lie in the crop and in the catalogue's "
                f"box of {box_deg} degrees (catalogue.box_deg)."
            )
    rows, columns = CROP
    tx = rng.uniform(columns.start, columns.stop, 400)
    ty = rng.uniform(rows.start, rows.stop, 400)
    inside = _in_crop(tx, ty) & _in_box(tx, ty, wcs, box_deg)
    for at_x, at_y in zip(tx[inside], ty[inside], strict=True):
        if x.size < number and (x.size == 0 or np.hypot(x - at_x, y - at_y).min() > 60):
            x, y = np.r_[x, at_x], np.r_[y, at_y]
    if x.size < number:
        raise MaskError(
            f"simulation: without_counterpart is {number}, but only {x.size} such entries found "
            "room in the crop, 60 px from each other; ask for fewer."
        )
    return x, y


def _sexagesimal(ra: NDArray, dec: NDArray) -> NDArray[np.str_]:
    """Positions as names: hhmmss.ss+ddmmss.s."""
    sky = SkyCoord(ra, dec, unit="deg")
    east = sky.ra.to_string("hourangle", sep="", precision=2, pad=True)
    north = sky.dec.to_string("deg", sep="", precision=1, pad=True, alwayssign=True)
    return np.char.add(np.asarray(east, "U16"), np.asarray(north, "U16"))


def _measured(
    rng: np.random.Generator, flux: NDArray, sigma: float, share: float
) -> tuple[NDArray, NDArray]:
    """Fluxes with noise, and their errors: `sigma` give or take, and a share of the flux."""
    error = np.hypot(sigma * rng.uniform(0.9, 1.2, flux.size), share * flux)
    return flux + error * rng.standard_normal(flux.size), error


### unWISE and CatWISE #############################################################################


def _w1_and_w2(
    rng: np.random.Generator, sky: _Sky, settings: Mapping[str, Any]
) -> tuple[_Listed, NDArray]:
    """Sources detected in W1, and their fluxes in W2 (Vega nanomaggies)."""
    listed = _listed(rng, sky, _W1, settings)
    w2 = _nanomaggies(sky.truth["w2_vega"])
    return listed, _summed(w2, listed.row, listed.x.size, listed.flux * 1.1)


def _limit_w1(limit: float | None) -> dict[str, Any]:
    vega = None if limit is None else float(np.round(22.5 - 2.5 * np.log10(limit), 2))
    return {"w1_limit_vega": vega}


def _unwise(
    rng: np.random.Generator, sky: _Sky, settings: Mapping[str, Any]
) -> tuple[QTable, NDArray[np.str_]]:
    """The columns of VizieR II/363/unwise. Fluxes are Vega nanomaggies, without a unit."""
    listed, flux2 = _w1_and_w2(rng, sky, settings)
    x, y, n = listed.x, listed.y, listed.x.size
    ra, dec = sky.position(x, y)
    ra0, dec0 = sky.wcs.wcs.crval
    coadd = f"{round(ra0 * 10):04d}{'m' if dec0 < 0 else 'p'}{round(abs(dec0) * 10):03d}"
    number = np.sort(rng.choice(60000, n, replace=False))
    wise_x = 1024 + (x - sky.wcs.wcs.crpix[0]) * sky.pixel_scale_arcsec / _WISE_PIXEL_ARCSEC
    wise_y = 1024 + (y - sky.wcs.wcs.crpix[1]) * sky.pixel_scale_arcsec / _WISE_PIXEL_ARCSEC
    table = QTable()
    table["objID"] = np.array([f"{coadd}o{k:07d}" for k in number], dtype="U16")
    table["RAJ2000"] = ra * u.deg
    table["DEJ2000"] = dec * u.deg
    bands = {}
    for band, flux, depth in (
        ("W1", listed.flux, settings["w1_5sigma"]),
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
        "fwhmW{}": lambda f, e: np.full(n, _W1.beam_arcsec / _WISE_PIXEL_ARCSEC),
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
    table.meta |= _limit_w1(listed.limit)
    return table, _ids(table["objID"], listed.row)


def _catwise(
    rng: np.random.Generator, sky: _Sky, settings: Mapping[str, Any]
) -> tuple[QTable, NDArray[np.str_]]:
    """Columns of VizieR II/365/catwise: Vega magnitudes, motions, positions with errors."""
    listed, flux2 = _w1_and_w2(rng, sky, settings)
    n = listed.x.size
    ra, dec = sky.position(listed.x, listed.y)
    table = QTable()
    table["Name"] = np.char.add("J", _sexagesimal(ra, dec))
    table["objID"] = np.sort(rng.choice(2_000_000_000, n, replace=False))
    table["RA_ICRS"], table["DE_ICRS"] = ra * u.deg, dec * u.deg
    bands = {}
    for band, flux in (("1", listed.flux), ("2", flux2)):
        sigma = 10 ** ((22.5 - settings[f"w{band}_5sigma"]) / 2.5) / 5
        measured, error = _measured(rng, flux, sigma, 0.02)
        bands[band] = np.maximum(measured, error), error
    snr = bands["1"][0] / bands["1"][1]
    place = np.hypot(_W1.beam_arcsec / 2.355 / snr, _W1.floor_arcsec)
    table["e_RA_ICRS"] = table["e_DE_ICRS"] = place * u.arcsec
    table["MJD"] = np.full(n, 57170.0) * u.day
    for axis in ("RA", "DE"):
        table[f"pm{axis}"] = rng.normal(0, 1, n) * place / 8 * u.arcsec / u.yr
        table[f"e_pm{axis}"] = place / 8 * u.arcsec / u.yr
    for band, (flux, error) in bands.items():
        table[f"snrW{band}pm"] = flux / error
        table[f"W{band}mproPM"] = (22.5 - 2.5 * np.log10(flux)) * u.mag
        table[f"e_W{band}mproPM"] = 1.0857 * error / flux * u.mag
    table.meta |= _limit_w1(listed.limit)
    return table, _ids(table["Name"], listed.row)


### Spitzer's 24 um ################################################################################


def _limit_s24(limit: float | None) -> dict[str, Any]:
    return {"s24_limit_ujy": None if limit is None else float(np.round(limit, 1))}


def _mipsgal(
    rng: np.random.Generator, sky: _Sky, settings: Mapping[str, Any]
) -> tuple[QTable, NDArray[np.str_]]:
    """Columns of VizieR J/AJ/149/64/catalog, and the positions that VizieR adds."""
    listed = _listed(rng, sky, _MIPSGAL_24, settings)
    ra, dec = sky.position(listed.x, listed.y)
    galactic = SkyCoord(ra, dec, unit="deg").galactic
    pairs = zip(galactic.l.deg, galactic.b.deg, strict=True)
    flux, error = _measured(rng, listed.flux, settings["s24_sigma_ujy"], 0.02)
    flux = np.maximum(flux, error)
    table = QTable()
    table["_RAJ2000"], table["_DEJ2000"] = ra * u.deg, dec * u.deg
    table["MIPSGAL"] = np.array([f"MG{lon:08.4f}{lat:+08.4f}" for lon, lat in pairs], "U18")
    table["GLON"], table["GLAT"] = galactic.l.deg * u.deg, galactic.b.deg * u.deg
    table["S24"], table["e_S24"] = flux / 1000 * u.mJy, error / 1000 * u.mJy
    table["[24]"] = 2.5 * np.log10(7.17e6 / flux) * u.mag  # Rieke et al. (2008)
    table["e_[24]"] = 1.0857 * error / flux * u.mag
    table.meta |= _limit_s24(listed.limit)
    return table, _ids(table["MIPSGAL"], listed.row)


def _seip(
    rng: np.random.Generator, sky: _Sky, settings: Mapping[str, Any]
) -> tuple[QTable, NDArray[np.str_]]:
    """Columns of IRSA's slphotdr4: IRAC's 3.6 um and MIPS' 24 um, merged.

    A row for each source detected in either. A 24 um source belongs to the nearest 3.6 um source
    within half its beam that no brighter one has taken; the row's position is then that one's.
    `sources_in_crop` and `without_counterpart` are of the 24 um sources.
    """
    far = _listed(rng, sky, _SEIP_24, settings)
    every = dict(settings) | {"sources_in_crop": None, "without_counterpart": 0, "on": []}
    near = _listed(rng, sky, _SEIP_I1, every)
    n = near.x.size
    reach = _SEIP_24.beam_arcsec / 2 / sky.pixel_scale_arcsec
    row = np.full(far.x.size, -1)
    alone: list[int] = []  # those without one
    for i in np.argsort(-far.flux, kind="stable").tolist():
        distance = np.hypot(near.x - far.x[i], near.y - far.y[i])
        distance[row[(row >= 0) & (row < n)]] = np.inf
        if n and distance.min() <= reach:
            row[i] = int(distance.argmin())
        else:
            row[i] = n + len(alone)
            alone.append(i)
    x, y = np.r_[near.x, far.x[alone]], np.r_[near.y, far.y[alone]]
    ra, dec = sky.position(x, y)
    size = x.size

    def column(values: NDArray, rows: NDArray) -> NDArray:
        out = np.full(size, np.nan)
        out[rows] = values
        return out

    irac, irac_error = _measured(rng, near.flux, settings["i1_sigma_ujy"], 0.03)
    mips, mips_error = _measured(rng, far.flux, settings["s24_sigma_ujy"], 0.04)
    at24 = np.isin(np.arange(size), row)
    table = QTable()
    table["objid"] = np.char.add("SSTSL2 J", _sexagesimal(ra, dec))
    table["cntr"] = np.sort(rng.choice(40_000_000, size, replace=False))
    table["ra"], table["dec"] = ra * u.deg, dec * u.deg
    table["i1_fluxtype"] = np.where(np.arange(size) < n, 1, 3)
    table["m1_fluxtype"] = np.where(at24, 1, 3)  # 10 sigma; limit
    table["i1_f_ap1"] = column(irac, np.arange(n)) * u.uJy
    table["i1_df_ap1"] = column(irac_error, np.arange(n)) * u.uJy
    table["i1_snr"] = column(irac / irac_error, np.arange(n))
    table["m1_f_psf"] = column(mips, row) * u.uJy
    table["m1_df_psf"] = column(mips_error, row) * u.uJy
    table["m1_snr"] = column(mips / mips_error, row)
    table["m1_ra"] = column(sky.position(far.x, far.y)[0], row) * u.deg
    table["m1_dec"] = column(sky.position(far.x, far.y)[1], row) * u.deg
    table.meta |= _limit_s24(far.limit)
    at = near.row.copy()
    at[far.row >= 0] = row[far.row[far.row >= 0]]
    return table, _ids(np.asarray(table["objid"]), at)


SURVEYS = {"unwise": _unwise, "catwise": _catwise, "mipsgal": _mipsgal, "seip": _seip}
