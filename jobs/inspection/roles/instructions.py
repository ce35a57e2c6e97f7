"""Pairs of an instruction and a text where texts are expected, as MEDI and INSTRUCTOR have them."""

import json
from collections import Counter

from negmine.jobs.inspection.heads import Head
from negmine.jobs.inspection.roles.asked import option, quoted
from negmine.jobs.inspection.roles.understood import Settings, Understood
from negmine.jobs.terminal import printable
from negmine.schemas.errors import DataError

_TEXTS = ("query", "positive", "given negative")
_FEWEST = 3
"""Rows below which nothing recurs for a reason."""
_RECUR, _DIFFER = 0.9, 0.5
"""Share of the first texts that come again from which on they are instructions, and of the second
ones from which on these are like them."""


def refuse_instructions(head: Head, found: Understood, settings: Settings) -> None:
    """Raise DataError where a text is two, an instruction that other rows share and the text.

    As two positives, the instruction would be the right answer to every query. A column of
    positives that was named is read as it stands.
    """
    held = {name: _instruction(head, name) for name, role in found.roles.items() if role in _TEXTS}
    columns = {name: text for name, text in held.items() if text is not None}
    named = settings.get("positive")
    if named is not None:
        columns = {n: t for n, t in columns.items() if found.roles[n] == "query"}
    if not columns:
        return
    name, instruction = next(iter(columns.items()))
    one = found.roles[name].removeprefix("given ")
    cut = " | ".join(f".[{json.dumps(column)}] |= .[1]" for column in columns)
    way_out = "" if one == "query" else f". Where they are two texts: --positive {option(name)}"
    raise DataError(
        f"{head.path}: each {quoted(name)} is two texts, an instruction that rows share "
        f"({printable(repr(instruction[:60]))}) and the {one} itself; leave the text alone "
        f"(of JSON lines: jq -c '{cut}' FILE > texts.jsonl) and give the student its instructions "
        f"as student.query_prompt and student.document_prompt{way_out}"
    )


def _instruction(head: Head, name: str) -> str | None:
    """The commonest first text of a column's lists of two; None where they are no such pairs."""
    pairs = [value for row in head.rows if (value := row.get(name)) is not None]
    two = [pair for pair in pairs if isinstance(pair, list) and len(pair) == 2]
    texts = [(a, b) for a, b in two if isinstance(a, str) and isinstance(b, str)]
    if len(texts) < _FEWEST or len(texts) < _RECUR * len(pairs):
        return None
    first, second = (Counter(pair[place] for pair in texts) for place in range(2))
    if _recurring(first) < _RECUR or _recurring(second) > _DIFFER:
        return None
    return first.most_common(1)[0][0]


def _recurring(counts: Counter[str]) -> float:
    """Share of values that come more than once."""
    return sum(count for count in counts.values() if count > 1) / counts.total()
