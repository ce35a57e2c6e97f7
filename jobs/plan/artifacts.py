"""Which artifacts a run would use, and which of them are there: its stages, asked but not made."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from negmine.jobs.mining.models import EncoderChoice, judge_student
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.scores import precomputed_scores
from negmine.jobs.workdir.artifacts import Work
from negmine.transforms import storage
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.sources.bm25 import Bm25Index


class NotMade(Exception):
    """Content was asked of an artifact that is not there yet."""


@dataclass(frozen=True)
class Unmade(Dataset):
    """An artifact that is not made yet: its fingerprint is known, its content is not."""

    fingerprint: str = ""
    expected: int = 0

    def manifest(self) -> dict[str, Any]:
        return {"fingerprint": self.fingerprint, "rows": self.expected}

    def part_names(self) -> list[str]:
        raise NotMade(self.path)


@dataclass(frozen=True)
class Artifact:
    """An artifact that the run asks for.

    `left` is the share of its rows that is not on disk; `earlier` are artifacts that rows are
    copied from.
    """

    stage: str
    what: str
    key: dict[str, Any]
    dataset: Dataset
    left: float
    earlier: tuple[Dataset, ...] = ()

    def texts_to_encode(self, texts: Dataset, characters: np.ndarray) -> np.ndarray:
        """Lengths (n,) of the texts that no earlier artifact holds."""
        if not self.earlier:
            return characters
        known = np.concatenate(
            [dataset.read(["text_hash"]).column(0).to_numpy() for dataset in self.earlier]
        )
        hashes = [text_keys(t.column("text").to_pylist()) for t in texts.tables(["text"])]
        return characters[~np.isin(np.concatenate(hashes), known)]


def tree_bytes(folder: Path) -> int:
    """Bytes of the files below a folder; 0 where there is none."""
    return sum(storage.state(file)[0] for file in storage.files(folder))


@dataclass
class RehearsedWork(Work):
    """A work directory that looks for artifacts and makes none; `asked` holds them in order."""

    stand_ins: str = ""
    asked: dict[str, Artifact] = field(default_factory=dict)

    def path(self, stage: str, key: dict[str, Any]) -> tuple[Path, str]:
        directory, found = super().path(stage, key)
        if stage != "bm25_index":
            return directory, found
        index = Bm25Index(str(directory))
        finished = all(d.finished for d in (index.postings, index.lengths, index.statistics))
        self._note("bm25_index", "index bm25", key, index.lengths, 0.0 if finished else 1.0)
        if finished:
            return directory, found
        # An index opens its own data sets: an empty one stands in, and nobody reads it.
        empty = Bm25Index(str(Path(self.stand_ins) / found))
        for dataset in (empty.postings, empty.lengths, empty.statistics):
            dataset.finish(fingerprint=found, stage=stage)
        return Path(empty.path), found

    def ensure(self, stage: str, key: dict[str, Any], rows: int, make: Any, **how: Any) -> Dataset:
        directory, found = self.path(stage, key)
        dataset = Dataset(str(directory))
        done = sum(block.stop - block.start for block in dataset.blocks())
        left = 0.0 if dataset.finished else max(0.0, 1 - done / max(rows, 1))
        # A stage with all its parts and no manifest still has its last step to do.
        left = left if dataset.finished else max(left, 1e-9)
        given = dataset if dataset.finished else Unmade(dataset.path, found, rows)
        self._note(stage, how.get("label") or stage, key, given, left)
        return given

    def _note(
        self, stage: str, what: str, key: dict[str, Any], dataset: Dataset, left: float
    ) -> None:
        self.asked.setdefault(dataset.path, Artifact(stage, what, key, dataset, left))


class Rehearsal(MiningRun):
    """A run whose stages are asked for and not made, over a collection that is ingested."""

    def __init__(self, miner: MiningRun, stand_ins: str) -> None:
        super().__init__(miner.config, miner.options)
        self.work: RehearsedWork = RehearsedWork(
            miner.work.root, miner.work.block_size, miner.options, stand_ins=stand_ins
        )
        self.__dict__["ingested"] = miner.ingested
        self.__dict__["input_fingerprint"] = miner.input_fingerprint
        self.embeddings: dict[str, tuple[str, EncoderChoice, bool]] = {}

    def embed(self, texts: str, encoder: EncoderChoice, tokens: bool) -> Dataset:
        dataset = super().embed(texts, encoder, tokens)
        self.embeddings[dataset.path] = texts, encoder, tokens
        asked = self.work.asked[dataset.path]
        earlier = tuple(self.earlier_vectors(asked.key["encoder"], tokens)) if asked.left else ()
        self.work.asked[dataset.path] = replace(asked, earlier=earlier)
        return dataset

    def of(self, *stages: str) -> list[Artifact]:
        """Artifacts of these stages, in the order they were asked for."""
        return [artifact for artifact in self.work.asked.values() if artifact.stage in stages]

    def ask(self) -> None:
        """Ask for every artifact whose key is known; thresholds wait for the judge's scores."""
        _ = self.collection
        for judge in self.config.judge.flat():
            if judge.kind == "precomputed":
                precomputed_scores(self, judge)
            if judge.kind in {"late_interaction", "fusion"}:
                encoder = self.token_encoder(judge_student(judge, self.config.student))
                if encoder.identity != self.student.identity:
                    self.embed("documents", encoder, True)
                    self.embed("queries", encoder, True)
        _ = self.candidates
        with suppress(NotMade):
            _ = self.sets

    @property
    def judge_artifact(self) -> Artifact | None:
        """The judged pairs of the whole judge; None where their key is not known yet."""
        with suppress(NotMade):
            key = self.judgement.key
            made = [artifact for artifact in self.of("judge") if artifact.key["judge"] == key]
            return made[-1] if made else None
        return None
