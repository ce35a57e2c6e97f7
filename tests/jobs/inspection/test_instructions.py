"""Pairs of an instruction and a text, as MEDI has them: no text is taken for two positives."""

from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from tests.jobs.inspection.test_inspection import QUERIES, TEXTS, jsonl

FIND, KEEP = "Represent the question; Input:", "Represent the document; Input:"


def rows(query: bool = True, said: str | None = KEEP) -> list[dict[str, Any]]:
    made = []
    for asked, text in zip(QUERIES, TEXTS, strict=True):
        first = text.upper() if said is None else said
        made.append({"query": [FIND, asked] if query else asked, "pos": [first, text]})
    return made


def test_an_instruction_is_no_positive(tmp_path: Path) -> None:
    path = jsonl(tmp_path, rows(query=False))
    with pytest.raises(DataError, match=r"each pos is two texts, .*'Represent the document;") as e:
        inspect(path)
    assert """jq -c '.["pos"] |= .[1]' FILE""" in str(e.value)
    found = inspect(path, settings={"positive": "pos"})
    assert found.rows[0].positives == [KEEP, TEXTS[0]]


def test_nor_is_a_pair_a_query(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [{**row, "neg": [KEEP, f"{row['pos'][1]} not"]} for row in rows()])
    with pytest.raises(DataError, match="each query is two texts") as error:
        inspect(path)
    assert '.["query"] |= .[1] | .["pos"] |= .[1] | .["neg"] |= .[1]' in str(error.value)
    with pytest.raises(DataError, match="each query is two texts"):
        inspect(path, settings={"positive": "pos"})


def test_instructions_of_several_tasks_recur_each(tmp_path: Path) -> None:
    mixed = rows(query=False)
    for at, row in enumerate(mixed):
        row["pos"][0] = f"Task {at % 2}: "
    with pytest.raises(DataError, match="each pos is two texts"):
        inspect(jsonl(tmp_path, mixed))


def test_two_positives_are_two(tmp_path: Path) -> None:
    found = inspect(jsonl(tmp_path, rows(query=False, said=None)))
    assert found.rows[0].positives == [TEXTS[0].upper(), TEXTS[0]]
    same = [{"query": q, "pos": [KEEP, "b"]} for q in QUERIES]
    assert inspect(jsonl(tmp_path, same, "same.jsonl")).rows[0].positives == [KEEP, "b"]


def test_a_few_rows_of_another_shape_hide_no_instruction(tmp_path: Path) -> None:
    many = [{**row, "query": f"{row['query']} {at}", "pos": [KEEP, f"{row['pos'][1]} {at}"]}
            for at in range(10) for row in rows(query=False)]  # fmt: skip
    many[3]["pos"] = ["one text alone"]
    with pytest.raises(DataError, match="each pos is two texts"):
        inspect(jsonl(tmp_path, many))
