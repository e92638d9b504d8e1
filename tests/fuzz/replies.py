"""Misbehaving replies of MAST and VizieR: the right files kept, or one sentence and nothing kept.

    python tests/fuzz/replies.py --count 60 --seed 1

The project's own clients (astroquery) talk to the stand-in archive of tests/archive/server.py
through a server in between, which forwards every question and spoils some of the answers.
"""

import gzip
import http.client
import json
import os
import resource
import ssl
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as own
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import field as good
import harness
import numpy as np
from astropy.io import fits
from astropy.table import Table
from harness import Case, Failed, demand

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

TIMEOUT_S = 1.0  # of a request; what never ends must be given up within a few times that
LARGEST = 30_000_000  # bytes of a file that a case may write: the image has 0.1 million
ROW = {
    "image": "Img3",
    "program": "1386",
    "observation": "14",
    "filter": "F770W",
    "observation_id": "V01234005006P0000000003101",
}
NAMES = {"i2d": "i2d.fits", "segm": "segm.fits", "cat": "cat.ecsv"}
COLUMNS = ("objID", "RAJ2000", "DEJ2000")


def make_field(folder: Path) -> None:
    """What the archive has of the good image."""
    folder.mkdir(parents=True)
    hdus = good.image()
    (folder / "i2d.fits").write_bytes(good.as_bytes(hdus))
    labels = fits.ImageHDU((hdus["SCI"].data > 8).astype("u4"), hdus["SCI"].header, name="SCI")
    for key in ("BUNIT", "PHOTMJSR"):
        del labels.header[key]
    segm = fits.HDUList([fits.PrimaryHDU(header=hdus[0].header), labels])
    (folder / "segm.fits").write_bytes(good.as_bytes(segm))
    Table({"label": [1], "sky_centroid.ra": [good.CRVAL[0]]}).write(
        folder / "cat.ecsv", format="ascii.ecsv"
    )
    ra, dec = good.sky()
    table = Table({"objID": good.IDS, "RAJ2000": ra, "DEJ2000": dec, "FW1": good.FLUX})
    for name in COLUMNS[1:]:
        table[name].unit = "deg"
    table.write(folder / "unwise.ecsv", format="ascii.ecsv")


@dataclass
class Reply:
    """An answer on its way, which a spoiler may change; `pieces` are sent instead of the body."""

    status: int
    headers: dict[str, str]
    body: bytes
    number: int = 0  # how many answers of this kind there were before
    wanted: str = ""  # the Range that was asked for
    pieces: Iterator[bytes] | None = None
    raw: bytes | None = None  # sent instead of status line, headers and body
    whole: bytes = b""  # of a file: all of it


Spoiler = Callable[[Reply], None]


