"""Evaluation splits of each format: their names, what they keep out, what identifies them."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from negmine.schemas.errors import ConfigError, DataError
from negmine.schemas.inputs import Input
from negmine.transforms.readers import check, fingerprint_input, sources
from tests.transforms.input_files import SCHEMAS, config, ingest, rows, write_beir, write_lines

TEXTS = {
    "documents": [{"doc_id": f"d{i}", "text": f"text {i}"} for i in range(4)],
    "queries": [{"query_id": "q1", "text": "first"}, {"query_id": "q2", "text": "second"}],
    "qrels": [{"query_id": "q1", "doc_id": "d1"}, {"query_id": "q2", "doc_id": "d2"}],
    "evaluation_queries": [{"query_id": "q1", "text": " SECOND"}, {"query_id": "q9", "text": "x"}],
    "evaluation_qrels": [{"query_id": "q1", "doc_id": "d1"}, {"query_id": "q1", "doc_id": "d3"}],
}
LISTS = ("evaluation_queries", "evaluation_qrels")


def named(paths: dict[str, str]) -> dict[str, Any]:
    return {kind: [path] if kind in LISTS else path for kind, path in paths.items()}


def jsonl(base: Path) -> dict[str, Any]:
    paths = {k: str(write_lines(base / f"{k}.jsonl", table)) for k, table in TEXTS.items()}
    return {"format": "jsonl", **named(paths)}


def parquet(base: Path) -> dict[str, Any]:
    paths = {kind: str(base / f"{kind}.parquet") for kind in TEXTS}
    base.mkdir(parents=True, exist_ok=True)
    for kind, table in TEXTS.items():
        pq.write_table(pa.Table.from_pylist(table), paths[kind])
    return {"format": "parquet", **named(paths)}


def tsv(base: Path) -> dict[str, Any]:
    lines = {kind: ["\t".join(row.values()) for row in table] for kind, table in TEXTS.items()}
    paths = {kind: str(write_lines(base / f"{kind}.tsv", rows)) for kind, rows in lines.items()}
    return {"format": "tsv", **named(paths)}


def hf(base: Path) -> dict[str, Any]:
    datasets = pytest.importorskip("datasets", reason="the library datasets is not installed")
    for kind in ("documents", "queries", "evaluation_queries"):
        datasets.Dataset.from_list(TEXTS[kind]).save_to_disk(str(base / kind))
    splits = {"train": TEXTS["qrels"], "test": TEXTS["evaluation_qrels"]}
    made = {split: datasets.Dataset.from_list(table) for split, table in splits.items()}
    datasets.DatasetDict(made).save_to_disk(str(base / "qrels"))
    paths = {kind: str(base / kind) for kind in ("documents", "queries", "evaluation_queries")}
    qrels = {"qrels": f"{base}/qrels/train", "evaluation_qrels": f"{base}/qrels/test"}
    return {"format": "hf", **named({**paths, **qrels})}


FORMATS = pytest.mark.parametrize("write", [jsonl, parquet, tsv, hf])
Write = Callable[[Path], dict[str, Any]]


@FORMATS
def test_queries_of_evaluation_qrels_are_looked_up_in_evaluation_queries(
    tmp_path: Path, write: Write
) -> None:
    counts = ingest(config(**write(tmp_path / "in")), tmp_path)
    flags = [row["in_evaluation"] for row in rows(tmp_path, "documents")]
    assert flags == [False, True, False, True]
    assert [row["query_id"] for row in rows(tmp_path, "queries")] == ["q1"]
    assert rows(tmp_path, "positives") == [{"query_ix": 0, "doc_ix": 1, "grade": None, "own": True}]
    assert (counts["dead_letters"], counts["evaluation_queries"]) == (1, 1)


@FORMATS
def test_nothing_of_the_evaluation_is_written_but_flags_and_counts(
    tmp_path: Path, write: Write
) -> None:
    ingest(config(**write(tmp_path / "in")), tmp_path)
    written = repr([rows(tmp_path, name) for name in SCHEMAS])
    assert "SECOND" not in written
    assert "q9" not in written
    assert not (tmp_path / "raw").exists()


@FORMATS
def test_without_evaluation_queries_they_are_among_the_queries(
    tmp_path: Path, write: Write
) -> None:
    values = write(tmp_path / "in")
    del values["evaluation_queries"]
    ingest(config(**values), tmp_path)
    assert [row["query_id"] for row in rows(tmp_path, "queries")] == ["q2"]


@FORMATS
def test_what_is_mined_cannot_be_kept_for_evaluation(tmp_path: Path, write: Write) -> None:
    values = write(tmp_path)
    mined = values["qrels"]
    with pytest.raises(ConfigError, match=r"input\.evaluation_qrels: .* is what is mined"):
        check(config(**{**values, "evaluation_qrels": [*values["evaluation_qrels"], mined]}))


def test_hugging_face_splits_are_named_where_one_is_wrong(tmp_path: Path) -> None:
    values = hf(tmp_path)
    with pytest.raises(ConfigError, match="found test, train"):
        check(config(**{**values, "evaluation_qrels": [f"{tmp_path}/qrels/train"]}))
    with pytest.raises(DataError, match=r"has no split 'dev'.* one of test, train"):
        check(config(**{**values, "evaluation_qrels": [f"{tmp_path}/qrels/dev"]}))


@FORMATS
def test_evaluation_queries_alone_say_nothing(tmp_path: Path, write: Write) -> None:
    with pytest.raises(ValidationError, match="evaluation_queries needs evaluation_qrels"):
        config(**{**write(tmp_path), "evaluation_qrels": []})


def test_a_format_without_splits_knows_no_evaluation() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        config(format="stdlib", evaluation_splits=["test"])


def beir(folder: Path, *splits: str) -> Input:
    return config(format="beir", path=str(folder), evaluation_splits=splits)


def test_a_beir_split_that_is_mined_or_is_not_there_names_those_there_are(tmp_path: Path) -> None:
    write_beir(tmp_path, split="test", suffix=".gz")
    write_beir(tmp_path)
    with pytest.raises(ConfigError, match=r"evaluation_splits: 'train' .*; found test, train"):
        check(beir(tmp_path, "test", "train"))
    with pytest.raises(DataError, match=r"evaluation_splits: no split 'dev' .*; found test, train"):
        check(beir(tmp_path, "dev"))


def test_pairs_are_compared_by_their_texts(tmp_path: Path) -> None:
    pairs = [("what do stars burn", "Hydrogen."), ("who sings", "Birds do."), ("x", "Fish swim.")]
    held_out = [("Who  sings", "nobody knows"), ("where is up", "birds DO.")]
    for name, table in (("train", pairs), ("test", held_out)):
        lines = [{"query": query, "positive": positive} for query, positive in table]
        write_lines(tmp_path / f"{name}.jsonl", lines)
    path, test = str(tmp_path / "train.jsonl"), str(tmp_path / "test.jsonl")
    counts = ingest(config(format="pairs", path=path, evaluation_pairs=[test]), tmp_path)
    flagged = {row["text"]: row["in_evaluation"] for row in rows(tmp_path, "documents")}
    assert flagged == {"Hydrogen.": False, "Birds do.": True, "Fish swim.": False}
    assert {row["text"] for row in rows(tmp_path, "queries")} == {"what do stars burn", "x"}
    assert (counts["rows"], counts["dead_letters"], counts["evaluation_queries"]) == (5, 1, 1)
    with pytest.raises(ConfigError, match="evaluation_pairs"):
        check(config(format="pairs", path=path, evaluation_pairs=[str(tmp_path / "*.jsonl")]))


def test_a_column_that_auto_reads_otherwise_than_what_is_mined_is_asked_for(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", [{"query": "what", "passage": "this text"}])
    write_lines(tmp_path / "test.jsonl", [{"query": "who", "answer": "yes", "passage": "it is"}])
    paths = {"path": str(tmp_path / "train.jsonl")}
    kept = {"evaluation_pairs": [str(tmp_path / "test.jsonl")]}
    with pytest.raises(DataError, match=r"may both be the positive; .* input.positive: passage"):
        check(config(format="pairs", **paths, **kept))
    check(config(format="pairs", **paths, **kept, positive="passage"))


@pytest.fixture
def ir_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    def subset(queries: dict[str, str], qrels: list[tuple[str, str, int]]) -> SimpleNamespace:
        def text(identity: str, words: str) -> SimpleNamespace:
            return SimpleNamespace(doc_id=identity, query_id=identity, default_text=lambda: words)

        return SimpleNamespace(
            has_docs=lambda: True,
            has_queries=lambda: True,
            has_qrels=lambda: True,
            docs_iter=lambda: [text("d1", "one"), text("d2", "two")],
            queries_iter=lambda: [text(*item) for item in queries.items()],
            qrels_iter=lambda: [
                SimpleNamespace(query_id=q, doc_id=d, relevance=grade) for q, d, grade in qrels
            ],
        )

    known = {
        "a/b/train": subset({"1": "ask", "2": "tell"}, [("1", "d1", 1), ("2", "d1", 1)]),
        "a/b/test": subset({"1": "TELL"}, [("1", "d2", 2), ("1", "d1", 0)]),
        "a/c": subset({}, []),
    }
    library = ModuleType("ir_datasets")
    library.load = known.__getitem__  # type: ignore[attr-defined]
    library.registry = list(known)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ir_datasets", library)


def test_ir_datasets_subsets(ir_datasets: None, tmp_path: Path) -> None:
    values = {"format": "ir_datasets", "name": "a/b/train"}
    made = config(**values, evaluation_splits=["a/b/test"])
    ingest(made, tmp_path)
    assert [row["in_evaluation"] for row in rows(tmp_path, "documents")] == [False, True]
    assert [row["text"] for row in rows(tmp_path, "queries")] == ["ask"]
    assert fingerprint_input(made, 0, None) != fingerprint_input(config(**values), 0, None)
    for name, error in (("a/b/train", ConfigError), ("a/b/dev", DataError)):
        with pytest.raises(error, match=rf"evaluation_splits: .*{name}.*a/b/test, a/b/train"):
            check(config(**values, evaluation_splits=[name]))


def test_the_fingerprint_covers_the_evaluation_in_any_order(tmp_path: Path) -> None:
    for split, grade in (("train", 1), ("test", 1), ("dev", 2)):
        write_beir(tmp_path, qrels=[("q1", "d1", grade)], split=split)

    def found(*splits: str) -> dict[str, object]:
        return fingerprint_input(beir(tmp_path, *splits), 42, None)

    before = found("test")
    assert before not in (found(), found("dev"), found("test", "dev"))
    assert found("test", "dev") == found("dev", "test", "dev")
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td2\t1\n")
    assert found("test") != before


def test_files_of_one_name_in_two_folders_both_count(tmp_path: Path) -> None:
    values = jsonl(tmp_path)
    for folder in ("a", "b"):
        write_lines(tmp_path / folder / "qrels.jsonl", TEXTS["evaluation_qrels"])
    values["evaluation_qrels"] = [str(tmp_path / folder / "qrels.jsonl") for folder in ("a", "b")]
    made = config(**values)
    assert [source.name for source in sources(made) if source.evaluation][1:] == ["qrels.jsonl"] * 2
    before = fingerprint_input(made, 42, None)
    for folder in ("a", "b"):
        write_lines(tmp_path / folder / "qrels.jsonl", TEXTS["evaluation_qrels"][:1])
        assert fingerprint_input(made, 42, None) != before
        before = fingerprint_input(made, 42, None)
