"""A job that an engine makes: told of where it is, looked at while it runs, ended with the run."""

import contextlib
import contextvars
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from negmine.jobs.runner.engine import Engine
from negmine.jobs.runner.progress import tell

if TYPE_CHECKING:
    from apache_beam.runners.runner import PipelineResult

_ASKED = 10.0
"""Seconds to wait for a job service that was asked to cancel."""

_ENDING = 60.0
"""Seconds for an engine to end a job: Flink gives a task half a minute by itself."""

_TAKEN = 30.0
"""Seconds after which a job is told of without Flink's page of it."""

_LOOK = 2.0
"""Seconds between two looks for it: a job server takes some to hand a job on."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class RemoteJob:
    """A job that was submitted.

    Attributes:
        engine: that runs it.
        result: what Beam gave for it.
    """

    engine: Engine
    result: "PipelineResult"

    @property
    def id(self) -> str:
        """Its name at the job service, or at Dataflow."""
        if hasattr(self.result, "_job_id"):
            return str(self.result._job_id)
        return str(self.result.job_id())

    @property
    def name(self) -> str:
        """Its name at Flink: the job service puts a number of its own behind that."""
        return self.id.rpartition("_")[0] or self.id

    def __str__(self) -> str:
        return f"{self.id}{f', {self._page()}' if self._page() else ''}"

    def _page(self) -> str:
        engine = self.engine
        if engine.runner == "DataflowRunner":
            place = f"https://console.cloud.google.com/dataflow/jobs/{engine.region}/{self.id}"
            return f"{place}?project={engine.project}"
        number = self._number()
        return engine.flink.page(number) if engine.flink and number else ""

    def _number(self) -> str | None:
        """Flink's number of the job, where one and no more of its name runs."""
        found = self.engine.flink.running(self.name) if self.engine.flink else None
        return found[0] if found and len(found) == 1 else None

    def look(self) -> str:
        """What the engine says of it now, as a sentence without a full stop."""
        flink = self.engine.flink
        if flink is None:
            return f"job {self.id} is on {self.engine.place}"
        number = self._number()
        if number is None:
            return f"{flink.address} shows no running job {self.name}"
        return f"job {flink.page(number)} is {flink.state(number)}"

    def end(self) -> str:
        """Cancel it, and say what is left to do; never raises.

        The job service is asked first. That of Beam leaves Flink's job as it is, and hands one on
        that it had not yet; so Flink is asked too where its address is known, when it has the job.
        """
        tell(f"cancelling job {self.id}")
        asked = threading.Thread(target=self._cancel, daemon=True)
        asked.start()
        asked.join(_ASKED)
        if self.engine.runner == "DataflowRunner":
            return f"Dataflow was asked to cancel job {self.id}, see {self._page()}"
        if flink := self.engine.flink:
            until = time.monotonic() + _TAKEN
            while flink.jobs(self.name) == {} and time.monotonic() < until:
                time.sleep(_LOOK / 4)
            if flink.jobs(self.name) == {}:
                return self._left()
        return self.clear_away() or f"job {self.name} was cancelled"

    def clear_away(self) -> str:
        """End what the engine may still run of it; what is left to do, empty for nothing."""
        flink = self.engine.flink
        found = flink.running(self.name) if flink else None
        if flink is None or found is None or len(found) > 1:
            return self._left()
        if found and not flink.cancel(found[0], self.name, _ENDING):
            return (
                f"job {flink.page(found[0])} was cancelled and has not ended yet; wait for its end "
                "before you give the command again"
            )
        return ""

    def _left(self) -> str:
        return (
            f"job {self.name} may still run on {self.engine.place}: see there, and cancel it "
            "before you give the command again, or the new job waits for its slots"
        )

    def _cancel(self) -> None:
        with contextlib.suppress(Exception):
            self.result.cancel()


@contextmanager
def announced(job: RemoteJob) -> Iterator[None]:
    """Tell of a job in the body: at once, or, where Flink is to be seen, when that has it."""
    if job.engine.flink is None:
        tell(f"job {job}")
        yield
        return
    over = threading.Event()

    def look() -> None:
        for _ in range(round(_TAKEN / _LOOK)):
            if over.wait(_LOOK):
                return
            if job.engine.flink and job.engine.flink.running(job.name):
                break
        tell(f"job {job}")

    looking = threading.Thread(target=contextvars.copy_context().run, args=(look,), daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()


class Signals:
    """SIGINT and SIGTERM while a job is with an engine: the first raises KeyboardInterrupt.

    While the job is being handed over it waits, as nobody knows yet what to cancel; a second one
    raises at once.
    """

    def __init__(self) -> None:
        self._held = False
        self._came = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._came += 1
        if not self._held or self._came > 1:
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the first one wait for the end of the body."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def check(self) -> None:
        """Raise what waited."""
        if self._came:
            raise KeyboardInterrupt


@contextmanager
def catching(wanted: bool) -> Iterator[Signals]:
    """Signals of the body, where they are wanted, nobody ignores them, and this thread has them."""
    signals = Signals()
    before = {}
    if wanted and threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, signals)
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
