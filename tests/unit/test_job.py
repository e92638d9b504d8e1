"""The processes that a run keeps for its jobs."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mirimask.errors import MaskError

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"
SCRIPT = """
import os
import time
from pathlib import Path
from mirimask.errors import MaskError

IMPORTED_BY = os.getpid()

def main(job):
    print("noise of a library", flush=True)
    todo = job.params.todo
    if todo == "person":
        raise MaskError("the file is empty")
    if todo == "mistake":
        raise KeyError("frame")
    if todo == "die":
        os._exit(3)
    if todo == "meet":  # waits for another job that runs at the same time
        met = Path(job.log[0]).parent
        (met / f"{os.getpid()}.met").write_text(str(IMPORTED_BY))
        while len(list(met.glob("*.met"))) < 2:
            time.sleep(0.01)
    Path(job.output.pid).write_text(f"{os.getpid()} {job.input[1]} {job.wildcards['image']}")
"""


@pytest.fixture
def run(tmp_path, monkeypatch, request):
    """Run the script above with something to do; what it wrote."""
    (tmp_path / "a_script.py").write_text(SCRIPT)
    folders = [str(tmp_path), str(SCRIPTS), str(SCRIPTS.parent)]
    monkeypatch.setenv("PYTHONPATH", ":".join(folders))
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.delitem(sys.modules, "job", raising=False)
    import job

    workers, output = job.Workers(*getattr(request, "param", ())), tmp_path / "pid.txt"

    def run(todo):
        workers.run(
            "a_script",
            {
                "input": job.Named(["first.fits", "second.fits"], {}.items()),
                "output": job.Named([str(output)], {"pid": str(output)}.items()),
                "params": job.Named([todo], {"todo": todo}.items()),
                "wildcards": job.Named(["Img1"], {"image": "Img1"}.items()),
                "log": job.Named([str(tmp_path / "log" / "job.log")], {}.items()),
            },
        )
        return output.read_text().split()

    return run


def test_jobs_share_a_process(run):
    pid, second, image = run("work")
    assert (second, image) == ("second.fits", "Img1")
    assert run("work")[0] == pid


def test_errors_come_back_and_the_process_goes_on(run, tmp_path):
    pid = run("work")[0]
    with pytest.raises(MaskError, match=r"^the file is empty$"):
        run("person")
    assert "the file is empty" in (tmp_path / "log" / "job.log").read_text()
    with pytest.raises(RuntimeError, match=r"a_script(.|\n)*line 15(.|\n)*KeyError: 'frame'"):
        run("mistake")
    assert run("work")[0] == pid


def test_a_process_that_died_is_replaced(run):
    pid = run("work")[0]
    with pytest.raises(RuntimeError, match="a_script: its process was ended"):
        run("die")
    assert run("work")[0] != pid


@pytest.mark.parametrize("run", [(2, ["a_script", "no_such_script"])], indirect=True)
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
def test_the_first_processes_share_their_imports(run, tmp_path):
    with ThreadPoolExecutor() as pool:
        list(pool.map(run, ["meet", "meet"]))
    (importer,) = {path.read_text() for path in tmp_path.glob("log/*.met")}
    pids = {path.stem for path in tmp_path.glob("log/*.met")}
    assert len(pids) == 2
    assert importer in pids
    pid = run("work")[0]
    with pytest.raises(RuntimeError, match="its process was ended"):
        run("die")  # the one that waited longer
    assert run("work")[0] == pid


def test_names_of_snakemake_are_kept_without_snakemake(monkeypatch):
    from snakemake.io import AnnotatedString
    from snakemake.iocontainers import InputFiles

    monkeypatch.syspath_prepend(str(SCRIPTS))
    from job import _plain

    given = InputFiles(toclone=[AnnotatedString(name) for name in ("a", "b", "c")])
    given._set_name("masks", 0, end=2)
    given._set_name("frame", 2)
    plain = _plain(given)
    assert list(plain) == ["a", "b", "c"]
    assert list(plain.masks) == ["a", "b"]
    assert plain.frame == plain["frame"] == plain.get("frame") == "c"
    assert plain.get("segm") is None
    assert {type(item) for item in [*plain, plain.frame, *plain.masks]} == {str}
    assert list(plain.keys()) == ["masks", "frame"]
