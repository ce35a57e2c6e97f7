"""Another number, another date: in any language, for what the query itself states."""

import re
from collections.abc import Iterator

from negmine.transforms.kernels.editing.edit import Asked, Edit, replaced, words
from negmine.transforms.kernels.editing.words import (
    BOUNDS,
    FUNCTION_WORDS,
    MONTHS,
    NUMBER_WORDS,
)

_NUMBER = re.compile(
    r"(?<![\w.,·/:^'’+-])(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,12})(?:\.[0-9]{1,6})?(?![\w·/:^+-]|[.,]\d|\s*[-–/]\s*\d)"
)
_YEAR = re.compile(r"(?<![\w.,·/-])(1[5-9][0-9]{2}|20[0-9]{2})(s?)(?![\w·/-]|[.,]\d)")
_MONTH = re.compile(rf"\b({'|'.join(MONTHS)})\b")
_DATED = re.compile(
    rf"(?:\b(?:in|of|since|from|to|by|during|until|before|after|between|and|the|{'|'.join(MONTHS)})"
    r"|\d,|\()\s*$"
)
"""What stands before a year, and not before a number of things."""
_ONWARDS = re.compile(
    r"\s*\S*\s*(?:and|or)\s+(?:older|over|more|above|under|less|fewer|younger|below)\b"
)
_LOOSE = frozenset("<>≤≥~≈±")
_SPECIFIC = 100
"""Smaller whole numbers count only beside a word that stands beside them in the query too."""
_FARTHEST = 25
_LATEST = 2015
"""No year becomes one after this, which the text could not have told of."""


def _value(written: str) -> float:
    return float(written.replace(",", ""))


def is_year(written: str) -> bool:
    """Whether a number is written as a year from 1500 to 2099."""
    return bool(_YEAR.fullmatch(written))


def _numbers(text: str) -> Iterator[re.Match[str]]:
    """Numbers that stand for themselves: no years, no part of a name, a range or a bound."""
    for found in _NUMBER.finditer(text):
        before = text[max(0, found.start() - 30) : found.start()]
        near = [word.group().casefold() for word in words(before)[-2:]]
        loose = before.rstrip()[-1:] in _LOOSE if before.strip() else False
        loose = loose or bool(_ONWARDS.match(text[found.end() : found.end() + 40]))
        if not is_year(found.group()) and not loose and not BOUNDS.intersection(near):
            yield found


def _beside(text: str, found: re.Match[str]) -> set[str]:
    """Words next to a number, without function words, by their first five letters."""
    left = words(text[max(0, found.start() - 40) : found.start()])[-1:]
    right = words(text[found.end() : found.end() + 40])[:1]
    near = {word.group().casefold() for word in (*left, *right)}
    return {word[:5] for word in near - FUNCTION_WORDS if not word.isdecimal()}


def _left(text: str, written: str) -> bool:
    """Whether a value is still there in digits, alone or inside of something else, or in words."""
    digits = re.escape(written.replace(",", ""))
    if re.search(rf"(?<!\d){digits}(?!\d)", text.replace(",", "")):
        return True
    named = {word for word, value in NUMBER_WORDS.items() if value == _value(written)}
    return any(word.group().casefold() in named for word in words(text))


def _others(written: str) -> list[str]:
    """Numbers written alike that differ from this one by a fifth or more, and by no more than half.

    40 gives 20 to 32 and 48 to 60; 2.5 gives 1.2 to 2.0 and 3.0 to 3.8.
    """
    whole, point, digits = written.replace(",", "").partition(".")
    scaled = int(whole + digits)
    least = max(1, -(-scaled // 5))
    reach = range(least, max(least + 3, scaled // 2) + 1)
    step = max(1, len(reach) // _FARTHEST)
    values = [scaled + sign * d for d in reach[::step] for sign in (1, -1)]
    made = []
    for value in values:
        if value <= 0:
            continue
        if point:
            number = f"{value // 10 ** len(digits)}.{value % 10 ** len(digits):0{len(digits)}d}"
        else:
            number = f"{value:,}" if "," in written else str(value)
        if not is_year(number) and len(number) == len(written):
            made.append(number)
    return made


def number(asked: Asked) -> Edit | None:
    """Every mention of a number that the query states, changed by a fifth to a half of its value.

    A bound, a guess, a range, or a part of a name is left alone, and so is a text that has the
    value in another form too.
    """
    stated: dict[str, set[str]] = {}
    for found in _numbers(asked.query):
        stated.setdefault(found.group(), set()).update(_beside(asked.query, found))
    for written in asked.order("number", stated):
        mine = [m for m in _numbers(asked.positive) if m.group() == written]
        close = any(_beside(asked.positive, m) & stated[written] for m in mine)
        specific = "." in written or _value(written) >= _SPECIFIC
        if not mine or not (close or specific):
            continue
        percent = asked.positive[mine[0].end() :].lstrip()[:1] == "%"
        choices = [c for c in _others(written) if not percent or _value(c) <= _SPECIFIC]
        for other in asked.order(written, choices):
            if _left(asked.stated, other):
                continue
            edit = replaced("number", asked.positive, [m.span() for m in mine], [other] * len(mine))
            return None if _left(edit.text, written) else edit
    return None


def date(asked: Asked) -> Edit | None:
    """Every mention of a year, or else of a month, that the query states, changed to another."""
    return _year(asked) or _named_month(asked)


def _year(asked: Asked) -> Edit | None:
    stated = {
        found[1]
        for found in _YEAR.finditer(asked.query)
        if found.start() == 0 or _DATED.search(asked.query[: found.start()])
    }
    for year in asked.order("year", stated):
        mine = [m for m in _YEAR.finditer(asked.positive) if m[1] == year]
        if not mine:
            continue
        decade = 10 if any(m[2] for m in mine) else 1
        steps = [
            s * d * decade for d in (range(2, 21) if decade == 1 else (1, 2, 3)) for s in (1, -1)
        ]
        latest = max(int(year), _LATEST)
        choices = [str(int(year) + step) for step in steps if int(year) + step <= latest]
        for other in asked.order(year, choices):
            if _left(asked.stated, other):
                continue
            by = [other + m[2] for m in mine]
            edit = replaced("date", asked.positive, [m.span() for m in mine], by)
            return None if _left(edit.text, year) else edit
    return None


def _named_month(asked: Asked) -> Edit | None:
    stated = {found.group() for found in _MONTH.finditer(asked.query)} - {"May", "March"}
    for month in asked.order("month", stated):
        mine = [m for m in _MONTH.finditer(asked.positive) if m.group() == month]
        for other in asked.order(month, set(MONTHS) - {"May", "March", month}) if mine else ():
            if other.casefold() in asked.stated:
                continue
            edit = replaced("date", asked.positive, [m.span() for m in mine], [other] * len(mine))
            short = re.compile(rf"\b{month[:3]}", re.IGNORECASE)
            return None if short.search(edit.text) else edit
    return None
