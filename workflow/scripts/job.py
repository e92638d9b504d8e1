"""What every script shares: its log file, and errors that are meant for a person.

A script `NAME.py` has a function `main(job)`, where `job` has `input`, `output`, `params`,
`wildcards`, `threads` and `log` as Snakemake's own `snakemake` object has, and ends with

    if "snakemake" in globals():
        script(main, snakemake)

so that it can be imported and tested without Snakemake, and run in a process of its own
(`script:`) or in Snakemake's (`run:`, for the many small jobs whose cost is start-up).
"""

import logging
import sys
import threading
from pathlib import Path

from mirimask.errors import MaskError


def logged(main, job):
    """Call `main(job)` with the messages of the library's loggers going to the job's log file."""
    log = Path(str(job.log[0]))
    log.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(log, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    thread = threading.get_ident()  # jobs of one process run in threads of their own
    handler.addFilter(lambda record: record.thread == thread)
    logger = logging.getLogger("mirimask")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        main(job)
    except MaskError as error:
        logger.error("%s", error)
        raise
    finally:
        logger.removeHandler(handler)
        handler.close()


def script(main, job):
    """`logged` for a process of its own: a MaskError is shown alone, with exit status 1."""
    try:
        logged(main, job)
    except MaskError as error:
        sys.exit(f"error: {error}")
