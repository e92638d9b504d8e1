"""The real astroquery client against a server that speaks the archives' protocols, and misbehaves.

Each misbehaviour has a test of the message and of what was kept: nothing wrong.
"""

import json
import shutil
import socket
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from astropy.wcs import WCS
from mirimask import archive
from mirimask.archive import Archive, check_reachable, downloads, mast
from mirimask.errors import MaskError
from mirimask.image.product import sha256

pytest.importorskip("cryptography", reason="makes the server's certificate")
from archive.server import serve  # the folder tests/archive

ROW = {
    "image": "Img3",
    "program": "1386",
    "observation": "14",
    "filter": "F770W",
    "observation_id": "V01386014001P0000000003106",
}
RA, DEC = 165.5, -34.7
IMAGE = {"program": 1386, "observation": 14, "filter_name": "F770W"}
NAME = "jw01386-o014_t002_miri_f770w"
COLUMNS = ("objID", "RAJ2000", "DEJ2000")


def make_field(folder: Path) -> None:
    """A product of 60 x 50 pixels and a catalogue of 80 rows, 3 of them outside 0.03 deg."""
    rng = np.random.default_rng(3)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = (RA, DEC), (25.5, 30.5), (-3.05e-5, 3.05e-5)
    primary = fits.Header(
        {
            "OBS_ID": ROW["observation_id"],
            "FILTER": "F770W",
            "CAL_VER": "1.12.5",
            "CRDS_CTX": "jwst_1140.pmap",
        }
    )
    data = rng.normal(10, 1, (60, 50)).astype("f4")
    sci = fits.ImageHDU(data, wcs.to_header(), name="SCI")
    sci.header["BUNIT"] = "MJy/sr"
    folder.mkdir(parents=True)
    fits.HDUList([fits.PrimaryHDU(header=primary), sci]).writeto(folder / "i2d.fits")
    labels = fits.ImageHDU((data > 12).astype("u4"), wcs.to_header(), name="SCI")
    fits.HDUList([fits.PrimaryHDU(header=primary), labels]).writeto(folder / "segm.fits")
    Table({"label": [1], "sky_centroid.ra": [RA]}).write(folder / "cat.ecsv", format="ascii.ecsv")
    ra = RA + rng.uniform(-0.012, 0.012, 80) / np.cos(np.radians(DEC))
    dec = DEC + rng.uniform(-0.012, 0.012, 80)
    dec[:3] += 0.1
    table = Table(
        {"objID": [f"1654m349o{i:04d}" for i in range(80)], "RAJ2000": ra, "DEJ2000": dec}
    )
    table["FW1"] = MaskedColumn(rng.uniform(1, 9, 80), mask=np.arange(80) % 4 == 0, unit="nMgy")
    table["nm"] = MaskedColumn(np.arange(80), mask=np.arange(80) % 5 == 0)
    for name in COLUMNS[1:]:
        table[name].unit = "deg"
    table.write(folder / "unwise.ecsv", format="ascii.ecsv")


