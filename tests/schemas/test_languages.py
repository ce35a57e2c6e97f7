"""Language tags in one form."""

import pytest
import Stemmer

from negmine.schemas.languages import ANALYSERS, analyser_of, is_placeholder, language_code


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("de", "de"), ("DE", "de"), (" pt-BR ", "pt"), ("zh_Hant", "zh"), ("deu", "de"),
        ("por_Latn", "pt"), ("cmn", "zh"), ("arz", "ar"), ("haw", "haw"), ("iw", "he"),
        ("bul", "bg"), ("afr", "af"), ("sqi", "sq"), ("mac", "mk"), ("isl_Latn", "is"),
        ("cym", "cy"), ("fil", "tl"), ("nan-TW", "zh"), ("nan", None), ("und-Latn", None),
        ("mul", None), ("go", None), ("xx", None), ("jp", None), ("python", None),
        ("", None), ("d", None), ("de;", None), ("1", None), ("german", None),
    ],
)  # fmt: skip
def test_a_tag_is_its_language_by_the_shortest_code(tag: str, code: str | None) -> None:
    assert language_code(tag) == code


def test_three_letters_are_a_language_where_one_is_surely_meant_or_where_it_is_known() -> None:
    tags = ["xyz", "php", "sql", "haw", "ckb", "eng", "zxx"]
    sure = ["xyz", "php", "sql", "haw", "ckb", "en", None]
    assert [language_code(tag) for tag in tags] == sure
    known = [None, None, None, "haw", "ckb", "en", None]
    assert [language_code(tag, certain=False) for tag in tags] == known


def test_values_that_say_nothing_are_told_from_values_that_are_wrong() -> None:
    assert all(map(is_placeholder, ["", " ", "und", "MUL", "zxx", "mis", "NaN", "null"]))
    assert not any(map(is_placeholder, ["de", "nan-TW", "python", "xx"]))


def test_the_form_of_a_code_is_its_own() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    tags = [a + b + c for a in letters for b in letters for c in ("", *letters)]
    codes = {code for tag in tags if (code := language_code(tag)) is not None}
    assert sum(len(code) == 2 for code in codes) == 182  # ISO 639-1 without nb and nn
    assert {language_code(code) for code in codes} == codes


def test_every_analyser_is_one_that_pystemmer_has() -> None:
    assert set(ANALYSERS.values()) <= set(Stemmer.algorithms())
    assert (analyser_of("de"), analyser_of("zh"), analyser_of(None)) == ("german", None, None)
