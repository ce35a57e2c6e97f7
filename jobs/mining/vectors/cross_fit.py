"""A student of several checkpoints, each query under the one that was trained without it."""

from dataclasses import dataclass
from typing import Literal

from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.models import EncoderChoice
from negmine.jobs.workdir.artifacts import Artifact, Blocks
from negmine.pipelines.graph import STAGES
from negmine.pipelines.stage import BlockStage
from negmine.schemas import JsonObject, tables
from negmine.schemas.config import Student
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.vectors.cross_fit import JoinFolds


@dataclass(frozen=True)
class CrossFitStudent:
    """The encoders of the folds, in order."""

    folds: tuple[EncoderChoice, ...]

    @property
    def identity(self) -> JsonObject:
        """What decides the vectors, as JSON values."""
        return {"folds": [encoder.identity for encoder in self.folds]}

    @property
    def digest(self) -> str:
        """Hash of the weights of all, in their order."""
        return digest_of_folds([encoder.digest for encoder in self.folds])

    @property
    def precision(self) -> str:
        """What the models run in; all of them, where it is not one."""
        return ", ".join(dict.fromkeys(encoder.precision for encoder in self.folds))

    @property
    def agreement(self) -> float | None:
        """Lowest cosine with fp32 of any."""
        known = [e.agreement for e in self.folds if e.agreement is not None]
        return min(known) if known else None


def digest_of_folds(digests: list[str]) -> str:
    """What stands for the weights of several models in a manifest."""
    return fingerprint({"folds": digests})


def fold_students(student: Student) -> list[Student]:
    """Settings of the encoder of each fold."""
    return [student.model_copy(update={"model": name, "models": ()}) for name in student.models]


def cross_fit_student(run: RunContext) -> CrossFitStudent:
    """The student of a run with `student.models`, precisions settled."""
    settings = fold_students(run.config.student)
    return CrossFitStudent(tuple(run.encoder(student, "student") for student in settings))


def joined_vectors(
    run: RunContext,
    texts: Literal["documents", "queries"],
    student: CrossFitStudent,
    models: tuple[Dataset, ...],
) -> Artifact:
    """Vectors of `documents` or `queries` in the space of all folds, from those of each model."""
    version = STAGES["embed"].version
    key = {
        "encoder": {**student.identity, "kind": texts, "version": version},
        texts: run.text_key(texts),
        "tokens": False,
    }

    def make(directory: str, blocks: Blocks) -> BlockStage:
        join = JoinFolds(texts, models, run.ingested["queries"])
        width = sum(array_column(model, "vector").shape[1] for model in models)
        return BlockStage("JoinFolds", join, directory, blocks, tables.vectors(width), "none")

    def details(_: Dataset) -> JsonObject:
        first = models[0].manifest()
        kept: JsonObject = {n: first[n] for n in ("dtype", "processor") if n in first}
        return {"encoder": key["encoder"], "tokens": False, "model": "", **kept}

    label = f"join {texts}"
    return Artifact("embed", key, run.texts[texts].rows, make, label, details=details)
