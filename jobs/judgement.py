"""The judge stage of a run: which judge, what its scores depend on, and the task."""

from typing import TYPE_CHECKING, Any

from jobs.models import cross_encoder_weights
from jobs.retrieval import bm25_scorer
from schemas.errors import ConfigError
from transforms.datasets import Dataset

if TYPE_CHECKING:
    from jobs.mine import Miner
    from transforms.judging import LateInteraction


def _token_sets(miner: "Miner") -> tuple[Dataset, Dataset]:
    encoder = miner.token_encoder
    if encoder is None:
        raise ConfigError(f"judge.kind {miner.config.judge.kind} has no token encoder")
    if encoder.identity == miner.student.identity:
        return miner.document_vectors, miner.query_vectors
    return miner.embed("documents", encoder, True), miner.embed("queries", encoder, True)


def _late_interaction(miner: "Miner") -> "LateInteraction":
    from transforms.judging import LateInteraction

    return LateInteraction(*_token_sets(miner))


def _judge(miner: "Miner") -> Any:
    from transforms import judging
    from transforms.models.judges import CrossEncoderSpec

    judge = miner.config.judge
    if judge.kind == "none":
        return judging.NoJudge()
    if judge.kind == "late_interaction":
        return _late_interaction(miner)
    if judge.kind == "fusion":
        return judging.Fusion(_late_interaction(miner), bm25_scorer(miner))
    weights = cross_encoder_weights(judge)
    spec = CrossEncoderSpec(
        weights.folder,
        judge.max_length,
        judge.device,
        judge.trust_remote_code,
    )
    policies, tiers = miner.config.policies or (), tuple(miner.config.tiers.items())
    return judging.CrossEncoder(spec, policies, tiers, tuple(_earlier(miner)))


def _identity(miner: "Miner") -> dict[str, Any]:
    """What decides the score of a pair that is judged."""
    weights, length = miner.cross_encoder_digest(), miner.config.judge.max_length
    texts = miner.key("documents", "queries")
    return {"weights": weights, "max_length": length, **texts}


def _earlier(miner: "Miner") -> list[Dataset]:
    """Judged pairs of the same cross-encoder and collection, under other policies or tiers."""
    found = [Dataset(str(path)) for path in sorted((miner.work.root / "judge").glob("*/"))]
    identity = _identity(miner)
    return [d for d in found if d.finished and d.manifest().get("scores") == identity]


def _judge_key(miner: "Miner") -> dict[str, Any]:
    judge = miner.config.judge
    key: dict[str, Any] = {"kind": judge.kind}
    if judge.kind == "cross_encoder":
        config = miner.config
        key |= {
            "scores": _identity(miner),
            "policies": [policy.model_dump() for policy in config.policies or ()],
            "tiers": [[name, tier.model_dump()] for name, tier in config.tiers.items()],
            "sampling": config.sampling.model_dump(),
        }
    elif judge.kind != "none":
        key["tokens"] = [d.manifest()["fingerprint"] for d in _token_sets(miner)]
    if judge.kind == "fusion":
        key["bm25"] = bm25_scorer(miner).config.model_dump(exclude={"depth", "shards"})
    return key


def judge(miner: "Miner") -> Dataset:
    """Judged pairs of every query, made or reused."""
    collection, candidates = miner.collection, miner.candidates
    key = {
        **miner.key("documents", "queries", "positives"),
        "vectors": [
            collection.document_vectors.manifest()["fingerprint"],
            collection.query_vectors.manifest()["fingerprint"],
        ],
        "candidates": {name: d.manifest()["fingerprint"] for name, d in candidates.items()},
        "judge": _judge_key(miner),
    }

    def make(directory: str, blocks: Any) -> Any:
        from pipelines.judge import JudgeTask, build

        return build, JudgeTask(
            collection, tuple(candidates.items()), _judge(miner), directory, blocks
        )

    lazy = miner.config.judge.kind == "cross_encoder"
    details = {"scores": _identity(miner)} if lazy else {}
    return miner.work.ensure("judge", key, miner.rows("queries"), make, details=details)
