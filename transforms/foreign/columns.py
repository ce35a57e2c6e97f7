"""Triplets and n-tuples of sentence-transformers: anchor, positive, negatives, by column order."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms.foreign.files import container, objects, open_table
from negmine.transforms.foreign.rows import Negative, Row, broken, text
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.storage.digests import Digest

LABELS = ("label", "labels", "score", "scores")
"""Columns that sentence-transformers takes for the label, wherever they stand."""
_OF_TEXT = r"(_?(text|passage|document|doc))?"
_ROLES = {
    "anchor": re.compile(rf"(anchor|query|question){_OF_TEXT}", re.I),
    "positive": re.compile(rf"pos(itive)?{_OF_TEXT}", re.I),
    "negative": re.compile(rf"(hard_?)?neg(ative)?s?{_OF_TEXT}([_ -]?\d+)?{_OF_TEXT}", re.I),
}
"""What names of columns say about themselves."""
_ID = re.compile(r"(^|[_ -])u?u?ids?$|^[qpd](oc)?id$", re.I)


def text_columns(
    path: str | Path, names: Sequence[str], texts: Sequence[bool], format: str
) -> list[str]:
    """Anchor, positive and negatives among a file's columns: those of text, in their order.

    Raises DataError, naming the columns there are, where their number is not the format's.
    """
    found, _ = split(names, texts)
    shown = ", ".join(found) or "none"
    if len(found) < 3:
        raise DataError(
            f"{path} has {len(found)} columns of text ({shown}; all columns: {', '.join(names)}); "
            f"--format {format} needs an anchor, a positive and a negative, in this order"
        )
    if format == "triplet" and len(found) > 3:
        raise DataError(
            f"{path} has {len(found)} columns of text ({shown}) and a triplet has three; give "
            "--format n_tuple, or take the others out"
        )
    _check_names(path, found, format)
    return found


def split(names: Sequence[str], texts: Sequence[bool]) -> tuple[list[str], list[str]]:
    """Columns of text that count, and those that are left alone.

    Where negatives are named so, other columns behind an anchor and a positive are no negatives.
    """
    known = zip(names, texts, strict=True)
    found = [name for name, is_text in known if is_text and name not in LABELS]
    if not any(_ROLES["negative"].fullmatch(name) for name in found):
        return found, []
    others = [name for name in found if not _ROLES["negative"].fullmatch(name)][2:]
    return [name for name in found if name not in others], others


def _check_names(path: str | Path, found: Sequence[str], format: str) -> None:
    """Raise DataError where names say something else than the order of the columns."""
    order = ("anchor", "positive", *("negative" for _ in found[2:]))
    for name, role in zip(found, order, strict=True):
        if _ID.search(name):
            raise DataError(
                f"{path}: --format {format} takes columns of text by their order, and {name!r}, "
                f"which is called like an identifier, would be the {role}; take it out"
            )
        said = next((r for r, pattern in _ROLES.items() if pattern.fullmatch(name)), role)
        if said != role:
            raise DataError(
                f"{path}: --format {format} takes columns of text by their order, and {name!r} "
                f"would be the {role}; put them in the order anchor, positive, negatives "
                f"(found: {', '.join(found)})"
            )


def left_alone(path: str | Path, format: str) -> list[str]:
    """Columns of text that are not audited. Raises DataError as `rows`."""
    if container(path) == "jsonl":
        _, record, _ = next(objects(path, format), (0, dict[str, object](), b""))
        return split(list(record), [_may_be_text(value) for value in record.values()])[1]
    with open_table(path) as (schema, _):
        return split(schema.names, [is_text(field.type) for field in schema])[1]


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow column holds text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _may_be_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def json_columns(path: str | Path, record: JsonObject, format: str) -> list[str]:
    """`text_columns` of a JSON Lines file, by its first line; a null counts as text."""
    kinds = [_may_be_text(value) for value in record.values()]
    return text_columns(path, list(record), kinds, format)


def rows(path: str, format: str, digest: Digest | None = None) -> Iterator[Row]:
    """The file's rows. Raises DataError naming file and row."""
    if container(path) == "jsonl":
        columns = None
        for number, record, _ in objects(path, format, digest):
            columns = columns or json_columns(path, record, format)
            yield _row(path, number, [record.get(name) for name in columns], columns, format)
        return
    with open_table(path, digest) as (schema, batches):
        kinds = [is_text(field.type) for field in schema]
        columns = text_columns(path, schema.names, kinds, format)
        number = 0
        for batch in batches:
            values = [batch.column(name).to_pylist() for name in columns]
            for row in zip(*values, strict=True):
                number += 1
                yield _row(path, number, row, columns, format, table=True)


def _row(
    path: str,
    number: int,
    values: Sequence[object],
    columns: list[str],
    format: str,
    table: bool = False,
) -> Row:
    try:
        query, positive = (text(values[at], columns[at]) for at in (0, 1))
        negatives = tuple(
            Negative("", place, text(value, columns[place + 1]))
            for place, value in enumerate(values[2:], 1)
            if value is not None
        )
        if not negatives:
            raise Rejected("missing", f"{columns[2]} is missing")
    except Rejected as why:
        raise broken(path, number, why, format, table) from None
    return Row(number, query, (positive,), negatives)
