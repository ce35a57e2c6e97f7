"""`negmine relabel`: suspects go out for review, decisions come back into the next run."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from negmine.jobs.mining.preflight.models import ODD
from negmine.transforms.models.encoder import SentenceTransformerEncoder
from tests.jobs.collections import (
    Ended,
    cross_encoder,
    leftovers,
    negmine,
    static_student,
    write_collection,
    write_config,
)
from tests.transforms.input_files import write_lines

QUERIES, DOCUMENTS = 6, 30
SUSPECTS = {("q0000", "d0007"): 0.95, ("q0001", "d0009"): 0.9, ("q0002", "d0011"): 0.99}
BY_SUSPICION = [("q0002", "d0011"), ("q0000", "d0007"), ("q0001", "d0009")]
FIRST, SECOND, THIRD = BY_SUSPICION
Row = dict[str, Any]
Flow = tuple[str, Path]


def pairs_of(names: Sequence[Row], *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in keys) for row in names]


def score(query: int, document: int) -> float:
    """The judge's: positives 0.8, suspects above them, everything else well below."""
    known = 0.8 if query == document else 0.1
    return SUSPECTS.get((f"q{query:04}", f"d{document:04}"), known)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("relabel")


@pytest.fixture(scope="module")
def student(base: Path) -> Row:
    return {"model": str(static_student(base / "student")), "device": "cpu"}


@pytest.fixture(scope="module")
def config(base: Path, student: Row) -> str:
    """Every document is a candidate of every query, and every safe one is kept."""
    scores = [
        {"query_id": f"q{q:04}", "doc_id": f"d{d:04}", "score": score(q, d)}
        for q in range(QUERIES)
        for d in range(DOCUMENTS)
    ]
    collection = write_collection(base / "collection", DOCUMENTS, QUERIES)
    return write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(collection)},
        student=student,
        sources={"bm25": {"depth": 5}, "dense": {"depth": DOCUMENTS}},
        judge={"kind": "precomputed", "path": str(write_lines(base / "scores.jsonl", scores))},
        policies=["suspected_positive", {"judge_score": {"max": 0.7}}],
        tiers={"all": {"quota": DOCUMENTS}},
        output={"workdir": str(base / "work")},
    )


def mine(config: str, output: Path, run_id: str, *settings: str) -> Ended:
    chosen = (f"output.run_id={run_id}", *settings)
    options = [word for setting in chosen for word in ("--set", setting)]
    ended = negmine("mine", config, "--output", str(output), *options)
    assert ended.code == 0, ended.err
    return ended


@pytest.fixture(scope="module")
def flow(base: Path, config: str) -> Flow:
    """The config, and an output folder with run `one`."""
    mine(config, base / "out", "one")
    return config, base / "out"


def ledger(output: Path, run: str) -> dict[tuple[str, str], Row]:
    files = f"{output}/runs/{run}/ledger/*/*.parquet"
    with duckdb.connect() as database:
        relation = database.sql(
            f"FROM read_parquet('{files}', union_by_name = true, hive_partitioning = true)"
        )
        rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    return {(row["query_id"], row["doc_id"]): row for row in rows}


def verdicts(output: Path, run: str) -> dict[tuple[str, str], str]:
    return {pair: row["verdict"] for pair, row in ledger(output, run).items()}


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def decided(path: Path, *rows: tuple[tuple[str, str], Any]) -> str:
    made = [{"query_id": q, "doc_id": d, "decision": decision} for (q, d), decision in rows]
    return str(write_lines(path, made))


