"""A repeat is one among rows that stay: no row that goes takes another's good negative with it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from negmine.jobs.audit.repeats import Entry, repeats
from tests.jobs.audit.planted import audited, clean, counts
from tests.jobs.collections import document
from tests.transforms.foreign.sets import n_tuples, read_jsonl, write_jsonl


def repeated(*rows: str, whole: bool = False, least: int = 0) -> list[tuple[int, int]]:
    """Row and place of the repeats in rows of one query; a capital letter is a bad negative."""
    entries = [
        Entry(1, 1, 0, row, "", place, letter.lower(), letter.isupper(), letter.islower())
        for row, letters in enumerate(rows, 1)
        for place, letter in enumerate(letters, 1)
    ]
    return [(entry.row, entry.place) for entry in repeats(entries, whole, least)]


def test_what_its_row_or_an_earlier_one_has_is_a_repeat() -> None:
    assert repeated("aba", "cb") == [(1, 3), (2, 2)]


def test_a_row_that_goes_whole_is_repeated_by_none() -> None:
    assert repeated("aX", "ab") == [(2, 1)]
    assert repeated("aX", "ab", whole=True) == []
    assert repeated("ab", "ac", "cd", whole=True) == [(2, 1)], "c of the second row goes with it"


def test_a_row_that_has_too_few_is_repeated_by_none() -> None:
    assert repeated("aX", "abc", least=2) == []
    assert repeated("ab", "abc", "c", least=2) == [(2, 1), (2, 2)]


def test_other_queries_positives_and_lists_are_no_repeats() -> None:
    spots: Sequence[tuple[int, int, int, str]] = (
        (1, 1, 1, "x"), (1, 1, 1, "y"), (1, 2, 2, "x"), (2, 2, 3, "x"), (2, 2, 3, "x"),
    )  # fmt: skip
    entries = [
        Entry(query, positives, 0, row, name, place, "a", False, True)
        for place, (query, positives, row, name) in enumerate(spots)
    ]
    assert [entry.place for entry in repeats(entries, False, 0)] == [4]


@pytest.mark.slow
def test_the_copy_keeps_what_only_a_row_that_went_had_before(student: Path, tmp_path: Path) -> None:
    rows = clean()
    good = rows[2].negatives
    rows.insert(2, rows[2]._replace(negatives=(*good[:3], document(2))))
    path = write_jsonl(tmp_path / "set.jsonl", n_tuples(rows))
    copy = tmp_path / "copy.jsonl"
    found = audited(student, path, "n_tuple", tmp_path / "out", "--fix", str(copy))
    assert counts(found) == {"known_positive": 1}
    assert read_jsonl(copy) == n_tuples(clean())
