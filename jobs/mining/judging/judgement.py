"""Which judge a run has, how it is calibrated, and the judged pairs."""

from dataclasses import dataclass
from pathlib import Path

from negmine.jobs.mining.bm25 import bm25_scorer
from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.judging.given_scores import given_scores
from negmine.jobs.mining.models import judge_student, judge_students
from negmine.jobs.mining.retrieval import hub_places
from negmine.jobs.mining.vectors.embedding import Vectors, embedded
from negmine.jobs.workdir.artifacts import Artifact, Blocks
from negmine.pipelines.stage import BlockStage
from negmine.schemas import JsonObject, tables
from negmine.schemas.config import Student
from negmine.schemas.judges import (
    BiEncoder,
    Cascade,
    CrossEncoder,
    Fusion,
    Judge,
    Precomputed,
    TokenJudge,
    Vote,
)
from negmine.schemas.selection import Selection
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.judging.bi_encoder import BiEncoder as BiEncoderScores
from negmine.transforms.judging.calibrate import ScorePositives, read_calibration
from negmine.transforms.judging.combined import Cascade as CascadeScores
from negmine.transforms.judging.combined import Member
from negmine.transforms.judging.combined import Vote as VoteScores
from negmine.transforms.judging.cross_encoder import CrossEncoder as CrossEncoderScores
from negmine.transforms.judging.fusion import Fusion as FusionScores
from negmine.transforms.judging.judge import JudgePairs
from negmine.transforms.judging.known_scores import ArtifactScores
from negmine.transforms.judging.late_interaction import LateInteraction
from negmine.transforms.judging.protocol import BlockJudge, NoScores
from negmine.transforms.kernels.choosing.calibration import Calibration
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.models.specs import CrossEncoderSpec
from negmine.transforms.pairs.features import Collection

SHARED = 64
"""Queries whose pairs take a worker some tenths of a second to describe."""


@dataclass(frozen=True)
class Retrieved:
    """What is judged: the collection, the student's vectors, and the candidates of each source."""

    collection: Collection
    vectors: Vectors
    candidates: dict[str, Dataset]


@dataclass(frozen=True)
class KeyedJudge:
    """A judge ready to score, and what decides its scores, as JSON values."""

    judge: BlockJudge
    key: JsonObject


def fingerprint_of(dataset: Dataset) -> str:
    """The fingerprint of an artifact."""
    return str(dataset.manifest()["fingerprint"])


def _vector_sets(
    run: RunContext, settings: Student, vectors: Vectors, tokens: bool
) -> tuple[Dataset, Dataset]:
    """An encoder's vectors of documents and queries: the student's own where that judges."""
    encoder = run.encoder(settings, "judge")
    if encoder.identity == vectors.student.identity:
        return vectors.documents, vectors.queries
    artifacts = (embedded(run, texts, encoder, tokens) for texts in ("documents", "queries"))
    documents, queries = run.work.make_together(*artifacts)
    return documents, queries


def make_judge(run: RunContext, judge: Judge, retrieved: Retrieved) -> KeyedJudge:
    """The judge of a config section; what it needs beforehand is made or reused."""
    match judge:
        case CrossEncoder():
            return _cross_encoder(run, judge)
        case Precomputed():
            return _given(run, judge, retrieved)
        case Cascade() | Vote():
            return _combined(run, judge, retrieved)
        case TokenJudge():
            settings = judge_student(judge, run.config.student)
            tokens = _vector_sets(run, settings, retrieved.vectors, tokens=True)
            key = {"kind": judge.kind, "tokens": [fingerprint_of(d) for d in tokens]}
            late = LateInteraction(*tokens)
            return KeyedJudge(FusionScores(late) if isinstance(judge, Fusion) else late, key)
        case BiEncoder():
            return _bi_encoder(run, judge, retrieved)
    return KeyedJudge(NoScores(), {"kind": judge.kind})


def _bi_encoder(run: RunContext, judge: BiEncoder, retrieved: Retrieved) -> KeyedJudge:
    sets = [
        _vector_sets(run, settings, retrieved.vectors, tokens=False)
        for settings in judge_students(judge, run.config.student)
    ]
    scorer = BiEncoderScores(tuple(d for d, _ in sets), tuple(q for _, q in sets))
    key = {"kind": judge.kind, "vectors": [[fingerprint_of(v) for v in both] for both in sets]}
    return KeyedJudge(scorer, key)


def cross_encoder_spec(run: RunContext, judge: CrossEncoder) -> CrossEncoderSpec:
    """The CrossEncoderSpec that workers load."""
    weights = run.models.cross_encoder(judge)
    return CrossEncoderSpec(
        weights.folder,
        judge.max_length,
        judge.device,
        judge.trust_remote_code,
        weights.digest,
        judge.precision,
        judge.backend,
    )


def pair_store(run: RunContext, judge: CrossEncoder) -> Path:
    """Folder of the scores that a cross-encoder gave in any run of this work directory."""
    return run.work.root / "pair_scores" / fingerprint(_cross_encoder_key(run, judge))


