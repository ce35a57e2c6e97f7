"""What packed token vectors cost a judge: bytes, nDCG@10, seconds, negatives that change.

    python benchmarks/token_vectors.py RUN --qrels data/scifact/qrels/test.tsv [--rounds 3]

RUN is a published run whose judge is fusion over the student's own token vectors. Its candidates
are encoded again by its student and judged with vectors as the model gives them (bfloat16), in
eight bits with a scale a token, halved by the mean of neighbours, and packed as they are stored.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import ir_measures
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ir_measures import ScoredDoc, nDCG

from benchmarks.retrieval_quality import query_names, read_qrels
from negmine.jobs.runs.published import find_run
from negmine.schemas.config import Config
from negmine.schemas.selection import Selection
from negmine.transforms.choosing.select import select_block
from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.calibration import Calibration
from negmine.transforms.kernels.groups import z_scores
from negmine.transforms.kernels.search.late_interaction import mean_max_sim
from negmine.transforms.kernels.search.token_codes import (
    DOCUMENT_BITS,
    QUERY_BITS,
    from_bfloat16,
    pack,
)
from negmine.transforms.kernels.threads import one_thread
from negmine.transforms.models.encoder import load_encoder
from negmine.transforms.models.specs import EncoderSpec
from negmine.transforms.models.weights import find_folder
from negmine.transforms.pairs.features import Collection

Tokens = dict[int, np.ndarray]
Score = Callable[[np.ndarray, Sequence[np.ndarray]], np.ndarray]
_TOKENS_AT_ONCE = 2048


@dataclass(frozen=True)
class Format:
    """Token vectors as they would lie on disk, and MaxSim over them."""

    name: str
    documents: Tokens
    queries: Tokens
    score: Score

    @property
    def bytes(self) -> int:
        return sum(rows.nbytes for rows in self.documents.values())


def max_sim(query: np.ndarray, documents: Sequence[np.ndarray]) -> np.ndarray:
    """Mean MaxSim over vectors as a model gives them, (tokens, dimension) uint16 of bfloat16."""
    scores = np.zeros(len(documents), dtype=np.float32)
    lengths = np.array([len(rows) for rows in documents])
    filled = np.flatnonzero(lengths)
    if not len(query) or not len(filled):
        return scores
    tokens = np.concatenate([documents[int(i)] for i in filled])
    columns = np.ascontiguousarray(from_bfloat16(query).T)
    similarity = np.empty((len(tokens), len(query)), dtype=np.float32)
    for start in range(0, len(tokens), _TOKENS_AT_ONCE):
        rows = slice(start, start + _TOKENS_AT_ONCE)
        np.matmul(from_bfloat16(tokens[rows]), columns, out=similarity[rows])
    best = np.maximum.reduceat(similarity, np.cumsum(lengths[filled]) - lengths[filled], axis=0)
    scores[filled] = best.mean(axis=1, dtype=np.float64)
    return scores


def _bits(values: np.ndarray) -> np.ndarray:
    return ((np.ascontiguousarray(values).view(np.uint32) + 0x8000) >> 16).astype(np.uint16)


def _eight_bits(rows: np.ndarray) -> np.ndarray:
    """Rounded to 255 levels of the row's greatest number, as bfloat16 again."""
    values = from_bfloat16(rows)
    step = np.abs(values).max(axis=1, keepdims=True, initial=0) / 127
    return _bits(np.divide(values, step, out=np.zeros_like(values), where=step > 0).round() * step)


def _halved(rows: np.ndarray) -> np.ndarray:
    """Means of two neighbours each, of length 1."""
    values = from_bfloat16(rows)
    means = np.add.reduceat(values, np.arange(0, len(values), 2), axis=0) if len(values) else values
    return _bits(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12))


