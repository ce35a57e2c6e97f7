"""Two published runs in one DuckDB that can read them and nothing else."""

import tempfile

import duckdb

from negmine.jobs.runs.published import Run
from negmine.jobs.runs.views import Row, create_run_views
from negmine.schemas import JsonObject
from negmine.schemas.errors import StorageError
from negmine.transforms.data.sql import connect

SIDES = ("a", "b")


class TwoRuns:
    """Views `a_negatives`, `a_ledger`, `a_sets` and the same of `b`, in a `with` block.

    Columns that an older run lacks are null, and data sets that it lacks are empty. What does not
    fit memory is spilled to a temporary folder.
    """

    def __init__(self, a: Run, b: Run) -> None:
        self.runs = {"a": a, "b": b}
        self.connection = connect(memory=None)
        self._spill = tempfile.TemporaryDirectory(prefix="negmine-compare-")

    def __enter__(self) -> "TwoRuns":
        reading = "the runs"
        try:
            for side, run in self.runs.items():
                reading = str(run.path)
                create_run_views(self.connection, run.path, f"{side}_")
            self._lock()
        except duckdb.Error as error:
            self._close()
            raise _unreadable(reading, error) from error
        return self

    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        self._close()
        if isinstance(error, duckdb.Error):
            named = " or ".join(str(run.path) for run in self.runs.values())
            raise _unreadable(named, error) from error

    def all(self, sql: str, *values: object) -> list[Row]:
        """Rows of an answer."""
        return self.connection.execute(sql, list(values)).fetchall()

    def arrays(self, sql: str, *values: object) -> JsonObject:
        """Columns of an answer as NumPy arrays."""
        return dict(self.connection.execute(sql, list(values)).fetchnumpy())

    def tiers(self) -> list[str]:
        """Tiers of either run, in the order of A's config, then B's."""
        found = {
            tier
            for side in SIDES
            for (tier,) in self.all(f"SELECT DISTINCT tier FROM {side}_negatives")
        }
        named = [tier for run in self.runs.values() for tier in run.quotas]
        return [*dict.fromkeys(named), *sorted(found - set(named))]

    def _lock(self) -> None:
        allowed = [*(str(run.path) for run in self.runs.values()), self._spill.name]
        for setting, value in (
            ("temp_directory", self._spill.name),
            ("allowed_directories", allowed),
            ("preserve_insertion_order", False),
            ("enable_external_access", False),
            ("lock_configuration", True),
        ):
            self.connection.execute(f"SET {setting} = ?", [value])

    def _close(self) -> None:
        self.connection.close()
        self._spill.cleanup()


def _unreadable(what: str, error: Exception) -> StorageError:
    line = str(error).strip().partition("\n")[0]
    return StorageError(f"{what} cannot be read: {line}. Mine the run again, or name another")
