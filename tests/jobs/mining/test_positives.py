"""The data set `positives` of a published run: every one of every query, and where it is read."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.jobs.collections import (
    cross_encoder,
    digest,
    document,
    negmine,
    static_student,
    write_config,
)
from tests.transforms.input_files import write_beir

QUERIES, DOCUMENTS = 10, 60
QRELS = [
    *((f"q{i}", f"d{i}", 3) for i in range(QUERIES)),
    *((f"q{i}", f"d{i + 10}", 1) for i in range(QUERIES)),
    *((f"q{i}", f"d{i + 20}", 2) for i in range(5)),
    ("twin", "d40", 1),
    ("twin", "d0", 4),
    ("twin", "gone", 1),
]
FORMATS = ("triplet", "n_tuple", "flagembedding")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection of queries with two or three positives; `twin` asks what q0 asks."""
    base = tmp_path_factory.mktemp("positives")
    texts = {f"q{i}": " ".join(document(i).split()[:2]) for i in range(QUERIES)}
    texts["twin"] = f" {texts['q0'].upper()}"
    write_beir(
        base / "collection",
        [{"_id": f"d{i}", "text": document(i)} for i in range(DOCUMENTS)],
        [{"_id": name, "text": text} for name, text in texts.items()],
        QRELS,
    )
    static_student(base / "student")
    cross_encoder(base / "judge")
    return base


def mined(base: Path, name: str, *settings: str, judge: bool = True, alone: bool = False) -> Path:
    """The folder of a run of its own output; of its own work directory if it is `alone`."""
    config = write_config(
        base / f"{name}.yaml",
        input={"format": "beir", "path": str(base / "collection"), "bad_rows": 0.2},
        student={"model": str(base / "student"), "device": "cpu"},
        sources={"bm25": {"depth": 20}, "dense": {"depth": 30}, "random": {"count": 10}},
        judge={"kind": "cross_encoder", "model": str(base / "judge")}
        if judge
        else {"kind": "none"},
        policies=["known_positive", "same_text"],
        output={} if alone else {"workdir": str(base / "work")},
    )
    options = [word for setting in settings for word in ("--set", setting)]
    ended = negmine("mine", config, "--output", str(base / name), *options)
    assert ended.code == 0, ended.err
    return base / name / "runs" / (base / name / "current").read_text().strip()


@pytest.fixture(scope="module")
def run(base: Path) -> Path:
    return mined(base, "out")


