"""A small archive: MAST's, VizieR's and IRSA's protocols over the fields of a folder.

    python tests/archive/server.py results/simulated/archive

prints the addresses to give to a study (archive.mast_server, .vizier_server, .irsa_server) and
serves `<folder>/<image>/{i2d.fits,segm.fits,cat.ecsv}` as the level-3 products of the
observations in config/images.tsv, among products that are not them: level-2 images, other
filters, other observations of the programme, associations of several observations, spectra.
VizieR and IRSA have the tables of `mirimask.sources.catalogue.CATALOGUES`; their rows are those of
all fields' `<catalogue>.ecsv`, of unWISE with rows outside the crop and masked values.

It misbehaves on demand: `serve(folder, images, half="i2d", unavailable=("query", 1))`.
"""

import argparse
import csv
import datetime
import fnmatch
import gzip
import hashlib
import io
import ipaddress
import json
import re
import ssl
import tempfile
import threading
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits, votable
from astropy.table import MaskedColumn, Table, vstack
from astropy.wcs import WCS
from mirimask.sources.catalogue import CATALOGUES

FAULTS = {
    "unavailable": "503",
    "missing": "404",
    "forbidden": "401, as for exclusive-access data",
    "half": "Content-Length of the whole, then the connection closes half-way",
    "no_length": "no Content-Length",
    "no_length_half": "no Content-Length and half of the body",
    "wrong_length": "a Content-Length and a body of another length than MAST announces",
    "no_ranges": "does not know Range",
    "garbage": "random bytes of the right length",
    "truncated": "a FITS file cut after its headers, announced with that length",
    "html": "an error page with status 200",
    "executing": "a query that is EXECUTING",
    "error": "the archive's own error reply with status 200",
    "empty": "no rows",
    "bare": "no rows and no table",
    "overflow": "the first rows, and that there are more",
    "hang": "accepts the request and says nothing",
    "redirect": "to the address that serves it, with a body without end",
    "to_file": "a redirect to a file of this machine",
    "in_circles": "a redirect to itself",
    "trickle": "a byte every 0.1 s of the body",
    "slow_header": "a byte every 0.1 s of a header that never ends",
    "endless": "no end of the body, and no length",
    "bomb": "a compressed body of 4 MB that unpacks to 4 GB",
    "nested": "JSON or XML that is nested 20 000 times",
    "null_size": "a list of products without sizes",
    "twice": "every row of a catalogue twice",
    "elsewhere": "a row of a catalogue that is 160 degrees away",
    "all_elsewhere": "all rows of a catalogue there",
    "warning": "a warning of VizieR inside its TABLE",
    "nested_error": "an error inside a RESOURCE inside the RESOURCE",
    "table_error": "an error inside the TABLE",
    "sexagesimal": "positions of a catalogue as texts",
    "metres": "positions of a catalogue in a unit that is no angle, as numbers of degrees",
    "radian": "positions of a catalogue in radian",
    "arrays": "a column of a catalogue that has a list in each row",
}
PRODUCTS = {"i2d": "i2d.fits", "segm": "segm.fits", "cat": "cat.ecsv"}
HTML = b"<!DOCTYPE html><html><body><h1>Maintenance</h1>Back on Monday.</body></html>"

XML_DEEP = (
    b'<?xml version="1.0"?><VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
    + b"<RESOURCE>" * 20_000
)

_OBSERVATION_COLUMNS = {
    "obs_collection": "string",
    "instrument_name": "string",
    "project": "string",
    "filters": "string",
    "target_name": "string",
    "obs_id": "string",
    "proposal_id": "string",
    "calib_level": "int",
    "dataproduct_type": "string",
    "s_ra": "float",
    "s_dec": "float",
    "t_min": "float",
    "t_exptime": "float",
    "t_obs_release": "float",
    "dataRights": "string",
    "dataURL": "string",
    "obsid": "string",
}
_PRODUCT_COLUMNS = {
    "obsID": "string",
    "obs_collection": "string",
    "obs_id": "string",
    "dataURI": "string",
    "productType": "string",
    "productSubGroupDescription": "string",
    "productFilename": "string",
    "size": "int",
    "calib_level": "int",
    "filters": "string",
}


