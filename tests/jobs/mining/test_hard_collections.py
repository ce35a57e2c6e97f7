"""Collections that are legal and hard: hostile ids and texts, several positives, repeated texts."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import HOSTILE
from tests.jobs.collections import document, negmine, static_student, write_collection, write_config
from tests.transforms.input_files import write_beir

IDS = ("../up", "a/b", "it's", 'say "hi"', "nul\x00", "<script>", "'; DROP TABLE x; --", "東京 id")
POSITIVE = (
    "A river carries sand and silt from the hills to the sea, where the slower water lets both "
    "sink to the ground and build a wide delta of many islands over thousands of years."
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hard")


def mined(base: Path, name: str, collection: Path) -> Path:
    config = write_config(
        base / f"{name}.yaml",
        input={"format": "beir", "path": str(collection)},
        student={"model": str(static_student(base / f"{name}-student")), "device": "cpu"},
        judge={"kind": "none"},
        output={"path": str(base / name)},
    )
    ended = negmine("mine", config)
    assert ended.code == 0, ended.err
    return base / name


def ask(output: Path, sql: str) -> list[dict[str, Any]]:
    ended = negmine("query", str(output), sql, "--format", "json")
    assert ended.code == 0, ended.err
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


@pytest.fixture(scope="module")
def hostile(base: Path) -> Path:
    texts = [f"{document(at)} {text}" for at, text in enumerate(HOSTILE)]
    documents = [{"_id": f"d{i}", "text": t} for i, t in zip(IDS, texts, strict=True)]
    queries = [{"_id": f"q{i}", "text": t[:40]} for i, t in zip(IDS, texts, strict=True)]
    folder = base / "hostile-collection"
    write_beir(folder, documents, queries, [(f"q{i}", f"d{i}", 1) for i in IDS])
    return mined(base, "hostile", folder)


def test_hostile_ids_and_texts_come_through_unchanged(hostile: Path) -> None:
    rows = ask(hostile, "SELECT DISTINCT query_id, positive_id FROM negatives")
    assert {row["query_id"] for row in rows} == {f"q{name}" for name in IDS}
    assert all(row["positive_id"][1:] == row["query_id"][1:] for row in rows)
    texts = ask(hostile, "SELECT DISTINCT negative_id, negative FROM negatives")
    expected = {f"d{i}": f"{document(n)} {HOSTILE[n]}" for n, i in enumerate(IDS)}
    assert texts
    assert all(row["negative"] == expected[row["negative_id"]] for row in texts)
    assert not (hostile.parent / "up").exists()


@pytest.mark.parametrize("kind", ["triplet", "n_tuple", "flagembedding"])
def test_hostile_texts_are_exported(hostile: Path, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "file.jsonl"
    options = ["--short", "repeat"] if kind == "n_tuple" else []
    ended = negmine("export", str(hostile), "-f", kind, "--output", str(file), *options)
    assert ended.code == 0, ended.err
    assert file.stat().st_size


@pytest.fixture(scope="module")
def repeated(base: Path) -> Path:
    """Query `one` has two positives; `twin` asks the same with a third; the rest repeat them."""
    folder = write_collection(base / "repeated-collection")
    corpus = {
        "p1": POSITIVE,
        "p2": document(20) + " another answer",
        "p3": document(21) + " the answer of the twin",
        "copy": POSITIVE.upper(),
        "near": POSITIVE.replace("thousands", "many thousands"),
    }
    lines = [json.dumps({"_id": name, "text": text}) for name, text in corpus.items()]
    with open(folder / "corpus.jsonl", "a") as file:
        file.write("\n".join(lines) + "\n")
    asked = [json.dumps({"_id": name, "text": "river sand sea"}) for name in ("one", "twin")]
    with open(folder / "queries.jsonl", "a") as file:
        file.write("\n".join(asked) + "\n")
    with open(folder / "qrels" / "train.tsv", "a") as file:
        file.write("one\tp1\t1\none\tp2\t2\ntwin\tp3\t1\n")
    return mined(base, "repeated", folder)


def test_positives_and_their_likes_never_become_negatives(repeated: Path) -> None:
    sql = "SELECT DISTINCT negative_id FROM negatives WHERE query_id = 'one'"
    negatives = {row["negative_id"] for row in ask(repeated, sql)}
    assert len(negatives) > 3
    assert not negatives & {"p1", "p2", "p3", "copy", "near"}


def test_the_ledger_says_why(repeated: Path) -> None:
    sql = "SELECT doc_id, verdict FROM ledger WHERE query_id = 'one'"
    verdicts = {row["doc_id"]: row["verdict"] for row in ask(repeated, sql)}
    assert {verdicts[name] for name in ("p1", "p2", "p3")} == {"known_positive"}
    assert verdicts["copy"] == "same_text_as_positive"
    assert verdicts["near"] == "near_duplicate_of_positive"


def test_queries_with_the_same_text_are_one(repeated: Path) -> None:
    assert ask(repeated, "SELECT count(*) AS n FROM sets WHERE query_id = 'twin'") == [{"n": 0}]
    merged = ask(repeated, "SELECT merged_ids FROM queries WHERE query_id = 'one'")
    assert merged == [{"merged_ids": ["twin"]}]
