"""Labels say what is positive; scores do not, unless the limit is given."""

from pathlib import Path
from typing import Any

import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.foreign import rows
from negmine.transforms.foreign.rewrite import rewrite
from tests.transforms.foreign.sets import read_jsonl, write_jsonl


def positives(
    folder: Path, key: str, *labels: Any, format: str = "labeled_pair", above: float | None = None
) -> list[int]:
    """Places, from 0, of the labels that make a document a positive."""
    if format == "labeled_list":
        documents = [f"d{at}" for at in range(len(labels))]
        records: list[Any] = [{"query": "q", "documents": documents, key: list(labels)}]
    else:
        records = [{"a": "q", "b": f"d{at}", key: label} for at, label in enumerate(labels)]
    path = write_jsonl(folder / "set.jsonl", records)
    found = rows(str(path), format, label_above=above)
    return [int(positive.text[1:]) for row in found for positive in row.positives]


FORMATS = ("labeled_pair", "bce", "labeled_list")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ((1, 0), [0]),
        ((1.0, 0.0), [0]),
        ((True, False), [0]),
        ((-1, 1), [1]),
        ((0, 3, 1), [1, 2]),
        ((1, 0, 0.5, 0), [0, 2]),
    ],
)
def test_labels_above_zero_are_of_positives(
    format: str, labels: tuple[Any, ...], expected: list[int], tmp_path: Path
) -> None:
    for key in ("label", "labels"):
        assert positives(tmp_path, key, *labels, format=format) == expected


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("key", ["score", "scores"])
@pytest.mark.parametrize("scores", [(9.1, 1.3, -2.2), (0.9, 0.0), (1, 0)])
def test_scores_are_no_labels(
    format: str, key: str, scores: tuple[float, ...], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=f"{key} holds scores and no labels; .*--label-above X"):
        positives(tmp_path, key, *scores, format=format)


@pytest.mark.parametrize("format", FORMATS)
def test_fractions_are_labels_only_where_all_else_is_zero(format: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is 0\.9, others are below 0.*--label-above X"):
        positives(tmp_path, "label", 0.9, 0, -0.2, format=format)
    with pytest.raises(DataError, match=r"is 0\.9, and none is 0.*--label-above X"):
        positives(tmp_path, "label", 0.9, 0.2, 1, format=format)
    with pytest.raises(DataError, match="more than 10 different fractions"):
        positives(tmp_path, "label", 0, *(at / 32 for at in range(1, 13)), format=format)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("key", ["label", "scores"])
def test_a_limit_makes_labels_of_scores(format: str, key: str, tmp_path: Path) -> None:
    assert positives(tmp_path, key, 0.9, 0.3, -1, format=format, above=0.5) == [0]
    assert positives(tmp_path, key, -1, -3.5, -2, format=format, above=-2) == [0]


def test_a_copy_of_a_list_keeps_the_limit(tmp_path: Path) -> None:
    record = {"query": "q", "documents": ["a", "b", "c"], "scores": [0.9, 0.3, 0.2]}
    source = write_jsonl(tmp_path / "set.jsonl", [record, record])
    bad = {1: {("", 2)}, 2: {("", 2), ("", 3)}}
    copy = tmp_path / "copy.jsonl"
    assert rewrite(source, copy, "labeled_list", bad, False, label_above=0.5) == [2]
    assert read_jsonl(copy) == [{"query": "q", "documents": ["a", "c"], "scores": [0.9, 0.2]}]


def test_a_second_list_of_another_length_is_refused(tmp_path: Path) -> None:
    record = {"query": "q", "documents": ["a", "b"], "labels": [1, 0], "scores": [0.9]}
    path = write_jsonl(tmp_path / "set.jsonl", [record])
    with pytest.raises(DataError, match="2 documents have 1 scores"):
        list(rows(str(path), "labeled_list"))
