import inspect
import os
import re
import signal
import sys
import time
from pathlib import Path

# Arrays here are small: more threads a job only get in the other jobs' way.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

# The library and the scripts are found beside this file, by this process and by its jobs.
WORKFLOW = Path(inspect.getfile(lambda: None)).resolve().parents[1]
if not WORKFLOW.is_dir():
    # Deployed from a host (snakedeploy): Snakemake fetches this file alone, the others are asked for.
    LISTED = Path(workflow.source_path("../files.txt"))
    WORKFLOW = LISTED.parent
    for name in LISTED.read_text(encoding="utf-8").split():
        workflow.source_path(f"../{name}")
FOLDERS = [str(WORKFLOW), str(WORKFLOW / "scripts")]
sys.path[:0] = [folder for folder in FOLDERS if folder not in sys.path]
given = filter(None, [os.environ.get("PYTHONPATH")])
os.environ.update(PYTHONPATH=os.pathsep.join(dict.fromkeys([*FOLDERS, *given])))

from job import Workers
from mirimask.errors import MaskError

from study import files, inputs, made, targets, usable
from study.code import code, revision, templates
from study.folders import check_folders, check_writable
from study.images import read_table
from study.settings import Study

WORKERS = Workers()
STARTED = time.time()  # a log that is older is another run's


def here(script, **job):
    """Run a script's main in a process that this run keeps for its jobs (see job.py)."""
    WORKERS.run(script, job)


def said(ask, *about):
    """What `ask` answers; what a person can put right is shown as Snakemake's own errors are."""
    try:
        return ask(*about)
    except MaskError as error:
        raise WorkflowError(str(error)) from None


def interrupted(number, frame):
    """For SIGTERM: what Ctrl-C does.

    Snakemake's own handler waits for a lock that the thread it interrupts may hold: for ever then.
    """
    ctrl_c = signal.getsignal(signal.SIGINT)
    if not callable(ctrl_c):  # switched off, as in what a shell runs behind others
        ctrl_c = signal.default_int_handler
    ctrl_c(number, frame)


said(check_folders, Path("results"))
said(check_writable, Path(".snakemake"))
study = said(Study, config)
print(usable.notice(study), file=sys.stderr, end="")


pathvars:
    results=f"results/{study.name}",
    logs=f"results/{study.name}/logs",


wildcard_constraints:
    image="|".join(map(re.escape, study.images)),
    method=r"[^/]+",
    family=study.family_pattern,


# Where --cache puts files. Without it, Snakemake warns at each start of each rule that could be cached.
CACHED = "SNAKEMAKE_OUTPUT_CACHE" in os.environ
PRODUCT = r"jw\d{5}-o\d{3}_\w+_miri_\w+(-\w+)?"  # of a survey
