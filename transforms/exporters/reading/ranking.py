"""The student's own ranking for exporters: what a reranker will be given, positives labelled."""

from negmine.schemas.errors import ConfigError, DataError
from negmine.schemas.verdicts import Verdict
from negmine.transforms.data.sql import partitioned_sql, sql_string
from negmine.transforms.exporters.reading.options import Options, Source
from negmine.transforms.exporters.reading.rows import RunNegatives

SHORTEST, USUAL, LONGEST = 8, 30, 100
"""Documents of a list: fewest, where nobody says how many, and most."""

SAFE = (
    Verdict.KEPT,
    Verdict.OVER_QUOTA,
    Verdict.OUTSIDE_TIERS,
    Verdict.NEAR_DUPLICATE_OF_NEGATIVE,
)
"""Verdicts of candidates that no policy took for a positive; the others are left out."""


class RunRanking(RunNegatives):
    """As RunNegatives, from the ledger: candidates that the student returned, in its order.

    A list has the query's known positives, however low, and the best of the others, `n` documents
    in all. Suspected positives, and what nobody judged, are left out and counted. Raises
    ConfigError for options that are of negatives, DataError where the student was no source.
    """

    def __init__(self, source: Source, options: Options) -> None:
        super().__init__(source, options)
        if options.tiers or not options.backfilled or options.lists:
            raise ConfigError(
                "the student's ranking has no tiers and is no teacher list; leave out --tier, "
                "--no-backfilled and --lists"
            )
        self.size = USUAL if options.n is None else options.n
        if not SHORTEST <= self.size <= LONGEST:
            raise ConfigError(f"--n {self.size}: a reranker's lists have {SHORTEST} to {LONGEST}")
        self.tiers = []
        self.ranked = True

    @property
    def usual_width(self) -> int:
        """All of a list but a positive."""
        return self.size - 1

    def _chosen(self) -> str | None:
        ledger = partitioned_sql(self.source.run / "ledger", "verdict")
        if ledger is None:
            return None
        self._connection.execute(f"CREATE VIEW ledger AS {ledger}")
        others = "dense_rank IS NOT NULL AND NOT is_positive"
        safe = f"verdict IN ({', '.join(sql_string(str(verdict)) for verdict in SAFE)})"
        self._tell(others, safe)
        left = f"greatest(1, {self.size} - coalesce(s.positives, 0))"
        place = "row_number() OVER (PARTITION BY l.query_id ORDER BY l.dense_rank, l.doc_id)"
        # A range of queries is asked for at a time; the window's partition lets it be pushed down.
        return (
            "SELECT query_id, doc_id AS negative_id, judge_score, dense_score, 0 AS tier_at, "
            f"place AS rank FROM (SELECT l.*, {place} AS place, {left} AS room FROM (SELECT "
            "query_id, doc_id, judge_score, dense_score, dense_rank FROM ledger "
            f"WHERE {others} AND {safe}) l JOIN sets s ON s.query_id = l.query_id) "
            "WHERE place <= room"
        )

    def _tell(self, others: str, safe: str) -> None:
        """Say which candidates of the student's are in no list, and why."""
        counts = self._connection.execute(
            f"SELECT verdict, count(*) FROM ledger WHERE {others} AND NOT {safe} "
            "GROUP BY verdict ORDER BY verdict"
        ).fetchall()
        (returned,) = self._one(f"SELECT count(*) FROM ledger WHERE {others}")
        if not returned:
            raise DataError(
                f"run {self.source.run_id} has no candidates of the student's own ranking; mine "
                "it with the source dense"
            )
        self.details["left_out"] = {str(verdict): int(count) for verdict, count in counts}
        if counts:
            why = ", ".join(f"{count:,} {verdict}" for verdict, count in counts)
            self.notes.append(
                f"{sum(count for _, count in counts):,} of {returned:,} candidates of the student "
                f"are in no list: {why}"
            )
