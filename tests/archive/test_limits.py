"""Replies without end, too long, too slow, of two versions; two runs at once: how each ends."""

import gc
import multiprocessing
import os
import re
import shutil
import time
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table
from mirimask import archive
from mirimask.archive import Archive, check_reachable, network
from mirimask.errors import MaskError
from mirimask.sources.catalogue import CATALOGUES

pytest.importorskip("cryptography", reason="makes the server's certificate")
import astroquery.ipac.irsa
import astroquery.mast
import astroquery.vizier  # noqa: F401  their imports take longer than the time limits here
from archive.server import serve  # the folder tests/archive
from archive.test_archive import DEC, IMAGE, NAME, RA, ROW, kept, make_field
from archive.test_archive_catalogues import make_catalogue

TIMEOUT_S = 1.2


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    make_field(folder / "Img3")
    make_catalogue(folder / "Img3", "seip")
    return folder


@pytest.fixture
def start(fields, tmp_path, monkeypatch):
    """Start a server with faults, of a copy of the fields; gives it and the archive's settings."""
    monkeypatch.setattr(network, "LARGEST_REPLY", 10**7)  # 100 MB take a busy machine a while
    with ExitStack() as stack:

        def started(**faults):
            mine = shutil.copytree(fields, tmp_path / "fields")
            served = stack.enter_context(serve(mine, [ROW], **faults))
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca_bundle))
            return served, Archive(
                served.mast_url,
                served.vizier_host,
                downloads=tmp_path / "downloads",
                timeout_s=TIMEOUT_S,
                pause_s=0.01,
                irsa_server=served.mast_url,
            )

        yield started


