"""Catalogues: those that are known by name, the circle of each, and their sources on an image."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mirimask.errors import MaskError
from mirimask.sources.conditions import check_condition, fulfilled

if TYPE_CHECKING:  # every start of the workflow reads this module, for the catalogues' names alone
    from astropy.table import Table
    from astropy.wcs import WCS

__all__ = [
    "CATALOGUES",
    "Catalogue",
    "catalogue_settings",
    "circle_sizes",
    "is_unwise",
    "locate_sources",
    "note_of_overlap",
]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Catalogue:
    """A catalogue of an archive: which table of which service, its columns, what it resolves.

    `service` is `vizier` or `irsa`; `id`, `ra`, `dec` (ICRS degrees) and `flux` are columns of
    `table`; `resolution_arcsec` is the FWHM of the images that its positions are measured on;
    `keep` is the condition on its columns that is used where a study gives none; `primary` a
    condition that leaves a source once where the catalogue's images overlap.
    """

    service: str
    table: str
    id: str
    ra: str
    dec: str
    flux: str
    resolution_arcsec: float
    keep: str = ""
    primary: str = ""


CATALOGUES = {
    # Schlafly et al. (2019): unWISE coadds keep the resolution of WISE, 6.1" in W1 (Wright et al.
    # 2010). Vega nanomaggies. Prim: in the primary region of its coadd; the paper took all rows.
    "unwise": Catalogue(
        "vizier",
        "II/363/unwise",
        "objID",
        "RAJ2000",
        "DEJ2000",
        "FW1",
        resolution_arcsec=6.1,
        primary="Prim == 1",
    ),
    # Marocco et al. (2021): the same coadds, with the unWISE Catalogue as list of detections.
    "catwise": Catalogue(
        "vizier", "II/365/catwise", "Name", "RA_ICRS", "DE_ICRS", "W1mproPM", resolution_arcsec=6.1
    ),
    # Gutermuth & Heyer (2015), mJy at 24 um; 6" (Carey et al. 2009). VizieR adds _RAJ2000 and
    # _DEJ2000 to any table, whatever positions its own columns have.
    "mipsgal": Catalogue(
        "vizier",
        "J/AJ/149/64/catalog",
        "MIPSGAL",
        "_RAJ2000",
        "_DEJ2000",
        "S24",
        resolution_arcsec=6.0,
    ),
    # Spitzer Enhanced Imaging Products, Source List (CR3), microjansky. A position is that of the
    # shortest wavelength detected at 10 sigma: IRAC's 3.6 um, 1.66" (IRAC Instrument Handbook), for
    # nearly all. m1_fluxtype 1: at 10 sigma in 24 um too.
    "seip": Catalogue(
        "irsa",
        "slphotdr4",
        "objid",
        "ra",
        "dec",
        "m1_f_psf",
        resolution_arcsec=1.66,
        keep="m1_fluxtype == 1",
    ),
}

# The paper's circle of 36 px and ring of 25 px, at 0.11" a pixel, were chosen by a pixel of unWISE,
# which is a share of its resolution.
_RADIUS_FWHM = 18 * 0.11 / CATALOGUES["unwise"].resolution_arcsec
_NEAR_FWHM = 25 * 0.11 / CATALOGUES["unwise"].resolution_arcsec


def is_unwise(table: "Table") -> bool:
    """Whether a table of sources is unWISE's: by its flux in W1, as its other names are common."""
    return CATALOGUES["unwise"].flux in table.colnames


def note_of_overlap(table: "Table", name: str) -> str:
    """What is to be said of the rows of a known catalogue that are not primary; '' if nothing."""
    known = CATALOGUES.get(name)
    if not known or not known.primary or known.primary.split()[0] not in table.colnames:
        return ""
    n_others = int((~fulfilled(known.primary, table)).sum())
    if not n_others:
        return ""
    return (
        f"{n_others} of {len(table)} rows are not primary: where {name}'s images overlap, a source "
        f'is there twice; catalogue.keep: "{known.primary}" takes it once'
    )


