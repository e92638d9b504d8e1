"""Questions to servers and their replies, within limits of time and size; what went wrong in words.

A server may send without end, a byte at a time, or a small reply that unpacks to a disk full. The
time limits of requests and urllib3 are for one wait on a socket each and see none of these: here
every reply is read in a thread of its own against a clock, and counted as it arrives.
"""

import json
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as http

from mirimask.errors import MaskError

__all__ = [
    "NOT_PUBLIC",
    "OFFLINE",
    "RETRY_STATUS",
    "Archive",
    "FetchError",
    "Pace",
    "bounded",
    "check_reachable",
    "explain",
    "reply_to",
    "short",
    "spoken",
]

OFFLINE = "snakemake --cores 8 --configfile config/simulated.yaml (or: make study)"
# what status 401 or 403 of a product says
NOT_PUBLIC = "as for data that are not public yet; download them with your account"
RETRY_STATUS = (429, 500, 502, 503, 504)

LEAST_RATE = 1000  # bytes a second over timeout_s; an image of 30 MB would take 8 hours
LARGEST_REPLY = 10**8  # bytes of an unpacked reply to a query; a page of 50 000 rows of MAST
QUESTION = 2.2  # timeouts that a question may take with all its requests, pages and tries
_PIECE = 1 << 16  # bytes that are read at a time