@dataclass
class Served:
    """A running archive: its addresses, what was asked of it, and the faults still to come.

    `validator` is how files tell their version: by `etag`, `weak` etag, `date` (of last year) or
    `none` of them; `liar` has an etag and sends the rest of any version.
    """

    mast_url: str  # IRSA's too
    vizier_host: str
    ca_bundle: Path
    requests_log: list[str]
    faults: dict[str, list] = field(default_factory=dict)
    validator: str = "etag"

    def count(self, text: str) -> int:
        """How many requests had `text` in them."""
        return sum(text in line for line in self.requests_log)


class _Holdings:
    """Observations, their products and the catalogues of a folder of fields."""

    def __init__(self, folder: Path, images: list[dict[str, str]], *, survey: bool) -> None:
        self.observations: list[dict] = []
        self.products: list[dict] = []
        self.files: dict[str, Path | bytes] = {}
        catalogues: dict[str, list[Table]] = {name: [] for name in CATALOGUES}
        for number, row in enumerate(images, start=1):
            place = folder / row["image"]
            program, observation = int(row["program"]), int(row["observation"])
            where = {f"s_{axis}": float(row[axis]) for axis in ("ra", "dec") if axis in row}
            target = int(row.get("target", number + 1))
            self._level3(program, f"o{observation:03d}", target, row["filter"], place, **where)
            if survey:
                continue
            self._distractors(program, observation, number + 1, row["filter"])
            for name, tables in catalogues.items():
                path = place / f"{name}.ecsv"
                if path.exists():
                    tables.append(_published(name, path, place / "i2d.fits", number))
        self.tables = {  # of each service's tables those that have rows here, or none
            (known.service, known.table): vstack(catalogues[name], metadata_conflicts="silent")
            if catalogues[name]
            else Table()
            for name, known in CATALOGUES.items()
        }
        if survey:  # these images alone are public ones of their programmes
            for program, filter_name in sorted({(r["program"], r["filter"]) for r in images}):
                self._not_public_images(int(program), filter_name, images[0])

    def _not_public_images(self, program: int, filter_name: str, near: dict[str, str]) -> None:
        """What a survey of a programme must not take."""
        where = {f"s_{axis}": float(near[axis]) for axis in ("ra", "dec") if axis in near}
        self._level3(program, "o998", 1, "F560W", None, **where)
        self._level3(program, "c1001", 1, filter_name, None, **where)
        self._level3(program, "o999", 1, filter_name, None, dataRights="EXCLUSIVE_ACCESS", **where)
        for exposure in (1, 2):
            obs_id = f"jw{program:05d}001001_02101_{exposure:05d}_mirimage"
            self._observe(obs_id, program, filter_name, 2, **where)
        spectrum = {"instrument_name": "MIRI/IFU", "dataproduct_type": "cube"}
        name = f"jw{program:05d}-o997_t001_miri_ch1-short"
        self._observe(name, program, filter_name, 3, **spectrum, **where)

    def _observe(self, obs_id: str, program: int, filter_name: str, level: int, **other) -> str:
        obsid = str(100000000 + len(self.observations))
        self.observations.append(
            {
                "obs_collection": "JWST",
                "project": "JWST",
                "instrument_name": "MIRI/IMAGE",
                "filters": filter_name,
                "target_name": "UNKNOWN",
                "obs_id": obs_id,
                "proposal_id": str(program),
                "calib_level": level,
                "dataproduct_type": "image",
                "s_ra": None,
                "s_dec": None,
                "t_min": 59800.5,
                "t_exptime": 999.9,
                "t_obs_release": 60165.5,
                "dataRights": "PUBLIC",
                "dataURL": f"mast:JWST/product/{obs_id}_i2d.fits",
                "obsid": obsid,
                **other,
            }
        )
        return obsid

    def _offer(
        self, obsid: str, obs_id: str, suffix: str, content: Path | bytes, level: int
    ) -> None:
        name = f"{obs_id}_{suffix}"
        uri = f"mast:JWST/product/{name}"
        self.files[uri] = content
        self.products.append(
            {
                "obsID": obsid,
                "obs_collection": "JWST",
                "obs_id": obs_id,
                "dataURI": uri,
                "productType": "SCIENCE",
                "productSubGroupDescription": suffix.split(".")[0].upper(),
                "productFilename": name,
                "size": content.stat().st_size if isinstance(content, Path) else len(content),
                "calib_level": level,
                "filters": "",
            }
        )

    def _level3(
        self,
        program: int,
        group: str,
        target: int,
        filter_name: str,
        place: Path | None,
        **other,
    ) -> None:
        obs_id = f"jw{program:05d}-{group}_t{target:03d}_miri_{filter_name.lower()}"
        if any(row["obs_id"] == obs_id for row in self.observations):
            return
        obsid = self._observe(obs_id, program, filter_name, 3, **other)
        for suffix in PRODUCTS.values():
            if place is None or (place / suffix).exists():
                self._offer(obsid, obs_id, suffix, place / suffix if place else _decoy(obs_id), 3)
        self._offer(obsid, obs_id, "i2d.jpg", b"\xff\xd8 preview", 3)
        # the exposures that went into it are listed among its products
        member = f"jw{program:05d}{group[1:]}001_02101_00001_mirimage"
        for suffix in ("i2d.fits", "cal.fits"):
            self._offer(obsid, member, suffix, _decoy(member), 2)

    def _distractors(self, program: int, observation: int, target: int, filter_name: str) -> None:
        other_filter = "F560W" if filter_name != "F560W" else "F1000W"
        group = f"o{observation:03d}"
        self._level3(program, group, target, other_filter, None)
        # 14 is not 140, nor 114
        for other in (observation * 10 % 1000, (observation + 100) % 1000):
            if other != observation:
                self._level3(program, f"o{other:03d}", target, filter_name, None)
        self._level3(program, "c1001", target, filter_name, None)
        for exposure in (1, 2):
            obs_id = f"jw{program:05d}{observation:03d}001_02101_{exposure:05d}_mirimage"
            obsid = self._observe(obs_id, program, filter_name, 2)
            self._offer(obsid, obs_id, "i2d.fits", _decoy(obs_id), 2)
        self._observe(
            f"jw{program:05d}-{group}_t{target:03d}_miri_ch1-short",
            program,
            filter_name,
            3,
            instrument_name="MIRI/IFU",
        )

    def find(self, filters: list[dict], position: str = "") -> list[dict]:
        """Rows of `Mast.Caom.Filtered`, of `Mast.Caom.Filtered.Position` with "ra, dec, radius".

        The archive compares footprints; here it is the middle of an image that has to be inside.
        """

        def matches(row: dict, wanted: dict) -> bool:
            cell = str(row[wanted["paramName"]])
            pattern = wanted.get("freeText", "").replace("%", "*")
            return cell in map(str, wanted["values"]) or bool(
                pattern and fnmatch.fnmatchcase(cell, pattern)
            )

        found = [row for row in self.observations if all(matches(row, f) for f in filters)]
        if position:
            ra, dec, radius = (float(part) for part in position.split(","))
            found = [row for row in found if row["s_ra"] is not None]
            sky = SkyCoord([r["s_ra"] for r in found], [r["s_dec"] for r in found], unit="deg")
            inside = SkyCoord(ra, dec, unit="deg").separation(sky).deg <= radius
            found = [row for row, is_inside in zip(found, inside, strict=True) if is_inside]
        return found

    def rows(self, service: str, table: str, ra: float, dec: float, size: float) -> Table:
        """Rows of a table around a position: VizieR's in a box of `size`, IRSA's in a circle."""
        known = next(c for c in CATALOGUES.values() if (c.service, c.table) == (service, table))
        found = self.tables[service, table]
        if not len(found):
            return found
        centre = SkyCoord(ra, dec, unit="deg")
        sky = SkyCoord(found[known.ra], found[known.dec], unit="deg")
        if service == "irsa":
            return found[centre.separation(sky).deg <= size]
        inside = [np.abs(axis.deg) <= size / 2 for axis in centre.spherical_offsets_to(sky)]
        return found[np.array(inside[0] & inside[1])]


