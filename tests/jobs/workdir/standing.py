"""Runs in processes of their own that stand still at an event, for tests of what happens beside.

No test waits for a time: a busy machine would have gone past the moment, or not come to it.
"""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks._killed_runs import Plan, kill_group, start, stopped_or_ended
from tests.jobs.collections import without_progress

HANG = 600
"""Seconds after which a process is taken to hang; nothing is expected to take nearly as long."""


@dataclass(frozen=True)
class Standing:
    """A run that stands still until it is let go on."""

    process: "subprocess.Popen[bytes]"
    said: Path

    def go_on(self, *signals: int) -> None:
        """Let it go on, with these signals waiting for it."""
        for number in (*signals, signal.SIGCONT):
            self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, where it stands."""
        kill_group(self.process)
        self.process.wait(HANG)

    def end(self) -> tuple[int, str]:
        """Wait for it; its exit code and what it said on stderr."""
        return self.process.wait(HANG), without_progress(self.said.read_text())


@contextmanager
def standing(
    config: str | Path, output: Path, stage: str, event: str, name: str = "", *settings: str
) -> Iterator[Standing]:
    """`negmine mine` that stands still at an event of a stage, see benchmarks/_traced_mine.py.

    `name` is the block or part that the event is about; by default the stage itself. Where the
    event does not come it stands still at the end of the stage.
    """
    output.mkdir(parents=True, exist_ok=True)
    trace = output.parent / f"{output.name}.trace"
    plan = Plan(stage, event, name or stage)
    process, _, said = start(Path(config), output, trace, settings, plan)
    try:
        assert stopped_or_ended(process) is None, said.read_text()
        yield Standing(process, said)
    finally:
        kill_group(process)
        process.wait(HANG)


def waits(process: "subprocess.Popen[str]") -> bool:
    """Whether the first thing that a run says is that it waits for another; reads that line."""
    assert process.stderr is not None
    return "waiting for another process, which makes" in process.stderr.readline()
