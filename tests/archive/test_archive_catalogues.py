"""The catalogues beside unWISE, fetched by the real astroquery client from the served archive."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table
from mirimask import archive
from mirimask.archive import Archive, check_reachable
from mirimask.archive.downloads import keep
from mirimask.errors import MaskError
from mirimask.sources.catalogue import CATALOGUES

pytest.importorskip("cryptography", reason="makes the server's certificate")
from archive.server import serve  # the folder tests/archive
from archive.test_archive import DEC, RA, ROW, free_port, kept, make_field

OTHERS = [name for name in CATALOGUES if name != "unwise"]


def make_catalogue(folder: Path, name: str) -> Table:
    """A table of a service with 60 rows, 5 of them outside a box of 0.03 deg."""
    known, rng = CATALOGUES[name], np.random.default_rng(4)
    east, north = rng.uniform(-0.0145, 0.0145, (2, 60))
    east[:5] = 0.0185  # outside the box, inside the circle that IRSA is asked for
    north[:5] = 0
    sky = SkyCoord(RA, DEC, unit="deg").spherical_offsets_by(east * _deg(), north * _deg())
    table = Table({known.id: [f"{name}{i:03d}" for i in range(60)]})
    table[known.ra], table[known.dec] = sky.ra, sky.dec
    table[known.flux] = MaskedColumn(rng.uniform(1, 9, 60), mask=np.arange(60) % 4 == 0)
    if name == "seip":
        table["m1_fluxtype"] = np.where(np.arange(60) % 4 == 0, 3, 1)
    for column in (known.ra, known.dec):
        table[column].unit = "deg"
    table.write(folder / f"{name}.ecsv", format="ascii.ecsv")
    return table


def _deg():
    import astropy.units as u

    return u.deg


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fields")
    make_field(folder / "Img3")
    for name in OTHERS:
        make_catalogue(folder / "Img3", name)
    return folder


@pytest.fixture
def start(fields, tmp_path, monkeypatch):
    """Start a server with faults; gives it and the archive's settings for it."""
    with ExitStack() as stack:

        def started(**faults):
            served = stack.enter_context(serve(fields, [ROW], **faults))
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca_bundle))
            return served, Archive(
                served.mast_url,
                served.vizier_host,
                downloads=tmp_path / "downloads",
                timeout_s=5,
                pause_s=0.01,
                irsa_server=served.mast_url,
            )

        yield started


def fetch(settings, name, **options):
    known = CATALOGUES[name]
    asked = {
        "catalogue": known.table,
        "service": known.service,
        "columns": (known.id, known.ra, known.dec),
    }
    return archive.fetch_catalogue(settings, ra=RA, dec=DEC, box_deg=0.03, **(asked | options))


@pytest.mark.parametrize("name", OTHERS)
def test_all_rows_in_the_box_arrive_with_units_and_masks_and_are_kept(start, fields, name):
    served, settings = start()
    known = CATALOGUES[name]
    fetched = fetch(settings, name)
    table, whole = Table.read(fetched.path), Table.read(fields / "Img3" / f"{name}.ecsv")
    assert list(table[known.id]) == list(whole[known.id][5:])
    assert set(table.colnames) == set(whole.colnames)
    assert str(table[known.ra].unit) == "deg"
    np.testing.assert_allclose(table[known.dec], whole[known.dec][5:], rtol=1e-12)
    np.testing.assert_array_equal(table[known.flux].mask, whole[known.flux][5:].mask)
    assert table.meta["catalogue"] == known.table
    assert known.table in fetched.uri
    served.requests_log.clear()
    assert fetch(settings, name) == fetched
    assert served.requests_log == []


def test_irsa_is_asked_by_tap_and_vizier_for_the_positions_it_computes(start):
    served, settings = start()
    fetch(settings, "seip")
    fetch(settings, "mipsgal")
    tap, vizier = (
        next(line for line in served.requests_log if path in line)
        for path in ("/TAP/sync", "/viz-bin/votable")
    )
    assert "SELECT+*+FROM+slphotdr4+WHERE" in tap
    assert "-source=J/AJ/149/64/catalog" in vizier
    assert "-out.add=_RAJ2000,_DEJ2000" in vizier