def _decoy(obs_id: str) -> bytes:
    """A FITS file that is not the one that is wanted."""
    buffer = io.BytesIO()
    header = fits.Header({"OBS_ID": f"decoy {obs_id}", "FILTER": "NONE"})
    fits.HDUList(
        [fits.PrimaryHDU(header=header), fits.ImageHDU(np.zeros((4, 4), "f4"), name="SCI")]
    ).writeto(buffer)
    return buffer.getvalue()


def _published(name: str, path: Path, i2d: Path, number: int) -> Table:
    """A field's catalogue as an archive would have it.

    unWISE with rows left of the crop until there are more than VizieR's default limit of 50 in the
    box, and values that are not known.
    """
    table = Table.read(path)
    if name != "unwise":
        table.meta.clear()
        return table
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of dates, and of files that are truncated on purpose
        header = fits.getheader(i2d, "SCI")
        wcs, ny, nx = WCS(header), header["NAXIS2"], header["NAXIS1"]
    if (ny, nx) == (1028, 1032):
        rng = np.random.default_rng(number)
        x, y = rng.uniform([[40], [60]], [[400], [960]], (2, 70))
        ra, dec = wcs.pixel_to_world_values(x, y)
        more = Table({"objID": [f"outside{number}_{i:02d}" for i in range(x.size)]})
        more["RAJ2000"], more["DEJ2000"] = ra * u.deg, dec * u.deg
        for name in ("RAJ2000", "DEJ2000"):
            table[name].unit = u.deg
        table["objID"] = table["objID"].astype(str)
        table = vstack([table, more], metadata_conflicts="silent")
    table.meta.clear()
    if "FW1" not in table.colnames and "FW2" not in table.colnames and len(table):
        flux = np.linspace(1, 2, len(table))
        table["FW2"] = MaskedColumn(flux, mask=np.arange(len(table)) % 3 == 0, unit="nMgy")
    return table


