import atexit
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# The graph of jobs is held to the end. To look through it for rubbish takes a tenth of the time
# that it is built in, and 0.4 s when Python ends.
gc.set_threshold(100_000)
atexit.register(gc.freeze)

# Arrays here are small: more threads a job only get in the other jobs' way.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import yaml
from snakemake.exceptions import WorkflowError

# The library and the scripts are found beside this file, by this process and by its jobs.
WORKFLOW = Path(workflow.current_basedir).parent
SCRIPTS = WORKFLOW / "scripts"
for folder in (WORKFLOW, SCRIPTS):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
os.environ.update(
    PYTHONPATH=os.pathsep.join(
        dict.fromkeys(
            [str(WORKFLOW), str(SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
    )
)

from job import Workers

# Before all else, so that they have their imports by the time the graph is built. Not in a job of
# another Snakemake's run, nor where jobs go to a cluster, nor for a look (--dry-run, --lint).
SETTINGS = workflow.resource_settings
AT_WORK = not (
    workflow.remote_exec
    or workflow.subprocess_exec
    or workflow.output_settings.dryrun
    or SETTINGS.nodes
)
WORKERS = Workers(
    min(SETTINGS.cores or 0, os.cpu_count()) if AT_WORK else 0,
    scripts=["make_mask", "give_verdicts", "four_panels"],
)

from mirimask.atomic import replacing
from mirimask.errors import MaskError

from study import files, inputs, targets
from study.code import code, revision, templates
from study.images import read_table
from study.settings import Study

### jobs on a cluster's node #######################################################################

if workflow.remote_exec:
    # A job on a cluster's node reads no profile, and in a group of jobs Snakemake would start
    # again for each `run:` (1.5 s). They stay in the job's process, as in profiles/default.
    def in_threads(*args, execute=workflow.execute, **options):
        workflow.execution_settings.use_threads = True
        return execute(*args, **options)

    workflow.execute = in_threads


### jobs ###########################################################################################


def here(script, **job):
    """Run a script's main in a process that this run keeps for its jobs (see job.py)."""
    WORKERS.run(script, job)


### the study ######################################################################################


def said(ask, *about):
    """What `ask` answers; what a person can put right is shown as Snakemake's own errors are."""
    try:
        return ask(*about)
    except MaskError as error:
        raise WorkflowError(str(error)) from None


study = said(Study, config)


pathvars:
    results=f"results/{study.name}",
    logs=f"results/{study.name}/logs",


wildcard_constraints:
    image="|".join(map(re.escape, study.images)),
    method=r"[^/]+",
    family=study.family_pattern,


PRODUCT = r"jw\d{5}-o\d{3}_\w+_miri_\w+(-\w+)?"  # of a survey
