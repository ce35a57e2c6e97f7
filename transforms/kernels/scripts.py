"""Which Unicode script the letters of texts belong to, by their names in the Unicode database."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

_NAMED = {
    "CJK": "Han",
    "IDEOGRAPHIC": "Han",
    "KANGXI": "Han",
    "HENTAIGANA": "Hiragana",
    "KATAKANA-HIRAGANA": "Katakana",
}
_NO_SCRIPT = {"CARON", "MASU", "MODIFIER", "TURNED", "VEDIC"}
"""First words of letters' names that say nothing about their script."""


@lru_cache(maxsize=65_536)
def script_of(letter: str) -> str | None:
    """Script of one character, such as Latin, Han or Myanmar; None where it is no letter.

    Compatibility forms count as what they stand for (full-width Latin is Latin); a letter without
    a script of its own, such as a phonetic modifier, is None.
    """
    plain = unicodedata.normalize("NFKC", letter)[:1] or letter
    if not unicodedata.category(plain).startswith("L"):
        return None
    first = unicodedata.name(plain, "").split(" ")[0]
    if not first or first in _NO_SCRIPT:
        return None
    return _NAMED.get(first, first.capitalize())


def script_counts(texts: Iterable[str]) -> dict[str, int]:
    """Letters of each script in the texts, most first, then by name."""
    letters: Counter[str] = Counter()
    for text in texts:
        letters.update(text)
    counts: Counter[str] = Counter()
    for letter, count in letters.items():
        script = script_of(letter)
        if script is not None:
            counts[script] += count
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def script_shares(texts: Iterable[str]) -> dict[str, float]:
    """Share of each script in the letters of the texts, highest first; empty without letters."""
    counts = script_counts(texts)
    total = sum(counts.values())
    return {script: count / total for script, count in counts.items()}
