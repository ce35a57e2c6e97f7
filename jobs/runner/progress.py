"""Progress of a stage: a bar on a terminal and in a notebook, a line a minute anywhere else.

Rows are those of the parts on disk, whatever the runner, and of the block that this process makes.
"""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from negmine.jobs.terminal import format_seconds, in_notebook
from negmine.schemas.locations import is_mirrored
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.underway import rows_underway

EVERY = 60.0
"""Seconds between two lines, where there is no bar."""

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


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


class _Watched:
    """Rows that are made of data sets' missing blocks."""

    def __init__(self, parts: Sequence[tuple[str, Sequence[Block]]]) -> None:
        self.total = sum(block.stop - block.start for _, blocks in parts for block in blocks)
        self.remote = any(is_mirrored(directory) for directory, _ in parts)
        self._datasets = [Dataset(directory) for directory, _ in parts]
        self._started = time.monotonic()
        self._before = self._on_disk()
        self._most = 0.0

    def _on_disk(self) -> int:
        return sum(b.stop - b.start for dataset in self._datasets for b in dataset.blocks())

    @property
    def seconds(self) -> float:
        """Since the stage began."""
        return time.monotonic() - self._started

    def done(self) -> float:
        """Rows made so far; a block between the model and its part does not count backwards."""
        if self.total:
            found = self._on_disk() - self._before + rows_underway()
            self._most = min(max(self._most, found), self.total)
        return self._most


class _Display(Protocol):
    interval: float

    def update(self, watched: _Watched) -> None: ...

    def close(self) -> None: ...


class _Bar:
    """A bar on a terminal, which goes when the stage is done."""

    def __init__(self, label: str, watched: _Watched) -> None:
        self.interval = 5.0 if watched.remote else 0.5
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<24}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} rows  {task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._progress.start()
        self._task = self._progress.add_task(label, total=watched.total or None, rate="")

    def update(self, watched: _Watched) -> None:
        done = watched.done()
        rate = f"{done / max(watched.seconds, 1e-9):,.0f} rows/s" if watched.total else ""
        self._progress.update(self._task, completed=done, rate=rate)

    def close(self) -> None:
        self._progress.stop()


class _Notebook:
    """A bar in a notebook's cell."""

    interval = 1.0

    def __init__(self, label: str, watched: _Watched) -> None:
        from tqdm.auto import tqdm

        self._bar = tqdm(total=watched.total or None, desc=label, unit="row", leave=False)

    def update(self, watched: _Watched) -> None:
        self._bar.update(round(watched.done()) - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Lines:
    """A line a minute, for logs."""

    def __init__(self, label: str, watched: _Watched) -> None:
        self.interval = EVERY
        self._label = label

    def update(self, watched: _Watched) -> None:
        seconds = watched.seconds
        if not watched.total:
            tell(f"{self._label}: {format_seconds(seconds)} so far")
            return
        done = watched.done()
        rate = done / max(seconds, 1e-9)
        left = f", {format_seconds((watched.total - done) / rate)} left" if rate else ""
        tell(f"{self._label}: {done:,.0f} of {watched.total:,} rows, {rate:,.1f} rows/s{left}")

    def close(self) -> None:
        pass


def _display(label: str, watched: _Watched) -> _Display:
    if in_notebook():
        return _Notebook(label, watched)
    return (_Bar if sys.stderr.isatty() else _Lines)(label, watched)


@contextmanager
def progress(label: str, parts: Sequence[tuple[str, Sequence[Block]]] = ()) -> Iterator[None]:
    """Show rows done, rows/s and time left while the body runs, and a line when it is done.

    `parts` are folders of data sets with the blocks that are being made in each.
    """
    if _quiet.get():
        yield
        return

    watched = _Watched(parts)
    display = _display(label, watched)
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(display.interval):
            display.update(watched)

    context = threading.Thread(target=watch, daemon=True)
    context.start()
    try:
        yield
    finally:
        stop.set()
        context.join()
        display.close()
    rows = f"{watched.total:,} rows, " if watched.total else ""
    tell(f"{label}: {rows}{format_seconds(watched.seconds)}")
