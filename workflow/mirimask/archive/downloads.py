"""Files that were fetched, each whole, of one version, and with a record; and how one is fetched.

They are kept in a folder of downloads, one folder in it per server, each file with a record beside
it (`<name>.json`: address, bytes, SHA-256, when). A file whose size and checksum agree with its
record is used again without a question to the network. What is on its way has a name of its own
(`<name>.<random>.part`), which no other run ever continues.
"""

import glob
import json
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urljoin

import requests
from astropy.io.fits import Header

from mirimask.archive.network import (
    NOT_PUBLIC,
    RETRY_STATUS,
    Archive,
    FetchError,
    Pace,
    TooSlow,
    explain,
    reply_to,
)
from mirimask.atomic import replacing, write_text
from mirimask.errors import MaskError
from mirimask.image.product import check_product, sha256

__all__ = [
    "KINDS",
    "Fetched",
    "Product",
    "Progress",
    "copy_out",
    "fetch_file",
    "forget",
    "is_unlisted",
    "keep",
    "part_of",
    "record_unlisted",
    "recorded",
    "shown",
]

KINDS = {"i2d": "i2d.fits", "segm": "segm.fits", "cat": "cat.ecsv"}
# Bytes of a file whose length neither MAST nor the reply says: ten times that of one pointing.
LARGEST_UNKNOWN = 3 * 10**8

_MAGIC = {"i2d": b"SIMPLE  =", "segm": b"SIMPLE  =", "cat": b"# %ECSV"}
_HEAD = 512  # bytes that tell what a reply is
_EVERY_S = 3.0
_REDIRECTS = 10
_STALLS = 2  # tries that may end for being too slow: each takes timeout_s

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Product:
    """A file that MAST has: its kind (i2d, segm, cat), name, address and bytes (None: unknown)."""

    kind: str
    name: str
    uri: str
    size: int | None


@dataclass(frozen=True)
class Fetched:
    """A verified file in the folder of downloads, and its record."""

    path: Path
    uri: str
    bytes: int
    sha256: str
    retrieved: str


### what is kept ###################################################################################


def recorded(path: Path, *, verify: bool) -> Fetched | None:
    """A file of the downloads with its record; None where they do not agree.

    `verify` compares checksums too, not only sizes.
    """
    try:
        record = json.loads(_record(path).read_text(encoding="utf-8"))
        fetched = Fetched(
            path, record["uri"], record["bytes"], record["sha256"], record["retrieved"]
        )
        if path.stat().st_size != fetched.bytes or (verify and sha256(path) != fetched.sha256):
            return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return fetched


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def keep(part: Path, path: Path, uri: str) -> Fetched:
    """Make a complete file the download `path`, with its record beside it."""
    fetched = Fetched(path, uri, part.stat().st_size, sha256(part), _now())
    # The record last: a file without its own record is not taken for complete.
    _record(path).unlink(missing_ok=True)
    os.replace(part, path)
    record = {k: v for k, v in vars(fetched).items() if k != "path"}
    write_text(_record(path), json.dumps(record, indent=2) + "\n")
    return fetched


def forget(fetched: Fetched) -> None:
    """Take a download's record away, so that it is fetched anew."""
    _record(fetched.path).unlink(missing_ok=True)


def record_unlisted(path: Path) -> None:
    """Record that an archive has no such file: a record without a file."""
    path.unlink(missing_ok=True)
    record = {"unlisted": True, "retrieved": _now()}
    write_text(_record(path), json.dumps(record, indent=2) + "\n")


