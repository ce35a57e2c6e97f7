"""Columns that say of which split a row is: rows of a test are not mined unasked."""

from pathlib import Path

import pytest

from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from tests.jobs.inspection.test_inspection import jsonl, roles, with_column


def test_rows_of_a_test_split_are_asked_about(tmp_path: Path) -> None:
    path = jsonl(tmp_path, with_column("split", ["train", "test"] * 3))
    with pytest.raises(DataError, match="split holds 'test', 'train'; write the rows of each"):
        inspect(path)
    assert roles(inspect(path, settings={"evaluation_pairs": []}))["query"] == "query"


@pytest.mark.parametrize("name", ["data_split", "usage", "dataSplit", "phase", "origin"])
@pytest.mark.parametrize("other", ["test", "tst", "validation", "TEST"])
def test_the_split_of_a_row_is_seen_under_any_name(tmp_path: Path, name: str, other: str) -> None:
    path = jsonl(tmp_path, with_column(name, ["trn" if other == "tst" else "train", other] * 3))
    with pytest.raises(DataError, match=f"{name} holds .*'{other}'.*write the rows of each"):
        inspect(path)
    assert inspect(path, settings={"evaluation_pairs": []}).counts == {"rows": 6}


def test_the_split_of_a_row_is_seen_in_an_object(tmp_path: Path) -> None:
    meta = [{"site": "a", "split": split} for split in ["train", "test"] * 3]
    with pytest.raises(DataError, match=r"meta\.split holds 'test', 'train'; write the rows"):
        inspect(jsonl(tmp_path, with_column("meta", meta)))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("split", ["train", "training"]),
        ("data_set", ["msmarco-train", "msmarco-train"]),
        ("kind", ["test", "manual"]),
        ("usage", ["for testing engines", "for a train"]),
    ],
)
def test_values_that_name_no_other_split_are_read(
    tmp_path: Path, name: str, values: list[str]
) -> None:
    assert inspect(jsonl(tmp_path, with_column(name, values * 3))).counts == {"rows": 6}
