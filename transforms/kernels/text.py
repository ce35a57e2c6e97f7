"""What "the same text" means: identity, near-duplicate tokens and terms, kept apart.

| notion | decides | loses |
|---|---|---|
| `identity` | equal queries, known pairs, same text, hold-out | case, kinds of space |
| `tokens` | near-duplicates, by shingles of them | punctuation around words, compatibility forms |
| `terms` | BM25 and the lexical metrics | symbols, but those of identifiers such as C++ |

Identity must never take two texts for one that a reader would answer differently, so it loses
nothing that tells texts apart. The other two only rank and compare, and may be lax.
"""

import re
import unicodedata
from itertools import pairwise

import regex

_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\p{Yi}\p{Thai}\p{Lao}\p{Khmer}"
    r"\p{Myanmar}\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\u30fc"
)
"""Scripts without spaces between words, and Hangul, which writes particles onto its words."""
_LETTER = rf"[[{_UNSPACED}]--\p{{Nd}}--\p{{P}}--\p{{S}}--\p{{M}}]"
_CLUSTER = regex.compile(r"(?V1)\P{M}\p{M}*")
"""A letter with its marks."""
_RUN = regex.compile(rf"(?V1){_LETTER}")
_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}_]--{_LETTER}]+"

_OPENING, _CLOSING = r"(\[{\"'`", r".,;:!?)\]}\"'`"
_EDGE = rf"(?:(?<![^\s{_OPENING}])[{_OPENING}]|[{_CLOSING}]{{1,8}}(?:\s|$))"
"""ASCII punctuation before or after a word; within (a.b, a[b]) and by itself it is a symbol."""
_PUNCTUATION = "«»‘’‚‛“”„‟‹›¿¡…。、！？，；：「」『』（）【】《》〈〉〔〕؟،؛۔।॥"
_SYMBOL = rf"(?!{_EDGE})[^\s{_PUNCTUATION}]"
_NUMBER = r"\d+(?:[.,]\d+){1,8}(?!\w)"
_AFTER = r"(?:\+\+|[+#](?!\w))?"
"""What belongs to the identifier before it: C++, C#, CD4+."""

_TOKEN = regex.compile(rf"(?V1){_LETTER}\p{{M}}*|{_WORD}|{_SYMBOL}")
_TERM = regex.compile(
    rf"(?V1)(?:{_LETTER}\p{{M}}*)+|{_NUMBER}"
    rf"|(?:(?<![\p{{L}}\p{{M}}\p{{N}}_.])\.(?=\p{{L}}))?{_WORD}{_AFTER}"
)
_BEYOND_PLAIN = re.compile("[^\0-\u02ff\u0370-\u0482\u048a-\u058f\u1e00-\u20cf\u2100-\u2bff]")
"""Letters that need `regex`: marks, and scripts without spaces; `re` is faster for the rest."""
_PLAIN_TOKEN = re.compile(rf"\w+|{_SYMBOL}")
_PLAIN_TERM = re.compile(rf"{_NUMBER}|(?:(?<![\w.])\.(?=[^\W\d_]))?\w+{_AFTER}")
_PART = regex.compile(rf"(?V1){_WORD}")
_POINTS = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]+"
)
"""Vowel points of Hebrew and Arabic and the Arabic stretcher: most texts leave them out."""
_HAS_WORD = re.compile(r"[^\W_]")


def identity(text: str) -> str:
    """The text as it is compared for equality: NFC, lower case, each run of white space one space.

    Lower case and not case folding, which takes ß for ss and so Maße for Masse. No letter, mark,
    digit, symbol or emoji is lost.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    lower = unicodedata.normalize("NFC", text).lower().replace("ς", "σ")
    return " ".join(unicodedata.normalize("NFC", lower).split())


def _folded(text: str) -> str:
    """Compatibility forms and case taken away: NFKC, casefold."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def tokens(text: str) -> list[str]:
    """What shingles are made of: words with their marks, single letters of unspaced scripts, and
    every symbol; punctuation at the edges of words is left out.

    A text without a letter or digit is one token, its identity: it equals its like and is near to
    nothing else.
    """
    if not _HAS_WORD.search(text):
        return ["\0" + identity(text)]
    plain = _folded(text)
    return list((_TOKEN if _BEYOND_PLAIN.search(plain) else _PLAIN_TOKEN).findall(plain))


def raw_terms(text: str) -> list[str]:
    """Pieces of a text that `terms` takes apart: words, identifiers, numbers, unspaced runs.

    Vowel points of Hebrew and Arabic, which one writer sets and another does not, are left out.
    """
    plain = _folded(text)
    if not _BEYOND_PLAIN.search(plain):
        return _PLAIN_TERM.findall(plain)
    return list(_TERM.findall(_POINTS.sub("", plain)))


def terms(piece: str) -> tuple[list[str], list[str]]:
    """Terms of a piece of `raw_terms`: words, which may be stemmed, and those kept as they are.

    An unspaced run becomes overlapping bigrams of its letters, each with its marks (a single one
    stays). A number with points or commas is one term; an identifier with symbols (C++, .NET)
    is kept whole beside its word. Words of one letter are left out, digits are not.
    """
    if piece.isascii() and piece.replace("_", "a").isalnum():
        return ([piece] if len(piece) > 1 or piece.isdecimal() else []), []
    if _RUN.match(piece):
        letters = _CLUSTER.findall(piece)
        if len(letters) == 1:
            return [], letters
        return [], [a + b for a, b in pairwise(letters)]
    words = [word for word in _PART.findall(piece) if len(word) > 1 or word.isdecimal()]
    if _PART.fullmatch(piece):
        return words, []
    return [] if piece[0].isdecimal() and piece[-1].isdecimal() else words, [piece]
