"""The work directory: content-addressed artifacts, made once and resumed from their parts."""

import os
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from negmine.jobs.runner.progress import progress
from negmine.schemas.errors import StorageError
from negmine.schemas.tables import SCHEMA_VERSION
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.datasets import PARTIAL, Dataset, write_json
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.storage.locks import LOCK, is_locked, open_lock, shared_lock, wait_for

STAGE_VERSIONS = {
    "ingest": 4,
    "embed": 3,
    "bm25_index": 2,
    "retrieve": 2,
    "index": 1,
    "precomputed": 2,
    "check_judge": 1,
    "calibrate": 1,
    "judge": 6,
    "select": 3,
    "score": 1,
}
"""Raised when a stage's results change for the same inputs, so that old artifacts stay unused."""

_PLAN = "_plan.json"

Make = Callable[[str, tuple[Block, ...]], tuple[Callable[..., Any], Any]]


@dataclass
class Work:
    """A work directory and what this run did in it.

    From the first artifact that is asked for, as long as this lives, `negmine gc` deletes nothing
    there. `timings` holds seconds for each stage and whether all of it was reused from earlier
    runs, `used` the directories of the artifacts that were asked for, in order.
    """

    root: Path
    block_size: int
    options: Sequence[str] = ()
    timings: dict[str, dict[str, Any]] = field(default_factory=dict)
    used: dict[Path, None] = field(default_factory=dict)

    def path(self, stage: str, key: dict[str, Any]) -> tuple[Path, str]:
        """Directory and fingerprint of an artifact, from everything that decides its content."""
        identity = {"stage": stage, "version": STAGE_VERSIONS[stage], "schema": SCHEMA_VERSION}
        found = fingerprint({**identity, **key})
        directory = self.root / stage / found
        if not self.used:
            self._hold()
        self.used[directory] = None
        return directory, found

    @property
    def sums(self) -> Path:
        """File of the digests of input files, see `transforms.readers.fingerprints`."""
        return self.root / "inputs.json"

    def _hold(self) -> None:
        lock = shared_lock(self.root / LOCK)
        if lock is not None:
            weakref.finalize(self, os.close, lock)

    @contextmanager
    def timed(self, stage: str, reused: bool) -> Iterator[None]:
        """Count the body's seconds towards a stage."""
        started = time.perf_counter()
        entry = self.timings.setdefault(stage, {"seconds": 0.0, "reused": True})
        entry["reused"] = entry["reused"] and reused
        try:
            yield
        finally:
            entry["seconds"] = round(entry["seconds"] + time.perf_counter() - started, 3)

    def ensure(
        self,
        stage: str,
        key: dict[str, Any],
        rows: int,
        make: Make,
        *,
        label: str | None = None,
        details: dict[str, Any] | Callable[[Dataset], dict[str, Any]] | None = None,
        at_once: int | None = None,
    ) -> Dataset:
        """The artifact of a stage, made now where no finished one exists.

        Args:
            stage: stage it counts towards.
            key: everything that decides the content, as JSON values.
            rows: positions to cut into blocks.
            make: from the directory and the blocks that are missing to (build, task).
            label: what to show while it runs.
            details: put into the manifest; or what finds them in the parts that were made.
            at_once: blocks of a pipeline, which follow one another; None = one of all blocks.
        """
        directory, found = self.path(stage, key)
        dataset = Dataset(str(directory))
        reused = dataset.finished
        with self.timed(stage, reused):
            if not reused:
                with making(directory):
                    if not dataset.finished:
                        self._make(dataset, rows, make, label or stage, at_once)
                        more = details(dataset) if callable(details) else details or {}
                        dataset.finish(fingerprint=found, **{"stage": stage, "key": key, **more})
        return dataset

    def _make(
        self, dataset: Dataset, rows: int, make: Make, label: str, at_once: int | None
    ) -> None:
        todo = self._missing(dataset, rows)
        step = at_once or max(len(todo), 1)
        with progress(label, dataset.path, todo):
            for start in range(0, max(len(todo), 1), step):
                build, task = make(dataset.path, todo[start : start + step])
                if todo:
                    from negmine.jobs.runner.pipeline import run_pipeline

                    run_pipeline(build, task, self.options)
        self._complete(dataset, rows)
        storage.remove_tree(dataset.directory / PARTIAL)

    def _complete(self, dataset: Dataset, rows: int) -> None:
        """Raise StorageError where the runner lost a block or left one that was not planned."""
        expected = plan_blocks(rows, _planned(dataset.directory / _PLAN))
        if dataset.blocks() != expected:
            raise StorageError(
                f"{dataset.path} holds {len(dataset.blocks())} parts where {len(expected)} were "
                "planned; the runner lost work. Run again to make the missing ones, or remove the "
                "directory"
            )

    def _missing(self, dataset: Dataset, rows: int) -> tuple[Block, ...]:
        """Blocks without a part. A plan left by an interrupted run is kept to."""
        plan = dataset.directory / _PLAN
        size = self.block_size
        if storage.is_file(plan):
            size = _planned(plan)
        else:
            write_json(plan, {"block_size": size})
        done = set(dataset.part_names())
        return tuple(block for block in plan_blocks(rows, size) if block.part not in done)


def _planned(plan: Path) -> int:
    """Rows in a block of a plan."""
    try:
        size = int(storage.read_json(storage.fetch(plan))["block_size"])
        if size < 1:
            raise ValueError(f"block_size is {size}")
        return size
    except (OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise StorageError(
            f"{plan} cannot be read ({type(error).__name__}: {error}); remove {plan.parent} and "
            "run again to make it anew"
        ) from error


@contextmanager
def making(directory: Path) -> Iterator[None]:
    """Hold an artifact's directory: another process that makes the same one waits, then finds it.

    Where files cannot be locked nobody waits; what both write is the same.
    """
    file = directory / LOCK
    with suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
    lock = open_lock(file)
    try:
        if lock is not None:
            wait_for(lock, f"makes {directory}")
        yield
        # Gone only when all is made: who opened it before finds that, and makes nothing.
        with suppress(OSError):
            file.unlink(missing_ok=True)
    finally:
        if lock is not None:
            os.close(lock)


def at_work(root: Path) -> bool:
    """Whether a run holds the work directory now."""
    return is_locked(root / LOCK)
