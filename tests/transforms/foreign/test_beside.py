"""What stands beside the negatives of a row moves with them, or the copy is refused."""

from pathlib import Path
from typing import Any

import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.foreign.rewrite import rewrite
from tests.transforms.foreign.sets import read_jsonl, write_jsonl

LISTS: dict[str, Any] = {"query": "q", "pos": ["p"], "neg": ["a", "b", "c"]}
TUPLE: dict[str, Any] = {
    "anchor": "q",
    "positive": "p",
    "negative_1": "a",
    "negative_2": "b",
    "negative_3": "c",
}
SHORT: dict[str, Any] = {**TUPLE, "negative_3": None}
SECOND = {("", 2)}


def copied(
    folder: Path, format: str, *records: dict[str, Any], row: int = 1, keep_short: bool = False
) -> dict[str, Any]:
    """The row without its second negative, in the copy of these rows."""
    source = write_jsonl(folder / "set.jsonl", records)
    target = folder / "copy.jsonl"
    keep_short = keep_short or format == "n_tuple"
    assert rewrite(source, target, format, {row: SECOND}, keep_short) == []
    return read_jsonl(target)[row - 1]


@pytest.mark.parametrize("name", ["neg_scores", "id_neg", "hard_neg_ids", "scores", "anything"])
def test_a_list_of_an_entry_a_negative_goes_with_them(name: str, tmp_path: Path) -> None:
    found = copied(tmp_path, "flagembedding", {**LISTS, name: [1, 2, 3]})
    assert (found["neg"], found[name]) == (["a", "c"], [1, 3])


def test_a_list_of_an_entry_a_document_goes_with_both(tmp_path: Path) -> None:
    found = copied(tmp_path, "flagembedding", {**LISTS, "teacher": [9, 1, 2, 3], "pos_scores": [9]})
    assert (found["teacher"], found["pos_scores"]) == ([9, 1, 3], [9])


def test_every_format_of_lists_keeps_what_stands_beside(tmp_path: Path) -> None:
    passages = [{"docid": t, "text": t} for t in "pabc"]
    rows: dict[str, dict[str, Any]] = {
        "tevatron": {
            "query_id": 1,
            "query": "q",
            "positive_passages": passages[:1],
            "negative_passages": passages[1:],
        },
        "automodel_inline": {"query": "q", "pos_doc": "p", "neg_doc": ["a", "b", "c"]},
        "tevatron_v2": {
            "query_id": 1,
            "query_text": "q",
            "positive_document_ids": [0],
            "negative_document_ids": [1, 2, 3],
        },
        "pylate_kd": {"query_id": 1, "document_ids": [0, 1, 2, 3]},
    }
    for format, row in rows.items():
        found = copied(tmp_path, format, {**row, "negative_scores": [1, 2, 3], "s": [9, 1, 2, 3]})
        assert (found["negative_scores"], found["s"]) == ([1, 3], [9, 1, 3]), format


def test_lists_by_system_go_with_the_negatives_of_the_system(tmp_path: Path) -> None:
    row = {"qid": 1, "pos": [9], "neg": {"x": [1, 2]}, "margins": {"x": [0.1, 0.2], "y": [3, 4]}}
    source = write_jsonl(tmp_path / "set.jsonl", [row])
    rewrite(source, tmp_path / "copy.jsonl", "msmarco", {1: {("x", 2)}}, False)
    (found,) = read_jsonl(tmp_path / "copy.jsonl")
    assert (found["neg"], found["margins"]) == ({"x": [1]}, {"x": [0.1], "y": [3, 4]})


def test_a_list_that_only_happens_to_be_as_long_stays(tmp_path: Path) -> None:
    """In another row it is not, and nothing in its name says that it should be."""
    first, second = {**LISTS, "answers": ["x", "y", "z"]}, {**LISTS, "answers": ["x", "y"]}
    assert copied(tmp_path, "flagembedding", first, second)["answers"] == ["x", "y", "z"]


@pytest.mark.parametrize("name", ["neg_ids", "scores", "teacher"])
def test_a_list_that_should_be_as_long_and_is_not_is_refused(name: str, tmp_path: Path) -> None:
    rows = {**LISTS, name: [1, 2, 3]}, {**LISTS, name: [1, 2]}
    with pytest.raises(DataError, match=f"'{name}' in .*set.jsonl row 2 does not have an entry"):
        copied(tmp_path, "flagembedding", *rows)
    assert not (tmp_path / "copy.jsonl").exists()


def test_a_list_that_may_stand_beside_positives_is_refused(tmp_path: Path) -> None:
    even = {**LISTS, "pos": ["p", "r", "s"]}
    assert copied(tmp_path, "flagembedding", {**even, "neg_x": [1, 2, 3]})["neg_x"] == [1, 3]
    assert copied(tmp_path, "flagembedding", {**even, "pos_x": [1, 2, 3]})["pos_x"] == [1, 2, 3]
    with pytest.raises(DataError, match=r"'x' in .* as many entries as there are positives"):
        copied(tmp_path, "flagembedding", {**even, "x": [1, 2, 3]})
    other = {**LISTS, "x": [1, 2, 3]}
    assert copied(tmp_path, "flagembedding", {**even, "x": [4, 5, 6]}, other)["x"] == [4, 6]


@pytest.mark.parametrize(
    ("row", "before", "after"),
    [
        (TUPLE, [1, 2, 3], [1, 3, None]),
        (TUPLE, [9, 1, 2, 3], [9, 1, 3, None]),
        (SHORT, [9, 1, 2], [9, 1]),
        (SHORT, [1, 2], [1]),
        (SHORT, [1, 2, None], [1, None, None]),
        (SHORT, [9, 1, 2, None], [9, 1, None, None]),
    ],
)
def test_scores_of_an_n_tuple_stand_for_the_negatives_that_are_there(
    row: dict[str, Any], before: list[Any], after: list[Any], tmp_path: Path
) -> None:
    for name in ("scores", "teacher_scores", "negative_scores"):
        found = copied(tmp_path, "n_tuple", {**row, name: before})
        assert found[name] == after
        assert found["negative_2"] == row["negative_3"]


def test_numbered_columns_move_with_the_negatives(tmp_path: Path) -> None:
    beside = {"score_0": 9, "score_1": 1, "score_2": 2, "score_3": 3}
    meta = {f"negative_{at}_rank": at for at in (1, 2, 3)}
    found = copied(tmp_path, "n_tuple", {**TUPLE, **beside, **meta})
    assert [found[f"score_{at}"] for at in range(4)] == [9, 1, 3, None]
    assert [found[name] for name in meta] == [1, 3, None]


def test_numbered_columns_of_another_number_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"columns score_1, .*score_4 of .* are not numbered as"):
        copied(tmp_path, "n_tuple", {**TUPLE, **{f"score_{at}": at for at in (1, 2, 3, 4)}})
    assert copied(tmp_path, "n_tuple", {**TUPLE, "year_2": 3})["year_2"] == 3
