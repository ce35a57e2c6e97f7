"""The work directory: content-addressed artifacts, made once and resumed from their parts."""

import os
import time
import uuid
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from negmine.jobs.runner import pipeline
from negmine.jobs.runner.pipeline import Chain
from negmine.jobs.runner.progress import Making, progress
from negmine.jobs.workdir.artifacts import Artifact, Place
from negmine.jobs.workdir.locks import artifact_lock
from negmine.pipelines.graph import STAGES
from negmine.schemas import JsonObject
from negmine.schemas.errors import NegmineError, StorageError
from negmine.schemas.tables import SCHEMA_VERSION
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.datasets import PARTIAL, Dataset
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.storage.atomic import write_json
from negmine.transforms.storage.locks import LOCK, shared_lock

_PLAN = "_plan.json"
_BLOCKS_EACH = 8
"""Blocks of a worker, as far as they are not too small: the last one is waited for alone."""


@dataclass
class WorkDirectory:
    """A work directory and what this run did in it.

    From the first artifact that is asked for, as long as this lives, `negmine gc` deletes nothing
    there.

    Attributes:
        root: the folder.
        block_size: rows in a block, where an artifact does not say otherwise.
        options: of Beam's runner.
        workers: of a local run, which share blocks out.
        timings: seconds of each stage, and whether all of it was reused from earlier runs. What
            one job makes for several stages counts towards the first of them.
        counters: what the pipelines counted, by artifact's label.
        used: directories of the artifacts that were asked for, in order.
        attempt: names the folders of what goes when an artifact is there, see `Artifact.scratch`.
    """

    root: Path
    block_size: int
    options: Sequence[str] = ()
    workers: int = 1
    timings: dict[str, JsonObject] = field(default_factory=dict)
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    used: dict[Path, None] = field(default_factory=dict)
    attempt: str = field(default_factory=lambda: uuid.uuid4().hex)
    _made: set[Path] = field(default_factory=set)

    def path(self, stage: str, key: JsonObject) -> tuple[Path, str]:
        """Directory and fingerprint of an artifact, from everything that decides its content."""
        identity = {"stage": stage, "version": STAGES[stage].version, "schema": SCHEMA_VERSION}
        found = fingerprint({**identity, **key})
        directory = self.root / stage / found
        if not self.used:
            self._hold()
        self.used[directory] = None
        return directory, found

    def expected(self, artifact: Artifact) -> Dataset:
        """Where an artifact of one data set is or will be."""
        return Dataset(str(self.path(artifact.stage, artifact.key)[0]))

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
        entry = self._entry(stage, reused)
        try:
            yield
        finally:
            entry["seconds"] = round(entry["seconds"] + time.perf_counter() - started, 3)

    def _entry(self, stage: str, reused: bool) -> JsonObject:
        entry = self.timings.setdefault(stage, {"seconds": 0.0, "reused": True})
        entry["reused"] = entry["reused"] and reused
        return entry

    def make_or_reuse(self, artifact: Artifact) -> Dataset:
        """The artifact of a stage, made now where no finished one exists."""
        return self.make_together(artifact)[0]

    def make_together(self, *artifacts: Artifact) -> list[Dataset]:
        """Artifacts that need nothing of one another, or follow one another block by block.

        Those that are missing are made by one pipeline. An artifact of several data sets gives the
        first of them.
        """
        places = [Place(a, *self.path(a.stage, a.key)) for a in artifacts]
        if not places:
            return []
        todo = [place for place in places if not place.finished]
        for place in places:
            reused = place not in todo and place.directory not in self._made
            self._entry(place.artifact.stage, reused)
        first = (todo or places)[0].artifact.stage
        with self.timed(first, reused=not todo), ExitStack() as locks:
            for place in sorted(todo, key=lambda place: place.directory):
                alone = locks.enter_context(artifact_lock(place.directory))
                if alone and place.artifact.scratch and not place.finished:
                    # Of killed attempts; one that an engine goes on with fails then.
                    storage.remove_tree(place.directory / place.artifact.scratch)
            todo = [place for place in todo if not place.finished]
            if todo:
                self._make(todo)
            for place in todo:
                place.finish()
                self._made.add(place.directory)
        return [place.datasets[0] for place in places]

    def _make(self, places: Sequence[Place]) -> None:
        """Make the missing parts; what follows another artifact goes into the pipeline after it."""
        missing = {place: self._missing(place) for place in places}
        steps = max(len(_batches(place, missing[place])) for place in places)
        for at, place in enumerate(places[1:], 1):
            artifact, before = place.artifact, missing[places[at - 1]]
            alone = artifact.follows and not set(before) <= set(missing[place])
            if alone or (artifact.waits and steps > 1):
                self._make(places[:at])
                self._make(places[at:])
                return
        shown = [
            Making(p.name, p.datasets[0].path, missing[p], p.artifact.stage == "select")
            for p in places
            if not p.artifact.several
        ]
        with progress(", ".join(place.name for place in places), shown):
            for step in range(steps):
                chains: list[list[tuple[str, object]]] = []
                after = []
                for at, place in enumerate(places):
                    batches = _batches(place, missing[place])
                    if step >= len(batches):
                        continue
                    if place.artifact.waits and chains:
                        make = place.artifact.make
                        after.append((place.name, make(str(place.directory), batches[step])))
                    else:
                        follows = place.artifact.follows and at > 0
                        before = missing[places[at - 1]] if follows else ()
                        _add(chains, place, batches[step], before)
                self._run(places, chains, after)
        for place in places:
            if not place.artifact.several:
                self._complete(place)
                storage.remove_tree(place.directory / PARTIAL)

    def _run(self, places: Sequence[Place], chains: Sequence[Chain], after: Chain) -> None:
        try:
            counted = pipeline.run_pipeline(chains, self.options, after, self.workers)
        except NegmineError:
            for place in places:
                if place.artifact.scratch:
                    storage.remove_attempt(place.directory / place.artifact.scratch / self.attempt)
            raise
        for name, counts in counted.items():
            kept = self.counters.setdefault(name, {})
            for counter, value in counts.items():
                kept[counter] = kept.get(counter, 0) + value

    def _complete(self, place: Place) -> None:
        """Raise StorageError where the runner lost a block or left one that was not planned."""
        (dataset,) = place.datasets
        expected = plan_blocks(place.artifact.rows, _planned(dataset.directory / _PLAN))
        if dataset.blocks() != expected:
            raise StorageError(
                f"{dataset.path} holds {len(dataset.blocks())} parts where {len(expected)} were "
                "planned; the runner lost work. Run again to make the missing ones, or remove the "
                "directory"
            )

    def _missing(self, place: Place) -> tuple[Block, ...]:
        """Blocks without a part. A plan left by an interrupted run is kept to."""
        if place.artifact.several:
            return ()
        plan = place.directory / _PLAN
        artifact = place.artifact
        size = artifact.block_size or self.block_size
        if artifact.shared is not None and self.workers > 1:
            blocks = min(_BLOCKS_EACH * self.workers, artifact.rows // artifact.shared)
            size = min(size, -(-artifact.rows // max(1, blocks)))
        if storage.is_file(plan):
            size = _planned(plan)
        else:
            write_json(plan, {"block_size": size})
        done = set(place.datasets[0].part_names())
        planned = plan_blocks(artifact.rows, size)
        return tuple(block for block in planned if block.part not in done)


def _batches(place: Place, todo: tuple[Block, ...]) -> list[tuple[Block, ...]]:
    """The blocks of each pipeline; of an artifact of several data sets one without blocks."""
    step = place.artifact.at_once or max(len(todo), 1)
    found = [todo[start : start + step] for start in range(0, len(todo), step)]
    return [()] if place.artifact.several else found


def _add(
    chains: list[list[tuple[str, object]]],
    place: Place,
    blocks: tuple[Block, ...],
    before: tuple[Block, ...],
) -> None:
    """Add what makes the blocks; where it follows a stage that makes `before`, behind that one."""
    make = place.artifact.make
    if before:
        others = tuple(block for block in blocks if block not in before)
        chains[-1].append((place.name, make(str(place.directory), others)))
    else:
        chains.append([(place.name, make(str(place.directory), blocks))])


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
