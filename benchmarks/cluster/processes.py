"""The processes of a cluster: started in their folder, written down, and ended by their number."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.cluster.versions import VERSIONS

RECORD = "cluster.json"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Process:
    """One process: its number, and when it began, in ticks since the machine's start."""

    name: str
    pid: int
    began: int

    def lives(self) -> bool:
        """Whether this very process is there; numbers are given again."""
        return began(self.pid) == self.began

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to it, if it is there."""
        if self.lives():
            os.kill(self.pid, how)


NOBODY = Process("", 0, -1)
"""A process that was not started yet."""


@dataclass
class Cluster:
    """What runs, where it listens, and the cores that its workers' processes are held to.

    `engine` is a name of `versions.VERSIONS`.
    """

    engine: str
    version: str
    beam: str
    ports: dict[str, int]
    processes: dict[str, Process]
    cores: list[int]

    @classmethod
    def planned(cls, engine: str, ports: Sequence[str], cores: Sequence[int] = ()) -> "Cluster":
        """A cluster of which nothing runs yet, with a free port for each name."""
        version = VERSIONS[engine]
        numbers = dict(zip(ports, free_ports(len(ports)), strict=True))
        return cls(engine, version.number, version.beam, numbers, {}, list(cores))

    def save(self, folder: Path) -> None:
        """Write the record of a cluster in its folder."""
        (folder / RECORD).write_text(json.dumps(asdict(self), indent=1))


@dataclass(frozen=True)
class Job:
    """A job that an engine has run: its name there, its seconds and the elements that each worker
    read, where the engine says.
    """

    name: str
    seconds: float | None
    read: dict[str, int]


def load(folder: Path) -> Cluster:
    """The cluster that runs in a folder; SystemExit where there is none."""
    try:
        found = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        raise SystemExit(f"{folder} has no {RECORD}: no cluster was started there") from None
    processes = {name: Process(**facts) for name, facts in found.pop("processes").items()}
    return Cluster(**found, processes=processes)


def began(pid: int) -> int:
    """Start of a process in ticks; 0 where it is gone or a zombie."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0
    return 0 if state == "Z" else int(fields[18])


def children(pid: int) -> list[int]:
    """Numbers of the processes that a process started and that are there."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, tasks.read_text().split())
        except OSError:
            continue
    return sorted(found)


def start(
    name: str,
    words: Sequence[str],
    folder: Path,
    variables: Mapping[str, str] | None = None,
    core: int | None = None,
) -> Process:
    """Start a process in a session of its own, its output in `folder/<name>.log`."""
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    with (folder / f"{name}.log").open("a") as log:
        made = subprocess.Popen(
            [*pinned, *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, **(variables or {})},
            start_new_session=True,
        )
    return Process(name, made.pid, began(made.pid))


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in held]
    finally:
        for each in held:
            each.close()


def listening(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait(cluster: Cluster, name: str, ready: Callable[[], bool], seconds: float = 600) -> float:
    """Wait until a process is `ready`; the seconds it took. SystemExit where it ends before."""
    started = time.monotonic()
    while not ready():
        if not cluster.processes[name].lives():
            raise SystemExit(f"{name} ended at once; {name}.log says why")
        if time.monotonic() - started > seconds:
            raise SystemExit(f"{name} did not come up in {seconds:.0f} s; {name}.log says why")
        time.sleep(0.2)
    return time.monotonic() - started


def stop(processes: Sequence[Process], seconds: float = 20) -> None:
    """End processes: asked first, killed after some seconds."""
    for process in processes:
        process.kill(signal.SIGTERM)
    until = time.monotonic() + seconds
    while any(each.lives() for each in processes) and time.monotonic() < until:
        time.sleep(0.2)
    for process in processes:
        process.kill()
