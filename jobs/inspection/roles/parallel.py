"""Lists beside the list of positives: which are as long, and what may be a place in it."""

from collections.abc import Sequence

from negmine.jobs.inspection.heads import Head
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.nested import Path, path_of

_ALIKE = 0.8
"""Share of rows whose lists have to be as long as each other; the others are bad rows."""


class Lists:
    """The positives of a head's rows as lists.

    Attributes:
        way: how they are named.
        several: whether a row has more than one text in one column.
        placed: whether the one at a place of each list is taken.
        inside: ways to the other values of their objects.
    """

    def __init__(self, head: Head, positives: Sequence[str]) -> None:
        self._head = head
        self.way = positives[0]
        self._path = path_of(self.way, head.names) if len(positives) == 1 else None
        self._counts = [] if self._path is None else self._lengths(self._path, alone=1)
        self.placed = self._path is not None and isinstance(
            next(iter(self._path.steps[-1:]), ""), int
        )
        paths = [path for way in positives if (path := path_of(way, head.names))]
        counts = [count for path in paths for count in self._lengths(path)]
        self.several = any(count is not None and count > 1 for count in counts)
        self.inside = self._inside()

    def _lengths(self, path: Path, alone: int | None = None) -> list[int | None]:
        """Values of each row: `alone` where there is one and no list, None where there is none."""
        found: list[int | None] = []
        for row in self._head.rows:
            try:
                value = path.of(row.get(path.column))
            except Rejected:
                value = None
            one = None if value is None else alone
            found.append(len(value) if isinstance(value, list) else one)
        return found

    def _inside(self) -> list[str]:
        if self._path is None:
            return []
        values = [row.get(self._path.column) for row in self._head.rows]
        items = [i for value in values for i in (value if isinstance(value, list) else [value])]
        names = dict.fromkeys(str(k) for item in items if isinstance(item, dict) for k in item)
        found = [f"{self._path.column}.{name}" for name in names]
        return [way for way in found if way != self.way.replace("[]", "")]

    def is_list(self, way: str) -> bool:
        """Whether lists are at the end of a way."""
        path = path_of(way, self._head.names)
        return path is not None and any(count is not None for count in self._lengths(path))

    def parallel(self, way: str) -> bool:
        """Whether the lists at the end of a way are as long as those of the positives."""
        path = path_of(way, self._head.names)
        if path is None:
            return False
        pairs = list(zip(self._lengths(path), self._counts, strict=False))
        whole = [(a, b) for a, b in pairs if a is not None and b is not None]
        return bool(whole) and sum(a == b for a, b in whole) >= _ALIKE * len(whole)

    def places(self, name: str) -> bool:
        """Whether every number of a column is a place in the list of its row, from 0 or from 1."""
        found = []
        for row, count in zip(self._head.rows, self._counts, strict=False):
            value = row.get(name)
            if isinstance(value, str) and value.isdecimal():
                value = int(value)
            if value is None or count is None:
                continue
            found.append(isinstance(value, int) and not isinstance(value, bool) and value <= count)
        return bool(found) and all(found)
