"""The study through Slurm on this machine: `make test-slurm`.

TEST_SLURM is the number of simulated images; without it these tests are skipped.
"""

import os
import re
import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
import yaml
from archive.server import serve
from astropy.io import fits
from conftest import ROOT, SNAKEMAKE, Study, make_image
from slurm.local_slurm import SYSTEM_CONF, answers, left_over, missing_tools, started

N_IMAGES = int(os.environ.get("TEST_SLURM") or 0)
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(not N_IMAGES, reason="takes minutes and needs Slurm: make test-slurm"),
]
SLURM = ["--workflow-profile", "slurm", "--slurm-init-seconds-before-status-checks", "2"]
NOT_COMPARED = ("logs", "report.zip")  # the report says when its jobs ran
DATED = ("inputs.json", "own_images.json")  # hold the dates of the files in a folder


@pytest.fixture(scope="module", autouse=True)
def slurm(tmp_path_factory):
    """The Slurm that is set up here, or one started for these tests."""
    if answers():
        yield
        return
    if missing := missing_tools():
        pytest.skip(f"no {', '.join(missing)}: make test-slurm installs them, as root on Debian")
    if os.geteuid() or (SYSTEM_CONF.exists() and not left_over()):
        pytest.skip(f"only root starts a Slurm, and only without a {SYSTEM_CONF}")
    with started(tmp_path_factory.mktemp("slurm")):
        yield


def image_rows(n):
    """The last n rows of the table of images: those with most sources."""
    table = pd.read_csv(ROOT / "config" / "images.tsv", sep="\t", dtype=str, keep_default_na=False)
    return table.to_dict("records")[-n:]


def simulated(folder):
    """The simulated study of N_IMAGES images."""
    study = Study(folder)
    study.config = yaml.safe_load((ROOT / "config" / "simulated.yaml").read_text())
    study.config["images"] = "images.tsv"
    study.images = image_rows(N_IMAGES)
    return study


