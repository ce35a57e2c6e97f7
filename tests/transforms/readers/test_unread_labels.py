"""A label that nobody said whether it counts stops the run: no pair is taken against its label."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.readers import read, sources
from negmine.transforms.readers.rows import Judgement, Row
from tests.transforms.input_files import config

PAIR = {"query": "how tall is it", "positive": "it is 3 m tall"}


def rows_of(made: Any) -> list[Row]:
    return [row for source in sources(made) for row in read(source, made, 1)]


def pairs(folder: Path, *rows: dict[str, Any], **settings: Any) -> Any:
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return config(format="pairs", path=str(folder / "pairs.jsonl"), **settings)


@pytest.mark.parametrize("name", ["label", "is_duplicate", "Is Relevant", "isSelected", "grade"])
def test_a_column_of_a_labels_name_stops(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=rf"has '{name}'.*input\.label=null"):
        rows_of(pairs(tmp_path, {**PAIR, name: 0}))


def test_one_that_comes_late_stops_at_its_line(tmp_path: Path) -> None:
    rows = [{**PAIR, "query": f"how tall is {n}"} for n in range(300)]
    with pytest.raises(DataError, match="line 301 has 'label'"):
        rows_of(pairs(tmp_path, *rows, {**PAIR, "label": 0}))


def test_one_within_the_objects_of_the_positives_stops(tmp_path: Path) -> None:
    passages = [{"text": "it is 3 m tall", "is_selected": 1}, {"text": "no", "is_selected": 0}]
    row = {"query": "how tall is it", "passages": passages}
    for positive in ("passages", "passages.text"):
        with pytest.raises(DataError, match=r"line 1 has 'passages\.is_selected'"):
            rows_of(pairs(tmp_path, row, positive=positive))


def test_one_in_an_object_beside_the_texts_stops(tmp_path: Path) -> None:
    row = {**PAIR, "meta": {"site": "a", "label": 0}}
    with pytest.raises(DataError, match=r"line 2 has 'meta\.label'"):
        rows_of(pairs(tmp_path, {**PAIR, "meta": {"site": "a"}}, row))
    path = str(tmp_path / "pairs.parquet")
    pq.write_table(pa.Table.from_pylist([row]), path)
    with pytest.raises(DataError, match=r"has 'meta\.label'"):
        rows_of(config(format="pairs", path=path))
    assert rows_of(pairs(tmp_path, {**PAIR, "other": {"text": "another", "label": 0}}))


@pytest.mark.parametrize(
    ("row", "settings", "name"),
    [
        (
            {"query": "q", "ctx": {"is_relevant": 0, "passage": {"text": "it is 3 m tall"}}},
            {"positive": "ctx.passage.text"},
            "ctx.is_relevant",
        ),
        (
            {"query": "q", "ctx": {"is_relevant": [0, 1], "passages": [{"text": "a"}]}},
            {"positive": "ctx.passages[].text"},
            "ctx.is_relevant",
        ),
        (
            {"query": {"text": "q", "is_duplicate": 0}, "positive": "a"},
            {"query": "query.text"},
            "query.is_duplicate",
        ),
        (
            {"query": "q", "turns": [{"gold_label": 1, "say": ["a"]}, {"say": ["b"]}]},
            {"positive": "turns[0].say[0]"},
            "turns.gold_label",
        ),
    ],
)
def test_one_round_or_beside_what_holds_a_text_stops(
    tmp_path: Path, row: dict[str, Any], settings: dict[str, str], name: str
) -> None:
    with pytest.raises(DataError, match=f"line 1 has {re.escape(repr(name))}"):
        rows_of(pairs(tmp_path, row, **settings))


def test_in_csv_and_parquet_too(tmp_path: Path) -> None:
    table = pa.table({**{name: [value] for name, value in PAIR.items()}, "label": [0]})
    pq.write_table(table, tmp_path / "pairs.parquet")
    (tmp_path / "pairs.csv").write_text("query,positive,label\na b,c d,0\ne f,g h,1\n")
    for name in ("pairs.parquet", "pairs.csv"):
        with pytest.raises(DataError, match="has 'label'"):
            rows_of(config(format="pairs", path=str(tmp_path / name)))


def test_what_is_said_counts(tmp_path: Path) -> None:
    row = {**PAIR, "label": 0}
    grades = {
        setting: [
            one.grade
            for one in rows_of(pairs(tmp_path, row, label=setting))
            if isinstance(one, Judgement)
        ]
        for setting in (None, "label")
    }
    assert grades == {None: [None], "label": [0.0]}


def test_a_score_or_a_number_of_other_things_does_not(tmp_path: Path) -> None:
    assert rows_of(pairs(tmp_path, {**PAIR, "score": 0.2, "type": "x", "rank": 3}))


def test_numbers_in_a_third_column_without_a_name_stop(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("how tall is it\tit is 3 m tall\t1\nhow old is it\tit is blue\t0\n")
    with pytest.raises(DataError, match=r"numbers in its third column.*input\.label: null"):
        rows_of(config(format="pairs", path=str(file)))
    assert rows_of(config(format="pairs", path=str(file), label=None))
    file.write_text("how tall is it\tit is 3 m tall\tit is red\n")
    assert rows_of(config(format="pairs", path=str(file)))
