"""The student's, or a judge's, vectors of a run's texts: what decides them, and the artifact."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from negmine.jobs.mining.models import EncoderChoice
from negmine.jobs.workdir.artifacts import STAGE_VERSIONS
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.models.weights import is_static

if TYPE_CHECKING:
    from negmine.jobs.mining.run import Miner

_STATIC_BLOCKS = 16
"""Blocks of texts that a static model embeds at once, in less time than another model takes for
one."""


def _key(miner: "Miner", texts: str, encoder: EncoderChoice, tokens: bool) -> dict[str, Any]:
    kind = "query" if texts == "queries" else "document"
    identity = {**encoder.identity, "kind": kind, "version": STAGE_VERSIONS["embed"]}
    return {"encoder": identity, **miner.key(texts), "tokens": tokens}


def is_embedded(miner: "Miner", encoder: EncoderChoice, tokens: bool) -> bool:
    """Whether an encoder's vectors of documents and queries are there."""
    return all(
        Dataset(str(miner.work.path("embed", _key(miner, texts, encoder, tokens))[0])).finished
        for texts in ("documents", "queries")
    )


def embed(miner: "Miner", texts: str, encoder: EncoderChoice, tokens: bool) -> Dataset:
    """Vectors of `documents` or `queries`, made or reused."""
    kind: Literal["query", "document"] = "query" if texts == "queries" else "document"
    key = _key(miner, texts, encoder, tokens)
    identity = key["encoder"]

    def make(directory: str, blocks: Any) -> Any:
        from negmine.pipelines.embed import EmbedTask, build
        from negmine.transforms.models.encoder import load_encoder

        spec = encoder.spec()
        return build, EmbedTask(
            texts=miner.ingested[texts],
            kind=kind,
            encoder=spec,
            dimension=load_encoder(spec).dimension,
            directory=directory,
            blocks=blocks,
            tokens=tokens,
            earlier=tuple(miner.earlier_vectors(identity, tokens)),
        )

    def details(_: Dataset) -> dict[str, Any]:
        from negmine.jobs.runner.processor import torch_processor
        from negmine.transforms.models.encoder import load_encoder

        return {
            "encoder": identity,
            "tokens": tokens,
            "model": encoder.weights.name if "/" not in encoder.weights.name else "",
            "lowest_cosine_with_fp32": encoder.agreement,
            "dtype": load_encoder(encoder.spec()).dtype,
            "processor": torch_processor(),
        }

    work = miner.work
    if is_static(encoder.weights):
        work = replace(work, block_size=_STATIC_BLOCKS * work.block_size)
    rows = miner.rows(texts)
    return work.ensure("embed", key, rows, make, label=f"embed {texts}", details=details)