def test_columns_that_vizier_works_out_are_asked_for_where_they_are_not_kept(start, tmp_path):
    """As after a study that used the table's own positions."""
    served, settings = start()
    known, first = CATALOGUES["mipsgal"], fetch(settings, "mipsgal")
    table = Table.read(first.path, format="ascii.ecsv")
    table.remove_columns([known.ra, known.dec])
    table.write(tmp_path / "without.ecsv")
    keep(tmp_path / "without.ecsv", first.path, first.uri)
    served.requests_log.clear()
    again = Table.read(fetch(settings, "mipsgal").path, format="ascii.ecsv")
    assert {known.id, known.ra, known.dec} <= set(again.colnames)
    assert served.count("/viz-bin/votable") == 1


@pytest.mark.parametrize("name", OTHERS)
def test_a_field_without_rows_is_a_table_without_rows(start, name):
    known = CATALOGUES[name]
    _, settings = start(empty=known.service)
    table = Table.read(fetch(settings, name).path)
    assert len(table) == 0
    assert {known.id, known.ra, known.dec} <= set(table.colnames)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("error", "cancelled after 60 s"),
        ("unavailable", "503"),
        ("missing", "HTTP status 404"),
        ("html", r"failed: "),
        ("half", r"failed: "),
        ("hang", "no answer in time"),
        ("overflow", r"more rows than IRSA sends at once.*catalogue\.box_deg"),
    ],
)
def test_a_bad_reply_of_irsa_is_explained_and_nothing_is_kept(start, fault, says):
    _, settings = start(**{fault: "irsa"})
    settings = replace(settings, timeout_s=0.5 if fault == "hang" else 5, tries=2)
    with pytest.raises(MaskError, match=says) as error:
        fetch(settings, "seip")
    assert settings.irsa_server in str(error.value)
    assert "slphotdr4 around 165.50000 -34.70000" in str(error.value)
    assert "\n" not in str(error.value)
    assert kept(settings) == []


def test_irsa_out_of_reach_and_an_unknown_table_are_explained(start):
    _, settings = start()
    with pytest.raises(MaskError, match=r"\[slphotdr5\] is not found.*check catalogue\.irsa"):
        fetch(settings, "seip", catalogue="slphotdr5")
    with pytest.raises(MaskError, match=r"no column source_id; it has objid.*catalogue\.id"):
        fetch(settings, "seip", columns=("source_id", "ra", "dec"))
    gone = replace(settings, irsa_server=f"http://127.0.0.1:{free_port()}", tries=2)
    with pytest.raises(MaskError, match=r"slphotdr4.*connection refused"):
        fetch(gone, "seip")
    with pytest.raises(
        MaskError, match=r"(?s)IRSA at http://127.*archive\.irsa_server in the conf"
    ):
        check_reachable(settings.mast_server, irsa_server=gone.irsa_server, timeout_s=2)
    check_reachable(settings.mast_server, irsa_server=settings.irsa_server, timeout_s=5)
    assert kept(settings) == []


### rules ##########################################################################################


@pytest.fixture
def archived(study, fields, monkeypatch):
    """A study of the archive's image with the SEIP, in circles of its resolution."""
    study.images = [dict(ROW)]
    study.config["catalogue"] = {"name": "seip"}
    study.config["verdict"] = {"radius": "catalogue", "near": "catalogue"}
    with serve(fields, [ROW]) as served:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca_bundle))
        study.config["archive"] = {
            "source": "mast",
            "downloads": "results/downloads",
            "mast_server": served.mast_url,
            "vizier_server": f"localhost:{free_port()}",  # nothing of it is needed
            "irsa_server": served.mast_url,
        }
        yield study


def test_a_study_with_another_catalogue_needs_its_archive_only(archived):
    target = "results/small/sources/Img3.ecsv"
    archived.config["crop"] = None
    done = archived.run(target, "results/small/manifest.tsv")
    assert done.returncode == 0, done.stdout
    table = Table.read(archived.results / "archive" / "Img3" / "seip.ecsv")
    assert len(table) == 55
    sources = Table.read(archived.results / "sources" / "Img3.ecsv")
    assert sources.meta["catalogue"] == "seip"
    assert sources.meta["n_removed"] == (table["m1_fluxtype"] != 1).sum() > 0
    assert "seip" in (archived.results / "manifest.tsv").read_text()


def test_names_that_cannot_be_are_said_in_one_line(archived):
    archived.config["catalogue"] = {"name": "spie"}
    done = archived.run("results/small/manifest.tsv")
    assert done.returncode != 0
    assert "catalogue.name: 'spie' is not a known catalogue (unwise, catwise, mipsgal, seip)" in (
        done.stdout
    )
    assert "Traceback" not in done.stdout
