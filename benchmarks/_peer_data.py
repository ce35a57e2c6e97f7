"""What both sides are given: collections, models of random weights, vectors, and finished runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._hidden_positives import beir, read_positives, write_reduced
from negmine.jobs.mining.run import MiningRun
from negmine.schemas import tables
from negmine.schemas.config import Config
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.models.weights import find_folder
from negmine.transforms.vectors.embed import vectors_table

SPLIT = "known"
CROSS_ENCODERS = {
    "minilm-l6": {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12},
    "tinybert-l2": {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2},
}


def some_queries(collection: str, split: str, queries: int, target: Path) -> Path:
    """A BEIR folder of the same corpus with all positives of this many queries, by keyed hash."""
    if not (target / "qrels" / f"{SPLIT}.tsv").is_file():
        positives = read_positives(collection, split, str(target / "ingested"))
        lots = np.unique(positives.query_key)[:queries]
        chosen = positives.take(np.isin(positives.query_key, lots))
        write_reduced(collection, split, chosen, target)
    return target


def cross_encoder(folder: Path, size: str, pairs: Sequence[tuple[str, str]], tokenizer: str) -> str:
    """A one-label BERT of random weights whose logits have mean 0 and deviation 2 on `pairs`.

    Untrained logits are all but equal, so that a margin would drop everything or nothing.
    """
    if not (folder / "config.json").is_file():
        import torch
        from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

        words = AutoTokenizer.from_pretrained(tokenizer, model_max_length=512)
        shape = CROSS_ENCODERS[size]
        torch.manual_seed(42)
        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=len(words),
                intermediate_size=4 * shape["hidden_size"],
                num_labels=1,
                **shape,
            )
        ).eval()
        with torch.inference_mode():
            encoded = words(*zip(*pairs, strict=True), truncation=True, padding=True)
            encoded = encoded.convert_to_tensors("pt")
            logits = model(**encoded).logits
            scale = 2 / max(float(logits.std()), 1e-6)
            model.classifier.weight *= scale
            model.classifier.bias.copy_((model.classifier.bias - logits.mean()) * scale)
        words.save_pretrained(folder)
        model.save_pretrained(folder)
    return str(folder)


def static_student(folder: Path, tokenizer: str, dimension: int = 384) -> str:
    """A sentence-transformers StaticEmbedding of random weights: embedding that costs next to
    nothing."""
    if not (folder / "modules.json").is_file():
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import StaticEmbedding
        from tokenizers import Tokenizer

        words = Tokenizer.from_file(str(Path(tokenizer) / "tokenizer.json"))
        words.no_padding()
        words.no_truncation()
        shape = (words.get_vocab_size(), dimension)
        weights = torch.randn(shape, generator=torch.Generator().manual_seed(42))
        module = StaticEmbedding(words, embedding_weights=weights)
        SentenceTransformer(modules=[module], device="cpu").save(str(folder))
    return str(folder)


def student_folder(model: str) -> str:
    """Where the student's weights are."""
    return str(find_folder(model))


def unit_vectors(rows: int, dimension: int, seed: int) -> np.ndarray:
    """Uniform directions, (rows, dimension) float32 of length 1."""
    values = np.random.default_rng(seed).standard_normal((rows, dimension), dtype=np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def write_vectors(folder: Path, vectors: np.ndarray) -> Dataset:
    """The vectors as the embed stage leaves them, and as vectors.npy."""
    dataset = Dataset(str(folder))
    if not dataset.finished:
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "vectors.npy", vectors)
        schema = tables.vectors(vectors.shape[1])
        for block in plan_blocks(len(vectors), 8192):
            rows = vectors[block.start : block.stop]
            keys = np.arange(*block, dtype=np.uint64)
            table = vectors_table(block.start, keys, rows, [None] * len(rows))
            write_part(dataset.path, block.part, table, schema, compression="none")
        dataset.finish(fingerprint=folder.name, stage="embed")
    return dataset


def ingested(collection: str, split: str, output: Path) -> dict[str, Dataset]:
    """The collection as the ingest stage leaves it."""
    config = {"input": beir(collection, split), "output": {"path": str(output)}}
    return MiningRun(Config.model_validate(config)).ingested


def some_documents(documents: Dataset, count: int, folder: Path) -> Dataset:
    """The first documents as a data set of their own."""
    dataset = Dataset(str(folder))
    if not dataset.finished:
        count = min(count, documents.rows)
        table = documents.read_rows(Block(0, count))
        write_part(dataset.path, Block(0, count).part, table, tables.DOCUMENTS)
        dataset.finish(fingerprint=f"first {count}", stage="ingest")
    return dataset


def scored_pairs(documents: Sequence[str], known: Sequence[tuple[str, str]]) -> Any:
    """64 pairs of a query and any document, to set the spread of a judge's scores by."""
    count = min(64, len(documents))
    step = max(1, len(documents) // count)
    return [(known[i % len(known)][0], documents[i * step]) for i in range(count)]
