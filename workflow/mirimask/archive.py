"""The archives: level-3 products from MAST, catalogues from VizieR and IRSA, through a network.

Nothing else uses one. All are asked through astroquery. The bytes of a product are streamed here,
over astroquery's session: its own download has no time limit, no retry and no check of what
arrived.

What was fetched is kept in a folder of downloads, one folder in it per server, each file with a
record beside it (`<name>.json`: address, bytes, SHA-256, when). A file whose size and checksum
agree with its record is used again without a question to the network.
"""

import json
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from mirimask.atomic import replacing, write_text
from mirimask.errors import MaskError
from mirimask.product import check_header, check_product, sha256

__all__ = [
    "KINDS",
    "Archive",
    "FetchError",
    "Fetched",
    "Product",
    "cached_catalogue",
    "cached_product",
    "check_reachable",
    "copy_out",
    "explain",
    "fetch_catalogue",
    "fetch_image",
    "fetch_product",
    "find_images",
    "find_product",
    "is_cached",
    "keep",
]

KINDS = {"i2d": "i2d.fits", "segm": "segm.fits", "cat": "cat.ecsv"}
OFFLINE = "snakemake --cores 8 --configfile config/simulated.yaml (or: make study)"

_MAGIC = {"i2d": b"SIMPLE  =", "segm": b"SIMPLE  =", "cat": b"# %ECSV"}
_BLOCK = 1 << 17  # bytes; what a broken connection can lose
_RETRY_STATUS = (429, 500, 502, 503, 504)

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Archive:
    """Where the archives are and where downloads are kept.

    `mast_server` and `irsa_server` with their scheme, `vizier_server` without (https always).
    `timeout_s` limits the
    wait for a connection and for each piece of a reply; a request that fails is tried `tries`
    times with `pause_s`, then twice that, and so on, between.
    """

    mast_server: str = "https://mast.stsci.edu"
    vizier_server: str = "vizier.cds.unistra.fr"
    downloads: str | Path = "results/downloads"
    timeout_s: float = 60.0
    tries: int = 3
    pause_s: float = 2.0
    irsa_server: str = "https://irsa.ipac.caltech.edu"

    def server_of(self, service: str) -> str:
        """The server that has a service's catalogues: `vizier` or `irsa`."""
        return {"vizier": self.vizier_server, "irsa": self.irsa_server}[service]

    def folder(self, server: str) -> Path:
        """Folder of a server's downloads: what a stand-in served is never taken for the real."""
        host = urlsplit(server).netloc or server
        return Path(self.downloads) / re.sub(r"[^A-Za-z0-9.-]", "_", host)


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


class FetchError(MaskError):
    """A file that an archive does not give: its `reason`, and whether `again` may go better."""

    def __init__(self, message: str, *, reason: str, again: bool) -> None:
        super().__init__(message)
        self.reason, self.again = reason, again


### is there an archive? ###########################################################################


def check_reachable(
    mast_server: str,
    vizier_server: str = "",
    *,
    irsa_server: str = "",
    timeout_s: float = 15.0,
    offline: str = OFFLINE,
) -> None:
    """Ask the servers for any answer; MaskError within `timeout_s` seconds where one gives none.

    The message names each host with the cause (name not found, refused, time-out, HTTP status)
    and the command that works `offline`. A server that is "" is not asked.
    """
    vizier = vizier_server and f"https://{vizier_server}"
    servers = {"MAST": mast_server, "VizieR": vizier, "IRSA": irsa_server}
    servers = {name: server for name, server in servers.items() if server}
    causes: dict[str, str | None] = {}

    def ask(name: str, address: str) -> None:
        causes[name] = _unreachable(address, timeout_s)

    # Threads with a common deadline: the look-up of a name cannot be given a time limit.
    threads = [threading.Thread(target=ask, args=item, daemon=True) for item in servers.items()]
    deadline = time.monotonic() + timeout_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    failed = {
        name: causes.get(name, f"no answer within {timeout_s:g} s (time-out)")
        for name in servers
        if causes.get(name, "") is not None
    }
    if failed:
        lines = [f"  {name} at {servers[name]}: {cause}" for name, cause in failed.items()]
        keys = [f"archive.{name.lower()}_server" for name in servers]
        raise MaskError(
            "the archive cannot be reached, and not everything this study needs was fetched "
            "before:\n" + "\n".join(lines) + f"\nCheck the network, or {' and '.join(keys)} "
            f"in the configuration.\nWithout an archive:  {offline}"
        )