@pytest.fixture(scope="session")
def fields(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    make_field(folder / "Img3")
    return folder


@pytest.fixture
def start(fields, tmp_path, monkeypatch):
    """Start a server with faults; gives it and the archive's settings for it."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def started(**faults):
            served = stack.enter_context(serve(fields, [ROW], **faults))
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca_bundle))
            settings = Archive(
                served.mast_url,
                served.vizier_host,
                downloads=tmp_path / "downloads",
                timeout_s=5,
                pause_s=0.01,
            )
            return served, settings

        yield started


def kept(settings):
    """Names of all files in the folder of downloads."""
    return sorted(p.name for p in Path(settings.downloads).rglob("*") if p.is_file())


COMPLETE = sorted(
    f"{NAME}_{end}{record}" for end in archive.KINDS.values() for record in ("", ".json")
)


### found and fetched ##############################################################################


def test_the_product_is_found_among_distractors_and_fetched_unchanged(start, fields):
    served, settings = start()
    seen = []
    found = archive.fetch_product(
        settings,
        **IMAGE,
        observation_id=ROW["observation_id"],
        progress=lambda *event: seen.append(event),
    )
    assert list(found) == ["i2d", "segm", "cat"]
    for kind, name in archive.KINDS.items():
        original = fields / "Img3" / name
        assert found[kind].path.read_bytes() == original.read_bytes()
        assert found[kind].bytes == original.stat().st_size
        assert found[kind].sha256 == sha256(original)
        assert found[kind].uri == f"mast:JWST/product/{NAME}_{name}"
    assert kept(settings) == COMPLETE
    size = found["i2d"].bytes
    assert [event for event in seen if event[0].endswith("i2d.fits")][-1] == (
        f"{NAME}_i2d.fits",
        size,
        size,
    )
    downloaded = [line for line in served.requests_log if "/Download/file" in line]
    assert len(downloaded) == 3
    assert all(NAME in line for line in downloaded)


def test_distractors_are_there_to_be_rejected(start):
    _, settings = start()
    client = mast.client_of(settings)
    rows = client.query_criteria(obs_collection="JWST", proposal_id="1386")
    names = set(rows["obs_id"])
    assert NAME in names
    assert {2, 3} <= {int(level) for level in rows["calib_level"]}
    for part in ("o140", "o114", "c1001", "f560w", "_mirimage", "ch1-short"):
        assert any(part in name for name in names), part
    products = client.get_product_list(rows[rows["obs_id"] == NAME])
    assert {2, 3} <= {int(level) for level in products["calib_level"]}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"observation": 77}, "no level-3 MIRI image named jw01386-o077_*_miri_f770w"),
        ({"filter_name": "F2550W"}, "no level-3 MIRI image named jw01386-o014_*_miri_f2550w"),
        ({"program": 4321}, "Found of programme 4321: nothing"),
    ],
)
def test_no_product_is_an_error_that_lists_what_there_is(start, asked, says):
    _, settings = start()
    with pytest.raises(MaskError) as error:
        archive.find_product(settings, **(IMAGE | asked))
    assert says in str(error.value)
    assert "table of images" in str(error.value)
    if "program" not in asked:
        assert NAME in str(error.value)
        assert "jw01386-o140_t002_miri_f770w" in str(error.value)


def test_several_products_are_an_error_that_lists_them(fields, tmp_path):
    # the same observation in two rows gives it two targets
    with serve(fields, [ROW, ROW]) as served:
        settings = Archive(served.mast_url, served.vizier_host, tmp_path)
        with pytest.raises(MaskError) as error:
            archive.find_product(settings, **IMAGE)
    assert "several level-3 MIRI images" in str(error.value)
    assert "jw01386-o014_t002_miri_f770w, jw01386-o014_t003_miri_f770w" in str(error.value)


def test_a_product_list_without_the_files_is_an_error(start):
    _, settings = start(empty="products")
    with pytest.raises(MaskError, match=rf"lists no {NAME}_i2d.fits.*Found: nothing"):
        archive.find_product(settings, **IMAGE)


@pytest.mark.parametrize("missing", [["segm", "cat"], ["segm"], ["cat"]])
def test_what_mast_does_not_list_is_not_needed_and_not_asked_for_again(
    fields, tmp_path, monkeypatch, missing
):
    folder = shutil.copytree(fields, tmp_path / "fields")
    for kind in missing:
        (folder / "Img3" / archive.KINDS[kind]).unlink()
    with serve(folder, [ROW]) as served:
        settings = Archive(served.mast_url, served.vizier_host, tmp_path / "d", pause_s=0.01)
        there = [kind for kind in archive.KINDS if kind not in missing]
        found = archive.fetch_product(settings, **IMAGE)
        assert list(found) == there
        asked = len(served.requests_log)
        assert archive.fetch_product(settings, **IMAGE) == found
        assert len(served.requests_log) == asked
    # an image alone, as a survey leaves it, is not a product that lacks the others
    for kind in missing:
        (settings.folder(settings.mast_server) / f"{NAME}_{archive.KINDS[kind]}.json").unlink()
    assert archive.cached_product(settings, **IMAGE) is None


def test_another_obs_id_in_the_header_is_an_error_that_tells_both(start):
    _, settings = start()
    with pytest.raises(MaskError) as error:
        archive.fetch_product(settings, **IMAGE, observation_id="V01386014001P0000000009999")
    assert ROW["observation_id"] in str(error.value)
    assert "V01386014001P0000000009999" in str(error.value)
    assert kept(settings) == []


def test_what_was_fetched_is_not_fetched_again_and_needs_no_network(start, monkeypatch):
    served, settings = start()
    first = archive.fetch_product(settings, **IMAGE)
    asked = len(served.requests_log)
    assert archive.fetch_product(settings, **IMAGE) == first
    assert len(served.requests_log) == asked

    def no_network(*_args, **_options):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "create_connection", no_network)
    assert archive.fetch_product(settings, **IMAGE) == first


@pytest.mark.parametrize("damage", ["changed", "cut", "no record", "gone"])
def test_a_download_that_no_longer_agrees_with_its_record_is_fetched_again(start, damage):
    served, settings = start()
    path = archive.fetch_product(settings, **IMAGE)["i2d"].path
    good = path.read_bytes()
    if damage == "changed":
        path.write_bytes(good[:-1] + b"x")
    elif damage == "cut":
        path.write_bytes(good[:-2880])
    elif damage == "no record":
        path.with_name(path.name + ".json").unlink()
    else:
        path.unlink()
    served.requests_log.clear()
    assert archive.fetch_product(settings, **IMAGE)["i2d"].path.read_bytes() == good
    assert served.count("/Download/file") == 1  # the segmentation and catalogue are still good


@pytest.fixture
def reprocessed(fields, tmp_path, monkeypatch):
    """A server, its settings, and a function: MAST has the kinds of another version from now on.

    Of the same bytes: an image of floats is as long as any other.
    """
    folder = shutil.copytree(fields, tmp_path / "fields")

    def reprocess(*kinds):
        for kind in kinds:
            with fits.open(folder / "Img3" / f"{kind}.fits", mode="update") as hdus:
                hdus[0].header["CAL_VER"] = "1.18.0"
                hdus["SCI"].data = hdus["SCI"].data[::-1].copy()

    with serve(folder, [ROW]) as served:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca_bundle))
        settings = Archive(served.mast_url, served.vizier_host, tmp_path / "d", pause_s=0.01)
        yield served, settings, reprocess


def test_image_and_segmentation_are_of_one_version(reprocessed):
    """An image that an earlier run kept, as a survey does, is fetched anew with a newer segm."""
    served, settings, reprocess = reprocessed
    archive.fetch_image(settings, f"mast:JWST/product/{NAME}_i2d.fits")
    reprocess("i2d", "segm")
    found = archive.fetch_product(settings, **IMAGE)
    image, labels = (fits.getdata(found[kind].path, "SCI") for kind in ("i2d", "segm"))
    np.testing.assert_array_equal(labels, image > 12)
    assert not archive.mixed_versions(found)
    assert served.count("/Download/file") == 1 + 3


def test_two_versions_at_mast_are_said(reprocessed):
    served, settings, reprocess = reprocessed
    reprocess("segm")
    found = archive.fetch_product(settings, **IMAGE)
    assert archive.mixed_versions(found) == "i2d of CAL_VER 1.12.5, segm of CAL_VER 1.18.0"
    assert served.count("/Download/file") == 3


def test_downloads_of_one_server_are_not_taken_for_anothers(start):
    _, settings = start()
    archive.fetch_product(settings, **IMAGE)
    other = replace(settings, mast_server="https://mast.stsci.edu")
    assert archive.cached_product(settings, **IMAGE) is not None
    assert archive.cached_product(other, **IMAGE) is None


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("forbidden", f"{NAME}_i2d.fits: HTTP status 401.*not public yet.*with your account.$"),
        ("html", f"what it sends as {NAME}_i2d.fits is no FITS file. Try again later.$"),
        ("unavailable", "HTTP status 503.*Try again later"),
    ],
)
def test_what_would_be_fetched_cannot_be_said(start, fault, says):
    _, settings = start(**{fault: "i2d"})
    where = {"service": "vizier", "table": "II/363/unwise", "box_deg": 0.03}
    columns = dict(zip(("id", "ra", "dec"), COLUMNS, strict=True))
    with pytest.raises(MaskError, match=says):
        archive.preview_image(settings, **IMAGE, catalogue=where | columns)


### downloads that go wrong ########################################################################


@pytest.mark.parametrize("kind", ["i2d", "segm", "cat"])
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("unavailable", "HTTP status 503"),
        ("missing", "HTTP status 404"),
        ("forbidden", "HTTP status 401.*not public yet.*name it as a local file"),
        ("half", r"connection broke|only \d+ of \d+ bytes"),
        ("no_length_half", r"only \d+ of \d+ bytes arrived"),
        ("wrong_length", r"\d+ bytes arrived, MAST announces \d+"),
        ("garbage", "it begins with"),
        ("html", "sent a web page instead of .*Maintenance Back on Monday"),
    ],
)
def test_a_bad_download_is_explained_and_nothing_of_it_is_kept(start, fault, says, kind):
    _, settings = start(**{fault: kind})
    with pytest.raises(MaskError, match=says) as error:
        archive.fetch_product(settings, **IMAGE)
    name = f"{NAME}_{archive.KINDS[kind]}"
    assert name in str(error.value)
    assert settings.mast_server in str(error.value)
    assert not any(name in file for file in kept(settings))
    assert not any(".part" in file for file in kept(settings))
    assert archive.cached_product(settings, **IMAGE) is None


@pytest.mark.parametrize(
    ("fault", "again", "tries"),
    [
        ("no_length_half", True, 3),
        ("half", True, 3),
        ("unavailable", True, 3),
        ("forbidden", True, 1),
        ("missing", True, 1),
        ("all NaN", False, 1),
    ],
)
def test_what_may_be_another_time_is_worth_another_run(
    fields, tmp_path, monkeypatch, fault, again, tries
):
    """Of an address alone no size is known but the reply's."""
    folder = shutil.copytree(fields, tmp_path / "fields")
    if fault == "all NaN":
        with fits.open(folder / "Img3" / "i2d.fits", mode="update") as hdus:
            hdus["SCI"].data[:] = np.nan
    with serve(folder, [ROW], **({} if fault == "all NaN" else {fault: "i2d"})) as served:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca_bundle))
        settings = Archive(served.mast_url, served.vizier_host, tmp_path / "d", pause_s=0.01)
        with pytest.raises(archive.FetchError) as error:
            archive.fetch_image(settings, f"mast:JWST/product/{NAME}_i2d.fits")
        assert served.count("/Download/file") == tries
    assert error.value.again == again


