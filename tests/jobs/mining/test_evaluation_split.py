"""Runs with evaluation splits: none of their positives is mined as a negative, real text too."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from negmine.transforms.kernels.text import identity as comparable
from tests.jobs.collections import (
    Ended,
    document,
    negmine,
    published,
    static_student,
    write_collection,
    write_config,
)
from tests.transforms.input_files import write_beir, write_lines

SCIFACT = Path(__file__).parents[3].parent / "shared" / "data" / "scifact"
HEADER = "query-id\tcorpus-id\tscore"
Mine = Callable[..., Ended]


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Mine:
    """Run `negmine mine` without a judge; of 60 documents, each is a candidate of every query."""
    base = tmp_path_factory.mktemp("evaluation")
    student = {"model": str(static_student(base / "student")), "device": "cpu"}

    def run(folder: Path, output: Path, *settings: str, command: str = "mine") -> Ended:
        config = write_config(
            base / "run.yaml",
            input={"format": "beir", "path": str(folder)},
            student=student,
            sources={"bm25": {"depth": 20}, "dense": {"depth": 60}, "random": {"count": 60}},
            policies=["known_positive", "same_text", "evaluation_document"],
            judge={"kind": "none"},
        )
        options = [word for setting in settings for word in ("--set", setting)]
        return negmine(command, config, "--output", str(output), *options)

    return run


def rows(output: Path, name: str, sql: str) -> list[tuple[Any, ...]]:
    run = output / "runs" / published(output)["current"].strip()
    files = f"{run}/{name}/**/*.parquet"
    with duckdb.connect() as database:
        database.execute(f"CREATE VIEW data AS FROM read_parquet('{files}', union_by_name = true)")
        return database.execute(sql).fetchall()


def counts(output: Path) -> list[dict[str, Any]]:
    files = sorted((output / "work" / "ingest").glob("*/counts.json"))
    return [json.loads(file.read_text()) for file in files]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """60 documents, 12 queries; test asks 3 others, one of them in the words of q0000."""
    folder = write_collection(tmp_path / "in")
    asked = [("e0", " ".join(document(0).split()[:2]).upper()), ("e1", "ven"), ("e2", "lun")]
    lines = (folder / "queries.jsonl").read_text().splitlines()
    lines += [json.dumps({"_id": identity, "text": text}) for identity, text in asked]
    write_lines(folder / "queries.jsonl", lines)
    judged = ["e0\td0030\t1", "e1\td0001\t1", "e1\td0031\t2", "e2\td0032\t0"]
    write_lines(folder / "qrels" / "test.tsv", [HEADER, *judged])
    return folder


def test_positives_of_evaluation_queries_are_no_negatives_but_stay_positives(
    mine: Mine, folder: Path, tmp_path: Path
) -> None:
    ended = mine(folder, tmp_path / "out", "input.evaluation_splits=[test]", "input.bad_rows=0")
    assert ended.code == 0, ended.err
    found = {
        name for (name,) in rows(tmp_path / "out", "negatives", "SELECT negative_id FROM data")
    }
    assert found & {"d0001", "d0030", "d0031"} == set()
    verdicts = "SELECT doc_id, query_id, verdict FROM data WHERE doc_id IN ('d0001', 'd0030')"
    told = {row[:2]: row[2] for row in rows(tmp_path / "out", "ledger", verdicts)}
    queries = [f"q{i:04}" for i in range(1, 12)]
    expected = {(d, q): "evaluation_document" for d in ("d0001", "d0030") for q in queries}
    assert told == {**expected, ("d0001", "q0001"): "known_positive"}
    served = rows(tmp_path / "out", "sets", "SELECT query_id, positive_id FROM data ORDER BY ALL")
    assert served == [(f"q{i:04}", f"d{i:04}") for i in range(1, 12)]


def test_a_reused_collection_holds_its_excluded_queries_for_no_bad_rows(
    mine: Mine, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    for seed in (1, 2):
        settings = ("input.evaluation_splits=[test]", "input.bad_rows=0", f"seed={seed}")
        ended = mine(folder, output, *settings, command="embed")
        assert ended.code == 0, ended.err
    (found,) = counts(output)
    assert (found["evaluation_queries"], found["dead_letters"]) == (1, 1)


def test_changed_evaluation_qrels_make_a_new_collection(
    mine: Mine, folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    for judged in (["e1\td0001\t1"], ["e1\td0001\t1", "e1\td0002\t1"]):
        write_lines(folder / "qrels" / "test.tsv", [HEADER, *judged])
        ended = mine(folder, output, "input.evaluation_splits=[test]", command="ingest")
        assert ended.code == 0, ended.err
    assert sorted(found["evaluation_documents"] for found in counts(output)) == [1, 2]


@pytest.mark.parametrize(("split", "code"), [("train", 2), ("dev", 3)])
def test_a_wrong_split_is_one_message_that_names_those_there_are(
    mine: Mine, folder: Path, tmp_path: Path, split: str, code: int
) -> None:
    ended = mine(folder, tmp_path / "out", f"input.evaluation_splits=[{split}]")
    assert ended.code == code
    assert ended.err.startswith("error: input.evaluation_splits: ")
    assert f"'{split}'" in ended.err
    assert "found test, train" in ended.err


def test_nothing_left_to_mine_is_one_message(mine: Mine, tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "in", split="test")
    write_beir(folder)
    ended = mine(folder, tmp_path / "out", "input.evaluation_splits=[test]")
    assert ended.code == 3
    assert "each of the 2 queries that have a positive has the text of an evaluation" in ended.err


def qrels(split: str) -> list[tuple[str, str]]:
    lines = (SCIFACT / "qrels" / f"{split}.tsv").read_text().splitlines()[1:]
    return [(query, name) for query, name, score in map(str.split, lines) if int(score) > 0]


@pytest.mark.long
@pytest.mark.skipif(not SCIFACT.is_dir(), reason=f"no SciFact at {SCIFACT}")
def test_scifact_trains_on_nothing_of_its_test_split(mine: Mine, tmp_path: Path) -> None:
    lines = map(json.loads, (SCIFACT / "queries.jsonl").read_text().splitlines())
    texts = {row["_id"]: comparable(row["text"]) for row in lines}
    tested = {texts[query] for query, _ in qrels("test")}
    excluded = {query for query, _ in qrels("train") if texts[query] in tested}
    held_out = {name for _, name in qrels("test")}
    assert (len(excluded), len(held_out)) == (2, 283)

    ended = mine(SCIFACT, tmp_path, "input.evaluation_splits=[test]", "input.bad_rows=0")
    assert ended.code == 0, ended.err
    (found,) = counts(tmp_path)
    assert found["evaluation_queries"] == found["dead_letters"] == len(excluded)
    assert found["evaluation_documents"] == len(held_out)
    negatives = rows(tmp_path, "negatives", "SELECT DISTINCT query_id, negative_id FROM data")
    assert negatives
    assert held_out.isdisjoint(name for _, name in negatives)
    assert excluded.isdisjoint(query for query, _ in negatives)
    flagged = "SELECT DISTINCT doc_id FROM data WHERE verdict = 'evaluation_document'"
    dropped = {name for (name,) in rows(tmp_path, "ledger", flagged)}
    assert dropped
    assert dropped <= held_out
    positives = "SELECT DISTINCT doc_id FROM data WHERE verdict = 'known_positive'"
    kept = held_out & {name for _, name in qrels("train")}
    assert kept <= {name for (name,) in rows(tmp_path, "ledger", positives)}
