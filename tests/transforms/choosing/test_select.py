"""Selecting a block: what is chosen without a judge's score, and what that is called."""

from typing import Any

import pyarrow as pa
import pytest

from negmine.schemas import tables
from negmine.schemas.config import Tier
from negmine.schemas.errors import StorageError
from negmine.transforms.choosing.select import select_block
from tests.transforms.kernels.pairs import distinct_documents, selection_of

SELECTION = selection_of(
    {"all": Tier(quota=1)}, ["known_positive", {"suspected_positive": {"threshold": 0.5}}]
)
DEFAULTS: dict[pa.DataType, Any] = {
    pa.bool_(): False,
    pa.float32(): 0.0,
    pa.uint64(): 0,
    pa.int64(): 0,
}


def judged(*rows: dict[str, Any]) -> pa.Table:
    """JUDGED rows of one query; what is not given is harmless."""
    made = [
        {"doc_ix": ix, "text_key": ix, "sources": [], "judge_parts": [], **row}
        for ix, row in enumerate(rows)
    ]
    columns = {
        field.name: [
            row.get(field.name, None if field.nullable else DEFAULTS.get(field.type))
            for row in made
        ]
        for field in tables.JUDGED
    }
    return pa.table(columns, schema=tables.JUDGED)


POSITIVE = {"is_positive": True, "dense_score": 1.0, "judge_score": 0.9}
CONFIRMED = {"dense_score": 0.8, "confirmed_negative": True}


def verdicts(*rows: dict[str, Any]) -> list[str]:
    made = select_block(judged(POSITIVE, *rows), SELECTION, distinct_documents(len(rows) + 1))
    found: list[str] = made.column("verdict").to_pylist()[1:]
    return found


def test_a_confirmed_negative_needs_no_score_to_be_chosen() -> None:
    assert verdicts(CONFIRMED, {"dense_score": 0.7, "judge_score": 0.1}) == ["kept", "over_quota"]


def test_one_beyond_the_quota_is_over_it_and_not_unjudged() -> None:
    safe = {"dense_score": 0.9, "judge_score": 0.1}
    assert verdicts(safe, CONFIRMED, {"dense_score": 0.7}) == ["kept", "over_quota", "not_judged"]


def test_any_other_chosen_without_a_score_is_an_error() -> None:
    with pytest.raises(StorageError, match="1 chosen negatives have no judge score"):
        verdicts({"dense_score": 0.9})


def test_a_confirmed_negative_is_chosen_where_the_judge_suspects_it() -> None:
    suspect = {"dense_score": 0.9, "judge_score": 0.95}
    assert verdicts(suspect, {**CONFIRMED, "judge_score": 0.95}) == ["suspected_positive", "kept"]