def test_a_hang_ends_with_the_time_limit(start):
    _, settings = start(hang="i2d")
    settings = replace(settings, timeout_s=0.3, tries=2)
    begin = time.monotonic()
    with pytest.raises(MaskError, match="no answer in time"):
        archive.fetch_product(settings, **IMAGE)
    assert time.monotonic() - begin < 8
    assert kept(settings) == []


def test_a_truncated_file_that_the_archive_announces_so_is_rejected(start, fields, tmp_path):
    # size and Content-Length agree with the file: its contents do not
    broken = tmp_path / "fields"
    shutil.copytree(fields, broken)
    path = broken / "Img3" / "i2d.fits"
    path.write_bytes(path.read_bytes()[: 2880 * 3 + 100])
    with serve(broken, [ROW]) as served:
        settings = Archive(served.mast_url, served.vizier_host, tmp_path / "d", pause_s=0.01)
        with pytest.raises(MaskError, match=r"of no use.*truncated"):
            archive.fetch_product(settings, **IMAGE)
    assert kept(settings) == []


@pytest.mark.parametrize(
    ("faults", "requests"),
    [
        ({"unavailable": ("i2d", 1)}, 1),
        ({"half": ("i2d", 1)}, 2),
        ({"half": ("i2d", 2)}, 3),
        ({"half": ("i2d", 1), "no_ranges": "i2d"}, 2),
        ({"no_length": "i2d"}, 1),
        ({"html": ("i2d", 1)}, 2),
        ({"wrong_length": ("i2d", 1)}, 2),
    ],
)
def test_a_passing_trouble_is_overcome(start, fields, faults, requests):
    served, settings = start(**faults)
    found = archive.fetch_product(settings, **IMAGE)
    assert found["i2d"].path.read_bytes() == (fields / "Img3" / "i2d.fits").read_bytes()
    assert kept(settings) == COMPLETE
    asked = [line for line in served.requests_log if line.startswith("GET") and "i2d.fits" in line]
    assert len(asked) >= requests
    if "half" in faults:
        assert "bytes=" in asked[1]  # resumed where it broke


