"""Edits of the answering sentence of an English text: negation, antonym, order of arguments."""

import re

from negmine.transforms.kernels.editing.edit import Asked, Edit, replaced, words
from negmine.transforms.kernels.editing.sentences import answering, stem, terms
from negmine.transforms.kernels.editing.words import (
    ANTONYMS,
    AUXILIARIES,
    DIRECTED,
    FALLING,
    FUNCTION_WORDS,
    NEGATIONS,
    RISING,
    listed,
)

_NOT = re.compile(
    r"\b(is|are|was|were|can|could|will|would|should|has|have|had)(\s+not\b|not\b|n['’]t\b)"
)
_ONLY = listed("only just merely simply necessarily yet until")
_JOINED_BEFORE = re.compile(r"(?:[/-]|\b(?:and|or) )$")
_JOINED_BEHIND = re.compile(r"[/-]|,? (?:and|or)\b")
_SHORT = re.compile(r"(?: [\w-]+){0,3} \([A-Z]{2,}")
_IDIOM = re.compile(r"\b(?:named|look|looks|looked|looking) after$", re.IGNORECASE)
_INDIRECT = listed("how whether why if unless")
_PASSIVE = listed("is are was were")
_LONGEST_SIDE = 3


def _said(asked: Asked) -> tuple[int, int, list[re.Match[str]], set[str]] | None:
    """Span of the answering sentence, its words, and the query's terms."""
    span = answering(asked) if asked.english else None
    if span is None:
        return None
    start, end = span
    found = [w for w in words(asked.positive[:end]) if w.start() >= start]
    return start, end, found, terms(asked.query)


def _negated(text: str) -> bool:
    lower = text.casefold()
    return "n't" in lower or "n’t" in lower or any(w.group() in NEGATIONS for w in words(lower))


def negation(asked: Asked) -> Edit | None:
    """`not` put behind the only auxiliary of the answering sentence, or taken from it.

    The verb that it belongs to must be in the query. It is put in where neither query nor sentence
    is negated, and taken out where both say that they are once, of the same verb: a text without
    its `not` is the better answer to a query that has none.
    """
    said = _said(asked)
    if said is None:
        return None
    start, end, found, wanted = said
    sentence = asked.positive[start:end]
    if _negated(asked.query):
        return _without_not(asked, start, end)
    if _negated(sentence):
        return None
    at = [i for i, word in enumerate(found) if word.group().casefold() in AUXILIARIES]
    if len(at) != 1 or at[0] + 1 >= len(found):
        return None
    auxiliary, behind = found[at[0]], [w.group().casefold() for w in found[at[0] + 1 :]]
    perfect = auxiliary.group().casefold() in {"has", "have", "had"}
    if perfect and not re.search(r"(?:ed|en)$", behind[0]):
        return None
    before = {w.group().casefold() for w in found[: at[0]]}
    if sentence.rstrip().endswith("?") or before & _INDIRECT or "but" in behind:
        return None
    if not _verb_is_stated(behind, wanted):
        return None
    place = auxiliary.end()
    written = asked.positive[auxiliary.start() : place]
    by = "cannot" if written == "can" else f"{written} not"
    return replaced("negation", asked.positive, [auxiliary.span()], [by])


def _verb_is_stated(behind: list[str], wanted: set[str]) -> bool:
    """Whether the first word of meaning behind the auxiliary is one of the query's."""
    verb = _verb(behind)
    return verb is not None and verb in wanted


def _verb(behind: list[str]) -> str | None:
    """Stem of the first word of meaning behind an auxiliary."""
    meant = [w for w in behind if w not in FUNCTION_WORDS and not w.endswith("ly")]
    if not meant or behind[0] in _ONLY or meant[0].startswith("un"):
        return None
    return stem(meant[0])


def _without_not(asked: Asked, start: int, end: int) -> Edit | None:
    denied, one = _denied(asked.query, 0, len(asked.query)), _denied(asked.positive, start, end)
    if denied is None or one is None or denied[1] != one[1]:
        return None
    return replaced("negation", asked.positive, [one[0].span()], [one[0][1]])


def _denied(text: str, start: int, end: int) -> tuple[re.Match[str], str] | None:
    """The only negation of a span, an auxiliary and its `not`, and the verb that it denies."""
    found = list(_NOT.finditer(text, start, end))
    if len(found) != 1 or _negated(text[start : found[0].start()] + text[found[0].end() : end]):
        return None
    verb = _verb([w.group().casefold() for w in words(text[found[0].end() : end])])
    return None if verb is None else (found[0], verb)


