"""The whole ledger for exporters: every candidate that was scored, by identifier."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas.errors import ConfigError, DataError, StorageError
from negmine.transforms import storage
from negmine.transforms.data.sql import partitioned_sql
from negmine.transforms.exporters.reading.options import Options, Source
from negmine.transforms.exporters.reading.rows import RunNegatives

_ROWS = 4_096


class RunLedger(RunNegatives):
    """As RunNegatives, with all candidates of the ledger in the negatives' place, unfiltered.

    Texts of documents are not in the blocks but in `every_document`. Candidates without a score,
    which no judge was asked for, are left out and counted. Raises ConfigError for options that are
    of negatives.
    """

    def __init__(self, source: Source, options: Options) -> None:
        super().__init__(source, options)
        if options.tiers or not options.backfilled or options.lists or options.ranking:
            raise ConfigError(
                "the ledger is exported whole; leave out --tier, --no-backfilled, --lists and "
                "--ranking"
            )
        self.tiers = []
        self.ids_only = True

    def _chosen(self) -> str | None:
        ledger = partitioned_sql(self.source.run / "ledger", "verdict")
        if ledger is None:
            return None
        self._connection.execute(f"CREATE VIEW ledger AS {ledger}")
        total, judged, similar = self._one(
            "SELECT count(*), count(judge_score), count(dense_score) FROM ledger "
            "WHERE NOT is_positive"
        )
        score, scored = ("judge_score", judged) if judged else ("dense_score", similar)
        if not scored:
            raise DataError(f"run {self.source.run_id} holds no scored candidate")
        self.details["not_scored"] = int(total - scored)
        if total > scored:
            self.notes.append(
                f"{total - scored:,} of {total:,} candidates have no {score}: no judge was asked"
            )
        return (
            "SELECT query_id, doc_id AS negative_id, judge_score, dense_score, verdict, "
            f"0 AS tier_at, row_number() OVER (PARTITION BY query_id ORDER BY {score} DESC, doc_id)"
            f" AS rank FROM ledger WHERE NOT is_positive AND {score} IS NOT NULL"
        )

    def every_document(self) -> Iterator[pa.Table]:
        """doc_id and text of all documents of the corpus, in their order, some thousand at once."""
        assert self.source.documents is not None
        folder = storage.fetch_tree(self.source.documents)
        try:
            for part in sorted(folder.glob("part-*.parquet")):
                file = pq.ParquetFile(part)
                for batch in file.iter_batches(_ROWS, columns=["doc_id", "text"]):
                    yield pa.Table.from_batches([batch])
        except (OSError, pa.ArrowException) as error:
            raise StorageError(f"{folder} cannot be read: {error}. Mine the run again") from error
