"""Probes: a positive that says the same in other words or in another form."""

import re

import numpy as np

from negmine.transforms.kernels.editing.code import is_code
from negmine.transforms.kernels.editing.edit import Asked, Edit, replaced, words
from negmine.transforms.kernels.editing.words import PHRASES, SYNONYMS
from negmine.transforms.kernels.hashing import mix, text_keys

_MOST_SYNONYMS = 5
_REPEATED = 0.32
_PHRASE = re.compile("|".join(rf"(?<!\w){re.escape(a)}(?!\w)" for a, _ in PHRASES))
_SAME = dict(PHRASES)
_CURLY = str.maketrans({"'": "’", "-": "‐"})


def synonym(asked: Asked) -> Edit | None:
    """Up to five words changed to near-synonyms."""
    if not asked.english:
        return None
    found = [w for w in words(asked.positive) if w.group() in SYNONYMS][:_MOST_SYNONYMS]
    by = [SYNONYMS[w.group()] for w in found]
    return replaced("synonym", asked.positive, [w.span() for w in found], by) if found else None


def paraphrase(asked: Asked) -> Edit | None:
    """Phrases changed to others that say the same, and contractions made."""
    found = list(_PHRASE.finditer(asked.positive)) if asked.english else []
    by = [_SAME[m.group()] for m in found]
    return replaced("paraphrase", asked.positive, [m.span() for m in found], by) if found else None


def repetition(asked: Asked) -> Edit | None:
    """Some words said twice, as ESimCSE (arXiv 2109.04380) does: up to 32 % of them, by keyed hash.

    The text grows and says no more, so it shows whether similarity follows length.
    """
    found = words(asked.positive)
    if not found:
        return None
    keys = mix(asked.key, text_keys(["repetition"]), np.arange(len(found) + 1, dtype=np.uint64))
    most = max(2, int(_REPEATED * len(found)))
    count = 1 + int(keys[-1] % np.uint64(min(most, len(found))))
    chosen = [found[at] for at in np.sort(np.argsort(keys[:-1], kind="stable")[:count])]
    by = [f"{w.group()} {w.group()}" for w in chosen]
    return replaced("repetition", asked.positive, [w.span() for w in chosen], by)


def _whole(operation: str, asked: Asked, text: str) -> Edit | None:
    if text == asked.positive:
        return None
    return Edit(operation, 0, len(asked.positive), asked.positive, text, 1, text)


def case(asked: Asked) -> Edit | None:
    """The text in lower case."""
    return _whole("case", asked, asked.positive.lower())


def white_space(asked: Asked) -> Edit | None:
    """Every space doubled; of code those that indent it."""
    pattern = r"(?m)^( +)" if is_code(asked.positive) else "( )"
    return _whole("white_space", asked, re.sub(pattern, r"\1\1", asked.positive))


def typography(asked: Asked) -> Edit | None:
    """Straight quotes and hyphens changed to the typographic ones."""
    text = re.sub(r'"([^"\n]*)"', r"“\1”", asked.positive).translate(_CURLY)
    return _whole("typography", asked, text)