def test_a_review_lists_the_suspects_with_texts_and_scores(flow: Flow, tmp_path: Path) -> None:
    _, output = flow
    file = tmp_path / "review.jsonl"
    ended = negmine("relabel", f"{output}:one", "--review", str(file))
    assert ended.code == 0, ended.err
    assert "3 suspected positives of run one" in ended.out
    review = lines(file)
    assert pairs_of(review, "query_id", "doc_id") == BY_SUSPICION
    told = ledger(output, "one")[FIRST]
    documents = {
        row["_id"]: row["text"] for row in lines(output.parent / "collection/corpus.jsonl")
    }
    queries = {row["_id"]: row["text"] for row in lines(output.parent / "collection/queries.jsonl")}
    assert review[0] == {
        "query_id": "q0002",
        "query": queries["q0002"],
        "doc_id": "d0011",
        "document": documents["d0011"],
        "positive_id": "d0002",
        "positive": documents["d0002"],
        "judge_score": 0.99,
        "positive_judge_score": 0.8,
        "dense_score": pytest.approx(told["dense_score"], abs=1e-7),
        "decision": None,
    }
    suspects = [p for p, v in verdicts(output, "one").items() if v == "suspected_positive"]
    assert sorted(suspects) == sorted(SUSPECTS)


def test_a_review_is_never_overwritten_without_force(flow: Flow, tmp_path: Path) -> None:
    _, output = flow
    file = tmp_path / "review.jsonl"
    file.write_text("decisions\n")
    ended = negmine("relabel", f"{output}:one", "--review", str(file))
    assert ended.code == 2
    assert "--force" in ended.err
    assert file.read_text() == "decisions\n"
    options = ("--review", str(file), "--limit", "1", "--force")
    assert negmine("relabel", f"{output}:one", *options).code == 0
    assert pairs_of(lines(file), "query_id", "doc_id") == [FIRST]


def test_decisions_flow_into_the_next_run_and_nothing_else_changes(
    flow: Flow, tmp_path: Path
) -> None:
    config, output = flow
    file, labels = tmp_path / "review.jsonl", tmp_path / "labels.jsonl"
    assert negmine("relabel", f"{output}:one", "--review", str(file)).code == 0
    review = lines(file)
    for row, decision in zip(review, ("positive", "negative", None), strict=True):
        row["decision"] = decision
    write_lines(file, review)
    ended = negmine("relabel", f"{output}:one", str(file), "--to", str(labels))
    assert ended.code == 0, ended.err
    assert "1 positive, 1 negative, 1 undecided and left out" in ended.out
    assert "2 labels (2 new, 0 replaced, 0 as before)\nPut this into the config" in ended.out
    assert f"input:\n  labels: {labels}\n" in ended.out
    assert lines(labels) == [
        {"query_id": "q0000", "doc_id": "d0007", "decision": "negative", "run_id": "one"},
        {"query_id": "q0002", "doc_id": "d0011", "decision": "positive", "run_id": "one"},
    ]

    encoded: list[str] = []
    encode = SentenceTransformerEncoder.encode

    def counted(self: Any, texts: Sequence[str], *rest: Any, **options: Any) -> Any:
        encoded.extend(texts)
        return encode(self, texts, *rest, **options)

    (setting,) = [line.split("--set ")[1] for line in ended.out.splitlines() if "--set" in line]
    with mock.patch.object(SentenceTransformerEncoder, "encode", counted):
        mine(config, output, "two", setting)
    assert len(encoded) <= 2 * (2 + len(ODD))  # those that try the model; no row of the collection

    before, after = verdicts(output, "one"), verdicts(output, "two")
    changed = {pair: after.get(pair) for pair in before if after.get(pair) != before[pair]}
    assert changed == {FIRST: "known_positive", SECOND: "kept"}
    assert set(after) == set(before)
    told = ledger(output, "two")
    assert [pair for pair, row in told.items() if row["confirmed_negative"]] == [SECOND]
    assert told[SECOND]["judge_score"] == pytest.approx(0.95)
    assert not any(row["confirmed_negative"] for row in ledger(output, "one").values())
    sets = f"SELECT positive_id, positives FROM '{output}/runs/two/sets/*.parquet'"
    with duckdb.connect() as database:
        found = database.sql(f"{sets} WHERE query_id = 'q0002'").fetchall()
    assert found == [("d0011", 2)]