@dataclass(frozen=True)
class Archive:
    """Where the archives are and where downloads are kept.

    `mast_server` and `irsa_server` with their scheme, `vizier_server` without (https always).
    `timeout_s` limits the wait for a connection and for each piece of a reply; a question with all
    its requests may take 2.2 times as long, and a download ends where less than 1000 bytes a second
    arrive over this time. A request that fails is tried `tries` times with `pause_s`, then twice
    that, and so on, between (never more than half of `timeout_s`).
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

    def pause(self, tries: int) -> float:
        """Seconds to wait after so many tries that failed."""
        return min(self.pause_s * 2 ** (tries - 1), self.timeout_s / 2)


class FetchError(MaskError):
    """A file that an archive does not give: its `reason`, and whether `again` may go better."""

    def __init__(self, message: str, *, reason: str, again: bool) -> None:
        super().__init__(message)
        self.reason, self.again = reason, again


class TooSlow(requests.Timeout):
    """No reply, or not enough of it, in the time it had."""


class TooLong(requests.RequestException):
    """A reply to a query that is longer than any can be."""


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
    answered = dict(causes)  # threads may still be at work
    silent = f"no answer within {timeout_s:g} s (time-out)"
    failed = {name: cause for name in servers if (cause := answered.get(name, silent)) is not None}
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
        except (OSError, ValueError) as error:  # requests' own kinds, certificates, bad addresses
            return explain(error)
    return cause


### what went wrong ################################################################################


def explain(error: BaseException) -> str:
    """What went wrong with a request, in a few words for a person."""
    chain: list[BaseException] = [error]
    for part in chain:  # grows while it is walked: requests and urllib3 wrap one another
        inner = [part.__cause__, part.__context__, getattr(part, "reason", None), *part.args]
        chain += [e for e in inner if isinstance(e, BaseException) and e not in chain]

    def of(*kinds: type) -> bool:
        return any(isinstance(part, kinds) for part in chain)

    for part in chain:
        if isinstance(part, TooSlow | TooLong):
            return str(part)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code} {error.response.reason}"
    if of(http.NameResolutionError, socket.gaierror):
        return "its name is not found (DNS); is there a network?"
    if of(requests.exceptions.ProxyError, http.ProxyError):
        return f"the proxy refuses ({short(chain[-1])})"
    if of(requests.exceptions.SSLError, http.SSLError):
        return f"no trusted certificate ({short(chain[-1])})"
    if of(ConnectionRefusedError):
        return "connection refused"
    if of(requests.Timeout, http.TimeoutError, TimeoutError):
        return "no answer in time (time-out)"
    if of(http.ResponseError) and "too many" in str(error):
        return f"HTTP errors again and again ({short(chain[-1])})"
    if of(http.DecodeError):
        return f"its compressed reply is damaged ({short(chain[-1])})"
    if of(http.IncompleteRead, http.ProtocolError, ConnectionError):
        return f"the connection broke ({short(chain[-1])})"
    if of(json.JSONDecodeError):
        return "its answer is not JSON, probably an error page"
    return f"{type(error).__name__}: {short(error)}"


def short(error: object) -> str:
    """An error or a text on one line, cut to what a message can hold."""
    return " ".join(str(error).split())[:160] or type(error).__name__


@contextmanager
def spoken(server: str, question: str) -> Iterator[None]:
    """Turn whatever asking and reading raise into a MaskError that names server and question.

    What a reply can do to those that read it has no end (a MaskError of numpy, a RecursionError):
    anything that they raise is an answer that is not understood.
    """
    from astroquery.exceptions import InvalidQueryError, RemoteServiceError
    from astroquery.exceptions import TimeoutError as AskedTooLong

    try:
        yield
    except MaskError:
        raise
    except (requests.RequestException, http.HTTPError, OSError) as error:
        cause, chained = explain(error), None
    except (RemoteServiceError, AskedTooLong, InvalidQueryError) as error:
        cause, chained = short(error), error
    except RecursionError:
        cause, chained = "its answer is not understood (nested without end)", None
    except Exception as error:
        cause = f"its answer is not understood ({type(error).__name__}: {short(error)})"
        chained = error
    else:
        return
    again = "Try again later"
    if "time-out" in cause:
        again += ", or set archive.timeout_s higher"
    raise MaskError(f"{server}: {question} failed: {cause.rstrip('.')}. {again}.") from chained


### replies within limits ##########################################################################


class Pace:
    """The time that a download has: LEAST_RATE x `window_s` bytes in each `window_s` seconds."""

    def __init__(self, window_s: float) -> None:
        self.window_s = window_s
        self.end = time.monotonic() + window_s
        self.owed = LEAST_RATE * window_s

    def __call__(self, n_bytes: int) -> float:
        """Seconds left, now that `n_bytes` are there."""
        now = time.monotonic()
        if n_bytes >= self.owed:
            self.end, self.owed = now + self.window_s, n_bytes + LEAST_RATE * self.window_s
        return self.end - now


@contextmanager
def reply_to(
    send: Callable[[], requests.Response], seconds_left: Callable[[int], float]
) -> Iterator[tuple[requests.Response, Iterator[bytes]]]:
    """The reply that `send` gives and its bytes, unpacked, as they arrive.

    `seconds_left(n_bytes)` says how long may be waited for more; from 0 on it is TooSlow. Whatever
    goes wrong on the way is a requests.RequestException.

    A thread sends and reads: a look-up of a name, a certificate and a line of a header may come a
    byte at a time, which no time limit of a socket ends. One that is given up ends by itself with
    what it waits for; what it reads goes nowhere.
    """
    arrived: queue.Queue[Any] = queue.Queue(maxsize=16)
    over = threading.Event()
    begin, n_bytes = time.monotonic(), 0

    def put(item: Any) -> None:
        while not over.is_set():
            with suppress(queue.Full):
                arrived.put(item, timeout=0.1)
                return

    def work() -> None:
        try:
            with send() as reply:
                put(reply)
                # not iter_content, which waits until a piece is full
                while piece := reply.raw.read1(_PIECE, decode_content=True):
                    put(piece)
                    if over.is_set():
                        return
            put(None)
        except requests.RequestException as error:
            put(error)
        except Exception as error:
            put(requests.ConnectionError(error))

    def wait() -> Any:
        left = seconds_left(n_bytes)
        try:
            if left <= 0:
                raise queue.Empty
            item = arrived.get(timeout=left)
        except queue.Empty:
            took = time.monotonic() - begin
            raise TooSlow(
                f"too slow, {n_bytes} bytes in {took:.1f} s (time-out)"
                if n_bytes
                else "no answer in time (time-out)"
            ) from None
        if isinstance(item, BaseException):
            raise item
        return item

    def pieces() -> Iterator[bytes]:
        nonlocal n_bytes
        while (piece := wait()) is not None:
            n_bytes += len(piece)
            yield piece

    threading.Thread(target=work, daemon=True).start()
    try:
        yield wait(), pieces()
    finally:
        over.set()


class _Bounded(HTTPAdapter):
    """Sends requests and reads their replies whole, before a deadline and not too long ones."""

    def __init__(self, archive: Archive, retry: urllib3.Retry) -> None:
        self.timeout_s = archive.timeout_s
        self.deadline = time.monotonic() + QUESTION * archive.timeout_s
        super().__init__(max_retries=retry)

    def send(self, request: Any, *args: Any, **options: Any) -> requests.Response:
        # by keyword: that is how a session calls its adapters
        options |= {"stream": True, "timeout": options.get("timeout") or self.timeout_s}
        ask = super().send
        body = bytearray()
        with reply_to(
            lambda: ask(request, *args, **options), lambda _: self.deadline - time.monotonic()
        ) as (reply, pieces):
            for piece in pieces:
                body += piece
                if len(body) > LARGEST_REPLY:
                    raise TooLong(f"its reply is longer than {LARGEST_REPLY / 1e6:.0f} MB")
        raw = reply.raw
        stored = ("content-encoding", "content-length", "transfer-encoding")
        reply.raw = urllib3.HTTPResponse(
            BytesIO(body),
            headers={k: v for k, v in raw.headers.items() if k.lower() not in stored},
            status=raw.status,
            reason=raw.reason,
            preload_content=False,
            original_response=getattr(raw, "_original_response", None),  # its cookies
        )
        return reply


def bounded(session: requests.Session, archive: Archive) -> None:
    """Limit all that a session asks for from now on; its time begins now.

    astroquery sets no limits: a request may wait for `timeout_s` and is tried a few times, all of
    them together take QUESTION x `timeout_s` at most, and a reply has LARGEST_REPLY bytes at most.
    """
    retry = urllib3.Retry(
        total=archive.tries - 1,
        read=min(1, archive.tries - 1),  # each costs timeout_s
        backoff_factor=min(archive.pause_s, archive.timeout_s / 4),
        status_forcelist=RETRY_STATUS,
        allowed_methods=None,  # the POSTs here are questions: asking twice does no harm
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Bounded(archive, retry))