@pytest.fixture
def nothing_to_collect():
    """At the end of the stack (`nested`) no garbage of earlier tests is collected: that fails."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def fetch_catalogue(settings, service="vizier", **options):
    known = CATALOGUES["unwise" if service == "vizier" else "seip"]
    asked = {"catalogue": known.table, "service": known.service, "box_deg": 0.03}
    asked |= {"columns": (known.id, known.ra, known.dec), "ra": RA, "dec": DEC}
    return archive.fetch_catalogue(settings, **(asked | options))


### without end, too long, too slow ################################################################


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("trickle", "too slow, .* bytes in .* s"),
        ("slow_header", "no answer in time"),
        ("endless", r"more than \d+ bytes arrived, MAST announces \d+"),
        ("bomb", r"more than \d+ bytes arrived, MAST announces \d+"),
        ("hang", "no answer in time"),
        ("to_file", "No connection adapters were found for 'file:"),
        ("in_circles", "from address to address"),
    ],
)
def test_a_download_ends(start, fault, says):
    _, settings = start(**{fault: "i2d"})
    begin = time.monotonic()
    with pytest.raises(MaskError, match=says):
        archive.fetch_product(settings, **IMAGE)
    assert time.monotonic() - begin < 3 * TIMEOUT_S
    assert kept(settings) == []


def test_a_redirect_is_followed_and_what_comes_with_it_is_not_read(start, tmp_path):
    _, settings = start(redirect=("i2d", 1))
    found = archive.fetch_product(settings, **IMAGE)
    good = (tmp_path / "fields" / "Img3" / "i2d.fits").read_bytes()
    assert found["i2d"].path.read_bytes() == good


def test_a_download_of_unknown_length_ends(start, monkeypatch):
    _, settings = start(endless="i2d", null_size="products")
    monkeypatch.setattr(archive.downloads, "LARGEST_UNKNOWN", 10**7)
    with pytest.raises(MaskError, match="nothing says how long it is"):
        archive.fetch_product(settings, **IMAGE)
    assert kept(settings) == []


def test_a_file_without_room_for_it_is_said_before_it_is_fetched(start, monkeypatch):
    _, settings = start()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 100))
    with pytest.raises(MaskError, match=r"there is room for 0 MB.*archive\.downloads"):
        archive.fetch_product(settings, **IMAGE)
    assert kept(settings) == []


def test_a_slow_download_that_keeps_the_least_rate_goes_on(start, monkeypatch):
    """Longer than the time limit, and never below the rate: 10 bytes a second arrive."""
    monkeypatch.setattr(network, "LEAST_RATE", 2)
    _, settings = start(trickle="i2d")
    times = []

    def progress(name, done, total):
        if name.endswith("i2d.fits"):
            times.append(time.monotonic())
            if times[-1] - times[0] > 2.5 * TIMEOUT_S:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.fetch_product(settings, **IMAGE, progress=progress)


@pytest.mark.usefixtures("nothing_to_collect")
@pytest.mark.parametrize("where", ["config", "query", "products"])
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("trickle", "too slow, .* archive.timeout_s higher"),
        ("slow_header", "time-out"),
        ("endless", "longer than 10 MB"),
        ("bomb", "longer than 10 MB"),
        ("nested", "nested without end"),
    ],
)
def test_a_question_to_mast_ends(start, fault, says, where):
    _, settings = start(**{fault: where})
    begin = time.monotonic()
    with pytest.raises(MaskError, match=says) as error:
        archive.find_product(settings, **IMAGE)
    assert time.monotonic() - begin < 3 * TIMEOUT_S
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("nothing_to_collect")
@pytest.mark.parametrize("service", ["vizier", "irsa"])
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("trickle", "too slow"),
        ("slow_header", "time-out"),
        ("endless", "longer than 10 MB"),
        ("bomb", "longer than 10 MB"),
        ("nested", "failed: "),
    ],
)
def test_a_question_for_a_catalogue_ends(start, fault, says, service):
    _, settings = start(**{fault: service})
    begin = time.monotonic()
    with pytest.raises(MaskError, match=says) as error:
        fetch_catalogue(settings, service)
    assert time.monotonic() - begin < 3 * TIMEOUT_S
    assert "\n" not in str(error.value)
    assert kept(settings) == []


@pytest.mark.parametrize("fault", ["trickle", "endless", "bomb"])
def test_a_server_that_answers_without_end_is_reachable(start, fault):
    _, settings = start(**{fault: "root"})
    begin = time.monotonic()
    check_reachable(settings.mast_server, settings.vizier_server, timeout_s=TIMEOUT_S)
    assert time.monotonic() - begin < TIMEOUT_S


def test_a_server_whose_header_does_not_end_is_not(start):
    _, settings = start(slow_header="root")
    begin = time.monotonic()
    with pytest.raises(MaskError, match=r"MAST at .*time-out"):
        check_reachable(settings.mast_server, timeout_s=TIMEOUT_S)
    assert time.monotonic() - begin < 1.5 * TIMEOUT_S


def test_sizes_that_mast_does_not_know_are_unknown(start):
    _, settings = start(null_size="products")
    products = archive.find_product(settings, **IMAGE)
    assert [product.size for product in products] == [None] * 3
    assert set(archive.fetch_product(settings, **IMAGE)) == {"i2d", "segm", "cat"}


### one version ####################################################################################


@pytest.mark.parametrize("changes", [True, False])
@pytest.mark.parametrize(
    ("validator", "resumed"),
    [("etag", True), ("date", True), ("weak", False), ("none", False), ("liar", True)],
)
def test_what_is_kept_is_one_version(start, tmp_path, validator, resumed, changes):
    """The connection breaks half-way, and the file may change before it is asked for again."""
    served, settings = start(half=("i2d", 1))
    served.validator = validator
    path = tmp_path / "fields" / "Img3" / "i2d.fits"
    old, new = path.read_bytes(), bytearray(path.read_bytes())
    if changes:
        new[-8000:] = np.roll(np.frombuffer(bytes(new[-8000:]), ">f4"), 1).tobytes()
        new[2880 * 4 : 2880 * 4 + 8] = new[2880 * 4 + 4 : 2880 * 4 + 8] * 2  # in either half
        assert len(new) == len(old)

    def replaced(name, done, total):
        if name.endswith("i2d.fits") and path.read_bytes() == old:
            path.write_bytes(new)

    found = archive.fetch_product(settings, **IMAGE, progress=replaced)
    assert found["i2d"].path.read_bytes() == new
    asked = [line for line in served.requests_log if line.startswith("GET") and "i2d.fits" in line]
    assert ("bytes=" in asked[1]) == resumed
    assert len(asked) == (3 if changes and validator == "liar" else 2)


def test_the_part_of_another_run_is_not_resumed(start, tmp_path):
    served, settings = start()
    folder = settings.folder(settings.mast_server)
    folder.mkdir(parents=True)
    names = [f"{NAME}_i2d.fits.{end}.part" for end in (os.getpid(), "0123abcd")]
    for name in names:
        (folder / name).write_bytes(b"SIMPLE  = of another version" * 100)
    os.utime(folder / names[1], (0, time.time() - 90000))
    found = archive.fetch_product(settings, **IMAGE)
    good = (tmp_path / "fields" / "Img3" / "i2d.fits").read_bytes()
    assert found["i2d"].path.read_bytes() == good
    assert served.count("bytes=") == 0
    assert (folder / names[0]).exists()  # it may be at work
    assert not (folder / names[1]).exists()  # nobody is for more than a day


### two runs at once ###############################################################################


def _fetch_all(settings):
    product = archive.fetch_product(settings, **IMAGE)
    return [fetched.sha256 for fetched in (*product.values(), fetch_catalogue(settings))]


def test_runs_that_fetch_the_same_at_once_all_end_well(start):
    """Six processes, which begin together."""
    _, settings = start()
    settings = replace(settings, timeout_s=20)
    context = multiprocessing.get_context("spawn")  # this one has threads
    together = context.Barrier(6, timeout=120)
    with context.Pool(6, initializer=together.wait) as pool:
        sums = pool.map(_fetch_all, [settings] * 6, chunksize=1)
    assert all(one == sums[0] for one in sums)
    assert len(kept(settings)) == 8
    assert archive.cached_product(settings, **IMAGE, verify=True) is not None


### catalogues that say they are wrong, or are #####################################################


@pytest.mark.parametrize("service", ["vizier", "irsa"])
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("table_error", r"gave an error: \*\*\*Disk of 2MASS is full"),
        ("nested_error", "gave an error: cut off at 60 s"),
        ("overflow", r"more rows than .* sends at once.*catalogue\.box_deg"),
        ("all_elsewhere", "none of the .* rows that .* sent lies in the box"),
        ("sexagesimal", "column .* is not a number of degrees. Set catalogue.ra and catalogue.dec"),
        ("metres", r"column .* \(first value '165\..*', unit m\) is not a number of degrees"),
        ("radian", r"column .* \(first value '2\..*', unit rad\) is not a number of degrees"),
    ],
)
def test_a_catalogue_that_is_not_the_one_is_refused(start, service, fault, says):
    _, settings = start(**{fault: service})
    with pytest.raises(MaskError, match=says) as error:
        fetch_catalogue(settings, service)
    assert "\n" not in str(error.value)
    assert kept(settings) == []
    if (fault, service) == ("sexagesimal", "vizier"):
        assert "_RAJ2000 and _DEJ2000, which VizieR computes" in str(error.value)


@pytest.mark.parametrize("service", ["vizier", "irsa"])
@pytest.mark.parametrize(
    ("fault", "lost", "note"),
    [
        ("warning", 0, "warns: Column 'e_W3' unknown"),
        ("twice", 0, "rows have the identifier and the position of another: left out"),
        ("elsewhere", 1, "1 of .* rows lie outside what was asked for: left out"),
        ("arrays", 0, "column lists has several values a row: left out"),
    ],
)
def test_what_is_left_out_of_a_catalogue_is_said(start, tmp_path, service, fault, lost, note):
    served, settings = start()
    good = Table.read(fetch_catalogue(settings, service).path)
    assert "notes" not in good.meta
    shutil.rmtree(settings.downloads)
    served.faults[fault] = [[service], None]
    table = Table.read(fetch_catalogue(settings, service).path)
    names = list(table[table.colnames[0]])
    assert len(names) == len(good) - lost
    assert set(names) <= set(good[table.colnames[0]])
    assert len(table.meta["notes"]) == 1
    assert re.search(note, table.meta["notes"][0])
