"""What is wrong with an audited set: its entries joined with the ledger of the run made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from negmine.jobs.audit.repeats import mark
from negmine.jobs.audit.request import HUB_SHARE
from negmine.jobs.runs.published import Run
from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.data.sql import (
    COSINE,
    POSITIVE_COSINE,
    connect,
    dataset_sql,
    file_sql,
    partitioned_sql,
)
from negmine.transforms.kernels.eci import set_terms, summarise

HUB_QUERIES = 10
"""A hub is a negative of so many queries, besides its share of them."""
SHORTCUT = 0.7
"""AUC from which length and shared words alone tell positives from negatives."""
_FIRST = (
    "known_positive",
    "query_itself",
    "same_text_as_positive",
    "evaluation_document",
    "near_duplicate_of_positive",
)
"""Worse than being repeated."""
CERTAIN = (
    *_FIRST,
    "unknown_document",
    "score_not_finite",
    "repeated",
    "same_text_as_negative",
    "near_duplicate_of_negative",
)
SUSPECTED = "suspected_positive"
TOO_FEW = "too_few_negatives"
DEFECTS = (*CERTAIN, SUSPECTED, TOO_FEW)
_EXAMPLES = 3
_START = 80
Row: TypeAlias = tuple[Any, ...]
"""A row of an answer, of what its query selects."""
_CHOICES = ("kept", "outside_tiers", "over_quota", "not_judged")

_ENTRIES = f"""
CREATE TABLE entries AS
SELECT n.file, n.row, n.list, n.place, q.query_id, n.doc_id, n.positive_of_row, n.positive_of_file,
    n.query_key, n.positives_key, l.verdict IN {_FIRST} OR n.fault IS NOT NULL AS worse,
    CASE
        WHEN l.verdict IN {_FIRST} THEN l.verdict
        WHEN n.fault IS NOT NULL THEN n.fault
        WHEN l.verdict NOT IN {_CHOICES} THEN l.verdict
    END AS reason,
    CASE WHEN reason = l.verdict THEN l.value END AS value,
    CASE WHEN reason = l.verdict THEN l.threshold END AS threshold
