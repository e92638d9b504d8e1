"""What a study would fetch of an image: asked, not downloaded."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from astropy.io.fits import Header, getheader

from mirimask.archive.catalogues import cached_catalogue, count_catalogue
from mirimask.archive.downloads import Product, recorded
from mirimask.archive.mast import client_of, find_product
from mirimask.archive.network import NOT_PUBLIC, QUESTION, Archive, reply_to, spoken
from mirimask.errors import MaskError
from mirimask.image.product import check_header

__all__ = ["Offer", "preview_image", "to_download"]

_HEAD = 300_000  # bytes: the headers of an i2d have 50 000; a file without them is no i2d


@dataclass(frozen=True)
class Offer:
    """A file that the archive has: its name, what it is, its bytes, and whether it is here already.

    `size` is None where the archive does not say; `about` is the pipeline version of an image, the
    number of rows of a catalogue.
    """

    name: str
    kind: str
    size: int | None
    about: str
    here: bool

    def __str__(self) -> str:
        size = "" if self.size is None else f"{self.size / 1e6:.1f} MB"
        words = [size, self.about, "here already" if self.here else ""]
        return ": ".join(filter(None, [self.name, ", ".join(filter(None, words))]))


def to_download(offers: Iterable[Offer]) -> str:
    """How much of the offers is not here yet; of a catalogue only rows are known, no bytes."""
    new = [offer for offer in offers if not offer.here and offer.kind != "catalogue"]
    text = f"{len(new)} files, {sum(offer.size or 0 for offer in new) / 1e6:,.1f} MB"
    unknown = sum(offer.size is None for offer in new)
    return text + (f" and {unknown} of a size that MAST does not say" if unknown else "")


def preview_image(
    archive: Archive,
    *,
    program: int,
    observation: int,
    filter_name: str,
    observation_id: str = "",
    catalogue: Mapping[str, Any],
) -> list[Offer]:
    """What `fetch_product` and `fetch_catalogue` would fetch of an image.

    Of the image only its headers are read, for the pipeline's version and the field's centre; the
    catalogue is asked for its rows, which are not kept. `catalogue` are a study's settings of it
    (service, table, id, ra, dec, box_deg). MaskError as of those functions.
    """
    with spoken(archive.mast_server, f"the log-in for programme {program}"):
        client = client_of(archive)
    asked: dict[str, Any] = {"program": program, "observation": observation}
    products = find_product(archive, **asked, filter_name=filter_name, client=client)
    folder = archive.folder(archive.mast_server)
    here = {one.kind: recorded(folder / one.name, verify=False) for one in products}
    image = products[0]
    if here["i2d"] is not None and all(here.values()):  # else it may have been reprocessed since
        headers = [getheader(here["i2d"].path, 0), getheader(here["i2d"].path, "SCI")]
    else:
        headers = _headers(archive, image, client)
    check_header(
        headers[0], observation_id=observation_id, filter_name=filter_name, what=image.name
    )
    version = f"pipeline {headers[0].get('CAL_VER', 'not said')}"
    if "CRDS_CTX" in headers[0]:
        version += f", {headers[0]['CRDS_CTX']}"
    offers = [
        Offer(
            one.name,
            one.kind,
            one.size,
            version if one is image else "",
            here[one.kind] is not None,
        )
        for one in products
    ]
    try:
        field = {"ra": float(headers[1]["CRVAL1"]), "dec": float(headers[1]["CRVAL2"])}
    except (IndexError, KeyError, TypeError, ValueError):
        raise MaskError(f"{image.name}: its SCI header has no CRVAL1 and CRVAL2.") from None
    where: dict[str, Any] = {
        "catalogue": catalogue["table"],
        "service": catalogue["service"],
        "box_deg": catalogue["box_deg"],
        **field,
    }
    columns = [catalogue[key] for key in ("id", "ra", "dec")]
    rows = count_catalogue(archive, **where, columns=columns)
    known = cached_catalogue(archive, **where) is not None
    return [*offers, Offer(catalogue["table"], "catalogue", None, f"{rows} rows", known)]


def _headers(archive: Archive, product: Product, client: Any) -> list[Header]:
    """The first two headers of a file, from its first bytes."""
    address = client._portal_api_connection.MAST_DOWNLOAD_URL
    url = f"{address}?uri={quote(product.uri, safe=':/')}"
    until = time.monotonic() + QUESTION * archive.timeout_s
    with (
        requests.Session() as session,
        spoken(archive.mast_server, f"the question for the header of {product.name}"),
    ):
        session.headers.update(client._session.headers)
        session.cookies.update(client._session.cookies)

        def send() -> requests.Response:
            only = {"Range": f"bytes=0-{_HEAD - 1}"}
            return session.get(url, headers=only, stream=True, timeout=archive.timeout_s)

        data, found = b"", []
        with reply_to(send, lambda _: until - time.monotonic()) as (reply, pieces):
            if reply.status_code in (401, 403):
                raise MaskError(
                    f"{archive.mast_server}: {product.name}: HTTP status {reply.status_code} "
                    f"{reply.reason}, {NOT_PUBLIC}."
                )
            reply.raise_for_status()
            for piece in pieces:
                data += piece
                found = _headers_in(data)
                if len(found) == 2 or len(data) >= _HEAD:
                    break
    if not found or "SIMPLE" not in found[0]:
        raise MaskError(
            f"{archive.mast_server}: what it sends as {product.name} is no FITS file. Try again "
            "later."
        )
    return found


def _headers_in(data: bytes) -> list[Header]:
    """The headers at the begin of a FITS file, up to two, of a primary without data."""
    headers: list[Header] = []
    while len(headers) < 2:
        end = next((i for i in range(0, len(data), 80) if data[i : i + 8] == b"END     "), None)
        if end is None:
            break
        headers.append(Header.fromstring(data[:end].decode("latin-1")))
        if len(headers) == 1 and headers[0].get("NAXIS"):
            break
        data = data[-(-(end + 80) // 2880) * 2880 :]
    return headers
