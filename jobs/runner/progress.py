"""Progress on a terminal, read from the parts on disk, so that it works for any runner."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from negmine.schemas.locations import is_mirrored
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset


def _done(dataset: Dataset) -> int:
    return sum(block.stop - block.start for block in dataset.blocks())


@contextmanager
def progress(label: str, parts: Sequence[tuple[str, Sequence[Block]]] = ()) -> Iterator[None]:
    """Show rows done, rows/s and ETA while the body runs; silent off a terminal.

    `parts` are folders of data sets with the blocks that are being made in each.
    """
    if not sys.stderr.isatty():
        yield
        return

    total = sum(block.stop - block.start for _, blocks in parts for block in blocks) or None
    watched = [Dataset(directory) for directory, _ in parts]
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows  {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    stop = threading.Event()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total, rate="")
        started = time.monotonic()
        before = sum(map(_done, watched))
        remote = any(is_mirrored(directory) for directory, _ in parts)

        def watch() -> None:
            while not stop.wait(5 if remote else 0.5):
                if total:
                    done = sum(map(_done, watched)) - before
                    rate = done / (time.monotonic() - started)
                    bar.update(task, completed=done, rate=f"{rate:,.0f} rows/s")

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
