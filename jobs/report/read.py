"""What the report reads of a published run: its Parquet by DuckDB, and nothing else on the disk."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from negmine.jobs.report.metrics import Metrics, read_metrics
from negmine.jobs.runs.views import Row, create_run_views
from negmine.schemas import JsonObject
from negmine.schemas.errors import StorageError
from negmine.transforms.data.sql import connect

_CELLS = (40, 26)


@dataclass(frozen=True)
class Density:
    """Negatives counted in cells of student similarity (across) and judge margin (upwards)."""

    left: float
    right: float
    bottom: float
    top: float
    cells: tuple[tuple[int, int, int], ...]
    means: tuple[tuple[str, float, float], ...]
    columns: int = _CELLS[0]
    rows: int = _CELLS[1]


class RunData:
    """Views `negatives`, `ledger` and `sets` of one run, in a `with` block.

    Columns that an older run lacks are null, and data sets that it lacks are empty.
    """

    def __init__(self, run: Path, manifest: JsonObject) -> None:
        self.run, self.manifest = run, manifest
        self.metrics: Metrics = read_metrics(run, manifest)
        self.connection = connect()

    def __enter__(self) -> "RunData":
        try:
            self._create_views()
        except duckdb.Error as error:
            self.connection.close()
            raise StorageError(
                f"{self.run} cannot be read: {_first_line(error)}. Mine the run again"
            ) from error
        return self

    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        self.connection.close()
        if isinstance(error, duckdb.Error):
            raise StorageError(
                f"{self.run} cannot be read: {_first_line(error)}. Mine the run again"
            ) from error

    def all(self, sql: str, *values: object) -> list[Row]:
        """Rows of an answer."""
        return self.connection.execute(sql, list(values)).fetchall()

    def _create_views(self) -> None:
        create_run_views(self.connection, self.run)
        self.connection.execute("SET allowed_directories = ?", [[str(self.run)]])
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")

    def groups(self, view: str, partition: str) -> dict[str, int]:
        """Rows by tier or verdict."""
        rows = self.all(f"SELECT {partition}, count(*) FROM {view} GROUP BY ALL ORDER BY ALL")
        return dict(rows)

    def density(self) -> Density | None:
        """Judge margin against student similarity; None where no negative has both.

        The axes hold the middle 99 % of both, and zero margin; what lies outside is not drawn.
        """
        ((count, *ends),) = self.all(
            "SELECT count(*), quantile_disc(dense_score, 0.005), quantile_disc(dense_score, 0.995),"
            " quantile_disc(judge_margin, 0.005), quantile_disc(judge_margin, 0.995) "
            "FROM negatives WHERE isfinite(judge_margin) AND isfinite(dense_score)"
        )
        if not count:
            return None
        left, right, bottom, top = (float(end) for end in ends)
        right, bottom, top = max(right, left + 1e-3), min(bottom, 0.0), max(top, 0.0)
        bottom, top = bottom - 0.02 * (top - bottom + 1e-3), top + 0.02 * (top - bottom + 1e-3)
        columns, rows = _CELLS
        cells = self.all(
            "SELECT * FROM (SELECT floor((dense_score - ?) / ? * ?)::BIGINT AS x, "
            "floor((judge_margin - ?) / ? * ?)::BIGINT AS y, count(*) FROM negatives "
            "WHERE isfinite(judge_margin) AND isfinite(dense_score) "
            "AND dense_score BETWEEN ? AND ? AND judge_margin BETWEEN ? AND ? "
            "GROUP BY ALL) ORDER BY ALL",
            *(left, (right - left) * (1 + 1e-9), columns),
            *(bottom, (top - bottom) * (1 + 1e-9), rows),
            *(left, right, bottom, top),
        )
        means = self.all(
            "SELECT tier, median(dense_score), median(judge_margin) FROM negatives "
            "WHERE isfinite(judge_margin) GROUP BY tier ORDER BY tier"
        )
        return Density(left, right, bottom, top, tuple(cells), tuple(means))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
