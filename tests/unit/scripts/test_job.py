"""The processes that a run keeps for its jobs."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from conftest import ROOT
from mirimask.errors import DamagedFile, MaskError

SCRIPTS = ROOT / "workflow" / "scripts"
SCRIPT = """
import errno
import os
import time
from pathlib import Path
from mirimask.atomic import replacing
from mirimask.errors import DamagedFile, MaskError

def main(job):
    print("noise of a library", flush=True)
    todo = job.params.todo
    log = Path(job.log[0]).parent
    if todo == "person":
        raise MaskError("the file is empty")
    if todo == "mistake":
        raise KeyError("frame")
    if todo == "full":
        raise OSError("Not enough space") from OSError(errno.ENOSPC, "full", "masks/A.fits")
    if todo == "exit":
        os._exit(3)
    if todo == "wait":
        with replacing(job.output.pid) as temporary:
            temporary.write_text("half")
            (log / "waits").write_text(str(os.getpid()))
            time.sleep(60)
    if todo == "meet":  # waits for another job that runs at the same time
        (log / f"{os.getpid()}.met").write_text(str(os.getppid()))
        while len(list(log.glob("*.met"))) < 2:
            time.sleep(0.01)
    Path(job.output.pid).write_text(f"{os.getpid()} {job.input[1]} {job.wildcards['image']}")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the script above, where it and the project's own are found."""
    (tmp_path / "a_script.py").write_text(SCRIPT)
    folders = [str(tmp_path), str(SCRIPTS), str(SCRIPTS.parent)]
    monkeypatch.setenv("PYTHONPATH", ":".join(folders))
    for name in folders:
        monkeypatch.syspath_prepend(name)
    return tmp_path


@pytest.fixture
def run(folder):
    """Run the script above with something to do; what it wrote."""
    import job

    workers, output = job.Workers(), folder / "pid.txt"

    def run(todo):
        workers.run(
            "a_script",
            {
                "input": job.Named(["first.fits", "second.fits"], {}.items()),
                "output": job.Named([str(output)], {"pid": str(output)}.items()),
                "params": job.Named([todo], {"todo": todo}.items()),
                "wildcards": job.Named(["Img1"], {"image": "Img1"}.items()),
                "log": job.Named([str(folder / "log" / "job.log")], {}.items()),
            },
        )
        return output.read_text().split()

    yield run
    for pool, _ in workers.idle:
        pool.shutdown()


def appears(path, seconds=60):
    """Wait for a file; its text."""
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"no {path.name}"
        time.sleep(0.02)
    return path.read_text()


