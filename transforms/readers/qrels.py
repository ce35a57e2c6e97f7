"""Relevance judgements in delimited files: TREC, MS MARCO and BEIR layouts, with or without header.

By name where there is a header; else `query document`, `query document grade` or
`query 0 document grade`, line by line.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from negmine.schemas.errors import DataError
from negmine.transforms.readers.rows import UNGRADED, Rejected, Row, bad, judgement_row
from negmine.transforms.readers.tables.delimited import Text, head, records, shown
from negmine.transforms.readers.tables.headers import CLAIMED, Header, check_claim, is_number
from negmine.transforms.readers.tables.names import (
    PANDAS_INDEX,
    USUAL,
    names_a_column,
    plain,
    some,
    usual,
)

HEAD = 1000
_ZEROS = ("0", "Q0", "q0")
_WIDTHS = (2, 3, 4)
Named = Callable[[Sequence[str]], Sequence[str | None]]


class QrelsLayout(NamedTuple):
    """Where a file's columns stand: `at` holds query, document and grade, None for no grade.

    `skip` says that the first record is a header. Without a `width` each record says by its number
    of columns where its own stand.
    """

    skip: bool
    at: tuple[int, int, int | None] = (0, 1, None)
    width: int | None = None

    def values(self, fields: list[str]) -> tuple[str, str, object]:
        """Query, document and grade of a record. Raises Rejected for another number of columns."""
        width = len(fields)
        if self.width is None:
            if width not in _WIDTHS:
                wanted = " or ".join(map(str, _WIDTHS))
                raise Rejected("wrong_columns", f"{width} columns, expected {wanted}")
            grade = fields[-1] if width > 2 else UNGRADED
            return fields[0], fields[2 if width == 4 else 1], grade
        if width != self.width:
            raise Rejected("wrong_columns", f"{width} columns, expected {self.width}")
        query, document, at = self.at
        return fields[query], fields[document], UNGRADED if at is None else fields[at]


def read_qrels(text: Text, layout: QrelsLayout) -> Iterator[Row]:
    """Judgements of a file, laid out as `qrels_layout` says. Raises DataError: it is damaged."""
    skip = layout.skip
    for number, fields, data in records(text):
        if skip:
            skip = False
            continue
        try:
            if isinstance(fields, Rejected):
                raise fields
            query_id, doc_id, grade = layout.values(fields)
        except Rejected as why:
            yield bad(number, "qrels", why, data)
            continue
        yield judgement_row(number, query_id, doc_id, grade, data)


def qrels_layout(
    text: Text,
    header: Header = "auto",
    named: Named | None = None,
    ask: bool = True,
) -> QrelsLayout:
    """How a file of judgements is read.

    Args:
        text: the file.
        header: what `header_of` says.
        named: query, document and grade among a header's names; None for the usual names. Raises
            DataError where they are not there.
        ask: whether a header without a grade, but with columns of unknown names, is refused.

    Raises DataError where the first record is a header of unknown names, or where a middle column
    of zeros leaves open which of the three is the document.
    """
    where = text.path
    first, following = head(text, HEAD)
    if first is None:
        return QrelsLayout(False)
    if header is not False:
        found = _by_name(where, [field.strip() for field in first], named, ask)
        if found is not None:
            return found
    if header == CLAIMED:
        check_claim(where, first, _header_like(first))
    if header is True or header == CLAIMED:
        return QrelsLayout(True)
    rows = [first, *following]
    if all(len(row) == 3 and row[1] in _ZEROS for row in rows):
        return _without_grade(where, rows)
    if header is not False and _header_like(first):
        raise DataError(
            f"{where} line 1 reads {shown(first)}: neither a judgement nor a header of known "
            f"names ({some('qrels_query_id', 'qrels_doc_id', 'grade')}). Rename its columns, or "
            "set input.header: [qrels] where it is a header in the order query, document, grade, "
            "false where it is data"
        )
    return QrelsLayout(False)


def _by_name(where: str, names: list[str], named: Named | None, ask: bool) -> QrelsLayout | None:
    """The layout of a header; None where the record is none, or not one of known names."""
    if any(map(is_number, names)):
        return None
    if named is not None:
        try:
            query, document, grade = named(names)
        except DataError:
            return None
    else:
        query, document = usual("qrels_query_id", names), usual("qrels_doc_id", names)
        grade = usual("grade", names)
    if query is None or document is None or query == document:
        return None
    known = {query, document, grade}
    others = unknown(names, known)
    if grade is None and others and ask:
        raise DataError(
            f"{where} line 1 is a header with the unknown column {others[0]!r} and none of a usual "
            f"name for the grade ({', '.join(USUAL['grade'])}). Rename it to score if it is the "
            "grade; otherwise take it out"
        )
    for name in known:
        if name is not None and names.count(name) > 1:
            raise DataError(f"{where} has {names.count(name)} columns {name!r}; rename them")
    at = None if grade is None else names.index(grade)
    return QrelsLayout(True, (names.index(query), names.index(document), at), len(names))


def unknown(names: Sequence[str], known: Collection[str | None]) -> list[str]:
    """Columns of judgements of which nobody knows what they say: each may be the grade."""
    texts = (*USUAL["doc_text"], *USUAL["doc_title"], *USUAL["query_text"])
    zeros = {plain(name) for name in (*USUAL["iteration"], *PANDAS_INDEX, *texts)}
    return [name for name in names if name not in known and plain(name) not in zeros]


def _without_grade(where: str, rows: Sequence[list[str]]) -> QrelsLayout:
    """Lines of `query 0 document`, where the document can be told from a grade."""
    if all(row[1] != "0" for row in rows) or not any(is_number(row[2]) for row in rows):
        return QrelsLayout(False, (0, 2, None), 3)
    raise DataError(
        f"{where}: each line has three columns, and the second is 0 ({shown(list(rows[0]))}). That "
        "is either TREC's `query 0 document` without a grade, or `query document grade` with "
        "document 0 alone. Add the grade as a fourth column, or a header such as "
        "query-id<TAB>corpus-id<TAB>score"
    )


def _header_like(fields: Sequence[str]) -> bool:
    """Whether a first record that is no header of known names is unlikely to be a judgement."""
    if len(fields) > 1 and any(names_a_column(field) for field in fields[:2]):
        return not is_number(fields[-1]) or len(fields) == 2
    return len(fields) in (3, 4) and not is_number(fields[-1])
