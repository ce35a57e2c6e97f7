"""Which negatives are repeats, of those in rows that stay."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

import duckdb

_BLOCK = 8192


class Entry(NamedTuple):
    """A negative: its query and positives, its row, its list, its document, and its fate so far.

    `bad`: it goes whether or not it is a repeat. `may_repeat`: being a repeat would be its reason.
    """

    query: int
    positives: int
    file: int
    row: int
    list: str
    place: int
    document: str
    bad: bool
    may_repeat: bool


def repeats(entries: Iterable[Entry], whole: bool, least: int) -> Iterator[Entry]:
    """The repeats among entries that come by query, positives, file, row, list and place.

    A repeat is an entry whose document the same list of the same query and positives had before,
    in its own row or in one that stays, and there was no bad entry. A row goes where one of its
    entries does and `whole` is set, or where fewer than `least` documents would be left in it.
    """
    for _, of_query in groupby(entries, lambda entry: entry[:2]):
        seen: set[tuple[str, str]] = set()
        for _, row in groupby(of_query, lambda entry: entry[2:4]):
            own: set[tuple[str, str]] = set()
            goes = False
            for entry in row:
                key = (entry.list, entry.document)
                if entry.may_repeat and (key in seen or key in own):
                    goes = goes or whole
                    yield entry
                elif entry.bad:
                    goes = goes or whole
                else:
                    own.add(key)
            if not goes and len({document for _, document in own}) >= least:
                seen |= own


def mark(
    connection: duckdb.DuckDBPyConnection, gone: Sequence[str], whole: bool, least: int
) -> None:
    """Give the repeats of the table `entries` their reason; those of the reasons `gone` are bad."""
    found = connection.cursor().execute(
        f"""
        WITH counted AS (
            SELECT *, count(*) OVER (PARTITION BY query_key, positives_key, list, doc_id) > 1
                AS again FROM entries
        )
        SELECT query_key, positives_key, file, row, list, place, doc_id,
            coalesce(reason IN {tuple(gone)}, false), NOT coalesce(worse, false)
        FROM counted WHERE (file, row) IN (SELECT (file, row) FROM counted WHERE again)
        ORDER BY query_key, positives_key, file, row, list, place
        """
    )
    entries = (Entry(*row) for rows in iter(lambda: found.fetchmany(_BLOCK), []) for row in rows)
    connection.execute(
        "CREATE TEMP TABLE repeats (file INTEGER, row BIGINT, list VARCHAR, place INTEGER)"
    )
    marked = repeats(entries, whole, least)
    while block := list(islice(marked, _BLOCK)):
        spots = [list(column) for column in zip(*(entry[2:6] for entry in block), strict=True)]
        connection.execute(
            "INSERT INTO repeats SELECT unnest(?::INTEGER[]), unnest(?::BIGINT[]), "
            "unnest(?::VARCHAR[]), unnest(?::INTEGER[])",
            spots,
        )
    connection.execute(
        """
        UPDATE entries SET reason = 'repeated', value = NULL, threshold = NULL FROM repeats r
        WHERE entries.file = r.file AND entries.row = r.row AND entries.list = r.list
            AND entries.place = r.place
        """
    )
