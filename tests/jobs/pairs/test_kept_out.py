"""`negmine pairs`: what a collection keeps out, and what it knows, is so in a run of the folder."""

import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.jobs.pairs.kept_out import KeptOut
from negmine.schemas.config import Config
from negmine.schemas.errors import DataError
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.readers.tables.delimited import quoted, unquoted
from tests.jobs.collections import negmine, static_student
from tests.transforms import input_files
from tests.transforms.input_files import write_beir, write_lines


def kept_out(folder: Path, **section: object) -> KeptOut:
    config = Config.model_validate({"input": section})
    input_files.ingest(config.input, folder)
    return KeptOut.of(config, *(Dataset(str(folder / name)) for name in ("documents", "queries")))


def test_judgements_of_documents_are_those_of_their_passages(tmp_path: Path) -> None:
    long = " ".join(f"word{i}" for i in range(25))
    documents = [{"_id": "d1", "text": long}, {"_id": "d2", "text": "Stars burn hydrogen."}]
    folder = write_beir(tmp_path / "in", documents=documents, qrels=[("q1", "d2", 1)])
    (folder / "qrels/dev.tsv").write_text("query-id\tcorpus-id\tscore\nq3\td1\t2\nq3\td2\t0\n")
    found = kept_out(
        tmp_path / "made",
        format="beir",
        path=str(folder),
        evaluation_splits=["dev"],
        passages={"words": 10},
    )
    assert found.queries == {"q3": "a query of another split"}
    assert found.judgements == {("q3", f"d1#{n}"): 2.0 for n in (1, 2, 3)}


