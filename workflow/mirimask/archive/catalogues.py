"""Catalogues of VizieR and IRSA around a position, as ECSV.

A reply that says it is an error, or only the first rows, is refused. Of one with rows elsewhere or
rows twice the others are kept, and the table says what was left out.
"""

import warnings
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import votable
from astropy.table import Column, Table
from urllib3.exceptions import HTTPError

from mirimask.archive.downloads import Fetched, keep, part_of, recorded
from mirimask.archive.network import Archive, bounded, explain, short, spoken
from mirimask.errors import MaskError
from mirimask.votables import notes_of

__all__ = ["cached_catalogue", "count_catalogue", "fetch_catalogue"]

# How far from the middle a row may be to be kept, and to be what was asked for; in boxes. VizieR's
# box is not quite ours, nor the epoch of its positions; IRSA is asked for the circle around it.
_KEPT = {"vizier": 0.6, "irsa": 0.5}
_ASKED = {"vizier": 0.6, "irsa": 0.8}


def _catalogue_file(
    archive: Archive, service: str, catalogue: str, ra: float, dec: float, box_deg: float
) -> Path:
    name = f"{catalogue.replace('/', '_')}_{ra:.6f}{dec:+.6f}_{box_deg:g}deg.ecsv"
    return archive.folder(archive.server_of(service)) / name


def cached_catalogue(
    archive: Archive,
    *,
    catalogue: str,
    ra: float,
    dec: float,
    box_deg: float,
    service: str = "vizier",
    verify: bool = False,
) -> Fetched | None:
    """The rows of a catalogue around a position where an earlier run fetched them, else None."""
    return recorded(_catalogue_file(archive, service, catalogue, ra, dec, box_deg), verify=verify)


def fetch_catalogue(
    archive: Archive,
    *,
    catalogue: str,
    ra: float,
    dec: float,
    box_deg: float,
    columns: Iterable[str] = (),
    service: str = "vizier",
) -> Fetched:
    """All rows and columns of a table of VizieR or IRSA in a box, as ECSV, or those fetched before.

    `service` is `vizier` or `irsa`. `ra`, `dec` (ICRS degrees) is the centre of a box of `box_deg`
    on each side (on the sky, not in right ascension). Units and masked values are kept. `columns`
    (identifier, right ascension, declination) must be there, the last two in degrees; where the
    archive knows no row and sends no table, they are the columns of the empty one. `meta["notes"]`
    of the table is there where something is to be said: warnings of the service, rows that lie
    elsewhere or repeat another and are left out.

    MaskError where the archive does not answer, answers with an error or with a part of the rows
    only, and where no row lies in the box, though there are some.
    """
    columns = list(columns)
    known = cached_catalogue(
        archive,
        catalogue=catalogue,
        service=service,
        ra=ra,
        dec=dec,
        box_deg=box_deg,
        verify=True,
    )
    if known is not None:
        table = Table.read(known.path, format="ascii.ecsv")
        if set(columns) <= set(table.colnames):  # VizieR works some out where they are asked for
            _check_columns(table, columns, catalogue, service)
            return known
    table, uri = _ask(archive, catalogue, ra, dec, box_deg, columns, service)
    path = _catalogue_file(archive, service, catalogue, ra, dec, box_deg)
    with part_of(path) as partial:
        table.write(partial, format="ascii.ecsv", overwrite=True)
        return keep(partial, path, uri)


def count_catalogue(
    archive: Archive,
    *,
    catalogue: str,
    ra: float,
    dec: float,
    box_deg: float,
    columns: Iterable[str] = (),
    service: str = "vizier",
) -> int:
    """The number of rows that `fetch_catalogue` would keep, of the same question; nothing is kept.

    The same errors.
    """
    return len(_ask(archive, catalogue, ra, dec, box_deg, list(columns), service)[0])