def _cross_encoder_key(run: RunContext, judge: CrossEncoder) -> JsonObject:
    digest = run.models.cross_encoder(judge).digest
    key: JsonObject = {"kind": judge.kind, "weights": digest, "max_length": judge.max_length}
    # Left out where they are as ever, so that scores of before there was a choice are found.
    if (judge.backend, judge.precision) != ("torch", "fp32"):
        key |= {"backend": judge.backend, "precision": judge.precision}
    return key


def _cross_encoder(run: RunContext, judge: CrossEncoder) -> KeyedJudge:
    scorer = CrossEncoderScores(cross_encoder_spec(run, judge), str(pair_store(run, judge)))
    return KeyedJudge(scorer, _cross_encoder_key(run, judge))


def _given(run: RunContext, judge: Precomputed, retrieved: Retrieved) -> KeyedJudge:
    scores = given_scores(run, judge)
    fallback = make_judge(run, judge.fallback, retrieved) if judge.fallback else None
    rest = fallback.judge if fallback else None
    others = {name: given_scores(run, judge, column) for name, column in judge.beside.items()}
    scorer = ArtifactScores(
        scores, rest, f"the scores in {judge.path}", beside=tuple(others.items())
    )
    key: JsonObject = {"kind": judge.kind, "scores": fingerprint_of(scores)}
    if others:
        key["beside"] = {name: fingerprint_of(found) for name, found in others.items()}
    return KeyedJudge(scorer, {**key, "fallback": fallback.key if fallback else None})


def _combined(run: RunContext, judge: Cascade | Vote, retrieved: Retrieved) -> KeyedJudge:
    """Members that score every pair have their own artifact, so none is scored twice."""
    members, keys = [], []
    for number, part in enumerate(judge.judges):
        made = make_judge(run, part, retrieved)
        calibration = calibrate(run, made, retrieved)
        scorer = made.judge
        if not scorer.lazy:
            scorer = ArtifactScores(judged_by(run, made, retrieved, Selection.of(run.config)))
        members.append(Member(f"{part.kind}_{number + 1}", scorer, calibration))
        keys.append(made.key)
    key: JsonObject = {"kind": judge.kind, "judges": keys}
    if isinstance(judge, Vote):
        return KeyedJudge(VoteScores(tuple(members), judge.agree), {**key, "agree": judge.agree})
    key["uncertain"] = list(judge.uncertain)
    return KeyedJudge(CascadeScores((members[0], members[1]), judge.uncertain), key)


def calibrate(run: RunContext, made: KeyedJudge, retrieved: Retrieved) -> Calibration:
    """A judge's scores of the known positives; a lazy judge is asked for those alone."""
    if not made.judge.lazy:
        judged = judged_by(run, made, retrieved, Selection.of(run.config))
        return read_calibration(judged, True, retrieved.collection.languages)
    key = {**collection_key(run, retrieved.vectors), "judge": made.key}

    def make(directory: str, blocks: Blocks) -> BlockStage:
        score = ScorePositives(retrieved.collection, made.judge, bm25_scorer(run))
        schema = tables.POSITIVE_SCORES
        return BlockStage("ScorePositives", score, directory, blocks, schema, hinted=True)

    scores = run.work.make_or_reuse(Artifact("calibrate", key, run.rows("queries"), make))
    return read_calibration(scores, False, retrieved.collection.languages)


def collection_key(run: RunContext, vectors: Vectors) -> JsonObject:
    """Fingerprints of the collection and of the student's vectors."""
    own = {**run.key("queries", "positives"), "documents": run.text_key("documents")}
    return {**own, "vectors": list(vectors.fingerprints)}


def judged_by(
    run: RunContext, made: KeyedJudge, retrieved: Retrieved, selection: Selection
) -> Dataset:
    """Judged pairs of every query, made or reused.

    Args:
        run: the run.
        made: who scores.
        retrieved: what is scored.
        selection: decides which pairs a lazy judge scores, calibrated; others score every pair.
    """
    candidates = retrieved.candidates
    places, bm25 = hub_places(run, candidates), bm25_scorer(run)
    key = {
        **collection_key(run, retrieved.vectors),
        "candidates": {name: fingerprint_of(dataset) for name, dataset in candidates.items()},
        "judge": made.key,
        "bm25": bm25.config.model_dump(exclude={"depth", "shards", "languages"}),
        "places": fingerprint_of(places) if places else None,
        "queries_are_documents": run.config.input.queries_are_documents,
        "selection": selection.key() if made.judge.lazy else None,
    }

    def make(directory: str, blocks: Blocks) -> BlockStage:
        judge = JudgePairs(retrieved.collection, candidates, made.judge, selection, bm25, places)
        return BlockStage("JudgePairs", judge, directory, blocks, tables.JUDGED, hinted=True)

    rows, shared = run.rows("queries"), None if made.judge.lazy else SHARED
    return run.work.make_or_reuse(Artifact("judge", key, rows, make, shared=shared))
