"""Folds of queries: the same for the same text, whatever its identifier, and about even."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.errors import ConfigError
from negmine.transforms.kernels.folds import folds, folds_of_texts, parse_fold
from negmine.transforms.kernels.near_duplicates import sketches


@given(st.lists(st.text(max_size=20)), st.integers(2, 100))
def test_the_fold_of_a_text_does_not_hang_on_the_others(texts: list[str], count: int) -> None:
    alone = [int(folds_of_texts([text], count)[0]) for text in texts]
    assert folds_of_texts(texts, count).tolist() == alone
    assert all(0 <= fold < count for fold in alone)


@given(st.lists(st.text(max_size=20), min_size=1), st.integers(2, 9))
def test_the_keys_of_ingest_give_the_folds_of_the_texts(texts: list[str], count: int) -> None:
    keys, _ = sketches(texts, minhash=False)
    assert folds(keys, count).tolist() == folds_of_texts(texts, count).tolist()


def test_case_and_space_do_not_part_what_is_the_same_text() -> None:
    assert len(set(folds_of_texts(["What is C++?", "what  is c++?", " WHAT IS C++? "], 97))) == 1


def test_folds_are_about_even_and_never_change() -> None:
    found = folds_of_texts([f"query {at}" for at in range(10_000)], 4)
    counts = np.bincount(found, minlength=4)
    assert (abs(counts - 2_500) < 5 * np.sqrt(10_000 * 0.25 * 0.75)).all()
    assert found[:12].tolist() == [2, 3, 2, 2, 2, 3, 2, 1, 3, 3, 0, 1]


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/1", "-1/2", "1/101", "1/2/3", "a/b"])
def test_what_is_no_fold_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match=r"write I/N, the fold from 1 to N"):
        parse_fold(text)


def test_folds_are_counted_from_one() -> None:
    assert parse_fold("1/2") == (0, 2) and parse_fold("10/10") == (9, 10)
