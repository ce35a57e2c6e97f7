"""Progress on a terminal, read from the parts on disk, so that it works for any runner."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from negmine.schemas.locations import is_mirrored
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset


def _done(dataset: Dataset) -> int:
    return sum(block.stop - block.start for block in dataset.blocks())


@contextmanager
def progress(stage: str, directory: str | None, blocks: Sequence[Block]) -> Iterator[None]:
    """Show rows done, rows/s and ETA of a stage while the body runs; silent off a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    total = sum(block.stop - block.start for block in blocks) or None
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows  {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    stop = threading.Event()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(stage, total=total, rate="")
        started = time.monotonic()
        before = _done(Dataset(directory)) if directory else 0

        def watch() -> None:
            while not stop.wait(5 if directory and is_mirrored(directory) else 0.5):
                if directory and total:
                    done = _done(Dataset(directory)) - before
                    rate = done / (time.monotonic() - started)
                    bar.update(task, completed=done, rate=f"{rate:,.0f} rows/s")

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
