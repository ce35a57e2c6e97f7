"""A run's teacher lists for exporters: the positives, and all else in the negatives' place."""

from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.data.sql import dataset_sql, has_parts
from negmine.transforms.exporters.reading.options import Options, Source
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.reading.tally import NOT_BEST, NOT_IN_LIST

_LOGITS = "coalesce(judge_logit, judge_score) AS judge_score"


class RunLists(RunNegatives):
    """As RunNegatives; scores are the judge's on the student's scale, or its own: logits
    where it gives probabilities, which losses over lists want.

    Raises ConfigError for options that are of negatives, DataError for a run without lists.
    """

    def __init__(self, source: Source, options: Options) -> None:
        super().__init__(source, options)
        if options.raw and options.scale:
            raise ConfigError("--raw is --scale raw of teacher lists; give one of the two")
        if options.tiers or not options.backfilled:
            raise ConfigError("teacher lists have no tiers; leave out --tier and --no-backfilled")
        self.tiers = []
        self.fewer = NOT_BEST if options.positives == "best" else NOT_IN_LIST

    @property
    def usual_width(self) -> int:
        """All of the longest list but a positive."""
        (most,) = self._one(
            "SELECT max(size) FROM (SELECT count(*) AS size FROM lists GROUP BY query_id)"
        )
        return int(most or 1) - 1

    def _chosen(self) -> str | None:
        folder = self.source.run / "lists"
        if not has_parts(folder):
            raise DataError(
                f"run {self.source.run_id} holds no teacher lists; mine it with --set "
                "lists.size=16, which asks the judge for no more than the lists need"
            )
        self._connection.execute(f"CREATE VIEW lists AS {dataset_sql(folder)}")
        names = {row[0] for row in self._connection.execute("DESCRIBE lists").fetchall()}
        texts = ", query, document AS negative, NULL AS positive" if "document" in names else ""
        return (
            f"SELECT query_id, doc_id AS negative_id{texts}, {self._scores}, 0 AS tier_at, "
            "place AS rank FROM lists WHERE NOT is_positive"
        )

    def _every_positive(self) -> str:
        self.complete = True
        texts = "" if self.joined else ", l.document AS positive"
        grades = dataset_sql(self.source.run / "positives")
        return (
            f"SELECT l.query_id, l.doc_id AS positive_id{texts}, g.grade, l.place = 1 AS served, "
            f"{self._scores} FROM lists l LEFT JOIN (SELECT query_id, positive_id, grade FROM "
            f"({grades})) g ON g.query_id = l.query_id AND g.positive_id = l.doc_id "
            "WHERE l.is_positive"
        )

    @property
    def _scores(self) -> str:
        judge = _LOGITS if self.options.raw else "judge_score"
        return f"{judge}, teacher_score, dense_score"

    def _choose_scores(self) -> None:
        own = self.options.raw or self.options.scale in ("raw", "unit")
        self.scores = "judge" if own else "teacher"
