"""Memory of a process and all that it starts, sampled from outside."""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_SECONDS = 0.2
_FIELDS = {"Rss:": 0, "Pss:": 1, "Pss_Anon:": 2}


class Held(NamedTuple):
    """Bytes of a process tree: `rss` counts pages of mapped files and pages shared, once a process.

    `pss` counts each shared page in parts; `anonymous` is of it what no file backs, and the rest
    is page cache that the kernel takes back when somebody needs it.
    """

    rss: int
    pss: int
    anonymous: int


@dataclass(frozen=True)
class Sampled:
    """Samples of one command: when, and what was held."""

    at: list[float]
    held: list[Held]

    def peak(self, began: float, ended: float) -> Held:
        """The highest of each measure between two times; the nearest sample where none is."""
        inside = [h for t, h in zip(self.at, self.held, strict=True) if began <= t <= ended]
        if not inside:
            nearest = min(range(len(self.at)), key=lambda i: abs(self.at[i] - began))
            inside = [self.held[nearest]]
        return Held(*map(max, zip(*inside, strict=True)))


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found


def held(pid: int) -> Held:
    """What a process and its descendants hold now, from /proc/PID/smaps_rollup."""
    sums = [0, 0, 0]
    waiting = [pid]
    while waiting:
        process = waiting.pop()
        try:
            waiting += _children(process)
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, *values = line.split()
            if name in _FIELDS:
                sums[_FIELDS[name]] += 1024 * int(values[0])
    return Held(*sums)


def run(command: Sequence[str], log: Path, cwd: Path) -> Sampled:
    """Run a command to its end. Raises SystemExit, with the end of what it said, where it fails."""
    sampled = Sampled([], [])
    over = threading.Event()
    with open(log, "wb") as out:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(cwd), "HF_HUB_OFFLINE": "1"},
        )

        def watch() -> None:
            while not over.wait(_SECONDS):
                sampled.held.append(held(process.pid))
                sampled.at.append(time.time())

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            over.set()
            watcher.join()
    if code:
        tail = log.read_text(errors="replace")[-4000:]
        raise SystemExit(f"{' '.join(command)} ended with {code}:\n{tail}")
    return sampled
