"""Negative sets to train with: rules that others mine by, made from a run's ledger, and its own."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.gain.losses import TEACHER_SPREAD
from benchmarks.gain.odds import Odds
from negmine.transforms.kernels.hashing import fingerprint

NegativeSet = dict[str, list[str]]
"""Negatives of each query, hardest first."""

Weights = Mapping[tuple[str, str], float]
"""What (query, negative) counts in the loss; 1 where it is not named."""

_COLUMNS = (
    "query_id, doc_id, dense_score, dense_rank, bm25_rank, random_rank, judge_score, "
    "positive_dense_score, positive_judge_score, is_positive"
)


class Ledger:
    """A run's candidates as NumPy columns, one row a pair; missing ranks are 0, scores NaN."""

    def __init__(self, run: Path) -> None:
        files = f"{run}/ledger/**/*.parquet"
        with duckdb.connect() as database:
            table = database.sql(
                f"SELECT {_COLUMNS} FROM read_parquet(?, hive_partitioning = true, "
                "union_by_name = true) ORDER BY query_id, doc_id",
                params=[files],
            ).to_arrow_table()
        self.pairs = {name: _numpy(table.column(name)) for name in table.column_names}
        positive = self.pairs["is_positive"]
        self.positive_judge = self.pairs["judge_score"][positive]
        self.columns = {name: column[~positive] for name, column in self.pairs.items()}
        keys = zip(self["query_id"], self["doc_id"], strict=True)
        self.lot = np.array([int(fingerprint(["lot", q, d]), 16) / 2**128 for q, d in keys])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def teacher(self) -> dict[tuple[str, str], float]:
        """The judge's score of every pair that has one, positives included, over their spread."""
        score = self.pairs["judge_score"]
        known = ~np.isnan(score)
        spread = float(np.std(score[known])) or 1.0
        keys = zip(self.pairs["query_id"][known], self.pairs["doc_id"][known], strict=True)
        return dict(zip(keys, (score[known] / spread * TEACHER_SPREAD).tolist(), strict=True))

    def take(self, keep: np.ndarray, order: np.ndarray, count: int) -> NegativeSet:
        """The first `count` of each query's rows in `keep`, lowest `order` first."""
        rows = np.flatnonzero(keep)
        rows = rows[np.lexsort((order[rows], self["query_id"][rows]))]
        found: NegativeSet = {}
        for query, document in zip(self["query_id"][rows], self["doc_id"][rows], strict=True):
            taken = found.setdefault(query, [])
            if len(taken) < count:
                taken.append(document)
        return found


