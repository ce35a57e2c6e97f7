"""Tokeniser: words, stop words, stems, counts."""

from itertools import pairwise

import numpy as np
import pytest

from negmine.schemas.errors import ConfigError
from negmine.transforms.kernels.tokenise import Tokeniser


def words(language: str | None, text: str) -> list[str]:
    tokens = Tokeniser(language)([text])
    return [tokens.vocabulary[number] for number in tokens.numbers]


def test_words_have_two_characters_or_more_and_no_case():
    assert words(None, "A Straße: x1, naïve_b I 42! 東京") == [
        "strasse", "x1", "naïve_b", "42", "東京",
    ]  # fmt: skip


def test_composed_and_decomposed_letters_are_one_word():
    assert words(None, "cafe\u0301 caf\u00e9 ｃａｆé") == ["café"] * 3


def test_english_drops_stop_words_and_stems():
    assert words("english", "The cells were dividing and it divides") == [
        "cell", "were", "divid", "divid",
    ]  # fmt: skip


def test_a_language_without_stop_words_is_stemmed_only():
    assert words("german", "die Häuser und der Hund") == ["die", "haus", "und", "der", "hund"]


def test_no_language_keeps_stop_words_and_endings():
    assert words(None, "the cells") == ["the", "cells"]


def test_vocabulary_is_sorted_and_holds_only_what_occurs():
    tokens = Tokeniser("english")(["zebras and apes", "", "the", "ape zebra ape"])
    assert tokens.vocabulary == ["ape", "zebra"]
    assert tokens.numbers.tolist() == [1, 0, 0, 1, 0]
    assert tokens.offsets.tolist() == [0, 2, 2, 2, 5]


def test_frequencies_are_sorted_by_text_then_term():
    tokens = Tokeniser(None)(["bb aa bb", "", "aa"])
    assert [column.tolist() for column in tokens.frequencies()] == [[0, 0, 2], [0, 1, 0], [1, 2, 1]]


@pytest.mark.parametrize("texts", [[], [""], ["a ?"]])
def test_nothing_to_index(texts):
    tokens = Tokeniser("english")(texts)
    assert tokens.vocabulary == []
    assert tokens.offsets.tolist() == [0] * (len(texts) + 1)
    assert all(len(column) == 0 for column in tokens.frequencies())
    assert tokens.numbers.dtype == np.int64


def test_an_unknown_language_is_named_with_the_choices():
    with pytest.raises(ConfigError, match=r"'klingon'.*english"):
        Tokeniser("klingon")


def test_auto_analyses_each_text_in_its_own_language():
    texts = ["die Häuser", "the houses", "die Häuser", "", "Häuser"]
    tokens = Tokeniser("auto")(texts, ["de", "en", None, "de", "zh"])
    found = [
        [tokens.vocabulary[n] for n in tokens.numbers[low:high]]
        for low, high in pairwise(tokens.offsets)
    ]
    assert found == [["die", "haus"], ["hous"], ["die", "häuser"], [], ["häuser"]]
    assert tokens.vocabulary == sorted(set(tokens.vocabulary))


def test_auto_without_languages_keeps_words_as_they_are():
    texts = ["the cells", "divide"]
    auto, plain = Tokeniser("auto")(texts), Tokeniser(None)(texts)
    assert auto.vocabulary == plain.vocabulary
    assert auto.numbers.tolist() == plain.numbers.tolist()
