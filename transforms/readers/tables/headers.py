"""Whether delimited text begins with a header, and where the columns stand that are wanted."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.delimited import Record, Text, records, shown
from negmine.transforms.readers.tables.names import names_a_column, some

CLAIMED: Literal["claimed"] = "claimed"
Header = bool | Literal["auto", "claimed"]
"""True and False are certain of a file; CLAIMED was said of all files, and is checked of each."""

_LEAST = 3
"""Records that have to follow before a first one can be told apart from them by its looks."""


class Layout(NamedTuple):
    """Where the wanted columns stand, None for one that is not there.

    `skip` says that the first record is a header. A record has `least` to `most` fields.
    """

    skip: bool
    at: tuple[int | None, ...]
    least: int
    most: int

    def values(self, fields: list[str]) -> list[Any]:
        """The wanted fields of a record. Raises Rejected where it has too few or too many."""
        if not self.least <= len(fields) <= self.most:
            raise Rejected("wrong_columns", f"{len(fields)} columns, expected {self.least}")
        return [None if at is None else fields[at] for at in self.at]


def placed(text: Text, layout: Layout) -> Iterator[Record]:
    """Line number, the wanted fields or why there are none, and the line, of each record."""
    skip = layout.skip
    for number, fields, data in records(text):
        if skip:
            skip = False
            continue
        try:
            yield number, fields if isinstance(fields, Rejected) else layout.values(fields), data
        except Rejected as why:
            yield number, why, data


def by_name(where: str, names: Sequence[str], columns: Sequence[str | None]) -> Layout:
    """The layout of a header with these names. Raises DataError where one stands twice."""
    for column in columns:
        if column is not None and names.count(column) > 1:
            raise DataError(f"{where} has {names.count(column)} columns {column!r}; rename them")
    at = tuple(None if column is None else names.index(column) for column in columns)
    return Layout(True, at, len(names), len(names))


def is_number(field: str) -> bool:
    """Whether a field is written as a number."""
    try:
        float(field)
    except ValueError:
        return False
    return True


def find_layout(
    where: str,
    key: str,
    first: list[str] | None,
    following: Sequence[list[str]],
    header: Header,
    roles: Sequence[str],
    named: Callable[[Sequence[str]], Sequence[str | None] | None],
    positional: Layout,
) -> Layout:
    """By name where the first record is certainly a header, else as the format orders columns.

    Args:
        where, key: file and the setting that names it, for messages; "" for none of `input`.
        first, following: as `head` gives them.
        header: what `header_of` says.
        roles: of the columns that have to be there, for messages.
        named: the wanted columns among a header's names, None where those that must be there are
            not.
        positional: the layout without a header.

    Raises DataError where the first record is likely a header, but not one of known names, or is
    claimed to be one and does not look like it.
    """
    if first is None or header is False:
        return positional
    names = [field.strip() for field in first]
    columns = None if any(map(is_number, names)) else named(names)
    # pandas writes its index first, in a column without a name.
    if columns is not None and (header is True or all(names[1:])):
        return by_name(where, names, columns)
    likely = _names_columns(names, len(positional.at)) or stands_out(first, following)
    if header == CLAIMED:
        check_claim(where, first, likely)
    if header is True or header == CLAIMED:
        return positional._replace(skip=True, least=len(first), most=len(first))
    if likely:
        told = (
            f", or set input.header: [{key}] where it is a header in the format's order, false "
            "where it is data"
        )
        raise DataError(
            f"{where} line 1 reads {shown(first)}: likely a header, and not one of known names "
            f"({some(*roles)}). Rename its columns{told if key else ''}"
        )
    return positional


def header_of(setting: bool | str | Collection[str], key: str) -> Header:
    """What `input.header` says of the files that `key` names."""
    if setting is True:
        return CLAIMED
    if setting is False or setting == AUTO:
        return False if setting is False else "auto"
    return True if isinstance(setting, Collection) and key in setting else "auto"


def check_claim(where: str, first: Sequence[str], likely: bool) -> None:
    """Raise DataError where a first record is said to be a header and does not look like one."""
    if not likely and not all(_short(field) for field in first):
        raise DataError(
            f"{where} line 1 reads {shown(list(first))}, which does not look like a header, and "
            "input.header is true for every file; name those that have one, such as "
            "input.header: [documents]"
        )


def _names_columns(names: Sequence[str], wanted: int) -> bool:
    """Whether the fields read like names: of pairs both, of texts the identifier's or either."""
    known = [names_a_column(name) for name in names[:2]]
    if len(known) > 1 and wanted == 2:
        return all(known)
    return known[0] or (any(known) and not any(c.isdigit() for c in names[0]))


def stands_out(first: Sequence[str], following: Sequence[list[str]]) -> bool:
    """Whether a first record of short words is unlike every one that follows.

    In each column the others either all hold a digit, or all have more words than any name.
    """
    rows = [row for row in following if len(row) == len(first)]
    if len(rows) < _LEAST or not all(_short(field) for field in first):
        return False
    return all(
        all(any(c.isdigit() for c in value) for value in column)
        or all(len(value.split()) > 2 for value in column)
        for column in zip(*rows, strict=True)
    )


def _short(field: str) -> bool:
    field = field.strip()
    return (
        0 < len(field) <= 40
        and len(field.split()) <= 2
        and any(c.isalpha() for c in field)
        and not any(c.isdigit() for c in field)
    )


def same_order(key: str, found: Sequence[tuple[str, bool, Sequence[int | None]]]) -> None:
    """Raise DataError where files of one setting disagree on the order of their columns.

    A header in one of several files says nothing of the others, unless it has the format's order.

    Args:
        key: the setting.
        found: name of each file, whether it has a header, and where its columns stand.
    """
    bare = [name for name, skip, _ in found if not skip]
    for name, skip, (first, second, *_) in found:
        if skip and bare and first is not None and second is not None and first > second:
            raise DataError(
                f"input.{key}: {name} has a header whose columns stand in another order than the "
                f"format's, and {bare[0]} has none; give each file its header"
            )
