"""The line that a run prints for a job, and the time that it says is left."""

import logging
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_logger_plugin_mirimask import LogHandler, Progress


def test_the_time_left_is_that_of_each_rule():
    progress = Progress()
    progress.planned = {"quick": 3, "slow": 2, "unseen": 1}
    assert progress.left(0) != progress.left(0)  # not known yet
    progress.start(1, "quick", "A value_1", 100)
    progress.start(2, "slow", "A", 100)
    assert progress.finish(1, 102) == "A value_1: quick"
    progress.start(3, "quick", "B", 102)
    assert progress.finish(3, 106) == "B: quick"
    assert progress.finish(2, 120) == "A: slow"
    # left: one quick of (2 + 4) / 2, one slow of 20, one unseen of the mean 26 / 3; and
    # 26 s of jobs took 20 s: 1.3 at a time
    assert progress.left(120) == pytest.approx((3 + 20 + 26 / 3) / 1.3)
    assert progress.finish(9, 121) == ""


def test_no_time_is_said_from_the_first_few_jobs():
    progress = Progress()
    progress.planned = {"slow": 2, "quick": 38}
    for job in range(4):
        progress.start(job, "slow" if job < 2 else "quick", "", 0)
    progress.finish(0, 30)
    progress.finish(1, 30)
    progress.finish(2, 31)
    assert progress.left(31) != progress.left(31)  # 3 of 40
    progress.finish(3, 32)
    assert progress.left(32) > 0


def record(message="", **about):
    made = logging.LogRecord("snakemake", logging.INFO, "", 0, message, (), None)
    vars(made).update(about)
    return made


@pytest.fixture
def handler():
    return LogHandler(SimpleNamespace(stdout=True, dryrun=False), None)


def test_a_line_a_job_with_image_method_and_rule(handler, capsys):
    for one in (
        record("Job stats: ...", event=LogEvent.RUN_INFO, stats={"verdicts": 2, "total": 2}),
        record("Select jobs to execute..."),
        record("Execute 1 jobs...", event=LogEvent.JOB_STARTED, jobs=[4]),
        record(
            event=LogEvent.JOB_INFO,
            jobid=4,
            rule_name="verdicts",
            wildcards={"image": "Img3", "method": "value_4.6"},
        ),
        record("Finished jobid: 4 (Rule: verdicts)", event=LogEvent.JOB_FINISHED, job_id=4),
        record(event=LogEvent.PROGRESS, done=1, total=2),
        record("Finished jobid: 5 (Rule: never started)", event=LogEvent.JOB_FINISHED, job_id=5),
        record(event=LogEvent.PROGRESS, done=2, total=2),
        record("Something else"),
    ):
        handler.emit(one)
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith("[ 50 %, ")
    assert first.endswith(" s left] Img3 value_4.6: verdicts")
    assert second == "[100 %] Finished jobid: 5 (Rule: never started)"
    assert last == "Something else"


def test_a_dry_run_is_said_as_snakemake_says_it(capsys):
    handler = LogHandler(SimpleNamespace(stdout=True, dryrun=True), None)
    handler.emit(record("Job stats: x", event=LogEvent.RUN_INFO, stats={"total": 2}))
    assert capsys.readouterr().out == "Job stats: x\n"
