"""Ingest against a plain model, and over shuffled and split input."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from negmine.schemas.errors import DataError
from negmine.transforms.kernels.text import identity as comparable
from tests.transforms.input_files import SCHEMAS, config, ingest, rows, write_lines


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for name in SCHEMAS
        for file in sorted((directory / name).iterdir())
    }


@pytest.mark.parametrize("seed", range(3))
def test_order_and_split_of_the_input_change_no_byte(tmp_path: Path, seed: int) -> None:
    documents = [{"doc_id": f"d{i}", "text": f"text of {i}"} for i in range(50)]
    queries = [{"query_id": f"q{i}", "text": f"ask {i // 2}"} for i in range(30)]
    qrels = [{"query_id": f"q{i}", "doc_id": f"d{i * j}"} for i in range(30) for j in (0, 1)]
    tables = {"documents": documents, "queries": queries, "qrels": qrels}
    generator = random.Random(seed)

    def run(name: str, files: int, block_size: int) -> dict[str, bytes]:
        where = {}
        for kind, table in tables.items():
            for i in range(files):
                write_lines(tmp_path / name / kind / f"{i}.jsonl", table[i::files])
            where[kind] = str(tmp_path / name / kind)
            generator.shuffle(table)
        ingest(config(format="jsonl", **where), tmp_path / name / "out", block_size=block_size)
        return contents(tmp_path / name / "out")

    first = run("a", 1, 64)
    assert run("b", 4, 64) == first


TEXTS = st.sampled_from(["a", "A!", "b c", "\x00", "東京", "?", "!", "", "z" * 50])
IDS = st.sampled_from(["1", "2", "10", "é", "x\x00", "", "q"])
TABLE = st.lists(st.tuples(IDS, TEXTS), max_size=12)
JUDGED = st.lists(st.tuples(IDS, IDS, st.integers(0, 2)), max_size=15)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents=TABLE, queries=TABLE, qrels=JUDGED)
def test_it_agrees_with_a_plain_model(
    tmp_path_factory: pytest.TempPathFactory, documents: Any, queries: Any, qrels: Any
) -> None:
    base = tmp_path_factory.mktemp("model")
    where = {
        "documents": write_lines(
            base / "d.jsonl", [{"doc_id": i, "text": t} for i, t in documents]
        ),
        "queries": write_lines(base / "q.jsonl", [{"query_id": i, "text": t} for i, t in queries]),
        "qrels": write_lines(
            base / "r.jsonl", [{"query_id": q, "doc_id": d, "grade": g} for q, d, g in qrels]
        ),
    }
    names = {kind: str(path) for kind, path in where.items()}
    made = config(format="jsonl", grade="grade", bad_rows=1, **names)

    corpus: dict[str, str] = {}
    asked: dict[str, str] = {}
    for table, kept in ((documents, corpus), (queries, asked)):
        for identity, text in table:
            if identity and text.strip():
                kept.setdefault(identity, text)
    found: dict[str, set[str]] = {}
    for query, document, grade in qrels:
        if grade > 0 and query in asked and document in corpus:
            found.setdefault(query, set()).add(document)
    merged: dict[str, list[str]] = {}
    for query in sorted(found, key=str.encode):
        merged.setdefault(comparable(asked[query]), []).append(query)
    if not merged:
        with pytest.raises(DataError):
            ingest(made, base)
        return
    ingest(made, base, block_size=3)
    order = sorted(corpus, key=str.encode)
    assert [row["doc_id"] for row in rows(base, "documents")] == order
    groups = sorted(merged.values(), key=lambda ids: ids[0].encode())
    said = [[row["query_id"], *row["merged_ids"]] for row in rows(base, "queries")]
    assert said == groups
    expected = [
        (ix, order.index(document))
        for ix, ids in enumerate(groups)
        for document in sorted(set().union(*(found[i] for i in ids)), key=str.encode)
    ]
    assert [(row["query_ix"], row["doc_ix"]) for row in rows(base, "positives")] == expected
