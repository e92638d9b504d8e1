"""Progress of a study, a line a job: `[ 34 %, 2 min left] Img3 value_4.6: verdicts`.

A plugin of Snakemake (`--logger mirimask`), which the default profile chooses. What Snakemake says
besides of a run (errors, what is to be done, the end) it prints as Snakemake does.
"""

import sys
import time
from collections import Counter, defaultdict
from logging import LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

__all__ = ["LogHandler", "Progress"]

# what is not for a person, or is said by the line of a finished job
_UNSAID = {
    LogEvent.JOB_INFO,
    LogEvent.GROUP_INFO,
    LogEvent.JOB_STARTED,
    LogEvent.PROGRESS,
}
_CHOOSING = "Select jobs to execute..."


class Progress:
    """What of a run is done, and how long the rest may take.

    `planned` has the number of jobs of each rule. The rest is the mean time of the finished jobs of
    each rule (of all, where none of a rule has finished), as many at a time as there were so far.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.planned: dict[str, int] = {}
        self.began = now
        self._running: dict[int, tuple[str, str, float]] = {}
        self._took: defaultdict[str, list[float]] = defaultdict(list)

    def start(self, job: int, rule: str, about: str, now: float) -> None:
        """A job was started; `about` are its image and mask."""
        if not self._running and not self._took:
            self.began = now  # the graph of jobs, before, is no part of the rate
        self._running[job] = (rule, about, now)

    def finish(self, job: int, now: float) -> str:
        """A job has finished: what it was; '' for one that was never started."""
        if job not in self._running:
            return ""
        rule, about, since = self._running.pop(job)
        self._took[rule].append(now - since)
        what = rule.replace("_", " ")
        return f"{about}: {what}" if about else what

    def left(self, now: float) -> float:
        """Seconds that the rest may take; NaN until a tenth of the jobs tell how long they take.

        The first to finish are few and of the longest rules: their mean is not that of the rest.
        """
        finished = Counter({rule: len(times) for rule, times in self._took.items()})
        spent = sum(map(sum, self._took.values()))
        too_few = 10 * finished.total() < sum(self.planned.values())
        if not spent or too_few or now <= self.began:
            return float("nan")
        mean = spent / finished.total()
        rest = 0.0
        for rule, count in self.planned.items():
            times = self._took.get(rule, [])
            rest += max(count - len(times), 0) * (sum(times) / len(times) if times else mean)
        at_a_time = max(spent / (now - self.began), 1.0)
        return rest / at_a_time


def _words(seconds: float) -> str:
    """A time as a person says it; '' where it is not known."""
    if seconds != seconds:
        return ""
    if seconds < 55:
        return f", {max(5, 5 * round(seconds / 5))} s left"
    if seconds < 3570:
        return f", {round(seconds / 60)} min left"
    return f", {seconds / 3600:.1f} h left"


class LogHandler(LogHandlerBase):
    """Prints what Snakemake's logger is told."""

    def __post_init__(self) -> None:
        self.progress = Progress()
        self.finished: list[str] = []
        self.here: set[int] = set()  # jobs of this machine, whose own error is shown above

    def emit(self, record: LogRecord) -> None:
        """Print a record, or note what it says of the progress."""
        try:
            text = self._text(record)
            if text:
                stream = sys.stdout if self.common_settings.stdout else sys.stderr
                print(text, file=stream, flush=True)
        except Exception:  # a line that cannot be printed must not end a run
            self.handleError(record)

    def _text(self, record: LogRecord) -> str:
        event, now, said = getattr(record, "event", None), time.monotonic(), vars(record)
        if self.common_settings.dryrun:
            return self.format(record)
        if event == LogEvent.RUN_INFO:
            counts = said.get("stats") or {}
            self.progress.planned = {k: n for k, n in counts.items() if k != "total"}
            return ""
        if event == LogEvent.JOB_INFO:
            about = " ".join(map(str, (said.get("wildcards") or {}).values()))
            self.progress.start(said["jobid"], said["rule_name"], about, now)
            if said.get("local"):
                self.here.add(said["jobid"])
        if event == LogEvent.JOB_FINISHED:
            what = self.progress.finish(said["job_id"], now)
            self.finished += [what or record.getMessage()]
            return ""
        if event == LogEvent.PROGRESS:
            share = 100 * said["done"] // max(said["total"], 1)
            head = f"[{share:3d} %{_words(self.progress.left(now)) if share < 100 else ''}]"
            lines, self.finished = [f"{head} {what}" for what in self.finished], []
            return "\n".join(lines)
        if event == LogEvent.JOB_ERROR and said.get("jobid") in self.here:
            return ""
        if event in _UNSAID or record.getMessage() == _CHOOSING:
            return ""
        return self.format(record)

    @property
    def writes_to_stream(self) -> bool:
        return True

    @property
    def writes_to_file(self) -> bool:
        return False

    @property
    def has_filter(self) -> bool:
        return False

    @property
    def has_formatter(self) -> bool:
        return False

    @property
    def needs_rulegraph(self) -> bool:
        return False
