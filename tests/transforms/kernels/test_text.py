"""Normalisation, shingles and MinHash."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.kernels.text import jaccard, minhash, minhash_jaccard, normalise, shingles


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("The  Cat, sat.", "the cat sat"),
        ("caf\u00e9", "cafe\u0301"),
        ("\ufb01ne", "fine"),
        ("STRASSE", "stra\u00dfe"),
    ],
)
def test_normalised_texts_ignore_case_spacing_punctuation_and_encoding(
    left: str, right: str
) -> None:
    assert normalise(left) == normalise(right)


def test_different_words_stay_different() -> None:
    assert normalise("not safe") != normalise("safe")


def test_jaccard_of_three_word_shingles_by_hand() -> None:
    left, right = shingles("a b c d"), shingles("a b c e")
    assert len(left) == len(right) == 2
    assert jaccard(left, right) == pytest.approx(1 / 3)


def test_texts_without_words_are_similar_to_nothing() -> None:
    assert jaccard(shingles("..."), shingles("...")) == 0.0


@given(st.lists(st.integers(0, 30), min_size=40, max_size=120), st.integers(0, 40))
def test_minhash_estimates_jaccard(words: list[int], changed: int) -> None:
    left = " ".join(f"w{w}" for w in words)
    right = " ".join(f"w{w}" if i >= changed else f"x{i}" for i, w in enumerate(words))
    one, two = shingles(left), shingles(right)
    signatures = [np.frombuffer(minhash(s), dtype=np.uint8)[None] for s in (one, two)]
    assert minhash_jaccard(*signatures)[0] == pytest.approx(jaccard(one, two), abs=0.25)


def test_equal_texts_have_equal_signatures() -> None:
    assert minhash(shingles("One two three four")) == minhash(shingles("one, two three: four!"))
