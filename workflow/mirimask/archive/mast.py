"""MAST: level-3 MIRI images, their segmentations and catalogues, found by query and fetched."""

import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

import numpy as np
import requests
from astropy.io.fits import Header, getheader

from mirimask.archive.downloads import (
    KINDS,
    Fetched,
    Product,
    Progress,
    fetch_file,
    forget,
    is_unlisted,
    record_unlisted,
    recorded,
)
from mirimask.archive.network import QUESTION, Archive, bounded, spoken
from mirimask.errors import MaskError
from mirimask.image.product import check_header, check_product

__all__ = [
    "cached_product",
    "fetch_file_of",
    "fetch_image",
    "fetch_product",
    "find_images",
    "find_product",
    "mixed_versions",
]

_logger = logging.getLogger("mirimask")


def client_of(archive: Archive) -> Any:
    """astroquery's MAST client, for this archive's server and for one question (see `bounded`)."""
    from astroquery.mast import ObservationsClass

    client = ObservationsClass()
    client.disable_cloud_dataset()
    portal, server = client._portal_api_connection, archive.mast_server.rstrip("/")
    portal.MAST_REQUEST_URL = f"{server}/api/v0/invoke"
    portal.MAST_DOWNLOAD_URL = f"{server}/api/v0.1/Download/file"
    portal.COLUMNS_CONFIG_URL = f"{server}/portal/Mashup/Mashup.asmx/columnsconfig"
    portal.TIMEOUT = QUESTION * archive.timeout_s  # of a query that is "EXECUTING"
    portal._column_configs = {}  # a class attribute: another server's would be taken for ours
    for session in {id(s): s for s in (client._session, portal._session)}.values():
        bounded(session, archive)
    return client


@contextmanager
def _fetcher(archive: Archive, client: Any, progress: Progress | None) -> Iterator[Any]:
    """A function that fetches a product and gives its header to a check; see `fetch_file`.

    In a session of its own, with the name and the account of the client's: what limits a reply to a
    question is not for files.
    """
    with requests.Session() as session:
        session.headers.update(client._session.headers)
        session.cookies.update(client._session.cookies)
        address = client._portal_api_connection.MAST_DOWNLOAD_URL

        def fetch(product: Product, check: Callable[[Header | None], None]) -> Fetched:
            return fetch_file(
                archive,
                product,
                address=f"{address}?uri={quote(product.uri, safe=':/')}",
                session=session,
                server=archive.mast_server,
                check=check,
                progress=progress,
            )

        yield fetch


def _pattern(program: int, observation: int, filter_name: str) -> re.Pattern[str]:
    """What the level-3 product of a target of an observation is called.

    Not `-c1001` (several observations together), not level 2 (`jw01386014001_...`).
    """
    return re.compile(
        rf"jw{program:05d}-o{observation:03d}_\w+_miri_{re.escape(filter_name.lower())}(-\w+)?"
    )


### what there is ##################################################################################


def find_product(
    archive: Archive, *, program: int, observation: int, filter_name: str, client: Any = None
) -> list[Product]:
    """Find the image, segmentation and catalogue of a MIRI imaging observation by query.

    The image is the first; the others are missing where MAST lists none. The names of level-3
    products hold a target number that only the archive knows. MaskError where no image or several
    match, with what there is, or where the archive does not answer.
    """
    name = f"jw{program:05d}-o{observation:03d}"
    asked = {
        "obs_collection": "JWST",
        "proposal_id": str(program),
        "instrument_name": "MIRI/IMAGE",
        "calib_level": 3,
    }
    question = f"the query for {name} {filter_name}"
    with spoken(archive.mast_server, question), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of no results: said below, with what there is
        client = client or client_of(archive)
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
                f"{_listed(names)}. Correct program, observation and filter in the "
                "table of images, or download the files and name them there as local files."
            )
        ((obs_id, obsid),) = rows.items()
        products = client.get_product_list([obsid])
        wanted = {}
        for row in products:
            for kind, suffix in KINDS.items():
                file = f"{obs_id}_{suffix}"
                if str(row["productFilename"]) == file:
                    uri = _cell(row["dataURI"]) or f"mast:JWST/product/{file}"
                    wanted[kind] = Product(kind, file, uri, _size(row["size"]))
        listed = {str(row["productFilename"]) for row in products}
        listed = {name for name in listed if name.startswith(obs_id)} or listed
    if "i2d" not in wanted:
        raise MaskError(
            f"MAST lists no {obs_id}_{KINDS['i2d']} among the products of {obs_id}. "
            f"Found: {_listed(listed)}."
        )
    return [wanted[kind] for kind in KINDS if kind in wanted]


def _listed(names: Iterable[str]) -> str:
    """Names for a message: a programme may have thousands."""
    names = sorted(names)
    more = f" and {len(names) - 40} more" if len(names) > 40 else ""
    return (", ".join(names[:40]) or "nothing") + more


def _size(cell: Any) -> int | None:
    """Bytes of a file as a list of MAST says; None where it says nothing that can be."""
    try:
        size = float(np.ma.filled(cell, np.nan))
    except (TypeError, ValueError, OverflowError):
        return None
    return int(size) if np.isfinite(size) and size > 0 else None


