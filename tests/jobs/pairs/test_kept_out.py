"""`negmine pairs`: what a collection keeps out, and what it knows, is so in a run of the folder."""

import json
from pathlib import Path

import duckdb

from negmine.jobs.pairs.kept_out import KeptOut
from negmine.schemas.config import Config
from negmine.transforms.data.datasets import Dataset
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
