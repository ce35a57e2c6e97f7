"""Columns of several texts: none that may be a positive or a query is left out."""

from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from tests.jobs.inspection.test_inspection import PAIRS, TEXTS, jsonl, roles, said


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