def test_labels_are_extended_replaced_and_sorted_and_reread_to_the_same_bytes(
    flow: Flow, tmp_path: Path
) -> None:
    _, output = flow
    labels = tmp_path / "labels.jsonl"
    first = decided(tmp_path / "1.jsonl", (FIRST, "positive"), (SECOND, "positive"))
    then = decided(tmp_path / "2.jsonl", (SECOND, "negative"), (THIRD, "negative"), (FIRST, None))
    assert negmine("relabel", f"{output}:one", first, "--to", str(labels)).code == 0
    ended = negmine("relabel", f"{output}:one", then, "--to", str(labels))
    assert "3 labels (1 new, 1 replaced, 0 as before)" in ended.out
    assert pairs_of(lines(labels), "query_id", "doc_id", "decision") == [
        (*SECOND, "negative"),
        (*THIRD, "negative"),
        (*FIRST, "positive"),
    ]
    written = labels.read_bytes()
    ended = negmine("relabel", f"{output}:one", then, "--to", str(labels))
    assert "3 labels (0 new, 0 replaced, 2 as before)" in ended.out
    assert labels.read_bytes() == written
    assert not leftovers(tmp_path)


def test_labels_lie_beside_the_runs_by_default(config: str, tmp_path: Path) -> None:
    mine(config, tmp_path, "one")
    file = decided(tmp_path / "decisions.jsonl", (FIRST, "negative"))
    assert negmine("relabel", str(tmp_path), file).code == 0
    assert pairs_of(lines(tmp_path / "labels.jsonl"), "decision", "run_id") == [("negative", "one")]


REFUSED: list[tuple[str, Callable[[Path], str], tuple[str, ...]]] = [
    (
        "another word",
        lambda p: decided(p, (FIRST, "positive"), (SECOND, "maybe")),
        ("line 2: decision is 'maybe', expected 'positive', 'answers', 'negative' or null",),
    ),
    (
        "a pair that is no candidate",
        lambda p: decided(p, (FIRST, "positive"), (("q0000", "nowhere"), "negative")),
        ("line 2: document 'nowhere' is no candidate of run one, for query 'q0000'",),
    ),
    (
        "a contradiction",
        lambda p: decided(p, (FIRST, "positive"), (THIRD, None), (FIRST, "negative")),
        ("line 3: document 'd0011' is negative here and positive in line 1, for query 'q0002'",),
    ),
    (
        "a known positive",
        lambda p: decided(p, (("q0003", "d0003"), "negative")),
        ("line 1: document 'd0003' is a known positive, no negative, for query 'q0003'",),
    ),
    ("no query", lambda p: str(write_lines(p, [{"doc_id": "d1"}])), ("query_id is missing",)),
    ("no JSON", lambda p: str(write_lines(p, ["positive"])), ("line 1: not JSON",)),
    ("many", lambda p: str(write_lines(p, ["-"] * 9)), ("line 5: not JSON", "and 4 more")),
    ("no file", str, ("cannot be read",)),
]