def two_small(folder):
    """A study of two small local images."""
    study = Study(folder)
    study.images = [make_image(folder, code, seed=i) for i, code in enumerate(["A", "B"])]
    return study


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """The simulated study without a cluster."""
    study = simulated(tmp_path_factory.mktemp("local"))
    done = study.run(timeout=3600)
    assert done.returncode == 0, done.stdout
    return study


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two small images without a cluster."""
    study = two_small(tmp_path_factory.mktemp("small"))
    done = study.run(*tables(), timeout=3600)
    assert done.returncode == 0, done.stdout
    return study


def tables():
    return [f"results/small/tables/table{number}.csv" for number in (1, 2, 3)]


def same_files(one, other):
    """The files of two folders of results are the same, byte by byte; returns their number."""
    names = [
        {
            path.relative_to(folder)
            for path in folder.rglob("*")
            if path.is_file()
            and path.name not in DATED
            and path.relative_to(folder).parts[0] not in NOT_COMPARED
        }
        for folder in (one, other)
    ]
    assert names[0] == names[1]
    for name in names[0]:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    return len(names[0])


def jobs(name):
    """Slurm's jobs whose name begins so: number, state, comment (what the job is), start, end."""
    listed = subprocess.run(
        ["squeue", "--states=all", "--noheader", "--format=%i|%T|%k|%S|%e|%j"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split("|") for line in listed.splitlines()]
    columns = ["number", "state", "comment", "start", "end", "name"]
    table = pd.DataFrame(rows, columns=columns).set_index("number")
    return table[table["name"].str.startswith(name)]


def of_group(table, group):
    return table[table["comment"].str.contains(f"rule_{group}_")]


def start(study, *arguments):
    """Run Snakemake in the background; returns its process."""
    study.write()
    # where the tests run in the background of a shell, interrupts would be ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(study.folder / "run.log", "w") as log:
        return subprocess.Popen(
            [*SNAKEMAKE, "--configfile", "study.yaml", *arguments],
            cwd=study.folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def through_slurm(study, *arguments):
    """Run Snakemake with profiles/slurm to its end; returns the process and what it wrote."""
    process = start(study, *SLURM, *arguments)
    process.wait(timeout=3600)
    process.stdout = (study.folder / "run.log").read_text()
    return process


def wait_for(what, found, process, study):
    """What `found` returns as soon as it is true; fails when the run ends before."""
    deadline = time.monotonic() + 900
    while not (result := found()):
        output = (study.folder / "run.log").read_text()
        assert process.poll() is None, f"ended before {what}:\n{output}"
        assert time.monotonic() < deadline, f"no {what}:\n{output}"
        time.sleep(0.3)
    return result


def test_the_simulated_study(local, tmp_path):
    """A job is killed and sent again, the whole run is interrupted and resumed: the same files."""
    study = simulated(tmp_path)

    def image_jobs():
        return of_group(jobs("interrupted"), "image")["state"]

    process = start(study, *SLURM, "--slurm-jobname-prefix", "interrupted")
    try:
        wait_for("mask", lambda: list(study.results.glob("masks/*/*.fits")), process, study)
        sent = image_jobs()
        killed = sent.index[sent == "RUNNING"][0]
        subprocess.run(["scancel", killed], check=True)
        wait_for("second try", lambda: len(image_jobs()) > len(sent), process, study)
        time.sleep(5)  # a job that is being sent while the interrupt comes is not cancelled
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=300) != 0
    finally:
        process.kill()
    while "COMPLETING" in set((table := jobs("interrupted"))["state"]):
        time.sleep(0.3)
    assert (table["state"] == "CANCELLED").sum() >= 2
    assert set(table["state"]) <= {"COMPLETED", "CANCELLED"}

    output = (study.folder / "run.log").read_text()
    assert f"/{killed}.log" in output  # where to look

    done = through_slurm(study, "--slurm-jobname-prefix", "resumed")
    assert done.returncode == 0, done.stdout
    assert "Nothing to be done" in study.run().stdout
    assert same_files(local.results, study.results) > 80 * N_IMAGES

    table = pd.concat([table, jobs("resumed")])
    done = table[table["state"] == "COMPLETED"]
    assert len(of_group(done, "image")) == N_IMAGES
    assert len(of_group(done, "study")) == 1
    assert len(done) == N_IMAGES + 2  # and the PSF


def test_what_a_failed_job_says(tmp_path):
    """Which image, why, and where the logs are; the other image is finished all the same."""
    study = two_small(tmp_path)
    study.config["unusable_images"] = "stop"  # or B would be left out
    with fits.open(tmp_path / "B_i2d.fits", mode="update") as hdus:  # only a job sees that
        hdus["SCI"].data[:] = np.nan
    masks = [f"results/small/masks/{image}/value_1.fits" for image in "AB"]
    sources = [f"results/small/sources/{image}.ecsv" for image in "AB"]
    done = through_slurm(study, "--retries", "0", "--", *masks, *sources)
    assert done.returncode != 0
    assert (tmp_path / masks[0]).exists()
    assert not (tmp_path / masks[1]).exists()
    (log,) = (tmp_path / "results" / "slurm_logs").rglob("*.log")
    assert str(log) in done.stdout
    assert "results/small/logs/import_local/B.log" in done.stdout
    assert "B_i2d.fits" in log.read_text()
    assert "B_i2d.fits" in done.stdout.partition("Error in group image")[2]


def test_downloads_stay_here_and_take_turns(local, tmp_path, monkeypatch):
    """No job of the cluster asks the archives, and the limit holds as without a cluster."""
    study = Study(tmp_path)
    study.images = rows = image_rows(2)
    with serve(local.results / "archive", rows) as served:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.ca_bundle))
        study.config["archive"] = {
            "mast_server": served.mast_url,
            "vizier_server": served.vizier_host,
        }
        options = ["--resources", "downloads=1", "--slurm-jobname-prefix", "fetching"]
        wanted = [f"results/small/sources/{row['image']}.ecsv" for row in rows]
        done = through_slurm(study, *options, "--", *wanted)
    assert done.returncode == 0, done.stdout
    assert len(of_group(jobs("fetching"), "image")) == len(jobs("fetching")) == len(rows)
    (log,) = (tmp_path / ".snakemake" / "log").glob("*.log")
    turns = re.findall(r"(Fetching|Finished)(?: the| Img| jobid: .*Rule: fetch_)", log.read_text())
    assert turns == ["Fetching", "Finished"] * 2 * len(rows)


def test_another_schedulers_commands(small, tmp_path):
    """profiles/cluster-generic with Slurm's commands; a job that is killed is sent again."""
    study = two_small(tmp_path)
    options = ["--workflow-profile", "cluster-generic", "--seconds-between-status-checks", "1"]
    before = set(jobs("snakejob.").index)

    def running():
        table = jobs("snakejob.image")
        return sorted(set(table.index[table["state"] == "RUNNING"]) - before)

    process = start(study, *options, "--", *tables())
    try:
        killed = wait_for("job", running, process, study)[0]
        subprocess.run(["scancel", killed], check=True)
        assert process.wait(timeout=900) == 0, (study.folder / "run.log").read_text()
    finally:
        process.kill()
    assert same_files(small.results, study.results) > 40
    states = jobs("snakejob.").drop(before)["state"]
    assert states.value_counts().to_dict() == {
        "COMPLETED": 3,
        "CANCELLED": 1,
    }  # images, tables, the one killed
    assert len(list((tmp_path / "results" / "cluster_logs").iterdir())) == 4


def test_a_whole_study_in_one_job(small, tmp_path):
    """As docs/cluster.md has it: no groups, and the processes of a run without a cluster."""
    study = two_small(tmp_path)
    study.write()
    run = f"{SNAKEMAKE[0]} --cores 1 --configfile study.yaml -- {' '.join(tables())}"
    done = subprocess.run(
        ["sbatch", "--wait", "--output=job.log", "--job-name=whole", "--wrap", run],
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, (tmp_path / "job.log").read_text()
    assert same_files(small.results, study.results) > 40
    assert len(jobs("whole")) == 1
