"""The kernels of a run called one after another: no Beam, no Parquet, no work directory."""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks._peer_miners import by_job
from negmine.schemas import tables
from negmine.schemas.config import Config
from negmine.schemas.selection import Selection
from negmine.schemas.sources import Bm25, Dense, Random
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.kernels.near_duplicates import MINHASH_VALUES, sketches
from negmine.transforms.readers import read, sources
from negmine.transforms.readers.rows import Document, Judgement, Query


class Stopwatch:
    """Seconds by stage, as in a run's manifest."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def _positives(pairs: np.ndarray) -> pa.Table:
    grade, own = pa.nulls(len(pairs), pa.float32()), np.ones(len(pairs), dtype=bool)
    return pa.table([pairs[:, 0], pairs[:, 1], grade, own], schema=tables.POSITIVES)


def _collection(config: Config) -> dict[str, pa.Table]:
    """Documents, queries and positives of a collection without faults, as ingest resolves them."""
    rows = [row for source in sources(config.input) for row in read(source, config.input, 0)]
    texts = {row.id: row.text for row in rows if isinstance(row, Document)}
    asked = {row.id: row.text for row in rows if isinstance(row, Query)}
    judged = {
        (row.query_id, row.doc_id)
        for row in rows
        if isinstance(row, Judgement) and row.grade > 0
        if row.query_id in asked and row.doc_id in texts
    }
    documents = sorted(texts, key=str.encode)
    doc_ix = {name: at for at, name in enumerate(documents)}
    alive = sorted({query for query, _ in judged}, key=str.encode)
    keys, _ = sketches([asked[name] for name in alive], minhash=False)
    first: dict[int, str] = {}
    own = {
        name: first.setdefault(key, name) for name, key in zip(alive, keys.tolist(), strict=True)
    }
    queries = sorted(set(own.values()), key=str.encode)
    query_ix = {name: at for at, name in enumerate(queries)}
    merged: dict[str, list[str]] = {name: [] for name in queries}
    for name, under in own.items():
        merged[under] += [name] if name != under else []
    pairs = np.array(sorted({(query_ix[own[q]], doc_ix[d]) for q, d in judged}), dtype=np.int64)
    bodies = [texts[name] for name in documents]
    text_key, minhash = sketches(bodies)
    flat = pa.py_buffer(np.ascontiguousarray(minhash))
    return {
        "documents": pa.table(
            {
                "doc_ix": np.arange(len(documents)),
                "doc_id": documents,
                "text": bodies,
                "doc_key": text_keys(documents),
                "text_key": text_key,
                "minhash": pa.Array.from_buffers(
                    pa.binary(MINHASH_VALUES), len(documents), [None, flat]
                ),
                "in_evaluation": np.zeros(len(documents), dtype=bool),
            },
            schema=tables.DOCUMENTS,
        ),
        "queries": pa.table(
            {
                "query_ix": np.arange(len(queries)),
                "query_id": queries,
                "text": [asked[name] for name in queries],
                "query_key": text_keys(queries),
                "text_key": sketches([asked[name] for name in queries], minhash=False)[0],
                "merged_ids": [merged[name] for name in queries],
            },
            schema=tables.QUERIES,
        ),
        "positives": _positives(pairs),
    }


def bare(config: dict[str, Any], precision: str) -> dict[str, Any]:
    """Negatives of a run's config with these functions alone; the judge is `none` or `fusion`."""
    from benchmarks._held import Held, index_in_memory, use_memory
    from negmine.transforms.choosing.score import score_block
    from negmine.transforms.choosing.select import select_block
    from negmine.transforms.judging.calibrate import read_calibration
    from negmine.transforms.judging.fusion import Fusion
    from negmine.transforms.judging.judge import block_rows, judge_rows
    from negmine.transforms.judging.late_interaction import LateInteraction
    from negmine.transforms.judging.protocol import BlockJudge, NoScores
    from negmine.transforms.kernels.search.random_documents import random_documents
    from negmine.transforms.kernels.search.token_codes import DOCUMENT_BITS, QUERY_BITS
    from negmine.transforms.kernels.tokenise import Tokeniser
    from negmine.transforms.metrics.inputs import Inputs
    from negmine.transforms.metrics.measure import measure
    from negmine.transforms.metrics.verdicts import read_verdicts
    from negmine.transforms.models.encoder import load_encoder
    from negmine.transforms.models.specs import EncoderSpec
    from negmine.transforms.models.weights import find_folder
    from negmine.transforms.pairs.features import Collection
    from negmine.transforms.sources.bm25 import Bm25Index, Bm25Scorer
    from negmine.transforms.sources.search import Searcher, candidates
    from negmine.transforms.sources.searchers import Bm25Searcher, DenseSearcher
    from negmine.transforms.vectors.embed import packed_tokens, vectors_table

    watch, run = Stopwatch(), Config.model_validate(config)
    fusion = run.judge.kind == "fusion"
    with watch.stage("ingest"):
        made = _collection(run)
        sets = {n: Held.of(n, [(Block(0, t.num_rows), t)]) for n, t in made.items()}
        blocks = plan_blocks(sets["queries"].rows, run.runner.block_size)
        everything = Block(0, sets["documents"].rows)
        pairs = made["positives"]
        ix = pairs["query_ix"].to_numpy()
        cuts = [(b, pairs.slice(*_range(ix, b))) for b in blocks]
        sets["positives"] = Held.of("positives", cuts)
    with watch.stage("embed"):
        encoder = load_encoder(
            EncoderSpec(str(find_folder(run.student.model)), precision=precision, device="auto")
        )
        for kind, name in (("document", "documents"), ("query", "queries")):
            texts = made[name]["text"].to_pylist()
            found = encoder.encode(texts, kind, tokens=fusion)  # type: ignore[arg-type]
            tokens: list[bytes | None] = [None] * len(texts)
            if found.token_vectors is not None:
                bits = QUERY_BITS if kind == "query" else DOCUMENT_BITS
                tokens = [*packed_tokens(found.token_vectors, bits)]
            table = vectors_table(0, text_keys(texts), found.vectors, tokens)
            sets[f"{name}_vectors"] = Held.of(f"{name}_vectors", [(Block(0, len(texts)), table)])
    lexical, near = run.sources.bm25 or Bm25(), run.sources.dense or Dense()
    drawn = run.sources.random or Random()
    with watch.stage("retrieve"):
        corpus = made["documents"]["text"].to_pylist()
        use_memory(index_in_memory(Tokeniser(lexical.language)(corpus), lexical))
        index = Bm25Index("bm25")
        vectors = sets["documents_vectors"], sets["queries_vectors"]
        searchers: dict[str, tuple[Searcher, int]] = {
            "bm25": (Bm25Searcher(index, sets["queries"], lexical), lexical.depth),
            "dense": (DenseSearcher(*vectors), near.depth),
        }
        returned: dict[str, Dataset] = {}
        for name, (searcher, depth) in searchers.items():
            parts = [
                (b, candidates(b.start, *searcher.search(everything, b, depth))) for b in blocks
            ]
            returned[name] = Held.of(f"candidates_{name}", parts)
        keys = made["queries"]["query_key"].to_numpy()
        parts = []
        for block in blocks:
            ids = random_documents(run.seed, keys[slice(*block)], everything.stop, drawn.count)
            scores = np.zeros(ids.shape, dtype=np.float32)
            parts.append((block, candidates(block.start, scores, ids)))
        returned["random"] = Held.of("candidates_random", parts)
    collection = Collection(sets["documents"], sets["queries"], sets["positives"], *vectors)
    selection, scorer = Selection.of(run), Bm25Scorer(index, lexical)
    judge: BlockJudge = Fusion(LateInteraction(*vectors)) if fusion else NoScores()
    with watch.stage("judge"):
        parts = []
        for block in blocks:
            rows = block_rows(collection, returned, scorer, None, block)
            parts.append((block, judge_rows(rows, judge, selection)))
        judged = Held.of("judged", parts)
    with watch.stage("select"):
        if selection.needs_calibration:
            selection = selection.calibrated(read_calibration(judged, judged=True))
        arrays = collection.document_arrays()
        parts = [(b, select_block(judged.read_queries(b), selection, arrays)) for b in blocks]
        verdicts = Held.of("verdicts", parts)
    with watch.stage("score"):
        for block in blocks:
            score_block(verdicts.read_queries(block), collection, run.tiers)
    with watch.stage("publish"):
        quotas = {name: tier.quota for name, tier in run.tiers.items()}
        found_negatives, counts = read_verdicts(verdicts, list(returned), quotas, len(keys))
        first = Selection.of(run)
        measure(Inputs(found_negatives, collection, scorer, counts, verdicts, first, run.seed))
    return {"figures": by_job(watch.seconds), **_summary(verdicts, made)}


def _range(query_ix: np.ndarray, block: Block) -> tuple[int, int]:
    low, high = np.searchsorted(query_ix, [block.start, block.stop])
    return int(low), int(high - low)


def digest(rows: list[tuple[Any, ...]]) -> str:
    """Of (query, document, tier, rank) rows in any order."""
    return hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest()[:16]


def _summary(verdicts: Dataset, made: dict[str, pa.Table]) -> dict[str, Any]:
    table = verdicts.read(["query_ix", "doc_ix", "tier", "rank", "verdict"])
    kept = table.filter(pa.compute.equal(table["verdict"], "kept"))
    queries = made["queries"]["query_id"].take(kept["query_ix"]).to_pylist()
    documents = made["documents"]["doc_id"].take(kept["doc_ix"]).to_pylist()
    tiers, ranks = kept["tier"].to_pylist(), kept["rank"].to_pylist()
    rows = list(zip(queries, documents, tiers, ranks, strict=True))
    return {
        "counts": {
            "negatives": len(rows),
            "queries": made["queries"].num_rows,
            "documents": made["documents"].num_rows,
            "digest": digest(rows),
        }
    }