def antonym(asked: Asked) -> Edit | None:
    """Every mention of a word that the query states as well, changed to its opposite.

    A text that has the opposite too, or a negation in the answering sentence, is left alone; so is
    one whose answering sentence gives a direction in other words besides.
    """
    said = _said(asked)
    if said is None or _negated(asked.query):
        return None
    start, end, found, _ = said
    if _negated(asked.positive[start:end]):
        return None
    asking = {w.group().casefold() for w in words(asked.query)}
    here = {w.group().casefold() for w in found}
    everywhere = words(asked.positive)
    known = {w.group().casefold() for w in everywhere} | asking
    for word in asked.by_concreteness("antonym", asking & here & ANTONYMS.keys()):
        other = ANTONYMS[word]
        family = {stem(word)}
        directions = {stem(w) for w in here & (RISING | FALLING)} - family
        if stem(other) in {stem(w) for w in known} or (word in RISING | FALLING and directions):
            continue
        mine = [w for w in everywhere if w.group().casefold() == word]
        if any(_is_bound(asked.positive, w) or _is_short_for(asked.positive, w) for w in mine):
            continue
        if any(stem(w.group()) in family for w in everywhere if w not in mine):
            continue
        by = [_like(w.group(), other) for w in mine]
        edit = replaced("antonym", asked.positive, [w.span() for w in mine], by)
        left = re.search(rf"\b{re.escape(word)}\b", edit.text, re.IGNORECASE)
        return None if left else edit
    return None


def _is_bound(text: str, word: re.Match[str]) -> bool:
    """Whether a word is part of a name (Public Health England) or of an idiom (named after)."""
    if not word.group()[:1].isupper():
        return bool(_IDIOM.search(text[max(0, word.start() - 12) : word.end()]))
    before = re.search(r"[A-Z]\S* $", text[max(0, word.start() - 30) : word.start()])
    return bool(before or re.match(r" [A-Z]", text[word.end() : word.end() + 2]))


def _is_short_for(text: str, word: re.Match[str]) -> bool:
    """Whether the phrase of a word is abbreviated behind it, and so stays in other letters."""
    return bool(_SHORT.match(text[word.end() : word.end() + 60]))


def _like(model: str, word: str) -> str:
    """The word in the capitals of another."""
    if model.isupper() and len(model) > 1:
        return word.upper()
    return word.capitalize() if model[:1].isupper() else word


def argument_order(asked: Asked) -> Edit | None:
    """The two sides of a directed verb of the answering sentence, or of `from .. to`, exchanged.

    A side is the run of up to three words of meaning next to the verb, one of them the query's;
    with `was ... by` in between as well. The query has the verb too.
    """
    said = _said(asked)
    if said is None or _negated(asked.query) or _negated(asked.positive[said[0] : said[1]]):
        return None
    _, _, found, wanted = said
    plain = [word.group().casefold() for word in found]
    verbs = [i for i, word in enumerate(plain) if word in DIRECTED and stem(word) in wanted]
    if len(verbs) == 1:
        left = right = verbs[0]
        if left and plain[left - 1] in _PASSIVE:
            left -= 1
            right += 1
            if plain[right : right + 1] != ["by"]:
                return None
        elif plain[left].endswith("ed") and not found[left - 1].group()[:1].isupper():
            return None  # simply supported plates
    else:
        asking = [word.group().casefold() for word in words(asked.query)]
        if {"from", "to"} - set(asking) or plain.count("from") != 1 or plain.count("to") != 1:
            return None
        left, right = plain.index("from"), plain.index("to")
        first = found[left + 1 : right]
        return _exchanged(asked, first, _side(asked, found, right, 1), wanted)
    return _exchanged(
        asked, _side(asked, found, left, -1)[::-1], _side(asked, found, right, 1), wanted
    )


def _exchanged(
    asked: Asked, first: list[re.Match[str]], second: list[re.Match[str]], wanted: set[str]
) -> Edit | None:
    if not first or not second or len(first) > _LONGEST_SIDE:
        return None
    # What lies beyond the query's words may belong to something else: in the end | Carthage was.
    while stem(first[0].group()) not in wanted:
        if not (first := first[1:]):
            return None
    while stem(second[-1].group()) not in wanted:
        if not (second := second[:-1]):
            return None
    before = asked.positive[max(0, first[0].start() - 5) : first[0].start()]
    behind = asked.positive[second[-1].end() : second[-1].end() + 5]
    if _JOINED_BEFORE.search(before) or _JOINED_BEHIND.match(behind):
        return None
    spans = [(side[0].start(), side[-1].end()) for side in (first, second)]
    texts = [asked.positive[start:end] for start, end in spans]
    mine = [terms(text) & wanted for text in texts]
    if not all(mine) or terms(texts[0]) & terms(texts[1]):
        return None
    return replaced("argument_order", asked.positive, spans, texts[::-1])


def _side(asked: Asked, found: list[re.Match[str]], at: int, step: int) -> list[re.Match[str]]:
    """The words of meaning beside word `at`, with nothing but spaces and `the` in between."""
    side: list[re.Match[str]] = []
    last = found[at]
    for word in found[at + 1 :] if step > 0 else found[at - 1 :: -1] if at else []:
        low, high = sorted([last.span(), word.span()])
        plain = word.group().casefold()
        if asked.positive[low[1] : high[0]].strip() or len(side) == _LONGEST_SIDE:
            break
        if plain in FUNCTION_WORDS:
            if side or plain not in {"the", "a", "an"}:
                break
        else:
            side.append(word)
        last = word
    return side