FROM given n
JOIN (
    SELECT query_id, unnest(list_append(merged_ids, query_id)) AS id FROM queries
) q ON q.id = n.query_id
LEFT JOIN ledger l ON l.query_id = q.query_id AND l.doc_id = n.doc_id
"""


@dataclass(frozen=True)
class Example:
    """One bad entry: where it stands, and the starts of its texts."""

    file: str
    row: int
    query_id: str
    query: str
    doc_id: str
    document: str
    value: float | None
    threshold: float | None


@dataclass(frozen=True)
class Finding:
    """One kind of defect: entries, their share of all, the queries concerned, and examples.

    `certain` is false where a judge only suspects it, `defect` where it is a remark.
    """

    reason: str
    entries: int
    share: float
    queries: int
    certain: bool
    defect: bool
    examples: list[Example] = field(default_factory=list)
    details: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Hub:
    """A document that is a negative of many queries."""

    doc_id: str
    document: str
    entries: int
    queries: int
    share: float


class Entries:
    """The audited entries with what is wrong with each. Use it in a `with` block."""

    def __init__(self, run: Run, negatives: Path, files: Sequence[str]) -> None:
        self.run = run
        self.files = files
        artifacts = run.artifacts()
        ledger = partitioned_sql(run.path / "ledger", "verdict")
        if ledger is None or not {"queries", "documents"} <= artifacts.keys():
            raise StorageError(f"the run {run.path} is not whole; audit again")
        self._connection = connect(memory=None)
        for name, sql in (
            ("ledger", ledger),
            ("queries", dataset_sql(artifacts["queries"])),
            ("documents", dataset_sql(artifacts["documents"])),
            ("given", file_sql(storage.fetch(negatives))),
        ):
            self._connection.execute(f"CREATE VIEW {name} AS {sql}")
        self._connection.execute(_ENTRIES)

    def __enter__(self) -> "Entries":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, sql: str, *values: object) -> list[Row]:
        """All rows of an answer."""
        return self._connection.execute(sql, list(values)).fetchall()

    def counts(self) -> dict[str, int]:
        """Negatives (entries), queries, and queries whose every negative has a defect."""
        ((entries, queries),) = self.ask("SELECT count(*), count(DISTINCT query_id) FROM entries")
        ((spoilt,),) = self.ask(
            "SELECT count(*) FROM (SELECT query_id FROM entries GROUP BY query_id "
            f"HAVING bool_and(coalesce(reason IN {DEFECTS}, false)))"
        )
        return {"negatives": entries, "queries": queries, "queries_all_bad": spoilt}

    def findings(self) -> list[Finding]:
        """Defects in the order of DEFECTS, then remarks; those that occur."""
        found = self.ask(
            """
            SELECT reason, count(*), count(*) / (SELECT count(*) FROM entries),
                count(DISTINCT query_id), count(*) FILTER (positive_of_row),
                count(*) FILTER (positive_of_file AND NOT positive_of_row)
            FROM entries WHERE reason IS NOT NULL GROUP BY reason
            """
        )
        order = {reason: at for at, reason in enumerate(DEFECTS)}
        findings = []
        for reason, count, share, queries, row, file in sorted(
            found, key=lambda entry: (order.get(entry[0], len(order)), entry[0])
        ):
            details = {}
            if reason == "known_positive":
                details = {"of_the_row": row, "of_another_row": file, "judged": count - row - file}
            examples = self._examples(reason)
            certain, defect = reason in CERTAIN, reason in DEFECTS
            findings.append(
                Finding(reason, count, share, queries, certain, defect, examples, details)
            )
        return findings

    def _examples(self, reason: str) -> list[Example]:
        rows = self.ask(
            f"""
            SELECT e.file, e.row, e.query_id, left(q.text, {_START}), e.doc_id,
                left(coalesce(d.text, ''), {_START}), e.value, e.threshold
            FROM (
                FROM entries WHERE reason = ? ORDER BY file, row, list, place LIMIT {_EXAMPLES}
            ) e
            JOIN queries q USING (query_id) LEFT JOIN documents d USING (doc_id)
            ORDER BY e.file, e.row, e.list, e.place
            """,
            reason,
        )
        return [Example(self.files[file], *rest) for file, *rest in rows]

    def mark_repeats(self, whole: bool, least: int = 0, suspected: bool = False) -> None:
        """Give those that repeat a negative of a row that stays, or of their own, their reason.

        `whole`: a row goes with one bad negative; `least` and `suspected` as in `mark_short`.
        """
        gone = (*CERTAIN, SUSPECTED) if suspected else CERTAIN
        mark(self._connection, gone, whole, least)

    def mark_short(self, least: int, by_query: bool, suspected: bool = False) -> None:
        """Give the good negatives of rows that have fewer than `least` the reason TOO_FEW.

        Only what `--fix` would leave counts, each document once; `suspected` positives go too.
        `by_query`: of all rows of a query, for formats with a row a document.
        """
        gone = (*CERTAIN, SUSPECTED) if suspected else CERTAIN
        unit = "query_id" if by_query else "file, row"
        self._connection.execute(
            f"""
            UPDATE entries SET reason = '{TOO_FEW}'
            WHERE NOT coalesce(reason IN {gone}, false) AND ({unit}) IN (
                SELECT {unit} FROM entries GROUP BY ALL
                HAVING count(DISTINCT doc_id)
                    FILTER (NOT coalesce(reason IN {gone}, false)) < ?
            )
            """,
            [least],
        )

    def hubs(self, share: float = HUB_SHARE) -> list[Hub]:
        """Documents used by at least 10 queries and this share of them, most used first."""
        rows = self.ask(
            f"""
            WITH total AS (SELECT count(DISTINCT query_id) AS queries FROM entries),
            used AS (
                SELECT doc_id, count(*) AS entries, count(DISTINCT query_id) AS uses
                FROM entries GROUP BY doc_id
                HAVING uses >= greatest({HUB_QUERIES}, ? * (SELECT queries FROM total))
            )
            SELECT doc_id, left(d.text, {_START}), used.entries, uses, uses / total.queries
            FROM used JOIN documents d USING (doc_id), total ORDER BY uses DESC, doc_id
            """,
            share,
        )
        return [Hub(*row) for row in rows]

    def eci(self) -> dict[str, dict[str, float]]:
        """ECI of the set as it was given, and of what the run kept."""
        given = "list_contains(sources, 'given')"
        return {
            name: self._eci(where)
            for name, where in (("given", given), ("kept", f"{given} AND verdict = 'kept'"))
        }

    def _eci(self, where: str) -> dict[str, float]:
        terms = self._connection.execute(
            f"""
            SELECT count(*) AS size, avg(negative) AS signal,
                avg(greatest(0, positive - negative)) AS safety
            FROM (
                SELECT query_id, {COSINE} AS negative, {POSITIVE_COSINE} AS positive
                FROM ledger WHERE {where}
            )
            WHERE negative IS NOT NULL AND positive IS NOT NULL
            GROUP BY query_id ORDER BY query_id
            """
        ).fetchnumpy()
        return summarise(set_terms(terms["size"], terms["signal"], terms["safety"]))

    def shortcut(self) -> dict[str, float | None]:
        """AUC of length and shared words alone over what was kept, from the run's metrics."""
        measured = file_sql(self.run.path / "metrics.parquet", "value, low, high")
        rows = self.ask(
            f"{measured} WHERE metric = 'shortcut_auc' AND tier IS NULL AND source IS NULL"
        )
        auc, low, high = rows[0] if rows else (None,) * 3
        return {"auc": auc, "low": low, "high": high}

    def bad(self, reasons: Sequence[str]) -> list[Row]:
        """Entries of these reasons, in the order of the files, with their texts."""
        return self.ask(
            """
            SELECT e.file, e.row, e.list, e.place, e.query_id, q.text, e.doc_id, d.text, e.reason,
                e.value, e.threshold
            FROM entries e JOIN queries q USING (query_id) LEFT JOIN documents d USING (doc_id)
            WHERE e.reason IN (SELECT unnest(?)) ORDER BY e.file, e.row, e.list, e.place
            """,
            list(reasons),
        )

    def of_rows(self, file: int, rows: Sequence[int], reasons: Sequence[str]) -> list[Row]:
        """Entries of these rows that have none of the reasons, as `bad`."""
        return self.ask(
            """
            SELECT e.file, e.row, e.list, e.place, e.query_id, q.text, e.doc_id, d.text
            FROM entries e JOIN queries q USING (query_id) LEFT JOIN documents d USING (doc_id)
            WHERE e.file = ? AND e.row IN (SELECT unnest(?::BIGINT[]))
                AND NOT coalesce(e.reason IN (SELECT unnest(?)), false)
            ORDER BY e.row, e.list, e.place
            """,
            file,
            list(rows),
            list(reasons),
        )
