#!/bin/sh
# status.sh NUMBER: prints running, success or failed, the state of a job of Slurm.
# A squeue that does not answer says nothing of the job: it is asked again.
state=$(squeue --noheader --states=all --format=%T --jobs="$1" 2>&1) ||
    case $state in
    *Invalid*) state=GONE ;;
    *) state=RUNNING ;;
    esac
case $state in
COMPLETED) echo success ;;
PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED | REQUEUED | RESIZING | STOPPED) echo running ;;
*) echo failed ;;
esac