class Judged:
    """The judged pairs of a run, and what another late interaction would make of them."""

    def __init__(self, path: str, qrels: Path) -> None:
        run = find_run(path)
        self.config = Config.model_validate(run.manifest["config"])
        self.sets = {name: Dataset(str(folder)) for name, folder in run.artifacts().items()}
        self.qrels = read_qrels(qrels)
        self.wanted = {qrel.query_id for qrel in self.qrels}
        self.table = self.sets["judged"].read()
        names = ("query_ix", "doc_ix", "is_positive", "bm25_pair_score", "dense_score")
        columns = (self.table[name] for name in names)
        self.query_ix, self.doc_ix, self.positive, self.bm25, self.dense = (
            column.to_numpy() for column in columns
        )
        ranks = (pc.is_valid(self.table[f"{source}_rank"]) for source in ("bm25", "dense"))
        self.retrieved = pc.or_(*ranks).to_numpy()
        bounds = np.flatnonzero(np.diff(self.query_ix)) + 1
        self.by_query = np.split(np.arange(len(self.query_ix)), bounds)

    def encoded(self) -> tuple[Tokens, Tokens]:
        """Token vectors of the candidates and of the queries, bfloat16."""
        made = self.sets["document_vectors"].manifest()["encoder"]
        student = self.config.student
        encoder = load_encoder(
            EncoderSpec(
                str(find_folder(student.model)),
                made["query_prompt"],
                made["document_prompt"],
                made["max_length"],
                precision=made["precision"],
                device=student.device,
            )
        )

        def tokens(name: str, kind: str, wanted: np.ndarray) -> Tokens:
            texts = binary_column(self.sets[name], "text").texts(wanted)
            found = encoder.encode(texts, kind, tokens=True).token_vectors or []  # type: ignore[arg-type]
            return dict(zip(wanted.tolist(), found, strict=True))

        documents = tokens("documents", "document", np.unique(self.doc_ix))
        return documents, tokens("queries", "query", np.unique(self.query_ix))

    def late(self, given: Format) -> tuple[np.ndarray, float]:
        """Late interaction of every pair, and the processor's seconds for it, on one thread."""
        scores = np.empty(len(self.query_ix), dtype=np.float32)
        started = time.thread_time()
        with one_thread():
            for rows in self.by_query:
                documents = [given.documents[number] for number in self.doc_ix[rows].tolist()]
                scores[rows] = given.score(given.queries[int(self.query_ix[rows[0]])], documents)
        return scores, time.thread_time() - started

    def fused(self, late: np.ndarray) -> np.ndarray:
        """Scores of the judge fusion, (pairs,) float32."""
        parts = (self.bm25, np.nan_to_num(self.dense), late)
        scores = [z_scores(part, self.query_ix, self.retrieved) for part in parts]
        return np.sum(scores, axis=0).astype(np.float32)

    @cached_property
    def names(self) -> tuple[list[list[str]], list[str]]:
        """Every query's identifiers, and every document's."""
        documents = self.sets["documents"].read(["doc_id"])["doc_id"].to_pylist()
        return query_names(self.sets["queries"]), documents

    def quality(self, scores: np.ndarray) -> dict[str, float]:
        """nDCG@10 of each query, the retrieved candidates ranked by these scores."""
        queries, documents = self.names
        kept = (column[self.retrieved].tolist() for column in (self.query_ix, self.doc_ix, scores))
        run = [
            ScoredDoc(name, documents[document], score)
            for query, document, score in zip(*kept, strict=True)
            for name in queries[query]
            if name in self.wanted
        ]
        found = ir_measures.iter_calc([nDCG @ 10], self.qrels, run)
        return dict.fromkeys(self.wanted, 0.0) | {m.query_id: m.value for m in found}

    def negatives(self, scores: np.ndarray) -> set[tuple[int, int]]:
        """Pairs that are kept as negatives where these are the judge's scores."""
        place = self.table.schema.get_field_index("judge_score")
        column = pa.array(scores, pa.float32())
        judged = self.table.set_column(place, self.table.schema.field(place), column)
        selection = Selection.of(self.config)
        if selection.needs_calibration:
            _, query = np.unique(self.query_ix[self.positive], return_inverse=True)
            calibration = Calibration.of(query, scores[self.positive])
            selection = selection.calibrated(calibration)
        sets = ("documents", "queries", "positives", "document_vectors", "query_vectors")
        collection = Collection(*(self.sets[name] for name in sets))
        chosen = select_block(judged, selection, collection.document_arrays())
        kept = chosen.filter(pc.equal(chosen["verdict"], "kept"))
        return set(zip(kept["query_ix"].to_pylist(), kept["doc_ix"].to_pylist(), strict=True))


def formats(documents: Tokens, queries: Tokens, dimension: int) -> list[Format]:
    """What is compared; the first is as the model gives them."""

    def each(texts: Tokens, change: Callable[[np.ndarray], np.ndarray]) -> Tokens:
        return {number: change(rows) for number, rows in texts.items()}

    def stored(query: np.ndarray, texts: Sequence[np.ndarray]) -> np.ndarray:
        return mean_max_sim(query, texts, dimension)

    started = time.thread_time()
    with one_thread():
        packed = each(documents, lambda rows: pack(from_bfloat16(rows), DOCUMENT_BITS))
    taken = 1e3 * (time.thread_time() - started) / max(len(documents), 1)
    print(f"packing takes {taken:.2f} ms a document on one thread")
    asked = each(queries, lambda rows: pack(from_bfloat16(rows), QUERY_BITS))
    return [
        Format("bfloat16", documents, queries, max_sim),
        Format("eight bits", each(documents, _eight_bits), queries, max_sim),
        Format("pairs of neighbours", each(documents, _halved), queries, max_sim),
        Format("packed, as stored", packed, asked, stored),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN", help="a published run of the judge fusion")
    parser.add_argument("--qrels", required=True, type=Path, help="BEIR or TREC qrels file")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest of so many is printed")
    given = parser.parse_args()

    judged = Judged(given.run, given.qrels)
    documents, queries = judged.encoded()
    dimension = next(iter(documents.values())).shape[1]
    tokens = sum(len(rows) for rows in documents.values())
    print(f"{len(documents):,} documents, {tokens:,} tokens, {len(judged.query_ix):,} pairs")
    compared = formats(documents, queries, dimension)
    seconds: dict[str, list[float]] = {format.name: [] for format in compared}
    scores: dict[str, np.ndarray] = {}
    for _ in range(given.rounds):
        for format in compared:
            scores[format.name], taken = judged.late(format)
            seconds[format.name].append(taken)
    print(
        f"{'':<22}{'bytes':>8}{'fusion':>10}{'change':>10}{'±':>8}{'late':>10}"
        f"{'seconds':>10}{'other negatives':>18}"
    )
    first = judged.quality(judged.fused(scores["bfloat16"]))
    kept = judged.negatives(judged.fused(scores["bfloat16"]))
    for format in compared:
        late = scores[format.name]
        fused = judged.fused(late)
        found = judged.quality(fused)
        change = np.array([found[name] - first[name] for name in sorted(first)])
        # Eight bits are held as bfloat16 here.
        share = (0.5 if format.name == "eight bits" else 1) * format.bytes / compared[0].bytes
        print(
            f"{format.name:<22}{share:>8.3f}{np.mean([*found.values()]):>10.4f}"
            f"{change.mean():>+10.4f}{1.96 * change.std() / np.sqrt(len(change)):>8.4f}"
            f"{np.mean([*judged.quality(late).values()]):>10.4f}{min(seconds[format.name]):>10.2f}"
            f"{1 - len(kept & judged.negatives(fused)) / max(len(kept), 1):>18.1%}"
        )


if __name__ == "__main__":
    main()