def catalogue_settings(given: Mapping[str, Any], *, ask: bool = True) -> dict[str, Any]:
    """The settings of a catalogue: those `given`, where they are None those of its name.

    `given` has the keys of the configuration's `catalogue`. In what comes back, `service` and
    `table` say where the catalogue is (None and "" if no archive is to be asked and none is
    named), `id`, `ra`, `dec` and `keep` are texts; `resolution` (arcsec) is None for a catalogue
    that is not in CATALOGUES and has none given. MaskError where two tables are given, where `keep`
    is no condition, or where an archive is to be asked (`ask`) for a name that is not known and
    without a table.
    """
    name = given["name"]
    known = CATALOGUES.get(name)
    tables = {key: given[key] for key in ("vizier", "irsa") if given[key]}
    if len(tables) > 1:
        raise MaskError("catalogue: both vizier and irsa are given; a catalogue is one table.")
    if not tables and known:
        tables = {known.service: known.table}
    if not tables and ask:
        raise MaskError(
            f"catalogue.name: '{name}' is not a known catalogue ({', '.join(CATALOGUES)}); correct "
            "it, or give catalogue.vizier or catalogue.irsa, and id, ra and dec, for another one."
        )
    service, table = next(iter(tables.items()), (None, ""))
    settings = dict(given) | {"service": service, "table": table}
    # columns of a catalogue that has no entry are taken to be called as unWISE's are
    columns = known or CATALOGUES["unwise"]
    for key in ("id", "ra", "dec"):
        if settings[key] is None:
            settings[key] = getattr(columns, key)
    if settings["keep"] is None:
        settings["keep"] = known.keep if known else ""
    if settings["keep"]:
        try:
            check_condition(settings["keep"])
        except MaskError as error:
            raise MaskError(f"catalogue.keep: {error}") from None
    if settings["resolution"] is None and known:
        settings["resolution"] = known.resolution_arcsec
    return settings


def circle_sizes(resolution_arcsec: float | None, *, native: bool = False) -> dict[str, str]:
    """Sizes of the circle around a catalogue's sources and of the ring around it.

    `radius` and `near` as texts ("1.98 arcsec"), the same shares of the catalogue's resolution
    (FWHM, arcsec) as the paper's (section 3) 18 px and 25 px of 0.11" are of unWISE's; for
    unWISE's own resolution on the detector's own pixels (`native`) those numbers of pixels. Where
    the resolution is not known (None), the positions are taken to be better than the image's, and
    the circle has the PSF's FWHM for its radius ("1 fwhm").
    """
    if resolution_arcsec is None:
        return {"radius": "1 fwhm", "near": f"{_NEAR_FWHM / _RADIUS_FWHM:.2g} fwhm"}
    if native and resolution_arcsec == CATALOGUES["unwise"].resolution_arcsec:
        return {"radius": "18 px", "near": "25 px"}
    return {
        "radius": f"{_RADIUS_FWHM * resolution_arcsec:.4g} arcsec",
        "near": f"{_NEAR_FWHM * resolution_arcsec:.4g} arcsec",
    }