def is_unlisted(path: Path) -> bool:
    """Whether an archive was asked for a file, and has none."""
    try:
        return json.loads(_record(path).read_text(encoding="utf-8"))["unlisted"] is True
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """A path beside `path` for what is on its way: this call's alone, and gone at the end.

    MaskError where the disk does not take it.
    """
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        yield part
    except requests.RequestException:
        raise  # an OSError, but not of this machine
    except OSError as error:
        raise MaskError(
            f"{path}: cannot be written ({error}). Make room, or set archive.downloads."
        ) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what killed runs left of a download; a day old, no run can still be writing it."""
    for old in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        with suppress(FileNotFoundError):  # of a run that ends just now
            if time.time() - old.stat().st_mtime > 86400:
                old.unlink()


def copy_out(fetched: Fetched, path: str | Path) -> None:
    """Copy a download to where the study wants it, whole or not at all."""
    with replacing(path) as temporary:
        shutil.copyfile(fetched.path, temporary)


def shown(image: str) -> Progress:
    """A function that says on the terminal how far a download is, every few seconds."""
    last: dict[str, float] = {}

    def progress(name: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if done == total or now - last.setdefault(name, now) >= _EVERY_S:
            last[name] = now
            share = f" of {total / 1e3:,.0f} kB, {done / total:.0%}" if total else " kB"
            print(f"{image}: {name} {done / 1e3:,.0f}{share}", file=sys.stderr, flush=True)

    return progress


### a download #####################################################################################


class _Wrong(Exception):
    """A reply that is not the file; `fatal` where asking again in this run will not help.

    `useless`: it is all there, and not what it should be: another time would give the same.
    `resume`: what is there is good so far.
    """

    def __init__(
        self,
        cause: str,
        *,
        fatal: bool = False,
        resume: bool = False,
        useless: bool = False,
        stalled: bool = False,
    ) -> None:
        super().__init__(cause)
        self.fatal, self.resume, self.useless, self.stalled = fatal, resume, useless, stalled


@dataclass
class _Part:
    """What has arrived of a file, and what says that the rest is of the same version.

    `validator`: ETag or Last-Modified of the reply that it is from, "" where there is none that
    can be relied on. `whole`: bytes of the file, where that reply says so.
    """

    path: Path
    have: int = 0
    validator: str = ""
    whole: int | None = None


def fetch_file(
    archive: Archive,
    product: Product,
    *,
    address: str,
    session: requests.Session,
    server: str,
    check: Callable[[Header | None], None],
    progress: Progress | None = None,
) -> Fetched:
    """Fetch one file from `address` of a `server`, or take the one that was fetched before.

    `check` is given the primary header (None of a table) and raises MaskError where it is not what
    was asked for, which ends it. FetchError after the last try, or at once where another would give
    the same; nothing of the file is kept then.
    """
    path = archive.folder(server) / product.name
    known = recorded(path, verify=True)
    if known is not None and known.uri == product.uri and product.size in (None, known.bytes):
        check(check_product(path, product.kind))
        return known
    cause, again, stalls = "", True, 0
    with part_of(path) as partial:
        part = _Part(partial)
        for attempt in range(archive.tries):
            if attempt:
                time.sleep(archive.pause(attempt))
            try:
                _stream(session, address, part, product, archive, progress)
                try:
                    header = check_product(partial, product.kind)
                except MaskError as error:
                    text = str(error).replace(str(partial), product.name)
                    raise _Wrong(
                        f"what arrived is of no use: {text}",
                        useless=part.have in (product.size, part.whole),  # not cut short
                    ) from None
                check(header)
                return keep(partial, path, product.uri)
            except _Wrong as error:
                cause, again = str(error).rstrip("."), not error.useless
                stalls += error.stalled
                if not (error.resume and part.validator):
                    part = _Part(partial)
                if error.fatal or error.useless or stalls == _STALLS:
                    break
    raise FetchError(
        f"{server}: {product.name} was not fetched: {cause}. "
        "Nothing of it was kept; run again later, or download it by hand and name it as a local "
        "file in the table of images.",
        reason=cause,
        again=again,
    )


def _stream(
    session: requests.Session,
    address: str,
    part: _Part,
    product: Product,
    archive: Archive,
    progress: Progress | None,
) -> None:
    """Write a reply's body to a part, from where an attempt of this run left off; else _Wrong.

    It goes on only where the server says that it is the same version (RFC 9110, 13.1.5 and 14):
    a file that was reprocessed meanwhile may have the same size.
    """
    headers = {"Accept-Encoding": "identity"}  # lengths are those of the file
    if part.have:
        headers |= {"Range": f"bytes={part.have}-", "If-Range": part.validator}

    def ask() -> requests.Response:
        target = address
        for _ in range(_REDIRECTS):
            # not by requests, which reads what comes with a redirect to its end
            reply = session.get(
                target,
                headers=headers,
                stream=True,
                timeout=archive.timeout_s,
                allow_redirects=False,
            )
            location = session.get_redirect_target(reply)
            if location is None:
                return reply
            reply.close()
            target = urljoin(target, location)
        raise requests.TooManyRedirects("it leads from address to address")

    try:
        with reply_to(ask, Pace(archive.timeout_s)) as (reply, pieces):
            _check_status(reply, part)
            if reply.status_code != 206:
                length = reply.headers.get("Content-Length", "")
                unpacked = "Content-Encoding" in reply.headers
                part.have, part.whole = 0, None
                part.validator = "" if unpacked else _validator(reply)
                if length.isdecimal() and not unpacked:
                    part.whole = int(length)
            total = product.size or part.whole
            _check_room(part, total)
            with open(part.path, "ab" if part.have else "wb") as file:
                for block in _with_head(pieces):
                    if part.have == 0 and not block.startswith(_MAGIC[product.kind]):
                        raise _Wrong(_not_the_file(block, product, reply))
                    if part.have + len(block) > (total or LARGEST_UNKNOWN):
                        raise _Wrong(_too_long(product, total))
                    file.write(block)
                    part.have += len(block)
                    if progress:
                        progress(product.name, part.have, total)
    except requests.RequestException as error:
        raise _Wrong(
            f"{explain(error)} after {part.have} bytes"
            + (f" of {product.size}" if product.size else ""),
            resume=part.have > 0,
            stalled=isinstance(error, TooSlow | requests.Timeout) or "time-out" in explain(error),
        ) from None
    if part.have == 0:
        raise _Wrong("the reply is empty")
    if total is not None and part.have < total:
        raise _Wrong(f"only {part.have} of {total} bytes arrived", resume=True)


def _check_status(reply: requests.Response, part: _Part) -> None:
    """_Wrong where a reply is not a file, or a rest that is not of the same file."""
    status = f"HTTP status {reply.status_code} {reply.reason}"
    if reply.status_code == 416 and part.have:
        raise _Wrong("the rest of the file was refused (HTTP status 416)")
    if reply.status_code in (401, 403):
        raise _Wrong(f"{status}, {NOT_PUBLIC}", fatal=True)
    if reply.status_code >= 400:
        # what is there stays good
        again = reply.status_code in RETRY_STATUS
        raise _Wrong(status, fatal=not again, resume=part.have > 0)
    if reply.status_code == 206:
        start, _, whole = reply.headers.get("Content-Range", "").partition("/")
        same = (
            part.have > 0
            and start.startswith(f"bytes {part.have}-")
            and "Content-Encoding" not in reply.headers
            and part.validator in (reply.headers.get("ETag"), reply.headers.get("Last-Modified"))
            and (part.whole is None or whole in ("*", str(part.whole)))
        )
        if not same:
            raise _Wrong("a part came that is not the rest of what was there")


def _validator(reply: requests.Response) -> str:
    """What tells a version of a file from another (RFC 9110, 8.8): a strong ETag or a date.

    A date only where it was a minute old, or the file may have changed again within its second.
    """
    tag = reply.headers.get("ETag", "")
    if tag.startswith('"'):
        return tag
    changed = reply.headers.get("Last-Modified", "")
    try:
        age = parsedate_to_datetime(reply.headers["Date"]) - parsedate_to_datetime(changed)
        return changed if age.total_seconds() >= 60 else ""
    except (KeyError, ValueError, TypeError):
        return ""


def _check_room(part: _Part, total: int | None) -> None:
    """OSError where the disk has no room for the rest of a file."""
    free = shutil.disk_usage(part.path.parent).free
    if total is not None and total - part.have > free:
        raise OSError(f"it has {total / 1e6:.0f} MB, there is room for {free / 1e6:.0f} MB")


def _with_head(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a reply, the first of them long enough to tell what it is."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= _HEAD:
            break
    if head:
        yield head
    yield from pieces


def _too_long(product: Product, total: int | None) -> str:
    if product.size:
        return f"more than {product.size} bytes arrived, MAST announces {product.size}"
    if total:
        return f"more than {total} bytes arrived, the reply announces {total}"
    return f"more than {LARGEST_UNKNOWN / 1e6:.0f} MB arrived, and nothing says how long it is"


def _not_the_file(block: bytes, product: Product, reply: requests.Response) -> str:
    """What arrived instead of a file: an error page of a server that says 200, or garbage."""
    what = "an ECSV table" if product.kind == "cat" else "FITS"
    if block.lstrip()[:1] == b"<" or "html" in reply.headers.get("Content-Type", ""):
        text = re.sub(rb"\s+", b" ", re.sub(rb"<[^>]*>", b" ", block[:2000]))
        said = text.decode("utf-8", "replace").strip()[:120]
        return f"the server sent a web page instead of {what}, it says: {said}"
    return f"what arrived is not {what}, it begins with {block[:16]!r}"
