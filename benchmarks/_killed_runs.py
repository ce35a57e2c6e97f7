"""A run that is killed again and again: when, what was there, and what was made anew."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks._whole_runs import ROOT, command, environment
from transforms.kernels.hashing import mix

POLL = 0.001
_TEMPORARY = (".tmp", ".probe", ".building")
_EARLIEST, _LATEST = 0.1, 0.8


class Event(NamedTuple):
    """A line of benchmarks/_traced_mine.py."""

    seconds: float
    kind: str
    name: str


class State(NamedTuple):
    """What changes when a file is written again."""

    inode: int
    modified: int
    size: int


@dataclass(frozen=True)
class Plan:
    """Kill in a stage, once this share of what was left of it has passed."""

    stage: str
    share: float


@dataclass(frozen=True)
class Kill:
    """One kill, and what the next command found.

    Attributes:
        wanted, stage: where the kill was meant to hit, and where it hit.
        finished: parts that were there.
        rewritten: of these, how many the next commands wrote again or lost.
        lost: blocks begun whose part was not there.
        temporary: temporary files and folders left behind.
        resumed: seconds from the next command's start until this stage went on.
    """

    wanted: str
    stage: str
    finished: int
    rewritten: int
    lost: int
    temporary: int
    resumed: float


def read_trace(file: Path) -> list[Event]:
    """Its whole lines; none where it is missing."""
    try:
        lines = file.read_text().split("\n")[:-1]
    except FileNotFoundError:
        return []
    fields = [line.split("\t") for line in lines]
    return [Event(float(seconds), kind, name) for seconds, kind, name in fields]


def durations(trace: Sequence[Event]) -> dict[str, float]:
    """Seconds of each stage of a whole run, in order."""
    begun = {event.name: event.seconds for event in trace if event.kind == "start"}
    ended = {event.name: event.seconds for event in trace if event.kind == "end"}
    return {stage: ended[stage] - begun[stage] for stage in begun}


def plan_kills(seconds: dict[str, float], kills: int, seed: int) -> list[Plan]:
    """One kill for each stage, longest first where they are too few, the rest for long stages."""
    stages = list(seconds)
    count = dict.fromkeys(stages, 0)
    for _ in range(kills):
        among = [stage for stage in stages if not count[stage]] or stages
        chosen = max(among, key=lambda stage: seconds[stage] / (count[stage] + 1))
        count[chosen] += 1
    plans: list[Plan] = []
    for stage in stages:
        for _ in range(count[stage]):
            drawn = int(mix(seed, len(plans))) / 2**64
            share = _EARLIEST + (_LATEST - _EARLIEST) * drawn
            plans.append(Plan(stage, share / count[stage]))
    return plans


def lost_blocks(trace: Sequence[Event]) -> int:
    """Blocks that the last stage of a killed process had begun and not written."""
    starts = [at for at, event in enumerate(trace) if event.kind == "start"]
    stage = trace[starts[-1] :] if starts else []
    begun = {event.name for event in stage if event.kind == "begin"}
    # Postings come before the lengths of the same block, which say that it is whole.
    written = {Path(e.name).name for e in stage if e.kind == "part" and "/postings/" not in e.name}
    return len(begun - written)


def parts(workdir: Path) -> dict[str, State]:
    """Finished parts of a work directory; of ingest those of a whole collection."""
    found = {}
    for folder, below, files in os.walk(workdir):
        path = Path(folder)
        if "_local" in below:
            below.remove("_local")
        relative = path.relative_to(workdir).parts
        if relative[:1] == ("ingest",) and len(relative) == 2 and not _ingested(path):
            below.clear()
        for name in files:
            if name.startswith("part-") and name.endswith(".parquet"):
                stat = (path / name).stat()
                state = State(stat.st_ino, stat.st_mtime_ns, stat.st_size)
                found[str((path / name).relative_to(workdir))] = state
    return found


def _ingested(artifact: Path) -> bool:
    return (artifact / "dead_letters" / "_manifest.json").is_file()


def temporary(output: Path) -> int:
    """Temporary files and folders, at any depth."""
    return sum(path.name.endswith(_TEMPORARY) for path in output.rglob("*"))


def rewritten(before: dict[str, State], after: dict[str, State]) -> int:
    """Parts that were written again or are gone; pair scores may be merged into others."""
    again = [name for name in before if name in after and after[name] != before[name]]
    gone = [n for n in before if n not in after and not n.startswith("pair_scores/")]
    return len(again) + len(gone)


@dataclass
class _Seen:
    plan: Plan
    trace: list[Event]
    parts: dict[str, State]
    temporary: int
    rewritten: int = 0
    resumed: float = float("nan")

    @property
    def stage(self) -> str:
        """The stage that was under way."""
        kinds = [event for event in self.trace if event.kind in {"start", "end"}]
        if not kinds:
            return "before any stage"
        last = kinds[-1]
        return last.name if last.kind == "start" else f"after {last.name}"

    def kill(self) -> Kill:
        lost = lost_blocks(self.trace)
        return Kill(
            self.plan.stage,
            self.stage,
            len(self.parts),
            self.rewritten,
            lost,
            self.temporary,
            self.resumed,
        )


@dataclass
class KilledRun:
    """A run in `output` that is killed as planned, each time gone on with by the same command."""

    config: Path
    output: Path
    seconds: dict[str, float]
    settings: Sequence[str] = ()
    _seen: list[_Seen] = field(default_factory=list)
    _left: dict[str, float] = field(default_factory=dict)

    def go(self, plans: Sequence[Plan]) -> list[Kill]:
        """Kill as planned, then let it end. Raises SystemExit where a command fails."""
        for number, plan in enumerate(plans):
            self._once(number, plan)
        self._once(len(plans), None)
        return [seen.kill() for seen in self._seen]

    def _once(self, number: int, plan: Plan | None) -> None:
        trace = self.output.parent / f"{self.output.name}-{number}.trace"
        trace.unlink(missing_ok=True)
        process, started = start(self.config, self.output, trace, self.settings)
        if plan is not None:
            self._await(process, trace, plan)
            kill_group(process)
        _, error = process.communicate()
        self._look_back(read_trace(trace), started)
        if plan is not None and process.returncode == -signal.SIGKILL:
            seen = _Seen(plan, read_trace(trace), parts(self.output / "work"), 0)
            seen.temporary = temporary(self.output)
            self._seen.append(seen)
        elif process.returncode:
            raise SystemExit(f"the run ended with {process.returncode}:\n{error}")

    def _await(self, process: subprocess.Popen[str], trace: Path, plan: Plan) -> None:
        """Wait for the moment of a kill: a share of the time that the stage still takes."""
        while process.poll() is None:
            events = read_trace(trace)
            begun = [e.seconds for e in events if (e.kind, e.name) == ("start", plan.stage)]
            if begun:
                left = self._left.get(plan.stage, 1.0)
                wait = begun[0] + plan.share * left * self.seconds[plan.stage] - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                self._left[plan.stage] = left * (1 - plan.share)
                return
            time.sleep(POLL)

    def _look_back(self, trace: Sequence[Event], started: float) -> None:
        """Note on all kills before what this command found of their parts, and when it went on."""
        now = parts(self.output / "work")
        for seen in self._seen:
            seen.rewritten = max(seen.rewritten, rewritten(seen.parts, now))
        if self._seen and np.isnan(self._seen[-1].resumed):
            last = self._seen[-1]
            again = [e.seconds for e in trace if e.kind == "start"]
            if again:
                last.resumed = again[0] - started


def start(
    config: Path, output: Path, trace: Path, settings: Sequence[str] = ()
) -> tuple[subprocess.Popen[str], float]:
    """Start `negmine mine` with a trace, in a process group of its own; and the time of it."""
    words = command(config, output, settings)
    words[2] = "benchmarks._traced_mine"
    process = subprocess.Popen(
        words,
        cwd=ROOT,
        env={**environment(), "NEGMINE_TRACE": str(trace)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return process, time.monotonic()


def kill_group(process: subprocess.Popen[str]) -> None:
    """kill -9 to the process and all it started; nothing where it has ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def whole_run(config: Path, output: Path, settings: Sequence[str] = ()) -> dict[str, float]:
    """Seconds of each stage of a run that nobody disturbs."""
    trace = output.parent / f"{output.name}.trace"
    trace.unlink(missing_ok=True)
    process, _ = start(config, output, trace, settings)
    _, error = process.communicate()
    if process.returncode:
        sys.exit(f"the undisturbed run ended with {process.returncode}:\n{error}")
    return durations(read_trace(trace))
