"""Long documents cut into passages: what a run makes of judgements that name the whole."""

from pathlib import Path

import pyarrow.parquet as pq

from negmine.jobs.runs.published import find_run
from tests.jobs.collections import document, negmine, static_student, write_config
from tests.transforms.input_files import write_beir

CUT = {"words": 10}


def config(base: Path, **passages: object) -> str:
    """Six documents of five passages and four short ones; q0 is answered by one of each."""
    long = {f"long{n}": " ".join(document(at) for at in range(n, n + 8)) for n in range(6)}
    texts = long | {f"short{n}": document(20 + n) for n in range(4)}
    folder = write_beir(
        base / "in",
        [{"_id": name, "text": text} for name, text in texts.items()],
        [{"_id": "q0", "text": "solen sola"}, {"_id": "q1", "text": "tera"}],
        [("q0", "long0", 1), ("q0", "short0", 1), ("q1", "long1#3", 1)],
    )
    return write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(folder), "passages": {**CUT, **passages}},
        student={"model": str(static_student(base / "student")), "device": "cpu"},
        sources={"same_document": {"window": 1}},
        judge={"kind": "none"},
        tiers={"same": {"quota": 2, "source": "same_document"}, "all": {"quota": 30}},
        output={"path": str(base / "out")},
    )


def test_it_stops_at_a_judgement_of_a_document_that_was_cut(tmp_path: Path) -> None:
    ended = negmine("mine", config(tmp_path))
    assert ended.code == 3
    assert "document 'long0' was cut into 5 passages" in ended.err
    assert "input.passages.labels: all" in ended.err
    assert not list((tmp_path / "out").glob("runs/*/manifest.json"))


def test_passages_of_which_one_answers_are_neither_positives_nor_negatives(tmp_path: Path) -> None:
    ended = negmine("mine", config(tmp_path), "--set", "input.bad_rows=0.2")
    assert ended.code == 0, ended.err
    run = find_run(str(tmp_path / "out")).path
    positives = {(r["query_id"], r["positive_id"]) for r in rows(run / "positives")}
    assert positives == {("q0", "short0#1"), ("q1", "long1#3")}
    negatives = {(r["query_id"], r["negative_id"]) for r in rows(run / "negatives")}
    assert not any(query == "q0" and name.startswith("long0#") for query, name in negatives)
    verdicts = {(r["query_id"], r["doc_id"]): r["verdict"] for r in rows(run / "ledger")}
    assert {verdicts["q0", f"long0#{n}"] for n in range(1, 6)} == {"known_positive"}


def test_passages_of_the_document_of_a_named_one_are_its_negatives(tmp_path: Path) -> None:
    ended = negmine("mine", config(tmp_path), "--set", "input.bad_rows=0.2")
    assert ended.code == 0, ended.err
    run = find_run(str(tmp_path / "out")).path
    found = {row["doc_id"] for row in rows(run / "ledger") if row["same_document_rank"]}
    assert found == {"long1#1", "long1#5"}, "not the positive, nor those beside it"


def rows(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pq.read_table(folder).to_pylist()
    return found
