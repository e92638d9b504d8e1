"""Between-workflow caching: a second study takes downloads and the PSF from the first (--cache)."""

import pytest

pytest.importorskip("cryptography", reason="makes the server's certificate")
from archive.server import serve
from archive.test_archive import ROW, make_field
from conftest import Study

MANIFEST = "results/small/manifest.tsv"
PSF = "results/small/simulation/psf_F770W.fits"


def archived(folder, served):
    """A study of one image of the archive, in a folder of its own."""
    folder.mkdir()
    study = Study(folder)
    study.images = [dict(ROW)]
    study.config["archive"] = {
        "mast_server": served.mast_url,
        "vizier_server": served.vizier_host,
    }
    study.config["simulation"] = {"psf": {"size_arcsec": 4, "wavelengths": 1}}
    return study


def test_downloads_and_psf_are_taken_from_the_cache(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(cache))
    make_field(tmp_path / "fields" / "Img3")
    with serve(tmp_path / "fields", [ROW]) as served:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca_bundle))
        first = archived(tmp_path / "first", served)
        done = first.run(MANIFEST, PSF, options=["--cache"])
        assert done.returncode == 0, done.stdout
    second = archived(tmp_path / "second", served)  # the servers are gone
    done = second.run(MANIFEST, PSF, options=["--cache"])
    assert done.returncode == 0, done.stdout
    files = [MANIFEST, PSF, "results/small/archive/Img3/unwise.ecsv"]
    files += [f"results/small/archive/Img3/{name}" for name in ("i2d.fits", "segm.fits")]
    for file in files:
        assert (second.folder / file).read_bytes() == (first.folder / file).read_bytes(), file
    for file in files[1:]:
        assert (second.folder / file).resolve().parent == cache
    assert not (second.folder / "results" / "downloads").exists()

    third = archived(tmp_path / "third", served)
    third.config["simulation"]["psf"]["size_arcsec"] = 5
    done = third.run(PSF, options=["--cache"])
    assert done.returncode == 0, done.stdout
    assert (third.folder / PSF).resolve().parent == cache
    assert (third.folder / PSF).read_bytes() != (second.folder / PSF).read_bytes()