def gone(process, seconds=20):
    """Whether a process ends within some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # ended; whoever adopted it may be slow to look
            return True
        time.sleep(0.05)
    return False


def test_jobs_share_a_process(run):
    pid, second, image = run("work")
    assert (second, image) == ("second.fits", "Img1")
    assert run("work")[0] == pid


def test_jobs_at_the_same_time_have_processes_that_share_their_imports(run, folder):
    with ThreadPoolExecutor() as threads:
        list(threads.map(run, ["meet", "meet"]))
    met = list(folder.glob("log/*.met"))
    assert len(met) == 2
    assert len({path.read_text() for path in met}) == 1  # forks of the same server
    assert run("work")[0] in {path.stem for path in met}


def test_errors_come_back_and_the_process_goes_on(run, folder):
    pid = run("work")[0]
    with pytest.raises(MaskError, match=r"^the file is empty$"):
        run("person")
    assert "the file is empty" in (folder / "log" / "job.log").read_text()
    with pytest.raises(RuntimeError, match=r"a_script(.|\n)*line 16(.|\n)*KeyError: 'frame'"):
        run("mistake")
    assert run("work")[0] == pid


def test_a_full_disk_is_one_sentence(run):
    with pytest.raises(MaskError, match=r"^masks/A.fits: No space left on device. Free some"):
        run("full")


def test_no_memory_and_a_missing_permission_are_one_sentence(folder):
    from job import logged

    def raising(error):
        def main(job):
            raise error

        return main

    job = SimpleNamespace(output=["masks/A.fits"], log=[folder / "job.log"])
    for error, said in (
        (MemoryError(), r"^masks/A.fits: there is too little memory"),
        (OSError(errno.EROFS, "read-only"), r"^masks/A.fits: Read-only file system"),
        (PermissionError(errno.EACCES, "denied", "a.fits"), r"^a.fits: Permission denied"),
        (OSError("8000 requested and 0 written"), r"^masks/A.fits: No space left on device"),
    ):
        with pytest.raises(MaskError, match=said) as raised:
            logged(raising(error), job)
        assert job.log[0].read_text() == f"ERROR: {raised.value}\n"
    with pytest.raises(FileNotFoundError):  # a mistake, to be seen whole
        logged(raising(FileNotFoundError(errno.ENOENT, "no", "a.fits")), job)
    with pytest.raises(MaskError, match=r"job.log: File exists. Move it away"):
        logged(raising(None), SimpleNamespace(output=[], log=[folder / "job.log" / "job.log"]))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGKILL, r"was ended by SIGKILL: by the system, where memory was short, or"),
        (signal.SIGTERM, r"was ended by SIGTERM\. The same command again"),
        (signal.SIGSEGV, r"was ended by SIGSEGV\. The same command again"),
    ],
)
def test_a_process_that_is_ended_says_how_and_leaves_nothing(run, folder, number, said):
    pid = run("work")[0]
    (folder / "pid.txt").unlink()
    with ThreadPoolExecutor() as threads:
        job = threads.submit(run, "wait")
        assert appears(folder / "log" / "waits") == pid
        os.kill(int(pid), number)
        with pytest.raises(MaskError, match=rf"^a_script Img1: its process {said}"):
            job.result()
    assert not list(folder.glob(".*partial*"))
    assert run("work")[0] != pid


def test_a_process_that_exits_says_so(run):
    run("work")
    with pytest.raises(MaskError, match=r"its process ended with exit code 3\."):
        run("exit")


def test_one_that_died_while_idle_is_replaced_without_a_word(run):
    pid = run("work")[0]
    os.kill(int(pid), signal.SIGKILL)
    assert gone(pid)
    time.sleep(0.2)
    assert run("work")[0] != pid


def test_where_no_process_can_be_started_it_is_said(folder):
    (folder / "worker.py").write_text("import os\nos._exit(1)\n")
    done = subprocess.run(
        [sys.executable, "-c", RUN, "work"], cwd=folder, text=True, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert "no process can be started for the jobs of a run" in done.stderr


def test_an_interrupt_does_not_end_a_job(run, folder):
    """Ctrl-C goes to every process of a terminal; what it means is Snakemake's to say."""
    pid = run("work")[0]
    os.kill(int(pid), signal.SIGINT)
    assert run("work")[0] == pid


RUN = """
import os, sys
import job
workers = job.Workers()
parts = {
    "input": job.Named(["a", "b"], {}.items()),
    "output": job.Named(["pid.txt"], {"pid": "pid.txt"}.items()),
    "params": job.Named([], {"todo": sys.argv[1]}.items()),
    "wildcards": job.Named([], {"image": "Img1"}.items()),
    "log": job.Named(["log/job.log"], {}.items()),
}
workers.run("a_script", {**parts, "params": job.Named([], {"todo": "work"}.items())})
print(open("pid.txt").read().split()[0], flush=True)
os.remove("pid.txt")
if sys.argv[1] == "burn":
    sys.exit()
workers.run("a_script", parts)
"""


def test_nothing_is_left_of_a_run_that_is_killed(folder):
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, "wait"], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    while not (pid := run.stdout.readline().strip()).isdigit():
        assert pid == "noise of a library"
    server = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    assert appears(folder / "log" / "waits") == pid
    run.kill()
    run.wait()
    assert gone(pid)
    assert gone(server)
    assert not list(folder.glob(".*partial*"))
    assert not (folder / "pid.txt").exists()