def locate_sources(
    catalogue: "Table",
    wcs: "WCS",
    shape: tuple[int, int],
    *,
    id_column: str,
    ra_column: str,
    dec_column: str,
    keep: str = "",
) -> "Table":
    """The sources of a catalogue that lie on an image of `shape` (ny, nx) and `wcs`.

    Positions are ICRS, in the unit of their columns, degrees where they have none. Columns of what
    is returned: id (text), ra, dec (degrees, ICRS), x, y (0-based pixels). Rows without a finite
    position are dropped (a declination beyond 90 degrees is none either), and so are those that do
    not fulfil `keep`, a condition on the catalogue's columns (see `conditions`); the table's meta
    counts both, and those outside. Of sources that share an id, as entries without one do, the
    second is `id (2)`, the third `id (3)`, with a warning. An empty catalogue gives a table without
    rows. Raises MaskError for a missing column or what is no
    condition.
    """
    from astropy.table import Table

    from mirimask.image.wcs import sky_to_pixel

    catalogue = Table(catalogue, copy=False)  # a QTable has quantities
    missing = [name for name in (ra_column, dec_column) if name not in catalogue.colnames]
    if missing:
        raise MaskError(
            f"catalogue: no column {' and no column '.join(missing)}; it has "
            f"{', '.join(catalogue.colnames)}. Set catalogue.ra and catalogue.dec."
        )
    kept = np.ones(len(catalogue), dtype=bool)
    if keep:
        try:
            check_condition(keep)
            if len(catalogue):  # one without rows may be without columns too
                kept = fulfilled(keep, catalogue)
        except MaskError as error:
            raise MaskError(f"catalogue.keep: {error}") from None
    ra, dec = (_degrees(catalogue, name) for name in (ra_column, dec_column))
    # a fill value of -99 or 1e38 is no angle; sources around 0 h may go on above 360
    finite = np.isfinite(ra) & np.isfinite(dec) & (np.abs(ra) <= 540) & (np.abs(dec) <= 90)
    x, y = sky_to_pixel(wcs, np.where(finite, ra, np.nan), np.where(finite, dec, np.nan))
    x, y = np.round(x, 4), np.round(y, 4)  # as they are written: half a pixel may be rounded away
    ny, nx = shape
    inside = (x >= -0.5) & (x < nx - 0.5) & (y >= -0.5) & (y < ny - 0.5)
    if id_column in catalogue.colnames:
        column = catalogue[id_column]
        names = np.where(np.ma.getmaskarray(column), "", np.ma.getdata(column).astype(str))
    else:
        names = np.arange(1, len(catalogue) + 1).astype(str)
    chosen = kept & finite & inside
    counts = {
        "n_rows": len(catalogue),
        "n_removed": int((~kept).sum()),
        "n_not_finite": int((kept & ~finite).sum()),
        "n_outside": int((kept & finite & ~inside).sum()),
    }
    log.info("%d sources on the image; %s", chosen.sum(), counts)
    if counts["n_not_finite"]:
        log.warning(
            "catalogue: %d rows have no position that can be one and are dropped",
            counts["n_not_finite"],
        )
    distinct, times = np.unique(names[chosen], return_counts=True)
    if (times > 1).any():
        log.warning(
            "%d of %d sources share their id with another ('%s'); the second of each is 'id (2)', "
            "the third 'id (3)'",
            *(times[times > 1].sum(), chosen.sum(), distinct[times > 1][0]),
        )
    if len(catalogue) and not chosen.any():  # of one without rows its reader tells
        log.warning(
            "no catalogue source lies on this image: there is nothing to score%s",
            ". Its right ascensions are all below 24: are they hours? Then say so in their unit"
            if finite.any() and ra[finite].min() >= 0 and ra[finite].max() < 24
            else "",
        )
    return Table(
        {
            "id": np.array(_told_apart(names[chosen].tolist()), dtype=str),
            "ra": ra[chosen],
            "dec": dec[chosen],
            "x": x[chosen],
            "y": y[chosen],
        },
        units={"ra": "deg", "dec": "deg", "x": "pix", "y": "pix"},
        meta=counts,
    )


def _told_apart(names: list[str]) -> list[str]:
    """The ids, and (2), (3) and so on behind those that one before has too."""
    taken, last = set(names), dict[str, int]()
    apart = []
    for name in names:
        number, own = last.get(name, 0) + 1, name
        while number > 1 and (own := f"{name} ({number})") in taken:
            number += 1
        taken.add(own)
        last[name] = number
        apart.append(own)
    return apart


def _degrees(catalogue: "Table", name: str) -> NDArray[np.float64]:
    """A column of angles, NaN where it is masked; without a unit it is in degrees."""
    import astropy.units as u

    column = catalogue[name]
    try:
        values: NDArray[np.float64] = np.ma.filled(np.ma.asarray(column, dtype=float), np.nan)
    except (TypeError, ValueError):
        raise MaskError(
            f"catalogue: column '{name}' holds no numbers of degrees, but '{column[0]}'. Set "
            "catalogue.ra and catalogue.dec to columns in degrees."
        ) from None
    unit = u.Unit(column.unit or "", parse_strict="silent")
    # archives have units that astropy does not know, and columns in degrees without one
    if unit == u.dimensionless_unscaled or isinstance(unit, u.UnrecognizedUnit):
        return values
    try:
        return values * unit.to(u.deg)
    except u.UnitConversionError:
        raise MaskError(
            f"catalogue: column '{name}' is in {column.unit}, which is no unit of an angle. Set "
            "catalogue.ra and catalogue.dec."
        ) from None