def test_an_identifier_of_a_mined_query_gets_another_name(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "in")
    asked = write_lines(folder / "asked.jsonl", [{"_id": "q1", "text": "where does sand go"}])
    (folder / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td3\t1\n")
    found = kept_out(
        tmp_path / "made",
        format="jsonl",
        documents=str(folder / "corpus.jsonl"),
        queries=str(folder / "queries.jsonl"),
        qrels=str(folder / "qrels/train.tsv"),
        evaluation_qrels=[str(folder / "test.tsv")],
        evaluation_queries=[str(asked)],
    )
    assert found.queries == {"q1-evaluation": "where does sand go"}
    assert found.judgements == {("q1-evaluation", "d3"): 1.0}


def test_positives_of_evaluation_pairs_are_found_by_their_text(tmp_path: Path) -> None:
    rows = [
        {"query": "how do cells divide", "positive": "Cells divide in two."},
        {"query": "what do stars burn", "positive": "Stars burn hydrogen."},
    ]
    write_lines(tmp_path / "train.jsonl", rows)
    other = [
        {"query": "what is the fuel of a star", "positive": "stars  burn HYDROGEN."},
        {"query": "who was it", "positive": "No document of the corpus."},
    ]
    write_lines(tmp_path / "test.jsonl", other)
    found = kept_out(
        tmp_path / "made",
        format="pairs",
        path=str(tmp_path / "train.jsonl"),
        evaluation_pairs=[str(tmp_path / "test.jsonl")],
    )
    assert list(found.queries.values()) == ["what is the fuel of a star"]
    assert len(found.judgements) == 1


def test_a_run_of_the_folder_knows_what_the_collection_knew(tmp_path: Path) -> None:
    documents = [{"_id": f"d{i:02}", "text": f"solen terix venor number {i}"} for i in range(20)]
    queries = [{"_id": f"q{i:02}", "text": f"which solen has number {i}"} for i in range(6)]
    qrels = [(f"q{i:02}", f"d{i:02}", 2) for i in range(5)]
    folder = write_beir(tmp_path / "in", documents, queries, qrels)
    (folder / "qrels/dev.tsv").write_text("query-id\tcorpus-id\tscore\nq05\td19\t1\n")
    decided = {"d10": "answers", "d11": "negative"}
    labels = [{"query_id": "q00", "doc_id": d, "decision": why} for d, why in decided.items()]
    write_lines(tmp_path / "labels.jsonl", labels)
    options = ("--student", str(static_student(tmp_path / "student")), "--judge", "none")
    options += ("--set", "student.device=cpu", "--output", str(tmp_path / "out"))
    made = tmp_path / "sorted"
    given = ("--split", "train", "--set", f"input.labels={tmp_path / 'labels.jsonl'}")
    given += ("--set", "input.queries_are_documents=true")
    ended = negmine("pairs", str(folder), *given, *options, "--beir", str(made))
    assert ended.code == 0, ended.err
    assert "1 judgement kept for evaluation: qrels/test.tsv" in ended.out
    lines = (made / "quarantined.jsonl").read_text().splitlines()
    assert {row["doc_id"]: row["decision"] for row in map(json.loads, lines)} == decided
    assert (made / "qrels/train.tsv").read_text().splitlines()[1] == "q00\td00\t2"

    assert ended.out.rstrip().endswith("--set input.queries_are_documents=true")
    command = ended.out.rstrip().rpartition("negmine ")[2].split()
    tiers = ("--set", "tiers={all: {quota: 20}}", "--set", "sources.dense.depth=20")
    ended = negmine(*command, *options, *tiers)
    assert ended.code == 0, ended.err
    ledger = f"{tmp_path}/out/runs/*/ledger/*/*.parquet"
    pairs = (
        duckdb.connect()
        .sql(
            f"SELECT doc_id, verdict FROM read_parquet('{ledger}', hive_partitioning=true) "
            "WHERE query_id = 'q00'"
        )
        .fetchall()
    )
    verdicts = dict(pairs)
    assert verdicts["d00"] == verdicts["d10"] == "known_positive"
    assert verdicts["d11"] == "kept" and verdicts["d19"] == "evaluation_document"


def test_identifiers_in_quotes_are_read_back_as_they_are(tmp_path: Path) -> None:
    """The reader of qrels unquotes a field that stands in quotes."""
    names = ["z3", '"z3"', '"a"b', 'c"', '""']
    documents = [{"_id": name, "text": f"solen terix venor {i}"} for i, name in enumerate(names)]
    queries = [{"_id": name, "text": f"which solen has {i}"} for i, name in enumerate(names)]
    asked = write_beir(tmp_path / "in", documents, queries, [])
    judged = "".join(f"{quoted(name)}\t{quoted(name)}\t1\n" for name in names)
    (asked / "qrels/train.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    options = ("--student", str(static_student(tmp_path / "student")), "--judge", "none")
    options += ("--set", "student.device=cpu", "--set", "input.queries_are_documents=false")
    ended = negmine("pairs", str(asked), *options, "--beir", str(tmp_path / "made"))
    assert ended.code == 0, ended.err
    made = Config.model_validate({"input": {"format": "beir", "path": str(tmp_path / "made")}})
    input_files.ingest(made.input, tmp_path / "read")
    sets = {name: Dataset(str(tmp_path / "read" / name)) for name in ("positives", "documents")}
    identifiers = sets["documents"].read(["doc_id"]).column("doc_id").to_pylist()
    query_ids = Dataset(str(tmp_path / "read/queries")).read(["query_id"]).column(0).to_pylist()
    found = sets["positives"].read(["query_ix", "doc_ix"]).to_pylist()
    pairs = {(query_ids[row["query_ix"]], identifiers[row["doc_ix"]]) for row in found}
    assert pairs == {(name, name) for name in names}


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=2, max_size=3))
def test_any_identifier_is_a_field_or_refused(identifiers: list[str]) -> None:
    if any(set(name) & set("\t\r\n") for name in identifiers):
        with pytest.raises(DataError, match="tab or a line end"):
            list(map(quoted, identifiers))
        return
    fields = "\t".join(map(quoted, identifiers)).split("\t")
    assert list(map(unquoted, fields)) == identifiers
