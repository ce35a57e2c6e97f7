"""`negmine` that notes in a file when a stage and a block begin, and when a part is there.

    NEGMINE_TRACE=FILE python -m benchmarks._traced_mine mine CONFIG ...

A line is `seconds <tab> event <tab> name`: `start`, `ending` and `end` of each stage of a job (its
work is done at the second, all of it is behind at the third), `begin` of a block, `written` and
`part` of a path (it has its temporary name at the first, its own at the second).

NEGMINE_STOP_AT="stage <tab> event <tab> name" lets the process stand still (SIGSTOP) there, or at
the stage's `ending` where that does not come; once, so that SIGCONT lets it go on to its end.
"""

import functools
import importlib
import logging
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

BLOCKS = {
    "negmine.transforms.vectors.embed:_Encode.process": 0,
    "negmine.transforms.sources.bm25.index:_IndexBlock._make": 0,
    "negmine.transforms.sources.searchers:Bm25Searcher.search": 1,
    "negmine.transforms.sources.searchers:DenseSearcher.search": 1,
    "negmine.transforms.sources.random_documents:DrawRandom.table": 0,
    "negmine.transforms.sources.dense:TrainIndex.table": 0,
    "negmine.transforms.sources.dense:FillShards.table": 0,
    "negmine.transforms.judging.calibrate:ScorePositives.table": 0,
    "negmine.transforms.judging.judge:JudgePairs.table": 0,
    "negmine.transforms.choosing.select:SelectNegatives.table": 0,
    "negmine.transforms.choosing.score:ScoreSets.table": 0,
    "negmine.transforms.choosing.publish:PublishParts._write": 0,
}
"""What makes a block, and which of its arguments the block is."""


class Trace:
    """Appends lines to a file, each by one write."""

    def __init__(self, path: str, stop_at: str = "") -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        self.stop_stage, _, self.stop_at = stop_at.partition("\t")
        self.stages: set[str] = set()

    def note(self, event: str, name: str) -> None:
        os.write(self.file, f"{time.monotonic():.6f}\t{event}\t{name}\n".encode())
        if event == "start":
            self.stages.add(name)
        if event == "end":
            self.stages.discard(name)
        if self.stop_stage in self.stages and (
            event == "ending" or f"{event}\t{self.relative(name)}" == self.stop_at
        ):
            self.stop_stage = ""
            os.kill(os.getpid(), signal.SIGSTOP)

    @staticmethod
    def relative(name: str) -> str:
        """A part's path from the stage's folder on, without the attempt: the same in any run."""
        return re.sub(r"/[0-9a-f]{32}/", "/", name.rpartition("/work/")[2])


def _noting(make: Callable[..., Any], argument: int, trace: Trace) -> Callable[..., Any]:
    @functools.wraps(make)
    def noted(self: Any, *arguments: Any) -> Any:
        trace.note("begin", arguments[argument].part)
        return make(self, *arguments)

    return noted


def install(trace: Trace) -> None:
    """Put the notes in place; before anything of `jobs` is imported."""
    from negmine.transforms.data import datasets
    from negmine.transforms.storage import atomic

    write = atomic.write_atomically

    def writing(path: Any, make: Any) -> None:
        def noted(temporary: str) -> None:
            make(temporary)
            trace.note("written", str(path))

        write(path, noted)
        trace.note("part", str(path))

    for module in (atomic, datasets):
        module.write_atomically = writing  # type: ignore[attr-defined]

    from negmine.jobs.runner import progress

    show = progress.progress

    @contextmanager
    def showing(label: str, *arguments: Any) -> Iterator[None]:
        stages = label.split(", ")
        for stage in stages:
            trace.note("start", stage)
        with show(label, *arguments):
            yield
            for stage in stages:
                trace.note("ending", stage)
        for stage in stages:
            trace.note("end", stage)

    progress.progress = showing  # type: ignore[assignment]
    for place, argument in BLOCKS.items():
        module, _, name = place.partition(":")
        owner, _, method = name.partition(".")
        holder = getattr(importlib.import_module(module), owner)
        setattr(holder, method, _noting(getattr(holder, method), argument, trace))


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)  # As the command itself does, before Beam is there.
    install(Trace(os.environ["NEGMINE_TRACE"], os.environ.get("NEGMINE_STOP_AT", "")))
    from negmine.jobs.__main__ import main

    main()