def _unreachable(address: str, timeout_s: float) -> str | None:
    """Why a server gives no sensible answer; None where it does. A 503 is asked once more."""
    import requests

    cause = None
    for pause in (0.0, min(1.0, timeout_s / 10)):
        time.sleep(pause)
        try:
            with requests.get(
                address, timeout=timeout_s / 2.5, stream=True, allow_redirects=False
            ) as reply:
                if reply.status_code < 500 and reply.status_code != 407:
                    return None
                cause = f"HTTP status {reply.status_code} {reply.reason}"
        except OSError as error:  # requests' own kinds, and certificates that are not there
            return explain(error)
    return cause


def explain(error: BaseException) -> str:
    """What went wrong with a request, in a few words for a person."""
    import requests
    from urllib3 import exceptions as http

    chain: list[BaseException] = [error]
    for part in chain:  # grows while it is walked: requests and urllib3 wrap one another
        inner = [part.__cause__, part.__context__, getattr(part, "reason", None), *part.args]
        chain += [e for e in inner if isinstance(e, BaseException) and e not in chain]

    def of(*kinds: type) -> bool:
        return any(isinstance(part, kinds) for part in chain)

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code} {error.response.reason}"
    if of(http.NameResolutionError, socket.gaierror):
        return "its name is not found (DNS); is there a network?"
    if of(requests.exceptions.ProxyError, http.ProxyError):
        return f"the proxy refuses ({_short(chain[-1])})"
    if of(requests.exceptions.SSLError, http.SSLError):
        return f"no trusted certificate ({_short(chain[-1])})"
    if of(ConnectionRefusedError):
        return "connection refused"
    if of(requests.Timeout, http.TimeoutError, TimeoutError):
        return "no answer in time (time-out)"
    if of(http.ResponseError) and "too many" in str(error):
        return f"HTTP errors again and again ({_short(chain[-1])})"
    if of(http.IncompleteRead, http.ProtocolError, ConnectionError):
        return f"the connection broke ({_short(chain[-1])})"
    if of(json.JSONDecodeError):
        return "its answer is not JSON, probably an error page"
    return f"{type(error).__name__}: {_short(error)}"


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__


def _patient(session: Any, archive: Archive) -> None:
    """Give every request of a session a time limit and a few tries (astroquery sets neither)."""
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    class Patient(HTTPAdapter):
        def send(self, request: Any, *args: Any, **options: Any) -> Any:
            if options.get("timeout") is None:
                options["timeout"] = archive.timeout_s
            return super().send(request, *args, **options)

    retry = Retry(
        total=archive.tries - 1,
        read=min(1, archive.tries - 1),  # each costs timeout_s
        backoff_factor=archive.pause_s,
        status_forcelist=_RETRY_STATUS,
        allowed_methods=None,  # the POSTs here are questions: asking twice does no harm
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, Patient(max_retries=retry))


### MAST ###########################################################################################


def _mast(archive: Archive) -> Any:
    """astroquery's MAST client, for this archive's server."""
    from astroquery.mast import ObservationsClass

    client = ObservationsClass()
    client.disable_cloud_dataset()
    portal, server = client._portal_api_connection, archive.mast_server.rstrip("/")
    portal.MAST_REQUEST_URL = f"{server}/api/v0/invoke"
    portal.COLUMNS_CONFIG_URL = f"{server}/portal/Mashup/Mashup.asmx/columnsconfig"
    portal.MAST_DOWNLOAD_URL = f"{server}/api/v0.1/Download/file"
    portal.TIMEOUT = 10 * archive.timeout_s  # of a query that is "EXECUTING", with all its polls
    portal._column_configs = {}  # a class attribute: another server's would be taken for ours
    for session in {id(s): s for s in (client._session, portal._session)}.values():
        _patient(session, archive)
    return client