def _cell(value: Any) -> str:
    """A cell of a reply as a text without tabs; '' for a masked one and NaN."""
    text = " ".join(str(value).split())
    return "" if text in ("--", "nan", "None") else text


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
    with spoken(archive.mast_server, f"the query for {what}"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = client_of(archive)
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
        others: list[str] = []
        for row in found:
            # the query's own filters are not trusted
            match = name.fullmatch(str(row["obs_id"]))
            if not match or str(row["calib_level"]) != "3" or str(row["dataRights"]) != "PUBLIC":
                others.append(str(row["obs_id"]))
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
        if others:
            left = f"{len(others)} of {count} {what} are left out, not named or marked as such: "
            left += _listed(others)
            if not rows:
                raise MaskError(f"{archive.mast_server}: {left}. No image is left for the survey.")
            _logger.warning("%s: %s.", archive.mast_server, left)
    return [rows[image] for image in sorted(rows)]


### fetched ########################################################################################


def fetch_image(archive: Archive, uri: str, *, progress: Progress | None = None) -> Fetched:
    """Fetch the image (i2d) at an address of MAST alone, or take the one fetched before.

    Verified as a file and as an image (see `check_product`). FetchError where MAST does not give
    it, or gives what is of no use; nothing of it is kept then.
    """
    return _fetched(archive, "i2d", uri, progress)


def fetch_file_of(archive: Archive, uri: str, *, progress: Progress | None = None) -> Fetched:
    """Fetch any file of MAST's JWST products: as `fetch_image`, checked as what its name says.

    Images are `_i2d`, `_cal` and all others that are no `_segm` and no `_cat.ecsv`.
    """
    kind = next((kind for kind, ending in KINDS.items() if uri.endswith(f"_{ending}")), "i2d")
    return _fetched(archive, kind, uri, progress)


def _fetched(archive: Archive, kind: str, uri: str, progress: Progress | None) -> Fetched:
    name = uri.rpartition("/")[2]
    known = recorded(archive.folder(archive.mast_server) / name, verify=True)
    if known is not None and known.uri == uri:
        return known
    with spoken(archive.mast_server, f"the log-in for {name}"):
        client = client_of(archive)
    with _fetcher(archive, client, progress) as fetch:
        return fetch(Product(kind, name, uri, None), lambda header: None)


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

    Gives i2d, and segm and cat where MAST lists them, each verified: size as MAST says, contents as
    the kind asks, OBS_ID (where given) and FILTER of the headers. Where those of an earlier run are
    of another version of the pipeline (see `mixed_versions`), they are fetched anew.
    `progress(name, bytes, of_bytes)` is called as bytes arrive. MaskError where the archive does
    not give them; nothing that failed is kept.
    """

    def check(header: Header | None, what: str) -> None:
        if header is not None:
            check_header(header, observation_id=observation_id, filter_name=filter_name, what=what)

    asked: dict[str, Any] = {
        "program": program,
        "observation": observation,
        "filter_name": filter_name,
    }
    found = cached_product(archive, **asked, verify=True)
    if found is not None:
        for kind, fetched in found.items():  # downloads know nothing of the table of images
            check(check_product(fetched.path, kind), fetched.path.name)
        return found
    found = {}
    with spoken(archive.mast_server, f"the log-in for programme {program}"):
        client = client_of(archive)
    products = find_product(archive, **asked, client=client)
    folder = archive.folder(archive.mast_server)
    before = [recorded(folder / product.name, verify=False) for product in products]
    with _fetcher(archive, client, progress) as fetch:
        for product in products:
            found[product.kind] = fetch(product, partial(check, what=product.name))
        if mixed_versions(found):  # MAST has reprocessed since an earlier run kept some of them
            for product in products:
                if found[product.kind] in before:
                    forget(found[product.kind])
                    found[product.kind] = fetch(product, partial(check, what=product.name))
    image = found["i2d"].path
    for kind in KINDS.keys() - found.keys():
        record_unlisted(image.with_name(image.name.replace(KINDS["i2d"], KINDS[kind])))
    return found


def mixed_versions(found: Mapping[str, Fetched]) -> str:
    """The versions of the pipeline, or of its reference files, that made i2d and segm; '' if one.

    They do not belong together then: what one calls a source lies elsewhere in the other.
    """
    headers = {kind: getheader(found[kind].path) for kind in ("i2d", "segm") if kind in found}
    for key in ("CAL_VER", "CRDS_CTX"):
        made = {kind: str(header[key]) for kind, header in headers.items() if key in header}
        if len(set(made.values())) > 1:
            return ", ".join(f"{kind} of {key} {version}" for kind, version in made.items())
    return ""


def cached_product(
    archive: Archive, *, program: int, observation: int, filter_name: str, verify: bool = False
) -> dict[str, Fetched] | None:
    """What an earlier run fetched of an observation; None where it is not complete.

    Complete is what MAST listed then: the image, and segmentation and catalogue unless it had none.
    `verify` compares checksums too, not only sizes.
    """
    folder = archive.folder(archive.mast_server)
    pattern = _pattern(program, observation, filter_name)
    stems = {
        path.name.removesuffix("_i2d.fits.json")
        for path in folder.glob(f"jw{program:05d}-o{observation:03d}_*_i2d.fits.json")
    }
    stems = {stem for stem in stems if pattern.fullmatch(stem)}
    if len(stems) != 1:  # none, or several: the archive must say which
        return None
    (stem,) = stems
    found = {}
    for kind, suffix in KINDS.items():
        path = folder / f"{stem}_{suffix}"
        fetched = recorded(path, verify=verify)
        if fetched is not None:
            found[kind] = fetched
        elif kind == "i2d" or not is_unlisted(path):
            return None
    return found
