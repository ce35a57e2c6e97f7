"""Progress of a stage: a bar on a terminal and in a notebook, a line a minute anywhere else.

Rows and verdicts are those of the parts on disk, whatever the runner: an engine tells what a job
counted when it is over. To them come the rows of the block that this process makes.
"""

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import NamedTuple, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from negmine.jobs.terminal import format_seconds, in_notebook
from negmine.schemas.locations import is_mirrored
from negmine.schemas.verdicts import Verdict
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.underway import rows_underway

EVERY = 60.0
"""Seconds between two lines, where there is no bar."""

STALLED = 300.0
"""Seconds without a new part after which a remote job is said to stand still."""

_FIRST = 3
"""Verdicts that a bar has room for."""

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
_shown: "ContextVar[_Watched | None]" = ContextVar("shown", default=None)


@contextmanager
def quietly(quiet: bool = True) -> Iterator[None]:
    """Nothing is told of stages in the body, if so asked."""
    token = _quiet.set(quiet)
    try:
        yield
    finally:
        _quiet.reset(token)


def tell(line: str) -> None:
    """A line on standard error, unless nothing is to be told."""
    if not _quiet.get():
        print(line, file=sys.stderr, flush=True)


class Making(NamedTuple):
    """A data set that is being made: the name of its stage, its folder, and the missing blocks.

    `verdicts` says that its parts hold a verdict in each row.
    """

    name: str
    directory: str
    blocks: Sequence[Block]
    verdicts: bool = False


class Looked(Protocol):
    """A job that an engine makes."""

    def look(self) -> str:
        """What is known of it now, as a sentence without a full stop."""
        ...


class _Watched:
    """Rows that are made of data sets' missing blocks."""

    def __init__(self, label: str, parts: Sequence[Making]) -> None:
        self.label = label
        self.total = sum(_rows(each.blocks) for each in parts)
        self.mirrored = any(is_mirrored(each.directory) for each in parts)
        self.job: Looked | None = None
        self._parts = parts
        self._counted: Counter[str] = Counter()
        self._read = [frozenset(Dataset(each.directory).part_names()) for each in parts]
        self._before = [Dataset(each.directory).blocks() for each in parts]
        self._started = self._moved = time.monotonic()
        self._due = STALLED
        self._most = 0.0

    def _made(self) -> list[int]:
        """Rows of each data set that were made since the stage began."""
        found = zip(self._parts, self._before, strict=True)
        return [_rows(Dataset(each.directory).blocks()) - _rows(old) for each, old in found]

    @property
    def seconds(self) -> float:
        """Since the stage began."""
        return time.monotonic() - self._started

    def done(self) -> float:
        """Rows made so far; a block between the model and its part does not count backwards."""
        if self.total:
            found = min(sum(self._made()) + rows_underway(), self.total)
            if found > self._most:
                self._most, self._moved, self._due = found, time.monotonic(), STALLED
        return self._most

    def verdicts(self) -> list[str]:
        """Candidates of the rows made so far by verdict, those kept first, then the most frequent.

        Each part is read once. Of parts in a store none is: each would have to be fetched.
        """
        for at, each in enumerate(self._parts):
            if each.verdicts and not self.mirrored:
                dataset = Dataset(each.directory)
                names = frozenset(dataset.part_names())
                for name in names - self._read[at]:
                    column = dataset.read_part(name, ["verdict"]).column("verdict")
                    for entry in column.value_counts().to_pylist():
                        self._counted[entry["values"]] += entry["counts"]
                self._read[at] = names
        most = sorted(self._counted.items(), key=lambda e: (e[0] != Verdict.KEPT, -e[1], e[0]))
        return [f"{name} {count:,}" for name, count in most]

    def given_to(self, job: Looked | None) -> None:
        """From now on the rows are made by this job; None where it is over."""
        self.job, self._moved, self._due = job, time.monotonic(), STALLED

    def stands_still(self) -> str | None:
        """What to say where a remote job has made nothing for long; again after twice the time."""
        job, idle = self.job, time.monotonic() - self._moved
        if job is None or idle < self._due:
            return None
        self._due = 2 * idle
        counts = [
            f"{each.name} {rows:,} of {_rows(each.blocks):,} rows"
            for each, rows in zip(self._parts, self._made(), strict=True)
            if rows < _rows(each.blocks)
        ]
        left = f"no new part for {format_seconds(idle)}; {', '.join(counts)}"
        if not counts:
            left = f"{format_seconds(idle)}, and how far it is cannot be seen from here"
        return (
            f"{self.label}: {left}. At the engine, {job.look()}. A large block takes its time; "
            "else see whether a worker hangs (docs/runners.md). Ctrl-C ends the job, and the same "
            "command goes on"
        )


