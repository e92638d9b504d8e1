"""What the server imports once that the processes of a run are forks of (see job.py)."""

import signal
from contextlib import suppress

signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is Snakemake's: it lets running jobs end

with suppress(Exception):  # the job that needs it will say so
    import four_panels  # noqa: F401
    import give_verdicts  # noqa: F401
    import make_mask  # noqa: F401
