"""The short values of every column, of all rows where that is cheap: labels are told by them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from negmine.jobs.inspection.heads import CAP, Head, as_text
from negmine.jobs.inspection.roles.literals import is_literal
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.columnar import bracketed, table_rows
from negmine.transforms.readers.tables.delimited import Text, records
from negmine.transforms.readers.tables.json_objects import objects

_BYTES = 2 << 30
"""Bytes of text that are looked through."""

_DISTINCT, _LETTERS = 1000, 40
_LATE = 50
"""Further rows that are looked at as a head's are: those in which a column comes first."""


@dataclass
class Values:
    """How often each short value stands in a column, or in the lists and objects of it.

    Attributes:
        counts: by the way to them (`label`, `passages.is_selected`), those that are no null.
        many: ways with more values than are counted, or longer ones.
        rows: that were looked at.
        whole: whether these are all.
        texts: how many texts stand at each way.
        literals: how many of these are lists or objects that were written as text.
        examples: the beginning of the first of them.
        late: rows in which a column comes first, from `names` on.
    """

    counts: dict[str, Counter[object]] = field(default_factory=dict)
    many: set[str] = field(default_factory=set)
    rows: int = 0
    whole: bool = True
    names: dict[str, None] = field(default_factory=dict)
    texts: Counter[str] = field(default_factory=Counter)
    literals: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    late: list[dict[str, object]] = field(default_factory=list)

    def add(self, row: Mapping[str, object]) -> None:
        """Count the values of a row."""
        self.rows += 1
        for name, value in row.items():
            self._add(name, value)

    def add_text(self, way: str, text: str) -> None:
        """Count a text, and whether it is a list or an object that was written out."""
        self.texts[way] += 1
        if is_literal(text):
            self.literals[way] += 1
            self.examples.setdefault(way, text[:40])

    def _add(self, way: str, value: object) -> None:
        if isinstance(value, str) and value:
            self.add_text(way, value)
        if isinstance(value, list):
            for item in value:
                self._add(way, item)
        elif isinstance(value, dict):
            for name, inner in value.items():
                self._add(f"{way}.{name}", inner)
        elif value is not None and value != "" and way not in self.many:
            self._count(way, value)

    def _count(self, way: str, value: object) -> None:
        # One NaN is not another: as text they are one value.
        kept = value if isinstance(value, bool | int | str) or value == value else "nan"
        found = self.counts.setdefault(way, Counter())
        if (
            not isinstance(kept, bool | int | float | str)
            or len(found) > _DISTINCT
            or (isinstance(kept, str) and len(kept) > _LETTERS)
        ):
            self.many.add(way)
        else:
            found[kept] += 1

    def of(self, written: str) -> Counter[object]:
        """The values at the end of a way; `[]` in it says nothing here."""
        return self.counts.get(written.replace("[]", ""), Counter())


def looked_through(head: Head, files: Sequence[str]) -> tuple[Head, Values]:
    """The head with the columns that come later, and the values of all files that are like it.

    Raises DataError where a file is damaged.
    """
    found = Values(names=dict.fromkeys(head.names))
    if head.kind not in ("jsonl", "csv", "tsv", "parquet", "arrow"):
        found.whole = False
    if not found.whole or (len(files) == 1 and head.count == len(head.rows) and head.exact):
        for row in head.rows:
            found.add(row)
        return head, found
    left = _BYTES
    for file in files:
        for row, size in rows_of(head, file):
            left -= size
            if left < 0:
                found.whole = False
                break
            found.add(row)
            if not row.keys() <= found.names.keys():
                found.names.update(dict.fromkeys(row))
                found.late += [row] if len(found.late) < _LATE else []
    if head.kind in ("parquet", "arrow"):
        _add_long_texts(head, files, found)
    if head.kind != "jsonl":
        return head, found
    return replace(head, names=tuple(found.names), rows=[*head.rows, *found.late]), found


def rows_of(head: Head, file: str) -> Iterator[tuple[dict[str, object], int]]:
    """Rows of a file with the bytes that each takes; of Parquet the columns of short values."""
    if head.kind == "jsonl":
        for _, record, raw in objects(file, CAP):
            if not isinstance(record, Rejected):
                yield dict(record), len(raw)
    elif head.kind in ("csv", "tsv"):
        text = Text(file, head.kind, CAP, None, encoding=head.encoding)
        names = None if head.header else head.names
        for _, fields, raw in records(text):
            if isinstance(fields, Rejected):
                continue
            if names is None:
                # Each file orders its columns as it likes.
                names = tuple(field.strip() for field in fields)
            else:
                yield dict(zip(names, fields, strict=False)), len(raw)
    else:
        short = _short(head)
        if short:
            for _, values in table_rows(file, short, listed=short):
                yield dict(zip(short, map(as_text, values), strict=True)), 64
        else:
            yield {}, 0


def _add_long_texts(head: Head, files: Sequence[str], found: Values) -> None:
    """Count the texts of Parquet's other columns, of which only those in brackets are read."""
    short = _short(head)
    first = Values()
    for row in head.rows:
        first.add(row)
    columns = [name for name in head.names if name in first.texts and name not in short]
    left = _BYTES
    for file in files if columns else ():
        for name, count, texts, size in bracketed(file, columns):
            left -= size
            found.texts[name] += count - len(texts)
            for text in texts:
                found.add_text(name, text.decode("utf-8", "replace"))
        if left < 0:
            return


def _short(head: Head) -> list[str]:
    """Columns with short values anywhere in them, by the rows of the head."""
    found = Values()
    for row in head.rows:
        found.add(row)
    ways = [way for way in found.counts if way not in found.many]
    # A column that is empty so far may hold anything.
    empty = [name for name in head.names if all(row.get(name) is None for row in head.rows)]
    return [
        name
        for name in head.names
        if name not in head.unread
        and (name in empty or any(way == name or way.startswith(f"{name}.") for way in ways))
    ]