def _ask(
    archive: Archive,
    catalogue: str,
    ra: float,
    dec: float,
    box_deg: float,
    columns: list[str],
    service: str,
) -> tuple[Table, str]:
    """The rows of a catalogue in a box, checked and in order, and the address they are of."""
    server = archive.server_of(service)
    if service == "vizier":
        table, notes = _query_vizier(archive, catalogue, ra, dec, box_deg, columns)
        uri = f"https://{server}/viz-bin/votable?-source={catalogue}"
        uri += f"&-c={ra:.8f}{dec:+.8f}&-c.bd={box_deg:g}x{box_deg:g}"
    else:
        table, notes = _query_irsa(archive, catalogue, ra, dec, box_deg)
        uri = f"{server}/TAP/sync?{catalogue}&{ra:.8f}{dec:+.8f}&{box_deg:g}x{box_deg:g}"
    if table is None:
        table = _empty_table(columns)
    for name in table.colnames:
        column = table[name]
        if column.ndim > 1 or (column.dtype.kind == "O" and any(map(np.ndim, column))):
            notes.append(f"column {name} has several values a row: left out")
            del table[name]
    _check_columns(table, columns, catalogue, service)
    for name in table.colnames:
        if table[name].dtype.kind in "OS":
            table[name] = table[name].astype(str)
        table[name].info.meta = None
    if columns and len(table):
        away = _distance(table, columns, ra, dec)
        n_rows, n_away = len(table), int((away > _ASKED[service] * box_deg).sum())
        if n_away == n_rows:
            raise MaskError(
                f"catalogue {catalogue}: none of the {n_rows} rows that {server} sent lies in the "
                f"box of {box_deg:g} deg around {ra:.5f} {dec:+.5f}. Are {columns[1]} and "
                f"{columns[2]} the positions, in degrees? Set catalogue.ra and catalogue.dec, or "
                "try again later."
            )
        if n_away:
            notes.append(f"{n_away} of {n_rows} rows lie outside what was asked for: left out")
        table = table[~(away > _KEPT[service] * box_deg)]  # rows without a position stay
        first = _first_of_each(table, columns)
        if len(first) < len(table):
            notes.append(
                f"{len(table) - len(first)} of {len(table)} rows have the identifier and the "
                "position of another: left out"
            )
            table = table[first]
        table.sort(columns[0])  # archives promise no order
    table.meta = {
        "catalogue": catalogue,
        "server": server,
        "centre_deg": [float(ra), float(dec)],
        "box_deg": float(box_deg),
    }
    if notes:
        table.meta["notes"] = notes
    return table, uri


### what arrived ###################################################################################


def _check_columns(table: Table, columns: list[str], catalogue: str, service: str) -> None:
    """MaskError where a column is not there, or a position is not in degrees."""
    missing = [name for name in columns if name not in table.colnames]
    if missing:
        raise MaskError(
            f"catalogue {catalogue}: has no column {', '.join(missing)}; it has "
            f"{', '.join(table.colnames)}. Set catalogue.id, catalogue.ra and catalogue.dec."
        )
    for name in columns[1:] if len(table) else []:
        column = table[name]
        unit = column.unit
        if column.dtype.kind in "fiu" and (unit is None or not _is_no_degree(unit)):
            continue
        what = f"first value {str(column[0])!r}" + (f", unit {unit}" if unit else "")
        raise MaskError(
            f"catalogue {catalogue}: column {name} ({what}) is not a number of degrees. Set "
            "catalogue.ra and catalogue.dec to columns in degrees"
            + (
                ": _RAJ2000 and _DEJ2000, which VizieR computes for every table."
                if service == "vizier"
                else "."
            )
        )


def _is_no_degree(unit: u.UnitBase) -> bool:
    """Whether a unit is known, and is another than degrees: hours, radian, metres."""
    if isinstance(unit, u.UnrecognizedUnit) or unit == u.dimensionless_unscaled:
        return False  # the rows' place shows what they are
    try:
        return unit.to(u.deg) != 1
    except u.UnitConversionError:
        return True


def _distance(table: Table, columns: list[str], ra: float, dec: float) -> np.ndarray:
    """How far rows lie from a position, in degrees along the farther axis; NaN without a place."""
    values = [np.ma.filled(table[name].astype(float), np.nan) for name in columns[1:]]
    lon, lat = (np.asarray(value, float) for value in values)
    lat = np.where(np.abs(lat) <= 90, lat, np.nan)
    east, north = SkyCoord(ra, dec, unit="deg").spherical_offsets_to(
        SkyCoord(lon, lat, unit="deg", frame="icrs")
    )
    # NaN for a row that has no position; a latitude that cannot be is a position elsewhere
    away = np.fmax(np.abs(east.deg), np.abs(north.deg))
    return np.where(np.isnan(lat) & np.isfinite(values[1]), 360.0, away)


def _first_of_each(table: Table, columns: list[str]) -> np.ndarray:
    """Rows that are the first of their identifier and position."""
    first: dict[tuple[str, ...], int] = {}
    for row, cells in enumerate(zip(*(table[name] for name in columns), strict=True)):
        first.setdefault(tuple(map(str, cells)), row)
    return np.array([*first.values()], dtype=int)