def _votable(table: Table | None, name: str = "", *, error: str = "") -> bytes:
    """A reply of VizieR, or of another service that speaks VOTable."""
    if table is None:
        status = (
            f'<INFO ID="Error" name="Error" value="{error}" />'
            f'<INFO name="QUERY_STATUS" value="ERROR">{error}</INFO>'
            if error
            else '<INFO name="QUERY_STATUS" value="OK" />'
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE version="1.4" '
            'xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n'
            f"<DESCRIPTION>VizieR</DESCRIPTION>{status}<RESOURCE></RESOURCE></VOTABLE>\n"
        ).encode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of units that the VOTable standard does not have
        document = votable.from_table(table)
        document.resources[0].type = "results"
        document.resources[0].tables[0].name = name
        buffer = io.BytesIO()
        votable.writeto(document, buffer)
    return buffer.getvalue()


def _version(body: bytes, how: str) -> tuple[str, str]:
    """The header that tells the version of a file, and its value; of one content, one value."""
    digest = hashlib.sha256(body).hexdigest()
    if how == "date":
        return "Last-Modified", formatdate(1.7e9 + int(digest[:6], 16), usegmt=True)
    if how == "none":
        return "", ""
    return "ETag", f'{"W/" if how == "weak" else ""}"{digest}"'