def test_a_run_that_was_killed_leaves_nothing_that_looks_complete(start, monkeypatch):
    _, settings = start()

    def interrupted(name, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.fetch_product(settings, **IMAGE, progress=interrupted)
    assert kept(settings) == []
    # killed between the file and its record
    monkeypatch.setattr(downloads, "write_text", lambda *_: interrupted(0, 0, 0))
    with pytest.raises(KeyboardInterrupt):
        archive.fetch_product(settings, **IMAGE)
    monkeypatch.undo()
    assert archive.cached_product(settings, **IMAGE) is None
    assert kept(settings) == [f"{NAME}_i2d.fits"]
    archive.fetch_product(settings, **IMAGE)
    assert kept(settings) == COMPLETE


### queries that go wrong ##########################################################################


@pytest.mark.parametrize("where", ["config", "query", "products"])
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("unavailable", "503"),
        ("missing", "HTTP status 404"),
        ("html", "not JSON, probably an error page"),
        ("hang", "time-out"),
    ],
)
def test_a_query_that_fails_is_explained(start, fault, says, where):
    _, settings = start(**{fault: where})
    settings = replace(settings, timeout_s=0.3 if fault == "hang" else 5, tries=2)
    with pytest.raises(MaskError, match=says) as error:
        archive.find_product(settings, **IMAGE)
    assert settings.mast_server in str(error.value)
    assert "jw01386-o014" in str(error.value)