def _check_notes(document: Any, server: str, question: str, key: str) -> list[str]:
    """The warnings of a reply, for a person; MaskError where it says that it is not the rows."""
    said = notes_of(document)
    if said.errors:
        raise MaskError(
            f"{server}: {question} gave an error: {short(said.errors[0]).rstrip('.')}. "
            f"Try again later, or check catalogue.{key}."
        )
    if said.overflow:
        service = {"vizier": "VizieR", "irsa": "IRSA"}[key]
        raise MaskError(
            f"{server}: {question} gave more rows than {service} sends at once. Make "
            "catalogue.box_deg smaller."
        )
    shown = [f"{server} warns: {short(text)}" for text in said.warnings[:3]]
    if len(said.warnings) > 3:
        shown.append(f"{server} has {len(said.warnings) - 3} more warnings")
    return shown


def _empty_table(columns: list[str]) -> Table:
    """A table without rows; the first column is text, the others are degrees."""
    return Table(
        [
            Column([], name=name, dtype="U1" if i == 0 else float, unit=None if i == 0 else u.deg)
            for i, name in enumerate(columns)
        ]
    )


### the services ###################################################################################


def _query_vizier(
    archive: Archive, catalogue: str, ra: float, dec: float, box_deg: float, columns: list[str]
) -> tuple[Table | None, list[str]]:
    """VizieR's reply as a table with plain columns, None where it holds none; its warnings."""
    from astroquery.vizier import VizierClass

    server = f"https://{archive.vizier_server}"
    question = f"the query of {catalogue} around {ra:.5f} {dec:+.5f}"
    with spoken(server, question), warnings.catch_warnings():
        client = VizierClass(
            columns=["all", *(name for name in columns if name.startswith("_"))],  # VizieR's own
            row_limit=-1,  # the default is 50
            timeout=archive.timeout_s,
            vizier_server=archive.vizier_server,
        )
        bounded(client._session, archive)
        # The reply itself: astroquery's table is empty for an error as for a field without rows.
        reply = client.query_region_async(
            SkyCoord(ra, dec, unit="deg"),
            width=box_deg * u.deg,
            height=box_deg * u.deg,
            catalog=catalogue,
            frame="icrs",
            cache=False,
        )
        reply.raise_for_status()
        if b"<VOTABLE" not in reply.content[:4000] and b":VOTABLE" not in reply.content[:4000]:
            raise MaskError(
                f"{server}: {question} gave no VOTable; the answer begins "
                f"with {reply.content[:60]!r}. Try again later."
            )
        warnings.simplefilter("ignore")  # VizieR's VOTables are not quite to the standard
        document = votable.parse(BytesIO(reply.content), verify="ignore", invalid="mask")
        notes = _check_notes(document, server, question, "vizier")
        tables = [t for t in document.iter_tables() if t.fields]
        named = [t for t in tables if t.name == catalogue] or tables
        if len(named) > 1:
            raise MaskError(
                f"catalogue {catalogue}: VizieR has several tables of it: "
                f"{', '.join(str(t.name) for t in named)}. Name one of them in catalogue.vizier."
            )
        return named[0].to_table(use_names_over_ids=True) if named else None, notes


def _query_irsa(
    archive: Archive, catalogue: str, ra: float, dec: float, box_deg: float
) -> tuple[Table, list[str]]:
    """The reply of IRSA's TAP service as a table with plain columns; its warnings.

    A circle around the box is asked for, to be cut: what a box is near the poles is not the same to
    all services.
    """
    from astroquery.ipac.irsa import IrsaClass
    from pyvo.dal import DALAccessError, DALOverflowWarning

    server = archive.irsa_server
    question = f"the query of {catalogue} around {ra:.5f} {dec:+.5f}"
    with spoken(server, question), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # IRSA's VOTables are not quite to the standard
        warnings.simplefilter("error", DALOverflowWarning)
        client = IrsaClass()
        client.tap_url = f"{server.rstrip('/')}/TAP"
        bounded(client._session, archive)
        query = client.query_region(
            SkyCoord(ra, dec, unit="deg"),
            catalog=catalogue,
            spatial="Cone",
            radius=box_deg / np.sqrt(2) * u.deg,
            get_query_payload=True,
        )
        try:
            reply = client.query_tap(query)
        except DALOverflowWarning:
            raise MaskError(
                f"{server}: {question} gave more rows than IRSA sends at once. Make "
                "catalogue.box_deg smaller."
            ) from None
        except DALAccessError as error:
            cause = getattr(error, "cause", None)  # DALFormatError has one for a broken connection
            said = explain(cause) if isinstance(cause, OSError | HTTPError) else short(error)
            raise MaskError(
                f"{server}: {question} failed: {said}. Try again later, or check catalogue.irsa."
            ) from None
        notes = _check_notes(reply.votable, server, question, "irsa")
        return reply.to_table(), notes
