"""The judge stage of a run: which judge, how it is calibrated, and the judged pairs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from negmine.jobs.mining.models import judge_student
from negmine.jobs.mining.retrieval import bm25_scorer, hub_places
from negmine.jobs.mining.scores import precomputed_scores
from negmine.schemas.judges import Judge
from negmine.schemas.selection import Selection
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.hashing import fingerprint

if TYPE_CHECKING:
    from negmine.jobs.mining.run import Miner
    from negmine.transforms.judging.protocol import BlockJudge
    from negmine.transforms.kernels.choosing.calibration import Calibration
    from negmine.transforms.models.judges import CrossEncoderSpec


@dataclass(frozen=True)
class Judgement:
    """A judge ready to score, and what decides its scores, as JSON values."""

    judge: "BlockJudge"
    key: dict[str, Any]


def _token_sets(miner: "Miner", judge: Judge) -> tuple[Dataset, Dataset]:
    encoder = miner.token_encoder(judge_student(judge, miner.config.student))
    if encoder.identity == miner.student.identity:
        return miner.document_vectors, miner.query_vectors
    return miner.embed("documents", encoder, True), miner.embed("queries", encoder, True)


def make_judge(miner: "Miner", judge: Judge) -> Judgement:
    """The judge of a config section; what it needs beforehand is made or reused."""
    from negmine.transforms.judging.fusion import Fusion
    from negmine.transforms.judging.late_interaction import LateInteraction
    from negmine.transforms.judging.protocol import NoJudge

    match judge.kind:
        case "none":
            return Judgement(NoJudge(), {"kind": judge.kind})
        case "cross_encoder":
            return _cross_encoder(miner, judge)
        case "precomputed":
            return _precomputed(miner, judge)
        case "cascade" | "vote":
            return _combined(miner, judge)
    tokens = _token_sets(miner, judge)
    key: dict[str, Any] = {"kind": judge.kind, "tokens": [_of(d) for d in tokens]}
    late = LateInteraction(*tokens)
    if judge.kind == "late_interaction":
        return Judgement(late, key)
    return Judgement(Fusion(late), key)


def _of(dataset: Dataset) -> str:
    return str(dataset.manifest()["fingerprint"])


def cross_encoder_spec(miner: "Miner", judge: Judge) -> "CrossEncoderSpec":
    """The CrossEncoderSpec that workers load."""
    from negmine.transforms.models.judges import CrossEncoderSpec

    weights = miner.models.cross_encoder(judge)
    return CrossEncoderSpec(
        weights.folder, judge.max_length, judge.device, judge.trust_remote_code, weights.digest
    )


def pair_store(miner: "Miner", judge: Judge) -> Path:
    """Folder of the scores that a cross-encoder gave in any run of this work directory."""
    return miner.work.root / "pair_scores" / fingerprint(_cross_encoder_key(miner, judge))


def _cross_encoder_key(miner: "Miner", judge: Judge) -> dict[str, Any]:
    digest = miner.models.cross_encoder(judge).digest
    return {"kind": judge.kind, "weights": digest, "max_length": judge.max_length}


def _cross_encoder(miner: "Miner", judge: Judge) -> Judgement:
    from negmine.transforms.judging.cross_encoder import CrossEncoder

    scorer = CrossEncoder(cross_encoder_spec(miner, judge), str(pair_store(miner, judge)))
    return Judgement(scorer, _cross_encoder_key(miner, judge))


def _precomputed(miner: "Miner", judge: Judge) -> Judgement:
    from negmine.transforms.judging.known_scores import Stored

    scores = precomputed_scores(miner, judge)
    fallback = make_judge(miner, judge.fallback) if judge.fallback else None
    stored = Stored(scores, fallback.judge if fallback else None, f"the scores in {judge.path}")
    rest = fallback.key if fallback else None
    return Judgement(stored, {"kind": judge.kind, "scores": _of(scores), "fallback": rest})


def _combined(miner: "Miner", judge: Judge) -> Judgement:
    """Members that score every pair have their own artifact, so none is scored twice."""
    from negmine.transforms.judging.combined import Cascade, Member, Vote
    from negmine.transforms.judging.known_scores import Stored

    members, keys = [], []
    for number, part in enumerate(judge.judges):
        made = make_judge(miner, part)
        calibration = calibrate(miner, made)
        scorer = made.judge
        if not scorer.lazy:
            scorer = Stored(judged_by(miner, made, Selection.of(miner.config)))
        members.append(Member(f"{part.kind}_{number + 1}", scorer, calibration))
        keys.append(made.key)
    key: dict[str, Any] = {"kind": judge.kind, "judges": keys}
    if judge.kind == "vote":
        return Judgement(Vote(tuple(members), judge.agree), {**key, "agree": judge.agree})
    key["uncertain"] = list(judge.uncertain)
    return Judgement(Cascade((members[0], members[1]), judge.uncertain), key)


def calibrate(miner: "Miner", made: Judgement) -> "Calibration":
    """A judge's scores of the known positives; a lazy judge is asked for those alone."""
    from negmine.transforms.judging.calibrate import read_calibration

    if not made.judge.lazy:
        judged = judged_by(miner, made, Selection.of(miner.config))
        return read_calibration(judged, judged=True)
    key = {**collection_key(miner), "judge": made.key}

    def make(directory: str, blocks: Any) -> Any:
        from negmine.pipelines.calibrate import CalibrateTask, build

        bm25 = bm25_scorer(miner)
        return build, CalibrateTask(miner.collection, made.judge, bm25, directory, blocks)

    scores = miner.work.ensure("calibrate", key, miner.rows("queries"), make)
    return read_calibration(scores, judged=False)


def collection_key(miner: "Miner") -> dict[str, Any]:
    """Fingerprints of the collection and of the student's vectors."""
    vectors = [_of(miner.collection.document_vectors), _of(miner.collection.query_vectors)]
    return {**miner.key("documents", "queries", "positives"), "vectors": vectors}


def judged_by(miner: "Miner", made: Judgement, selection: Selection) -> Dataset:
    """Judged pairs of every query, made or reused.

    Args:
        miner: the run.
        made: who scores.
        selection: decides which pairs a lazy judge scores, calibrated; others score every pair.
    """
    collection, candidates = miner.collection, miner.candidates
    places, bm25 = hub_places(miner), bm25_scorer(miner)
    key = {
        **collection_key(miner),
        "candidates": {name: _of(dataset) for name, dataset in candidates.items()},
        "judge": made.key,
        "bm25": bm25.config.model_dump(exclude={"depth", "shards"}),
        "places": _of(places) if places else None,
        "queries_are_documents": miner.config.input.queries_are_documents,
        "selection": selection.key() if made.judge.lazy else None,
    }

    def make(directory: str, blocks: Any) -> Any:
        from negmine.pipelines.judge import JudgeTask, build

        return build, JudgeTask(
            collection=collection,
            candidates=tuple(candidates.items()),
            judge=made.judge,
            selection=selection,
            bm25=bm25,
            places=places,
            directory=directory,
            blocks=blocks,
        )

    return miner.work.ensure("judge", key, miner.rows("queries"), make)
