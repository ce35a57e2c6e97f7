"""The student's, or a judge's, vectors of a run's texts: what decides them, and the artifact."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.models import EncoderChoice
from negmine.jobs.mining.vectors.cross_fit import CrossFitStudent, cross_fit_student, joined_vectors
from negmine.jobs.mining.vectors.given_vectors import GivenStudent, given_student, placed_vectors
from negmine.jobs.runner.processor import torch_processor
from negmine.jobs.workdir.artifacts import Artifact, Blocks
from negmine.pipelines.graph import STAGES
from negmine.pipelines.stage import BlockStage
from negmine.schemas import JsonObject, tables
from negmine.transforms import storage
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.models.hardware import has_cuda
from negmine.transforms.models.weights import is_static
from negmine.transforms.vectors.embed import EmbedTexts

TEXTS: tuple[Literal["documents", "queries"], ...] = ("documents", "queries")

_STATIC_BLOCKS = 16
_GPU_BLOCKS = 32
_GPU_TOKEN_BLOCKS = 2
"""Blocks of texts that a static model, or a GPU without and with the vectors of tokens, embeds at
once, in less time than another model takes for one."""

AnyStudent = EncoderChoice | GivenStudent | CrossFitStudent
"""The student with its precision settled, the students of the folds, or the vectors that stand in
for one."""


@dataclass(frozen=True)
class Vectors:
    """The student's vectors, and who made them."""

    student: AnyStudent
    documents: Dataset
    queries: Dataset

    @property
    def fingerprints(self) -> tuple[str, str]:
        """Of documents and of queries."""
        both = (self.documents, self.queries)
        first, second = (str(dataset.manifest()["fingerprint"]) for dataset in both)
        return first, second


def choose_student(run: RunContext) -> AnyStudent:
    """The student of a run, its precision settled."""
    _ = run.ingested
    with run.work.timed("embed", reused=True):
        if run.config.student.vectors is not None:
            return given_student(run.config.student, run.work.sums)
        if run.config.student.models:
            return cross_fit_student(run)
        return run.encoder(run.config.student, "student")


def _key(run: RunContext, texts: str, encoder: EncoderChoice, tokens: bool) -> JsonObject:
    kind = "query" if texts == "queries" else "document"
    identity = {**encoder.identity, "kind": kind, "version": STAGES["embed"].version}
    return {"encoder": identity, texts: run.text_key(texts), "tokens": tokens}


def is_embedded(run: RunContext, encoder: EncoderChoice, tokens: bool) -> bool:
    """Whether an encoder's vectors of documents and queries are there."""
    return all(
        Dataset(str(run.work.path("embed", _key(run, texts, encoder, tokens))[0])).finished
        for texts in ("documents", "queries")
    )


def earlier_vectors(run: RunContext, identity: JsonObject, tokens: bool) -> list[Dataset]:
    """Finished artifacts of an encoder, whatever the texts."""
    found = []
    for directory in storage.folders(run.work.root / "embed"):
        dataset = Dataset(str(directory))
        if dataset.finished:
            manifest = dataset.manifest()
            if manifest.get("encoder") == identity and manifest["tokens"] >= tokens:
                found.append(dataset)
    return found


def student_vectors(
    run: RunContext, student: AnyStudent, tokens: bool, beside: Sequence[Artifact]
) -> Vectors:
    """Vectors of documents and queries, embedded or as they were given; `beside` is made too."""
    if isinstance(student, CrossFitStudent):
        models: list[tuple[Dataset, Dataset]] = []
        for encoder in student.folds:  # one after another, as a worker holds one model
            artifacts = [embedded(run, texts, encoder, False) for texts in TEXTS]
            documents, queries, *_ = run.work.make_together(*artifacts, *beside)
            models.append((documents, queries))
            beside = ()
        sets = zip(*models, strict=True)
        of = zip(TEXTS, sets, strict=True)
        artifacts = [joined_vectors(run, texts, student, own) for texts, own in of]
        documents, queries = run.work.make_together(*artifacts)
        return Vectors(student, documents, queries)
    if isinstance(student, GivenStudent):
        artifacts = [placed_vectors(run, texts, student) for texts in TEXTS]
    else:
        artifacts = [embedded(run, texts, student, tokens) for texts in TEXTS]
    documents, queries, *_ = run.work.make_together(*artifacts, *beside)
    return Vectors(student, documents, queries)


def embedded(run: RunContext, texts: str, encoder: EncoderChoice, tokens: bool) -> Artifact:
    """An encoder's vectors of `documents` or `queries`, with those of their tokens if asked."""
    kind: Literal["query", "document"] = "query" if texts == "queries" else "document"
    key = _key(run, texts, encoder, tokens)
    identity = key["encoder"]

    def make(directory: str, blocks: Blocks) -> BlockStage:
        earlier = earlier_vectors(run, identity, tokens)
        embed = EmbedTexts(run.texts[texts], kind, encoder.spec(), tokens, earlier)
        schema = tables.vectors(encoder.load().dimension)
        return BlockStage("EmbedTexts", embed, directory, blocks, schema, "none", hinted=True)

    def details(_: Dataset) -> JsonObject:
        return {
            "encoder": identity,
            "tokens": tokens,
            "model": encoder.weights.name if "/" not in encoder.weights.name else "",
            "lowest_cosine_with_fp32": encoder.agreement,
            "dtype": encoder.load().dtype,
            "processor": torch_processor(encoder.student.device),
        }

    at_once = _blocks_together(encoder, tokens)
    large = None if at_once == 1 else at_once * run.work.block_size
    label = f"embed {texts}"
    rows = run.texts[texts].rows
    return Artifact("embed", key, rows, make, label, details=details, block_size=large)


def _blocks_together(encoder: EncoderChoice, tokens: bool) -> int:
    if is_static(encoder.weights):
        return _STATIC_BLOCKS
    if encoder.student.backend == "torch" and has_cuda(encoder.student.device):
        return _GPU_TOKEN_BLOCKS if tokens else _GPU_BLOCKS
    return 1
