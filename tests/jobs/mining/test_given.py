"""Candidates that somebody else retrieved, as a source of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.jobs.collections import Ended, negmine, static_student, write_collection, write_config
from tests.transforms.foreign.sets import write_jsonl


def mine(folder: Path, candidates: Sequence[dict[str, Any]], **given: str) -> Ended:
    write_jsonl(folder / "candidates.jsonl", candidates)
    config = write_config(
        folder / "run.yaml",
        input={"format": "beir", "path": str(write_collection(folder / "collection"))},
        student={"model": str(static_student(folder / "student"))},
        sources={
            **dict.fromkeys(("bm25", "dense", "random")),
            "given": {"path": str(folder / "candidates.jsonl"), **given},
        },
        judge={"kind": "none"},
        tiers={"given": {"quota": 3, "source": "given"}},
    )
    return negmine("mine", config, "--output", str(folder / "out"), "--set", "output.run_id=r")


def test_given_candidates_are_taken_in_the_order_of_their_ranks(tmp_path: Path) -> None:
    candidates = [
        {"qid": f"q{q:04}", "pid": f"d{(q + step) % 60:04}", "place": rank}
        for q in range(12)
        for rank, step in ((4, 13), (1, 17), (3, 29), (2, 31), (9, 17))
    ]
    columns = {"query_column": "qid", "document_column": "pid", "rank_column": "place"}
    ended = mine(tmp_path, candidates, **columns)
    assert ended.code == 0, ended.err
    rows = pq.read_table(tmp_path / "out" / "runs" / "r" / "negatives").to_pylist()
    assert all(row["sources"] == ["given"] for row in rows)
    chosen = {(row["query_id"], row["negative_id"]) for row in rows}
    assert chosen == {(f"q{q:04}", f"d{(q + s) % 60:04}") for q in range(12) for s in (17, 31, 29)}
    (candidates_file,) = (tmp_path / "out" / "work" / "retrieve").glob("*/part-*.parquet")
    ranks = pq.read_table(candidates_file)["rank"].to_pylist()
    assert sorted(ranks) == sorted([1, 2, 3, 4] * 12), "the lowest rank of a pair counts"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"query_id": "q0001", "doc_id": "gone", "rank": 1}, "1 rows name documents"),
        ({"query_id": "nobody", "doc_id": "d0001", "rank": 1}, "no row of"),
        ({"query_id": "q0001", "doc_id": "d0005", "rank": 0}, "ranks count from 1"),
        (
            {"query_id": "q0001", "doc_id": "d0005", "rank": 2.5},
            "rank 2.5 in rank; ranks count from 1",
        ),
        (
            {"query_id": "q0001", "doc_id": "d0005", "rank": 5e9},
            "rank 5e+09 in rank; ranks count from 1",
        ),
        ({"query_id": "q0001", "doc_id": "d0005", "rank": "x"}, "cannot be read as candidates"),
        (
            {"query_id": "q0001", "doc_id": "d0005"},
            "it needs the columns query_id, doc_id and rank",
        ),
    ],
)
def test_candidates_that_do_not_fit_are_named(
    row: dict[str, Any], said: str, tmp_path: Path
) -> None:
    ended = mine(tmp_path, [row])
    assert ended.code == 3
    assert said in ended.err
