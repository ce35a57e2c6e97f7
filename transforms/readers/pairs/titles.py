"""Whether a pool's titles belong to its texts: as they do in the positives, or not."""

from collections.abc import Iterable
from itertools import islice
from typing import Literal

from negmine.schemas.errors import DataError
from negmine.transforms.readers.pairs.columns import PairColumns
from negmine.transforms.readers.rows import Rejected, heading
from negmine.transforms.readers.tables.nested import elements
from negmine.transforms.readers.tables.values import Values

HEAD = 100
"""Rows of a file whose positives are looked at."""

Form = Literal["text", "object", "titled"]


def form_of(columns: PairColumns, rows: Iterable[Values]) -> Form | None:
    """What the positives of a file are: texts, objects of a text, or of a title and a text.

    Its first rows tell; None where none of them has a positive.
    """
    found: set[Form] = set()
    for _, values, _ in islice(rows, HEAD):
        if not isinstance(values, Rejected):
            found.update(_forms(columns, values))
    return next((form for form in ("titled", "object", "text") if form in found), None)


def _forms(columns: PairColumns, values: list[object]) -> Iterable[Form]:
    for path, value in zip(columns.positives, values[1:], strict=False):
        try:
            given = elements(path.of(value))
        except Rejected:
            continue
        for one in given:
            if isinstance(one, dict):
                yield "titled" if heading(one.get("title")) else "object"
            elif isinstance(one, str | bytes):
                yield "text"


def are_read(forms: Iterable[tuple[str, Form | None]], pool: str, title: str) -> bool:
    """Whether the titles of a pool are read, by the forms of the positives of each file.

    Raises DataError where they are of several forms, or objects whose titles may be in their text.
    """
    known = {form: where for where, form in forms if form}
    if not known or known.keys() == {"text"}:
        return False
    if known.keys() == {"titled"}:
        return True
    decides = (
        f"input.pool_title: {title} puts it before each text, input.pool_title: null reads the "
        "text alone, as the positives are"
    )
    if known.keys() == {"object"}:
        raise DataError(
            f"{pool} has titles in {title!r}, and the positives of {known['object']} are objects "
            f"without one, so whether their texts hold it cannot be told; {decides}"
        )
    shown = {"titled": "with a title", "object": "without a title", "text": "texts alone"}
    ways = ", ".join(f"{where} ({shown[form]})" for form, where in sorted(known.items()))
    raise DataError(
        f"{pool} has titles in {title!r}, and positives are written in several ways: {ways}. Write "
        f"them in one; {decides}"
    )
