"""Parts of a text: its first sentence, independent crops, and passages from start to end."""

import re

import numpy as np

from negmine.transforms.kernels.hashing import mix, text_keys

LEAST_WORDS = 3
"""Words of a sentence that asks, and of what is left to answer."""

_ENDS = ".!?…。！？।؟"
_CLOSING = "\"'”’»)]」』"
_UNSPACED = 10
"""Letters a word above which a text is taken for one that is written without spaces."""


def first_sentence(text: str) -> tuple[str, str] | None:
    """A text's first sentence, or its first line, and the rest; None where either is too short.

    A sentence ends at a mark such as `.`, `?` or `。`, closing quotes included, where white space
    follows; after marks of scripts without spaces anything may.
    """
    for at, letter in enumerate(text):
        if letter not in _ENDS and letter != "\n":
            continue
        end = at + 1
        while end < len(text) and text[end] in _CLOSING + _ENDS:
            end += 1
        spaced = letter in "\n。！？" or end == len(text) or text[end].isspace()
        head, rest = text[:end].strip(), text[end:].strip()
        if spaced and _long(head):
            return (head, rest) if _long(rest) else None
    return None


def _long(text: str) -> bool:
    words = text.split()
    return len(words) >= LEAST_WORDS or (len(text) >= 4 * LEAST_WORDS and _is_unspaced(text, words))


def _is_unspaced(text: str, words: list[str]) -> bool:
    return not text.isascii() and len(text) > _UNSPACED * len(words)


def two_crops(
    text: str, key: str, shares: tuple[float, float], seed: int
) -> tuple[str, str] | None:
    """Two spans of a text, drawn independently of each other; None where it is too short.

    The recipe of independent cropping (arXiv 2112.09118): each span's length is a share of the
    text's, uniform between `shares`, and its place is uniform too. Spans are of whole words, in
    scripts without spaces of letters. `seed` and `key` are all that the choice depends on.
    """
    words = text.split()
    unspaced = _is_unspaced(text, words)
    units, joint = (list(text), "") if unspaced else (words, " ")
    least = LEAST_WORDS * (4 if unspaced else 1)
    if len(units) < 2 * least:
        return None
    drawn = mix(seed, text_keys([key]), np.arange(4, dtype=np.uint64)).astype(np.float64) / 2.0**64
    spans = []
    for share, place in drawn.reshape(2, 2).tolist():
        wanted = round(len(units) * (shares[0] + share * (shares[1] - shares[0])))
        length = min(max(wanted, least), len(units))
        start = min(int(place * (len(units) - length + 1)), len(units) - length)
        spans.append(joint.join(units[start : start + length]).strip())
    asking, answering = spans
    return (asking, answering) if asking and answering and asking != answering else None


def passages(text: str, words: int, overlap: int) -> list[str]:
    """A text in passages of so many words, each with the last `overlap` words of the one before.

    Passages are cut from the text as it is written. What is left at the end stays with the last one
    where it is less than half a passage, so that none is much shorter than the others. In scripts
    without spaces four letters count as a word.
    """
    unspaced = _is_unspaced(text, text.split())
    found = [match.span() for match in re.finditer(r"\S{1,4}" if unspaced else r"\S+", text)]
    step = words - overlap
    starts = [at for at in range(0, len(found), step) if len(found) - at - overlap >= words / 2]
    starts = starts or [0]
    stops = [start + words for start in starts[:-1]] + [len(found)]
    pairs = zip(starts, stops, strict=True)
    return [text[found[start][0] : found[stop - 1][1]] for start, stop in pairs if found]
