"""Tokens a second of the embed stage, and of sentence-transformers' encode at its best batch."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._paired import read_json, write_json
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.data.datasets import Dataset

BATCHES = (8, 16, 32, 64, 128, 256)


def _texts(documents: str) -> list[str]:
    found: list[str] = Dataset(documents).read(["text"])["text"].to_pylist()
    return found


def _model(folder: str, precision: str) -> Any:
    import torch
    from sentence_transformers import SentenceTransformer

    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    return SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": kind})


def token_counts(model: Any, texts: list[str]) -> np.ndarray:
    """Tokens of each text after truncation, special ones counted, padding not: (texts,) int64."""
    counts: np.ndarray = model.preprocess(texts)["attention_mask"].sum(1).numpy()
    return counts


def _result(seconds: float, tokens: int, texts: int, batch: int | None = None) -> dict[str, Any]:
    details = {} if batch is None else {"batch": batch}
    figures = {"encode": seconds, "tokens_per_second": tokens / seconds}
    return {"figures": figures, "counts": {"texts": texts, "tokens": tokens}, "details": details}


def embed_stage(
    documents: str, folder: str, precision: str, block_size: int, out: str
) -> dict[str, Any]:
    """The embed stage on finished documents, the model loaded before: Parquet in, Parquet out."""
    from negmine.jobs.runner.pipeline import run_pipeline
    from negmine.pipelines.stage import BlockStage
    from negmine.schemas import tables
    from negmine.transforms.models.encoder import load_encoder
    from negmine.transforms.models.specs import EncoderSpec
    from negmine.transforms.vectors.embed import EmbedTexts

    texts, spec = Dataset(documents), EncoderSpec(folder, precision=precision, device="cpu")
    encoder = load_encoder(spec)
    encoder.encode(_texts(documents)[:16], "document")
    target = str(Path(out) / "vectors")
    blocks = tuple(plan_blocks(texts.rows, block_size))
    schema = tables.vectors(encoder.dimension)
    embed = EmbedTexts(texts, "document", spec)
    stage = BlockStage("EmbedTexts", embed, target, blocks, schema, "none")
    started = time.perf_counter()
    run_pipeline([[("embed", stage)]])
    seconds = time.perf_counter() - started
    tokens = int(token_counts(_model(folder, "fp32"), _texts(documents)).sum())
    return _result(seconds, tokens, texts.rows)


def sweep(documents: str, folder: str, precision: str, to: str) -> dict[str, Any]:
    """Tokens a second at each batch size, written to a file with the best of them."""
    texts, model = _texts(documents), _model(folder, precision)
    counts = token_counts(model, texts)
    texts = [texts[i] for i in np.argsort(-counts, kind="stable")]
    model.encode(texts[:16], show_progress_bar=False)
    rates = {}
    for batch in BATCHES:
        started = time.perf_counter()
        model.encode(texts, batch_size=batch, show_progress_bar=False)
        rates[batch] = float(counts.sum() / (time.perf_counter() - started))
    best = max(rates, key=lambda batch: rates[batch])
    write_json(Path(to), {"best": best, "tokens_per_second": rates})
    return {"details": {"best": best}}


def encode(documents: str, folder: str, precision: str, swept: str) -> dict[str, Any]:
    """sentence-transformers' encode at the best batch size, texts sorted by length."""
    texts, model = _texts(documents), _model(folder, precision)
    batch = int(read_json(Path(swept))["best"])
    counts = token_counts(model, texts)
    texts = [texts[i] for i in np.argsort(-counts, kind="stable")]
    model.encode(texts[:16], show_progress_bar=False)
    started = time.perf_counter()
    model.encode(texts, batch_size=batch, show_progress_bar=False)
    return _result(time.perf_counter() - started, int(counts.sum()), len(texts), batch)
