"""Slurm on this machine alone, in the foreground, without systemd."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

SYSTEM_CONF = Path("/etc/slurm/slurm.conf")  # jobs look for it here: plugins drop SLURM_CONF
TOOLS = ("slurmctld", "slurmd", "sbatch", "squeue", "munged")

CONF = """\
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=1,sched_interval=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
ReturnToService=2
MinJobAge=3600
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing_tools():
    """Slurm's programs that are not installed."""
    return [tool for tool in TOOLS if shutil.which(tool, path=_path()) is None]


def _path():
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def answers():
    """Whether a Slurm that is set up here answers."""
    try:
        done = subprocess.run(["sinfo"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def left_over():
    """Whether Slurm's configuration is the link of such a Slurm whose tests were killed."""
    return SYSTEM_CONF.is_symlink() and SYSTEM_CONF.readlink().match("pytest-of-*/*/*/slurm.conf")


def _free_ports(n):
    held = [socket.socket() for _ in range(n)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@contextmanager
def started(folder):
    """Start Slurm with its files in `folder`; stop all of it at the end.

    Needs root and the programs of `TOOLS`. RuntimeError, with what the daemons wrote, where it
    does not come up within 30 s.
    """
    folder = Path(folder)
    for name in ("state", "spool", "log"):
        (folder / name).mkdir(parents=True)
    host = socket.gethostname().partition(".")[0]
    cpus = len(os.sched_getaffinity(0))
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 * 9 // 10
    conf = folder / "slurm.conf"
    conf.write_text(
        CONF.format(host=host, folder=folder, ports=_free_ports(2), cpus=cpus, memory_mb=memory_mb)
    )
    SYSTEM_CONF.parent.mkdir(parents=True, exist_ok=True)
    if left_over():
        SYSTEM_CONF.unlink()
    SYSTEM_CONF.symlink_to(conf)
    running = []

    def start(name, *options):
        with open(folder / "log" / f"{name}.log", "w") as log:
            running.append(
                subprocess.Popen(
                    [name, *options],
                    env=os.environ | {"PATH": _path()},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

    def wait_for(what, ready):
        deadline = time.monotonic() + 30
        while not ready():
            if time.monotonic() > deadline or any(daemon.poll() is not None for daemon in running):
                logs = "\n".join(
                    f"{path.name}: {path.read_text()[-2000:]}" for path in folder.glob("log/*.log")
                )
                raise RuntimeError(f"Slurm does not start: no {what}.\n{logs}")
            time.sleep(0.1)

    try:
        (folder / "munge.key").write_bytes(os.urandom(1024))
        (folder / "munge.key").chmod(0o400)
        munge = {
            "socket": "munge.socket",
            "key-file": "munge.key",
            "pid-file": "munged.pid",
            "seed-file": "munged.seed",
        }
        options = [f"--{key}={folder / name}" for key, name in munge.items()]
        start("munged", "--foreground", "--force", *options)
        wait_for("munge socket", (folder / "munge.socket").exists)
        start("slurmctld", "-D", "-i")
        wait_for("controller", answers)
        start("slurmd", "-D", "-N", host)

        def idle():
            state = subprocess.run(
                ["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True, check=False
            )
            return state.stdout.strip() == "idle"

        wait_for("node", idle)
        yield
    finally:
        if answers():
            subprocess.run(["scancel", "--user=root"], check=False)
        for daemon in reversed(running):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        SYSTEM_CONF.unlink(missing_ok=True)
