"""Dense and lexical search, ours and theirs, each timed inside its own process."""

import json
import shutil
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from negmine.schemas.sources import Bm25, Dense
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.columns import LOCAL
from negmine.transforms.data.datasets import Dataset


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _vectors(folder: str) -> np.ndarray:
    return np.asarray(np.load(Path(folder) / "vectors.npy"))


def _found(ids: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    hits = (ids >= 0) & (scores > -np.inf)
    mean = float(np.where(hits, scores, 0).sum(dtype=np.float64) / max(hits.sum(), 1))
    return {
        "counts": {"queries": len(ids), "hits": int(hits.sum())},
        "details": {"mean_score": round(mean, 5)},
    }


def dense_kernel(documents: str, queries: str, k: int) -> dict[str, Any]:
    """`exact_top_k` over vectors in memory, after a first call on ten queries."""
    from negmine.transforms.kernels.search.dense import exact_top_k

    docs, asked = _vectors(documents), _vectors(queries)
    exact_top_k(asked[:10], docs, k)
    seconds, found = _timed(lambda: exact_top_k(asked, docs, k))
    return {"figures": {"search": seconds}, **_found(found.ids, found.scores)}


def dense_stage(documents: str, queries: str, k: int, block_size: int, out: str) -> dict[str, Any]:
    """The retrieve stage on finished vectors: Parquet in, Parquet out, columns not mapped yet."""
    from negmine.jobs.runner.pipeline import run_pipeline
    from negmine.pipelines.retrieve import Retrieve
    from negmine.transforms.sources.searchers import DenseSearcher

    sets = Dataset(documents), Dataset(queries)
    for dataset in sets:
        shutil.rmtree(dataset.directory / LOCAL, ignore_errors=True)
    target = Dataset(str(Path(out) / "candidates"))
    blocks = tuple(plan_blocks(sets[1].rows, block_size))
    searcher = DenseSearcher(*sets)
    stage = Retrieve(searcher, sets[0].rows, Dense(depth=k), target.path, blocks)

    def work() -> None:
        run_pipeline([[("retrieve dense", stage)]])
        target.finish(fingerprint="", stage="retrieve")

    seconds, _ = _timed(work)
    table = target.read(["query_ix", "score"])
    scores = table["score"].to_numpy()
    return {
        "figures": {"search": seconds},
        "counts": {"queries": sets[1].rows, "hits": len(scores)},
        "details": {"mean_score": round(float(scores.mean(dtype=np.float64)), 5)},
    }


def faiss_flat(documents: str, queries: str, k: int) -> dict[str, Any]:
    """One IndexFlatIP.search, after a first one of ten queries; filling the index is not timed."""
    import faiss

    docs, asked = _vectors(documents), _vectors(queries)
    index = faiss.IndexFlatIP(docs.shape[1])
    index.add(docs)
    index.search(asked[:10], k)
    seconds, (scores, ids) = _timed(lambda: index.search(asked, k))
    return {"figures": {"search": seconds}, **_found(ids, scores)}


def ours_bm25(documents: str, queries: str, k: int, out: str) -> dict[str, Any]:
    """Index: the index stage, and the weights in memory. Search: query texts to top k."""
    from negmine.jobs.runner.pipeline import run_pipeline
    from negmine.transforms.sources.bm25 import Bm25Index, IndexDocuments, open_index
    from negmine.transforms.sources.searchers import _matrix

    corpus, config = Dataset(documents), Bm25()
    asked = json.loads(Path(queries).read_text())
    index = Bm25Index(str(Path(out) / "index"))
    blocks = tuple(corpus.blocks())

    def build() -> Any:
        stage = IndexDocuments(corpus, config.language, blocks, index)
        run_pipeline([[("index bm25", stage)]])
        for dataset in (index.postings, index.lengths, index.statistics):
            dataset.finish(fingerprint="", stage="bm25_index")
        return open_index(index, config), _matrix(index, config, Block(0, corpus.rows))

    indexing, (opened, matrix) = _timed(build)
    matrix.top_k(opened.queries(asked[:10], config.language), k)
    tokenising, terms = _timed(lambda: opened.queries(asked, config.language))
    scoring, found = _timed(lambda: matrix.top_k(terms, k))
    each = (tokenising + scoring) / len(asked)
    figures = {"index": indexing, "search": tokenising + scoring, "milliseconds": 1000 * each}
    return {"figures": figures, **_found(found.ids, found.scores)}


def _tokens(texts: list[str]) -> Any:
    import bm25s
    import Stemmer

    from negmine.transforms.kernels.tokenise import STOP_WORDS

    words = sorted(STOP_WORDS["english"])
    stemmer = Stemmer.Stemmer("english")
    return bm25s.tokenize(texts, stopwords=words, stemmer=stemmer, show_progress=False)


def bm25s_search(documents: str, queries: str, k: int, threads: int) -> dict[str, Any]:
    """bm25s with its numba backend, compiled beforehand; its search is timed without tokenising."""
    import bm25s

    texts = Dataset(documents).read(["text"])["text"].to_pylist()
    asked = json.loads(Path(queries).read_text())
    config = Bm25()
    retriever = bm25s.BM25(method=config.method, k1=config.k1, b=config.b, backend="numba")
    indexing, _ = _timed(lambda: retriever.index(_tokens(texts), show_progress=False))
    options = {"k": min(k, len(texts)), "n_threads": threads, "show_progress": False}
    retriever.retrieve(_tokens(asked[:10]), **options)
    tokenising, terms = _timed(lambda: _tokens(asked))
    searching, found = _timed(lambda: retriever.retrieve(terms, **options))
    ids = np.where(found.scores > 0, found.documents, -1)
    made = _found(ids, found.scores)
    made["details"]["tokenising_seconds"] = round(tokenising, 3)
    return {"figures": {"index": indexing, "search": searching}, **made}


def rank_bm25(documents: str, queries: str, k: int, limit: int) -> dict[str, Any]:
    """rank-bm25's BM25Okapi over the same terms, on the first queries, with NumPy's top k."""
    from rank_bm25 import BM25Okapi

    from negmine.transforms.kernels.tokenise import Tokeniser

    texts = Dataset(documents).read(["text"])["text"].to_pylist()
    asked = json.loads(Path(queries).read_text())[:limit]

    def tokens(some: list[str]) -> list[list[str]]:
        found = Tokeniser(Bm25().language)(some)
        words = [found.vocabulary[number] for number in found.numbers.tolist()]
        bounds = found.offsets.tolist()
        return [words[a:b] for a, b in pairwise(bounds)]

    indexing, index = _timed(lambda: BM25Okapi(tokens(texts)))

    def search() -> int:
        hits = 0
        for terms in tokens(asked):
            scores = index.get_scores(terms)
            best = np.argpartition(-scores, min(k, len(scores) - 1))[:k]
            hits += int((np.sort(scores[best])[::-1] > 0).sum())
        return hits

    seconds, hits = _timed(search)
    figures = {"index": indexing, "milliseconds": 1000 * seconds / len(asked)}
    return {"figures": figures, "counts": {"queries": len(asked), "hits": hits}}