def _rows(blocks: Sequence[Block]) -> int:
    return sum(block.stop - block.start for block in blocks)


@contextmanager
def made_by(job: Looked) -> Iterator[None]:
    """In the body an engine's job makes the rows of the stage that is shown, if one is."""
    watched = _shown.get()
    if watched is not None:
        watched.given_to(job)
    try:
        yield
    finally:
        if watched is not None:
            watched.given_to(None)


class _Display(Protocol):
    interval: float

    def update(self, watched: _Watched) -> None: ...

    def close(self) -> None: ...


class _Bar:
    """A bar on a terminal, which goes when the stage is done."""

    def __init__(self, watched: _Watched) -> None:
        self.interval = 5.0 if watched.mirrored else 0.5
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<24}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} rows  {task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._progress.start()
        self._task = self._progress.add_task(watched.label, total=watched.total or None, rate="")

    def update(self, watched: _Watched) -> None:
        done = watched.done()
        rate = f"{done / max(watched.seconds, 1e-9):,.0f} rows/s" if watched.total else ""
        told = "  ".join([rate, *watched.verdicts()[:_FIRST]])
        self._progress.update(self._task, completed=done, rate=told)

    def close(self) -> None:
        self._progress.stop()


class _Notebook:
    """A bar in a notebook's cell."""

    interval = 1.0

    def __init__(self, watched: _Watched) -> None:
        from tqdm.auto import tqdm

        self._bar = tqdm(total=watched.total or None, desc=watched.label, unit="row", leave=False)

    def update(self, watched: _Watched) -> None:
        self._bar.update(round(watched.done()) - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Lines:
    """A line a minute, for logs."""

    def __init__(self, watched: _Watched) -> None:
        self.interval = EVERY

    def update(self, watched: _Watched) -> None:
        seconds = watched.seconds
        if not watched.total:
            tell(f"{watched.label}: {format_seconds(seconds)} so far")
            return
        done = watched.done()
        rate = done / max(seconds, 1e-9)
        left = f", {format_seconds((watched.total - done) / rate)} left" if rate else ""
        rows = f"{done:,.0f} of {watched.total:,} rows, {rate:,.1f} rows/s{left}"
        tell(
            "; ".join([f"{watched.label}: {rows}", *filter(None, [", ".join(watched.verdicts())])])
        )

    def close(self) -> None:
        pass


def _display(watched: _Watched) -> _Display:
    if in_notebook():
        return _Notebook(watched)
    return (_Bar if sys.stderr.isatty() else _Lines)(watched)


@contextmanager
def progress(label: str, parts: Sequence[Making] = ()) -> Iterator[None]:
    """Show rows done, rows/s and time left while the body runs, and a line when it is done.

    `parts` are the data sets that are being made. Where a job of an engine makes them, and makes
    nothing for `STALLED` seconds, that is said too.
    """
    if _quiet.get():
        yield
        return

    watched = _Watched(label, parts)
    display = _display(watched)
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(display.interval):
            with suppress(Exception):  # Looking on must not disturb the work.
                display.update(watched)
                if told := watched.stands_still():
                    tell(told)

    looking = threading.Thread(target=watch, daemon=True)
    looking.start()
    token = _shown.set(watched)
    try:
        yield
    finally:
        _shown.reset(token)
        stop.set()
        looking.join()
        display.close()
    rows = f"{watched.total:,} rows, " if watched.total else ""
    tell(f"{label}: {rows}{format_seconds(watched.seconds)}")
