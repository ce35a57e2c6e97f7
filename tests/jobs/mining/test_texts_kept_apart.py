"""Whole runs over texts that differ in a symbol, a mark or a letter of an unspaced script."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.jobs.collections import negmine, published, static_student, write_config
from tests.transforms.input_files import write_beir, write_lines

FILLER = [
    {"_id": f"f{i}", "text": f"plain words about river number {i} and its {i * 7} bridges"}
    for i in range(12)
]
ASKED = {
    "c++": (
        "How do I sort a list in C++?",
        "To sort a list in C++ call std::sort with two iterators.",
    ),
    "c#": ("How do I sort a list in C#?", "To sort a list in C# call Sort, or OrderBy of LINQ."),
    "plus": ("a + b", "The sum of two numbers is written with a plus."),
    "minus": ("a - b", "The difference of two numbers is written with a dash."),
    "day": ("दिन क्या है", "आज का दिन बहुत सुंदर है और आकाश साफ है।"),
    "poor": ("दीन क्या है", "दीन लोगों की सहायता करना हमारा कर्तव्य है।"),
    "forest": ("ป่า", "ป่าไม้เป็นแหล่งที่อยู่ของสัตว์หลายชนิด"),
    "aunt": ("ป้า", "ป้าของฉันทำอาหารอร่อยมาก"),
    "wall": ("长城有多长", "长城全长超过两万公里，是世界文化遗产。"),
    "cat": ("猫が好きな場所", "猫は日なたで眠ることが好きである。"),
    "love": ("I ❤ the sea", "A heart stands for love."),
    "grief": ("I 💔 the sea", "A broken heart stands for grief."),
}
EVALUATED = {
    "rust": ("How do I sort a list in C?", "In C call qsort with a comparison of elements.")
}


def collection(folder: Path) -> Path:
    everything = ASKED | EVALUATED
    documents = [{"_id": f"d-{name}", "text": text} for name, (_, text) in everything.items()]
    queries = [{"_id": f"q-{name}", "text": text} for name, (text, _) in everything.items()]
    qrels = [(f"q-{name}", f"d-{name}", 1) for name in ASKED]
    write_beir(folder, [*documents, *FILLER], queries, qrels)
    lines = ["query-id\tcorpus-id\tscore", *(f"q-{name}\td-{name}\t1" for name in EVALUATED)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("apart")
    run = write_config(
        base / "run.yaml",
        input={
            "format": "beir",
            "path": str(collection(base / "in")),
            "evaluation_splits": ["test"],
        },
        sources={"bm25": {"depth": 30}, "dense": None, "random": {"count": 40}},
        judge={"kind": "none"},
        tiers={"lexical": {"quota": 2, "source": "bm25"}, "random": {"quota": 5}},
    )
    ended = negmine("mine", run, "--output", str(base / "out"))
    assert ended.code == 0, ended.err
    return base / "out"


def asked(output: Path, name: str, sql: str) -> list[tuple[Any, ...]]:
    run = output / "runs" / published(output)["current"].strip()
    files = f"{run}/{name}/**/*.parquet"
    with duckdb.connect() as database:
        database.execute(f"CREATE VIEW data AS FROM read_parquet('{files}', union_by_name = true)")
        return database.execute(sql).fetchall()


def test_no_query_is_merged_or_left_to_evaluation(output: Path) -> None:
    found = asked(output, "sets", "SELECT query_id, positives FROM data ORDER BY 1")
    assert found == [(f"q-{name}", 1) for name in sorted(ASKED)]


def test_each_query_has_its_own_positive_and_no_other(output: Path) -> None:
    found = asked(
        output, "ledger", "SELECT query_id, doc_id FROM data WHERE is_positive ORDER BY ALL"
    )
    assert found == sorted((f"q-{name}", f"d-{name}") for name in ASKED)


def test_no_text_is_the_same_as_another_or_nearly_so(output: Path) -> None:
    """The student, an English model, may still find Thai texts alike; their letters are not."""
    found = asked(
        output,
        "ledger",
        "SELECT count(*) FILTER (verdict LIKE 'same_text%'), max(positive_jaccard) FROM data "
        "WHERE doc_id LIKE 'd-%' AND NOT is_positive",
    )
    assert found[0][0] == 0
    assert found[0][1] < 0.5


@pytest.mark.parametrize("name", ["c++", "c#", "day", "poor", "forest", "aunt", "wall", "cat"])
def test_bm25_finds_the_answer_first(output: Path, name: str) -> None:
    found = asked(
        output,
        "ledger",
        f"SELECT doc_id FROM data WHERE query_id = 'q-{name}' ORDER BY bm25_rank LIMIT 1",
    )
    assert found == [(f"d-{name}",)]


def test_merged_queries_are_told_and_can_stay_apart(tmp_path: Path) -> None:
    twins = {"A": "where is  it", "a": "Where is it"}
    folder = write_beir(
        tmp_path / "in",
        [*FILLER, {"_id": "dA", "text": "here"}, {"_id": "da", "text": "there"}],
        [{"_id": name, "text": text} for name, text in twins.items()],
        [("A", "dA", 1), ("a", "da", 1)],
    )
    run = write_config(
        tmp_path / "run.yaml",
        input={"format": "beir", "path": str(folder)},
        student={"model": str(static_student(tmp_path / "student")), "device": "cpu"},
        sources={"bm25": None, "dense": None, "random": {"count": 14}},
        judge={"kind": "none"},
    )
    together = negmine("mine", run, "--output", str(tmp_path / "one"))
    assert together.code == 0, together.err
    shown = " ".join(together.out.split())
    assert "1 query merged into one of the same text" in shown
    listed = negmine("query", str(tmp_path / "one"), "merged_queries", "--format", "json")
    assert json.loads(listed.out) == [
        {"query_id": "A", "text": "where is  it", "merged_ids": ["a"]}
    ]

    apart = negmine(
        "mine", run, "--output", str(tmp_path / "two"), "--set", "input.merge_equal_queries=false"
    )
    assert apart.code == 0, apart.err
    assert "queries merged" not in apart.out
    served = "SELECT query_id, positives, positive_id FROM data ORDER BY 1"
    assert asked(tmp_path / "two", "sets", served) == [("A", 1, "dA"), ("a", 1, "da")]
    mined = asked(tmp_path / "two", "negatives", "SELECT DISTINCT negative_id FROM data")
    assert not {("dA",), ("da",)} & set(mined)


def test_an_audit_keeps_apart_what_a_symbol_tells_apart(tmp_path: Path) -> None:
    rows = [
        {"query": "sum", "pos": ["return a + b"], "neg": ["return a - b", "return  A + B"]},
        {"query": "C++", "pos": ["use std::sort"], "neg": ["C#", "c++"]},
    ]
    path = write_lines(tmp_path / "theirs.jsonl", rows)
    fixed = tmp_path / "fixed.jsonl"
    options = ["--format", "flagembedding", "--judge", "none"]
    places = ["--output", str(tmp_path / "audit"), "--fix", str(fixed)]
    ended = negmine("audit", str(path), *options, *places)
    assert ended.code == 0, ended.err
    kept = [json.loads(line)["neg"] for line in fixed.read_text().splitlines()]
    assert kept == [["return a - b"], ["C#"]]