def ask(run: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as database:
        for name in ("positives", "negatives", "sets", "ledger"):
            files = f"{run}/{name}/**/*.parquet"
            database.execute(f"CREATE VIEW {name} AS FROM read_parquet('{files}')")
        return database.execute(sql).fetchall()


def test_every_positive_is_there_once_with_its_highest_grade(run: Path) -> None:
    known = {(query, doc): grade for query, doc, grade in QRELS if query != "twin"}
    known |= {("q0", "d40"): 1, ("q0", "d0"): 4}
    found = ask(run, "SELECT query_id, positive_id, grade FROM positives")
    assert {(query, doc): grade for query, doc, grade in found} == known
    assert len(found) == len(known)
    assert {text for (text,) in ask(run, "SELECT positive FROM positives")} == {
        document(int(doc[1:])) for _, doc in known
    }


def test_each_has_the_scores_that_the_ledger_has(run: Path) -> None:
    ((rows, judged, same),) = ask(
        run,
        "SELECT count(*), count(p.judge_score), count(*) FILTER (l.is_positive AND "
        "p.dense_score = l.dense_score AND p.judge_score = l.judge_score) FROM positives p "
        "JOIN ledger l ON l.query_id = p.query_id AND l.doc_id = p.positive_id",
    )
    assert rows == judged == same == 26


def test_the_served_one_is_first_and_is_that_of_negatives_and_sets(run: Path) -> None:
    order = ask(run, "SELECT query_id, served, judge_score FROM positives")
    assert order == sorted(order, key=lambda row: (row[0], not row[1], -row[2]))
    served = "SELECT query_id, positive_id FROM positives WHERE served ORDER BY query_id"
    assert ask(run, served) == ask(run, "SELECT query_id, positive_id FROM sets ORDER BY query_id")
    assert not ask(run, f"SELECT DISTINCT query_id, positive_id FROM negatives EXCEPT ({served})")
    counted = "SELECT query_id, count(*) FROM positives GROUP BY ALL ORDER BY ALL"
    assert ask(run, counted) == ask(run, "SELECT query_id, positives FROM sets ORDER BY query_id")


@pytest.mark.parametrize("format", FORMATS)
def test_all_of_them_are_exported(format: str, run: Path, tmp_path: Path) -> None:
    options = ["--short", "repeat"] if format == "n_tuple" else []
    file = tmp_path / "x.parquet"
    ended = negmine("export", str(run), "-f", format, "-o", str(file), *options)
    assert ended.code == 0, ended.err
    assert "positives: 26 of 26\n" in ended.out
    table = pq.read_table(file)
    texts = table["pos"].to_pylist() if format == "flagembedding" else None
    pairs = zip(
        table["query" if texts else "anchor"].to_pylist(),
        texts or [[text] for text in table["positive"].to_pylist()],
        strict=True,
    )
    found = {(query, text) for query, listed in pairs for text in listed}
    assert found == set(ask(run, "SELECT query, positive FROM positives"))
    facts = json.loads((tmp_path / "x.parquet.export.json").read_text())
    assert facts["input"]["merged_queries"] == 1
    fates = ("dangling", "unmined", "repeated")
    assert facts["input"]["judgements"] == len(QRELS)
    assert [facts["input"][f"{fate}_judgements"] for fate in fates] == [1, 0, 1]
    assert facts["input"]["dead_letter_reasons"] == {"unknown_document": 1}


def test_bytes_do_not_depend_on_blocks(base: Path, run: Path) -> None:
    for size in (1, 7):
        again = mined(base, f"blocks-{size}", f"runner.block_size={size}", alone=True)
        assert digest(again, "positives") == digest(run, "positives")


def test_a_run_of_ids_has_no_texts_and_exports_the_same(
    base: Path, run: Path, tmp_path: Path
) -> None:
    ids = mined(base, "ids", "output.texts=ids_only")
    names = pq.read_table(ids / "positives").column_names
    assert "positive_id" in names and not {"query", "positive"} & set(names)
    files = [tmp_path / "inline.parquet", tmp_path / "ids.parquet"]
    for folder, file in zip((run, ids), files, strict=True):
        assert negmine("export", str(folder), "-f", "triplet", "-o", str(file)).code == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_without_a_judge_the_score_is_null_and_the_student_decides(base: Path) -> None:
    run = mined(base, "none", judge=False)
    order = ask(run, "SELECT query_id, served, dense_score, judge_score FROM positives")
    assert order == sorted(order, key=lambda row: (row[0], not row[1], -row[2]))
    assert {row[3] for row in order} == {None}


def test_queries_that_stay_apart_serve_their_own_positives(base: Path) -> None:
    run = mined(base, "apart", "input.merge_equal_queries=false")
    found = ask(run, "SELECT query_id, positive_id, grade FROM positives")
    assert {(query, doc): grade for query, doc, grade in found} == {
        (query, doc): grade for query, doc, grade in QRELS if doc != "gone"
    }
    other = ask(run, "SELECT count(*) FROM ledger WHERE is_positive AND verdict = 'known_positive'")
    assert other[0][0] > len(found)
    served = dict(ask(run, "SELECT query_id, positive_id FROM positives WHERE served"))
    assert served == dict(ask(run, "SELECT query_id, positive_id FROM sets"))
    assert served["twin"] in {"d40", "d0"} and served["q0"] in {"d0", "d10", "d20"}
    wrong = (
        "SELECT count(*) FROM negatives n LEFT JOIN positives p ON p.query_id = n.query_id AND "
        "p.positive_id = n.positive_id AND p.served AND p.dense_score = n.positive_dense_score "
        "AND p.judge_score = n.positive_judge_score WHERE p.query_id IS NULL"
    )
    assert ask(run, wrong) == [(0,)]


def test_query_and_doctor_know_the_data_set(run: Path, tmp_path: Path) -> None:
    sql = "SELECT count(*) AS n, count(DISTINCT query_id) AS q FROM positives"
    assert negmine("query", str(run), sql, "-f", "csv").out.split() == ["n,q", "26,10"]
    copy = tmp_path / "out" / "runs" / run.name
    shutil.copytree(run, copy)
    (tmp_path / "out" / "current").write_text(run.name)
    assert negmine("doctor", str(tmp_path / "out")).code == 0
    shutil.rmtree(copy / "positives")
    ended = negmine("doctor", str(tmp_path / "out"))
    assert ended.code == 5
    assert "positives is missing, and the manifest counts 26 rows in it" in ended.out


def test_a_run_of_older_code_opens_and_tells_what_it_lacks(run: Path, tmp_path: Path) -> None:
    """Before there was the data set: one positive a query, and columns that are not there."""
    copy = tmp_path / "out" / "runs" / run.name
    shutil.copytree(run, copy)
    (tmp_path / "out" / "current").write_text(run.name)
    shutil.rmtree(copy / "positives")
    manifest = json.loads((copy / "manifest.json").read_text())
    for name in ("rows", "input"):
        del manifest["summary"][name]
    del manifest["parts"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert negmine("doctor", str(tmp_path / "out")).code == 0
    assert negmine("show", str(copy)).code == 0
    ended = negmine("query", str(copy), "SELECT * FROM positives")
    assert "was published without it" in ended.err
    file = tmp_path / "x.jsonl"
    ended = negmine("export", str(copy), "-f", "flagembedding", "-o", str(file))
    assert ended.code == 0, ended.err
    assert "positives: 10 of 26: 16 not in this run" in ended.out
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert Counter(len(record["pos"]) for record in records) == {1: 10}


def test_sweep_reads_judged_pairs_of_older_code(base: Path, tmp_path: Path) -> None:
    run = mined(base, "older", alone=True)
    before = negmine("sweep", str(run), "--set", "tiers.hard.quota=1,2", "--json")
    assert before.code == 0, before.err
    for part in (base / "older" / "work" / "judge").glob("*/part-*.parquet"):
        table = pq.read_table(part, partitioning=None)
        pq.write_table(table.drop_columns(["own_positive"]), part)
    after = negmine("sweep", str(run), "--set", "tiers.hard.quota=1,2", "--json")
    assert (after.code, after.out) == (0, before.out), after.err
    assert negmine("why", str(run), "q0", "d0").code == 0
