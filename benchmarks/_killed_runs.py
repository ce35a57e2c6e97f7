"""A run that is killed again and again: when, what was there, and what was made anew."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks._traced_mine import Trace
from benchmarks._whole_runs import ROOT, command, environment
from negmine.transforms.kernels.hashing import mix

_TEMPORARY = (".tmp", ".probe", ".building")
_MOMENTS = ("start", "begin", "written", "part", "ending")


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
    """Kill in a stage, at an event of it: see benchmarks/_traced_mine.py."""

    stage: str
    event: str
    name: str


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


def moments(trace: Sequence[Event]) -> dict[str, list[Plan]]:
    """What a whole run can be killed at, in order, by stage; of equal events the first."""
    found: dict[str, list[Plan]] = {}
    stage = ""
    for event in trace:
        stage = event.name if event.kind == "start" else stage
        plan = Plan(stage, event.kind, Trace.relative(event.name))
        if stage and event.kind in _MOMENTS and plan not in found.setdefault(stage, []):
            found[stage].append(plan)
        stage = "" if event.kind == "end" else stage
    return found


def plan_kills(among: dict[str, list[Plan]], kills: int, seed: int) -> list[Plan]:
    """One kill for each stage, those of most events first where kills are too few, and the rest
    where there are most; in a stage spread over its events, each drawn by keyed hash.

    A kill keeps what was finished before its event, so every later event is still to come.
    """
    count = dict.fromkeys(among, 0)
    for _ in range(min(kills, sum(map(len, among.values())))):
        open_ = [stage for stage in among if count[stage] < len(among[stage])]
        first = [stage for stage in open_ if not count[stage]] or open_
        count[max(first, key=lambda stage: len(among[stage]) / (count[stage] + 1))] += 1
    plans: list[Plan] = []
    for stage, events in among.items():
        edges = [len(events) * part // max(count[stage], 1) for part in range(count[stage] + 1)]
        for low, high in pairwise(edges):
            plans.append(events[low + int(mix(seed, len(plans))) % (high - low)])
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
    settings: Sequence[str] = ()
    _seen: list[_Seen] = field(default_factory=list)

    def go(self, plans: Sequence[Plan]) -> list[Kill]:
        """Kill as planned, then let it end. Raises SystemExit where a command fails."""
        for number, plan in enumerate(plans):
            self._once(number, plan)
        self._once(len(plans), None)
        return [seen.kill() for seen in self._seen]

    def _once(self, number: int, plan: Plan | None) -> None:
        trace = self.output.parent / f"{self.output.name}-{number}.trace"
        trace.unlink(missing_ok=True)
        process, started, said = start(self.config, self.output, trace, self.settings, plan)
        code = stopped_or_ended(process)
        if code is None:
            kill_group(process)
            code = process.wait()
        self._look_back(read_trace(trace), started)
        if plan is not None and code == -signal.SIGKILL:
            seen = _Seen(plan, read_trace(trace), parts(self.output / "work"), 0)
            seen.temporary = temporary(self.output)
            self._seen.append(seen)
        elif code:
            raise SystemExit(f"the run ended with {code}:\n{said.read_text()}")

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


def _heed_control_c() -> None:
    # A shell has what it starts in the background ignore it, and that is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(
    config: Path,
    output: Path,
    trace: Path,
    settings: Sequence[str] = (),
    stop_at: Plan | None = None,
) -> tuple["subprocess.Popen[bytes]", float, Path]:
    """Start `negmine mine` with a trace, in a process group of its own.

    Returns the process, which stands still where it is to be stopped, the time of its start, and
    the file of what it says.
    """
    words = command(config, output, settings)
    words[2] = "benchmarks._traced_mine"
    variables = {**environment(), "NEGMINE_TRACE": str(trace)}
    if stop_at is not None:
        variables["NEGMINE_STOP_AT"] = f"{stop_at.stage}\t{stop_at.event}\t{stop_at.name}"
    said = trace.with_suffix(".said")
    with said.open("wb") as out:
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=out,
            start_new_session=True,
            preexec_fn=_heed_control_c,
        )
    return process, time.monotonic(), said


def stopped_or_ended(process: "subprocess.Popen[bytes]") -> int | None:
    """Wait until a process stands still (None) or has ended (its exit code)."""
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """kill -9 to the process and all it started; nothing where it has ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def whole_run(config: Path, output: Path, settings: Sequence[str] = ()) -> list[Event]:
    """The trace of a run that nobody disturbs."""
    trace = output.parent / f"{output.name}.trace"
    trace.unlink(missing_ok=True)
    process, _, said = start(config, output, trace, settings)
    if process.wait():
        sys.exit(f"the undisturbed run ended with {process.returncode}:\n{said.read_text()}")
    return read_trace(trace)
