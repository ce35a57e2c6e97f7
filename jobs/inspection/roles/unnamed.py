"""Columns that no header names."""

from collections.abc import Mapping

from negmine.jobs.inspection.columns import Column
from negmine.jobs.inspection.heads import Head
from negmine.jobs.inspection.roles.asked import judgements
from negmine.jobs.inspection.roles.understood import Settings, Understood
from negmine.jobs.inspection.roles.values import Values
from negmine.schemas.errors import DataError
from negmine.schemas.inputs import AUTO
from negmine.transforms.readers.label_values import label_value
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.storage.suffixes import suffix_of

_QRELS = (".qrels", ".qrel")


def without_names(
    head: Head, columns: Mapping[str, Column], settings: Settings, values: Values
) -> Understood | None:
    """The roles of columns that no header names: first the query, then the positive.

    None where there is one column.

    Raises DataError where their order hardly says what they are.
    """
    for key in ("query", "positive"):
        if key in settings and settings[key] != AUTO:
            raise DataError(
                f"{head.path} has no header that names {settings[key]!r}; line 1 reads "
                f"{', '.join(repr(str(v)[:30]) for v in head.rows[0].values())}. Where that is a "
                "header: --set input.header=[path]"
            )
    kinds = {column.kind for column in columns.values()}
    if suffix_of(head.path) in _QRELS or (len(columns) > 1 and kinds <= {"id", "number"}):
        raise DataError(judgements(head))
    if len(columns) == 1:
        return None
    _refuse_a_header(head, settings)
    _refuse_identifiers(head, columns)
    _refuse_a_label(head, columns, settings, values)
    found = Understood("pairs")
    first, second = list(columns)[:2]
    found.roles = {first: "query", second: "positive"}
    found.notes.append(
        "there is no header: the first column is the query, the second the positive; "
        "--set input.header=[path] says that line 1 is one"
    )
    return found


def _refuse_a_header(head: Head, settings: Settings) -> None:
    """Raise DataError where line 1 is of single words, and the lines below it are not."""
    first, following = list(head.rows[0].values()), head.rows[1:]
    if "header" in settings or not following:
        return
    if not all(isinstance(v, str) and v.strip().isidentifier() and len(v) <= 40 for v in first):
        return
    columns = zip(*(row.values() for row in following), strict=True)
    if any(all(len(str(value).split()) > 1 for value in column) for column in columns):
        raise DataError(
            f"{head.path} line 1 reads {', '.join(map(repr, first))}, which may be a header; "
            "--set input.header=[path] says that it is one, --set input.header=false that it is a "
            "row"
        )


def _refuse_identifiers(head: Head, columns: Mapping[str, Column]) -> None:
    """Raise DataError where one of the first two columns holds identifiers and no texts."""
    for column in list(columns.values())[:2]:
        texts = [str(value) for value in column.values]
        words = len(texts) > 2 and len(columns) > 2 and len(set(texts)) == len(texts)
        bare = words and not any(len(text.split()) > 1 or len(text) > 20 for text in texts)
        if column.kind in ("id", "number") or bare:
            raise DataError(
                f"{head.path} has no header, and {column.name} holds {texts[0]!r} and the like, "
                "which are hardly texts; give it a first line that names its columns, such as "
                "id, query and positive"
            )


def _refuse_a_label(
    head: Head, columns: Mapping[str, Column], settings: Settings, values: Values
) -> None:
    """Raise DataError where a further column may be a label."""
    if "label" in settings:
        return
    for name in list(columns)[2:]:
        try:
            numbers = {label_value(value) for value in values.of(name)}
        except Rejected:
            continue
        if numbers and name not in values.many:
            low, high = min(numbers), max(numbers)
            raise DataError(
                f"{head.path} has no header, and {name} holds labels ({low:.3g} to {high:.3g}); "
                "give it a first line that names its columns, such as query, passage and label; "
                "--set input.label=null takes every row as a positive"
            )