def test_an_error_of_the_archive_itself_is_shown(start):
    _, settings = start(error="query")
    with pytest.raises(MaskError, match="Error converting data type"):
        archive.find_product(settings, **IMAGE)


@pytest.mark.parametrize("where", ["config", "query", "products"])
def test_a_query_is_asked_again_after_a_503(start, where):
    _, settings = start(unavailable=(where, 1))
    assert len(archive.find_product(settings, **IMAGE)) == 3


def test_a_query_that_is_executing_is_waited_for(start):
    served, settings = start(executing=(["query", "products"], 3))
    assert len(archive.find_product(settings, **IMAGE)) == 3
    assert served.count("/api/v0/invoke") == 5


def test_a_query_that_executes_for_ever_is_given_up(start):
    _, settings = start(executing="query")
    begin = time.monotonic()
    with pytest.raises(MaskError, match=r"no answer in time"):
        archive.find_product(replace(settings, timeout_s=0.2), **IMAGE)
    assert time.monotonic() - begin < 5


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_a_refused_connection_is_explained(tmp_path):
    gone = Archive(f"http://127.0.0.1:{free_port()}", f"localhost:{free_port()}", tmp_path)
    gone = replace(gone, pause_s=0.01, tries=2)
    with pytest.raises(MaskError, match="connection refused"):
        archive.fetch_product(gone, **IMAGE)
    with pytest.raises(MaskError, match="connection refused"):
        archive.fetch_catalogue(
            gone, catalogue="II/363/unwise", ra=RA, dec=DEC, box_deg=0.03, columns=COLUMNS
        )
    assert kept(gone) == []


### the catalogue ##################################################################################


def fetch_catalogue(settings, **options):
    asked = {"catalogue": "II/363/unwise", "ra": RA, "dec": DEC, "box_deg": 0.03}
    return archive.fetch_catalogue(settings, **(asked | {"columns": COLUMNS} | options))


