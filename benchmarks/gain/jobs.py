"""The jobs of a comparison: which are missing, run in processes, one JSON line each."""

import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from benchmarks.gain.collection import Collection
from benchmarks.gain.negative_sets import NegativeSet, Weights
from benchmarks.gain.students import StaticStudent, Student, TransformerStudent
from benchmarks.gain.training import Packed, Settings, train
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.models.weights import find_weights

UNTRAINED = "untrained"


@dataclass(frozen=True)
class Job:
    """One training. `name` is the set's; everything but it is paired in the table."""

    name: str
    seed: int
    fold: int


@dataclass(frozen=True)
class Comparison:
    """Sets to train with, all else equal.

    Attributes:
        collection: texts, positives, folds.
        sets: negatives of each name; None = untrained.
        teacher: judge's scores of (query, document).
        name: of the student, in the lines.
        student: folder of the model.
        static: whether it is a table of token vectors.
        settings: steps and sizes.
        seeds: repeats.
        longest: tokens that a transformer reads of a text.
        weights: of the negatives of a set, where they have any.
    """

    collection: Collection
    sets: Mapping[str, NegativeSet | None]
    teacher: Mapping[tuple[str, str], float]
    name: str
    student: Path
    static: bool
    settings: Settings
    seeds: int
    longest: int = 256
    weights: Mapping[str, Weights] = field(default_factory=dict)

    def jobs(self) -> list[Job]:
        """All of them, a whole round of sets for each seed and fold."""
        folds = range(self.collection.folds or 1)
        return [
            Job(name, seed, fold)
            for seed in range(self.seeds)
            for fold in folds
            for name in self.sets
            if seed == 0 or name != UNTRAINED
        ]

    def key(self, name: str) -> dict[str, Any]:
        """What a line must have for it to be one of this comparison's, of the set of that name."""
        return {
            "collection": self.collection.name,
            "student": self.name,
            "longest": None if self.static else self.longest,
            **asdict(self.settings),
            "made_of": self.made_of[name],
        }

    @cached_property
    def made_of(self) -> dict[str, str]:
        """Of each set, a hash of the student's weights, pairs, queries, teacher and negatives."""
        collection = self.collection
        weights = find_weights(str(self.student)).digest
        known, relevant = (
            sorted((query, sorted(documents)) for query, documents in wanted.items())
            for wanted in (collection.known, collection.relevant)
        )
        teacher = fingerprint(sorted(map(list, self.teacher.items())))
        shared = fingerprint([weights, known, relevant, collection.folds, teacher])
        return {
            name: fingerprint(
                [shared, None if found is None else sorted(found.items()), *self._weights(name)]
            )
            for name, found in self.sets.items()
        }

    def _weights(self, name: str) -> list[Any]:
        found = self.weights.get(name)
        return [sorted(map(list, found.items()))] if found else []

    def load(self) -> Student:
        if self.static:
            return StaticStudent(self.student)
        return TransformerStudent(self.student, longest=self.longest)


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Finished jobs; a last line that was cut is left out."""
    if file.is_file():
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _drop_cut_line(file: Path) -> None:
    """Leave whole lines, so that the next one does not continue a cut one."""
    if file.is_file():
        data = file.read_bytes()
        if not data.endswith(b"\n"):
            os.truncate(file, data.rfind(b"\n") + 1)


def missing(comparison: Comparison, file: Path) -> list[Job]:
    """Jobs without a line in the file."""
    keys = {name: comparison.key(name) for name in comparison.sets}
    done = {
        Job(line["set"], line["seed"], line["fold"])
        for line in read_lines(file)
        if line["set"] in keys and keys[line["set"]].items() <= line.items()
    }
    return [job for job in comparison.jobs() if job not in done]


def run(comparison: Comparison, file: Path, processes: int) -> int:
    """Run what is missing, appending a line a job; returns how many were run."""
    _drop_cut_line(file)
    jobs = missing(comparison, file)
    if not jobs:
        return 0
    if processes <= 1:
        _work(comparison, jobs, file)
        return len(jobs)
    spawn = multiprocessing.get_context("spawn")
    # In turns, so that every process has some of each round and none waits long for the last.
    shares = [jobs[number::processes] for number in range(processes)]
    workers = [spawn.Process(target=_work, args=(comparison, s, file)) for s in shares if s]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("a training process failed, see above; give the command again to go on")
    return len(jobs)


def _work(comparison: Comparison, jobs: Sequence[Job], file: Path) -> None:
    torch.set_num_threads(max(1, int(os.environ.get("OMP_NUM_THREADS", "1"))))
    # Processes share the card: segments that can grow hold less of it for batches of all sizes.
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    packed = Packed(comparison.collection, comparison.load())
    for job in jobs:
        began = time.monotonic()
        negatives = comparison.sets[job.name]
        weights = comparison.weights.get(job.name)
        settings, teacher = comparison.settings, comparison.teacher
        found = train(packed, negatives, teacher, settings, job.seed, job.fold, weights)
        line = {
            **comparison.key(job.name),
            "set": job.name,
            "seed": job.seed,
            "fold": job.fold,
            "seconds": round(time.monotonic() - began, 2),
            "ndcg": {query: round(value, 5) for query, value in found.items()},
        }
        append_line(file, line)


def append_line(file: Path, line: Mapping[str, Any]) -> None:
    """One write of one line: processes append to the same file without a lock."""
    data = (json.dumps(line) + "\n").encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, data)
    finally:
        os.close(handle)
