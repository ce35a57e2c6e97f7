"""What stands beside the negatives of a row, one entry each, and has to move with them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError

_OF_DOCUMENTS = re.compile(r"neg|score|label|rank|logit|margin|teacher|doc|passage|ids?$", re.I)
"""Names that can hardly be about anything but the documents of a row."""
_OF_POSITIVES = re.compile(r"pos", re.I)
_NUMBERED = re.compile(r"(.*\D|)(\d+)(\D*)")


def _of_negatives(name: str) -> bool:
    return bool(_OF_DOCUMENTS.search(name)) and not _OF_POSITIVES.match(name)


class Sides(NamedTuple):
    """How many positives a row has, and of each place of a negative whether one is there."""

    positives: int
    negatives: Sequence[bool]


class _Rule(NamedTuple):
    """Whose entries a list has, and whether negatives that are null have one too."""

    whose: str
    wide: bool


def _fitting(values: Sequence[object], sides: Sides) -> set[_Rule]:
    found: set[_Rule] = set()
    starts = {"negatives": 0, "both": sides.positives}
    for whose, first in starts.items():
        absent = [at + first for at, there in enumerate(sides.negatives) if not there]
        if len(values) == first + len(sides.negatives) and all(values[at] is None for at in absent):
            found.add(_Rule(whose, True))
    if not found or all(sides.negatives):
        present = sum(sides.negatives)
        found |= {_Rule(w, False) for w, first in starts.items() if len(values) == first + present}
    if len(values) == sides.positives:
        found |= {_Rule("positives", wide) for wide in (True, False)}
    return found


class Beside:
    """Whose entries the lists of a file have, by their lengths in all rows that stay.

    `own` are the lists of documents themselves. With `padded` rows keep their width by nulls.
    """

    def __init__(self, source: object, own: Iterable[str], padded: bool = False) -> None:
        self._source = source
        self._own = frozenset(own)
        self._padded = padded
        self._rules: dict[str, set[_Rule]] = {}
        self._broken: dict[str, int] = {}

    def _lists(self, record: Mapping[str, object]) -> Iterator[tuple[str, list[object]]]:
        for key, values in record.items():
            if key not in self._own and isinstance(values, list) and values:
                yield key, values

    def see(self, number: int, record: Mapping[str, object], sides: Sides) -> None:
        """Take a row into account."""
        for key, values in self._lists(record):
            fitting = _fitting(values, sides)
            left = self._rules[key] & fitting if key in self._rules else fitting
            if not left:
                self._broken.setdefault(key, number)
            self._rules[key] = left

    def without(self, record: JsonObject, sides: Sides, keep: Sequence[int]) -> JsonObject:
        """The lists that change where only the negatives at `keep` (from 0) are left.

        Raises DataError where it is not to be told whose entries a list has.
        """
        changed: JsonObject = {}
        for key, values in self._lists(record):
            rule = self._rule(key)
            if rule is None or rule.whose == "positives":
                continue
            first = sides.positives if rule.whose == "both" else 0
            places = [at for at, there in enumerate(sides.negatives) if there or rule.wide]
            left = [value for at, value in zip(places, values[first:], strict=True) if at in keep]
            padding = len(places) - len(left) if self._padded and rule.wide else 0
            changed[key] = [*values[:first], *left, *[None] * padding]
        return changed

    def _rule(self, key: str) -> _Rule | None:
        """The rule of a list; None where it has nothing to do with documents."""
        rules = self._rules[key]
        whose = {rule.whose for rule in rules}
        if len(whose) > 1:
            for start, name in (("neg", "negatives"), ("pos", "positives")):
                if start in key.lower() and name in whose:
                    whose = {name}
                    break
            else:
                raise DataError(
                    f"--fix: {key!r} in {self._source} has in every row as many entries as there "
                    "are positives, and as there are negatives; begin its name with neg_ or pos_, "
                    "or take it out"
                )
        if not whose and _of_negatives(key):
            raise DataError(
                f"--fix: {key!r} in {self._source} row {self._broken[key]} does not have an entry "
                "for each negative, or for each positive and negative, as the rows before; so its "
                "entries cannot go with them. Repair the column, or take it out"
            )
        if not whose:
            return None
        (name,) = whose
        return _Rule(name, _Rule(name, True) in rules)


def numbered(source: object, columns: Sequence[str], names: Iterable[str]) -> list[list[str]]:
    """Columns NAME_1 .. NAME_n beside the columns of negatives, as these are numbered.

    Raises DataError for numbered columns that may belong to the negatives and do not fit.
    """
    parts = [_NUMBERED.fullmatch(name) for name in columns]
    numbers = [int(part[2]) if part else -1 for part in parts]
    families: dict[tuple[str, str], dict[int, str]] = {}
    for name in names:
        part = None if name in columns else _NUMBERED.fullmatch(name)
        if part:
            families.setdefault((part[1], part[3]), {})[int(part[2])] = name
    found = []
    for (before, after), family in families.items():
        others = family.keys() - set(numbers)
        if family.keys() >= set(numbers) and others <= {min(numbers) - 1} and min(numbers) >= 0:
            found.append([family[number] for number in numbers])
        elif _of_negatives(before + after):
            raise DataError(
                f"--fix: the columns {', '.join(family.values())} of {source} are not numbered as "
                f"{', '.join(columns)} are, so they cannot move with them; rename them, take them "
                "out, or leave out --keep-short"
            )
    return found