def test_the_catalogue_has_all_rows_columns_units_and_masks(start, fields):
    served, settings = start()
    fetched = fetch_catalogue(settings)
    table, whole = Table.read(fetched.path), Table.read(fields / "Img3" / "unwise.ecsv")
    assert len(table) == 77  # more than VizieR's default of 50, without the 3 outside the box
    assert table.colnames == whole.colnames
    assert list(table["objID"]) == sorted(set(whole["objID"][3:]))
    assert str(table["RAJ2000"].unit) == "deg"
    assert str(table["FW1"].unit) == "nMgy"
    for name in ("FW1", "nm"):
        np.testing.assert_array_equal(table[name].mask, whole[name][3:].mask)
        np.testing.assert_array_equal(table[name].compressed(), whole[name][3:].compressed())
    np.testing.assert_array_equal(table["RAJ2000"], whole["RAJ2000"][3:])
    body = next(line for line in served.requests_log if "/viz-bin/votable" in line)
    assert {"-source=II/363/unwise", "-out.max=unlimited", "-out.all", "-c.bd=0.03x0.03"} <= set(
        body.split(" ", 2)[2].split("\n")
    )
    assert table.meta["catalogue"] == "II/363/unwise"
    served.requests_log.clear()
    assert fetch_catalogue(settings) == fetched
    assert served.requests_log == []


@pytest.mark.parametrize("fault", ["empty", "bare"])
def test_a_field_without_rows_is_a_table_without_rows(start, fault):
    _, settings = start(**{fault: "vizier"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = Table.read(fetch_catalogue(settings).path)
    assert len(table) == 0
    assert set(COLUMNS) <= set(table.colnames)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("error", "The database is not currently reachable"),
        ("unavailable", "503"),
        ("missing", "HTTP status 404"),
        ("html", "no VOTable; the answer begins with b'<!DOCTYPE html>"),
        ("half", "not understood"),
        ("hang", "time-out"),
    ],
)
def test_a_bad_catalogue_reply_is_explained_and_nothing_is_kept(start, fault, says):
    _, settings = start(**{fault: "vizier"})
    settings = replace(settings, timeout_s=0.5 if fault == "hang" else 5, tries=2)
    with pytest.raises(MaskError, match=says) as error:
        fetch_catalogue(settings)
    assert settings.vizier_server in str(error.value)
    assert "II/363/unwise around 165.50000 -34.70000" in str(error.value)
    assert kept(settings) == []


def test_the_recorded_error_reply_of_vizier_is_an_error(start, monkeypatch):
    recorded = (
        Path(__file__).resolve().parents[2].parent / "shared/real/wire/vizier__no_server_error.xml"
    )
    if not recorded.exists():
        pytest.skip(f"{recorded} is not here")
    import archive.server as server

    _, settings = start()
    monkeypatch.setattr(server, "_votable", lambda *_, **__: recorded.read_bytes())
    with pytest.raises(MaskError, match="The database is not currently reachable"):
        fetch_catalogue(settings)
    assert kept(settings) == []


def test_a_catalogue_without_the_columns_names_those_it_has(start):
    _, settings = start()
    with pytest.raises(MaskError, match=r"no column ra, dec; it has objID, RAJ2000.*catalogue\.ra"):
        fetch_catalogue(settings, columns=("objID", "ra", "dec"))
    assert kept(settings) == []


def test_an_unknown_catalogue_is_an_error(start):
    _, settings = start()
    with pytest.raises(MaskError, match=r"II/999/none.*check catalogue\.vizier"):
        fetch_catalogue(settings, catalogue="II/999/none")


### is there an archive? ###########################################################################


def test_a_reachable_archive_passes(start):
    served, settings = start()
    check_reachable(settings.mast_server, settings.vizier_server)
    assert served.count("GET /") == 2


