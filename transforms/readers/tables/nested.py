"""Values within values: paths such as `answers.text`, `passages[].text` and `turns[0]`."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from negmine.transforms.readers.rows import Rejected

Step = str | int | None
"""A key of an object, a place in a list, or None for every element of it."""

_STEP = re.compile(r"\[(\d{0,9})\]|(?:^|\.)([^.\[\]]+)")
TEXTS = ("text", "document_text", "passage", "contents", "content", "body")
"""Keys that hold the text of an object, the likeliest first."""


class Path(NamedTuple):
    """A column and the way from its value to the one that is wanted."""

    column: str
    steps: tuple[Step, ...] = ()

    def of(self, value: object) -> object:
        """The value at the end of the way; where it leads through a list, a list of those there.

        None where something is not there. Raises Rejected where the way goes into a text or number.
        """
        return _walk(value, self.steps, self.column)


def path_of(written: str, names: Sequence[str]) -> Path | None:
    """The path that is written, among columns of these names; None where no column begins it.

    A column of exactly that name comes first.
    """
    if written in names:
        return Path(written)
    for end in range(len(written) - 1, 0, -1):
        if written[end] in ".[" and written[:end] in names:
            steps = _steps(written[end:])
            return None if steps is None else Path(written[:end], steps)
    return None


def _steps(rest: str) -> tuple[Step, ...] | None:
    found: list[Step] = []
    at = 0
    while at < len(rest):
        match = _STEP.match(rest, at) if at or rest[0] != "." else _STEP.match(rest)
        if match is None:
            return None
        place, key = match.groups()
        found.append(key if key is not None else int(place) if place else None)
        at = match.end()
    return tuple(found)


def _walk(value: object, steps: tuple[Step, ...], where: str) -> object:
    if not steps or value is None:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        if not isinstance(value, list):
            raise Rejected("wrong_type", f"{where} is {type(value).__name__}, expected a list")
        return _walk(value[step], rest, where) if step < len(value) else None
    if isinstance(value, list):
        # A key of a list is that key of each of its elements, whether [] is written or not.
        inner = rest if step is None else steps
        found = [_walk(element, inner, where) for element in value]
        return (
            [one for f in found for one in (f if isinstance(f, list) else [f])] if inner else found
        )
    if step is None:
        return _walk(value, rest, where)
    if not isinstance(value, dict):
        raise Rejected("wrong_type", f"{where} is {type(value).__name__}, expected an object")
    return _walk(value.get(step), rest, f"{where}.{step}")


def is_conversation(value: object) -> bool:
    """Whether a value is a list of messages, `{"role": ..., "content": ...}`."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and "role" in item and "content" in item for item in value)
    )


def message(value: list[object]) -> object:
    """What a conversation says: its last message, system messages aside."""
    said = [item for item in value if isinstance(item, dict) and _role(item) != "system"]
    return said[-1]["content"] if said else None


def _role(item: dict[str, object]) -> object:
    role = item["role"]
    return role.decode("utf-8", "replace") if isinstance(role, bytes) else role


def elements(value: object) -> list[object]:
    """The elements of a list, the conversations among them as what they say; else the value."""
    if not isinstance(value, list):
        return [value]
    if is_conversation(value):
        return [message(value)]
    return [message(v) if isinstance(v, list) and is_conversation(v) else v for v in value]


def is_nothing(value: object) -> bool:
    """Whether a value only pads: null or NaN."""
    return value is None or value != value
