#!/bin/sh
# Starts one worker for Flink, Spark or another engine that has no containers: bare machines, Slurm, YARN.
# Every machine sees this file under one path, and negmine is installed in NEGMINE_PYTHON on each of them:
#   --environment_type=PROCESS
#   --environment_config='{"command": "/shared/worker.sh", "env": {"NEGMINE_PYTHON": "/shared/venv/bin/python"}}'
# NEGMINE_WORKER_LOGS names a folder for what a worker prints; an engine shows none of it.
# NEGMINE_THREADS limits the threads of one worker: cores of the machine / its slots.
set -eu
if [ -n "${NEGMINE_THREADS:-}" ]; then
    export OMP_NUM_THREADS="$NEGMINE_THREADS" OPENBLAS_NUM_THREADS="$NEGMINE_THREADS"
fi
if [ -n "${NEGMINE_WORKER_LOGS:-}" ]; then
    mkdir -p "$NEGMINE_WORKER_LOGS"
    exec >>"$NEGMINE_WORKER_LOGS/$(hostname)-$$.log" 2>&1
fi
exec "${NEGMINE_PYTHON:-python3}" -m negmine.jobs.runner.worker "$@"