def _changed(rows: Table, kind: str | None) -> Table:
    """Rows of a catalogue that are not what was asked for."""
    rows, (ra, dec) = rows.copy(), _positions(rows)
    if kind == "twice":
        rows = vstack([rows, rows], metadata_conflicts="silent")
    elif kind in ("elsewhere", "all_elsewhere"):
        away = slice(-1, None) if kind == "elsewhere" else slice(None)
        rows[ra][away] = (np.asarray(rows[ra])[away] + 160) % 360
        rows[dec][away] = 10
    elif kind == "sexagesimal":
        sky = SkyCoord(rows[ra], rows[dec], unit="deg")
        rows[ra] = sky.ra.to_string("hourangle", sep=" ", precision=2)
        rows[dec] = sky.dec.to_string(sep=" ", precision=1)
        rows[ra].unit, rows[dec].unit = '"h:m:s"', '"d:m:s"'
    elif kind == "arrays":
        lists = np.empty(len(rows), dtype=object)
        lists[:] = [np.arange(1.0 + i % 3) for i in range(len(rows))]
        rows["lists"] = lists
    elif kind == "metres":
        rows[ra].unit = rows[dec].unit = "m"
    elif kind == "radian":
        for name in (ra, dec):
            rows[name] = np.radians(np.asarray(rows[name]))
            rows[name].unit = "rad"
    return rows


def _positions(rows: Table) -> tuple[str, str]:
    return next((k.ra, k.dec) for k in CATALOGUES.values() if {k.ra, k.dec} <= set(rows.colnames))


def _remarked(reply: bytes, kind: str | None) -> bytes:
    """A VOTable with what a service says of it, in the places where services say it."""
    remarks = {
        "overflow": ("</RESOURCE>", '<INFO name="QUERY_STATUS" value="OVERFLOW"/>'),
        "warning": ("</TABLE>", '<INFO name="Warning" value="Column &apos;e_W3&apos; unknown"/>'),
        "table_error": ("</TABLE>", '<INFO name="Error" value="***Disk of 2MASS is full"/>'),
        "nested_error": (
            "</RESOURCE>",
            '<RESOURCE><INFO name="QUERY_STATUS" value="ERROR">cut off at 60 s</INFO></RESOURCE>',
        ),
    }
    if kind not in remarks:
        return reply
    before, remark = (text.encode() for text in remarks[kind])
    return reply.replace(before, remark + before, 1)