def _numpy(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_integer(column.type):
        return np.asarray(column.fill_null(0).to_numpy())
    return np.asarray(column.to_numpy(zero_copy_only=False))


def baselines(ledger: Ledger, count: int) -> dict[str, NegativeSet]:
    """What the rules in use take from the same candidates, `count` a query.

    - random, bm25, dense: the first of each source; dense is also sentence-transformers'
      `mine_hard_negatives` without a margin.
    - st .05: its relative margin of .05 on the student's scores, nearest first; `st .05 random`
      draws among those that pass.
    - nv: NV-Retriever's TopK-PercPos at .95 of the positive (arXiv 2407.15831), teacher = judge.
    - rocketqa: at random among the student's top 50 where the judge's probability, calibrated
      against random documents, is under .1 (arXiv 2010.08191).
    """
    dense, bm25 = ledger["dense_rank"], ledger["bm25_rank"]
    score, positive = ledger["dense_score"], ledger["positive_dense_score"]
    judge, judge_positive = ledger["judge_score"], ledger["positive_judge_score"]
    margin = (dense > 0) & (score <= positive - 0.05 * np.abs(positive))
    below = judge < judge_positive - 0.05 * np.abs(judge_positive)
    found = {
        "in-batch only": {},
        "random": ledger.take(ledger["random_rank"] > 0, ledger["random_rank"], count),
        "bm25": ledger.take(bm25 > 0, bm25, count),
        "dense (st without margin)": ledger.take(dense > 0, dense, count),
        "st .05": ledger.take(margin, dense, count),
        "st .05 random": ledger.take(margin, ledger.lot, count),
    }
    if not np.isnan(ledger.positive_judge).all():
        judged = ~np.isnan(judge)
        drawn = judged & (ledger["random_rank"] > 0) & (dense == 0) & (bm25 == 0)
        odds = Odds.of(ledger.positive_judge, judge[drawn]).log_odds(judge)
        unlikely = (dense > 0) & (dense <= 50) & (odds < np.log(0.1 / 0.9))
        found["nv"] = ledger.take(below, -judge, count)
        found["rocketqa"] = ledger.take(unlikely, ledger.lot, count)
    return found


def published(run: Path) -> NegativeSet:
    """The negatives of a published run, hardest tier first."""
    order = list(json.loads((run / "manifest.json").read_text())["config"]["tiers"])
    rows = (
        duckdb.connect()
        .execute(
            "SELECT query_id, negative_id FROM read_parquet(?, hive_partitioning = true) "
            "ORDER BY query_id, list_position(?, tier), rank",
            [f"{run}/negatives/**/*.parquet", order],
        )
        .fetchall()
    )
    return _grouped(rows)


def published_weights(run: Path) -> Weights:
    """What the negatives of a published run count, of those that do not count 1."""
    rows = (
        duckdb.connect()
        .execute(
            "SELECT query_id, negative_id, weight FROM read_parquet(?, hive_partitioning = true) "
            "WHERE weight <> 1",
            [f"{run}/negatives/**/*.parquet"],
        )
        .fetchall()
    )
    return {(query, document): weight for query, document, weight in rows}


def made(run: Path) -> dict[str, str]:
    """Texts of a run's negatives that edits have made, by identifier; they are in no corpus."""
    rows = (
        duckdb.connect()
        .execute(
            "SELECT negative_id, negative FROM read_parquet(?, hive_partitioning = true) "
            "WHERE sources = ['edited'] ORDER BY negative_id",
            [f"{run}/negatives/**/*.parquet"],
        )
        .fetchall()
    )
    return dict(rows)


def from_file(file: Path) -> NegativeSet:
    """Somebody else's negatives: JSONL rows with `query_id` and `negative_ids`."""
    found: NegativeSet = {}
    with open(file, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            row = json.loads(line) if line.strip() else None
            if row is None:
                continue
            if not isinstance(row, dict) or {"query_id", "negative_ids"} - row.keys():
                raise SystemExit(f"{file}, line {number}: needs query_id and negative_ids")
            found[str(row["query_id"])] = list(map(str, row["negative_ids"]))
    return found


def check_known(
    name: str, negatives: NegativeSet, queries: Iterable[str], documents: Mapping[str, str]
) -> None:
    """Refuse a set of other identifiers, which would be trained with as if it were empty.

    Raises SystemExit where it has a document that is not in the collection, or none of the queries
    that are trained with; queries beside them are left out.
    """
    for query, found in negatives.items():
        unknown = [document for document in found if document not in documents]
        if unknown:
            raise SystemExit(
                f"{name}: document {unknown[0]!r} of query {query!r} is not in the collection; "
                "give negatives by the identifiers of its corpus.jsonl"
            )
    if not negatives.keys() & set(queries):
        raise SystemExit(
            f"{name}: none of its {len(negatives)} queries is trained with; give negatives by the "
            "identifiers of queries.jsonl"
        )


def _grouped(rows: Iterable[tuple[str, str]]) -> NegativeSet:
    found: NegativeSet = {}
    for query, document in rows:
        found.setdefault(query, []).append(document)
    return found


def false_share(
    negatives: Mapping[str, list[str]], hidden: Callable[[str], frozenset[str]]
) -> float:
    """Share of the negatives that are hidden positives; NaN where there are none."""
    total = sum(map(len, negatives.values()))
    false = sum(d in hidden(q) for q, documents in negatives.items() for d in documents)
    return false / total if total else float("nan")
