"""Bring a small cluster up on this machine, check it, take it down.

    python benchmarks/cluster/cluster.py up FOLDER [--managers 2] [--cores 0,1]
    python benchmarks/cluster/cluster.py check FOLDER
    python benchmarks/cluster/cluster.py down FOLDER

A Flink session cluster of bare processes on 127.0.0.1: job manager, task managers with one slot
each, Beam's job server. Needs Java 17 and Maven. Everything lies in FOLDER, downloads in
FOLDER/cache; `up` prints the options that lead a run to it.
"""

import argparse
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.cluster import flink
from benchmarks.cluster.processes import Cluster, load, stop

ROOT = Path(__file__).parents[2]
LAUNCHER = ROOT / "jobs" / "templates" / "worker.sh"


def options(cluster: Cluster, folder: Path, parallelism: int) -> list[str]:
    """Beam's options that lead to a cluster, its workers processes of this Python."""
    variables = {
        "NEGMINE_PYTHON": sys.executable,
        "NEGMINE_WORKER_LOGS": str(folder / "workers"),
        "NEGMINE_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    return [
        "--runner=FlinkRunner",
        f"--job_endpoint={flink.HOST}:{cluster.ports['jobs']}",
        "--environment_type=PROCESS",
        f"--environment_option=process_command={LAUNCHER}",
        "--environment_option=process_variables="
        + ",".join(f"{name}={value}" for name, value in variables.items()),
        f"--parallelism={parallelism}",
        "--sdk_worker_parallelism=1",
        "--job_server_timeout=86400",
    ]


def state(cluster: Cluster) -> str:
    """What lives, as a table, and what Flink says of itself."""
    lines = ["| process | pid | lives |", "|---|---|---|"]
    for name, process in cluster.processes.items():
        lines.append(f"| {name} | {process.pid} | {'yes' if process.lives() else 'no'} |")
    seen = flink.overview(cluster)
    lines.append(f"\ntask managers {seen['taskmanagers']}, slots {seen['slots-total']}, ")
    lines[-1] += f"free {seen['slots-available']}, jobs finished {seen['jobs-finished']}, "
    return "\n".join(lines) + f"failed {seen['jobs-failed']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("up", "check", "down"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--managers", type=int, default=2, help="task managers, of one slot each")
    parser.add_argument("--cores", default="", help="cores to pin them to, as 0,1")
    given = parser.parse_args()
    folder = given.folder.resolve()
    if given.what == "down":
        stop(list(load(folder).processes.values()))
        return
    if given.what == "up":
        cores = [int(core) for core in given.cores.split(",") if core]
        cluster = flink.up(folder, folder / "cache", given.managers, cores)
    cluster = load(folder)
    print(state(cluster))
    print(shlex.join(options(cluster, folder, given.managers)))


if __name__ == "__main__":
    main()
