"""What stages cost on this machine: a sample of the collection, taken through all of them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from negmine.jobs.mining.models import EncoderChoice
from negmine.jobs.mining.run import MiningRun
from negmine.schemas.judges import Judge
from negmine.schemas.sources import Bm25

DOCUMENTS, QUERIES = 512, 64
ENCODED, PAIRS = 48, 64
_ENOUGH = 0.5
_SEARCHED = 32_768
_LENGTH_STEP = 16


@dataclass(frozen=True)
class Encoding:
    """What encoding costs: seconds to load, seconds a padded token, and how tokens are counted.

    A model without a tokenizer of its own is charged by the character: `per_character` is 1.
    """

    load: float
    per_token: float
    per_character: float
    limit: int | None
    dimension: int

    def tokens(self, characters: np.ndarray) -> np.ndarray:
        """Estimated tokens of texts of these lengths, (n,) float64, cut at the model's limit."""
        found = np.asarray(characters, dtype=np.float64) * self.per_character
        return found if self.limit is None else np.minimum(found, self.limit)

    def seconds(self, characters: np.ndarray) -> float:
        """Estimated seconds to encode texts of these lengths, the model loaded."""
        return self.per_token * padded(self.tokens(characters))


def padded(tokens: np.ndarray) -> float:
    """Tokens that the model computes for texts (n,) that hold so many: a multiple of 16 each."""
    return float((np.ceil(np.maximum(tokens, 1) / _LENGTH_STEP) * _LENGTH_STEP).sum())


def timed(step: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a call took, and what it returned."""
    started = time.perf_counter()
    found = step()
    return time.perf_counter() - started, found


def _grown(run: Callable[[int], Any], first: int, most: int) -> tuple[float, int, Any]:
    """Seconds, size and result of a call on as many rows as keep it busy for half a second."""
    size = min(first, most)
    while True:
        seconds, found = timed(partial(run, size))
        if seconds >= _ENOUGH or size >= most:
            return seconds, size, found
        size = min(most, 4 * size)


def measure_encoder(
    choice: EncoderChoice, kind: Any, texts: Sequence[str], tokens: bool
) -> tuple[Encoding, Any]:
    """Time an encoder on the first of the texts; returns the cost and the vectors."""

    def load() -> Any:
        from negmine.transforms.models.encoder import load_encoder

        return load_encoder(choice.spec())

    loading, encoder = timed(load)
    encoder.encode(texts[:2], kind, tokens=tokens)
    seconds, size, encoded = _grown(
        lambda n: encoder.encode(texts[:n], kind, tokens=tokens), ENCODED, len(texts)
    )
    characters = np.array([len(text) for text in texts[:size]], dtype=np.float64)
    mask = encoder.model.preprocess(list(texts[:size]), task=kind).get("attention_mask")
    if mask is None:
        unit = seconds / max(padded(characters), 1)
        return Encoding(loading, unit, 1.0, None, encoder.dimension), encoded
    counts = mask.sum(1).numpy()
    limit = encoder.model.max_seq_length
    whole = counts < limit if limit else counts > 0
    rows = whole if whole.any() else counts > 0
    per_character = float(counts[rows].sum() / max(characters[rows].sum(), 1))
    unit = seconds / max(padded(counts), 1)
    return Encoding(loading, unit, per_character, limit, encoder.dimension), encoded


def spread(vectors: np.ndarray, rows: int) -> np.ndarray:
    """`rows` vectors of length 1 from a few, (rows, dimension) float32, no two alike at first."""
    n = max(len(vectors), 1)
    at = np.arange(rows)
    mixed = vectors[at % n] + 0.5 * vectors[(at // n + at + 1) % n]
    mixed += 0.2 * vectors[(at // n**2 + 3 * at + 2) % n]
    norms = np.linalg.norm(mixed, axis=1, keepdims=True)
    return (mixed / np.maximum(norms, 1e-12)).astype(np.float32)


def measure_dense(vectors: np.ndarray, documents: int, queries: int, depth: int) -> float:
    """Seconds for a query and document of exact search, the sample's vectors tiled."""
    from negmine.transforms.kernels.search.dense import exact_top_k

    size, asked = min(documents, _SEARCHED), min(queries, 4 * QUERIES)
    tiled = spread(vectors, size)
    seconds, _ = timed(lambda: exact_top_k(spread(vectors, asked), tiled, depth))
    return seconds / max(size * asked, 1)


def measure_bm25(
    miner: MiningRun, config: Bm25, texts: Sequence[str], documents: int
) -> tuple[float, float]:
    """Seconds for a document's column of the matrix, and for a query and document of search."""
    from negmine.jobs.mining.retrieval import bm25_index
    from negmine.transforms.kernels.search.bm25 import Bm25Matrix
    from negmine.transforms.sources.bm25 import open_index

    opened = open_index(bm25_index(miner, config.language), config)
    size = min(documents, _SEARCHED)

    def build() -> Bm25Matrix:
        rows = np.arange(size) % max(opened.documents, 1)
        by_term = opened.document_terms(rows).tocsc()
        parts = (by_term.data, by_term.indices, by_term.indptr)
        shape = (len(opened.terms), size)
        return Bm25Matrix(sparse.csr_array(parts, shape=shape), opened.absent)

    building, matrix = timed(build)
    queries = opened.queries(texts, config.language)
    searching, _ = timed(lambda: matrix.top_k(queries, min(config.depth, size)))
    return building / max(size, 1), searching / max(size * len(texts), 1)


def measure_pairs(
    judge: Judge, queries: Sequence[str], documents: Sequence[str]
) -> tuple[float, float]:
    """Seconds to load a cross-encoder, and seconds a pair of a sampled query and document."""
    from negmine.jobs.mining.models import cross_encoder_weights

    def load() -> Any:
        from negmine.transforms.models.judges import CrossEncoderSpec, load_cross_encoder

        folder = cross_encoder_weights(judge).folder
        return load_cross_encoder(
            CrossEncoderSpec(folder, judge.max_length, judge.device, judge.trust_remote_code)
        )

    loading, model = timed(load)
    pairs = [(queries[i % len(queries)], text) for i, text in enumerate(documents)]
    model.score(pairs[:2])
    seconds, size, _ = _grown(lambda n: model.score(pairs[:n]), PAIRS, len(pairs))
    return loading, seconds / size