def _pattern(program: int, observation: int, filter_name: str) -> re.Pattern[str]:
    """What the level-3 product of a target of an observation is called.

    Not `-c1001` (several observations together), not level 2 (`jw01386014001_...`).
    """
    return re.compile(
        rf"jw{program:05d}-o{observation:03d}_\w+_miri_{re.escape(filter_name.lower())}(-\w+)?"
    )


def find_product(
    archive: Archive, *, program: int, observation: int, filter_name: str, client: Any = None
) -> list[Product]:
    """Find the image, segmentation and catalogue of a MIRI imaging observation by query.

    The names of level-3 products hold a target number that only the archive knows. MaskError
    where none or several match, with what there is, or where the archive does not answer.
    """
    import warnings

    client = client or _mast(archive)
    name = f"jw{program:05d}-o{observation:03d}"
    asked = {
        "obs_collection": "JWST",
        "proposal_id": str(program),
        "instrument_name": "MIRI/IMAGE",
        "calib_level": 3,
    }
    question = f"the query for {name} {filter_name}"
    with _spoken(archive.mast_server, question), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of no results: said below, with what there is
        found = client.query_criteria(**asked, filters=filter_name, obs_id=f"{name}*")
        pattern = _pattern(program, observation, filter_name)
        # The query's own filters are not trusted: a wildcard may match more than was meant.
        rows = {
            str(row["obs_id"]): str(row["obsid"])
            for row in found
            if pattern.fullmatch(str(row["obs_id"])) and str(row["calib_level"]) == "3"
        }
        if len(rows) != 1:
            if not rows:
                found = client.query_criteria(**asked)
            names = sorted(rows or {str(row["obs_id"]) for row in found})
            raise MaskError(
                f"MAST has {'no' if not rows else 'several'} level-3 MIRI image"
                f"{'' if not rows else 's'} named {name}_*_miri_{filter_name.lower()}. "
                f"Found {'of programme ' + str(program) if not rows else 'instead of one'}: "
                f"{', '.join(names) or 'nothing'}. Correct program, observation and filter in the "
                "table of images, or download the files and name them there as local files."
            )
        ((obs_id, obsid),) = rows.items()
        products = client.get_product_list([obsid])
        if len(products):
            products = client.filter_products(
                products, productSubGroupDescription=[kind.upper() for kind in KINDS]
            )
    wanted = {}
    for row in products:
        for kind, suffix in KINDS.items():
            if str(row["productFilename"]) == f"{obs_id}_{suffix}":
                size = int(row["size"]) if row["size"] is not None else 0
                wanted[kind] = Product(
                    kind, f"{obs_id}_{suffix}", str(row["dataURI"]), size if size > 0 else None
                )
    missing = [f"{obs_id}_{KINDS[kind]}" for kind in KINDS if kind not in wanted]
    if missing:
        listed = sorted({str(row["productFilename"]) for row in products})
        raise MaskError(
            f"MAST lists no {', '.join(missing)} among the products of {obs_id}. "
            f"Found: {', '.join(listed) or 'nothing'}."
        )
    return [wanted[kind] for kind in KINDS]


