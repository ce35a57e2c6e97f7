"""Language tags in one form."""

import pytest
import Stemmer

from negmine.schemas.languages import ANALYSERS, analyser_of, language_code


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("de", "de"), ("DE", "de"), (" pt-BR ", "pt"), ("zh_Hant", "zh"), ("deu", "de"),
        ("por_Latn", "pt"), ("cmn", "zh"), ("arz", "ar"), ("haw", "haw"), ("iw", "he"),
        ("python", None), ("", None), ("d", None), ("de;", None), ("1", None), ("german", None),
    ],
)  # fmt: skip
def test_a_tag_is_its_language_by_the_shortest_code(tag: str, code: str | None) -> None:
    assert language_code(tag) == code


def test_every_analyser_is_one_that_pystemmer_has() -> None:
    assert set(ANALYSERS.values()) <= set(Stemmer.algorithms())
    assert (analyser_of("de"), analyser_of("zh"), analyser_of(None)) == ("german", None, None)
