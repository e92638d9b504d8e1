"""The profiles for a cluster: every rule is in a group, and asks for more than was measured."""

import re
import subprocess

import pandas as pd
import pytest
import yaml
from conftest import ROOT

# Jobs of their own: the PSF, which several images wait for, and what is timed alone.
ALONE = {"make_psf", "time_families"}
STATUS = "cluster-generic-status-cmd"


def profile(name):
    return yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())


def rules():
    """The text of every rule that makes files."""
    found = {}
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for name, body in re.findall(
            r"^(?:rule|checkpoint) (\w+):\n((?:    .*\n|\n)+)", file.read_text(), re.MULTILINE
        ):
            if "    output:\n" in body:
                found[name] = body
    return found


def asked(rule, resource):
    """What a job of a rule asks for at its first attempt."""
    slurm = profile("slurm")
    default = slurm["default-resources"][resource]
    value = slurm["set-resources"].get(rule, {}).get(resource, default)
    first, *times = str(value).replace("attempt", "1").split(" * ")
    return int(first) * int(times[0]) if times else int(first)


def test_every_rule_is_in_a_group_or_runs_where_snakemake_does():
    grouped = {name for name, body in rules().items() if re.search('    group:\n        "', body)}
    local = {name for name, body in rules().items() if "    localrule: True" in body}
    assert len(grouped) > 40
    assert not grouped & local
    assert set(rules()) - grouped - local == ALONE


def test_downloads_are_limited_and_on_the_machine_that_has_a_network():
    for name, body in rules().items():
        if "archive=ARCHIVE_SERVERS" in body:
            assert "        downloads=1,\n" in body, name
            assert "    localrule: True" in body, name
    assert "downloads=2" in profile("default")["resources"]


def test_both_profiles_ask_for_the_same():
    slurm, generic = profile("slurm"), profile("cluster-generic")
    own = ("executor", "slurm-", "cluster-generic-", "seconds-between-status-checks")
    for settings in (slurm, generic):
        for key in [key for key in settings if key.startswith(own)]:
            del settings[key]
    assert slurm == generic


def test_settings_of_no_cluster_are_those_of_the_default_profile():
    default, slurm = profile("default"), profile("slurm")
    # no threads in a group of jobs; of a hundred jobs at once, more are started at a time
    meant = {"retries", "force-use-threads", "scheduler-subsample"}
    assert {key: slurm.get(key) for key in default.keys() - meant} == {
        key: default[key] for key in default.keys() - meant
    }


@pytest.mark.parametrize("name", ["default", "slurm", "cluster-generic"])
def test_snakemake_can_read_the_texts_of_a_profile(name):
    """It looks for each as a file, whose name has 255 bytes at most, and fills in $NAME."""
    for key, text in profile(name).items():
        if isinstance(text, str):
            assert max(len(part.encode()) for part in text.split("/")) <= 255, key
            assert "$" not in text, key


def test_resources_are_known_rules():
    assert set(profile("slurm")["set-resources"]) <= set(rules())


@pytest.mark.parametrize("resource", ["mem_mb", "runtime"])
def test_more_is_asked_for_than_was_measured(resource):
    """Twice the memory and three times the processor time of every job, and of a whole group."""
    table = pd.read_csv(ROOT / "benchmarks" / "results" / "job_resources.csv")
    for row in table.itertuples():
        if resource == "mem_mb":
            assert asked(row.job, "mem_mb") >= 2 * row.memory_mb, row
        elif row.job != "all jobs":
            assert 60 * asked(row.job, "runtime") >= 3 * row.cpu_s, row


@pytest.mark.parametrize(
    ("says", "status", "answer"),
    [
        ("COMPLETED", 0, "success"),
        ("PENDING", 0, "running"),
        ("COMPLETING", 0, "running"),
        ("OUT_OF_MEMORY", 0, "failed"),
        ("", 0, "failed"),
        ("slurm_load_jobs error: Invalid job id specified", 1, "failed"),
        # it knows nothing of the job: one that is taken for failed is sent again beside itself
        ("slurm_load_jobs error: Socket timed out on send/recv operation", 1, "running"),
        ("slurm_load_jobs error: Unable to contact slurm controller", 1, "running"),
    ],
)
def test_the_state_of_a_job_by_what_squeue_says(tmp_path, says, status, answer):
    squeue = tmp_path / "squeue"
    squeue.write_text(f"#!/bin/sh\necho '{says}' >&{2 if status else 1}\nexit {status}\n")
    squeue.chmod(0o755)
    command = ROOT / "profiles/cluster-generic" / profile("cluster-generic")[STATUS]
    done = subprocess.run(
        [command, "17"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == answer
