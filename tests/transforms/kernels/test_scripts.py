"""Scripts of letters, and their shares in texts."""

import pytest

from negmine.transforms.kernels.scripts import script_counts, script_of, script_shares


@pytest.mark.parametrize(
    ("letters", "script"),
    [
        ("aZßéﬁＡ𝐀ªı", "Latin"),
        ("αΩµ", "Greek"),
        ("яЁ", "Cyrillic"),
        ("Հ", "Armenian"),
        ("אש", "Hebrew"),
        ("عپﷺ", "Arabic"),
        ("दन", "Devanagari"),
        ("ত", "Bengali"),
        ("த", "Tamil"),
        ("世々㐀𠀀", "Han"),
        ("のゝ", "Hiragana"),
        ("ｶカー", "Katakana"),
        ("한ㄱ", "Hangul"),
        ("ไ", "Thai"),
        ("ລ", "Lao"),
        ("ខ", "Khmer"),
        ("မ", "Myanmar"),
        ("አ", "Ethiopic"),
    ],
)
def test_a_letter_belongs_to_its_script(letters: str, script: str) -> None:
    assert {script_of(letter) for letter in letters} == {script}


@pytest.mark.parametrize("letter", ["1", "٣", "+", " ", "\n", "ि", "\u0301", "🙂", "_"])
def test_what_is_no_letter_has_no_script(letter: str) -> None:
    assert script_of(letter) is None


def test_shares_are_of_letters_alone() -> None:
    assert script_counts(["C++ 11, да!", "нет"]) == {"Cyrillic": 5, "Latin": 1}
    assert script_shares(["ab", "яя", " 12 "]) == {"Cyrillic": 0.5, "Latin": 0.5}
    assert script_shares(["", "12 + 3"]) == {}
