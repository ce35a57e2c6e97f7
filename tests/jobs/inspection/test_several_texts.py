"""Columns and objects of several texts: none that may be a positive or a query is left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from tests.jobs.inspection.test_inspection import PAIRS, QUERIES, TEXTS, jsonl, roles, said


def beside(name: str, *values: Any, of: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """Pairs with one more column."""
    return [{**row, name: v} for row, v in zip(of or PAIRS, values * 6, strict=False)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("positives", ["Another thing is there.", TEXTS[0]]),
        ("pos", ["Another thing is there."]),
        ("gold", "Another thing is there."),
        ("relevant_docs", [{"id": "d1", "text": "Another thing is there."}]),
        ("positive_1", "Another thing is there."),
        ("Positive", "Another thing is there."),
    ],
)
def test_every_column_that_says_positives_counts(tmp_path: Path, name: str, value: object) -> None:
    found = inspect(jsonl(tmp_path, beside(name, value)))
    assert found.input["positive"] == ["positive", name]
    assert found.rows[0].positives == [TEXTS[0], "Another thing is there."]
    alone = inspect(jsonl(tmp_path, beside(name, value)), settings={"positive": "positive"})
    assert alone.rows[0].positives == [TEXTS[0]]


def test_several_columns_of_positives_are_told(tmp_path: Path) -> None:
    found = inspect(jsonl(tmp_path, beside("gold", "Another thing is there.")))
    assert "positive, gold hold positives, all of which count; --positive positive takes" in said(
        found
    )


@pytest.mark.parametrize("name", ["other_positives", "positive_b", "positiveB", "gold_documents"])
def test_a_column_whose_name_speaks_of_positives_is_asked_about(tmp_path: Path, name: str) -> None:
    path = jsonl(tmp_path, beside(name, ["Another thing is there."]))
    with pytest.raises(DataError, match=f"--positive positive --positive {name} takes both"):
        inspect(path)
    both = inspect(path, settings={"positive": ["positive", name]})
    assert both.rows[0].positives == [TEXTS[0], "Another thing is there."]
    assert inspect(path, settings={"positive": "positive"}).rows[0].positives == [TEXTS[0]]


def test_what_was_told_apart_is_said_to_the_reader(tmp_path: Path) -> None:
    """By its name alone the reader could not know that one of two columns holds identifiers."""
    found = inspect(jsonl(tmp_path, beside("pos", ["d1"])))
    assert found.input["positive"] == "positive"
    assert found.rows[0].positives == [TEXTS[0]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("positive_title", "Of a thing"),
        ("positive_ids", ["a", "b"]),
        ("positive_score", 0.5),
        ("pos_tags", ["NN", "VB"]),
        ("gold", "B"),
        ("gold_answer", "on the shelf"),
        ("false_positives", ["Another thing is there."]),
        ("irrelevant_text", "Another thing is there."),
    ],
)
def test_what_is_said_about_a_positive_is_none(tmp_path: Path, name: str, value: object) -> None:
    found = inspect(jsonl(tmp_path, beside(name, value)))
    assert roles(found) == {"query": "query", "positive": "positive"}


def test_words_that_say_which_are_relevant_are_a_label(tmp_path: Path) -> None:
    for of in ("text", "positive"):
        rows = [{"query": row["query"], of: row["positive"]} for row in PAIRS]
        found = inspect(jsonl(tmp_path, beside("relevant", "yes", "no", of=rows)))
        assert found.input["label"] == "relevant"
        assert [len(row.positives) for row in found.rows] == [1, 0, 1]


def test_a_place_in_one_of_several_columns_is_asked_about(tmp_path: Path) -> None:
    rows = beside("positives", ["Another thing is there.", TEXTS[0]])
    with pytest.raises(DataError, match="gold_idx may say which text"):
        inspect(jsonl(tmp_path, beside("gold_idx", 1, of=rows)))


@pytest.mark.parametrize("role", ["query", "positive"])
@pytest.mark.parametrize(
    ("keys", "second"),
    [
        (("en", "de"), "wo ist es denn"),
        (("en", "zh"), "苹果长在哪里"),
        (("a_text", "b_text"), "nor is it here"),
        (("context", "answer"), "nor is it here"),
    ],
)
def test_objects_of_several_texts_are_asked_about(
    tmp_path: Path, role: str, keys: tuple[str, str], second: str
) -> None:
    texts = dict(zip(keys, ("where is it now", second), strict=True))
    path = jsonl(tmp_path, [{**row, role: texts} for row in PAIRS])
    ways = [f"{role}.{key}" for key in keys]
    with pytest.raises(DataError, match=rf"{role} holds objects .*\({', '.join(ways)}\)"):
        inspect(path)
    found = inspect(path, settings={role: ways[1]})
    assert second in (found.rows[0].query, *found.rows[0].positives)


def test_all_texts_of_an_object_can_be_named(tmp_path: Path) -> None:
    rows = beside("positive", {"a": TEXTS[0], "b": TEXTS[1]})
    with pytest.raises(DataError, match="--positive repeats, where all are positives"):
        inspect(jsonl(tmp_path, rows))
    found = inspect(jsonl(tmp_path, rows), settings={"positive": ["positive.a", "positive.b"]})
    assert found.rows[0].positives == TEXTS[:2]


def test_objects_of_several_negatives_are_asked_about(tmp_path: Path) -> None:
    path = jsonl(tmp_path, beside("neg", {"a": "no thing at all", "b": "nor anything"}))
    with pytest.raises(DataError, match=r"neg\.a, neg\.b.*--set input\.negative=null leaves them"):
        inspect(path)
    assert inspect(path, settings={"negative": None}).rows[0].positives == [TEXTS[0]]


@pytest.mark.parametrize(
    ("key", "more"),
    [
        ("sentence", {"lang": "en", "url": "https://x.org/1"}),
        ("sentences", {"title": "Of things"}),
        ("body_text", {"author": "Jane", "note": "of no use at all"}),
        ("doc", {"summary": "a name that is usual comes first"}),
    ],
)
def test_the_only_text_of_an_object_is_taken(
    tmp_path: Path, key: str, more: dict[str, str]
) -> None:
    text = [TEXTS[0]] if key == "sentences" else TEXTS[0]
    rows = beside("positive", {**more, key: text})
    assert inspect(jsonl(tmp_path, rows)).rows[0].positives == [TEXTS[0]]


@pytest.mark.parametrize("kind", ["columns", "list"])
def test_a_table_by_columns_is_told_how_to_get_rows(tmp_path: Path, kind: str) -> None:
    by = {name: [row[name] for row in PAIRS] for name in PAIRS[0]}
    if kind == "columns":
        by = {name: dict(zip("012345", texts, strict=True)) for name, texts in by.items()}
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(by))
    with pytest.raises(DataError, match=r"is a table by columns.*orient='records', lines=True"):
        inspect(str(path))


def test_a_row_alone_is_no_table_by_columns(tmp_path: Path) -> None:
    row = {"query": QUERIES[0], "pos": TEXTS[:2], "neg": TEXTS[2:4]}
    assert inspect(jsonl(tmp_path, [row])).rows[0].positives == TEXTS[:2]
    with pytest.raises(DataError, match="Where they are the queries: jq"):
        inspect(jsonl(tmp_path, [dict.fromkeys(QUERIES, TEXTS[:2])], "by_query.json"))


@pytest.mark.parametrize("name", ["instruction", "prompt"])
def test_an_instruction_beside_its_input_is_asked_about(tmp_path: Path, name: str) -> None:
    rows = [
        {name: "Find the text", "input": q, "output": t}
        for q, t in zip(QUERIES, TEXTS, strict=True)
    ]
    path = jsonl(tmp_path, rows)
    with pytest.raises(DataError, match=f"{name} and input may both be the query; --query input"):
        inspect(path)
    assert inspect(path, settings={"query": "input"}).rows[0].query == QUERIES[0]
    assert inspect(path, settings={"query": name}).rows[0].query == "Find the text"


def test_an_instruction_alone_is_the_query(tmp_path: Path) -> None:
    rows = [
        {"instruction": q, "input": "", "output": t} for q, t in zip(QUERIES, TEXTS, strict=True)
    ]
    assert inspect(jsonl(tmp_path, rows)).input["query"] == "instruction"
    found = inspect(jsonl(tmp_path, beside("instruction", "Find the text")))
    assert roles(found)["query"] == "query"


def test_a_query_that_is_the_same_everywhere_is_asked_about(tmp_path: Path) -> None:
    rows = [{"query": "Find the text", "positive": f"{t} {at}"} for at, t in enumerate(TEXTS * 2)]
    assert roles(inspect(jsonl(tmp_path, rows)))["query"] == "query"
    asked = [{**row, "request": f"which thing has {at}"} for at, row in enumerate(rows)]
    with pytest.raises(DataError, match="query and request may both be the query"):
        inspect(jsonl(tmp_path, asked))