def test_the_time_of_all_processes_is_counted_and_none_is_left(folder):
    """The process that started the run sees what its workers used when it has ended."""
    burn = "\ndef main(job):\n    end = time.process_time() + 1.5\n"
    burn += "    while time.process_time() < end:\n        pass\n"
    burn += "    Path(job.output.pid).write_text(f'{os.getpid()} {os.getppid()}')\n"
    (folder / "a_script.py").write_text(SCRIPT.partition("def main")[0] + burn)
    watch = f"""
        import resource, subprocess, sys
        out = subprocess.run([sys.executable, "-c", {RUN!r}, "burn"], stdout=subprocess.PIPE)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(out.returncode, out.stdout.decode().strip(), used.ru_utime + used.ru_stime)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(watch)],
        cwd=folder,
        text=True,
        capture_output=True,
        check=True,
    )
    code, pid, seconds = done.stdout.split()
    assert code == "0"
    assert float(seconds) > 1.5
    assert not Path(f"/proc/{pid}").exists()


def test_a_command_is_not_run_again_by_its_processes(folder):
    """Else each of them would have the imports of Snakemake before its first job."""
    command = "print('imported')\nif __name__ == '__main__':\n" + textwrap.indent(RUN, "    ")
    (folder / "command").write_text(command)
    done = subprocess.run(
        [sys.executable, "command", "burn"], cwd=folder, text=True, capture_output=True, check=True
    )
    assert done.stdout.split().count("imported") == 1


def test_names_of_snakemake_are_kept_without_snakemake(folder):
    from job import _plain
    from snakemake.io import AnnotatedString
    from snakemake.iocontainers import InputFiles

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


def _measured(folder, main):
    from job import Named, or_why_not
    from mirimask.table_files import read_texts, write_reason

    csv = folder / "A.csv"
    job = SimpleNamespace(
        output=Named([str(csv)], {"csv": str(csv)}.items()),
        wildcards=SimpleNamespace(image="A"),
    )
    or_why_not(write_reason)(main)(job)
    return read_texts(csv).to_dict("records")


def test_an_image_that_cannot_be_measured_says_why(folder, caplog):
    def fails(job):
        raise MaskError("no place for a star")

    assert _measured(folder, fails) == [{"image": "A", "not_measured": "no place for a star"}]
    assert "A is left out of this measure: no place for a star" in caplog.text
    assert _measured(folder, lambda job: Path(job.output.csv).write_text("n\n1\n")) == [{"n": "1"}]

    def damaged(job):
        raise DamagedFile("'peaks.csv': damaged", "no columns")

    with pytest.raises(DamagedFile):  # of a file, not of the image
        _measured(folder, damaged)

    def mistake(job):
        raise KeyError("frame")

    with pytest.raises(KeyError):
        _measured(folder, mistake)


def test_parts_of_jobs(folder):
    from job import Named, any_simulated, method_options, scene_files, with_simulated

    for name, simulated in (("A", "false"), ("B", "true")):
        (folder / f"{name}.json").write_text(f'{{"simulated": {simulated}}}')
    assert any_simulated([folder / "A.json", folder / "B.json"])
    assert not any_simulated([folder / "A.json"])
    both = [folder / "A.json", folder / "B.json"]
    table = with_simulated(pd.DataFrame({"image": ["A", "B", "All"]}), both)
    assert table["simulated"].tolist() == [False, True, True]
    assert with_simulated(pd.DataFrame({"n": [1]}), both)["simulated"].tolist() == [True]
    given = {"segmentation": {"snr": 5}, "detectors": {"sep": {"level": 2}}}
    assert method_options(Named([], given.items())) == {
        **{"segmentation": {"settings": {"snr": 5}}, "sep": {"level": 2}}
    }
    images = {"images": ["A", "B"], "with_truth": ["B"]}
    files = {"frames": ["a", "b"], "peaks": ["c", "d"], "psfs": ["e", "e"], "truths": ["t"]}
    job = SimpleNamespace(params=Named([], images.items()), input=Named([], files.items()))
    assert list(scene_files(job)) == [
        ("A", {"frame": "a", "peaks": "c", "psf": "e", "truth": None}),
        ("B", {"frame": "b", "peaks": "d", "psf": "e", "truth": "t"}),
    ]
