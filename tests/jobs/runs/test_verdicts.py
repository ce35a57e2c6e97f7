"""A model's verdicts: better than the positive becomes one, answers too goes out; nothing is mined
again that a better judge does not concern."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.jobs.collections import negmine, static_student, write_collection, write_config
from tests.transforms.input_files import write_lines

QUERIES, DOCUMENTS = 4, 20
BETTER, ANSWERS, NOT = ("q0000", "d0007"), ("q0001", "d0009"), ("q0002", "d0011")
WORDS = {BETTER: "better", ANSWERS: "answers", NOT: "irrelevant"}


def scores(base: Path, name: str, bonus: float) -> str:
    rows = [
        {
            "query_id": f"q{q:04}",
            "doc_id": f"d{d:04}",
            "small": 0.1 + 0.01 * d,
            "large": (0.8 if q == d else 0.1) + bonus * d,
        }
        for q in range(QUERIES)
        for d in range(DOCUMENTS)
    ]
    return str(write_lines(base / name, rows))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verdicts")


@pytest.fixture(scope="module")
def config(base: Path) -> str:
    collection = write_collection(base / "collection", DOCUMENTS, QUERIES)
    judge: dict[str, Any] = {"kind": "precomputed", "path": scores(base, "scores.jsonl", 0.0)}
    return write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(collection)},
        student={"model": str(static_student(base / "student")), "device": "cpu"},
        sources={"bm25": {"depth": 5}, "dense": {"depth": DOCUMENTS}},
        judge={**judge, "score_column": "large", "beside": {"small": "small"}},
        policies=[{"judge_score": {"max": 0.7}}],
        tiers={"all": {"quota": DOCUMENTS}},
        output={"workdir": str(base / "work"), "path": str(base / "out")},
    )


def mine(config: str, run_id: str, *settings: str) -> str:
    chosen = (f"output.run_id={run_id}", *settings)
    ended = negmine("mine", config, *[word for s in chosen for word in ("--set", s)])
    assert ended.code == 0, ended.err
    return ended.progress


@pytest.fixture(scope="module")
def output(base: Path, config: str) -> Path:
    mine(config, "one")
    return base / "out"


def ask(output: Path, run: str, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as database:
        for name in ("ledger", "positives", "sets"):
            files = f"{output}/runs/{run}/{name}/**/*.parquet"
            options = "union_by_name = true, hive_partitioning = true"
            database.execute(f"CREATE VIEW {name} AS FROM read_parquet('{files}', {options})")
        return database.execute(sql).fetchall()


def test_original_scores_stand_beside_the_one_that_decides(output: Path) -> None:
    rows = ask(output, "one", "SELECT judge_score, judge_parts['small'], doc_id FROM ledger")
    assert len(rows) == QUERIES * DOCUMENTS
    for decides, small, document in rows:
        assert small == pytest.approx(0.1 + 0.01 * int(document[1:]))
        assert decides in (pytest.approx(0.1), pytest.approx(0.8))


def test_verdicts_become_labels_and_labels_a_run(
    base: Path, config: str, output: Path, tmp_path: Path
) -> None:
    said = [{"query_id": q, "doc_id": d, "verdict": word} for (q, d), word in WORDS.items()]
    file, labels = write_lines(tmp_path / "said.jsonl", said), tmp_path / "labels.jsonl"
    ended = negmine("relabel", f"{output}:one", str(file), "-o", str(labels))
    assert ended.code == 0, ended.err
    assert "1 positive, 1 that answer too, 1 negative, 0 undecided" in ended.out
    made = [json.loads(line) for line in labels.read_text().splitlines()]
    assert [row["decision"] for row in made] == ["positive", "answers", "negative"]
    mine(config, "two", f"input.labels={labels}")
    found = {
        (q, d): verdict
        for q, d, verdict in ask(output, "two", "SELECT query_id, doc_id, verdict FROM ledger")
    }
    assert [found[pair] for pair in WORDS] == ["known_positive", "known_positive", "kept"]
    positives = ask(output, "two", "SELECT query_id, positive_id FROM positives ORDER BY ALL")
    assert BETTER in positives and ANSWERS not in positives
    assert ask(output, "two", "SELECT sum(positives) FROM sets") == [(QUERIES + 1,)]
    # The same again is as before, whatever the run has made of it.
    again = negmine("relabel", f"{output}:two", str(file), "-o", str(labels))
    assert "3 labels (0 new, 0 replaced, 3 as before)" in again.out, again.err


def test_another_word_is_refused_and_named(output: Path, tmp_path: Path) -> None:
    row = {"query_id": BETTER[0], "doc_id": BETTER[1], "verdict": "good"}
    file = write_lines(tmp_path / "said.jsonl", [row])
    ended = negmine("relabel", f"{output}:one", str(file), "-o", str(tmp_path / "labels.jsonl"))
    assert ended.code == 3
    assert "line 1: verdict is 'good', expected one of 'better', 'answers'" in ended.err
    assert not (tmp_path / "labels.jsonl").exists()


def test_a_better_judge_reuses_all_that_is_before_it(base: Path, config: str, output: Path) -> None:
    said = mine(config, "better", f"judge.path={scores(base, 'better.jsonl', 0.001)}")
    reused = next(line for line in said.splitlines() if line.startswith("reused"))
    for stage in ("ingest", "embed", "bm25_index", "retrieve"):
        assert stage in reused
    for stage in ("judge", "select", "score"):
        assert f" {stage}" not in reused.replace("check_judge", "")
