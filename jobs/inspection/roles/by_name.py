"""Columns of queries, positives and given negatives by their names."""

from collections.abc import Mapping, Sequence

from negmine.jobs.inspection.columns import PASSAGES, Column
from negmine.jobs.inspection.names import (
    ANSWERING,
    DECLARED,
    NEGATIVE,
    QUERY,
    is_against,
    named,
    names_ids,
    numbered,
)


def query_named(columns: Mapping[str, Column]) -> list[str]:
    """The column of queries."""
    kinds = ("text", "conversation", "object")
    found = [n for n in named(list(columns), QUERY) if columns[n].kind in kinds]
    return found[:1]


def positives_named(columns: Mapping[str, Column], query: Sequence[str]) -> list[str]:
    """Columns of positives by their names: those that say so, else what may answer a query."""
    known = [n for n, column in columns.items() if column.kind in PASSAGES and n not in query]
    found = named(known, DECLARED)[:1] + numbered(known, DECLARED)
    if not found:
        found = named(known, ANSWERING)[:1]
        if not found and len(several := numbered(known, ANSWERING)) == 1:
            return several
    return found


def negatives_named(columns: Mapping[str, Column]) -> list[str]:
    """Columns of given negatives by their names."""
    known = [name for name, column in columns.items() if column.kind in PASSAGES]
    return [*named(known, NEGATIVE), *numbered(known, NEGATIVE)]


def is_declared(ways: Sequence[str]) -> bool:
    """Whether one of these names says that it holds positives."""
    return bool(named(ways, DECLARED) or numbered(ways, DECLARED))


def only_text(columns: Mapping[str, Column], taken: Sequence[str]) -> list[str]:
    """The one column of texts that has no role yet; none where there are several."""
    taken = [*taken, *negatives_named(columns)]
    free = [c for c in columns.values() if c.kind in ("text", "texts") and c.name not in taken]
    free = [c for c in free if not is_against(c.name) and not names_ids(c.name)]
    return [free[0].name] if len(free) == 1 else []


def ways(columns: Mapping[str, Column], names: Sequence[str]) -> list[str]:
    """How a setting names the texts of columns of a role."""
    return [columns[name].path for name in names]
