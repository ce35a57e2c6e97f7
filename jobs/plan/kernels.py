"""What a sample is too small to tell: search of a whole shard, and how much of a text is read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
from scipy import sparse

from negmine.jobs.mining.bm25 import bm25_scorer
from negmine.jobs.mining.models import EncoderChoice
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.plan.sample import timed
from negmine.schemas.sources import Bm25
from negmine.transforms.kernels.search.bm25 import Bm25Matrix
from negmine.transforms.kernels.search.dense import exact_top_k
from negmine.transforms.sources.bm25 import open_index

if TYPE_CHECKING:
    from negmine.transforms.models.encoder import SentenceTransformerEncoder

_DOCUMENTS, _QUERIES = 32_768, 256


def dense_seconds(width: int, documents: int, queries: int, depth: int) -> float:
    """Seconds of exact search, timed on vectors without any structure."""
    rows, asked = min(documents, _DOCUMENTS), min(queries, _QUERIES)
    drawn = np.random.default_rng(0).standard_normal((rows + asked, width), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    seconds, _ = timed(lambda: exact_top_k(drawn[rows:], drawn[:rows], min(depth, rows)))
    return seconds * (documents / rows) * (queries / asked)


def bm25_seconds(
    sampled: MiningRun, config: Bm25, asking: pa.Table, documents: int, queries: int
) -> float:
    """Seconds to build the matrices and search them, timed on a sample's documents, repeated.

    `asking` are the sample's queries: `text` and, where the collection has it, `language`.
    """
    texts = asking["text"].to_pylist()
    told = "language" in asking.column_names
    languages = asking["language"].to_pylist() if told else None
    opened = open_index(bm25_scorer(sampled).index, config)
    rows = min(documents, _DOCUMENTS)

    def build() -> Bm25Matrix:
        by_term = opened.document_terms(np.arange(rows) % max(opened.documents, 1)).tocsc()
        parts = (by_term.data, by_term.indices, by_term.indptr)
        shape = (len(opened.terms), rows)
        return Bm25Matrix(sparse.csr_array(parts, shape=shape), opened.absent)

    building, matrix = timed(build)
    asked = opened.queries(texts, config.language, languages)
    searching, _ = timed(lambda: matrix.top_k(asked, min(config.depth, rows)))
    return (documents / rows) * (building + searching * queries / len(texts))


def characters_read(encoder: EncoderChoice, name: str, texts: Sequence[str]) -> float:
    """Characters of a text beyond which a model reads no further, by its tokens of a few texts.

    They are of `documents` or `queries`, as `name` says.
    """
    model = cast("SentenceTransformerEncoder", encoder.load()).model
    kind = "query" if name == "queries" else "document"
    mask = model.preprocess(list(texts), task=kind).get("attention_mask")
    limit = None if mask is None else model.max_seq_length
    if not limit:
        return float("inf")
    tokens = mask.sum(1).cpu().numpy()
    whole = tokens < limit if (tokens < limit).any() else tokens > 0
    characters = np.array([len(text) for text in texts])[whole].sum()
    return float(limit * characters / max(tokens[whole].sum(), 1))
