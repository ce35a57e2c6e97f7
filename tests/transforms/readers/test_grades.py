"""Which column of judgements is the grade, and the sentence where nobody can tell."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import JsonlInput
from negmine.transforms.readers import read, sources
from negmine.transforms.readers.label_values import label_value
from negmine.transforms.readers.rows import Judgement, Rejected
from tests.transforms.input_files import write_lines


def collection(folder: Path, row: dict[str, object], kind: str = "jsonl") -> dict[str, str]:
    files = {part: str(folder / f"{part}.jsonl") for part in ("documents", "queries")}
    for path in files.values():
        write_lines(Path(path), [{"_id": "a", "text": "some words"}])
    qrels = folder / f"qrels.{kind}"
    if kind == "jsonl":
        write_lines(qrels, [row])
    else:
        pq.write_table(pa.Table.from_pylist([row]), qrels)
    return {**files, "qrels": str(qrels)}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@pytest.mark.parametrize("name", ["target", "rank"])
def test_a_column_that_may_be_the_grade_is_asked_for(tmp_path: Path, kind: str, name: str) -> None:
    files = collection(tmp_path, {"query_id": "a", "doc_id": "a", name: 0}, kind)
    with pytest.raises(DataError, match=f"'{name}' and none of a usual.*input.grade: {name} if"):
        sources(JsonlInput(format="jsonl", **files))
    assert sources(JsonlInput(format="jsonl", **files, grade=name))
    assert sources(JsonlInput(format="jsonl", **files, grade=None))


def test_a_label_comes_before_a_score(tmp_path: Path) -> None:
    row = {"query_id": "a", "doc_id": "a", "score": 17.5, "label": 0}
    config = JsonlInput(format="jsonl", **collection(tmp_path, row))
    qrels = next(source for source in sources(config) if source.kind == "qrels")
    (found,) = read(qrels, config, 0)
    assert isinstance(found, Judgement)
    assert not found.positive


@pytest.mark.parametrize(
    ("label", "number"), [("yes", 1), ("No", 0), (True, 1), ("negative", 0), ("2", 2), (-1, -1)]
)
def test_words_are_labels(label: object, number: float) -> None:
    assert label_value(label) == number


@pytest.mark.parametrize("label", [float("nan"), float("inf"), 10**400, "1_0", "maybe", None])
def test_what_is_no_label_is_a_bad_row(label: object) -> None:
    with pytest.raises(Rejected):
        label_value(label)
