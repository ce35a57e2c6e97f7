"""The three notions of a text: what each keeps apart, and what each takes for the same."""

import time
import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels import text as kernel
from negmine.transforms.kernels.text import identity, raw_terms, terms, tokens


def all_terms(text: str) -> list[str]:
    return [term for piece in raw_terms(text) for row in terms(piece) for term in row]


SAME = [
    ("The  Cat\tsat.\n", "the cat sat."),
    ("caf\u00e9", "CAFE\u0301"),
    ("\u00c5ngstr\u00f6m", "\u212bngstro\u0308m"),
    ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),
    ("one\u00a0two\u3000three", "one two three"),
    ("क\u093cलम", "\u0958लम"),
]
DIFFERENT = [
    ("sort a list in C++", "sort a list in C#"),
    ("a + b", "a - b"),
    ("a + b", "a b"),
    ("Maße", "Masse"),
    ("दिन क्या है", "दीन क्या है"),
    ("ป่า", "ป้า"),
    ("שָׁלוֹם", "שלום"),
    ("كَتَبَ", "كُتِبَ"),
    ("résumé", "resume"),
    ("x\u00b2", "x2"),
    ("I \u2764 it", "I \U0001f494 it"),
    ("\U0001f44d\U0001f3fb", "\U0001f44d\U0001f3ff"),
    ("\u2665\ufe0e", "\u2665\ufe0f"),
    ("\u2460", "1"),
    ("not safe", "safe"),
    ("what?", "what"),
    ("ab", "a b"),
    ("ﬁne", "fine"),
    ("می\u200cخواهم", "میخواهم"),
    ("ısı", "isi"),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_unicode_form_case_and_kinds_of_white_space_are_the_same_text(
    left: str, right: str
) -> None:
    assert identity(left) == identity(right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_a_symbol_mark_digit_or_letter_makes_another_text(left: str, right: str) -> None:
    assert identity(left) != identity(right)


@given(st.text())
def test_identity_is_stable_and_loses_only_form_case_and_white_space(text: str) -> None:
    once = identity(text)
    assert identity(once) == once
    assert identity(unicodedata.normalize("NFD", text)) == once
    assert identity(f"  {text}\n") == once
    kept = [letter for letter in unicodedata.normalize("NFC", text) if not letter.isspace()]
    lower = unicodedata.normalize("NFC", "".join(kept).lower()).replace("ς", "σ")
    assert unicodedata.normalize("NFC", once.replace(" ", "")) == unicodedata.normalize(
        "NFC", lower
    )


@given(st.text(alphabet="aB1_+#.-,!?()[]{}\"'`…« »àΣя°→√ \t\n"))
def test_the_fast_patterns_find_what_the_full_ones_find(text: str) -> None:
    plain = kernel._folded(text)
    assert not kernel._BEYOND_PLAIN.search(plain)
    assert kernel._PLAIN_TOKEN.findall(plain) == kernel._TOKEN.findall(plain)
    assert kernel._PLAIN_TERM.findall(plain) == kernel._TERM.findall(plain)


def test_no_mark_and_no_unspaced_letter_is_left_to_the_fast_patterns() -> None:
    other = regex.compile(rf"(?V1){kernel._LETTER}|\p{{M}}")
    for code in range(0x110000):
        letter = chr(code)
        if not kernel._BEYOND_PLAIN.match(letter):
            assert not other.match(letter), hex(code)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sort in C++, C# or .NET!", ["sort", "in", "c++", "c#", "or", "net", ".net"]),
        ("a_b is x86_64, v2; asp.net", ["a_b", "is", "x86_64", "v2", "asp", "net"]),
        ("pi is 3.14, or 1,000 of 7", ["pi", "is", "3.14", "or", "1,000", "of", "7"]),
        ("CD4+ cells, n+1", ["cd4", "cd4+", "cells", "1"]),
        ("长城有多长", ["长城", "城有", "有多", "多长"]),
        ("東京タワー is 333m", ["東京", "京タ", "タワ", "ワー", "is", "333m"]),
        ("ป่าไม้", ["ป่า", "าไ", "ไม้"]),
        ("한국어를 猫", ["한국", "국어", "어를", "猫"]),
        ("दिन और दीन", ["दिन", "और", "दीन"]),
        ("שָׁלוֹם שלום", ["שלום", "שלום"]),
        ("كُتُبٌ", ["كتب"]),
        ("naïve Straße", ["naïve", "strasse"]),
        ("x é ?", []),
    ],
)
def test_terms_by_hand(text: str, expected: list[str]) -> None:
    assert all_terms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, (world)!", ["hello", "world"]),
        ("f(x) != a[b]", ["f", "(", "x", "!", "=", "a", "[", "b"]),
        ("C++ and .NET.", ["c", "+", "+", "and", ".", "net"]),
        ("长城 is 1", ["长", "城", "is", "1"]),
        ("ป่าไม้", ["ป่", "า", "ไ", "ม้"]),
    ],
)
def test_tokens_by_hand(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    "text",
    ["!" * 200_000 + "x", "1." * 100_000 + "x", "(" * 200_000, "+" * 200_000, "a\u0301" * 100_000],
)
def test_monotonous_texts_take_time_in_proportion(text: str) -> None:
    started = time.process_time()
    tokens(text)
    all_terms(text)
    assert time.process_time() - started < 10
