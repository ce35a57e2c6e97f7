"""Shingles, their Jaccard similarity, and MinHash."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.near_duplicates import jaccard, minhash, minhash_jaccard, shingles


def similarity(left: str, right: str) -> float:
    return jaccard(shingles(left), shingles(right))


def estimate(left: str, right: str) -> float:
    signatures = [np.frombuffer(minhash(shingles(t)), dtype=np.uint8)[None] for t in (left, right)]
    return float(minhash_jaccard(*signatures)[0])


def test_jaccard_of_three_word_shingles_by_hand() -> None:
    left, right = shingles("a b c d"), shingles("a b c e")
    assert len(left) == len(right) == 2
    assert jaccard(left, right) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("left", "right"),
    [("...", "?!"), ("★ ☆", "♥ ♦ ♣"), ("→ ⇒ ⇔", "→ ⇒ ⇐"), ("🙂", "🚀🚀"), ("", "-")],
)
def test_texts_without_words_are_near_only_to_themselves(left: str, right: str) -> None:
    assert similarity(left, right) == 0.0
    assert estimate(left, right) < 0.1
    assert similarity(left, left) == estimate(left, left) == 1.0


def test_a_text_without_words_is_not_near_to_words() -> None:
    assert similarity("...", "one two three") == 0.0


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("C++", "C#"),
        ("a + b", "a - b"),
        ("x < y", "x > y"),
        ("not !x", "not x"),
        ("दिन", "दीन"),
        ("ป่า", "ป้า"),
    ],
)
def test_symbols_and_marks_tell_short_texts_apart(left: str, right: str) -> None:
    assert similarity(left, right) < 0.8


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("One two three four", "one, two (three): four!"),
        ("A \u201cquoted\u201d text\u2026 is this", "a 'quoted' text, is this"),
        ("ｆｕｌｌ width and café", "full width and cafe\u0301"),
    ],
)
def test_punctuation_around_words_case_and_letter_forms_do_not_count(left: str, right: str) -> None:
    assert similarity(left, right) == 1.0
    assert minhash(shingles(left)) == minhash(shingles(right))


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (
            "长城是中国古代为抵御北方游牧民族而修建的大型防御工程全长超过两万公里横跨多个省份",
            "大型",
            "巨型",
        ),
        (
            "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗い所で泣いていた事だけは記憶している。",
            "記憶",
            "記録",
        ),
        ("สวัสดีครับผมชื่อสมชายผมทำงานที่กรุงเทพและชอบอ่านหนังสือทุกวันเวลาเย็นหลังเลิกงาน", "เย็น", "ค่ำ"),
        (
            "대한민국의 수도는 서울이며 한강이 도시를 가로질러 흐르고 "
            "많은 사람들이 그 주변에서 살고 일한다",
            "많은",
            "여러",
        ),
    ],
)
def test_one_word_changed_in_a_text_without_spaces_is_still_near(
    text: str, old: str, new: str
) -> None:
    assert 0.8 <= similarity(text, text.replace(old, new)) < 1.0


def test_unlike_texts_of_one_script_are_not_near() -> None:
    assert similarity("长城是中国古代的防御工程", "猫喜欢在阳光下睡觉") == 0.0


@given(st.lists(st.integers(0, 30), min_size=40, max_size=120), st.integers(0, 40))
def test_minhash_estimates_jaccard(words: list[int], changed: int) -> None:
    left = " ".join(f"w{w}" for w in words)
    right = " ".join(f"w{w}" if i >= changed else f"x{i}" for i, w in enumerate(words))
    assert estimate(left, right) == pytest.approx(similarity(left, right), abs=0.25)
