"""What the machine does to a run: signals, locks, folders that cannot be written to."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import SNAKEMAKE
from mirimask.errors import MaskError
from study.folders import check_folders, check_writable

TABLES = [f"results/small/tables/table{number}.csv" for number in (1, 2, 3)]


def started(study):
    """A run in a session of its own, at the moment when a mask has been made by one of its jobs."""
    study.write()
    # where the tests run in the background of a shell, interrupts would be ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    before = set(study.results.glob("masks/*/*.fits"))
    with open(study.folder / "run.log", "w") as log:
        run = subprocess.Popen(
            [*(*SNAKEMAKE, "--cores", "2"), "--configfile", "study.yaml"],
            cwd=study.folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + 300
    while set(study.results.glob("masks/*/*.fits")) == before:
        assert run.poll() is None, (study.folder / "run.log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return run


def left_of(run, seconds=120):
    """The commands of a run's session that are still there after some seconds."""
    deadline = time.monotonic() + seconds
    while True:
        left = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
                if int(session) == run.pid and state != "Z":
                    left.append((stat.parent / "cmdline").read_text().replace("\0", " "))
            except OSError:  # it has just ended
                continue
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_run_that_is_ended_leaves_nothing_and_goes_on(study):
    """Ctrl-C, SIGTERM and kill -9, one after the other; then the run to its end."""
    endings = (
        (signal.SIGINT, os.killpg),  # Ctrl-C goes to every process of the terminal
        (signal.SIGTERM, os.kill),
        (signal.SIGKILL, os.kill),
    )
    for number, send in endings:
        run = started(study)
        send(run.pid, number)
        run.wait(timeout=300)
        assert run.returncode != 0
        assert left_of(run) == []
        said = (study.folder / "run.log").read_text()
        assert "Traceback" not in said, said
        for folder in ("frame", "masks", "verdicts"):  # so that the next one finds work to do
            for path in study.results.glob(f"{folder}/**/*.fits"):
                path.unlink()
    locked = study.run()
    assert locked.returncode != 0
    assert "--unlock" in locked.stdout
    assert "Traceback" not in locked.stdout
    assert study.run(options=["--unlock"]).returncode == 0
    done = study.run(*TABLES)
    assert done.returncode == 0, done.stdout
    assert not list(study.results.rglob(".*partial*"))


def test_a_file_in_the_place_of_the_results_is_said(study):
    (study.folder / "results").write_text("")
    done = study.run(*TABLES)
    assert done.returncode != 0
    assert f"{study.folder / 'results'}: is no folder, and results has to be one" in done.stdout
    assert "Traceback" not in done.stdout


def test_folders_that_cannot_be_used(tmp_path, monkeypatch):
    check_writable(tmp_path / "results" / "mine")
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "mine"):
        with pytest.raises(MaskError, match=rf"^{tmp_path}/file: is no folder, and .* Move it"):
            check_folders(path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("usage", (), {"free": 4096}))
    with pytest.raises(MaskError, match=rf"^{tmp_path}: its disk is full\. Free some space"):
        check_writable(tmp_path / "results")
    # root may write anywhere, so that the answer of the system is put in its place
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(MaskError, match=rf"^{tmp_path}: cannot be written to\. See who"):
        check_writable(tmp_path / "results")
