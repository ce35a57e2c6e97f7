"""The table of words: the same tokens as the library's tokeniser, whatever the text."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from negmine.transforms.models.gpu.words import WordPieces
from negmine.transforms.models.weights import find_weights

ODD = (
    "  \t\n\r\u00a0\u2028\u3000a.,-'e\u0301\u0300Σσςİ中日가ع\u05d0ßÅ\u00ad\u200d\u0000\ufffd😀[]#C+"
)
TEXT = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=ODD, max_size=60),
    st.lists(
        st.sampled_from(
            ["wing", "Boundary-layer", "[SEP]", "[MASK],", "naïve", "", "x" * 120, "3.5"]
        )
    ).map(" ".join),
)


def tokenizer(most: int | None) -> Tokenizer:
    made = Tokenizer.from_file(
        str(Path(find_weights("all-MiniLM-L6-v2").folder) / "tokenizer.json")
    )
    made.no_padding()
    made.no_truncation()
    if most is not None:
        made.enable_truncation(most)
    return made


LIBRARY = {most: tokenizer(most) for most in (None, 8, 9, 64)}
SINGLE = {most: WordPieces.of(library, paired=False) for most, library in LIBRARY.items()}
PAIRED = {most: WordPieces.of(library, paired=True) for most, library in LIBRARY.items()}


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXT, min_size=1, max_size=5), most=st.sampled_from(list(LIBRARY)))
def test_texts_have_the_librarys_tokens(texts: list[str], most: int | None) -> None:
    words = SINGLE[most]
    assert words is not None
    ids, types, offsets = words([(text,) for text in texts])
    for row, text in enumerate(texts):
        expected = LIBRARY[most].encode(text)
        assert ids[offsets[row] : offsets[row + 1]].tolist() == expected.ids
        assert types[offsets[row] : offsets[row + 1]].tolist() == expected.type_ids


@settings(max_examples=150, deadline=None)
@given(
    pairs=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5),
    most=st.sampled_from(list(LIBRARY)),
)
def test_pairs_are_cut_as_the_library_cuts_them(
    pairs: list[tuple[str, str]], most: int | None
) -> None:
    words = PAIRED[most]
    assert words is not None
    ids, types, offsets = words(pairs)
    for row, pair in enumerate(pairs):
        expected = LIBRARY[most].encode(*pair)
        assert ids[offsets[row] : offsets[row + 1]].tolist() == expected.ids
        assert types[offsets[row] : offsets[row + 1]].tolist() == expected.type_ids


def test_a_table_that_is_full_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("negmine.transforms.models.gpu.words._MOST_WORDS", 5)
    words = WordPieces.of(LIBRARY[None], paired=False)
    assert words is not None
    for number in range(6):
        text = f"word{number} of {number} boundary layers"
        ids, _, _ = words([(text,), ("heat",)])
        expected = [LIBRARY[None].encode(one).ids for one in (text, "heat")]
        assert ids.tolist() == [number for row in expected for number in row]


CUT = {"direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 0}


@pytest.mark.parametrize(
    "change",
    [
        {"pre_tokenizer": {"type": "WhitespaceSplit"}},
        {"truncation": {**CUT, "direction": "Left"}},
        {"truncation": {**CUT, "strategy": "OnlyFirst"}},
    ],
)
def test_tokenisers_of_other_kinds_are_left_to_the_library(change: dict[str, object]) -> None:
    state = {**json.loads(tokenizer(None).to_str()), **change}
    assert WordPieces.of(Tokenizer.from_str(json.dumps(state)), paired=False) is None


@pytest.mark.parametrize(
    "token", [{"content": "two words"}, {"lstrip": True}, {"single_word": True}]
)
def test_added_tokens_that_look_beyond_a_word_are_left_to_the_library(
    token: dict[str, object],
) -> None:
    state = json.loads(tokenizer(None).to_str())
    state["added_tokens"].append(
        {**state["added_tokens"][-1], "id": 30522, "content": "new", **token}
    )
    assert WordPieces.of(Tokenizer.from_str(json.dumps(state)), paired=False) is None
