"""Exports of mined runs: the student's ranking, the whole ledger, the command line."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from negmine.jobs.mining.run import MiningRun
from negmine.transforms.exporters.reading.ranking import SAFE
from tests.jobs.collections import negmine

First = tuple[Path, MiningRun]


def ledger(run: Path, columns: str, where: str) -> list[tuple[Any, ...]]:
    files = f"{run}/ledger/*/part-*.parquet"
    sql = f"SELECT {columns} FROM read_parquet('{files}', hive_partitioning = true) WHERE {where}"
    with duckdb.connect() as database:
        return list(database.execute(sql).fetchall())


def export(run: Path, *words: str) -> Any:
    ended = negmine("export", str(run), *words)
    assert ended.code == 0, ended.err
    return ended


def test_a_rerankers_lists_are_the_students_ranking_with_known_positives_labelled(
    first: First, tmp_path: Path
) -> None:
    run, _ = first
    file = tmp_path / "r.parquet"
    ended = export(run, "--for", "reranker", "--n", "10", "-o", str(file))
    assert "candidates of the student are in no list" in ended.err
    safe = ", ".join(f"'{verdict}'" for verdict in SAFE)
    columns = "query_id, doc_id, dense_score, is_positive"
    ranked = ledger(
        run, columns, f"dense_rank IS NOT NULL AND NOT is_positive AND verdict IN ({safe})"
    )
    known = ledger(run, columns, "is_positive")
    texts = _texts(run)
    for row in pq.read_table(file).to_pylist():
        query = texts["queries"][row["query"]]
        mine = sorted((r for r in ranked if r[0] == query), key=lambda r: (-r[2], r[1]))
        positives = [r for r in known if r[0] == query]
        expected = [*positives, *mine[: max(1, 10 - len(positives))]]
        order = sorted(expected, key=lambda r: -r[2])
        documents = texts["documents"]
        assert row["documents"] == [documents[r[1]] for r in order]
        assert row["labels"] == [float(r[3]) for r in order]
        assert len(row["documents"]) <= 10


def _texts(run: Path) -> dict[str, dict[str, str]]:
    manifest = json.loads((run / "manifest.json").read_text())
    work = run.parent.parent / "work"
    tables = {
        name: pq.read_table(work / manifest["artifacts"][name]) for name in ("documents", "queries")
    }
    return {
        "documents": dict(
            zip(*(tables["documents"][c].to_pylist() for c in ("doc_id", "text")), strict=True)
        ),
        "queries": dict(
            zip(*(tables["queries"][c].to_pylist() for c in ("text", "query_id")), strict=True)
        ),
    }


def test_suspected_positives_are_in_no_list(first: First, tmp_path: Path) -> None:
    run, _ = first
    export(run, "--for", "reranker", "-f", "trec_run", "--n", "100", "-o", str(tmp_path / "x.run"))
    listed = {
        tuple(line.split(" ")[::2][:2]) for line in (tmp_path / "x.run").read_text().splitlines()
    }
    safe = ", ".join(f"'{verdict}'" for verdict in SAFE)
    dropped = ledger(run, "query_id, doc_id", f"NOT is_positive AND verdict NOT IN ({safe})")
    assert dropped and not listed & set(dropped)


def test_lists_of_a_reranker_have_8_to_100_documents(first: First, tmp_path: Path) -> None:
    run, _ = first
    for size in ("7", "101"):
        ended = negmine(
            "export", str(run), "--for", "reranker", "--n", size, "-o", f"{tmp_path}/x.parquet"
        )
        assert ended.code == 2 and "lists have 8 to 100" in ended.err


def test_the_whole_scored_ledger_is_exported_with_its_documents(
    first: First, tmp_path: Path
) -> None:
    run, _ = first
    export(run, "-f", "lighton", "-o", str(tmp_path / "l"))
    rows = pq.read_table(tmp_path / "l" / "train.parquet").to_pylist()
    found = {
        (row["query_id"], document): (score, verdict)
        for row in rows
        for document, score, verdict in zip(
            row["document_ids"], row["scores"], row["verdicts"], strict=True
        )
    }
    columns = "query_id, doc_id, judge_score, verdict"
    expected = {
        (query, document): (score, verdict)
        for query, document, score, verdict in ledger(run, columns, "judge_score IS NOT NULL")
    }
    assert found == expected
    documents = pq.read_table(tmp_path / "l" / "documents.parquet")
    assert set(documents["document_id"].to_pylist()) >= {document for _, document in found}
    for row in rows:
        scores = row["scores"][row["verdicts"].count("known_positive") :]
        assert scores == sorted(scores, reverse=True)


def test_the_command_line_splits_scales_and_schedules(first: First, tmp_path: Path) -> None:
    run, _ = first
    file = str(tmp_path / "x.jsonl")
    ended = export(run, "--for", "MarginMSE", "--split", "val=0.2", "--short", "repeat", "-o", file)
    assert "scores: judge, " in ended.out and "cut off at -1 and 1" in ended.out
    assert "val: " in ended.out and (tmp_path / "x-val.jsonl").is_file()
    ended = export(run, "-f", "triplet", "--epochs", "2", "-o", str(tmp_path / "e"))
    assert "epoch-1: " in ended.out and (tmp_path / "e" / "epoch-1.parquet").is_file()
    beside = json.loads((tmp_path / "x.jsonl.export.json").read_text())
    assert beside["options"]["use"] == "MarginMSELoss" and beside["options"]["scale"] == "student"
    refused = negmine("export", str(run), "--for", "MNRL", "--scores", "-o", file)
    assert refused.code == 2 and "reads no scores" in refused.err
    refused = negmine("export", str(run), "-o", file)
    assert refused.code == 2 and "say what is to be written" in refused.err