@cache
def _zeros() -> bytes:
    """8 MB of zeros, compressed."""
    return gzip.compress(bytes(1 << 23))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_: object) -> None:
        pass

    @property
    def archive(self) -> "_Server":
        return self.server  # type: ignore[return-value]

    def fault(self, where: str) -> str | None:
        """The fault that is due for this request; each counts down."""
        with self.archive.lock:
            for kind, (places, times) in self.archive.served.faults.items():
                if where in places and times != 0:
                    self.archive.served.faults[kind][1] = None if times is None else times - 1
                    return kind
        return None

    def answer(self, body: bytes, content_type: str, *, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def misbehave(self, kind: str | None) -> bool:
        """Answer with a fault that is the same for every request; False where it is another."""
        if kind == "unavailable":
            self.answer(b"busy", "text/plain", status=503)
        elif kind == "missing":
            self.answer(b"no such thing", "text/plain", status=404)
        elif kind == "forbidden":
            self.answer(b"log in", "text/plain", status=401)
        elif kind == "html":
            self.answer(HTML, "text/html")
        elif kind == "hang":
            self.archive.stopping.wait(60)
            self.close_connection = True
        elif kind in ("trickle", "slow_header", "endless", "bomb", "redirect"):
            self.without_end(kind)
        elif kind in ("to_file", "in_circles"):
            to = "file:///etc/hostname" if kind == "to_file" else self.path
            self.answer(b"", "text/plain", status=302, Location=to)
        elif kind == "nested":
            deep = b"[" * 20_000 if self.path.startswith(("/api", "/portal")) else XML_DEEP
            self.answer(deep, "application/json")
        else:
            return False
        return True

    def without_end(self, kind: str, begin: bytes = b"") -> None:
        """A reply that does not end, or not in a sensible time; `begin` is how it starts."""
        self.close_connection = True
        self.send_response(302 if kind == "redirect" else 200)
        if kind == "redirect":
            self.send_header("Location", self.path)
        if kind == "bomb":
            self.send_header("Content-Encoding", "gzip")
        if kind != "slow_header":
            self.send_header("Content-Type", "application/octet-stream")
            self.end_headers()
        else:
            self.flush_headers()
        if kind == "bomb":
            self.wfile.write(gzip.compress(begin))
        if kind in ("endless", "bomb", "redirect"):
            blocks = [_zeros()] * 512 if kind == "bomb" else [begin, *[bytes(1 << 20)] * 4000]
            for block in blocks:
                self.wfile.write(block)
            return
        self.wfile.write(begin)
        while not self.archive.stopping.wait(0.1):
            self.wfile.write(b"X")
            self.wfile.flush()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        log = f"{self.command} {unquote(self.path)} {self.headers.get('Range', '')}".strip()
        self.archive.served.requests_log.append(log)
        if address.path != "/api/v0.1/Download/file":
            if not self.misbehave(self.fault("root")):
                self.answer(b"an archive", "text/plain")
            return
        uri = parse_qs(address.query)["uri"][0]
        content = self.archive.holdings.files.get(uri)
        if content is None:
            self.answer(b"no such product", "text/plain", status=404)
            return
        body = content.read_bytes() if isinstance(content, Path) else content
        where = uri.rsplit("_", 1)[-1].split(".")[0]
        self.send_file(body, self.fault(where))

    def send_file(self, body: bytes, kind: str | None) -> None:
        if kind in ("trickle", "endless", "bomb"):
            self.without_end(kind, body[:1000])
            return
        if self.misbehave(kind):
            return
        if kind == "garbage":
            body = np.random.default_rng(1).bytes(len(body))
        elif kind == "truncated":
            body = body[: 2 * 2880 + 1000]
        elif kind == "wrong_length":
            body = body + bytes(2880)
        start, whole = 0, len(body)
        name, tag = _version(body, self.archive.served.validator)
        wanted, version = self.headers.get("Range"), self.headers.get("If-Range", tag)
        liar = self.archive.served.validator == "liar"
        if wanted and kind != "no_ranges" and (version == tag or liar):
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        else:
            self.send_response(200)
        if kind != "no_ranges":
            self.send_header("Accept-Ranges", "bytes")
            if name:
                self.send_header(name, tag)
        self.send_header("Content-Type", "application/octet-stream")
        body = body[start:]
        if kind in ("no_length", "no_length_half"):
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind in ("half", "no_length_half"):
            body = body[: len(body) // 2]
            self.close_connection = True
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.archive.served.requests_log.append(f"POST {self.path} {unquote(body)}")
        path = urlsplit(self.path).path
        if path == "/portal/Mashup/Mashup.asmx/columnsconfig":
            self.columns_config()
        elif path == "/api/v0/invoke":
            self.invoke(json.loads(parse_qs(body)["request"][0]))
        elif path == "/viz-bin/votable":
            self.vizier(body)
        elif path == "/TAP/sync":
            self.irsa({key: values[0] for key, values in parse_qs(body).items()})
        else:
            self.answer(b"no such service", "text/plain", status=404)

    def columns_config(self) -> None:
        if self.misbehave(self.fault("config")):
            return
        datatypes = {"string": "char", "int": "int", "float": "double"}
        columns = {
            name: {"text": name, "vot.datatype": datatypes[kind], "vot.name": name}
            for name, kind in (_OBSERVATION_COLUMNS | _PRODUCT_COLUMNS).items()
        }
        columns["filters"]["separator"] = ";"
        self.answer(json.dumps(columns).encode(), "application/json")

    def invoke(self, request: dict) -> None:
        observations = request["service"].startswith("Mast.Caom.Filtered")
        where = "query" if observations else "products"
        kind = self.fault(where)
        if self.misbehave(kind):
            return
        if kind == "executing":
            self.json({"status": "EXECUTING", "msg": "", "data": []})
            return
        if kind == "error":
            self.json({"status": "ERROR", "msg": "Error converting data type.", "data": []})
            return
        if observations:
            params = request["params"]
            rows = self.archive.holdings.find(params["filters"], params.get("position", ""))
            columns = _OBSERVATION_COLUMNS
            if params["columns"] == "COUNT_BIG(*)":
                rows, columns = [{"Column1": len(rows)}], {"Column1": "string"}
        elif request["service"] == "Mast.Caom.Products":
            wanted = request["params"]["obsid"].split(",")
            rows = [row for row in self.archive.holdings.products if row["obsID"] in wanted]
            columns = _PRODUCT_COLUMNS
        else:
            self.json({"status": "ERROR", "msg": f"unknown service {request['service']}"})
            return
        rows = [] if kind == "empty" else rows
        if kind == "null_size":
            rows = [row | {"size": None} for row in rows]
        size = request.get("pagesize") or 50000
        page = request.get("page") or 1
        shown = rows[(page - 1) * size : page * size]
        self.json(
            {
                "status": "COMPLETE",
                "msg": "",
                "data": [row | {"_selected_": None} for row in shown],
                "fields": [{"name": n, "type": t} for n, t in columns.items()]
                + [{"name": "_selected_", "type": "boolean"}],
                "paging": {
                    "page": page,
                    "pageSize": size,
                    "pagesFiltered": max(1, -(-len(rows) // size)),
                    "rows": len(shown),
                    "rowsFiltered": len(rows),
                    "rowsTotal": len(rows),
                },
            }
        )

    def json(self, reply: dict) -> None:
        self.answer(json.dumps(reply).encode(), "application/json")

    def vizier(self, body: str) -> None:
        kind = self.fault("vizier")
        if self.misbehave(kind):
            return
        asked = dict(line.split("=", 1) if "=" in line else (line, "") for line in body.split("\n"))
        holdings, name = self.archive.holdings, asked.get("-source", "")
        if kind == "error" or ("vizier", name) not in holdings.tables:
            reply = _votable(None, error="The database is not currently reachable.")
        elif kind == "bare":
            reply = _votable(None)
        else:
            centre = asked["-c"].strip()
            split = max(centre.rfind("+"), centre.rfind("-"))
            box = float(asked["-c.bd"].split("x")[0])
            rows = holdings.rows("vizier", name, float(centre[:split]), float(centre[split:]), box)
            limit = asked.get("-out.max", "50")
            rows = rows[: None if limit == "unlimited" else int(limit)]
            if "-out.all" not in asked:
                rows = rows[["RAJ2000", "DEJ2000", "objID"]]
            made = [c for c in rows.colnames if c[0] == "_"]  # columns that VizieR computes
            rows.remove_columns([c for c in made if c not in asked.get("-out.add", "").split(",")])
            if kind == "empty" or not len(rows):  # VizieR then sends the columns, and no DATA
                rows = holdings.tables["vizier", name]
                reply = _votable(rows if rows.colnames else None, name)
                reply = re.sub(rb"<DATA>.*</DATA>", b"", reply, flags=re.DOTALL)
            else:
                reply = _votable(_changed(rows, kind), name)
        reply = _remarked(reply, kind)
        if kind == "half":
            reply = reply[: len(reply) // 2]
        self.answer(reply, "text/xml")

    def irsa(self, asked: dict[str, str]) -> None:
        """TAP's synchronous query, of the one form that astroquery's cone has."""
        kind = self.fault("irsa")
        if self.misbehave(kind):
            return
        form = (
            r"SELECT \* FROM (\S+) WHERE CONTAINS\(POINT\('ICRS',ra,dec\),"
            r"CIRCLE\('ICRS',([-\d.]+),([-\d.]+),([-\de.]+)\)\)=1"
        )
        query = re.fullmatch(form, asked.get("QUERY", ""))
        holdings, name = self.archive.holdings, query[1] if query else ""
        if query is None or ("irsa", name) not in holdings.tables:
            reply = _votable(None, error=f"ADQL: table [{name}] is not found in TAP_SCHEMA")
            reply = reply.replace(b"<RESOURCE>", b'<RESOURCE type="results">')
            self.answer(reply, "text/xml", status=400)
            return
        rows = holdings.rows("irsa", name, *(float(query[part]) for part in (2, 3, 4)))
        if kind == "error":
            reply = _votable(None, error="The query was cancelled after 60 s.")
            reply = reply.replace(b"<RESOURCE>", b'<RESOURCE type="results">')
        elif kind == "empty" or not len(rows):  # TAP sends a table without rows
            rows = holdings.tables["irsa", name]
            reply = _votable((rows if rows.colnames else Table({"objid": ["x"]}))[:0], name)
        else:
            reply = _votable(_changed(rows, kind), name)
        reply = _remarked(reply, kind)
        if kind == "half":
            reply = reply[: len(reply) // 2]
        self.answer(reply, "text/xml")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    holdings: _Holdings
    served: Served
    lock: threading.Lock
    stopping: threading.Event

    def handle_error(self, *_: object) -> None:
        pass  # clients that hang up are part of the tests


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and its key, as PEM files in `folder`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "localhost.pem", folder / "localhost.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def _due(fault: object) -> list:
    """`"i2d"`, `("i2d", 2)` or `(["i2d", "cat"], 2)` as [places, times]; None for ever."""
    places, times = fault if isinstance(fault, tuple) else (fault, None)
    return [[places] if isinstance(places, str) else list(places), times]


@contextmanager
def serve(
    folder: str | Path,
    images: str | Path | list[dict[str, str]],
    *,
    survey: bool = False,
    **faults: object,
):
    """Serve a folder of fields while the block runs; gives `Served`.

    `images` is the table of images (a path, or its rows); a row may have `ra`, `dec` and `target`
    (number) too. With `survey` they are all the public ones of their programmes, else they stand
    among others. Each fault is one of FAULTS and names
    where it happens: root, config, query, products, i2d, segm, cat, vizier or irsa, optionally with
    how many times: `half="i2d"`, `unavailable=("query", 1)`, `hang=(["i2d", "segm"], 2)`.
    """
    unknown = set(faults) - set(FAULTS)
    if unknown:
        raise ValueError(f"unknown fault {unknown}; known: {', '.join(FAULTS)}")
    if not isinstance(images, list):
        with open(images, newline="") as file:
            images = list(csv.DictReader(file, delimiter="\t"))
    holdings = _Holdings(Path(folder), images, survey=survey)
    with tempfile.TemporaryDirectory() as secrets:
        pem, key = certificate(Path(secrets))
        mast, vizier = (_Server(("127.0.0.1", 0), _Handler) for _ in range(2))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        vizier.socket = context.wrap_socket(
            vizier.socket, server_side=True, do_handshake_on_connect=False
        )
        served = Served(
            f"http://127.0.0.1:{mast.server_port}",
            f"localhost:{vizier.server_port}",
            pem,
            [],
            {kind: _due(fault) for kind, fault in faults.items()},
        )
        lock, stopping = threading.Lock(), threading.Event()
        for server in (mast, vizier):
            server.holdings, server.served = holdings, served
            server.lock, server.stopping = lock, stopping
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield served
        finally:
            stopping.set()
            for server in (mast, vizier):
                server.shutdown()
                server.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="a study's archive, such as results/simulated/archive")
    parser.add_argument("--images", default="config/images.tsv", help="table of the images")
    options = parser.parse_args()
    if not list(Path(options.folder).glob("*/i2d.fits")):
        parser.error(f"no <image>/i2d.fits in {options.folder}; run the simulated study first")
    with serve(options.folder, options.images) as served:
        print(
            f"archive.mast_server:    {served.mast_url}\n"
            f"archive.vizier_server:  {served.vizier_host}\n"
            f"archive.irsa_server:    {served.mast_url}\n\n"
            f"REQUESTS_CA_BUNDLE={served.ca_bundle} snakemake --cores 2 --config study=served "
            f'\'archive={{source: mast, mast_server: "{served.mast_url}", '
            f'vizier_server: "{served.vizier_host}", irsa_server: "{served.mast_url}"}}\''
            "\n\nStop with Ctrl-C.",
            flush=True,
        )
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
