"""Words of other columns that say how well a text answers: asked about, never passed over."""

from pathlib import Path

import pytest

from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from tests.jobs.inspection.test_inspection import QUERIES, TEXTS, jsonl


def pairs(folder: Path, name: str, values: list[object], text: str = "passage") -> str:
    rows = zip(QUERIES, TEXTS, strict=True)
    held = [{"query": q, text: t, name: values[at % len(values)]} for at, (q, t) in enumerate(rows)]
    return jsonl(folder, held)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("grade_of_annotator", ["high", "low"]),
        ("said", ["Up", "Down", "up"]),
        ("said", ["Exact", "Substitute", "Irrelevant"]),
        ("said", ["E", "S", "C", "I"]),
        ("said", ["supports", "not enough info"]),
        ("said", ["yes", "useless"]),
        ("verdict", ["SUPPORTS", "REFUTES"]),
        ("feedback", ["hot", "cold"]),
    ],
)
def test_words_for_and_against_are_asked_about(
    tmp_path: Path, name: str, values: list[object]
) -> None:
    path = pairs(tmp_path, name, values)
    with pytest.raises(DataError, match=f"{name} holds .* may say which are positives; write a"):
        inspect(path)
    assert inspect(path, settings={"label": None}).rows[0].positives == [TEXTS[0]]


@pytest.mark.parametrize("values", [[1, 2, 5], [3.5, 4.0]])
def test_stars_are_asked_about(tmp_path: Path, values: list[object]) -> None:
    with pytest.raises(DataError, match="stars says which rows are better"):
        inspect(pairs(tmp_path, "stars", values))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("difficulty", ["high", "low"]),
        ("topic", ["sport", "music"]),
        ("said", ["good", "best"]),
        ("section", ["E", "F"]),
        ("feedback", ["it reads well and says what was asked", "it is short, and to the point"]),
    ],
)
def test_other_words_say_nothing_of_the_text(
    tmp_path: Path, name: str, values: list[object]
) -> None:
    assert inspect(pairs(tmp_path, name, values)).rows[0].positives == [TEXTS[0]]


def test_what_is_called_a_positive_is_one(tmp_path: Path) -> None:
    path = pairs(tmp_path, "level_of_use", ["good", "bad"], "positive")
    assert inspect(path).rows[0].positives == [TEXTS[0]]
