"""Images at addresses on the command line: a web server, an S3 server, MAST's names."""

import json
import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

pytest.importorskip("cryptography", reason="makes the server's certificate")
from archive.server import serve  # the folder tests/archive
from conftest import make_image
from mirimask.addresses import file_name
from mirimask.command import run as command

MAST_NAME = "mast:JWST/product/jw09001-o001_t001_miri_f770w_i2d.fits"


class _Files(SimpleHTTPRequestHandler):
    """A folder's files, whole or from a byte on, as a web server and as S3 give them."""

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, *, body):
        path = self.translate_path(self.path)
        self.server.asked.append(f"{self.command} {self.path}")
        if not os.path.isfile(path):
            self.send_error(404)
            return
        with open(path, "rb") as file:
            content = file.read()
        size, status = len(content), 200
        wanted = self.headers.get("Range")
        if wanted:
            first, last = (int(n or size - 1) for n in wanted.removeprefix("bytes=").split("-"))
            content, status = content[first : last + 1], 206
        self.send_response(status)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{first + len(content) - 1}/{size}")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"one"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        if body:
            self.wfile.write(content[: len(content) // 2] if self.server.broken else content)


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """A server of a folder with an image, its catalogue and a web page."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "bucket").mkdir()
    make_image(folder / "bucket", "A", seed=1)
    (folder / "page_i2d.fits").write_text("<html>please log in</html>" + " " * 3000)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder)))
    server.asked, server.broken, server.folder = [], False, folder
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def ran(*arguments):
        status = command.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return ran


def one_error(answer, *says):
    assert answer[0] == 1
    assert answer[2].count("\n") == 1
    for text in says:
        assert text in answer[2]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://a.b/c/x_i2d.fits?Signature=a/b.c", "x_i2d.fits"),
        ("https://a.b/Download/file?uri=mast:JWST/product/x_i2d.fits&token=a.b", "x_i2d.fits"),
        ("https://a.b/get?size=1&file=x_i2d.fits", "x_i2d.fits"),
        ("https://a.b/get", "get"),
    ],
)
def test_what_a_file_at_an_address_is_called(address, name):
    assert file_name(address) == name


def test_what_is_no_address_is_said(run):
    one_error(run("stats", "https://[x/a_i2d.fits"), "it is no address")


def test_an_image_of_a_web_server(web, run):
    address = f"{web.address}/bucket/A_i2d.fits"
    status, _, err = run("mask", address, "-o", "m.fits", "--catalogue", "--plot")
    assert status == 0, err
    run("mask", web.folder / "bucket/A_i2d.fits", "-o", "n.fits")
    np.testing.assert_array_equal(fits.getdata("m.fits", "MASK"), fits.getdata("n.fits", "MASK"))
    assert fits.getheader("m.fits")["IMAGE"] == "A_i2d.fits"
    os.mkdir("out")
    assert run("mask", address, "-o", "out")[0] == 0
    assert os.listdir("out") == ["A_mask.fits"]
    status, out, _ = run("score", address, f"{web.address}/bucket/A.ecsv")
    assert status == 0
    assert "9 sources" in out


def test_what_is_fetched_is_kept_where_it_is_asked_for(web, run):
    address = f"{web.address}/bucket/A_i2d.fits"
    assert run("stats", address, "--downloads", "kept")[0] == 0
    kept = (web.folder / "bucket/A_i2d.fits").read_bytes()
    with open("kept/A_i2d.fits", "rb") as file:
        assert file.read() == kept


def test_two_files_of_one_name_are_not_kept_as_one(web, run):
    """The image would be taken for its own error."""
    (web.folder / "err").mkdir()
    shutil.copy(web.folder / "bucket/A_i2d.fits", web.folder / "err")
    image, error = (f"{web.address}/{folder}/A_i2d.fits" for folder in ("bucket", "err"))
    before = len(web.asked)
    answer = run("stats", image, "--error", error, "--downloads", "kept")
    one_error(answer, f"'{image}'", "--downloads keeps one of a name")
    assert len(web.asked) == before
    assert run("stats", image, "--error", error)[0] == 0


def test_an_address_that_cannot_be_had_is_said_as_one(web, run):
    nowhere = f"{web.address}/bucket/B_i2d.fits"
    one_error(run("mask", nowhere, "-o", "m.fits"), f"'{nowhere}'", "HTTP status 404")
    page = f"{web.address}/page_i2d.fits"
    one_error(run("mask", page, "-o", "m.fits"), f"'{page}'", "not a FITS file", "<html>")
    refused = "http://127.0.0.1:9/x_i2d.fits"
    one_error(run("mask", refused, "-o", "m.fits"), f"'{refused}'", "connection refused")
    no_host = "https://no.such.host.invalid/x_i2d.fits"
    one_error(run("stats", no_host), f"'{no_host}'", "not be fetched")
    one_error(run("stats", "http://127.0.0.1:9/"), "names no file")
    assert os.listdir() == []


def test_a_reply_that_breaks_off_is_no_image(web, run):
    web.broken = True
    try:
        address = f"{web.address}/bucket/A_i2d.fits"
        answer = run("mask", address, "-o", "m.fits")
        one_error(answer, f"'{address}'")
    finally:
        web.broken = False
    assert os.listdir() == []


def test_of_several_one_address_fails(web, run):
    good, bad = f"{web.address}/bucket/A_i2d.fits", f"{web.address}/bucket/B_i2d.fits"
    status, out, _ = run("mask", good, bad, "-o", "out")
    assert status == 1
    assert "B_i2d.fits: failed" in out
    assert os.listdir("out") == ["A_mask.fits"]


def test_an_image_of_a_bucket(web, run, monkeypatch):
    pytest.importorskip("s3fs")
    monkeypatch.setenv("AWS_ENDPOINT_URL", web.address)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    status, out, err = run("stats", "s3://bucket/A_i2d.fits", "--json")
    assert status == 0, err
    assert json.loads(out)["shape"] == [150, 140]
    one_error(run("stats", "s3://bucket/B_i2d.fits"), "'s3://bucket/B_i2d.fits'", "no such file")


def test_a_bucket_without_its_package(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    one_error(run("stats", "s3://bucket/A_i2d.fits"), "pip install 'mirimask[s3]'")


### MAST ###########################################################################################


@pytest.fixture
def mast(tmp_path, monkeypatch):
    """An archive with one image, which astroquery's configuration names."""
    place = tmp_path / "served" / "P1"
    place.mkdir(parents=True)
    make_image(place, "P", seed=1)
    (place / "P_i2d.fits").rename(place / "i2d.fits")
    with fits.open(place / "i2d.fits", mode="update") as hdus:
        hdus[0].header["SIMULATD"] = True
    row = {"image": "P1", "program": "9001", "observation": "1", "filter": "F770W"}
    rows = [row | {"ra": 81.0, "dec": -20.0, "target": "1"}]
    from astroquery.mast import conf

    with serve(tmp_path / "served", rows, survey=True) as served:
        monkeypatch.setattr(conf, "server", served.mast_url)
        yield served


def test_a_name_of_mast(mast, run):
    status, _, err = run("mask", MAST_NAME, "-o", "m.fits", "--catalogue", "c.ecsv")
    assert status == 0, err
    assert fits.getdata("m.fits", "MASK").sum() > 100
    assert len(Table.read("c.ecsv")) > 3
    for _ in range(2):
        assert run("stats", MAST_NAME, "--downloads", "kept")[0] == 0
    assert mast.count("GET /api/v0.1/Download/file") == 2  # not again what was kept


def test_a_name_of_mast_without_its_package(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "astroquery.mast", None)
    one_error(run("stats", MAST_NAME), "astroquery", "pip install 'mirimask[archive]'")


def test_a_name_that_mast_does_not_have(mast, run):
    name = MAST_NAME.replace("o001", "o002")
    answer = run("mask", name, "-o", "m.fits")
    one_error(answer, f"'{name}'", mast.mast_url, "HTTP status 404")
    assert "table of images" not in answer[2]
