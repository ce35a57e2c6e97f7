"""Which artifacts a run would use, and what of each is there: a work directory that makes none."""

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.vectors.embedding import earlier_vectors
from negmine.jobs.workdir.artifacts import Artifact
from negmine.jobs.workdir.directory import WorkDirectory
from negmine.pipelines.graph import STAGES
from negmine.schemas import JsonObject
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.hashing import text_keys

if TYPE_CHECKING:
    import apache_beam as beam


class NotMade(Exception):
    """Content was asked of an artifact that is not there yet."""


@dataclass(frozen=True)
class Expected(Dataset):
    """A data set that is not made yet: its fingerprint and rows are known, its content is not."""

    fingerprint: str = ""
    to_come: int = 0

    def manifest(self) -> JsonObject:
        return {"fingerprint": self.fingerprint, "rows": self.to_come, "parts": []}

    def part_names(self) -> list[str]:
        raise NotMade(self.path)


@dataclass(frozen=True)
class Asked:
    """An artifact that a run asks for, and the share of its rows that is `left` to be made."""

    artifact: Artifact
    dataset: Dataset
    left: float


@dataclass
class PlannedWork(WorkDirectory):
    """A work directory that makes nothing; `asked` holds what it was asked for, in order."""

    asked: dict[Path, Asked] = field(default_factory=dict)

    def make_together(self, *artifacts: Artifact) -> list[Dataset]:
        return [self._look(artifact).dataset for artifact in artifacts]

    def expected(self, artifact: Artifact) -> Dataset:
        return self._look(artifact).dataset

    def _look(self, artifact: Artifact) -> Asked:
        directory, found = self.path(artifact.stage, artifact.key)
        names = artifact.several or ("",)
        datasets = [Dataset(str(directory / name)) for name in names]
        first, left = datasets[0], 0.0
        if not all(dataset.finished for dataset in datasets):
            done = 0 if artifact.several else sum(b.stop - b.start for b in first.blocks())
            # One with all its parts and no manifest still has its last step to do.
            left = max(1e-9, 1 - done / max(artifact.rows, 1))
            name = "/".join(filter(None, (found, names[0])))
            first = Expected(first.path, name, artifact.rows)
        return self.asked.setdefault(directory, Asked(artifact, first, left))


def asked_by(run: MiningRun) -> list[Asked]:
    """What a run would use after ingest, as far as that is known before anything is made.

    Behind it come the last stages of every run, whose artifacts are not known by then. From here on
    the run makes nothing: its work directory is replaced.
    """
    run.until = "score"
    run.work = work = PlannedWork(run.work.root, run.work.block_size, run.options)
    for step in ("collection", "candidates", "judge_checks", "sets", "lists"):
        with suppress(NotMade):
            getattr(run, step)
    found, whole = list(work.asked.values()), run.config.judge.kind
    # Artifacts of the judges that another one is made of are not those of the last stages.
    last = {a.artifact.stage for a in found if judge_kind(a.artifact, whole) == whole}
    for stage in (*dropwhile(lambda name: name != "judge", STAGES), "publish"):
        if stage not in last and (run.config.lists or stage != "lists"):
            artifact = Artifact(stage, {}, run.rows("queries"), unknown)
            found.append(Asked(artifact, Expected(stage), 1.0))
    return found


def judge_kind(artifact: Artifact, whole: str) -> str:
    """Kind of the judge that an artifact is of; that of the whole judge where it names none."""
    return str(artifact.key.get("judge", {}).get("kind", whole))


def unknown(directory: str, _: object) -> "beam.PTransform":
    """Stands for what makes an artifact whose key is not known. Raises NotMade."""
    raise NotMade(directory)


def is_new(run: RunContext, artifact: Artifact, texts: Dataset) -> np.ndarray:
    """Which texts no earlier vectors of the same encoder hold: (n,) bool."""
    earlier = earlier_vectors(run, artifact.key["encoder"], artifact.key["tokens"])
    known = [dataset.read(["text_hash"]).column(0).to_numpy() for dataset in earlier]
    if not known:
        return np.ones(texts.rows, dtype=bool)
    hashes = [text_keys(table.column("text").to_pylist()) for table in texts.tables(["text"])]
    return ~np.isin(np.concatenate(hashes), np.concatenate(known))