class _Between(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.forward(b"")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.forward(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def forward(self, question: bytes) -> None:
        server: _Server = self.server
        headers = {
            k: v
            for k, v in self.headers.items()
            if k.lower() in ("content-type", "accept", "user-agent")
        }
        # the whole file always: what is sent of it is decided here
        status, heads, body = server.ask(self.command, self.path, question, headers)
        kind = _kind_of(self.path, question)
        with server.lock:
            number = server.counts[kind] = server.counts.get(kind, -1) + 1
        wanted = self.headers.get("Range", "")
        reply = Reply(status, heads, body, number, wanted, whole=body)
        if wanted and status == 200 and kind in NAMES:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            reply.status, reply.body = 206, body[start:]
            reply.headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        if kind in server.spoiled:
            server.spoil(reply)
        self.send(reply)

    def send(self, reply: Reply) -> None:
        self.close_connection = True
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            return
        self.send_response_only(reply.status)
        if reply.pieces is None:
            reply.headers.setdefault("Content-Length", str(len(reply.body)))
        self.send_header("Connection", "close")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        for piece in reply.pieces or [reply.body]:
            self.wfile.write(piece)
            self.wfile.flush()


def _kind_of(path: str, question: bytes) -> str:
    """Which of the questions this is."""
    address = urlsplit(path)
    if address.path.endswith("/Download/file"):
        name = parse_qs(address.query).get("uri", [""])[0].rsplit("_", 1)[-1]
        return name.split(".")[0]
    if address.path.endswith("/invoke"):
        return "products" if "Mast.Caom.Products" in unquote(question.decode()) else "query"
    if address.path.endswith("/columnsconfig"):
        return "config"
    return "vizier" if address.path.endswith("/votable") else "root"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        pass  # clients that hang up

    def ask(self, method: str, path: str, question: bytes, headers: dict[str, str]):
        """The true answer."""
        connection = self.connect()
        connection.request(method, path, question or None, headers)
        answer = connection.getresponse()
        body = answer.read()
        kept = {k: v for k, v in answer.getheaders() if k.lower() in ("content-type", "etag")}
        return answer.status, kept, body


@contextmanager
def between(spoiled: tuple[str, ...], spoil: Spoiler):
    """The archive with the spoiler before it; gives addresses as `serve` does."""
    from archive.server import certificate, serve

    make_field(Path("fields/Img3"))
    Path("secrets").mkdir()
    pem, key = certificate(Path("secrets"))
    os.environ["REQUESTS_CA_BUNDLE"] = str(pem.resolve())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    with serve("fields", [ROW]) as served:
        mast, vizier = (_Server(("127.0.0.1", 0), _Between) for _ in range(2))
        mast.connect = partial(http.client.HTTPConnection, urlsplit(served.mast_url).netloc)
        vizier.connect = partial(
            http.client.HTTPSConnection,
            served.vizier_host,
            context=ssl._create_unverified_context(),
        )
        vizier.socket = context.wrap_socket(
            vizier.socket, server_side=True, do_handshake_on_connect=False
        )
        lock, counts = threading.Lock(), {}
        for server in (mast, vizier):
            server.lock, server.counts = lock, counts
            server.spoiled, server.spoil = spoiled, spoil
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{mast.server_port}", f"localhost:{vizier.server_port}"


### what is wrong with replies #####################################################################


def for_ever(block: bytes, pause: float) -> Iterator[bytes]:
    while True:
        yield block
        time.sleep(pause)


def endless(reply: Reply) -> None:
    reply.pieces = _chain([reply.body], for_ever(bytes(65536), 0))
    reply.headers["Content-Length"] = str(1 << 40)


def endless_without_length(reply: Reply) -> None:
    reply.pieces = _chain([reply.body], for_ever(bytes(65536), 0))


def endless_blanks(reply: Reply) -> None:
    reply.pieces = for_ever(b" " * 65536, 0)


def slow(reply: Reply) -> None:
    """A byte every 0.3 s: never silent for as long as the time limit."""
    reply.headers["Content-Length"] = str(len(reply.body))
    reply.pieces = (reply.body[i : i + 1] for i in _slowly(len(reply.body), 0.3))


def slow_end(reply: Reply) -> None:
    reply.headers["Content-Length"] = str(len(reply.body))
    most = max(len(reply.body) - 500, 0)
    rest = (reply.body[i : i + 1] for i in _slowly(len(reply.body), 0.3, most))
    reply.pieces = _chain([reply.body[:most]], rest)


def slow_head(reply: Reply) -> None:
    reply.status = 200
    reply.raw = b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 5


def endless_head(reply: Reply) -> None:
    reply.raw = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: b\r\n" % n for n in range(5000))


def _slowly(end: int, pause: float, begin: int = 0) -> Iterator[int]:
    for i in range(begin, end):
        yield i
        time.sleep(pause)


def _chain(*parts) -> Iterator[bytes]:
    for part in parts:
        yield from part


def longer(reply: Reply) -> None:
    reply.body += bytes(5000)


def shorter(reply: Reply) -> None:
    reply.body = reply.body[: len(reply.body) * 2 // 3]


def cut(reply: Reply) -> None:
    """The length of all of it, and the connection ends before."""
    reply.headers["Content-Length"] = str(len(reply.body))
    reply.pieces = iter([reply.body[: len(reply.body) // 2]])


def cut_once(reply: Reply) -> None:
    if reply.number == 0:
        cut(reply)


def _other(body: bytes) -> bytes:
    """Another version: the same length, all pixels negative."""
    return body[:9000] + bytes(b ^ 0x80 if i % 4 == 0 else b for i, b in enumerate(body[9000:]))


def changed(reply: Reply, *, tag: str) -> None:
    """Broken off half-way; the rest is of another version of the file, as its ETag tells.

    No `tag`: nothing tells it.
    """
    if tag:
        reply.headers["ETag"] = tag if reply.number else '"one"'
    else:
        reply.headers.pop("ETag", None)
    if reply.number == 0:
        cut(reply)
        return
    other = _other(reply.whole)
    reply.body = other[len(other) - len(reply.body) :]


def range_off(reply: Reply) -> None:
    if reply.number == 0:
        cut(reply)
    elif reply.status == 206:
        reply.body = reply.body[10:]
        start = len(reply.whole) - len(reply.body)
        reply.headers["Content-Range"] = f"bytes {start}-{len(reply.whole) - 1}/{len(reply.whole)}"


def range_lies(reply: Reply) -> None:
    """Says that it sends the rest, and sends all of it."""
    if reply.number == 0:
        cut(reply)
    else:
        reply.body = reply.whole


def status(code: int, reply: Reply, **headers: str) -> None:
    reply.status, reply.body = code, b"busy" if code not in (204, 304) else b""
    reply.headers |= {k.replace("_", "-"): v for k, v in headers.items()}


def header(reply: Reply, **headers: str) -> None:
    reply.headers |= {k.replace("_", "-"): v for k, v in headers.items()}


def raw(data: bytes, reply: Reply) -> None:
    reply.raw = data


def zipped_bomb(reply: Reply) -> None:
    """100 kB that become 100 MB in the client."""
    packer = zlib.compressobj(9, wbits=31)
    reply.body = packer.compress(reply.body) + packer.compress(bytes(100_000_000)) + packer.flush()
    reply.headers["Content-Encoding"] = "gzip"


def zipped(reply: Reply) -> None:
    reply.body = gzip.compress(reply.body)
    reply.headers["Content-Encoding"] = "gzip"


def says_zipped(reply: Reply) -> None:
    reply.headers["Content-Encoding"] = "gzip"


def body(data: bytes, reply: Reply) -> None:
    reply.body = data


def flipped(draw: int, number: int, reply: Reply) -> None:
    data, random = bytearray(reply.body), np.random.default_rng(draw)
    for place in random.integers(0, len(data), number):
        data[place] ^= 1 << random.integers(8)
    reply.body = bytes(data)


TRANSPORT: dict[str, Spoiler] = {
    "endless": endless,
    "endless, no length": endless_without_length,
    "endless blanks": endless_blanks,
    "a byte every 0.3 s": slow,
    "a byte every 0.3 s at the end": slow_end,
    "half a head": slow_head,
    "a head of 5000 lines": endless_head,
    "longer": longer,
    "shorter": shorter,
    "cut": cut,
    "cut once": cut_once,
    "redirected for ever": partial(status, 302, Location="/api/v0.1/Download/file"),
    "redirected to a file": partial(status, 302, Location="file:///etc/hostname"),
    "redirected nowhere": partial(status, 302, Location="http://[::bad"),
    **{
        f"status {code}": partial(status, code)
        for code in (204, 206, 304, 400, 401, 403, 404, 416, 418, 429, 500, 503)
    },
    "Retry-After of a year": partial(status, 503, Retry_After="31536000"),
    "Content-Length -1": partial(header, Content_Length="-1"),
    "Content-Length abc": partial(header, Content_Length="abc"),
    "Content-Length 0": partial(header, Content_Length="0"),
    "no HTTP": partial(raw, b"220 ftp ready\r\n"),
    "nothing": partial(raw, b""),
    "bad chunks": partial(
        raw, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nSIMPLE  =\r\n"
    ),
    "a chunk of a petabyte": partial(
        raw, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffff\r\nSIMPLE  ="
    ),
    "a bomb": zipped_bomb,
    "gzip": zipped,
    "says gzip, is not": says_zipped,
    "empty": partial(body, b""),
    "a page": partial(body, b"<html><body>502 Bad Gateway</body></html>"),
    "NULs": partial(body, bytes(100_000)),
}
RESUMED: dict[str, Spoiler] = {
    "changed, other ETag": partial(changed, tag='"two"'),
    "changed, no ETag": partial(changed, tag=""),
    "changed, weak ETag": partial(changed, tag='W/"one"'),
    "the rest from elsewhere": range_off,
    "the rest is all": range_lies,
}


def _json(change: Callable[[dict], object], reply: Reply) -> None:
    whole = json.loads(reply.body)
    made = change(whole)
    reply.body = json.dumps(whole if made is None else made).encode()


def _rows(key: str, value: object, reply: dict) -> None:
    for row in reply["data"]:
        if value is KeyError:
            row.pop(key, None)
        else:
            row[key] = value


def _top(key: str, value: object, reply: dict) -> None:
    if value is KeyError:
        reply.pop(key, None)
    else:
        reply[key] = value


ANYTHING = (
    *(None, -1, 0, 1e300, "", "x", [], {}, [1, 2], True, "../../../etc/x", 10**30, "\x00", "é"),
    *(float("nan"), KeyError, "file:///etc/passwd", "<b>", "1" * 10_000),
)
NESTED = b'{"status":"COMPLETE","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
MAST_WHOLE: dict[str, Spoiler] = {
    "nested 100000 times": partial(body, NESTED),
    "a list": partial(body, b"[]"),
    "null": partial(body, b"null"),
    "half": shorter,
    "with a BOM": lambda reply: setattr(reply, "body", b"\xef\xbb\xbf" + reply.body),
    "utf-16": lambda reply: setattr(reply, "body", reply.body.decode().encode("utf-16")),
    "a number of a million digits": partial(body, b'{"status":' + b"9" * 1_000_000 + b"}"),
    "not utf-8": partial(body, b'{"status":"COMPLETE","msg":"\xff","data":[],"fields":[]}'),
}


def _mast(rng: np.random.Generator, kind: str) -> tuple[str, Spoiler]:
    """A reply of MAST with a value that is another, or none."""
    keys = {
        "query": ("obs_id", "obsid", "calib_level", "dataURL", "filters", "proposal_id"),
        "products": ("size", "size", "productFilename", "dataURI", "obsID", "calib_level"),
    }[kind]
    top = rng.random() < 0.3
    keys = ("status", "data", "fields", "paging", "msg") if top else keys
    key, value = str(rng.choice(keys)), ANYTHING[rng.integers(len(ANYTHING))]
    shown = "gone" if value is KeyError else repr(value)[:30]
    change = partial(_top if top else _rows, key, value)
    return f"{'' if top else 'rows, '}{key} {shown}", partial(_json, change)


def _xml(before: bytes, after: bytes, reply: Reply) -> None:
    reply.body = reply.body.replace(before, after, 1)


_INFO = b'<INFO ID="Error" name="Error" value="***No such table"/>'
_OVERFLOW = b'<INFO name="QUERY_STATUS" value="OVERFLOW"/>'


def _twice(reply: Reply) -> None:
    head, _, rest = reply.body.partition(b"<TABLEDATA>")
    rows, _, tail = rest.partition(b"</TABLEDATA>")
    reply.body = head + b"<TABLEDATA>" + rows + rows + b"</TABLEDATA>" + tail


def _far_row(reply: Reply) -> None:
    """All rows, and one that is 160 degrees away."""
    row = reply.body.partition(b"<TABLEDATA>")[2].partition(b"</TR>")[0] + b"</TR>"
    ra = row.partition(b"<TD>84.")[2][:4]
    far = row.replace(b"<TD>84." + ra, b"<TD>244." + ra).replace(b"s0", b"far")
    reply.body = reply.body.replace(b"</TABLEDATA>", far + b"</TABLEDATA>")


_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE v [<!ENTITY a "'
    + b"x" * 1000
    + b'">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (b, (b"&%c;" % a) * 10)
        for a, b in zip(b"abcdefgh", b"bcdefghi", strict=True)
    )
    + b"]><VOTABLE><DESCRIPTION>&i;</DESCRIPTION></VOTABLE>"
)
VIZIER: dict[str, tuple[Spoiler, bool]] = {  # and whether the true rows are a right answer
    "an Error in TABLE": (partial(_xml, b"<DATA>", _INFO + b"<DATA>"), False),
    "an Error after the rows": (partial(_xml, b"</TABLE>", _INFO + b"</TABLE>"), False),
    "an Error in a RESOURCE inside": (
        partial(_xml, b"</RESOURCE>", b"<RESOURCE>" + _INFO + b"</RESOURCE></RESOURCE>"),
        False,
    ),
    "OVERFLOW": (partial(_xml, b"</RESOURCE>", _OVERFLOW + b"</RESOURCE>"), False),
    "OVERFLOW in TABLE": (partial(_xml, b"</TABLE>", _OVERFLOW + b"</TABLE>"), False),
    "every row twice": (_twice, True),
    "a row far away": (_far_row, True),
    "entities without end": (partial(body, _BOMB), False),
    "nested 10000 times": (
        partial(
            body, b"<VOTABLE>" + b"<RESOURCE>" * 10_000 + b"</RESOURCE>" * 10_000 + b"</VOTABLE>"
        ),
        False,
    ),
    "no columns": (partial(_xml, b"<FIELD", b"<FIELX"), True),
    "unit m": (partial(_xml, b'unit="deg"', b'unit="m"'), False),
    "half": (shorter, False),
    "utf-16": (lambda r: setattr(r, "body", r.body.decode().encode("utf-16")), True),
    "a word for a number": (partial(_xml, b"<TD>84.", b"<TD>here84."), True),
}


### asking #########################################################################################


@dataclass
class Asked:
    """What is asked through the spoiler: `product` or `catalogue`; and what may come of it."""

    spoiled: tuple[str, ...]
    spoil: Spoiler
    product: bool = True
    versions: tuple[Callable[[bytes], bytes], ...] = (bytes,)
    whole: bool = True  # what is kept must be one of the versions
    rows: bool = True  # the true rows may come of it
    seconds: float = own(default=12 * TIMEOUT_S)


def _try(asked: Asked) -> tuple[str, str]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
    from mirimask.archive import Archive, fetch_catalogue, fetch_product
    from mirimask.errors import MaskError

    with warnings.catch_warnings(), between(asked.spoiled, asked.spoil) as (mast, vizier):
        warnings.simplefilter("ignore")
        archive = Archive(
            mast, vizier, downloads="downloads", timeout_s=TIMEOUT_S, tries=2, pause_s=0.01
        )
        said, began = "", time.monotonic()
        try:
            if asked.product:
                fetch_product(archive, program=1386, observation=14, filter_name="F770W")
            else:
                fetch_catalogue(
                    archive,
                    catalogue="II/363/unwise",
                    ra=float(good.CRVAL[0]),
                    dec=float(good.CRVAL[1]),
                    box_deg=0.02,
                    columns=COLUMNS,
                )
        except MaskError as error:
            said = str(error)
        except BaseException as error:
            raise Failed("traceback", harness.place_of(error)) from None
        took = time.monotonic() - began
    demand(took < asked.seconds, f"only given up after {took / TIMEOUT_S:.0f} time limits")
    demand("cannot be written" not in said, "written until the disk was full")
    demand("\n" not in said.strip(), "the error has several lines")
    _kept(asked)
    return ("said", "") if said else ("ok", "")


def _kept(asked: Asked) -> None:
    """What is in the folder of downloads: nothing begun, every file whole and with its record."""
    files = [path for path in Path("downloads").rglob("*") if path.is_file()]
    left = [path.name for path in files if path.name.endswith(".part")]
    demand(not left, "a .part is left")
    outside = [p for p in Path().rglob("*") if p.is_file() and p.parts[0] not in _OWN]
    demand(not outside, "a file was written beside the downloads")
    for path in files:
        if path.name.endswith(".json"):
            continue
        if path.name.endswith("deg.ecsv"):
            _rows_kept(Table.read(path, format="ascii.ecsv"), asked)
            continue
        kind = next(kind for kind, name in NAMES.items() if path.name.endswith(f"_{name}"))
        true = Path(f"fields/Img3/{NAMES[kind]}").read_bytes()
        right = [version(true) for version in asked.versions]
        demand(not asked.whole or path.read_bytes() in right, f"a wrong {kind} is kept")


_OWN = ("downloads", "fields", "secrets", "other.txt", "outcome.json")


def _rows_kept(table: Table, asked: Asked) -> None:
    if not asked.whole:
        return
    demand(asked.rows or len(table) == 0, "a reply that says it is wrong is kept")
    if not len(table):
        return
    demand(sorted(map(str, table["objID"])) == good.IDS, f"{len(table)} rows kept instead of 8")
    wanted = dict(zip(good.IDS, good.sky()[0], strict=True))
    for row in table[~np.ma.getmaskarray(np.ma.asarray(table["RAJ2000"]))]:
        away = abs(row["RAJ2000"] - wanted[str(row["objID"])])
        demand(away < 1e-8, "other positions kept")


def _of(part: str, spoil: Spoiler, **more) -> Case:
    return Asked((part,), spoil, product=part != "vizier", **more)


def fixed() -> dict[str, Asked]:
    """Every kind of trouble, at every question where it can be."""
    made = {}
    for name, spoil in TRANSPORT.items():
        for part in ("i2d", "cat", "query", "products", "config", "vizier"):
            # a text without a length can be cut and still be one
            whole = not (part in ("config", "vizier") and name in ("longer", "shorter"))
            made[f"{part}: {name}"] = _of(part, spoil, whole=whole)
    for name, spoil in RESUMED.items():
        for part in ("i2d", "segm"):
            made[f"{part}: {name}"] = _of(part, spoil, versions=(bytes, _other))
    for name, spoil in MAST_WHOLE.items():
        for part in ("query", "products", "config"):
            made[f"{part}: {name}"] = _of(part, spoil)
    for name, (spoil, rows) in VIZIER.items():
        made[f"vizier: {name}"] = _of("vizier", spoil, rows=rows)
    made["nothing wrong, products"] = Asked((), bytes)
    made["nothing wrong, catalogue"] = Asked((), bytes, product=False)
    return made


def choose(count: int, seed: int) -> list[Case]:
    """Of the fixed ones in an order of the seed two of three; the others are random."""
    named = fixed()
    order = np.random.default_rng([seed, 1]).permutation(list(named))
    chosen: list[Case] = []
    for number in range(count):
        rng = np.random.default_rng([seed, 2, number])
        taken = number - number // 3
        if number % 3 != 2 and taken < len(order):
            name = str(order[taken])
            asked = named[name]
        elif rng.random() < 0.6:
            kind = str(rng.choice(["query", "products", "products"]))
            what, spoil = _mast(rng, kind)
            name, asked = f"{kind}: {what}", _of(kind, spoil)
        else:
            kind = str(rng.choice(["i2d", "segm", "cat", "query", "products", "config", "vizier"]))
            draw, bits = int(rng.integers(2**31)), int(rng.choice([1, 5, 50]))
            name = f"{kind}: {bits} bits changed ({draw})"
            asked = _of(kind, partial(flipped, draw, bits), whole=False)
        chosen.append(Case(name, partial(_try, asked)))
    return chosen


def main() -> int:
    options = harness.arguments("replies", __doc__.split("\n")[0], count=60, limit=30)
    cases = choose(options.count, options.seed)
    if not options.list:
        for name in ("products", "catalogue"):
            harness.import_what_is_needed(
                Case(name, partial(_try, Asked((), bytes, product=name == "products")))
            )
    return harness.run(cases, options)


if __name__ == "__main__":
    sys.exit(main())
