"""Bring a small cluster up on this machine, check it, take it down.

    python benchmarks/cluster/cluster.py up FOLDER [--engine NAME] [--managers 2] [--cores 0,1]
    python benchmarks/cluster/cluster.py check FOLDER
    python benchmarks/cluster/cluster.py down FOLDER

Bare processes on 127.0.0.1. NAME is one of versions.py. Flink: job manager, task managers with one
slot each, Beam's job server. Spark: master, workers with one core each, Beam's job server. Prism:
itself alone. Needs Java 17 and Maven, for Prism Go instead. Everything lies in FOLDER, downloads in
FOLDER/cache or the folder that NEGMINE_CLUSTER_CACHE names; `up` prints the options that lead a run
to it.
"""

import argparse
import os
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.cluster.engines import engine
from benchmarks.cluster.processes import Cluster, load, stop
from benchmarks.cluster.versions import VERSIONS

ROOT = Path(__file__).parents[2]
LAUNCHER = ROOT / "jobs" / "templates" / "worker.sh"


def cache_of(folder: Path) -> Path:
    """Where downloads lie of a cluster in a folder."""
    return Path(os.environ.get("NEGMINE_CLUSTER_CACHE") or folder / "cache").resolve()


def options(cluster: Cluster, folder: Path, parallelism: int) -> list[str]:
    """Beam's options that lead to a cluster, its workers processes of this Python."""
    variables = {
        "NEGMINE_PYTHON": sys.executable,
        "NEGMINE_WORKER_LOGS": str(folder / "workers"),
        "NEGMINE_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    return [
        *engine(cluster.engine).options(cluster, folder, cache_of(folder)),
        "--environment_type=PROCESS",
        f"--environment_option=process_command={LAUNCHER}",
        "--environment_option=process_variables="
        + ",".join(f"{name}={value}" for name, value in variables.items()),
        f"--parallelism={parallelism}",
        "--sdk_worker_parallelism=1",
        "--job_server_timeout=86400",
    ]


def state(cluster: Cluster) -> str:
    """What lives, as a table, and what the engine says of itself."""
    lines = ["| process | pid | lives |", "|---|---|---|"]
    for name, process in cluster.processes.items():
        lines.append(f"| {name} | {process.pid} | {'yes' if process.lives() else 'no'} |")
    return "\n".join([*lines, "", engine(cluster.engine).state(cluster)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("up", "check", "down"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", choices=list(VERSIONS), default="flink-1.19")
    parser.add_argument(
        "--managers", type=int, default=2, help="task managers of Flink or workers of Spark"
    )
    parser.add_argument("--cores", default="", help="cores to pin them to, as 0,1")
    given = parser.parse_args()
    folder = given.folder.resolve()
    if given.what == "down":
        stop(list(load(folder).processes.values()))
        return
    if given.what == "up":
        cores = [int(core) for core in given.cores.split(",") if core]
        engine(given.engine).up(folder, cache_of(folder), given.managers, cores, given.engine)
    cluster = load(folder)
    print(state(cluster))
    print(shlex.join(options(cluster, folder, given.managers)))


if __name__ == "__main__":
    main()