@pytest.mark.parametrize(
    ("write", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_decisions_that_cannot_be_meant_are_refused_whole(
    flow: Flow, tmp_path: Path, write: Callable[[Path], str], words: tuple[str, ...]
) -> None:
    labels = tmp_path / "labels.jsonl"
    file = write(tmp_path / "decisions.jsonl")
    ended = negmine("relabel", f"{flow[1]}:one", file, "--to", str(labels))
    assert ended.code == 3
    assert ended.err.startswith("error: ")
    assert "decisions.jsonl" in ended.err
    for word in words:
        assert word in ended.err
    assert not labels.exists()


def test_a_label_is_taken_back_on_the_run_that_it_was_decided_on(
    config: str, tmp_path: Path
) -> None:
    labels = str(tmp_path / "labels.jsonl")
    mine(config, tmp_path, "one")
    file = decided(tmp_path / "1.jsonl", (FIRST, "positive"))
    assert negmine("relabel", str(tmp_path), file).code == 0
    mine(config, tmp_path, "two", f"input.labels={labels}")
    back = decided(tmp_path / "2.jsonl", (FIRST, "negative"))
    ended = negmine("relabel", f"{tmp_path}:two", back)
    assert ended.code == 3
    assert "to take back the label that made it one, relabel run one" in ended.err
    assert negmine("relabel", f"{tmp_path}:one", back).code == 0
    mine(config, tmp_path, "three", f"input.labels={labels}")
    assert verdicts(tmp_path, "three")[FIRST] == "kept"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ((), "--review FILE.jsonl"),
        (("decisions.jsonl", "--review", "review.jsonl"), "DECISIONS.jsonl"),
    ],
)
def test_one_of_decisions_and_review_is_asked_for(
    flow: Flow, options: tuple[str, ...], word: str
) -> None:
    ended = negmine("relabel", f"{flow[1]}:one", *options)
    assert ended.code == 2
    assert word in ended.err


def test_the_decisions_are_not_overwritten_by_the_labels(flow: Flow, tmp_path: Path) -> None:
    file = decided(tmp_path / "decisions.jsonl", (FIRST, "positive"))
    ended = negmine("relabel", f"{flow[1]}:one", file, "--to", file)
    assert ended.code == 2
    assert "run_id" not in Path(file).read_text()


def test_a_labels_file_that_is_damaged_is_told_and_left_alone(flow: Flow, tmp_path: Path) -> None:
    labels = write_lines(tmp_path / "labels.jsonl", ["{"])
    file = decided(tmp_path / "decisions.jsonl", (FIRST, "positive"))
    ended = negmine("relabel", f"{flow[1]}:one", file, "--to", str(labels))
    assert ended.code == 3
    assert f"{labels}: line 1" in ended.err
    assert labels.read_text() == "{\n"


def test_a_run_without_the_policy_has_nothing_to_review(config: str, tmp_path: Path) -> None:
    mine(config, tmp_path / "out", "one", "policies=[known_positive]")
    ended = negmine("relabel", str(tmp_path / "out"), "--review", str(tmp_path / "review.jsonl"))
    assert ended.code == 2
    assert "no policy suspected_positive" in ended.err


def test_labels_that_are_not_there_are_told_before_any_work(config: str, tmp_path: Path) -> None:
    ended = negmine("mine", config, "--output", str(tmp_path), "--set", "input.labels=gone.jsonl")
    assert ended.code == 3
    assert "input.labels: gone.jsonl is not a file" in ended.err


def test_a_lazy_judges_confirmed_negatives_are_kept_with_a_score(
    base: Path, config: str, student: Row, tmp_path: Path
) -> None:
    model = str(cross_encoder(base / "judge"))
    judge = f"judge={{kind: cross_encoder, model: {model}, device: cpu}}"
    settings = (judge, "policies=[suspected_positive]", "tiers.all.quota=4")
    mine(config, tmp_path, "one", *settings)
    dropped = [p for p, v in verdicts(tmp_path, "one").items() if v == "suspected_positive"]
    assert dropped
    file = decided(tmp_path / "decisions.jsonl", *((pair, "negative") for pair in dropped))
    assert negmine("relabel", str(tmp_path), file).code == 0
    mine(config, tmp_path, "two", *settings, f"input.labels={tmp_path}/labels.jsonl")
    told = ledger(tmp_path, "two")
    assert {told[pair]["verdict"] for pair in dropped} <= {"kept", "over_quota"}
    kept = [row for row in told.values() if row["verdict"] == "kept"]
    assert any(row["confirmed_negative"] for row in kept)
    assert all(row["judge_score"] is not None for row in kept)