def test_a_503_once_is_forgiven(start):
    _, settings = start(unavailable=("root", 1))
    check_reachable(settings.mast_server, settings.vizier_server, timeout_s=5)


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("refused", "connection refused"),
        ("unavailable", "HTTP status 503 Service Unavailable"),
        ("hang", "time-out"),
        ("certificate", "no trusted certificate"),
    ],
)
def test_an_archive_out_of_reach_names_host_cause_and_the_offline_command(
    start, case, says, monkeypatch
):
    faults = {case: "root"} if case in ("unavailable", "hang") else {}
    _, settings = start(**faults)
    mast, vizier = settings.mast_server, settings.vizier_server
    if case == "refused":
        mast = f"http://127.0.0.1:{free_port()}"
    elif case == "certificate":
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    begin = time.monotonic()
    with pytest.raises(MaskError) as error:
        check_reachable(mast, vizier, timeout_s=2)
    assert time.monotonic() - begin < 3
    assert says in str(error.value)
    assert (vizier if case == "certificate" else mast) in str(error.value)
    assert "snakemake --cores 8 --configfile config/simulated.yaml" in str(error.value)


def test_a_certificate_file_that_is_not_there_is_said(start, monkeypatch, tmp_path):
    _, settings = start()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(MaskError, match=r"VizieR.*certificate.*none\.pem"):
        check_reachable(settings.mast_server, settings.vizier_server, timeout_s=2)


def test_a_full_disk_is_said(start):
    _, settings = start()

    def full(*_):
        raise OSError(28, "No space left on device")

    with pytest.raises(MaskError, match=r"No space left on device.*archive\.downloads"):
        archive.fetch_product(settings, **IMAGE, progress=full)
    assert kept(settings) == []


def test_a_name_that_is_not_found_says_dns(start, monkeypatch):
    _, settings = start()
    look_up = socket.getaddrinfo

    def getaddrinfo(host, *args, **options):
        if host == "mast.example.org":
            raise socket.gaierror(-2, "Name or service not known")
        return look_up(host, *args, **options)

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(MaskError, match=r"mast\.example\.org: its name is not found \(DNS\)"):
        check_reachable("http://mast.example.org", settings.vizier_server, timeout_s=4)


def test_a_look_up_that_takes_for_ever_is_given_up(start, monkeypatch):
    _, settings = start()
    look_up = socket.getaddrinfo

    def getaddrinfo(host, *args, **options):
        if host == "slow.example.org":
            time.sleep(3)
        return look_up(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    begin = time.monotonic()
    with pytest.raises(MaskError, match="no answer within 1 s"):
        check_reachable("http://slow.example.org", settings.vizier_server, timeout_s=1)
    assert time.monotonic() - begin < 1.5


def test_the_record_says_where_from_and_when(start):
    _, settings = start()
    fetched = archive.fetch_product(settings, **IMAGE)["cat"]
    record = json.loads(fetched.path.with_name(fetched.path.name + ".json").read_text())
    assert record == {
        "uri": f"mast:JWST/product/{NAME}_cat.ecsv",
        "bytes": fetched.path.stat().st_size,
        "sha256": sha256(fetched.path),
        "retrieved": fetched.retrieved,
    }
    assert fetched.retrieved.endswith("Z")


def test_what_is_still_to_be_downloaded():
    """What is here does not count; MAST may not know a size; a catalogue has rows, no bytes."""
    offers = [
        archive.Offer("a_i2d.fits", "i2d", 30_123_456, "pipeline 1.12.5", False),
        archive.Offer("a_segm.fits", "segm", 4_000_000, "", True),
        archive.Offer("a_cat.ecsv", "cat", None, "", False),
        archive.Offer("II/363/unwise", "catalogue", None, "80 rows", False),
    ]
    assert [str(offer) for offer in offers] == [
        "a_i2d.fits: 30.1 MB, pipeline 1.12.5",
        "a_segm.fits: 4.0 MB, here already",
        "a_cat.ecsv",
        "II/363/unwise: 80 rows",
    ]
    text = archive.to_download(offers)
    assert text == "2 files, 30.1 MB and 1 of a size that MAST does not say"
    assert archive.to_download(offers[1:2]) == "0 files, 0.0 MB"