def find_images(
    archive: Archive,
    *,
    filter_name: str,
    limit: int,
    program: str = "",
    region: tuple[float, float, float] | None = None,
) -> list[dict[str, str]]:
    """Every public level-3 MIRI image of a filter, of a programme or in a region of the sky.

    `region` is right ascension, declination and radius in degrees (ICRS); with `program` too, both
    must hold. First a count, then one query: MaskError where the count is 0 or above `limit`, or
    where the archive does not answer. A row for each image, by name: image, program, observation,
    filter, target, ra, dec (deg), exposure_s, released (MJD), uri; all texts, '' where MAST has
    nothing. Products of several observations (`-c1001`) are left out: those of each are there.
    """
    import warnings

    asked: dict[str, Any] = {
        "obs_collection": "JWST",
        "instrument_name": "MIRI/IMAGE",
        "calib_level": 3,
        "filters": filter_name,
        "dataRights": "PUBLIC",
        "obs_id": "jw*-o*",
    }
    places = []
    if program:
        asked["proposal_id"] = str(int(program))
        places.append(f"of programme {int(program)}")
    if region is not None:
        from astropy.coordinates import SkyCoord

        ra, dec, radius = region
        asked |= {"coordinates": SkyCoord(ra, dec, unit="deg"), "radius": radius}
        places.append(f"within {radius:g} deg of {ra:g} {dec:+g}")
    if not places:
        raise MaskError("survey: neither programme nor region; set survey.program or .region.")
    what = f"public level-3 {filter_name} images {' and '.join(places)}"
    client = _mast(archive)
    with _spoken(archive.mast_server, f"the query for {what}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        count = int(client.query_criteria_count(**asked))
        if count == 0:
            raise MaskError(f"MAST has no {what}. Correct survey in the configuration.")
        if count > limit:
            raise MaskError(
                f"MAST has {count} {what}, survey.limit is {limit}. Set survey.limit to {count} or "
                "more (an image is 30 MB, a mosaic more), or ask for less."
            )
        found = client.query_criteria(**asked)
        if len(found) < count:
            raise MaskError(
                f"{archive.mast_server}: counted {count} {what}, and then sent {len(found)}. "
                "Try again later."
            )
        name = re.compile(
            rf"jw(\d{{5}})-o(\d{{3}})_\w+_miri_{re.escape(filter_name.lower())}(-\w+)?"
        )
        rows: dict[str, dict[str, str]] = {}
        for row in found:
            # the query's own filters are not trusted
            match = name.fullmatch(str(row["obs_id"]))
            if not match or str(row["calib_level"]) != "3" or str(row["dataRights"]) != "PUBLIC":
                continue
            image, address = match[0], str(row["dataURL"])
            rows[image] = {
                "image": image,
                "program": str(int(match[1])),
                "observation": str(int(match[2])),
                "filter": filter_name,
                "target": _cell(row["target_name"]),
                "ra": _cell(row["s_ra"]),
                "dec": _cell(row["s_dec"]),
                "exposure_s": _cell(row["t_exptime"]),
                "released": _cell(row["t_obs_release"]),
                "uri": address
                if address.endswith(f"/{image}_i2d.fits")
                else f"mast:JWST/product/{image}_i2d.fits",
            }
    return [rows[image] for image in sorted(rows)]


def _cell(value: Any) -> str:
    """A cell of a reply as a text without tabs; '' for a masked one and NaN."""
    text = " ".join(str(value).split())
    return "" if text in ("--", "nan", "None") else text


def fetch_image(archive: Archive, uri: str, *, progress: Progress | None = None) -> Fetched:
    """Fetch the image (i2d) at an address of MAST alone, or take the one fetched before.

    Verified as a file and as an image (see `check_product`). FetchError where MAST does not give
    it, or gives what is of no use; nothing of it is kept then.
    """
    name = uri.rpartition("/")[2]
    path = archive.folder(archive.mast_server) / name
    known = _recorded(path, verify=True)
    if known is not None and known.uri == uri:
        return known
    return _fetch_file(archive, Product("i2d", name, uri, None), _mast(archive), "", "", progress)


class _spoken:
    """Turn what astroquery and requests raise into a MaskError that names server and question."""

    def __init__(self, server: str, question: str) -> None:
        self.server, self.question = server, question

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        from xml.parsers.expat import ExpatError

        import requests
        from astroquery.exceptions import InvalidQueryError, RemoteServiceError, TimeoutError

        unreadable = KeyError | TypeError | AttributeError | ValueError | IndexError | SyntaxError
        if error is None or isinstance(error, MaskError):
            return
        if isinstance(error, requests.RequestException | OSError):
            cause = explain(error)
        elif isinstance(error, RemoteServiceError | TimeoutError | InvalidQueryError):
            cause = _short(error) or type(error).__name__
        elif isinstance(error, unreadable | ExpatError):
            cause = f"its answer is not understood ({type(error).__name__}: {_short(error)})"
        else:
            return
        raise MaskError(f"{self.server}: {self.question} failed: {cause}. Try again later.") from (
            None if isinstance(error, requests.RequestException | OSError) else error
        )


def fetch_product(
    archive: Archive,
    *,
    program: int,
    observation: int,
    filter_name: str,
    observation_id: str = "",
    progress: Progress | None = None,
) -> dict[str, Fetched]:
    """Fetch image, segmentation and catalogue of an observation, or take those fetched before.

    Gives i2d, segm and cat, each verified: size as MAST says, contents as the kind asks, OBS_ID
    (where given) and FILTER of the headers. `progress(name, bytes, of_bytes)` is called as bytes
    arrive. MaskError where the archive does not give them; nothing that failed is kept.
    """
    found = cached_product(
        archive, program=program, observation=observation, filter_name=filter_name, verify=True
    )
    if found is None:
        client = _mast(archive)
        found = {}
        for product in find_product(
            archive,
            program=program,
            observation=observation,
            filter_name=filter_name,
            client=client,
        ):
            found[product.kind] = _fetch_file(
                archive, product, client, observation_id, filter_name, progress
            )
    for kind, fetched in found.items():  # the cache knows nothing of the table of images
        header = None if kind == "cat" else check_product(fetched.path, kind)
        if header is not None:
            check_header(
                header,
                observation_id=observation_id,
                filter_name=filter_name,
                what=fetched.path.name,
            )
    return found


def cached_product(
    archive: Archive, *, program: int, observation: int, filter_name: str, verify: bool = False
) -> dict[str, Fetched] | None:
    """What an earlier run fetched of an observation; None where it is not complete.

    `verify` compares checksums too, not only sizes.
    """
    folder, pattern = (
        archive.folder(archive.mast_server),
        _pattern(program, observation, filter_name),
    )
    stems = {
        path.name.removesuffix("_i2d.fits.json")
        for path in folder.glob(f"jw{program:05d}-o{observation:03d}_*_i2d.fits.json")
    }
    stems = {stem for stem in stems if pattern.fullmatch(stem)}
    if len(stems) != 1:  # none, or several: the archive must say which
        return None
    (stem,) = stems
    found = {k: _recorded(folder / f"{stem}_{name}", verify=verify) for k, name in KINDS.items()}
    if any(fetched is None for fetched in found.values()):
        return None
    return {kind: fetched for kind, fetched in found.items() if fetched is not None}


def _recorded(path: Path, *, verify: bool) -> Fetched | None:
    """A file of the downloads with its record; None where they do not agree."""
    try:
        record = json.loads(_record(path).read_text(encoding="utf-8"))
        fetched = Fetched(
            path, record["uri"], record["bytes"], record["sha256"], record["retrieved"]
        )
        if path.stat().st_size != fetched.bytes:
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return fetched if not verify or sha256(path) == fetched.sha256 else None


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def keep(partial: Path, path: Path, uri: str) -> Fetched:
    """Make a complete `partial` file the download `path`, with its record beside it."""
    fetched = Fetched(
        path,
        uri,
        partial.stat().st_size,
        sha256(partial),
        datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )
    # The record last: a file without its own record is not taken for complete.
    _record(path).unlink(missing_ok=True)
    os.replace(partial, path)
    record = {k: v for k, v in vars(fetched).items() if k != "path"}
    write_text(_record(path), json.dumps(record, indent=2) + "\n")
    return fetched


class _Wrong(Exception):
    """A reply that is not the file; `fatal` where asking again will not help.

    `useless`: it is all there, and not what it should be.
    """

    def __init__(
        self, cause: str, *, fatal: bool = False, resume: bool = False, useless: bool = False
    ) -> None:
        super().__init__(cause)
        self.fatal, self.resume, self.useless = fatal, resume, useless


def _fetch_file(
    archive: Archive,
    product: Product,
    client: Any,
    observation_id: str,
    filter_name: str,
    progress: Progress | None,
) -> Fetched:
    """Fetch one file of a product; MaskError after the last try."""
    path = archive.folder(archive.mast_server) / product.name
    known = _recorded(path, verify=True)
    if known is not None and known.uri == product.uri and product.size in (None, known.bytes):
        return known
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    address = (
        client._portal_api_connection.MAST_DOWNLOAD_URL + "?uri=" + quote(product.uri, safe=":/")
    )
    cause, again = "", True
    try:
        for attempt in range(archive.tries):
            if attempt:
                time.sleep(archive.pause_s * 2 ** (attempt - 1))
            try:
                _stream(client._session, address, partial, product, archive, progress)
                try:
                    header = check_product(partial, product.kind)
                except MaskError as error:
                    text = str(error).replace(str(partial), product.name)
                    raise _Wrong(f"what arrived is of no use: {text}", useless=True) from None
                if header is not None:
                    check_header(
                        header,
                        observation_id=observation_id,
                        filter_name=filter_name,
                        what=product.name,
                    )
                return keep(partial, path, product.uri)
            except _Wrong as error:
                cause, again = str(error), not (error.fatal or error.useless)
                if not error.resume:
                    partial.unlink(missing_ok=True)
                if error.fatal:
                    break
            except OSError as error:  # of this machine: requests' own are a _Wrong by now
                raise MaskError(
                    f"{path}: cannot be written ({error}). Make room, or set archive.downloads."
                ) from None
    finally:
        partial.unlink(missing_ok=True)
    raise FetchError(
        f"{archive.mast_server}: {product.name} was not fetched: {cause.rstrip('.')}. "
        "Nothing of it was kept; run again later, or download it by hand and name it as a local "
        "file in the table of images.",
        reason=cause.rstrip("."),
        again=again,
    )


def _sweep(path: Path) -> None:
    """Remove what killed runs left of a download; a day old, no run can still be writing it."""
    for old in path.parent.glob(f"{path.name}.*.part"):
        if time.time() - old.stat().st_mtime > 86400:
            old.unlink(missing_ok=True)


def _stream(
    session: Any,
    address: str,
    partial: Path,
    product: Product,
    archive: Archive,
    progress: Progress | None,
) -> None:
    """Write a reply's body to `partial`, from where an attempt of this run left off; else _Wrong.

    Only within a run: a file that the archive reprocessed between two runs may have the same size.
    """
    import requests

    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # lengths are those of the file
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with session.get(address, headers=headers, stream=True, timeout=archive.timeout_s) as reply:
            if reply.status_code == 416 and have:
                raise _Wrong("the rest of the file was refused (HTTP status 416)")
            if reply.status_code in (401, 403):
                raise _Wrong(
                    f"HTTP status {reply.status_code} {reply.reason}, as for data that are not "
                    "public yet; download them with your account",
                    fatal=True,
                )
            if reply.status_code >= 400:
                again = reply.status_code in _RETRY_STATUS
                raise _Wrong(f"HTTP status {reply.status_code} {reply.reason}", fatal=not again)
            if have and not (
                reply.status_code == 206
                and reply.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            ):
                have = 0  # the server sends all of it again
            length = reply.headers.get("Content-Length")
            total = product.size or (have + int(length) if length else None)
            with open(partial, "ab" if have else "wb") as file:
                for block in reply.iter_content(_BLOCK):
                    if have == 0 and not block.startswith(_MAGIC[product.kind]):
                        raise _Wrong(_not_the_file(block, product, reply))
                    file.write(block)
                    have += len(block)
                    if progress:
                        progress(product.name, have, total)
    except requests.RequestException as error:
        raise _Wrong(
            f"{explain(error)} after {have} bytes"
            + (f" of {product.size}" if product.size else ""),
            resume=have > 0,
        ) from None
    if have == 0:
        raise _Wrong("the reply is empty")
    if total is not None and have < total:
        raise _Wrong(f"only {have} of {total} bytes arrived", resume=True)
    if product.size is not None and have != product.size:
        raise _Wrong(f"{have} bytes arrived, MAST announces {product.size}")


def _not_the_file(block: bytes, product: Product, reply: Any) -> str:
    """What arrived instead of a file: an error page of a server that says 200, or garbage."""
    what = "an ECSV table" if product.kind == "cat" else "FITS"
    if block.lstrip()[:1] == b"<" or "html" in reply.headers.get("Content-Type", ""):
        text = re.sub(rb"\s+", b" ", re.sub(rb"<[^>]*>", b" ", block[:2000]))
        said = text.decode("utf-8", "replace").strip()[:120]
        return f"the server sent a web page instead of {what}, it says: {said}"
    return f"what arrived is not {what}, it begins with {block[:16]!r}"


### catalogues #####################################################################################


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
    return _recorded(_catalogue_file(archive, service, catalogue, ra, dec, box_deg), verify=verify)


def is_cached(
    archive: Archive,
    *,
    program: int,
    observation: int,
    filter_name: str,
    catalogue: str,
    box_deg: float,
    service: str = "vizier",
) -> bool:
    """Whether an observation's product and the sources around it were fetched before.

    A quick look, without the checksums: where it says so, a study needs no network.
    """
    from astropy.io import fits

    product = cached_product(
        archive, program=program, observation=observation, filter_name=filter_name
    )
    if product is None:
        return False
    header = fits.getheader(product["i2d"].path, "SCI")
    ra, dec = header["CRVAL1"], header["CRVAL2"]
    sources = cached_catalogue(
        archive, catalogue=catalogue, service=service, ra=ra, dec=dec, box_deg=box_deg
    )
    return sources is not None


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
    (identifier, right ascension, declination) must be there; where the archive knows no row and
    sends no table, they are the columns of the empty one. MaskError where it does not answer, or
    answers with an error.
    """
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
        return known
    columns = list(columns)
    server = archive.server_of(service)
    if service == "vizier":
        table = _query_vizier(archive, catalogue, ra, dec, box_deg, columns)
        uri = f"https://{server}/viz-bin/votable?-source={catalogue}"
        uri += f"&-c={ra:.8f}{dec:+.8f}&-c.bd={box_deg:g}x{box_deg:g}"
    else:
        table = _query_irsa(archive, catalogue, ra, dec, box_deg, columns)
        uri = f"{server}/TAP/sync?{catalogue}&{ra:.8f}{dec:+.8f}&{box_deg:g}x{box_deg:g}"
    if table is None:
        table = _empty_table(columns)
    missing = [name for name in columns if name not in table.colnames]
    if missing:
        raise MaskError(
            f"catalogue {catalogue}: has no column {', '.join(missing)}; it has "
            f"{', '.join(table.colnames)}. Set catalogue.id, catalogue.ra and catalogue.dec."
        )
    for name in table.colnames:
        if table[name].dtype.kind in "OS":
            table[name] = table[name].astype(str)
        table[name].info.meta = None
    if columns and len(table):
        table.sort(columns[0])  # archives promise no order
    table.meta = {
        "catalogue": catalogue,
        "server": server,
        "centre_deg": [float(ra), float(dec)],
        "box_deg": float(box_deg),
    }
    path = _catalogue_file(archive, service, catalogue, ra, dec, box_deg)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        table.write(partial, format="ascii.ecsv", overwrite=True)
        return keep(partial, path, uri)
    finally:
        partial.unlink(missing_ok=True)


def _query_vizier(
    archive: Archive, catalogue: str, ra: float, dec: float, box_deg: float, columns: list[str]
) -> Any:  # Table | None
    """The reply of VizieR as a table with plain columns; None where it holds no table."""
    import warnings

    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from astropy.io import votable
    from astroquery.vizier import VizierClass

    client = VizierClass(
        columns=["all", *(name for name in columns if name.startswith("_"))],  # made by VizieR
        row_limit=-1,  # the default is 50
        timeout=archive.timeout_s,
        vizier_server=archive.vizier_server,
    )
    _patient(client._session, archive)
    question = f"the query of {catalogue} around {ra:.5f} {dec:+.5f}"
    with _spoken(f"https://{archive.vizier_server}", question):
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
                f"https://{archive.vizier_server}: {question} gave no VOTable; the answer begins "
                f"with {reply.content[:60]!r}. Try again later."
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # VizieR's VOTables are not quite to the standard
            document = votable.parse(BytesIO(reply.content), verify="ignore", invalid="mask")
    infos = [*document.infos, *(info for r in document.resources for info in r.infos)]
    errors = [
        _short(ValueError(info.content or info.value or ""))
        for info in infos
        if (info.name or "").lower() == "error"
        or ((info.name or "").upper() == "QUERY_STATUS" and info.value != "OK")
    ]
    if errors:
        raise MaskError(
            f"https://{archive.vizier_server}: {question} gave an error: {errors[0]}. "
            "Try again later, or check catalogue.vizier."
        )
    tables = [t for t in document.iter_tables() if t.fields]
    named = [t for t in tables if t.name == catalogue] or tables
    if len(named) > 1:
        raise MaskError(
            f"catalogue {catalogue}: VizieR has several tables of it: "
            f"{', '.join(str(t.name) for t in named)}. Name one of them in catalogue.vizier."
        )
    if not named:
        return None
    return named[0].to_table(use_names_over_ids=True)


def _query_irsa(
    archive: Archive, catalogue: str, ra: float, dec: float, box_deg: float, columns: list[str]
) -> Any:  # Table
    """The reply of IRSA's TAP service as a table with plain columns.

    A circle around the box is asked for, and cut here: what a box is near the poles is not the
    same to all services.
    """
    import warnings

    import astropy.units as u
    import numpy as np
    from astropy.coordinates import SkyCoord
    from astroquery.ipac.irsa import IrsaClass
    from pyvo.dal import DALAccessError, DALOverflowWarning
    from urllib3.exceptions import HTTPError

    client = IrsaClass()
    client.tap_url = f"{archive.irsa_server.rstrip('/')}/TAP"
    _patient(client._session, archive)
    question = f"the query of {catalogue} around {ra:.5f} {dec:+.5f}"
    centre = SkyCoord(ra, dec, unit="deg")
    with _spoken(archive.irsa_server, question), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # IRSA's VOTables are not quite to the standard
        warnings.simplefilter("error", DALOverflowWarning)
        try:
            table = client.query_region(
                centre, catalog=catalogue, spatial="Cone", radius=box_deg / np.sqrt(2) * u.deg
            )
        except DALOverflowWarning:
            raise MaskError(
                f"{archive.irsa_server}: {question} gave more rows than IRSA sends at once. Make "
                "catalogue.box_deg smaller."
            ) from None
        except DALAccessError as error:
            cause = getattr(error, "cause", None)  # DALFormatError has one for a broken connection
            said = explain(cause) if isinstance(cause, OSError | HTTPError) else _short(error)
            raise MaskError(
                f"{archive.irsa_server}: {question} failed: {said}. Try again later, or check "
                "catalogue.irsa."
            ) from None
        if len(table) and not {*columns[1:]} - {*table.colnames}:
            sky = SkyCoord(*(np.asarray(table[name], float) for name in columns[1:]), unit="deg")
            offsets = centre.spherical_offsets_to(sky)
            inside = [np.abs(offset.deg) <= box_deg / 2 for offset in offsets]
            table = table[inside[0] & inside[1]]
    return table


def _empty_table(columns: list[str]) -> Any:
    """A table without rows; the first column is text, the others are degrees."""
    import astropy.units as u
    from astropy.table import Column, Table

    return Table(
        [
            Column([], name=name, dtype="U1" if i == 0 else float, unit=None if i == 0 else u.deg)
            for i, name in enumerate(columns)
        ]
    )


def copy_out(fetched: Fetched, path: str | Path) -> None:
    """Copy a download to where the study wants it, whole or not at all."""
    with replacing(path) as temporary:
        shutil.copyfile(fetched.path, temporary)
